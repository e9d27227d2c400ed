"""Estimate: every indicator by wave and group, with standard error, interval and n."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline import survey
from pipeline.analyse.domains import (
    cells_of,
    groups_of,
    interval,
    measure,
    rules_of,
    wave_frames,
)
from pipeline.tables import Contributions, Estimates, Indicators, Register, Weights
from pipeline.tables.flow import RESPONSE


@pa.check_types
def estimate(
    contributions: DataFrame[Contributions],
    weights: DataFrame[Weights],
    register: DataFrame[Register],
    indicators: DataFrame[Indicators],
    *,
    breakdowns: Sequence[str],
) -> DataFrame[Estimates]:
    """Estimates in the indicator's unit (times its `scale`) for `all` and each group.

    Intervals are at 95 %: Student's t, for shares the beta interval (see `pipeline.survey`). What
    they say is chance among the firms of a stratum, not the bias from who answers.
    """
    groups = groups_of(register, breakdowns)
    frames = wave_frames(weights, register, groups)
    rules = rules_of(indicators)
    tables = []
    for (wave, name), rows in cells_of(contributions).items():
        frame, rule = frames[wave], rules[name]
        result = measure(frame, rows, rule.kind, frame.members)
        tables.append(
            _table(result, interval(result, rule.kind), rule.scale).assign(
                wave=wave,
                indicator=name,
                breakdown=groups[Estimates.breakdown],
                group=groups[Estimates.group],
                n=_respondents(result) if name == RESPONSE else result.n,
                population=frame.members.sum(axis=1),
            )
        )
    table = pd.concat(tables, ignore_index=True)
    return DataFrame[Estimates](table[list(Estimates.to_schema().columns)])


def _respondents(result: survey.Estimate) -> np.ndarray:
    """Of the response itself n is the firms that answered, not those that were asked."""
    return np.rint(np.nan_to_num(result.estimate) * result.n).astype(np.int64)


def _table(result: survey.Estimate, ends: survey.Interval, scale: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            str(Estimates.estimate): scale * result.estimate,
            str(Estimates.se): scale * result.se,
            str(Estimates.ci_low): scale * ends.low,
            str(Estimates.ci_high): scale * ends.high,
        }
    )

"""Estimate: every indicator by wave and group, with standard error, interval and n."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline import survey
from pipeline.analyse.domains import GROUP, groups_of, wave_frames
from pipeline.analyse.measures import Ints, Measures, interval, rules_of
from pipeline.tables import (
    BenchmarkPairs,
    Contributions,
    Estimates,
    Indicators,
    Register,
    Weights,
)
from pipeline.tables.flow import RESPONSE


@pa.check_types
def estimate(
    contributions: DataFrame[Contributions],
    weights: DataFrame[Weights],
    register: DataFrame[Register],
    indicators: DataFrame[Indicators],
    pairs: DataFrame[BenchmarkPairs],
    *,
    breakdowns: Sequence[str],
) -> DataFrame[Estimates]:
    """Estimates in the indicator's unit (times its `scale`) for `all` and each group.

    The groups are those of the breakdowns and of the benchmark's pairs. Intervals are at 95 %:
    Student's t, for shares and balances from the beta interval (see `pipeline.survey`). What they
    say is chance among the firms of a stratum, not the bias from who answers.
    """
    groups = groups_of(register, breakdowns, pairs)
    frames, rules = wave_frames(weights, register, groups), rules_of(indicators)
    measures = Measures(contributions, frames, rules)
    tables: list[pd.DataFrame] = [Estimates.empty()]
    for wave, frame in frames.items():
        for name in sorted(name for name in rules if wave in measures.waves[name]):
            result = measures.estimate(wave, name, frame.members)
            counted = frame.asked if name == RESPONSE else frame.eligible
            table = _table(result, interval(result, rules[name].kind), rules[name].scale)
            tables.append(
                pd.concat([groups[GROUP], table], axis=1).assign(
                    wave=wave,
                    indicator=name,
                    n=_respondents(result) if name == RESPONSE else result.n,
                    population=(frame.members & counted).sum(axis=1),
                )
            )
    table = pd.concat(tables, ignore_index=True)
    return DataFrame[Estimates](table[list(Estimates.to_schema().columns)])


def _respondents(result: survey.Estimate) -> Ints:
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

"""Compare: the change of every indicator on the wave before."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

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
from pipeline.tables import ChangeRules, Changes, Contributions, Indicators, Register, Weights


@pa.check_types
def compare(
    contributions: DataFrame[Contributions],
    weights: DataFrame[Weights],
    register: DataFrame[Register],
    indicators: DataFrame[Indicators],
    changes: DataFrame[ChangeRules],
    *,
    breakdowns: Sequence[str],
) -> DataFrame[Changes]:
    """Change of each indicator on the wave before, where both waves have it, in its unit.

    The standard error has the covariance of the firms in both waves, matched by key, with each
    wave's own response and firms that changed stratum (Tam 1984; see `pipeline.survey.change`).
    """
    groups = groups_of(register, breakdowns)
    frames = wave_frames(weights, register, groups)
    cells = cells_of(contributions)
    tables: list[pd.DataFrame] = [Changes.empty()]
    for name, rule in rules_of(indicators).items():
        for previous, wave in pairwise(frames):
            if not {(previous, name), (wave, name)} <= cells.keys():
                continue
            before, after = (
                measure(frames[w], cells[w, name], rule.kind, frames[w].members)
                for w in (previous, wave)
            )
            tables.append(
                _table(before, after, rule.scale).assign(
                    wave=wave,
                    previous=previous,
                    indicator=name,
                    breakdown=groups[Changes.breakdown],
                    group=groups[Changes.group],
                    break_in_series=_breaks(rule.items, changes, previous, wave),
                )
            )
    table = pd.concat(tables, ignore_index=True)
    order = [Changes.wave, Changes.indicator]
    table = table.sort_values(order, kind="stable", ignore_index=True)
    return DataFrame[Changes](table[list(Changes.to_schema().columns)])


def _table(before: survey.Estimate, after: survey.Estimate, scale: float) -> pd.DataFrame:
    result = survey.change(before, after)
    ends = interval(result, "difference")
    return pd.DataFrame(
        {
            str(Changes.n_both): survey.overlap(before, after),
            str(Changes.change): scale * result.estimate,
            str(Changes.se): scale * result.se,
            str(Changes.ci_low): scale * ends.low,
            str(Changes.ci_high): scale * ends.high,
        }
    )


def _breaks(items: frozenset[str], changes: pd.DataFrame, previous: str, wave: str) -> bool:
    """Whether one of the items has a break after `previous` and up to `wave`."""
    breaks = changes.loc[
        (changes[ChangeRules.kind] == "break")
        & changes[ChangeRules.item].isin(items)
        & (changes[ChangeRules.from_wave] > previous)
        & (changes[ChangeRules.from_wave] <= wave)
    ]
    return not breaks.empty

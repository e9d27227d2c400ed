"""Position: where each firm stands among its peers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline import survey
from pipeline.analyse.domains import GROUP, Bools, WaveFrame, groups_of, wave_frames
from pipeline.analyse.measures import Answers, Floats, Measures, figures_of, rules_of
from pipeline.tables import (
    BenchmarkPairs,
    Clearance,
    Contributions,
    Indicators,
    Positions,
    Register,
    Weights,
)
from pipeline.tables.flow import ALL

AMOUNTS = ("mean", "ratio")
"""Kinds of indicators of which a firm has a figure of its own, not only yes or no."""
CELL = [Clearance.breakdown, Clearance.group]
UPPER = 0.75


@pa.check_types
def position(
    contributions: DataFrame[Contributions],
    weights: DataFrame[Weights],
    register: DataFrame[Register],
    indicators: DataFrame[Indicators],
    clearance: DataFrame[Clearance],
    *,
    peers: Sequence[str],
) -> DataFrame[Positions]:
    """Each firm of the newest wave beside its peers, in the indicator's unit.

    Its peers are the firms of its group in the first of the breakdowns `peers` for which the
    indicator is cleared, at last all; a firm for which none is cleared has no row. The gap is
    from its own figure to that of the best quarter: the upper quartile where more is better, the
    lower one where less is (then below 0 is how much less), by the firms' weights.
    """
    groups = groups_of(register, peers, BenchmarkPairs.empty())
    frames, rules = wave_frames(weights, register, groups), rules_of(indicators)
    measures, wave = Measures(contributions, frames, rules), max(frames, default="")
    better = indicators.set_index(Indicators.indicator)[Indicators.better]
    open_cells = clearance[(clearance[Clearance.wave] == wave) & (clearance[Clearance.rule] == "")]
    order = [*peers, ALL]
    tables: list[pd.DataFrame] = [Positions.empty()]
    for name, rule in rules.items():
        if rule.kind not in AMOUNTS or wave not in measures.waves[name]:
            continue
        cleared = open_cells.loc[open_cells[Clearance.indicator] == name, CELL]
        may = pd.MultiIndex.from_frame(groups[GROUP]).isin(pd.MultiIndex.from_frame(cleared))
        place = groups[Clearance.breakdown].map(order.index).to_numpy()
        answers = measures.answers(wave, name)
        upper = 1 - UPPER if better[name] == "lower" else UPPER
        for row, table in _beside(frames[wave], answers, place, may, upper):
            named = {column: groups[column].iloc[row] for column in GROUP}
            for column in ("value", "upper_quartile", "gap"):
                table[column] *= rule.scale
            tables.append(table.assign(wave=wave, indicator=name, **named))
    table = pd.concat(tables, ignore_index=True)
    table = table.sort_values([Positions.indicator, Positions.firm_id], ignore_index=True)
    return DataFrame[Positions](table[list(Positions.to_schema().columns)])


def _beside(
    frame: WaveFrame, answers: Answers, place: Floats, may: Bools, upper: float
) -> Iterator[tuple[int, pd.DataFrame]]:
    """For each group that is the narrowest open one of some firms, those firms among its own."""
    figure, known = figures_of(answers)
    members = frame.members[:, answers.firms] & known
    rank = np.where(members & may[:, None], place[:, None], np.inf)
    chosen = np.where(np.isfinite(rank.min(axis=0)), rank.argmin(axis=0), -1)
    for row in np.unique(chosen[chosen >= 0]):
        own = np.flatnonzero(chosen == row)
        below = survey.position(answers.design, figure, figure[own], members[row])
        quartile = survey.quantile(answers.design, figure, upper, members[row])
        yield (
            int(row),
            pd.DataFrame(
                {
                    str(Positions.firm_id): frame.firms[answers.firms[own]],
                    str(Positions.n): int(members[row].sum()),
                    str(Positions.value): figure[own],
                    str(Positions.below): below.estimate,
                    str(Positions.upper_quartile): float(quartile.estimate),
                    str(Positions.gap): float(quartile.estimate) - figure[own],
                }
            ),
        )

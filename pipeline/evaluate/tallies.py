"""Counts of cells: how many there are, how many each rule closes, and what is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from pipeline.tables import Clearance, Suppressions
from pipeline.tables.disclosure import NOT_BY_ITSELF
from pipeline.tables.flow import REPRESENTATIVITY

BY_ITSELF = "by_itself"
"""Column of the cells: the primary rules alone would close it."""
_CELL = [Clearance.indicator, Clearance.breakdown, Clearance.group]


@dataclass(frozen=True)
class Tally:
    """Cells with an answer, those published, and how many each rule closes.

    `answers`: contributors over all these cells, holdings by holdings; `seen` in published cells;
    `primary_cells` and `primary_seen`: what the primary rules alone would leave.
    """

    cells: int
    published: int
    by_rule: Mapping[str, int]
    answers: int
    seen: int
    primary_cells: int
    primary_seen: int

    @property
    def closed(self) -> int:
        """Cells that are not published."""
        return self.cells - self.published

    @property
    def secondary(self) -> int:
        """Cells that are closed, and would not be by the primary rules alone."""
        return self.primary_cells - self.published


def cells_of(clearance: pd.DataFrame, suppressions: pd.DataFrame) -> pd.DataFrame:
    """The cells of the newest wave, and whether the primary rules alone would close each.

    An indicator computed from others is closed by them where one of its parts is. The
    R-indicator has no groups of its own: it is printed where the response is.
    """
    newest = clearance[Clearance.wave] == clearance[Clearance.wave].max()
    cells = clearance.loc[newest & (clearance[Clearance.indicator] != REPRESENTATIVITY)]
    primary = ~cells[Clearance.rule].isin(NOT_BY_ITSELF)
    closed = pd.MultiIndex.from_frame(cells.loc[primary, _CELL])
    parts = suppressions.loc[suppressions[Suppressions.rule] == "part"]
    part = parts.assign(**{Suppressions.indicator: parts[Suppressions.protects]})[_CELL]
    of_closed = parts.loc[pd.MultiIndex.from_frame(part).isin(closed).tolist(), _CELL]
    formula = pd.MultiIndex.from_frame(cells[_CELL]).isin(pd.MultiIndex.from_frame(of_closed))
    found: pd.DataFrame = cells.assign(**{BY_ITSELF: primary | formula})
    return found


def tally(cells: pd.DataFrame) -> Tally:
    """Count cells; those without an answer do not count."""
    cells = cells.loc[cells[Clearance.contributors] > 0]
    rule, answers = cells[Clearance.rule], cells[Clearance.contributors]
    counts = rule[rule != ""].value_counts()
    return Tally(
        cells=len(cells),
        published=int((rule == "").sum()),
        by_rule={str(name): int(count) for name, count in counts.items()},
        answers=int(answers.sum()),
        seen=int(answers[rule == ""].sum()),
        primary_cells=int((~cells[BY_ITSELF]).sum()),
        primary_seen=int(answers[~cells[BY_ITSELF]].sum()),
    )

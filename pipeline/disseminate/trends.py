"""Trend and precision: what all waves say together, and what a comparison can find."""

from __future__ import annotations

from pipeline.disseminate.cells import grade_cell, number_cell, trend_cells
from pipeline.disseminate.figures import Figures
from pipeline.disseminate.model import Cell, RowGroup, Table
from pipeline.disseminate.selection import by_title, reported, waves_phrase
from pipeline.disseminate.wording import Wording
from pipeline.tables.flow import ALL

_OF_TREND = ("slope", "established")
_OF_PRECISION = ("detectable", "grade")


def trend_tables(figures: Figures, wording: Wording) -> tuple[Table, ...]:
    """One table of all indicators of the wave; none where nothing is compared with earlier waves.

    Without a trend, which needs three waves, only the precision.
    """
    if not figures.statistics & {"trend", "change_detectable"}:
        return ()
    has_trend = "trend" in figures.statistics
    titled = by_title(wording, reported(figures, wording))
    groups = tuple(
        RowGroup(title, tuple(_row(figures, wording, i, has_trend=has_trend) for i in found))
        for title, found in titled.items()
    )
    names = (*(_OF_TREND if has_trend else ()), *_OF_PRECISION)
    phrase = "trend" if has_trend else "precision"
    span = waves_phrase(wording, figures.waves if has_trend else (figures.wave,))
    table = Table(
        wording.word(f"table.{phrase}", waves=span),
        tuple(wording.word(f"table.{name}") for name in ("indicator", *names)),
        groups,
        note=(*(wording.say("note.trend") if has_trend else ()), *wording.say("note.precision")),
    )
    return (table,)


def _row(
    figures: Figures, wording: Wording, indicator: str, *, has_trend: bool
) -> tuple[Cell, ...]:
    return (
        Cell((wording.indicator_label(indicator),), (wording.change_unit(indicator),)),
        *(trend_cells(figures, wording, indicator, ALL) if has_trend else ()),
        number_cell(figures, indicator, ALL, "change_detectable"),
        grade_cell(figures, indicator, ALL),
    )

"""The table of key figures over all waves, side by side."""

from __future__ import annotations

from itertools import groupby

from pipeline.disseminate.cells import change_cells, estimate_cell
from pipeline.disseminate.figures import Figures
from pipeline.disseminate.model import Cell, RowGroup, Section, Table
from pipeline.disseminate.selection import ever_reported, unranked, waves_phrase
from pipeline.disseminate.trends import trend_tables
from pipeline.disseminate.wording import Wording
from pipeline.tables.flow import ALL

MOST_WAVES = 5
"""Waves side by side in one table; earlier ones get tables of their own."""


def overview_section(figures: Figures, wording: Wording) -> Section:
    """Key figures of all firms: waves side by side, the last change; trend and precision."""
    indicators = unranked(wording, ever_reported(figures, wording))
    themes = groupby(indicators, lambda indicator: wording.caption("theme", indicator))
    groups = tuple((theme, tuple(found)) for theme, found in themes)
    return Section(
        "overview",
        wording.word("section.overview"),
        paragraphs=(wording.say("table.note"),),
        tables=(
            *(
                Table(
                    _caption(figures, wording, span),
                    _head(figures, wording, span),
                    tuple(
                        RowGroup(theme, tuple(_row(figures, wording, i, span) for i in found))
                        for theme, found in groups
                    ),
                )
                for span in spans(figures)
            ),
            *trend_tables(figures, wording),
        ),
    )


def spans(figures: Figures) -> list[tuple[str, ...]]:
    """The waves in parts that fit side by side, the last part first."""
    starts = range(len(figures.waves), 0, -MOST_WAVES)
    return [figures.waves[max(0, end - MOST_WAVES) : end] for end in starts]


def _caption(figures: Figures, wording: Wording, waves: tuple[str, ...]) -> str:
    return wording.word(
        "table.overview_change" if _has_change(figures, waves) else "table.overview",
        waves=waves_phrase(wording, waves),
        previous=figures.previous,
    )


def _has_change(figures: Figures, waves: tuple[str, ...]) -> bool:
    """Whether a table ends with the change of the wave that is reported; the first has none."""
    return bool(figures.previous) and figures.wave in waves


def _head(figures: Figures, wording: Wording, waves: tuple[str, ...]) -> tuple[str, ...]:
    head = [wording.word("table.indicator"), *waves]
    if _has_change(figures, waves):
        head += [wording.word("table.change"), wording.word("table.established")]
    return tuple(head)


def _row(
    figures: Figures, wording: Wording, indicator: str, waves: tuple[str, ...]
) -> tuple[Cell, ...]:
    name = Cell((wording.indicator_label(indicator),), (wording.unit(indicator),))
    values = [estimate_cell(figures, wording, wave, indicator, ALL) for wave in waves]
    changes: tuple[Cell, ...] = ()
    if _has_change(figures, waves):
        changes = change_cells(figures, wording, figures.wave, indicator, ALL)
    return (name, *values, *changes)

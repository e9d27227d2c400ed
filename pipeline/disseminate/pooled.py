"""Means of a wave and the one before, for groups of which one wave has few answers."""

from __future__ import annotations

from pipeline.disseminate.cells import estimate_cell, grade_cell, number_cell, pooled_cell
from pipeline.disseminate.figures import Figures
from pipeline.disseminate.model import Cell, RowGroup, Table
from pipeline.disseminate.panels import places
from pipeline.disseminate.wording import Wording


def pooled_tables(figures: Figures, wording: Wording, indicator: str) -> tuple[Table, ...]:
    """The means beside the values of the wave, one table for all breakdowns that have any."""
    groups = []
    for title, group in places(figures, wording, indicator):
        rows = tuple(
            (
                Cell((label,)),
                estimate_cell(figures, wording, figures.wave, indicator, place),
                pooled_cell(figures, wording, indicator, place),
                grade_cell(figures, indicator, place, "pooled"),
                number_cell(figures, indicator, place, "pooled_n"),
            )
            for place, label in group
            if figures.has(figures.wave, indicator, place, "pooled")
        )
        if rows:
            groups.append(RowGroup(title, rows))
    if not groups:
        return ()
    words = {"previous": figures.previous, "wave": figures.wave}
    caption = wording.word("table.pooled", label=wording.indicator_label(indicator), **words)
    names = ("group", "only_wave", "mean", "grade_mean", "answers")
    head = tuple(wording.word(f"table.{name}", **words) for name in names)
    note = wording.say("note.pooled", **words)
    return (Table(caption, head, tuple(groups), folded=True, form="dense", note=note),)

"""One block per indicator: the course over the waves and the groups, as charts and as tables."""

from __future__ import annotations

from pipeline.disseminate.cells import change_cells, count_cell, estimate_cell
from pipeline.disseminate.figures import Figures
from pipeline.disseminate.findings import reported
from pipeline.disseminate.model import Block, Cell, RowGroup, Section, Table
from pipeline.disseminate.panels import groups_charts, groups_message, places, trend_charts
from pipeline.disseminate.wording import Wording
from pipeline.tables.flow import ALL


def indicators_section(figures: Figures, wording: Wording) -> Section:
    """Every indicator of the wave."""
    return Section(
        "indicators",
        wording.word("section.indicators"),
        paragraphs=(wording.say("table.note"),),
        blocks=tuple(
            _block(figures, wording, indicator) for indicator in reported(figures, wording)
        ),
    )


def _block(figures: Figures, wording: Wording, indicator: str) -> Block:
    label = wording.indicator_label(indicator)
    tables = [_waves_table(figures, wording, indicator)]
    charts = trend_charts(figures, wording, indicator, tables[0].caption)
    if len(places(figures, wording, indicator)) > 1:
        tables.append(_groups_table(figures, wording, indicator))
        charts += groups_charts(
            figures,
            wording,
            indicator,
            message=groups_message(figures, wording, indicator),
            table=tables[1].caption,
        )
    notes = [wording.word(f"better.{wording.caption('better', indicator)}")]
    notes += change_notes(figures, wording, indicator)
    return Block(wording.caption("theme", indicator), label, tuple(notes), charts, tuple(tables))


def change_notes(figures: Figures, wording: Wording, indicator: str) -> list[str]:
    """What changed between the waves of an indicator and how it is compared, a sentence each."""
    notes = []
    for key, text in wording.captions("change"):
        found, wave, kind = key.rsplit("/", 2)
        if found == indicator and wave in figures.waves:
            phrase = wording.word(f"changes.{kind}")
            notes.append(wording.word("changes.line", wave=wave, kind=phrase, text=text))
    return notes


def _waves_table(figures: Figures, wording: Wording, indicator: str) -> Table:
    """An indicator over the waves: value, firms behind it, change on the wave before."""
    rows = tuple(
        (
            Cell((wave,)),
            estimate_cell(figures, wording, wave, indicator, ALL),
            count_cell(figures, wave, indicator, ALL, "n"),
            *change_cells(figures, wording, wave, indicator, ALL),
        )
        for wave in figures.waves
    )
    names = ("wave", "value", "n", "change", "established")
    return Table(
        wording.word("table.waves", label=wording.indicator_label(indicator)),
        tuple(wording.word(f"table.{name}") for name in names),
        (RowGroup("", rows),),
    )


def _groups_table(figures: Figures, wording: Wording, indicator: str) -> Table:
    wave = figures.wave
    groups = tuple(
        RowGroup(
            title,
            tuple(
                (
                    Cell((label,)),
                    estimate_cell(figures, wording, wave, indicator, place),
                    count_cell(figures, wave, indicator, place, "n"),
                    *change_cells(figures, wording, wave, indicator, place),
                )
                for place, label in group
            ),
        )
        for title, group in places(figures, wording, indicator)
    )
    names = ("group", "value", "n", "change", "established")
    return Table(
        wording.word("table.groups", label=wording.indicator_label(indicator), wave=wave),
        tuple(wording.word(f"table.{name}") for name in names),
        groups,
    )

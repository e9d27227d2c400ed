"""One block per indicator: the course over the waves and the groups, as charts and as tables."""

from __future__ import annotations

from pipeline.disseminate.cells import (
    change_cells,
    count_cell,
    estimate_cell,
    grade_cell,
)
from pipeline.disseminate.crossings import crossing_tables
from pipeline.disseminate.figures import Figures
from pipeline.disseminate.model import Block, Cell, RowGroup, Section, Table
from pipeline.disseminate.panels import groups_charts, groups_message, places, trend_charts
from pipeline.disseminate.pooled import pooled_tables
from pipeline.disseminate.selection import reported, unranked
from pipeline.disseminate.wording import Wording
from pipeline.tables.flow import ALL


def indicators_section(figures: Figures, wording: Wording) -> Section:
    """Every indicator of the wave that is not ranked with others."""
    return Section(
        "indicators",
        wording.word("section.indicators"),
        paragraphs=(wording.say("table.note"),),
        blocks=tuple(
            _block(figures, wording, indicator)
            for indicator in unranked(wording, reported(figures, wording))
        ),
    )


def _block(figures: Figures, wording: Wording, indicator: str) -> Block:
    waves = _waves_table(figures, wording, indicator)
    charts = trend_charts(figures, wording, indicator, waves.caption)
    tables: tuple[Table, ...] = ()
    if len(places(figures, wording, indicator)) > 1:
        tables = (_groups_table(figures, wording, indicator),)
        message = groups_message(figures, wording, indicator)
        charts += groups_charts(
            figures, wording, indicator, message=message, table=tables[0].caption
        )
    return Block(
        block_id=f"indicator-{indicator}",
        kicker=wording.caption("theme", indicator),
        title=wording.indicator_label(indicator),
        notes=_notes(figures, wording, indicator),
        charts=charts,
        beside=(waves,),
        tables=(
            *tables,
            *pooled_tables(figures, wording, indicator),
            *crossing_tables(figures, wording, indicator),
        ),
    )


def _notes(figures: Figures, wording: Wording, indicator: str) -> tuple[str, ...]:
    """What the indicator is, which direction is better, and what changed between the waves."""
    notes = []
    if wording.has_caption("definition", indicator):
        notes.append(wording.caption("definition", indicator))
    notes.append(wording.word(f"better.{wording.caption('better', indicator)}"))
    for key, text in wording.captions("change"):
        found, wave, kind = key.rsplit("/", 2)
        if found == indicator and wave in figures.waves:
            phrase = wording.word(f"changes.{kind}")
            notes.append(wording.word("changes.line", wave=wave, kind=phrase, text=text))
    return tuple(notes)


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
        form="narrow",
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
                    grade_cell(figures, indicator, place),
                    count_cell(figures, wave, indicator, place, "n"),
                    *change_cells(figures, wording, wave, indicator, place),
                )
                for place, label in group
            ),
        )
        for title, group in places(figures, wording, indicator)
    )
    names = ("group", "value", "grade", "n", "change", "established")
    return Table(
        wording.word("table.groups", label=wording.indicator_label(indicator), wave=wave),
        tuple(wording.word(f"table.{name}") for name in names),
        groups,
        folded=True,
        form="dense",
    )

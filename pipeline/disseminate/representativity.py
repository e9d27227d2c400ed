"""How alike those who answered are to all, by what the register knows of them."""

from __future__ import annotations

from pipeline.disseminate.cells import NOT_APPLICABLE, ends_of, estimate_cell, number_cell
from pipeline.disseminate.figures import Figures, place_of
from pipeline.disseminate.model import Cell, Line, RowGroup, Table
from pipeline.disseminate.wording import Wording
from pipeline.tables.flow import ALL, REPRESENTATIVITY

_OF_WEIGHTS = ("design_effect", "weight_low", "weight_high")


def likeness_text(figures: Figures, wording: Wording) -> tuple[Line, ...]:
    """What the number of the wave says, and by which columns the response differs most."""
    where = (figures.wave, REPRESENTATIVITY, ALL)
    columns = _columns(figures, wording)
    if not figures.shows(*where, "estimate") or not columns:
        return ()
    most = [name for name, value in columns.items() if value == max(columns.values())]
    ends = ends_of(figures, *where, "ci")
    interval = wording.say("findings.interval", range=wording.interval(*ends)) if ends else ()
    said = wording.say(
        "response.representativity",
        wave=figures.wave,
        value=figures.number(*where, "estimate"),
        interval=interval,
        most="; ".join(wording.caption("column", name) for name in most),
    )
    return (said,)


def likeness_tables(figures: Figures, wording: Wording) -> tuple[Table, ...]:
    """Likeness and weights by wave, and the part of each column of the register in the wave."""
    tables = []
    waves = [w for w in figures.waves if figures.has(w, REPRESENTATIVITY, ALL, "design_effect")]
    if any(figures.has(wave, REPRESENTATIVITY, ALL, "estimate") for wave in waves):
        names = ("wave", "representativity", *_OF_WEIGHTS)
        rows = tuple(
            (
                Cell((wave,)),
                estimate_cell(figures, wording, wave, REPRESENTATIVITY, ALL),
                *(_cell(figures, wave, statistic) for statistic in _OF_WEIGHTS),
            )
            for wave in waves
        )
        tables.append(_table(wording, "likeness", names, rows, ""))
    columns = _columns(figures, wording)
    rows = tuple(
        (
            Cell((wording.caption("column", column),)),
            number_cell(figures, REPRESENTATIVITY, place_of(column, ALL), "partial"),
        )
        for column in sorted(columns, key=lambda column: -columns[column])
    )
    if rows:
        tables.append(_table(wording, "uneven", ("column", "spread"), rows, figures.wave))
    return tuple(tables)


def _columns(figures: Figures, wording: Wording) -> dict[str, float]:
    """The part of each column of the register in the wave, in the order of the study."""
    found = {}
    for column, _ in wording.captions("column"):
        where = (figures.wave, REPRESENTATIVITY, place_of(column, ALL), "partial")
        if figures.shows(*where):
            found[column] = float(figures.number(*where).value)
    return found


def _cell(figures: Figures, wave: str, statistic: str) -> Cell:
    where = (wave, REPRESENTATIVITY, ALL, statistic)
    return Cell((figures.number(*where),)) if figures.has(*where) else NOT_APPLICABLE


def _table(
    wording: Wording,
    phrase: str,
    names: tuple[str, ...],
    rows: tuple[tuple[Cell, ...], ...],
    wave: str,
) -> Table:
    return Table(
        wording.word(f"table.{phrase}", wave=wave),
        tuple(wording.word(f"table.{name}") for name in names),
        (RowGroup("", rows),),
        form="dense",
        note=wording.say(f"note.{phrase}"),
    )

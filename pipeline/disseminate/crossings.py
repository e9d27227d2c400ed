"""Crossings of two breakdowns as matrices: one breakdown down, the other across."""

from __future__ import annotations

from pipeline.disseminate.cells import NOT_APPLICABLE, estimate_cell
from pipeline.disseminate.figures import Figures, place_of
from pipeline.disseminate.model import Cell, Line, RowGroup, Table
from pipeline.disseminate.wording import Wording
from pipeline.tables.flow import CROSS, RESPONSE


def crossing_tables(figures: Figures, wording: Wording, indicator: str) -> tuple[Table, ...]:
    """A matrix of the wave's values for each crossing that has any, each over its interval."""
    found = (_crossing(figures, wording, indicator, crossing) for crossing in wording.crossings)
    return tuple(table for table in found if table)


def _crossing(figures: Figures, wording: Wording, indicator: str, crossing: str) -> Table | None:
    down, across = crossing.split(CROSS)
    rows, columns = (_codes(wording, crossing, part) for part in (0, 1))
    cells = {
        (row, column): place_of(crossing, f"{row}{CROSS}{column}")
        for row in rows
        for column in columns
    }
    if not any(figures.has(figures.wave, indicator, p, "estimate") for p in cells.values()):
        return None
    return Table(
        wording.word(
            "table.crossing",
            label=wording.indicator_label(indicator),
            crossing=wording.crossings[crossing],
            wave=figures.wave,
        ),
        ("", *(wording.group_label(across, column) for column in columns)),
        (
            RowGroup(
                "",
                tuple(
                    (
                        Cell((wording.group_label(down, row),)),
                        *(_cell(figures, wording, indicator, cells[row, c]) for c in columns),
                    )
                    for row in rows
                ),
            ),
        ),
        folded=True,
    )


def _codes(wording: Wording, crossing: str, part: int) -> list[str]:
    """The groups of one part of a crossing, in the order of the captions."""
    places = (key.partition("=") for key, _ in wording.captions("group"))
    groups = (group.split(CROSS)[part] for name, _, group in places if name == crossing)
    return list(dict.fromkeys(groups))


def _cell(figures: Figures, wording: Wording, indicator: str, place: str) -> Cell:
    """A value over its interval; the response over the firms that it counts."""
    cell = estimate_cell(figures, wording, figures.wave, indicator, place)
    if indicator != RESPONSE or cell == NOT_APPLICABLE:
        return cell
    counts = [(figures.wave, indicator, place, name) for name in ("n", "population")]
    sub: Line = ()
    if all(figures.shows(*count) for count in counts):
        n, population = (figures.number(*count) for count in counts)
        sub = wording.say("table.n_of", n=n, population=population)
    return Cell(cell.main, sub)

"""Who answered: by group and by wave, and the firms of the reference populations apart."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.disseminate.cells import count_cell
from pipeline.disseminate.crossings import crossing_tables
from pipeline.disseminate.figures import Figures, place_of
from pipeline.disseminate.model import Cell, RowGroup, Section, Table
from pipeline.disseminate.panels import Place, groups_charts, places
from pipeline.disseminate.representativity import likeness_tables, likeness_text
from pipeline.disseminate.wording import Wording
from pipeline.tables.flow import ALL, RESPONSE

_COUNTS = ("answered", "register", "rate")


def response_section(figures: Figures, wording: Wording) -> Section | None:
    """The response of the wave and of all waves; none where it was not released."""
    if not figures.has(figures.wave, RESPONSE, ALL, "estimate"):
        return None
    groups = _table(
        wording.word("table.response_groups", wave=figures.wave),
        _head(wording, "group"),
        (
            RowGroup(title, _rows(figures, group))
            for title, group in places(figures, wording, RESPONSE)
        ),
        folded=True,
    )
    waves = _table(
        wording.word("table.response_waves"),
        _head(wording, "wave"),
        (RowGroup("", tuple(_row(figures, wave, ALL, wave) for wave in figures.waves)),),
        folded=False,
    )
    message = wording.say("message.response_groups")
    return Section(
        "response",
        wording.word("section.response"),
        paragraphs=(
            wording.say("response.intro"),
            *likeness_text(figures, wording),
            wording.say("response.interval"),
        ),
        charts=groups_charts(figures, wording, RESPONSE, message=message, table=groups.caption),
        tables=(
            waves,
            *likeness_tables(figures, wording),
            groups,
            *crossing_tables(figures, wording, RESPONSE),
            *_references(figures, wording),
        ),
    )


def _references(figures: Figures, wording: Wording) -> tuple[Table, ...]:
    """The response of the reference groups outside the target, by benchmark."""
    groups = []
    seen: set[str] = set()
    for benchmark, title in wording.captions("benchmark"):
        found = []
        for breakdown, _, reference in wording.pairs[benchmark]:
            place = place_of(breakdown, reference)
            is_new = place not in seen and figures.is_outside(breakdown, reference)
            if is_new and figures.has(figures.wave, RESPONSE, place, "estimate"):
                seen.add(place)
                found.append((place, wording.group_label(breakdown, reference)))
        if found:
            groups.append(RowGroup(title, _rows(figures, found)))
    if not groups:
        return ()
    caption = wording.word("table.response_references", wave=figures.wave)
    return (_table(caption, _head(wording, "group"), groups, folded=False),)


def _table(
    caption: str, head: tuple[str, ...], groups: Iterable[RowGroup], *, folded: bool
) -> Table:
    return Table(caption, head, tuple(groups), folded=folded, form="dense")


def _head(wording: Wording, first: str) -> tuple[str, ...]:
    return tuple(wording.word(f"table.{name}") for name in (first, *_COUNTS))


def _rows(figures: Figures, found: Iterable[Place]) -> tuple[tuple[Cell, ...], ...]:
    return tuple(_row(figures, figures.wave, place, label) for place, label in found)


def _row(figures: Figures, wave: str, place: str, label: str) -> tuple[Cell, ...]:
    return (
        Cell((label,)),
        count_cell(figures, wave, RESPONSE, place, "n"),
        count_cell(figures, wave, RESPONSE, place, "population"),
        count_cell(figures, wave, RESPONSE, place, "estimate"),
    )

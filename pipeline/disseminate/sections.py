"""The sections after the indicators: benchmark, response, method, changes, definitions, symbols."""

from __future__ import annotations

from pipeline.disseminate.blocks import change_notes
from pipeline.disseminate.cells import count_cell, difference_cells, estimate_cell
from pipeline.disseminate.figures import Figures, place_of, symbol_text
from pipeline.disseminate.findings import reported
from pipeline.disseminate.model import Cell, Fact, Line, RowGroup, Section, Table
from pipeline.disseminate.panels import groups_charts, places
from pipeline.disseminate.wording import Wording
from pipeline.tables.flow import ALL, RESPONSE


def benchmark_section(figures: Figures, wording: Wording) -> Section | None:
    """Differences between groups and their references; none where no pair was released."""
    groups = []
    for indicator in reported(figures, wording):
        rows = tuple(
            _benchmark_row(figures, wording, indicator, pair)
            for pair in _pairs(figures, wording, indicator)
        )
        if rows:
            groups.append(RowGroup(wording.indicator_label(indicator), rows))
    if not groups:
        return None
    names = ("comparison", "group_value", "difference", "established")
    table = Table(
        wording.word("table.benchmark", wave=figures.wave),
        tuple(wording.word(f"table.{name}") for name in names),
        tuple(groups),
    )
    return Section(
        "benchmark",
        wording.word("section.benchmark"),
        paragraphs=(wording.say("benchmark.dependence"),),
        tables=(table,),
    )


def _pairs(figures: Figures, wording: Wording, indicator: str) -> list[tuple[str, str, str]]:
    order = {key: position for position, (key, _) in enumerate(wording.captions("group"))}
    last = len(order)
    return sorted(
        figures.comparisons(indicator),
        key=lambda pair: (order.get(place_of(*pair[:2]), last), pair),
    )


def _benchmark_row(
    figures: Figures, wording: Wording, indicator: str, pair: tuple[str, str, str]
) -> tuple[Cell, ...]:
    breakdown, group, reference = pair
    name = wording.word(
        "table.pair",
        group=wording.group_label(breakdown, group),
        reference=wording.group_label(breakdown, reference),
    )
    place = place_of(breakdown, group)
    return (
        Cell((name,)),
        estimate_cell(figures, wording, figures.wave, indicator, place),
        *difference_cells(figures, wording, indicator, place_of(*pair)),
    )


def response_section(figures: Figures, wording: Wording) -> Section | None:
    """Who answered, by group and by wave; none where the response was not released."""
    if not figures.has(figures.wave, RESPONSE, ALL, "estimate"):
        return None
    groups = tuple(
        RowGroup(
            title,
            tuple(
                _response_row(figures, wording, figures.wave, place, label)
                for place, label in group
            ),
        )
        for title, group in places(figures, wording, RESPONSE)
    )
    waves = tuple(_response_row(figures, wording, wave, ALL, wave) for wave in figures.waves)
    names = ("answered", "register", "rate")
    head = tuple(wording.word(f"table.{name}") for name in names)
    tables = (
        Table(
            wording.word("table.response_groups", wave=figures.wave),
            (wording.word("table.group"), *head),
            groups,
        ),
        Table(
            wording.word("table.response_waves"),
            (wording.word("table.wave"), *head),
            (RowGroup("", waves),),
        ),
    )
    message = wording.say("message.response_groups")
    return Section(
        "response",
        wording.word("section.response"),
        paragraphs=(wording.say("response.intro"),),
        charts=groups_charts(figures, wording, RESPONSE, message=message, table=tables[0].caption),
        tables=tables,
    )


def _response_row(
    figures: Figures, wording: Wording, wave: str, place: str, label: str
) -> tuple[Cell, ...]:
    return (
        Cell((label,)),
        count_cell(figures, wave, RESPONSE, place, "n"),
        count_cell(figures, wave, RESPONSE, place, "population"),
        estimate_cell(figures, wording, wave, RESPONSE, place),
    )


def method_section(wording: Wording) -> Section:
    """How the numbers came about and what they can bear."""
    names = ("weights", "interval", "test", "confidential", "rounding")
    return Section(
        "method",
        wording.word("section.method"),
        paragraphs=tuple(wording.say(f"method.{name}") for name in names),
    )


def changes_section(figures: Figures, wording: Wording) -> Section:
    """Breaks and changes between the waves, by indicator."""
    facts = []
    for indicator, label in wording.captions("indicator"):
        notes = change_notes(figures, wording, indicator)
        if notes:
            facts.append(_fact(label, *notes))
    nothing = () if facts else (wording.say("changes.none"),)
    return Section(
        "changes", wording.word("section.changes"), paragraphs=nothing, facts=tuple(facts)
    )


def definitions_section(figures: Figures, wording: Wording) -> Section:
    """What each indicator means, its unit, and the wording of the questions behind it."""
    facts = []
    for indicator in reported(figures, wording):
        texts = []
        if wording.has_caption("definition", indicator):
            texts.append(wording.caption("definition", indicator))
        texts.append(wording.word("definitions.unit", unit=wording.unit(indicator)))
        texts += [
            wording.word("definitions.question", item=item, text=text)
            for owner, item, text in (
                (*key.rsplit("/", 1), text) for key, text in wording.captions("question")
            )
            if owner == indicator
        ]
        facts.append(_fact(wording.indicator_label(indicator), *texts))
    return Section("definitions", wording.word("section.definitions"), facts=tuple(facts))


def symbols_section(wording: Wording) -> Section:
    """Every symbol and marker, explained."""
    facts = [_fact(symbol_text(s), wording.word(f"symbols.{s}")) for s in ("c", "x", "z", "u")]
    facts += [
        _fact(wording.word(f"verdict.change.{claim}").split()[0], wording.word(f"symbols.{claim}"))
        for claim in ("rise", "fall")
    ]
    return Section("symbols", wording.word("section.symbols"), facts=tuple(facts))


def imprint_section(wording: Wording) -> Section:
    """Publisher, source and population, and where the numbers are."""
    facts = [
        _fact(wording.word(f"report.{key}"), wording.caption("study", key))
        for key in ("publisher", "source", "population")
    ]
    return Section(
        "imprint",
        wording.word("section.imprint"),
        paragraphs=(wording.say("imprint.data"),),
        facts=tuple(facts),
    )


def _fact(term: str, *texts: str) -> Fact:
    lines: tuple[Line, ...] = tuple((text,) for text in texts)
    return Fact(term, lines)

"""The key findings and the table of key figures over all waves."""

from __future__ import annotations

from itertools import groupby

from pipeline.disseminate.cells import (
    change_cells,
    claim_of,
    ends_of,
    estimate_cell,
)
from pipeline.disseminate.figures import Figures
from pipeline.disseminate.model import Cell, Finding, Line, RowGroup, Section, Table
from pipeline.disseminate.wording import Wording
from pipeline.tables.flow import ALL

MOST_FINDINGS = 5
"""What fits on the first page, and what a reader keeps in mind."""
MOST_WAVES = 5
"""Waves side by side in one table; earlier ones get tables of their own."""


def reported(figures: Figures, wording: Wording) -> tuple[str, ...]:
    """Indicators that have a value or a symbol in the wave, in the order of printing."""
    return tuple(
        indicator
        for indicator, _ in wording.captions("indicator")
        if figures.has(figures.wave, indicator, ALL, "estimate")
    )


def waves_phrase(wording: Wording, waves: tuple[str, ...]) -> str:
    """One wave, or the first and the last of several."""
    if len(waves) == 1:
        return wording.word("word.wave", wave=waves[0])
    return wording.word("word.waves", first=waves[0], last=waves[-1])


def findings_section(figures: Figures, wording: Wording) -> Section:
    """At most five findings, what is established first, then in the order of the indicators."""
    shown = [
        indicator
        for indicator in reported(figures, wording)
        if figures.shows(figures.wave, indicator, ALL, "estimate")
    ]
    claims = {i: claim_of(figures, wording, figures.wave, i, ALL) for i in shown}
    rank = {"rise": 0, "fall": 0, "none": 1, "break": 2, "unknown": 2}
    chosen = sorted(shown, key=lambda indicator: rank[claims[indicator]])[:MOST_FINDINGS]
    intro = "intro" if figures.previous else "first"
    return Section(
        "findings",
        wording.word("section.findings"),
        paragraphs=(
            wording.say(f"findings.{intro if chosen else 'empty'}", previous=figures.previous),
        ),
        findings=tuple(_finding(figures, wording, indicator) for indicator in chosen),
    )


def _finding(figures: Figures, wording: Wording, indicator: str) -> Finding:
    where = (figures.wave, indicator, ALL)
    claim = claim_of(figures, wording, *where)
    compared = claim in {"rise", "fall", "none"}
    ends = ends_of(figures, *where, "change" if compared else "ci")
    interval: Line = ()
    if ends:
        interval = wording.say("findings.interval", range=wording.interval(*ends))
    change: Line = ()
    if compared:
        number = figures.number(*where, "change")
        change = wording.amount(number, wording.change_unit(indicator))
    return Finding(
        number=figures.number(*where, "estimate"),
        unit=wording.unit(indicator),
        label=wording.indicator_label(indicator),
        sentence=wording.say(
            f"findings.{claim}", previous=figures.previous, change=change, interval=interval
        ),
    )


def overview_section(figures: Figures, wording: Wording) -> Section:
    """Key figures of all firms: indicators by theme, waves side by side, the last change."""
    starts = range(len(figures.waves), 0, -MOST_WAVES)
    spans = [figures.waves[max(0, end - MOST_WAVES) : end] for end in starts]
    return Section(
        "overview",
        wording.word("section.overview"),
        paragraphs=(wording.say("table.note"),),
        tables=tuple(_overview_table(figures, wording, span) for span in spans),
    )


def _overview_table(figures: Figures, wording: Wording, waves: tuple[str, ...]) -> Table:
    head = [wording.word("table.indicator"), *waves]
    if figures.wave in waves:
        head += [wording.word("table.change"), wording.word("table.established")]
    groups = []
    by_theme = groupby(
        _ever_reported(figures, wording), lambda indicator: wording.caption("theme", indicator)
    )
    for theme, indicators in by_theme:
        rows = tuple(_overview_row(figures, wording, i, waves) for i in indicators)
        groups.append(RowGroup(theme, rows))
    with_change = figures.previous and figures.wave in waves
    caption = wording.word(
        "table.overview_change" if with_change else "table.overview",
        waves=waves_phrase(wording, waves),
        previous=figures.previous,
    )
    return Table(caption, tuple(head), tuple(groups))


def _ever_reported(figures: Figures, wording: Wording) -> list[str]:
    return [
        indicator
        for indicator, _ in wording.captions("indicator")
        if any(figures.has(wave, indicator, ALL, "estimate") for wave in figures.waves)
    ]


def _overview_row(
    figures: Figures, wording: Wording, indicator: str, waves: tuple[str, ...]
) -> tuple[Cell, ...]:
    name = Cell((wording.indicator_label(indicator),), (wording.unit(indicator),))
    values = [estimate_cell(figures, wording, wave, indicator, ALL) for wave in waves]
    changes: tuple[Cell, ...] = ()
    if figures.wave in waves:
        changes = change_cells(figures, wording, figures.wave, indicator, ALL)
    return (name, *values, *changes)

"""Breaks and changes between the waves: what was asked otherwise, and how it is compared."""

from __future__ import annotations

from pipeline.disseminate.cells import EVERYTHING
from pipeline.disseminate.figures import Figures
from pipeline.disseminate.model import Cell, RowGroup, Section, Table
from pipeline.disseminate.selection import ever_reported, ranking_of
from pipeline.disseminate.wording import Wording


def changes_section(figures: Figures, wording: Wording) -> Section:
    """Every change of the reported indicators by wave, the newest first, a row for each text."""
    groups = []
    for wave in reversed(figures.waves):
        rows = _rows(figures, wording, wave)
        if rows:
            groups.append(RowGroup(wording.word("report.wave", wave=wave), rows))
    title = wording.word("section.changes")
    if not groups:
        return Section("changes", title, paragraphs=(wording.say("changes.none"),))
    names = ("concerned", "what", "kind")
    table = Table(
        wording.word("table.changes"),
        tuple(wording.word(f"table.{name}") for name in names),
        tuple(groups),
        form="text",
    )
    return Section("changes", title, paragraphs=(wording.say("changes.intro"),), tables=(table,))


def _rows(figures: Figures, wording: Wording, wave: str) -> tuple[tuple[Cell, ...], ...]:
    """Indicators, text and kind; what concerns the whole questionnaire comes first."""
    known = (EVERYTHING, *ever_reported(figures, wording))
    found: dict[tuple[str, str], list[str]] = {}
    for key, text in wording.captions("change"):
        indicator, changed, kind = key.rsplit("/", 2)
        if changed == wave and indicator in known:
            found.setdefault((kind, text), []).append(indicator)
    order = sorted(found, key=lambda change: EVERYTHING not in found[change])
    return tuple(
        (
            Cell((_names(wording, found[kind, text]),)),
            Cell((text,)),
            Cell((wording.word(f"changes.{kind}"),)),
        )
        for kind, text in order
    )


def _names(wording: Wording, indicators: list[str]) -> str:
    """The names of indicators; a ranking of which all are concerned has its own."""
    if EVERYTHING in indicators:
        return wording.word("changes.everything")
    rankings: dict[str, list[str]] = {}
    for indicator, _ in wording.captions("indicator"):
        rankings.setdefault(ranking_of(wording, indicator), []).append(indicator)
    names = []
    for indicator in indicators:
        ranking = ranking_of(wording, indicator)
        whole = ranking and set(rankings[ranking]) <= set(indicators)
        names.append(
            wording.caption("ranking", ranking) if whole else wording.indicator_label(indicator)
        )
    return "; ".join(dict.fromkeys(names))

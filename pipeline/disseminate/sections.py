"""The sections that explain: method, definitions and questions, symbols, imprint."""

from __future__ import annotations

from pipeline.disseminate.figures import Figures, symbol_text
from pipeline.disseminate.model import Fact, Line, Section
from pipeline.disseminate.selection import ranking_of, reported
from pipeline.disseminate.wording import Wording

_METHOD = (
    "weights",
    "references",
    "census",
    "representativity",
    "interval",
    "grades",
    "test",
    "trend",
    "pooled",
    "adjusted",
    "confidential",
    "rounding",
)
_STATISTIC = {
    "representativity": "partial",
    "trend": "trend",
    "pooled": "pooled",
    "adjusted": "adjusted",
}
"""What a fact of the method explains; it is left out where the wave has none of it."""
_LEVELS = ("A", "B", "C")


def method_section(figures: Figures, wording: Wording) -> Section:
    """How the numbers came about and what they can bear."""
    absent = {name for name, of in _STATISTIC.items() if of not in figures.statistics}
    if not wording.captions("benchmark"):
        absent.add("references")
    if not wording.captions("quality"):
        absent.add("grades")
    names = [name for name in _METHOD if name not in absent]
    return Section(
        "method",
        wording.word("section.method"),
        facts=tuple(
            Fact(wording.word(f"method_title.{name}"), (wording.say(f"method.{name}"),))
            for name in names
        ),
    )


def definitions_section(figures: Figures, wording: Wording) -> Section:
    """What each indicator means, its unit, and the wording of the questions behind it."""
    indicators: dict[str, list[str]] = {}
    for indicator in reported(figures, wording):
        ranking = ranking_of(wording, indicator)
        title = (
            wording.caption("ranking", ranking) if ranking else wording.indicator_label(indicator)
        )
        indicators.setdefault(title, []).append(indicator)
    questions = _questions(wording)
    return Section(
        "definitions",
        wording.word("section.definitions"),
        facts=tuple(
            _fact(title, *_definition(wording, found, questions))
            for title, found in indicators.items()
        ),
    )


def _questions(wording: Wording) -> dict[str, list[str]]:
    """Questions with their wording, by indicator."""
    found: dict[str, list[str]] = {}
    for key, text in wording.captions("question"):
        indicator, item = key.rsplit("/", 1)
        line = wording.word("definitions.question", item=item, text=text)
        found.setdefault(indicator, []).append(line)
    return found


def _definition(
    wording: Wording, indicators: list[str], questions: dict[str, list[str]]
) -> tuple[str, ...]:
    """Definitions, unit and questions of one indicator or of those of a ranking, each once."""
    texts = [
        wording.caption("definition", indicator)
        for indicator in indicators
        if wording.has_caption("definition", indicator)
    ]
    texts += [wording.word("definitions.unit", unit=wording.unit(i)) for i in indicators]
    texts += [line for indicator in indicators for line in questions.get(indicator, ())]
    return tuple(dict.fromkeys(texts))


def symbols_section(wording: Wording) -> Section:
    """Every symbol and marker, explained."""
    facts = [_fact(symbol_text(s), wording.word(f"symbols.{s}")) for s in ("c", "x", "z", "u")]
    facts += [
        _fact(wording.word(f"verdict.change.{claim}").split()[0], wording.word(f"symbols.{claim}"))
        for claim in ("rise", "fall")
    ]
    facts += _grades(wording)
    return Section("symbols", wording.word("section.symbols"), facts=tuple(facts))


def _grades(wording: Wording) -> list[Fact]:
    """The grades with the study's limits."""
    if not wording.captions("quality"):
        return []
    points, percent = (wording.limits(name) for name in ("points", "percent"))
    return [
        _fact(
            wording.word("symbols.grade", letter=letter),
            wording.word(f"symbols.{letter}", points=widest, percent=most),
        )
        for letter, widest, most in zip(_LEVELS, points, percent, strict=True)
    ]


def imprint_section(figures: Figures, wording: Wording) -> Section:
    """Publisher, source and population, how to cite, and where the numbers are."""
    facts = [
        _fact(wording.word(f"report.{key}"), wording.caption("study", key))
        for key in ("publisher", "source", "population")
    ]
    citation = wording.word(
        "imprint.citation",
        publisher=wording.caption("study", "publisher"),
        title=wording.caption("study", "title"),
        kind=wording.word("report.kind"),
        wave=wording.word("report.wave", wave=figures.wave),
    )
    return Section(
        "imprint",
        wording.word("section.imprint"),
        paragraphs=(wording.say("imprint.data"),),
        facts=(*facts, _fact(wording.word("imprint.cite"), citation)),
    )


def _fact(term: str, *texts: str) -> Fact:
    lines: tuple[Line, ...] = tuple((text,) for text in texts)
    return Fact(term, lines)

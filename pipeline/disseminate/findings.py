"""The key findings: what changed, what stands at the top, and how the firms compare."""

from __future__ import annotations

from pipeline.disseminate.benchmarks import home_pair
from pipeline.disseminate.cells import claim_of, ends_of
from pipeline.disseminate.figures import Figures, place_of
from pipeline.disseminate.model import Fact, Finding, Line, Section
from pipeline.disseminate.selection import ranked, reported, unranked
from pipeline.disseminate.wording import Wording
from pipeline.tables.flow import ALL

MOST_FINDINGS = 5
"""Changes that fit on the first page, and that a reader keeps in mind."""
MOST_NAMES = 4
"""Indicators that a comparison names."""


def findings_section(figures: Figures, wording: Wording) -> Section:
    """At most five values, what is established first, the top of each ranking, and benchmarks."""
    shown = [
        indicator
        for indicator in unranked(wording, reported(figures, wording))
        if figures.shows(figures.wave, indicator, ALL, "estimate")
    ]
    claims = {i: claim_of(figures, wording, figures.wave, i, ALL) for i in shown}
    rank = {"rise": 0, "fall": 0, "none": 1, "break": 2, "new": 2, "unknown": 2}
    chosen = sorted(shown, key=lambda indicator: rank[claims[indicator]])[:MOST_FINDINGS]
    tops = _tops(figures, wording)
    intro = "intro" if figures.previous else "first"
    return Section(
        "findings",
        wording.word("section.findings"),
        paragraphs=(
            wording.say(
                f"findings.{intro if chosen or tops else 'empty'}", previous=figures.previous
            ),
        ),
        findings=(*(_finding(figures, wording, indicator) for indicator in chosen), *tops),
        facts=_comparisons(figures, wording),
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


def _tops(figures: Figures, wording: Wording) -> tuple[Finding, ...]:
    """The highest value of each ranking, as far as there is one."""
    tops = []
    for ranking, title in wording.captions("ranking"):
        first = next(iter(ranked(figures, wording, ranking)), "")
        if not first or not figures.shows(figures.wave, first, ALL, "estimate"):
            continue
        ends = ends_of(figures, figures.wave, first, ALL, "ci")
        interval: Line = ()
        if ends:
            interval = wording.say("findings.interval", range=wording.interval(*ends))
        label = wording.indicator_label(first)
        tops.append(
            Finding(
                number=figures.number(figures.wave, first, ALL, "estimate"),
                unit=wording.unit(first),
                label=title,
                sentence=wording.say("findings.top", label=label, interval=interval),
            )
        )
    return tuple(tops)


def _comparisons(figures: Figures, wording: Wording) -> tuple[Fact, ...]:
    """What differs between the target population and each of its references."""
    facts = []
    for benchmark, title in wording.captions("benchmark"):
        pair = home_pair(figures, wording, benchmark)
        if not pair:
            continue
        found: dict[str, list[str]] = {"rise": [], "fall": []}
        for indicator in unranked(wording, reported(figures, wording)):
            verdict = figures.verdict(figures.wave, indicator, place_of(*pair), "difference")
            if verdict in found:
                found[verdict].append(wording.indicator_label(indicator))
        texts = tuple(
            wording.say(f"findings.reference_{verdict}", labels=_names(wording, labels))
            for verdict, labels in found.items()
            if labels
        )
        facts.append(Fact(title, texts or (wording.say("findings.reference_none"),)))
    return tuple(facts)


def _names(wording: Wording, labels: list[str]) -> str:
    named = "; ".join(labels[:MOST_NAMES])
    return named if len(labels) <= MOST_NAMES else wording.word("message.more", pairs=named)

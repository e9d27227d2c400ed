"""The key findings: what changed, what stands at the top, and how the firms compare."""

from __future__ import annotations

import sys

from pipeline.disseminate.benchmark_charts import established
from pipeline.disseminate.benchmarks import home_pair
from pipeline.disseminate.cells import claim_of, ends_of
from pipeline.disseminate.figures import Comparison, Figures
from pipeline.disseminate.model import Fact, Finding, Line, Section
from pipeline.disseminate.selection import ranked, reported, unranked
from pipeline.disseminate.wording import Wording
from pipeline.tables.flow import ALL

MOST_FINDINGS = 5
"""Changes that fit on the first page, and that a reader keeps in mind."""
MOST_NAMES = 4
"""Indicators that a comparison names."""


def findings_section(figures: Figures, wording: Wording) -> Section:
    """At most five values, the top of each ranking, and benchmarks.

    First come established changes, then established trends.
    """
    shown = [
        indicator
        for indicator in unranked(wording, reported(figures, wording))
        if figures.shows(figures.wave, indicator, ALL, "estimate")
    ]
    chosen = sorted(shown, key=lambda i: _order(figures, wording, i))[:MOST_FINDINGS]
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


def _order(figures: Figures, wording: Wording, indicator: str) -> tuple[int, float]:
    """Established changes, established trends, the rest; of a kind the clearest first."""
    where = (figures.wave, indicator, ALL)
    claim = claim_of(figures, wording, *where)
    if claim in {"rise", "fall"}:
        return 0, -_clearness(figures, where, "change")
    if figures.verdict(*where, "trend") in {"rise", "fall"}:
        return 1, -_clearness(figures, where, "trend")
    return 2 if claim == "none" else 3, 0.0


def _clearness(figures: Figures, where: tuple[str, str, str], kind: Comparison) -> float:
    """How many half-widths of its interval a comparison is away from zero."""
    value, low, high = (
        float(figures.number(*where, f"{kind}{end}").value) for end in ("", "_low", "_high")
    )
    return abs(value) / max((high - low) / 2, sys.float_info.epsilon)


def _finding(figures: Figures, wording: Wording, indicator: str) -> Finding:
    return Finding(
        number=figures.number(figures.wave, indicator, ALL, "estimate"),
        unit=wording.unit(indicator),
        label=wording.indicator_label(indicator),
        sentence=_sentence(figures, wording, indicator),
    )


def _sentence(figures: Figures, wording: Wording, indicator: str) -> Line:
    """The change, or the trend where that is established and the change is not."""
    where = (figures.wave, indicator, ALL)
    claim = claim_of(figures, wording, *where)
    trend = figures.verdict(*where, "trend")
    words = {"previous": figures.previous}
    if claim not in {"rise", "fall"} and trend in {"rise", "fall"}:
        amount, interval = _amount(figures, wording, where, "trend")
        return wording.say(f"findings.trend_{trend}", trend=amount, interval=interval, **words)
    if claim in {"rise", "fall", "none"}:
        amount, interval = _amount(figures, wording, where, "change")
        return wording.say(f"findings.{claim}", change=amount, interval=interval, **words)
    return wording.say(
        f"findings.{claim}", interval=_interval(figures, wording, where, "ci"), **words
    )


def _amount(
    figures: Figures, wording: Wording, where: tuple[str, str, str], kind: Comparison
) -> tuple[Line, Line]:
    """A comparison with its unit, and its interval."""
    amount = wording.amount(figures.number(*where, kind), wording.change_unit(where[1]))
    return amount, _interval(figures, wording, where, kind)


def _interval(figures: Figures, wording: Wording, where: tuple[str, str, str], kind: str) -> Line:
    ends = ends_of(figures, *where, kind)
    return wording.say("findings.interval", range=wording.interval(*ends)) if ends else ()


def _tops(figures: Figures, wording: Wording) -> tuple[Finding, ...]:
    """The highest value of each ranking, as far as there is one."""
    tops = []
    for ranking, title in wording.captions("ranking"):
        first = next(iter(ranked(figures, wording, ranking)), "")
        if not first or not figures.shows(figures.wave, first, ALL, "estimate"):
            continue
        interval = _interval(figures, wording, (figures.wave, first, ALL), "ci")
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
        columns = wording.adjusted_by(pair[0])
        found = established(figures, wording, pair, unranked(wording, reported(figures, wording)))
        texts = []
        for kind, labels in found.items():
            text = wording.say(f"findings.{kind}", columns=columns)
            for direction, names in labels.items():
                text += wording.say(f"findings.{direction}", labels=_names(wording, names))
            texts.append(text)
        kind = "adjusted" if figures.is_adjusted(pair) else "difference"
        nothing = wording.say(f"findings.{kind}_none", columns=columns)
        facts.append(Fact(title, tuple(texts) or (nothing,)))
    return tuple(facts)


def _names(wording: Wording, labels: list[str]) -> str:
    named = "; ".join(labels[:MOST_NAMES])
    return named if len(labels) <= MOST_NAMES else wording.word("message.more", pairs=named)

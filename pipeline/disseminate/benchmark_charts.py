"""The charts at the head of a benchmark: every indicator here and there, by unit."""

from __future__ import annotations

from dataclasses import replace

from pipeline.disseminate.cells import point_of
from pipeline.disseminate.figures import Figures, Pair, place_of
from pipeline.disseminate.model import Chart, Line, Point, PointGroup
from pipeline.disseminate.wording import Wording

LEAST_INDICATORS = 2
"""With a common unit, for a chart of them to be worth its axis."""
MOST_NAMES = 2
"""Indicators that the title names for each direction."""


def pair_name(wording: Wording, pair: Pair) -> str:
    """A group and its reference."""
    breakdown, group, reference = pair
    return wording.word(
        "table.pair",
        group=wording.group_label(breakdown, group),
        reference=wording.group_label(breakdown, reference),
    )


def benchmark_charts(
    figures: Figures, wording: Wording, pair: Pair, indicators: tuple[str, ...], *, name: str
) -> tuple[Chart, ...]:
    """A chart for every unit that several indicators have; all per cent are one unit."""
    units: dict[str, list[str]] = {}
    for indicator in indicators:
        place = place_of(pair[0], pair[1])
        if figures.shows(figures.wave, indicator, place, "estimate"):
            unit = wording.unit(indicator)
            units.setdefault("%" if unit.startswith("%") else unit, []).append(indicator)
    return tuple(
        _chart(figures, wording, pair, tuple(found), name=(f"{name}-{position}", unit))
        for position, (unit, found) in enumerate(units.items())
        if len(found) >= LEAST_INDICATORS
    )


def _chart(
    figures: Figures,
    wording: Wording,
    pair: Pair,
    indicators: tuple[str, ...],
    *,
    name: tuple[str, str],
) -> Chart:
    chart_id, unit = name
    message = _message(figures, wording, pair, indicators)
    return Chart(
        chart_id=chart_id,
        kind="pairs",
        message=(message,),
        subtitle=wording.say("subtitle.pairs", unit=unit, wave=figures.wave),
        alt=wording.word(
            "alt.pairs",
            label=pair_name(wording, pair),
            unit=unit,
            wave=figures.wave,
            message=message,
        ),
        groups=(PointGroup("", tuple(_point(figures, wording, i, pair) for i in indicators)),),
        legend=tuple(wording.group_label(pair[0], group) for group in pair[1:]),
    )


def _point(figures: Figures, wording: Wording, indicator: str, pair: Pair) -> Point:
    """The value here and there, and the difference with a sign where it is established."""
    breakdown, group, reference = pair
    label = wording.indicator_label(indicator)
    here, there = (
        point_of(figures, figures.wave, indicator, place_of(breakdown, code), label=label)
        for code in (group, reference)
    )
    where = (figures.wave, indicator, place_of(*pair))
    difference = figures.number(*where, "difference")
    note: Line = (difference,)
    if difference.value:
        verdict = figures.verdict(*where, "difference")
        note = wording.say(f"sign.{verdict}", number=difference)
    return replace(here, other=there, note=note)


def established(
    figures: Figures, wording: Wording, pair: Pair, indicators: tuple[str, ...]
) -> dict[str, dict[str, list[str]]]:
    """Labels of the indicators that are established as `higher` or `lower`, by what was compared.

    `adjusted`: at the same composition; `raw`: those that could not be compared so; `difference`:
    those of a pair that is never compared so.
    """
    otherwise = "raw" if figures.is_adjusted(pair) else "difference"
    found: dict[str, dict[str, list[str]]] = {"adjusted": {}, otherwise: {}}
    for verdict, direction in (("rise", "higher"), ("fall", "lower")):
        for indicator in indicators:
            place = place_of(*pair)
            kind = figures.decisive(indicator, place)
            if figures.verdict(figures.wave, indicator, place, kind) == verdict:
                named = found[kind if kind == "adjusted" else otherwise]
                named.setdefault(direction, []).append(wording.indicator_label(indicator))
    return {kind: labels for kind, labels in found.items() if labels}


def _message(figures: Figures, wording: Wording, pair: Pair, indicators: tuple[str, ...]) -> str:
    """Which indicators differ, as far as it is established."""
    parts = []
    for kind, found in established(figures, wording, pair, indicators).items():
        for direction, labels in found.items():
            named = "; ".join(labels[:MOST_NAMES])
            if len(labels) > MOST_NAMES:
                named = wording.word("message.more", pairs=named)
            parts.append(wording.word(f"message.{kind}_{direction}", labels=named))
    kind = "adjusted" if figures.is_adjusted(pair) else "difference"
    return ". ".join(parts) or wording.word(f"message.{kind}_none")

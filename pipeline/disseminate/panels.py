"""What the charts of an indicator show and say: the course over the waves, and the groups."""

from __future__ import annotations

from pipeline.disseminate.cells import breaks_at, claim_of, point_of
from pipeline.disseminate.figures import Figures, place_of
from pipeline.disseminate.model import Chart, Line, PointGroup
from pipeline.disseminate.selection import waves_phrase
from pipeline.disseminate.wording import Wording
from pipeline.tables.flow import ALL, RESPONSE

MOST_PAIRS = 2
"""Differences that the title of a chart names."""
Place = tuple[str, str]
"""The part of the number ids that names the group, and the label of the group."""


def places(figures: Figures, wording: Wording, indicator: str) -> list[tuple[str, list[Place]]]:
    """Everybody, then the target's groups of each breakdown that have numbers in the wave."""
    found: list[tuple[str, list[Place]]] = [("", [(ALL, wording.group_label(ALL, ALL))])]
    for breakdown, title in wording.breakdowns.items():
        if figures.is_outside(breakdown, ALL):
            continue
        named = [(place_of(breakdown, group), text) for group, text in wording.groups[breakdown]]
        groups = [
            (place, text)
            for place, text in named
            if figures.has(figures.wave, indicator, place, "estimate")
        ]
        if groups:
            found.append((title, groups))
    return found


def trend_charts(
    figures: Figures, wording: Wording, indicator: str, table: str
) -> tuple[Chart, ...]:
    """The chart over the waves; none where fewer than two waves have a value."""
    waves = [w for w in figures.waves if figures.has(w, indicator, ALL, "estimate")]
    if sum(figures.shows(w, indicator, ALL, "estimate") for w in waves) < 2:
        return ()
    points = tuple(
        point_of(
            figures,
            wave,
            indicator,
            ALL,
            label=wave,
            breaks=wave != waves[0] and breaks_at(figures, wording, wave, indicator),
        )
        for wave in waves
    )
    span = waves_phrase(wording, tuple(waves))
    return (
        Chart(
            chart_id=f"trend-{indicator}",
            kind="trend",
            message=_message(figures, wording, indicator),
            subtitle=_trend_subtitle(
                figures, wording, indicator, span, breaks=any(p.breaks for p in points)
            ),
            alt=wording.word(
                "alt.trend",
                label=wording.indicator_label(indicator),
                waves=span,
                message=_message_words(figures, wording, indicator),
                table=table,
            ),
            groups=(PointGroup("", points),),
        ),
    )


def _message(figures: Figures, wording: Wording, indicator: str) -> Line:
    number = figures.number(figures.wave, indicator, ALL, "estimate")
    claim = claim_of(figures, wording, figures.wave, indicator, ALL) if number.value else "hidden"
    return wording.say(
        f"message.{claim}",
        amount=wording.amount(number, wording.unit(indicator)),
        previous=figures.previous,
        wave=figures.wave,
    )


def _message_words(figures: Figures, wording: Wording, indicator: str) -> str:
    claim = claim_of(figures, wording, figures.wave, indicator, ALL)
    return wording.word(f"alt.{claim}", previous=figures.previous)


def _trend_subtitle(
    figures: Figures, wording: Wording, indicator: str, span: str, *, breaks: bool
) -> Line:
    n: Line = ()
    if figures.shows(figures.wave, indicator, ALL, "n"):
        number = figures.number(figures.wave, indicator, ALL, "n")
        n = wording.say("subtitle.n", n=number, wave=figures.wave)
    return wording.say(
        "subtitle.trend",
        place=wording.group_label(ALL, ALL),
        unit=wording.unit(indicator),
        waves=span,
        breaks=wording.say("subtitle.breaks") if breaks else (),
        n=n,
    )


def groups_charts(
    figures: Figures, wording: Wording, indicator: str, *, message: Line, table: str
) -> tuple[Chart, ...]:
    """The chart of the groups in the wave; none where no group has a value."""
    found = places(figures, wording, indicator)
    shown = [
        figures.shows(figures.wave, indicator, place, "estimate")
        for _, group in found
        for place, _ in group
    ]
    if not any(shown[1:]):
        return ()
    everybody = wording.group_label(ALL, ALL)
    phrase = "subtitle.response_groups" if indicator == RESPONSE else "subtitle.groups"
    return (
        Chart(
            chart_id=f"groups-{indicator}",
            kind="groups",
            message=message,
            subtitle=wording.say(
                phrase, unit=wording.unit(indicator), wave=figures.wave, everybody=everybody
            ),
            alt=wording.word(
                "alt.groups",
                label=wording.indicator_label(indicator),
                wave=figures.wave,
                message="".join(part for part in message if isinstance(part, str)),
                table=table,
            ),
            groups=tuple(
                PointGroup(
                    title,
                    tuple(
                        point_of(figures, figures.wave, indicator, place, label=label)
                        for place, label in group
                    ),
                )
                for title, group in found
            ),
        ),
    )


def groups_message(figures: Figures, wording: Wording, indicator: str) -> Line:
    """Which groups of the target differ, as far as it is established."""
    pairs: dict[str, list[str]] = {"adjusted": [], "difference": []}
    tested = 0
    for breakdown, group, reference in figures.comparisons(indicator):
        if figures.is_outside(breakdown, group) or figures.is_outside(breakdown, reference):
            continue
        place = place_of(breakdown, group, reference)
        kind = figures.decisive(indicator, place)
        verdict = figures.verdict(figures.wave, indicator, place, kind)
        tested += verdict != "unknown"
        if verdict in {"rise", "fall"}:
            pairs[kind].append(
                wording.word(
                    f"message.pair_{verdict}",
                    group=wording.group_label(breakdown, group),
                    reference=wording.group_label(breakdown, reference),
                )
            )
    parts = []
    for name, found in pairs.items():
        named = "; ".join(found[:MOST_PAIRS])
        if len(found) > MOST_PAIRS:
            named = wording.word("message.more", pairs=named)
        if found:
            parts.append(wording.word(f"message.{name}_pairs", pairs=named))
    if parts:
        return (". ".join(parts),)
    return wording.say("message.same" if tested else "message.untested")

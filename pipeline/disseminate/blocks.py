"""One block per indicator: the course over the waves and the groups, as charts and as tables."""

from __future__ import annotations

from pipeline.disseminate.cells import (
    change_cells,
    claim_of,
    count_cell,
    estimate_cell,
    point_of,
)
from pipeline.disseminate.figures import RESPONSE, Figures, place_of
from pipeline.disseminate.findings import reported, waves_phrase
from pipeline.disseminate.model import (
    Block,
    Cell,
    Chart,
    Line,
    PointGroup,
    RowGroup,
    Section,
    Table,
)
from pipeline.disseminate.wording import Wording
from pipeline.tables.flow import ALL

MOST_PAIRS = 2
"""Differences that the title of a chart names."""
Place = tuple[str, str, str]
"""The part of the number ids that names the group, and its breakdown and label."""


def indicators_section(figures: Figures, wording: Wording) -> Section:
    """Every indicator of the wave."""
    return Section(
        "indicators",
        wording.word("section.indicators"),
        paragraphs=(wording.say("table.note"),),
        blocks=tuple(
            _block(figures, wording, indicator) for indicator in reported(figures, wording)
        ),
    )


def _block(figures: Figures, wording: Wording, indicator: str) -> Block:
    label = wording.indicator_label(indicator)
    tables = [waves_table(figures, wording, indicator)]
    charts = trend_charts(figures, wording, indicator, tables[0].caption)
    if len(places(figures, wording, indicator)) > 1:
        tables.append(_groups_table(figures, wording, indicator))
        charts += groups_charts(
            figures,
            wording,
            indicator,
            message=_groups_message(figures, wording, indicator),
            table=tables[1].caption,
        )
    notes = [wording.word(f"better.{wording.caption('better', indicator)}")]
    notes += change_notes(figures, wording, indicator)
    return Block(wording.caption("theme", indicator), label, tuple(notes), charts, tuple(tables))


def change_notes(figures: Figures, wording: Wording, indicator: str) -> list[str]:
    """What changed between the waves of an indicator and how it is compared, a sentence each."""
    notes = []
    for key, text in wording.captions("change"):
        found, wave, kind = key.rsplit("/", 2)
        if found == indicator and wave in figures.waves:
            phrase = wording.word(f"changes.{kind}")
            notes.append(wording.word("changes.line", wave=wave, kind=phrase, text=text))
    return notes


def places(figures: Figures, wording: Wording, indicator: str) -> list[tuple[str, list[Place]]]:
    """Everybody, then the groups of each breakdown that have numbers in the wave, by breakdown."""
    found: list[tuple[str, list[Place]]] = [("", [(ALL, ALL, wording.group_label(ALL, ALL))])]
    for breakdown, title in wording.captions("breakdown"):
        if breakdown == ALL:
            continue
        groups = [
            (place, breakdown, text)
            for place, text in wording.captions("group")
            if place.startswith(f"{breakdown}=")
            and figures.has(figures.wave, indicator, place, "estimate")
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
            breaks=wording.has_caption("change", f"{indicator}/{wave}/break"),
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
        for place, *_ in group
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
                        for place, _, label in group
                    ),
                )
                for title, group in found
            ),
        ),
    )


def _groups_message(figures: Figures, wording: Wording, indicator: str) -> Line:
    pairs = []
    tested = 0
    for breakdown, group, reference in figures.comparisons(indicator):
        place = place_of(breakdown, group, reference)
        verdict = figures.verdict(figures.wave, indicator, place, "difference")
        tested += verdict != "unknown"
        if verdict in {"rise", "fall"}:
            pairs.append(
                wording.word(
                    f"message.pair_{verdict}",
                    group=wording.group_label(breakdown, group),
                    reference=wording.group_label(breakdown, reference),
                )
            )
    if pairs:
        named = "; ".join(pairs[:MOST_PAIRS])
        if len(pairs) > MOST_PAIRS:
            named = wording.word("message.more", pairs=named)
        return wording.say("message.differs", pairs=named)
    return wording.say("message.same" if tested else "message.untested")


def waves_table(figures: Figures, wording: Wording, indicator: str) -> Table:
    """An indicator over the waves: value, firms behind it, change on the wave before."""
    rows = tuple(
        (
            Cell((wave,)),
            estimate_cell(figures, wording, wave, indicator, ALL),
            count_cell(figures, wave, indicator, ALL, "n"),
            *change_cells(figures, wording, wave, indicator, ALL),
        )
        for wave in figures.waves
    )
    names = ("wave", "value", "n", "change", "established")
    return Table(
        wording.word("table.waves", label=wording.indicator_label(indicator)),
        tuple(wording.word(f"table.{name}") for name in names),
        (RowGroup("", rows),),
    )


def _groups_table(figures: Figures, wording: Wording, indicator: str) -> Table:
    wave = figures.wave
    groups = tuple(
        RowGroup(
            title,
            tuple(
                (
                    Cell((label,)),
                    estimate_cell(figures, wording, wave, indicator, place),
                    count_cell(figures, wave, indicator, place, "n"),
                    *change_cells(figures, wording, wave, indicator, place),
                )
                for place, _, label in group
            ),
        )
        for title, group in places(figures, wording, indicator)
    )
    names = ("group", "value", "n", "change", "established")
    return Table(
        wording.word("table.groups", label=wording.indicator_label(indicator), wave=wave),
        tuple(wording.word(f"table.{name}") for name in names),
        groups,
    )

"""Rankings: indicators that are read against each other, sorted by their value in the wave."""

from __future__ import annotations

from dataclasses import replace

from pipeline.disseminate.cells import change_cells, claim_of, count_cell, estimate_cell, point_of
from pipeline.disseminate.figures import Figures
from pipeline.disseminate.model import (
    Block,
    Cell,
    Chart,
    Line,
    Point,
    PointGroup,
    RowGroup,
    Section,
    Table,
)
from pipeline.disseminate.overview import spans
from pipeline.disseminate.selection import ranked, waves_phrase
from pipeline.disseminate.wording import Wording
from pipeline.tables.flow import ALL

MOST_NAMES = 2
"""Indicators that the title names for each direction of change."""


def rankings_section(figures: Figures, wording: Wording) -> Section | None:
    """Every ranking of the wave; none where there is none."""
    blocks = []
    for ranking, title in wording.captions("ranking"):
        indicators = ranked(figures, wording, ranking)
        if indicators:
            blocks.append(_block(figures, wording, ranking, title, indicators=indicators))
    if not blocks:
        return None
    return Section(
        "rankings",
        wording.word("section.rankings"),
        paragraphs=(wording.say("rankings.intro"),),
        blocks=tuple(blocks),
    )


def _block(
    figures: Figures, wording: Wording, ranking: str, title: str, *, indicators: tuple[str, ...]
) -> Block:
    table = _table(figures, wording, title, indicators)
    tops = [i for i in indicators if figures.shows(figures.wave, i, ALL, "estimate")]
    charts: tuple[Chart, ...] = ()
    if tops:
        charts = (_chart(figures, wording, ranking, indicators, caption=table.caption),)
    return Block(
        block_id=f"ranking-{ranking}",
        kicker="",
        title=title,
        notes=tuple(
            dict.fromkeys(
                wording.word(f"better.{wording.caption('better', indicator)}")
                for indicator in indicators
            )
        ),
        charts=charts,
        beside=tuple(
            _waves_table(figures, wording, title, indicators, span) for span in spans(figures)
        ),
        tables=(table,),
    )


def _chart(
    figures: Figures, wording: Wording, ranking: str, indicators: tuple[str, ...], *, caption: str
) -> Chart:
    unit = wording.unit(indicators[0])
    message = _message(figures, wording, indicators)
    points = tuple(_point(figures, wording, indicator) for indicator in indicators)
    legend: tuple[str, ...] = (wording.word("legend.wave", wave=figures.wave),)
    if any(point.other for point in points):
        legend += (wording.word("legend.previous", wave=figures.previous),)
    return Chart(
        chart_id=f"ranking-{ranking}",
        kind="ranking",
        message=message,
        subtitle=wording.say(
            "subtitle.ranking",
            place=wording.group_label(ALL, ALL),
            unit=unit,
            wave=figures.wave,
        ),
        alt=wording.word(
            "alt.ranking",
            label=wording.caption("ranking", ranking),
            wave=figures.wave,
            order="; ".join(wording.indicator_label(indicator) for indicator in indicators),
            table=caption,
        ),
        groups=(PointGroup("", points),),
        legend=legend,
    )


def _point(figures: Figures, wording: Wording, indicator: str) -> Point:
    """A mark with that of the wave before, and the change with a sign where it is established."""
    claim = claim_of(figures, wording, figures.wave, indicator, ALL)
    label = wording.indicator_label(indicator)
    point = point_of(figures, figures.wave, indicator, ALL, label=label)
    comparable = claim not in {"break", "new"} and point.value.value
    before = (figures.previous, indicator, ALL)
    if comparable and figures.previous and figures.shows(*before, "estimate"):
        point = replace(point, other=point_of(figures, *before, label=label))
    return replace(point, note=_note(figures, wording, indicator, claim))


def _note(figures: Figures, wording: Wording, indicator: str, claim: str) -> Line:
    if claim == "new":
        return wording.say("rankings.new")
    if not figures.shows(figures.wave, indicator, ALL, "change"):
        return ()
    number = figures.number(figures.wave, indicator, ALL, "change")
    return wording.say(f"sign.{claim}", number=number)


def _message(figures: Figures, wording: Wording, indicators: tuple[str, ...]) -> Line:
    """Which value is the highest, and what has changed as far as it is established."""
    first = figures.number(figures.wave, indicators[0], ALL, "estimate")
    changed: dict[str, list[str]] = {"rise": [], "fall": []}
    for indicator in indicators:
        claim = claim_of(figures, wording, figures.wave, indicator, ALL)
        if claim in changed:
            changed[claim].append(wording.indicator_label(indicator))
    changes: Line = ()
    for direction, labels in changed.items():
        if labels:
            named = "; ".join(labels[:MOST_NAMES])
            if len(labels) > MOST_NAMES:
                named = wording.word("message.more", pairs=named)
            changes += wording.say(f"message.ranking_{direction}", labels=named)
    return wording.say(
        "message.ranking",
        label=wording.indicator_label(indicators[0]),
        amount=wording.amount(first, wording.unit(indicators[0])),
        changes=changes,
    )


def _table(figures: Figures, wording: Wording, title: str, indicators: tuple[str, ...]) -> Table:
    wave = figures.wave
    rows = tuple(
        (
            Cell((wording.indicator_label(indicator),)),
            estimate_cell(figures, wording, wave, indicator, ALL),
            count_cell(figures, wave, indicator, ALL, "n"),
            *change_cells(figures, wording, wave, indicator, ALL),
        )
        for indicator in indicators
    )
    names = ("indicator", "value", "n", "change", "established")
    return Table(
        wording.word("table.ranking", label=title, wave=wave),
        tuple(wording.word(f"table.{name}") for name in names),
        (RowGroup("", rows),),
        form="dense",
    )


def _waves_table(
    figures: Figures,
    wording: Wording,
    title: str,
    indicators: tuple[str, ...],
    waves: tuple[str, ...],
) -> Table:
    rows = tuple(
        (
            Cell((wording.indicator_label(indicator),)),
            *(estimate_cell(figures, wording, wave, indicator, ALL) for wave in waves),
        )
        for indicator in indicators
    )
    return Table(
        wording.word("table.ranking_waves", label=title, waves=waves_phrase(wording, waves)),
        (wording.word("table.indicator"), *waves),
        (RowGroup("", rows),),
        form="narrow",
    )

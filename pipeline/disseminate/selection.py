"""Which indicators stand where: those with numbers, ranked ones apart, and the waves they span."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.disseminate.figures import Figures
from pipeline.disseminate.wording import Wording
from pipeline.tables.flow import ALL


def reported(figures: Figures, wording: Wording) -> tuple[str, ...]:
    """Indicators that have a value or a symbol in the wave, in the order of printing."""
    return tuple(
        indicator
        for indicator, _ in wording.captions("indicator")
        if figures.has(figures.wave, indicator, ALL, "estimate")
    )


def ever_reported(figures: Figures, wording: Wording) -> tuple[str, ...]:
    """Indicators that have a value or a symbol in any wave, in the order of printing."""
    return tuple(
        indicator
        for indicator, _ in wording.captions("indicator")
        if any(figures.has(wave, indicator, ALL, "estimate") for wave in figures.waves)
    )


def unranked(wording: Wording, indicators: Iterable[str]) -> tuple[str, ...]:
    """Those of some indicators that are not ranked with others."""
    return tuple(i for i in indicators if not wording.has_caption("ranked", i))


def ranked(figures: Figures, wording: Wording, ranking: str) -> tuple[str, ...]:
    """Indicators of a ranking in the wave, by value from the top, those without a value last."""
    found = [i for i in reported(figures, wording) if ranking_of(wording, i) == ranking]
    values = {}
    for indicator in found:
        number = figures.number(figures.wave, indicator, ALL, "estimate")
        values[indicator] = -float(number.value) if number.value else float("inf")
    return tuple(sorted(found, key=lambda indicator: values[indicator]))


def by_title(wording: Wording, indicators: Iterable[str]) -> dict[str, list[str]]:
    """Indicators by theme; behind them those of rankings by the title of their ranking."""
    indicators = list(indicators)
    order = [name for name, _ in wording.captions("ranking")]
    apart = [i for i in indicators if ranking_of(wording, i)]
    titled: dict[str, list[str]] = {}
    for indicator in unranked(wording, indicators):
        titled.setdefault(wording.caption("theme", indicator), []).append(indicator)
    for indicator in sorted(apart, key=lambda i: order.index(ranking_of(wording, i))):
        title = wording.caption("ranking", ranking_of(wording, indicator))
        titled.setdefault(title, []).append(indicator)
    return titled


def ranking_of(wording: Wording, indicator: str) -> str:
    """The ranking of an indicator, empty for none."""
    if not wording.has_caption("ranked", indicator):
        return ""
    return wording.caption("ranked", indicator)


def waves_phrase(wording: Wording, waves: tuple[str, ...]) -> str:
    """One wave, or the first and the last of several."""
    if len(waves) == 1:
        return wording.word("word.wave", wave=waves[0])
    return wording.word("word.waves", first=waves[0], last=waves[-1])

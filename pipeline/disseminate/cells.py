"""Cells of tables and points of charts, from the published numbers of a group."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from pipeline.disseminate.figures import Comparison, Figures, Verdict, symbol_text
from pipeline.disseminate.model import Cell, Number, Point
from pipeline.disseminate.wording import Wording

NOT_APPLICABLE = Cell((symbol_text("z"),))
"""Where there cannot be a number: the question was not asked, or there is no wave before."""
NOT_AVAILABLE = Cell((symbol_text("x"),))
"""Where a number would be possible and was not released."""

Claim = Verdict | Literal["break", "new"]
"""A verdict, or that the two values are not comparable, or that there was none before."""
EVERYTHING = "*"
"""In the key of a change: it concerns the whole questionnaire."""


def ends_of(
    figures: Figures, wave: str, indicator: str, place: str, kind: str
) -> tuple[Number, ...]:
    """The two ends of the interval of an estimate (`ci`), mean or comparison; empty if none."""
    low, high = (figures.find(wave, indicator, place, f"{kind}{end}") for end in ("_low", "_high"))
    return (low, high) if low and high and low.value and high.value else ()


def breaks_at(figures: Figures, wording: Wording, wave: str, indicator: str) -> bool:
    """Whether a wave cannot be compared with the one before it."""
    keys = (f"{concerned}/{wave}/break" for concerned in (indicator, EVERYTHING))
    return wave != figures.waves[0] and any(wording.has_caption("change", key) for key in keys)


def claim_of(figures: Figures, wording: Wording, wave: str, indicator: str, place: str) -> Claim:
    """What may be said of the change on the wave before: nothing across a break."""
    if breaks_at(figures, wording, wave, indicator):
        return "break"
    if figures.is_new(wave, indicator):
        return "new"
    return figures.verdict(wave, indicator, place, "change")


def estimate_cell(
    figures: Figures, wording: Wording, wave: str, indicator: str, place: str
) -> Cell:
    """An estimate over its interval."""
    return _level(figures, wording, (wave, indicator, place), "estimate", "ci")


def pooled_cell(figures: Figures, wording: Wording, indicator: str, place: str) -> Cell:
    """The mean of the wave and the one before over its interval."""
    return _level(figures, wording, (figures.wave, indicator, place), "pooled", "pooled")


def _level(
    figures: Figures, wording: Wording, where: tuple[str, str, str], statistic: str, ends: str
) -> Cell:
    if not figures.has(*where, statistic):
        return NOT_APPLICABLE
    found = ends_of(figures, *where, ends)
    sub = wording.interval(*found) if found else ()
    return Cell((figures.number(*where, statistic),), sub)


def count_cell(figures: Figures, wave: str, indicator: str, place: str, statistic: str) -> Cell:
    """The firms of an estimate; where they were not released, the estimate's own symbol."""
    if figures.has(wave, indicator, place, statistic):
        return Cell((figures.number(wave, indicator, place, statistic),))
    if not figures.has(wave, indicator, place, "estimate"):
        return NOT_APPLICABLE
    estimate = figures.number(wave, indicator, place, "estimate")
    return NOT_AVAILABLE if estimate.value else Cell((estimate,))


def number_cell(figures: Figures, indicator: str, place: str, statistic: str) -> Cell:
    """A number of the wave that is reported, by itself."""
    where = (figures.wave, indicator, place, statistic)
    return Cell((figures.number(*where),)) if figures.has(*where) else NOT_APPLICABLE


def grade_cell(figures: Figures, indicator: str, place: str, statistic: str = "estimate") -> Cell:
    """How precise a value of the wave is; where it is not shown, its symbol."""
    where = (figures.wave, indicator, place, statistic)
    if grade := figures.grade(*where):
        return Cell((grade,))
    shown = figures.shows(*where)
    return NOT_APPLICABLE if shown else number_cell(figures, indicator, place, statistic)


def change_cells(
    figures: Figures, wording: Wording, wave: str, indicator: str, place: str
) -> tuple[Cell, Cell]:
    """The change on the wave before over its interval, and whether it is established."""
    claim = claim_of(figures, wording, wave, indicator, place)
    verdict = Cell((wording.word(f"verdict.change.{claim}"),))
    change, found = _compared(figures, wording, (wave, indicator, place), "change", verdict)
    without_a_number = claim in {"break", "new"}
    return change, verdict if without_a_number else found


def trend_cells(
    figures: Figures, wording: Wording, indicator: str, place: str
) -> tuple[Cell, Cell]:
    """The change from wave to wave over all comparable waves, and whether it is established."""
    where = (figures.wave, indicator, place)
    verdict = Cell((wording.word(f"verdict.change.{figures.verdict(*where, 'trend')}"),))
    return _compared(figures, wording, where, "trend", verdict)


def difference_cells(
    figures: Figures, wording: Wording, indicator: str, place: str
) -> tuple[Cell, Cell]:
    """A difference between two groups over its interval, and whether it is established."""
    where = (figures.wave, indicator, place)
    verdict = Cell((wording.word(f"verdict.difference.{figures.verdict(*where, 'difference')}"),))
    return _compared(figures, wording, where, "difference", verdict)


def adjusted_cells(
    figures: Figures, wording: Wording, indicator: str, place: str
) -> tuple[Cell, Cell, Cell]:
    """The difference as it is and that of the same composition, and whether it is established.

    Each has a sign where it is established itself; the verdict is that of the second, or says that
    it is that of the first.
    """
    where = (figures.wave, indicator, place)
    raw, adjusted = (
        _signed(figures, wording, where, "difference"),
        _signed(figures, wording, where, "adjusted"),
    )
    kind = figures.decisive(indicator, place)
    claim = figures.verdict(*where, kind)
    if claim == "unknown":
        return raw, adjusted, adjusted
    note = wording.say("table.as_it_is") if kind == "difference" else ()
    return raw, adjusted, Cell((wording.word(f"verdict.difference.{claim}"),), note)


def _signed(
    figures: Figures, wording: Wording, where: tuple[str, str, str], kind: Comparison
) -> Cell:
    cell, _ = _compared(figures, wording, where, kind, NOT_APPLICABLE)
    claim = figures.verdict(*where, kind)
    return replace(cell, main=wording.say(f"sign.{claim}", number=cell.main))


def _compared(
    figures: Figures,
    wording: Wording,
    where: tuple[str, str, str],
    kind: Comparison,
    verdict: Cell,
) -> tuple[Cell, Cell]:
    if not figures.has(*where, kind):
        return NOT_APPLICABLE, NOT_APPLICABLE
    number = figures.number(*where, kind)
    if not number.value:
        return Cell((number,)), Cell((number,))
    ends = ends_of(figures, *where, kind)
    return Cell((number,), wording.interval(*ends) if ends else ()), verdict


def point_of(
    figures: Figures, wave: str, indicator: str, place: str, *, label: str, breaks: bool = False
) -> Point:
    """An estimate with its interval as a mark of a chart."""
    number = figures.number(wave, indicator, place, "estimate")
    low, high = ends_of(figures, wave, indicator, place, "ci") or (None, None)
    return Point(label, number, low, high, breaks)

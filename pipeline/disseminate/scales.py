"""Scales of charts: round numbers around what is drawn, and where a value stands between them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from pipeline.disseminate.figures import local_number
from pipeline.disseminate.model import Number, Point

_STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
_MOST_STEPS = 4
_FLAT = Decimal("0.6")
"""Up to this part of the highest value the lowest may be for the scale to begin at zero."""


@dataclass(frozen=True)
class Scale:
    """Ticks from the lowest to the highest, drawn from one coordinate to another."""

    ticks: tuple[Decimal, ...]
    start: float
    end: float

    def at(self, value: Decimal | Number) -> float:
        """The coordinate of a value."""
        exact = Decimal(value.value) if isinstance(value, Number) else value
        part = (exact - self.ticks[0]) / (self.ticks[-1] - self.ticks[0])
        return self.start + float(part) * (self.end - self.start)

    def labels(self, language: str) -> tuple[str, ...]:
        """The ticks as they are written, all with the same decimals."""
        places = max(-int(tick.as_tuple().exponent) for tick in self.ticks)
        exact = Decimal(1).scaleb(-max(0, places))
        return tuple(local_number(tick.quantize(exact), language) for tick in self.ticks)


def round_ticks(numbers: Iterable[Number]) -> tuple[Decimal, ...]:
    """At most five round numbers around all numbers, from zero where that does not flatten them."""
    values = [Decimal(number.value) for number in numbers]
    low, high = min(values), max(values)
    if 0 <= low <= _FLAT * high:
        low = Decimal(0)
    if low == high:
        low, high = low - 1, high + 1
    power = Decimal(1).scaleb((high - low).adjusted() - 1)
    for step in (p * s for p in (power, power * 10) for s in _STEPS):
        first = (low / step).to_integral_value(ROUND_FLOOR)
        last = (high / step).to_integral_value(ROUND_CEILING)
        if last - first <= _MOST_STEPS:
            break
    return tuple((step * n).normalize() + 0 for n in range(int(first), int(last) + 1))


def numbers_of(point: Point) -> list[Number]:
    """The numbers of a mark that have a value: itself and its interval."""
    return [n for n in (point.low, point.value, point.high) if n and n.value]

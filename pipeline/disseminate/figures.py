"""The published numbers by their ids, and how they are written in a language."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Literal, Self

from babel.dates import format_date, parse_date
from babel.numbers import get_decimal_symbol, get_group_symbol
from pandera.typing import DataFrame

from pipeline.disseminate.model import Number
from pipeline.errors import Problem, RenderError, nearest
from pipeline.tables import Release
from pipeline.tables.flow import ALL, CROSS, RESPONSE, REST

MINUS = "\N{MINUS SIGN}"

Comparison = Literal["change", "difference"]
Verdict = Literal["rise", "fall", "none", "unknown"]
"""What may be claimed: a rise, a fall, nothing established, or that it cannot be said."""
Pair = tuple[str, str, str]
"""Breakdown, group and reference of a difference."""

_BESIDE_ESTIMATE = ("n", "ci_low", "ci_high")


def number_id(wave: str, indicator: str, place: str, statistic: str) -> str:
    """The id of a number; the place is `all`, `breakdown=group` or `breakdown=group:reference`."""
    return f"{wave}/{indicator}/{place}/{statistic}"


def decimal_text(value: float, decimals: int) -> str:
    """A published value as a plain decimal with exactly its decimals, never a negative zero."""
    return f"{value:z.{decimals}f}"


def symbol_text(symbol: str) -> str:
    """A symbol as it is printed in place of a number."""
    return f"[{symbol}]"


@cache
def _separators(language: str) -> dict[int, str]:
    """What the language writes for the signs of a plain number (Unicode CLDR)."""
    symbols = {",": get_group_symbol(language), ".": get_decimal_symbol(language), "-": MINUS}
    return str.maketrans(symbols)


def local_number(value: Decimal, language: str, *, signed: bool = False) -> str:
    """A decimal with all its decimals as the language writes it, with a true minus sign.

    Separators are those of the Unicode CLDR; `signed` puts a plus before what is above zero.
    """
    text = f"{value:,f}".translate(_separators(language))
    return f"+{text}" if signed and value > 0 else text


def local_date(iso: str, language: str) -> str:
    """An ISO date written out in the language."""
    return format_date(parse_date(iso, locale="en", format="yyyy-MM-dd"), "long", locale=language)


def release_rows(release: DataFrame[Release]) -> Iterator[tuple[str, ...]]:
    """The rows of a release, by number id, every column as the text that is published."""
    ordered = release.sort_values(Release.number_id, kind="stable")
    columns = {str(name): ordered[name].tolist() for name in ordered.columns}
    columns["value"] = [
        symbol_text(symbol) if symbol else decimal_text(value, decimals)
        for value, decimals, symbol in zip(
            columns["value"], columns["decimals"], columns["symbol"], strict=True
        )
    ]
    return zip(*(map(str, column) for column in columns.values()), strict=True)


class Figures:
    """The numbers of a release up to one wave, in one language.

    Raises RenderError where a value has a symbol or none has neither, and where a number or an
    interval stands beside a suppressed estimate.
    """

    def __init__(self, release: DataFrame[Release], wave: str, language: str) -> None:
        kept = release[release[Release.wave] <= wave]
        columns = (Release.value, Release.decimals, Release.symbol)
        self._numbers: dict[str, tuple[float, int, str]] = dict(
            zip(
                kept[Release.number_id].tolist(),
                zip(*(kept[str(column)].tolist() for column in columns), strict=True),
                strict=True,
            )
        )
        self.language = language
        self.wave = wave
        self.waves = tuple(sorted(set(kept[Release.wave])))
        if wave not in self.waves:
            raise RenderError(
                Problem(
                    found=f"no number of wave {wave} in the release",
                    expected="the numbers of the wave that is reported",
                    advice=nearest(wave, release[Release.wave]),
                    wave=wave,
                )
            )
        self.previous = self.waves[-2] if len(self.waves) > 1 else ""
        self._pairs = _pairs(kept, wave)
        self._populations = _populations(kept)
        self._refuse_leaks()

    def translated(self, language: str) -> Self:
        """The same numbers as another language writes them."""
        other = copy.copy(self)
        other.language = language
        return other

    def _refuse_leaks(self) -> None:
        problems = []
        for identity, (value, _, symbol) in self._numbers.items():
            if (value != value) != bool(symbol):  # noqa: PLR0124 only NaN differs from itself
                found = f"{identity}: value {value} with symbol '{symbol}'"
                problems.append((found, "either a value or a symbol", identity))
            if symbol == "c" and identity.endswith("/estimate"):
                stem = identity.removesuffix("estimate")
                shown = [s for s in _BESIDE_ESTIMATE if self._shown(stem + s)]
                if shown:
                    found = f"{identity} is suppressed, but {', '.join(shown)} of it is not"
                    problems.append((found, "nothing beside a suppressed value", identity))
        if problems:
            advice = "mend the disclosure control that made the release; nothing was printed"
            raise RenderError(
                [Problem(f, e, advice, wave=i.partition("/")[0]) for f, e, i in problems]
            )

    def _shown(self, identity: str) -> bool:
        return identity in self._numbers and not self._numbers[identity][2]

    def has(self, wave: str, indicator: str, place: str, statistic: str) -> bool:
        """Whether the release has this number, or a symbol in its place."""
        return number_id(wave, indicator, place, statistic) in self._numbers

    def shows(self, wave: str, indicator: str, place: str, statistic: str) -> bool:
        """Whether the release has a value for this number, not a symbol."""
        return self._shown(number_id(wave, indicator, place, statistic))

    def number(self, wave: str, indicator: str, place: str, statistic: str) -> Number:
        """A number as it is printed; RenderError where the release does not have it."""
        identity = number_id(wave, indicator, place, statistic)
        if identity not in self._numbers:
            raise RenderError(
                Problem(
                    found=f"no number {identity} in the release",
                    expected="a number that was released",
                    advice=nearest(identity, self._numbers),
                    wave=wave,
                )
            )
        value, decimals, symbol = self._numbers[identity]
        if symbol:
            return Number(identity, "", symbol_text(symbol))
        plain = decimal_text(value, decimals)
        signed = statistic.startswith(("change", "difference"))
        return Number(identity, plain, local_number(Decimal(plain), self.language, signed=signed))

    def is_new(self, wave: str, indicator: str) -> bool:
        """Whether an indicator has numbers in a wave for the first time, but others had before."""
        earlier = self.waves[: self.waves.index(wave)]
        before = any(self.has(w, indicator, ALL, "estimate") for w in earlier)
        return bool(earlier) and not before and self.has(wave, indicator, ALL, "estimate")

    def verdict(self, wave: str, indicator: str, place: str, comparison: Comparison) -> Verdict:
        """What may be claimed of a change or difference; its direction is that of the interval."""
        significant = number_id(wave, indicator, place, f"{comparison}_significant")
        parts = [
            number_id(wave, indicator, place, statistic)
            for statistic in (comparison, f"{comparison}_low", f"{comparison}_high")
        ]
        if not all(self._shown(identity) for identity in (significant, *parts)):
            return "unknown"
        if self._numbers[significant][0] == 0:
            return "none"
        direction = sum(Decimal(decimal_text(*self._numbers[i][:2])) for i in parts)
        if direction == 0:
            return "none"
        return "rise" if direction > 0 else "fall"

    def is_outside(self, breakdown: str, group: str) -> bool:
        """Whether a group belongs to another population, or to the breakdown by population."""
        foreign = CROSS in group and CROSS not in breakdown
        return group != REST and (foreign or breakdown in self._populations)

    def comparisons(self, indicator: str) -> tuple[Pair, ...]:
        """Breakdown, group and reference of the differences of an indicator in the wave."""
        return self._pairs.get(indicator, ())


def _pairs(release: DataFrame[Release], wave: str) -> dict[str, tuple[Pair, ...]]:
    """The pairs that are compared in a wave, by indicator."""
    differs = (release[Release.wave] == wave) & (release[Release.reference] != "")
    columns = (Release.indicator, Release.breakdown, Release.group, Release.reference)
    found: dict[str, set[Pair]] = {}
    for indicator, *pair in zip(
        *(release.loc[differs, column].tolist() for column in columns), strict=True
    ):
        found.setdefault(indicator, set()).add((pair[0], pair[1], pair[2]))
    return {indicator: tuple(sorted(pairs)) for indicator, pairs in found.items()}


def _populations(release: DataFrame[Release]) -> frozenset[str]:
    """Breakdowns by population: their groups hold more firms of the register than everybody is.

    The groups of any other breakdown divide the target population.
    """
    counted = release[
        (release[Release.indicator] == RESPONSE)
        & (release[Release.statistic] == "population")
        & ~release[Release.group].str.contains(CROSS, regex=False)
    ]
    firms = counted.groupby([Release.wave, Release.breakdown])[str(Release.value)].sum()
    waves, breakdowns = (firms.index.get_level_values(level) for level in (0, 1))
    everybody = firms[breakdowns == ALL].droplevel(1).reindex(waves)
    return frozenset(breakdowns[firms.to_numpy() > everybody.to_numpy()])


def place_of(breakdown: str, group: str, reference: str = "") -> str:
    """The part of a number id that names a group."""
    if breakdown == ALL:
        return ALL
    return f"{breakdown}={group}" + (f":{reference}" if reference else "")

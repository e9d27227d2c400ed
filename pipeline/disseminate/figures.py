"""The published numbers by their ids, and how they are written in a language."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Literal, Self, get_args

from babel.dates import format_date, parse_date
from babel.numbers import get_decimal_symbol, get_group_symbol
from pandera.typing import DataFrame

from pipeline.disseminate.model import Number
from pipeline.errors import Problem, RenderError, nearest
from pipeline.tables import Release
from pipeline.tables.flow import ALL, CROSS, RESPONSE, REST

MINUS = "\N{MINUS SIGN}"

Comparison = Literal["change", "trend", "difference", "adjusted"]
"""What a number compares: waves, or groups as they are or of the same composition."""
Verdict = Literal["rise", "fall", "none", "unknown"]
"""What may be claimed: a rise, a fall, nothing established, or that it cannot be said."""
Pair = tuple[str, str, str]
"""Breakdown, group and reference of a difference."""

_BESIDE_ESTIMATE = ("n", "ci_low", "ci_high", "pooled", "pooled_n")
_SIGNED = {f"{name}{end}" for name in get_args(Comparison) for end in ("", "_low", "_high")}


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


@cache
def _written(plain: str, language: str, *, signed: bool) -> str:
    return local_number(Decimal(plain), language, signed=signed)


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
    columns["decimals"] = list(map(str, columns["decimals"]))
    return zip(*columns.values(), strict=True)


class Figures:
    """The numbers of a release up to one wave, in one language.

    Raises RenderError where a value has a symbol or none has neither, and where a number or an
    interval stands beside a suppressed estimate.
    """

    def __init__(self, release: DataFrame[Release], wave: str, language: str) -> None:
        kept = release[release[Release.wave] <= wave]
        ids: list[str] = kept[Release.number_id].tolist()
        self._rows = dict(zip(ids, range(len(ids)), strict=True))
        self._values: list[float] = kept[str(Release.value)].tolist()
        self._decimals: list[int] = kept[str(Release.decimals)].tolist()
        self._symbols: list[str] = kept[Release.symbol].tolist()
        self._grades: list[str] = kept[Release.grade].tolist()
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
        now = kept[Release.wave] == wave
        self.statistics = frozenset(kept.loc[now, Release.statistic])
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
        columns = self._rows, self._values, self._symbols, self._grades
        for identity, value, symbol, grade in zip(*columns, strict=True):
            if (value != value) != bool(symbol):  # noqa: PLR0124 only NaN differs from itself
                found = f"{identity}: value {value} with symbol '{symbol}'"
                problems.append((found, "either a value or a symbol", identity))
            if symbol == "c" and identity.endswith("/estimate"):
                stem = identity.removesuffix("estimate")
                shown = [s for s in _BESIDE_ESTIMATE if self._shown(stem + s)]
                if shown:
                    found = f"{identity} is suppressed, but {', '.join(shown)} of it is not"
                    problems.append((found, "nothing beside a suppressed value", identity))
            if symbol == "c" and grade:
                found = f"{identity} is suppressed, but its grade {grade} says how precise it is"
                problems.append((found, "no grade of a suppressed value", identity))
        if problems:
            advice = "mend the disclosure control that made the release; nothing was printed"
            raise RenderError(
                [Problem(f, e, advice, wave=i.partition("/")[0]) for f, e, i in problems]
            )

    def _shown(self, identity: str) -> bool:
        row = self._rows.get(identity)
        return row is not None and not self._symbols[row]

    def has(self, wave: str, indicator: str, place: str, statistic: str) -> bool:
        """Whether the release has this number, or a symbol in its place."""
        return number_id(wave, indicator, place, statistic) in self._rows

    def shows(self, wave: str, indicator: str, place: str, statistic: str) -> bool:
        """Whether the release has a value for this number, not a symbol."""
        return self._shown(number_id(wave, indicator, place, statistic))

    def number(self, wave: str, indicator: str, place: str, statistic: str) -> Number:
        """A number as it is printed; RenderError where the release does not have it."""
        found = self.find(wave, indicator, place, statistic)
        if found is None:
            identity = number_id(wave, indicator, place, statistic)
            raise RenderError(
                Problem(
                    found=f"no number {identity} in the release",
                    expected="a number that was released",
                    advice=nearest(identity, self._rows),
                    wave=wave,
                )
            )
        return found

    def find(self, wave: str, indicator: str, place: str, statistic: str) -> Number | None:
        """A number as it is printed, None where the release does not have it."""
        identity = number_id(wave, indicator, place, statistic)
        row = self._rows.get(identity)
        if row is None:
            return None
        if self._symbols[row]:
            return Number(identity, "", symbol_text(self._symbols[row]))
        plain = self._plain(row)
        signed = statistic in _SIGNED
        return Number(identity, plain, _written(plain, self.language, signed=signed))

    def _plain(self, row: int) -> str:
        return decimal_text(self._values[row], self._decimals[row])

    def grade(self, wave: str, indicator: str, place: str, statistic: str) -> str:
        """How precise a value is, A best; empty where none is shown or it has no grade."""
        row = self._rows.get(number_id(wave, indicator, place, statistic))
        return "" if row is None or self._symbols[row] else self._grades[row]

    def is_new(self, wave: str, indicator: str) -> bool:
        """Whether an indicator has numbers in a wave for the first time, but others had before."""
        earlier = self.waves[: self.waves.index(wave)]
        before = any(self.has(w, indicator, ALL, "estimate") for w in earlier)
        return bool(earlier) and not before and self.has(wave, indicator, ALL, "estimate")

    def verdict(self, wave: str, indicator: str, place: str, comparison: Comparison) -> Verdict:
        """What may be claimed of a comparison; its direction is that of the interval."""
        significant = number_id(wave, indicator, place, f"{comparison}_significant")
        parts = [
            number_id(wave, indicator, place, statistic)
            for statistic in (comparison, f"{comparison}_low", f"{comparison}_high")
        ]
        if not all(self._shown(identity) for identity in (significant, *parts)):
            return "unknown"
        if self._values[self._rows[significant]] == 0:
            return "none"
        direction = sum(Decimal(self._plain(self._rows[identity])) for identity in parts)
        if direction == 0:
            return "none"
        return "rise" if direction > 0 else "fall"

    def decisive(self, indicator: str, place: str) -> Comparison:
        """By which difference a pair is judged: that of the same composition where there is one."""
        return "adjusted" if self.shows(self.wave, indicator, place, "adjusted") else "difference"

    def is_adjusted(self, pair: Pair) -> bool:
        """Whether a pair has a difference at the same composition of any indicator in the wave."""
        place = place_of(*pair)
        return any(self.shows(self.wave, name, place, "adjusted") for name in self._pairs)

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

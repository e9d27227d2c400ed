"""The published numbers by their ids, and how they are written in a language."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

import pandas as pd
from babel.dates import format_date, parse_date
from babel.numbers import format_decimal
from pandera.typing import DataFrame

from pipeline.disseminate.model import Number
from pipeline.errors import Problem, RenderError, nearest
from pipeline.tables import Release
from pipeline.tables.flow import ALL

MINUS = "\N{MINUS SIGN}"

Comparison = Literal["change", "difference"]
Verdict = Literal["rise", "fall", "none", "unknown"]
"""What may be claimed: a rise, a fall, nothing established, or that it cannot be said."""

_BESIDE_ESTIMATE = ("n", "ci_low", "ci_high")


def number_id(wave: str, indicator: str, place: str, statistic: str) -> str:
    """The id of a number; the place is `all`, `breakdown=group` or `breakdown=group:reference`."""
    return f"{wave}/{indicator}/{place}/{statistic}"


def decimal_text(value: float, decimals: int) -> str:
    """A published value as a plain decimal with exactly its decimals, never a negative zero."""
    return str(Decimal(f"{value:.{decimals}f}") + 0)


def symbol_text(symbol: str) -> str:
    """A symbol as it is printed in place of a number."""
    return f"[{symbol}]"


def local_number(value: Decimal, language: str, *, signed: bool = False) -> str:
    """A decimal with all its decimals as the language writes it, with a true minus sign.

    Separators are those of the Unicode CLDR; `signed` puts a plus before what is above zero.
    """
    places = max(0, -int(value.as_tuple().exponent))
    pattern = "#,##0" + ("." + "0" * places if places else "")
    text = format_decimal(value, format=pattern, locale=language).replace("-", MINUS)
    return f"+{text}" if signed and value > 0 else text


def local_date(iso: str, language: str) -> str:
    """An ISO date written out in the language."""
    return format_date(parse_date(iso, locale="en", format="yyyy-MM-dd"), "long", locale=language)


def release_rows(release: DataFrame[Release]) -> Iterator[dict[str, str]]:
    """The rows of a release, by number id, every column as the text that is published."""
    ordered = release.sort_values(Release.number_id, kind="stable")
    for row in ordered.to_dict("records"):
        shown = not pd.isna(row["value"])
        value = decimal_text(row["value"], row["decimals"]) if shown else symbol_text(row["symbol"])
        yield {str(name): str(cell) for name, cell in row.items()} | {"value": value}


class Figures:
    """The numbers of a release up to one wave, in one language.

    Raises RenderError where a value has a symbol or none has neither, and where a number or an
    interval stands beside a suppressed estimate.
    """

    def __init__(self, release: DataFrame[Release], wave: str, language: str) -> None:
        kept = release[release[Release.wave] <= wave]
        self._rows = {row["number_id"]: row for row in release_rows(DataFrame[Release](kept))}
        self._language = language
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
        self._refuse_leaks()

    def _refuse_leaks(self) -> None:
        problems = []
        for identity, row in self._rows.items():
            hidden = row["value"].startswith("[")
            if hidden != bool(row["symbol"]):
                found = f"{identity}: value {row['value']} with symbol '{row['symbol']}'"
                problems.append((found, "either a value or a symbol", row["wave"]))
            if row["statistic"] == "estimate" and row["symbol"] == "c":
                stem = identity.removesuffix("estimate")
                shown = [s for s in _BESIDE_ESTIMATE if self._shown(stem + s)]
                if shown:
                    found = f"{identity} is suppressed, but {', '.join(shown)} of it is not"
                    problems.append((found, "nothing beside a suppressed value", row["wave"]))
        if problems:
            advice = "mend the disclosure control that made the release; nothing was printed"
            raise RenderError([Problem(f, e, advice, wave=w) for f, e, w in problems])

    def _shown(self, identity: str) -> bool:
        return identity in self._rows and not self._rows[identity]["symbol"]

    def has(self, wave: str, indicator: str, place: str, statistic: str) -> bool:
        """Whether the release has this number, or a symbol in its place."""
        return number_id(wave, indicator, place, statistic) in self._rows

    def shows(self, wave: str, indicator: str, place: str, statistic: str) -> bool:
        """Whether the release has a value for this number, not a symbol."""
        return self._shown(number_id(wave, indicator, place, statistic))

    def number(self, wave: str, indicator: str, place: str, statistic: str) -> Number:
        """A number as it is printed; RenderError where the release does not have it."""
        identity = number_id(wave, indicator, place, statistic)
        if identity not in self._rows:
            raise RenderError(
                Problem(
                    found=f"no number {identity} in the release",
                    expected="a number that was released",
                    advice=nearest(identity, self._rows),
                    wave=wave,
                )
            )
        row = self._rows[identity]
        if row["symbol"]:
            return Number(identity, "", row["value"])
        signed = statistic.startswith(("change", "difference"))
        text = local_number(Decimal(row["value"]), self._language, signed=signed)
        return Number(identity, row["value"], text)

    def before(self, wave: str) -> str:
        """The wave before a wave, empty for the first."""
        position = self.waves.index(wave)
        return self.waves[position - 1] if position else ""

    def verdict(self, wave: str, indicator: str, place: str, comparison: Comparison) -> Verdict:
        """What may be claimed of a change or difference; its direction is that of the interval."""
        significant = number_id(wave, indicator, place, f"{comparison}_significant")
        parts = [
            number_id(wave, indicator, place, statistic)
            for statistic in (comparison, f"{comparison}_low", f"{comparison}_high")
        ]
        if not all(self._shown(identity) for identity in (significant, *parts)):
            return "unknown"
        if Decimal(self._rows[significant]["value"]) == 0:
            return "none"
        direction = sum(Decimal(self._rows[identity]["value"]) for identity in parts)
        if direction == 0:
            return "none"
        return "rise" if direction > 0 else "fall"

    def comparisons(self, indicator: str) -> tuple[tuple[str, str, str], ...]:
        """Breakdown, group and reference of the differences of an indicator in the wave."""
        found = {
            (row["breakdown"], row["group"], row["reference"])
            for row in self._rows.values()
            if row["wave"] == self.wave and row["indicator"] == indicator and row["reference"]
        }
        return tuple(sorted(found))


def place_of(breakdown: str, group: str, reference: str = "") -> str:
    """The part of a number id that names a group."""
    if breakdown == ALL:
        return ALL
    return f"{breakdown}={group}" + (f":{reference}" if reference else "")

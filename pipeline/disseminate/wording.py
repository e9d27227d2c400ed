"""The words of a report in one language: fixed phrases and the study's captions."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from pathlib import Path

from pandera.typing import DataFrame

from pipeline.disseminate.figures import Pair, local_number, place_of
from pipeline.disseminate.model import Line, Number
from pipeline.errors import Problem, RenderError, nearest
from pipeline.tables import Captions, Release
from pipeline.tables.flow import ALL, CROSS, REPRESENTATIVITY, RESPONSE, REST

_TEXTS = Path(__file__).parent / "texts"
_NO_BREAK = "\N{NO-BREAK SPACE}"

OF_RESPONSE = (RESPONSE, REPRESENTATIVITY)
"""Indicators that every study has; the report names them itself."""
_STUDY = ("title", "population", "source", "publisher")
_LIMITS = ("points", "percent")
_INDICATOR = ("theme", "indicator", "unit", "better")


def _flat(tree: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, branch in tree.items():
        if isinstance(branch, Mapping):
            yield from _flat(branch, f"{prefix}{name}.")
        else:
            yield prefix + name, str(branch)


class Wording:
    """Phrases and captions of a language; a text that is not there is a RenderError."""

    def __init__(self, language: str, captions: DataFrame[Captions]) -> None:
        file = _TEXTS / f"{language}.toml"
        if not file.is_file():
            raise RenderError(
                Problem(
                    found=f"no fixed texts in language '{language}'",
                    expected=f"a file {file.name} beside the other languages",
                    advice=nearest(language, (path.stem for path in _TEXTS.glob("*.toml"))),
                )
            )
        self.language = language
        self._phrases = dict(_flat(tomllib.loads(file.read_text(encoding="utf-8"))))
        self._captions: dict[str, dict[str, str]] = {}
        rows = captions[captions[Captions.language] == language]
        columns = (Captions.kind, Captions.key, Captions.text)
        for kind, key, text in zip(*(rows[column].tolist() for column in columns), strict=True):
            self._captions.setdefault(kind, {})[key] = text

    def say(self, phrase: str, **parts: str | Number | Line) -> Line:
        """A fixed phrase with its gaps filled; numbers keep their ids."""
        line: list[str | Number] = []
        for literal, gap, _, _ in string.Formatter().parse(self._phrases[phrase]):
            if literal:
                line.append(literal)
            if gap is not None:
                part = parts[gap]
                line.extend(part if isinstance(part, tuple) else (part,))
        return tuple(line)

    def word(self, phrase: str, **parts: str) -> str:
        """A fixed phrase without numbers, as plain text."""
        return self._phrases[phrase].format_map(parts)

    def caption(self, kind: str, key: str) -> str:
        """A text of the study."""
        if not self.has_caption(kind, key):
            raise RenderError(self._no_caption(kind, key))
        return self._captions[kind][key]

    def captions(self, kind: str) -> tuple[tuple[str, str], ...]:
        """All texts of a kind as pairs of key and text, in the order of printing."""
        return tuple(self._captions.get(kind, {}).items())

    def has_caption(self, kind: str, key: str) -> bool:
        """Whether the study has this text."""
        return key in self._captions.get(kind, {})

    @cached_property
    def breakdowns(self) -> Mapping[str, str]:
        """Titles of the breakdowns but everybody and the crossings, in order."""
        found = self.captions("breakdown")
        return {name: title for name, title in found if name != ALL and CROSS not in name}

    @cached_property
    def crossings(self) -> Mapping[str, str]:
        """Titles of the published crossings of two breakdowns, in order."""
        return {name: title for name, title in self.captions("breakdown") if CROSS in name}

    @cached_property
    def groups(self) -> Mapping[str, tuple[tuple[str, str], ...]]:
        """Groups of the target population by breakdown: code and label, in order."""
        found: dict[str, list[tuple[str, str]]] = {name: [] for name in self.breakdowns}
        for key, label in self.captions("group"):
            breakdown, _, group = key.partition("=")
            if breakdown in found and CROSS not in group:
                found[breakdown].append((group, label))
        return {name: tuple(groups) for name, groups in found.items()}

    @cached_property
    def pairs(self) -> Mapping[str, tuple[Pair, ...]]:
        """Pairs that are compared, by benchmark, in order."""
        found: dict[str, list[Pair]] = {name: [] for name, _ in self.captions("benchmark")}
        for key, name in self.captions("pair"):
            breakdown, _, groups = key.partition("=")
            group, _, reference = groups.partition(":")
            found.setdefault(name, []).append((breakdown, group, reference))
        return {name: tuple(pairs) for name, pairs in found.items()}

    def limits(self, name: str) -> tuple[str, ...]:
        """The limits of the grades as the language writes them: settings, not published numbers."""
        found = self.caption("quality", name).split()
        return tuple(local_number(Decimal(limit), self.language) for limit in found)

    def adjusted_by(self, breakdown: str) -> str:
        """Names of the columns by which references get the composition of a breakdown's group."""
        own = breakdown.split(CROSS)
        return self.named([n for column, n in self.captions("adjusted") if column not in own])

    def named(self, names: Sequence[str]) -> str:
        """Several names as one phrase; empty for none."""
        *first, last = names or ("",)
        return self.word("word.and", first=", ".join(first), last=last) if first else last

    def group_label(self, breakdown: str, group: str) -> str:
        """The name of a group, of everybody, or of the rest."""
        if ALL in (breakdown, group):
            return self._captions.get("breakdown", {}).get(ALL, self.word("word.everybody"))
        if group == REST:
            return self.word("word.rest")
        return self.caption("group", place_of(breakdown, group))

    def indicator_label(self, indicator: str) -> str:
        """The name of an indicator, or of the response."""
        if indicator in OF_RESPONSE:
            return self.word(f"word.{indicator}")
        return self.caption("indicator", indicator)

    def unit(self, indicator: str) -> str:
        """The unit of an indicator; the response is in per cent."""
        return "%" if indicator in OF_RESPONSE else self.caption("unit", indicator)

    def change_unit(self, indicator: str) -> str:
        """The unit of a change or difference: percentage points where the unit is per cent."""
        unit = self.unit(indicator)
        return self.word("word.points") if unit.startswith("%") else unit

    def amount(self, number: Number, unit: str) -> Line:
        """A number with its unit; a symbol stands alone."""
        if not number.value or not unit:
            return (number,)
        space = self.word("word.percent_space") if unit.startswith("%") else _NO_BREAK
        return (number, space + unit)

    def interval(self, low: Number, high: Number) -> Line:
        """A range from one number to another; two symbols are one."""
        return (low,) if not low.value else self.say("word.range", low=low, high=high)

    def missing(self, release: DataFrame[Release]) -> tuple[Problem, ...]:
        """Every caption that the release needs and the study does not have."""
        needed = {("study", key) for key in _STUDY}
        columns = [Release.indicator, Release.breakdown, Release.group, Release.reference]
        places = release[columns].drop_duplicates()
        for indicator in set(places[Release.indicator]) - set(OF_RESPONSE):
            needed |= {(kind, indicator) for kind in _INDICATOR}
        judged = places[Release.indicator] == REPRESENTATIVITY
        named = set(places.loc[judged, Release.breakdown]) - {ALL}
        needed |= {("column", column) for column in named}
        places = places[~judged]
        for breakdown, group, reference in set(
            zip(*(places[column].tolist() for column in columns[1:]), strict=True)
        ):
            needed |= self._needed(breakdown, group, reference)
        if (release[Release.grade] != "").any():
            needed |= {("quality", limits) for limits in _LIMITS}
        return tuple(self._no_caption(*key) for key in sorted(needed) if not self.has_caption(*key))

    def _needed(self, breakdown: str, group: str, reference: str) -> set[tuple[str, str]]:
        """Kinds and keys of the captions for a group; a crossing is named by its two parts."""
        if breakdown == ALL:
            return set()
        needed = {("breakdown", breakdown)} | {
            ("group", place_of(breakdown, code))
            for code in (group, reference)
            if code not in {"", ALL, REST}
        }
        if reference:
            needed.add(("pair", place_of(breakdown, group, reference)))
        if CROSS in breakdown:
            parts = zip(breakdown.split(CROSS), group.split(CROSS), strict=True)
            needed |= {("group", place_of(*part)) for part in parts}
        return needed

    def _no_caption(self, kind: str, key: str) -> Problem:
        return Problem(
            found=f"no caption of kind '{kind}' for '{key}' in language '{self.language}'",
            expected="a text for everything that the release prints",
            advice="add the text to the study's schemas",
            item=key,
        )

"""The words of a report in one language: fixed phrases and the study's captions."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from pandera.typing import DataFrame

from pipeline.disseminate.figures import place_of
from pipeline.disseminate.model import Line, Number
from pipeline.errors import Problem, RenderError, nearest
from pipeline.tables import Captions, Release
from pipeline.tables.flow import ALL, RESPONSE, REST

_TEXTS = Path(__file__).parent / "texts"
_NO_BREAK = "\N{NO-BREAK SPACE}"

_STUDY = ("title", "population", "source", "publisher")
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
        rows = captions[captions[Captions.language] == language]
        self._captions = {
            (str(kind), str(key)): str(text)
            for kind, key, text in zip(
                rows[Captions.kind], rows[Captions.key], rows[Captions.text], strict=True
            )
        }

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
        if (kind, key) not in self._captions:
            raise RenderError(self._no_caption(kind, key))
        return self._captions[kind, key]

    def captions(self, kind: str) -> tuple[tuple[str, str], ...]:
        """All texts of a kind as pairs of key and text, in the order of printing."""
        return tuple((k, text) for (found, k), text in self._captions.items() if found == kind)

    def has_caption(self, kind: str, key: str) -> bool:
        """Whether the study has this text."""
        return (kind, key) in self._captions

    def group_label(self, breakdown: str, group: str) -> str:
        """The name of a group, of everybody, or of the rest."""
        if ALL in (breakdown, group):
            return self._captions.get(("breakdown", ALL), self.word("word.everybody"))
        if group == REST:
            return self.word("word.rest")
        return self.caption("group", place_of(breakdown, group))

    def indicator_label(self, indicator: str) -> str:
        """The name of an indicator, or of the response."""
        if indicator == RESPONSE:
            return self.word("word.response")
        return self.caption("indicator", indicator)

    def unit(self, indicator: str) -> str:
        """The unit of an indicator; the response is in per cent."""
        return "%" if indicator == RESPONSE else self.caption("unit", indicator)

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
        for indicator, breakdown, group, reference in zip(
            *(release[column] for column in columns), strict=True
        ):
            if indicator != RESPONSE:
                needed |= {(kind, indicator) for kind in _INDICATOR}
            if breakdown != ALL:
                needed.add(("breakdown", breakdown))
                needed |= {
                    ("group", place_of(breakdown, code))
                    for code in (group, reference)
                    if code not in {"", ALL, REST}
                }
        return tuple(self._no_caption(*key) for key in sorted(needed - self._captions.keys()))

    def _no_caption(self, kind: str, key: str) -> Problem:
        return Problem(
            found=f"no caption of kind '{kind}' for '{key}' in language '{self.language}'",
            expected="a text for everything that the release prints",
            advice="add the text to the study's schemas",
            item=key,
        )

"""The words of the analyst's pages in one language: fixed texts, the study's captions, numbers."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd
from babel import Locale
from babel.numbers import format_decimal, format_percent

from pipeline.errors import Problem, RenderError
from pipeline.tables import Captions
from pipeline.tables.flow import ALL, RESPONSE

_TEXTS = Path(__file__).parent / "texts"
_MINUS = "\N{MINUS SIGN}"


class Words:
    """Texts and captions of a language; `check` names every caption that is not there."""

    def __init__(self, language: str, captions: pd.DataFrame) -> None:
        file = _TEXTS / f"{language}.toml"
        self.language = language
        self.texts: dict[str, dict[str, str]] = tomllib.loads(file.read_text("utf-8"))
        rows = captions.loc[captions[Captions.language] == language]
        columns = (rows[c].tolist() for c in (Captions.kind, Captions.key, Captions.text))
        self._captions: dict[tuple[str, str], str] = {
            (kind, key): text for kind, key, text in zip(*columns, strict=True)
        }
        pattern = Locale.parse(language).percent_formats[None].pattern
        self._percent = pattern.replace("0", "0.0", 1)

    def say(self, section: str, phrase: str, **parts: str) -> str:
        """A fixed text with its gaps filled."""
        return self.texts[section][phrase].format_map(parts)

    def rule(self, name: str) -> dict[str, str]:
        """Name and explanation of a rule."""
        return self.texts[f"rule_{name}"]

    def explain(self, name: str) -> str:
        """What a rule forbids, with its thresholds."""
        limits = {key: text for (kind, key), text in self._captions.items() if kind == "limit"}
        return self.rule(name)["text"].format_map(limits)

    def check(self, needed: Iterable[tuple[str, str]]) -> None:
        """Refuse captions (kind and key) that the study does not have, all at once."""
        problems = [
            Problem(
                found=f"no caption of kind '{kind}' for '{key}' in language '{self.language}'",
                expected="a text for everything that the page names",
                advice="add the text to the study's schemas",
                item=key,
            )
            for kind, key in sorted({*needed} - {*self._captions})
        ]
        if problems:
            raise RenderError(problems)

    def study(self, name: str) -> str:
        """A text about the study."""
        return self._captions["study", name]

    def indicator(self, name: str) -> str:
        """The name of an indicator, or of the response."""
        found = self.texts["word"][RESPONSE] if name == RESPONSE else None
        return found or self._captions["indicator", name]

    def breakdown(self, name: str) -> str:
        """The name of a breakdown, or of everybody."""
        found = self.texts["word"]["all_title"] if name == ALL else None
        return found or self._captions["breakdown", name]

    def column(self, name: str) -> str:
        """The name of a column of the register."""
        return self._captions["column", name]

    def group(self, breakdown: str, group: str) -> str:
        """The name of a group, or of everybody."""
        if breakdown == ALL:
            return self.texts["word"]["everybody"]
        return self._captions["group", f"{breakdown}={group}"]

    def groups(self, keys: Iterable[str], *, within: str) -> str:
        """Groups (``breakdown=group``) as a phrase; with their breakdown where it is another."""
        return self.named([self._told(*key.split("=", 1), within=within) for key in keys])

    def _told(self, breakdown: str, group: str, *, within: str) -> str:
        label = self.group(breakdown, group)
        known = breakdown in (within, ALL)
        return label if known else f"{label} ({self.breakdown(breakdown)})"

    def named(self, names: Sequence[str]) -> str:
        """Names as an enumeration; labels have commas, so they are told apart by semicolons."""
        separator = "; " if any("," in name for name in names) else ", "
        *first, last = names
        return f"{separator.join(first)}{self.texts['word']['and']}{last}" if first else last

    def count(self, number: float) -> str:
        """A count as the language writes it."""
        return str(format_decimal(int(number), locale=self.language))

    def difference(self, number: float) -> str:
        """A count with its sign."""
        sign = "+" if number > 0 else _MINUS if number < 0 else "±"
        return sign + self.count(abs(number))

    def percent(self, share: float) -> str:
        """A share in per cent with one decimal."""
        return str(format_percent(share, format=self._percent, locale=self.language))

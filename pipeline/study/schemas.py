"""The tables of `schemas/` as the analyst wrote them, row by row with their places."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import pandas as pd
from pandera.typing import DataFrame

from pipeline.errors import Problem
from pipeline.study.questions import expand, options_of
from pipeline.study.settings import StudyFile
from pipeline.tables import (
    ChangeRules,
    Codes,
    Columns,
    Concordances,
    Definitions,
    Edits,
    Questions,
)

FILES = {
    "questions": "questionnaire/items.csv",
    "codes": "questionnaire/codes.csv",
    "columns": "questionnaire/columns.csv",
    "changes": "questionnaire/changes.csv",
    "edits": "edits.csv",
    "definitions": "indicators.csv",
}
"""The csv file of each table, below schemas/."""
PATTERN = re.compile(r"d+")
"""A code that stands for every number of as many digits."""


@dataclass(frozen=True)
class Row:
    """A row of a table: its file, the line where it begins, its cells by column."""

    file: str
    line: str
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        """Text of a cell."""
        return self.cells[column]

    def problem(self, column: str, expected: str, advice: str, found: str | None = None) -> Problem:
        """A problem in a cell; what was found is the cell unless it is only a part of it."""
        text = self[column] if found is None else found
        shown = f"'{text}'" if text else "nothing"
        return Problem(shown, expected, advice, file=self.file, row=self.line, item=column)

    def waves(self, waves: Sequence[str]) -> tuple[str, ...]:
        """The waves from `from_wave` to `to_wave`, both inclusive and open where empty."""
        first, last = self["from_wave"], self["to_wave"]
        return tuple(w for w in waves if first <= w and (not last or w <= last))


@dataclass(frozen=True, eq=False)
class Schemas:
    """What `schemas/` holds, tables indexed by file and line; `waves` are those with a folder."""

    settings: StudyFile
    questions: DataFrame[Questions]
    codes: DataFrame[Codes]
    columns: DataFrame[Columns]
    changes: DataFrame[ChangeRules]
    edits: DataFrame[Edits]
    definitions: DataFrame[Definitions]
    concordances: DataFrame[Concordances]
    waves: tuple[str, ...]

    @functools.cached_property
    def rows(self) -> dict[str, tuple[Row, ...]]:
        """The rows of each table, by its name."""
        names = (*FILES, "concordances")
        return {name: tuple(_rows(getattr(self, name))) for name in names}

    @functools.cached_property
    def items(self) -> pd.DataFrame:
        """The questionnaire by item, see `Items`."""
        return expand(self.questions, self.codes)

    @functools.cached_property
    def options(self) -> dict[str, tuple[str, ...]]:
        """What `count` counts of each multi: its options that are not exclusive."""
        return options_of(self.questions, self.items)

    @functools.cached_property
    def asked(self) -> dict[str, dict[str, Row]]:
        """The version of each item and question in each wave that asks it."""
        found: dict[str, dict[str, Row]] = {}
        expanded = self.items.set_axis(pd.MultiIndex.from_product([[""], range(len(self.items))]))
        for row in (*self.rows["questions"], *_rows(expanded)):
            versions = found.setdefault(row["item"], {})
            versions.update(dict.fromkeys(row.waves(self.waves), row))
        return found

    @functools.cached_property
    def codes_by_list(self) -> dict[str, tuple[Row, ...]]:
        """The rows of each code list."""
        found: dict[str, tuple[Row, ...]] = {}
        for row in self.rows["codes"]:
            found[row["code_list"]] = (*found.get(row["code_list"], ()), row)
        return found

    @functools.cached_property
    def derived(self) -> frozenset[str]:
        """Items that no wave asks: the targets of changes of kind class."""
        rules = [row["apply"] for row in self.rows["changes"] if row["kind"] == "class"]
        return frozenset(rule.split()[0] for rule in rules if rule)

    @functools.cached_property
    def register(self) -> dict[str, str]:
        """Columns of the register with their code lists."""
        columns = self.settings.register_columns
        return {name: column.code_list for name, column in columns.items()}

    def valid_codes(self, code_list: str, waves: Iterable[str]) -> set[str]:
        """Codes of a list that are valid in one of the waves."""
        rows = self.codes_by_list.get(code_list, ())
        return {row["code"] for row in rows if set(waves) & set(row.waves(self.waves))}

    def types(self, name: str, waves: Iterable[str]) -> set[str]:
        """Types that an item or question has in these waves."""
        asked = self.asked.get(name, {})
        return {asked[wave]["type"] for wave in waves if wave in asked}


def fits(code: str | float, codes: Iterable[str]) -> bool:
    """Whether a code of a formula is one of `codes`, as text or as a number, or fits a pattern."""
    if isinstance(code, str):
        return any(
            code == c or (PATTERN.fullmatch(c) and re.fullmatch(rf"[0-9]{{{len(c)}}}", code))
            for c in codes
        )
    for c in codes:
        if PATTERN.fullmatch(c):
            if code == int(code) and 0 <= code < 10 ** len(c):
                return True
        elif code == _number(c):
            return True
    return False


def _number(code: str) -> float | None:
    try:
        return float(code)
    except ValueError:
        return None


def _rows(frame: pd.DataFrame) -> Iterator[Row]:
    records = cast("list[dict[str, str]]", frame.to_dict("records"))
    for (file, line), cells in zip(frame.index, records, strict=True):
        yield Row(file, str(line), cells)

"""The rows of a study's tables with their places, for messages that say where a mistake is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from pipeline.errors import Problem
from pipeline.study.model import Study

FILES = {
    "items": "questionnaire/items.csv",
    "codes": "questionnaire/codes.csv",
    "columns": "questionnaire/columns.csv",
    "changes": "questionnaire/changes.csv",
    "edits": "edits.csv",
    "indicators": "indicators.csv",
}
"""The csv file of each table, below schemas/."""


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


def rows_of(study: Study, table: str) -> Iterator[Row]:
    """Each row of a table; its index holds the lines."""
    frame = getattr(study, table)
    records = cast("list[dict[str, str]]", frame.to_dict("records"))
    for line, cells in zip(frame.index, records, strict=True):
        yield Row(FILES[table], str(line), cells)

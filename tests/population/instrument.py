"""The questionnaire as the survey tools had it: `instrument.csv`, one row per column of an export.

Item, question, kind (single, option, row, integer, number, percent), code of the option or row, the
first wave that asked it, and the heading of the Excel export of 2025.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

UNIPARK, LIMESURVEY_CODES, LIMESURVEY_TEXT, LIMESURVEY_BRACKETS = "2023", "2024", "2025", "2026"


class Column(NamedTuple):
    """A row of `instrument.csv`."""

    item: str
    question: str
    kind: str
    code: str
    from_wave: str
    heading: str


def _read() -> tuple[Column, ...]:
    with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        return tuple(Column(**row) for row in csv.DictReader(file))


COLUMNS = _read()
ROUTING = {
    **dict.fromkeys(("B02", "B03", "B04", "B05", "E04", "F03"), "B01"),
    "C06": "C05",
    "E05": "E02",
    "F04": "A03",
    "G05": "G04",
    "G06": "G05",
    "G07": "G05",
}
"""Questions that not everybody is asked, and the question on which that hangs."""


def asked_in(wave: str) -> tuple[Column, ...]:
    """The columns of a wave, in the order of the questionnaire."""
    return tuple(column for column in COLUMNS if column.from_wave <= wave)


def items_of(question: str) -> list[str]:
    """The items of a question: its options or rows, or itself."""
    return [column.item for column in COLUMNS if column.question == question]


def headings(wave: str) -> dict[str, str]:
    """Heading by item in the export of a wave."""
    columns = asked_in(wave)
    if wave == UNIPARK:
        return _numbered(columns)
    if wave == LIMESURVEY_CODES:
        return {column.item: column.item for column in columns}
    if wave == LIMESURVEY_TEXT:
        return {column.item: column.heading for column in columns}
    return {c.item: f"{c.question}[{c.code}]" if c.code else c.item for c in columns}


def _numbered(columns: tuple[Column, ...]) -> dict[str, str]:
    """`item_01`, options `item_13_99`, rows of a grid `item_20_1`, `item_20_2`, …"""
    numbers = {q: n for n, q in enumerate(dict.fromkeys(c.question for c in columns), 1)}
    names = {}
    for column in columns:
        name = f"item_{numbers[column.question]:02}"
        if column.kind == "row":
            name += f"_{'abcdefghi'.index(column.code) + 1}"
        elif column.code:
            name += f"_{column.code}"
        names[column.item] = name
    return names


def column_map(waves: tuple[str, ...]) -> list[tuple[str, str, str]]:
    """Wave, column and item wherever the heading is not the item itself (`columns.csv`)."""
    return [
        (wave, column, item)
        for wave in waves
        for item, column in headings(wave).items()
        if column != item
    ]

"""Waves that do not exist, periods that are none, items that a wave did not ask."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from pipeline.errors import Problem, nearest
from pipeline.study.schemas import Row, Schemas

PERIODS = ("questions", "codes", "changes", "edits", "definitions")


def check_waves(schemas: Schemas) -> Iterator[Problem]:
    """Waves in their order; every wave that is named; versions that overlap."""
    yield from _order_of_waves(schemas.waves)
    yield from _periods(schemas)
    yield from _versions(schemas)
    yield from overlaps(schemas.rows["codes"], ("code_list", "code"), "a code")


def unasked(schemas: Schemas, row: Row, column: str, names: Iterable[str]) -> Iterator[Problem]:
    """Items that were not asked in all waves of the row: missing answers would decide there."""
    for name in sorted(set(names) & schemas.asked.keys()):
        absent = sorted(set(row.waves(schemas.waves)) - schemas.asked[name].keys())
        if absent:
            expected = f"an item that is asked in every wave of the row; not in {', '.join(absent)}"
            advice = f"set from_wave and to_wave of the row to waves in which {name} is asked"
            yield row.problem(column, expected, advice, name)


def overlaps(rows: Iterable[Row], key: tuple[str, ...], what: str) -> Iterator[Problem]:
    """Rows of the same key that hold in the same wave."""
    seen: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        others = seen.setdefault(tuple(row[column] for column in key), [])
        for other in others:
            if not (_ends_before(other, row) or _ends_before(row, other)):
                expected = f"{what} once in each wave; it is in line {other.line} too"
                yield row.problem(key[-1], expected, "limit the older one with to_wave")
        others.append(row)


def _ends_before(row: Row, other: Row) -> bool:
    return bool(row["to_wave"]) and row["to_wave"] < other["from_wave"]


def _versions(schemas: Schemas) -> Iterator[Problem]:
    """Versions of a question that go on when the next one has begun."""
    rows = sorted(schemas.rows["questions"], key=lambda row: (row["item"], row["from_wave"]))
    for older, newer in pairwise(rows):
        if older["item"] != newer["item"] or _ends_before(older, newer):
            continue
        if older["to_wave"]:
            expected = f"an end before {newer['from_wave']}: line {newer.line} has the next version"
            yield older.problem("to_wave", expected, "name the last wave that asked this version")
        else:
            expected = f"an item once in each wave; the version in line {older.line} has no end"
            advice = "name its last wave in to_wave, or rename the item"
            yield newer.problem("item", expected, advice)


def _order_of_waves(waves: tuple[str, ...]) -> Iterator[Problem]:
    """Waves are in the order of their names as text; 9 must not come after 10."""
    by_number = sorted(waves, key=lambda w: [int(p) for p in re.findall(r"[0-9]+", w)])
    for wave, expected in zip(waves, by_number, strict=True):
        if wave != expected:
            advice = "name the folders so that they sort by age, with as many digits (09, 10)"
            found = f"'{wave}' before '{expected}'"
            yield Problem(found, "names in the order of the waves", advice, wave=wave)
            return


def _periods(schemas: Schemas) -> Iterator[Problem]:
    """Waves that do not exist, or that end before they begin."""
    named = [("columns", "wave"), *((t, c) for t in PERIODS for c in ("from_wave", "to_wave"))]
    for table, column in named:
        for row in schemas.rows[table]:
            if row[column] not in schemas.waves and (row[column] or column == "wave"):
                expected = "a wave with a folder below data/raw"
                yield row.problem(column, expected, nearest(row[column], schemas.waves))
            elif column == "to_wave" and row[column] and row[column] < row["from_wave"]:
                advice = f"{row['from_wave']} or later, or empty for no end"
                yield row.problem(column, "not before from_wave", advice)

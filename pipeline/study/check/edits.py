"""Whether edit rules have what their kind needs, and nothing that it would not use."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.errors import Problem, nearest
from pipeline.study.check.changes import NEEDED
from pipeline.study.check.waves import overlaps, unasked
from pipeline.study.schemas import Row, Schemas

BUILT_IN = (
    "above_max",
    "answered_although_routed_out",
    "routed_out_although_asked",
    "below_min",
    "code_not_in_list",
    "duplicate_key",
    "duplicate_row",
    "exclusive_with_others",
    "key_missing",
    "no_answers",
    "not_a_number",
    "not_finite",
    "not_in_register",
    "not_whole",
    "ragged_row",
)
"""Rules of reading and decoding themselves."""
USED = {
    "hard": ("test", "items"),
    "soft": ("test", "items"),
    "parts": ("test", "items", "tolerance"),
    "score": ("items",),
    "built_in": ("test",),
}
"""Cells that a kind of rule needs; `condition` may be there except for built_in."""


def check_edits(schemas: Schemas) -> Iterator[Problem]:
    """Cells that are missing or too many; items and built-in rules that do not exist."""
    built_in = []
    for row in schemas.rows["edits"]:
        yield from _cells(row)
        yield from _items(schemas, row)
        if row["kind"] == "built_in":
            for name in row["test"].split():
                built_in.append(Row(row.file, row.line, {**row.cells, "test": name}))
                if name not in BUILT_IN:
                    expected = "rules of reading and decoding"
                    yield row.problem("test", expected, nearest(name, BUILT_IN), name)
    yield from overlaps(built_in, ("test",), "a rule")


def _cells(row: Row) -> Iterator[Problem]:
    for column in ("test", "items", "tolerance", "condition"):
        is_filled = row[column] == row[column] and row[column] != ""  # NaN where it is empty
        if column in USED[row["kind"]] and not is_filled:
            expected = f"something: the kind is {row['kind']}"
            yield row.problem(column, expected, "fill the cell in, or take the row out", "")
        elif column not in (*USED[row["kind"]], "condition") and is_filled:
            yield row.problem(column, f"nothing: the kind is {row['kind']}", "clear the cell")
    if row["kind"] == "built_in" and row["condition"]:
        yield row.problem("condition", "nothing: the kind is built_in", "clear the cell")


def _items(schemas: Schemas, row: Row) -> Iterator[Problem]:
    names = row["items"].split()
    for name in sorted({*names} - schemas.asked.keys()):
        yield row.problem("items", "items of items.csv", nearest(name, schemas.asked), name)
    yield from unasked(schemas, row, "items", names)
    if row["kind"] not in {"parts", "score"}:
        return
    if row["kind"] == "parts" and len(names) == 1:
        yield row.problem("items", "two items or more that add up", "name all parts")
    for name in sorted({*names} & schemas.asked.keys()):
        waves = row.waves(schemas.waves)
        wrong = [wave for wave in waves if schemas.types(name, [wave]) - {*NEEDED["unit"]}]
        if wrong:
            expected = f"an item with numbers in every wave of the row; not in {', '.join(wrong)}"
            advice = "use another item, or limit the waves of the row"
            yield row.problem("items", expected, advice, name)

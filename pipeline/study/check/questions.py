"""Whether items have the code lists that their types need, and columns their items."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.errors import Problem, nearest
from pipeline.study.questions import SEVERAL
from pipeline.study.schemas import Row, Schemas

CODED = ("single", *SEVERAL)
"""Types that need a code list."""


def check_questions(schemas: Schemas) -> Iterator[Problem]:
    """Code lists and rows that are missing or too many; columns of items that are not asked."""
    types: dict[str, str] = {}
    for row in schemas.rows["questions"]:
        yield from _lists(schemas, row)
        low, high = float(row["minimum"]), float(row["maximum"])
        if low > high:
            expected = f"at most the maximum, {high:g}"
            yield row.problem("minimum", expected, "correct one of the bounds", f"{low:g}")
        before = types.setdefault(row["item"], row["type"])
        if row["type"] != before and {row["type"], before} & {*SEVERAL}:
            advice = "give the new question a name of its own"
            yield row.problem("type", f"{before}, as in the version before", advice)
    yield from _columns(schemas)


def _lists(schemas: Schemas, row: Row) -> Iterator[Problem]:
    lists = schemas.codes_by_list
    for column, types in (("code_list", CODED), ("rows", ("grid",))):
        if row["type"] in types and row[column] not in lists:
            advice = nearest(row[column], lists)
            yield row.problem(column, "a code list of codes.csv or classifications/", advice)
        elif row["type"] not in types and row[column]:
            advice = f"set the type to {' or '.join(types)}, or clear the cell"
            yield row.problem(column, f"nothing: the type is {row['type']}", advice)


def _columns(schemas: Schemas) -> Iterator[Problem]:
    items = set(schemas.items["item"])
    for row in schemas.rows["columns"]:
        name = row["item"]
        if name not in items:
            expected = "an item of items.csv (an option, a row), not a question with several"
            yield row.problem("item", expected, nearest(name, items))
        elif name in schemas.derived:
            advice = "take the row out: the item is filled by a change of kind class"
            yield row.problem("item", "an item that is asked", advice)
        elif row["wave"] not in schemas.asked[name]:
            advice = "correct from_wave or to_wave in items.csv or codes.csv, or take the row out"
            yield row.problem("item", f"an item that is asked in {row['wave']}", advice)

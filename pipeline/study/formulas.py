"""Whether the formulas of a study can be read, and can mean what they say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from pipeline.errors import Problem, nearest
from pipeline.expressions import FormulaError, compared_codes, is_truth, parse
from pipeline.study.model import Study
from pipeline.study.rows import Row, rows_of

CONDITIONS = (
    ("items", "routing"),
    ("edits", "test"),
    ("edits", "condition"),
    ("indicators", "base"),
)
AMOUNTS = (("indicators", "numerator"), ("indicators", "denominator"))


def check_formulas(study: Study, waves: Sequence[str]) -> Iterator[Problem]:
    """What is wrong in any formula: syntax, items, codes, waves, an amount for a condition."""
    items = {row["item"]: row for row in rows_of(study, "items")}
    for table, column in (*CONDITIONS, *AMOUNTS):
        for row in rows_of(study, table):
            if not row[column]:
                continue
            try:
                names = parse(row[column]).names
            except FormulaError as error:
                advice = "see the formulas in CONTRIBUTING.md"
                yield row.problem(column, f"a formula; this {error}", advice)
                continue
            yield from _names(row, column, names, items)
            yield from unasked(row, column, names & items.keys(), items, waves)
            yield from _codes(row, column, study, items)
            yield from _kind(row, table, column)
            if column == "routing":
                yield from _order(row, names, list(items))


def unasked(
    row: Row,
    column: str,
    names: Sequence[str] | frozenset[str],
    items: dict[str, Row],
    waves: Sequence[str],
) -> Iterator[Problem]:
    """Items that were not asked in all waves of the row: missing answers would decide there."""
    for name in sorted(names):
        absent = sorted(set(row.waves(waves)) - set(items[name].waves(waves)))
        if absent:
            expected = f"an item that is asked in every wave of the row; not in {', '.join(absent)}"
            advice = f"set from_wave and to_wave of the row to waves in which {name} is asked"
            yield row.problem(column, expected, advice, name)


def _names(
    row: Row, column: str, names: frozenset[str], items: dict[str, Row]
) -> Iterator[Problem]:
    for name in sorted(names - items.keys()):
        expected = f"an item of items.csv in '{row[column]}'"
        yield row.problem(column, expected, nearest(name, items), name)
    for name in sorted(n for n in names & items.keys() if items[n]["type"] == "text"):
        expected = "an item with numbers or codes"
        yield row.problem(column, expected, f"{name} is of type text; use another item", name)


def _codes(row: Row, column: str, study: Study, items: dict[str, Row]) -> Iterator[Problem]:
    """Codes that an item's list does not have, so that the comparison could never hold."""
    for name, code in compared_codes(row[column]):
        if name not in items or items[name]["type"] == "text":
            continue
        of_list = study.codes["code_list"] == items[name]["code_list"]
        codes = study.codes.loc[of_list, "code"]
        is_single = items[name]["type"] == "single"
        if isinstance(code, str):
            holds = is_single and code in set(codes)
        else:
            holds = not is_single or code in set(pd.to_numeric(codes, errors="coerce"))
        if not holds:
            expected = f"a code of {name}" if is_single else f"a number: {name} has no codes"
            advice = nearest(str(code), codes) if is_single else "write it without quotation marks"
            yield row.problem(column, expected, advice, str(code))


def _kind(row: Row, table: str, column: str) -> Iterator[Problem]:
    must_hold = (table, column) in CONDITIONS or (column == "numerator" and row["kind"] == "share")
    if must_hold and not is_truth(row[column]):
        yield row.problem(column, "something true or false", "compare it, for instance with > 0")


def _order(row: Row, names: frozenset[str], order: list[str]) -> Iterator[Problem]:
    """Routing leads on from answers that were given before."""
    later = order[order.index(row["item"]) :]
    for name in sorted(names.intersection(later)):
        expected = "an item that stands above this one"
        yield row.problem("routing", expected, "put the rows in the order of the questions", name)

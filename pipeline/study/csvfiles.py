"""Read a csv file of `schemas/` by its model; whatever is wrong with it is named with its line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from pipeline.errors import Problem, nearest

Model = type[pa.DataFrameModel]


def read_table(
    schemas: Path, file: str, model: Model, problems: list[Problem]
) -> pd.DataFrame | None:
    """Table of a csv file, indexed by file and line; None where problems were added to the list."""
    columns = list(model.to_schema().columns)
    if not (schemas / file).is_file():
        advice = f"add it, with the headings {','.join(columns)}"
        problems.append(Problem("no such file", "a csv file", advice, file=file))
        return None
    before = len(problems)
    rows = _read_rows(schemas / file, file, problems)
    if len(problems) == before:
        problems += _check_rows(file, rows, columns)
    if len(problems) > before:
        return None
    headings = [heading.strip() for heading in rows[0][1]]
    lines = [line for line, _ in rows[1:]]
    table = pd.DataFrame([row for _, row in rows[1:]], index=lines, columns=headings, dtype=str)
    table = pd.DataFrame({name: _clean(table[name]) for name in columns})
    typed = _typed(file, table, model, problems)
    if typed is not None:
        typed.index = pd.MultiIndex.from_product([[file], lines])
    return typed


def not_utf8(file: str, advice: str) -> Problem:
    """The problem of a file in another encoding."""
    return Problem("characters that are not UTF-8", "a file in UTF-8", advice, file=file)


def _read_rows(path: Path, file: str, problems: list[Problem]) -> list[tuple[int, list[str]]]:
    """Records of a csv file with the line in which each begins; blank ones are left out."""
    rows: list[tuple[int, list[str]]] = []
    line = 1
    try:
        text = path.read_text(encoding="utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        for row in reader:
            if any(field.strip() for field in row):
                rows.append((line, row))
            line = reader.line_num + 1
    except UnicodeDecodeError:
        problems.append(not_utf8(file, "save it as 'CSV UTF-8'"))
    except csv.Error as error:
        found = f"quotation marks that do not pair ({error})"
        advice = 'close the quotation mark; one inside a text is written ""'
        problems.append(
            Problem(found, "quotation marks in pairs", advice, file=file, row=str(line))
        )
    return rows


def _check_rows(
    file: str, rows: list[tuple[int, list[str]]], columns: list[str]
) -> Iterator[Problem]:
    line, headings = rows[0] if rows else (1, [])
    yield from _check_headings(file, str(line), [h.strip() for h in headings], columns)
    for line, row in rows[1:]:
        if len(row) != len(headings):
            expected = f"{len(headings)} fields, as in the heading"
            advice = "put a text that contains a comma between quotation marks"
            yield Problem(f"{len(row)} fields", expected, advice, file=file, row=str(line))


def _check_headings(
    file: str, line: str, found: list[str], expected: list[str]
) -> Iterator[Problem]:
    signs = [sign for sign in (";", "\t") if len(found) == 1 and sign in found[0]]
    if signs:
        advice = "save it with commas (in LibreOffice: field delimiter ,)"
        wanted = "commas between the fields"
        yield Problem(f"{signs[0]!r} between the fields", wanted, advice, file=file, row=line)
        return
    for name in sorted(set(found) - set(expected)):
        advice = nearest(name, expected)
        yield Problem(f"column '{name}'", "no such column", advice, file=file, row=line)
    for name in sorted({name for name in found if found.count(name) > 1}):
        advice = "take one of the columns out"
        yield Problem(f"column '{name}' twice", "each only once", advice, file=file, row=line)
    for name in [name for name in expected if name not in found]:
        advice = f"the headings are {','.join(expected)}"
        yield Problem(f"no column '{name}'", "this column", advice, file=file, row=line)


def _clean(column: pd.Series[str]) -> pd.Series[str]:
    """Put texts into the form that headings and answers have; in what is printed, spaces stay."""
    text = column.str.normalize("NFC").str.strip()
    is_printed = str(column.name).endswith(("_de", "_en"))
    return text if is_printed else text.str.replace("\u00a0", " ")


def _typed(
    file: str, table: pd.DataFrame, model: Model, problems: list[Problem]
) -> pd.DataFrame | None:
    """Turn text into the model's types and check its rules."""
    before = len(problems)
    typed = table.copy()
    dtypes = model.empty().dtypes
    for name, column in model.to_schema().columns.items():
        dtype = dtypes[name]
        if not pd.api.types.is_numeric_dtype(dtype):
            continue
        numbers = pd.to_numeric(table[name], errors="coerce").astype(float)
        bad = ~np.isfinite(numbers) & ~((table[name] == "") & column.nullable)
        expected = "a number with a decimal point"
        if dtype.kind == "i":
            bad |= numbers % 1 != 0
            expected = "a whole number"
        for line, text in table[name][bad].items():
            shown = f"'{text}'" if text else "nothing"
            place = {"file": file, "row": str(line), "item": name}
            problems.append(Problem(shown, expected, "write 1234.5 or 12", **place))
        typed[name] = numbers.where(~bad, 0).astype(dtype)
    if len(problems) > before:
        return None
    try:
        return model.validate(typed, lazy=True)
    except SchemaErrors as error:
        problems += _failures(file, error.failure_cases, model)
    return None


def _failures(file: str, cases: pd.DataFrame, model: Model) -> Iterator[Problem]:
    """Failures as pandera lists them, one for each line and rule."""
    allowed = {
        name: [check.statistics.get("allowed_values") for check in column.checks]
        for name, column in model.to_schema().columns.items()
    }
    for (line, rule), rows in cases.groupby(["index", "check"], dropna=False):
        found = " ".join(f"'{v}'" if str(v) else "nothing" for v in rows["failure_case"])
        names = [str(name) for name in rows["column"]]
        expected, advice = re.sub(r"[_()]", " ", str(rule)).strip(), "correct the value"
        if "unique" in str(rule):
            same = " and ".join(names)
            expected, advice = f"each {same} once", "take one of the rows out"
        elif str(rule).startswith("str_length"):
            expected, advice = "a text", "fill the cell in"
        elif str(rule).startswith("isin"):
            values = next(v for v in allowed[names[0]] if v)
            expected = f"one of {', '.join(v for v in values if v)}"
            advice = nearest(str(rows["failure_case"].iloc[0]), values)
        yield Problem(found, expected, advice, file=file, row=str(line), item=" ".join(names))

"""Read a study folder; every mistake in it is named at once, with file, line and nearest name."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pipeline.errors import Problem, StudyError, nearest
from pipeline.study.check import check_study
from pipeline.study.model import (
    BenchmarkPair,
    Publication,
    RegisterColumn,
    Study,
    StudyFile,
    Weighting,
)
from pipeline.study.rows import FILES
from pipeline.tables import ChangeRules, Codes, Columns, Edits, Indicators, Items

MODELS: dict[str, type[pa.DataFrameModel]] = {
    "items": Items,
    "codes": Codes,
    "columns": Columns,
    "changes": ChangeRules,
    "edits": Edits,
    "indicators": Indicators,
}
SECTIONS = (StudyFile, RegisterColumn, Weighting, Publication, BenchmarkPair)
"""What study.toml consists of."""


def read_study(folder: Path) -> Study:
    """Read and check the study in `folder`; raises StudyError with every problem found."""
    schemas = folder / "schemas"
    if not (schemas / "study.toml").is_file():
        raise StudyError(_no_study(folder))
    problems: list[Problem] = []
    settings = _read_settings(schemas / "study.toml", problems)
    tables = {n: _read_table(schemas, FILES[n], m, problems) for n, m in MODELS.items()}
    if problems or settings is None:
        raise StudyError(sorted(problems))
    study = Study(folder, settings, **tables)  # type: ignore[arg-type] # each by its own model
    problems = check_study(study, find_waves(study.raw))
    if problems:
        raise StudyError(sorted(problems))
    return study


def find_waves(raw: Path) -> tuple[str, ...]:
    """Names of the waves, oldest first: the folders below data/raw that have a wave.toml."""
    return tuple(sorted(path.parent.name for path in raw.glob("*/wave.toml")))


def _no_study(folder: Path) -> Problem:
    below = sorted(
        str(p.parent.parent.relative_to(folder)) for p in folder.glob("*/*/schemas/study.toml")
    )
    hint = f", for instance --study {below[0]}" if below else ""
    return Problem(
        file=str(folder / "schemas" / "study.toml"),
        found="no such file",
        expected="a study: a folder with schemas/study.toml and data/raw/<wave>/wave.toml",
        advice=f"name the folder of the study with --study DIR{hint}",
    )


def _read_settings(path: Path, problems: list[Problem]) -> StudyFile | None:
    try:
        return StudyFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except UnicodeDecodeError:
        problems.append(_not_utf8(path.name, "save the file as UTF-8"))
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line ([0-9]+)", str(error))
        advice = 'write key = value, texts in quotation marks ("...")'
        row = line[1] if line else ""
        problems.append(Problem(str(error), "a TOML file", advice, file=path.name, row=row))
    except ValidationError as error:
        problems += [_setting(path.name, detail) for detail in error.errors()]
    return None


def _setting(file: str, detail: ErrorDetails) -> Problem:
    place = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        fields = [field for section in SECTIONS for field in section.model_fields.items()]
        known = {field.alias or name for name, field in fields}
        advice = nearest(str(detail["loc"][-1]), known)
        return Problem("an unknown setting", "a setting", advice, file=file, item=place)
    return Problem(
        found="nothing" if detail["type"] == "missing" else repr(detail["input"]),
        expected=detail["msg"][0].lower() + detail["msg"][1:],
        advice="see examples/jtrain/schemas/study.toml for every setting",
        file=file,
        item=place,
    )


def _not_utf8(file: str, advice: str) -> Problem:
    return Problem("characters that are not UTF-8", "a file in UTF-8", advice, file=file)


def _read_table(
    schemas: Path, file: str, model: type[pa.DataFrameModel], problems: list[Problem]
) -> pd.DataFrame | None:
    """Read a csv file by its model, its lines as index; problems are added to the list."""
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
    return _typed(file, table, model, problems)


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
        problems.append(_not_utf8(file, "save it as 'CSV UTF-8'"))
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
        advice = "the headings are those of the same file in examples/jtrain/schemas"
        yield Problem(f"no column '{name}'", "this column", advice, file=file, row=line)


def _clean(column: pd.Series[str]) -> pd.Series[str]:
    """Put texts into the form that headings and answers have; in what is printed, spaces stay."""
    text = column.str.normalize("NFC").str.strip()
    is_printed = str(column.name).endswith(("_de", "_en"))
    return text if is_printed else text.str.replace("\u00a0", " ")


def _typed(
    file: str, table: pd.DataFrame, model: type[pa.DataFrameModel], problems: list[Problem]
) -> pd.DataFrame | None:
    """Turn text into the model's types and check its rules."""
    before = len(problems)
    typed = table.copy()
    for name, column in model.to_schema().columns.items():
        dtype = model.empty()[name].dtype
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


def _failures(file: str, cases: pd.DataFrame, model: type[pa.DataFrameModel]) -> Iterator[Problem]:
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
        elif str(rule).startswith("isin"):
            values = next(v for v in allowed[names[0]] if v)
            expected = f"one of {', '.join(values)}"
            advice = nearest(str(rows["failure_case"].iloc[0]), values)
        yield Problem(found, expected, advice, file=file, row=str(line), item=" ".join(names))

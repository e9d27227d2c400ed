"""Read a study folder; every mistake in it is named at once, with file, line and nearest name."""

from __future__ import annotations

import csv
import tomllib
from pathlib import Path

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors
from pydantic import ValidationError

from pipeline.errors import Problem, StudyError, nearest
from pipeline.study.check import check_study
from pipeline.study.model import Study, StudyFile
from pipeline.tables import ChangeRules, Codes, Columns, Edits, Indicators, Items

TABLES: dict[str, tuple[str, type[pa.DataFrameModel]]] = {
    "items": ("questionnaire/items.csv", Items),
    "codes": ("questionnaire/codes.csv", Codes),
    "columns": ("questionnaire/columns.csv", Columns),
    "changes": ("questionnaire/changes.csv", ChangeRules),
    "edits": ("edits.csv", Edits),
    "indicators": ("indicators.csv", Indicators),
}
FIRST_LINE = 2
"""The line of a csv file that holds its first record."""


def read_study(folder: Path) -> Study:
    """Read and check the study in `folder`; raises StudyError with every problem found."""
    schemas = folder / "schemas"
    if not (schemas / "study.toml").is_file():
        raise StudyError(_no_study(folder))
    problems: list[Problem] = []
    settings = _read_settings(schemas / "study.toml", problems)
    tables = {n: _read_table(schemas / f, model, problems) for n, (f, model) in TABLES.items()}
    if problems or settings is None:
        raise StudyError(sorted(problems))
    study = Study(folder, settings, **tables)  # type: ignore[arg-type] # each by its own model
    problems = check_study(study, find_waves(study.raw), {n: f for n, (f, _) in TABLES.items()})
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
        return StudyFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(
            Problem(str(error), "a TOML file in UTF-8", "mend this line", file=path.name)
        )
    except ValidationError as error:
        for detail in error.errors():
            place = ".".join(str(part) for part in detail["loc"])
            advice = "see examples/jtrain/schemas/study.toml for every setting"
            if detail["type"] == "extra_forbidden":
                advice = nearest(str(detail["loc"][-1]), _setting_names(StudyFile))
            problems.append(
                Problem(
                    found=f"{detail['input']!r}" if detail["type"] != "missing" else "nothing",
                    expected=detail["msg"][0].lower() + detail["msg"][1:],
                    advice=advice,
                    file=path.name,
                    item=place,
                )
            )
    return None


def _setting_names(model: type) -> set[str]:
    fields = getattr(model, "model_fields", {})
    names = {field.alias or name for name, field in fields.items()}
    for field in fields.values():
        names |= _setting_names(field.annotation) if isinstance(field.annotation, type) else set()
    return names


def _read_table(
    path: Path, model: type[pa.DataFrameModel], problems: list[Problem]
) -> pd.DataFrame | None:
    """Read a csv file by its model; problems are added to the list."""
    columns = model.to_schema().columns
    if not path.is_file():
        problems.append(Problem("no such file", "a csv file", "add it", file=path.name))
        return None
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.reader(file, strict=True) if row]
    headings = rows[0] if rows else []
    wrong = _check_headings(path.name, headings, list(columns))
    wrong += [
        Problem(
            found=f"{len(row)} fields",
            expected=f"{len(headings)} fields, as in the heading",
            advice="put a text that contains a comma between quotation marks",
            file=path.name,
            row=str(line),
        )
        for line, row in enumerate(rows[1:], FIRST_LINE)
        if len(row) != len(headings)
    ]
    if wrong:
        problems.extend(wrong)
        return None
    table = pd.DataFrame(rows[1:], columns=headings, dtype=str)[list(columns)]
    table = table.apply(lambda column: column.str.strip())
    return _typed(path.name, table, model, problems)


def _check_headings(file: str, found: list[str], expected: list[str]) -> list[Problem]:
    unknown = [h for h in found if h not in expected]
    missing = [h for h in expected if h not in found]
    advice = "the headings are those of the same file in examples/jtrain/schemas"
    problems = [
        Problem(f"column '{h}'", "no such column", nearest(h, expected), file=file, row="1")
        for h in unknown
    ]
    problems += [
        Problem(f"no column '{h}'", "this column", advice, file=file, row="1") for h in missing
    ]
    return problems


def _typed(
    file: str, table: pd.DataFrame, model: type[pa.DataFrameModel], problems: list[Problem]
) -> pd.DataFrame | None:
    """Turn text into the model's types and check its rules."""
    before = len(problems)
    typed = table.copy()
    lines = range(FIRST_LINE, FIRST_LINE + len(table))
    for name, dtype in model.empty().dtypes.items():
        if not pd.api.types.is_numeric_dtype(dtype):
            continue
        numbers = pd.to_numeric(table[name], errors="coerce")
        optional = model.to_schema().columns[str(name)].nullable
        bad = numbers.isna() & ((table[name] != "") | (not optional))
        problems += [
            Problem(
                found=text or "nothing",
                expected="a number with a decimal point",
                advice="write 1234.5",
                file=file,
                row=str(line),
                item=str(name),
            )
            for line, text, wrong in zip(lines, table[name], bad, strict=True)
            if wrong
        ]
        typed[name] = (
            numbers.fillna(0).astype(dtype) if dtype.kind == "i" else numbers.astype(dtype)
        )
    if len(problems) > before:
        return None
    try:
        return model.validate(typed, lazy=True)
    except SchemaErrors as error:
        for case in error.failure_cases.to_dict("records"):
            problems.append(_failure(file, case))
    return None


def _failure(file: str, case: dict[str, object]) -> Problem:
    index = pd.to_numeric(str(case.get("index")), errors="coerce")
    line = "" if pd.isna(index) else str(int(index) + FIRST_LINE)
    check = str(case.get("check"))
    if "unique" in check or "duplicate" in check:
        expected, advice = "a row only once", "remove one of the rows"
    else:
        expected, advice = check.replace("isin", "one of "), "correct the value"
    return Problem(
        found=str(case.get("failure_case")),
        expected=expected,
        advice=advice,
        file=file,
        row=line,
        item=str(case.get("column") or ""),
    )

"""Read a study folder; every mistake in it is named at once, with file, line and nearest name."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pandas as pd
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pipeline.errors import Problem, StudyError, nearest
from pipeline.study.check import check_study
from pipeline.study.classifications import read_classifications
from pipeline.study.csvfiles import not_utf8, read_table
from pipeline.study.model import Study
from pipeline.study.ready import ready_changes, ready_edits, ready_indicators, ready_items
from pipeline.study.schemas import FILES, Schemas
from pipeline.study.settings import SECTIONS, StudyFile
from pipeline.tables import (
    ChangeRules,
    Codes,
    Columns,
    Concordances,
    Definitions,
    Edits,
    Questions,
)

MODELS = {
    "questions": Questions,
    "codes": Codes,
    "columns": Columns,
    "changes": ChangeRules,
    "edits": Edits,
    "definitions": Definitions,
}


def read_study(folder: Path) -> Study:
    """Read and check the study in `folder`; raises StudyError with every problem found."""
    schemas = _read_schemas(folder)
    problems = check_study(schemas)
    if problems:
        raise StudyError(sorted(problems))
    return Study(
        folder=folder,
        settings=schemas.settings,
        questions=schemas.questions.reset_index(drop=True),
        items=ready_items(schemas),
        codes=schemas.codes.reset_index(drop=True),
        columns=schemas.columns.reset_index(drop=True),
        changes=ready_changes(schemas),
        edits=ready_edits(schemas),
        indicators=ready_indicators(schemas),
        concordances=schemas.concordances.reset_index(drop=True),
        derived=schemas.derived,
    )


def find_waves(raw: Path) -> tuple[str, ...]:
    """Names of the waves, oldest first: the folders below data/raw that have a wave.toml."""
    return tuple(sorted(path.parent.name for path in raw.glob("*/wave.toml")))


def _read_schemas(folder: Path) -> Schemas:
    """Everything in `schemas/`, each table by its model; raises StudyError."""
    path = folder / "schemas"
    if not (path / "study.toml").is_file():
        raise StudyError(_no_study(folder))
    problems: list[Problem] = []
    settings = _read_settings(path / "study.toml", problems)
    tables = {n: read_table(path, FILES[n], m, problems) for n, m in MODELS.items()}
    lists, concordances = read_classifications(path, problems)
    if problems or settings is None:
        raise StudyError(sorted(problems))
    tables["codes"] = pd.concat([tables["codes"], *lists])
    none = Concordances.empty().set_axis(pd.MultiIndex.from_product([[""], []]))
    tables["concordances"] = pd.concat([none, *concordances])
    waves = find_waves(folder / "data" / "raw")
    return Schemas(settings, waves=waves, **tables)  # type: ignore[arg-type] # each by its model


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
        problems.append(not_utf8(path.name, "save the file as UTF-8"))
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

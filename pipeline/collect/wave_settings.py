"""`data/raw/<wave>/wave.toml`: which files a wave consists of and how they are to be read."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, get_args

from pipeline.errors import Problem, StudyError, UnknownWaveError, nearest
from pipeline.formats import clean
from pipeline.formats.delimited import DELIMITERS
from pipeline.tables.flow import Reason

FILE_NAME = "wave.toml"
REASONS = tuple(reason for reason in get_args(Reason) if reason)


@dataclass(frozen=True)
class WaveSettings:
    """The settings of one wave; `None` and empty text mean: find out, or none.

    `key` is the heading of the column with the firm's id, `register` a file below
    `data/raw/register/`, `missing` maps a text in the files to the reason it stands for; `chosen`
    and `not_chosen` are the texts of a ticked and of an unticked option; `corrections` is a file
    of the wave's folder (see `pipeline.collect.corrections`), empty where there is none.
    """

    wave: str
    files: tuple[str, ...]
    key: str
    register: str
    field_start: dt.date | None
    field_end: dt.date | None
    decimal: str
    thousands: str
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    missing: Mapping[str, Reason]
    chosen: str = "1"
    not_chosen: str = "0"
    corrections: str = ""

    @property
    def field_period(self) -> str:
        """First and last day of the field work, as ISO dates with a slash; empty if not known."""
        return f"{self.field_start}/{self.field_end}" if self.field_start else ""


class _Key(NamedTuple):
    """A key of wave.toml: what it must be, in words and as a test."""

    expected: str
    fits: Callable[[object], bool]
    required: bool = False


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_file_name(value: object) -> bool:
    # No path: a wave consists of files of its own folder, whatever the separator of the system.
    return isinstance(value, str) and bool(value) and not set(value) & set("/\\:")


def _is_file_list(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_file_name, value))


def _is_date(value: object) -> bool:
    return isinstance(value, dt.date) and not isinstance(value, dt.datetime)


def _is_thousands(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 1 and not value.isalnum()


def _is_encoding(value: object) -> bool:
    try:
        return isinstance(value, str) and b" ".decode(value) == " "
    except UnicodeError:
        return True  # one that takes more than one byte a character
    except LookupError:
        return False


_FILE = "a file name in quotation marks, without a folder"
_DATE = "a date without quotation marks (year-month-day)"
KEYS = {
    "wave": _Key("the name of the wave in quotation marks", _is_text, required=True),
    "files": _Key('a list of file names: ["...", "..."]', _is_file_list, required=True),
    "key": _Key("the heading of the column with the firm's id", _is_text, required=True),
    "register": _Key(f"{_FILE}; it lies below data/raw/register/", _is_file_name, required=True),
    "field_start": _Key(_DATE, _is_date),
    "field_end": _Key(_DATE, _is_date),
    "decimal": _Key('"," or "."', lambda value: value in (",", ".")),
    "thousands": _Key('one character that is no digit or letter, or ""', _is_thousands),
    "encoding": _Key('the name of an encoding, such as "utf-8" or "cp1252"', _is_encoding),
    "delimiter": _Key('one of "," ";" "\\t" "|"', lambda value: value in DELIMITERS),
    "sheet": _Key("the name of the sheet with the answers", _is_text),
    "missing": _Key("a table: [missing]", lambda value: isinstance(value, dict)),
    "chosen": _Key("the text of a ticked option, in quotation marks", _is_text),
    "not_chosen": _Key('the text of an unticked option, or ""', lambda v: isinstance(v, str)),
    "corrections": _Key(_FILE, _is_file_name),
}


def read_wave_settings(folder: Path) -> WaveSettings:
    """Read and check `wave.toml` in the folder of a wave.

    Raises UnknownWaveError where there is no such folder, StudyError with everything that is
    wrong in the file: syntax, unknown or missing keys, values of the wrong kind, a wave that is
    not the folder's, dates in the wrong order, unknown reasons, files that are not there.
    """
    table = _load(folder)
    problems = [*_check_keys(table), *_check_values(table), *_check_missing(table)]
    wrong = {problem.item for problem in problems}
    problems += _check_together({k: v for k, v in table.items() if k not in wrong}, folder)
    if problems:
        raise StudyError([replace(p, wave=folder.name, file=FILE_NAME) for p in problems])
    return WaveSettings(
        wave=table["wave"],
        files=tuple(sorted(table["files"])),
        key=clean(table["key"]),
        register=table["register"],
        field_start=table.get("field_start"),
        field_end=table.get("field_end"),
        decimal=table.get("decimal", "."),
        thousands=table.get("thousands", ""),
        encoding=table.get("encoding"),
        delimiter=table.get("delimiter"),
        sheet=table.get("sheet"),
        missing=table.get("missing", {}),
        chosen=table.get("chosen", "1"),
        not_chosen=table.get("not_chosen", "0"),
        corrections=table.get("corrections", ""),
    )


def _load(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        known = [path.parent.name for path in folder.parent.glob(f"*/{FILE_NAME}")]
        raise UnknownWaveError(
            Problem(
                found=f"no folder {folder.name} in {folder.parent.name}/",
                expected=f"a folder for each wave, with a {FILE_NAME} and the files delivered",
                advice=nearest(folder.name, known) if known else "make the folder",
                wave=folder.name,
            )
        )
    try:
        return tomllib.loads((folder / FILE_NAME).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        found, line = "no such file", ""
        advice = f"write one with the keys {', '.join(k for k, v in KEYS.items() if v.required)}"
    except UnicodeDecodeError:
        found, line, advice = "not UTF-8", "", "save the file as UTF-8"
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line (\d+)", str(error))
        found, line = str(error), place[1] if place else ""
        advice = 'write key = value, texts in quotation marks ("...")'
    expected = f"{FILE_NAME}, the settings of the wave"
    raise StudyError(Problem(found, expected, advice, folder.name, FILE_NAME, line))


def _check_keys(table: Mapping[str, object]) -> list[Problem]:
    unknown = [
        Problem("an unknown key", "a key of wave.toml", nearest(key, KEYS), item=key)
        for key in table
        if key not in KEYS
    ]
    absent = [
        Problem("nothing", key.expected, f"add {name} = ...", item=name)
        for name, key in KEYS.items()
        if key.required and name not in table
    ]
    days = ("field_start", "field_end")
    advice = "add the other date, or leave both out where they are not known"
    half = [
        Problem("nothing", "both dates of the field work", advice, item=day)
        for day in days
        if day not in table and any(other in table for other in days)
    ]
    return unknown + absent + half


def _check_values(table: Mapping[str, object]) -> list[Problem]:
    return [
        Problem(repr(table[name]), key.expected, f"correct {name} = ...", item=name)
        for name, key in KEYS.items()
        if name in table and not key.fits(table[name])
    ]


def _check_missing(table: Mapping[str, object]) -> list[Problem]:
    missing = table.get("missing")
    if not isinstance(missing, dict):
        return []
    return [
        Problem(
            found=f"{text} = {reason!r}",
            expected=f"a reason: {', '.join(REASONS)}",
            advice=nearest(str(reason), REASONS),
            item="missing",
        )
        for text, reason in missing.items()
        if reason not in REASONS
    ]


def _check_together(table: Mapping[str, Any], folder: Path) -> list[Problem]:
    """Check values against each other and against the folder; wrong ones are left out before."""
    problems: list[Problem] = []
    if table.get("wave", folder.name) != folder.name:
        advice = f'write wave = "{folder.name}", or rename the folder'
        problems.append(Problem(f"'{table['wave']}'", f"'{folder.name}'", advice, item="wave"))
    start, end = table.get("field_start"), table.get("field_end")
    if start and end and end < start:
        found, expected = f"{end}, before field_start", f"a date from {start} on"
        problems.append(Problem(found, expected, "correct one of the dates", item="field_end"))
    decimal, thousands = table.get("decimal", "."), table.get("thousands", "")
    if thousands == decimal:
        found, expected = f"'{thousands}', as for decimal", "another character"
        advice = "say what the export uses; without separator: leave thousands out"
        problems.append(Problem(found, expected, advice, item="thousands"))
    if table.get("chosen", "1") == table.get("not_chosen", "0"):
        advice = "say what the export writes for a ticked and for an unticked option"
        problems.append(Problem(f"'{table['chosen']}'", "two texts", advice, item="not_chosen"))
    files = table.get("files", [])
    there = [path.name for path in folder.iterdir() if path.name != FILE_NAME]
    for name in sorted(set(files)):
        if files.count(name) > 1:
            found, advice = f"'{name}' {files.count(name)} times", "name it once"
            problems.append(Problem(found, "every file once", advice, item="files"))
    delivered = [("files", name) for name in sorted(set(files))]
    delivered += [("corrections", table["corrections"])] if "corrections" in table else []
    for item, name in delivered:
        if not (folder / name).is_file():
            advice = nearest(name, there) if there else "put the file into the folder"
            expected = "a file in the folder of the wave"
            problems.append(Problem(f"no file '{name}'", expected, advice, item=item))
    return problems

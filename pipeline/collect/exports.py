"""The exports of a wave, as delivered: every cell as text, with its position."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.collect.wave_settings import WaveSettings
from pipeline.errors import ExportError, Problem, nearest
from pipeline.formats import Sheet, clean, listed, read_sheet
from pipeline.formats.sheet import read_bytes
from pipeline.tables import Findings, RawAnswers
from pipeline.tables.flow import RAGGED

READING = {
    "encoding": "look at the umlauts; if they are right, declare the encoding in wave.toml",
    "hidden_sheet": "open the workbook: this sheet was not read",
    "hidden_rows": "open the workbook: rows that it hides were read",
    "hidden_columns": "open the workbook: columns that it hides were read",
    "macros_ignored": "nothing: macros are never run",
}
"""What to do about a normalisation of reading."""
NOTHING = "nothing: it is usual"


@pa.check_types
def read_exports(
    folder: Path, settings: WaveSettings
) -> tuple[DataFrame[RawAnswers], DataFrame[Findings]]:
    """All cells of the delivered files of a wave, and what had to be normalised to read them."""
    sheets = read_sheets(folder, settings)
    return raw_answers(sheets, settings), normalisations(sheets, settings.wave)


def read_sheets(folder: Path, settings: WaveSettings) -> dict[str, Sheet]:
    """Read the files of a wave as text, by file name in alphabetical order.

    Raises ExportError with the problems of all files: those of `pipeline.formats.read_sheet`, and
    a file without the key column.
    """
    sheets: dict[str, Sheet] = {}
    problems: list[Problem] = []
    for name in sorted(settings.files):
        try:
            sheets[name] = read_sheet(
                folder / name,
                encoding=settings.encoding,
                delimiter=settings.delimiter,
                sheet=settings.sheet,
            )
        except ExportError as error:
            problems += error.problems
    problems += [
        _no_key(file, sheet, settings.key)
        for file, sheet in sheets.items()
        if settings.key not in sheet.columns
    ]
    if problems:
        raise ExportError([replace(problem, wave=settings.wave) for problem in problems])
    return sheets


@pa.check_types
def raw_answers(sheets: Mapping[str, Sheet], settings: WaveSettings) -> DataFrame[RawAnswers]:
    """Lay out the sheets of a wave as one row a cell, empty cells included.

    Records are numbered from 1 in each file in the order of their key, then of their content by
    heading in alphabetical order; ragged records come last, with one cell under `RAGGED`.
    Neither the order of rows nor that of columns in a file changes anything but `line` and
    `position`. Sorted by file, record and heading.
    """
    parts = [
        part.assign(**{RawAnswers.wave: settings.wave, RawAnswers.file: file})
        for file, sheet in sorted(sheets.items())
        for part in (_cells(sheet, settings.key), _ragged_cells(sheet))
    ]
    table = pd.concat(parts, ignore_index=True)
    return DataFrame[RawAnswers](table[list(RawAnswers.to_schema().columns)])


def normalisations(sheets: Mapping[str, Sheet], wave: str) -> DataFrame[Findings]:
    """A finding per file and rule of reading that was applied, with its count or subject."""
    rows = [
        (wave, file, 0, "", "", rule, "soft", "normalised", subject, "", READING.get(rule, NOTHING))
        for file, sheet in sorted(sheets.items())
        for rule, _, subject in (name.partition(":") for name in sheet.normalised)
    ]
    table = pd.DataFrame(rows, columns=list(Findings.to_schema().columns))
    return DataFrame[Findings](table.astype(Findings.empty().dtypes.to_dict()))


def fingerprint(paths: Iterable[Path]) -> str:
    """Return the SHA-256 (hexadecimal) of the names and contents of files, in any order.

    It is the hash of one line ``<SHA-256 of the content>  <name>`` a file, sorted. Raises
    ExportError for a file that is missing.
    """
    lines = sorted(f"{sha256(path)}  {path.name}\n" for path in paths)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def sha256(path: Path) -> str:
    """SHA-256 (hexadecimal) of a file's content; raises ExportError where it is missing."""
    return hashlib.sha256(read_bytes(path)).hexdigest()


def _no_key(file: str, sheet: Sheet, key: str) -> Problem:
    same = [heading for heading in sheet.columns if heading.casefold() == key.casefold()]
    hint = f"did you mean {same[0]}?" if same else nearest(key, sheet.columns)
    advice = f"correct key = ... in wave.toml: {hint}"
    above = [r.line for r in sheet.ragged if key in map(clean, r.text.split(sheet.delimiter))]
    if above:
        advice = f"line {above[0]} looks like the heading row: deliver without the lines above it"
    return Problem(
        found=f"no column '{key}'; headings: {listed(sheet.columns)}",
        expected="a heading row with the column of the firm's id",
        advice=advice,
        file=file,
        item=key,
    )


def _cells(sheet: Sheet, key: str) -> pd.DataFrame:
    wide = pd.DataFrame(list(sheet.records), columns=list(sheet.columns), dtype="str")
    headings = sorted(sheet.columns)
    wide = wide.sort_values([key, *(h for h in headings if h != key)], kind="stable")
    lines = np.asarray(sheet.lines)[wide.index]
    positions = [sheet.positions[sheet.columns.index(heading)] for heading in headings]
    records, width = wide.shape
    return pd.DataFrame(
        {
            RawAnswers.record: np.repeat(np.arange(1, records + 1), width),
            RawAnswers.line: np.repeat(lines, width),
            RawAnswers.position: np.tile(positions, records),
            RawAnswers.column: np.tile(np.array(headings, dtype=object), records),
            RawAnswers.text: wide[headings].to_numpy(dtype=object).ravel(),
        }
    ).astype({RawAnswers.column: "str", RawAnswers.text: "str"})


def _ragged_cells(sheet: Sheet) -> pd.DataFrame:
    """One cell for each ragged record, numbered on from the others in the order of their text."""
    ragged = sorted(sheet.ragged, key=lambda record: (record.text, record.line))
    first = len(sheet.records) + 1
    return pd.DataFrame(
        {
            RawAnswers.record: np.arange(first, first + len(ragged)),
            RawAnswers.line: np.array([record.line for record in ragged], dtype=np.int64),
            RawAnswers.position: np.ones(len(ragged), dtype=np.int64),
            RawAnswers.column: pd.Series([RAGGED] * len(ragged), dtype="str"),
            RawAnswers.text: pd.Series([record.text for record in ragged], dtype="str"),
        }
    )

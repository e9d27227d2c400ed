"""The ledger: what was ever released, in `releases/`; tracked, and only ever added to.

`<wave>.csv` has the numbers that the releases of a wave told first, `<wave>.sources.csv` the raw
files that they were made from. Who stood behind a number is confidential and in neither: it
is worked out again from those files.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors
from pandera.typing import DataFrame

from pipeline.draft import Draft
from pipeline.errors import LedgerError, Problem
from pipeline.tables import Release, Released, Revisions, SourceFiles, Sources
from pipeline.tables.flow import ALL

NUMBERS, SOURCES = ".csv", ".sources.csv"
AS_IT_WAS = "take the file from version control as it was: its rows never change"
GONE = "take it from version control; if the release was never committed, delete the other file too"
PUT_BACK = (
    "put the files of the wave back as they were (they are in version control): until then all "
    "that was released of it stays as it was, and nothing new is told of it or compared with it"
)
_TWICE = "multiple_fields_uniqueness"
Model = TypeVar("Model", bound=pa.DataFrameModel)


class Ledger(NamedTuple):
    """What was released, and what it was made from.

    `changed`: waves of which raw files have changed since, named in `notes`; `files`: those of the
    other waves.
    """

    released: DataFrame[Released]
    changed: frozenset[str]
    files: DataFrame[SourceFiles]
    notes: tuple[Problem, ...]


def read_ledger(folder: Path, raw: Path, files: DataFrame[SourceFiles]) -> Ledger:
    """The ledger beside today's raw `files`; raises LedgerError for all that is wrong in it."""
    notes = changed_sources(folder, raw, files)
    changed = frozenset(note.wave for note in notes)
    kept = DataFrame[SourceFiles](files[~files[SourceFiles.wave].isin(changed)])
    return Ledger(read_released(folder), changed, kept, notes)


def read_released(folder: Path) -> DataFrame[Released]:
    """Every number of every release.

    A number is told once; were there several rows, the last would count: that of the wave's own
    release where it has one. Raises LedgerError with everything that is wrong in the files.
    """
    table = _read(folder, NUMBERS, Released)
    own = table[Released.release] == table[Released.wave]
    order = [Released.number_id, "own", Released.release, str(Released.edition)]
    table = table.assign(own=own).sort_values(order, ignore_index=True)
    return DataFrame[Released](table.drop(columns="own"))


def changed_sources(folder: Path, raw: Path, files: DataFrame[SourceFiles]) -> tuple[Problem, ...]:
    """Raw files that are gone, new or another than when their wave was released.

    `files` are those of today's run. Every edition counts: what was released of a wave was made
    from all files that are named with it; where the file that names them is gone, from none that
    are known.
    """
    table = _read(folder, SOURCES, Sources)
    found = {file: _sha256(raw / file) for file in sorted(set(table[Sources.file]))}
    changed = table[table[Sources.sha256] != table[Sources.file].map(found)]
    # Of a file that two editions had differently, as the first had it.
    first = changed.groupby([Sources.wave, Sources.file])[Sources.sha256].transform("first")
    by_file = changed[changed[Sources.sha256] == first].groupby(
        [Sources.wave, Sources.file, Sources.sha256]
    )
    told = table[[Sources.wave, Sources.file]]
    mine = pd.MultiIndex.from_frame(files[[SourceFiles.wave, SourceFiles.file]])
    is_new = ~mine.isin(pd.MultiIndex.from_frame(told)) & mine.isin(told[Sources.wave], level=0)
    unnamed = (path.name for path in _files(folder, NUMBERS) if not _beside(path).exists())
    return (
        *(_without_sources(folder, name) for name in unnamed),
        *(
            _changed(str(wave), str(file), f"{sha256}", found[file], _rows(rows.iloc[:, :2]))
            for (wave, file, sha256), rows in by_file
        ),
        *(
            Problem("a new file", "the files that were released", PUT_BACK, wave=wave, file=file)
            for wave, file in mine[is_new]
        ),
    )


@dataclass(frozen=True)
class Edition:
    """The ledger's files of a wave; `added`: whether they have grown by this edition."""

    number: int
    added: bool
    files: tuple[Path, ...]


def write_release(folder: Path, wave: str, draft: Draft) -> Edition:
    """Add what a draft tells to the ledger of its wave.

    Rows that are there stay byte for byte; of its raw files those are added that the release does
    not name yet. A draft that has neither changes nothing; its edition is the last one. Both
    files are replaced only when both are written. A value is written as it is printed, so that
    reading it gives the same number.
    """
    paths = folder / f"{wave}{NUMBERS}", folder / f"{wave}{SOURCES}"
    numbers, sources = _read(folder, NUMBERS, Released), _read(folder, SOURCES, Sources)
    own = sources[sources[Sources.release] == wave]
    editions = numbers.loc[numbers[Released.release] == wave, str(Released.edition)]
    edition = max([0, *editions, *own[str(Sources.edition)]])
    named = pd.MultiIndex.from_frame(own[list(draft.files.columns)])
    files = draft.files[~pd.MultiIndex.from_frame(draft.files).isin(named)]
    news = draft.numbers[draft.revisions[str(Revisions.written)]]
    if news.empty and files.empty and edition:
        return Edition(edition, added=False, files=paths)
    columns = (news[str(column)] for column in (Release.value, Release.decimals, Release.symbol))
    printed = ["" if s else f"{value:z.{n}f}" for value, n, s in zip(*columns, strict=True)]
    news = news.assign(**{str(Release.value): printed})
    folder.mkdir(exist_ok=True)
    fresh = _added(paths[0], edition + 1, news), _added(paths[1], edition + 1, files)
    for new, path in zip(fresh, paths, strict=True):
        new.replace(path)
    return Edition(edition + 1, added=True, files=paths)


def _rows(table: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    return table.itertuples(index=False, name=None)


def _added(path: Path, edition: int, table: pd.DataFrame) -> Path:
    """A file beside `path` with its rows and those of a further edition."""
    added = io.StringIO()
    writer = csv.writer(added, lineterminator="\n")
    if not path.exists():
        writer.writerow([Released.edition, *table.columns])
    writer.writerows((edition, *row) for row in _rows(table))
    fresh = path.with_name(f".{path.name}.new")
    before = path.read_bytes() if path.exists() else b""
    fresh.write_bytes(before + added.getvalue().encode())
    return fresh


def _changed(
    wave: str, file: str, sha256: str, found: str, editions: Iterable[tuple[object, ...]]
) -> Problem:
    """A raw file that is gone or another, with the releases (and editions) made from it."""
    return Problem(
        found=f"SHA-256 {found}" if found else "no such file",
        expected=f"SHA-256 {sha256}, as in "
        + ", ".join(f"edition {number} of release {name}" for name, number in editions),
        advice=PUT_BACK if wave else "what was released stays; make sure it is meant",
        wave=wave,
        file=file,
    )


def _without_sources(folder: Path, name: str) -> Problem:
    expected = f"the raw files that the numbers of {name} were made from, with their SHA-256"
    release = name.removesuffix(NUMBERS)
    gone = f"{folder.name}/{release}{SOURCES}"
    return Problem("no such file", expected, AS_IT_WAS, wave=release, file=gone)


def _sha256(path: Path) -> str:
    """SHA-256 of a file; empty where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _read(folder: Path, ending: str, model: type[Model]) -> DataFrame[Model]:
    """The files of one kind as one table; its first column, the release, is the file's name."""
    problems: list[Problem] = []
    tables: list[pd.DataFrame] = [model.empty()]
    if ending == NUMBERS:
        problems += [
            Problem(
                "no such file", f"one beside {path.name}", GONE, file=f"{folder.name}/{gone.name}"
            )
            for path in _files(folder, SOURCES)
            if not (gone := _beside(path)).exists()
        ]
    for path in _files(folder, ending):
        rows = _lines(path, list(model.to_schema().columns)[1:], problems)
        rows.insert(0, Released.release, path.name.removesuffix(ending))
        tables.append(_typed(rows, f"{folder.name}/{path.name}", model, problems))
    if problems:
        raise LedgerError(problems)
    return DataFrame[Model](model.validate(pd.concat(tables, ignore_index=True)))


def _files(folder: Path, ending: str) -> list[Path]:
    """The files of one kind, by release."""
    paths = sorted(folder.glob(f"*{ending}"))
    return [path for path in paths if path.name.endswith(SOURCES) == (ending == SOURCES)]


def _beside(path: Path) -> Path:
    """The file of the other kind of the same release."""
    ending, other = (SOURCES, NUMBERS) if path.name.endswith(SOURCES) else (NUMBERS, SOURCES)
    return path.with_name(path.name.removesuffix(ending) + other)


def _lines(path: Path, columns: list[str], problems: list[Problem]) -> pd.DataFrame:
    """The rows of a file as text, by line; what is none is a problem."""
    place = f"{path.parent.name}/{path.name}"
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        problems.append(Problem(str(error), "a file in UTF-8", AS_IT_WAS, file=place))
        text = ",".join(columns)
    head, *rows = list(csv.reader(io.StringIO(text, newline=""))) or [[]]
    if head != columns:
        found = ",".join(head) or "nothing"
        problems.append(Problem(found, ",".join(columns), AS_IT_WAS, file=place, row="1"))
        rows = []
    table = {line: row for line, row in enumerate(rows, 2) if len(row) == len(columns)}
    problems += [
        Problem(",".join(row), f"{len(columns)} fields", AS_IT_WAS, file=place, row=str(line))
        for line, row in enumerate(rows, 2)
        if line not in table
    ]
    return pd.DataFrame(list(table.values()), index=list(table), columns=columns, dtype="str")


def _typed(
    rows: pd.DataFrame, file: str, model: type[Model], problems: list[Problem]
) -> pd.DataFrame:
    """Rows with the types of the model; what it does not allow is a problem."""
    table, before = rows.copy(), len(problems)
    for column, dtype in model.empty().dtypes.items():
        if pd.api.types.is_numeric_dtype(dtype):
            table[column] = pd.to_numeric(rows[column].replace("", "nan"), errors="coerce")
            wrong = table[column].isna() & ((rows[column] != "") | (column != Released.value))
            problems += [
                Problem(f"'{rows[column][line]}'", "a number", AS_IT_WAS, file=file, row=str(line))
                for line in wrong.index[wrong]
            ]
    if Released.symbol in table:
        problems += _contradictory(table, file)
    if len(problems) > before:
        return model.empty()
    try:
        return model.validate(table.astype(model.empty().dtypes.to_dict()), lazy=True)
    except SchemaErrors as error:
        problems += [
            Problem(
                str(case["failure_case"]),
                "each number once an edition" if case["check"] == _TWICE else str(case["check"]),
                AS_IT_WAS,
                file=file,
                row=str(case["index"]),
                item=str(case["column"]),
            )
            for case in error.failure_cases.to_dict("records")
            if case["check"] != _TWICE or case["column"] == Released.number_id
        ]
        return model.empty()


def _contradictory(table: pd.DataFrame, file: str) -> Iterator[Problem]:
    """Rows with a value and a symbol or neither; rows whose id says another number."""
    mixed = table[Released.value].isna() == (table[Released.symbol] == "")
    for line in mixed.index[mixed]:
        yield Problem("both or none", "a value or a symbol", AS_IT_WAS, file=file, row=str(line))
    ids, named = table[Released.number_id], _named(table)
    for line in ids.index[ids != named]:
        yield Problem(ids[line], named[line], AS_IT_WAS, file=file, row=str(line))


def _named(numbers: pd.DataFrame) -> pd.Series:
    """The ids that numbers have by their other columns, as in `Release`."""
    place = numbers[Released.breakdown] + "=" + numbers[Released.group]
    place = place.where(numbers[Released.breakdown] != ALL, ALL)
    place += (":" + numbers[Released.reference]).where(numbers[Released.reference] != "", "")
    figure = numbers[Released.wave] + "/" + numbers[Released.indicator] + "/" + place
    named: pd.Series = figure + "/" + numbers[Released.statistic]
    return named

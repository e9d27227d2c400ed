"""The store: one DuckDB file a study, one transaction a run; derived, can be deleted and rebuilt.

Beside the tables that flow (`raw_answers`, `register`, `answers`, `findings`) it keeps `waves`: the
run log, a row per wave with the fingerprint of everything the wave was made from and its tally.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import duckdb
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.errors import Problem, StoreError
from pipeline.tables import Answers, Findings, RawAnswers, Register, WaveLog

STORED: dict[str, type[pa.DataFrameModel]] = {
    "raw_answers": RawAnswers,
    "register": Register,
    "answers": Answers,
    "findings": Findings,
}
LOCATED = """
    SELECT coalesce(r.line, 0) AS line, f.*
    FROM (SELECT * FROM findings UNION ALL BY NAME SELECT * FROM reviewed) f
    LEFT JOIN (SELECT DISTINCT wave, file, record, line FROM raw_answers) r
    USING (wave, file, record)
    WHERE f.wave <= ? ORDER BY f.wave, f.file, line, f.item, f.rule, f
"""
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for the beginning of a formula."""
Model = TypeVar("Model", bound=pa.DataFrameModel)


@dataclass(frozen=True, eq=False)
class Taken:
    """What was taken from the files of one wave; `fingerprint` names the files and the code."""

    fingerprint: str
    raw: DataFrame[RawAnswers]
    register: DataFrame[Register]
    answers: DataFrame[Answers]
    findings: DataFrame[Findings]

    @property
    def wave(self) -> str:
        """The wave of all its tables."""
        return str(self.raw[RawAnswers.wave].iloc[0])


def wave_log(path: Path) -> DataFrame[WaveLog]:
    """The run log of the store, oldest wave first; empty where there is no store yet."""
    if not path.exists():
        return DataFrame[WaveLog](WaveLog.empty())
    with _connection(path, read_only=True) as database:
        columns = ", ".join(WaveLog.to_schema().columns)  # by name: an older table lacks some
        table = database.execute(f"SELECT {columns} FROM waves ORDER BY wave").df()  # noqa: S608
        return DataFrame[WaveLog](WaveLog.validate(table.astype(WaveLog.empty().dtypes.to_dict())))


@contextmanager
def open_store(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the store, which is made where it does not exist yet, for one transaction.

    What was stored stays if nothing fails, and nothing of it if something does. Raises StoreError
    where the file is locked, no database, or of another version of the tables.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _connection(path, read_only=False) as database:
        _create_tables(database, path)
        database.begin()
        yield database
        database.commit()  # closed without, it is rolled back


@contextmanager
def _connection(path: Path, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        connection = duckdb.connect(str(path), read_only=read_only)
    except duckdb.Error as error:
        advice = "wait until the other run has ended, or delete the file: it is rebuilt"
        found = str(error).splitlines()[0]
        problem = Problem(found, "a database of this study", advice, file=path.name)
        raise StoreError(problem) from error
    try:
        yield connection
    except duckdb.Error as error:
        advice = "delete the file: it is rebuilt"
        found = str(error).splitlines()[0]
        problem = Problem(found, "the tables of a store", advice, file=path.name)
        raise StoreError(problem) from error
    finally:
        connection.close()


def store_wave(new: Taken, database: duckdb.DuckDBPyConnection) -> None:
    """Replace a wave; raises StoreError where rows were lost on the way."""
    log = _tally(new)
    tables = {
        "raw_answers": new.raw,
        "register": new.register,
        "answers": new.answers,
        "findings": new.findings,
        "waves": log,
    }
    try:
        for name, table in tables.items():
            database.execute(f"DELETE FROM {name} WHERE wave = ?", [new.wave])  # noqa: S608
            database.register("incoming", table)
            database.execute(f"INSERT INTO {name} BY NAME SELECT * FROM incoming")  # noqa: S608
            database.unregister("incoming")
    except duckdb.Error as error:
        problem = Problem(str(error), "a store that takes the wave", "nothing was written")
        raise StoreError(problem) from error


def read_table(
    database: duckdb.DuckDBPyConnection, model: type[Model], *, until: str
) -> DataFrame[Model]:
    """A table of all waves up to `until`, in the order of its first columns."""
    name = next(n for n, m in STORED.items() if m is model)
    order = ", ".join(f'"{column}"' for column in model.to_schema().columns)
    query = f"SELECT * FROM {name} WHERE wave <= ? ORDER BY {order}"  # noqa: S608
    table = database.execute(query, [until]).df()
    return DataFrame[Model](model.validate(table.astype(model.empty().dtypes.to_dict())))


def write_results(
    database: duckdb.DuckDBPyConnection,
    tables: Mapping[str, pd.DataFrame],
    reviewed: DataFrame[Findings],
    pages: Mapping[str, str],
    folder: Path,
) -> None:
    """Write the analyst's files of one wave: a parquet file per table, findings as csv, pages.

    The findings are those of all waves up to it, as the tables are, with what the `reviewed`
    series showed; `pages` have the names of their files. The folder (named after the wave) is
    replaced as a whole.
    """
    with replaced(folder) as fresh:
        for name, page in pages.items():
            (fresh / name).write_text(page, encoding="utf-8", newline="\n")
        for name, table in tables.items():
            table.to_parquet(fresh / f"{name}.parquet", index=False)
        database.register("reviewed", reviewed)
        findings = database.execute(LOCATED, [folder.name]).df()
        texts: list[str] = findings.select_dtypes("str").columns.tolist()
        for column in texts:
            risky = findings[column].str.startswith(FORMULA_SIGNS)
            findings[column] = ("'" + findings[column]).where(risky, findings[column])
        # Quoted: a bare carriage return in a text would begin a new row, perhaps with a formula.
        quoting = csv.QUOTE_NONNUMERIC
        findings.to_csv(
            fresh / "findings.csv",
            index=False,
            quoting=quoting,
            lineterminator="\n",
            encoding="utf-8-sig",  # with a byte order mark, or Excel garbles umlauts
        )


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """An empty folder that replaces `folder` if nothing fails, and vanishes if something does."""
    fresh = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        yield fresh
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _create_tables(database: duckdb.DuckDBPyConnection, path: Path) -> None:
    models = STORED | {"waves": WaveLog}
    empty: dict[str, pd.DataFrame] = {name: model.empty() for name, model in models.items()}
    database.begin()
    for name, table in empty.items():
        types = ", ".join(f'"{c}" {_sql_type(table[c].dtype)}' for c in table.columns)
        database.execute(f"CREATE TABLE IF NOT EXISTS {name} ({types})")
        found = [row[0] for row in database.execute(f"DESCRIBE {name}").fetchall()]
        if found != list(table.columns):
            raise StoreError(
                Problem(
                    found=f"table {name} with other columns",
                    expected=", ".join(table.columns),
                    advice="delete the file: it was made by another version and is rebuilt",
                    file=path.name,
                )
            )
    database.commit()


def _sql_type(dtype: object) -> str:
    if pd.api.types.is_bool_dtype(dtype):  # type: ignore[arg-type]  # the stubs know no union
        return "BOOLEAN"
    if pd.api.types.is_integer_dtype(dtype):  # type: ignore[arg-type]  # the stubs know no union
        return "BIGINT"
    return "DOUBLE" if pd.api.types.is_float_dtype(dtype) else "VARCHAR"  # type: ignore[arg-type]


def _tally(new: Taken) -> DataFrame[WaveLog]:
    """The log of a wave: rows in = rows taken + rows rejected, always."""
    key = [RawAnswers.file, str(RawAnswers.record)]
    rows_in = len(new.raw[key].drop_duplicates())
    taken = len(new.answers[key].drop_duplicates())
    treatment = new.findings[Findings.treatment]
    rejected = len(new.findings.loc[treatment == "reject_row", key].drop_duplicates())
    if rows_in != taken + rejected:
        found = f"{rows_in} rows in, {taken} taken, {rejected} rejected"
        problem = Problem(found, "rows in = taken + rejected", "report this: nothing was written")
        raise StoreError(problem)
    values = new.findings.loc[treatment == "quarantine_value", [*key, Findings.item]]
    counts = (rows_in, taken, rejected, len(values.drop_duplicates()))
    row = dict(zip(WaveLog.to_schema().columns, (new.wave, new.fingerprint, *counts), strict=True))
    return DataFrame[WaveLog](WaveLog.validate(pd.DataFrame([row])))

"""What runs the SQL of `pipeline.survey.passes`: DuckDB on this machine, Spark on a cluster.

    engine = duckdb_engine(memory="2GB")
    sums = passes.moments(engine, "answers.parquet", items, weight="w", stratum="h", domain="d")

A table is a frame, or the path of Parquet files, which are read in parts.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd

from pipeline.survey.passes import Engine, Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def engine_of(name: str) -> Engine | None:
    """Return the engine of a study: "duckdb", "spark", or none ("numpy": arrays in memory)."""
    match name:
        case "duckdb":
            return duckdb_engine()
        case "spark":
            return spark_engine()
    return None


def duckdb_engine(memory: str = "2GB", threads: int = 1) -> Engine:
    """Run statements with DuckDB; what does not fit into `memory` goes to a temporary folder.

    One thread adds floats in a fixed order, so the same data give the same bytes; with more, the
    last digits differ from run to run, and results must be rounded before they are published.
    """

    def run(sql: str, tables: Mapping[str, Table]) -> pd.DataFrame:
        with duckdb.connect(config={"memory_limit": memory, "threads": threads}) as connection:
            for name, table in tables.items():
                known = connection.read_parquet(str(table)) if _is_path(table) else table
                connection.register(name, known)
            result: pd.DataFrame = connection.sql(sql).df()
        return result

    return run


def spark_engine(master: str | None = None) -> Engine:
    """Run statements with Spark; needs `pyspark`, `sqlglot` and Java.

    `master` is the address of the cluster: that in SPARK_MASTER, or two threads on this machine,
    unless given. Paths are read where the cluster runs. Only aggregates are run, so no row of the
    microdata comes home.
    """
    from pyspark.sql import SparkSession  # noqa: PLC0415  (an extra)

    address = master or os.environ.get("SPARK_MASTER") or "local[2]"
    session = (
        SparkSession.builder.master(address)
        .appName("mittelwelle")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "8")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )

    def run(sql: str, tables: Mapping[str, Table]) -> pd.DataFrame:
        statement = to_spark(sql)
        for name, table in tables.items():
            _frame(session, table).createOrReplaceTempView(name)
        result: pd.DataFrame = session.sql(statement).toArrow().to_pandas()
        return result

    return run


def to_spark(sql: str) -> str:
    """Write a statement of DuckDB as one of Spark; ValueError if it is not an aggregate."""
    import sqlglot  # noqa: PLC0415  (an extra)
    from sqlglot import exp  # noqa: PLC0415

    sums = (exp.Sum, exp.Avg, exp.Count, exp.Min, exp.Max)  # and not lists of what is in a group
    tree = sqlglot.parse_one(sql, read="duckdb")
    if not isinstance(tree, exp.Select) or tree.args.get("group") is None:
        raise ValueError("only statements with GROUP BY are run: others would bring microdata home")
    keys = {key.sql() for key in tree.args["group"].expressions}
    for column in tree.expressions:
        value = column.unalias()
        if value.sql() in keys:
            continue
        found = list(value.find_all(exp.AggFunc))
        if not found or value.find(exp.Window) or not all(isinstance(f, sums) for f in found):
            msg = f"{column.sql()!r} is neither a key nor an aggregate"
            raise ValueError(msg)
    statement: str = tree.sql(dialect="spark")
    return statement


def _frame(session: SparkSession, table: Table) -> DataFrame:
    if _is_path(table):
        return session.read.parquet(str(table))
    arrow: Any = import_module("pyarrow").Table.from_pandas(table, preserve_index=False)
    return session.createDataFrame(arrow)


def _is_path(table: Table) -> bool:
    return isinstance(table, str | Path)

"""The levels of the reference study by DuckDB and Spark, beside those of arrays in memory."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.analyse import estimate
from pipeline.design import with_response
from pipeline.engines import engine_of
from pipeline.run import Run
from pipeline.store import open_store, read_table
from pipeline.study import read_study
from pipeline.tables import Answers, Register
from pipeline.wave import process

FIGURES = ["n", "estimate", "se", "ci_low", "ci_high"]
HAS_SPARK = find_spec("pyspark") and find_spec("sqlglot") and shutil.which("java")


@pytest.fixture(scope="module")
def inputs(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ...]:
    """Contributions, response weights, register and definitions of all waves."""
    study = read_study(reference)
    store = tmp_path_factory.mktemp("store") / study.database.name
    shutil.copy(study.database, store)
    with open_store(store) as database:
        answers, register = (read_table(database, t, until="2026") for t in (Answers, Register))
    _, frame, weights, shares = process(study, answers, register, Run())
    weights = weights.assign(margins="", weight=weights["response_weight"])
    return study, shares, weights, frame


def levels(inputs: tuple[Any, ...], engine: str) -> pd.DataFrame:
    study, shares, weights, frame = inputs
    return estimate(
        shares,
        weights,
        frame,
        with_response(study.indicators, sensitivity="low"),
        study.benchmark_pairs,
        changes=study.changes,
        breakdowns=study.settings.publication.breakdowns,
        pooled=(),
        engine=engine_of(engine),
    )


@pytest.fixture(scope="module")
def by_duckdb(inputs: tuple[Any, ...]) -> pd.DataFrame:
    return levels(inputs, "duckdb")


def same(found: pd.DataFrame, known: pd.DataFrame, relative: float) -> None:
    pd.testing.assert_frame_equal(found.drop(columns=FIGURES), known.drop(columns=FIGURES))
    for name in FIGURES:
        # Standard errors that are 0 but for rounding are of the size of the last digits of 100.
        np.testing.assert_allclose(found[name], known[name], rtol=relative, atol=1e-7)


def test_duckdb_finds_what_arrays_find(inputs: tuple[Any, ...], by_duckdb: pd.DataFrame) -> None:
    same(by_duckdb, levels(inputs, "numpy"), 1e-10)


@pytest.mark.skipif(not HAS_SPARK, reason="make test-spark installs pyspark; Spark needs Java")
@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas")
def test_spark_finds_what_duckdb_finds(inputs: tuple[Any, ...], by_duckdb: pd.DataFrame) -> None:
    same(levels(inputs, "spark"), by_duckdb, 1e-12)

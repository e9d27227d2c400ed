import shutil

import numpy as np
import pytest
from made_up import BASES, COLUMNS, ITEMS, Sample, Wave, same

from pipeline.engines import duckdb_engine, spark_engine, to_spark
from pipeline.survey import change_passes, passes, quantile_passes
from pipeline.survey.domains import means

pytest.importorskip("pyspark", reason="pyspark is not installed")
pytest.importorskip("sqlglot", reason="sqlglot is not installed")
pytestmark = [
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java, which is absent"),
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas"),
]
DUCKDB = duckdb_engine()


@pytest.fixture(scope="module")
def spark():
    return spark_engine("local[2]")


@pytest.mark.parametrize("bases", [(), BASES])
def test_moments(spark, bases, tmp_path):
    s = Sample(1, level=1e8)
    s.table.to_parquet(tmp_path / "answers.parquet")
    found, known = (
        means(passes.moments(engine, table, ITEMS, **COLUMNS, bases=bases), s.design.population)
        for engine, table in ((spark, tmp_path / "answers.parquet"), (DUCKDB, s.table))
    )
    same(found, known, 1e-12)


def test_quantiles(spark):
    s = Sample(2)
    found, known = (
        quantile_passes.quantiles(e, s.table, ITEMS[0], population=s.population, **COLUMNS)
        for e in (spark, DUCKDB)
    )
    same(found, known, 1e-12)


def test_changes(spark):
    a = Wave()
    b = Wave(a, seed=1)
    found, known = (
        change_passes.changes(
            e, (a.table, b.table), (a.register, b.register), ["y0", "y1"], unit="id", **COLUMNS
        )
        for e in (spark, DUCKDB)
    )
    np.testing.assert_allclose(found.se, known.se, rtol=1e-12)
    np.testing.assert_allclose(found.covariance, known.covariance, rtol=1e-11)


def test_calibration_cells(spark):
    s = Sample(3)
    found, known = (
        passes.calibration_cells(e, s.table, ["h", "y2"], "w").to_numpy(float)
        for e in (spark, DUCKDB)
    )
    np.testing.assert_allclose(found, known, rtol=1e-12)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT w FROM data",
        "SELECT d, w FROM data GROUP BY d",
        "SELECT d, w + sum(w) OVER (PARTITION BY d) FROM data GROUP BY d",
        "SELECT d, list(w) FROM data GROUP BY d",
        "SELECT * FROM data GROUP BY ALL",
        "DELETE FROM data",
    ],
)
def test_microdata_cannot_be_brought_home(sql):
    with pytest.raises(ValueError, match=r"GROUP BY|neither a key nor an aggregate"):
        to_spark(sql)

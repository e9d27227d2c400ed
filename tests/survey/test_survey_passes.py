import duckdb
import numpy as np
import pandas as pd
import pytest
from made_up import BASES, COLUMNS, ITEMS, Sample, Wave, same

from pipeline import survey
from pipeline.engines import duckdb_engine
from pipeline.survey import change_passes, passes, quantile_passes
from pipeline.survey.domains import means, means_by, ratios_by, totals, totals_by
from pipeline.survey.fast_quantiles import quantiles_by
from pipeline.survey.ipf import rake_cells
from pipeline.survey.moments import moments

ENGINE = duckdb_engine()


@pytest.mark.parametrize("level", [0.0, 1e8])
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_sql_gives_the_estimates_of_numpy(level, missing):
    s = Sample(1, level=level, missing=missing)
    sums = passes.moments(ENGINE, s.table, ITEMS, **COLUMNS)
    same(means(sums, s.design.population), means_by(s.design, s.y, s.domains), 1e-12)
    same(totals(sums, s.design.population), totals_by(s.design, s.y, s.domains), 1e-12)
    sums = passes.moments(ENGINE, s.table, ITEMS, **COLUMNS, bases=BASES)
    same(means(sums, s.design.population), ratios_by(s.design, s.y, s.x, s.domains), 1e-12)


def test_it_gives_the_same_cell_sums():
    s = Sample(2)
    a, b = passes.moments(ENGINE, s.table, ITEMS, **COLUMNS), moments(s.design, s.y, s.domains)
    assert list(a.items) == ITEMS
    np.testing.assert_array_equal(a.stratum, b.stratum)
    np.testing.assert_array_equal(a.domain, b.domain)
    np.testing.assert_array_equal(a.n, b.n)
    inside = a.domain >= 0
    for name in ("units", "weight", "spread", "reference", "x", "ee", "xx"):
        mine, theirs = getattr(a, name)[..., inside], getattr(b, name)[..., inside]
        np.testing.assert_allclose(mine, theirs, 1e-11, 1e-12, err_msg=name)


def test_a_parquet_file_and_labels_of_text(tmp_path):
    s = Sample(3)
    table = s.table.assign(
        d=s.table["d"].map({k: f"domain {k}" for k in range(4)}), h=[f"h{h}" for h in s.h]
    )
    table.to_parquet(tmp_path / "answers.parquet")
    sums = passes.moments(ENGINE, tmp_path / "answers.parquet", ITEMS, **COLUMNS)
    assert list(sums.domains) == [f"domain {k}" for k in range(4)]
    assert list(sums.strata) == [f"h{h}" for h in range(8)]
    same(means(sums, s.design.population), means_by(s.design, s.y, s.domains), 1e-12)


def test_nan_in_a_file_is_no_answer(tmp_path):
    s = Sample(4)
    columns = {i: np.nan_to_num(y, nan=-99) for i, y in zip(ITEMS, s.y, strict=True)}
    s.table.assign(**columns).to_parquet(tmp_path / "all.parquet")
    names = [passes.quoted(item) for item in ITEMS]
    items = ", ".join(f"if({n} = -99, 'NaN'::DOUBLE, {n}) AS {n}" for n in names)
    source, target = tmp_path / "all.parquet", tmp_path / "nan.parquet"
    duckdb.sql(f"COPY (SELECT h, d, w, {items} FROM '{source}') TO '{target}'")
    assert duckdb.sql(f"SELECT bool_or(isnan({names[0]})) FROM '{target}'").fetchall() == [(True,)]
    sums = passes.moments(ENGINE, target, ITEMS, **COLUMNS)
    same(means(sums, s.design.population), means_by(s.design, s.y, s.domains), 1e-12)


def test_two_runs_give_the_same_bytes():
    s = Sample(5, n=5000)
    a, b = (passes.moments(ENGINE, s.table, ITEMS, **COLUMNS) for _ in range(2))
    assert a.ee.tobytes() == b.ee.tobytes()


@pytest.mark.parametrize("p", [0.05, 0.5, 0.9])
def test_quantiles(p):
    s = Sample(6)
    for i, item in enumerate(ITEMS):
        found = quantile_passes.quantiles(
            ENGINE, s.table, item, p, population=s.population, **COLUMNS
        )
        known = quantiles_by(s.design, s.y[i], s.domains, p)
        same(found, known, 1e-12)
        np.testing.assert_allclose(found.lower, known.lower, rtol=1e-12)
        np.testing.assert_allclose(found.upper, known.upper, rtol=1e-12)


@pytest.mark.parametrize("level", [1.0, 1e8])
def test_changes_between_waves(level):
    before = Wave(level=level)
    after = Wave(before, seed=1, level=level)
    tables, registers = (before.table, after.table), (before.register, after.register)
    found = change_passes.changes(ENGINE, tables, registers, ["y0", "y1"], unit="id", **COLUMNS)
    for i in range(2):
        for k in range(4):
            first = survey.mean(before.design, before.y[i], before.domain == k)
            second = survey.mean(after.design, after.y[i], after.domain == k)
            change = survey.change(first, second)
            covariance = float(survey.covariance(first, second))
            assert found.covariance[i, k] == pytest.approx(covariance, rel=1e-10)
            assert found.se[i, k] == pytest.approx(float(change.se), rel=1e-10)
            assert found.change[i, k] == pytest.approx(float(change.estimate), rel=1e-10, abs=1e-7)


def test_calibration_cells_are_what_raking_needs():
    rng = np.random.default_rng(7)
    table = pd.DataFrame({"a": rng.integers(0, 3, 500), "b": rng.integers(0, 4, 500)})
    table["w"] = rng.gamma(3, 1, 500)
    totals_of = [np.array([300.0, 400, 500]), np.array([400.0, 300, 300, 200])]
    cells = passes.calibration_cells(ENGINE, table, ["a", "b"], "w")
    assert cells["units"].sum() == 500
    assert len(cells) == 12
    factor = rake_cells(cells["weight"], [cells["a"], cells["b"]], totals_of) / cells["weight"]
    merged = table.merge(cells.assign(factor=factor), on=["a", "b"])
    raked = rake_cells(table["w"], [table["a"], table["b"]], totals_of)
    assert np.sort(merged["w"] * merged["factor"]) == pytest.approx(np.sort(raked), rel=1e-12)
    table.loc[3, "b"] = np.nan
    with pytest.raises(ValueError, match=r"margins \['b'\] are missing"):
        passes.calibration_cells(ENGINE, table, ["a", "b"], "w")


def broken(column, value):
    table = Sample(8).table
    table[column] = table[column].astype(object).where(table.index != 5, value)
    return table.convert_dtypes()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (broken("w", -1.0), "not negative: those of 1 units"),
        (broken("w", None), "not negative: those of 1 units"),
        (broken("h", None), "needs a stratum: 1 have none"),
        (broken("y2", np.inf), r"infinite values in items \['y2'\]"),
        (Sample(8).table.assign(d=None), "none of 400 units is in any domain"),
    ],
)
def test_what_cannot_be_is_said(table, message):
    with pytest.raises(ValueError, match=message):
        passes.moments(ENGINE, table, ITEMS, **COLUMNS)


def test_a_register_without_a_stratum_and_a_domain_of_one_wave_are_named():
    a, b = Wave(), Wave(seed=1)
    run = {"unit": "id", **COLUMNS}
    short = a.register[a.register["h"] != 2]
    with pytest.raises(ValueError, match=r"strata \[2\] are not on the register"):
        change_passes.changes(ENGINE, (a.table, b.table), (short, b.register), ["y0"], **run)
    part = a.table[a.table["d"] != 1]
    with pytest.raises(ValueError, match=r"domains \[1\] are in one wave only"):
        change_passes.changes(ENGINE, (part, b.table), (a.register, b.register), ["y0"], **run)

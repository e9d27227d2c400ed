"""Differences of a group from another group and from the rest."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from small_tables import contributions, indicators, pairs, register, row_of, stack, weights

from pipeline.analyse import benchmark

FIRMS = "abcdefgh"


def test_a_group_and_the_rest_by_hand():
    # 4 of 8 firms, y 1 3 | 7 9: means 2 and 8. Influences of the difference -.5 .5 .5 -.5 with mean
    # 0 and squares 1: var = (1 - 4/8) (4/3) 1 = 2/3; each side has 2 - 1 degree of freedom.
    table = weights(FIRMS, "abcd")
    reg = register(FIRMS, sector="xxyyxxyy")
    rows = contributions(table, [1, 3, 7, 9])
    result = benchmark(rows, table, reg, indicators(), pairs(("sector", "x", "rest")))
    row = result.iloc[0]
    assert row["difference"] == -6
    assert row["se"] ** 2 == pytest.approx(2 / 3, rel=1e-13)
    assert row["n_reference"] == 2
    half = stats.t.ppf(0.975, 1) * np.sqrt(2 / 3)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((-6 - half, -6 + half), rel=1e-10)


def test_a_reference_group_is_not_the_rest():
    # As above with two firms more, in z: x - y is the same, x - rest is 2 - (7 + 9 + 20) / 3 = -10.
    table = weights("abcdefgh", "abcde")
    reg = register(FIRMS, sector="xxyyzxyz")
    rows = contributions(table, [1, 3, 7, 9, 20])
    declared = pairs(("sector", "x", "y"), ("sector", "x", "rest"), ("sector", "y", "x"))
    result = benchmark(rows, table, reg, indicators(scale=10.0), declared)
    assert result["difference"].tolist() == pytest.approx([-60, -100, 60])
    assert result["n_reference"].tolist() == [2, 3, 2]
    assert result["reference"].tolist() == ["y", "rest", "x"]


def test_pairs_of_which_a_side_is_not_in_the_register_are_not_compared():
    table = weights(FIRMS, "abcd")
    reg = stack(register(FIRMS, sector="xxyyxxyy"), register("a", "w0", sector="z"))
    declared = pairs(
        ("sector", "z", "rest"),
        ("sector", "x", "z"),
        ("sector", "x", "unknown"),
        ("sector", "x", "y"),
    )
    result = benchmark(contributions(table, [1, 3, 7, 9]), table, reg, indicators(), declared)
    assert result["reference"].tolist() == ["y"]


def test_without_pairs_there_are_no_differences():
    table = weights(FIRMS, "abcd")
    reg = register(FIRMS, sector="xxyyxxyy")
    assert benchmark(contributions(table, [1, 3, 7, 9]), table, reg, indicators(), pairs()).empty


def test_only_indicators_that_are_defined_are_compared():
    table = weights(FIRMS, "abcd")
    rows = stack(
        contributions(table, [1, 3, 7, 9]), contributions(table, [1, 1, 1, 1], indicator="other")
    )
    reg = register(FIRMS, sector="xxyyxxyy")
    result = benchmark(rows, table, reg, indicators(), pairs(("sector", "x", "rest")))
    assert result["indicator"].tolist() == ["x"]


def test_totals_are_not_compared():
    # 3 of 8 firms against 5: the totals would differ by the number of firms alone.
    table = weights(FIRMS, FIRMS)
    rows = stack(contributions(table, [1] * 8), contributions(table, [1] * 8, indicator="sum"))
    definitions = indicators({"indicator": "x"}, {"indicator": "sum", "kind": "total"})
    reg = register(FIRMS, sector="xxxyyyyy")
    result = benchmark(rows, table, reg, definitions, pairs(("sector", "x", "rest")))
    assert result["indicator"].tolist() == ["x"]


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_differences_are_those_of_plain_formulas(data):
    # One stratum of 8 firms, everybody answered the item: variance of mean_x - mean_rest from
    # u_i = (y_i - mean of its side) / n of its side, signed: (1 - n/N) n/(n-1) sum(u - mean u)^2.
    answered = "abcd" + "".join(f for f in "efgh" if data.draw(st.booleans()))
    n = len(answered)
    y = np.array(data.draw(st.lists(st.integers(0, 99), min_size=n, max_size=n)), dtype=float)
    side = np.array([True, True, False, False, *(data.draw(st.booleans()) for _ in answered[4:])])
    sector = "".join("x" if s else "y" for s in side) + "y" * (8 - n)
    firms = answered + "".join(f for f in FIRMS if f not in answered)
    table = weights(firms, answered)
    declared = pairs(("sector", "x", "rest"))
    reg = register(firms, sector=sector)
    row = row_of(benchmark(contributions(table, y), table, reg, indicators(), declared), group="x")
    means = np.where(side, y[side].mean(), y[~side].mean())
    u = np.where(side, 1 / side.sum(), -1 / (~side).sum()) * (y - means)
    variance = (1 - n / 8) * n / (n - 1) * np.sum((u - u.mean()) ** 2)
    assert row["difference"] == pytest.approx(y[side].mean() - y[~side].mean(), abs=1e-11)
    assert row["se"] ** 2 == pytest.approx(variance, rel=1e-9, abs=1e-18)


def test_the_order_of_rows_is_of_no_consequence():
    table = weights(FIRMS, "abcde")
    base = contributions(table, [1, 3, 7, 9, 20]), table, register(FIRMS, sector="xxyyzxyz")
    declared = pairs(("sector", "x", "y"), ("sector", "x", "rest"))
    once = benchmark(*base, indicators(), declared)
    shuffled = [t.sample(frac=1, random_state=5) for t in base]
    pd.testing.assert_frame_equal(once, benchmark(*shuffled, indicators(), declared))


def test_a_reference_population_is_independent_and_in_no_rest():
    # Target a-d of 8, means 2 and 8 (x, y); reference m-p of 6 in x: 4 of 6, mean 5, s^2 = 20/3.
    firms = FIRMS + "mnopqr"
    table = weights(firms, "abcdmnop", strata="t" * 8 + "r" * 6)
    reg = register(firms, population="1" * 8 + "3" * 6, sector="xxyyxxyy" + "x" * 6)
    rows = contributions(table, [1, 3, 7, 9, 2, 4, 6, 8])
    declared = pairs(("population", "1", "3"), ("sector", "x", "3*x"), ("sector", "x", "rest"))
    result = benchmark(rows, table, reg, indicators(), declared)
    assert result["difference"].tolist() == [0, -3, -6]
    assert result["n_reference"].tolist() == [4, 4, 2]
    of_reference = (1 - 4 / 6) * (20 / 3) / 4
    of_target = (1 - 4 / 8) * (40 / 3) / 4
    of_x = (1 - 4 / 8) * (4 / 3) * 2 * 0.5**2  # influences 2 (y - 2) / 4 of a and b, 0 of c and d
    expected = [of_target + of_reference, of_x + of_reference, 2 / 3]  # the rest: see above
    assert (result["se"] ** 2).tolist() == pytest.approx(expected, rel=1e-12)


def test_a_benchmark_does_without_some_indicators():
    table = weights(FIRMS, "abcd")
    rows = stack(*(contributions(table, [1, 3, 7, 9], indicator=name) for name in "uvw"))
    definitions = indicators(*({"indicator": name} for name in "uvw"))
    reg = register(FIRMS, sector="xxyyxxyy")
    declared = stack(
        pairs(("sector", "x", "rest"), without="u w"),
        pairs(("sector", "x", "y")),
        pairs(("sector", "y", "x"), without="w"),
    )
    result = benchmark(rows, table, reg, definitions, declared)
    found = dict(list(result.groupby("indicator")["group"].agg("".join).items()))
    assert found == {"u": "xy", "v": "xxy", "w": "x"}
    assert row_of(result, indicator="w")["reference"] == "y"


def test_a_formula_is_benchmarked_as_one():
    # u + v of group and rest is the difference of the means of the sum, firm by firm.
    table = weights(FIRMS, "abcd")
    u, v = [1, 3, 7, 9], [4, 1, 1, 0]
    rows = stack(
        contributions(table, u, indicator="u"),
        contributions(table, v, indicator="v"),
        contributions(table, np.add(u, v), indicator="both"),
    )
    definitions = indicators(
        *({"indicator": name} for name in ("u", "v", "both")),
        {"indicator": "f", "kind": "formula", "numerator": "u + v"},
    )
    reg = register(FIRMS, sector="xxyyxxyy")
    result = benchmark(rows, table, reg, definitions, pairs(("sector", "x", "rest")))
    computed, direct = (row_of(result, indicator=name) for name in ("f", "both"))
    for column in ("difference", "se", "ci_low", "ci_high", "n_reference"):
        assert computed[column] == pytest.approx(direct[column], rel=1e-12)

"""Differences of a group from another group and from the rest."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from small_tables import contributions, indicators, pairs, register, row_of, stack, weights

from pipeline import analyse, survey
from pipeline.analyse import Rules
from pipeline.tables import Clearance

FIRMS = "abcdefgh"


NOTHING_CLEARED = Clearance.empty()
NO_LIMITS = Rules(1, 0, 1, 100)


def benchmark(*base, clearance=NOTHING_CLEARED, rules=NO_LIMITS, adjusted=(), min_answers=2):
    return analyse.benchmark(
        *base,
        clearance=clearance,
        adjusted=adjusted,
        rules=rules,
        min_contributors_high=min_answers,
    )


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


def test_a_difference_of_shares_has_the_interval_of_both_shares():
    # None of 3 and 3 of 3, of 12 firms: t would end at -100 exactly, although 6 did not answer.
    firms, reg = "abcdefghijkl", register("abcdefghijkl", sector="xxxyyyxxxyyy")
    table = weights(firms, "abcdef")
    rows = contributions(table, [0, 0, 0, 1, 1, 1])
    of_share = indicators(kind="share", numerator="x > 0", scale=100.0)
    row = benchmark(rows, table, reg, of_share, pairs(("sector", "x", "y"))).iloc[0]
    design = survey.Design.from_frame(list(firms), ["s"] * 12, [f in "abcdef" for f in firms])
    y = [0, 0, 0, 1, 1, 1]
    one, other = (survey.share(design, y, [v == side for v in y]) for side in (0, 1))
    low, high = survey.share_difference_interval(one, other)
    assert [row["ci_low"], row["ci_high"]] == pytest.approx([100 * float(low), 100 * float(high)])
    assert row["ci_high"] > -100


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


def plain_and_adjusted(result):
    """Both differences by group and reference, and the coverage of the adjusted one."""
    found = {}
    for row in result.to_dict("records"):
        pair = found.setdefault((row["group"], row["reference"]), {})
        pair["adjusted" if row["adjusted"] else "plain"] = row["difference"]
        pair |= {"coverage": row["coverage"]} if row["adjusted"] else {}
    return found


CENSUS = "abcdefghij"


def census(values, declared, *, adjusted, min_answers=2, answered=CENSUS, **groups):
    table = weights(CENSUS, answered)
    reg = register(CENSUS, **groups)
    base = contributions(table, values), table, reg, indicators(), declared
    return benchmark(*base, adjusted=adjusted, min_answers=min_answers)


X_AND_Y = {"sector": "xxxx" + "yyyyyy", "size": "sssl" + "ssllll"}
VALUES = [4, 5, 6, 9, 1, 3, 8, 10, 12, 14]


def test_an_adjusted_difference_by_hand():
    # x: mean 6, three quarters s. y: s 2, l 11, as it is 8; composed like x 3/4 2 + 1/4 11 = 4.25.
    # The other way round: y is 1/3 s, x composed like it 1/3 5 + 2/3 9 = 23/3 (x has one l).
    declared = pairs(("sector", "x", "y"), ("sector", "x", "rest"))
    result = census(VALUES, declared, adjusted=["size"], **X_AND_Y)
    expected = {"plain": -2, "adjusted": pytest.approx(1.75), "coverage": 1}
    assert plain_and_adjusted(result) == {("x", "y"): expected, ("x", "rest"): expected}
    own = result[result["adjusted"]]
    assert own["n_reference"].tolist() == [6, 6]
    assert result["adjusted"].tolist() == [False, False, True, True]


def test_cells_with_too_few_answers_take_the_whole_reference():
    # x has one l, below 2: for that two thirds of y the whole of x stands, 6: 1/3 5 + 2/3 6.
    result = census(VALUES, pairs(("sector", "y", "x")), adjusted=["size"], **X_AND_Y)
    found = plain_and_adjusted(result)["y", "x"]
    assert found["adjusted"] == pytest.approx(8 - (5 / 3 + 4))
    assert found["coverage"] == pytest.approx(1 / 3)
    # With five answers for a cell none is left, and nothing stands for the group.
    result = census(
        VALUES, pairs(("sector", "x", "y")), adjusted=["size"], min_answers=7, **X_AND_Y
    )
    assert np.isnan(plain_and_adjusted(result)["x", "y"]["adjusted"])


def test_cells_are_merged_along_the_columns_the_last_one_first():
    # y by size and kind: s p 1, s q 3; l p 8 10, l q 12 14. x: s p p q, l p. With two answers each
    # s is one cell (2), l p is one (9): 3/4 2 + 1/4 9 = 3.75; 1 of 4 firms has its like.
    groups = X_AND_Y | {"kind": "ppqp" + "pqppqq"}
    declared = pairs(("sector", "x", "y"))
    result = census(VALUES, declared, adjusted=["size", "kind"], **groups)
    found = plain_and_adjusted(result)["x", "y"]
    assert found == {"plain": -2, "adjusted": pytest.approx(6 - 3.75), "coverage": 0.25}
    # First of all by kind: p 1 8 10 has s p (1) and l p (8 10), q 3 12 14; s p p of x have p, 19/3.
    result = census(VALUES, declared, adjusted=["kind", "size"], **groups)
    expected = 6 - (2 * 19 / 3 + 29 / 3 + 9) / 4
    assert plain_and_adjusted(result)["x", "y"]["adjusted"] == pytest.approx(expected)


def test_a_pair_is_not_adjusted_by_its_own_column():
    # s and l have no size in common. By kind: l p 8 10, q 12 14, p p' ...
    groups = X_AND_Y | {"kind": "ppqp" + "pqppqq", "size*kind": ["-"] * 10}
    declared = pairs(("size", "s", "l"))
    alone = census(VALUES, declared, adjusted=["size"], **groups)
    assert alone["adjusted"].tolist() == [False]
    # s: a b c e f with p p q p q, 3 of 5 p; mean 19/5. l: p 9 8 10, q 12 14.
    both = census(VALUES, declared, adjusted=["size", "kind"], **groups)
    found = plain_and_adjusted(both)["s", "l"]
    assert found["adjusted"] == pytest.approx(19 / 5 - (3 * 9 + 2 * 13) / 5)
    assert found["coverage"] == 1


def test_a_pair_of_a_crossing_is_adjusted_by_neither_of_its_columns():
    crossing = {"sector*size": [f"{a}*{b}" for a, b in zip(*X_AND_Y.values(), strict=True)]}
    declared = pairs(("sector*size", "x*s", "y*s"))
    groups = X_AND_Y | crossing | {"kind": "ppqp" + "pppqqq"}
    result = census(VALUES, declared, adjusted=["size", "sector"], **groups)
    assert result["adjusted"].tolist() == [False]
    result = census(VALUES, declared, adjusted=["size", "kind"], **groups)
    assert result["adjusted"].tolist() == [False, True]


def test_a_reference_population_is_composed_like_the_target():
    # Target a-d as x above, 6; population 3 e-j: `3*s` is s. 3/4 2 + 1/4 11 = 4.25.
    declared = pairs(("population", "1", "3"), ("size", "s", "3*s"))
    groups = {"population": "1111333333", "size": X_AND_Y["size"]}
    result = census(VALUES, declared, adjusted=["size"], **groups)
    assert plain_and_adjusted(result) == {
        ("1", "3"): {"plain": -2, "adjusted": pytest.approx(1.75), "coverage": 1},
        ("s", "3*s"): {"plain": 3},
    }


def test_where_everybody_answered_an_adjusted_difference_is_certain():
    result = census(VALUES, pairs(("sector", "x", "y")), adjusted=["size"], **X_AND_Y)
    own = result[result["adjusted"]].iloc[0]
    assert own["se"] == pytest.approx(0, abs=1e-12)
    assert (own["ci_low"], own["ci_high"]) == pytest.approx((1.75, 1.75))
    assert own["p"] == 0
    assert result.iloc[0]["p"] == 0


def test_firms_out_of_scope_are_in_no_composition():
    # As in test_an_adjusted_difference_by_hand with a closed firm of size l more in x.
    firms = CENSUS + "k"
    table = weights(firms, CENSUS, out_of_scope="k")
    groups = {"sector": X_AND_Y["sector"] + "x", "size": X_AND_Y["size"] + "l"}
    reg = register(firms, out_of_scope="k", **groups)
    base = contributions(table, [*VALUES, 0]), table, reg, indicators(), pairs(("sector", "x", "y"))
    found = plain_and_adjusted(benchmark(*base, adjusted=["size"]))
    assert found["x", "y"]["adjusted"] == pytest.approx(1.75)


def test_p_is_that_of_no_difference():
    # As in test_a_group_and_the_rest_by_hand: -6, variance 2/3, one degree of freedom.
    table = weights(FIRMS, "abcd")
    reg = register(FIRMS, sector="xxyyxxyy")
    rows = contributions(table, [1, 3, 7, 9])
    row = benchmark(rows, table, reg, indicators(), pairs(("sector", "x", "rest"))).iloc[0]
    assert row["p"] == pytest.approx(2 * stats.t.sf(6 / np.sqrt(2 / 3), 1), rel=1e-10)


def test_only_the_newest_wave_is_adjusted():
    tables = [weights(CENSUS, CENSUS, wave) for wave in ("w1", "w2")]
    rows = stack(*(contributions(t, VALUES) for t in tables))
    reg = stack(*(register(CENSUS, wave, **X_AND_Y) for wave in ("w1", "w2")))
    declared = pairs(("sector", "x", "y"))
    result = benchmark(rows, stack(*tables), reg, indicators(), declared, adjusted=["size"])
    assert result.loc[result["adjusted"], "wave"].tolist() == ["w2"]
    assert result.loc[~result["adjusted"], "wave"].tolist() == ["w1", "w2"]


def test_an_adjusted_ratio_and_an_adjusted_formula():
    # A ratio y / 2 and a formula u + v of halves: both are half of the mean's difference.
    table = weights(CENSUS, CENSUS)
    halves = [v / 2 for v in VALUES]
    rows = stack(
        contributions(table, VALUES, 2.0, indicator="r"),
        *(contributions(table, np.divide(halves, 2), indicator=name) for name in "uv"),
    )
    definitions = indicators(
        {"indicator": "r", "kind": "ratio", "denominator": "y"},
        *({"indicator": name} for name in "uv"),
        {"indicator": "f", "kind": "formula", "numerator": "u + v"},
    )
    reg = register(CENSUS, **X_AND_Y)
    declared = pairs(("sector", "x", "y"))
    result = benchmark(rows, table, reg, definitions, declared, adjusted=["size"])
    for name in ("r", "f"):
        row = row_of(result, indicator=name, adjusted=True)
        assert row["difference"] == pytest.approx(1.75 / 2)


ROUND = "abcdefghijklmnopqr"


def of_census(values, *definitions, rules, by="size", **groups):
    """The adjusted difference of sector a to b where everybody answered, with true clearance."""
    table = weights(ROUND, ROUND)
    crossed = ["*".join(pair) for pair in zip(*groups.values(), strict=True)]
    reg = register(ROUND, **groups, **{"sector*size": crossed})
    rows = stack(*(contributions(table, v, indicator=name) for name, v in values.items()))
    base = rows, reg, indicators(*definitions), pairs(("sector", "a", "b"))
    limits = {"rules": rules, "min_contributors_high": 5}
    cleared = analyse.protect(*base, breakdowns=["sector", "size", "sector*size"], **limits)
    result = analyse.benchmark(
        *(rows, table, *base[1:]), clearance=cleared, adjusted=[by], **limits
    )
    assert result.loc[~result["adjusted"], "cleared"].all()
    return result[result["adjusted"]].set_index("indicator")["cleared"].to_dict()


RULES = Rules(3, 10, 1, 75)
ONE_CELL = {"sector": "a" * 6 + "b" * 12, "size": "s" * 12 + "l" * 6}
"""Everybody of a is small, so b is told as its small firms are."""
EVEN = [400, 500, 600] * 6
LARGE = [400, 500, 600] * 2 + [1000, 10, 8, 6, 4, 2] + [400, 500, 600] * 2
"""The small firms of b are one firm, by far."""


def test_an_adjusted_difference_is_cleared_where_its_reference_gives_no_cell_away():
    definition = {"indicator": "x"}
    assert of_census({"x": EVEN}, definition, rules=RULES, **ONE_CELL) == {"x": True}
    assert of_census({"x": LARGE}, definition, rules=RULES, **ONE_CELL) == {"x": False}


def test_an_adjusted_difference_of_sides_that_are_not_cleared_is_not():
    groups = {"sector": "a" * 12 + "b" * 6, "size": "s" * 3 + "l" * 6 + "s" * 6 + "l" * 3}
    alone = [1000, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1] + [400, 500, 600] * 2
    assert of_census({"x": alone}, {"indicator": "x"}, rules=RULES, **groups) == {"x": False}


def test_an_adjusted_formula_is_cleared_where_all_its_parts_are():
    names = {"u": EVEN, "v": LARGE, "w": EVEN}
    definitions = [
        *({"indicator": name} for name in names),
        {"indicator": "uv", "kind": "formula", "numerator": "u + v"},
        {"indicator": "uw", "kind": "formula", "numerator": "u + w"},
    ]
    found = of_census(names, *definitions, rules=RULES, **ONE_CELL)
    assert found == {"u": True, "v": False, "w": True, "uv": False, "uw": True}

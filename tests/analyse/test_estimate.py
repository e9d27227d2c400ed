"""Estimates by hand, and against formulas of their own."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from small_tables import (
    NAN,
    NO_BREAKS,
    NO_PAIRS,
    breaks,
    contributions,
    indicators,
    pairs,
    register,
    response,
    row_of,
    stack,
    the_response,
    weights,
)

from pipeline import analyse

FIRMS = "abcdefghijklm"
STRATA = "uuuuvvvvvvvvv"  # 4 firms in u, 9 in v
ANSWERED = weights(FIRMS, "abefg", strata=STRATA)  # weights 2 2 | 3 3 3


def estimate(*base, declared=NO_PAIRS, changes=NO_BREAKS, pooled=(), **options):
    return analyse.estimate(*base, declared, changes=changes, pooled=pooled, **options)


def of_all(rows, table=ANSWERED, **indicator):
    result = estimate(rows, table, register(FIRMS), indicators(**indicator), breakdowns=[])
    return result.iloc[0]


def test_a_stratified_mean():
    # (2 (1 + 3) + 3 (4 + 5 + 9)) / 13 = 62/13. Variance (Cochran 1977, 5.3): u, s^2 = 2,
    # (4/13)^2 (1 - 2/4) 2/2 = 8/169; v, s^2 = 14/2, (9/13)^2 (1 - 3/9) 7/3 = 126/169; 5 - 2 = 3 df.
    row = of_all(contributions(ANSWERED, [1, 3, 4, 5, 9]))
    assert row["estimate"] == pytest.approx(62 / 13, rel=1e-14)
    assert row["se"] == pytest.approx(np.sqrt(134) / 13, rel=1e-13)
    half = 3.182446305 * np.sqrt(134) / 13
    assert row["ci_low"] == pytest.approx(62 / 13 - half, rel=1e-9)
    assert row["ci_high"] == pytest.approx(62 / 13 + half, rel=1e-9)
    assert (row["n"], row["population"]) == (5, 13)


def test_no_interval_where_the_answers_do_not_differ_within_strata():
    # u: 4 and 4 of four firms, v: 7, 7 and 7 of nine: no spread, but nine did not answer.
    found = of_all(contributions(ANSWERED, [4, 4, 7, 7, 7]))
    assert found["estimate"] == pytest.approx((2 * 8 + 3 * 21) / 13)
    assert found["se"] == pytest.approx(0, abs=1e-12)
    assert np.isnan([found["ci_low"], found["ci_high"]]).all()
    # Where everybody answered, the estimate is the value of the population.
    everybody = weights("abc", "abc")
    rows = contributions(everybody, [4, 4, 7])
    whole = estimate(rows, everybody, register("abc"), indicators(), breakdowns=[]).iloc[0]
    assert [whole[c] for c in ("estimate", "ci_low", "ci_high")] == pytest.approx([5, 5, 5])


def test_a_total_is_grossed_up():
    # 13 times the mean: 62; if all answered the item its variance is 13^2 times that of the mean.
    row = of_all(contributions(ANSWERED, [1, 3, 4, 5, 9]), kind="total")
    assert row["estimate"] == pytest.approx(62, rel=1e-14)
    assert row["se"] == pytest.approx(np.sqrt(134), rel=1e-13)


def test_weights_and_correction_are_of_those_that_answered_the_item():
    # g has no answer: (2 (1 + 3) + 9/2 (4 + 5)) / 13 = 48.5/13. Deviations of 13 z: u 2 * ±1,
    # v 4.5 * ±.5: (1 - 2/4) 2 (4 + 4) + (1 - 2/9) 2 (2.25^2 + 2.25^2) = 8 + 15.75.
    row = of_all(contributions(ANSWERED, [1, 3, 4, 5, NAN]))
    assert row["estimate"] == pytest.approx(48.5 / 13, rel=1e-14)
    assert row["se"] == pytest.approx(np.sqrt(23.75) / 13, rel=1e-13)
    assert (row["n"], row["population"]) == (4, 13)


def test_a_total_stands_for_those_without_an_answer_too():
    row = of_all(contributions(ANSWERED, [1, 3, 4, 5, NAN]), kind="total")
    assert row["estimate"] == pytest.approx(48.5, rel=1e-14)


def test_a_firm_outside_the_base_is_a_respondent_that_brings_nothing():
    # b outside: (2 + 3 * 18) / 11 = 56/11. 121 z = 2 * -45, 0 | -36 -3 129:
    # u .5 * 2 (45^2 + 45^2) = 4050; v (2/3) (3/2) (66^2 + 33^2 + 99^2) = 15246: var 19296/121^2.
    rows = contributions(ANSWERED, [1, 3, 4, 5, 9], base="aefg")
    row = of_all(rows)
    assert row["estimate"] == pytest.approx(56 / 11, rel=1e-14)
    assert row["se"] == pytest.approx(np.sqrt(19296) / 121, rel=1e-13)
    assert (row["n"], row["population"]) == (4, 13)
    half = stats.t.ppf(0.975, 2) * np.sqrt(19296) / 121  # 4 firms in 2 strata
    assert row["ci_high"] == pytest.approx(56 / 11 + half, rel=1e-10)


def test_a_ratio_in_per_cent():
    # One stratum, 3 of 6, y 2 4 6 over x 1 4 5: R = 12/10; residuals .8 -.8 0, z = 2 r / 20:
    # var = (1 - 3/6) (3/2) (.08^2 + .08^2) = .0096; times 100.
    table = weights("abcdef", "abc")
    rows = contributions(table, [2, 4, 6], [1, 4, 5])
    definition = indicators(kind="ratio", denominator="y", scale=100.0)
    row = estimate(rows, table, register("abcdef"), definition, breakdowns=[]).iloc[0]
    assert row["estimate"] == pytest.approx(120, rel=1e-14)
    assert row["se"] == pytest.approx(100 * np.sqrt(0.0096), rel=1e-12)


def test_a_share_in_per_cent_has_its_interval_within_0_and_100():
    # 1 of 4 of 8: se^2 = 1/32 and n* = 6 (see test_domains), in per cent.
    table = weights("abcdefgh", "abcd")
    definition = indicators(kind="share", numerator="x == 1", scale=100.0)
    rows = contributions(table, [1, 0, 0, 0])
    row = estimate(rows, table, register("abcdefgh"), definition, breakdowns=[]).iloc[0]
    assert (row["estimate"], row["se"]) == pytest.approx((25, 100 * np.sqrt(1 / 32)))
    low, high = stats.beta.ppf(0.025, 1.5, 5.5), stats.beta.ppf(0.975, 2.5, 4.5)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((100 * low, 100 * high), rel=1e-10)


def test_groups_and_a_group_of_another_wave():
    table = weights("abcd", "abcd")
    reg = stack(register("abcd", sector="xxyy"), register("ab", "w0", sector="xz"))
    result = estimate(
        contributions(table, [1, 3, 5, 9]), table, reg, indicators(), breakdowns=["sector"]
    )
    assert result["estimate"].tolist()[:3] == [4.5, 2, 7]
    assert result["n"].tolist() == [4, 2, 2, 0]
    assert result["population"].tolist() == [4, 2, 2, 0]
    empty = row_of(result, group="z")
    assert empty[["estimate", "se", "ci_low", "ci_high"]].isna().all()


def test_a_group_in_which_nobody_answered_has_no_estimate():
    table = weights("abcd", "ab")
    result = estimate(
        contributions(table, [1, 3]),
        table,
        register("abcd", sector="xxyy"),
        indicators(),
        breakdowns=["sector"],
    )
    row = row_of(result, group="y")
    assert (row["n"], row["population"]) == (0, 2)
    assert np.isnan(row["estimate"])


def test_an_indicator_whose_base_is_empty_has_no_estimate():
    table = weights("abcd", "ab")
    rows = contributions(table, [1, 3], base="")
    row = estimate(rows, table, register("abcd"), indicators(), breakdowns=[]).iloc[0]
    assert row["n"] == 0
    assert np.isnan(row["estimate"])


def test_the_response_counts_those_that_answered():
    # 5 of 13; in x 2 of 4, in y 3 of 9; nothing is left to chance.
    reg = register(FIRMS, sector="xxxxyyyyyyyyy")
    definition = indicators(the_response())
    result = estimate(response(ANSWERED), ANSWERED, reg, definition, breakdowns=["sector"])
    assert result["estimate"].tolist() == pytest.approx([500 / 13, 50, 100 / 3])
    assert result["n"].tolist() == [5, 2, 3]
    assert result["population"].tolist() == [13, 4, 9]
    assert result["se"].tolist() == [0, 0, 0]
    assert result["ci_high"].tolist() == result["estimate"].tolist()


def test_waves_are_estimated_each_by_its_own_register():
    one, two = weights("abcd", "ab", "w1"), weights("ab", "ab", "w2")
    rows = stack(contributions(two, [5, 7]), contributions(one, [1, 3]))
    reg = stack(register("abcd", "w1"), register("ab", "w2"))
    result = estimate(rows, stack(one, two), reg, indicators(), breakdowns=[])
    assert result["wave"].tolist() == ["w1", "w2"]
    assert result["population"].tolist() == [4, 2]
    assert result["se"].tolist() == pytest.approx([np.sqrt(0.5 * 2 / 2), 0])


def plain_ratio(rows, strata, sizes, inside):
    """Estimate and variance of sum(w y) / sum(w x) from the contributions of an item."""
    y, x, weight = (rows[c].to_numpy() for c in ("numerator", "denominator", "weight"))
    total = (weight * x)[inside].sum()
    value = (weight * y)[inside].sum() / total
    z = np.where(inside, weight * (y - value * x) / total, 0.0)
    variance = 0.0
    for h, size in sizes.items():
        own = np.array([v for v, s in zip(z, strata, strict=True) if s == h])
        if len(own) > 1:
            variance += (1 - len(own) / size) * len(own) * own.var(ddof=1)
        elif len(own) == 1:  # not centred: rather too wide
            variance += (1 - 1 / size) * own[0] ** 2
    return value, variance


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_estimates_are_those_of_plain_formulas(data):
    size = data.draw(st.integers(6, 14))
    firms = "abcdefghijklmn"[:size]
    strata = "uv" + "".join(data.draw(st.sampled_from("uv")) for _ in firms[2:])
    answered = "ab" + "".join(f for f in firms[2:] if data.draw(st.booleans()))
    table = weights(firms, answered, strata=strata)
    n = len(answered)
    number = st.integers(0, 50).map(float)
    y = np.array(data.draw(st.lists(number | st.just(NAN), min_size=n, max_size=n)))
    x = np.array(data.draw(st.lists(st.integers(1, 9), min_size=n, max_size=n)), dtype=float)
    base = "".join(f for f in answered if data.draw(st.integers(0, 4)))
    sector = "".join(data.draw(st.sampled_from("pq")) for _ in firms)
    rows = contributions(table, y, x, base)
    definition = indicators(kind="ratio", denominator="y")
    if rows.empty:
        return
    reg = register(firms, sector=sector)
    result = estimate(rows, table, reg, definition, breakdowns=["sector"])

    kept = rows["firm_id"].tolist()
    sizes = {h: strata.count(h) for h in "uv"}
    for row in result.to_dict("records"):
        in_group = [row["group"] in ("all", sector[firms.index(f)]) for f in kept]
        inside = [g and f in base for g, f in zip(in_group, kept, strict=True)]
        assert row["n"] == sum(inside)
        if sum(inside) < 2:
            continue
        value, variance = plain_ratio(
            rows, [strata[firms.index(f)] for f in kept], sizes, np.array(inside)
        )
        assert row["estimate"] == pytest.approx(value, rel=1e-11, abs=1e-12)
        assert row["se"] ** 2 == pytest.approx(variance, rel=1e-9, abs=1e-18)


def test_the_order_of_rows_is_of_no_consequence():
    rows = contributions(ANSWERED, [1, 3, 4, 5, 9])
    reg = register(FIRMS, sector="xxxxyyyyyyyyy")
    once = estimate(rows, ANSWERED, reg, indicators(), breakdowns=["sector"])
    again = estimate(
        rows.sample(frac=1, random_state=1),
        ANSWERED.sample(frac=1, random_state=2),
        reg.sample(frac=1, random_state=3),
        indicators(),
        breakdowns=["sector"],
    )
    assert once.equals(again)


def test_a_balance_by_hand():
    # 10 of 20, 6 up, 3 equal, 1 down: 50 points; s^2 = (7 - 10 / 4) / 9 = 1/2,
    # se^2 = (1 - 10/20) (1/2) / 10 = 1/40. Its interval: shares .6 and .1, both with the t of 9.
    firms = "abcdefghijklmnopqrst"
    table = weights(firms, firms[:10])
    rows = contributions(table, [1] * 6 + [0] * 3 + [-1])
    definition = indicators(kind="balance", scale=100.0)
    row = estimate(rows, table, register(firms), definition, breakdowns=[]).iloc[0]
    assert row["estimate"] == pytest.approx(50, rel=1e-14)
    assert row["se"] == pytest.approx(100 * np.sqrt(1 / 40), rel=1e-13)
    # n* = p (1 - p) / se^2 = 18 for both: se_up^2 = .24 (10/9) / 20, se_down^2 = .09 (10/9) / 20.
    up = stats.beta.ppf([0.025, 0.975], [18 * 0.6, 18 * 0.6 + 1], [18 * 0.4 + 1, 18 * 0.4])
    down = stats.beta.ppf([0.025, 0.975], [18 * 0.1, 18 * 0.1 + 1], [18 * 0.9 + 1, 18 * 0.9])
    r = -0.06 / np.sqrt(0.24 * 0.09)  # of two answers that exclude each other
    a, b = 0.6 - up[0], down[1] - 0.1
    low = 0.5 - np.sqrt(a**2 + b**2 - 2 * r * a * b)
    a, b = up[1] - 0.6, 0.1 - down[0]
    high = 0.5 + np.sqrt(a**2 + b**2 - 2 * r * a * b)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((100 * low, 100 * high), rel=1e-9)


def test_business_climate_by_hand():
    # 10 of 20 firms. Situation 50 points, expectations (2 - 3) / 10 = -10 points:
    # sqrt(250 * 190) - 200 = 17.94. Derivatives 190 / (2 sqrt(47500)) and 250 / (2 sqrt(47500)):
    # squares .19 and .328947, product .25. Sums of squares 7 - 2.5 = 4.5 and 5 - .1 = 4.9, of
    # products 3 + .5 = 3.5; each over 9 * 10 and times 1 - 10/20: 1/180.
    firms = "abcdefghijklmnopqrst"
    table = weights(firms, firms[:10])
    rows = stack(
        contributions(table, [1] * 6 + [0] * 3 + [-1], indicator="now"),
        contributions(table, [1, 1, 0, 0, 0, 0, 0, -1, -1, -1], indicator="soon"),
    )
    definition = indicators(
        {"indicator": "now", "kind": "balance", "scale": 100.0},
        {"indicator": "soon", "kind": "balance", "scale": 100.0},
        {
            "indicator": "climate",
            "kind": "formula",
            "numerator": "sqrt((now + 200) * (soon + 200)) - 200",
        },
    )
    result = estimate(rows, table, register(firms), definition, breakdowns=[])
    row = row_of(result, indicator="climate")
    assert row["estimate"] == pytest.approx(np.sqrt(47500) - 200, rel=1e-13)
    variance = 100**2 / 180 * (0.19 * 4.5 + 15625 / 47500 * 4.9 + 2 * 0.25 * 3.5)
    assert row["se"] == pytest.approx(np.sqrt(variance), rel=1e-12)
    half = stats.t.ppf(0.975, 9) * np.sqrt(variance)
    assert row["ci_high"] - row["estimate"] == pytest.approx(half, rel=1e-10)
    assert (row["n"], row["population"]) == (10, 20)
    assert result["indicator"].tolist() == ["climate", "now", "soon"]


def test_a_formula_needs_all_its_parts_in_the_wave_and_in_the_group():
    one, two = weights("abcd", "abcd", "w1"), weights("abcd", "abcd", "w2")
    rows = stack(
        contributions(one, [1, 0, 1, 0], indicator="u"),
        contributions(two, [1, 0, 1, 0], indicator="u"),
        contributions(two, [1, 2, NAN, NAN], indicator="v"),
    )
    definition = indicators(
        {"indicator": "u"}, {"indicator": "v"}, {"indicator": "f", "kind": "formula"} | SUM
    )
    reg = stack(*(register("abcd", wave, sector="xxyy") for wave in ("w1", "w2")))
    result = estimate(rows, stack(one, two), reg, definition, breakdowns=["sector"])
    found = result[result["indicator"] == "f"]
    assert found["wave"].tolist() == ["w2"] * 3
    assert found["n"].tolist() == [2, 2, 0]
    assert found["estimate"].tolist()[:2] == [2, 2]  # .5 + 1.5 each
    assert np.isnan(found["estimate"].iloc[2])


SUM = {"numerator": "u + v"}


def test_a_sample_stands_beside_the_census():
    # Population 3: 10 firms on the frame, 5 asked (design weight 2), 3 answered: weight 10/3.
    # Mean of 1 3 8: 4, s^2 = 13, se^2 = (1 - 3/10) 13/3. The target's 4 firms all answered.
    target, sample = "abcd", "mnopqrstuv"
    table = weights(target + sample, target + "mno", strata="t" * 4 + "r" * 10, not_asked="rstuv")
    reg = register(target + sample, population="1" * 4 + "3" * 10, size="sslm" + "s" * 10)
    rows = contributions(table, [2, 4, 6, 8, 1, 3, 8])
    declared = pairs(("population", "1", "3"), ("size", "s", "3*s"))
    result = estimate(
        stack(rows, response(table)),
        table,
        reg,
        indicators({}, the_response()),
        declared=declared,
        breakdowns=["size"],
    )
    own = result[result["indicator"] == "x"].set_index(["breakdown", "group"])
    everybody = ["n", "population", "estimate", "se", "ci_low", "ci_high"]
    assert own.loc[("all", "all"), everybody].tolist() == [4, 4, 5, 0, 5, 5]
    assert own.loc[("population", "1"), everybody].tolist() == [4, 4, 5, 0, 5, 5]
    for place in (("population", "3"), ("size", "3*s")):
        assert own.loc[place, ["n", "population", "estimate"]].tolist() == [3, 10, 4]
        assert own.loc[place, "se"] ** 2 == pytest.approx(0.7 * 13 / 3, rel=1e-13)
    assert own.loc[("size", "s"), ["n", "estimate"]].tolist() == [2, 3]
    took_part = result[result["indicator"] == "response"].set_index(["breakdown", "group"])
    assert took_part.loc[("population", "3"), ["n", "population"]].tolist() == [3, 5]
    assert took_part.loc[("population", "3"), "estimate"] == pytest.approx(60)


def test_firms_out_of_scope_are_in_no_population_but_in_the_variance():
    # 8 firms, a-c answered, d is out of scope: weight 2. Mean of 1 3 5: 3, and z = 2 (y - 3) / 6 =
    # -2/3 0 2/3 and 0 for d: se^2 = (1 - 4/8) (4/3) (8/9). Total: 3 * 2 * 3 = 18.
    table = weights("abcdefgh", "abc", out_of_scope="d")
    reg = register("abcdefgh", out_of_scope="d")
    rows = stack(
        contributions(table, [1, 3, 5, 0], indicator="x"),
        contributions(table, [1, 3, 5, 0], indicator="sum"),
        response(table),
    )
    definition = indicators({}, {"indicator": "sum", "kind": "total"}, the_response())
    result = estimate(rows, table, reg, definition, breakdowns=[]).set_index("indicator")
    assert result["n"].to_dict() == {"x": 3, "sum": 3, "response": 3}
    assert result["population"].tolist() == [7, 7, 7]
    assert result.loc["x", "estimate"] == 3
    assert result.loc["x", "se"] ** 2 == pytest.approx(16 / 27, rel=1e-13)
    assert result.loc["sum", "estimate"] == pytest.approx(18, rel=1e-14)
    assert result.loc["response", "estimate"] == pytest.approx(300 / 7)


def two_waves(first, second, answered=("abcde", "cdef"), firms="abcdefghij", **groups):
    """Waves w1 and w2 of one register, and the second of `answered` in w2."""
    tables = [weights(firms, own, w) for own, w in zip(answered, ("w1", "w2"), strict=True)]
    rows = [contributions(t, y) for t, y in zip(tables, (first, second), strict=True)]
    reg = stack(*(register(firms, wave, **groups) for wave in ("w1", "w2")))
    return stack(*rows), stack(*tables), reg, indicators()


def pooled_of(*base, **options):
    result = estimate(*base, **{"breakdowns": ["sector"], "pooled": ["sector"]} | options)
    return result[result["waves"] == 2].reset_index(drop=True)


def test_a_mean_of_two_waves_by_hand():
    # Everybody of ten answered: sector x (5 firms) 2 and 7, y 3 and 5: 4.5 and 4.
    base = two_waves([2] * 5 + [3] * 5, [7] * 5 + [5] * 5, ("abcdefghij",) * 2, sector="xxxxxyyyyy")
    result = pooled_of(*base)
    assert result["group"].tolist() == ["x", "y"]  # not everybody, who is in another breakdown
    assert result["estimate"].tolist() == [4.5, 4]
    assert result["se"].tolist() == [0, 0]
    assert result[["ci_low", "ci_high"]].to_numpy().tolist() == [[4.5, 4.5], [4, 4]]
    assert result["wave"].tolist() == ["w2", "w2"]
    assert result["n"].tolist() == [10, 10]  # answers of both waves
    assert result["population"].tolist() == [5, 5]


def test_a_mean_of_two_waves_has_their_covariance():
    # Of the waves of test_compare's Tam 1984: means 4 and 5.5, variances .75 and 1.05.
    base = two_waves([1, 5, 2, 4, 8], [3, 4, 9, 6], sector="x" * 10)
    row = pooled_of(*base).iloc[0]
    cov = (3 / 20 - 1 / 10) * 19 * np.sqrt(5 / 3) / 3
    assert row["estimate"] == pytest.approx(4.75)
    assert row["se"] ** 2 == pytest.approx((0.75 + 1.05 + 2 * cov) / 4, rel=1e-10)
    assert row["n"] == 9


def test_the_estimates_of_each_wave_stay_as_they_are():
    base = two_waves([1, 5, 2, 4, 8], [3, 4, 9, 6], sector="xyxyxyxyxy")
    alone = estimate(*base, breakdowns=["sector"])
    beside = estimate(*base, breakdowns=["sector"], pooled=["sector"])
    own = beside[beside["waves"] == 1].reset_index(drop=True)
    assert own.equals(alone)
    assert set(alone["waves"]) == {1}


@pytest.mark.parametrize(("since", "waves"), [("w1", ["w2"]), ("w2", []), ("w3", ["w2"])])
def test_waves_are_not_pooled_across_a_break(since, waves):
    base = two_waves([1, 5, 2, 4, 8], [3, 4, 9, 6], sector="x" * 10)
    assert pooled_of(*base, changes=breaks(x=since))["wave"].tolist() == waves


def test_only_waves_next_to_each_other_are_pooled():
    tables = [weights("abcd", "abcd", wave) for wave in ("w1", "w2", "w3", "w4")]
    measured = [tables[0], *tables[2:]]
    rows = stack(*(contributions(t, [k, k, k, k]) for k, t in enumerate(measured)))
    reg = stack(*(register("abcd", w, sector="xxxx") for w in ("w1", "w2", "w3", "w4")))
    result = pooled_of(rows, stack(*tables), reg, indicators())
    assert result[["wave", "estimate"]].to_numpy().tolist() == [["w4", 1.5]]


def test_a_group_without_answers_in_one_wave_is_not_pooled():
    one, two = weights("abcd", "abcd", "w1"), weights("abcd", "abcd", "w2")
    rows = stack(contributions(one, [1, 2, 3, 4]), contributions(two, [1, 2, 3, 4]))
    reg = stack(register("abcd", "w1", sector="xxxx"), register("abcd", "w2", sector="xxyy"))
    result = pooled_of(rows, stack(one, two), reg, indicators()).set_index("group")
    assert result.loc["x", "estimate"] == 2
    assert np.isnan(result.loc["y", "estimate"])


def test_the_response_is_not_pooled():
    table = [weights("abcd", "abc", wave) for wave in ("w1", "w2")]
    reg = stack(*(register("abcd", wave, sector="xxyy") for wave in ("w1", "w2")))
    rows = stack(*(response(t) for t in table))
    assert pooled_of(rows, stack(*table), reg, indicators(the_response())).empty


def test_a_pooled_share_has_its_interval_within_0_and_100():
    base = two_waves([1, 0, 0, 0, 0], [0, 0, 0, 0], sector="x" * 10)
    definition = indicators(kind="share", numerator="x > 0", scale=100.0)
    row = pooled_of(*base[:3], definition).iloc[0]
    assert row["estimate"] == pytest.approx(10)
    assert row["ci_low"] > 0
    assert row["ci_high"] < 100

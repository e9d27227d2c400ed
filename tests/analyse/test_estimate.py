"""Estimates by hand, and against formulas of their own."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from small_tables import (
    NAN,
    NO_PAIRS,
    contributions,
    indicators,
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


def estimate(*base, declared=NO_PAIRS, **options):
    return analyse.estimate(*base, declared, **options)


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


def test_the_correction_uses_those_that_answered_the_item():
    # g has no answer: (2 (1 + 3) + 3 (4 + 5)) / (4 + 6) = 3.5. z = w (y - 3.5) / 10 = -.5 -.1 |
    # .15 .45: u (1 - 2/4) 2 (.2^2 + .2^2) = .08; v (1 - 2/9) 2 (.15^2 + .15^2) = .07: var .15.
    row = of_all(contributions(ANSWERED, [1, 3, 4, 5, NAN]))
    assert row["estimate"] == pytest.approx(3.5, rel=1e-14)
    assert row["se"] == pytest.approx(np.sqrt(0.15), rel=1e-13)
    assert (row["n"], row["population"]) == (4, 13)


def test_a_total_stands_for_those_without_an_answer_too():
    row = of_all(contributions(ANSWERED, [1, 3, 4, 5, NAN]), kind="total")
    assert row["estimate"] == pytest.approx(13 * 3.5, rel=1e-14)


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

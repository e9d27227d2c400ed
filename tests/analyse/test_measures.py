"""Rules of indicators, and the one place where an indicator is measured."""

import numpy as np
import pytest
from scipy import stats
from small_tables import (
    NAN,
    NO_PAIRS,
    contributions,
    indicators,
    register,
    response,
    stack,
    the_response,
    weights,
)

from pipeline.analyse.domains import groups_of, wave_frames
from pipeline.analyse.measures import Measures, interval, rules_of


def test_rules_name_every_item_of_the_three_formulas():
    table = indicators(
        {"indicator": "r", "kind": "ratio", "numerator": "u * v", "denominator": "w", "base": "k>0"}
    )
    rule = rules_of(table)["r"]
    assert rule.items == {"u", "v", "w", "k"}
    assert (rule.kind, rule.scale, rule.categorical, rule.sensitive) == ("ratio", 1, False, True)


@pytest.mark.parametrize(
    ("kind", "numerator", "expected"),
    [
        ("share", "x > 0", True),
        ("total", "x == 1", True),
        ("mean", "not x > 0", True),
        ("share", "2 - x", True),  # a share is a matter of yes and no however it is written
        ("balance", "x", True),
        ("mean", "x", False),
        ("total", "x * (x > 0)", False),
    ],
)
def test_what_counts_as_yes_or_no(kind, numerator, expected):
    assert rules_of(indicators(kind=kind, numerator=numerator))["x"].categorical is expected


def test_the_response_has_no_formula_and_is_a_matter_of_yes_and_no():
    rules = rules_of(indicators(the_response("low"), {"indicator": "x"}))
    assert list(rules) == ["response", "x"]
    assert rules["response"].categorical
    assert not rules["response"].sensitive


CLIMATE = (
    {"indicator": "now", "kind": "balance", "numerator": "u", "scale": 100.0},
    {"indicator": "soon", "kind": "balance", "numerator": "v", "sensitivity": "high"},
    {"indicator": "sum", "kind": "total", "numerator": "w"},
    {"indicator": "climate", "kind": "formula", "numerator": "sqrt(now * soon)"},
    {"indicator": "mixed", "kind": "formula", "numerator": "now / sum"},
)


def test_a_formula_has_the_items_of_its_parts_and_is_an_amount_if_one_of_them_is():
    rules = rules_of(indicators(*CLIMATE))
    assert rules["climate"].parts == ("now", "soon")
    assert rules["climate"].items == {"u", "v"}
    assert rules["climate"].categorical
    assert not rules["mixed"].categorical
    assert rules["now"].parts == ()
    assert (rules["now"].high, rules["soon"].high) == (False, True)


def measures_of(table, rows, *definitions, firms=None):
    firms = firms or "".join(table["firm_id"])
    frames = wave_frames(table, register(firms), groups_of(register(firms), [], NO_PAIRS))
    return Measures(rows, frames, rules_of(indicators(*definitions)))


def of_all(measures, name="x"):
    return measures.estimate("w1", name, measures.frames["w1"].members)


def test_indicators_have_the_waves_of_their_contributions_and_formulas_those_of_all_parts():
    one, two = weights("ab", "ab", "w1"), weights("ab", "ab", "w2")
    rows = stack(
        contributions(two, [1, 0], indicator="now"),
        contributions(one, [1, 0], indicator="soon"),
        contributions(two, [0, 1], indicator="soon"),
    )
    reg = stack(register("ab", "w1"), register("ab", "w2"))
    frames = wave_frames(stack(two, one), reg, groups_of(reg, [], NO_PAIRS))
    measures = Measures(rows, frames, rules_of(indicators(*CLIMATE)))
    assert measures.waves == {
        "now": ["w2"],
        "soon": ["w1", "w2"],
        "sum": [],
        "climate": ["w2"],
        "mixed": [],
    }


def test_firms_are_counted_that_answered_in_the_base_and_in_a_formula_all_parts():
    table = weights("abcdef", "abcd")
    rows = stack(
        contributions(table, [1, -1, NAN, 0], indicator="now"),
        contributions(table, [1, NAN, NAN, 1], base="abc", indicator="soon"),
    )
    measures = measures_of(table, rows, *CLIMATE)
    members = measures.frames["w1"].members
    assert [int(measures.count("w1", name, members)[0]) for name in ("now", "soon", "climate")] == [
        *(3, 1, 1)
    ]


def test_contributions_of_a_firm_that_did_not_answer_are_refused():
    table = weights("abc", "abc")
    with pytest.raises(ValueError, match="did not answer"):
        measures_of(weights("abc", "ab"), contributions(table, [1, 2, 3]), {"indicator": "x"})


def test_a_formula_is_computed_from_its_parts_as_they_are_printed():
    # now: (1 + 1 + 0 - 1) / 4 = 25 points; soon, without a scale: (1 + 1 + 1 - 1) / 4 = 0.5.
    table = weights("abcdefgh", "abcd")
    rows = stack(
        contributions(table, [1, 1, 0, -1], indicator="now"),
        contributions(table, [1, 1, 1, -1], indicator="soon"),
    )
    found = of_all(measures_of(table, rows, *CLIMATE), "climate")
    assert found.estimate.tolist() == pytest.approx([np.sqrt(25 * 0.5)])
    assert found.n.tolist() == [4]


def test_a_firm_without_answer_counts_in_the_size_of_a_total_but_one_outside_the_base_does_not():
    # Weight 2 each; a 3, b no answer, c outside the base: (2 + 2) * 3 = 12; mean 3 in both cases.
    table = weights("abcdef", "abc")
    rows = contributions(table, [3, NAN, 7], base="ab")
    for kind, expected in (("total", 12), ("mean", 3)):
        measures = measures_of(table, rows, {"indicator": "x", "kind": kind})
        assert of_all(measures).estimate.tolist() == [expected]


def test_a_firm_out_of_scope_counts_in_no_total_and_no_mean():
    # Weight 2 each; a 3, b 5, c out of scope: mean 4, total of the 4 that a and b stand for 16.
    table = weights("abcdef", "ab", out_of_scope="c")
    rows = contributions(table, [3, 5, 0])
    for kind, expected in (("total", 16), ("mean", 4)):
        found = of_all(measures_of(table, rows, {"indicator": "x", "kind": kind}))
        assert found.estimate.tolist() == [expected]
        assert found.n.tolist() == [2]


def test_the_response_is_measured_over_the_whole_register():
    table = weights("abcde", "ab")
    result = of_all(measures_of(table, response(table), the_response()), "response")
    assert result.estimate.tolist() == [0.4]
    assert result.se.tolist() == [0]


def test_only_a_share_has_the_beta_interval():
    # 1 of 4 of 8 firms, weight 2: p = 1/4, s^2 = 1/4, se^2 = (1 - 1/2) (1/4) / 4 = 1/32,
    # n* = (3/16) / (1/32) = 6 (t of both with 3 degrees of freedom).
    table = weights("abcdefgh", "abcd")
    rows = contributions(table, [1, 0, 0, 0])
    result = of_all(measures_of(table, rows, {"indicator": "x", "kind": "share"}))
    ends = interval(result, "share")
    assert ends.low[0] == pytest.approx(stats.beta.ppf(0.025, 1.5, 5.5), rel=1e-10)
    assert ends.high[0] == pytest.approx(stats.beta.ppf(0.975, 2.5, 4.5), rel=1e-10)
    half = stats.t.ppf(0.975, 3) * np.sqrt(1 / 32)
    assert interval(result, "mean").high[0] == pytest.approx(0.25 + half, rel=1e-10)


def test_a_balance_has_the_interval_of_its_shares():
    # Everybody up: the share up has the bounds of none of 4 of 8 the other way round; those who
    # are not up may be down: twice as far.
    table = weights("abcdefgh", "abcd")
    up = of_all(
        measures_of(table, contributions(table, [1] * 4), {"indicator": "x", "kind": "share"})
    )
    low = interval(up, "share").low[0]
    rows = contributions(table, [1] * 4)
    balance = of_all(measures_of(table, rows, {"indicator": "x", "kind": "balance"}))
    ends = interval(balance, "balance")
    assert ends.low[0] == pytest.approx(1 - 2 * (1 - low), rel=1e-12)
    assert ends.high[0] == 1

"""Groups, frames and the one place where an indicator is measured."""

import numpy as np
import pytest
from scipy import stats
from small_tables import (
    NAN,
    contributions,
    indicators,
    register,
    response,
    stack,
    the_response,
    weights,
)

from pipeline.analyse.domains import (
    cells_of,
    groups_of,
    interval,
    measure,
    members_of,
    rules_of,
    wave_frames,
)


def two_waves():
    return stack(
        register("abc", "w1", sector="xxy", size="sll"),
        register("abd", "w2", sector="xzy", size="sls"),
    )


def test_groups_of_all_waves_stand_in_the_order_of_the_breakdowns():
    groups = groups_of(two_waves(), ["size", "sector"])
    assert groups.to_numpy().tolist() == [
        ["all", "all"],
        ["size", "l"],
        ["size", "s"],
        ["sector", "x"],
        ["sector", "y"],
        ["sector", "z"],
    ]


def test_groups_do_not_depend_on_the_order_of_rows_and_leave_out_other_columns():
    shuffled = two_waves().sample(frac=1, random_state=3)
    groups = groups_of(shuffled, ["sector"])
    assert groups.to_numpy().tolist() == [["all", "all"], *[["sector", g] for g in "xyz"]]


def test_members_are_those_of_the_firms_asked_for():
    # d is not in the register of w1 and b is not asked for: neither appears, nobody moves.
    reg = register("abc", sector="xxy")
    groups = groups_of(reg, ["sector"])
    firms = wave_frames(weights("acd", "acd"), reg, groups)["w1"].firms
    assert list(firms) == ["a", "c", "d"]
    assert members_of(groups, firms, reg).tolist() == [
        [True, True, False],
        [True, False, False],
        [False, True, False],
    ]


def test_a_wave_has_the_groups_of_other_waves_empty():
    reg = two_waves()
    groups = groups_of(reg, ["sector"])
    frames = wave_frames(stack(weights("abd", "ab", "w2"), weights("abc", "ac", "w1")), reg, groups)
    assert list(frames) == ["w1", "w2"]
    assert frames["w1"].members.sum(axis=1).tolist() == [3, 2, 1, 0]
    assert frames["w2"].members.sum(axis=1).tolist() == [3, 1, 1, 1]


def test_the_design_is_sorted_by_firm_and_has_who_answered():
    table = weights("dcba", "dba", strata="uuvv")
    frame = wave_frames(table, register("abcd"), groups_of(register("abcd"), []))["w1"]
    assert frame.answers.unit_ids.tolist() == ["a", "b", "d"]
    assert frame.answers.weights.tolist() == [1, 1, 2]  # u: 2 firms, 1 answered; v: 2 of 2
    assert frame.census.unit_ids.tolist() == ["a", "b", "c", "d"]
    assert frame.census.weights.tolist() == [1, 1, 1, 1]


def test_rules_name_every_item_of_the_three_formulas():
    table = indicators(
        {"indicator": "r", "kind": "ratio", "numerator": "u * v", "denominator": "w", "base": "k>0"}
    )
    rule = rules_of(table)["r"]
    assert rule.items == {"u", "v", "w", "k"}
    assert (rule.kind, rule.scale, rule.yes_no, rule.sensitive) == ("ratio", 1, False, True)


@pytest.mark.parametrize(
    ("kind", "numerator", "expected"),
    [
        ("share", "x > 0", True),
        ("total", "x == 1", True),
        ("mean", "not x > 0", True),
        ("share", "2 - x", True),  # a share is a matter of yes and no however it is written
        ("mean", "x", False),
        ("total", "x * (x > 0)", False),
    ],
)
def test_what_counts_as_yes_or_no(kind, numerator, expected):
    assert rules_of(indicators(kind=kind, numerator=numerator))["x"].yes_no is expected


def test_the_response_has_no_formula_and_is_a_matter_of_yes_and_no():
    rules = rules_of(indicators(the_response("low"), {"indicator": "x"}))
    assert list(rules) == ["response", "x"]
    assert rules["response"].yes_no
    assert not rules["response"].sensitive


def test_cells_are_sorted_by_wave_and_indicator():
    one, two = weights("ab", "ab", "w1"), weights("ab", "ab", "w2")
    table = stack(
        contributions(two, [1, 2], indicator="x"),
        contributions(one, [1, 2], indicator="y"),
        contributions(one, [1, 2], indicator="x"),
    )
    assert list(cells_of(table)) == [("w1", "x"), ("w1", "y"), ("w2", "x")]


def test_a_firm_without_answer_counts_in_the_size_of_a_total_but_one_outside_the_base_does_not():
    # Weight 2 each; a 3, b no answer, c outside the base: (2 + 2) * 3 = 12; mean 3 in both cases.
    table = weights("abcdef", "abc")
    frame = wave_frames(table, register("abcdef"), groups_of(register("abcdef"), []))["w1"]
    rows = contributions(table, [3, NAN, 7], base="ab")
    assert measure(frame, rows, "total", frame.members).estimate.tolist() == [12]
    assert measure(frame, rows, "mean", frame.members).estimate.tolist() == [3]


def test_the_response_is_measured_over_the_whole_register():
    table = weights("abcde", "ab")
    frame = wave_frames(table, register("abcde"), groups_of(register("abcde"), []))["w1"]
    result = measure(frame, response(table), "share", frame.members)
    assert result.estimate.tolist() == [0.4]
    assert result.se.tolist() == [0]


def test_only_a_share_has_the_beta_interval():
    # 1 of 4 of 8 firms, weight 2: p = 1/4, s^2 = 1/4, se^2 = (1 - 1/2) (1/4) / 4 = 1/32,
    # n* = (3/16) / (1/32) = 6 (t of both with 3 degrees of freedom).
    table = weights("abcdefgh", "abcd")
    frame = wave_frames(table, register("abcdefgh"), groups_of(register("abcdefgh"), []))["w1"]
    result = measure(frame, contributions(table, [1, 0, 0, 0]), "share", frame.members)
    ends = interval(result, "share")
    assert ends.low[0] == pytest.approx(stats.beta.ppf(0.025, 1.5, 5.5), rel=1e-10)
    assert ends.high[0] == pytest.approx(stats.beta.ppf(0.975, 2.5, 4.5), rel=1e-10)
    half = stats.t.ppf(0.975, 3) * np.sqrt(1 / 32)
    assert interval(result, "mean").high[0] == pytest.approx(0.25 + half, rel=1e-10)

"""Primary rules: hand-worked cells, and a slow second implementation."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.disclosure.primary import (
    Rules,
    consented,
    contributors,
    p_of_pq,
    protection_needed,
    unsafe_amounts,
    unsafe_answers,
)
from pipeline.errors import DisclosureError


def only(min_contributors=1, p=0.0, n=1, k=100.0, **secret):
    """Rules of which all but the given one are switched off."""
    return Rules(min_contributors, p, n, k, **secret)


def one_cell(x, holdings, arrays):
    """Arguments for a cell of all firms; `arrays` has a letter or a number for each of them."""
    x = np.array(x, dtype=float)
    labels = np.arange(len(x)) if holdings is None else np.array(holdings)
    arrays = {
        name: np.array([v == "w" for v in values]) if name == "waived" else np.array(values, float)
        for name, values in arrays.items()
    }
    return np.ones((1, len(x)), dtype=bool), x, labels, arrays


def amounts(values, rules, holdings=None, **arrays):
    """Verdict on one cell of all the given values."""
    *firms, arrays = one_cell(values, holdings, arrays)
    unsafe, rule = unsafe_amounts(*firms, rules, **arrays)
    assert bool(unsafe[0]) == (rule[0] != "")
    return str(rule[0])


def needed(values, rules, holdings=None, **arrays):
    """Protection needed above and below one cell of all the given values."""
    *firms, arrays = one_cell(values, holdings, arrays)
    above, below = protection_needed(*firms, rules, **arrays)
    return float(above[0]), float(below[0])


def counts(answers, holdings=None, *, sensitive=True, rules=None, **waived):
    """Verdict on one cell of all the given answers."""
    cell, _, labels, arrays = one_cell(answers, holdings, waived)
    given = cell, np.array(answers), labels, rules or only()
    return str(unsafe_answers(*given, sensitive=sensitive, **arrays).rule[0])


def test_minimum_counts_contributors_of_zero():
    assert amounts([0, 5, 7], only(3)) == ""
    assert amounts([5, 7], only(3)) == "min_contributors"


def test_firms_of_one_holding_are_one_contributor():
    # a1 + a2 + a3 = 530 of one holding, b = 90: two contributors.
    assert amounts([200, 150, 180, 90], only(3)) == ""
    assert amounts([200, 150, 180, 90], only(3), list("aaab")) == "min_contributors"
    # p = 10: singly 620 - 200 - 180 = 240 >= 20; as holdings 620 - 530 - 90 = 0 < 53.
    assert amounts([200, 150, 180, 90], only(p=10)) == ""
    assert amounts([200, 150, 180, 90], only(p=10), list("aaab")) == "p_percent"


def test_holding_counts_only_with_its_firms_inside_the_cell():
    cells = np.array([[True, False, True, True], [True, True, True, True]])
    x, holdings = np.array([10.0, 90.0, 10.0, 10.0]), np.array(["h", "h", "b", "c"])
    # p = 90: 30 - 10 - 10 = 10 >= 9 without the second firm; 120 - 100 - 10 = 10 < 90 with it.
    assert unsafe_amounts(cells, x, holdings, only(p=90)).rule.tolist() == ["", "p_percent"]


def test_p_percent_is_strict():
    # 9560 - 9000 - 500 = 60 < 900.
    assert amounts([9000, 500, 20, 15, 25], only(p=10)) == "p_percent"
    # 210 - 100 - 100 = 10, and 10 % of 100 is 10: not less.
    assert amounts([100, 100, 10], only(p=10)) == ""
    assert amounts([100, 100, 9], only(p=10)) == "p_percent"


def test_small_contributors_are_not_lost_beside_large_ones():
    # 1e17 + 1e17 + 9 rounds to 2e17, so X - x1 - x2 in floating point would be 0.
    assert amounts([1e17, 1e17, 9], only(p=5e-15)) == ""


def test_dominance_is_strict():
    # 85 of 100 is not more than 85 %; 86 of 101 = 85.1 % is.
    assert amounts([85, 10, 5], only(n=1, k=85)) == ""
    assert amounts([86, 10, 5], only(n=1, k=85)) == "dominance"
    assert amounts([60, 26, 10, 4], only(n=2, k=85)) == "dominance"


def test_negative_contributions_count_by_absolute_size():
    # Sizes 100, 50, 4: 4 < 10, though the plain total 100 - 50 + 4 = 54 is smaller than x1.
    assert amounts([-100, 50, 4], only(p=10)) == "p_percent"
    assert amounts([-100, 50, -10], only(p=10)) == ""


def test_zero_cell_is_judged_by_minimum_alone():
    rules = Rules(3, 10, 1, 85)
    assert amounts([0, 0, 0], rules) == ""
    assert amounts([0, 0], rules) == "min_contributors"


def test_empty_cell_is_unsafe():
    cells = np.zeros((1, 3), dtype=bool)
    x, holdings = np.ones(3), np.arange(3)
    assert unsafe_amounts(cells, x, holdings, only()).rule[0] == "min_contributors"
    verdict = unsafe_answers(cells, x > 0, holdings, only(), sensitive=False)
    assert verdict.rule[0] == "min_contributors"
    no_firms = unsafe_amounts(np.zeros((2, 0), dtype=bool), np.ones(0), np.ones(0), only())
    assert no_firms.unsafe.tolist() == [True, True]


def test_first_rule_is_named():
    rules = Rules(3, 10, 1, 85)
    assert amounts([99, 1], rules) == "min_contributors"
    assert amounts([99, 1, 1], rules) == "p_percent"
    # 100 - 80 - 10 = 10 >= 8, and 80 of 100 is more than 75 %.
    assert amounts([80, 10, 5, 5], Rules(3, 10, 1, 75)) == "dominance"


@pytest.mark.parametrize(("yes", "unsafe"), [(0, 1), (1, 1), (2, 0), (3, 0), (4, 1), (5, 1)])
def test_counts_of_all_none_and_one(yes, unsafe):
    assert counts([True] * yes + [False] * (5 - yes)) == ("unanimous" if unsafe else "")


def test_holding_sees_through_a_count():
    # Yes: h1, h2, a; no: b, c. Firm by firm 3 of 5; by contributors h and a say yes: safe.
    assert counts([True, True, True, False, False], list("hhabc")) == ""
    # Yes: both firms of h only; h knows that a, b, c said no.
    assert counts([True, True, False, False, False], list("hhabc")) == "unanimous"
    # Yes: one firm of h and a; no: the other of h, b: each side has two contributors.
    assert counts([True, False, True, False], list("hhab")) == ""


@pytest.mark.parametrize(
    ("answers", "holdings", "unsafe"),
    [
        ([1, 1, 1, 1, -1], "abcde", True),
        ([1, 1, 1, 0, -1], "abcde", False),
        ([1, 1, 1, 0, -1], "abcdd", True),  # d knows that a, b and c are up
        ([0, 0, 0, 0, 1], "abcde", True),
        ([0, 0, 1, 1, 1], "abccc", True),  # c knows that a and b are equal
        ([0, -1, 1, 1, 1], "abccc", False),
    ],
)
def test_answers_of_which_all_but_one_are_the_same(answers, holdings, unsafe):
    assert counts(answers, list(holdings)) == ("unanimous" if unsafe else "")


def test_contributors_are_holdings_with_a_firm_in_the_cell():
    cells = np.array([[True, True, True, True], [True, True, False, False], [False] * 4])
    assert contributors(cells, np.array(list("hhbc"))).tolist() == [3, 1, 0]


def test_low_sensitivity_leaves_minimum():
    assert counts([True, True, True], sensitive=False, rules=only(3)) == ""
    assert counts([True, True], sensitive=False, rules=only(3)) == "min_contributors"


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e308])
def test_contributions_must_be_finite(bad):
    with pytest.raises(ValueError, match="finite"):
        amounts([bad, 1, 1], only())


def test_membership_must_be_boolean_and_fit():
    with pytest.raises(TypeError, match="boolean"):
        unsafe_amounts(np.ones((1, 3)), np.ones(3), np.arange(3), only())
    with pytest.raises(TypeError, match="boolean"):
        unsafe_answers(np.ones((1, 3)), np.ones(3), np.arange(3), only(), sensitive=True)
    with pytest.raises(ValueError, match="one per firm"):
        unsafe_amounts(np.ones((1, 3), dtype=bool), np.ones(2), np.arange(3), only())
    with pytest.raises(ValueError, match="one per firm"):
        unsafe_amounts(np.ones((1, 3), dtype=bool), np.ones(3), np.arange(2), only())


def test_all_bad_thresholds_are_told_at_once():
    with pytest.raises(DisclosureError) as caught:
        Rules(0, -1, 0, 101)
    assert len(caught.value.problems) == 4
    with pytest.raises(DisclosureError):
        Rules(3, float("nan"), 1, 85)


def test_sum_of_a_holding_does_not_depend_on_the_order_of_its_firms():
    # 0.1 + 0.2 + 0.3 is above 0.6 in floating point, 0.3 + 0.2 + 0.1 is not.
    up = amounts([0.1, 0.2, 0.3, 0.6], only(n=1, k=50), list("hhhb"))
    assert up == amounts([0.3, 0.2, 0.1, 0.6], only(n=1, k=50), list("hhhb"))


def test_a_prior_and_posterior_rule_is_a_p_rule():
    # p* = 100 60/80 = 75, and 75 % of 60 is 45.
    assert p_of_pq(60, 80) == 75
    assert amounts([60, 50, 44], only(p=p_of_pq(60, 80))) == "p_percent"
    assert amounts([60, 50, 45], only(p=p_of_pq(60, 80))) == ""
    for p, q in ((0, 50), (50, 40), (-1, 100), (float("nan"), 100), (10, float("nan"))):
        with pytest.raises(ValueError, match="give 0 < p <= q"):
            p_of_pq(p, q)


def test_secret_weights_leave_readers_in_doubt():
    x, weights = [50, 40, 30], [1, 5, 1]
    # Known: 200 50 30: 280 - 200 - 50 = 30 < 20 % of 200. Secret: 280 - 50 - 40 = 190.
    assert amounts(x, only(p=20), weights=weights) == "p_percent"
    assert amounts(x, only(p=20, secret_weights=True), weights=weights) == ""
    # Known: 200 of 280 is 71 %. Secret: 50 of 280 is 18 %, 50 + 40 is 32 %.
    assert amounts(x, only(k=70), weights=weights) == "dominance"
    assert amounts(x, only(k=18, secret_weights=True), weights=weights) == ""
    assert amounts(x, only(n=2, k=32, secret_weights=True), weights=weights) == "dominance"


def test_secret_weights_of_a_holding_s_firms():
    # h: 20 + 20 = 40, weighted 60 + 20 = 80; total 80 + 10 + 5 = 95.
    # Secret: 95 - 40 - 10 = 45; known: 95 - 80 - 10 = 5.
    x, weights = [20, 20, 10, 5], [3, 1, 1, 1]
    for p, secret, rule in (
        (112, True, ""),
        (113, True, "p_percent"),
        (6, False, ""),
        (7, False, 1),
    ):
        found = amounts(x, only(p=p, secret_weights=secret), list("hhbc"), weights=weights)
        assert found == (rule if rule in ("", "p_percent") else "p_percent")


def test_a_secret_weight_below_one_protects_less():
    # The reader takes it for 1: 0.5·100 + 10 + 45 = 105, less 100, less 10, is below 0.
    assert amounts([100, 10, 45], only(p=1, secret_weights=True), weights=[0.5, 1, 1]) != ""
    assert amounts([100, 10, 45], only(secret_weights=True), weights=[0.5, 1, 1]) == ""


def test_a_waiver_of_the_largest():
    # 100 is not protected, 20 is: 123 - 100 - 20 = 3, and 10 % of 20 is 2.
    assert amounts([100, 20, 2, 1], only(p=10)) == "p_percent"
    assert amounts([100, 20, 2, 1], only(p=10), waived="w---") == ""
    # Who waived still reads: 121.5 - 100 - 20 = 1.5 < 2.
    assert amounts([100, 20, 1, 0.5], only(p=10), waived="w---") == "p_percent"
    # The share of another is of no consequence for the largest: 100 against 2 + 1.
    assert amounts([100, 20, 2, 1], only(p=10), waived="-w--") == "p_percent"


def test_dominance_with_waivers():
    # 80 of 100 is above 70 %, 15 of 100 is not; with two, 15 + 80 is, and 3 + 80 is.
    x = [80, 15, 3, 2]
    assert amounts(x, only(k=70)) == "dominance"
    assert amounts(x, only(k=70), waived="w---") == ""
    assert amounts(x, only(n=2, k=82), waived="w---") == "dominance"
    assert amounts(x, only(n=2, k=82), waived="ww--") == "dominance"
    assert amounts(x, only(n=2, k=84), waived="ww--") == ""
    assert amounts(x, only(n=3, k=97.5), waived="ww--") == "dominance"  # 3 + 80 + 15


def test_who_have_all_waived_need_nothing():
    rules = Rules(3, 10, 1, 50)
    assert amounts([9, 1], rules, waived="ww") == ""
    assert amounts([9, 1], rules, waived="w-") == "min_contributors"
    assert amounts([9, 1], rules, list("hh"), waived="w-") == "min_contributors"
    assert needed([9, 1], rules, waived="ww") == (0, 0)
    assert counts([1, 1], rules=rules, waived="ww") == ""
    assert counts([1, 1, 1], rules=rules, waived="ww-") == "unanimous"
    assert counts([1, 1], rules=rules, waived="w-") == "min_contributors"
    cells = np.array([[True, True, False], [False, False, True], [False] * 3])
    waived = np.array([True, True, False])
    assert consented(cells, waived).tolist() == [True, False, False]
    assert consented(cells, None).tolist() == [False] * 3
    empty = unsafe_amounts(cells, np.ones(3), np.arange(3), only(), waived=waived)
    assert empty.rule.tolist() == ["", "", "min_contributors"]


def test_a_holding_has_waived_where_all_its_firms_in_the_cell_have():
    x, holdings = [60, 40, 5, 4], list("hhbc")
    assert amounts(x, only(p=10), holdings, waived="w---") == "p_percent"  # 109 - 100 - 5 < 10
    assert amounts(x, only(p=10), holdings, waived="ww--") == ""  # 109 - 5 - 100 = 4 >= 0.5
    cells = np.array([[True, False, True, True], [False, True, True, True]])
    numbers, waived = np.array(x, dtype=float), np.array([True, False, False, False])
    given = cells, numbers, np.array(holdings), only(p=10)
    # 69 - 60 - 5 = 4 < 6, but of h only the firm that waived is there; 49 - 40 - 5 = 4 >= 4.
    assert unsafe_amounts(*given).rule.tolist() == ["p_percent", ""]
    assert unsafe_amounts(*given, waived=waived).rule.tolist() == ["", ""]


def test_plausible_lower_bounds_take_the_place_of_zero():
    # A small one at 3 may be as low as -20: the reader 50 knows of 100 only that it is below
    # 153 - 50 + 20 = 123. Known to be 2 or more it leaves 153 - 50 - 2 = 101.
    x = [100, 50, 3]
    assert amounts(x, only(p=10)) == "p_percent"
    assert amounts(x, only(p=10), lower=[0, 0, -20]) == ""
    assert amounts(x, only(p=23), lower=[0, 0, -20]) == ""
    assert amounts(x, only(p=24), lower=[0, 0, -20]) == "p_percent"
    assert amounts(x, only(p=1), lower=[0, 0, 2]) == ""
    assert amounts(x, only(p=2), lower=[0, 0, 2]) == "p_percent"


def test_with_lower_bounds_the_reader_is_who_is_most_in_doubt():
    # The second, known to be 50 at least, learns no more by knowing itself: 110 + 5 are in doubt.
    # The third knows that it is not at its bound of -100, which leaves 5 of the last: 5 < 10.
    assert amounts([100, 50, 10, 5], only(p=10), lower=[0, 50, -100, 0]) == "p_percent"
    assert amounts([100, 50, 10, 5], only(p=5), lower=[0, 50, -100, 0]) == ""
    # So in dominance: 100 + 10 against 5; 100 + 50 would be against 115.
    assert amounts([100, 50, 10, 5], only(n=2, k=95), lower=[0, 50, -100, 0]) == "dominance"
    assert amounts([100, 50, 10, 5], only(n=2, k=96), lower=[0, 50, -100, 0]) == ""


def test_with_lower_bounds_the_target_is_who_is_left_with_least():
    # The reader 90 has waived. The first, known to be 100 at least, has 50 + 4 beside it; the third
    # has 4, which is less than 10 % of 50.
    given = {"lower": [100, 0, 0, 0], "waived": "-w--"}
    assert amounts([100, 90, 50, 4], only(p=10), **given) == "p_percent"
    assert amounts([100, 90, 50, 5], only(p=10), **given) == ""


def test_lower_bounds_in_dominance_and_with_weights():
    # 100 against 50 + 3, all together 153; with bounds 100 against 50 + 23 of 173.
    assert amounts([100, 50, 3], only(k=60)) == "dominance"
    assert amounts([100, 50, 3], only(k=57), lower=[0, 0, -20]) == "dominance"
    assert amounts([100, 50, 3], only(k=58), lower=[0, 0, -20]) == ""
    # Weight 2: 6 may be as low as -40, so 46 are in doubt; secret: 6 + 20.
    given = {"weights": [1, 1, 2], "lower": [0, 0, -20]}
    for p, secret, unsafe in ((46, False, 0), (47, False, 1), (26, True, 0), (27, True, 1)):
        found = amounts([100, 50, 3], only(p=p, secret_weights=secret), **given)
        assert (found != "") == unsafe


@pytest.mark.parametrize("name", ["weights", "lower"])
def test_weights_and_bounds_must_be_finite(name):
    with pytest.raises(ValueError, match="finite"):
        amounts([1, 2, 3], only(), **{name: [1, np.nan, 1]})
    with pytest.raises(ValueError, match="finite"):
        amounts([1, 2, 3], only(), **{name: [1, -np.inf, 1]})


def test_waivers_must_be_boolean_and_fit():
    given = np.ones((1, 3), dtype=bool), np.ones(3), np.arange(3), only()
    with pytest.raises(TypeError, match="boolean"):
        unsafe_amounts(*given, waived=np.ones(3))
    with pytest.raises(ValueError, match="one per firm"):
        unsafe_amounts(*given, waived=np.ones(1, dtype=bool))


def test_protection_needed_above_the_value():
    # p = 10: 10 - (153 - 100 - 50) = 7: the reader 50 must hold 110 = 160 - 50 possible.
    assert needed([100, 50, 3], only(p=10)) == (7, 0)
    # (1,80): 125 - 110 = 15; (2,80): 150/0.8 - 153 = 34.5.
    assert needed([100, 8, 2], only(k=80)) == (15, 0)
    assert needed([100, 50, 3], only(n=2, k=80)) == (34.5, 0)
    # Of several rules the largest: p: 10 - 2 = 8.
    assert needed([100, 8, 2], Rules(3, 10, 1, 80)) == (15, 0)
    # No rule broken, and minimum n alone.
    assert needed([5, 5, 5, 5], Rules(3, 10, 1, 80)) == (0, 0)
    assert needed([5, 5, 5, 5], Rules(9, 10, 1, 80)) == (0, 0)


def test_protection_of_one_alone_is_on_both_sides():
    assert needed([70, 30], only(3, p=10), list("hh")) == (10, 10)
    assert needed([-100], only(3, p=10)) == (10, 10)
    assert needed([100], only(3, k=80)) == (25, 0)  # no p% rule
    assert needed([100], only(3, p=10), waived="w") == (0, 0)
    # Weighted 300: known 30; secret, 10 about the 100 that readers look for.
    assert needed([100], only(3, p=10), weights=[3]) == (30, 30)
    assert needed([100], only(3, p=10, secret_weights=True), weights=[3]) == (10, 10)


def test_protection_with_waivers_and_bounds():
    # Target 20, reader 100: 2 - 1.5.
    assert needed([100, 20, 1, 0.5], only(p=10), waived="w---") == (0.5, 0)
    # In doubt are 3 + 4 of the third: 10 - 7.
    assert needed([100, 50, 3], only(p=10), lower=[0, 0, -4]) == (3, 0)


# ---- a slow second implementation, firm by firm ------------------------------------------------


def slow_amounts(member, x, holdings, rules):
    """The rules as the handbook words them, in whole numbers."""
    total = {}
    for inside, value, holding in zip(member, x, holdings, strict=True):
        if inside:
            total[holding] = total.get(holding, 0) + value
    sizes = sorted((abs(v) for v in total.values()), reverse=True)
    whole, first, second = sum(sizes), sum(sizes[:1]), sum(sizes[1:2])
    if len(sizes) < rules.min_contributors:
        return "min_contributors"
    if 100 * (whole - first - second) < rules.p_percent * first:
        return "p_percent"
    top = sum(sizes[: rules.dominance_n])
    return "dominance" if 100 * top > rules.dominance_k * whole else ""


def slow_counts(member, answers, holdings):
    """Unsafe where some holding, told the distribution, knows every answer of the others."""
    inside = [i for i, m in enumerate(member) if m]
    for own in {holdings[i] for i in inside}:
        if len({answers[i] for i in inside if holdings[i] != own}) <= 1:
            return True
    return False


@st.composite
def firms(draw):
    size = draw(st.integers(1, 9))
    x = draw(st.lists(st.integers(-5, 60), min_size=size, max_size=size))
    holdings = draw(st.lists(st.integers(0, size), min_size=size, max_size=size))
    cells = draw(st.lists(st.lists(st.booleans(), min_size=size, max_size=size), min_size=1))
    return np.array(cells), np.array(x), np.array(holdings)


RULES = st.builds(
    Rules, st.integers(1, 4), st.integers(0, 40), st.integers(1, 3), st.integers(60, 100)
)


@given(firms(), RULES)
def test_amounts_agree_with_the_slow_implementation(table, rules):
    cells, x, holdings = table
    expected = [slow_amounts(m, x.tolist(), holdings.tolist(), rules) for m in cells.tolist()]
    assert unsafe_amounts(cells, x, holdings, rules).rule.tolist() == expected


@given(firms())
def test_counts_agree_with_the_slow_implementation(table):
    cells, x, holdings = table
    cells = cells[cells.any(axis=1)]
    for answers in (x > 20, np.sign(x - 20)):
        expected = [slow_counts(m, answers.tolist(), holdings.tolist()) for m in cells.tolist()]
        verdict = unsafe_answers(cells, answers, holdings, only(), sensitive=True)
        assert verdict.unsafe.tolist() == expected


@given(firms(), RULES, st.randoms(use_true_random=False))
def test_order_of_firms_does_not_matter(table, rules, random):
    cells, x, holdings = table
    order = list(range(len(x)))
    random.shuffle(order)
    straight = unsafe_amounts(cells, x / 7, holdings, rules).rule
    shuffled = unsafe_amounts(cells[:, order], x[order] / 7, holdings[order], rules).rule
    assert straight.tolist() == shuffled.tolist()


# ---- weights, waivers and lower bounds ---------------------------------------------------------


@st.composite
def weighted_firms(draw):
    """Cells, values, holdings, whole weights, waivers and bounds below the values."""
    size = draw(st.integers(1, 6))

    def per_firm(element):
        return draw(st.lists(element, min_size=size, max_size=size))

    x, holdings = per_firm(st.integers(-5, 60)), per_firm(st.integers(0, size))
    weights, waived = per_firm(st.integers(1, 4)), per_firm(st.booleans())
    above = per_firm(st.integers(0, 70))
    cells = draw(st.lists(st.lists(st.booleans(), min_size=size, max_size=size), min_size=1))
    firms = np.array(cells), np.array(x, dtype=float), np.array(holdings)
    lower = np.array(x, dtype=float) - above
    return firms, np.array(weights, dtype=float), np.array(waived), lower


def slow_general(member, firms, rules, waived, *, has_bounds):
    """Each target with each set of readers, in whole numbers; `firms`: x, w, holding, bound."""
    parts = {}
    for inside, (x, w, holding, bound), has_waived in zip(member, firms, waived, strict=True):
        if inside:
            part = parts.setdefault(holding, {"x": 0, "wx": 0, "doubt": 0, "protected": False})
            part["x"] += x
            part["wx"] += w * x
            part["doubt"] += w * x - (bound if rules.secret_weights else w * bound)
            part["protected"] |= not has_waived
    parts = list(parts.values())
    if parts and not any(part["protected"] for part in parts):
        return ""
    if len(parts) < rules.min_contributors:
        return "min_contributors"
    sizes = [abs(part["x" if rules.secret_weights else "wx"]) for part in parts]
    doubts = [part["doubt"] if has_bounds else abs(part["wx"]) for part in parts]
    known = [abs(part["wx"]) - size for part, size in zip(parts, sizes, strict=True)]
    broken = dict.fromkeys(("p_percent", "dominance"), False)
    for target in (place for place, part in enumerate(parts) if part["protected"]):
        others = [place for place in range(len(parts)) if place != target]
        for count in range(max(2, rules.dominance_n)):
            for readers in combinations(others, count):
                group = {target, *readers}
                rest = sum(known[i] if i in group else doubts[i] for i in range(len(parts)))
                if count < 2:
                    broken["p_percent"] |= 100 * rest < rules.p_percent * sizes[target]
                if count < rules.dominance_n:
                    top, k = sum(sizes[i] for i in group), rules.dominance_k
                    broken["dominance"] |= k * rest < (100 - k) * top
    broken["p_percent"] &= rules.p_percent > 0
    broken["dominance"] &= rules.dominance_k < 100
    return next((rule for rule, is_broken in broken.items() if is_broken), "")


ANY_RULES = st.builds(
    Rules,
    *(st.integers(1, 4), st.integers(0, 40), st.integers(1, 3), st.integers(60, 100)),
    secret_weights=st.booleans(),
)


@given(weighted_firms(), ANY_RULES, st.booleans())
def test_all_together_agree_with_the_slow_implementation(table, rules, has_bounds):
    (cells, x, holdings), weights, waived, lower = table
    firms = [list(map(int, row)) for row in zip(x, weights, holdings, lower, strict=True)]
    expected = [
        slow_general(m, firms, rules, waived.tolist(), has_bounds=has_bounds)
        for m in cells.tolist()
    ]
    options = {"weights": weights, "waived": waived, "lower": lower if has_bounds else None}
    assert unsafe_amounts(cells, x, holdings, rules, **options).rule.tolist() == expected


@given(weighted_firms(), ANY_RULES)
def test_a_waiver_takes_protection_from_nobody_else(table, rules):
    """A cell is unsafe where it is for some holding if all but that one had waived."""
    firms, weights, waived, _ = table
    cells, _, holdings = firms
    own = [holdings != holding for holding in np.unique(holdings)]
    alone = [unsafe_amounts(*firms, rules, weights=weights, waived=w).unsafe for w in own]
    without = unsafe_amounts(*firms, rules, weights=weights).unsafe
    someone = cells.any(axis=1)
    assert (np.any(alone, axis=0)[someone] == without[someone]).all()
    unsafe = unsafe_amounts(*firms, rules, weights=weights, waived=waived).unsafe
    assert (unsafe <= without).all()
    protected = [(cells & ~waived)[:, ~w].any(axis=1) for w in own]
    assert (unsafe[someone] == np.any(np.array(alone) & protected, axis=0)[someone]).all()


@given(st.floats(1e-6, 100))
def test_a_prior_of_a_hundred_per_cent_is_the_p_rule(p):
    assert p_of_pq(p, 100) == p


@given(firms(), st.integers(1, 80), st.integers(1, 100))
def test_prior_and_posterior_as_the_handbook_words_them(table, p, q):
    """The reader's q % of the rest are less than p % of the largest."""
    assume(p <= q)
    cells, x, holdings = table
    verdict = unsafe_amounts(cells, x, holdings, only(p=p_of_pq(p, q)))
    for member, unsafe in zip(cells.tolist(), (verdict.rule == "p_percent").tolist(), strict=True):
        inside = [(h, v) for m, h, v in zip(member, holdings, x, strict=True) if m]
        sums = [abs(sum(v for g, v in inside if g == h)) for h in {h for h, _ in inside}]
        first, _, *rest = [*sorted(sums, reverse=True), 0, 0]
        if q * sum(rest) != p * first:  # at equality floating point may fall on either side
            assert unsafe == (q * sum(rest) < p * first)


@given(weighted_firms(), ANY_RULES, st.booleans())
def test_weights_of_one_are_no_secret(table, rules, has_bounds):
    table, weights, waived, lower = table
    ones = np.ones_like(weights)
    options = {"weights": ones, "waived": waived, "lower": np.where(has_bounds, lower, 0.0)}
    options |= {} if has_bounds else {"lower": None}
    plain = Rules(*list(vars(rules).values())[:4])
    secret = Rules(*list(vars(rules).values())[:4], secret_weights=True)
    for function in (unsafe_amounts, protection_needed):
        found = [function(*table, r, **options) for r in (plain, secret)]
        assert all((a == b).all() for a, b in zip(*found, strict=True))


@given(weighted_firms(), ANY_RULES)
def test_secret_weights_never_take_out_more(table, rules):
    (cells, x, holdings), weights, waived, _ = table
    firms = cells, np.abs(x), holdings
    plain = Rules(*list(vars(rules).values())[:4])
    secret = Rules(*list(vars(rules).values())[:4], secret_weights=True)
    options = {"weights": weights, "waived": waived}
    assert (
        unsafe_amounts(*firms, secret, **options).unsafe
        <= unsafe_amounts(*firms, plain, **options).unsafe
    ).all()


@given(weighted_firms(), ANY_RULES)
def test_lower_bounds_of_zero_are_none_and_higher_ones_protect_less(table, rules):
    (cells, x, holdings), weights, waived, lower = table
    options = {"weights": weights, "waived": waived}
    positive = cells, np.abs(x), holdings
    none = unsafe_amounts(*positive, rules, **options).rule
    zero = unsafe_amounts(*positive, rules, lower=np.zeros_like(x), **options).rule
    assert none.tolist() == zero.tolist()
    low = unsafe_amounts(cells, x, holdings, rules, lower=lower - 5, **options).unsafe
    high = unsafe_amounts(cells, x, holdings, rules, lower=lower, **options).unsafe
    assert (low <= high).all()


@given(weighted_firms(), ANY_RULES, st.booleans())
def test_protection_is_needed_where_a_concentration_rule_is_broken(table, rules, has_bounds):
    (cells, x, holdings), weights, waived, lower = table
    firms = cells, x, holdings
    options = {"weights": weights, "waived": waived, "lower": lower if has_bounds else None}
    _, p, n, k, secret = vars(rules).values()
    several = contributors(cells, holdings) > 1
    for rule in (only(p=p, secret_weights=secret), only(n=n, k=k, secret_weights=secret)):
        needs = protection_needed(*firms, rule, **options)
        broken = np.isin(unsafe_amounts(*firms, rule, **options).rule, ["p_percent", "dominance"])
        assert ((needs.above > 0)[several] == broken[several]).all()
        assert (needs.above >= needs.below).all()
        assert (needs.below[several] == 0).all()
    both = protection_needed(*firms, rules, **options).above
    parts = [
        protection_needed(*firms, rule, **options).above
        for rule in (only(p=p, secret_weights=secret), only(n=n, k=k, secret_weights=secret))
    ]
    assert (both == np.maximum(*parts)).all()


@given(weighted_firms(), ANY_RULES)
def test_what_is_needed_is_enough_and_no_more(table, rules):
    """A stranger who may bring as much as is needed makes the cell safe; half of it does not."""
    (cells, x, holdings), weights, waived, lower = table
    _, p, n, k, secret = vars(rules).values()
    firms = cells, x, holdings
    options = {"weights": weights, "waived": waived, "lower": lower}
    for rule in (only(p=p, secret_weights=secret), only(n=n, k=k, secret_weights=secret)):
        above = protection_needed(*firms, rule, **options).above
        some = np.flatnonzero((above > 1e-6) & (contributors(cells, holdings) > n))
        for cell in some[:3]:
            for share, unsafe in ((1.01, False), (0.5, True)):
                # Spread over so many strangers that none of them is worth knowing.
                more = 1000
                bounds = np.append(lower, np.full(more, -share * above[cell] / more))
                found = unsafe_amounts(
                    np.append(cells[[cell]], np.ones((1, more), dtype=bool), axis=1),
                    np.append(x, np.zeros(more)),
                    np.append(holdings, 100 + np.arange(more)),
                    rule,
                    weights=np.append(weights, np.ones(more)),
                    waived=np.append(waived, np.ones(more, dtype=bool)),
                    lower=bounds,
                )
                assert found.unsafe[0] == unsafe

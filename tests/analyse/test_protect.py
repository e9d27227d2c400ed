"""Which cells are cleared: primary rules by hand, what else must go, and what depends on what."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tables import (
    NO_PAIRS,
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
from pipeline.analyse import Rules
from pipeline.disclosure import secondary
from pipeline.errors import DisclosureError

MIN_3 = Rules(3, 0, 1, 100)
P_10 = Rules(3, 10, 1, 100)
CLEARED = ""


def protect(*base, declared=NO_PAIRS, high=1, **options):
    return analyse.protect(*base, declared, min_contributors_high=high, **options)


def everybody(values, rules=MIN_3, below=1.0, holdings=None, **indicator):
    """The rule that a group of firms breaks that all answered."""
    firms = "abcdefghijkl"[: len(values)]
    table = weights(firms, firms)
    rows = contributions(table, values, below)
    result = protect(
        rows,
        register(firms, holdings=holdings),
        indicators(**indicator),
        breakdowns=[],
        rules=rules,
    )
    return result["rule"].iloc[0]


def rules_by_group(result, **where):
    found = result
    for column, value in where.items():
        found = found[found[column] == value]
    return dict(zip(found["group"], found["rule"], strict=True))


def test_contributors_are_holdings():
    firms = "abcd"
    rows = contributions(weights(firms, firms), [5, 7, 11, 13])
    reg = register(firms, holdings="hhhk")
    result = protect(rows, reg, indicators(), breakdowns=[], rules=MIN_3)
    assert result[["contributors", "rule"]].to_numpy().tolist() == [[2, "min_contributors"]]
    assert everybody([5, 7, 11, 13], holdings="hhkl") == CLEARED


def test_p_per_cent_rule():
    # X - x1 - x2 = 122 - 100 - 8 = 14, 10 % of 100 is 10; with 3 and 4 it is 7.
    assert everybody([100, 8, 6, 8], P_10) == CLEARED
    assert everybody([100, 8, 3, 4], P_10) == "p_percent"


def test_dominance():
    # 75 of 100 is not more than 75 %, 76 of 100 is.
    rules = Rules(3, 0, 1, 75)
    assert everybody([75, 15, 10], rules) == CLEARED
    assert everybody([76, 14, 10], rules) == "dominance"


def test_amounts_are_judged_with_their_weights():
    # a stands for 1 firm, b-d for 4 each: 90 of 90 + 4 (8 + 7 + 5) = 170 is 53 % (unweighted 82);
    # 4 * 30 of 20 + 4 (30 + 2 + 1) = 152 is 79 % (unweighted 57).
    firms = "abcdefghijklm"
    table = weights(firms, "abcd", strata="uvvvvvvvvvvvv")
    for values, expected in (([90, 8, 7, 5], CLEARED), ([20, 30, 2, 1], "dominance")):
        rows = contributions(table, values)
        result = protect(
            rows, register(firms), indicators(), breakdowns=[], rules=Rules(3, 0, 1, 75)
        )
        assert result["rule"].tolist() == [expected]
        assert result["contributors"].tolist() == [4]


def test_secret_weights_leave_a_firm_in_doubt():
    # Weights 1 and 4 as above: 30 of the 152 that are told is 20 %, 90 of 170 is 53 %. Of the
    # denominator 1 of 13 is 8 %.
    firms = "abcdefghijklm"
    table = weights(firms, "abcd", strata="uvvvvvvvvvvvv")
    for values, k, expected in (
        ([20, 30, 2, 1], 75, CLEARED),
        ([20, 30, 2, 1], 19, "dominance"),
        ([90, 8, 7, 5], 53, CLEARED),
        ([90, 8, 7, 5], 52, "dominance"),
    ):
        rules = Rules(3, 0, 1, k, secret_weights=True)
        rows = contributions(table, values)
        result = protect(rows, register(firms), indicators(), breakdowns=[], rules=rules)
        assert result["rule"].tolist() == [expected]


def with_waivers(values, waived, rules=P_10, **indicator):
    """Rule and widening of a group of firms of which some waived protection."""
    firms = "abcdefghijkl"[: len(values)]
    rows = contributions(weights(firms, firms), values)
    reg = register(firms, waived=waived)
    result = protect(rows, reg, indicators(**indicator), breakdowns=[], rules=rules)
    return tuple(result[["rule", "widening"]].iloc[0])


def test_a_firm_that_waived_is_not_protected_and_others_are():
    # 108 - 100 - 5 = 3 is less than 10 % of 100, but not of 5.
    assert with_waivers([100, 5, 2, 1], "")[0] == "p_percent"
    assert with_waivers([100, 5, 2, 1], "a")[0] == CLEARED
    assert with_waivers([100, 5, 0.3, 0.1], "a")[0] == "p_percent"  # 0.4 < 0.5
    # Equal values are told by mean and interval; whose they are all agree.
    assert with_waivers([7, 7, 7, 7], "abc")[0] == "unanimous"
    assert with_waivers([7, 7, 7, 7], "abcd")[0] == CLEARED
    assert with_waivers([7, 7], "ab")[0] == CLEARED
    yes = {"kind": "share", "numerator": "x > 0"}
    assert with_waivers([1, 1, 1, 1], "abc", **yes)[0] == "unanimous"
    assert with_waivers([1, 1, 1, 1], "abcd", **yes)[0] == CLEARED


def test_an_interval_is_not_widened_for_a_firm_that_waived():
    # Without the waiver 97 / sqrt(5792), see below; the next needs 8.8 - 24 < 0.
    assert with_waivers([100, 8, 6, 4, 2], "")[1] == pytest.approx(97 / np.sqrt(5792))
    assert with_waivers([100, 8, 6, 4, 2], "a")[1] == 1


def test_one_large_weight_gives_its_firm_away_in_a_share():
    # Weights 20 1 1 1: 20 of 23 is more than 75 %.
    firms = "abcdefghijklmnopqrstuvw"
    table = weights(firms, "abcw", strata="xyz" + "w" * 20)
    rows = contributions(table, [1, 1, 0, 0])
    definition = indicators(kind="share", numerator="x > 0")
    result = protect(rows, register(firms), definition, breakdowns=[], rules=Rules(3, 0, 1, 75))
    assert result["rule"].tolist() == ["dominance"]


def test_a_ratio_is_judged_by_both_amounts():
    ratio = {"kind": "ratio", "denominator": "y"}
    assert everybody([30, 20, 25, 10], P_10, [3, 2, 4, 3], **ratio) == CLEARED
    assert everybody([30, 20, 25, 10], P_10, [300, 2, 4, 3], **ratio) == "p_percent"
    assert everybody([300, 2, 4, 3], P_10, [30, 20, 25, 10], **ratio) == "p_percent"


@pytest.mark.parametrize("numerator", ["x > 0", "2 - x"])
@pytest.mark.parametrize(
    ("ones", "expected"),
    [(0, "unanimous"), (1, "unanimous"), (2, ""), (4, ""), (5, "unanimous"), (6, "unanimous")],
)
def test_a_share_of_which_all_or_all_but_one_say_the_same(numerator, ones, expected):
    values = [1] * ones + [0] * (6 - ones)
    share = {"kind": "share", "numerator": numerator}
    assert everybody(values, **share) == expected
    assert everybody(values, **share, sensitivity="low") == CLEARED


def test_a_yes_per_yes_is_judged_among_those_that_count():
    # d-h have the trait, of the others nobody can: 5 of 5, 4 of 5, 3 of 5.
    ratio = {"kind": "ratio", "numerator": "x > 0", "denominator": "y > 0"}
    of_five = [0, 0, 0, 1, 1, 1, 1, 1]
    assert everybody([0, 0, 0, 1, 1, 1, 1, 1], MIN_3, of_five, **ratio) == "unanimous"
    assert everybody([0, 0, 0, 1, 1, 1, 1, 0], MIN_3, of_five, **ratio) == "unanimous"
    assert everybody([0, 0, 0, 1, 1, 1, 0, 0], MIN_3, of_five, **ratio) == CLEARED


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # All have nothing: the mean says so of each firm.
        ([0, 0, 0, 0, 0], "unanimous"),
        # All have the same: an interval without width says so of each firm.
        ([0.1, 0.1, 0.1, 0.1, 0.1], "unanimous"),
        # Mean 100, squares 2: none is further from it than sqrt(2 * 4/5) = 1.3, less than 10.
        ([100, 100, 101, 99, 100], "unanimous"),
        # Squares 36 + 36 + 25 + 4 + 9 = 110: 9.4; squares 36 + 36 + 36 + 4 + 16 = 128: 10.1.
        ([106, 94, 105, 98, 97], "unanimous"),
        ([106, 94, 106, 98, 96], CLEARED),
        ([60, 90, 100, 110, 140], CLEARED),
        ([-1, 1, 0, 1, -1], CLEARED),
    ],
)
def test_amounts_that_mean_and_spread_tell(values, expected):
    assert everybody(values, P_10) == expected
    assert everybody(values, P_10, sensitivity="low") == CLEARED


def test_firms_of_one_ratio_are_alike_however_large():
    ratio = {"kind": "ratio", "denominator": "y"}
    assert everybody([2, 6, 8, 14, 20], P_10, [1, 3, 4, 7, 10], **ratio) == "unanimous"
    assert everybody([2, 9, 8, 7, 30], P_10, [1, 3, 4, 7, 10], **ratio) == CLEARED


def widening(values, below=1.0, p_percent=10, **indicator):
    firms = "abcdefghijkl"[: len(values)]
    rows = contributions(weights(firms, firms), values, below)
    rules = Rules(3, p_percent, 1, 100)
    result = protect(rows, register(firms), indicators(**indicator), breakdowns=[], rules=rules)
    return result["widening"].iloc[0]


def test_an_interval_is_widened_until_it_leaves_the_largest_firm_p_per_cent():
    # Mean 24, squares 76^2 + 16^2 + 18^2 + 20^2 + 22^2 = 7240: no firm is above
    # 24 + sqrt(7240 * 4/5) = 100.1; it must be 110, so it is made 121: (121 - 24) / 76.1.
    assert widening([100, 8, 6, 4, 2]) == pytest.approx(97 / np.sqrt(5792), rel=1e-12)
    assert widening([100, 8, 6, 4, 2], p_percent=20) == pytest.approx(120 / np.sqrt(5792))
    # Mean 100, squares 2 (50^2 + 30^2) = 6800: 100 + sqrt(5440) = 174 is above 165 as it is.
    assert widening([50, 70, 100, 130, 150]) == 1
    assert widening([1, 0, 1, 0, 1], kind="share", numerator="x > 0") == 1


def test_an_interval_of_a_ratio_is_widened_by_its_residuals():
    # R = 60/30 = 2; y - 2 x = 24 - 4, 8 - 12, 10 - 16, 6 - 12, 12 - 16 = 20 -4 -6 -6 -4, mean 0,
    # squares 504: sqrt(504 * 4/5) = 20.08 < 1.1 * 24 - 4 = 22.4; 1.21 * 24 - 4 = 25.04.
    found = widening([24, 8, 10, 6, 12], [2, 6, 8, 6, 8], kind="ratio", denominator="y")
    assert found == pytest.approx(25.04 / np.sqrt(403.2), rel=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 10_000), min_size=3, max_size=12))
def test_no_firm_is_told_more_closely_than_p_per_cent(values):
    y = np.array(values, dtype=float)
    spread = np.sqrt(np.sum((y - y.mean()) ** 2) * (len(y) - 1) / len(y))
    bound = y.mean() + widening(values) * spread
    if spread > 0:  # else all have the same value, which is not published
        assert (bound >= 1.1 * y - 1e-9 * bound).all()


SECTORS = "xx" + "yyyy" + "zzzzz"
FIRMS = "abcdefghijk"


def by_sector(sectors=SECTORS, wave="w1"):
    table = weights(FIRMS, FIRMS, wave)
    return contributions(table, range(1, 12)), register(FIRMS, wave, sector=sectors)


def test_the_smallest_sibling_goes_with_a_group_that_is_too_small():
    rows, reg = by_sector()
    result = protect(rows, reg, indicators(), breakdowns=["sector"], rules=MIN_3)
    assert rules_by_group(result) == {
        "all": "",
        "x": "min_contributors",
        "y": "secondary",
        "z": "",
    }
    assert result["contributors"].tolist() == [11, 2, 4, 5]


def test_a_fault_of_the_suppression_is_found_by_the_audit(monkeypatch):
    """If the elimination kept every candidate, sector x (2 firms) would follow."""

    def keep_everything(candidates, protected, groups):
        return np.ones(len(candidates), dtype=bool), np.zeros((len(groups), 0), dtype=np.int64)

    monkeypatch.setattr(secondary, "_eliminate", keep_everything)
    monkeypatch.setattr(secondary, "_unsafe_pairs", lambda groups, left, judge: left[:0])
    rows, reg = by_sector()
    with pytest.raises(DisclosureError) as refusal:
        protect(rows, reg, indicators(), breakdowns=["sector"], rules=MIN_3)
    problem = refusal.value.problems[0]
    assert (problem.wave, problem.item) == ("w1", "x")
    assert "2 firms" in problem.found


def test_a_group_taken_out_stays_out_in_the_next_wave():
    # Alone, the second wave would give up z (3 firms) instead of y (6).
    second = by_sector("xx" + "yyyyyy" + "zzz", "w2")
    alone = protect(*second, indicators(), breakdowns=["sector"], rules=MIN_3)
    assert rules_by_group(alone) == {"all": "", "x": "min_contributors", "y": "", "z": "secondary"}
    rows, reg = (stack(a, b) for a, b in zip(by_sector(), second, strict=True))
    both = protect(rows, reg, indicators(), breakdowns=["sector"], rules=MIN_3)
    expected = {"all": "", "x": "min_contributors", "y": "secondary", "z": ""}
    assert rules_by_group(both, wave="w2") == expected


def test_firms_outside_the_base_hide_nobody():
    # In the base z has two firms left; x has none and cannot be the second cell to hide it.
    table = weights(FIRMS, FIRMS)
    rows = contributions(table, range(1, 12), base="cdefgh")
    _, reg = by_sector()
    result = protect(rows, reg, indicators(), breakdowns=["sector"], rules=MIN_3)
    assert result["contributors"].tolist() == [6, 0, 4, 2]
    assert rules_by_group(result) == {
        "all": "",
        "x": "min_contributors",
        "y": "secondary",
        "z": "min_contributors",
    }


def test_an_empty_base_clears_nothing():
    rows = contributions(weights(FIRMS, FIRMS), range(1, 12), base="")
    result = protect(rows, by_sector()[1], indicators(), breakdowns=["sector"], rules=MIN_3)
    assert set(result["rule"]) == {"min_contributors"}


def test_a_group_of_another_wave_is_not_cleared():
    rows, reg = by_sector()
    reg = stack(reg, register("a", "w0", sector="q"))
    result = protect(rows, reg, indicators(), breakdowns=["sector"], rules=MIN_3)
    assert row_of(result, group="q")[["contributors", "rule"]].tolist() == [0, "min_contributors"]


def test_everybody_is_kept_first_whatever_was_taken_out_before():
    # In the first wave the largest firm, in x, dominates everybody; in the second nobody does.
    table = weights(FIRMS, FIRMS, "w0")
    first = contributions(table, [1000, *range(2, 12)])
    rows, reg = by_sector()
    result = protect(
        stack(first, rows),
        stack(register(FIRMS, "w0", sector=SECTORS), reg),
        indicators(),
        breakdowns=["sector"],
        rules=Rules(3, 0, 1, 75),
    )
    expected = {"all": "dominance", "x": "min_contributors", "y": "", "z": ""}
    assert rules_by_group(result, wave="w0") == expected
    expected = {"all": "", "x": "min_contributors", "y": "secondary", "z": ""}
    assert rules_by_group(result, wave="w1") == expected


def response_and_values(answered, sensitivity, sectors="xxxx" + "yyyyyyy"):
    """Clearance by indicator of a wave in which these firms answered, all of them everything."""
    table = weights(FIRMS, answered)
    values = [3, 5, 9, 12, 15, 20, 31, 40, 1, 6][: len(answered)]
    result = protect(
        stack(contributions(table, values, indicator="amount"), response(table)),
        register(FIRMS, sector=sectors),
        indicators({"indicator": "amount"}, the_response(sensitivity)),
        breakdowns=["sector"],
        rules=MIN_3,
    )
    return {name: rules_by_group(result, indicator=name) for name in ("amount", "response")}


def test_who_took_part_is_secret_unless_the_study_says_otherwise():
    # In x all 4 answered: their n, or an interval without width, would tell that each did, and
    # so would everybody's n less that of y.
    assert response_and_values("abcdefghi", "normal") == {
        "response": {"all": "", "x": "unanimous", "y": "secondary"},
        "amount": {"all": "", "x": "secondary", "y": "secondary"},
    }
    assert response_and_values("abcdefghi", "low") == {
        "response": {"all": "", "x": "", "y": ""},
        "amount": {"all": "", "x": "", "y": ""},
    }


def test_a_response_that_tells_nothing_takes_nothing_out():
    # x 4 of 6, y 3 of 5
    assert response_and_values("abcdghi", "normal", "xxxxxx" + "yyyyy") == {
        "response": {"all": "", "x": "", "y": ""},
        "amount": {"all": "", "x": "", "y": ""},
    }


def test_where_everybody_took_part_in_secret_nothing_is_published():
    result = response_and_values(FIRMS[:10], "normal")  # 10 of 11: the eleventh knows the others
    assert result["response"]["all"] == "unanimous"
    assert result["amount"] == {"all": "secondary", "x": "secondary", "y": "secondary"}


def test_the_order_of_rows_is_of_no_consequence():
    rows, reg = (stack(a, b) for a, b in zip(by_sector(), by_sector(SECTORS, "w2"), strict=True))
    once = protect(rows, reg, indicators(), breakdowns=["sector"], rules=P_10)
    shuffled = [t.sample(frac=1, random_state=6) for t in (rows, reg)]
    again = protect(*shuffled, indicators(), breakdowns=["sector"], rules=P_10)
    pd.testing.assert_frame_equal(once, again)


def test_high_sensitivity_needs_more_contributors():
    firms = "abcdefghij"
    rows = contributions(weights(firms, firms), range(1, 11))
    reg = register(firms, sector="aaaabbbbbb")
    for sensitivity, expected in (("normal", CLEARED), ("high", "min_contributors")):
        definition = indicators(sensitivity=sensitivity)
        result = protect(rows, reg, definition, breakdowns=["sector"], rules=MIN_3, high=5)
        found = rules_by_group(result)
        assert found["a"] == expected
        assert found["all"] == CLEARED
    # Never fewer than the others.
    result = protect(rows, reg, definition, breakdowns=["sector"], rules=MIN_3, high=2)
    assert set(rules_by_group(result).values()) == {CLEARED}
    result = protect(
        rows, reg, definition, breakdowns=["sector"], rules=Rules(5, 0, 1, 100), high=2
    )
    assert rules_by_group(result)["a"] == "min_contributors"


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([1, 1, 1, 1, 1], "unanimous"),
        ([-1, -1, -1, -1, -1], "unanimous"),
        ([0, 0, 0, 0, 0], "unanimous"),  # 0 points with no spread
        ([1, 1, 1, 1, -1], "unanimous"),  # the one who is down knows the others
        ([-1, -1, -1, -1, 0], "unanimous"),
        ([0, 0, 0, 0, 1], "unanimous"),
        ([1, 1, 1, 0, -1], CLEARED),
        ([1, 1, 1, -1, -1], CLEARED),
        ([0, 0, 0, 1, 1], CLEARED),
    ],
)
def test_a_balance_of_which_all_or_all_but_one_say_the_same(answers, expected):
    balance = {"kind": "balance", "numerator": "x"}
    assert everybody(answers, P_10, **balance) == expected
    assert everybody(answers, P_10, **balance, sensitivity="low") == CLEARED


def test_a_holding_sees_through_a_balance():
    # The two who are not up are of one holding, which so knows the others.
    balance = {"kind": "balance", "numerator": "x"}
    answers = [1, 1, 1, -1, 0]
    assert everybody(answers, **balance) == CLEARED
    assert everybody(answers, **balance, holdings="abchh") == "unanimous"


def test_an_interval_of_a_balance_is_not_widened():
    assert widening([1, 0, -1, 1, 0], kind="balance") == 1


PARTS = (
    {"indicator": "u", "kind": "balance"},
    {"indicator": "v", "kind": "balance"},
    {"indicator": "f", "kind": "formula", "numerator": "u + v"},
)


def test_a_formula_is_published_where_all_its_parts_are():
    # In x everybody is up in v; y is then taken out of v as well, as all less y is x.
    table = weights(FIRMS, FIRMS)
    u = [1, 1, 0, -1, 0, 1, 0, 1, -1, 0, 1]
    rows = stack(
        contributions(table, u, indicator="u"),
        contributions(table, [1, 1, 1, 1, *u[4:]], base=FIRMS[1:], indicator="v"),
    )
    reg = register(FIRMS, sector="xxxx" + "yyyyyyy")
    result = protect(rows, reg, indicators(*PARTS), breakdowns=["sector"], rules=MIN_3)
    assert rules_by_group(result, indicator="u") == {"all": "", "x": "", "y": ""}
    expected = {"all": "", "x": "unanimous", "y": "secondary"}
    assert rules_by_group(result, indicator="v") == expected
    assert rules_by_group(result, indicator="f") == {"all": "", "x": "part", "y": "part"}
    own = result[result["indicator"] == "f"]
    assert own["contributors"].tolist() == [10, 3, 7]
    assert own["widening"].tolist() == [1, 1, 1]


def test_a_formula_is_widened_like_its_widest_part_and_needs_all_parts_in_the_wave():
    one, two = weights("abcde", "abcde", "w1"), weights("abcde", "abcde", "w2")
    rows = stack(
        contributions(one, [100, 8, 6, 4, 2], indicator="u"),
        contributions(one, [50, 70, 100, 130, 150], indicator="v"),
        contributions(two, [50, 70, 100, 130, 150], indicator="v"),
    )
    reg = stack(register("abcde", "w1"), register("abcde", "w2"))
    definition = indicators({"indicator": "u"}, {"indicator": "v"}, PARTS[2])
    result = protect(rows, reg, definition, breakdowns=[], rules=P_10)
    own = row_of(result, indicator="f")
    assert own["wave"] == "w1"
    assert own["widening"] == pytest.approx(97 / np.sqrt(5792), rel=1e-12)


CROSSED = "aaaaabbbbbb"
SIZES = "ssllllllsss"


def crossing(sectors=CROSSED, sizes=SIZES):
    both = ["*".join(pair) for pair in zip(sectors, sizes, strict=True)]
    return {"sector": sectors, "size": sizes, "sector*size": both}


def test_a_crossing_adds_up_to_the_groups_of_both_its_breakdowns():
    # a*s has two firms; a*l tells it with a, and b*s with s; then b*l must go, or it tells
    # b*s with b and a*l with l.
    reg = register(FIRMS, **crossing())
    rows = contributions(weights(FIRMS, FIRMS), range(1, 12))
    result = protect(rows, reg, indicators(), breakdowns=[*crossing()], rules=MIN_3)
    assert rules_by_group(result, breakdown="sector") == {"a": "", "b": ""}
    assert rules_by_group(result, breakdown="size") == {"l": "", "s": ""}
    assert rules_by_group(result, breakdown="sector*size") == {
        "a*s": "min_contributors",
        "a*l": "secondary",
        "b*s": "secondary",
        "b*l": "secondary",
    }


def test_what_the_parts_of_a_crossing_leave_of_a_group_is_judged_as_one():
    # Of sector a, a*m, a*n and a*o have two firms each, and tiers tell them apart. a less a*p and
    # a*q is all three: 5500 - 5000 - 100 = 400 is less than 10 % of 5000, so a*p or a*q must go.
    firms = "abcdefghijklmnopqrstuvwx"
    groups = crossing("a" * 12 + "b" * 12, "pppqqqmmnnoo" + "p" * 6 + "q" * 6)
    values = [900] * 6 + [5000, *[100] * 5] + [900] * 12
    rows = contributions(weights(firms, firms), values)
    reg = register(firms, **groups, tier="123123" + "112233" + "123" * 4)
    rules, breakdowns = Rules(3, 10, 1, 100), ["sector", "sector*size", "tier"]
    definition = indicators(sensitivity="low")
    result = protect(rows, reg, definition, breakdowns=breakdowns, rules=rules)
    found = rules_by_group(result)
    assert {found[f"a*{size}"] for size in "mno"} == {"min_contributors"}
    assert sorted([found["a*p"], found["a*q"]]) == ["", "secondary"]
    assert {found[group] for group in "ab123"} == {""}


def with_reference(values, sizes, **options):
    """Population 3 of four or more firms beside the six of the target."""
    firms = "abcdefghijklmnop"[: 6 + len(sizes)]
    reg = register(firms, population="1" * 6 + "3" * len(sizes), size="sssmmm" + sizes, **options)
    rows = contributions(weights(firms, firms), [1, 2, 3, 4, 5, 6, *values])
    declared = pairs(("population", "1", "3"), *(("size", g, f"3*{g}") for g in "sm"))
    return protect(rows, reg, indicators(), declared=declared, breakdowns=["size"], rules=MIN_3)


def test_sizes_of_a_reference_population_add_up_to_it():
    # 3*m has two firms: 3*s follows, as population 3 less 3*s is 3*m. The target is not touched.
    result = with_reference([7, 8, 9, 10, 11], "sssmm")
    assert rules_by_group(result, breakdown="population") == {"1": "", "3": ""}
    assert rules_by_group(result, breakdown="size") == {
        "s": "",
        "m": "",
        "3*s": "secondary",
        "3*m": "min_contributors",
    }
    assert row_of(result, breakdown="population", group="3")["contributors"] == 5


def test_what_the_sizes_asked_for_leave_of_a_reference_is_judged():
    # 3*l is no group of its own, but population 3 less 3*s and 3*m tells it (one firm).
    result = with_reference([7, 8, 9, 10], "sssl")
    found = rules_by_group(result)
    assert (found["3"], found["3*s"]) == ("", "secondary")
    firms = "abcdefghijklm"
    reg = register(firms, population="1" * 6 + "3" * 7, size="sssmmm" + "sssmmml")
    rows = contributions(weights(firms, firms), range(1, 14))
    declared = pairs(("population", "1", "3"), *(("size", g, f"3*{g}") for g in "sm"))
    result = protect(rows, reg, indicators(), declared=declared, breakdowns=["size"], rules=MIN_3)
    found = rules_by_group(result)
    assert [found["3"], found["3*s"], found["3*m"]].count("secondary") == 1


def test_the_group_of_a_pair_for_everybody_is_judged_like_everybody():
    safe = with_reference([7, 8, 9, 10, 11], "sssmm")
    everybody = row_of(safe, breakdown="all")
    target = row_of(safe, breakdown="population", group="1")
    same = ["contributors", "rule", "widening"]
    assert target[same].tolist() == everybody[same].tolist()
    one = with_reference([7, 8, 9, 10, 11], "sssmm", holdings="hhhhii" + FIRMS[6:11])
    for place in ({"breakdown": "all"}, {"breakdown": "population", "group": "1"}):
        assert row_of(one, **place)["rule"] == "min_contributors"


def test_contributions_of_firms_that_are_not_in_the_register_are_refused():
    rows = contributions(weights("abc", "abc"), [1, 2, 3])
    with pytest.raises(ValueError, match="not in the register"):
        protect(rows, register("ab"), indicators(), breakdowns=[], rules=MIN_3)

"""Primary rules: hand-worked cells, published answers, and a slow second implementation."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.disclosure.primary import Rules, contributors, unsafe_amounts, unsafe_answers
from pipeline.errors import DisclosureError

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "disclosure"
REFERENCE = SHARED / "primary_and_reference.json"
ENTRIES = json.loads(REFERENCE.read_text("utf-8")) if REFERENCE.exists() else []
needs_shared = pytest.mark.skipif(not ENTRIES, reason="no reference material beside the repository")


def only(min_contributors=1, p=0.0, n=1, k=100.0):
    """Rules of which all but the given one are switched off."""
    return Rules(min_contributors, p, n, k)


def amounts(contributions, rules, holdings=None):
    """Verdict on one cell of all the given contributions."""
    x = np.array(contributions, dtype=float)
    labels = np.arange(len(x)) if holdings is None else np.array(holdings)
    unsafe, rule = unsafe_amounts(np.ones((1, len(x)), dtype=bool), x, labels, rules)
    assert bool(unsafe[0]) == (rule[0] != "")
    return str(rule[0])


def counts(answers, holdings=None, *, sensitive=True, rules=None):
    """Verdict on one cell of all the given answers."""
    labels = np.arange(len(answers)) if holdings is None else np.array(holdings)
    cell = np.ones((1, len(answers)), dtype=bool)
    verdict = unsafe_answers(cell, np.array(answers), labels, rules or only(), sensitive=sensitive)
    return str(verdict.rule[0])


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


# ---- published answers -------------------------------------------------------------------------


def rules_of(key):
    """The rule that a key of the reference file names, or None."""
    if found := re.match(r"p_?(\d+)", key):
        return only(p=int(found[1]))
    if found := re.match(r"nk_(\d)_(\d+(?:_\d)?)(?=_|$)", key):
        return only(n=int(found[1]), k=float(found[2].replace("_", ".")))
    if found := re.match(r"pq_(\d+)_(\d+)", key):
        return only(p=100 * int(found[1]) / int(found[2]))
    return None


PUBLISHED = [
    pytest.param(entry["contrib"], rules_of(key), answer, id=f"{entry['name']}-{key}")
    for entry in ENTRIES
    if isinstance(entry.get("contrib", [[]])[0], int)
    for key, answer in entry.items()
    if rules_of(key) and answer in ("safe", "unsafe")
]


@needs_shared
def test_every_unweighted_answer_of_the_handbook_is_read():
    assert len(PUBLISHED) == 3


@pytest.mark.parametrize(("contrib", "rules", "answer"), PUBLISHED)
def test_handbook_answers(contrib, rules, answer):
    assert (amounts(contrib, rules) != "") == (answer == "unsafe")


@needs_shared
def test_handbook_weights_known_to_readers():
    entry = next(e for e in ENTRIES if e["name"] == "weights_b")
    assert entry["weights_known_rule"].endswith("unsafe")
    # w·x = 200, 3: 203 - 200 - 3 = 0.
    assert amounts([x * w for x, w in entry["contrib"]], only(p=10)) == "p_percent"


@needs_shared
@pytest.mark.parametrize("k", [80, 95])
def test_one_dominance_is_a_p_rule_without_insider(k):
    entry = next(e for e in ENTRIES if e["name"] == "nk_to_p")
    p = entry[f"k{k}"]  # published to two decimals; 10000 units make one of them 1
    assert amounts([10000, 100 * p - 1], only(n=1, k=k)) == "dominance"
    assert amounts([10000, 100 * p + 1], only(n=1, k=k)) == ""


INDEX_KEYS = [
    key for entry in ENTRIES for key in entry if key.endswith("_primary_index") and rules_of(key)
]


@needs_shared
def test_every_index_answer_is_read():
    assert len(INDEX_KEYS) == 3


@pytest.mark.parametrize("key", INDEX_KEYS)
def test_sdctable_primary_cells(key):
    entry = next(e for e in ENTRIES if key in e)
    cells, values = sdctable_cells(SHARED / entry["file"])
    verdict = unsafe_amounts(cells, values, np.arange(len(values)), rules_of(key))
    assert (np.flatnonzero(verdict.unsafe) + 1).tolist() == entry[key]


@needs_shared
def test_sdctable_minimum():
    cells, values = sdctable_cells(SHARED / "sdcTable_microdata1.csv")
    verdict = unsafe_amounts(cells, values, np.arange(len(values)), only(3))
    assert (np.flatnonzero(verdict.unsafe) + 1).tolist() == [6]  # A/female, n = 2


def sdctable_cells(path):
    """Region (total, A-D) x gender (total, male, female), region-major as in the reference."""
    region, gender, value = np.genfromtxt(path, dtype=str, delimiter=",", skip_header=1).T
    cells = [
        (region == f'"{r}"' if r else True) & (gender == f'"{g}"' if g else np.full(len(value), 1))
        for r in ("", *"ABCD")
        for g in ("", "male", "female")
    ]
    return np.array(cells, dtype=bool), value.astype(float)

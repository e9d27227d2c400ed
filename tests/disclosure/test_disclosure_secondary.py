"""Secondary suppression: hand-worked tables, cases, and an attacker with other means."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.disclosure.primary import Rules, unsafe_amounts
from pipeline.disclosure.secondary import audit, protect, told
from pipeline.errors import DisclosureError

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "disclosure"
CASES = sorted((SHARED / "cases").glob("*.json"))
MIN_3 = Rules(3, 0, 1, 100)
P_10 = Rules(3, 10, 1, 100)


def rows(firms, *cells):
    """Cells over one-letter firms, each cell a string of them."""
    return np.array([[firm in cell for firm in firms] for cell in cells])


def primary_of(x, rules, holdings=None):
    """The primary rules of one variable as a check on any aggregate."""
    labels = np.arange(len(x)) if holdings is None else holdings
    return lambda cells: unsafe_amounts(cells, np.asarray(x, dtype=float), labels, rules).unsafe


def suppress(cells, rules=MIN_3, x=None, breakdowns=(), cost=None, *, forced=()):
    """Suppressed row numbers; importance falls in the order of the rows."""
    x = np.ones(cells.shape[1]) if x is None else np.asarray(x, dtype=float)
    check = primary_of(x, rules)
    cost = -np.arange(len(cells)) if cost is None else np.asarray(cost)
    facts = np.isin(np.arange(len(cells)), forced)
    suppressed = protect(cells, check(cells), cost, check, breakdowns, forced=facts)
    return np.flatnonzero(suppressed).tolist()


def known(firms, cells, *forced, breakdowns=()):
    """What the forced cells tell although fewer than three firms are in it, as letters."""
    facts = np.isin(np.arange(len(cells)), forced)
    check = primary_of(np.ones(cells.shape[1]), MIN_3)
    found = told(cells, facts, check, breakdowns)
    return sorted("".join(np.array(list(firms))[row]) for row in found)


def test_margin_subtraction_takes_one_more_cell():
    # a = all - bcd - efg. The less important of the two is suppressed with a.
    cells = rows("abcdefg", "abcdefg", "bcd", "efg", "a")
    assert suppress(cells) == [2, 3]
    assert suppress(cells, cost=[9, 1, 5, 0]) == [1, 3]
    assert suppress(cells, cost=[0, 9, 5, 0]) == [0, 3]


def test_equal_importance_goes_by_the_order_given():
    cells = rows("abcdefg", "abcdefg", "efg", "bcd", "a")
    assert suppress(cells, cost=[1, 1, 1, 1]) == [2, 3]


def test_two_singletons_do_not_protect_each_other():
    # all - cde - fgh = a + b would tell a and b each other's value: a third part must go.
    cells = rows("abcdefgh", "abcdefgh", "cde", "fgh", "a", "b")
    assert suppress(cells, breakdowns=[(0, [1, 2, 3, 4])]) == [2, 3, 4]


def test_remainder_of_a_breakdown_is_judged_where_another_breakdown_splits_it():
    # Sectors abc|def|g|h, sizes aceg|bdfh: all - abc - def = g + h, though sizes tell g from h.
    cells = rows("abcdefgh", "abcdefgh", "aceg", "bdfh", "abc", "def", "g", "h")
    suppressed = suppress(cells, breakdowns=[(0, [1, 2]), (0, [3, 4, 5, 6])])
    assert suppressed == [4, 5, 6]


def test_remainder_of_a_breakdown_is_judged_by_all_rules():
    # all - abc - def = ghi, three firms of 5000, 100, 100: 5200 - 5000 - 100 = 100 < 500.
    cells = rows("abcdefghi", "abcdefghi", "adg", "beh", "cfi", "abc", "def", "g", "h", "i")
    x = [900, 900, 900, 900, 900, 900, 5000, 100, 100]
    breakdowns = [(0, [4, 5, 6, 7, 8])]
    assert suppress(cells, P_10, x, breakdowns) == [5, 6, 7, 8]
    assert suppress(cells, MIN_3, x, breakdowns) == [6, 7, 8]


def test_parts_need_not_exhaust_their_parent():
    # h gave no sector: all - abcd - efg = h.
    assert suppress(rows("abcdefgh", "abcdefgh", "abcd", "efg"), breakdowns=[(0, [1, 2])]) == [2]


def test_two_overlapping_breakdowns():
    # Sectors abcd|efgh are safe, regions abcdefg|h too but for h: all - abcdefg = h.
    cells = rows("abcdefgh", "abcdefgh", "abcd", "efgh", "abcdefg", "h")
    assert suppress(cells) == [3, 4]
    # Without the margin it follows from both sectors: abcd + efgh - abcdefg = h.
    assert suppress(cells[1:]) == [2, 3]


def test_union_of_groups_around_a_group_of_another_breakdown():
    # abc + defghi - abcdef = ghi: 5200 - 5000 - 100 = 100 < 500, though each cell is safe and the
    # third breakdown tells g, h and i apart.
    firms = "abcdefghijkl"
    third = ("adgj", "behk", "cfil")
    cells = rows(firms, firms, "abc", "defghi", "jkl", *third, "abcdef")
    x = [900] * 6 + [5000, 100, 100] + [900] * 3
    breakdowns = [(0, [1, 2, 3]), (0, [4, 5, 6])]
    assert suppress(cells, P_10, x, breakdowns) == [7]
    assert suppress(cells, MIN_3, x, breakdowns) == []


def test_hierarchy():
    # Land = districts P, Q; P = towns abc, d; Q = towns efg, hij. d is unsafe: abc goes with it,
    # since P stays; Q and its towns are untouched.
    cells = rows("abcdefghij", "abcdefghij", "abcd", "efghij", "efg", "hij", "abc", "d")
    breakdowns = [(0, [1, 2]), (1, [5, 6]), (2, [3, 4])]
    assert suppress(cells, breakdowns=breakdowns) == [5, 6]


def test_hierarchy_carries_suppression_upwards():
    # The unsafe town d is all that abcd has besides the published abc, so where abc must stay the
    # district goes, and with it the other district, as all - efghij = abcd.
    cells = rows("abcdefghij", "abcdefghij", "abc", "abcd", "efghij", "d")
    breakdowns = [(0, [2, 3]), (2, [1, 4])]
    assert suppress(cells, breakdowns=breakdowns) == [2, 3, 4]


def test_nested_groups_without_a_declared_breakdown():
    # all - "all without the largest" = the largest firm.
    assert suppress(rows("abcdefgh", "abcdefgh", "abcdefg")) == [1]
    # The rest of three firms is judged by the p%-rule too: 5030 - 5000 - 20 = 10 < 500.
    cells, x = rows("abcdefgh", "abcdefgh", "defgh"), [5000, 20, 10, 900, 900, 900, 900, 900]
    assert suppress(cells, P_10, x) == [1]
    assert suppress(cells, MIN_3, x) == []


def test_nested_groups_are_judged_where_other_groups_split_their_difference():
    # abcdefghi - defghi = abc: 5200 - 5000 - 100 = 100 < 500, though the others tell them apart.
    cells = rows("abcdefghijkl", "abcdefghi", "defghi", "adgj", "behk", "cfil")
    x = [5000, 100, 100] + [900] * 9
    assert suppress(cells, P_10, x) == [1]
    assert suppress(cells, MIN_3, x) == []


def test_two_firms_must_not_learn_of_each_other():
    # abcg + defh - bcdegh = a + f, though no cell contains another.
    assert suppress(rows("abcdefgh", "abcg", "defh", "bcdegh")) == [2]
    # acde - bcde = a - b.
    assert suppress(rows("abcde", "acde", "bcde")) == [1]
    # abc + ade - bcde = 2a, and with f beside: abcf + ade - bcde = 2a + f.
    assert suppress(rows("abcde", "abc", "ade", "bcde")) == [2]
    assert suppress(rows("abcdef", "abcf", "ade", "bcde")) == [2]


def test_groups_that_differ_by_enough_firms_stay():
    # abcghi - defghi = abc - def tells nothing of anyone in particular.
    assert suppress(rows("abcdefghi", "abcghi", "defghi")) == []


def test_holding_may_be_protected_as_a_row_of_its_own():
    # a, f and k are one holding. abcg + defhk - bcdegh = a + f + k, three firms that klmn tells
    # apart: no difference of two cells, so the holding has to be named.
    firms = "abcdefghklmn"
    cells, holding = rows(firms, "abcg", "defhk", "bcdegh", "klmn"), rows(firms, "afk")
    check = primary_of(np.ones(12), MIN_3, np.array(list("XbcdeXghXlmn")))
    assert audit(cells, np.ones(4, dtype=bool), holding).all()
    assert not protect(cells, check(cells), np.zeros(4), check).any()
    table = np.vstack([cells, holding])
    suppressed = protect(table, check(table), np.zeros(5), check)
    assert suppressed.tolist() == [False, False, True, False, True]


def test_nothing_is_suppressed_where_nothing_is_unsafe():
    cells = rows("abcdefghi", "abcdefghi", "abc", "def", "ghi")
    x = [100, 90, 80, 70, 60, 50, 40, 30, 20]
    assert suppress(cells, Rules(3, 10, 1, 85), x, [(0, [1, 2, 3])]) == []


def test_empty_cell_is_suppressed_and_hides_nobody():
    cells, check = rows("abcdef", "abcdef", "abc", "def", ""), primary_of(np.ones(6), MIN_3)
    assert suppress(cells, breakdowns=[(0, [1, 2, 3])]) == [3]
    unflagged = protect(cells, np.zeros(4, dtype=bool), np.zeros(4), check)
    assert unflagged.tolist() == [False, False, False, True]


def test_everything_may_be_suppressed():
    assert suppress(rows("ab", "ab", "a", "b")) == [0, 1, 2]
    assert suppress(np.zeros((2, 0), dtype=bool)) == [0, 1]
    assert suppress(np.zeros((0, 2), dtype=bool)) == []


def test_cells_flagged_by_the_caller_alone_are_protected():
    cells = rows("abcdefghi", "abcdefghi", "abc", "defghi")
    flagged = np.array([False, True, False])
    check = primary_of(np.ones(9), MIN_3)
    suppressed = protect(cells, flagged, np.array([3.0, 2.0, 1.0]), check)
    assert suppressed.tolist() == [False, True, True]


def test_what_was_published_stays_and_others_give_way():
    # a = all - bcd - efg, and efg is worth more than bcd: bcd goes, but not where it was published.
    cells, cost = rows("abcdefg", "abcdefg", "bcd", "efg", "a"), [9, 1, 5, 0]
    assert suppress(cells, cost=cost) == [1, 3]
    assert suppress(cells, cost=cost, forced=[1]) == [2, 3]
    assert known("abcdefg", cells, 1) == []
    # It goes before all: with bcd and efg published, all would tell a.
    assert suppress(cells, cost=cost, forced=[1, 2]) == [0, 3]


def test_what_was_published_and_is_unsafe_cannot_be_taken_back():
    cells = rows("abcdefg", "abcdefg", "bcd", "efg", "a")
    # a is known: nothing is gained by suppressing others.
    assert suppress(cells, forced=[3]) == []
    assert known("abcdefg", cells, 3) == ["a"]
    # all, bcd and efg tell a, which itself is not published; no more follows.
    assert suppress(cells, forced=[0, 1, 2]) == [3]
    assert known("abcdefg", cells, 0, 1, 2) == ["a"]
    # Two firms of the rest: b is not known, as all - cdef tells only a + b.
    cells = rows("abcdef", "abcdef", "cdef", "a", "b")
    assert suppress(cells, forced=[0, 1], breakdowns=[(0, [1, 2, 3])]) == [2, 3]
    assert known("abcdef", cells, 0, 1, breakdowns=[(0, [1, 2, 3])]) == ["ab"]


def test_one_more_cell_beside_published_ones_must_not_tell_more():
    # abc and cde were published: abcde would tell c = abc + cde - abcde. If nothing was, abcde
    # stays and they go, as abcde - abc = de and abcde - cde = ab.
    cells = rows("abcdefgh", "abcde", "abc", "cde", "fgh")
    assert suppress(cells, cost=[9, 8, 7, 6], forced=[1, 2]) == [0]
    assert suppress(cells, cost=[9, 8, 7, 6]) == [1, 2]


def test_pairs_that_tell_on_each_other_since_they_were_published():
    # acde - bcde = a - b.
    cells = rows("abcde", "acde", "bcde")
    assert suppress(cells) == [1]
    assert suppress(cells, forced=[0, 1]) == []
    assert known("abcde", cells, 0, 1) == ["ab"]


def test_audit_by_hand():
    cells = rows("abcd", "abcd", "ab", "d")
    everything = np.ones(3, dtype=bool)
    # c + d = abcd - ab and c = abcd - ab - d; nothing tells a from b.
    targets = rows("abcd", "cd", "c", "a", "bc", "abc")
    assert audit(cells, everything, targets).tolist() == [True, True, False, False, True]
    assert audit(cells, ~everything, targets).tolist() == [False] * 5


def test_undecided_span_is_refused():
    # Unit lower triangular with ones at odd distances: the inverse holds Fibonacci numbers, and the
    # smallest singular value is 7e-10 of the largest. Floating point cannot vouch for the span.
    size = 40
    distance = np.subtract.outer(np.arange(size), np.arange(size))
    cells = (distance == 0) | ((distance > 0) & (distance % 2 == 1))
    cells = np.hstack([cells, np.zeros((size, 1), dtype=bool)])
    apart = np.zeros((1, size + 1), dtype=bool)
    apart[0, -1] = True
    table, unsafe = np.vstack([cells, apart]), np.arange(size + 1) == size
    with pytest.raises(DisclosureError) as caught:
        protect(table, unsafe, np.zeros(size + 1), lambda r: np.zeros(len(r), dtype=bool))
    assert [p.row for p in caught.value.problems] == [f"cell {size}"]


def test_wrong_calls_are_refused():
    cells, check = rows("abcdef", "abcdef", "abc"), primary_of(np.ones(6), MIN_3)
    safe, cost = np.zeros(2, dtype=bool), np.zeros(2)
    with pytest.raises(TypeError, match="boolean"):
        protect(cells.astype(int), safe, cost, check)
    with pytest.raises(TypeError, match="boolean"):
        protect(cells, safe.astype(int), cost, check)
    with pytest.raises(ValueError, match="one per cell"):
        protect(cells, safe[:1], cost, check)
    with pytest.raises(ValueError, match="finite"):
        protect(cells, safe, np.array([1, np.nan]), check)
    with pytest.raises(ValueError, match="cell 1 overlap or leave"):
        protect(cells, safe, cost, check, [(1, [0])])
    with pytest.raises(TypeError, match="one boolean per row"):
        protect(cells, safe, cost, lambda r: np.zeros(len(r)))
    with pytest.raises(TypeError, match="one boolean per row"):
        protect(cells, safe, cost, lambda r: np.zeros((len(r), 1), dtype=bool))


# ---- an attacker with other means --------------------------------------------------------------


def computable(published, targets):
    """Which targets are combinations of the published rows: least squares leaves no residual."""
    if not len(targets):
        return np.zeros(0, dtype=bool)
    known, wanted = published.T.astype(float), targets.T.astype(float)
    weights = np.linalg.lstsq(known, wanted, rcond=None)[0]
    return np.abs(known @ weights - wanted).max(axis=0) < 1e-8


def obeys(member, x, holdings, rules):
    """The primary rules once more, contributor by contributor."""
    total = {}
    for i in np.flatnonzero(member):
        total[holdings[i]] = total.get(holdings[i], 0) + x[i]
    sizes = sorted(total.values(), reverse=True)
    return (
        len(sizes) >= rules.min_contributors
        and 100 * sum(sizes[2:]) >= rules.p_percent * sum(sizes[:1])
        and 100 * sum(sizes[: rules.dominance_n]) <= rules.dominance_k * sum(sizes)
    )


@st.composite
def tables(draw):
    """Random firms with holdings in one to three breakdowns, perhaps crossed, and a margin."""
    size = draw(st.integers(4, 26))

    def column(top):
        return st.lists(st.integers(0, top), min_size=size, max_size=size)

    fields = [
        np.array(draw(column(draw(st.integers(1, 4))))) for _ in range(draw(st.integers(1, 3)))
    ]
    members, breakdowns = [np.ones(size, dtype=bool)], []
    for field in fields:
        breakdowns.append((0, range(len(members), len(members) + field.max() + 1)))
        members += [field == code for code in range(field.max() + 1)]
    if draw(st.booleans()):
        for parent in list(breakdowns[0][1]):
            inner = fields[-1]
            breakdowns.append((parent, range(len(members), len(members) + inner.max() + 1)))
            members += [members[parent] & (inner == code) for code in range(inner.max() + 1)]
    x, holdings = np.array(draw(column(300))), np.array(draw(column(size)))
    rules = draw(st.sampled_from([Rules(3, 10, 1, 85), Rules(2, 0, 1, 100), Rules(4, 15, 2, 90)]))
    cost = np.array(draw(st.lists(st.integers(0, 5), min_size=len(members), max_size=len(members))))
    return np.array(members), x, holdings, rules, cost, breakdowns


@settings(max_examples=250, deadline=None)
@given(tables())
def test_attacker_computes_nothing_unsafe(table):
    cells, x, holdings, rules, cost, breakdowns = table
    check = primary_of(x, rules, holdings)
    suppressed = protect(cells, check(cells), cost, check, breakdowns)
    published = cells[~suppressed]
    unsafe = [cell for cell in cells if cell.any() and not obeys(cell, x, holdings, rules)]
    remainders = [
        cells[parent] & ~cells[[i for i in parts if not suppressed[i]]].any(axis=0)
        for parent, parts in breakdowns
        if not suppressed[parent]
    ]
    known = [*published, *remainders]
    differences = [a & ~b for a in known for b in known if not (b & ~a).any()]
    for derived in [*known, *differences]:
        assert not derived.any() or obeys(derived, x, holdings, rules)
    assert not computable(published, np.array(unsafe)).any()
    firms = np.eye(len(x), dtype=bool)
    assert not computable(published, firms).any()
    if rules.min_contributors > 2:  # nor can a firm that knows its own value compute another's
        for own in range(len(x)):
            others = np.delete(firms, own, axis=0)
            assert not computable(np.vstack([published, firms[own]]), others).any()
    for cell, hidden in zip(cells, suppressed, strict=True):
        assert hidden or obeys(cell, x, holdings, rules)


@settings(max_examples=150, deadline=None)
@given(tables(), st.randoms(use_true_random=False))
def test_attacker_learns_no_more_than_was_published(table, random):
    """Whatever was published, safe or not: nothing unsafe follows that did not follow already."""
    cells, x, holdings, rules, cost, breakdowns = table
    check = primary_of(x, rules, holdings)
    forced = np.array([random.random() < 0.4 for _ in cells])
    suppressed = protect(cells, check(cells), cost, check, breakdowns, forced=forced)
    assert not (suppressed & forced).any()
    differences = [a & ~b for a in cells for b in cells if not (b & ~a).any()]
    targets = np.vstack([cells, np.eye(len(x), dtype=bool), *differences])
    unsafe = np.array([row.any() and not obeys(row, x, holdings, rules) for row in targets])
    targets = targets[unsafe]
    before, after = computable(cells[forced], targets), computable(cells[~suppressed], targets)
    new = targets[after & ~before]
    reached = [a & ~b for a in cells[~suppressed] for b in cells[~suppressed]]
    shown = {row.tobytes() for row in np.vstack([cells, np.eye(len(x), dtype=bool), *reached])}
    assert not [row for row in new if row.tobytes() in shown]
    named = {row.tobytes() for row in told(cells, forced, check, breakdowns)}
    cell = [row.tobytes() for row in cells[check(cells)] if row.any()]
    known = computable(cells[forced], cells[check(cells) & cells.any(axis=1)])
    assert {key for key, follows in zip(cell, known, strict=True) if follows} <= named


@settings(max_examples=50, deadline=None)
@given(tables(), st.randoms(use_true_random=False))
def test_order_of_firms_does_not_matter(table, random):
    cells, x, holdings, rules, cost, breakdowns = table
    order = list(range(len(x)))
    random.shuffle(order)
    check = primary_of(x, rules, holdings)
    shuffled = primary_of(x[order], rules, holdings[order])
    expected = protect(cells, check(cells), cost, check, breakdowns)
    cells = cells[:, order]
    assert protect(cells, shuffled(cells), cost, shuffled, breakdowns).tolist() == expected.tolist()


@settings(max_examples=50, deadline=None)
@given(tables())
def test_audit_agrees_with_the_attacker(table):
    cells = table[0]
    published = np.arange(len(cells)) % 3 != 1
    targets = np.vstack([cells, *(a & ~b for a, b in pairwise(cells)), np.eye(cells.shape[1]) > 0])
    expected = computable(cells[published], targets)
    assert audit(cells, published, targets).tolist() == expected.tolist()


# ---- cases and published patterns --------------------------------------------------------------


def totals_only(case):
    return all(set(r["coef"].values()) == {1} and r["lo"] == r["hi"] for r in case["relations"])


EXACT = [
    pytest.param(case, id=case["name"])
    for case in (json.loads(path.read_text("utf-8")) for path in CASES)
    if totals_only(case)
]


@pytest.mark.skipif(not CASES, reason="no cases beside the repository")
def test_cases_of_exact_totals_are_read():
    assert len(EXACT) >= 8


@pytest.mark.parametrize("case", EXACT)
def test_cases_of_exact_totals(case):
    firms = list(case["firms"])
    holdings = np.array(
        [name.rstrip("0123") if case["name"] == "11_holding" else name for name in firms]
    )
    cells = np.array([[f in r["coef"] for f in firms] for r in case["relations"]])
    known = np.array([[f == name for f in firms] for name in case["attacker_knows"]], dtype=bool)
    known = known.reshape(-1, len(firms))
    targets = np.array([[f in np.atleast_1d(t) for f in firms] for t in case["targets"]])
    verdicts = [case["expected"]["+".join(np.atleast_1d(t))]["verdict"] for t in case["targets"]]
    assert computable(np.vstack([cells, known]), targets).tolist() == [
        v == "exact" for v in verdicts
    ]

    x = np.array(list(case["firms"].values()))
    check = primary_of(x, Rules(3, case["p"], 1, 100), holdings)
    suppressed = protect(cells, check(cells), cells @ x, check)
    assert not computable(np.vstack([cells[~suppressed], known]), targets).any()
    if case["name"].endswith("safe_control"):
        assert not suppressed.any()


@pytest.mark.skipif(not CASES, reason="no reference material beside the repository")
@pytest.mark.parametrize(
    ("by_value", "answer"), [(False, "gauss_pattern_index"), (True, "opt_pattern_index")]
)
def test_sdctable_patterns(by_value, answer):
    """In the order of the cells the published Gauss pattern, by falling value the optimal one."""
    entries = json.loads((SHARED / "primary_and_reference.json").read_text("utf-8"))
    entry = next(e for e in entries if answer in e)
    region, gender, value = np.genfromtxt(
        SHARED / entry["file"], dtype=str, delimiter=",", skip_header=1
    ).T
    regions = [np.full(len(value), fill_value=True), *(region == f'"{r}"' for r in "ABCD")]
    genders = [regions[0], gender == '"male"', gender == '"female"']
    cells = np.array([r & g for r in regions for g in genders])
    by_gender = [(3 * r, [3 * r + 1, 3 * r + 2]) for r in range(5)]
    by_region = [(g, [g + 3, g + 6, g + 9, g + 12]) for g in range(3)]
    x = value.astype(float)
    cost = cells @ x if by_value else np.zeros(len(cells))
    suppressed = suppress(cells, MIN_3, x, by_gender + by_region, cost)
    assert [i + 1 for i in suppressed] == entry[answer]

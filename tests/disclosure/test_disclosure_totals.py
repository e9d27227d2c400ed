"""Secured tables of totals: by hand, what is refused, and nothing that depends on the order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_populations import RULES, made
from scipy.sparse import csr_array

from pipeline.disclosure.primary import Rules
from pipeline.disclosure.totals import leaks, secure
from pipeline.errors import DisclosureError


def table(firms, *cells):
    """Cells over one-letter firms, each cell a string of them."""
    return csr_array(np.array([[float(firm in cell) for firm in firms] for cell in cells]))


def secured(cells, values, holdings=None, rules=RULES, **further):
    values = np.array(values, dtype=float)
    holdings = np.arange(len(values)) if holdings is None else np.array(list(holdings))
    return secure(cells, values, holdings, rules, cells @ values, **further)


def all_leaks(cells, values, holdings=None, rules=RULES, published=None):
    values = np.array(values, dtype=float)
    holdings = np.arange(len(values)) if holdings is None else np.array(list(holdings))
    published = np.ones(cells.shape[0], dtype=bool) if published is None else published
    return leaks(cells, values, holdings, rules, published)


def test_safe_cells_are_all_published():
    # 100, 90, 80: 270 - 100 - 90 = 80 >= 10; 70, 60, 50: 180 - 70 - 60 = 50 >= 7.
    found = secured(table("abcdef", "abcdef", "abc", "def"), [100, 90, 80, 70, 60, 50])
    assert found.published.all()
    assert found.rule.tolist() == ["", "", ""]
    assert (found.primary, found.secondary, found.attack, found.solves) == (0, 0, 0, 0)
    assert found.protection == np.inf


def test_margin_takes_one_more_cell():
    # ab is of two; the less important of cde = 120 and fgh = 210 goes with it.
    cells = table("abcdefgh", "abcdefgh", "ab", "cde", "fgh")
    found = secured(cells, [10, 20, 30, 40, 50, 60, 70, 80])
    assert found.rule.tolist() == ["", "min_contributors", "secondary", ""]
    assert (found.primary, found.secondary, found.attack) == (1, 1, 0)
    # All know ab + cde = 150. For b, a is 130 at most, 1200 % above 10; for a, b is 140 at most,
    # 600 % above 20; e has 50 of the 150, so for e, b is 100 at most, 400 % above.
    assert found.protection == pytest.approx(400, rel=1e-4)


def test_partner_too_small_to_hide_behind():
    # ab = 1100 and cde = 6 are the cheapest pair of unpublished cells, and told together: 1106. So
    # a < 1106 where 1100 is needed for a = 1000 and b's own 100 is left: 1006. fgh must go too.
    cells = table("abcdefgh", "abcdefgh", "ab", "cde", "fgh")
    values = [1000, 100, 1, 2, 3, 300, 400, 500]
    found = secured(cells, values)
    assert found.rule.tolist() == ["", "min_contributors", "secondary", "attack"]
    assert all_leaks(cells, values, published=np.array([True, False, False, True]))
    assert not all_leaks(cells, values, published=found.published)


def test_two_firms_alone_know_each_other():
    # a = 50 and b = 60 alone in their cells, told together as 110: an outsider is in doubt, but
    # each of the two is not.
    cells = table("abcdefgh", "abcdefgh", "a", "b", "cde", "fgh")
    values = [50, 60, 70, 80, 90, 100, 110, 120]
    shown = np.array([True, False, False, True, True])
    assert all_leaks(cells, values, published=shown)
    found = secured(cells, values)
    assert found.rule.tolist()[1:3] == ["min_contributors"] * 2
    assert found.attack + found.secondary == 1
    # As one holding they are one contributor: nobody else learns more than their sum, which is
    # told exactly; so a third cell must go as well.
    assert all_leaks(cells, values, "xxcdefgh", published=shown)


def test_holding_in_two_cells_is_protected_by_its_sum():
    # h has 500 in A and 500 in B, one other firm of 40 each beside it. Told A + B = 1080 of two
    # unpublished cells leaves each part open, but not the sum: 1080 - 40 < 1100.
    cells = table("hagbcdefi", "hagb", "ha", "gb", "cdefi", "hagbcdefi")
    values, holdings = [500, 40, 500, 40, 70, 80, 90, 100, 110], "hahbcdefi"
    shown = np.array([True, False, False, True, True])
    assert all_leaks(cells, values, holdings, published=shown)
    found = secured(cells, values, holdings)
    assert found.rule.tolist()[0] == "p_percent"
    assert not found.published[0]


def test_firm_alone_is_protected_from_below():
    # a = 100 alone, b = 1 alone, c = 2 alone: a + b told with c's cell published is out of the
    # question; with all three open and 103 told, a is between 0 and 103: 110 is not possible.
    cells = table("abcdefg", "abcdefg", "a", "b", "c", "defg")
    values = [100, 1, 2, 30, 40, 50, 60]
    assert all_leaks(cells, values, published=np.array([True, False, False, False, True]))
    found = secured(cells, values)
    assert found.published.tolist() in (
        [True, False, False, False, False],
        [False, False, False, False, True],
    )


def test_dominance_must_be_in_doubt():
    # 86 of 100 is more than 85 %: a reader must hold possible that the cell is 86/0.85 = 101.2.
    # Told with cde = 0.6, the two are 100.6: p % is kept (14 others), dominance shows.
    rules = Rules(3, 10, 1, 85)
    cells = table("abcdefghij", "abcdefghij", "ab", "cde", "fghij")
    cells = table("abcdklmfghij", "abcdklmfghij", "abcd", "klm", "fghij")
    values = [86, 5, 5, 4, 0.2, 0.2, 0.2, 30, 30, 30, 30, 30]
    shown = np.array([True, False, False, True])
    assert all_leaks(cells, values, rules=rules, published=shown)
    assert not all_leaks(cells, values, rules=Rules(3, 10, 1, 100), published=shown)
    found = secured(cells, values, rules=rules)
    assert found.rule.tolist()[1] == "dominance"
    assert not found.published[3] or not found.published[0]


def test_what_was_told_before_stays():
    # all and abcd were told; now abcde would give e away.
    cells = table("abcdefgh", "abcdefgh", "abcd", "abcde", "e")
    values = [10, 20, 30, 40, 50, 60, 70, 80]
    told = np.array([False, True, False, False])
    found = secured(cells, values, told=told)
    assert found.published.tolist() == [True, True, False, False]
    # Both told: nothing can mend it, and the run says which.
    with pytest.raises(DisclosureError, match="follows exactly") as caught:
        secured(cells, values, told=np.array([False, True, True, False]))
    assert [problem.row for problem in caught.value.problems] == ["cell 1"]


def test_told_too_closely_is_refused_though_not_exact():
    # axyz = 2500 less xyzd = 1510 is a - d = 990, and d is 33 at most, with e and f: a <= 1023. And
    # a, alone in its cell, knows d exactly.
    cells = table("axyzdef", "axyz", "xyzd", "def", "a")
    values = [1000, 500, 500, 500, 10, 11, 12]
    with pytest.raises(DisclosureError, match="too closely") as caught:
        secured(cells, values, told=np.array([True, True, True, False]))
    rows = {problem.row for problem in caught.value.problems}
    assert rows == {"cell 3, cell 0", "cell 1, cell 2"}
    found = secured(cells, values, told=np.array([False, True, True, False]))
    assert found.published.tolist() == [False, True, True, False]


def test_panel_waves_share_the_unknowns_of_those_who_stay():
    # Six firms in wave 1, the same without f in wave 2, amounts unchanged: the difference is f.
    firms = "abcdef"
    found = secured(table(firms, "abcdef", "abcde"), [10, 20, 30, 40, 50, 60])
    assert found.published.tolist() == [True, False]


def test_no_cells_and_empty_cells():
    assert secured(csr_array((0, 3)), [1, 2, 3]).published.tolist() == []
    found = secured(table("abcd", "abcd", "", "abc"), [10, 20, 30, 40])
    assert found.rule.tolist() == ["", "min_contributors", "secondary"]


def test_wrong_calls_are_refused():
    cells, values, labels = table("abc", "abc", "ab"), np.array([1.0, 2, 3]), np.arange(3)
    cost = np.ones(2)
    with pytest.raises(ValueError, match="negative"):
        secure(cells, -values, labels, RULES, cost)
    with pytest.raises(ValueError, match="each column"):
        secure(cells, values[:2], labels, RULES, cost)
    with pytest.raises(ValueError, match="ones"):
        secure(cells * 2, values, labels, RULES, cost)
    with pytest.raises(ValueError, match="have a p"):
        secure(cells, values, labels, Rules(3, 0, 1, 100), cost)
    with pytest.raises(ValueError, match="cost and told"):
        secure(cells, values, labels, RULES, cost[:1])
    with pytest.raises(ValueError, match="cost must"):
        secure(cells, values, labels, RULES, -cost)
    with pytest.raises(TypeError, match="boolean"):
        secure(cells, values, labels, RULES, cost, told=np.zeros(2))


@given(st.integers(10_000, 20_000))
@settings(deadline=None, max_examples=10)
def test_order_and_unit_of_amounts_do_not_matter(seed):
    population = made(seed)
    order = np.random.default_rng(seed).permutation(len(population.values))
    cells, values, holdings = population.matrix, population.values, population.holdings
    first = secure(cells, values, holdings, RULES, population.cost)
    cost = population.cost * 1e6
    second = secure(csr_array(cells[:, order]), values[order] * 1e6, holdings[order], RULES, cost)
    assert first.rule.tolist() == second.rule.tolist()


@given(st.integers(20_000, 30_000))
@settings(deadline=None, max_examples=10)
def test_clean_by_an_audit_from_the_start(seed):
    population = made(seed)
    cells, values, holdings = population.matrix, population.values, population.holdings
    found = secure(cells, values, holdings, RULES, population.cost)
    assert not leaks(cells, values, holdings, RULES, found.published)
    assert found.protection >= RULES.p_percent * (1 - 1e-4)

"""The cheapest suppression: by hand, beside all choices there are, and a published pattern."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_array

from pipeline.disclosure.attack import Told, ranges
from pipeline.disclosure.elimination import keep
from pipeline.disclosure.optimum import Table, lower_bound, optimum
from pipeline.errors import DisclosureError

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "disclosure"
INF = np.inf


def table(values, cells, cost, targets, need, *, least=0.0):
    """`need`: (above, below), each one number or one per target."""
    values, targets = np.array(values, dtype=float), np.atleast_2d(targets).astype(float)
    above, below = (np.broadcast_to(side, len(targets)).astype(float) for side in need)
    cells = csr_array(np.array(cells, dtype=float).reshape(-1, len(values)))
    least = np.full(len(values), least)
    return Table(
        values, least, cells, np.array(cost, dtype=float), csr_array(targets), above, below
    )


def exact(cells, cost, targets):
    """Only what follows exactly counts, however close a reader may come."""
    n = np.shape(targets)[-1]
    return table(np.ones(n), cells, cost, targets, (1, 0), least=-INF)


def safe(case, published):
    """Whether every target has the room it needs, by another solver."""
    rows = case.cells.toarray()[published]
    bounds = [(low if low > -INF else None, None) for low in case.least]
    for target, above, below in zip(case.targets.toarray(), case.above, case.below, strict=True):
        for sign, need in ((1, above), (-1, below)):
            told = {"A_eq": rows, "b_eq": rows @ case.values} if len(rows) else {}
            end = linprog(-sign * target, bounds=bounds, **told)
            truth = sign * target @ case.values
            if need > 0 and end.status == 0 and -end.fun < truth + need - 1e-5 * need:
                return False
    return True


def cheapest(case, is_safe):
    """The least cost of all choices there are, the cheapest first."""
    every = np.array(list(product([False, True], repeat=len(case.cost))))
    costs = every @ case.cost
    order = np.argsort(costs, kind="stable")
    return next((costs[i] for i in order if is_safe(case, ~every[i])), None)


def test_a_part_hides_behind_the_cheapest_other_one():
    # a + b + c with all parts told: a hides with c (3), not with b (4) nor with the total (60).
    cells = [[1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    found = optimum(exact(cells, [60, 10, 4, 3], [1, 0, 0]))
    assert found.suppressed.tolist() == [False, True, False, True]
    assert found.cost == 13
    assert found.bound == pytest.approx(13, abs=1e-4)


def test_a_part_too_small_to_hide_the_other_takes_one_more():
    # a = 20 must look as large as 25: c = 3 can give 3 of the 5, b = 4 only 4, both 7.
    cells = [[1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    found = optimum(table([20, 4, 3], cells, [60, 20, 4, 3], [1, 0, 0], (5, 0)))
    assert found.suppressed.tolist() == [False, True, True, True]
    # And it can look smaller by all of itself.
    found = optimum(table([20, 4, 3], cells, [60, 20, 4, 3], [1, 0, 0], (0, 20)))
    assert found.suppressed.tolist() == [False, True, False, True]


def test_the_total_goes_where_it_costs_least():
    cells = [[1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    found = optimum(exact(cells, [1, 10, 4, 3], [1, 0, 0]))
    assert found.suppressed.tolist() == [True, True, False, False]


def test_the_bound_of_a_triangle_is_half_a_cell_short():
    # Each pair of the three targets hides together at the cost of any two of three cells: with half
    # of each cell every cut of two is fulfilled.
    cells = np.eye(3)
    targets = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]])
    case = exact(cells, [1, 1, 1], targets)
    assert lower_bound(case) == pytest.approx(1.5, abs=1e-4)
    assert optimum(case).cost == 2


def test_nothing_to_suppress():
    assert optimum(exact([[1, 1, 0]], [1], [1, 0, 0])).cost == 0
    found = optimum(exact([], [], [1, 0]))
    assert (found.suppressed.tolist(), found.cost, found.bound) == ([], 0, 0)
    no_need = table([1, 2], [[1, 0]], [1], [1, 0], (0, 0))
    assert optimum(no_need).cost == lower_bound(no_need) == 0


def test_who_cannot_be_protected_is_named():
    with pytest.raises(DisclosureError) as caught:
        optimum(table([5, 7], [[1, 1]], [1], [[1, 0], [0, 0], [0, 1]], ([0, 1, 1], [6, 0, 7])))
    assert [p.found.split()[1] for p in caught.value.problems] == ["0", "1"]


WRONG = {
    "unknowns": {"least": np.zeros(3)},
    "cost": {"cost": np.ones(2)},
    "need": {"above": np.ones(2)},
    "finite": {"cost": np.array([np.inf])},
    "negative": {"cost": np.array([-1.0])},
    "positive": {"cells": csr_array(np.array([[1.0, -1.0]]))},
    "below its least": {"least": np.array([2.0, 0.0])},
}


@pytest.mark.parametrize(("message", "change"), WRONG.items(), ids=WRONG)
def test_what_does_not_fit_is_refused(message, change):
    right = vars(table([1, 1], [[1, 0]], [1], [1, 0], (1, 0)))
    with pytest.raises(ValueError, match=message):
        optimum(Table(**right | change))


# ---- all choices there are ---------------------------------------------------------------------


def systems(most_cells):
    @st.composite
    def drawn(draw):
        n, k = draw(st.integers(2, 5)), draw(st.integers(1, most_cells))
        rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        cells = rng.random((k, n)) < draw(st.sampled_from([0.3, 0.6]))
        targets = rng.random((draw(st.integers(1, 3)), n)) < 0.4
        targets[~targets.any(axis=1), 0] = True
        targets[0] = cells[0] if cells[0].any() else targets[0]
        values = rng.choice([0, 1, 20, 3e5], n) + rng.integers(0, 9, n)
        return cells, values, rng.integers(0, 6, k), targets, rng.integers(0, 7, (2, len(targets)))

    return drawn()


def hidden(case, published):
    rows = case.cells.toarray()[published]
    return all(
        np.linalg.matrix_rank(np.vstack([rows, target])) > np.linalg.matrix_rank(rows)
        for target in case.targets.toarray()
    )


@given(systems(10))
@settings(deadline=None, max_examples=40)
def test_no_choice_that_tells_nothing_exactly_is_cheaper(system):
    cells, _, cost, targets, _ = system
    case = exact(cells, cost, targets)
    found = optimum(case)
    assert found.cost == cheapest(case, hidden) == cost[found.suppressed].sum()
    assert hidden(case, ~found.suppressed)
    assert found.bound == pytest.approx(lower_bound(case))
    assert found.bound <= found.cost + 1e-9
    order = np.argsort(-cost, kind="stable")
    parts = (csr_array(rows.astype(np.int64)) for rows in (cells[order], targets, targets[:0]))
    kept, _ = keep(*parts)
    assert found.cost <= cost[order][~kept].sum()


@given(systems(7))
@settings(deadline=None, max_examples=40)
def test_no_choice_with_the_protection_needed_is_cheaper(system):
    cells, values, cost, targets, need = system
    need[1] = np.minimum(need[1], targets @ values)
    case = table(values, cells, cost, targets, need)
    found = optimum(case)
    assert found.cost == cheapest(case, safe) == cost[found.suppressed].sum()
    assert safe(case, ~found.suppressed)
    assert found.bound <= found.cost + 1e-9


# ---- a published pattern -----------------------------------------------------------------------


def microdata():
    """Region x gender with margins over the eight inner cells: counts, totals, cells, patterns."""
    entries = json.loads((SHARED / "primary_and_reference.json").read_text("utf-8"))
    entry = next(e for e in entries if e["name"] == "sdcTable_microdata1")
    region, gender, value = np.genfromtxt(
        SHARED / entry["file"], dtype=str, delimiter=",", skip_header=1
    ).T
    inner = list(product("ABCD", ("male", "female")))
    member = np.array([(region == f'"{r}"') & (gender == f'"{g}"') for r, g in inner])
    cells = [
        [wanted_r in ("", r) and wanted_g in ("", g) for r, g in inner]
        for wanted_r, wanted_g in product(["", *"ABCD"], ["", "male", "female"])
    ]
    return member.sum(axis=1), member @ value.astype(float), np.array(cells, dtype=float), entry


@pytest.mark.skipif(not SHARED.exists(), reason="no reference material beside the repository")
def test_sdctable_pattern():
    """The package's default: a cell costs the number of persons in it, and must be open by 1."""
    counts, totals, cells, entry = microdata()
    primary, expected = 5, np.array(entry["opt_pattern_index"]) - 1
    case = table(counts, cells, cells @ counts, cells[primary], (1, 1))
    found = optimum(case)
    assert np.flatnonzero(found.suppressed).tolist() == expected.tolist()
    # 18 + 2 males and females of A, 12 + 10 of C; with B 18 + 2 + 14 + 19, with D 18 + 2 + 11 + 14.
    assert found.cost == 42
    assert found.bound == pytest.approx(42, abs=1e-3)
    assert safe(case, ~found.suppressed)
    assert cheapest(case, hidden) == 42  # whoever is open by 1 is hidden, so nothing is cheaper
    # By value too: 178 + 20 + 118 + 106 = 422.
    by_value = optimum(table(totals, cells, cells @ totals, cells[primary], (1, 1)))
    assert by_value.suppressed.tolist() == found.suppressed.tolist()
    assert by_value.cost == 422

    shown = csr_array(cells[~found.suppressed])
    sums = shown @ totals
    told = Told(totals, shown, sums, sums, np.zeros(8), np.full(8, INF))
    low, high = ranges(told, csr_array(cells[[primary]]))
    assert [low[0], high[0]] == pytest.approx(entry["interval_A_female_with_opt_pattern"])

    # The published pattern of elimination costs 18 + 2 + 11 + 14 = 45: it goes by the cells' order.
    others = np.flatnonzero(np.arange(len(cells)) != primary)
    parts = (csr_array(rows.astype(np.int64)) for rows in (cells[others], cells[[5]], cells[:0]))
    kept, _ = keep(*parts)
    left_out = sorted([primary, *others[~kept]])
    assert [i + 1 for i in left_out] == entry["gauss_pattern_index"]
    assert (cells @ counts)[left_out].sum() == 45

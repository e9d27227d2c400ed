"""Weighted sums beside published cells: what may be told, by hand, and what never follows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.disclosure import safe_beside

NOBODY = np.zeros((0, 9), dtype=bool)


def cells(*letters):
    """Rows over firms, `1` where the firm is in the cell."""
    return np.array([[letter == "1" for letter in row] for row in letters])


def fewer_than(least):
    return lambda rows: rows.sum(axis=1) < least


def told(shown, rows, protected=NOBODY, least=3):
    found = safe_beside(shown, np.array(rows, dtype=float), protected, fewer_than(least))
    return found.tolist()


ALL = cells("111111111")
HALF = cells("111000000", "000111000", "000000111")  # three cells of three firms
A, B, C = HALF.astype(float)


def test_harmless_sums_are_all_told():
    # Each cell is published, so any mean of cells is known already.
    assert told(HALF, [A + 2 * B, B + 3 * C, A / 2 + B / 3]) == [True] * 3
    # Without the cells, everybody's sum with A + 2 B leaves no cell alone.
    assert told(ALL, [A + 2 * B], HALF) == [True]


def test_a_sum_that_is_a_protected_cell_is_not_told():
    assert told(ALL, [A / 3], HALF) == [False]
    assert told(ALL, [A / 3], HALF[1:]) == [True]
    # Everybody less twice the sum of A and B is C.
    assert told(ALL, [A + B], HALF[2:]) == [False]


def test_two_sums_that_solve_for_a_cell_are_not_both_told_the_first_is():
    # With A + B + C and A + 2 B neither cell follows; A + 3 B as well gives B, A and C.
    rows = [A + 2 * B, A + 3 * B]
    assert told(ALL, rows, HALF) == [True, False]
    assert told(ALL, rows[::-1], HALF) == [True, False]
    # A + 2 B once more, or everybody, tells nothing new; so it may stand after what may not.
    assert told(ALL, [*rows, 2 * A + 4 * B, A + B + C], HALF) == [True, False, True, True]


def test_a_single_firm_does_not_follow():
    # A row of A + B that leaves out a firm gives it away with both cells.
    firm = np.eye(9)[0]
    assert told(HALF, [A + B - firm]) == [False]
    # A factor of its own for a firm does, too, whatever the others' (2 A with a third more of it).
    assert told(HALF, [A + firm / 3]) == [False]
    assert told(HALF, [A + firm / 3], least=1) == [True]


def test_two_groups_that_tell_of_each_other_do_not_follow():
    # A / 2 + B tells A of B: neither breaks a rule by itself, here the six of them together do.
    def of_six(rows):
        return rows.sum(axis=1) == 6

    row = np.array([A / 2 + B])
    assert safe_beside(HALF[2:], row, NOBODY, of_six).tolist() == [False]
    assert told(HALF[2:], row) == [True]


@pytest.mark.parametrize("scale", [1e-9, -1.0, 1e9])
def test_the_scale_of_a_sum_is_of_no_consequence(scale):
    rows = np.array([A + 2 * B, A + 3 * B, A / 3 + B / 3 + C / 3])
    assert told(ALL, scale * rows, HALF) == told(ALL, rows, HALF) == [True, False, True]


def test_nothing_is_told_where_the_cells_give_something_away_by_themselves():
    assert told(HALF, [A + B], HALF[:1]) == [False]


def test_no_sum_and_an_empty_one():
    assert told(ALL, np.zeros((0, 9))) == []
    assert told(ALL, np.zeros((1, 9)), HALF) == [True]
    assert told(cells("111111111"), [A + 2 * B], cells("000000000")) == [True]


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="the same firms"):
        told(ALL, [[1.0, 2.0]])
    with pytest.raises(ValueError, match="finite"):
        told(ALL, [A * np.nan])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_protected_aggregate_is_a_combination_of_what_is_told(data):
    # Whole numbers, so that the rank of the matrix with and without the aggregate decides.
    cell = st.lists(st.booleans(), min_size=7, max_size=7)
    row = st.lists(st.integers(0, 3), min_size=7, max_size=7)
    shown = np.array(data.draw(st.lists(cell, min_size=1, max_size=3)))
    rows = np.array(data.draw(st.lists(row, min_size=1, max_size=4)), dtype=float)
    protected = np.array(data.draw(st.lists(cell, min_size=1, max_size=3)))
    found = safe_beside(shown, rows, protected, fewer_than(2))
    known = np.vstack([shown, rows[found]])
    secrets = np.vstack([protected[protected.any(axis=1)], np.eye(7, dtype=bool)])

    def follows(rows):
        rank = np.linalg.matrix_rank(rows)
        return [np.linalg.matrix_rank(np.vstack([rows, secret])) == rank for secret in secrets]

    if found.any():
        assert not any(follows(known))
    for place in np.flatnonzero(~found):  # with those told before it something would follow
        assert any(follows(np.vstack([shown, rows[:place][found[:place]], rows[place]])))

"""What a suppressed cell would give away: by hand, and for any cells."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.disclosure import audit, protect, reasons

FIRMS = "abcdefgh"


def few(rows):
    """Fewer than three firms, but somebody."""
    return (rows.sum(axis=1) < 3) & rows.any(axis=1)


def matrix(*groups):
    return np.array([[firm in group for firm in FIRMS] for group in groups])


def told(cells, closed, breakdowns=()):
    """What would follow from each suppressed cell, by its number, as letters."""
    unsafe = few(cells)
    published = ~np.isin(np.arange(len(cells)), closed)
    found = reasons(cells, published, unsafe, few, breakdowns)
    return {
        cell: sorted("".join(np.array(list(FIRMS))[row]) for row in rows) for cell, rows in found
    }


def test_a_cell_protects_its_small_sibling():
    # all - y - z = ab.
    cells = matrix(FIRMS, "ab", "cde", "fgh")
    assert told(cells, [1, 2], [(0, (1, 2, 3))]) == {2: ["ab"]}


def test_a_cell_protects_the_rest_that_is_no_cell():
    # all - abcdef = gh, which nobody meant to publish.
    assert told(matrix(FIRMS, "abcdef"), [1]) == {1: ["gh"]}


def test_two_cells_of_which_one_is_enough_protect_nobody_each():
    # all - cde leaves abfgh, of five: neither gives ab away while the other is suppressed.
    cells = matrix(FIRMS, "ab", "cde", "fgh")
    assert told(cells, [1, 2, 3], [(0, (1, 2, 3))]) == {2: [], 3: []}


def test_empty_and_unsafe_cells_need_no_reason():
    assert told(matrix(FIRMS, "ab", ""), [1, 2]) == {}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.booleans(), min_size=8, max_size=8), min_size=1, max_size=7),
)
def test_what_is_told_is_unsafe_and_follows_with_the_cell_only(rows):
    cells = np.array([[True] * 8, *rows], dtype=bool)
    unsafe = few(cells)
    suppressed = protect(cells, unsafe, cells.sum(axis=1).astype(float), few)
    found = dict(reasons(cells, ~suppressed, unsafe, few))
    assert set(found) == set(np.flatnonzero(suppressed & ~unsafe & cells.any(axis=1)))
    for cell, aggregates in found.items():
        assert few(aggregates).all()
        assert not audit(cells, ~suppressed, aggregates).any()
        published = ~suppressed
        published[cell] = True
        groups = {cells[published][:, f].tobytes() for f in range(8)}
        told_apart = len(groups) == np.linalg.matrix_rank(cells[published].astype(float))
        if told_apart:  # else some are unions of two groups that tell of each other
            assert audit(cells, published, aggregates).all()

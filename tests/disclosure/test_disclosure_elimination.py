"""Elimination: by hand, and beside exact ranks of random systems."""

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from pipeline.disclosure.elimination import PRIME, keep


def sums(rows, unknowns):
    return csr_array(np.array(rows, dtype=np.int64).reshape(-1, unknowns))


def rank(rows):
    """Rank over the rational numbers."""
    rows = [[Fraction(int(value)) for value in row] for row in rows]
    found = 0
    for column in range(len(rows[0]) if rows else 0):
        pivot = next((i for i in range(found, len(rows)) if rows[i][column]), None)
        if pivot is None:
            continue
        rows[found], rows[pivot] = rows[pivot], rows[found]
        for i in range(found + 1, len(rows)):
            factor = rows[i][column] / rows[found][column]
            rows[i] = [a - factor * b for a, b in zip(rows[i], rows[found], strict=True)]
        found += 1
    return found


def follows(row, told):
    return rank([*told, row]) == rank(told)


def test_a_margin_and_the_other_parts_tell_a_part():
    # a + b + c, then a + b, which would tell c; then b, which with the total tells nothing of c.
    kept, _ = keep(sums([[1, 1, 1], [1, 1, 0], [0, 1, 0]], 3), sums([0, 0, 1], 3), sums([], 3))
    assert kept.tolist() == [True, False, True]


def test_what_is_known_already_is_kept_and_tells_nothing_more():
    kept, _ = keep(sums([[1, 1, 0], [1, 1, 0], [2, 2, 0]], 3), sums([1, 0, 0], 3), sums([], 3))
    assert kept.all()


def test_a_multiple_of_a_protected_sum_is_left_out():
    kept, _ = keep(sums([[2, 4, 0], [1, 2, 3]], 3), sums([1, 2, 0], 3), sums([], 3))
    assert kept.tolist() == [False, True]


def test_two_protected_sums_of_which_one_becomes_a_multiple_of_the_other():
    # With a + b told, a and -b are the same: either told tells the other, so both stay out.
    rows = [[1, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    kept, _ = keep(sums(rows, 3), sums([[1, 0, 0], [0, 1, 0]], 3), sums([], 3))
    assert kept.tolist() == [True, False, False, True]


def test_nothing_to_tell():
    kept, left = keep(sums([], 2), sums([1, 0], 2), sums([[1, 1]], 2))
    assert kept.tolist() == []
    assert left == [{0: 1, 1: 1}]


@st.composite
def systems(draw):
    n = draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = [0, 0, 1] if draw(st.booleans()) else [0, 1, 1, -1, 3]
    return tuple(rng.choice(values, (draw(st.integers(0, high)), n)) for high in (9, 4, 4))


@given(systems())
@settings(deadline=None, max_examples=200)
def test_no_protected_sum_follows_and_nobody_is_left_out_for_nothing(system):
    candidates, protected, carried = system
    n = candidates.shape[1]
    kept, left = keep(*(sums(rows, n) for rows in system))
    told = [row.tolist() for row in candidates[kept]]
    secret = [row.tolist() for row in protected if row.any()]
    assert not any(follows(row, told) for row in secret)
    for number in np.flatnonzero(~kept):
        before = candidates[:number][kept[:number]].tolist()
        assert any(follows(row, [*before, candidates[number].tolist()]) for row in secret)
    for row, rest in zip(carried, left, strict=True):
        assert (not rest) == (not row.any() or follows(row.tolist(), told))
        assert all(0 < value < PRIME for value in rest.values())

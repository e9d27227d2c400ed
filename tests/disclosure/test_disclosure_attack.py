"""The attacker's programme: by hand, beside scipy's, and where digits are scarce."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_array

from pipeline.disclosure.attack import Ranges, Told, contradictions, ranges, verdicts
from pipeline.errors import DisclosureError

INF = np.inf


def told(values, rows, ends=None, least=0.0, most=INF):
    """Rows that tell their sums exactly, unless `ends` are given."""
    values, rows = np.array(values, dtype=float), np.atleast_2d(np.array(rows, dtype=float))
    sums = rows @ values
    low, high = (sums, sums) if ends is None else np.array(ends, dtype=float).T
    n = len(values)
    return Told(values, csr_array(rows), low, high, np.full(n, least), np.full(n, most))


def each(n):
    return csr_array(np.eye(n))


def test_a_total_bounds_each_of_its_firms():
    # 10 + 20 + 30 = 60: each lies between 0 and 60.
    low, high = ranges(told([10, 20, 30], [1, 1, 1]), each(3))
    assert low.tolist() == [0, 0, 0]
    assert high.tolist() == pytest.approx([60, 60, 60])


def test_who_knows_its_own_value_knows_more_of_the_others():
    known = np.array([True, False, False])
    low, high = ranges(told([10, 20, 30], [1, 1, 1]), each(3), known)
    assert low.tolist() == [10, 0, 0]
    assert high.tolist() == pytest.approx([10, 50, 50])


def test_rounding_leaves_its_half_step_and_bounds_are_known():
    # a + b told as 25 to 35 and a at most 12: b is 13 to 35, a + b as told.
    told_rounded = told([10, 20], [[1, 1]], [(25, 35)])
    told_rounded.most[0] = 12
    low, high = ranges(told_rounded, csr_array(np.array([[0.0, 1], [1, 1]])))
    assert low.tolist() == pytest.approx([13, 25])
    assert high.tolist() == pytest.approx([35, 35])


def test_nothing_told_bounds_nothing():
    nothing = Told(
        np.array([5.0]), csr_array((0, 1)), *np.zeros((2, 0)), *np.array([[-INF], [INF]])
    )
    assert ranges(nothing, each(1)) == (-INF, INF)


def test_a_small_firm_beside_a_large_one_keeps_its_digits():
    # The total of 1e12 less that without the small firm is its 0.3.
    rows = [[1, 1, 1], [1, 1, 0]]
    low, high = ranges(told([1e12, 7e11, 0.3], rows), each(3))
    assert high[2] - low[2] < 1e-9
    assert low[2] == pytest.approx(0.3)


def test_what_contradicts_the_truth_is_refused():
    wrong = told([10, 20], [[1, 1], [1, 0]], [(30, 30), (11, INF)])
    assert contradictions(wrong).tolist() == [1]
    with pytest.raises(DisclosureError, match=r"rows \[1\]"):
        ranges(wrong, each(2))
    # 0.1 + 0.2 is not 0.3 in floating point
    assert contradictions(told([0.1, 0.2], [1, 1], [(0.3, 0.3)])).tolist() == []


def test_verdicts_by_hand():
    # p = 10 and a value of 100: 110 is enough, 109.9 is not, and a range without width is exact.
    values = np.array([100.0, 100, 100, 0, -100])
    low = np.array([0.0, 0, 100, 0, -200])
    high = np.array([110.0, 109.9, 100, 3, -95])
    expected = ["safe", "too_narrow", "exact", "safe", "too_narrow"]
    assert verdicts(values, Ranges(low, high), 10).tolist() == expected


@st.composite
def publications(draw):
    n, m = draw(st.integers(2, 6)), draw(st.integers(0, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = rng.integers(0, 100, n).astype(float)
    rows = (rng.random((m, n)) < 0.6) * rng.choice([1.0, 1.0, 2.5, -1.0], (m, n))
    half = rng.choice([0.0, 0.5, 5.0], m)
    sums = rows @ values
    known = rng.random(n) < 0.2
    return values, rows.reshape(m, n), np.column_stack([sums - half, sums + half]), known


@given(publications())
@settings(deadline=None, max_examples=60)
def test_ranges_are_those_of_another_solver(publication):
    values, rows, ends, known = publication
    n = len(values)
    bounds = [(v, v) if k else (0, None) for v, k in zip(values, known, strict=True)]
    system = Told(values, csr_array(rows), *ends.T, np.zeros(n), np.full(n, INF))
    found = ranges(system, each(n), known)
    both = np.vstack([rows, -rows]), np.concatenate([ends[:, 1], -ends[:, 0]])
    for i in range(n):
        for sign, end in ((1, found.low[i]), (-1, found.high[i])):
            result = linprog(sign * np.eye(n)[i], *both, bounds=bounds)
            other = sign * result.fun if result.status == 0 else sign * -INF
            assert end == pytest.approx(other, abs=1e-6)


@given(publications())
@settings(deadline=None, max_examples=30)
def test_what_is_told_further_only_narrows_and_the_truth_is_within(publication):
    values, rows, ends, known = publication
    n = len(values)
    wide = None
    for m in range(len(rows) + 1):
        system = Told(values, csr_array(rows[:m]), *ends[:m].T, np.zeros(n), np.full(n, INF))
        low, high = ranges(system, each(n), known)
        assert (low <= values + 1e-9).all()
        assert (high >= values - 1e-9).all()
        if wide is not None:
            assert (low >= wide.low - 1e-6).all()
            assert (high <= wide.high + 1e-6).all()
        wide = Ranges(low, high)

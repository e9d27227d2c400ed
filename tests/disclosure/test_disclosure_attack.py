"""The attacker's programme: by hand, beside scipy's, and where digits are scarce."""

from fractions import Fraction
from itertools import combinations

import highspy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_array

from pipeline.disclosure.attack import Ranges, Told, contradictions, ranges, solved, verdicts
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


def skewed(seed, n, m, powers, *, ordered=False, zeros=0.0):
    """Firms of very different size; half of the rows are others without one firm, told exactly or
    to a millionth."""
    rng = np.random.default_rng(seed)
    values = 10 ** rng.uniform(*powers, n) * (rng.random(n) >= zeros)
    rows = (rng.random((m, n)) < 0.3).astype(float)
    rows[m // 2 :] = rows[: m - m // 2]
    rows[np.arange(m // 2, m), rng.integers(0, n, m - m // 2)] = 0
    half = np.where(rng.random(m) < 0.5, 0, 5e-7 * (rows @ values))
    low, high = rows @ values - half, rows @ values + half
    if ordered:
        steps = np.diff(np.eye(n)[np.argsort(values, kind="stable")], axis=0)
        rows = np.vstack([rows, steps])
        low, high = np.append(low, np.zeros(n - 1)), np.append(high, np.full(n - 1, INF))
    return Told(values, csr_array(rows), low, high, np.zeros(n), np.full(n, INF))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("ordered", [False, True])
def test_firms_from_ten_to_a_hundred_millions_as_another_solver_sees_them(seed, ordered):
    system = skewed(seed, 60, 40, (1, 8), ordered=ordered, zeros=0.1 * ordered)
    low, high = ranges(system, each(60))
    rows, unit = system.rows.toarray(), 1e4
    open_above = np.isinf(system.high)
    above, below = system.high - rows @ system.values, system.low - rows @ system.values
    moves = np.vstack([rows[~open_above], -rows]), np.append(above[~open_above], -below) / unit
    bounds = [(-value / unit, None) for value in system.values]
    for i in range(0, 60, 12):
        for sign, end in ((1, low[i]), (-1, high[i])):
            other = linprog(sign * np.eye(60)[i], *moves, bounds=bounds)
            assert other.status in (0, 3)
            move = sign * other.fun * unit if other.status == 0 else -sign * INF
            size = max(system.values[i], 1)
            assert end - system.values[i] == pytest.approx(move, rel=1e-4, abs=1e-2 * size)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("powers", [(-3, 12), (0, 6)])
def test_the_truth_is_within_ranges_of_firms_of_any_size(seed, powers):
    system = skewed(seed, 30, 12, powers, ordered=seed % 2 > 0, zeros=0.1)
    low, high = ranges(system, each(30))
    assert (low <= system.values * (1 + 1e-9)).all()
    assert (high >= system.values * (1 - 1e-9)).all()


def solution(rows, ends):
    """Solve equations in fractions; None where there is not one solution."""
    n, system = len(ends), [[*row, end] for row, end in zip(rows, ends, strict=True)]
    for k in range(n):
        pivot = next((i for i in range(k, n) if system[i][k]), None)
        if pivot is None:
            return None
        system[k], system[pivot] = system[pivot], system[k]
        system[k] = [value / system[k][k] for value in system[k]]
        for i in set(range(n)) - {k}:
            factor = system[i][k]
            system[i] = [a - factor * b for a, b in zip(system[i], system[k], strict=True)]
    return [row[-1] for row in system]


def corners(values, rows, half):
    """All corners of what is told, in fractions: rows to within `half`, values of at least 0."""
    truth = [Fraction(value) for value in values]
    told_of = []
    for coefficients, step in zip(rows, half, strict=True):
        row = [Fraction(value) for value in coefficients]
        total = sum(a * b for a, b in zip(row, truth, strict=True))
        told_of += [(row, total + Fraction(step)), ([-a for a in row], Fraction(step) - total)]
    told_of += [([Fraction(-(i == k)) for i in range(len(truth))], 0) for k in range(len(truth))]
    for some in combinations(told_of, len(truth)):
        corner = solution(*zip(*some, strict=True))
        if corner and all(
            sum(a * b for a, b in zip(row, corner, strict=True)) <= end for row, end in told_of
        ):
            yield [float(value) for value in corner]


@pytest.mark.parametrize("seed", [*range(12), 144])
def test_ranges_are_those_of_rational_arithmetic(seed):
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(3, 5)), int(rng.integers(1, 4))
    values = 10 ** rng.uniform(-3, 12, n)
    values[rng.random(n) < 0.1] = 0
    further = (rng.random((m, n)) < 0.6) * rng.choice([1, 1, 2.5, 0.037], (m, n))
    rows = np.vstack([np.ones(n), further])
    half = np.where(rng.random(m + 1) < 0.5, 0, 5e-7 * (rows @ values))
    found = ranges(
        told(values, rows, np.stack([rows @ values - half, rows @ values + half], 1)), each(n)
    )
    all_corners = np.array(list(corners(values, rows, half)))
    for ends, expected in zip(
        found, (all_corners.min(axis=0), all_corners.max(axis=0)), strict=True
    ):
        size = np.maximum(np.maximum(values, expected), 1e-3)
        assert (np.abs(ends - expected) <= 1e-7 * size).all()


def test_units_of_amounts_do_not_matter():
    # Employees x, turnover y: y is 250,000 to 250,001 a head, in Euro or in millions of them.
    values, rows = (
        np.array([4.0, 9, 1_000_002, 2_250_001]),
        np.array([[-250_000.0, -250_000, 1, 1], [250_001, 250_001, -1, -1], [1, 1, 0, 0]]),
    )
    one = ranges(told(values, rows, [(0, INF), (0, INF), (12.5, 13.5)]), each(4))
    unit = np.array([1, 1, 1e6, 1e6])
    other = ranges(told(values / unit, rows * unit, [(0, INF), (0, INF), (12.5, 13.5)]), each(4))
    for ends, others in zip(one, other, strict=True):
        assert ends / unit == pytest.approx(others, rel=1e-7)


USUAL = {
    "presolve": "off",
    "simplex_strategy": 1,
    "simplex_scale_strategy": 2,
    "solver": "choose",
}


class Stubborn:
    """A solver that has no clear end before the n-th attempt."""

    def __init__(self, attempts):
        self.attempts, self.tried = attempts, []
        self.options = dict(USUAL)

    def getOptionValue(self, name):  # noqa: N802  (as HiGHS calls it)
        return "status", self.options[name]

    def setOptionValue(self, name, value):  # noqa: N802
        self.options[name] = value

    def clearSolver(self):  # noqa: N802
        self.tried.append("fresh")

    def run(self):
        self.tried.append({k: v for k, v in self.options.items() if v != USUAL[k]})

    def getModelStatus(self):  # noqa: N802
        runs = sum(step != "fresh" for step in self.tried)
        clear = highspy.HighsModelStatus.kOptimal
        return clear if runs >= self.attempts else highspy.HighsModelStatus.kUnknown


def test_without_a_clear_end_other_ways_are_tried_in_order():
    other = {"presolve": "on"}, {"simplex_strategy": 4}, {"simplex_scale_strategy": 0}
    ways = [{}, {}, *other, {"solver": "ipm"}]
    for attempts in range(1, 7):
        solver = Stubborn(attempts)
        assert solved(solver)
        assert [way for way in solver.tried if way != "fresh"] == ways[:attempts]
        assert solver.tried.count("fresh") == attempts - 1
        assert solver.options == USUAL
    with pytest.raises(DisclosureError, match="kUnknown"):
        solved(Stubborn(7))

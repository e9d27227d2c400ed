"""Smoothed quartiles by hand, and what two readers who compare notes make of them."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from pipeline.disclosure import Averages, averages_leak, rounding_step, smoothed_quartiles
from pipeline.disclosure.attack import Told, ranges

P = 10
TYPE_7 = np.array([[0.25, 0.75, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 0.75, 0.25]])
"""The usual quartiles of four firms."""


def told(rows, values, step=0.0, more=()):
    """Averages of these values, rounded to a step."""
    rows = np.vstack([rows, *more])
    exact = rows @ values
    printed = np.round(exact / step) * step if step else exact
    return Averages(rows, printed - step / 2, printed + step / 2)


def leak(values, averages, holdings=None):
    values = np.asarray(values, dtype=float)
    names = np.arange(len(values)) if holdings is None else np.array(list(holdings))
    return averages_leak(values, averages, names, P)


def by_all_coalitions(values, averages, holdings, percent=P):
    """The same verdict by a programme for every target and every coalition of up to two."""
    order = np.argsort(values, kind="stable")
    x, names = values[order], np.asarray(holdings)[order]
    n, rows = len(x), averages.rows[:, order]
    system = Told(
        x,
        csr_array(np.vstack([rows, np.diff(np.eye(n), axis=0)])),
        np.append(averages.low, np.zeros(n - 1)),
        np.append(averages.high, np.full(n - 1, np.inf)),
        np.zeros(n),
        np.full(n, 1e3 * max(x.max(), 1)),
    )
    for size in (0, 1, 2):
        for readers in combinations(np.unique(names), size):
            known = np.isin(names, readers)
            third = np.flatnonzero(~known)
            found = ranges(system, csr_array(np.eye(n)[third]), known)
            for place, low, high in zip(third, *found, strict=True):
                # What the order and the readers' own values tell without any publication.
                above = min(x[place:][known[place:]], default=np.inf)
                below = max(x[:place][known[:place]], default=0.0)
                small = 1e-6 * max(x[place], 1)
                if high < min((1 + percent / 100) * x[place], above) - small:
                    return True
                if high - low <= small < above - below:
                    return True
    return False


def test_of_ten_equal_firms_the_lower_quartile_is_the_mean_of_four():
    # From 5 to 45 % of ten: half of the first, the 2nd to the 4th, half of the fifth, of 4 in all.
    parts = smoothed_quartiles(np.arange(10.0), np.ones(10))
    assert parts[0] == pytest.approx([0.125, 0.25, 0.25, 0.25, 0.125, 0, 0, 0, 0, 0])
    # From 30 to 70 %: the 4th to the 7th; from 55 to 95 %: the mirror of the lower.
    assert parts[1] == pytest.approx([0, 0, 0, 0.25, 0.25, 0.25, 0.25, 0, 0, 0])
    assert parts[2] == pytest.approx(parts[0][::-1])
    assert parts @ np.arange(10.0) == pytest.approx([2, 4.5, 7])


def test_a_firm_counts_by_its_weight_whatever_the_order_of_firms():
    # Weights 3 1 1 by size: the first ends at 0.6, so it is all of the lower average (to 0.45) and
    # of the middle one 0.3 of 0.4; of the upper one (0.55 to 0.95) 0.05, 0.2 and 0.15 of 0.4.
    parts = smoothed_quartiles(np.array([7.0, 1.0, 9.0]), np.array([1.0, 3.0, 1.0]))
    assert parts == pytest.approx(np.array([[0, 1, 0], [0.25, 0.75, 0], [0.5, 0.125, 0.375]]))


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0.5, 5)), min_size=1, max_size=60))
def test_they_are_averages_in_ascending_order(firms):
    values, weights = np.array(firms).T
    parts = smoothed_quartiles(values, weights)
    assert (parts >= 0).all()
    assert parts.sum(axis=1) == pytest.approx(np.ones(3))
    assert (np.diff(parts @ values) >= -1e-6 * values.max(initial=1)).all()
    assert (parts <= weights / weights.sum() / 0.4 * (1 + 1e-9)).all()


def test_steps_are_1_2_5():
    # 20 % of 66 is 13.2, of 4 is 0.8, of 25 is 5, of 0.3 is 0.06, below the unit.
    steps = [rounding_step(size, 20, 0.1) for size in (66, 4, 25, -25, 0.3, 0)]
    assert steps == pytest.approx([10, 0.5, 5, 5, 0.1, 0.1])


def test_usual_quartiles_of_four_are_found():
    # Shared case 06: Q1 17.5, median 30, Q3 55 pin the third of 10, 20, 40, 100 to 36.7 … 42.5.
    values = np.array([10.0, 20, 40, 100])
    assert leak(values, told(TYPE_7, values))
    mean = np.full((1, 4), 0.25)
    assert leak(values, told(TYPE_7, values, more=[mean]))


def test_a_leave_one_out_mean_is_found():
    # Whoever is told the mean of all and that of the others knows the one, however many they are.
    values = np.geomspace(1, 50, 14)
    everybody = np.full((1, 14), 1 / 14)
    others = np.full((1, 14), 1 / 13)
    others[0, 6] = 0
    assert not leak(values, told(everybody, values))
    assert leak(values, told(everybody, values, more=[others]))


def test_of_three_the_mean_tells_one_the_other():
    # Shared case 13: "me" 500 with a mean of 473.3 knows that p (900) is 920 at most.
    values = np.array([500.0, 900, 20])
    assert leak(values, told(np.full((1, 3), 1 / 3), values))


def test_smoothed_and_rounded_quartiles_of_firms_far_apart_are_safe():
    values = np.geomspace(1, 60, 24)
    parts = smoothed_quartiles(values, np.ones(24))
    averages = told(parts, values, step=2)
    assert not leak(values, averages)
    assert not by_all_coalitions(values, averages, np.arange(24))


def test_firms_close_to_each_other_are_not():
    # All between 50 and 54: a quartile of any kind tells all of them to a tenth.
    values = np.linspace(50, 54, 24)
    assert leak(values, told(smoothed_quartiles(values, np.ones(24)), values, step=1))


def test_what_the_order_tells_by_itself_is_not_counted():
    # A reader of 104 knows that who comes before it has no more, though that is less than 110.
    values = np.array([100.0, 104, 300, 900, 2000])
    nothing = Averages(np.zeros((1, 5)), np.zeros(1), np.zeros(1))
    assert not leak(values, nothing)
    assert not leak(np.array([0.0, 0, 0, 5, 5]), nothing)


def test_a_holding_knows_all_its_firms():
    # The mean of seven: two readers leave five others, of which no two are alike.
    values = np.array([10.0, 100, 200, 300, 400, 500, 600])
    mean = told(np.full((1, 7), 1 / 7), values)
    assert not leak(values, mean)
    # A holding of five and one more know all but one, and the mean tells that one.
    assert leak(values, mean, "hhhhhab")


def skewed(seed, spread):
    """A skewed group with holdings: values, what is told of them, holdings."""
    random = np.random.default_rng(seed)
    n = int(random.integers(11, 14))
    values = np.round(np.exp(random.normal(3, spread, n)), 1)
    weights, holdings = random.uniform(1, 2, n), random.integers(0, 3 * n, n)
    rows = np.vstack([smoothed_quartiles(values, weights), weights / weights.sum()])
    step = rounding_step(float(rows[3] @ values), 20, 0.1)
    parts, mean = told(rows[:3], values, step), told(rows[3:], values, 0.1)
    averages = Averages(*(np.concatenate(both) for both in zip(parts, mean, strict=True)))
    return values, averages, holdings


@pytest.mark.parametrize("seed", range(12))
def test_what_is_called_safe_is_so_for_all_pairs(seed):
    values, averages, holdings = skewed(seed, 0.7)
    if not averages_leak(values, averages, holdings, P):
        assert not by_all_coalitions(values, averages, holdings)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.3, 0.7, 1.2]))
def test_no_pair_comes_closer_than_half_of_p(seed, spread):
    """Not all pairs are solved for, so the margin is put to the test."""
    values, averages, holdings = skewed(seed, spread)
    if not averages_leak(values, averages, holdings, P):
        assert not by_all_coalitions(values, averages, holdings, P / 2)


def test_the_order_of_firms_is_of_no_consequence():
    random = np.random.default_rng(4)
    verdicts = set()
    for seed in range(20):
        values = np.exp(np.random.default_rng(seed).normal(3, 0.5, 12))
        averages = told(smoothed_quartiles(values, np.ones(12)), values, step=5)
        shuffle = random.permutation(12)
        other = Averages(averages.rows[:, shuffle], *averages[1:])
        verdicts.add(leak(values, averages))
        assert leak(values[shuffle], other) == leak(values, averages)
    assert verdicts == {True, False}

"""Numbers as they are printed; what is rounded how is in `test_release` figure by figure."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.analyse import Rules
from pipeline.analyse.measures import Rule
from pipeline.analyse.rounding import round_figures, units
from pipeline.analyse.series import Series

P_10 = Rules(3, 10, 1, 75)
AMOUNT = Rule("mean", 1.0, frozenset("x"), False, True, False, "x", ())


def rounded(value, low, high, *, decimals=0, coarse=False, categorical=False, widening=1.0):
    table = pd.DataFrame({"value": [value], "low": [low], "high": [high]})
    table["unit"] = 5.0 if coarse else 10.0**-decimals
    table = table.assign(categorical=categorical, widening=widening).astype({"value": float})
    round_figures(table)
    return table[["value", "low", "high"]].iloc[0].tolist()


@pytest.mark.parametrize(
    ("figures", "options", "expected"),
    [
        # a share: outwards
        ((33.4, 12.6, 61.2), {"categorical": True}, [33, 12, 62]),
        # and never widened
        ((33.4, 12.6, 61.2), {"categorical": True, "widening": 2}, [33, 12, 62]),
        # an amount: 61.2 - 33 = 28.2, up to 30
        ((33.4, 12.6, 61.2), {}, [33, 3, 63]),
        # 28.2 * 1.5 = 42.3: 50
        ((33.4, 12.6, 61.2), {"widening": 1.5}, [33, -17, 83]),
        # 2820 from 33400: 3000
        ((33400, 31000, 36220), {}, [33400, 30400, 36400]),
        ((0.334, 0.126, 0.612), {"decimals": 2}, [0.33, 0.03, 0.63]),
        # no finer than the value: 1.4 is 1.5 of the grid, 2 in whole units; 0.4 is one
        ((33.0, 31.6, 34.4), {}, [33, 31, 35]),
        ((33.0, 32.6, 33.4), {}, [33, 32, 34]),
        # in steps of five, the ends outwards to them: 12.6 down to 10, 61.2 up to 65
        ((33.4, 12.6, 61.2), {"categorical": True, "coarse": True}, [35, 10, 65]),
        # everybody answered
        ((33.4, 33.4, 33.4), {"widening": 3}, [33, 33, 33]),
        ((33.4, 33.4, 33.4), {"categorical": True}, [33, 33, 33]),
    ],
)
def test_rounding_by_hand(figures, options, expected):
    assert rounded(*figures, **options) == pytest.approx(expected, abs=1e-9)


def test_what_is_missing_stays_missing():
    assert np.isnan(rounded(np.nan, np.nan, np.nan)).all()
    value, low, high = rounded(12.4, np.nan, np.nan)
    assert (value, np.isnan(low), np.isnan(high)) == (12, True, True)


@settings(max_examples=50, deadline=None)
@given(
    st.floats(-1e6, 1e6, allow_subnormal=False),
    st.floats(1e-3, 1e5),
    st.integers(0, 3),
    st.floats(1, 3),
)
def test_the_width_that_is_printed_tells_nothing_below_the_widening(value, half, decimals, factor):
    printed, low, high = rounded(
        value, value - half, value + half, decimals=decimals, widening=factor
    )
    assert high - printed >= factor * half * (1 - 1e-9) - 1e-9
    assert printed - low == pytest.approx(high - printed, rel=1e-9, abs=1e-6)


def test_half_widths_are_a_third_apart_and_a_quarter_wider_on_average():
    exact = np.geomspace(100, 1000, 1001)[:-1]
    table = pd.DataFrame({"value": 0.0, "low": -exact, "high": exact, "unit": 1.0})
    table = table.assign(categorical=False, widening=1.0)
    round_figures(table)
    half = table["high"].to_numpy()
    found = np.unique(half)
    assert found == pytest.approx([100, 150, 200, 300, 500, 700, 1000])
    assert (found[1:] / found[:-1]).min() >= 1.33
    # Steps of 50, 50, 100, 200, 200 and 300: 2.833 / ln 10 = 1.23.
    assert np.mean(half / exact) == pytest.approx(2.833 / np.log(10), rel=3e-3)


def printed(values):
    """Mean, printed half-width and widening of these amounts; t is 2, weights and x are 1."""
    n, one = len(values), np.ones(len(values))
    everybody, nobody = np.ones((1, n), dtype=bool), np.zeros(n, dtype=bool)
    series = Series(AMOUNT, P_10, np.arange(n), np.arange(n), nobody, one, values, one)
    factor, mean = series.widening(everybody)[0], values.mean()
    half = 2 * values.std(ddof=1) / np.sqrt(n)
    value, low, high = rounded(mean, mean - half, mean + half, widening=factor)
    assert low == pytest.approx(2 * value - high)
    return value, round(high - value, 6), factor


def others_with(values, first, bound):
    """Values with another first one, the same sum and this Samuelson bound, some others alike.

    `count` of them are d larger than the mean r of the others, the rest d count / (n - 1 - count)
    smaller: (first - m)^2 + (n - 1) (r - m)^2 + d^2 (count + count^2 / (n - 1 - count)) is the
    bound squared times n / (n - 1).
    """
    n, mean = len(values), values.mean()
    rest = (values.sum() - first) / (n - 1)
    left = bound**2 * n / (n - 1) - (first - mean) ** 2 - (n - 1) * (rest - mean) ** 2
    for count in (c for c in (1, 2, 3, 5, 8, 12, 18) if c < n - 1 and left >= 0):
        more = np.sqrt(left / (count + count**2 / (n - 1 - count)))
        found = np.full(n, rest - more * count / (n - 1 - count))
        found[0], found[1 : 1 + count] = first, rest + more
        if found.min() >= 0:
            yield found


def is_open(values, half, times):
    """Whether values with a first one so many times as large print the same mean and half-width.

    Whoever knows the rule, the mean, n and the weights can try all values; these are enough.
    """
    value, _, _ = told = printed(values)
    largest = (half - abs(value - values.mean())) * (len(values) - 1) / 2
    return any(
        printed(other)[:2] == told[:2]
        for part in (1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6)
        for other in others_with(values, times * values[0], part * largest * (1 - 1e-9))
    )


def test_the_half_width_leaves_the_largest_firm_more_than_p_per_cent():
    """As `Series.widening` says: for all up to half of the amount, but for a thin margin."""
    random, found = np.random.default_rng(7), []
    while len(found) < 250:
        n = int(random.integers(6, 41))
        values = np.sort(np.exp(random.normal(6, random.uniform(0.2, 1.6), n)))[::-1].copy()
        values[0] *= random.choice([1, 1, 2, 3, 6])
        share = values[0] / values.sum()
        if values.sum() - values[:2].sum() < 0.1 * values[0] or share > 0.75:
            continue  # not published
        value, half, factor = printed(values)
        allowed = (half - abs(value - values.mean())) * (n - 1) / 2
        margin = factor == 1 and 1.21 * values[0] - values.mean() > allowed
        found.append((factor > 1, margin, share > 0.5, is_open(values, half, 1.1 + 1e-9)))
    widened, margin, large, left = np.array(found).T
    assert widened.sum() > 80
    assert (~widened & ~margin).sum() > 80
    assert left[~margin & ~large].all()
    assert margin[~widened].mean() < 0.1
    assert left[widened & large].mean() > 0.6


def test_answers_of_few_firms_are_told_in_steps_of_five():
    decimals, n = np.array([0.0, 0, 1, 0]), np.array([29.0, 30, 12, 12])
    is_answer = np.array([True, True, True, False])
    found = units(decimals, n, is_answer, coarse_below=30)
    assert found == pytest.approx([5, 1, 0.5, 1])
    assert units(decimals, n, is_answer, coarse_below=0) == pytest.approx([1, 1, 0.1, 1])

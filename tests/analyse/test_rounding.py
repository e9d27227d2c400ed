"""Numbers as they are printed; what is rounded how is in `test_release` figure by figure."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.analyse.rounding import round_figures, units


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
        # an amount: 61.2 - 33 = 28.2, two digits: 29
        ((33.4, 12.6, 61.2), {}, [33, 4, 62]),
        # 28.2 * 1.5 = 42.3: 43
        ((33.4, 12.6, 61.2), {"widening": 1.5}, [33, -10, 76]),
        # no finer than the value, no coarser than two digits: 2820 from 33400: 2900
        ((33400, 31000, 36220), {}, [33400, 30500, 36300]),
        ((0.334, 0.126, 0.612), {"decimals": 2}, [0.33, 0.04, 0.62]),
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


def test_answers_of_few_firms_are_told_in_steps_of_five():
    decimals, n = np.array([0.0, 0, 1, 0]), np.array([29.0, 30, 12, 12])
    is_answer = np.array([True, True, True, False])
    found = units(decimals, n, is_answer, coarse_below=30)
    assert found == pytest.approx([5, 1, 0.5, 1])
    assert units(decimals, n, is_answer, coarse_below=0) == pytest.approx([1, 1, 0.1, 1])

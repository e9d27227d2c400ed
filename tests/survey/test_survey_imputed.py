"""Rubin's rules, by hand."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import survey
from pipeline.survey.imputed import combine


class Known(NamedTuple):
    estimate: np.ndarray
    se: np.ndarray
    df: np.ndarray


def known(value, se, df=20):
    return Known(np.array(value, dtype=float), np.array(se, dtype=float), np.array(df))


def test_three_imputations_by_hand():
    # Means 10, 12, 14, variances 1, 4, 4: U = 3, B = 4, (1 + 1/3) 4 = 16/3, T = 25/3.
    # r = 16/9; v = 2 (25/16)^2 = 4.8828125; c = 20: o = 21/23 * 20 * 9/25 = 6.573913.
    # df = 1 / (0.2048 + 0.152116) = 2.801779; fmi = (16/9 + 2 / 5.801779) / (25/9) = 0.764101
    e = combine([known(10, 1), known(12, 2), known(14, 2)])
    assert float(e.estimate) == 12
    assert float(e.se) ** 2 == pytest.approx(25 / 3, rel=1e-14)
    assert float(e.df) == pytest.approx(1 / (0.2048 + 1 / (21 / 23 * 20 * 9 / 25)), rel=1e-13)
    assert float(e.fmi) == pytest.approx((16 / 9 + 2 / (float(e.df) + 3)) / (25 / 9), rel=1e-13)
    assert float(e.fmi) == pytest.approx(0.764101, rel=1e-5)


def test_complete_data_without_end_leave_rubins_degrees_of_freedom():
    # 2 (25/16)^2 = 4.8828125; fmi = (16/9 + 2/7.8828125) / (25/9)
    e = combine([known(10, 1), known(12, 2), known(14, 2)], complete_df=np.inf)
    assert float(e.df) == pytest.approx(4.8828125, rel=1e-14)
    assert float(e.fmi) == pytest.approx((16 / 9 + 2 / 7.8828125) * 9 / 25, rel=1e-14)


def test_the_smallest_degrees_of_freedom_count():
    both = [known(10, 1, 30), known(12, 1, 5)]
    assert float(combine(both).df) == float(combine(both, complete_df=5).df)


def test_without_spread_between_them_the_imputations_add_nothing():
    # o = 21/23 * 20, what Barnard and Rubin leave of 20 degrees of freedom in any case.
    e = combine([known(10, 2), known(10, 2)])
    assert (float(e.estimate), float(e.se)) == (10.0, 2.0)
    assert float(e.df) == pytest.approx(420 / 23, rel=1e-14)
    assert np.isinf(combine([known(10, 2), known(10, 2)], complete_df=np.inf).df)


def test_a_certain_estimate_stays_certain():
    e = combine([known(10, 0), known(10, 0)])
    assert (float(e.se), float(e.df), float(e.fmi)) == (0.0, 20.0, 0.0)


def test_a_table_keeps_its_other_domains():
    tables = [known([1, np.nan], [1, np.nan], [9, 1]), known([3, np.nan], [1, np.nan], [9, 1])]
    e = combine(tables)
    # U = 1, B = 2, T = 1 + 3/2 * 2 = 4
    assert (e.estimate[0], e.se[0]) == (2, 2)
    assert np.isnan(e.se[1])


def test_estimates_of_the_library_are_combined_and_have_an_interval():
    d = survey.Design.from_sample(range(6), list("aaabbb"), np.full(6, 2.0), {"a": 6, "b": 6})
    sets = [np.array([1.0, 2, 3, 4, 5, filled]) for filled in (5, 6, 9)]
    e = combine([survey.mean(d, y) for y in sets])
    assert float(e.estimate) == pytest.approx((20 + 21 + 24) / 18, rel=1e-14)
    assert float(e.se) > max(float(survey.mean(d, y).se) for y in sets[:2])
    assert 0 < float(e.df) < 4
    low, high = survey.t_interval(e)
    assert low < e.estimate < high


def test_one_imputation_is_refused():
    with pytest.raises(ValueError, match=r"1 estimates; .* at least 2"):
        combine([known(1, 1)])


numbers = st.floats(-1e3, 1e3)


@given(st.lists(st.tuples(numbers, st.floats(0.01, 100)), min_size=2, max_size=6))
def test_more_doubt_than_any_part(pairs):
    e = combine([known(value, se) for value, se in pairs])
    assert float(e.se) ** 2 >= np.mean([se**2 for _, se in pairs]) * (1 - 1e-12)
    assert 0 < float(e.df) < 20
    assert 0 <= float(e.fmi) <= 1

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control
from scipy.stats import t as student

from pipeline import survey
from pipeline.survey.claims import benjamini_hochberg, holm, p_value, smallest_detectable

p_lists = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def estimate(value, se, df=10, n_kish=50.0):
    parts = {"estimate": value, "se": se, "df": df, "n_kish": n_kish}
    return SimpleNamespace(**{name: np.asarray(a) for name, a in parts.items()})


def test_holm_by_hand():
    # Sorted 0.01 0.02 0.03 0.04, times 4 3 2 1: 0.04 0.06 0.06 0.04; running maximum.
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06], rel=1e-15)


def test_benjamini_hochberg_by_hand():
    # Sorted 0.01 0.02 0.03 0.5, times 4/1 4/2 4/3 4/4: 0.04 0.04 0.04 0.5; running minimum.
    assert benjamini_hochberg([0.5, 0.03, 0.01, 0.02]) == pytest.approx(
        [0.5, 0.04, 0.04, 0.04], rel=1e-15
    )


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_an_unknown_p_value_does_not_count(adjust):
    adjusted = adjust([np.nan, 0.01, np.nan, 0.02])
    assert np.isnan(adjusted[[0, 2]]).all()
    assert adjusted[[1, 3]].tolist() == adjust([0.01, 0.02]).tolist()


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_no_claim_or_none_known(adjust):
    assert adjust([]).shape == (0,)
    assert np.isnan(adjust([np.nan, np.nan])).all()


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
@pytest.mark.parametrize(
    ("wrong", "says"), [([0.1, 1.5, -0.1], r"\[1.5, -0.1\] are no"), ([[0.1]], "shape")]
)
def test_what_is_no_p_value(adjust, wrong, says):
    with pytest.raises(ValueError, match=says):
        adjust(wrong)


@given(p_lists)
def test_adjusted_values_keep_the_order_and_are_never_smaller(p):
    p = np.array(p)
    strict, mild = holm(p), benjamini_hochberg(p)
    order = np.argsort(p, kind="stable")
    for adjusted in (strict, mild):
        assert (np.diff(adjusted[order]) >= 0).all()
        assert (adjusted >= p).all()
        assert (adjusted <= 1).all()
    assert (strict >= mild * (1 - 1e-14)).all()


@given(p_lists, st.randoms())
def test_the_order_of_the_claims_does_not_matter(p, random):
    where = list(range(len(p)))
    random.shuffle(where)
    p = np.array(p)
    for adjust in (holm, benjamini_hochberg):
        assert adjust(p[where]).tolist() == adjust(p)[where].tolist()


@given(p_lists)
def test_benjamini_hochberg_is_that_of_scipy(p):
    assert benjamini_hochberg(p) == pytest.approx(false_discovery_control(p), rel=1e-12)


def test_p_value_by_hand():
    # One degree of freedom is Cauchy's: P(|T| >= 1) = 1/2. With two, P(|T| >= t) = 1 - t /
    # sqrt(2 + t^2): at t = -sqrt(2) it is 1 - 1 / sqrt(2).
    p = p_value(estimate([3.0, -np.sqrt(2), 0.0], [3.0, 1.0, 1.0], [1, 2, 7], [9.0] * 3))
    assert p == pytest.approx([0.5, 1 - np.sqrt(0.5), 1.0], rel=1e-14)


def test_a_tiny_p_value_keeps_its_digits():
    # (1 + 1e12)^(-df/2) times a constant would round to 1 - 1 if it were taken from 1.
    p = float(p_value(estimate(1e3, 1.0, 20)))
    assert p == pytest.approx(2 * student.sf(1e3, 20), rel=1e-10)
    assert 0 < p < 1e-40


@pytest.mark.parametrize(
    ("value", "se", "n_kish", "p"),
    [
        (0.3, 0.0, np.inf, 0.0),  # all answered: no chance in it
        (0.0, 0.0, np.inf, np.nan),  # no difference, nothing to test
        (0.3, 0.0, 12.0, np.nan),  # the answers agree, others did not answer
        (0.3, 1e-17, 12.0, np.nan),  # the same, but for rounding
        (0.3, np.nan, 12.0, np.nan),
        (np.nan, 0.1, 12.0, np.nan),
    ],
)
def test_p_value_without_spread(value, se, n_kish, p):
    assert p_value(estimate(value, se, 10, n_kish)).tolist() == pytest.approx(p, nan_ok=True)


def test_p_value_of_a_difference_of_groups():
    # 8 of 16 answered in one stratum, y = 1 2 3 6 | 5 7 8 8; p from the interval that just
    # touches 0: estimate = t(df, 1 - p/2) se.
    d = survey.Design.from_frame(np.arange(16), np.zeros(16), np.arange(16) < 8)
    y = [1, 2, 3, 6, 5, 7, 8, 8]
    group = np.arange(8) < 4
    e = survey.difference(survey.mean(d, y, ~group), survey.mean(d, y, group))
    p = float(p_value(e))
    low, _ = survey.t_interval(e, 1 - p)
    assert 0 < p < 0.05
    assert float(low) == pytest.approx(0, abs=1e-12)


def test_smallest_detectable_by_hand():
    # Normal: 1.959964 + 0.841621 = 2.801585 (Bloom's 2.8); t with 10 df: 2.2281389 + 0.8790578.
    assert smallest_detectable([2.0, 1.0], [np.inf, 10]) == pytest.approx(
        [2 * 2.801585218, 3.1071966805], rel=1e-9
    )
    # Power of one half: the critical value alone.
    half = smallest_detectable(1.0, 10, power=0.5)
    assert float(half) == pytest.approx(student.ppf(0.975, 10), rel=1e-12)


def test_nothing_is_known_of_an_unknown_error():
    assert np.isnan(smallest_detectable(np.nan, 10))
    assert float(smallest_detectable(0.0, 10)) == 0


@pytest.mark.parametrize(("alpha", "power"), [(0, 0.8), (1, 0.8), (0.05, 1), (0.05, 0.02)])
def test_impossible_levels(alpha, power):
    with pytest.raises(ValueError, match="alpha"):
        smallest_detectable(1.0, 10, alpha=alpha, power=power)

import numpy as np
import pytest

from pipeline.survey.distances import Logit, distance


def pair(low, high):
    return np.full(9, low), np.full(9, high)


U = np.array([-3.0, -1.1, -0.4, -0.01, 0, 0.2, 0.45, 1.3, 3])
CASES = pytest.mark.parametrize(
    ("method", "bounds"),
    [
        ("linear", (-np.inf, np.inf)),
        ("linear", (0.5, 1.6)),
        ("raking", (-np.inf, np.inf)),
        ("raking", (0.5, 1.6)),
        ("logit", (0.5, 1.6)),
    ],
)


@CASES
def test_slope_and_integral_belong_to_the_factor(method, bounds):
    f, h = distance(method, *pair(*bounds)), 1e-5
    slope = (f.factor(U + h) - f.factor(U - h)) / (2 * h)
    assert f.slope(U) == pytest.approx(slope, rel=1e-8, abs=1e-9)
    factor = (f.integral(U + h) - f.integral(U - h)) / (2 * h)
    assert f.factor(U) == pytest.approx(factor, rel=1e-8)


@CASES
def test_no_change_where_there_is_none_and_steepness_one(method, bounds):
    f = distance(method, *pair(*bounds))
    assert f.factor(np.zeros(9)) == pytest.approx(np.ones(9), rel=1e-15)
    assert f.slope(np.zeros(9)) == pytest.approx(np.ones(9), rel=1e-15)


def test_logit_by_hand():
    # L = 1/2, U = 3/2: A = 1 / (1/4) = 4; g = (L (U-1) + U (1-L) e^(Au)) / ((U-1) + (1-L) e^(Au))
    # at u = ln(3) / 4: (1/4 + 9/4) / (1/2 + 3/2) = 5/4.
    g = Logit(np.array([0.5]), np.array([1.5])).factor(np.array([np.log(3) / 4]))
    assert g == pytest.approx([1.25], rel=1e-15)


def test_bounds_are_kept_far_out():
    u = np.array([-1e6, 1e6])
    for method in ("linear", "raking", "logit"):
        with np.errstate(over="ignore"):
            g = distance(method, np.full(2, 0.5), np.full(2, 2.0)).factor(u)
        assert list(g) == [0.5, 2.0]

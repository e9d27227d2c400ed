import numpy as np

from pipeline.survey.infeasible import unreachable
from pipeline.survey.newton import System


def system(number, total):
    """Three units of weight 2 with x = 1 2 3: their wanted number and total of x."""
    x = np.array([[1.0, 1], [1, 2], [1, 3]])
    totals = np.array([number, total], dtype=float)
    return System(("one", "x"), x, totals, np.full(3, 2.0), np.ones(3), np.arange(3))


def bounds(low, high):
    return np.full(3, low), np.full(3, high)


def test_one_bound_moved():
    # 6 units and x = 14: g = (1/2, 1, 3/2) + t (1, -2, 1), as 2 sum(g) = 6, 2 sum(g x) = 14.
    # g1 >= 0.6 needs t >= 0.1: g = 0.6 0.8 1.6. g3 <= 1.5 needs t <= 0: g1 = 0.5.
    found = unreachable(system(6, 14), *bounds(0.6, 1.5))
    assert found[-1] == "bounds that would do: a little more than (0.6, 1.6) or (0.5, 1.5)"


def test_both_bounds_moved_where_one_is_not_enough():
    # 6 units and x = 16: g = (0, 1, 2) + t (1, -2, 1). Not below 0.8 needs t >= 0.8, then
    # g2 = -0.6; not above 1.2 needs t <= -0.8, then g1 = -0.8. Both moved by 0.8: (0, 2), t = 0.
    found = unreachable(system(6, 16), *bounds(0.8, 1.2))
    assert found[-1] == "bounds that would do: a little more than (0, 2)"


def test_the_nearest_total():
    # x of 6 units is 18 at most (all have x = 3).
    assert unreachable(system(6, 24), *bounds(0.0, np.inf)) == [
        "the total 24 of 'x' cannot be met: the nearest is 18"
    ]


def test_if_all_can_be_met_the_ends_are_to_blame():
    found = unreachable(system(6, 14), *bounds(0.6, 1.6))
    assert len(found) == 1
    assert "only with weights at their bounds" in found[0]

import numpy as np
import pandas as pd
import pytest

from pipeline import survey
from pipeline.survey.variance import Influence, covariance, scaled, variance


def influence(design, z, answered=None):
    z = np.atleast_2d(np.asarray(z, dtype=float))
    answered = np.ones((1, z.shape[1]), dtype=bool) if answered is None else answered
    return Influence(design, np.atleast_2d(answered), z != 0, z)


def census(size, who, strata=None):
    strata = np.zeros(size) if strata is None else strata
    return survey.Design.from_frame(np.arange(size), strata, np.isin(np.arange(size), who))


def test_one_stratum_by_hand():
    # 4 of 8: (1 - 4/8) * 4/3 * sum (z - 3)^2 = 0.5 * 4/3 * (4 + 1 + 0 + 9) = 28/3
    assert variance([influence(census(8, range(4)), [1, 2, 3, 6])])[0] == pytest.approx(28 / 3)


def test_two_answers_of_the_same_units_by_hand():
    # 10 firms; z1 from firms 0-3 (m = 4), z2 from firms 2-5 (m = 4), both from 2 and 3.
    # w1 = w2 = 2.5, w12 = 10/2 = 5: 1 - 5/6.25 = 0.2. e1 = sqrt(4/3) (z - 1.5), z = 0 1 2 3;
    # e2 alike: at firm 2 (0.5, -1.5), at 3 (1.5, -0.5): 0.2 * 4/3 * (-0.75 - 0.75) = -0.4
    d = census(10, range(6))
    first = influence(d, [0, 1, 2, 3, 0, 0], [True] * 4 + [False] * 2)
    second = influence(d, [0, 0, 0, 1, 2, 3], [False] * 2 + [True] * 4)
    assert covariance([first], [second])[0] == pytest.approx(-0.4, rel=1e-13)
    # var(1 + 2) = 2 * (0.6 * 4/3 * 5) - 0.8
    assert variance([first, second])[0] == pytest.approx(8 - 0.8, rel=1e-13)


def test_two_waves_equal_one_wave_with_two_answers():
    """The same register and answers, once as one design and once as two."""
    d1, d2, both = census(10, range(4)), census(10, range(2, 6)), census(10, range(6))
    z1, z2 = [0, 1, 2, 3], [5, 1, 4, 3]
    one = covariance(
        [influence(both, [*z1, 0, 0], [True] * 4 + [False] * 2)],
        [influence(both, [0, 0, *z2], [False] * 2 + [True] * 4)],
    )
    two = covariance([influence(d1, z1)], [influence(d2, z2)])
    assert two[0] == pytest.approx(one[0], rel=1e-13)


def test_values_of_those_who_did_not_answer_count_for_nothing():
    d = census(8, range(4))
    mask = [True, True, True, False]
    z = influence(d, [1, 2, 4, 0], mask)
    wild = influence(d, [1, 2, 4, 99], mask)
    assert variance([wild])[0] == variance([z])[0]


def test_variance_of_a_sum():
    d = census(8, range(4))
    a, b = influence(d, [1, 2, 3, 6]), influence(d, [4, 0, 1, 1])
    both = variance([a]) + variance([b]) + 2 * covariance([a], [b])
    assert variance([a, b])[0] == pytest.approx(both[0], rel=1e-13)
    assert variance([a, b])[0] == pytest.approx(variance([influence(d, [5, 2, 4, 7])])[0])


def test_a_large_part_without_spread_takes_no_digits():
    d = census(8, range(4))
    a, flat = influence(d, [1, 2, 3, 6]), influence(d, np.full(4, 1e12 / 3))
    assert variance([a, flat])[0] == pytest.approx(variance([a])[0], rel=1e-12)


def test_a_sum_that_cancels_is_certain():
    a = influence(census(8, range(4)), [0.1, 0.2, 0.3, 0.7])
    assert variance([a, *scaled([a], np.full((1, 1), -1.0))])[0] == 0


def test_covariance_beyond_the_variances_is_left_out():
    # Firms 0-39 are on both registers in the cell (0, 0), but only firm 0 answered twice, so
    # w12 = 40; w1 = 50/30, w2 = 50/21: 1 - 40/3.97 = -9.1, times deviations of opposite sign.
    strata1 = np.repeat([0, 1], 50)
    strata2 = np.repeat([0, 1, 0, 1], [40, 10, 10, 40])
    d1 = census(100, range(30), strata1)
    d2 = census(100, [0, *range(30, 40), *range(50, 60)], strata2)
    z1, z2 = np.zeros(30), np.zeros(21)
    z1[0], z2[0] = 3.0, -3.0
    parts = [influence(d1, z1), influence(d2, -z2)]
    alone = variance(parts[:1]) + variance(parts[1:])
    assert alone[0] + 2 * covariance(parts[:1], parts[1:])[0] < 0
    assert variance(parts)[0] == pytest.approx(alone[0], rel=1e-13)


def calibrated(respondents, firms=12, size=4):
    """A register in one stratum, calibrated to its groups: A, the first `size` firms, and B."""
    register = pd.DataFrame({"group": ["A"] * size + ["B"] * (firms - size)})
    responded = np.isin(np.arange(firms), respondents)
    design = survey.Design.from_frame(np.arange(firms), np.zeros(firms), responded)
    counts = {"group": {"A": size, "B": firms - size}}
    return survey.calibrate(design, register[responded], counts)


def test_who_responds_seldom_is_less_certain_by_hand():
    # A 2 of 4, y 1 3, weight 2; B 2 of 8, y 4 6, weight 4. Residuals -1 1 each; of the mean,
    # z = w e / 12, squares 2 (2/12)^2 and 2 (4/12)^2. A counts 1 - 1/2, B 1 - 1/4:
    # 4/3 (8/144 / 2 + 32/144 * 3/4) = 4/3 * 28/144 = 7/27.
    e = survey.mean(calibrated([0, 1, 4, 5]), [1, 3, 4, 6])
    assert float(e.estimate) == pytest.approx((4 * 2 + 8 * 5) / 12, rel=1e-14)
    assert float(e.se) ** 2 == pytest.approx(7 / 27, rel=1e-12)


def test_the_same_units_with_the_same_answers_have_not_changed():
    d = calibrated([0, 1, 4, 5])
    e = survey.change(
        survey.mean(d, [1, 3, 4, 6]), survey.mean(calibrated([0, 1, 4, 5]), [2, 4, 5, 7])
    )
    assert float(e.estimate) == pytest.approx(1)
    assert float(e.se) == pytest.approx(0, abs=1e-9)


def test_units_that_met_by_chance_have_no_covariance():
    # 4 of 8 in each wave, 2 in both, which is 4 * 4 / 8: nothing, whatever their weights.
    one, two = calibrated([0, 1, 4, 5], 8), calibrated([0, 2, 4, 6], 8)
    first, second = survey.mean(one, [1, 3, 4, 6]), survey.mean(two, [1, 2, 5, 9])
    assert float(covariance(first.parts, second.parts)[0]) == pytest.approx(0, abs=1e-15)


def test_a_partial_overlap_by_hand():
    # 12 firms, 3 in both of 4 and 4: p1 p2 / p12 = 1/9 * 12/3 = 4/9 = (1/9)^l/2, which for a unit
    # with the weights w and v is (1 / (w v))^(l/2), l/2 = log(4/9) / log(1/9).
    one, two = calibrated([0, 1, 4, 5]), calibrated([0, 1, 4, 6])
    first, second = survey.mean(one, [1, 3, 4, 6]), survey.mean(two, [1, 4, 5, 9])
    power = np.log(4 / 9) / np.log(1 / 9)
    # Residuals -1 1 -1 1 and -1.5 1.5 -2 2, z = w e / 12; in both are 0 1 4; times 4/3.
    terms = [2 * 2 * 1.5 * (1 - 4**-power)] * 2 + [4 * 4 * 2 * (1 - 16**-power)]
    expected = 4 / 3 * sum(terms) / 144
    assert float(covariance(first.parts, second.parts)[0]) == pytest.approx(expected, rel=1e-12)


def test_a_sample_keeps_the_chances_it_was_drawn_with():
    # As R survey: the fpc is that of the design, 4/3 * (1 - 4/12) * 40/144.
    design = survey.Design.from_sample(range(4), [0] * 4, [3.0] * 4, {0: 12})
    data = pd.DataFrame({"group": ["A", "A", "B", "B"]})
    e = survey.mean(survey.calibrate(design, data, {"group": {"A": 4, "B": 8}}), [1, 3, 4, 6])
    assert float(e.se) ** 2 == pytest.approx(4 / 3 * 2 / 3 * 40 / 144, rel=1e-12)

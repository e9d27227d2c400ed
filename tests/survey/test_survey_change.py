import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import survey


def census(strata, responded, ids=None):
    ids = np.arange(len(strata)) if ids is None else ids
    return survey.Design.from_frame(ids, strata, responded)


def test_group_against_rest_by_hand():
    # 8 firms, 4 answered, y = 1 3 | 7 9: means 2 and 8; z = -.5 .5 | -.5 .5, so that z_a - z_b =
    # -.5 .5 .5 -.5, mean 0, squares 1: var = (1 - 4/8) * 4/3 * 1 = 2/3
    d = census(np.zeros(8), np.arange(8) < 4)
    group = np.array([True, True, False, False])
    a, b = survey.mean(d, [1, 3, 7, 9], group), survey.mean(d, [1, 3, 7, 9], ~group)
    e = survey.difference(a, b)
    assert float(e.estimate) == -6
    assert float(e.se) ** 2 == pytest.approx(2 / 3, rel=1e-14)
    assert (int(e.n), int(e.df)) == (2, 1)


def test_group_against_total_by_hand():
    # As above: z of the group -.5 .5 0 0, of the total 2 (y - 5) / 8 = -1 -.5 .5 1; less:
    # .5 1 -.5 -1, squares 2.5: var = 0.5 * 4/3 * 2.5 = 5/3 (2 if they were independent)
    d = census(np.zeros(8), np.arange(8) < 4)
    a, t = survey.mean(d, [1, 3, 7, 9], [True, True, False, False]), survey.mean(d, [1, 3, 7, 9])
    assert float(survey.difference(a, t).se) ** 2 == pytest.approx(5 / 3, rel=1e-14)
    # cov = 0.5 * 4/3 * (.5 - .25) = 1/6
    assert float(survey.covariance(a, t)) == pytest.approx(1 / 6, rel=1e-14)


def test_many_groups_against_one_total():
    rng = np.random.default_rng(2)
    d = census(np.arange(60) % 3, rng.random(60) < 0.6)
    n = len(d.weights)
    y, domains = rng.normal(size=n), rng.random((5, n)) < 0.5
    together = survey.difference(survey.mean(d, y, domains), survey.mean(d, y))
    for i, mask in enumerate(domains):
        one = survey.difference(survey.mean(d, y, mask), survey.mean(d, y))
        assert together.se[i] == pytest.approx(float(one.se), rel=1e-12)
        assert together.n[i] == one.n


def test_change_in_one_stratum_is_tam_1984():
    # 10 firms; wave 1 firms 0-4 (n1 = 5), wave 2 firms 2-5 (n2 = 4), both 2 3 4 (n12 = 3).
    # cov of the means = (n12/(n1 n2) - 1/N) S12 with S12 = sum e1 e2 / n12 over those in both.
    y1, y2 = np.array([1.0, 5, 2, 4, 8]), np.array([3.0, 4, 9, 6])
    d1 = census(np.zeros(10), np.arange(10) < 5)
    d2 = census(np.zeros(10), (np.arange(10) >= 2) & (np.arange(10) < 6))
    a, b = survey.mean(d1, y1), survey.mean(d2, y2)
    e1 = (y1 - y1.mean()) * np.sqrt(5 / 4)
    e2 = (y2 - y2.mean()) * np.sqrt(4 / 3)
    s12 = np.sum(e1[2:] * e2[:3]) / 3
    cov = (3 / (5 * 4) - 1 / 10) * s12
    assert float(survey.covariance(a, b)) == pytest.approx(cov, rel=1e-13)
    e = survey.change(a, b)
    assert float(e.estimate) == pytest.approx(5.5 - 4)
    expected = float(a.se) ** 2 + float(b.se) ** 2 - 2 * cov
    assert float(e.se) ** 2 == pytest.approx(expected, rel=1e-13)
    assert int(survey.overlap(a, b)) == 3
    assert (int(e.n), int(e.df)) == (4, 3)


def test_overlap_by_chance_adds_nothing():
    # n12 = n1 n2 / N: 4 and 5 of 10, 2 in both.
    d1 = census(np.zeros(10), np.arange(10) < 4)
    d2 = census(np.zeros(10), (np.arange(10) >= 2) & (np.arange(10) < 7))
    a, b = survey.mean(d1, [1, 5, 2, 9]), survey.mean(d2, [3, 4, 9, 6, 1])
    assert float(survey.covariance(a, b)) == pytest.approx(0, abs=1e-15)


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_same_respondents_give_the_variance_of_the_difference_of_answers(seed):
    rng = np.random.default_rng(seed)
    strata, responded = np.arange(40) % 3, rng.random(40) < 0.7
    d1, d2 = census(strata, responded), census(strata, responded)
    n = int(responded.sum())
    y1, y2, domains = rng.normal(size=n), rng.normal(size=n), rng.random((3, n)) < 0.7
    e = survey.change(survey.mean(d1, y1, domains), survey.mean(d2, y2, domains))
    direct = survey.mean(d1, y2 - y1, domains)
    np.testing.assert_allclose(e.estimate, direct.estimate, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(e.se, direct.se, rtol=1e-10, atol=1e-12)


def test_units_are_matched_by_id_not_by_position():
    rng = np.random.default_rng(4)
    strata, r1, r2 = np.arange(50) % 2, rng.random(50) < 0.6, rng.random(50) < 0.6
    y1, y2 = rng.normal(size=50), rng.normal(size=50)
    order = rng.permutation(50)
    a = survey.mean(census(strata, r1), y1[r1])
    b = survey.mean(census(strata, r2), y2[r2])
    shuffled = survey.mean(census(strata[order], r2[order], order), y2[order][r2[order]])
    assert float(survey.change(a, shuffled).se) == pytest.approx(
        float(survey.change(a, b).se), rel=1e-12
    )


def test_entrants_and_leavers_are_independent_of_the_other_wave():
    a = survey.mean(census(np.zeros(6), np.arange(6) < 4), [1, 2, 3, 6])
    b = survey.mean(census(np.zeros(6), np.arange(6) < 4, np.arange(6) + 6), [4, 2, 3, 9])
    assert float(survey.covariance(a, b)) == 0
    assert float(survey.change(a, b).se) == pytest.approx(np.hypot(float(a.se), float(b.se)))


def test_empty_domain_is_flagged_and_leaves_the_others():
    d1, d2 = (census(np.zeros(9), np.arange(9) < k) for k in (4, 5))
    first = np.array([[True] * 4, [False] * 4])
    second = np.array([[True] * 5, [True] * 5])
    e = survey.change(
        survey.mean(d1, [1, 2, 3, 6], first), survey.mean(d2, [1, 2, 3, 6, 7], second)
    )
    assert np.isfinite([e.estimate[0], e.se[0]]).all()
    assert np.isnan([e.estimate[1], e.se[1]]).all()
    assert e.n.tolist() == [4, 0]


def test_two_corrected_waves_need_their_registers():
    d = survey.Design.from_sample([1, 2, 3], ["a"] * 3, [2.0] * 3, {"a": 6})
    other = survey.Design.from_sample([1, 2, 3], ["a"] * 3, [2.0] * 3, {"a": 6})
    with pytest.raises(ValueError, match="from_frame"):
        survey.change(survey.mean(d, [1, 2, 3]), survey.mean(other, [1, 2, 4]))


def test_without_population_sizes_a_switch_of_stratum_still_counts():
    # Everybody in both waves with the same answers, one firm in another stratum in wave 2.
    d1 = survey.Design.from_sample(range(6), list("aaabbb"), [1.0] * 6)
    d2 = survey.Design.from_sample(range(6), list("aabbbb"), [1.0] * 6)
    y = [1, 2, 6, 4, 5, 9]
    a, b = survey.mean(d1, y), survey.mean(d2, y)
    assert 0 < float(survey.change(a, b).se) < float(a.se)


def test_without_population_sizes_units_without_an_answer_do_not_count():
    # Firm 5 answered the item in neither wave: as if it were not there.
    strata, y1, y2 = list("aaabbb"), [1, 2, 6, 4, np.nan, np.nan], [2, 2, 7, 3, 8, np.nan]

    def change(n):
        designs = [survey.Design.from_sample(range(n), strata[:n], [1.0] * n) for _ in "12"]
        return survey.change(survey.mean(designs[0], y1[:n]), survey.mean(designs[1], y2[:n]))

    assert float(change(6).se) == pytest.approx(float(change(5).se), rel=1e-13)


def test_a_difference_rests_on_its_weaker_side():
    d = census(np.zeros(20), np.arange(20) < 10)
    few = np.arange(10) < 3
    a, b = survey.mean(d, np.arange(10.0), ~few), survey.mean(d, np.arange(10.0), few)
    for e in (survey.difference(a, b), survey.difference(b, a)):
        assert (int(e.n), int(e.df), float(e.n_kish)) == (3, 2, float(b.n_kish))


def test_a_function_of_two_means_by_hand():
    # 4 of 8 firms, y = 1 2 3 6 (mean 3), x = 2 1 2 3 (mean 2): y x = 6, derivatives 2 and 3.
    # e = 2 (y - 3) + 3 (x - 2) = -4 -5 0 9, squares 122: (1 - 4/8) / 4 * 122 / 3.
    d = census(np.zeros(8), np.arange(8) < 4)
    y, x = survey.mean(d, [1, 2, 3, 6]), survey.mean(d, [2, 1, 2, 3])
    e = survey.function([y, x], lambda a, b: a * b)
    assert float(e.estimate) == 6
    assert float(e.se) ** 2 == pytest.approx(122 / 24, rel=1e-14)
    assert (int(e.n), int(e.df)) == (4, 3)


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_the_quotient_of_means_is_the_ratio(seed):
    rng = np.random.default_rng(seed)
    d = census(np.arange(40) % 3, rng.random(40) < 0.7)
    n = len(d.weights)
    y, x, domains = rng.normal(5, 2, n), rng.uniform(1, 3, n), rng.random((3, n)) < 0.7
    above, below = survey.mean(d, y, domains), survey.mean(d, x, domains)
    e = survey.function([above, below], lambda a, b: a / b)
    direct = survey.ratio(d, y, x, domains)
    np.testing.assert_allclose(e.estimate, direct.estimate, rtol=1e-11)
    np.testing.assert_allclose(e.se, direct.se, rtol=1e-9)


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_a_linear_function_is_a_contrast_and_enters_one(seed):
    rng = np.random.default_rng(seed)
    r1, r2 = rng.random(30) < 0.6, rng.random(30) < 0.6
    r1[:2] = r2[:2] = True
    d1, d2 = census(np.zeros(30), r1), census(np.zeros(30), r2)
    u, v = (survey.mean(d1, rng.normal(size=r1.sum())) for _ in "uv")
    w = survey.mean(d2, rng.normal(size=r2.sum()))
    direct = survey.contrast([u, v, w], [2, -3, -1])
    first = survey.function([u, v], lambda a, b: 2 * a - 3 * b)
    for e in (
        survey.function([u, v, w], lambda a, b, c: 2 * a - 3 * b - c),
        survey.change(w, first),
        survey.function([first, w], lambda a, c: a - c),
    ):
        np.testing.assert_allclose(float(e.estimate), float(direct.estimate), atol=1e-13)
        np.testing.assert_allclose(float(e.se), float(direct.se), rtol=1e-10)
        assert (int(e.n), int(e.df)) == (int(direct.n), int(direct.df))


def test_a_function_that_has_no_value_or_no_slope_in_one_domain_leaves_the_others():
    d = census(np.zeros(8), np.arange(8) < 4)
    domains = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 0, 0], [1, 0, 0, 1]], dtype=bool)
    # Means 2, -3 (no root), of nobody, and 0 (the root is 0, with no slope).
    e = survey.function([survey.mean(d, [1, 3, -5, -1], domains)], np.sqrt)
    assert e.estimate[[0, 3]].tolist() == [np.sqrt(2), 0]
    assert np.isnan(e.estimate[1:3]).all()
    assert np.isfinite(e.se[0])
    assert np.isnan(e.se[1:]).all()
    none = survey.function([survey.mean(d, [1, -1, 0, 0], domains)], lambda a: 1 / a)
    assert np.isnan([none.estimate[0], none.se[0]]).all()


def test_a_function_of_a_group_and_of_everybody():
    d = census(np.zeros(8), np.arange(8) < 4)
    group = np.array([[True, True, False, False], [False, False, True, True]])
    a, t = survey.mean(d, [1, 3, 7, 9], group), survey.mean(d, [1, 3, 7, 9])
    e = survey.function([a, t], lambda x, y: x - y)
    direct = survey.difference(a, t)
    assert e.estimate.tolist() == direct.estimate.tolist()
    np.testing.assert_allclose(e.se, direct.se, rtol=1e-14)


def test_units_of_a_function_are_those_in_all_its_parts():
    d1, d2 = census(np.zeros(8), np.arange(8) < 5), census(np.zeros(8), np.arange(8) < 4)
    both = [
        survey.function(
            [survey.mean(d, y[: len(d.weights)]), survey.mean(d, x[: len(d.weights)])], np.add
        )
        for d, y, x in (
            (d1, [1, 2, 3, 4, 5], [1, np.nan, 3, 4, 5]),
            (d2, [1, 2, np.nan, 4], [1, 2, 3, 4]),
        )
    ]
    assert int(survey.overlap(*both)) == 2  # 0 and 3: 1 and 2 each miss an item in one wave


@pytest.mark.parametrize("switching", [0.0, 0.15])
def test_interval_of_a_change_covers_95_percent(switching):
    """Census of 250, 110 answer in each wave, 60 % of them in both; firms may switch strata.

    1,000 runs: the standard error of a coverage of 95 % is 0.7 points.
    """
    rng = np.random.default_rng(20)
    runs, size = 1000, 250
    strata1 = rng.integers(0, 3, size)
    moved = rng.random(size) < switching
    strata2 = np.where(moved, rng.integers(0, 3, size), strata1)
    level = rng.normal(size=size) + 0.4 * strata1
    y1, y2 = level + rng.normal(0, 0.5, size), level + 0.3 + rng.normal(0, 0.5, size)
    truth = y2.mean() - y1.mean()
    covered = covered_if_independent = shared = 0
    for _ in range(runs):
        first, second = _two_waves(rng, strata1, strata2)
        a = survey.mean(census(strata1, first), y1[first])
        b = survey.mean(census(strata2, second), y2[second])
        e = survey.change(a, b)
        low, high = survey.t_interval(e)
        covered += low <= truth <= high
        half = (high - low) / 2 * np.hypot(a.se, b.se) / e.se
        covered_if_independent += abs(e.estimate - truth) <= half
        shared += int(survey.overlap(a, b)) / int(a.n)
    assert 0.55 < shared / runs < 0.65
    assert 0.93 < covered / runs < 0.97
    assert covered_if_independent > covered


def _two_waves(rng, strata1, strata2):
    """Draw 44 % of each stratum in each wave, most of them again in the second."""
    eager = rng.random(len(strata1))
    again = np.where(rng.random(len(strata1)) < 0.4, eager, rng.random(len(strata1)))
    waves = []
    for strata, order in ((strata1, eager), (strata2, again)):
        responded = np.zeros(len(strata), dtype=bool)
        for h in np.unique(strata):
            units = np.flatnonzero(strata == h)
            responded[units[np.argsort(order[units])[: round(0.44 * len(units))]]] = True
        waves.append(responded)
    return waves

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pipeline import survey
from pipeline.survey.trend import _wald, any_change, pooled, trend


def census(responded, ids=None):
    ids = np.arange(len(responded)) if ids is None else ids
    return survey.Design.from_frame(ids, np.zeros(len(responded)), responded)


def half(values, first=0):
    """Four of eight firms answered, from `first` on."""
    responded = np.isin(np.arange(8), np.arange(first, first + 4))
    return survey.mean(census(responded), values)


# The same four of eight firms in three waves: means 4, 4.5 and 6.
LEVELS = [[1, 3, 5, 7], [2, 2, 6, 8], [3, 5, 5, 11]]


def random_waves(seed, count=4, k=3):
    rng = np.random.default_rng(seed)
    waves = []
    for _ in range(count):
        d = survey.Design.from_frame(np.arange(60), np.arange(60) % 3, rng.random(60) < 0.6)
        n = len(d.weights)
        waves.append(survey.mean(d, rng.normal(size=n), rng.random((k, n)) < 0.7))
    return waves


def test_slope_of_the_same_firms_by_hand():
    # The slope of a firm is (y3 - y1) / 2 = 1 1 0 2: mean 1, S^2 = 2/3;
    # var = (1 - 4/8) / 4 * 2/3 = 1/12
    e = trend([half(y) for y in LEVELS], [2020, 2021, 2022])
    assert float(e.estimate) == pytest.approx(1, rel=1e-14)
    assert float(e.se) ** 2 == pytest.approx(1 / 12, rel=1e-13)
    assert (int(e.n), int(e.df), int(e.waves)) == (4, 3, 3)


def test_slope_over_unequal_times_by_hand():
    # times 0 2 3: less their mean -5/3 1/3 4/3, squares 14/3: weights -5/14 1/14 4/14.
    # (-5 * 4 + 4.5 + 4 * 6) / 14 = 8.5 / 14
    e = trend([half(y) for y in LEVELS], [2019, 2021, 2022])
    assert float(e.estimate) == pytest.approx(8.5 / 14, rel=1e-12)


def test_slope_of_two_waves_is_the_change_per_unit_of_time():
    a, b = random_waves(1, 2)
    e, c = trend([a, b], [1, 5]), survey.change(a, b)
    np.testing.assert_allclose(e.estimate, c.estimate / 4, rtol=1e-13)
    np.testing.assert_allclose(e.se, c.se / 4, rtol=1e-13)
    np.testing.assert_array_equal(e.n, c.n)


def test_a_missing_wave_concerns_its_domain_only():
    # Domain 1 has no answer in the second wave, domain 2 only one (no standard error),
    # domain 3 answers in the third wave alone.
    rng = np.random.default_rng(3)
    designs = [census(rng.random(40) < 0.6) for _ in range(3)]
    waves = []
    for i, d in enumerate(designs):
        n = len(d.weights)
        domains = np.ones((4, n), dtype=bool)
        domains[1] = i != 1
        domains[2] = np.arange(n) < (1 if i == 1 else n)
        domains[3] = i == 2
        waves.append(survey.mean(d, rng.normal(size=n), domains))
    e = trend(waves, [0, 1, 2])
    assert e.waves.tolist() == [3, 2, 2, 1]
    outer = survey.change(waves[0], waves[2])
    np.testing.assert_allclose(e.estimate[1:3], outer.estimate[1:3] / 2, rtol=1e-13)
    np.testing.assert_allclose(e.se[1:3], outer.se[1:3] / 2, rtol=1e-13)
    assert e.n[1:3].tolist() == outer.n[1:3].tolist()
    assert np.isfinite([e.estimate[0], e.se[0]]).all()
    assert np.isnan([e.estimate[3], e.se[3]]).all()
    assert e.n[3] == 0


def test_a_slope_enters_a_contrast():
    waves = random_waves(5)
    e = trend(waves, range(4))
    halves = survey.contrast(
        [trend(waves[:2], [0, 1]), survey.change(waves[1], waves[2]), trend(waves[2:], [0, 1])],
        [0.3, 0.4, 0.3],  # slopes of neighbours: (-1.5 -.5 .5 1.5) / 5 cumulated
    )
    np.testing.assert_allclose(halves.estimate, e.estimate, rtol=1e-12)
    np.testing.assert_allclose(halves.se, e.se, rtol=1e-12)


@pytest.mark.parametrize("times", [[1, 1, 2], [1, 2], [1, 2, np.nan]])
def test_each_wave_needs_a_time_of_its_own(times):
    with pytest.raises(ValueError, match="a time of its own"):
        trend([half(y) for y in LEVELS], times)


def test_one_wave_has_no_trend():
    with pytest.raises(ValueError, match="two or more waves"):
        trend([half(LEVELS[0])], [1])


def test_any_change_by_hand():
    # Differences to the first wave 1 -1 1 1 (mean .5, S^2 = 1) and 2 2 0 4 (mean 2, S^2 = 8/3),
    # their covariance 0: W = 8 (.5^2 / 1 + 2^2 / (8/3)) = 14, as 1 / ((1 - 4/8) / 4) = 8.
    # df = 3, q = 2: F = 14 * 2 / (3 * 2) = 14/3 with 2 and 2: p = 1 / (1 + F) = 3/17
    test = any_change([half(y) for y in LEVELS])
    assert float(test.f) == pytest.approx(14 / 3, rel=1e-12)
    assert (int(test.df1), int(test.df2)) == (2, 2)
    assert float(test.p) == pytest.approx(3 / 17, rel=1e-12)


def test_any_change_of_two_waves_is_the_t_test():
    a, b = random_waves(7, 2)
    test, c = any_change([a, b]), survey.change(a, b)
    np.testing.assert_allclose(test.f, (c.estimate / c.se) ** 2, rtol=1e-12)
    p = 2 * stats.t.sf(np.abs(c.estimate / c.se), c.df)
    np.testing.assert_allclose(test.p, p, rtol=1e-10)


@given(st.integers(0, 2**32 - 1), st.permutations(range(4)))
@settings(deadline=None, max_examples=30)
def test_any_change_does_not_depend_on_the_order_of_waves(seed, order):
    waves = random_waves(seed)
    one, other = any_change(waves), any_change([waves[i] for i in order])
    np.testing.assert_allclose(one.f, other.f, rtol=1e-8)
    np.testing.assert_allclose(one.p, other.p, rtol=1e-8, atol=1e-12)


def test_a_wave_without_news_adds_no_degree_of_freedom():
    first, second = half(LEVELS[0]), half(LEVELS[2])
    test, pair = any_change([first, second, first]), any_change([first, second])
    assert (int(test.df1), int(test.df2)) == (1, 3)
    assert float(test.f) == pytest.approx(float(pair.f), rel=1e-10)


def test_where_all_answered_a_change_is_certain():
    d = census(np.ones(4, dtype=bool))
    a, b = survey.mean(d, [1, 2, 3, 4]), survey.mean(d, [1, 2, 3, 5])
    assert [float(x) for x in any_change([a, b])[::3]] == [np.inf, 0]
    assert [float(x) for x in any_change([a, a])[::3]] == [0, 1]


def test_no_spread_is_no_proof_of_a_change():
    test = any_change([half([0, 0, 0, 0]), half([1, 1, 1, 1])])
    assert np.isnan([test.f, test.p]).all()
    assert float(any_change([half([0, 0, 0, 0])] * 2).p) == 1


def test_covariances_beyond_the_variances_are_left_out():
    # 1 + 1 - 2 * 2 = -2 is no variance: 1 + 1 is taken, W = 3^2 / 2
    w, rank = _wald(np.array([1.0, 4.0]), np.array([[1.0, 2.0], [2.0, 1.0]]))
    assert (w, rank) == (pytest.approx(4.5, rel=1e-12), 1)


def test_any_change_leaves_out_missing_waves():
    rng = np.random.default_rng(3)
    waves = []
    for i in range(3):
        d = census(rng.random(40) < 0.6)
        domains = np.ones((3, len(d.weights)), dtype=bool)
        domains[1:] = [[i != 1], [i == 1]]
        waves.append(survey.mean(d, rng.normal(size=len(d.weights)), domains))
    test, pair = any_change(waves), any_change(waves[::2])
    assert test.df1.tolist() == [2, 1, 0]
    assert test.f[1] == pytest.approx(pair.f[1], rel=1e-12)
    assert np.isnan([test.f[2], test.p[2]]).all()


def test_more_waves_than_degrees_of_freedom_have_no_test():
    # Two answers: one degree of freedom, two differences.
    responded = np.arange(8) < 2
    waves = [survey.mean(census(np.roll(responded, i)), [1.0, 2 + i]) for i in range(3)]
    test = any_change(waves)
    assert int(test.df1) == 2
    assert np.isnan([test.f, test.p]).all()


def test_pooled_mean_of_the_same_firms_by_hand():
    # Firms' means of both waves 1.5 2.5 5.5 7.5: mean 4.25, S^2 = 22.75/3;
    # var = (1 - 4/8) / 4 * 22.75/3
    e = pooled([half(LEVELS[0]), half(LEVELS[1])])
    assert float(e.estimate) == 4.25
    assert float(e.se) ** 2 == pytest.approx(22.75 / 24, rel=1e-13)
    # Eight answers of four firms, which count once: -8 ln(1 - 4/8) as in one wave
    assert (int(e.n), int(e.units), int(e.df)) == (8, 4, 3)
    assert float(e.n_kish) == pytest.approx(8 * np.log(2), rel=1e-13)


def test_pooled_mean_of_different_firms_by_hand():
    # Firms 0-3 and 4-7: S^2 = 20/3 (1 3 5 7) and 27/3 (2 2 6 8), nobody twice, so no covariance
    # is seen: var = (1 - 4/8) / 4 * (20/3 + 27/3) / 4 = 47/96
    e = pooled([half(LEVELS[0]), half(LEVELS[1], first=4)])
    assert float(e.se) ** 2 == pytest.approx(47 / 96, rel=1e-13)
    assert (int(e.n), int(e.units), int(e.df)) == (8, 8, 6)
    assert float(e.n_kish) == pytest.approx(16 * np.log(2), rel=1e-13)


def test_overlap_by_chance_costs_nothing():
    # 4 of 8 twice, 2 = 4 * 4 / 8 in both: two independent looks at the register.
    e = pooled([half(LEVELS[0]), half(LEVELS[1], first=2)])
    assert int(e.units) == 6
    assert float(e.n_kish) == pytest.approx(16 * np.log(2), rel=1e-13)
    # 6 answers at 6 / 8 of an answer's degrees of freedom: 6 * (3 + 3) / 8 = 4.5
    assert int(e.df) == 4


def test_shares_of_waves():
    waves = random_waves(11, 3)
    e = pooled(waves, [0.5, 0.3, 0.2])
    c = survey.contrast(waves, [0.5, 0.3, 0.2])
    np.testing.assert_array_equal(e.estimate, c.estimate)
    np.testing.assert_array_equal(e.se, c.se)
    assert e.n.tolist() == np.sum([w.n for w in waves], axis=0).tolist()


def test_none_of_the_same_firms_is_no_more_certain_than_in_one_wave():
    same, other = [survey.share(census(np.arange(8) < 4), [0] * 4)] * 2, half([0] * 4, first=4)
    one = survey.share_interval(same[0])
    twice = survey.share_interval(pooled(same))
    apart = survey.share_interval(pooled([same[0], other]))
    # 1 - 0.025^(1 / (8 ln 2)), and half the exponent where others were asked
    assert float(one.high) == pytest.approx(1 - 0.025 ** (1 / (8 * np.log(2))), rel=1e-12)
    assert float(twice.high) == pytest.approx(float(one.high), rel=1e-12)
    assert float(apart.high) == pytest.approx(1 - 0.025 ** (1 / (16 * np.log(2))), rel=1e-12)
    assert float(twice.low) == 0


def test_where_all_answered_the_pooled_share_is_known():
    d = census(np.ones(4, dtype=bool))
    e = pooled([survey.share(d, [0, 0, 1, 1]), survey.share(d, [0, 1, 1, 1])])
    assert [float(x) for x in survey.share_interval(e)] == [0.625, 0.625]


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=50)
def test_pooled_basis_lies_between_one_wave_and_their_sum(seed):
    waves = random_waves(seed, 2)
    e = pooled(waves)
    kish = np.stack([w.n_kish for w in waves])
    # With halves: at most the harmonic mean twice, at least what full correlation leaves
    independent = 4 / (1 / kish).sum(axis=0)
    same = 4 / (1 / np.sqrt(kish)).sum(axis=0) ** 2
    assert (e.n_kish <= independent * (1 + 1e-12)).all()
    assert (e.n_kish >= same * (1 - 1e-12)).all()
    assert (e.units <= e.n).all()
    assert (e.units >= np.max([w.n for w in waves], axis=0)).all()


def test_an_empty_wave_leaves_no_pooled_mean_and_spares_the_others():
    rng = np.random.default_rng(3)
    waves = []
    for i in range(2):
        d = census(rng.random(40) < 0.6)
        domains = np.array([[True], [i == 0]]) & np.ones(len(d.weights), dtype=bool)
        waves.append(survey.mean(d, rng.normal(size=len(d.weights)), domains))
    e = pooled(waves)
    assert np.isfinite([e.estimate[0], e.se[0], e.n_kish[0]]).all()
    assert np.isnan([e.estimate[1], e.se[1]]).all()
    assert e.n[1] == waves[0].n[1]


def test_pooled_without_population_sizes():
    # Firms 1 2 3 and 2 3 4, equal weights: r = 2 / 3 of (1/3): n = 1 / (2/4/3 + 2/4 * 2/9) = 3.6
    designs = [
        survey.Design.from_sample(ids, ["a"] * 3, [1.0] * 3) for ids in ([1, 2, 3], [2, 3, 4])
    ]
    e = pooled([survey.share(d, [0, 0, 0]) for d in designs])
    assert float(e.n_kish) == pytest.approx(3.6, rel=1e-13)
    assert (int(e.n), int(e.units)) == (6, 4)


@pytest.mark.parametrize("shares", [[0.5], [0.5, 0.6], [1.0, 0.0], [np.nan, 1.0]])
def test_shares_must_add_up(shares):
    with pytest.raises(ValueError, match="summing to 1"):
        pooled([half(LEVELS[0]), half(LEVELS[1])], shares)

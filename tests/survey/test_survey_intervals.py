import numpy as np
import pytest
from scipy.special import betaincinv, stdtrit

from pipeline import survey


def census(n, size):
    return survey.Design.from_frame(np.arange(size), np.zeros(size), np.arange(size) < n)


def ones(k, n):
    return (np.arange(n) < k).astype(float)


def test_t_interval_by_hand():
    # 4 of 8, y = 1 2 3 6: mean 3, s2 = 14/3, var = 0.5 * 14/3 / 4 = 7/12; t(3, 0.975) = 3.182446
    low, high = survey.t_interval(survey.mean(census(4, 8), [1, 2, 3, 6]))
    half = 3.182446305284263 * np.sqrt(7 / 12)
    assert float(low) == pytest.approx(3 - half, rel=1e-12)
    assert float(high) == pytest.approx(3 + half, rel=1e-12)


def test_t_interval_of_a_census_is_the_estimate():
    low, high = survey.t_interval(survey.mean(census(4, 4), [1, 2, 3, 6]))
    assert (float(low), float(high)) == (3, 3)


def test_beta_interval_without_weights_is_nearly_clopper_pearson():
    # One stratum without correction: n* = p (1-p) / (p (1-p) / (n-1)) = n - 1, t's are equal.
    d = survey.Design.from_sample(np.arange(40), np.zeros(40), np.ones(40))
    low, high = survey.share_interval(survey.share(d, ones(6, 40)))
    p, n = 6 / 40, 39
    assert float(low) == pytest.approx(betaincinv(n * p, n * (1 - p) + 1, 0.025), rel=1e-10)
    assert float(high) == pytest.approx(betaincinv(n * p + 1, n * (1 - p), 0.975), rel=1e-10)


def test_fewer_degrees_of_freedom_shrink_the_effective_number():
    # Two strata of 20: df = 38, n - 1 = 39.
    d = survey.Design.from_sample(np.arange(40), np.arange(40) % 2, np.ones(40))
    e = survey.share(d, ones(6, 40))
    size = 0.15 * 0.85 / float(e.se) ** 2 * (stdtrit(39, 0.025) / stdtrit(38, 0.025)) ** 2
    low, _ = survey.share_interval(e)
    assert float(low) == pytest.approx(betaincinv(size * 0.15, size * 0.85 + 1, 0.025), rel=1e-10)


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_none_of_n_without_correction_is_exact(level):
    # Clopper-Pearson at 0 of n: [0, 1 - tail^(1/n)]; at n of n its mirror image.
    d = survey.Design.from_sample(np.arange(30), np.zeros(30), np.ones(30))
    bound = 1 - ((1 - level) / 2) ** (1 / 30)
    low, high = survey.share_interval(survey.share(d, ones(0, 30)), level)
    assert (float(low), float(high)) == (0, pytest.approx(bound, rel=1e-10))
    low, high = survey.share_interval(survey.share(d, ones(30, 30)), level)
    assert (float(low), float(high)) == (pytest.approx(1 - bound, rel=1e-10), 1)


def test_none_of_110_of_250_is_no_narrower_than_the_exact_bound():
    # Exact: the most K with C(250-K, 110) / C(250, 110) > 0.025, that is
    # prod_{j<K} (1 - 110 / (250 - j)) > 0.025.
    share_missed, most = 1.0, 0
    while share_missed * (1 - 110 / (250 - most)) > 0.025:
        share_missed *= 1 - 110 / (250 - most)
        most += 1
    _, high = survey.share_interval(survey.share(census(110, 250), ones(0, 110)))
    assert most / 250 <= float(high) < (most + 1) / 250


def test_census_is_the_share_itself_at_any_value():
    for k in (0, 3, 10):
        low, high = survey.share_interval(survey.share(census(10, 10), ones(k, 10)))
        assert (float(low), float(high)) == (k / 10, k / 10)


def test_one_answer_and_no_answer():
    d = census(5, 20)
    domains = np.array([[True, False, False, False, False], [False] * 5])
    low, high = survey.share_interval(survey.share(d, ones(1, 5), domains))
    assert 0 < low[0] < 0.1  # a single yes: nearly nothing is known
    assert high[0] == 1
    assert np.isnan([low[1], high[1]]).all()


def test_strata_that_explain_all_do_not_make_it_certain():
    # Share 1/2, all of a say yes, none of b: no spread within strata, but most did not answer.
    d = survey.Design.from_frame(np.arange(80), np.arange(80) % 2, np.arange(80) < 20)
    low, high = survey.share_interval(survey.share(d, d.codes.astype(float)))
    assert 0.2 < float(low) < 0.4
    assert 0.6 < float(high) < 0.8


def test_rare_share_keeps_its_level_where_student_does_not():
    # Census of 250, 110 answer, 6 firms have a trait: exact hypergeometric probabilities.
    draws = np.random.default_rng(11).hypergeometric(6, 244, 110, 4000)
    y = (np.arange(110) < draws[:, None]).astype(float)
    e = survey.share(census(110, 250), y)

    def coverage(interval):
        return np.mean((interval.low <= 6 / 250) & (interval.high >= 6 / 250))

    assert coverage(survey.share_interval(e)) > 0.94
    assert coverage(survey.t_interval(e)) < 0.92


def balances(answers, n, size):
    return survey.balance(census(n, size), answers)


def test_balance_of_everybody_up_has_the_exact_bound_of_the_others_being_down():
    d = survey.Design.from_sample(np.arange(30), np.zeros(30), np.ones(30))
    low, high = survey.balance_interval(survey.balance(d, np.ones(30)))
    assert float(high) == 1
    assert float(low) == pytest.approx(2 * 0.025 ** (1 / 30) - 1, rel=1e-10)
    low, high = survey.balance_interval(survey.balance(d, -np.ones(30)))
    assert (float(low), float(high)) == (-1, pytest.approx(1 - 2 * 0.025 ** (1 / 30), rel=1e-10))
    # Everybody says equal: the others may all be up, or all be down.
    low, high = survey.balance_interval(survey.balance(d, np.zeros(30)))
    bound = 1 - 0.025 ** (1 / 30)
    assert (float(low), float(high)) == pytest.approx((-bound, bound), rel=1e-10)


def test_balance_of_a_census_is_the_balance_itself():
    for answers in ([1, 1, 0, -1], [1, 1, 1, 1], [0, 0, 0, 0]):
        e = balances(answers, 4, 4)
        low, high = survey.balance_interval(e)
        assert (float(low), float(high)) == (float(e.estimate), float(e.estimate))


def test_balance_of_up_and_down_alone_is_that_of_the_share():
    # Without anybody in between the balance is 2 up - 1, and so is its interval.
    answers = np.where(np.arange(12) < 4, 1, -1)
    e = balances(answers, 12, 40)
    low, high = survey.balance_interval(e)
    least, most = survey.share_interval(e.up)
    assert (float(low), float(high)) == pytest.approx((2 * least - 1, 2 * most - 1), rel=1e-10)


def test_balances_of_domains_and_of_nobody():
    d = census(5, 20)
    domains = np.array([[True] * 5, [True, False, False, False, False], [False] * 5])
    low, high = survey.balance_interval(survey.balance(d, [1, 1, 0, -1, 0], domains))
    assert -1 <= low[0] < 0.2 < high[0] <= 1
    assert -1 <= low[1] < -0.5  # a single up: nearly nothing is known
    assert high[1] == 1
    assert np.isnan([low[2], high[2]]).all()


@pytest.mark.parametrize(("up", "down"), [(20, 5), (237, 2), (100, 50), (10, 10)])
def test_interval_of_a_balance_keeps_its_level(up, down):
    """Census of 250, 110 answer, 2,000 runs (0.5 points); at 237 and 2 Student's t has 87 %."""
    rng = np.random.default_rng(8)
    truth = np.repeat([1.0, -1.0, 0.0], [up, down, 250 - up - down])
    answers = np.array([rng.permutation(truth)[:110] for _ in range(2000)])
    low, high = survey.balance_interval(balances(answers, 110, 250))
    assert np.mean((low <= truth.mean()) & (truth.mean() <= high)) > 0.94
    assert np.mean(high - low) < 0.3

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import survey

NAN = np.nan


def sample(strata, weights=None, population=None, lonely="adjust"):
    strata = list(strata)
    n = len(strata)
    weights = np.ones(n) if weights is None else weights
    return survey.Design.from_sample(np.arange(n), strata, weights, population, lonely)


def register(sizes, answers):
    """A register with `sizes[h]` firms in stratum h, the first `answers[h]` of which answered."""
    strata = np.repeat(list(sizes), list(sizes.values()))
    responded = np.concatenate([np.arange(n) < answers[h] for h, n in sizes.items()])
    return survey.Design.from_frame(np.arange(len(strata)), strata, responded)


def test_mean_by_hand():
    # a: 10 firms, 2 answered (weight 5), y = 1, 3; b: 6 firms, 3 answered (weight 2), y = 4, 6, 8.
    # mean = (5*1 + 5*3 + 2*18) / 16 = 56/16 = 3.5
    # var = sum (N_h/N)^2 (1 - n/N) s2/n: a: (10/16)^2 * 0.8 * 2/2 = 0.3125;
    #       b: (6/16)^2 * 0.5 * 4/3 = 0.09375; sum 0.40625
    e = survey.mean(register({"a": 10, "b": 6}, {"a": 2, "b": 3}), [1, 3, 4, 6, 8])
    assert float(e.estimate) == 3.5
    assert float(e.se) ** 2 == pytest.approx(0.40625, rel=1e-14)
    assert (int(e.n), int(e.df)) == (5, 3)  # 5 firms less 2 strata


def test_total_by_hand():
    # As above: 16 * 3.5 = 56, variance 16^2 * 0.40625 = 104
    e = survey.total(register({"a": 10, "b": 6}, {"a": 2, "b": 3}), [1, 3, 4, 6, 8])
    assert float(e.estimate) == pytest.approx(56, rel=1e-15)
    assert float(e.se) ** 2 == pytest.approx(104, rel=1e-14)


def test_ratio_by_hand():
    # One stratum, 8 firms, 4 answered, weight 2. y = 1 2 3 6, x = 2 2 4 4: R = 12/12 = 1,
    # e = y - x = -1 0 -1 2 (mean 0, s2 = 6/3 = 2); var = (1 - 4/8) * 2/4 / (12/4)^2 = 1/36
    e = survey.ratio(register({"a": 8}, {"a": 4}), [1, 2, 3, 6], [2, 2, 4, 4])
    assert float(e.estimate) == 1
    assert float(e.se) == pytest.approx(1 / 6, rel=1e-14)


def test_domain_mean_by_hand():
    # 8 firms, 4 answered, weight 2; domain: the first two, y = 1, 3; mean 2, z = 2 (y - 2) / 4 =
    # -0.5, 0.5, 0, 0 (mean 0); var = (1 - 4/8) * 4/3 * 0.5 = 1/3
    e = survey.mean(register({"a": 8}, {"a": 4}), [1, 3, 7, 9], [True, True, False, False])
    assert float(e.estimate) == 2
    assert float(e.se) ** 2 == pytest.approx(1 / 3, rel=1e-14)
    assert (int(e.n), int(e.df)) == (2, 1)


def test_item_nonresponse_is_a_further_phase():
    # 10 firms, 5 answered, 3 of them the item: y = 2, 4, 6; mean 4, s2 = 4.
    # var = (1 - 3/10) * 4/3 = 2.8/3, with the item's 3 of 10 and not the units' 5 of 10
    e = survey.mean(register({"a": 10}, {"a": 5}), [2, NAN, 4, 6, NAN])
    assert float(e.estimate) == 4
    assert float(e.se) ** 2 == pytest.approx(2.8 / 3, rel=1e-14)
    assert int(e.n) == 3


def test_the_answers_to_an_item_stand_for_their_stratum():
    # a: 4 firms, 2 answered 1 3; b: 9 firms, 3 responded, 2 of them the item, 4 5: weights 2 and
    # 9/2, mean (2 (1 + 3) + 4.5 (4 + 5)) / 13 = 48.5/13. Deviations of 13 z: a 2 * ±1, b 4.5 * ±.5:
    # (1 - 2/4) 2 (4 + 4) + (1 - 2/9) 2 (2.25^2 + 2.25^2) = 8 + 15.75.
    d = register({"a": 4, "b": 9}, {"a": 2, "b": 3})
    e = survey.mean(d, [1, 3, 4, NAN, 5])
    assert float(e.estimate) == pytest.approx(48.5 / 13, rel=1e-14)
    assert float(e.se) ** 2 == pytest.approx(23.75 / 169, rel=1e-13)
    assert float(e.n_kish) == pytest.approx(
        # 13^2 / sum(w^2 / g), g = -ln(1 - f) / f: f = 2/4 and 2/9
        169 / (2 * 4 * 0.5 / np.log(2) + 2 * 4.5**2 * (2 / 9) / np.log(9 / 7)),
        rel=1e-13,
    )


def test_without_population_sizes_weights_are_as_given():
    # As R survey's na.rm: a b have the weights 2 and 1, so (2 (1 + 3) + 4 + 5) / 6.
    e = survey.mean(sample("aabbb", [2.0, 2, 1, 1, 1]), [1, 3, 4, NAN, 5])
    assert float(e.estimate) == pytest.approx(17 / 6, rel=1e-14)


def test_ratio_needs_both_answers():
    d = register({"a": 10}, {"a": 5})
    e = survey.ratio(d, [2, NAN, 4, 6, 1], [1, 1, NAN, 2, 1])
    assert float(e.estimate) == pytest.approx(9 / 4)
    assert int(e.n) == 3


def test_total_with_item_nonresponse_by_hand():
    # 10 firms, 5 answered (weight 2), 3 of them the item: total = 10 * mean = 40. Nothing is
    # uncertain in the 10 (no domain), so the variance is 100 times that of the mean.
    d = register({"a": 10}, {"a": 5})
    e = survey.total(d, [2, NAN, 4, 6, NAN])
    assert float(e.estimate) == pytest.approx(40, rel=1e-14)
    assert float(e.se) ** 2 == pytest.approx(280 / 3, rel=1e-13)


def test_total_of_a_domain_with_item_nonresponse_by_hand():
    # As before with the domain of the first 4 (N = 2 * 4 = 8), of which 2 gave the item, y = 2, 4:
    # total = 8 * 3 = 24. Over the item's 3 of 10: a = 8 * 2 (y - 3) / (2 + 2) = -4, 4, 0, mean 0,
    # sum a^2 = 32: (1 - 0.3) * 3/2 * 32 = 33.6. Over the 5 of 10: b = 3 * 2 in the domain = 6 6 6
    # 6 0, mean 4.8, less mean 1.2 four times and -4.8, squares 4 * 1.44 + 23.04 = 28.8:
    # (1 - 0.5) * 5/4 * 28.8 = 18. Both: the item's three firms, a b = -4 * 1.2 + 4 * 1.2 + 0 = 0.
    d = register({"a": 10}, {"a": 5})
    e = survey.total(d, [2, NAN, 4, NAN, 6], [True, True, True, True, False])
    assert float(e.estimate) == pytest.approx(24, rel=1e-14)
    assert float(e.se) ** 2 == pytest.approx(33.6 + 18, rel=1e-13)


def test_total_with_full_response_is_the_plain_total():
    # The influence is then w y itself: (1 - f) n/(n-1) sum (w y - mean)^2 with 0 outside.
    rng = np.random.default_rng(3)
    d = register({"a": 40, "b": 30}, {"a": 12, "b": 9})
    y, domain = rng.normal(50, 9, 21), rng.random(21) < 0.5
    z, variance = d.weights * y * domain, 0.0
    for h, size in ((slice(0, 12), 40), (slice(12, 21), 30)):
        n = len(z[h])
        variance += (1 - n / size) * n / (n - 1) * np.sum((z[h] - z[h].mean()) ** 2)
    e = survey.total(d, y, domain)
    assert float(e.estimate) == pytest.approx(z.sum(), rel=1e-14)
    assert float(e.se) ** 2 == pytest.approx(variance, rel=1e-13)


@pytest.mark.parametrize("verb", [survey.mean, survey.total])
def test_large_mean_leaves_the_spread_its_digits(verb):
    # mean / sd = 1e8 with values that are exact in binary: y = 2^27 + small.
    rng = np.random.default_rng(5)
    small = rng.integers(-4, 5, 30) / 4
    d = register({"a": 50, "b": 40}, {"a": 14, "b": 16})
    large = verb(d, small + 2.0**27)
    assert float(large.se) == pytest.approx(float(verb(d, small).se), rel=1e-10)


def test_large_mean_of_a_domain():
    rng = np.random.default_rng(6)
    small, domain = rng.integers(-4, 5, 30) / 4, np.arange(30) % 3 > 0
    d = register({"a": 50, "b": 400}, {"a": 14, "b": 16})
    large = survey.mean(d, small + 2.0**27 + 0.25, domain)
    assert float(large.se) == pytest.approx(float(survey.mean(d, small, domain).se), rel=1e-10)


def test_full_census_is_certain():
    d = register({"a": 3, "b": 1}, {"a": 3, "b": 1})
    e = survey.mean(d, [1, 2, 3, 4])
    assert (float(e.estimate), float(e.se)) == (2.5, 0)
    assert np.isinf(e.n_kish)


def test_empty_domain_is_nan_and_leaves_the_others():
    d = register({"a": 8}, {"a": 4})
    domains = np.array([[1, 1, 1, 1], [0, 0, 0, 0], [0, 1, 0, 0]], dtype=bool)
    for verb in (survey.mean, survey.share, survey.total):
        e = verb(d, [1, NAN, 0, 1], domains)
        assert np.isfinite([e.estimate[0], e.se[0]]).all()
        assert np.isnan(e.estimate[1:]).all()  # no unit, and no answer to the item
        assert np.isnan(e.se[1:]).all()
        assert e.n.tolist() == [3, 0, 0]


def test_nobody_answered():
    d = survey.Design.from_frame([1, 2], ["a", "a"], [False, False])
    e = survey.mean(d, [])
    assert np.isnan([float(e.estimate), float(e.se)]).all()
    assert int(e.n) == 0


def test_zero_denominator_is_nan():
    e = survey.ratio(register({"a": 4}, {"a": 2}), [1, 2], [0, 0])
    assert np.isnan([float(e.estimate), float(e.se)]).all()


def test_one_answer_has_an_estimate_but_no_spread():
    d = register({"a": 8}, {"a": 4})
    only = [True, False, False, False]
    e = survey.mean(d, [5, 1, 2, 3], only)
    assert float(e.estimate) == 5
    assert np.isnan(e.se)
    # Its total has: z = w y = 10, 0, 0, 0; (1 - 0.5) * 4/3 * (7.5^2 + 3 * 2.5^2) = 50
    assert float(survey.total(d, [5, 1, 2, 3], only).se) ** 2 == pytest.approx(50, rel=1e-13)
    # ... unless others of the domain gave no answer to the item.
    assert np.isnan(survey.total(d, [5, NAN, 2, 3], [True, True, False, False]).se)


def test_one_firm_that_is_all_of_its_stratum_is_certain():
    d = register({"a": 8, "b": 1}, {"a": 4, "b": 1})
    e = survey.mean(d, [1, 2, 3, 4, 9], [False, False, False, False, True])
    assert (float(e.estimate), float(e.se)) == (9, 0)


def test_lonely_stratum_by_hand():
    # Weights 1, no correction. y = 1, 3 in a, 8 in b; mean 4, z = -1, -1/3, 4/3.
    # a: 2/1 * 2 * (1/3)^2 = 4/9. b alone: adjust (4/3)^2 = 16/9, certainty 0, average 4/9.
    y, strata = [1, 3, 8], ["a", "a", "b"]
    for rule, expected in (("adjust", 20 / 9), ("certainty", 4 / 9), ("average", 8 / 9)):
        e = survey.mean(sample(strata, lonely=rule), y)
        assert float(e.se) ** 2 == pytest.approx(expected, rel=1e-14)


def test_average_rule_takes_no_notice_of_a_stratum_of_one_firm():
    # a: 2 of 10, b: 1 of 5 (lonely), c: 1 of 1 (complete): var = (v_a + 0) * 3 strata / 2 of them.
    # w = 5 5 5 1, y = 1 3 2 2: mean 2, z = -5/16, 5/16, 0, 0; v_a = 0.8 * 2 * 50/256 = 0.3125
    population = {"a": 10, "b": 5, "c": 1}
    d = sample("aabc", np.array([5.0, 5, 5, 1]), population, "average")
    e = survey.mean(d, [1, 3, 2, 2])
    assert float(e.se) ** 2 == pytest.approx(0.3125 * 3 / 2, rel=1e-13)


def test_effective_number_by_hand():
    # Weights 1 1 4: (6)^2 / (1 + 1 + 16) = 2 without population sizes.
    assert float(survey.mean(sample("aab", [1, 1, 4]), [1, 2, 3]).n_kish) == 2
    # 10 of 20, weight 2: -20 ln(1 - 1/2) = 20 ln 2
    d = register({"a": 20}, {"a": 10})
    assert float(survey.mean(d, np.arange(10.0)).n_kish) == pytest.approx(20 * np.log(2))


def test_share_refuses_other_values():
    with pytest.raises(ValueError, match="0, 1"):
        survey.share(sample("aa"), [0, 100])


def test_share_takes_truth_values():
    assert float(survey.share(sample("aaaa"), np.array([True, False, True, True])).estimate) == 0.75


def test_balance_by_hand():
    # One stratum of 8, 4 answered: up, up, equal, down: 1/4. s^2 = (3 - 4/16) / 3 = 11/12,
    # var = (1 - 4/8) (11/12) / 4 = 11/96. Shares up 1/2 and down 1/4.
    e = survey.balance(register({"a": 8}, {"a": 4}), [1, 1, 0, -1])
    assert float(e.estimate) == 0.25
    assert float(e.se) ** 2 == pytest.approx(11 / 96, rel=1e-14)
    assert (float(e.up.estimate), float(e.down.estimate)) == (0.5, 0.25)
    assert (int(e.n), int(e.df)) == (4, 3)


def test_balance_refuses_other_values():
    with pytest.raises(ValueError, match="1, 0, -1"):
        survey.balance(sample("aa"), [1, 2])


@st.composite
def surveys(draw):
    n = draw(st.integers(4, 30))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    strata = rng.integers(0, 3, n)
    counts = np.bincount(strata, minlength=3)
    population = {h: float(counts[h] + draw(st.integers(0, 30))) for h in range(3)}
    weights = np.array([population[h] / counts[h] for h in strata])
    y = rng.integers(0, 20, n).astype(float)
    y[rng.random(n) < draw(st.sampled_from([0.0, 0.2]))] = NAN
    domain = rng.random((4, n)) < 0.6
    return strata, weights, population, y, domain


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


@given(surveys(), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_row_order_does_not_matter(data, random):
    strata, weights, population, y, domain = data
    order = list(range(len(y)))
    random.shuffle(order)
    for verb in (survey.mean, survey.total):
        e = verb(sample(strata, weights, population), y, domain)
        f = verb(sample(strata[order], weights[order], population), y[order], domain[:, order])
        close(e.estimate, f.estimate)
        close(e.se, f.se)


@given(surveys())
@settings(deadline=None)
def test_no_answer_to_the_item_is_as_no_response_where_only_that_item_is_asked(data):
    strata, _, population, y, domain = data
    firms = np.repeat(list(population), [int(size) for size in population.values()])
    spare = {h: list(np.flatnonzero(firms == h)) for h in population}
    place = np.array([spare[h].pop() for h in strata])
    here = np.argsort(place)

    def of(answered):
        rows = here[answered[here]]
        return survey.Design.from_frame(
            np.arange(len(firms)), firms, np.isin(np.arange(len(firms)), place[rows])
        ), rows

    everybody, rows = of(np.ones(len(y), dtype=bool))
    some, known = of(~np.isnan(y))
    if not len(known):
        return
    e, f = (survey.mean(d, y[r], domain[:, r]) for d, r in ((everybody, rows), (some, known)))
    close(e.estimate, f.estimate)
    close(e.se, f.se)
    close(e.n_kish, f.n_kish)
    e, f = (
        survey.quantile(d, y[r], 0.5, domain[:, r]) for d, r in ((everybody, rows), (some, known))
    )
    close(e.estimate, f.estimate)
    close(e.interval.low, f.interval.low)


@given(surveys(), st.integers(-50, 50), st.sampled_from([0.01, 2, 1000]))
@settings(deadline=None)
def test_shift_and_unit_of_y(data, shift, unit):
    strata, weights, population, y, domain = data
    d = sample(strata, weights, population)
    e, f = survey.mean(d, y, domain), survey.mean(d, unit * (y + shift), domain)
    close(f.estimate, unit * (e.estimate + shift))
    close(f.se / unit, e.se)


@given(surveys())
@settings(deadline=None)
def test_common_factor_of_weights_leaves_means_and_doubles_totals(data):
    strata, weights, population, y, domain = data
    once, twice = sample(strata, weights, population), sample(strata, 2 * weights, population)
    e, f = survey.mean(once, y, domain), survey.mean(twice, y, domain)
    close(f.estimate, e.estimate)
    close(f.se, e.se)
    e, f = survey.total(once, y, domain), survey.total(twice, y, domain)
    close(f.estimate, 2 * e.estimate)
    close(f.se, 2 * e.se)


@given(surveys())
@settings(deadline=None)
def test_many_domains_at_once_equal_one_by_one(data):
    strata, weights, population, y, domain = data
    d = sample(strata, weights, population)
    for verb in (survey.mean, survey.total):
        together = verb(d, y, domain)
        for i, mask in enumerate(domain):
            alone = verb(d, y, mask)
            assert alone.estimate.shape == ()
            for field in ("estimate", "se", "n", "df", "n_kish"):
                close(getattr(together, field)[i], getattr(alone, field))


@given(surveys())
@settings(deadline=None)
def test_parts_of_a_whole_add_up(data):
    strata, weights, population, y, domain = data
    d, y = sample(strata, weights, population), np.nan_to_num(y)
    inside = survey.total(d, y, domain).estimate
    outside = survey.total(d, y, ~domain).estimate
    close(np.nan_to_num(inside) + np.nan_to_num(outside), survey.total(d, y).estimate)


def test_a_study_takes_well_under_a_second():
    rng = np.random.default_rng(1)
    n, groups = 300, rng.integers(0, 30, 300)
    domains = groups == np.arange(30)[:, None]
    d = sample(rng.integers(0, 12, n), np.full(n, 2.0))
    items = rng.normal(size=(30 * 4, n))
    start = time.process_time()
    for y in items:
        survey.t_interval(survey.mean(d, y, domains))
    assert time.process_time() - start < 0.7  # 3,600 estimates; about 0.15 s on two cores


@given(surveys())
@settings(deadline=None)
def test_a_balance_is_the_difference_of_its_shares(data):
    strata, weights, population, y, domain = data
    d = sample(strata, weights, population)
    answers = np.sign(y - 10)
    e = survey.balance(d, answers, domain)
    direct = survey.difference(e.up, e.down)
    close(e.estimate, direct.estimate)
    close(e.se, direct.se)
    mean = survey.mean(d, answers, domain)
    for field in ("estimate", "se", "n", "df", "n_kish"):
        close(getattr(e, field), getattr(mean, field))

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import betaincinv, stdtrit

from pipeline import survey
from pipeline.survey.adjustments import Calibration
from pipeline.survey.design import Stage
from pipeline.survey.intervals import settled

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "statistics"


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


def test_logit_and_asin_by_hand():
    # 8 of 40, no correction: p = 0.2, se = sqrt(0.16 / 39) = 0.06405126, t(39) = 2.0226909.
    # logit: log(0.25) ± t se / 0.16 = -1.3862944 ± 0.8097245: 1 / (1 + e^2.1960189) and so on
    # asin: asin(sqrt(0.2)) = 0.4636476 ± t se / (2 * 0.4) = 0.1619449: sin^2 of both
    d = survey.Design.from_sample(np.arange(40), np.zeros(40), np.ones(40))
    e = survey.share(d, ones(8, 40))
    assert list(map(float, survey.share_interval(e, method="logit"))) == pytest.approx(
        [1 / (1 + np.exp(2.1960189)), 1 / (1 + np.exp(0.5765699))], rel=1e-6
    )
    assert list(map(float, survey.share_interval(e, method="asin"))) == pytest.approx(
        [np.sin(0.3017027) ** 2, np.sin(0.6255925) ** 2], rel=1e-6
    )


@pytest.mark.parametrize("method", ["logit", "asin"])
def test_without_spread_every_interval_is_the_beta_interval(method):
    d = survey.Design.from_sample(np.arange(30), np.zeros(30), np.ones(30))
    e = survey.share(d, np.array([ones(0, 30), ones(30, 30), ones(3, 30)]))
    beta, other = survey.share_interval(e), survey.share_interval(e, method=method)
    np.testing.assert_array_equal(np.array(other)[:, :2], np.array(beta)[:, :2])
    assert (other.low[2], other.high[2]) != (beta.low[2], beta.high[2])
    assert 0 <= other.low[2] < 0.1 < other.high[2] < 0.3


def test_asin_ends_at_zero_and_does_not_come_back():
    # 1 of 12: asin(sqrt(1/12)) = 0.293 is less than t se / (2 sqrt(p (1 - p))) = 2.201 / 6.633
    d = survey.Design.from_sample(np.arange(12), np.zeros(12), np.ones(12))
    assert float(survey.share_interval(survey.share(d, ones(1, 12)), method="asin").low) == 0


def test_an_unknown_interval_is_named():
    e = survey.share(census(4, 8), ones(1, 4))
    with pytest.raises(ValueError, match=r"no interval 'wald' for a share; take one of \('beta'"):
        survey.share_interval(e, method="wald")


def calibrated(d, groups, counts):
    """Calibrate a design of one stratum to the counts of groups 0, 1, ..."""
    after = (np.array(counts) / np.bincount(groups))[groups]
    return d.adjusted(after, Calibration(d.weights, after, np.eye(len(counts))[groups]))


@pytest.mark.parametrize("method", ["beta", "logit", "asin"])
def test_share_of_a_calibrated_category_is_known(method):
    groups = np.arange(30) % 3
    d = calibrated(census(30, 90), groups, [45.0, 27.0, 18.0])
    e = survey.share(d, (groups == np.arange(3)[:, None]).astype(float))
    assert settled(e).all()
    low, high = survey.share_interval(e, method=method)
    np.testing.assert_allclose([low, high], [[0.5, 0.3, 0.2]] * 2, rtol=1e-12)
    b = survey.balance(d, np.array([1, 0, -1])[groups])
    np.testing.assert_allclose(survey.balance_interval(b), [0.3, 0.3], rtol=1e-12)


def test_calibration_makes_nothing_known_that_it_does_not_fix():
    groups = np.arange(30) % 3
    d = calibrated(census(30, 90), groups, [45.0, 27.0, 18.0])
    plain = census(30, 90)
    none = survey.share(d, ones(0, 30))
    assert not settled(none)
    low, high = survey.share_interval(none)  # 0 of 30 says the same as without calibration, or less
    assert low == 0
    assert high >= survey.share_interval(survey.share(plain, ones(0, 30))).high > 0.05
    some = survey.share_interval(survey.share(d, ones(10, 30)))
    assert some.low < 0.3 < some.high
    # Answered by some only: the answers of the others are not known, though their group's count is.
    item = survey.share(d, np.where(np.arange(30) < 20, groups == 0, np.nan))
    assert not settled(item)
    assert survey.share_interval(item).low < item.estimate < survey.share_interval(item).high


def test_strata_that_explain_all_are_not_known_when_calibrated_on_something_else():
    plain = survey.Design.from_frame(np.arange(80), np.arange(80) % 2, np.arange(80) < 20)
    groups = np.arange(20) // 10
    d = plain.adjusted(plain.weights, Calibration(plain.weights, plain.weights, np.eye(2)[groups]))
    e = survey.share(d, d.codes.astype(float))
    low, high = survey.share_interval(e)
    assert not settled(e)
    assert 0.2 < float(low) < 0.4
    assert 0.6 < float(high) < 0.8


def test_clusters_count_as_units_and_rows_as_answers():
    # 6 clusters of 5 rows: df = 5, whatever the rows; all rows of a cluster answer alike.
    clusters = np.repeat(np.arange(6), 5)
    d = survey.Design.from_stages([Stage(clusters)], np.ones(30))
    e = survey.share(d, (clusters < 2).astype(float))
    assert (int(e.n), int(e.df)) == (30, 5)
    # var = 6/5 sum(z^2) with z = 5 (y - 1/3) / 30: (2 * 4/9 + 4 * 1/9) / 36 * 6/5 = 2/45
    assert float(e.se) ** 2 == pytest.approx(2 / 45, rel=1e-12)
    low, high = survey.t_interval(e)
    assert float(high - low) == pytest.approx(2 * 2.5705818356363146 * np.sqrt(2 / 45), rel=1e-9)
    size = (2 / 9) / (2 / 45) * (stdtrit(29, 0.025) / stdtrit(5, 0.025)) ** 2
    low, high = survey.share_interval(e)
    assert float(low) == pytest.approx(betaincinv(size / 3, size * 2 / 3 + 1, 0.025), rel=1e-10)
    assert float(high) == pytest.approx(betaincinv(size / 3 + 1, size * 2 / 3, 0.975), rel=1e-10)
    # 0 of n: six clusters are six units.
    _, high = survey.share_interval(survey.share(d, np.zeros(30)))
    assert float(high) == pytest.approx(1 - 0.025 ** (1 / 6), rel=1e-10)
    b = survey.balance(d, np.where(clusters < 2, 1, np.where(clusters < 3, -1, 0)))
    low, high = survey.balance_interval(b)
    assert -1 <= low < float(b.estimate) < high <= 1


# R survey 4.1-1 on made-up numbers that R and Python make alike: estimate, se, low, high.
R_SHARES = {
    "element": {
        "logit": (0.04375, 0.018798358455983558, 0.018075316591346202, 0.10210162804498396),
        "asin": (0.04375, 0.018798358455983558, 0.013768709691273338, 0.089507374725908181),
        "beta": (0.04375, 0.018798358455983558, 0.014683723272994612, 0.097973912840828792),
        0.8: (0.04375, 0.018798358455983558, 0.024823087171714588, 0.075983705127738208),
    },
    "clusters": {
        "logit": (0.04375, 0.026334803608599702, 0.011475006721109328, 0.1527733292682418),
        "asin": (0.04375, 0.026334803608599702, 0.00495602356300594, 0.11821400264525117),
        "beta": (0.04375, 0.026334803608599702, 0.0064690390950628814, 0.13983953738148802),
        0.8: (0.04375, 0.026334803608599702, 0.019110220696763675, 0.097016890705323822),
    },
    "domain of clusters": {
        "logit": (3.5 / 47, 0.042121104469862253, 0.019792046199569445, 0.24277757452972687),
        "asin": (3.5 / 47, 0.042121104469862253, 0.008983014155122834, 0.19539566852391055),
        "beta": (3.5 / 47, 0.042121104469862253, 0.012056522008315402, 0.22300185203520928),
        0.8: (3.5 / 47, 0.042121104469862253, 0.033400376420611638, 0.15778808836162012),
    },
}


@pytest.mark.parametrize("case", R_SHARES)
def test_intervals_of_shares_equal_r(case):
    i = np.arange(40)
    y, w = ((i * i * 7) % 41 < 6).astype(float), 1 + (i % 5) / 2
    if case == "element":
        d = survey.Design.from_sample(i, i % 3, w, {0: 40.0, 1: 25.0, 2: 60.0})
    else:
        d = survey.Design.from_stages([Stage((i // 3) % 5, i % 3)], w)
    e = survey.share(d, y, i % 7 < 4 if "domain" in case else None)
    for method, expected in R_SHARES[case].items():
        level, name = (0.8, "logit") if method == 0.8 else (0.95, method)
        interval = survey.share_interval(e, level, name)
        got = [float(e.estimate), float(e.se), *map(float, interval)]
        assert got == pytest.approx(expected, rel=1e-12)


def reference():
    path = FOLDER / "oracle.json"
    items = json.loads(path.read_text())["items"] if path.exists() else []
    return {item["id"]: item["values"][0] for item in items if "svyciprop" in item["call"]}


ITEMS = reference()


def read(name):
    return pd.read_csv(FOLDER / "data" / f"{name}.csv")


def strat():
    data = read("apistrat")
    sizes = data.groupby("stype")["fpc"].first().to_dict()
    d = survey.Design.from_sample(data.index, data["stype"], data["pw"], sizes)
    return d, (data["sch.wide"] == "Yes").astype(float), None


def clus1():
    data = read("apiclus1")
    d = survey.Design.from_stages([Stage(data["dnum"], None, data["fpc"])], data["pw"])
    return d, (data["ell"] == 0).astype(float), None


def nhanes():
    data = read("nhanes")
    d = survey.Design.from_stages([Stage(data["SDMVPSU"], data["SDMVSTRA"])], data["WTMEC2YR"])
    return d, data["HI_CHOL"].fillna(0), data["HI_CHOL"].notna()


def yrbs():
    data = read("yrbs")
    d = survey.Design.from_stages([Stage(data["psu"], data["stratum"])], data["weight"])
    return d, (data["qn8"] == 2).astype(float), data["qn8"].notna()


def firms():
    data = read("firms")
    sizes = data.groupby("stratum")["N_h"].first().to_dict()
    d = survey.Design.from_sample(data.index, data["stratum"], data["w0"], sizes)
    return d, data["cloud"], None


CASES = [
    ("strat.ciprop.logit", strat, "logit"),
    ("strat.ciprop.asin", strat, "asin"),
    ("clus1.ciprop.beta", clus1, "beta"),
    ("clus1.ciprop.xlogit", clus1, "logit"),
    ("nhanes.ciprop.logit", nhanes, "logit"),
    ("yrbs.ciprop.xlogit", yrbs, "logit"),
    ("yrbs.ciprop.mean", yrbs, "t"),
    ("firms.df0.ciprop", firms, "logit"),
]


@pytest.mark.skipif(not ITEMS, reason="reference results of R are not there")
@pytest.mark.parametrize(("name", "data", "method"), CASES)
def test_intervals_of_shares_equal_the_reference(name, data, method):
    """R counts the df of the whole design also where it leaves missing answers out."""
    d, y, answered = data()
    e = survey.share(d, y, answered)
    e = replace(e, df=survey.share(d, y).df)
    low, high = survey.t_interval(e) if method == "t" else survey.share_interval(e, 0.95, method)
    tolerance = 1e-9 if name.endswith("logit") or "df0" in name else 1e-10  # there R iterates
    expected = [ITEMS[name][key] for key in ("estimate", "se", "lower", "upper")]
    assert [float(e.estimate), float(e.se)] == pytest.approx(expected[:2], rel=tolerance)
    assert [float(low), float(high)] == pytest.approx(expected[2:], rel=tolerance)


def test_the_difference_of_two_shares_by_hand():
    # Shares .5 and .2, each with its own beta ends; apart (no unit in both), so r = 0:
    # low = .3 - sqrt((.5 - l1)^2 + (u2 - .2)^2), high = .3 + sqrt((u1 - .5)^2 + (.2 - l2)^2).
    d = survey.Design.from_sample(np.arange(40), np.arange(40) % 2, np.ones(40))
    y = np.r_[np.tile([1.0, 1, 0, 0], 5), np.tile([1.0, 0, 0, 0, 0], 4)]
    first, second = np.arange(40) < 20, np.arange(40) >= 20
    a, b = survey.share(d, y, first), survey.share(d, y, second)
    (l1, u1), (l2, u2) = survey.share_interval(a), survey.share_interval(b)
    r = float(survey.covariance(a, b) / (a.se * b.se))
    found = survey.share_difference_interval(a, b)
    x, z = 0.5 - l1, u2 - 0.2
    assert float(found.low) == pytest.approx(0.3 - np.sqrt(x**2 + z**2 - 2 * r * x * z), rel=1e-12)
    x, z = u1 - 0.5, 0.2 - l2
    assert float(found.high) == pytest.approx(0.3 + np.sqrt(x**2 + z**2 - 2 * r * x * z), rel=1e-12)


def test_no_answer_says_yes_in_either_wave_and_the_change_is_still_not_sure():
    register = np.arange(40)
    waves = [
        survey.Design.from_frame(register, np.zeros(40), (register + shift) % 2 == 0)
        for shift in (0, 1)
    ]
    before, after = (survey.share(d, np.zeros(20)) for d in waves)
    low, high = survey.share_difference_interval(after, before)
    assert float(survey.change(before, after).se) == 0
    assert -0.5 < float(low) < -0.05
    assert 0.05 < float(high) < 0.5


def test_where_all_answered_the_difference_of_shares_is_known():
    d = survey.Design.from_frame(np.arange(8), np.zeros(8), np.ones(8, dtype=bool))
    y = np.array([1.0, 1, 0, 0, 1, 0, 0, 0])
    half = np.arange(8) < 4
    ends = survey.share_difference_interval(survey.share(d, y, half), survey.share(d, y, ~half))
    assert [float(end) for end in ends] == [0.25, 0.25]

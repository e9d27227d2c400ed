import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import stdtrit

from pipeline import survey
from pipeline.survey.adjustments import Calibration, Raking
from pipeline.survey.design import Stage
from pipeline.survey.quantiles import gap, position, quantile

NAN = np.nan
FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "statistics"
RULES = ["math", "school", "shahvaish", *(f"hf{i}" for i in range(1, 10))]
QUARTILES = [0.25, 0.5, 0.75]


def sample(weights, strata=None, population=None):
    n = len(weights)
    return survey.Design.from_sample(
        np.arange(n), np.zeros(n) if strata is None else strata, weights, population
    )


def census(n, size):
    return survey.Design.from_frame(np.arange(size), np.zeros(size), np.arange(size) < n)


def ends(q):
    return q.interval.low, q.interval.high


# Points of the distribution: y = 1 2 3 4 with weights 1 2 3 4, so F = 0.1 0.3 0.6 1.


@pytest.mark.parametrize(
    ("rule", "p", "expected"),
    [
        ("math", 0.3, 2),  # F(2) = 0.3
        ("math", 0.31, 3),
        ("hf1", 0.05, 1),  # below the first unit's share: the least value
        ("school", 0.3, 2.5),
        ("hf2", 0.31, 3),
        ("hf3", 0.3, 2),  # F(2) = 0.3 and 2 is the second value
        ("hf3", 0.1, 2),  # F(1) = 0.1 but 1 is the first value
        ("hf4", 0.2, 1.5),  # half-way from 0.1 to 0.3
        ("hf4", 0.05, 1),
        ("hf5", 0.325, 2.5),  # points 0.05 0.2 0.45 0.8
        ("hf6", 4.5 / 14, 2.5),  # points 1 3 6 10, of 10 + 4
        ("hf7", 2 / 6, 2.5),  # points 0 1 3 6, of 10 - 4
        ("hf8", (5 / 3 + 2) / (34 / 3), 2.5),  # points 2/3 7/3 5 26/3, of 10 + 4/3
        ("hf9", (3.5 * 5 / 8 + 3 / 8 + 1.25) / 11, 2.0 + 1.4375 / 2.625),
        ("shahvaish", 0.46, 3),  # w = 0.4 0.8 1.2 1.6: points 0.14 0.26 0.46 0.74
        ("shahvaish", 0.45, 2),
        ("shahvaish", 0.1, 1),
    ],
)
def test_rules_by_hand(rule, p, expected):
    # hf9: points (5/8 cum + 3/8 before) / 11: 0.625 2.25 4.875 8.75; p = 3.6875 / 11 is
    # (3.6875 - 2.25) / 2.625 of the way from 2 to 3
    p = 3.6875 / 11 if rule == "hf9" else p
    q = quantile(sample([4.0, 2.0, 3.0, 1.0]), [4, 2, 3, 1], p, rule=rule)
    assert float(q.estimate) == pytest.approx(expected, rel=1e-14)


NUMPY = {
    "hf1": "inverted_cdf",
    "hf2": "averaged_inverted_cdf",
    "hf4": "interpolated_inverted_cdf",
    "hf5": "hazen",
    "hf6": "weibull",
    "hf7": "linear",
    "hf8": "median_unbiased",
    "hf9": "normal_unbiased",
}
values = st.lists(st.integers(-8, 8), min_size=1, max_size=33)
dyadic = st.integers(1, 31).map(lambda i: i / 32)


@given(values, dyadic, st.sampled_from(list(NUMPY)), st.sampled_from([1.0, 0.3, 7.0]))
@settings(deadline=None)
def test_equal_weights_are_no_weights(y, p, rule, weight):
    q = quantile(sample(np.full(len(y), weight)), y, p, rule=rule)
    expected = np.quantile(np.array(y, dtype=float), p, method=NUMPY[rule])
    assert float(q.estimate) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(values, st.data(), dyadic, st.sampled_from([("math", "hf1"), ("school", "hf2")]))
@settings(deadline=None)
def test_whole_weights_are_repetitions(y, data, p, rules):
    weights = np.array(data.draw(st.lists(st.integers(0, 4), min_size=len(y), max_size=len(y))))
    if weights.sum() == 0:
        weights += 1
    q = quantile(sample(weights.astype(float)), y, p, rule=rules[0])
    expected = np.quantile(np.repeat(y, weights).astype(float), p, method=NUMPY[rules[1]])
    assert float(q.estimate) == expected


@st.composite
def surveys(draw):
    n = draw(st.integers(2, 30))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    y = rng.integers(0, draw(st.sampled_from([3, 12, 1000])), n).astype(float)
    strata = rng.integers(0, 3, n)
    return y, rng.integers(1, 9, n) / 2, strata, dict.fromkeys(range(3), 3.0 * n)


methods = st.sampled_from(["mean", "beta", "logit", "score"])


@given(surveys(), st.sampled_from(RULES))
@settings(deadline=None)
def test_grows_with_p(data, rule):
    y, w, strata, population = data
    q = quantile(sample(w, strata, population), y, np.linspace(0.02, 0.98, 25), rule=rule)
    assert (np.diff(q.estimate) >= -1e-12).all()
    assert y.min() <= q.estimate[0] <= q.estimate[-1] <= y.max()


@given(surveys(), st.sampled_from(RULES), methods)
@settings(deadline=None)
def test_scale_of_y_and_of_weights(data, rule, method):
    y, w, strata, population = data
    plain = quantile(sample(w, strata, population), y, QUARTILES, rule=rule, interval=method)
    moved = quantile(
        sample(3 * w, strata, population), 4 * y - 8, QUARTILES, rule=rule, interval=method
    )
    np.testing.assert_allclose(moved.estimate, 4 * plain.estimate - 8, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(moved.se, 4 * plain.se, rtol=1e-12, atol=1e-12)
    for a, b in zip(moved.interval, plain.interval, strict=True):
        np.testing.assert_allclose(a, 4 * b - 8, rtol=1e-12, atol=1e-12)


@given(surveys(), st.sampled_from(["math", "school", "hf1", "hf2", "hf3"]), methods)
@settings(deadline=None)
def test_order_of_rows_does_not_matter(data, rule, method):
    y, w, strata, population = data
    turned = np.random.default_rng(1).permutation(len(y))
    a = quantile(sample(w, strata, population), y, QUARTILES, rule=rule, interval=method)
    b = quantile(
        sample(w[turned], strata[turned], population),
        y[turned],
        QUARTILES,
        rule=rule,
        interval=method,
    )
    np.testing.assert_array_equal(a.estimate, b.estimate)
    np.testing.assert_array_equal(a.interval, b.interval)


@given(surveys(), methods)
@settings(deadline=None)
def test_standard_error_is_that_of_the_influence(data, method):
    y, w, strata, population = data
    q = quantile(sample(w, strata, population), y, QUARTILES, interval=method)
    again = survey.contrast([q], [1])
    told = ~np.isnan(again.se)
    np.testing.assert_allclose(again.se[told], q.se[told], rtol=1e-9, atol=1e-12)
    width = q.interval.high - q.interval.low
    np.testing.assert_allclose(q.se, width / (2 * stdtrit(q.df, 0.975)), rtol=1e-12)


def test_woodruff_by_hand():
    # 20 of 60 answer y = 1..20: the median is 10, F = 0.5, s2 = 0.25 * 20/19,
    # se = sqrt((1 - 1/3) * s2 / 20) = 0.0936586; t(19) = 2.0930241: F ± 0.1960299 = 0.304, 0.696:
    # the least y with F >= 0.304 is 7, with F >= 0.696 it is 14.
    q = quantile(census(20, 60), np.arange(1, 21), 0.5)
    assert (float(q.estimate), *map(float, ends(q))) == (10, 7, 14)
    assert float(q.se) == pytest.approx(7 / (2 * 2.093024054408263), rel=1e-12)
    assert (int(q.n), int(q.df)) == (20, 19)


def test_score_by_hand():
    # As above. |F - 0.5| <= t se(F), se^2 = (2/3) F (1 - F) / 19: F = 0.3: 0.2 > 0.1797 (out);
    # F = 0.35: 0.15 <= 0.1870 (in); as F = 0.65; F = 0.7 is out. So from y = 7 to below 14.
    q = quantile(census(20, 60), np.arange(1, 21), 0.5, interval="score")
    assert (float(q.estimate), *map(float, ends(q))) == (10, 7, 14)


def test_score_is_the_set_of_values_not_rejected():
    rng = np.random.default_rng(4)
    for _ in range(20):
        y, w, h = rng.integers(0, 60, 50), rng.uniform(1, 3, 50), rng.integers(0, 3, 50)
        d = sample(w, h, dict.fromkeys(range(3), 90.0))
        grid = np.unique(y)
        at = survey.mean(d, (y <= grid[:, None]).astype(float))
        for p in QUARTILES:
            margin = stdtrit(at.df, 0.975) * at.se
            low = grid[np.flatnonzero(p - at.estimate <= margin)[0]]
            high = grid[np.flatnonzero(at.estimate - p > margin)[0]]
            q = quantile(d, y, p, interval="score")
            assert ends(q) == (low, high)
            assert low <= q.estimate <= high


def test_shapes_are_those_of_the_domains_and_then_of_p():
    d, y = census(12, 30), np.arange(12.0)
    domains = np.array([y < 6, y >= 3])
    assert quantile(d, y, 0.5).estimate.shape == ()
    assert quantile(d, y, QUARTILES).estimate.shape == (3,)
    assert quantile(d, y, 0.5, domains).estimate.shape == (2,)
    both = quantile(d, y, QUARTILES, domains)
    assert both.estimate.tolist() == [[1, 2, 4], [5, 7, 9]]
    for i, domain in enumerate(domains):
        for j, p in enumerate(QUARTILES):
            one = quantile(d, y, p, domain)
            got = (one.se, one.n, one.df, *ends(one))
            expected = [x[i, j] for x in (both.se, both.n, both.df, *ends(both))]
            np.testing.assert_array_equal(np.array(got), expected)
    items = quantile(d, np.array([y, -y]), QUARTILES, domains)
    assert items.estimate[1].tolist() == [-9, -7, -5]


@pytest.mark.parametrize("method", ["mean", "beta", "logit", "score"])
def test_a_bad_domain_is_flagged_and_kills_no_other(method):
    d, y = census(20, 60), np.r_[np.arange(17.0), 5, 5, 5]
    rows = np.arange(20)
    domains = np.array([rows >= 0, rows > 90, rows == 4, rows >= 17, rows < 2])
    q = quantile(d, y, 0.5, domains, interval=method)
    assert q.n.tolist() == [20, 0, 1, 3, 2]
    np.testing.assert_array_equal(q.estimate, [6, NAN, 4, 5, 0])
    assert np.isfinite([q.se[0], *q.interval.low[:1], *q.interval.high[:1]]).all()
    assert np.isnan(q.se[1:4]).all()
    assert np.isnan(q.interval.high[1:4]).all()


def test_strata_that_explain_all_leave_no_standard_error():
    # All of a are at most 5, none of b: F(5) has no spread within strata, but most did not answer.
    d = survey.Design.from_frame(np.arange(80), np.arange(80) % 2, np.arange(80) < 20)
    y = np.where(d.codes == 0, 5.0, 10.0) - np.arange(20) / 20
    q = quantile(d, y, 0.5)
    assert np.isnan([float(q.se), *map(float, ends(q))]).all()
    low, high = ends(quantile(d, y, 0.5, interval="beta"))
    assert low < 5 < high


def test_a_census_knows_its_quantiles():
    for method in ("mean", "beta", "logit", "score"):
        q = quantile(census(9, 9), np.arange(9), [0.1, 0.5, 0.95], rule="school", interval=method)
        assert q.estimate.tolist() == [0, 4, 8]
        assert q.se.tolist() == [0, 0, 0]
        np.testing.assert_array_equal(q.interval, [q.estimate, q.estimate])


def test_no_answer_is_a_phase_of_response():
    # F and its interval are those of survey.mean over the respondents of the item.
    d, y = census(40, 80), np.where(np.arange(40) % 4 == 0, NAN, np.arange(40) % 13)
    q = quantile(d, y, 0.5)
    below = survey.mean(d, np.where(np.isnan(y), NAN, y <= q.estimate))
    low, high = survey.t_interval(below)
    known = np.sort(y[~np.isnan(y)])
    share = np.arange(1, 31) / 30
    assert q.interval.low == known[share >= low][0]
    assert q.interval.high == known[share >= high][0]
    assert int(q.n) == 30


def test_a_calibrated_share_makes_the_quantile_known():
    # The weights meet the counts of y <= 3 and of the rest: F(3) = 0.4 is no estimate.
    y = np.arange(1, 11.0)
    d = census(10, 40)
    low = y <= 3
    after = np.where(low, 16 / 3, 24 / 7)
    fixed = d.adjusted(after, Calibration(d.weights, after, np.column_stack([low, ~low]) * 1.0))
    q = quantile(fixed, y, [0.4, 0.7])
    assert (q.estimate[0], q.se[0], q.interval.low[0], q.interval.high[0]) == (3, 0, 3, 3)
    assert q.se[1] > 0


def test_difference_and_change_have_their_covariance():
    rng = np.random.default_rng(3)
    y = rng.lognormal(size=120)
    first = survey.Design.from_frame(np.arange(120), np.zeros(120), np.arange(120) < 80)
    second = survey.Design.from_frame(np.arange(120), np.zeros(120), np.arange(120) < 100)
    a, b = quantile(first, y[:80], 0.5), quantile(second, 1.1 * y[:100], 0.5)
    assert survey.difference(a, a).se == 0
    together = survey.change(a, b)
    cov = float(survey.covariance(a, b))
    assert cov > 0
    assert float(together.se) ** 2 == pytest.approx(a.se**2 + b.se**2 - 2 * cov, rel=1e-9)


def test_level_of_a_median_and_of_its_change():
    """Census of 250 with item non-response, 300 runs (1.3 points)."""
    rng = np.random.default_rng(9)
    strata = np.repeat([0, 1], [150, 100])
    y = np.array([rng.lognormal(size=250) * (1 + strata), rng.lognormal(size=250)])
    y[1] *= y[0] ** 0.8
    truth = np.median(y, axis=1)
    hits, wide = np.zeros(3), []
    for _ in range(300):
        answers = rng.random((2, 250)) < 0.45
        answers[1] = np.where(rng.random(250) < 0.7, answers[0], answers[1])
        waves = []
        for wave, answered in zip(y, answers, strict=True):
            d = survey.Design.from_frame(np.arange(250), strata, answered)
            item = np.where(rng.random(answered.sum()) < 0.8, wave[answered], NAN)
            waves.append(quantile(d, item, 0.5, rule="school"))
        change = survey.change(*waves)
        wide.append(change.se / np.hypot(waves[0].se, waves[1].se))
        intervals = [*map(ends, waves), survey.t_interval(change)]
        targets = [*truth, truth[1] - truth[0]]
        hits += [low <= t <= high for (low, high), t in zip(intervals, targets, strict=True)]
    assert ((hits / 300 > 0.92) & (hits / 300 < 0.98)).all()
    assert np.mean(wide) < 0.95


def test_position_by_hand():
    # y = 1 2 2 3: below 2 is one of four, two are equal: (1 + 2/2) / 4
    e = position(census(4, 8), [1, 2, 2, 3], [0, 1, 2, 2.5, 3, 4, NAN])
    expected = [0, 0.125, 0.5, 0.75, 0.875, 1, NAN]
    np.testing.assert_array_equal(e.estimate, expected)
    assert e.n.tolist() == [4] * 6 + [0]
    low, high = survey.share_interval(e)
    assert (low[0], high[5]) == (0, 1)
    assert ((low <= e.estimate) & (e.estimate <= high))[:6].all()
    # scores 0 or 1/2 or 1: mean 0.5, s2 = 2 * 0.25 / 3; var = (1 - 4/8) s2 / 4
    assert float(e.se[2]) ** 2 == pytest.approx(0.5 * (0.5 / 3) / 4, rel=1e-12)


@given(surveys(), st.integers(0, 12))
@settings(deadline=None)
def test_positions_seen_from_both_ends_add_up_to_one(data, value):
    y, w, strata, population = data
    d = sample(w, strata, population)
    domains = np.array([y >= 0, strata == strata[0]])
    up, down = position(d, y, [value, value + 1], domains), position(d, -y, [-value, -value - 1])
    assert up.estimate.shape == (2, 2)
    np.testing.assert_allclose(up.estimate[0] + down.estimate, 1, rtol=1e-12)
    np.testing.assert_allclose(up.se[0], down.se, rtol=1e-6, atol=1e-9)


def test_gap_is_the_quantile_moved():
    d, y = census(40, 90), np.random.default_rng(2).lognormal(size=40)
    domains = np.array([y > 0, np.arange(40) < 25])
    q = quantile(d, y, 0.75, domains)
    g = gap(d, y, [1.0, 2.0, 0.5], 0.75, domains)
    assert g.estimate.shape == (2, 3)
    np.testing.assert_allclose(g.estimate, q.estimate[:, None] - [1, 2, 0.5])
    np.testing.assert_allclose(g.interval.low, q.interval.low[:, None] - [1, 2, 0.5])
    np.testing.assert_array_equal(g.se, np.repeat(q.se, 3).reshape(2, 3))
    np.testing.assert_allclose(survey.contrast([g], [1]).se, g.se, rtol=1e-9)
    alone = gap(d, y, 1.0, 0.75)
    assert float(alone.estimate) == pytest.approx(float(quantile(d, y, 0.75).estimate) - 1)


def test_wrong_arguments_are_named():
    d = census(4, 8)
    with pytest.raises(ValueError, match=r"between 0 and 1; got 1\.5"):
        quantile(d, [1, 2, 3, 4], 1.5)
    with pytest.raises(ValueError, match="no rule 'type7'"):
        quantile(d, [1, 2, 3, 4], 0.5, rule="type7")
    with pytest.raises(ValueError, match="no interval 'wald'"):
        quantile(d, [1, 2, 3, 4], 0.5, interval="wald")


# R survey 4.1-1 on made-up numbers that R and Python make alike. The weights of "shahvaish" are
# divided by their mean before, as R takes them as they are.


def made_up():
    i = np.arange(40)
    frame = pd.DataFrame({"h": i % 3, "y": (i * i * 7) % 41, "w": 1 + (i % 5) / 2, "d": i % 7 < 4})
    element = sample(frame["w"].to_numpy(), frame["h"], {0: 40.0, 1: 25.0, 2: 60.0})
    clusters = survey.Design.from_stages([Stage((i // 3) % 5, frame["h"])], frame["w"].to_numpy())
    return frame, element, clusters


R_RULES = {
    "math": [11, 14, 22, 29, 35],
    "school": [11, 14, 23, 29.5, 35],
    "hf1": [11, 14, 22, 29, 35],
    "hf2": [11, 14, 23, 29.5, 35],
    "hf3": [11, 14, 22, 30, 35],
    "hf4": [9.0000000000000018, 14.000000000000002, 22, 29, 34.799999999999997],
    "hf5": [11, 14, 23.111111111111114, 29.25, 35],
    "hf6": [10.000000000000002, 14, 23.250000000000004, 29.625, 35],
    "hf7": [11, 14, 23, 29, 34.875],
    "hf8": [10.714285714285712, 14, 23.153846153846146, 29.410714285714281, 35],
    "hf9": [10.789473684210527, 14, 23.142857142857142, 29.375, 35],
    "shahvaish": [7, 14, 22, 29, 35],
}
R_INTERVALS = {  # quartiles: se, low, high; then of the domain d
    ("element", "mean"): [
        (1.4806095939746378, 13, 19, 2.4676826566243961, 17, 27, 1.7273778596370775, 27, 34),
        (2.8851510174407808, 17, 29, 2.6447217659873825, 24, 35),
    ],
    ("element", "beta"): [
        (1.4806095939746378, 13, 19, 2.4676826566243961, 17, 27, 1.9741461252995169, 26, 34),
        (3.3660095203475779, 15, 29, 2.8851510174407808, 22, 34),
    ],
    ("element", "logit"): [
        (1.4806095939746378, 13, 19, 2.4676826566243961, 17, 27, 1.9741461252995169, 26, 34),
        (2.6447217659873825, 17, 28, 2.8851510174407808, 22, 34),
    ],
    ("clusters", "mean"): [
        (2.5243104525137290, 11, 22, 2.2948276841033901, 17, 27, 2.0653449156930512, 26, 35),
        (1.9892517080615504, 19, 28, 2.4313076431863396, 24, 35),
    ],
    ("clusters", "beta"): [
        (2.2948276841033901, 12, 22, 2.2948276841033901, 17, 27, 1.8358621472827121, 26, 34),
        (1.9892517080615504, 19, 28, 2.8733635783111287, 22, 35),
    ],
    ("clusters", "logit"): [
        (2.2948276841033901, 12, 22, 2.2948276841033901, 17, 27, 1.8358621472827121, 26, 34),
        (1.9892517080615504, 19, 28, 2.6523356107487341, 22, 34),
    ],
}


@pytest.mark.parametrize("rule", RULES)
def test_rules_equal_r(rule):
    frame, element, _ = made_up()
    q = quantile(element, frame["y"], [0.1, 0.25, 0.5, 0.75, 0.9], rule=rule)
    np.testing.assert_allclose(q.estimate, R_RULES[rule], rtol=1e-14)


@pytest.mark.parametrize("case", R_INTERVALS)
def test_intervals_equal_r(case):
    frame, element, clusters = made_up()
    d = element if case[0] == "element" else clusters
    whole, part = R_INTERVALS[case]
    for p, domain, expected in ((QUARTILES, None, whole), ([0.5, 0.75], frame["d"], part)):
        q = quantile(d, frame["y"], p, domain, interval=case[1])
        np.testing.assert_allclose(
            np.column_stack([q.se, *q.interval]).ravel(), expected, rtol=1e-12
        )


# The reference results.


def reference():
    path = FOLDER / "oracle.json"
    items = json.loads(path.read_text())["items"] if path.exists() else []
    return {item["id"]: item for item in items if "svyquantile" in item["call"]}


ITEMS = reference()
needs_reference = pytest.mark.skipif(not ITEMS, reason="reference results of R are not there")


def design_of(item):
    data = pd.read_csv(FOLDER / "data" / f"{item['dataset']}.csv")
    strata, weights, fpc = re.search(
        r"strata=~(\w+), weights=~(\w+).*fpc=~(\w+)", item["design"].partition(";")[0]
    ).groups()
    sizes = data.groupby(strata)[fpc].first().to_dict()
    d = sample(data[weights].to_numpy(), data[strata], sizes)
    if ";" in item["design"]:
        codes = [pd.factorize(data[name])[0] for name in ("sector", "size", "region")]
        adjusted = pd.read_csv(FOLDER / "data" / "firms_weights.csv")
        if "rake" in item["design"]:
            after = adjusted["w_rake"].to_numpy()
            return data, d.adjusted(after, Raking(after, tuple(codes)))
        after = adjusted["w_logit"].to_numpy()
        columns = [np.eye(c.max() + 1)[c] for c in codes] + [data[["emp"]].to_numpy(float)]
        return data, d.adjusted(after, Calibration(d.weights, after, np.hstack(columns)))
    return data, d


def r_position(d, y, p, end):
    """The share R takes for the end of "score": without weights, just below or at the end.

    R looks for the root of a step; it comes out on that side of the step that is nearer to 0.
    """
    grid = np.unique(y)
    j = int(np.searchsorted(grid, end))
    at = survey.mean(d, (y <= grid[j - 1 : j + 1, None]).astype(float))
    side = 1 if end < quantile(d, y, p).estimate else -1
    miss = np.abs((p - at.estimate) / at.se - side * stdtrit(at.df, 0.975))
    return np.mean(y <= grid[j - 1 + int(miss[1] <= miss[0])])


@needs_reference
@pytest.mark.parametrize("name", [n for n in ITEMS if "qrule" not in n and "median" not in n])
def test_quantiles_equal_the_reference(name):
    item = ITEMS[name]
    data, d = design_of(item)
    y = data[name.split(".")[-1]].to_numpy(float)
    method = re.search(r"interval.type='(\w+)'|$", item["call"])[1] or "mean"
    method = {"xlogit": "logit"}.get(method, method)
    p = [float(value["label"][1:]) for value in item["values"]]
    q = quantile(d, y, p, interval=method)
    for j, value in enumerate(item["values"]):
        low, high, se = q.interval.low[j], q.interval.high[j], q.se[j]
        if method == "score":  # not ours, but what R makes of it
            shares = [r_position(d, y, p[j], end) for end in (low, high)]
            low, high = quantile(d, y, shares).estimate
            se = (high - low) / (2 * stdtrit(q.df[j], 0.975))
        assert q.estimate[j] == pytest.approx(value["estimate"], rel=1e-10)
        assert se == pytest.approx(value["se"], rel=1e-10)
        assert (low, high) == pytest.approx((value["lower"], value["upper"]), rel=1e-10)


R_ENROLL = {  # R at p = 0.1, 0.25, 0.5, 0.75, 0.9; "shahvaish" with weights of mean 1
    "math": [262, 334, 446, 660, 1139],
    "school": [262, 334, 446, 660, 1139],
    "shahvaish": [256, 332, 446, 655, 1139],
    "hf1": [262, 334, 446, 660, 1139],
    "hf2": [262, 334, 446, 660, 1139],
    "hf3": [262, 334, 446, 660, 1139],
    "hf4": [259.151324, 332.3985532, 446, 655.1572086, 1118.650363],
    "hf5": [262, 333.3985532, 446.081091, 657.6572086, 1131.463084],
    "hf6": [259.356255, 332.569329, 446, 656.4380275, 1139.137098],
    "hf7": [262, 334, 446.4103152, 658.8763897, 1125.613481],
    "hf8": [261.2196343, 333.1221451, 446, 657.2508149, 1133.81866],
    "hf9": [261.4525567, 333.1912471, 446, 657.3524133, 1133.207086],
}


@needs_reference
@pytest.mark.parametrize("rule", RULES)
def test_rules_equal_the_reference(rule):
    """The reference has the first value five times over: it is that of p = 0.1."""
    item = ITEMS.get(f"strat.quantile.qrule.{rule}")
    data, d = design_of(item or ITEMS["strat.quantile.qrule.math"])
    y = data["enroll"].to_numpy(float)
    q = quantile(d, y, [0.1, 0.25, 0.5, 0.75, 0.9], rule=rule)
    np.testing.assert_allclose(q.estimate, R_ENROLL[rule], rtol=1e-9)
    if item and rule == "shahvaish":
        # R takes the weights as they are, which moves its points.
        order = np.argsort(y, kind="stable")
        w = data["pw"].to_numpy()[order]
        points = (np.cumsum(w / w.mean()) + 0.5 - w / 2) / 201
        assert y[order][np.flatnonzero(points <= 0.1)[-1]] == item["values"][0]["estimate"]
    elif item:
        assert q.estimate[0] == pytest.approx(item["values"][0]["estimate"], rel=1e-10)


@needs_reference
def test_medians_of_domains_equal_the_reference():
    item = ITEMS["strat.by.median"]
    data, d = design_of(item)
    labels = [value["label"] for value in item["values"]]
    q = quantile(d, data["enroll"], 0.5, [data["awards"] == label for label in labels])
    for j, value in enumerate(item["values"]):
        got = (q.estimate[j], q.se[j], q.interval.low[j], q.interval.high[j])
        expected = [value[key] for key in ("estimate", "se", "lower", "upper")]
        assert got == pytest.approx(expected, rel=1e-10)

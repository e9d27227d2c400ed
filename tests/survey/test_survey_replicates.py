"""Replicate weights: by hand, against R's definitions, and the jackknife against linearisation."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import survey
from pipeline.survey.adjustments import Calibration
from pipeline.survey.design import Stage
from pipeline.survey.replicates import Replicates, jackknife, replicate


def total_of(y):
    return lambda w: w @ np.asarray(y, dtype=float)


def test_two_half_samples_by_hand():
    # One stratum of 2 units, y = 3 and 7: total 10, replicates 2*3 = 6 and 2*7 = 14.
    # BRR: scale 1/2, centre (6 + 14)/2 = 10: 1/2 (16 + 16) = 16, the textbook's (7 - 3)^2.
    r = Replicates.of_kind("BRR", [1.0, 1.0], [[2.0, 0.0], [0.0, 2.0]])
    e = replicate(r, total_of([3, 7]))
    assert (float(e.estimate), float(e.se), float(e.df)) == (10.0, 4.0, 1.0)


def test_fay_undoes_its_perturbation():
    # Weights 1.7 and 0.3: replicates 1.7*3 + 0.3*7 = 7.2 and 12.8; 2 * 2.8^2 / (2 * 0.7^2) = 16.
    r = Replicates.of_kind("Fay", [1.0, 1.0], [[1.7, 0.3], [0.3, 1.7]], rho=0.3)
    assert float(replicate(r, total_of([3, 7])).se) == pytest.approx(4.0, rel=1e-14)


def test_jk1_by_hand():
    # y = 1, 2, 6 with weight 1: replicates 1.5 * (8, 7, 3) = 12, 10.5, 4.5, their mean 9.
    # 2/3 (9 + 2.25 + 20.25) = 21 = n s^2 = 3 * 7.
    columns = 1.5 * (1 - np.eye(3))
    r = Replicates.of_kind("JK1", np.ones(3), columns)
    assert float(replicate(r, total_of([1, 2, 6])).se) ** 2 == pytest.approx(21, rel=1e-14)


def test_bootstrap_by_hand_and_mse():
    # Replicates of the total of y = 1, 3: 2, 4, 6 (mean 4), scale 1/2: (4 + 0 + 4)/2 = 4.
    # From the full estimate, with weights 2.5 and 0.5 instead: t = 4; with (1, 2): t = 7 and
    # (25 + 9 + 1)/2 = 17.5.
    columns = [[2.0, 1.0, 0.0], [0.0, 1.0, 2.0]]
    usual = Replicates.of_kind("bootstrap", [1.0, 1.0], columns)
    assert float(replicate(usual, total_of([1, 3])).se) == 2.0
    shifted = Replicates.of_kind("bootstrap", [1.0, 2.0], columns, mse=True)
    assert float(replicate(shifted, total_of([1, 3])).se) ** 2 == pytest.approx(17.5, rel=1e-14)


def test_rscales_of_zero_count_for_nothing():
    # The third replicate neither enters the sum nor the mean: 1/2 of (1 + 1) around 4.
    columns = np.array([[3.0, 5.0, 900.0]])
    r = Replicates(np.array([4.0]), columns, 0.5, np.array([1.0, 1.0, 0.0]))
    assert float(replicate(r, total_of([1])).se) == 1.0


def test_a_domain_that_a_replicate_loses_has_no_error():
    """The others keep theirs: one bad domain must not spoil the table."""
    r = Replicates.of_kind("JK1", np.ones(3), 1.5 * (1 - np.eye(3)))
    y, domain = np.array([1.0, 2.0, 6.0]), np.array([[1, 1, 1], [1, 0, 0]])

    def means(w):
        with np.errstate(invalid="ignore"):
            return (domain * w) @ y / (domain @ w)

    e = replicate(r, means)
    assert list(e.estimate) == [3, 1]
    assert e.se[0] == pytest.approx(np.sqrt(7 / 3), rel=1e-14)
    assert np.isnan(e.se[1])


def test_covariance_of_several_estimates():
    r = Replicates.of_kind("JK1", np.ones(4), 4 / 3 * (1 - np.eye(4)))
    y = np.array([[1.0, 2.0, 6.0, 7.0], [5.0, 1.0, 0.0, 2.0]])
    e = replicate(r, lambda w: y @ w)
    assert e.covariance == pytest.approx(4 * np.cov(y), rel=1e-13)
    assert e.se**2 == pytest.approx(np.diag(e.covariance), rel=1e-14)


def test_degrees_of_freedom_are_the_rank_less_one():
    # Two strata of two units in half samples of both: the 4 columns have rank 3.
    columns = [[2, 0, 2, 0], [0, 2, 0, 2], [2, 2, 0, 0], [0, 0, 2, 2]]
    assert Replicates.of_kind("BRR", np.ones(4), columns).df == 2
    assert (
        Replicates(np.ones(4), np.array(columns, dtype=float), 0.25, np.ones(4), False, 9).df == 9
    )


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Replicates(np.ones(2), np.ones((3, 2)), 1.0, np.ones(2)), r"\(3, 2\), not \(2, 2"),
        (lambda: Replicates(np.ones(2), np.ones((2, 2)), -1.0, np.ones(2)), "not negative"),
        (lambda: Replicates(np.ones(2), np.full((2, 1), np.nan), 1.0, np.ones(1)), "finite"),
        (lambda: Replicates.of_kind("JKn", np.ones(2), np.ones((2, 2))), "no kind 'JKn'"),
        (lambda: Replicates.of_kind("BRR", np.ones(2), np.ones((2, 2)), rho=0.3), "rho belongs"),
        (lambda: Replicates.of_kind("Fay", np.ones(2), np.ones((2, 2)), rho=1.0), "below 1"),
    ],
)
def test_contradictions_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


# The jackknife of a design.


@st.composite
def designs(draw):
    """Strata of 2 to 6 units of up to 9, some drawn whole, with any weights; two variables."""
    drawn = draw(st.lists(st.integers(2, 6), min_size=1, max_size=4))
    more = draw(st.lists(st.integers(0, 3), min_size=len(drawn), max_size=len(drawn)))
    n = sum(drawn)
    strata = np.repeat(np.arange(len(drawn)), drawn)
    value = st.floats(-100, 100).map(lambda x: round(x, 3))
    column = st.lists(value, min_size=n, max_size=n).map(np.array)
    weights = draw(st.lists(st.floats(1, 9), min_size=n, max_size=n))
    corrected = draw(st.booleans())
    sizes = {h: m + extra for h, (m, extra) in enumerate(zip(drawn, more, strict=True))}
    d = survey.Design.from_sample(np.arange(n), strata, weights, sizes if corrected else None)
    return d, draw(column), draw(column)


@given(designs())
@settings(deadline=None, max_examples=100)
def test_jackknife_of_totals_is_the_linearised_variance(drawn):
    """Exactly, with the correction, and for their covariance too."""
    d, y, x = drawn
    both = replicate(jackknife(d), lambda w: [w @ y, w @ x])
    a, b = survey.total(d, y), survey.total(d, x)
    scale = float(a.se) ** 2 + float(b.se) ** 2 + 1e-6 * d.weights.sum() ** 2
    assert both.covariance[0, 0] == pytest.approx(float(a.se) ** 2, rel=1e-9, abs=1e-9 * scale)
    assert both.covariance[0, 1] == pytest.approx(
        float(survey.covariance(a, b)), rel=1e-9, abs=1e-9 * scale
    )
    assert list(both.df) == [int(a.df)] * 2


def large(seed):
    """4 strata of 40 to 70 units of 60 to 140; x > 0 and y about 2 x."""
    rng = np.random.default_rng(seed)
    drawn, sizes = [40, 50, 60, 70], [60, 120, 140, 90]
    strata = np.repeat(list("abcd"), drawn)
    x = rng.lognormal(3, 0.4, len(strata))
    y = 2 * x + rng.normal(0, 5, len(strata))
    weights = np.repeat(np.array(sizes) / drawn, drawn) * rng.uniform(0.8, 1.2, len(strata))
    population = dict(zip("abcd", sizes, strict=True))
    return survey.Design.from_sample(np.arange(len(x)), strata, weights, population), y, x


@pytest.mark.parametrize("seed", range(5))
def test_jackknife_of_a_ratio_is_close_to_the_linearised(seed):
    d, y, x = large(seed)
    e = replicate(jackknife(d), lambda w: (w @ y) / (w @ x))
    assert float(e.se) == pytest.approx(float(survey.ratio(d, y, x).se), rel=0.01)
    assert float(e.df) == 220 - 4


def linear(d, constraints, totals):
    """Calibrate linearly: w + w x' (sum w x x')^-1 (t - sum w x)."""
    weighted = constraints * d.weights[:, None]
    step = np.linalg.solve(weighted.T @ constraints, totals - weighted.sum(axis=0))
    after = d.weights * (1 + constraints @ step)
    return d.adjusted(after, Calibration(d.weights, after, constraints))


@pytest.mark.parametrize("seed", range(5))
def test_jackknife_that_calibrates_again_is_close_to_the_residuals(seed):
    d, y, x = large(seed)
    constraints = np.column_stack([np.ones(len(x)), x])
    totals = np.array([410.0, 1.02 * d.weights @ x])
    calibrated = linear(d, constraints, totals)
    e = replicate(jackknife(d, lambda each: linear(each, constraints, totals)), total_of(y))
    linearised = survey.total(calibrated, y)
    assert float(e.estimate) == pytest.approx(float(linearised.estimate), rel=1e-12)
    assert float(e.se) == pytest.approx(float(linearised.se), rel=0.03)
    assert float(e.se) < 0.6 * float(survey.total(d, y).se)
    known = replicate(jackknife(d, lambda each: linear(each, constraints, totals)), total_of(x))
    assert float(known.se) == pytest.approx(0, abs=1e-9 * float(known.estimate))


def test_jackknife_leaves_out_clusters():
    clusters = np.array([1, 1, 2, 3, 3, 3, 4, 4])
    y = np.array([1.0, 4, 2, 6, 1, 0, 3, 3])
    d = survey.Design.from_stages([Stage(clusters, population=np.full(8, 9))])
    r = jackknife(d)
    assert r.replicate_weights.shape == (8, 4)
    assert float(replicate(r, total_of(y)).se) == pytest.approx(
        float(survey.total(d, y).se), rel=1e-13
    )


def test_a_census_has_no_error():
    d = survey.Design.from_frame(range(4), list("aabb"), [True] * 4)
    e = replicate(jackknife(d), total_of([1, 2, 3, 9]))
    assert (float(e.estimate), float(e.se), float(e.df)) == (15.0, 0.0, 2.0)


def test_what_a_jackknife_cannot_do_is_refused():
    lonely = survey.Design.from_frame(range(5), list("aabbb"), [True, True, True, False, False])
    with pytest.raises(ValueError, match=r"one unit of several: \['b'\]"):
        jackknife(lonely)
    stages = [
        Stage([1, 1, 2, 2], population=[5, 5, 5, 5]),
        Stage([1, 2, 1, 2], population=[3, 3, 4, 4]),
    ]
    with pytest.raises(ValueError, match="later stages"):
        jackknife(survey.Design.from_stages(stages))
    d, _, x = large(0)
    with pytest.raises(ValueError, match="calibrated already"):
        jackknife(linear(d, x[:, None], np.array([1.02 * d.weights @ x])))


def test_an_estimator_of_the_library_takes_replicate_weights():
    d, y, x = large(1)
    domain = np.array([x > 20, x < 20])
    e = replicate(jackknife(d), lambda w: survey.mean(replace(d, weights=w), y, domain).estimate)
    assert e.se == pytest.approx(survey.mean(d, y, domain).se, rel=0.03)

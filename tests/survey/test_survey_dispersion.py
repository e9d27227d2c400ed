import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import survey
from pipeline.survey.design import Stage
from pipeline.survey.dispersion import design_effect, population_variance

NAN = np.nan
FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "statistics"


def census(n, size):
    return survey.Design.from_frame(np.arange(size), np.zeros(size), np.arange(size) < n)


def test_variance_by_hand():
    # y = 1 2 3 6 with weights 1 1 1 2: mean 18/5 = 3.6, squares 6.76 2.56 0.36 5.76:
    # (6.76 + 2.56 + 0.36 + 11.52) / 5 = 4.24; times 4/3
    d = survey.Design.from_sample(range(4), [0] * 4, [1.0, 1, 1, 2])
    e = population_variance(d, [1, 2, 3, 6])
    assert float(e.estimate) == pytest.approx(4.24 * 4 / 3, rel=1e-14)
    # z = w (square - 4.24) / 5 * 4/3 = (2.52 -1.68 -3.88 3.04) * 4/15, sum 0;
    # var = 4/3 * (4/15)^2 * (6.3504 + 2.8224 + 15.0544 + 9.2416)
    assert float(e.se) ** 2 == pytest.approx(4 / 3 * (4 / 15) ** 2 * 33.4688, rel=1e-12)


def test_variance_of_a_census_is_that_of_its_units():
    y = np.array([2.0, 3.0, 5.0, 9.0])
    e = population_variance(census(4, 4), y)
    assert float(e.estimate) == pytest.approx(y.var(ddof=1), rel=1e-14)
    assert float(e.se) == 0


def test_variance_beside_a_large_mean_keeps_its_digits():
    y = np.random.default_rng(1).normal(size=50)
    near = population_variance(census(50, 90), y)
    far = population_variance(census(50, 90), y + 1e8)
    assert float(far.estimate) == pytest.approx(float(near.estimate), rel=1e-7)
    assert float(far.se) == pytest.approx(float(near.se), rel=1e-6)


def test_domains_too_small_are_flagged_and_kill_no_other():
    d, rows = census(6, 12), np.arange(6)
    y = np.array([1.0, 2, 4, NAN, 7, 7])
    domains = np.array([rows >= 0, rows == 1, rows > 8, rows == 3, rows > 3])
    e = population_variance(d, y, domains)
    assert e.n.tolist() == [5, 1, 0, 0, 2]
    np.testing.assert_allclose(e.estimate, [np.var([1, 2, 4, 7, 7], ddof=1), NAN, NAN, NAN, 0])
    assert np.isnan(e.se[1:4]).all()
    effect = design_effect(d, y, domains)
    assert np.isfinite(effect[0])
    assert np.isnan(effect[1:]).all()


def test_standard_deviation_is_a_function_of_it():
    d, y = census(20, 60), np.random.default_rng(6).lognormal(size=20)
    e = population_variance(d, y)
    s = survey.function([e], np.sqrt)
    assert float(s.se) == pytest.approx(float(e.se) / (2 * np.sqrt(float(e.estimate))), rel=1e-12)


@st.composite
def surveys(draw):
    n = draw(st.integers(3, 25))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    strata = rng.integers(0, 3, n)
    domains = np.array([np.ones(n), rng.integers(0, 2, n)], dtype=bool)
    return rng.integers(0, 20, n) / 4, rng.integers(2, 9, n) / 1, strata, domains


@given(surveys())
@settings(deadline=None)
def test_scale_and_order(data):
    y, w, strata, domains = data
    n = len(y)
    d = survey.Design.from_sample(range(n), strata, w)
    turned = np.random.default_rng(2).permutation(n)
    other = survey.Design.from_sample(range(n), strata[turned], 3 * w[turned])
    a = population_variance(d, y, domains)
    b = population_variance(other, 2 * y[turned] - 7, domains[:, turned])
    np.testing.assert_allclose(b.estimate, 4 * a.estimate, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(b.se, 4 * a.se, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        design_effect(other, 2 * y[turned] - 7, domains[:, turned], replacement=True),
        design_effect(d, y, domains, replacement=True),
        rtol=1e-9,
    )


@pytest.mark.parametrize(("replacement", "expected"), [(False, 1.0), (True, 0.6)])
def test_a_simple_random_sample_has_no_design_effect(replacement, expected):
    # 20 of 50: with replacement the variance is 1 - 20/50 of what it would be.
    y = np.random.default_rng(3).normal(size=20)
    effect = design_effect(census(20, 50), y, replacement=replacement)
    assert float(effect) == pytest.approx(expected, rel=1e-12)


def test_design_effect_of_clusters_by_hand():
    # 3 clusters of 2 equal values, y = 1 1 2 2 6 6, weight 2: mean 3, z = 2 * 2 (y - 3) / 12 =
    # -2/3 -1/3 1: var = 3/2 * (4 + 1 + 9) / 9 = 7/3; S^2 = 6/5 * (8 + 2 + 18) / 6 = 5.6;
    # (1 - 6/12) * 5.6 / 6 = 7/15: 5
    d = survey.Design.from_stages([Stage([1, 1, 2, 2, 3, 3])], np.full(6, 2.0))
    assert float(design_effect(d, [1, 1, 2, 2, 6, 6])) == pytest.approx(5, rel=1e-12)


def test_no_design_effect_without_anything_to_compare_with():
    assert np.isnan(design_effect(census(5, 5), [1, 2, 3, 4, 5]))  # all answered
    assert np.isnan(design_effect(census(5, 9), [0.1] * 5))  # all equal
    shrunken = survey.Design.from_sample(range(4), [0] * 4, [0.5] * 4)
    assert np.isnan(design_effect(shrunken, [1, 2, 3, 4]))  # weights do not count the population
    assert np.isfinite(design_effect(shrunken, [1, 2, 3, 4], replacement=True))


# R survey 4.1-1 on made-up numbers that R and Python make alike: variance, se, both effects.
R = {
    "element": (97.742147435897436, 12.717542127825089, 1.304025695878084, 0.65201284793904202),
    "clusters": (97.742147435897436, 16.926711900204605, 2.0250656055632508, 1.0125328027816254),
    "domain": (105.09937607022654, 21.412439572692076, 1.4366806206935265, 0.70305647395640647),
}


@pytest.mark.parametrize("case", R)
def test_equals_r(case):
    i = np.arange(40)
    y, w = (i * i * 7) % 41, 1 + (i % 5) / 2
    if case == "element":
        d = survey.Design.from_sample(i, i % 3, w, {0: 40.0, 1: 25.0, 2: 60.0})
    else:
        d = survey.Design.from_stages([Stage((i // 3) % 5, i % 3)], w)
    domain = i % 7 < 4 if case == "domain" else None
    e = population_variance(d, y, domain)
    effects = [design_effect(d, y, domain, replacement=r) for r in (False, True)]
    assert [float(x) for x in (e.estimate, e.se, *effects)] == pytest.approx(R[case], rel=1e-12)


needs_reference = pytest.mark.skipif(
    not FOLDER.exists(), reason="reference results of R are not there"
)


def reference(name):
    items = json.loads((FOLDER / "oracle.json").read_text())["items"]
    return next(item for item in items if item["id"] == name)


def read(name):
    data = pd.read_csv(FOLDER / "data" / f"{name}.csv")
    if name == "apistrat":
        sizes = data.groupby("stype")["fpc"].first().to_dict()
        return data, survey.Design.from_sample(data.index, data["stype"], data["pw"], sizes)
    return data, survey.Design.from_stages([Stage(data["dnum"], None, data["fpc"])], data["pw"])


@needs_reference
def test_variance_equals_the_reference():
    data, d = read("apistrat")
    expected = reference("strat.var")["values"][0]
    e = population_variance(d, data["api00"])
    assert float(e.estimate) == pytest.approx(expected["estimate"], rel=1e-10)
    assert float(e.se) == pytest.approx(expected["se"], rel=1e-10)


@needs_reference
@pytest.mark.parametrize("name", ["strat.mean", "strat.mean.deffreplace", "clus1.mean"])
def test_design_effects_equal_the_reference(name):
    item = reference(name)
    data, d = read(item["dataset"])
    assert item["extra"]
    for label, expected in item["extra"].items():
        y = data[label.removeprefix("deff_")]
        effect = design_effect(d, y, replacement="replace" in name)
        assert float(effect) == pytest.approx(expected, rel=1e-10)

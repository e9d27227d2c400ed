import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import survey
from pipeline.survey.estimators import distribution, select

NAN = np.nan


def census(n, size):
    return survey.Design.from_frame(np.arange(size), np.zeros(size), np.arange(size) < n)


def test_shares_of_categories_by_hand():
    # 8 firms, 5 answered the survey, 4 the item: a a b c; nobody said d.
    d = census(5, 8)
    e = distribution(d, np.array(["a", "a", "b", "c", None], dtype=object), ["c", "b", "a", "d"])
    np.testing.assert_allclose(e.estimate, [0.25, 0.25, 0.5, 0])
    assert e.n.tolist() == [4] * 4
    alone = survey.share(d, [1, 1, 0, 0, NAN])
    assert (e.se[2], e.df[2]) == (alone.se, alone.df)
    low, high = survey.share_interval(e)
    assert (low[3], high[3] > 0.3) == (0, True)


@st.composite
def surveys(draw):
    n = draw(st.integers(3, 25))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    strata = rng.integers(0, 3, n)
    codes = np.where(rng.random(n) < 0.2, NAN, rng.integers(1, 5, n))
    domains = np.array([np.ones(n), rng.integers(0, 2, n), np.zeros(n)], dtype=bool)
    d = survey.Design.from_sample(
        range(n), strata, rng.uniform(1, 4, n), dict.fromkeys(range(3), n)
    )
    return d, codes, domains


@given(surveys())
@settings(deadline=None)
def test_is_the_shares_one_by_one_and_adds_up_to_one(data):
    d, codes, domains = data
    e = distribution(d, codes, [1, 2, 3, 4], domains)
    assert e.estimate.shape == (3, 4)
    assert (e.n[2] == 0).all()
    known = e.n[:, 0] > 0
    np.testing.assert_allclose(e.estimate[known].sum(axis=1), 1, rtol=1e-12)
    for j, category in enumerate([1, 2, 3, 4]):
        y = np.where(np.isnan(codes), NAN, codes == category)
        one = survey.share(d, y, domains)
        np.testing.assert_array_equal(e.estimate[:, j], one.estimate)
        np.testing.assert_array_equal(e.se[:, j], one.se)
        np.testing.assert_array_equal(
            survey.share_interval(e).low[:, j], survey.share_interval(one).low
        )


@given(surveys())
@settings(deadline=None)
def test_categories_have_their_covariances(data):
    d, codes, domains = data
    e = distribution(d, codes, [1, 2, 3, 4], domains[:2])
    each = [select(e, (..., j)) for j in range(4)]
    assert each[0].estimate.shape == (2,)
    whole = survey.contrast(each, [1, 1, 1, 1])  # 1 for certain
    told = ~np.isnan(whole.se)
    np.testing.assert_allclose(whole.se[told], 0, atol=1e-7)
    up, down = (
        survey.share(d, np.where(np.isnan(codes), NAN, codes == c), domains[:2]) for c in (1, 4)
    )
    np.testing.assert_allclose(
        survey.difference(each[0], each[3]).se, survey.difference(up, down).se, atol=1e-12
    )


def test_select_takes_numbers_and_influences():
    d, codes = census(12, 30), np.arange(12) % 4
    domains = np.array([np.arange(12) < 8, np.arange(12) > 2])
    e = distribution(d, codes, [0, 1, 2, 3], domains)
    one = select(e, (1, 2))
    assert one.estimate.shape == ()
    alone = survey.share(d, codes == 2, domains[1])
    assert (one.estimate, one.se, one.n, one.df) == (alone.estimate, alone.se, alone.n, alone.df)
    assert float(survey.contrast([one], [1]).se) == pytest.approx(float(alone.se), rel=1e-12)
    mean = survey.mean(d, codes)
    np.testing.assert_array_equal(select(mean, np.newaxis).estimate, [mean.estimate])
    row = select(e, 0)
    np.testing.assert_allclose(survey.contrast([row], [1]).se, e.se[0], rtol=1e-12)


def test_answers_of_all_kinds():
    d = census(4, 8)
    expected = [0.5, 0.5]
    for codes in (
        pd.Series(["x", "y", "y", "x"], dtype="category"),
        pd.Series(["x", "y", pd.NA, pd.NA], dtype="string"),
        np.array(["x", "y", "x", "y"]),
    ):
        np.testing.assert_allclose(distribution(d, codes, ["x", "y"]).estimate, expected)


def test_wrong_answers_and_categories_are_named():
    d = census(4, 8)
    with pytest.raises(ValueError, match=r"answers \[3\] are no category of \[1, 2\]"):
        distribution(d, [1, 2, 3, 1], [1, 2])
    with pytest.raises(ValueError, match=r"categories must differ; got \[1, 1\]"):
        distribution(d, [1, 2, 3, 1], [1, 1])

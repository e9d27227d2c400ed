import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import survey
from pipeline.survey.decomposition import Wave, decomposition
from pipeline.survey.flows import panel_design


def census(ids, responded, strata=None, weights=None):
    strata = np.zeros(len(ids)) if strata is None else strata
    return survey.Design.from_frame(ids, strata, responded, weights)


def terms(d):
    """Values of all terms, in the order of their names."""
    return [np.asarray(d.answers.estimate), *(t.value for t in d[2:])]


def two_waves(seed, k):
    """Registers with entrants and leavers, unequal weights, items not answered, k domains."""
    rng = np.random.default_rng(seed)
    waves = []
    for first in (0, 8):
        ids = rng.permutation(np.arange(first, first + 50))
        d = census(ids, rng.random(50) < 0.7, rng.integers(0, 3, 50), rng.uniform(1, 4, 50))
        n = len(d.weights)
        y, x = rng.normal(5, 3, n), rng.uniform(1, 9, n)
        y[rng.random(n) < 0.1] = np.nan
        domain = rng.random((k, n)) < 0.8 if k else rng.random(n) < 0.8
        waves.append(Wave(d, y, x, domain))
    return waves


def test_a_new_and_a_gone_firm_by_hand():
    # 1: firms A 2, B 4, L 9 (mean 5); 2: A 4, B 4, E 7 (mean 5). Stayers 3, then 4.
    # answers 1; new 1/3 (7 - 4) = 1; gone 1/3 (3 - 9) = -2; together 0
    d = decomposition(
        Wave(census(list("ABL"), [True] * 3), [2, 4, 9]),
        Wave(census(list("ABE"), [True] * 3), [4, 4, 7]),
    )
    assert [float(t) for t in terms(d)] == pytest.approx([1, 0, 1, 0, -2, 0])
    assert float(d.change.estimate) == 0
    assert [int(n) for n in (d.answers.n, d.new.n, d.joined.n, d.gone.n, d.dropped.n)] == [
        2, 1, 0, 1, 0,
    ]  # fmt: skip
    assert float(d.answers.se) == 0  # everyone on both registers answered


def test_answers_and_weights_by_hand():
    # y 1 3, then 2 6; weights 1 1, then 3 1. Means under the first weights 2 and 4, under the
    # second 6/4 and 12/4. answers = ((4 - 2) + (3 - 1.5)) / 2 = 1.75,
    # weights = ((1.5 - 2) + (3 - 4)) / 2 = -0.75, change 3 - 2
    d = decomposition(
        Wave(census([1, 2, 3, 4], [True, True, False, False], weights=[1, 1, 0, 0]), [1, 3]),
        Wave(census([1, 2, 3, 4], [True, True, False, False], weights=[3, 1, 0, 0]), [2, 6]),
    )
    assert [float(t) for t in terms(d)] == pytest.approx([1.75, -0.75, 0, 0, 0, 0])
    assert float(d.change.estimate) == pytest.approx(1)


def test_who_answered_once_or_changed_domain_by_hand():
    # Five firms on both registers, weight 1. 0 and 1 stay; 2 drops out, 3 joins; 4 leaves the
    # domain. 1: 1 1 4 6 (firms 0 1 2 4, mean 3), stayers 1; dropped: -(3 + 5) / 4 = -2.
    # 2: 2 2 5 (firms 0 1 3, mean 3), stayers 2; joined: 3 / 3 = 1. answers 1; change 0.
    one = census(range(5), [True, True, True, False, True], weights=[1] * 5)
    two = census(range(5), [True, True, False, True, True], weights=[1] * 5)
    d = decomposition(
        Wave(one, [1, 1, 4, 6]), Wave(two, [2, 2, 5, 9], domain=[True, True, True, False])
    )
    assert [float(t) for t in terms(d)] == pytest.approx([1, 0, 0, 1, 0, -2])
    assert (int(d.answers.n), int(d.joined.n), int(d.dropped.n)) == (2, 1, 2)
    assert float(d.change.estimate) == pytest.approx(0)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 1, 3]))
@settings(deadline=None, max_examples=100)
def test_terms_add_up_to_the_change(seed, k):
    one, two = two_waves(seed, k)
    d = decomposition(one, two)
    np.testing.assert_allclose(sum(terms(d)), d.change.estimate, rtol=1e-11, atol=1e-13)
    assert all(t.shape == d.change.estimate.shape for t in terms(d))
    apart = d.new.n + d.joined.n, d.gone.n + d.dropped.n
    ends = [survey.ratio(w.design, w.y, w.x, w.domain) for w in (one, two)]
    assert (d.answers.n + apart[1] == ends[0].n).all()
    assert (d.answers.n + apart[0] == ends[1].n).all()


def test_many_domains_are_as_each_alone():
    one, two = two_waves(5, 3)
    together = decomposition(one, two)
    for i in range(3):
        alone = decomposition(
            Wave(one.design, one.y, one.x, one.domain[i]),
            Wave(two.design, two.y, two.x, two.domain[i]),
        )
        for a, b in zip(terms(together), terms(alone), strict=True):
            assert a[i] == pytest.approx(float(b), rel=1e-12, abs=1e-14)
        assert together.answers.se[i] == pytest.approx(float(alone.answers.se), rel=1e-12)


def test_one_domain_may_meet_many():
    one, two = two_waves(6, 3)
    d = decomposition(Wave(one.design, one.y, one.x), two)
    np.testing.assert_allclose(sum(terms(d)), d.change.estimate, rtol=1e-11)


def test_error_of_answers_is_that_of_the_panel():
    # With equal weights in both waves it is the mean of the firms' own changes, in the design of
    # those who answered both times.
    rng = np.random.default_rng(8)
    ids, strata = np.arange(60), np.zeros(60)
    designs = [census(ids, rng.random(60) < 0.6, strata) for _ in "12"]
    y = rng.normal(size=(2, 60))
    d = decomposition(*(Wave(w, v[w.unit_ids]) for w, v in zip(designs, y, strict=True)))
    panel = panel_design(*designs, *(np.ones(len(w.weights), dtype=bool) for w in designs))
    e = survey.mean(panel, (y[1] - y[0])[panel.unit_ids])
    assert float(d.answers.estimate) == pytest.approx(float(e.estimate), rel=1e-12)
    assert float(d.answers.se) == pytest.approx(float(e.se), rel=1e-12)
    assert (int(d.answers.n), int(d.answers.df)) == (int(e.n), int(e.df))


def test_nobody_stayed():
    one, two = census([1, 2, 3], [True, True, False]), census([1, 2, 3], [False, False, True])
    d = decomposition(Wave(one, [1, 3]), Wave(two, [4]))
    assert float(d.change.estimate) == 2
    assert np.isnan([float(t) for t in terms(d)]).all()
    assert (int(d.answers.n), int(d.joined.n), int(d.dropped.n)) == (0, 1, 2)


def test_errors_say_what_is_wrong():
    wave = Wave(census([1, 2], [True, True]), [1, 2])
    with pytest.raises(ValueError, match="2 rows"):
        decomposition(Wave(wave.design, [1, 2, 3]), wave)
    sample = survey.Design.from_sample([1, 2], ["a", "a"], [1.0, 1.0])
    with pytest.raises(ValueError, match="both registers"):
        decomposition(wave, Wave(sample, [1, 2]))

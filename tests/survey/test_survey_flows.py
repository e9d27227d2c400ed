import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import survey
from pipeline.survey.flows import flows, panel_design, transitions


def census(strata, responded, ids=None):
    ids = np.arange(len(strata)) if ids is None else np.asarray(ids)
    return survey.Design.from_frame(ids, strata, responded)


def two_waves(seed, size=60):
    """Registers with entrants, leavers and changes of stratum; answers 1, 2, 3 or none."""
    rng = np.random.default_rng(seed)
    waves, values = [], []
    for first in (0, 5):
        ids = rng.permutation(np.arange(first, first + size))
        d = census(rng.integers(0, 3, size), rng.random(size) < 0.6, ids)
        y = rng.integers(1, 4, len(d.weights)).astype(float)
        y[rng.random(len(y)) < 0.1] = np.nan
        waves.append(d)
        values.append(y)
    return waves, values, rng


def test_by_hand():
    # a: 6 firms, 0 and 1 answered twice, w = 3: up, same. b: 4 firms, 6 and 7, w = 2: down, up.
    # up = (3 + 2) / 10. z of up: a .15 -.15, b -.1 .1;
    # var = (1 - 2/6) * 2 * .045 + (1 - 2/4) * 2 * .02 = .06 + .02
    strata = list("aaaaaabbbb")
    one = census(strata, np.isin(np.arange(10), [0, 1, 2, 6, 7]))
    two = census(strata, np.isin(np.arange(10), [0, 1, 3, 6, 7, 8]))
    up, same, down = flows(one, two, ([1, 5, 9, 3, 3], [2, 5, 9, 1, 4, 9]))
    assert [float(e.estimate) for e in (up, same, down)] == pytest.approx([0.5, 0.3, 0.2])
    assert float(up.se) ** 2 == pytest.approx(0.08, rel=1e-13)
    assert (int(up.n), int(up.df)) == (4, 2)


def test_firms_on_one_register_only_are_out():
    # Firm 9 is new, firm 0 gone; 1 and 2 of the 3 on both answered twice.
    one = census(list("aaaa"), [True] * 4, [0, 1, 2, 3])
    two = census(list("aaaa"), [True, True, False, True], [1, 2, 3, 9])
    up, same, down = flows(one, two, ([5, 1, 1, 1], [2, 1, 0]))
    assert [float(e.estimate) for e in (up, same, down)] == [0.5, 0.5, 0]
    assert int(up.n) == 2
    assert up.parts[0].design.population.tolist() == [3]


def test_no_answer_to_the_item_is_no_joint_answer():
    one, two = (census(list("aaaa"), [True] * 4) for _ in "12")
    up, _, down = flows(one, two, ([1, np.nan, 3, 4], [2, 5, 1, np.nan]))
    assert (int(up.n), float(up.estimate), float(down.estimate)) == (2, 0.5, 0.5)


def test_tolerance():
    one, two = (census(list("aaaa"), [True] * 4) for _ in "12")
    f = flows(one, two, ([100, 100, 100, 100], [105, 106, 95, 94]), tolerance=5)
    assert [float(e.estimate) for e in f] == [0.25, 0.5, 0.25]
    with pytest.raises(ValueError, match="0 or more"):
        flows(one, two, ([1, 1, 1, 1], [1, 1, 1, 1]), tolerance=np.nan)


def test_a_firm_that_moved_stratum_stands_for_its_cell():
    # Cells aa (0-3), ab (4-7), bb (8-11), two joint answers each but three in bb.
    first, second = list("aaaaaaaabbbb"), list("aaaabbbbbbbb")
    both = np.isin(np.arange(12), [0, 1, 4, 5, 8, 9, 10])
    d = panel_design(census(first, both), census(second, both), *[np.ones(7, dtype=bool)] * 2)
    assert d.population.tolist() == [4, 4, 4]
    assert d.weights.tolist() == pytest.approx([2, 2, 2, 2, 4 / 3, 4 / 3, 4 / 3])


def test_thin_cells_are_pooled_with_their_later_stratum():
    # As above, but of ab one firm answered twice: ab and bb become b, 8 firms, 4 joint answers.
    first, second = list("aaaaaaaabbbb"), list("aaaabbbbbbbb")
    both = np.isin(np.arange(12), [0, 1, 4, 8, 9, 10])
    d = panel_design(census(first, both), census(second, both), *[np.ones(6, dtype=bool)] * 2)
    assert sorted(d.population) == [4, 8]
    assert d.weights.tolist() == [2] * 6


def test_thin_later_strata_are_pooled_and_at_last_all_firms():
    # b and c have one joint answer each of three firms: together two of six.
    strata = list("aaabbbccc")
    both = np.isin(np.arange(9), [0, 1, 3, 6])
    d = panel_design(census(strata, both), census(strata, both), *[np.ones(4, dtype=bool)] * 2)
    assert d.weights.tolist() == [1.5, 1.5, 3, 3]
    # c alone is thin: there is no other thin one to pool it with.
    both = np.isin(np.arange(9), [0, 1, 3, 4, 6])
    d = panel_design(census(strata, both), census(strata, both), *[np.ones(5, dtype=bool)] * 2)
    assert d.weights.tolist() == pytest.approx([1.8] * 5)


def test_a_small_cell_that_answered_in_full_stands_alone():
    strata, both = list("aaaab"), np.array([True, True, False, False, True])
    d = panel_design(census(strata, both), census(strata, both), *[np.ones(3, dtype=bool)] * 2)
    assert d.weights.tolist() == [2, 2, 1]


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=60)
def test_flows_add_up_and_stand_for_all_firms_on_both_registers(seed):
    (one, two), values, rng = two_waves(seed)
    domains = rng.random((3, len(two.weights))) < 0.6
    f = flows(one, two, tuple(values), domains)
    np.testing.assert_allclose(sum(e.estimate for e in f), 1, rtol=1e-13)
    design = f.up.parts[0].design
    assert design.weights.sum() == pytest.approx(55, rel=1e-13)
    for i, domain in enumerate(domains):
        alone = flows(one, two, tuple(values), domain)
        assert float(alone.up.estimate) == pytest.approx(f.up.estimate[i], rel=1e-13)
        assert float(alone.up.se) == pytest.approx(f.up.se[i], rel=1e-12, nan_ok=True)


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=30)
def test_transitions_hold_the_flows(seed):
    (one, two), values, rng = two_waves(seed)
    domain = rng.random(len(two.weights)) < 0.8
    t = transitions(one, two, tuple(values), domain)
    f = flows(one, two, tuple(values), domain)
    c = len(t.categories)
    table = t.shares.estimate.reshape(c, c)
    assert table.sum() == pytest.approx(1, rel=1e-13)
    sides = (np.triu(table, 1), np.diag(table), np.tril(table, -1))
    for side, flow in zip(sides, f, strict=True):
        assert side.sum() == pytest.approx(float(flow.estimate), rel=1e-12, abs=1e-13)
    given_rows = t.given.estimate.reshape(c, c).sum(axis=1)
    np.testing.assert_allclose(given_rows[~np.isnan(given_rows)], 1, rtol=1e-12)
    within = np.nan_to_num(t.given.estimate.reshape(c, c))  # NaN: nobody was there before
    np.testing.assert_allclose(within * table.sum(axis=1, keepdims=True), table, atol=1e-13)


def test_transitions_of_words():
    one, two = (census(list("aaaa"), [True] * 4) for _ in "12")
    t = transitions(one, two, (["good", "bad", "bad", None], ["good", "good", "bad", "bad"]))
    assert t.categories.tolist() == ["bad", "good"]
    # bad to bad, bad to good, good to bad, good to good
    assert t.shares.estimate.tolist() == pytest.approx([1 / 3, 1 / 3, 0, 1 / 3])
    assert t.given.estimate.tolist() == pytest.approx([0.5, 0.5, 0, 1])
    assert t.given.n.tolist() == [2, 2, 1, 1]


def test_nobody_in_both_waves_is_flagged():
    one = census(list("aaaa"), [True, True, False, False])
    two = census(list("aaaa"), [False, False, True, True])
    f = flows(one, two, ([1, 2], [1, 2]))
    assert np.isnan(float(f.up.estimate))
    assert int(f.up.n) == 0


def test_errors_say_what_is_wrong():
    sample = survey.Design.from_sample([1, 2], ["a"] * 2, [1.0] * 2)
    wave, other = census(list("aa"), [True] * 2), census(list("aa"), [True] * 2, [5, 6])
    with pytest.raises(ValueError, match="both registers"):
        flows(sample, wave, ([1, 2], [1, 2]))
    with pytest.raises(ValueError, match="no firm is on both"):
        flows(wave, other, ([1, 2], [1, 2]))
    with pytest.raises(ValueError, match="2 rows"):
        flows(wave, wave, ([1, 2, 3], [1, 2]))

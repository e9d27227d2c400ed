import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import survey
from pipeline.survey.standardise import adjusted_difference, standardised

# 12 firms in one stratum: 0-3 are the group (small small small large), 4-11 the reference
# (four small, four large). Firms 0 3, 4 5 (small) and 8 9 (large) answered, weights 2.
SIZES = np.array(list("ssslssssllll"))
GROUP = np.arange(12) < 4
RESPONDED = np.isin(np.arange(12), [0, 3, 4, 5, 8, 9])
DESIGN = survey.Design.from_frame(np.arange(12), np.zeros(12), RESPONDED)
REFERENCE = np.array([False, False, True, True, True, True])
Y = np.array([2.0, 9, 1, 3, 10, 14])


def register(seed, size=200, k=3):
    rng = np.random.default_rng(seed)
    d = survey.Design.from_frame(np.arange(size), np.arange(size) % 4, rng.random(size) < 0.6)
    cells = [rng.integers(0, 6, size), None]
    cells[1] = cells[0] // 2
    group = rng.random((k, size)) < 0.2
    return rng, d, cells, group, ~group[:, d.unit_ids]


def test_mean_by_hand():
    # The group is 3/4 small: 0.75 * 2 + 0.25 * 12 = 4.5 (the reference itself: 7).
    # z = W w (y - y_c) / N_c sqrt(2): small .75/2 (-1 1) sqrt(2), large .25/2 (-2 2) sqrt(2):
    # squares 2 * .28125 + 2 * .125 = .8125; var = (1 - 6/12) * 6/5 * .8125
    e = standardised(DESIGN, Y, [SIZES], group=GROUP, reference=REFERENCE)
    assert float(e.estimate) == 4.5
    assert float(e.se) ** 2 == pytest.approx(0.5 * 1.2 * 0.8125, rel=1e-13)
    # 4 answers in 2 cells; all weigh unlike: (3/8 3/8 1/8 1/8), sum of squares 20/64, times
    # f / -ln(1 - f) = .5 / ln 2
    assert (int(e.n), int(e.df), float(e.lost), str(e.reason)) == (4, 2, 0, "")
    assert float(e.n_kish) == pytest.approx(64 / 20 * 2 * np.log(2), rel=1e-13)


def test_ratio_by_hand():
    # y_c 2 and 12, x_c 1 and 4: (.75 * 2 + .25 * 12) / (.75 + 1) = 4.5 / 1.75
    x = [9, 9, 1, 1, 3, 5]
    e = standardised(DESIGN, Y, [SIZES], group=GROUP, reference=REFERENCE, x=x)
    assert float(e.estimate) == pytest.approx(4.5 / 1.75, rel=1e-14)
    # R = 18/7; y - R x less its cell's mean: small -1 1, large 4/7 -4/7. Squares as above:
    # (2 * .28125 + 2 * .125 / 4 * (4/7)^2) / 1.75^2
    squares = (0.5625 + 0.0625 * 16 / 49) / 1.75**2
    assert float(e.se) ** 2 == pytest.approx(0.5 * 1.2 * squares, rel=1e-13)


def test_difference_by_hand():
    # The group's own mean 5.5, z = (2 - 5.5) / 2 and back: -1.75 1.75; with the above (of
    # the other sign) squares 2 * 3.0625 + .8125 = 6.9375: var = .5 * 1.2 * 6.9375
    a = adjusted_difference(DESIGN, Y, [SIZES], group=GROUP, reference=REFERENCE)
    assert (float(a.group.estimate), float(a.reference.estimate)) == (5.5, 4.5)
    assert float(a.difference.estimate) == 1
    assert float(a.difference.se) ** 2 == pytest.approx(0.6 * 6.9375, rel=1e-13)
    assert (int(a.difference.n), int(a.difference.df)) == (2, 1)


def test_a_firm_without_counterpart_takes_the_coarser_cell():
    # Fields: the large firm of the group is alone in field b; of the reference's answers the
    # small are in field a, the large in a. So cell lb is empty and size stands for it.
    fields = np.array(list("aaabaaaaaaaa"))
    e = standardised(
        DESIGN, Y, [np.char.add(SIZES, fields), SIZES], group=GROUP, reference=REFERENCE
    )
    assert (float(e.estimate), float(e.lost)) == (4.5, 0.25)
    # Without a coarser level the whole reference: .75 * 2 + .25 * 7
    e = standardised(DESIGN, Y, [np.char.add(SIZES, fields)], group=GROUP, reference=REFERENCE)
    assert (float(e.estimate), float(e.lost)) == (3.25, 0.25)


def test_one_answer_is_too_few_for_a_cell():
    # One of the large did not answer the item: large firms take the mean of 1 3 14.
    y = np.where(np.arange(6) == 4, np.nan, Y)
    e = standardised(DESIGN, y, [SIZES], group=GROUP, reference=REFERENCE)
    assert float(e.estimate) == pytest.approx(0.75 * 2 + 0.25 * 6)
    assert (float(e.lost), int(e.n)) == (0.25, 3)


def test_more_answers_may_be_asked_of_a_cell():
    # Three: neither cell has them. With all firms in one coarser cell it is the plain mean.
    one = np.full(12, "all")
    e = standardised(DESIGN, Y, [SIZES, one], group=GROUP, reference=REFERENCE, fewest=3)
    assert (float(e.estimate), float(e.lost)) == (7, 1)


def test_no_estimate_has_a_reason_and_spares_the_other_rows():
    other = np.where(GROUP, "x", SIZES)  # the group's cells hold nobody of the reference
    e = standardised(DESIGN, Y, [other], group=GROUP, reference=REFERENCE)
    assert np.isnan([e.estimate, e.se]).all()
    assert str(e.reason) == "no cell of the group has enough answers of the reference"
    assert float(e.lost) == 1
    rows = standardised(
        DESIGN,
        Y,
        [SIZES],
        group=np.stack([GROUP, np.zeros(12, dtype=bool), GROUP]),
        reference=np.stack([REFERENCE, REFERENCE, np.zeros(6, dtype=bool)]),
    )
    assert float(rows.estimate[0]) == 4.5
    assert np.isnan([rows.estimate[1:], rows.se[1:]]).all()
    assert rows.reason.tolist()[:2] == ["", "the group has no firm on the register"]
    assert rows.reason[2].startswith("no cell")
    assert rows.n.tolist() == [4, 0, 0]
    zero = standardised(DESIGN, Y, [SIZES], group=GROUP, reference=REFERENCE, x=np.zeros(6))
    assert (np.isnan(float(zero.estimate)), str(zero.reason)) == (
        True,
        "x adds up to 0 in the reference",
    )


def test_same_composition_leaves_the_mean():
    # The reference's own composition, cells = strata: the plain weighted mean.
    rng = np.random.default_rng(1)
    strata = np.arange(90) % 3
    d = survey.Design.from_frame(np.arange(90), strata, rng.random(90) < 0.6)
    y, everyone = rng.normal(size=len(d.weights)), np.ones(len(d.weights), dtype=bool)
    e = standardised(d, y, [strata], group=np.ones(90, dtype=bool), reference=everyone)
    plain = survey.mean(d, y)
    assert float(e.estimate) == pytest.approx(float(plain.estimate), rel=1e-12)
    # Its error too, but for the degree of freedom that each mean takes a second time
    n = np.bincount(d.codes)
    assert float(plain.se) < float(e.se) < float(plain.se) * np.sqrt(n.min() / (n.min() - 1))


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=40)
def test_where_the_cell_is_all_there_is_to_it_nothing_remains(seed):
    rng, d, cells, group, reference = register(seed)
    level = rng.normal(size=6)
    y = level[cells[0]][d.unit_ids]
    a = adjusted_difference(d, y, [cells[0]], group=group, reference=reference)
    # The group's own mean, from its answers, is that of their cells: compare with these.
    members = group[:, d.unit_ids]
    own = np.stack([np.bincount(cells[0][row], minlength=6) / row.sum() for row in group])
    full = a.reference.lost == 0
    np.testing.assert_allclose(a.reference.estimate[full], (own @ level)[full], rtol=1e-10)
    np.testing.assert_allclose(a.reference.se[full], 0, atol=1e-12)
    np.testing.assert_allclose(a.group.estimate, survey.mean(d, y, members).estimate)


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=20)
def test_many_pairs_are_as_each_alone(seed):
    rng, d, cells, group, reference = register(seed)
    y = rng.normal(size=len(d.weights))
    y[rng.random(len(y)) < 0.1] = np.nan
    together = adjusted_difference(d, y, cells, group=group, reference=reference)
    for i in range(len(group)):
        alone = adjusted_difference(d, y, cells, group=group[i], reference=reference[i])
        for name in ("estimate", "se", "n", "df", "n_kish"):
            for a, b in zip(together, alone, strict=True):
                expected = float(getattr(b, name))
                assert getattr(a, name)[i] == pytest.approx(expected, rel=1e-11, abs=1e-14)


def test_one_reference_for_many_groups():
    rng, d, cells, group, _ = register(3)
    everyone = np.ones(len(d.weights), dtype=bool)
    e = standardised(d, rng.normal(size=len(everyone)), cells, group=group, reference=everyone)
    assert e.estimate.shape == (3,)
    assert np.isfinite([e.estimate, e.se]).all()


def test_a_share_has_an_interval_where_none_has_the_trait():
    e = standardised(DESIGN, np.zeros(6), [SIZES], group=GROUP, reference=REFERENCE)
    low, high = survey.share_interval(e)
    assert float(low) == 0
    assert float(high) == pytest.approx(1 - 0.025 ** (1 / float(e.n_kish)), rel=1e-12)


def test_errors_say_what_is_wrong():
    sample = survey.Design.from_sample([1, 2], ["a"] * 2, [1.0] * 2)
    with pytest.raises(ValueError, match="from_frame"):
        standardised(sample, [1, 2], [["a", "a"]], group=[True, False], reference=[True, True])
    with pytest.raises(ValueError, match="6 rows"):
        standardised(DESIGN, Y[:3], [SIZES], group=GROUP, reference=REFERENCE)
    with pytest.raises(ValueError, match="12 firms"):
        standardised(DESIGN, Y, [SIZES[:3]], group=GROUP, reference=REFERENCE)
    with pytest.raises(ValueError, match="12 firms"):
        standardised(DESIGN, Y, [], group=GROUP, reference=REFERENCE)
    with pytest.raises(ValueError, match="6 rows"):
        standardised(DESIGN, Y, [SIZES], group=GROUP, reference=REFERENCE[:2])
    with pytest.raises(ValueError, match="12 firms"):
        standardised(DESIGN, Y, [np.where(GROUP, None, SIZES)], group=GROUP, reference=REFERENCE)

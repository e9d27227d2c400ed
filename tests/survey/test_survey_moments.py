import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import Sample

from pipeline import survey
from pipeline.survey.domains import means, means_by, ratios_by, totals_by
from pipeline.survey.moments import moments

NAN = np.nan


def test_means_by_hand():
    # a: 2 of 10 firms (weight 5), y = 1, 3, both in domain X; b: 3 of 6 (weight 2), y = 4, 6 in X,
    # 8 in Y. X: mean = (5*1 + 5*3 + 2*4 + 2*6) / 14 = 40/14 = 20/7.
    # w e: a: 5*(1 - 20/7) = -65/7, 5*(3 - 20/7) = 5/7; b: 2*(4 - 20/7) = 16/7, 2*(6 - 20/7) = 44/7,
    # and 0 for the third. Sum of squares about the mean: a: (70/7)^2 / 2 = 50;
    # b: (16^2 + 44^2)/49 - (60/7)^2/3 = (2192 - 1200)/49 = 992/49
    # var = [0.8 * 2/1 * 50 + 0.5 * 3/2 * 992/49] / 14^2
    design = survey.Design.from_sample(
        range(5), list("aabbb"), [5, 5, 2, 2, 2], {"a": 10.0, "b": 6.0}
    )
    by = means_by(design, [1, 3, 4, 6, 8], list("XXXXY"))
    assert by.estimate[0].tolist() == pytest.approx([20 / 7, 8], rel=1e-15)
    assert by.se[0, 0] ** 2 == pytest.approx((80 + 744 / 49) / 196, rel=1e-14)
    assert np.isnan(by.se[0, 1])  # one unit has no spread
    assert by.n.tolist() == [[4, 1]]
    assert by.df.tolist() == [[2, 1]]


def test_a_lonely_stratum_is_not_centred():
    # a: 2 of 2 answered (no variance); b: 1 of 4, weight 4, y = 5: mean = (1 + 3 + 20) / 6 = 4,
    # w e = 4 * (5 - 4) = 4; var = (1 - 1/4) * 4^2 / 6^2 = 1/3
    design = survey.Design.from_sample(range(3), list("aab"), [1, 1, 4], {"a": 2.0, "b": 4.0})
    by = means_by(design, [1, 3, 5], list("XXX"))
    assert by.estimate[0, 0] == 4
    assert by.se[0, 0] ** 2 == pytest.approx(1 / 3, rel=1e-15)


def compare(sample):
    s, verbs = sample, {"mean": means_by, "total": totals_by}
    found = {name: verb(s.design, s.y, s.domains) for name, verb in verbs.items()}
    found["ratio"] = ratios_by(s.design, s.y, s.x, s.domains)
    for i in range(3):
        for k in range(4):
            known = {
                "mean": survey.mean(s.design, s.y[i], s.d == k),
                "total": survey.total(s.design, s.y[i], s.d == k),
                "ratio": survey.ratio(s.design, s.y[i], s.x[i], s.d == k),
            }
            for name, e in known.items():
                for field in ("estimate", "se", "n", "df"):
                    mine, theirs = getattr(found[name], field)[i, k], getattr(e, field)
                    place = f"{name} {field} of item {i} in domain {k}"
                    np.testing.assert_allclose(mine, theirs, 1e-10, 0, err_msg=place)


@pytest.mark.parametrize("lonely", ["adjust", "certainty", "average", "remove"])
@pytest.mark.parametrize("level", [0.0, 1e4, 1e8])
def test_the_numbers_are_those_of_the_library(lonely, level):
    compare(Sample(1, level=level, lonely=lonely))
    compare(Sample(2, level=level, lonely=lonely, missing=0))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(30, 80), st.floats(0, 0.7))
def test_so_they_are_for_few_units(seed, n, missing):
    compare(Sample(seed, n=n, missing=missing))


def test_digits_are_kept_where_a_stratum_lies_far_off():
    # One domain: take-all stratum far above, the others narrow about 0; sums of squares about the
    # mean of the domain would leave nothing of their spread.
    rng = np.random.default_rng(3)
    h = np.repeat([0, 1, 2], 50)
    y = rng.normal(0, 1, 150) + np.where(h == 0, 1e8, 0)
    sizes = {0: 50.0, 1: 500.0, 2: 500.0}
    w = np.where(h == 0, 1.0, 10.0)
    design = survey.Design.from_sample(np.arange(150), h, w, sizes)
    by = means_by(design, y, np.zeros(150))
    spread = [np.var(y[h == k], ddof=1) for k in (1, 2)]
    exact = np.sqrt(sum(0.9 * 500**2 * s / 50 for s in spread)) / 1050
    assert by.se[0, 0] == pytest.approx(exact, rel=1e-10)


def test_frames_arrays_and_blocks_are_the_same():
    s = Sample(4)
    frame = pd.DataFrame(s.y.T, columns=["a", "b", "c"])
    by, plain = means_by(s.design, frame, s.domains), means_by(s.design, s.y, s.domains)
    np.testing.assert_array_equal(by.se, plain.se)
    assert list(by.items) == ["a", "b", "c"]
    table = by.table()
    assert list(table.columns) == ["item", "domain", "estimate", "se", "n", "df"]
    row = table[(table["item"] == "c") & (table["domain"] == 2)].iloc[0]
    assert row["estimate"] == by.estimate[2, 2]
    many = means_by(s.design, np.tile(s.y, (100, 1)), s.domains)  # more than fits one block
    alone = means_by(s.design, s.y[2], s.domains)
    np.testing.assert_allclose(many.se[2::3], np.tile(alone.se, (100, 1)), rtol=1e-13)


def test_one_base_serves_all_items():
    s = Sample(5)
    one, each = s.x[2], np.tile(s.x[2], (3, 1))
    by = ratios_by(s.design, s.y, one, s.domains)
    np.testing.assert_array_equal(by.se, ratios_by(s.design, s.y, each, s.domains).se)


def test_a_domain_without_units_is_flagged_and_the_others_stay():
    s = Sample(6)
    wide = pd.Categorical.from_codes(s.d, categories=range(6))
    by, narrow = means_by(s.design, s.y, wide), means_by(s.design, s.y, s.domains)
    assert by.n[:, 4:].tolist() == [[0, 0]] * 3
    assert np.isnan(by.estimate[:, 4:]).all()
    assert np.isnan(by.se[:, 4:]).all()
    np.testing.assert_array_equal(by.se[:, :4], narrow.se)


def test_many_cells_are_numbered_without_a_table_of_all():
    n = 3000
    design = survey.Design.from_sample(np.arange(n), np.arange(n) % 1500, np.ones(n))
    sums = moments(design, np.arange(n, dtype=float), np.arange(n) % 1499)
    assert len(sums.units) < 2 * n  # of 1500 * 1499 possible ones
    assert means(sums, design.population).estimate[0, 0] == pytest.approx(np.mean([0, 1499, 2998]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: means_by(s.design, s.y[:, :9], s.domains), "values of 9 units"),
        (lambda s: means_by(s.design, s.y, s.domains[:9]), "9 domains for 400 units"),
        (lambda s: ratios_by(s.design, s.y, s.x[:2], s.domains), "x has 2 items, y 3"),
        (lambda s: means_by(s.design, np.where(s.y > 4, np.inf, s.y), s.domains), "infinite"),
    ],
)
def test_what_cannot_be_is_said(call, message):
    with pytest.raises(ValueError, match=message):
        call(Sample(7))


def test_designs_of_several_stages_are_refused():
    stages = [survey.design.Stage(np.arange(40) // 4), survey.design.Stage(np.arange(40))]
    design = survey.Design.from_stages(stages, weights=np.ones(40))
    with pytest.raises(ValueError, match="one stage"):
        means_by(design, np.arange(40.0), np.zeros(40))

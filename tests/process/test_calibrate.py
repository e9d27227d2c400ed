"""Calibrate: weights that meet the register's counts by further columns."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tables import panel, register

from pipeline import survey
from pipeline.analyse.domains import groups_of, wave_frames
from pipeline.errors import StudyError
from pipeline.process import calibrate, weight
from pipeline.tables import BenchmarkPairs

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def frame_of(groups: str, wave: str = "w1", **kinds: str) -> Any:
    """Firms A, B, … of the groups v1, v2, … that each word has, letter by letter."""
    firms = dict(zip(LETTERS, groups.split(), strict=False))
    of_kind = {f: {k: letters[i] for k, letters in kinds.items()} for i, f in enumerate(firms)}
    named = {f: {f"v{i}": g for i, g in enumerate(word, 1)} for f, word in firms.items()}
    return register({f: of_kind[f] | named[f] for f in firms}, wave=wave)


def weighted(frame: Any, answered: str, *strata: str, population: str | None = None) -> Any:
    """Response weights, where these firms answered in every wave."""
    answers = panel({(w, firm, "x"): 1.0 for w in set(frame["wave"]) for firm in answered})
    return weight(answers, frame, strata=strata, population=population, min_responses=1)


def calibrated(weights: Any, frame: Any, *columns: str, **how: Any) -> Any:
    usual: dict[str, Any] = {"population": None, "min_responses": 1}
    how = usual | {"method": "raking", "bounds": None} | how
    return calibrate(weights, frame, columns=columns, **how)


TWO_BY_TWO = "ax ax ax ay ay ay bx bx by by"
"""In v1 six a and four b, in v2 five x and five y."""


def test_the_counts_of_one_column_are_met() -> None:
    # No strata: A B C (x) and D (y) answered, 10 / 4 each; x must be 5, y 5: 5 / 3 and 5.
    frame = frame_of(TWO_BY_TWO)
    table = calibrated(weighted(frame, "ABCD"), frame, "v2").set_index("firm_id")
    assert table["response_weight"].to_dict() == dict.fromkeys("ABCD", 2.5) | dict.fromkeys(
        "EFGHIJ", 0
    )
    expected = {"A": 5 / 3, "B": 5 / 3, "C": 5 / 3, "D": 5.0} | dict.fromkeys("EFGHIJ", 0)
    assert table["weight"].to_dict() == pytest.approx(expected)
    assert table["margins"].to_dict() == {
        f: "v2=x" if f in "ABCGH" else "v2=y" for f in LETTERS[:10]
    }


def test_the_counts_of_strata_are_kept_besides() -> None:
    # Strata a (6) and b (4): A B D answered in a, G I in b: weights 2 2 2 and 2 2, so x has 6 and
    # y 4. Raking: with the factors r of x to y, x in a has 6 (2 r) / (2 r + 1), in b 4 r / (r + 1);
    # together 5: 12 r / (2 r + 1) + 4 r / (r + 1) = 5, 12 r (r + 1) + 4 r (2 r + 1)
    # = 5 (2 r + 1) (r + 1), 10 r^2 + r - 5 = 0, r = (-1 + sqrt(201)) / 20.
    frame = frame_of(TWO_BY_TWO)
    table = calibrated(weighted(frame, "ABDGI", "v1"), frame, "v2").set_index("firm_id")
    r = (-1 + np.sqrt(201)) / 20
    expected = {"A": 6 * r / (2 * r + 1), "B": 6 * r / (2 * r + 1), "D": 6 / (2 * r + 1)}
    expected |= {"G": 4 * r / (r + 1), "I": 4 / (r + 1)}
    assert table.loc[list("ABDGI"), "weight"].to_dict() == pytest.approx(expected, rel=1e-9)
    sums = table["weight"].groupby(table["stratum"]).sum()
    assert sums.to_dict() == pytest.approx({"v1=a": 6, "v1=b": 4})


def test_the_linear_method_is_the_regression_estimator() -> None:
    # As above, g = 1 + l_stratum + l_x for x: weights 2, x 4 of 6 in a and 2 of 4 in b. For every
    # stratum g has mean 1, so l_stratum = -l_x p with p = 2/3, 1/2 the weighted share of x, and the
    # sum over x is 6 + l_x (4 (1/3) + 2 (1/2)) = 5: l_x = -3/7.
    frame = frame_of(TWO_BY_TWO)
    weights = weighted(frame, "ABDGI", "v1")
    table = calibrated(weights, frame, "v2", method="linear").set_index("firm_id")
    expected = {"A": 2 - 2 / 7, "B": 2 - 2 / 7, "D": 2 + 4 / 7, "G": 2 - 3 / 7, "I": 2 + 3 / 7}
    assert table.loc[list("ABDGI"), "weight"].to_dict() == pytest.approx(expected, rel=1e-12)


def test_bounds_hold() -> None:
    frame = frame_of(TWO_BY_TWO)
    weights = weighted(frame, "ABDGI", "v1")
    table = calibrated(weights, frame, "v2", method="logit", bounds=(0.7, 1.4))
    own = table[table["responded"]]
    factor = own["weight"] / own["response_weight"]
    assert ((factor > 0.7) & (factor < 1.4)).all()
    assert own.loc[own["margins"] == "v2=x", "weight"].sum() == pytest.approx(5)


def test_without_columns_the_weights_stay() -> None:
    frame = frame_of(TWO_BY_TWO)
    weights = weighted(frame, "ABDGI", "v1")
    pd.testing.assert_frame_equal(calibrated(weights, frame), weights)


def test_small_groups_are_pooled() -> None:
    # v2: x 3 answered, y 1, z 1; with two in each, y and z are one: 3 and 7 of 10 firms.
    frame = frame_of("ax ax ax ay ay ay az az az az")
    table = calibrated(weighted(frame, "ABCDG"), frame, "v2", min_responses=2)
    by_margin = table.groupby("margins")["weight"].sum().to_dict()
    assert by_margin == pytest.approx({"v2=x": 3, "v2=y+z": 7})


def test_a_column_of_which_one_pool_is_left_adds_nothing() -> None:
    frame = frame_of("ax ax ax ay ay ay az az az az")
    weights = weighted(frame, "ABCDG")
    pd.testing.assert_frame_equal(calibrated(weights, frame, "v2", min_responses=4), weights)
    # Beside another column it is as if it had not been named.
    frame = frame_of("ax ax bx ax ay by by ay bz az")
    weights = weighted(frame, "ABCDG")
    both = calibrated(weights, frame, "v1", "v2", min_responses=2)
    assert set(both["margins"]) == {"v1=a", "v1=b"}
    pd.testing.assert_frame_equal(both, calibrated(weights, frame, "v1", min_responses=2))


def test_counts_are_those_of_each_population() -> None:
    # The target is A-F, three x and three y; G-J of population 3 are one x and three y.
    frame = frame_of("ax ax ax ay ay ay ax ay ay ay", population="1111113333")
    weights = weighted(frame, "ABDGHI", population="population")
    table = calibrated(weights, frame, "v2", population="population").set_index("firm_id")
    # A B (x) 3 / 2 each, D (y) 3; G (3*x) 1, H and I (3*y) 3 / 2
    expected = {"A": 1.5, "B": 1.5, "D": 3, "G": 1, "H": 1.5, "I": 1.5}
    assert table.loc[list("ABDGHI"), "weight"].to_dict() == pytest.approx(expected)
    assert set(table["margins"]) == {"v2=x", "v2=y", "v2=3*x", "v2=3*y"}


def test_a_population_that_nobody_answered_stays_without_weights() -> None:
    frame = frame_of("ax ax ax ay ay ay ax ay ay ay", population="1111113333")
    table = calibrated(
        weighted(frame, "ABD", population="population"), frame, "v2", population="population"
    ).set_index("firm_id")
    assert (table.loc[list("GHIJ"), "weight"] == 0).all()
    assert (table.loc[list("GHIJ"), "margins"] == "").all()
    assert table["weight"].sum() == pytest.approx(6)


def test_counts_are_those_of_each_wave() -> None:
    frame = pd.concat([frame_of("ax ax ay ay"), frame_of("ax ay ay ay", "w2")], ignore_index=True)
    weights = weighted(frame, "ABC")
    table = calibrated(weights, frame, "v2")
    sums = table.groupby(["wave", "margins"])["weight"].sum().to_dict()
    expected = {("w1", "v2=x"): 2, ("w1", "v2=y"): 2, ("w2", "v2=x"): 1, ("w2", "v2=y"): 3}
    assert sums == pytest.approx(expected)


def test_a_firm_out_of_scope_is_one_that_the_counts_have() -> None:
    # x: A B C of which A answered and B is known to be closed: 3 / 2 each.
    frame = register(
        {f: {"v1": g} for f, g in zip("ABCDE", "xxxyy", strict=True)}, out_of_scope="B"
    )
    table = calibrated(weighted(frame, "AD"), frame, "v1").set_index("firm_id")
    assert table["weight"].to_dict() == pytest.approx({"A": 1.5, "B": 1.5, "C": 0, "D": 2, "E": 0})


def test_weights_that_cannot_meet_the_counts_are_refused() -> None:
    # Only y answered in a (6 firms), only x in b (4 firms): y would be 6 and must be 5.
    frame = frame_of(TWO_BY_TWO)
    weights = weighted(frame, "DEGH", "v1")
    with pytest.raises(StudyError) as refusal:
        calibrated(weights, frame, "v2")
    (problem,) = refusal.value.problems
    assert (problem.wave, problem.file, problem.item) == ("w1", "study.toml", "weighting.calibrate")
    assert "totals" in problem.found
    assert "register's counts" in problem.expected
    for way_out in ("min_responses", "bounds", "fewer columns"):
        assert way_out in problem.advice


def test_bounds_that_are_too_narrow_are_refused_wave_by_wave() -> None:
    # x must shrink from 7.5 to 5 of 10, by a third, and y double: two waves, two problems.
    frame = pd.concat([frame_of(TWO_BY_TWO), frame_of(TWO_BY_TWO, "w2")], ignore_index=True)
    weights = weighted(frame, "ABCD")
    with pytest.raises(StudyError) as refusal:
        calibrated(weights, frame, "v2", bounds=(0.9, 1.1))
    assert [problem.wave for problem in refusal.value.problems] == ["w1", "w2"]
    assert "v2" in refusal.value.problems[0].found


def test_negative_weights_are_refused() -> None:
    # a and x 6 of 26 firms each; five ax answered, one each of ay, bx, by: weights 3.25. With the
    # factors c + 2 d, c + d, c + d, c: 8 c + 12 d = 8 and 6 c + 11 d = 6 / 3.25, so d = -2.077,
    # c = 4.115 and that of ax is -0.04. Raking keeps it positive.
    frame = frame_of("ax ax ax ax ax ay bx" + 19 * " by")
    weights = weighted(frame, "ABCDEFGH")
    with pytest.raises(StudyError) as refusal:
        calibrated(weights, frame, "v1", "v2", method="linear")
    assert "negative" in refusal.value.problems[0].found
    own = calibrated(weights, frame, "v1", "v2")
    assert (own.loc[own["responded"], "weight"] > 0).all()


def design_of(table: Any, frame: Any) -> Any:
    groups = groups_of(frame, [], BenchmarkPairs.empty())
    return wave_frames(table, frame, groups)["w1"].answers


def test_the_share_of_a_category_that_is_met_has_no_error() -> None:
    frame = frame_of(TWO_BY_TWO)
    weights = weighted(frame, "ABDEGI", "v1")
    table = calibrated(weights, frame, "v2")
    design = design_of(table, frame)
    is_x = np.array([firm in "ABCGH" for firm in design.unit_ids], dtype=float)
    share = survey.share(design, is_x)
    assert share.estimate == pytest.approx(0.5, rel=1e-12)
    assert share.se == pytest.approx(0, abs=1e-9)
    assert survey.share_interval(share) == pytest.approx((0.5, 0.5), rel=1e-9)
    before = survey.share(design_of(weights, frame), is_x)
    assert before.se > 0.05


def test_the_error_of_a_mean_is_that_of_the_residuals() -> None:
    # No strata, 6 of 10, x: A B C (5 firms, weight 5 / 3), y: D E F (5 firms, 5 / 3); all weights
    # are as before. Residuals of y on both groups' means (2, 20): -1 0 1 and -10 0 10: var of
    # the mean = (1 - 6/10) s^2 / 6, s^2 = 202 / 5.
    frame = frame_of(TWO_BY_TWO)
    table = calibrated(weighted(frame, "ABCDEF"), frame, "v2")
    found = survey.mean(design_of(table, frame), [1, 2, 3, 10, 20, 30])
    assert found.estimate == pytest.approx(11)
    assert found.se**2 == pytest.approx(0.4 * (202 / 5) / 6, rel=1e-9)


def test_a_population_that_was_not_calibrated_keeps_its_error() -> None:
    # Population 3 has one group of v2: no constraint for it.
    # In its stratum b three of four answered, in c one of two: its error is not centred, and must
    # not be taken for 0 because its weight meets the count.
    frame = frame_of("ax ax ax ay ay ay bz bz bz bz cz cz", population="111111333333")
    weights = weighted(frame, "ABDEGHIK", "v1", population="population")
    table = calibrated(weights, frame, "v2", population="population")
    assert set(table.loc[table["firm_id"] > "F", "margins"]) == {""}
    y = [1, 5, 2, 7, 4, 9, 1, 6]
    other = [firm > "F" for firm in design_of(table, frame).unit_ids]
    own, plain = (survey.mean(design_of(t, frame), y, other) for t in (table, weights))
    assert own.estimate == pytest.approx(plain.estimate, rel=1e-12)
    assert own.se == pytest.approx(plain.se, rel=1e-9)


FIRM = st.tuples(st.sampled_from("13"), st.sampled_from("ab"), st.sampled_from("xyz"))


@settings(deadline=None, max_examples=25)
@given(
    st.lists(FIRM, min_size=6, max_size=20),
    st.integers(1, 4),
    st.randoms(use_true_random=False),
)
def test_counts_are_met_in_whatever_order_the_rows_are(
    firms: list[Any], least: int, random: Any
) -> None:
    names = [f"F{n:02d}" for n in range(len(firms))]
    groups = [{"population": p, "v1": v1, "v2": v2} for p, v1, v2 in firms]
    frame = register(dict(zip(names, groups, strict=True)))
    answered = [name for name in names if random.random() < 0.7] or names[:1]
    answers = panel({("w1", name, "x"): 1.0 for name in answered})
    how: dict[str, Any] = {"population": "population", "min_responses": least}
    weights = weight(answers, frame, strata=["v1"], **how)
    try:
        table = calibrated(weights, frame, "v2", **how)
    except StudyError:
        return
    table["population"] = [p for p, *_ in firms]
    for _, own in table.groupby("population"):
        if own["responded"].any():
            for column in ("stratum", "margins"):
                sums = own.groupby(column)["weight"].sum()
                assert sums.to_dict() == pytest.approx(own[column].value_counts().to_dict())
    assert ((table["weight"] > 0) == table["responded"]).all()
    order = random.sample(range(len(frame)), len(frame))
    turned = random.sample(range(len(weights)), len(weights))
    again = calibrated(
        weights.iloc[turned].reset_index(drop=True),
        frame.iloc[order].reset_index(drop=True),
        "v2",
        **how,
    )
    pd.testing.assert_frame_equal(table[again.columns.tolist()], again, check_exact=True)


def test_the_small_study_can_be_calibrated_by_its_bands(small: SimpleNamespace) -> None:
    # Bands S 24, L 13, T 3 of 40 firms in each wave; T answers too seldom and joins L.
    table = calibrated(small.weights, small.register, "r_band", min_responses=5)
    sums = table.groupby(["wave", "margins"])["weight"].sum()
    assert sums.to_dict() == pytest.approx(
        {
            (wave, margin): count
            for wave in ("2021", "2022", "2023")
            for margin, count in (("r_band=L+T", 16), ("r_band=S", 24))
        }
    )
    by_stratum = table.groupby(["wave", "stratum"])["weight"].sum()
    before = small.weights.groupby(["wave", "stratum"])["weight"].sum()
    assert by_stratum.to_dict() == pytest.approx(before.to_dict())

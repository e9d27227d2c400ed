import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import survey
from pipeline.survey.calibration import post_stratify
from pipeline.survey.trimming import trim, trim_to_design_effect
from pipeline.survey.weight_quality import kish_design_effect


def sample(weights):
    n = len(weights)
    return survey.Design.from_sample(np.arange(n), np.zeros(n), weights)


def test_trimming_by_hand():
    # Sum 10; 6 is cut to 4, and the 2 cut off go to the other four, 0.5 each.
    assert list(trim(sample([1.0, 1, 1, 1, 6]), upper=4).weights) == [1.5, 1.5, 1.5, 1.5, 4]


def test_strict_trimming_by_hand():
    # 8 is cut to 4, its 4 spread over three: 3, 5, 5.9. Strict trimming goes on until the others
    # stand at 4: 15.9 - 3 * 4 = 3.9 is left for the first.
    design = sample([1, 3, 3.9, 8])
    assert trim(design, upper=4, strict=False).weights == pytest.approx(
        [1 + 4 / 3, 3 + 4 / 3, 3.9 + 4 / 3, 4], rel=1e-15
    )
    assert trim(design, upper=4).weights == pytest.approx([3.9, 4, 4, 4], rel=1e-13)


def test_lower_bound_by_hand():
    # 1 is raised to 3; the 2 it gains are taken from the other two, 1 each.
    assert list(trim(sample([1.0, 5, 6]), lower=3).weights) == [3, 4, 5]


def test_design_effect_by_hand():
    # 5 * (4 * 1 + 36) / 10^2 = 2; trimmed at 4: 5 * (4 * 2.25 + 16) / 100 = 1.25.
    design = sample([1.0, 1, 1, 1, 6, 0])
    assert kish_design_effect(design.weights[:5]) == pytest.approx(2, rel=1e-14)
    trimmed = trim_to_design_effect(design, 1.25)
    assert trimmed.weights == pytest.approx([1.5, 1.5, 1.5, 1.5, 4, 0], rel=1e-12)


@given(
    st.lists(st.floats(0.1, 100), min_size=2, max_size=30),
    st.floats(0.01, 0.99),
    st.floats(1.01, 3),
)
@settings(max_examples=150, deadline=None)
def test_trimming_keeps_sum_and_bounds(weights, low, high):
    weights = np.array(weights)
    mean = weights.mean()
    result = trim(sample(weights), lower=low * mean, upper=high * mean).weights
    assert result.sum() == pytest.approx(weights.sum(), rel=1e-12)
    assert result.min() >= low * mean
    assert result.max() <= high * mean


@given(st.lists(st.floats(0.1, 100), min_size=2, max_size=30), st.floats(1, 3))
@settings(max_examples=100, deadline=None)
def test_design_effect_is_met_and_not_undercut(weights, target):
    design = sample(np.array(weights))
    before = kish_design_effect(design.weights)
    after = trim_to_design_effect(design, target).weights
    assert after.sum() == pytest.approx(design.weights.sum(), rel=1e-12)
    assert kish_design_effect(after) == pytest.approx(min(before, target), rel=1e-9)


def test_variance_takes_the_trimming_as_given():
    # Post-stratified to 12 and 4 (factors 3, 2 of weight 1: 3 3 3 3 2 2, sum 16), then 3 is cut to
    # 2.8: the 0.8 go to the other two. The residual of y' = (2.8/3) y or (2.4/2) y counts:
    # y = 1 2 3 2 | 5 7: a: 2.8 (y - 2) = -2.8 0 2.8 0, b: 2.4 (y - 6) = -2.4 2.4, sum of squares
    # 15.68 + 11.52 = 27.2, var = 6/5 * 27.2 = 32.64 (no correction).
    cells = ["a"] * 4 + ["b"] * 2
    design = post_stratify(sample(np.ones(6)), cells, {"a": 12, "b": 4})
    trimmed = trim(design, upper=2.8)
    assert trimmed.weights == pytest.approx([2.8] * 4 + [2.4] * 2, rel=1e-15)
    e = survey.total(trimmed, [1, 2, 3, 2, 5, 7])
    assert float(e.se) ** 2 == pytest.approx(32.64, rel=1e-13)


def test_bounds_that_exclude_the_mean_are_refused():
    with pytest.raises(ValueError, match="mean weight 4 is not between -inf and 3"):
        trim(sample([1.0, 5, 6]), upper=3)
    with pytest.raises(ValueError, match="1 or more"):
        trim_to_design_effect(sample([1.0, 5, 6]), 0.9)


def test_nothing_to_trim_changes_nothing():
    design = sample([1.0, 5, 6])
    assert list(trim(design).weights) == [1, 5, 6]
    assert trim_to_design_effect(design, 2) is design
    assert isinstance(pd.Series(trim(design, upper=7).weights).sum(), float)

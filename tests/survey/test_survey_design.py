import numpy as np
import pandas as pd
import pytest

from pipeline.survey.design import Design, cell_sums


def test_register_gives_sizes_and_weights():
    # Stratum a: 4 on the register, 2 answered, weight 4 / 2; b: 3 on it, 1 answered, weight 3.
    design = Design.from_frame(
        ["f1", "f2", "f3", "f4", "f5", "f6", "f7"],
        ["a", "b", "a", "a", "b", "b", "a"],
        [True, True, False, True, False, False, False],
    )
    assert list(design.unit_ids) == ["f1", "f2", "f4"]
    assert list(design.strata[design.codes]) == ["a", "b", "a"]
    assert list(design.population) == [4, 3]
    assert list(design.weights) == [2, 3, 2]


def test_given_weights_are_aligned_with_the_register():
    design = Design.from_frame([1, 2, 3], ["a", "a", "a"], [False, True, True], [0, 1.2, 1.8])
    assert list(design.weights) == [1.2, 1.8]


def test_pandas_columns_are_taken():
    table = pd.DataFrame({"id": ["x", "y"], "h": ["a", "a"], "w": [1.5, 1.5]}, index=[7, 3])
    design = Design.from_sample(table["id"], table["h"], table["w"], {"a": 3})
    assert list(design.unit_ids) == ["x", "y"]
    assert design.corrected
    assert not Design.from_sample(table["id"], table["h"], table["w"]).corrected


def test_stratum_without_respondents_has_no_weight_to_divide():
    design = Design.from_frame([1, 2, 3], ["a", "b", "b"], [True, False, False])
    assert list(design.weights) == [1]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"unit_ids": [1, 1]}, "unique"),
        ({"strata": ["a", None]}, "stratum"),
        ({"weights": [1]}, "1 weights"),
        ({"weights": [1, -1]}, "negative"),
        ({"weights": [1, np.nan]}, "finite"),
        ({"population": {"a": 1}}, "more respondents"),
        ({"lonely": "fail"}, "no rule"),
    ],
)
def test_contradictions_are_refused(changed, message):
    sound = {"unit_ids": [1, 2], "strata": ["a", "a"], "weights": [1, 1]}
    with pytest.raises(ValueError, match=message):
        Design.from_sample(**(sound | changed))


def test_sums_by_cell_and_row():
    # Row 1: cell 0 has 1 + 3, cell 1 has 2; row 2: 10 + 30 and 20; cell 2 is empty.
    values = np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
    assert cell_sums(values, np.array([0, 1, 0]), 3).tolist() == [[4, 2, 0], [40, 20, 0]]

"""How precise a figure is: the letter of each, by hand."""

import numpy as np
import pandas as pd
import pytest

from pipeline.analyse.grades import Thresholds, grades

LIMITS = Thresholds(points=(5, 10, 20), percent=(8, 15, 25), amount_answers=10)


def letter(*, categorical, low=0.0, high=0.0, se=0.0, level=100.0, n=50):
    row = {"low": low, "high": high, "se": se, "level": level, "n": n}
    return grades(pd.DataFrame([row | {"categorical": categorical}]), LIMITS)[0]


@pytest.mark.parametrize(
    ("half", "expected"),
    [(0, "A"), (5, "A"), (5.1, "B"), (10, "B"), (10.1, "C"), (20, "C"), (20.1, "D")],
)
def test_a_share_is_graded_by_the_half_width_of_its_interval(half, expected):
    assert letter(categorical=True, low=50 - half, high=50 + half, se=99) == expected
    # An interval that leans to one side has the half of its width.
    assert letter(categorical=True, low=0, high=2 * half) == expected


@pytest.mark.parametrize(
    ("se", "expected"), [(0, "A"), (8, "A"), (8.1, "B"), (15, "B"), (25, "C"), (25.1, "D")]
)
def test_an_amount_is_graded_by_its_standard_error_in_per_cent(se, expected):
    assert letter(categorical=False, se=se, high=1e6) == expected
    assert letter(categorical=False, se=se, level=-100) == expected
    assert letter(categorical=False, se=10 * se, level=1000) == expected


def test_an_amount_of_few_firms_is_not_printed_but_a_share_is():
    assert letter(categorical=False, se=1, n=9) == "D"
    assert letter(categorical=False, se=1, n=10) == "A"
    assert letter(categorical=True, low=49, high=51, n=3) == "A"


def test_an_amount_of_0_has_no_relative_error():
    assert letter(categorical=False, se=1, level=0) == "D"
    assert letter(categorical=False, se=0, level=0) == "A"  # nothing is left to chance


def test_without_an_error_there_is_no_grade():
    assert letter(categorical=False, se=np.nan) == ""
    assert letter(categorical=True, low=np.nan, high=np.nan) == ""


def test_every_row_has_its_own_grade():
    table = pd.DataFrame(
        {"low": [45, 0, 0], "high": [55, 50, 0], "se": [1, 1, 30], "level": [100] * 3}
        | {"n": [50, 50, 50], "categorical": [True, True, False]}
    )
    assert grades(table, LIMITS).tolist() == ["A", "D", "D"]
    assert grades(table.iloc[:0], LIMITS).tolist() == []

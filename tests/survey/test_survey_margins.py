import numpy as np
import pandas as pd
import pytest

from pipeline.survey.margins import CalibrationError, read

ALL = np.ones(6, dtype=bool)


def table():
    return pd.DataFrame(
        {
            "size": ["1", "1", "2", "4", "4", "4"],
            "field": ["x", "y", "x", "y", "x", "y"],
            "emp": [1.0, 2, 3, 4, 5, 6],
        }
    )


def test_margins_are_read():
    margins = {("size", "field"): {("4", "y"): 2, ("4", "x"): 3}, "emp": 80}
    counts, totals = read(table(), margins, np.array([False] * 3 + [True] * 3))
    assert counts[0].title == "size × field"
    assert counts[0].names == ("size=4, field=y", "size=4, field=x")
    assert list(counts[0].codes[3:]) == [0, 1, 0]  # y x y
    assert list(counts[0].counts) == [2, 3]
    assert counts[0].summed(["size"]) == {("4",): 5}
    assert (totals[0].column, totals[0].total) == ("emp", 80)
    assert list(totals[0].numbers) == [0, 0, 0, 4, 5, 6]  # units without a weight count nothing


def test_categories_of_any_type_are_found():
    data = pd.DataFrame(
        {
            "number": [1, 2, 1],
            "category": pd.Categorical(["b", "a", "b"], categories=["a", "b", "c"]),
            "flag": [True, False, True],
        }
    )
    margins = {"number": {1: 5, 2: 4}, "category": {"a": 4, "b": 5}, "flag": {True: 5, False: 4}}
    counts, _ = read(data, margins, np.ones(3, dtype=bool))
    assert [list(c.codes) for c in counts] == [[0, 1, 0], [1, 0, 1], [0, 1, 0]]


def test_a_category_without_count_or_respondent_is_left_alone():
    counts, _ = read(table(), {"size": {"1": 9, "2": 6, "3": 0, "4": 9}}, ALL)
    assert list(counts[0].codes) == [0, 0, 1, 3, 3, 3]


def test_an_empty_category_joins_the_smaller_neighbour():
    # Both neighbours of 3 have respondents; 4 has the smaller count.
    with pytest.raises(CalibrationError, match="collapse 'size=3' with 'size=4'"):
        read(table(), {"size": {"1": 9, "2": 6, "3": 2, "4": 5}}, ALL)
    # Between 1 and 4 there is nobody in 3 nor in 5: 4 is nearest to both.
    with pytest.raises(CalibrationError, match="'size=5' with 'size=4'"):
        read(table(), {"size": {"1": 9, "2": 6, "4": 5, "5": 1}}, ALL)


def test_a_margin_without_any_neighbour_is_left_out():
    data = table().assign(one="a")
    with pytest.raises(CalibrationError, match="leave 'size × field' out"):
        read(data, {("size", "field"): {("9", "z"): 3, ("1", "x"): 1}}, ALL)


def test_missing_categories_and_rows_are_named():
    data = table().assign(size=["1", None, "2", "4", "4", "4"])
    with pytest.raises(CalibrationError, match="1 units have no 'size'"):
        read(data, {"size": {"1": 9, "2": 6, "4": 9}}, ALL)
    with pytest.raises(CalibrationError, match="6 rows, the design 2"):
        read(data, {"emp": 5}, ALL[:2])
    with pytest.raises(CalibrationError, match="no unit with a weight"):
        read(data, {"emp": 5}, ~ALL)


@pytest.mark.parametrize(
    ("margins", "message"),
    [
        (
            {"size": {"1": 9, "2": 6, "3": 2, "4": 8}},
            "'size=3' has no respondent but a count of 2: collapse 'size=3' with 'size=2'",
        ),
        ({"size": {"1": 9, "2": 6}}, "3 units have 'size=4' without a count"),
        ({"size": {"1": 9, "2": 6, "4": 0}}, "'size=4' has 3 respondents but a count of 0"),
        ({"size": {1: 9, 2: 6, 4: 5}}, "are their types the same?"),
        ({"size": {"1": -1, "2": 6, "4": 5}}, "numbers of 0 or more, not so: '1'"),
        (
            {"size": {"1": 9, "2": 6, "4": 9}, "field": {"x": 10, "y": 12}},
            "the counts of 'size' sum to 24, those of 'field' to 22",
        ),
        (
            {
                "size": {"1": 9, "2": 6, "4": 9},
                ("size", "field"): {
                    ("1", "x"): 4,
                    ("1", "y"): 5,
                    ("2", "x"): 5,
                    ("4", "x"): 5,
                    ("4", "y"): 5,
                },
            },
            "the counts of 'size' sum to 6 for size=2, those of 'size × field' to 5",
        ),
        (
            {("size", "field"): {(s, f): 4 for s in "124" for f in "xy"}},
            "collapse 'size=2, field=y' with 'size=1, field=y'",
        ),
        ({("size", "field"): {"1": 4}}, "categories of 'size × field' are tuples of 2"),
        ({"turnover": 5}, "no column 'turnover'; they have 'size', 'field', 'emp'"),
        ({"size": 5}, "'size' has a total but is no column of numbers"),
        ({"size": "many"}, "must map categories to counts or be a total"),
        ({}, "no margin"),
        ({"emp": np.nan}, "must map categories to counts or be a total"),
    ],
)
def test_contradictions_are_named(margins, message):
    with pytest.raises(CalibrationError) as caught:
        read(table(), margins, ALL)
    assert message in str(caught.value)


def test_all_problems_come_at_once():
    data = table().assign(emp=[1.0, np.nan, 3, 4, 5, 6])
    margins = {"size": {"1": 9, "3": 6, "4": 9}, "field": {"x": 10, "y": 12}, "emp": 80}
    with pytest.raises(ValueError, match="no respondent") as caught:
        read(data, margins, ALL)
    assert len(caught.value.problems) == 4  # empty 3, size 2 uncounted, sums, emp missing


def test_constant_columns_are_named():
    data = table().assign(two=2.0, none=0.0)
    field = {"x": 10, "y": 12}
    with pytest.raises(CalibrationError, match=r"'two' is 2 .* can only be 44, not 40"):
        read(data, {"field": field, "two": 40}, ALL)
    with pytest.raises(CalibrationError, match=r"'none' is 0 .* can only be 0, not 1"):
        read(data, {"none": 1}, ALL)
    read(data, {"field": field, "two": 44, "none": 0}, ALL)


def test_counts_may_come_as_a_series():
    register = pd.Series(["a", "a", "b", "b", "b"])
    data = pd.DataFrame({"size": ["a", "b", "b"]})
    used = np.ones(3, dtype=bool)
    (by_series,), _ = read(data, {"size": register.value_counts()}, used)
    (by_mapping,), _ = read(data, {"size": {"a": 2, "b": 3}}, used)
    assert sorted(by_series.counts) == sorted(by_mapping.counts)

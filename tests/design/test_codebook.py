"""The codebook of a wave: which column holds which item."""

from __future__ import annotations

import pandas as pd
import pytest

from pipeline.design import column_map
from pipeline.errors import StudyError
from pipeline.tables import Columns, Items


def items(*names: str) -> pd.DataFrame:
    blank = {c: float("nan") if c in {"minimum", "maximum"} else "" for c in Items.empty().columns}
    made = {"type": "number", "sensitivity": "normal", "exclusive": False}
    table = pd.DataFrame([blank | made | {"item": n, "question": n} for n in names])
    return table.astype(Items.empty().dtypes.to_dict())


def declared(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["wave", "column", "item"], dtype=str)


def mapped(rows: pd.DataFrame, *names: str, key: str = "id") -> dict[str, str]:
    table = column_map(rows, items(*names), wave="w1", key=key)
    assert (table["wave"] == "w1").all()
    assert table["column"].is_monotonic_increasing
    Columns.validate(table)
    return dict(zip(table["column"], table["item"], strict=True))


def test_an_item_is_in_the_column_of_its_name_unless_declared() -> None:
    rows = declared(("w1", "v_1", "x"), ("w2", "v_1", "y"))
    assert mapped(rows, "x", "y") == {"id": "firm_id", "v_1": "x", "y": "y"}
    assert mapped(declared(), "x", "y") == {"id": "firm_id", "x": "x", "y": "y"}


def test_an_option_or_row_has_a_column_like_any_item() -> None:
    rows = declared(("w1", "B[1]", "b_1"))
    assert mapped(rows, "b_1", "b_2", "c_a") == {
        "id": "firm_id",
        "B[1]": "b_1",
        "b_2": "b_2",
        "c_a": "c_a",
    }


def test_columns_may_change_places() -> None:
    rows = declared(("w1", "x", "y"), ("w1", "y", "x"))
    assert mapped(rows, "x", "y") == {"id": "firm_id", "x": "y", "y": "x"}


def test_two_files_may_have_an_item_under_two_headings() -> None:
    rows = declared(("w1", "v_1", "x"), ("w1", "q_1", "x"))
    assert mapped(rows, "x") == {"id": "firm_id", "v_1": "x", "q_1": "x"}


@pytest.mark.parametrize(
    ("rows", "key", "column", "both"),
    [
        (declared(("w1", "y", "x")), "id", "y", "x and y"),  # y has no row of its own
        (declared(("w1", "id", "x")), "id", "id", "firm_id and x"),
        (declared(), "x", "x", "firm_id and x"),  # the key has the name of an item
    ],
)
def test_a_column_cannot_hold_two(rows: pd.DataFrame, key: str, column: str, both: str) -> None:
    with pytest.raises(StudyError) as caught:
        column_map(rows, items("x", "y"), wave="w1", key=key)
    (problem,) = caught.value.problems
    assert (problem.wave, problem.file) == ("w1", "questionnaire/columns.csv")
    assert problem.found == f"column '{column}' for {both}"
    assert "columns.csv" in problem.advice

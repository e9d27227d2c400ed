"""Quarantine: what validation refused is taken out; everything else stays as it was."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from made_tables import filled

from pipeline.errors import ExportError
from pipeline.process import quarantine
from pipeline.tables import Answers, Findings

ANSWERS = filled(
    Answers,
    [
        {"record": r, "firm_id": f"F{r}", "item": i, "text": "5", "code": "5", "value": 5.0}
        for r in (1, 2)
        for i in ("x", "y")
    ],
    wave="w1",
    file="a.csv",
)


def found(*rows: dict[str, Any]) -> Any:
    constant = {"wave": "w1", "file": "a.csv", "severity": "hard", "treatment": "keep"}
    return filled(Findings, list(rows), **constant)


def test_without_findings_nothing_changes() -> None:
    pd.testing.assert_frame_equal(quarantine(ANSWERS, found()), ANSWERS)
    kept = found({"record": 0, "rule": "unknown_column"}, {"record": 1, "item": "x"})
    pd.testing.assert_frame_equal(quarantine(ANSWERS, kept), ANSWERS)


def test_a_row_goes_and_a_value_loses_code_and_number() -> None:
    table = quarantine(
        ANSWERS,
        found(
            {"record": 1, "rule": "duplicate_key", "treatment": "reject_row"},
            {"record": 2, "item": "y", "rule": "r1", "treatment": "quarantine_value"},
        ),
    )
    assert table[["firm_id", "item", "code", "reason"]].to_numpy().tolist() == [
        ["F2", "x", "5", ""],
        ["F2", "y", "", "quarantined"],
    ]
    assert table["value"].isna().tolist() == [False, True]
    assert table["text"].tolist() == ["5", "5"]  # what the file had stays


def test_the_same_record_of_another_file_stays() -> None:
    other = found({"record": 1, "file": "b.csv", "rule": "no_answers", "treatment": "reject_row"})
    assert len(quarantine(ANSWERS, other)) == 4


def test_where_no_row_is_left_the_rules_are_counted() -> None:
    refused = [
        {"record": 1, "rule": "r9", "treatment": "reject_row"},
        {"record": 2, "rule": "r9", "treatment": "reject_row"},
    ]
    told = {"expected": "a firm of the register", "advice": "add it"}
    with pytest.raises(ExportError) as caught:
        quarantine(ANSWERS, found(*(row | told for row in refused)))
    (problem,) = caught.value.problems
    assert (problem.wave, problem.file) == ("w1", "a.csv")
    assert problem.found == "2 rows rejected: r9"
    assert problem.expected == "rows that can be taken (a firm of the register)"
    assert problem.advice == "add it"


def test_the_small_study(small: SimpleNamespace) -> None:
    firms = small.answers.groupby("wave")["firm_id"].nunique()
    assert firms.to_dict() == {"2021": 27, "2022": 24, "2023": 27}
    out = small.answers[small.answers["reason"] == "quarantined"]
    assert out["value"].isna().all()
    assert list(zip(out["wave"], out["firm_id"], out["item"], strict=True)) == [
        ("2021", "F002", "cl_mood"),
        ("2021", "F004", "n_staff"),
        ("2021", "F007", "n_trainee"),
        ("2021", "F008", "h_trainee"),
        ("2022", "F005", "pct_export"),
        ("2023", "F003", "n_staff"),
    ]

"""Validate: which rows cannot be taken and why, which values not, and what is only said."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tables import codes, columns_of, edits, items, raw, register

from pipeline.process import decode, quarantine, validate
from pipeline.process.decode import RECORD

ITEMS = items({"item": "x"}, {"item": "y"})
FRAME = register({"F1": {}, "F2": {}, "F3": {}})


def findings(
    cells: Any, rules: Any = None, rows: Any = ITEMS, missing: dict[str, str] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Findings and answers of delivered cells."""
    columns = columns_of(rows)
    signs = {"decimal": ".", "thousands": ""}
    answers = decode(cells, rows, codes(), columns, missing=missing or {}, **signs)
    rules = edits() if rules is None else rules
    return validate(cells, answers, FRAME, columns, rules, language="en"), answers


def rejected(*records: dict[str, str] | str) -> list[tuple[int, str]]:
    table, _ = findings(raw(*records))
    rows = table[table["treatment"] == "reject_row"]
    assert (rows["severity"] == "hard").all()
    assert (rows[["expected", "advice"]] != "").all(axis=None)
    return list(zip(rows["record"], rows["rule"], strict=True))


def row(firm: str, x: str = "1", y: str = "2", **other: str) -> dict[str, str]:
    return {"id": firm, "x": x, "y": y} | other


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([row("F1"), row("F2")], []),
        ([row("F1"), row("F1"), row("F1")], [(2, "duplicate_row"), (3, "duplicate_row")]),
        ([row("F1"), row("F1", x="9")], [(1, "duplicate_key"), (2, "duplicate_key")]),
        # two alike and one that differs: nobody can say which holds
        (
            [row("F1"), row("F1"), row("F1", x="9"), row("F2")],
            [(1, "duplicate_key"), (2, "duplicate_key"), (3, "duplicate_key")],
        ),
        # what differs only in a column that no item uses is the same answer
        ([row("F1", when="8:00"), row("F1", when="9:00")], [(2, "duplicate_row")]),
        ([row(" F1 "), row("F1")], [(2, "duplicate_row")]),
        ([row(""), row("F1"), row("")], [(1, "key_missing"), (3, "key_missing")]),
        ([row("F9")], [(1, "not_in_register")]),
        ([row("f1")], [(1, "not_in_register")]),
        ([row("F1", "", ""), row("F2")], [(1, "no_answers")]),
        # an empty questionnaire does not contradict a full one
        ([row("F1", "", ""), row("F1")], [(1, "no_answers")]),
        ([row("F1", "", ""), row("F1", "", "")], [(1, "no_answers"), (2, "no_answers")]),
        ([row("F1", "", ""), row("F1"), row("F1")], [(1, "no_answers"), (3, "duplicate_row")]),
        # a text in a number is an answer that could not be read, not none
        ([row("F1", "many", "")], []),
        (["F1;1;2;3", row("F1")], [(1, "ragged_row")]),
        (["F1;1;2;3", row("")], [(1, "ragged_row"), (2, "key_missing")]),
    ],
)
def test_rows(records: list[Any], expected: list[tuple[int, str]]) -> None:
    assert rejected(*records) == expected


def test_a_refusal_is_a_response_and_silence_is_none() -> None:
    missing = {"-1": "refused", "-2": "dont_know", "-9": "no_answer"}
    cells = raw(row("F1", "-1", ""), row("F2", "", "-2"), row("F3", "-9", ""))
    table, _ = findings(cells, missing=missing)
    assert list(zip(table["firm_id"], table["rule"], strict=True)) == [("F3", "no_answers")]


def test_a_firm_in_two_files_is_there_twice() -> None:
    cells = pd.concat(
        [raw(row("F1")), raw(row("F1", x="5"), row("F2"), file="b.csv")], ignore_index=True
    )
    table, _ = findings(cells)
    found = list(zip(table["file"], table["record"], table["rule"], strict=True))
    assert found == [("a.csv", 1, "duplicate_key"), ("b.csv", 1, "duplicate_key")]


def test_unknown_columns_are_named_once_a_file() -> None:
    cells = pd.concat(
        [raw(row("F1", new="1"), row("F2", new="")), raw(row("F3", new="1"), file="b.csv")],
        ignore_index=True,
    )
    table, _ = findings(cells)
    assert table[["file", "record", "rule", "found", "treatment"]].to_numpy().tolist() == [
        ["a.csv", 0, "unknown_column", "new", "keep"],
        ["b.csv", 0, "unknown_column", "new", "keep"],
    ]


def test_values_that_could_not_be_read_say_what_was_found() -> None:
    table, _ = findings(raw(row("F1", x="many"), row("F9", x="many")))
    assert table[["firm_id", "item", "rule", "found", "treatment"]].to_numpy().tolist() == [
        ["F1", "x", "not_a_number", "many", "quarantine_value"],
        ["F9", "", "not_in_register", "F9", "reject_row"],  # nothing more of a rejected row
    ]


RULE = {"rule": "r1", "test": "x <= y", "items": "x y"}


@pytest.mark.parametrize(
    ("changed", "texts", "items_found"),
    [
        ({}, ("3", "2"), ["x", "y"]),
        ({}, ("2", "2"), []),
        ({}, ("", "2"), []),  # a missing value breaks no rule
        ({}, ("many", "2"), []),
        ({"condition": "x > 5"}, ("3", "2"), []),
        ({"condition": "x > 5"}, ("6", "2"), ["x", "y"]),
        ({"condition": "x > 5", "items": "x"}, ("6", "2"), ["x"]),
        ({"condition": "never > 5"}, ("6", "2"), []),  # an item that the wave does not ask
        ({"test": "never > 5"}, ("6", "2"), []),
        ({"test": "x <= y or never > 5"}, ("6", "2"), []),  # it might hold
        ({"test": "x <= y and never > 5"}, ("6", "2"), ["x", "y"]),
    ],
)
def test_edit_rules(
    changed: dict[str, str], texts: tuple[str, str], items_found: list[str]
) -> None:
    table, _ = findings(raw(row("F1", *texts)), edits(RULE | changed))
    broken = table[table["rule"] == "r1"]
    assert broken["item"].tolist() == items_found
    assert (broken["treatment"] == "quarantine_value").all()
    assert (broken["severity"] == "hard").all()
    assert (broken["advice"] == "Look.").all()


def test_a_soft_rule_only_reports_with_its_condition() -> None:
    rule = RULE | {"kind": "soft", "condition": "y > 0"}
    table, answers = findings(raw(row("F1", "3", "2")), edits(rule))
    assert table["treatment"].tolist() == ["keep", "keep"]
    assert table["expected"].tolist() == ["x <= y where y > 0"] * 2
    assert table["found"].tolist() == ["3", "2"]
    pd.testing.assert_frame_equal(quarantine(answers, table), answers)


def test_a_hard_rule_takes_no_value_where_there_is_none() -> None:
    rule = {"rule": "r1", "test": "answered(y)", "condition": "x > 0", "items": "x y"}
    table, answers = findings(raw(row("F1", "3", "")), edits(rule))
    treatments = dict(zip(table["item"], table["treatment"], strict=True))
    assert treatments == {"x": "quarantine_value", "y": "keep"}
    kept = quarantine(answers, table).set_index("item")["reason"].to_dict()
    assert kept == {"x": "quarantined", "y": "no_answer"}


def test_a_rejected_row_breaks_no_edit_rule() -> None:
    table, _ = findings(raw(row("F9", "3", "2")), edits(RULE))
    assert table["rule"].tolist() == ["not_in_register"]


FIRM = st.sampled_from(["F1", "F2", "F3", "F9", "", " F1"])
VALUE = st.sampled_from(["", "1", "2", "many"])
RECORDS = st.lists(
    st.one_of(st.builds(row, FIRM, VALUE, VALUE), st.just("F1;1;2;3")), min_size=1, max_size=8
)


@settings(deadline=None, max_examples=15)
@given(RECORDS, st.randoms(use_true_random=False))
def test_rows_in_are_rows_taken_and_rows_rejected(records: list[Any], random: Any) -> None:
    cells = raw(*records, row("F3", x="7"))  # one that fits: a file of ragged rows is refused
    table, answers = findings(cells, edits(RULE))
    refused = table[table["treatment"] == "reject_row"]
    assert not refused.duplicated(RECORD).any()  # one reason a row
    everything = {tuple(r) for r in cells[RECORD].drop_duplicates().to_numpy()}
    out = {tuple(r) for r in refused[RECORD].to_numpy()}
    assert out <= everything
    if out == everything:
        return
    kept = quarantine(answers, table)
    taken = {tuple(r) for r in kept[RECORD].drop_duplicates().to_numpy()}
    assert taken | out == everything
    assert not taken & out
    assert not kept.duplicated(["firm_id", "item"]).any()
    assert set(kept["firm_id"]) <= {"F1", "F2", "F3"}
    order = random.sample(range(len(cells)), len(cells))
    again, _ = findings(cells.iloc[order].reset_index(drop=True), edits(RULE))
    pd.testing.assert_frame_equal(table, again)


def test_the_small_study(small: SimpleNamespace) -> None:
    table = small.findings
    found = Counter(zip(table["wave"], table["firm_id"], table["item"], table["rule"], strict=True))
    assert found == Counter(
        [
            ("2021", "", "", "unknown_column"),
            ("2021", "", "", "key_missing"),
            ("2021", "F001", "", "duplicate_row"),
            ("2021", "F002", "cl_mood", "code_not_in_list"),
            ("2021", "F003", "", "duplicate_key"),
            ("2021", "F003", "", "duplicate_key"),
            ("2021", "F004", "n_staff", "not_a_number"),
            ("2021", "F005", "h_trainee", "e_hours"),
            ("2021", "F007", "n_trainee", "e_trainees"),
            ("2021", "F008", "h_trainee", "answered_although_routed_out"),
            ("2021", "F009", "", "no_answers"),
            ("2021", "F099", "", "not_in_register"),
            ("2021", "", "", "ragged_row"),
            ("2022", "F005", "pct_export", "above_max"),
            ("2022", "F006", "has_bot", "e_fax"),
            ("2022", "F006", "old_fax", "e_fax"),
            ("2022", "F001", "", "no_answers"),
            ("2023", "F003", "n_staff", "not_whole"),
        ]
    )
    per_file = small.raw.groupby(["wave", "file"])["record"].nunique()
    # 2021: 27 firms + 1 copy + 2 of F003 + F099 + no key + F009 + ragged; 2022: F001 is in both
    assert per_file.to_dict() == {
        ("2021", "small_2021.csv"): 34,
        ("2022", "north.csv"): 12,
        ("2022", "south.csv"): 13,
        ("2023", "small_2023.csv"): 27,
    }

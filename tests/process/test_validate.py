"""Validate: which rows cannot be taken and why, which values not, and what is only said."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tables import changes, codes, columns_of, edits, items, options, raw, register

from pipeline.errors import StudyError
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
    found = validate(cells, answers, FRAME, columns, rules, changes=changes(), language="en")
    return found, answers


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


PARTS = items(*({"item": i, "type": "percent", "maximum": 100.0} for i in "abc"), {"item": "on"})
ADD_UP = {"rule": "p", "kind": "parts", "items": "a b c", "test": "100", "condition": "on > 0"}
ADD_UP |= {"tolerance": 2.0}


def parts(*texts: str, on: str = "1", **changed: Any) -> tuple[pd.DataFrame, list[float]]:
    """Findings on the parts of one firm, and their values after quarantine."""
    cells = raw({"id": "F1", "on": on} | dict(zip("abc", texts, strict=True)))
    table, answers = findings(cells, edits(ADD_UP | changed), PARTS)
    kept = quarantine(answers, table).set_index("item")
    assert kept["text"].to_dict() == {"on": on} | dict(zip("abc", texts, strict=True))
    return table, kept.loc[list("abc"), "value"].tolist()


def test_parts_that_miss_their_total_by_little_are_prorated() -> None:
    table, values = parts("50", "30", "21")
    # 50 · 100 / 101, 30 · 100 / 101, 21 · 100 / 101
    assert values == pytest.approx([5000 / 101, 3000 / 101, 2100 / 101])
    assert (table["treatment"] == "normalised").all()
    assert (table["severity"] == "soft").all()
    assert table["found"].tolist() == ["50", "30", "21"]
    assert table["expected"].tolist()[0] == "49.504950495"
    assert (table["advice"] == "Look.").all()


def test_parts_that_miss_it_by_much_are_taken_out() -> None:
    table, values = parts("50", "30", "17")
    assert np.isnan(values).all()
    assert (table["treatment"] == "quarantine_value").all()
    assert (table["severity"] == "hard").all()
    assert set(table["expected"]) == {"a + b + c = 100 where on > 0"}


@pytest.mark.parametrize(
    ("texts", "changed", "rules"),
    [
        (("50", "30", "20"), {}, []),
        (("33.3", "33.3", "33.4"), {}, []),  # decimal fractions are not exact
        (("50", "30", "22"), {}, ["normalised"]),  # just within the tolerance
        (("50", "30", "22.1"), {}, ["quarantine_value"]),
        (("50", "30", ""), {}, []),  # parts with a missing value are not judged
        (("50", "30", "many"), {}, ["quarantine_value"]),  # by decoding alone
        (("50", "30", "10"), {"condition": "on > 1"}, []),
        (("50", "30", "21"), {"tolerance": float("nan")}, ["quarantine_value"]),
        (("1", "1", "0.5"), {"test": "on + 1"}, ["normalised"]),
        (("0", "0", "0"), {"test": "on"}, ["quarantine_value"]),  # nothing to prorate
        (("1", "1", "1"), {"test": "never"}, []),  # no total
    ],
)
def test_what_is_done_about_parts(
    texts: tuple[str, ...], changed: dict[str, Any], rules: list[str]
) -> None:
    table, _ = parts(*texts, **changed)
    assert sorted(set(table["treatment"])) == rules


SHARE = st.integers(0, 400).map(lambda quarter: str(quarter / 4))


@settings(deadline=None, max_examples=12)
@given(SHARE, SHARE, SHARE)
def test_proration_adds_up(a: str, b: str, c: str) -> None:
    _, values = parts(a, b, c)
    added = float(a) + float(b) + float(c)
    if abs(added - 100) <= 2:
        assert sum(values) == pytest.approx(100, abs=1e-8)
        assert values == pytest.approx([float(x) * 100 / added for x in (a, b, c)])
    else:
        assert np.isnan(values).all()


def test_edit_rules_see_the_units_and_codes_of_the_series() -> None:
    rows = items({"item": "x"}, {"item": "s", "type": "single", "code_list": "l"})
    columns = columns_of(rows)
    cells = raw({"id": "F1", "x": "5", "s": "1"})
    signs: dict[str, Any] = {"missing": {}, "decimal": ".", "thousands": ""}
    answers = decode(cells, rows, codes(l="1 2 3"), columns, **signs)
    rules = edits(
        {"rule": "r1", "test": "x < 1000", "items": "x"},
        {"rule": "r2", "test": "s == 1", "items": "s", "kind": "soft"},
    )
    forms = changes(
        {"item": "x", "kind": "unit", "apply": "* 1000", "to_wave": "w1"},
        {"item": "s", "kind": "recode", "apply": "1=3 3=1"},
        {"item": "x", "kind": "unit", "apply": "* 1000", "from_wave": "w2"},
    )
    table = validate(cells, answers, FRAME, columns, rules, changes=forms, language="en")
    assert table[["rule", "found"]].to_numpy().tolist() == [["r2", "1"], ["r1", "5"]]
    assert answers["value"].tolist() == [1, 5]  # in the unit of the wave, as they came


def test_parts_are_prorated_in_the_unit_of_the_wave() -> None:
    rows = items({"item": "x"}, {"item": "y"})
    rule = {"rule": "p", "kind": "parts", "items": "x y", "test": "10000", "tolerance": 500.0}
    forms = changes(*({"item": i, "kind": "unit", "apply": "* 1000"} for i in "xy"))
    cells, columns = raw({"id": "F1", "x": "6", "y": "4.4"}), columns_of(rows)
    signs: dict[str, Any] = {"missing": {}, "decimal": ".", "thousands": ""}
    answers = decode(cells, rows, codes(), columns, **signs)
    table = validate(cells, answers, FRAME, columns, edits(rule), changes=forms, language="en")
    # 6,000 + 4,400 misses 10,000 by 400
    kept = quarantine(answers, table)
    assert kept["value"].tolist() == pytest.approx([6 / 1.04, 4.4 / 1.04])


def test_edit_rules_see_the_register() -> None:
    frame = register(
        {
            "F1": {"division": "29"},
            "F2": {"division": "26"},
            "F3": {"population": "3", "division": "29"},
        }
    )
    rows, columns = items({"item": "x"}), columns_of(items({"item": "x"}))
    cells = raw(*({"id": f, "x": "2932"} for f in ("F1", "F2", "F3")))
    answers = decode(cells, rows, codes(), columns, missing={}, decimal=".", thousands="")
    rules = edits(
        {"rule": "r1", "test": "floor(x / 100) == division", "items": "x", "kind": "soft"},
        {"rule": "r2", "test": "x < 0", "condition": "division == '29'", "items": "x"},
    )
    table = validate(cells, answers, frame, columns, rules, changes=changes(), language="en")
    assert table[["firm_id", "rule"]].to_numpy().tolist() == [
        ["F1", "r2"],
        ["F2", "r1"],
        ["F3", "r2"],  # its group is 3*29
    ]


def test_a_built_in_rule_gives_its_name_and_message() -> None:
    rules = edits(
        {"rule": "r1", "kind": "built_in", "test": "not_a_number above_max", "message_en": "Read."},
        {"rule": "r2", "kind": "built_in", "test": "not_in_register", "message_en": "Who?"},
    )
    table, _ = findings(raw(row("F1", "many"), row("F9")), rules)
    found = table[["firm_id", "rule", "advice", "treatment"]].to_numpy().tolist()
    assert found == [
        ["F1", "r1", "Read.", "quarantine_value"],
        ["F9", "r2", "Who?", "reject_row"],
    ]
    assert table["expected"].tolist()[1] == "a firm of the register"


def test_an_unknown_built_in_rule_is_refused() -> None:
    rules = edits({"rule": "r1", "kind": "built_in", "test": "above_max not_in_registry"})
    with pytest.raises(StudyError) as caught:
        findings(raw(row("F1")), rules)
    (problem,) = caught.value.problems
    assert (problem.file, problem.row, problem.item) == ("edits.csv", "r1", "test")
    assert problem.found == "'not_in_registry'"
    assert "did you mean not_in_register?" in problem.advice


def test_options_that_exclude_each_other_are_findings() -> None:
    rows = items(*options("m", "1 99"))
    rules = edits({"rule": "r4", "kind": "built_in", "test": "exclusive_with_others"})
    table, _ = findings(raw({"id": "F1", "m_1": "1", "m_99": "1"}), rules, rows)
    assert table[["item", "rule", "found"]].to_numpy().tolist() == [
        ["m_1", "r4", "1"],
        ["m_99", "r4", "1"],
    ]


def test_scores_are_judged_over_waves_not_here() -> None:
    table, _ = findings(raw(row("F1")), edits({"rule": "r1", "kind": "score", "items": "x"}))
    assert table.empty


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

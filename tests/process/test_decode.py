"""Decode: what a text means by the codebook, and why a value is missing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tables import codes, columns_of, filled, items, options, raw

from pipeline.errors import ExportError, StudyError
from pipeline.process import decode
from pipeline.tables import Columns, RawAnswers

DECLARED: dict[str, Any] = {"missing": {}, "decimal": ".", "thousands": ""}
BROKEN = "quarantined"


def decoded(
    texts: dict[str, str] | list[Any], rows: Any, lists: Any = None, **declared: Any
) -> pd.DataFrame:
    """Answers of one record (or several), by item where there is one."""
    records = [{"id": "F1"} | texts] if isinstance(texts, dict) else texts
    codes_of = lists if lists is not None else codes()
    answers = decode(raw(*records), rows, codes_of, columns_of(rows), **(DECLARED | declared))
    return answers.set_index("item") if isinstance(texts, dict) else answers


def number(text: str, kind: str = "number", **declared: Any) -> tuple[float, str]:
    row = decoded({"x": text}, items({"item": "x", "type": kind}), **declared).loc["x"]
    return row["value"], row["problem"]


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "expected"),
    [
        ("12", ".", "", 12),
        ("12.5", ".", "", 12.5),
        (".5", ".", "", 0.5),
        (",5", ",", "", 0.5),
        ("12.", ".", "", 12),
        ("-12", ".", "", -12),
        ("\u221212", ".", "", -12),  # the typographic minus
        ("+12", ".", "", 12),
        ("1,5E+03", ",", "", 1500),
        ("12,5", ",", ".", 12.5),
        ("1.234", ",", ".", 1234),
        ("1.234.567,89", ",", ".", 1234567.89),
        ("1234567,89", ",", ".", 1234567.89),
        ("1,234,567.89", ".", ",", 1234567.89),
        ("1 234,5", ",", " ", 1234.5),
        ("1\u202f234,5", ",", " ", 1234.5),
        ("1\u00a0234,5", ",", "\u202f", 1234.5),
        ("1'234.5", ".", "'", 1234.5),
    ],
)
def test_numbers_by_the_declared_signs(
    text: str, decimal: str, thousands: str, expected: float
) -> None:
    assert number(text, decimal=decimal, thousands=thousands) == (expected, "")


@pytest.mark.parametrize(
    ("text", "decimal", "thousands"),
    [
        ("12,5", ".", ""),
        ("1.5", ",", "."),  # no group of three
        ("12.34", ",", "."),
        ("1.23.456", ",", "."),
        ("1234.567", ",", "."),
        ("1.234", ",", ""),  # no thousands sign is declared
        ("1,234,5", ",", "."),
        ("1 234", ".", ""),
        ("ca. 100", ".", ""),
        ("1_000", ".", ""),
        ("0x10", ".", ""),
        ("\u0661\u0662", ".", ""),  # digits of another script
        ("inf", ".", ""),
        ("nan", ".", ""),
        ("--5", ".", ""),
        ("5-", ".", ""),
        (".", ".", ""),
        ("50 %", ".", ""),  # only a percentage may say so
        ("=1+1", ".", ""),
    ],
)
def test_a_number_is_never_guessed(text: str, decimal: str, thousands: str) -> None:
    value, problem = number(text, decimal=decimal, thousands=thousands)
    assert np.isnan(value)
    assert problem == "not_a_number"


@pytest.mark.parametrize(
    ("text", "expected"), [("12,5 %", 12.5), ("12,5%", 12.5), ("12,5", 12.5), ("12,5\u00a0%", 12.5)]
)
def test_a_percentage_is_the_figure_before_the_sign(text: str, expected: float) -> None:
    assert number(text, "percent", decimal=",") == (expected, "")


@pytest.mark.parametrize("text", ["12 %%", "%", "% 12", "12 Prozent"])
def test_other_percentages_are_no_numbers(text: str) -> None:
    assert number(text, "percent")[1] == "not_a_number"


def test_integers_are_whole_and_bounds_hold() -> None:
    assert number("12.0", "integer") == (12, "")
    assert number("12.5", "integer")[1] == "not_whole"
    assert number("1e400")[1] == "not_finite"
    rows = items({"item": "x", "minimum": 0.0, "maximum": 100.0})
    found = {t: decoded({"x": t}, rows).loc["x", "problem"] for t in ("-1", "0", "100", "100.1")}
    assert found == {"-1": "below_min", "0": "", "100": "", "100.1": "above_max"}


@settings(deadline=None, max_examples=12)
@given(
    st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=20),
    st.sampled_from([(".", ""), (",", "."), (".", ","), (",", " "), (".", "'")]),
)
def test_what_is_written_is_read(thousandths: list[int], signs: tuple[str, str]) -> None:
    decimal, thousands = signs
    own = str.maketrans({",": thousands, ".": decimal})
    records = [
        {"id": str(n), "x": f"{k / 1000:,.3f}".translate(own)} for n, k in enumerate(thousandths)
    ]
    found = decoded(records, items({"item": "x"}), decimal=decimal, thousands=thousands)
    assert found["value"].tolist() == pytest.approx([k / 1000 for k in thousandths])
    assert (found["problem"] == "").all()


def test_a_code_is_the_text_of_the_list() -> None:
    rows = items(*({"item": i, "type": "single", "code_list": "l"} for i in "abcde"))
    found = decoded(
        {"a": " 1 ", "b": "B", "c": "1.0", "d": "01", "e": "\u00a0"}, rows, codes(l="1 B")
    )
    assert found["code"].to_dict() == {"a": "1", "b": "B", "c": "", "d": "", "e": ""}
    assert found["value"].fillna(-1).to_dict() == {"a": 1, "b": -1, "c": -1, "d": -1, "e": -1}
    # 1.0 and 01 are not guessed to be 1: codes.csv can list them, changes.csv recode them
    assert found["problem"].to_dict() == dict.fromkeys("abe", "") | dict.fromkeys(
        "cd", "code_not_in_list"
    )
    assert found["reason"].to_dict() == {"a": "", "b": "", "c": BROKEN, "d": BROKEN} | {
        "e": "no_answer"
    }
    assert found["text"]["c"] == "1.0"


def test_codes_and_keys_in_any_unicode_form() -> None:
    rows = items({"item": "a", "type": "single", "code_list": "l"})
    lists = codes(l="gr\u00f6\u00dfer")
    answers = decode(
        raw({"id": "Mu\u0308ller", "a": "gro\u0308\u00dfer"}),
        rows,
        lists,
        columns_of(rows),
        **DECLARED,
    )
    assert answers.loc[0, ["firm_id", "code"]].tolist() == ["M\u00fcller", "gr\u00f6\u00dfer"]


def test_missing_codes_have_the_reasons_of_the_wave() -> None:
    rows = items({"item": "x"}, {"item": "y"}, {"item": "z"}, {"item": "u", "type": "text"})
    missing = {"-9": "refused", "n/a": "dont_know"}
    found = decoded({"x": "-9", "y": "n/a", "z": "", "u": "well"}, rows, missing=missing)
    reasons = {"x": "refused", "y": "dont_know", "z": "no_answer", "u": ""}
    assert found["reason"].to_dict() == reasons
    assert found["value"].isna().all()
    assert (found["problem"] == "").all()


def test_a_text_cannot_be_an_answer_and_none() -> None:
    rows = items({"item": "a", "type": "single", "code_list": "l"}, {"item": "x"})
    with pytest.raises(StudyError) as caught:
        decoded({"a": "9", "x": "9"}, rows, codes(l="1 9"), missing={"9": "refused"})
    (problem,) = caught.value.problems
    assert (problem.wave, problem.file, problem.item) == ("w1", "wave.toml", "a")
    assert problem.found == "'9' = 'refused'"
    assert "[missing]" in problem.advice


def routing(*texts: str) -> pd.DataFrame:
    """b is asked where a > 0, c where b > 1; the answers of records, ``a b c`` each."""
    rows = items(
        {"item": "a", "maximum": 100.0},
        {"item": "b", "routing": "a > 0"},
        {"item": "c", "routing": "b > 1"},
    )
    records = [
        {"id": str(n)} | dict(zip("abc", text.replace("_", " ").split(","), strict=True))
        for n, text in enumerate(texts)
    ]
    answers = decoded(records, rows, missing={"-9": "refused", "-6": "routed_out"})
    return answers.pivot(index="firm_id", columns="item", values="reason")


@pytest.mark.parametrize(
    ("texts", "reasons"),
    [
        ("1,2,3", ("", "", "")),
        ("1,,", ("", "no_answer", "no_answer")),
        ("1,1,", ("", "", "routed_out")),
        ("0,,", ("", "routed_out", "routed_out")),  # c hangs on b, which was not asked
        ("0,-9,", ("", "refused", "no_answer")),  # why b is missing is said: c is undecided
        ("0,5,", ("", BROKEN, "no_answer")),
        ("0,,5", ("", "routed_out", BROKEN)),  # c hangs on b, which was not asked
        ("-9,,5", ("refused", "no_answer", "")),  # nothing says that c = 5 is wrong but b's gap
        ("-9,,", ("refused", "no_answer", "no_answer")),
        (",2,", ("no_answer", "", "no_answer")),
        ("many,,", (BROKEN, "no_answer", "no_answer")),
        ("101,,", (BROKEN, "no_answer", "no_answer")),  # out of bounds decides nothing
        ("-5,,", ("", "routed_out", "routed_out")),
        ("0,-6,-6", ("", "routed_out", "routed_out")),
        ("1,-6,-6", ("", BROKEN, "routed_out")),  # b was asked; c hangs on it, undecided
        ("-6,-6,", (BROKEN, "routed_out", "routed_out")),  # a is asked of everybody
    ],
)
def test_routing(texts: str, reasons: tuple[str, ...]) -> None:
    assert tuple(routing(texts).loc["0", list("abc")]) == reasons


def test_routing_by_codes_and_by_items_the_wave_does_not_ask() -> None:
    rows = items(
        {"item": "a", "type": "single", "code_list": "l"},
        {"item": "b", "routing": "a in {'x', 'y'}"},
        {"item": "c", "routing": "never > 0"},
    )
    records = [{"id": k, "a": k, "b": "", "c": "5"} for k in ("x", "z", "")]
    found = decoded(records, rows, codes(l="x z")).pivot(
        index="firm_id", columns="item", values="reason"
    )
    assert found["b"].to_dict() == {"x": "no_answer", "z": "routed_out", "": "no_answer"}
    assert (found["c"] == "").all()


MULTI = items(*options("m", "1 2 99"))
"""A multi with two options and 'none of these'."""


def ticks(
    *boxes: str, missing: dict[str, str] | None = None, **texts: str
) -> list[tuple[Any, ...]]:
    """Code, reason and problem of the options 1, 2 and 99."""
    cells = dict(zip(MULTI["item"], boxes, strict=True))
    found = decoded(cells, MULTI, missing=missing or {}, **texts)
    return list(zip(found["code"], found["reason"], found["problem"], strict=True))


YES, NO, NONE = ("1", "", ""), ("0", "", ""), ("", "no_answer", "")


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        (("1", "0", "0"), [YES, NO, NO]),
        (("1", "1", "0"), [YES, YES, NO]),
        (("0", "0", "1"), [NO, NO, YES]),
        (("0", "0", "0"), [NONE] * 3),  # nothing was ticked: the question was left out
        (("0", "", ""), [NONE] * 3),
        (("1", "", "0"), [YES, NONE, NO]),  # an empty cell is no 'not chosen' unless declared
        (("1", "-97", "0"), [YES, ("", "refused", ""), NO]),
        (("-97", "-97", "-97"), [("", "refused", "")] * 3),
        (("1", "yes", "0"), [YES, ("", BROKEN, "code_not_in_list"), NO]),
        (("0", "yes", "0"), [NONE, ("", BROKEN, "code_not_in_list"), NONE]),
    ],
)
def test_options_by_the_default_texts(boxes: tuple[str, ...], expected: list[Any]) -> None:
    assert ticks(*boxes, missing={"-97": "refused"}) == expected


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        (("Y", "", ""), [YES, NO, NO]),
        (("", "", "Y"), [NO, NO, YES]),
        (("", "", ""), [NONE] * 3),
        (("Y", "0", ""), [YES, ("", BROKEN, "code_not_in_list"), NO]),
    ],
)
def test_an_empty_box_is_not_chosen_where_another_one_is(
    boxes: tuple[str, ...], expected: list[Any]
) -> None:
    assert ticks(*boxes, chosen="Y", not_chosen="") == expected


def test_values_of_options_are_1_and_0() -> None:
    found = decoded({"m_1": "Y", "m_2": "N", "m_99": "N"}, MULTI, chosen="Y", not_chosen="N")
    assert found["value"].to_dict() == {"m_1": 1, "m_2": 0, "m_99": 0}


def test_none_of_these_beside_another_option_takes_the_question_out() -> None:
    clash = ("", BROKEN, "exclusive_with_others")
    assert ticks("1", "0", "1") == [clash] * 3
    assert ticks("1", "", "1") == [clash, NONE, clash]  # what has no value keeps its reason
    assert ticks("Y", "", "Y", chosen="Y", not_chosen="") == [clash] * 3


def test_questions_and_records_do_not_touch_each_other() -> None:
    rows = items(*options("m", "1 99"), *options("n", "1 2"))
    records = [
        {"id": "A", "m_1": "1", "m_99": "1", "n_1": "1", "n_2": "0"},
        {"id": "B", "m_1": "0", "m_99": "0", "n_1": "0", "n_2": "1"},
    ]
    found = decoded(records, rows).pivot(index="firm_id", columns="item", values="reason")
    assert found.loc["A"].to_dict() == {"m_1": BROKEN, "m_99": BROKEN, "n_1": "", "n_2": ""}
    assert found.loc["B"].to_dict() == dict.fromkeys(("m_1", "m_99"), "no_answer") | {
        "n_1": "",
        "n_2": "",
    }


@pytest.mark.parametrize(
    ("x", "boxes", "reasons"),
    [
        ("1", ("", ""), ["no_answer", "no_answer"]),
        ("0", ("", ""), ["routed_out", "routed_out"]),
        ("0", ("0", "0"), ["routed_out", "routed_out"]),  # boxes that were never shown
        ("0", ("1", "0"), [BROKEN, BROKEN]),
        ("1", ("1", "0"), ["", ""]),
    ],
)
def test_the_routing_of_an_option_is_that_of_its_question(
    x: str, boxes: tuple[str, str], reasons: list[str]
) -> None:
    rows = items({"item": "x"}, *options("m", "1 2", routing="x > 0"))
    found = decoded({"x": x, "m_1": boxes[0], "m_2": boxes[1]}, rows)
    assert found.loc[["m_1", "m_2"], "reason"].tolist() == reasons


def test_routing_hangs_on_the_number_of_options() -> None:
    rows = items(
        {"item": "x"},
        *options("m", "1 2 99", routing="x > 0"),
        {"item": "y", "routing": "count(m_1, m_2, m_3) > 0"},  # m_3 came in a later wave
    )
    records = [
        {"id": n, "x": x, "m_1": a, "m_2": "0", "m_99": c, "y": ""}
        for n, x, a, c in (("A", "1", "1", "0"), ("B", "1", "0", "1"), ("C", "0", "", ""))
    ]
    records.append({"id": "D", "x": "1", "m_1": "0", "m_2": "0", "m_99": "0", "y": ""})
    found = decoded(records, rows).pivot(index="firm_id", columns="item", values="reason")
    # C was not asked m, so that nobody asked y either; D left m out: nothing is decided
    expected = {"A": "no_answer", "B": "routed_out", "C": "routed_out", "D": "no_answer"}
    assert found["y"].to_dict() == expected


def test_a_tick_cannot_be_a_missing_code() -> None:
    with pytest.raises(StudyError) as caught:
        ticks("N", "N", "Y", missing={"N": "refused"}, chosen="Y", not_chosen="N")
    assert {p.item for p in caught.value.problems} == {"m_1", "m_2", "m_99"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("2932", ""),
        ("0111", ""),
        ("293", "code_not_in_list"),
        ("29320", "code_not_in_list"),
        ("29.32", "code_not_in_list"),
        ("dddd", "code_not_in_list"),
        ("293d", "code_not_in_list"),
        ("-932", "code_not_in_list"),
        ("\u0662\u0669\u0663\u0662", "code_not_in_list"),  # digits of another script
        ("other", ""),
    ],
)
def test_a_code_of_letters_d_stands_for_all_numbers_of_its_length(text: str, problem: str) -> None:
    rows = items({"item": "a", "type": "single", "code_list": "l"})
    found = decoded({"a": text}, rows, codes(l="dddd other")).loc["a"]
    assert found["problem"] == problem
    assert found["code"] == ("" if problem else text)


def test_a_missing_code_cannot_fit_a_pattern() -> None:
    rows = items({"item": "a", "type": "single", "code_list": "l"})
    with pytest.raises(StudyError) as caught:
        decoded({"a": "9999"}, rows, codes(l="dddd"), missing={"9999": "refused", "-9": "refused"})
    assert [p.found for p in caught.value.problems] == ["'9999' = 'refused'"]


BOX = st.sampled_from(["", "1", "0", "-97", "yes"])


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(BOX, BOX, BOX), min_size=1, max_size=6), st.sampled_from(["0", "", "no"]))
def test_a_question_is_answered_by_a_tick_or_not_at_all(
    records: list[tuple[str, ...]], not_chosen: str
) -> None:
    cells = [
        {"id": str(n)} | dict(zip(MULTI["item"], r, strict=True)) for n, r in enumerate(records)
    ]
    found = decoded(cells, MULTI, missing={"-97": "refused"}, not_chosen=not_chosen)
    chosen = found.groupby("record")["value"].sum()
    answered = found.groupby("record")["value"].count()
    assert ((answered > 0) == (chosen > 0)).all()
    alone = found[found["item"] == "m_99"].set_index("record")["value"]
    assert (chosen[alone == 1] == 1).all()
    assert ((found["problem"] != "") == (found["reason"] == BROKEN)).all()
    assert (found["value"].notna() == (found["reason"] == "")).all()


def test_a_file_without_an_item_did_not_ask_it() -> None:
    rows = items({"item": "x"}, {"item": "y", "routing": "x > 0"})
    files = [
        raw({"id": "F1", "x": "0", "y": ""}, file="a.csv"),
        raw({"id": "F2", "y": "7"}, file="b.csv"),
        raw("F3;1;2;3", file="b.csv").assign(record=2),
    ]
    cells = pd.concat(files, ignore_index=True)
    answers = decode(cells, rows, codes(), columns_of(rows), **DECLARED)
    found = answers.set_index(["file", "record", "item"])["reason"].to_dict()
    assert found == {
        ("a.csv", 1, "x"): "",
        ("a.csv", 1, "y"): "routed_out",
        ("b.csv", 1, "x"): "not_asked",
        ("b.csv", 1, "y"): "",
        ("b.csv", 2, "x"): "not_asked",  # the ragged record says nothing
        ("b.csv", 2, "y"): "not_asked",
    }


def test_an_item_without_column_is_refused_with_the_nearest_heading() -> None:
    rows = items({"item": "turnover"}, {"item": "staff"})
    with pytest.raises(ExportError) as caught:
        decoded({"turnovr": "1", "staf": "1"}, rows)
    staff, turnover = sorted(caught.value.problems, key=lambda p: p.item)
    assert (staff.wave, staff.file, staff.item) == ("w1", "a.csv", "staff")
    assert "did you mean staf?" in staff.advice
    assert "did you mean turnovr?" in turnover.advice


def test_two_columns_for_one_item_are_refused_in_one_file_only() -> None:
    rows = items({"item": "x"})
    triples = [("w1", "id", "firm_id"), ("w1", "old", "x"), ("w1", "new", "x")]
    table = filled(
        Columns, [dict(zip(("wave", "column", "item"), t, strict=True)) for t in triples]
    )
    apart = pd.concat(
        [raw({"id": "F1", "old": "1"}), raw({"id": "F2", "new": "2"}, file="b.csv")],
        ignore_index=True,
    )
    assert decode(apart, rows, codes(), table, **DECLARED)["value"].tolist() == [1, 2]
    with pytest.raises(ExportError) as caught:
        decode(raw({"id": "F1", "old": "1", "new": "2"}), rows, codes(), table, **DECLARED)
    (problem,) = caught.value.problems
    assert (problem.file, problem.item) == ("a.csv", "x")
    assert problem.found == "columns 'new' and 'old'"


CELL = st.sampled_from(["", "0", "1", "3.5", "x", "B", "-9", "1.0", "ü", " 1"])


@settings(deadline=None, max_examples=12)
@given(
    st.lists(st.tuples(CELL, CELL, CELL, CELL), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
def test_every_record_has_every_item_whatever_the_order(
    texts: list[tuple[str, ...]], random: Any
) -> None:
    rows = items(
        {"item": "a"},
        {"item": "b", "type": "single", "code_list": "l"},
        {"item": "c", "type": "integer", "routing": "a > 0 and b == 'B'"},
    )
    cells = raw(*({"id": i} | dict(zip("abc", abc, strict=True)) for i, *abc in texts))
    answers = decode(cells, rows, codes(l="1 B"), columns_of(rows), **DECLARED)
    assert len(answers) == 3 * len(texts)
    order = list(range(len(cells)))
    random.shuffle(order)
    shuffled = RawAnswers.validate(cells.iloc[order].reset_index(drop=True))
    again = decode(shuffled, rows, codes(l="1 B"), columns_of(rows), **DECLARED)
    pd.testing.assert_frame_equal(answers, again)
    has_value = answers["value"].notna() | (answers["code"] != "")
    # A value has no reason, and where there is a reason there is no value.
    assert not (has_value & (answers["reason"] != "")).any()
    assert has_value[answers["reason"] == ""].all()
    assert ((answers["problem"] != "") == (answers["reason"] == BROKEN)).all()


def test_the_small_study(small: SimpleNamespace) -> None:
    found = small.decoded.set_index(["wave", "firm_id", "item"]).sort_index()

    def cell(wave: str, firm: str, item: str) -> tuple[object, ...]:
        row = found.loc[[(wave, firm, item)]].iloc[0]
        return row["reason"] or row["value"], row["problem"]

    assert cell("2021", "F014", "amt_turnover") == (100_000_000, "")
    assert cell("2021", "F035", "pct_export") == (60, "")
    assert cell("2022", "F002", "pct_export") == (20, "")
    assert cell("2021", "F011", "cl_mood") == ("dont_know", "")
    assert cell("2021", "F008", "h_trainee") == (BROKEN, "answered_although_routed_out")
    # In 2022 F017 refused to say whether it trains: its hours are no answer, F018's not asked.
    for item in ("h_trainee", "q_satisf"):
        assert cell("2022", "F017", item) == ("no_answer", "")
        assert cell("2022", "F018", item) == ("routed_out", "")
        assert cell("2023", "F002", item) == ("routed_out", "")
    assert cell("2022", "F018", "old_fax") == ("not_asked", "")
    assert cell("2022", "F002", "old_fax") == (2, "")
    waves = small.decoded.groupby("item")["wave"].unique().map(set)
    assert waves["has_bot"] == {"2022", "2023"}
    assert waves["old_fax"] == {"2021", "2022"}

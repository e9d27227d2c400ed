"""Harmonise: units and codes of the newest questionnaire, whatever the wave asked."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tables import changes, codes, concordance, filled, items, options

from pipeline.errors import StudyError
from pipeline.process import harmonise
from pipeline.tables import Answers, Codes, Concordances

NAN = float("nan")
NONE = filled(Concordances, [])
X = items({"item": "x"})
S = items({"item": "s", "type": "single", "code_list": "l"})


def answers(values: dict[tuple[str, str], float | str], item: str = "x") -> Any:
    """(wave, firm) → number, or code as text."""
    rows: list[dict[str, Any]] = []
    for record, ((wave, firm), value) in enumerate(values.items(), 1):
        code = value if isinstance(value, str) else ""
        number = pd.to_numeric(pd.Series([value]), errors="coerce").iloc[0]
        rows.append(
            {"wave": wave, "record": record, "firm_id": firm, "code": code, "value": number}
        )
    return filled(Answers, rows, item=item, file="a.csv")


def values(table: pd.DataFrame) -> dict[str, float]:
    return dict(zip(table["wave"], table["value"], strict=True))


def test_a_unit_holds_from_its_first_to_its_last_wave() -> None:
    table = answers({(w, "F1"): 5.0 for w in ("w1", "w2", "w3", "w4")})
    rule = {"item": "x", "kind": "unit", "apply": "* 1000"}
    for first, last, expected in (
        ("w2", "w3", [5, 5000, 5000, 5]),
        ("", "w2", [5000, 5000, 5, 5]),
        ("w3", "", [5, 5, 5000, 5000]),
        ("", "", [5000] * 4),
    ):
        rules = changes(rule | {"from_wave": first, "to_wave": last})
        assert list(values(harmonise(table, rules, X, codes(), NONE)).values()) == expected
    other = changes(rule | {"item": "y"})
    assert list(values(harmonise(table, other, X, codes(), NONE)).values()) == [5] * 4


@settings(deadline=None, max_examples=15)
@given(
    st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=5), st.sampled_from(["10", "1000", "0.5"])
)
def test_a_unit_and_its_inverse_leave_the_value(numbers: list[float], factor: str) -> None:
    table = answers({("w1", f"F{n}"): v for n, v in enumerate(numbers)})
    there = {"item": "x", "kind": "unit", "apply": f"* {factor}"}
    back = {"item": "x", "kind": "unit", "apply": f"*{1 / float(factor)}"}
    found = harmonise(table, changes(there, back), X, codes(), NONE)
    assert found["value"].tolist() == pytest.approx(numbers)


def test_codes_change_places_at_once() -> None:
    table = answers({("w1", "F1"): "1", ("w1", "F2"): "3", ("w2", "F1"): "1"}, "s")
    rule = {"item": "s", "kind": "recode", "from_wave": "w1", "to_wave": "w1", "apply": "1=3 3=1"}
    found = harmonise(table, changes(rule), S, codes(l="1 2 3"), NONE)
    assert found["code"].tolist() == ["3", "1", "1"]
    assert found["value"].tolist() == [3, 1, 1]


def test_rules_apply_in_the_order_of_the_file() -> None:
    table = answers({("w1", "F1"): "a"}, "s")
    rules = changes(
        {"item": "s", "kind": "recode", "apply": "a=b"},
        {"item": "s", "kind": "recode", "apply": "b=c"},
    )
    assert harmonise(table, rules, S, codes(l="c"), NONE)["code"].tolist() == ["c"]


def test_missing_answers_stay_missing_with_their_reason() -> None:
    table = answers({("w1", "F1"): float("nan")}).assign(reason="refused")
    rules = changes({"item": "x", "kind": "unit", "apply": "* 1000"})
    found = harmonise(table, rules, X, codes(), NONE)
    assert found["value"].isna().all()
    assert found["reason"].tolist() == ["refused"]


def test_breaks_and_notes_change_no_answer() -> None:
    table = answers({("w1", "F1"): "1", ("w2", "F1"): "2"}, "s")
    rules = changes(
        {"item": "s", "kind": "break", "from_wave": "w2"}, {"item": "s", "kind": "note"}
    )
    found = harmonise(table, rules, S, codes(l="1 2"), NONE)
    assert found["code"].tolist() == ["1", "2"]


LIST = filled(
    Codes,
    [
        {"code_list": "l", "code": "old", "to_wave": "w1"},
        {"code_list": "l", "code": "new", "from_wave": "w2"},
        {"code_list": "l", "code": "always"},
    ],
)
TO_NEW = {"item": "s", "kind": "recode", "to_wave": "w1", "apply": "old=new"}


def test_a_code_that_ended_needs_a_rule() -> None:
    table = answers({("w1", "F1"): "old", ("w1", "F2"): "always", ("w2", "F1"): "new"}, "s")
    with pytest.raises(StudyError) as caught:
        harmonise(table, changes(), S, LIST, NONE)
    (problem,) = caught.value.problems
    assert (problem.wave, problem.item, problem.found) == ("w1", "s", "code 'old'")
    assert problem.file == "questionnaire/changes.csv"
    assert "add a recode" in problem.advice
    found = harmonise(table, changes(TO_NEW), S, LIST, NONE)
    assert found["code"].tolist() == ["new", "always", "new"]


def test_an_older_wave_alone_takes_the_newest_form_too() -> None:
    """Running the first wave again after the second must not fail on its own rule."""
    table = answers({("w1", "F1"): "old"}, "s")
    assert harmonise(table, changes(TO_NEW), S, LIST, NONE)["code"].tolist() == ["new"]


def test_an_item_that_ended_keeps_the_codes_of_its_last_wave() -> None:
    rows = items({"item": "s", "type": "single", "code_list": "l", "to_wave": "w1"}, {"item": "x"})
    table = pd.concat(
        [answers({("w1", "F1"): "old"}, "s"), answers({("w2", "F1"): 1.0})], ignore_index=True
    )
    assert harmonise(table, changes(), rows, LIST, NONE)["code"].tolist() == ["old", ""]


NUMBERED = items(
    {"item": "n", "type": "single", "code_list": "l", "to_wave": "w1"},
    {"item": "n", "type": "integer", "from_wave": "w2"},
)
CLASS = {"item": "n", "kind": "class", "from_wave": "w1", "to_wave": "w1"}
CLASS |= {"apply": "n_class 1=1-9 2=10-49 3=50-"}


def numbers_and_classes() -> Any:
    """Classes asked in w1, numbers since; somebody refused in each."""
    table = pd.concat(
        [
            answers({("w1", "F1"): "2", ("w1", "F2"): "3", ("w1", "F3"): NAN}, "n"),
            answers({("w2", "F1"): 9.0, ("w2", "F2"): 10.0, ("w2", "F3"): NAN}, "n"),
            answers({("w3", "F1"): 49.0, ("w3", "F2"): 50.0, ("w3", "F3"): 7000.0}, "n"),
        ],
        ignore_index=True,
    )
    return table.assign(reason=table["value"].isna().map({True: "refused", False: ""}))


def test_classes_come_from_the_code_or_from_the_number() -> None:
    found = harmonise(numbers_and_classes(), changes(CLASS), NUMBERED, codes(l="1 2 3"), NONE)
    classes = found[found["item"] == "n_class"]
    assert classes["wave"].tolist() == ["w1"] * 3 + ["w2"] * 3 + ["w3"] * 3
    assert classes["code"].tolist() == ["2", "3", "", "1", "2", "", "2", "3", "3"]
    assert classes["value"].fillna(0).tolist() == [2, 3, 0, 1, 2, 0, 2, 3, 3]
    assert classes["reason"].tolist() == ["", "", "refused"] * 2 + [""] * 3
    # a number was not asked in w1, whoever answered
    numbers = found[found["item"] == "n"]
    assert numbers["reason"].tolist() == ["not_asked"] * 3 + ["", "", "refused", "", "", ""]
    assert numbers["value"].fillna(-1).tolist() == [-1] * 3 + [9, 10, -1, 49, 50, 7000]
    assert (numbers["code"] == "").all()


def test_a_number_in_no_class_is_refused() -> None:
    table = answers({("w2", "F1"): 0.0, ("w2", "F2"): 9.5, ("w2", "F3"): 0.0}, "n")
    with pytest.raises(StudyError) as caught:
        harmonise(table, changes(CLASS), NUMBERED, codes(l="1 2 3"), NONE)
    assert [(p.wave, p.item, p.found) for p in caught.value.problems] == [
        ("w2", "n", "2 times 0, in no class"),
        ("w2", "n", "1 times 9.5, in no class"),
    ]


def test_a_code_without_class_is_refused() -> None:
    table = answers({("w1", "F1"): "4"}, "n")
    with pytest.raises(StudyError) as caught:
        harmonise(table, changes(CLASS), NUMBERED, codes(l="1 2 3 4"), NONE)
    assert [(p.item, p.found) for p in caught.value.problems] == [("n_class", "code '4'")]
    merge = {"item": "n", "kind": "recode", "to_wave": "w1", "apply": "4=3"}
    found = harmonise(table, changes(merge, CLASS), NUMBERED, codes(l="1 2 3 4"), NONE)
    assert found["code"].tolist() == ["", "3"]


SPLIT = filled(
    Codes,
    [
        {"code_list": "l", "code": "5", "to_wave": "w1"},
        {"code_list": "l", "code": "5", "from_wave": "w2"},
        {"code_list": "l", "code": "7", "from_wave": "w2"},
    ],
)


def test_a_code_that_was_split_is_merged_again() -> None:
    table = answers({("w1", "F1"): "5", ("w2", "F1"): "5", ("w2", "F2"): "7"}, "s")
    rule = {"item": "s", "kind": "recode", "from_wave": "w2", "apply": "7=5"}
    found = harmonise(table, changes(rule), S, SPLIT, NONE)
    assert found["code"].tolist() == ["5", "5", "5"]


def test_codes_that_were_merged_are_merged_before_too() -> None:
    lists = filled(
        Codes,
        [{"code_list": "l", "code": c, "to_wave": "w1"} for c in "ab"]
        + [{"code_list": "l", "code": "ab", "from_wave": "w2"}],
    )
    table = answers({("w1", "F1"): "a", ("w1", "F2"): "b", ("w2", "F1"): "ab"}, "s")
    rule = {"item": "s", "kind": "recode", "to_wave": "w1", "apply": "a=ab b=ab"}
    assert set(harmonise(table, changes(rule), S, lists, NONE)["code"]) == {"ab"}


def test_a_form_of_the_series_that_no_wave_had() -> None:
    """Both ways of splitting are brought to a code of the series alone."""
    lists = codes(l="1 2 3")
    table = answers({("w1", "F1"): "1", ("w2", "F1"): "2", ("w2", "F2"): "3"}, "s")
    rule = {"item": "s", "kind": "recode", "apply": "1=low 2=low"}
    found = harmonise(table, changes(rule), S, lists, NONE)
    assert found["code"].tolist() == ["low", "low", "3"]


FOUR = items(
    {"item": "s", "type": "single", "code_list": "four", "to_wave": "w1"},
    {"item": "s", "type": "single", "code_list": "five", "from_wave": "w2"},
)


def test_four_points_and_five() -> None:
    table = answers({("w1", f"F{c}"): c for c in "1234"} | {("w2", "F1"): "5"}, "s")
    rules = changes(
        {"item": "s", "kind": "recode", "to_wave": "w1", "apply": "3=4 4=5"},
        {"item": "s", "kind": "break", "from_wave": "w2"},
    )
    found = harmonise(table, rules, FOUR, codes(four="1 2 3 4", five="1 2 3 4 5"), NONE)
    assert found["code"].tolist() == ["1", "2", "4", "5", "5"]


def test_the_list_is_that_of_the_newest_version() -> None:
    table = answers({("w1", "F1"): "z", ("w2", "F1"): "a"}, "s")
    with pytest.raises(StudyError) as caught:
        harmonise(table, changes(), FOUR, codes(four="z", five="a"), NONE)
    assert [(p.wave, p.found) for p in caught.value.problems] == [("w1", "code 'z'")]


def test_a_new_item_row_or_option_is_not_there_before() -> None:
    rows = items({"item": "x"}, *options("m", "1 2"), {"item": "late", "from_wave": "w2"})
    before = [answers({("w1", "F1"): 1.0}, "x"), answers({("w1", "F1"): "1"}, "m_1")]
    after = [answers({("w2", "F1"): 2.0}, i) for i in ("x", "late")]
    after += [answers({("w2", "F1"): "0"}, "m_1"), answers({("w2", "F1"): "1"}, "m_2")]
    rules = changes(
        *({"item": i, "kind": "new", "from_wave": "w2"} for i in ("late", "m")),
        *({"item": "x", "kind": k, "from_wave": "w2"} for k in ("period", "wording", "note")),
        {"item": "*", "kind": "tool", "from_wave": "w2"},
    )
    table = pd.concat([*before, *after], ignore_index=True)
    found = harmonise(table, rules, rows, codes(m="1 2"), NONE)
    assert found.groupby("wave")["item"].agg(list).to_dict() == {
        "w1": ["m_1", "x"],
        "w2": ["late", "m_1", "m_2", "x"],
    }
    kept = found.set_index(["wave", "item"])["value"]
    was = table.set_index(["wave", "item"])["value"]
    pd.testing.assert_series_equal(kept.sort_index(), was.sort_index())


def test_the_codes_of_an_option_are_1_and_0() -> None:
    rows = items(*options("m", "7"))
    table = answers({("w1", "F1"): "1", ("w1", "F2"): "0"}, "m_7")
    assert harmonise(table, changes(), rows, codes(m="7"), NONE)["code"].tolist() == ["1", "0"]
    with pytest.raises(StudyError):
        harmonise(answers({("w1", "F1"): "7"}, "m_7"), changes(), rows, codes(m="7"), NONE)


def test_a_filter_leaves_out_whom_the_other_waves_did_not_ask() -> None:
    """w1 asked x of everybody, from w2 on it was asked only where n is at least 50."""
    firms = {"F1": 49.0, "F2": 50.0, "F3": NAN, "F4": 10.0, "F5": 10.0}
    size = answers({("w1", f): v for f, v in firms.items()} | {("w2", "F1"): 10.0}, "n")
    x = answers({("w1", f): 1.0 for f in firms} | {("w2", "F1"): 1.0}, "x")
    x.loc[x["firm_id"].isin(["F4", "F5"]), ["value", "reason"]] = [NAN, "no_answer"]
    x.loc[x["firm_id"] == "F5", "reason"] = "not_asked"
    rule = {"item": "x", "kind": "filter", "to_wave": "w1", "apply": "n >= 50"}
    table = pd.concat([size, x], ignore_index=True)
    found = harmonise(table, changes(rule), items({"item": "n"}, {"item": "x"}), codes(), NONE)
    found = found[found["item"] == "x"].set_index(["wave", "firm_id"])
    assert found["reason"].to_dict() == {
        ("w1", "F1"): "routed_out",
        ("w1", "F2"): "",
        ("w1", "F3"): "",  # nobody knows
        ("w1", "F4"): "routed_out",  # it would not have been asked
        ("w1", "F5"): "not_asked",
        ("w2", "F1"): "",
    }
    assert found["value"].isna().tolist() == [True, False, False, True, True, False]


BRANCH = items({"item": "s", "type": "single", "code_list": "w"})
DIGITS = {"item": "s", "kind": "classification", "from_wave": "w2", "apply": "new_old 2"}


def test_a_classification_is_compared_by_its_first_digits() -> None:
    table = answers(
        {("w1", "F1"): "2932", ("w1", "F2"): "0111", ("w2", "F1"): "3010", ("w2", "F2"): "0111"},
        "s",
    )
    table = pd.concat(
        [table, answers({("w2", "F3"): NAN}, "s").assign(reason="dont_know")], ignore_index=True
    )
    pairs = concordance("new_old", c30="29", c01="01")
    found = harmonise(table, changes(DIGITS), BRANCH, codes(w="dddd"), pairs)
    assert found["code"].tolist() == ["29", "01", "29", "01", ""]
    assert found["value"].fillna(-1).tolist() == [29, 1, 29, 1, -1]
    assert found["reason"].tolist() == ["", "", "", "", "dont_know"]


def test_every_code_without_a_pair_is_named_with_its_firms() -> None:
    table = answers(
        {("w1", "F1"): "2611", ("w2", "F1"): "2611", ("w2", "F2"): "2611", ("w2", "F3"): "2932"}
        | {("w3", "F1"): "6201"},
        "s",
    )
    pairs = pd.concat([concordance("new_old", c29="29"), concordance("other", c26="26")])
    with pytest.raises(StudyError) as caught:
        harmonise(table, changes(DIGITS), BRANCH, codes(w="dddd"), pairs.reset_index(drop=True))
    assert [(p.wave, p.item, p.found, p.expected) for p in caught.value.problems] == [
        (
            "w2",
            "s",
            "code '2611' without a pair (firms: 2)",
            "a row for '26' in the concordance new_old",
        ),
        (
            "w3",
            "s",
            "code '6201' without a pair (firms: 1)",
            "a row for '62' in the concordance new_old",
        ),
    ]


def test_a_firm_in_one_wave_only_keeps_its_rows() -> None:
    """Entry and exit are no rule: a firm has rows in the waves that it answered."""
    table = answers({("w1", "gone"): 1.0, ("w1", "stays"): 2.0, ("w2", "stays"): 3.0})
    table = pd.concat([table, answers({("w2", "new"): 4.0})], ignore_index=True)
    found = harmonise(table, changes(), X, codes(), NONE)
    assert found[["wave", "firm_id", "value"]].to_numpy().tolist() == [
        ["w1", "gone", 1],
        ["w1", "stays", 2],
        ["w2", "new", 4],
        ["w2", "stays", 3],
    ]


CODE = st.sampled_from("123")


@settings(deadline=None, max_examples=10)
@given(st.lists(CODE, min_size=1, max_size=6), st.permutations("123"))
def test_a_recode_and_its_inverse_leave_the_codes(given_codes: list[str], order: list[str]) -> None:
    table = answers({("w1", f"F{n}"): c for n, c in enumerate(given_codes)}, "s")
    there = " ".join(f"{a}={b}" for a, b in zip("123", order, strict=True))
    back = " ".join(f"{b}={a}" for a, b in zip("123", order, strict=True))
    rules = changes(*({"item": "s", "kind": "recode", "apply": a} for a in (there, back)))
    assert harmonise(table, rules, S, codes(l="1 2 3"), NONE)["code"].tolist() == given_codes


def test_the_order_of_rows_does_not_matter(small: SimpleNamespace) -> None:
    shuffled = small.answers.sample(frac=1, random_state=1).reset_index(drop=True)
    study = small.study
    again = harmonise(shuffled, study.changes, study.items, study.codes, study.concordances)
    pd.testing.assert_frame_equal(again, small.panel)


def test_the_small_study(small: SimpleNamespace) -> None:
    panel = small.panel.set_index(["wave", "firm_id", "item"])
    turnover = [panel.loc[(w, "F002", "amt_turnover"), "value"] for w in ("2021", "2022", "2023")]
    # 1.000.000,00 euros; 1100 and 1200 thousand euros
    assert turnover == [1_000_000, 1_100_000, 1_200_000]
    # F005 is good, F008 and F012 bad: 3 and 1 in 2021, 1 and 3 since
    assert [panel.loc[(w, "F005", "cl_mood"), "code"] for w in ("2021", "2022", "2023")] == [
        "1"
    ] * 3
    assert panel.loc[("2021", "F008", "cl_mood"), "code"] == "3"
    assert panel.loc[("2023", "F012", "cl_mood"), "code"] == "3"
    assert len(small.panel) == len(small.answers)

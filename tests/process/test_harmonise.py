"""Harmonise: units and codes of the newest questionnaire, whatever the wave asked."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tables import changes, codes, filled, items

from pipeline.errors import StudyError
from pipeline.process import harmonise
from pipeline.tables import Answers, Codes

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
        assert list(values(harmonise(table, rules, X, codes())).values()) == expected
    other = changes(rule | {"item": "y"})
    assert list(values(harmonise(table, other, X, codes())).values()) == [5] * 4


@settings(deadline=None, max_examples=15)
@given(
    st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=5), st.sampled_from(["10", "1000", "0.5"])
)
def test_a_unit_and_its_inverse_leave_the_value(numbers: list[float], factor: str) -> None:
    table = answers({("w1", f"F{n}"): v for n, v in enumerate(numbers)})
    there = {"item": "x", "kind": "unit", "apply": f"* {factor}"}
    back = {"item": "x", "kind": "unit", "apply": f"*{1 / float(factor)}"}
    found = harmonise(table, changes(there, back), X, codes())
    assert found["value"].tolist() == pytest.approx(numbers)


def test_codes_change_places_at_once() -> None:
    table = answers({("w1", "F1"): "1", ("w1", "F2"): "3", ("w2", "F1"): "1"}, "s")
    rule = {"item": "s", "kind": "recode", "from_wave": "w1", "to_wave": "w1", "apply": "1=3 3=1"}
    found = harmonise(table, changes(rule), S, codes(l="1 2 3"))
    assert found["code"].tolist() == ["3", "1", "1"]
    assert found["value"].tolist() == [3, 1, 1]


def test_rules_apply_in_the_order_of_the_file() -> None:
    table = answers({("w1", "F1"): "a"}, "s")
    rules = changes(
        {"item": "s", "kind": "recode", "apply": "a=b"},
        {"item": "s", "kind": "recode", "apply": "b=c"},
    )
    assert harmonise(table, rules, S, codes(l="c"))["code"].tolist() == ["c"]


def test_missing_answers_stay_missing_with_their_reason() -> None:
    table = answers({("w1", "F1"): float("nan")}).assign(reason="refused")
    rules = changes({"item": "x", "kind": "unit", "apply": "* 1000"})
    found = harmonise(table, rules, X, codes())
    assert found["value"].isna().all()
    assert found["reason"].tolist() == ["refused"]


def test_breaks_and_notes_change_no_answer() -> None:
    table = answers({("w1", "F1"): "1", ("w2", "F1"): "2"}, "s")
    rules = changes(
        {"item": "s", "kind": "break", "from_wave": "w2"}, {"item": "s", "kind": "note"}
    )
    found = harmonise(table, rules, S, codes(l="1 2"))
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
        harmonise(table, changes(), S, LIST)
    (problem,) = caught.value.problems
    assert (problem.wave, problem.item, problem.found) == ("w1", "s", "code 'old'")
    assert problem.file == "questionnaire/changes.csv"
    assert "add a recode" in problem.advice
    found = harmonise(table, changes(TO_NEW), S, LIST)
    assert found["code"].tolist() == ["new", "always", "new"]


def test_an_older_wave_alone_takes_the_newest_form_too() -> None:
    """Running the first wave again after the second must not fail on its own rule."""
    table = answers({("w1", "F1"): "old"}, "s")
    assert harmonise(table, changes(TO_NEW), S, LIST)["code"].tolist() == ["new"]


def test_an_item_that_ended_keeps_the_codes_of_its_last_wave() -> None:
    rows = items({"item": "s", "type": "single", "code_list": "l", "to_wave": "w1"}, {"item": "x"})
    table = pd.concat(
        [answers({("w1", "F1"): "old"}, "s"), answers({("w2", "F1"): 1.0})], ignore_index=True
    )
    assert harmonise(table, changes(), rows, LIST)["code"].tolist() == ["old", ""]


def test_the_order_of_rows_does_not_matter(small: SimpleNamespace) -> None:
    shuffled = small.answers.sample(frac=1, random_state=1).reset_index(drop=True)
    study = small.study
    again = harmonise(shuffled, study.changes, study.items, study.codes)
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

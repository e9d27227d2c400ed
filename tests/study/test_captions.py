"""Captions: every text of a study that a report prints, once, in each language."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipeline.study import captions, read_study


def spoil(study: Path, file: str, old: str, new: str) -> None:
    path = study / "schemas" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def texts(study: Path, language: str, kind: str) -> dict[str, str]:
    table: pd.DataFrame = captions(read_study(study), {"2021": "2022-03-01/2022-04-30"})
    rows = table[(table["language"] == language) & (table["kind"] == kind)]
    return dict(zip(rows["key"], rows["text"], strict=True))


def test_titles_and_fields(study: Path) -> None:
    assert texts(study, "de", "study") == {
        "title": "Kleine Studie",
        "population": "41 erfundene Betriebe",
        "source": "erfunden",
        "publisher": "niemand",
    }
    assert texts(study, "en", "study")["publisher"] == "nobody"
    assert texts(study, "en", "field") == {"2021": "2022-03-01/2022-04-30"}


def test_groups_in_the_order_of_the_study(study: Path) -> None:
    assert texts(study, "en", "breakdown") == {"r_field": "Field", "r_band": "Band"}
    assert list(texts(study, "en", "group").items()) == [
        ("r_field=M", "Metal"),
        ("r_field=E", "Electrical"),
        ("r_field=X", "Other"),
        ("r_band=S", "small"),
        ("r_band=L", "large"),
        ("r_band=T", "very large"),
    ]


def test_a_group_has_its_newest_name_wherever_it_stands(study: Path) -> None:
    spoil(
        study,
        "questionnaire/codes.csv",
        "l_field,M,,,Metall,Metal\n",
        "l_field,M,2022,,Metall,Metal\nl_field,M,,2021,Eisen,Iron\n",
    )
    found = texts(study, "en", "group")
    assert list(found)[:2] == ["r_field=M", "r_field=E"]
    assert found["r_field=M"] == "Metal"


def test_indicators(study: Path) -> None:
    assert texts(study, "de", "indicator")["i_hours"] == "Stunden je Beschäftigten"
    assert texts(study, "de", "unit")["i_hours"] == "Stunden"
    assert texts(study, "en", "theme")["i_hours"] == "Training"
    assert texts(study, "en", "better")["i_hours"] == "higher"
    definition = texts(study, "en", "definition")
    assert definition["i_turnover"] == (
        "Over all firms: sum of amt_turnover, divided by sum of n_staff"
    )
    assert definition["i_satisf"] == (
        "Share of the firms for which this holds: q_satisf == 1; "
        "only firms for which this holds: n_trainee > 0"
    )
    assert texts(study, "de", "definition")["i_satisf"].startswith("Anteil der Betriebe, für die")
    questions = [k for k in texts(study, "en", "question") if k.startswith("i_hours/")]
    # in the order of the questionnaire
    assert questions == ["i_hours/n_staff", "i_hours/n_trainee", "i_hours/h_trainee"]


def test_changes_stand_with_the_indicators_that_they_touch(study: Path) -> None:
    assert texts(study, "en", "change") == {
        "i_turnover/2022/unit": "Asked in thousand euros from 2022, converted",
        "i_mood/2021/recode": "The codes ran the other way in 2021",
        "i_plan/2023/break": "Asked for firm plans from 2023",
    }


def test_two_changes_of_a_kind_in_a_wave_are_one_text(study: Path) -> None:
    file = "questionnaire/changes.csv"
    spoil(study, file, "cl_plan,break", "n_staff,unit,2022,,* 2,Paare,Pairs\ncl_plan,break")
    found = texts(study, "en", "change")
    assert found["i_turnover/2022/unit"] == "Asked in thousand euros from 2022, converted; Pairs"
    assert found["i_staff/2022/unit"] == "Pairs"

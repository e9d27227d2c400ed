"""Captions: every text of a study that a report prints, once, in each language."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pandas as pd

from pipeline.study import captions, read_study

ROOT = Path(__file__).resolve().parents[2]


def spoil(study: Path, file: str, old: str, new: str) -> None:
    path = study / "schemas" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def texts(study: Path, language: str, kind: str, wave: str = "2023") -> dict[str, str]:
    fields = {"2021": "2022-03-01/2022-04-30"}
    table: pd.DataFrame = captions(read_study(study), fields, wave=wave)
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


def test_columns_and_the_limits_of_the_grades() -> None:
    columns = texts(ROOT, "en", "column", "2026")
    assert columns["size"] == texts(ROOT, "en", "breakdown", "2026")["size"]
    settings = tomllib.loads((ROOT / "schemas" / "study.toml").read_text(encoding="utf-8"))
    adjusted = settings["publication"]["adjusted"]
    assert texts(ROOT, "en", "adjusted", "2026") == {name: columns[name] for name in adjusted}
    limits = texts(ROOT, "en", "limit", "2026")
    assert limits["min_contributors"] == str(settings["publication"]["min_contributors"])
    assert limits["dominance_percent"] == "70"
    limits = {name: settings["quality"][name] for name in ("points", "percent")}
    assert texts(ROOT, "de", "quality", "2026") == {
        name: " ".join(f"{limit:g}" for limit in three) for name, three in limits.items()
    }


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


def test_a_group_has_the_name_of_the_wave_wherever_it_stands(study: Path) -> None:
    spoil(
        study,
        "questionnaire/codes.csv",
        "l_field,M,,,,Metall,Metal\n",
        "l_field,M,,2022,,Metall,Metal\nl_field,M,,,2021,Eisen,Iron\n",
    )
    found = texts(study, "en", "group")
    assert list(found)[:2] == ["r_field=M", "r_field=E"]
    assert found["r_field=M"] == "Metal"
    assert texts(study, "en", "group", wave="2021")["r_field=M"] == "Iron"


def test_indicators(study: Path) -> None:
    assert texts(study, "de", "indicator")["i_hours"] == "Stunden je Beschäftigten"
    assert texts(study, "de", "unit")["i_hours"] == "Stunden"
    assert texts(study, "en", "theme")["i_hours"] == "Training"
    assert texts(study, "en", "better")["i_hours"] == "higher"
    definition = {language: texts(study, language, "definition") for language in ("de", "en")}
    assert (
        definition["de"]["i_turnover"] == "Umsatz aller Betriebe, geteilt durch ihre Beschäftigten."
    )
    assert definition["en"]["i_turnover"] == "Turnover of all firms, divided by their employees."
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


def test_groups_of_crossings_and_of_other_populations(network: Path) -> None:
    titles = texts(network, "de", "breakdown")
    assert titles["r_field*r_band"] == "Feld × Klasse"
    assert titles["r_pop"] == "Gesamtheit"  # no breakdown of its own, but pairs compare it
    groups = texts(network, "de", "group")
    assert groups["r_field*r_band=M*L"] == "Metall, groß"
    assert len([key for key in groups if key.startswith("r_field*r_band=")]) == 9
    assert groups["r_band=2*S"] == "andere Region: klein"
    assert "r_band=2*L" not in groups  # no pair names it
    assert [key for key in groups if key.startswith("r_pop=")] == ["r_pop=1", "r_pop=2"]


def test_benchmarks_and_rankings(network: Path) -> None:
    assert texts(network, "en", "benchmark") == {
        "fields": "Metal against electrical",
        "bands": "Large against all others",
        "others": "Others",
    }
    assert texts(network, "en", "pair") == {
        "r_field=M:E": "fields",
        "r_band=L:rest": "bands",
        "r_pop=1:2": "others",
        "r_band=S:2*S": "others",
    }
    assert texts(network, "en", "ranking") == {"tech": "Technology"}
    assert texts(network, "en", "ranked") == {"n_use": "tech", "n_load": "tech"}


def test_questions_are_those_of_the_newest_version(network: Path) -> None:
    found = texts(network, "en", "question")
    # a multi that is counted has its question, not its options; a row of a grid is one of its own
    assert [key for key in found if key.startswith("n_use/")] == ["n_use/n_staff", "n_use/use"]
    assert found["n_use/use"] == "What do you use today?"
    assert found["n_load/load_a"] == "How is it? – prices"
    assert [key for key in found if key.startswith("n_both/")] == [
        "n_both/cl_mood",
        "n_both/load_a",
    ]


def test_changes_reach_what_is_made_of_the_item(network: Path) -> None:
    found = texts(network, "en", "change")
    assert found["n_use/2023/break"] == "Today from 2023"  # of the question, for its options
    assert found["n_both/2021/recode"] == "The codes ran the other way in 2021"
    assert found["n_class/2021/class"] == "In classes in 2021"  # of heads, for its classes
    assert [key for key in found if key.startswith("*")] == ["*/2022/tool"]
    assert found["*/2022/tool"] == "Another tool"


def test_a_report_prints_the_wordings_of_its_wave() -> None:
    root = Path(__file__).resolve().parents[2]
    before, after = (
        texts(root, "en", "question", wave=wave)["I17/E03"] for wave in ("2024", "2026")
    )
    assert "in the last twelve months" in before
    assert "in the last calendar year" in after


def test_a_change_that_was_over_before_an_indicator_began_is_none_of_it() -> None:
    """Employees were asked in classes in 2023; what is computed from their number began in 2024."""
    root = Path(__file__).resolve().parents[2]
    assert "I16/2023/class" not in texts(root, "en", "change")
    assert "I01/2023/unit" in texts(root, "en", "change")

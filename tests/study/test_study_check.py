"""An analyst's mistakes: each is named with its file, its line and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import Problem, StudyError
from pipeline.study import read_study

ITEMS, CODES = "questionnaire/items.csv", "questionnaire/codes.csv"
COLUMNS, CHANGES = "questionnaire/columns.csv", "questionnaire/changes.csv"
EDITS, INDICATORS, TOML = "edits.csv", "indicators.csv", "study.toml"


def spoil(study: Path, file: str, old: str, new: str) -> None:
    path = study / "schemas" / file
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {file}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def problems(study: Path) -> tuple[Problem, ...]:
    with pytest.raises(StudyError) as caught:
        read_study(study)
    assert all(p.found and p.expected and p.advice for p in caught.value.problems)
    assert all(p.file or p.wave for p in caught.value.problems)
    return caught.value.problems


MISTAKES = {
    # a csv file as such
    "unknown heading": (ITEMS, "routing", "routnig", "1", "", "routnig", "did you mean routing?"),
    "heading twice": (ITEMS, "item,type", "item,item", "1", "", "'item' twice", "take one"),
    "ragged line": (EDITS, "zugleich.,AI", "zugleich.,AI,", "4", "", "10 fields", "quotation"),
    # values
    "item twice": (ITEMS, "cl_mood,single", "n_staff,single", "2", "item", "'n_staff'", "take one"),
    "indicator twice": (INDICATORS, "i_satisf", "i_hours", "4", "indicator", "i_hours", "take one"),
    "rule twice": (EDITS, "e_hours", "e_trainees", "3", "rule", "e_trainees", "take one"),
    "column twice": (COLUMNS, "v_2", "v_1", "3", "wave column", "'2021' 'v_1'", "take one"),
    "unknown type": (ITEMS, "percent,,%", "procent,,%", "4", "type", "procent", "mean percent?"),
    "unknown kind": (CHANGES, ",unit", ",factor", "2", "kind", "factor", "there are: break"),
    "unknown share": (INDICATORS, "share,q_", "shar,q_", "4", "kind", "shar", "mean share?"),
    "number with comma": (ITEMS, ",,1,,", ',,"1,5",,', "2", "minimum", "1,5", "write 1234.5"),
    "decimals not whole": (INDICATORS, ",1,2,n", ",1,2.5,n", "3", "decimals", "2.5", "write"),
    "no scale": (INDICATORS, ",1,2,n", ",,2,n", "3", "scale", "nothing", "write"),
    "scale of 0": (INDICATORS, ",1,2,n", ",0,2,n", "3", "scale", "'0.0'", "correct"),
    # names
    "item is no name": (ITEMS, "old_fax,", "old-fax,", "11", "item", "old-fax", "rename"),
    "item is a word": (ITEMS, "old_fax,", "not,", "11", "item", "'not'", "rename"),
    "item is the key": (ITEMS, "old_fax,", "firm_id,", "11", "item", "firm_id", "rename"),
    "reserved name": (INDICATORS, "i_bot", "response", "9", "indicator", "response", "rename"),
    "slash in a name": (INDICATORS, "i_bot", "i/bot", "9", "indicator", "i/bot", "rename"),
    # references
    "item of a column": (COLUMNS, "v_1,n_staff", "v_1,n_staf", "2", "item", "n_staf", "n_staff?"),
    "item of a change": (CHANGES, "cl_mood", "cl_mod", "3", "item", "cl_mod", "cl_mood?"),
    "item of an edit": (EDITS, ",,n_tr", ",,n_tra ", "2", "items", "n_tra", "did you mean n_tr"),
    "item in a formula": (EDITS, "<= n_staff", "<= n_staf", "2", "test", "n_staf", "n_staff?"),
    "item in a routing": (ITEMS, "n_trainee > 0", "n_train > 0", "7", "routing", "n_train", "mean"),
    "item in a base": (INDICATORS, ",,n_trainee > 0", ",,x > 0", "4", "base", "'x'", "there are"),
    "code list": (ITEMS, "single,l_mood", "single,l_mod", "5", "code_list", "l_mod", "l_mood?"),
    "no code list": (ITEMS, "single,l_mood", "single,", "5", "code_list", "nothing", "there are"),
    "list of a number": (ITEMS, "integer,,", "integer,l_mood,", "2", "code_list", "l_mood", "type"),
    "column of a later item": (
        *(COLUMNS, "v_9,old_fax", "v_9,has_bot", "10", "item", "has_bot", "from_wave"),
    ),
    # waves
    "unknown wave": (ITEMS, ",2022,,Nutzen", ",2032,,Nutzen", "10", "from_wave", "2032", "2023?"),
    "wave of a column": (COLUMNS, "2021,v_1,", "2020,v_1,", "2", "wave", "2020", "did you mean"),
    "end before begin": (EDITS, "2022,2022", "2023,2022", "4", "to_wave", "2022", "2023 or later"),
    "item not yet asked": (INDICATORS, "l,2022,,KI", "l,,,KI", "9", "numerator", "bot", "has_bot"),
    "item no longer asked": (EDITS, "2022,2022", "2022,", "4", "items", "old_fax", "old_fax"),
    # codes
    "code twice": (CODES, "l_mood,2,2022", "l_mood,1,2022", "6", "code", "1", "to_wave"),
    "no code": (CODES, "l_yesno,2", "l_yesno,", "9", "code", "nothing", "fill"),
    "code in a formula": (
        *(INDICATORS, "cl_mood == 1", "cl_mood == 5", "7", "numerator", "5", "there are: 1, 2, 3"),
    ),
    "code in a set": (
        *(INDICATORS, "cl_mood == 1", '"cl_mood in {1, 9}"', "7", "numerator", "9", "there are"),
    ),
    "number as code": (
        EDITS,
        "h_trainee <= 40",
        "h_trainee != '40'",
        "3",
        "test",
        "40",
        "quotation",
    ),
    # changes
    "no factor": (CHANGES, "* 1000", "x 1000", "2", "apply", "x 1000", "write * and the factor"),
    "factor of 0": (CHANGES, "* 1000", "* 0.0", "2", "apply", "* 0.0", "write * and the factor"),
    "no pairs": (CHANGES, "1=3 2=2 3=1", "1->3", "3", "apply", "1->3", "write old=new"),
    "pairs of three": (CHANGES, "1=3 2=2 3=1", "1=2=3", "3", "apply", "1=2=3", "write old=new"),
    "code in a pair": (CHANGES, "3=1", "4=1", "3", "apply", "4", "there are: 1, 2, 3"),
    "old code twice": (CHANGES, "3=1", "1=1", "3", "apply", "1", "take one of the pairs"),
    "unit of codes": (CHANGES, "amt_turnover,u", "cl_plan,u", "2", "kind", "unit", "type single"),
    "recode of numbers": (CHANGES, "cl_mood,r", "n_staff,r", "3", "kind", "recode", "type integer"),
    "break without wave": (CHANGES, "break,2023", "break,", "4", "from_wave", "nothing", "name it"),
    "break that applies": (CHANGES, "2023,,,", "2023,,* 2,", "4", "apply", "* 2", "clear it"),
    # formulas
    "no formula": (EDITS, "n_trainee <= n", "n_trainee =< n", "2", "test", "=<", "CONTRIBUTING"),
    "unknown function": (
        *(INDICATORS, "mean,pct_export", "mean,log(pct_export)", "6", "numerator"),
        *("log", "CONTRIBUTING"),
    ),
    "edit without test": (EDITS, "n_trainee <= n_staff", "", "2", "test", "nothing", "fill"),
    "edit without items": (EDITS, ",,n_trainee,", ",,,", "2", "items", "nothing", "fill"),
    "test that is an amount": (EDITS, "<= n_staff", "- n_staff", "2", "test", "-", "> 0"),
    "condition that is one": (
        EDITS,
        "n_trainee > 0,h",
        "n_trainee,h",
        "3",
        "condition",
        "n_",
        "> 0",
    ),
    "share of an amount": (
        INDICATORS,
        "n_trainee > 0,,",
        "n_trainee,,",
        "2",
        "numerator",
        "n_",
        "> 0",
    ),
    "text in a formula": (
        *(EDITS, "n_trainee <= n_staff", "answered(free_note)", "2", "test"),
        *("free_note", "type text"),
    ),
    "routing on a later item": (
        *(ITEMS, "n_trainee > 0", "q_satisf == 1", "7", "routing", "q_satisf", "order"),
    ),
    "routing on itself": (ITEMS, "n_trainee > 0", "h_trainee > 0", "7", "routing", "h_", "order"),
    # indicators
    "no numerator": (INDICATORS, "mean,pct_export", "mean,", "6", "numerator", "nothing", "fill"),
    "ratio without denominator": (
        *(INDICATORS, "amt_turnover,n_staff", "amt_turnover,", "5", "denominator"),
        *("nothing", "choose the kind mean"),
    ),
    "mean with denominator": (
        *(
            INDICATORS,
            "pct_export,,",
            "pct_export,n_staff,",
            "6",
            "denominator",
            "n_staff",
            "ratio",
        ),
    ),
    # texts
    "no label": (CODES, "ja,yes", ",yes", "8", "label_de", "nothing", "fill"),
    "no message": (EDITS, "Mehr als 40 Stunden.", "", "3", "message_de", "nothing", "fill"),
    # study.toml
    "unknown strata": (
        TOML,
        'strata = ["r_f',
        'strata = ["r_g',
        "",
        "weighting.strata",
        "r_g",
        "r_f",
    ),
    "unknown breakdown": (
        *(TOML, '"r_field", "r_band"', '"r_field", "r_bnd"', "", "publication.breakdowns"),
        *("r_bnd", "did you mean r_band?"),
    ),
    "breakdown twice": (
        *(TOML, '"r_field", "r_band"', '"r_band", "r_band"', "", "publication.breakdowns"),
        *("r_band", "take one"),
    ),
    "list of the register": (
        *(TOML, '"l_band"', '"l_bnd"', "", "register.r_band.code_list", "l_bnd", "mean l_band?"),
    ),
    "benchmark group": (
        TOML,
        'group = "M"',
        'group = "Q"',
        "",
        "benchmark.group",
        "Q",
        "there are",
    ),
    "benchmark reference": (TOML, '"rest"', '"rset"', "", "benchmark.reference", "rset", "rest?"),
    "benchmark breakdown": (
        *(TOML, 'breakdown = "r_field"', 'breakdown = "r_feld"', "", "benchmark.breakdown"),
        *("r_feld", "did you mean r_field?"),
    ),
    "benchmark with itself": (
        *(TOML, 'reference = "E"', 'reference = "M"', "", "benchmark.reference", "M", "another"),
    ),
    "language twice": (TOML, '"de", "en"', '"de", "de"', "", "languages", "de", "take one"),
    "reserved column": (
        TOML,
        "[register.r_band]",
        "[register.holding]",
        "",
        "register",
        "ho",
        "ren",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes(study: Path, mistake: str) -> None:
    file, old, new, row, item, found, advice = MISTAKES[mistake]
    spoil(study, file, old, new)
    there = [p for p in problems(study) if (p.file, p.row, p.item) == (file, row, item)]
    assert there, [(p.file, p.row, p.item, p.found) for p in problems(study)]
    assert any(found in p.found and advice in p.advice for p in there), there


@pytest.mark.parametrize("file", [ITEMS, CODES, COLUMNS, CHANGES, EDITS, INDICATORS])
def test_a_missing_file(study: Path, file: str) -> None:
    (study / "schemas" / file).unlink()
    (problem,) = problems(study)
    assert (problem.file, problem.found) == (file, "no such file")
    assert "with the headings" in problem.advice


def test_all_mistakes_are_told_together(study: Path) -> None:
    spoil(study, ITEMS, "single,l_mood", "single,l_mod")
    spoil(study, EDITS, "<= n_staff", "<= n_staf")
    spoil(study, INDICATORS, "amt_turnover,n_staff", "amt_turnover,")
    spoil(study, CHANGES, "* 1000", "1000")
    spoil(study, TOML, 'group = "M"', 'group = "Q"')
    found = [(p.file, p.row, p.item) for p in problems(study)]
    assert sorted(found) == [
        (EDITS, "2", "test"),
        (INDICATORS, "5", "denominator"),
        (INDICATORS, "7", "numerator"),  # its codes cannot be there without the list
        (CHANGES, "2", "apply"),
        *[(CHANGES, "3", "apply")] * 3,  # nor those of the recode
        (ITEMS, "5", "code_list"),
        (TOML, "", "benchmark.group"),
    ]


def test_all_that_cannot_be_read_is_told_together(study: Path) -> None:
    spoil(study, TOML, "[weighting]", "[wieghting]")
    spoil(study, ITEMS, "percent,,%", "procent,,%")
    spoil(study, ITEMS, "cl_mood,single", "n_staff,single")
    (study / "schemas" / CODES).unlink()
    spoil(study, EDITS, "zugleich.,AI", "zugleich.,AI,")
    found = [(p.file, p.row) for p in problems(study)]
    assert sorted(found) == [
        (EDITS, "4"),
        (CODES, ""),
        (ITEMS, "2"),
        (ITEMS, "4"),
        (ITEMS, "5"),
        (TOML, ""),
    ]


def test_texts_are_needed_in_the_languages_of_the_study_only(study: Path) -> None:
    spoil(study, CODES, "ja,yes", "ja,")
    assert [p.item for p in problems(study)] == ["label_en"]
    spoil(study, TOML, '["de", "en"]', '["de"]')
    assert read_study(study).settings.languages == ("de",)


def test_waves_must_sort_by_their_names(study: Path) -> None:
    for new in ("9", "10"):
        folder = study / "data" / "raw" / new
        folder.mkdir()
        (folder / "wave.toml").write_text("", encoding="utf-8")
    order = [p for p in problems(study) if "order of the waves" in p.expected]
    assert [(p.wave, p.found) for p in order] == [("10", "'10' before '9'")]
    assert "as many digits" in order[0].advice

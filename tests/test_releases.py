"""The ledger's files: what is written is read again, rows never change, broken files are named."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.draft import Draft, notes_on
from pipeline.errors import LedgerError, Problem
from pipeline.releases import changed_sources, read_ledger, read_released, write_release
from pipeline.tables import Breaches, Clearance, Protection, Release, Revisions, SourceFiles

NAN = math.nan
OLD, NEW = "a" * 64, "b" * 64
NO_AUDIT = Clearance.empty(), Protection.empty()
NO_FILES = SourceFiles.empty()


def table(model, *rows):
    types = model.empty().dtypes.to_dict()
    return model.validate(pd.DataFrame(rows, columns=list(types)).astype(types))


def number(wave, value, *, symbol="", decimals=1, name="x"):
    """The estimate of everybody."""
    where = (f"{wave}/{name}/all/estimate", wave, name, "all", "all", "", "estimate")
    return (*where, value, decimals, symbol, "")


def draft(*numbers, status="new", written=True, sha256=OLD):
    """A draft of these numbers, all with one status."""
    release = table(Release, *numbers)
    stands = [(identity, status, written) for identity in release["number_id"]]
    files = table(SourceFiles, ("1991", "1991/answers.csv", sha256))
    return Draft([], release, table(Revisions, *stands), files, (), *NO_AUDIT)


def write(folder, wave, *numbers, **stand):
    return write_release(folder, wave, draft(*numbers, **stand))


def values(folder):
    released = read_released(folder)
    columns = ("release", "edition", "number_id", "value", "symbol")
    return list(released[list(columns)].itertuples(index=False, name=None))


def test_what_is_written_is_what_is_printed(tmp_path):
    edition = write(tmp_path, "1991", number("1991", 3.1), number("1990", NAN, symbol="c"))
    assert (edition.number, edition.added) == (1, True)
    assert [path.name for path in edition.files] == ["1991.csv", "1991.sources.csv"]
    numbers, sources = (path.read_bytes() for path in edition.files)
    assert numbers == (
        b"edition,number_id,wave,indicator,breakdown,group,reference,statistic,value,decimals,"
        b"symbol,grade\n"
        b"1,1991/x/all/estimate,1991,x,all,all,,estimate,3.1,1,,\n"
        b"1,1990/x/all/estimate,1990,x,all,all,,estimate,,1,c,\n"
    )
    assert sources.decode() == f"edition,wave,file,sha256\n1,1991,1991/answers.csv,{OLD}\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1991.csv", "1991.sources.csv"]


@settings(deadline=None, max_examples=40)
@given(st.integers(-(10**9), 10**9), st.integers(0, 4))
def test_a_value_is_read_as_it_was_written(tmp_path_factory, units, decimals):
    folder = tmp_path_factory.mktemp("ledger")
    value = round(units / 10**decimals, decimals) + 0.0
    write(folder, "1991", number("1991", value, decimals=decimals))
    (row,) = read_released(folder).to_dict("records")
    assert row["value"] == value
    assert row["decimals"] == decimals


def test_editions_are_added_and_rows_stay(tmp_path):
    first = write(tmp_path, "1991", number("1991", 3.1)).files
    before = [path.read_bytes() for path in first]
    again = write(tmp_path, "1991", number("1991", 3.1), status="unchanged", written=False)
    assert (again.number, again.added) == (1, False)
    assert [path.read_bytes() for path in first] == before
    second = write(tmp_path, "1991", number("1991", 3.4, name="y"), sha256=NEW)
    assert (second.number, second.added) == (2, True)
    for path, bytes_before in zip(first, before, strict=True):
        assert path.read_bytes().startswith(bytes_before)
    told = [
        ("1991", 1, "1991/x/all/estimate", 3.1, ""),
        ("1991", 2, "1991/y/all/estimate", 3.4, ""),
    ]
    assert values(tmp_path) == told


def test_a_file_that_a_release_names_is_not_named_again(tmp_path):
    write(tmp_path, "1991", number("1991", 3.1))
    assert write(tmp_path, "1991", number("1991", 3.4, name="y")).number == 2
    content = (tmp_path / "1991.sources.csv").read_text()
    assert content == f"edition,wave,file,sha256\n1,1991,1991/answers.csv,{OLD}\n"


def test_other_raw_files_are_an_edition_even_without_a_number(tmp_path):
    write(tmp_path, "1991", number("1991", 3.1))
    stands = {"status": "unchanged", "written": False}
    assert write(tmp_path, "1991", number("1991", 3.1), sha256=NEW, **stands).number == 2
    assert write(tmp_path, "1991", number("1991", 3.1), sha256=NEW, **stands).added is False
    assert len(values(tmp_path)) == 1


def test_the_release_of_its_own_wave_counts(tmp_path):
    # Both told a number of 1990, each where the other was not known yet.
    write(tmp_path, "1991", number("1990", 1.0), number("1991", 2.0))
    write(tmp_path, "1990", number("1990", 1.5))
    assert [row[0::3] for row in values(tmp_path)] == [
        ("1991", 1.0),
        ("1990", 1.5),
        ("1991", 2.0),
    ]


def test_no_ledger_is_an_empty_one(tmp_path):
    assert len(read_released(tmp_path / "releases")) == 0
    made = draft(number("1991", 3.1)).files
    ledger = read_ledger(tmp_path / "releases", tmp_path, made)
    assert (ledger.changed, ledger.notes) == (frozenset(), ())
    pd.testing.assert_frame_equal(ledger.files, made)
    write(tmp_path / "releases", "1991", number("1991", 3.1))
    assert len(read_released(tmp_path / "releases")) == 1


def test_raw_files_that_are_gone_or_others_are_named(tmp_path):
    raw = tmp_path / "answers.csv"
    raw.write_bytes(b"as delivered")
    (tmp_path / "succession.csv").write_bytes(b"A to B")

    def files(*more):
        paths = [("", "succession.csv"), ("1991", "answers.csv"), *more]
        rows = [(w, f, hashlib.sha256((tmp_path / f).read_bytes()).hexdigest()) for w, f in paths]
        return table(SourceFiles, *rows)

    def changed(today=None):
        ledger = read_ledger(tmp_path / "releases", tmp_path, files() if today is None else today)
        assert ledger.changed == {note.wave for note in ledger.notes}
        assert not set(ledger.files["wave"]) & ledger.changed
        return ledger.notes

    released = files()
    made = replace(draft(number("1991", 3.1)), files=released)
    write_release(tmp_path / "releases", "1991", made)
    assert changed() == ()
    raw.write_bytes(b"corrected")
    (problem,) = changed()
    assert (problem.wave, problem.file) == ("1991", "answers.csv")
    assert problem.found == f"SHA-256 {hashlib.sha256(b'corrected').hexdigest()}"
    assert (
        problem.expected == f"SHA-256 {released['sha256'].iloc[1]}, as in edition 1 of release 1991"
    )
    assert "version control" in problem.advice
    # An edition that was made of other files does not make them those of the release.
    write_release(tmp_path / "releases", "1991", replace(made, files=files()))
    assert [problem.file for problem in changed()] == ["answers.csv"]
    raw.unlink()
    (problem,) = changed(released)
    assert problem.found == "no such file"


def test_a_raw_file_of_several_releases_is_named_once(tmp_path):
    write(tmp_path / "releases", "1991", number("1991", 3.1))
    write(tmp_path / "releases", "1992", number("1992", 3.2))
    (problem,) = changed_sources(tmp_path / "releases", tmp_path, NO_FILES)
    assert problem.expected.endswith("edition 1 of release 1991, edition 1 of release 1992")


def test_a_release_whose_numbers_are_gone_is_not_forgotten(tmp_path):
    folder = tmp_path / "releases"
    write(folder, "1991", number("1991", 3.1)).files[0].unlink()
    with pytest.raises(LedgerError) as caught:
        read_released(folder)
    (problem,) = caught.value.problems
    assert (problem.file, problem.expected) == ("releases/1991.csv", "one beside 1991.sources.csv")


def test_a_release_that_does_not_name_its_raw_files_is_said(tmp_path):
    folder = tmp_path / "releases"
    write(folder, "1991", number("1991", 3.1)).files[1].unlink()
    assert len(read_released(folder)) == 1
    (note,) = changed_sources(folder, tmp_path, NO_FILES)
    assert (note.file, note.found) == ("releases/1991.sources.csv", "no such file")
    assert "raw files that the numbers of 1991.csv" in note.expected


def test_a_row_twice_is_named_once_by_line(tmp_path):
    (tmp_path / "1991.csv").write_text(HEAD + GOOD + GOOD, encoding="utf-8")
    with pytest.raises(LedgerError) as caught:
        read_released(tmp_path)
    assert [problem.row for problem in caught.value.problems] == ["2", "3"]
    assert {problem.expected for problem in caught.value.problems} == {
        "each number once an edition"
    }


def test_a_new_file_of_a_wave_that_was_released_is_named(tmp_path):
    for name in ("answers.csv", "late.csv", "next.csv", "succession.csv"):
        (tmp_path / name).write_bytes(b"as delivered")
    sha256 = hashlib.sha256(b"as delivered").hexdigest()
    first = [("", "succession.csv", sha256), ("1991", "answers.csv", sha256)]
    made = replace(draft(number("1991", 3.1)), files=table(SourceFiles, *first))
    write_release(tmp_path / "releases", "1991", made)
    (tmp_path / "succession.csv").write_bytes(b"with those of the next wave")
    more = [("1991", "late.csv", sha256), ("1992", "next.csv", sha256)]
    ledger = read_ledger(tmp_path / "releases", tmp_path, table(SourceFiles, *first, *more))
    found = [(note.wave, note.file) for note in ledger.notes]
    assert found == [("", "succession.csv"), ("1991", "late.csv")]
    assert "1992" not in ledger.changed  # of a wave that was never released all files are new
    assert ledger.files["file"].tolist() == ["next.csv"]


def test_what_earlier_releases_tell_in_words():
    found = table(
        Breaches,
        ("1990", "x", "size", "1", "p_percent"),
        ("1990", "x", "", "", "min_contributors"),
        ("1991", "y", "size", "9", ""),
    )
    notes = notes_on(found)
    assert [(note.wave, note.item) for note in notes] == [("1990", "x")] * 2 + [("1991", "y")]
    assert notes[0].found == "size=1: rule 'p_percent' forbids it, but earlier releases tell it"
    assert notes[1].found.startswith("firms of no group of their own: rule 'min_contributors'")
    assert notes[2].found == "size=9: released, but not computed any more"


HEAD = (
    "edition,number_id,wave,indicator,breakdown,group,reference,statistic,value,decimals,symbol,"
    "grade\n"
)
GOOD = "1,1991/x/all/estimate,1991,x,all,all,,estimate,3.1,1,,\n"
BROKEN = {
    "nothing in it": ("", "1", "nothing"),
    "other headings": ("edition,number_id\n", "1", "edition,number_id"),
    "a conflict": (HEAD + GOOD + "<<<<<<< HEAD\n", "3", "<<<<<<< HEAD"),
    "no number": (HEAD + GOOD.replace("3.1", "3,1"), "2", "1,1991/x/all/estimate,1991,x,all"),
    "a text": (HEAD + GOOD.replace("3.1", "three"), "2", "'three'"),
    "no edition": (HEAD + GOOD[1:], "2", "''"),
    "an unknown symbol": (HEAD + GOOD.replace("3.1,1,,", ",1,q,"), "2", "q"),
    "neither value nor symbol": (HEAD + GOOD.replace("3.1,1", ",1"), "2", "both or none"),
    "a value beside a symbol": (HEAD + GOOD.replace("3.1,1,,", "3.1,1,c,"), "2", "both or none"),
    "of another wave than its id": (HEAD + GOOD.replace(",1991,", ",1992,"), "2", "1991/x/all"),
    "of another group": (HEAD + GOOD.replace("all,all,,", "size,1,,"), "2", "1991/x/all/estimate"),
    "a row twice": (HEAD + GOOD + GOOD, "2", "1991"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_ledger_is_named_by_line(tmp_path, case):
    content, line, found = BROKEN[case]
    (tmp_path / "1991.csv").write_text(content, encoding="utf-8")
    with pytest.raises(LedgerError) as caught:
        read_released(tmp_path)
    problem = caught.value.problems[0]
    assert isinstance(problem, Problem)
    assert (problem.file, problem.row) == (f"{tmp_path.name}/1991.csv", line)
    assert found in problem.found
    assert "version control" in problem.advice


def test_another_encoding_is_named(tmp_path):
    (tmp_path / "1991.csv").write_bytes((HEAD + GOOD).encode() + "ä".encode("cp1252"))
    with pytest.raises(LedgerError, match=r"1991\.csv"):
        read_released(tmp_path)


def test_a_release_that_cannot_be_written_leaves_the_ledger_as_it_was(tmp_path):
    files = write(tmp_path, "1991", number("1991", 3.1)).files
    before = [path.read_bytes() for path in files]
    (tmp_path / ".1991.sources.csv.new").mkdir()
    with pytest.raises(IsADirectoryError):
        write(tmp_path, "1991", number("1991", 3.4, name="y"))
    assert [path.read_bytes() for path in files] == before


def test_numbers_of_a_status_by_wave():
    made = draft(number("1990", 1.0), number("1991", 2.0), number("1991", 3.0, name="y"))
    stands = made.revisions.assign(status=["changed", "new", "changed"])
    made = replace(made, revisions=table(Revisions, *stands.itertuples(index=False, name=None)))
    changed = {"1990": ["1990/x/all/estimate"], "1991": ["1991/y/all/estimate"]}
    assert made.of_status("changed") == changed
    assert made.of_status("withheld") == {}


def test_how_firms_are_protected_in_counts():
    rules = ["", "", "p_percent", "unanimous", "secondary", "attack", "part", "min_contributors"]
    people = [9, 8, 7, 6, 5, 4, 3, 0]  # the last one is a group without an answer
    cells = [
        ("1991", "x", "a", str(n), *row, 1.0)
        for n, row in enumerate(zip(people, rules, strict=True))
    ]
    # Printed where the response is: no cell of its own.
    cells.append(("1991", "representativity", "all", "all", 9, "part", 1.0))
    audits = [("1990", "x", 8, 100, 10, 1, 0, 1.5), ("1991", "x", 8, 200, 20, 0, 2, math.nan)]
    made = draft(number("1991", 3.1))
    made = replace(made, clearance=table(Clearance, *cells), protection=table(Protection, *audits))
    assert made.protected == {
        "cells": 7,
        "primary": 2,
        "published": 2,
        "secondary": 1,
        "attack": 1,
        "part": 1,
        "attacks": 300,
        "programmes": 30,
        "known": 2,
        "room": 1.5,
    }

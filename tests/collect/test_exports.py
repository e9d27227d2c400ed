"""Exports of a wave: every cell once, numbered by content and not by place."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import tempfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from pipeline.collect.exports import (
    fingerprint,
    raw_answers,
    read_exports,
    read_sheets,
)
from pipeline.collect.wave_settings import WaveSettings
from pipeline.errors import ExportError, Problem
from pipeline.tables import RawAnswers
from pipeline.tables.flow import RAGGED

NASTY = Path(__file__).resolve().parents[2].parent / "shared" / "exports" / "nasty"
needs_nasty = pytest.mark.skipif(not NASTY.is_dir(), reason="the nasty files are not there")

SETTINGS = WaveSettings(
    wave="w1",
    files=("a.csv",),
    key="id",
    register="w1.csv",
    field_start=dt.date(2024, 3, 1),
    field_end=dt.date(2024, 3, 31),
    decimal=".",
    thousands="",
    encoding=None,
    delimiter=None,
    sheet=None,
    missing={},
)


def deliver(folder: Path, **files: str) -> WaveSettings:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
    return replace(SETTINGS, files=tuple(f"{name}.csv" for name in files))


def refusal(folder: Path, wave: WaveSettings) -> tuple[Problem, ...]:
    with pytest.raises(ExportError) as caught:
        read_exports(folder, wave)
    assert all(problem.wave == "w1" for problem in caught.value.problems)
    return caught.value.problems


def rows(table: pd.DataFrame) -> list[tuple[object, ...]]:
    return list(table.itertuples(index=False, name=None))


def test_one_row_a_cell_in_canonical_order_with_its_place(tmp_path: Path) -> None:
    wave = deliver(tmp_path, b="id,x\nC2,\nC1,7\n", a="y;id\n5,5;C9\n")
    table, _ = read_exports(tmp_path, wave)
    assert rows(table) == [
        # wave, file, record, line, position, column, text
        ("w1", "a.csv", 1, 2, 2, "id", "C9"),
        ("w1", "a.csv", 1, 2, 1, "y", "5,5"),
        ("w1", "b.csv", 1, 3, 1, "id", "C1"),
        ("w1", "b.csv", 1, 3, 2, "x", "7"),
        ("w1", "b.csv", 2, 2, 1, "id", "C2"),
        ("w1", "b.csv", 2, 2, 2, "x", ""),
    ]
    assert list(table.columns) == list(RawAnswers.to_schema().columns)


def test_records_with_the_same_key_are_ordered_by_content_by_heading(tmp_path: Path) -> None:
    # by heading: a before b, although b stands first; a decides (1 < 2), then b (x < y)
    wave = deliver(tmp_path, a="id,b,a\nC1,w,2\nC1,y,1\nC1,x,1\n")
    table, _ = read_exports(tmp_path, wave)
    first = table.drop_duplicates(RawAnswers.record)
    assert first[RawAnswers.line].tolist() == [4, 3, 2]


def test_ragged_records_do_not_vanish(tmp_path: Path) -> None:
    wave = deliver(tmp_path, a="id,x\nend\nC1,7\nC2,1,234\n")
    table, _ = read_exports(tmp_path, wave)
    ragged = table[table[RawAnswers.column] == RAGGED]
    assert rows(ragged) == [
        ("w1", "a.csv", 2, 4, 1, "", "C2,1,234"),
        ("w1", "a.csv", 3, 2, 1, "", "end"),
    ]
    assert table[RawAnswers.record].max() == 3  # 1 record and 2 ragged ones were delivered


def test_workbook_beside_csv(tmp_path: Path) -> None:
    book = Workbook()
    for row in (("id", "x"), ("C1", 0.5)):
        book.active.append(row)
    book.active.title = "Daten"
    book.create_sheet("Notes").append(("x",))
    book.save(tmp_path / "b.xlsx")
    wave = deliver(tmp_path, a="id,x\nC0,1\n")
    wave = replace(wave, files=("b.xlsx", *wave.files), sheet="Daten")
    table, _ = read_exports(tmp_path, wave)
    assert table[RawAnswers.file].unique().tolist() == ["a.csv", "b.xlsx"]
    assert table[RawAnswers.text].tolist() == ["C0", "1", "C1", "0.5"]


def test_declared_encoding_and_delimiter_are_used(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("id,a;b\n1,ä;2\n".encode("mac_roman"))
    table, _ = read_exports(
        tmp_path, replace(SETTINGS, encoding="mac_roman", delimiter=";", key="b")
    )
    assert table[RawAnswers.text].tolist() == ["2", "1,ä"]


def test_what_was_normalised_is_known_by_file(tmp_path: Path) -> None:
    wave = deliver(tmp_path, a="\ufeffid\n1\n\n", b="id\n1\n")
    sheets = read_sheets(tmp_path, wave)
    assert {name: sheet.normalised for name, sheet in sheets.items()} == {
        "a.csv": ("bom", "blank_rows:1"),
        "b.csv": (),
    }
    # and the order in which the sheets are handed on does not matter
    turned = raw_answers(dict(reversed(sheets.items())), wave)
    pd.testing.assert_frame_equal(turned, read_exports(tmp_path, wave)[0])


# --- what is refused -----------------------------------------------------------------------------


def test_problems_of_all_files_at_once(tmp_path: Path) -> None:
    wave = deliver(tmp_path, a="id\n1\n", b="", c="id,id\n1,2\n", d="Firm,x\n1,2\n")
    wave = replace(wave, files=(*wave.files, "e.csv"))
    assert [(p.file, p.found) for p in refusal(tmp_path, wave)] == [
        ("b.csv", "an empty file (0 bytes)"),
        ("c.csv", "'id' in columns 1, 2"),
        ("e.csv", "no such file"),
        ("d.csv", "no column 'id'; headings: Firm, x"),
    ]


def test_no_key_column_names_the_nearest_heading(tmp_path: Path) -> None:
    wave = replace(deliver(tmp_path, a="Firm_ID,x\n1,2\n"), key="firm_id")
    (problem,) = refusal(tmp_path, wave)
    assert problem.found == "no column 'firm_id'; headings: Firm_ID, x"
    assert problem.advice == "correct key = ... in wave.toml: did you mean Firm_ID?"
    assert (problem.file, problem.item) == ("a.csv", "firm_id")


def test_no_key_column_with_many_headings_is_still_short(tmp_path: Path) -> None:
    headings = [f"q{i}" for i in range(300)]
    wave = deliver(tmp_path, a=",".join(headings) + "\n" + ",".join("1" * 300))
    (problem,) = refusal(tmp_path, wave)
    assert problem.found.endswith("q8, q9, … (300 in all)")


def test_title_lines_above_the_headings(tmp_path: Path) -> None:
    wave = deliver(tmp_path, a="Survey;;\nApril;;\n\nx;id;y;z\n1;C1;2;3\n")
    (problem,) = refusal(tmp_path, wave)
    assert problem.found == "no column 'id'; headings: Survey"
    expected = "line 4 looks like the heading row: deliver without the lines above it"
    assert problem.advice == expected


@needs_nasty
@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("csv_no_header.csv", "no column 'company_id'; headings: C0001, 01001, MAN"),
        ("csv_extra_missing_cols.csv", "no column 'company_id'; headings: ags, sector"),
        ("csv_preamble.csv", "no column 'company_id'; headings: Unternehmensbefragung"),
    ],
)
def test_nasty_files_without_key(name: str, found: str) -> None:
    (problem,) = refusal(NASTY, replace(SETTINGS, files=(name,), key="company_id"))
    assert problem.found.startswith(found)
    assert ("line 4 looks like" in problem.advice) == (name == "csv_preamble.csv")


@needs_nasty
@pytest.mark.parametrize(
    ("name", "records"),
    [
        ("baseline.csv", 3),
        ("csv_ragged_long.csv", 3),
        ("csv_footer.csv", 4),
        ("csv_totals_row.csv", 4),
        ("csv_repeated_header.csv", 4),
        ("dup_exact.csv", 4),
        ("xl_mixed_types.xlsx", 3),
    ],
)
def test_nasty_files_keep_every_row(name: str, records: int) -> None:
    table, _ = read_exports(NASTY, replace(SETTINGS, files=(name,), key="company_id"))
    assert table[RawAnswers.record].unique().tolist() == list(range(1, records + 1))


# --- fingerprint ---------------------------------------------------------------------------------


def test_fingerprint_is_the_hash_of_names_and_contents(tmp_path: Path) -> None:
    deliver(tmp_path, a="1", b="2")
    a, b = tmp_path / "a.csv", tmp_path / "b.csv"
    # SHA-256 of "1" begins 6b86, of "2" d473: sorted by it, a comes first
    lines = (
        f"{hashlib.sha256(b'1').hexdigest()}  a.csv\n{hashlib.sha256(b'2').hexdigest()}  b.csv\n"
    )
    assert fingerprint([a, b]) == hashlib.sha256(lines.encode()).hexdigest()
    assert fingerprint([b, a]) == fingerprint([a, b])
    before = fingerprint([a])
    assert fingerprint([a.rename(tmp_path / "c.csv")]) != before
    (tmp_path / "c.csv").write_text("2")
    assert fingerprint([tmp_path / "c.csv"]) != fingerprint([b])
    b.write_text("")
    assert fingerprint([b]) != fingerprint([])  # an empty file is one
    with pytest.raises(ExportError, match="no such file"):
        fingerprint([a])


# --- the order of rows and columns ---------------------------------------------------------------

FIELDS = st.text(st.characters(codec="latin-1", exclude_characters="\0"), max_size=3)


@st.composite
def shuffled(draw: st.DrawFn) -> tuple[list[list[str]], list[list[str]]]:
    """A table with headings and few different keys, and the same in another order."""
    headings = draw(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4, unique=True))
    record = st.tuples(st.sampled_from(["C1", "C2"]), *(FIELDS for _ in headings))
    records = draw(st.lists(record, min_size=1, max_size=6))
    columns = draw(st.permutations(range(len(headings) + 1)))
    table = [["id", *headings], *map(list, records)]
    order = [table[0], *draw(st.permutations(table[1:]))]
    return table, [[row[j] for j in columns] for row in order]


def cells(table: list[list[str]]) -> pd.DataFrame:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=";").writerows(table)
    with tempfile.TemporaryDirectory() as folder:
        wave = replace(deliver(Path(folder), a=file.getvalue()), delimiter=";")
        return read_exports(Path(folder), wave)[0]


@given(shuffled())
@settings(max_examples=30, deadline=None)
def test_order_in_the_file_changes_nothing_but_the_place(
    tables: tuple[list[list[str]], list[list[str]]],
) -> None:
    one, other = map(cells, tables)
    place = [RawAnswers.line, RawAnswers.position]
    pd.testing.assert_frame_equal(one.drop(columns=place), other.drop(columns=place))
    assert len(one) == (len(tables[0]) - 1) * len(tables[0][0])
    assert one[RawAnswers.line].min() >= 2


def test_what_was_normalised_to_read_a_file_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("\ufeffid;x\r\nF1;Gr\u00f6\u00dfe\r\n;\r\n".encode())
    (tmp_path / "b.csv").write_bytes("id;x\nF2;Gr\u00f6\u00dfe\n".encode("cp1252"))
    wave = replace(SETTINGS, files=("a.csv", "b.csv"), key="id", encoding=None, delimiter=";")
    _, notes = read_exports(tmp_path, wave)
    found = list(zip(notes["file"], notes["rule"], notes["found"], strict=True))
    assert found == [
        ("a.csv", "bom", ""),
        ("a.csv", "blank_rows", "1"),
        ("b.csv", "encoding", "cp1252"),
    ]
    assert set(notes["treatment"]) == {"normalised"}
    assert "declare the encoding" in notes["advice"].iloc[2]

"""Workbooks: what the cells mean, as text; hidden, broken and hostile parts are not swallowed."""

from __future__ import annotations

import datetime as dt
import random
import re
import tempfile
import time
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.styles import PatternFill

from pipeline.errors import ExportError, Problem
from pipeline.formats import read_sheet
from pipeline.formats.excel import MAX_ENTRIES, read
from pipeline.formats.sheet import Sheet

NASTY = Path(__file__).resolve().parents[2].parent / "shared" / "exports" / "nasty"
needs_nasty = pytest.mark.skipif(not NASTY.is_dir(), reason="the nasty files are not there")
SHEET_PART = "xl/worksheets/sheet1.xml"


def save(folder: Path, book: Workbook, name: str = "export.xlsx") -> Path:
    book.save(folder / name)
    return folder / name


def filled(*rows: tuple[object, ...]) -> Workbook:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    return book


def repacked(path: Path, change: Callable[[str], str]) -> Path:
    """Change the XML of the first sheet of a workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[SHEET_PART] = change(parts[SHEET_PART].decode()).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def refusal(path: Path, sheet: str | None = None) -> Problem:
    with pytest.raises(ExportError) as caught:
        read(path, sheet=sheet)
    (problem,) = caught.value.problems
    assert problem.file == path.name
    assert problem.expected
    assert problem.advice
    return problem


def column(sheet: Sheet, heading: str) -> list[str]:
    return [record[sheet.columns.index(heading)] for record in sheet.records]


# --- what a cell means ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        ("01001", "General", "01001"),
        (" NA ", "General", " NA "),
        (45, "General", "45"),
        (45.0, "General", "45"),
        (-1200.50, "#,##0.00", "-1200.5"),
        (0.1, "General", "0.1"),
        (1e16, "General", "10000000000000000"),
        (1.5e-7, "General", "0.00000015"),
        (999999999999999, "0", "999999999999999"),
        (True, "General", "TRUE"),
        (False, "General", "FALSE"),
        (dt.date(2024, 3, 1), "dd.mm.yyyy", "2024-03-01"),
        (dt.datetime.fromisoformat("2024-03-01T14:05:33"), "dd/mm/yy hh:mm", "2024-03-01T14:05:33"),
        (dt.time(14, 5), "hh:mm", "14:05:00"),
        (0.045, "0.0%", "4.5"),
        (0.07, "0%", "7"),  # 0.07 * 100 is 7.000000000000001 in binary
        (0.25, "0.00%;[Red]-0.00%", "25"),
        (1, "0%", "100"),
        (-0.333, "0%", "-33.3"),
        (5, '0.0"%"', "5"),  # a shown sign, no percentage
        (5, r"0\%", "5"),
        (1001, "00000", "01001"),
        (123456, "00000", "123456"),
        (1001, "[$-407]00000", "01001"),
        (-7, "000", "-7"),
        (10.5, "000", "10.5"),
    ],
)
def test_values_as_the_cell_means_them(
    tmp_path: Path, value: object, number_format: str, text: str
) -> None:
    book = filled(("id", "x"), ("1", value))
    book.active["B2"].number_format = number_format
    assert read(save(tmp_path, book)).records == (("1", text),)


@pytest.mark.parametrize(
    ("stored", "text"), [("0.28999999999999998", "29"), ("0.30000000000000004", "30")]
)
def test_percentages_without_the_noise_of_binary_fractions(
    tmp_path: Path, stored: str, text: str
) -> None:
    book = filled(("id", "x"), ("1", 0.5))
    book.active["B2"].number_format = "0%"
    path = repacked(save(tmp_path, book), lambda xml: xml.replace("0.5", stored))
    assert column(read(path), "x") == [text]


def test_errors_and_formulas_without_result_keep_a_mark(tmp_path: Path) -> None:
    book = filled(("id", "a", "b", "c"), ("1", "#DIV/0!", "=1+1", None), ("2", "#N/A", "=2+2", "x"))
    path = save(tmp_path, book)
    assert read(path).records == (
        ("1", "#DIV/0!", "#FORMULA", ""),
        ("2", "#N/A", "#FORMULA", "x"),
    )
    # with the result of one of the formulas saved, as Excel does
    repacked(path, lambda xml: re.sub(r"(<f>1\+1</f>)<v\s*(/>|></v>)", r"\1<v>2</v>", xml))
    assert column(read(path), "b") == ["2", "#FORMULA"]


@given(st.lists(st.tuples(st.integers(-(10**9), 10**9), st.integers(0, 6)), min_size=1))
@settings(max_examples=20, deadline=None)
def test_decimal_numbers_come_back_exactly(numbers: list[tuple[int, int]]) -> None:
    book = filled(("id", "x"), *(("1", digits / 10**places) for digits, places in numbers))
    with tempfile.TemporaryDirectory() as folder:
        sheet = read(save(Path(folder), book))
    texts = column(sheet, "x")
    assert [Decimal(text) for text in texts] == [Decimal(d).scaleb(-p) for d, p in numbers]
    assert all(re.fullmatch(r"-?\d+(\.\d*[1-9])?", text) for text in texts)


# --- where the content is ------------------------------------------------------------------------


def test_positions_lines_and_blank_rows(tmp_path: Path) -> None:
    book = Workbook()
    for place, value in {"B3": "id", "D3": "x ", "B5": 1, "D5": "a", "B6": 2, "D9": "b"}.items():
        book.active[place] = value
    sheet = read(save(tmp_path, book))
    assert (sheet.columns, sheet.positions) == (("id", "x"), (2, 4))
    assert (sheet.records, sheet.lines) == ((("1", "a"), ("2", ""), ("", "b")), (5, 6, 9))
    # rows 3 to 9 are 7, of which 3, 5, 6 and 9 have content
    assert sheet.normalised == ("blank_rows:3",)
    assert (sheet.encoding, sheet.delimiter, sheet.ragged) == ("", "xlsx", ())


def test_a_phantom_range_returns_in_seconds(tmp_path: Path) -> None:
    book = filled(("id", "x"), (1, "a"))
    book.active["XFD1048576"].fill = PatternFill("solid", fgColor="FFFF00")
    path = save(tmp_path, book)
    with zipfile.ZipFile(path) as archive:
        assert b"XFD1048576" in archive.read(SHEET_PART)
    start = time.perf_counter()
    sheet = read(path)
    assert time.perf_counter() - start < 5
    assert (sheet.columns, sheet.records) == (("id", "x"), (("1", "a"),))


def test_the_visible_sheet_with_content_is_read(tmp_path: Path) -> None:
    book = filled(("id",), ("old",))
    book.active.title = "alt"
    book.active.sheet_state = "veryHidden"
    book.create_sheet("leer")
    book.create_sheet("Daten").append(("id", "x"))
    book["Daten"].append(("1", "a"))
    sheet = read(save(tmp_path, book))
    assert sheet.records == (("1", "a"),)
    assert sheet.normalised == ("hidden_sheet:alt",)


def test_hidden_rows_and_columns_are_read_and_named(tmp_path: Path) -> None:
    book = filled(("id", "a", "b", "c"), (1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12))
    book.active.column_dimensions.group("B", "C", hidden=True)
    for row in (2, 4, 99):  # row 99 has no content
        book.active.row_dimensions[row].hidden = True
    sheet = read(save(tmp_path, book))
    assert len(sheet.records) == 3
    assert sheet.columns == ("id", "a", "b", "c")
    assert sheet.normalised == ("hidden_rows:2", "hidden_columns:a", "hidden_columns:b")


def test_a_sheet_by_its_name(tmp_path: Path) -> None:
    book = filled(("id",), ("1",))
    book.active.title = "Antworten"
    book.create_sheet("Andere").append(("id",))
    book["Andere"].append(("2",))
    book.create_sheet("Geheim").sheet_state = "hidden"
    path = save(tmp_path, book)
    assert read(path, sheet="Andere").records == (("2",),)
    problem = refusal(path)
    assert problem.found == "content in several sheets: Antworten, Andere"
    assert (problem.advice, problem.item) == ("name it in wave.toml (sheet = ...)", "sheet")
    problem = refusal(path, sheet="Antwort")
    assert problem.found == "no visible sheet 'Antwort' (sheets: Antworten, Andere)"
    assert problem.advice == "did you mean Antworten?"
    assert refusal(path, sheet="Geheim").found.startswith("no visible sheet 'Geheim'")


# --- what is refused -----------------------------------------------------------------------------


def test_empty_workbooks(tmp_path: Path) -> None:
    assert refusal(save(tmp_path, Workbook())).found == "no visible sheet with content"
    assert refusal(save(tmp_path, Workbook()), sheet="Sheet").found == "nothing in sheet 'Sheet'"
    assert refusal(save(tmp_path, filled((" ",)))).found == "nothing but blank lines"
    assert refusal(save(tmp_path, filled(("id", "x")))).found == "headings but no records"
    assert refusal(tmp_path / "absent.xlsx").found == "no such file"


def test_headings_are_checked_as_in_text(tmp_path: Path) -> None:
    book = filled(("id", "x", "x\u00a0", None), (1, 2, 3, None), (1, 2, 3, 4))
    with pytest.raises(ExportError) as caught:
        read(save(tmp_path, book))
    assert [(p.found, p.row) for p in caught.value.problems] == [
        ("'x' in columns 2, 3", "1"),
        ("answers without a heading in column 4", "3"),
    ]


def test_truncated_download(tmp_path: Path) -> None:
    path = save(tmp_path, filled(("id",), ("1",)))
    path.write_bytes(path.read_bytes()[:2000])
    problem = refusal(path)
    assert problem.found == "the archive is cut off or damaged"
    assert "fetch the file again" in problem.advice


def test_damaged_sheet(tmp_path: Path) -> None:
    path = repacked(save(tmp_path, filled(("id",), ("1",))), lambda xml: xml[:200])
    assert refusal(path).found.startswith("the workbook cannot be opened (")


def test_an_archive_that_is_no_workbook(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "export.xlsx", "w") as archive:
        archive.writestr("answers.csv", "id\n1\n")
    assert refusal(tmp_path / "export.xlsx").found.startswith("the workbook cannot be opened (")


@pytest.mark.parametrize(
    ("content", "found", "advice"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "a password-protected", "password"),
        (b"id,x\n1,2\n", "text, named as a workbook", "rename the file to .csv"),
        (b"<html><table></table>", "an HTML page, named as a workbook", "save it as xlsx"),
    ],
)
def test_what_only_calls_itself_a_workbook(
    tmp_path: Path, content: bytes, found: str, advice: str
) -> None:
    (tmp_path / "export.xlsx").write_bytes(content)
    problem = refusal(tmp_path / "export.xlsx")
    assert problem.found.startswith(found)
    assert problem.found.endswith("(extension_mismatch)")
    assert advice in problem.advice


@pytest.mark.parametrize(
    ("zeros", "noise", "found"),
    [
        (21_000_000, 0, r"21 MB once unpacked, \d{3,4} times the file \(zip_ratio\)"),
        # zeros shrink to about a thousandth, noise does not: 201 / 2.2 MB
        (199_000_000, 2_000_000, r"201 MB once unpacked, 9\d times the file \(zip_ratio\)"),
    ],
)
def test_zip_bomb_is_refused(tmp_path: Path, zeros: int, noise: int, found: str) -> None:
    path = save(tmp_path, filled(("id",), ("1",)))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/image1.bin", bytes(zeros))
        archive.writestr("xl/media/image2.bin", random.Random(1).randbytes(noise))
    problem = refusal(path)
    assert re.fullmatch(found, problem.found)
    assert "comes better as csv" in problem.advice


def test_archive_of_too_many_files(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "export.xlsx", "w") as archive:
        for i in range(MAX_ENTRIES + 1):
            archive.writestr(str(i), "")
    assert refusal(tmp_path / "export.xlsx").found == f"{MAX_ENTRIES + 1} files in the archive"


def test_entity_bomb_is_refused(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    path = repacked(save(tmp_path, filled(("id",), ("1",))), lambda xml: bomb + xml)
    assert "EntitiesForbidden" in refusal(path).found


# --- the nasty files -----------------------------------------------------------------------------


@needs_nasty
@pytest.mark.parametrize(
    ("name", "normalised"),
    [
        ("num_percent_excel.xlsx", ()),
        ("xl_mixed_types.xlsx", ()),
        ("xl_phantom_range.xlsx", ()),
        ("xl_macro.xlsm", ("macros_ignored",)),
        ("xl_hidden.xlsx", ("hidden_sheet:alt", "hidden_rows:1", "hidden_columns:employees")),
    ],
)
def test_nasty_workbooks_that_hold_the_three_good_firms(
    name: str, normalised: tuple[str, ...]
) -> None:
    sheet = read_sheet(NASTY / name)
    assert sheet.normalised == normalised
    assert column(sheet, "company_id") == ["C0001", "C0002", "C0003"]
    assert column(sheet, "ags") == ["01001", "09162", "14612"]
    assert column(sheet, "employees") == ["120", "8", "45"]
    assert column(sheet, "invest_pct") == ["4.5", "12", "0"]
    assert column(sheet, "interview_date") == ["2024-03-01", "2024-03-02", "2024-03-05"]


@needs_nasty
@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("xl_two_sheets.xlsx", "content in several sheets: Daten, Daten (2)"),
        ("xl_zip_bomb.xlsx", "120 MB once unpacked"),
        ("xl_truncated.xlsx", "the archive is cut off or damaged"),
        ("xl_is_csv.xlsx", "text, named as a workbook"),
        ("xlsx_encrypted.xlsx", "a password-protected or old Excel file"),
        ("tool_kobo.xlsx", "content in several sheets: Survey 2024, site"),
    ],
)
def test_nasty_workbooks_that_are_refused(name: str, found: str) -> None:
    assert refusal(NASTY / name).found.startswith(found)

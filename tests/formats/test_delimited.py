"""Delimited text: whatever the tool wrote, the same text comes back, or a message says why not."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ExportError, Problem
from pipeline.formats import read_sheet
from pipeline.formats.delimited import DELIMITERS, read
from pipeline.formats.sheet import Ragged, Sheet, clean

NASTY = Path(__file__).resolve().parents[2].parent / "shared" / "exports" / "nasty"
needs_nasty = pytest.mark.skipif(not NASTY.is_dir(), reason="the nasty files are not there")
HEADINGS = ["company_id", "ags", "sector", "employees", "revenue_teur", "invest_pct"]
HEADINGS += ["exports", "outlook", "interview_date", "comment"]


def write(folder: Path, content: str | bytes, name: str = "export.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refusal(path: Path, **settings: str) -> tuple[Problem, ...]:
    with pytest.raises(ExportError) as caught:
        read(path, **settings)
    assert all(problem.file == path.name for problem in caught.value.problems)
    assert all(p.found and p.expected and p.advice for p in caught.value.problems)
    return caught.value.problems


def column(sheet: Sheet, heading: str) -> list[str]:
    return [record[sheet.columns.index(heading)] for record in sheet.records]


# --- what is taken -------------------------------------------------------------------------------


def test_everything_is_text_and_nothing_is_guessed_missing(tmp_path: Path) -> None:
    sheet = read(write(tmp_path, "id,a,b\n01001,NA,\n9007199254740993,1e5, null \n"))
    assert sheet.columns == ("id", "a", "b")
    assert sheet.records == (("01001", "NA", ""), ("9007199254740993", "1e5", " null "))
    assert (sheet.lines, sheet.positions) == ((2, 3), (1, 2, 3))
    assert (sheet.encoding, sheet.delimiter, sheet.normalised) == ("utf-8", ",", ())


def test_decimal_commas_of_a_cp1252_file_stay_text(tmp_path: Path) -> None:
    text = "id;Umsatz\r\nMüller;15.200,50\r\nGröße;4,5\r\n"
    sheet = read(write(tmp_path, text.encode("cp1252")))
    assert sheet.records == (("Müller", "15.200,50"), ("Größe", "4,5"))
    assert (sheet.delimiter, sheet.normalised) == (";", ("encoding:cp1252",))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-8"])
def test_a_byte_order_mark_decides_the_encoding(tmp_path: Path, encoding: str) -> None:
    content = "\ufeffid\tort\r\n1\tKöln\r\n".encode(encoding)
    for declared in (None, encoding, encoding[:6]):
        sheet = read(write(tmp_path, content), encoding=declared)
        assert sheet.columns == ("id", "ort")
        assert sheet.records == (("1", "Köln"),)
        assert (sheet.encoding, sheet.delimiter) == (encoding, "\t")
        assert sheet.normalised == ("bom",)


@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman"])
def test_a_guessed_encoding_is_named_and_does_not_depend_on_the_order(
    tmp_path: Path, encoding: str
) -> None:
    lines = ["1,Größe", "2,ändert", "3,für Öl", "4,ascii"]
    for order in (lines, lines[::-1]):
        content = "\n".join(["id,text", *order]).encode(encoding)
        sheet = read(write(tmp_path, content))
        assert sheet.normalised == (f"encoding:{encoding}",)
        assert sorted(column(sheet, "text")) == ["Größe", "ascii", "für Öl", "ändert"]


def test_a_declared_encoding_wins_over_a_guess(tmp_path: Path) -> None:
    content = "id,x\n1,ä\n".encode("mac_roman")
    assert column(read(write(tmp_path, content), encoding="mac_roman"), "x") == ["ä"]
    assert column(read(write(tmp_path, content), encoding="cp1252"), "x") == ["Š"]  # as asked


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_the_line_where_a_record_begins(tmp_path: Path, end: str) -> None:
    # lines: 1 headings, 2 blank, 3-4 record 1 (a break in a field), 5 record 2, not ended
    sheet = read(write(tmp_path, f'id,x{end}{end}1,"a{end}b"{end}2,c'))
    assert sheet.records == (("1", f"a{end}b"), ("2", "c"))
    assert sheet.lines == (3, 5)
    assert sheet.normalised == ("blank_rows:1",)


def test_mixed_line_ends(tmp_path: Path) -> None:
    assert read(write(tmp_path, "id,x\r\n1,a\n2,b\r3,c")).lines == (2, 3, 4)


def test_other_separators_of_unicode_do_not_end_a_line(tmp_path: Path) -> None:
    sheet = read(write(tmp_path, "id,x\n1,a\u2028b\x85c\x0bd\n"))
    assert sheet.records == (("1", "a\u2028b\x85c\x0bd"),)


def test_sep_line_is_honoured_and_counted_as_a_line(tmp_path: Path) -> None:
    sheet = read(write(tmp_path, "sep=;\r\na,b;c\r\n1,5;2\r\n"))
    assert (sheet.columns, sheet.records, sheet.lines) == (("a,b", "c"), (("1,5", "2"),), (3,))
    assert sheet.normalised == ("sep_line",)


def test_delimiter_is_the_one_with_a_consistent_number_of_fields(tmp_path: Path) -> None:
    # by ';' 2 fields in each of 4 records; by ',' 3, 1, 2 and 3 of them
    assert read(write(tmp_path, "a,b,c;d\n1;2\n1,5;2\n1,5,5;2\n")).delimiter == ";"
    # a record that is ragged by the delimiter of the others does not hand it to another
    assert read(write(tmp_path, "a;b,c\n1;2,3\n4,5\n")).delimiter == ","
    # by ',' there are more headings, but the quotation marks fail; by ';' all records agree
    assert read(write(tmp_path, 'a,b,c;d\n1;2\n1,"x";2\n')).columns == ("a,b,c", "d")


def test_one_column(tmp_path: Path) -> None:
    sheet = read(write(tmp_path, "id\n1\n2\n"))
    assert (sheet.columns, sheet.records, sheet.delimiter) == (("id",), (("1",), ("2",)), "")
    assert read(write(tmp_path, 'id\n"1;2"\n')).records == (("1;2",),)


def test_headings_are_cleaned(tmp_path: Path) -> None:
    sheet = read(write(tmp_path, '\u00a0 id ,"Gro\u0308ße\n",a\u00a0b\n1,2,3\n'))
    assert sheet.columns == ("id", "Größe", "a b")


def test_ragged_records_are_kept_apart(tmp_path: Path) -> None:
    sheet = read(write(tmp_path, 'id,x,y\n1,a,b\n2,1,234,c\n"3\n",z\n4,d,\n'))
    assert sheet.records == (("1", "a", "b"), ("4", "d", ""))
    assert sheet.lines == (2, 6)
    assert sheet.ragged == (Ragged(3, "2,1,234,c", 4), Ragged(4, "3\n,z", 2))


def test_columns_with_neither_heading_nor_content_are_left_out(tmp_path: Path) -> None:
    sheet = read(write(tmp_path, "id,,x,\n1, ,a,\n2,,b,\n"))
    assert (sheet.columns, sheet.positions) == (("id", "x"), (1, 3))
    assert sheet.records == (("1", "a"), ("2", "b"))
    assert sheet.normalised == ("empty_columns:2",)


# --- what is refused -----------------------------------------------------------------------------


def test_missing_file(tmp_path: Path) -> None:
    (problem,) = refusal(tmp_path / "absent.csv")
    assert problem.found == "no such file"
    assert tmp_path.name in problem.advice


@pytest.mark.parametrize(
    ("content", "found", "row"),
    [
        ("", "an empty file (0 bytes)", ""),
        ("\ufeff", "nothing but blank lines", ""),
        ("\n;;\n", "nothing but blank lines", ""),
        ("\nid,x\n", "headings but no records", "2"),
        ("id,x\n,\n\n", "headings but no records", "1"),
    ],
)
def test_empty_exports(tmp_path: Path, content: str, found: str, row: str) -> None:
    (problem,) = refusal(write(tmp_path, content))
    assert (problem.found, problem.row) == (found, row)
    assert "export again" in problem.advice


def test_wrong_declared_encoding_names_byte_and_line(tmp_path: Path) -> None:
    content = "id,x\r\n1,a\r\n2,ä\r\n".encode("cp1252")
    (problem,) = refusal(write(tmp_path, content), encoding="utf-8")
    assert problem.found == "byte 0xe4, read as 'utf-8'"
    assert (problem.row, problem.item) == ("3", "encoding")
    assert "wave.toml" in problem.advice


def test_declared_encoding_against_the_byte_order_mark(tmp_path: Path) -> None:
    (problem,) = refusal(write(tmp_path, "\ufeffid,x\n1,ä\n"), encoding="cp1252")
    assert problem.found == "the byte order mark of utf-8, read as 'cp1252'"


@pytest.mark.parametrize("encoding", ["klingon", "rot13"])
def test_unknown_encoding(tmp_path: Path, encoding: str) -> None:
    (problem,) = refusal(write(tmp_path, "id,x\n1,a\n"), encoding=encoding)
    assert problem.found == f"an unknown encoding, read as '{encoding}'"


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    garbage = bytes(range(128, 256)) * 20 + bytes(range(1, 32)) * 20
    (problem,) = refusal(write(tmp_path, b"id,x\n1," + garbage))
    assert problem.found == "bytes that are no text, read as 'utf-8'"


def test_nul_bytes_with_their_lines(tmp_path: Path) -> None:
    lines = "".join(f"{i},{chr(0) if i % 2 else 'x'}\n" for i in range(24))
    (problem,) = refusal(write(tmp_path, f"id,x\n{lines}"))
    # odd i stand in line i + 2: 3, 5, ... 25
    assert problem.row == "3, 5, 7, 9, 11, 13, 15, 17, 19, 21, … (12 in all)"
    assert "UTF-16" in problem.advice


@pytest.mark.parametrize(
    "text",
    [
        'id,x\n1,a\n2,"open\n3,c\n',  # never closed
        'id,x\n1,a\n2,"open\n3,"c"\n',  # closed by the next one
        'id,x\n1,a\n2,"b"c\n',  # closed before the end
        'id;x\n1;a,b\n2;"open\n3;c\n',  # whatever the delimiter
    ],
)
def test_unbalanced_quotes_name_the_line_where_the_record_begins(tmp_path: Path, text: str) -> None:
    (problem,) = refusal(write(tmp_path, text))
    assert "never closed" in problem.found
    assert problem.row == "3"


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"PK\x03\x04\x14\x00", "a zip archive (xlsx or ods)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a password-protected or old Excel file (xls)"),
        (b"\xef\xbb\xbf\n<!DOCTYPE HTML>", "an HTML page"),
        (b"<html><table>", "an HTML page"),
        (b"%PDF-1.7", "a PDF file"),
        (b"<?xml version='1.0'?>", "an XML file"),
    ],
)
def test_extension_mismatch(tmp_path: Path, start: bytes, kind: str) -> None:
    (problem,) = refusal(write(tmp_path, start + b" a,b\n1,2\n"))
    assert problem.found == f"{kind}, named as delimited text (extension_mismatch)"
    assert "save it as csv" in problem.advice


def test_two_delimiters_that_do_equally_well(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b;c\n1,5;2\n")  # 2 fields in both records by either
    (problem,) = refusal(path)
    assert problem.found == "',' and ';' divide the records equally well"
    assert "delimiter = ..." in problem.advice
    assert read(path, delimiter=";").records == (("1,5", "2"),)


def test_all_records_ragged(tmp_path: Path) -> None:
    (problem,) = refusal(write(tmp_path, "id,x\n1,a,b\n2,a,b\n3,a,b,c\n"))
    assert problem.found == "all 3 records have 3, 4 fields"
    assert problem.expected == "2 fields, as in the heading row (line 1)"
    assert problem.row == "2, 3, 4"


def test_all_mistakes_of_the_headings_at_once(tmp_path: Path) -> None:
    problems = refusal(write(tmp_path, "id,x,,x \n1,a,,b\n2,a,c,b\n"))
    assert [(p.found, p.row) for p in problems] == [
        ("'x' in columns 2, 4", "1"),
        ("answers without a heading in column 3", "3"),
    ]


def test_unsupported_ending(tmp_path: Path) -> None:
    with pytest.raises(ExportError) as caught:
        read_sheet(write(tmp_path, "<table></table>", "export.xls"))
    (problem,) = caught.value.problems
    assert problem.found == "a file with the ending '.xls' that is an HTML page"
    assert ".xlsx" in problem.expected
    assert "save it as xlsx or csv" in problem.advice


# --- the nasty files -----------------------------------------------------------------------------


@needs_nasty
@pytest.mark.parametrize(
    ("name", "normalised"),
    [
        ("baseline", ()),
        ("enc_utf8_bom", ("bom",)),
        ("enc_utf16le_tab", ("bom",)),
        ("enc_cp1252_semicolon", ("encoding:cp1252",)),
        ("enc_macroman", ("encoding:mac_roman",)),
        ("csv_sep_line", ("sep_line",)),
        ("csv_blank_lines", ("blank_rows:6",)),
        ("csv_cr_only", ()),
        ("csv_mixed_eol", ()),
        ("num_decimal_comma", ()),
    ],
)
def test_nasty_files_that_hold_the_three_good_firms(name: str, normalised: tuple[str, ...]) -> None:
    sheet = read(NASTY / f"{name}.csv")
    assert list(sheet.columns) == HEADINGS
    assert sheet.normalised == normalised
    assert column(sheet, "company_id") == ["C0001", "C0002", "C0003"]
    assert column(sheet, "ags") == ["01001", "09162", "14612"]
    assert column(sheet, "comment")[0].startswith("Größe")


@needs_nasty
def test_nasty_text_is_left_as_it_is() -> None:
    assert column(read(NASTY / "miss_na_is_value.csv"), "comment") == ["NA", "None", "null"]
    assert column(read(NASTY / "num_leading_zero.csv"), "ags") == ["1001", "9162", "14612"]
    assert column(read(NASTY / "inj_formula.csv"), "comment")[0].startswith("=HYPERLINK(")
    assert column(read(NASTY / "html_in_text.csv"), "comment")[1] == "<b>fett</b>"
    assert column(read(NASTY / "csv_repeated_header.csv"), "company_id")[2] == "company_id"


@needs_nasty
@pytest.mark.parametrize(
    ("name", "line", "fields"), [("csv_ragged_long", 3, 11), ("csv_footer", 6, 1)]
)
def test_nasty_ragged_records(name: str, line: int, fields: int) -> None:
    sheet = read(NASTY / f"{name}.csv")
    assert [(r.line, r.found_fields) for r in sheet.ragged] == [(line, fields)]
    assert len(sheet.records) + len(sheet.ragged) == (3 if fields > 1 else 4)


@needs_nasty
@pytest.mark.parametrize(
    ("name", "found", "row"),
    [
        ("csv_empty", "an empty file (0 bytes)", ""),
        ("csv_is_xlsx", "a zip archive", ""),
        ("csv_all_rows_long", "all 3 records have 11 fields", "2, 3, 4"),
        ("csv_unbalanced_quote", "a quotation mark that is never closed", "3"),
        ("enc_nul", "NUL bytes", "1, 4"),
        ("tool_googleforms", "'Company id' in columns 2, 6", "1"),
        ("tool_qualtrics_excel_saved", "'Q3' in columns 13, 14", "1"),
    ],
)
def test_nasty_files_that_are_refused(name: str, found: str, row: str) -> None:
    (problem,) = refusal(NASTY / f"{name}.csv")
    assert problem.found.startswith(found)
    assert problem.row == row


# --- round trip ----------------------------------------------------------------------------------

LATIN = st.characters(codec="cp1252", exclude_characters="\0")
ANY = st.characters(exclude_categories=["Cs"], exclude_characters="\0")


@st.composite
def tables(draw: st.DrawFn, letters: st.SearchStrategy[str]) -> tuple[list[str], list[list[str]]]:
    """Headings that are not blank and differ once cleaned; records that are not blank."""
    texts = st.text(letters, max_size=6)
    headings = draw(st.lists(texts.filter(clean), min_size=2, max_size=4, unique_by=clean))
    record = st.lists(texts, min_size=len(headings), max_size=len(headings))
    visible = record.filter(lambda fields: any(map(str.strip, fields)))
    return headings, draw(st.lists(visible, min_size=1, max_size=5))


def written(table: list[list[str]], delimiter: str, *, quoted: bool) -> str:
    file = io.StringIO(newline="")
    dialect = "excel" if not quoted else type("quoted", (csv.excel,), {"quoting": csv.QUOTE_ALL})
    csv.writer(file, dialect, delimiter=delimiter).writerows(table)
    return file.getvalue()


@pytest.mark.parametrize("delimiter", DELIMITERS)
@given(table=tables(ANY), encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
@settings(max_examples=50, deadline=None)
def test_quoted_text_comes_back_with_nothing_declared(
    delimiter: str, table: tuple[list[str], list[list[str]]], encoding: str
) -> None:
    headings, records = table
    text = written([headings, *records], delimiter, quoted=True)
    with tempfile.TemporaryDirectory() as folder:
        sheet = read(write(Path(folder), text.encode(encoding)))
    assert sheet.columns == tuple(map(clean, headings))
    assert sheet.records == tuple(map(tuple, records))
    assert (sheet.delimiter, sheet.ragged) == (delimiter, ())


@pytest.mark.parametrize("delimiter", DELIMITERS)
@given(table=tables(LATIN), encoding=st.sampled_from(["cp1252", "utf-8", "utf-16-le"]))
@settings(max_examples=50, deadline=None)
def test_any_text_comes_back_with_encoding_and_delimiter_declared(
    delimiter: str, table: tuple[list[str], list[list[str]]], encoding: str
) -> None:
    headings, records = table
    rows = [["identity", *headings], *(["1", *record] for record in records)]
    text = written(rows, delimiter, quoted=False)
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), text.encode(encoding))
        sheet = read(path, encoding=encoding, delimiter=delimiter)
    assert sheet.columns == ("identity", *map(clean, headings))
    assert [record[1:] for record in sheet.records] == list(map(tuple, records))
    assert (sheet.encoding, sheet.normalised) == (encoding, ())

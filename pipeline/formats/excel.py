"""Excel workbooks (xlsx, xlsm): one sheet as text, as the cells mean it; macros never run."""

from __future__ import annotations

import datetime as dt
import io
import re
import warnings
import zipfile
from collections.abc import Collection, Mapping
from decimal import Context, Decimal
from pathlib import Path

import openpyxl
from openpyxl.cell.cell import Cell
from openpyxl.workbook.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from pipeline.errors import ExportError, Problem, nearest
from pipeline.formats.sheet import (
    Origin,
    Row,
    Sheet,
    assemble,
    content_kind,
    empty_export,
    listed,
    read_content,
)

MEGABYTE = 1_000_000
MAX_UNPACKED = 200 * MEGABYTE
MAX_RATIO = 200
"""Unpacked to packed size above which a workbook of more than `RATIO_FROM` is a zip bomb."""
RATIO_FROM = 20 * MEGABYTE
MAX_ENTRIES = 10_000

DIGITS = 15
"""Significant digits that Excel keeps; what lies beyond is noise of binary fractions."""

NO_VALUE = "#FORMULA"
"""Text of a formula whose result was never saved; like `#DIV/0!` it is no valid answer."""

Place = tuple[int, int]
"""Row and column of a cell, counted from 1."""


def read(path: Path, *, sheet: str | None = None) -> Sheet:
    """Read one sheet of a workbook as text: `sheet`, else the only visible one with content.

    Text is what the cell means: 45 for 45.0, TRUE, ISO dates, the figure before the % sign for
    percentages, leading zeros where the number format shows them, the error itself for an error
    and `NO_VALUE` for a formula without a saved result. The size of the sheet is that of its
    content, whatever it claims. Hidden sheets are not read; hidden rows and columns are, and
    `Sheet.normalised` says so. Raises ExportError: missing, empty, not a workbook, truncated,
    encrypted, a zip bomb, no or several sheets with content, and what `assemble` finds.
    """
    content = read_content(path)
    names = _check_archive(path.name, content)
    book = _load(path.name, content, values=True)
    chosen = _choose(path.name, book, sheet)
    texts = _texts(_cells(chosen))
    # A cell without value may be a formula whose result is missing; only now is it worth a look.
    if any(cell.value is None for cell in _cells(chosen)):
        formulas = _cells(_load(path.name, content, values=False)[chosen.title])
        texts |= {
            (c.row, c.column): NO_VALUE
            for c in formulas
            if c.data_type == "f" and (c.row, c.column) not in texts
        }
    if not texts:
        raise ExportError(empty_export(path.name, f"nothing in sheet '{chosen.title}'"))
    normalised = (
        *(("macros_ignored",) if "xl/vbaProject.bin" in names else ()),
        *(f"hidden_sheet:{other.title}" for other in book.worksheets if not _visible(other)),
        *_hidden_parts(chosen, texts),
    )
    return _sheet(texts, Origin(path.name, "", "xlsx", normalised))


def _check_archive(file: str, content: bytes) -> Collection[str]:
    """Return the names in the archive; raises ExportError for what must not be opened."""
    kind = content_kind(content)
    if not content.startswith(b"PK"):
        raise ExportError(_no_workbook(file, f"{kind or 'text'}, named as a workbook", kind))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
    except zipfile.BadZipFile as error:
        raise ExportError(_damaged(file, "the archive is cut off or damaged")) from error
    size = sum(entry.file_size for entry in entries)
    ratio = size / max(1, sum(entry.compress_size for entry in entries))
    if size > MAX_UNPACKED or (size > RATIO_FROM and ratio > MAX_RATIO):
        bomb = f"{size // MEGABYTE} MB once unpacked, {ratio:.0f} times the file (zip_ratio)"
        raise ExportError(_unsafe(file, bomb))
    if len(entries) > MAX_ENTRIES:
        raise ExportError(_unsafe(file, f"{len(entries)} files in the archive"))
    return [entry.filename for entry in entries]


def _no_workbook(file: str, found: str, kind: str) -> Problem:
    advice = "rename the file to .csv"
    if kind:
        advice = "open it where it was made, remove any password, and save it as xlsx"
    return Problem(
        f"{found} (extension_mismatch)", "an xlsx workbook without password", advice, file=file
    )


def _damaged(file: str, found: str) -> Problem:
    advice = "fetch the file again; if it opens in Excel, save it there as xlsx"
    return Problem(found, "a whole xlsx workbook", advice, file=file)


def _unsafe(file: str, found: str) -> Problem:
    expected = f"at most {MAX_UNPACKED // MEGABYTE} MB in at most {MAX_ENTRIES} files, packed less"
    advice = "ask who sent it; an export of this size comes better as csv"
    return Problem(found, expected, advice, file=file)


def _load(file: str, content: bytes, *, values: bool) -> Workbook:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about styles and extensions that hold no answers
        try:
            return openpyxl.load_workbook(io.BytesIO(content), data_only=values)
        except Exception as error:  # of any class: openpyxl promises none for a damaged workbook
            cause = error.__cause__ or error
            reason = f"the workbook cannot be opened ({type(cause).__name__}: {cause})"
            raise ExportError(_damaged(file, reason)) from error


def _cells(sheet: Worksheet) -> Collection[Cell]:
    # The public iterators walk the range the sheet claims, up to 1048576 rows by 16384 columns.
    cells: Mapping[Place, Cell] = sheet._cells  # noqa: SLF001
    return cells.values()


def _visible(sheet: Worksheet) -> bool:
    return bool(sheet.sheet_state == Worksheet.SHEETSTATE_VISIBLE)


def _choose(file: str, book: Workbook, declared: str | None) -> Worksheet:
    visible = {sheet.title: sheet for sheet in book.worksheets if _visible(sheet)}
    if declared is not None:
        if declared not in visible:
            raise ExportError(_no_sheet(file, declared, list(visible)))
        return visible[declared]
    filled = [s for s in visible.values() if any(cell.value is not None for cell in _cells(s))]
    if len(filled) == 1:
        return filled[0]
    if not filled:
        raise ExportError(empty_export(file, "no visible sheet with content"))
    raise ExportError(
        Problem(
            found=f"content in several sheets: {listed([s.title for s in filled])}",
            expected="one sheet with the answers",
            advice="name it in wave.toml (sheet = ...)",
            file=file,
            item="sheet",
        )
    )


def _no_sheet(file: str, declared: str, visible: Collection[str]) -> Problem:
    return Problem(
        found=f"no visible sheet '{declared}' (sheets: {listed(list(visible)) or 'none'})",
        expected="the sheet that wave.toml names (sheet = ...)",
        advice=nearest(declared, visible),
        file=file,
        item="sheet",
    )


def _texts(cells: Collection[Cell]) -> dict[Place, str]:
    return {(c.row, c.column): _text(c) for c in cells if c.value is not None}


def _text(cell: Cell) -> str:
    match cell.value:
        case bool() as truth:
            return str(truth).upper()
        case int() | float() as number:
            return _number(number, cell.number_format)
        case dt.datetime() as moment if moment.time() == dt.time():
            return moment.date().isoformat()
        case dt.date() | dt.time() as moment:  # a datetime is a date
            return moment.isoformat()
        case other:
            return str(other)


def _number(value: float, number_format: str) -> str:
    """Write a number without exponent or trailing zeros, as its cell's format means it."""
    exact = Decimal(repr(value))
    # Text in quotation marks, after a backslash or in brackets is shown, and means nothing.
    meaning = re.sub(r'"[^"]*"|\\.|\[[^\]]*\]', "", number_format)
    if "%" in meaning:
        exact = Context(prec=DIGITS).multiply(exact, Decimal(100))
    text = format(exact, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    padded = re.fullmatch("0{2,}", meaning) and text.isdigit()
    return text.zfill(len(meaning)) if padded else text


def _hidden_parts(sheet: Worksheet, texts: Mapping[Place, str]) -> tuple[str, ...]:
    filled = {row for (row, _), text in texts.items() if text.strip()}
    header = min(filled, default=0)
    rows = [row for row, size in sheet.row_dimensions.items() if size.hidden and row in filled]
    hidden = [(c.min, c.max) for c in sheet.column_dimensions.values() if c.hidden]
    headings = [
        text
        for (row, column), text in sorted(texts.items())
        if row == header and any(low <= column <= high for low, high in hidden)
    ]
    return (
        *((f"hidden_rows:{len(rows)}",) if rows else ()),
        *(f"hidden_columns:{heading}" for heading in headings),
    )


def _sheet(texts: Mapping[Place, str], origin: Origin) -> Sheet:
    """Lay the cells out as rows, over the rows and columns that have content."""
    filled = {place for place, text in texts.items() if text.strip()}
    rows, columns = sorted({r for r, _ in filled}), sorted({c for _, c in filled})
    blank = rows[-1] - rows[0] + 1 - len(rows) if rows else 0
    if blank:
        origin = origin._replace(normalised=(*origin.normalised, f"blank_rows:{blank}"))
    laid = (Row(r, tuple(texts.get((r, c), "") for c in columns)) for r in rows)
    return assemble(laid, columns, origin)

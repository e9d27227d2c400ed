"""A delivered table as text: what the readers of all file formats return, and its checks."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pipeline.errors import ExportError, Problem

CONTENT = {
    b"PK\x03\x04": "a zip archive (xlsx or ods)",
    b"\xd0\xcf\x11\xe0": "a password-protected or old Excel file (xls)",
    b"%PDF": "a PDF file",
    b"<html": "an HTML page",
    b"<!doctype html": "an HTML page",
    b"<table": "an HTML page",
    b"<meta": "an HTML page",
    b"<?xml": "an XML file",
}
"""What a file is by its first bytes (lower case, after white space), whatever its name says."""

LISTED = 10
"""Places named in one message before it says how many more there are."""


class Row(NamedTuple):
    """A row of the file: the line (or Excel row) where it begins, and its fields as text."""

    line: int
    fields: tuple[str, ...]


class Ragged(NamedTuple):
    """A record that does not fit the heading row: its line, its text and its number of fields."""

    line: int
    text: str
    found_fields: int


class Origin(NamedTuple):
    """How a file was read: its name, encoding, delimiter and the normalisations so far."""

    file: str
    encoding: str
    delimiter: str
    normalised: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """A table as delivered, all text: `records[i][j]` stands below `columns[j]`.

    `columns` are the headings after `clean`; `positions` and `lines` say where columns and
    records are in the file, counted from 1 (`lines`: where the record begins; the row in Excel).
    `ragged` are the records with more or fewer fields than headings; they are not in `records`.
    `delimiter` is empty where the text has none and ``xlsx`` for a workbook. `normalised` names
    each rule applied, with its count or subject after a colon.
    """

    columns: tuple[str, ...]
    positions: tuple[int, ...]
    records: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    ragged: tuple[Ragged, ...]
    encoding: str
    delimiter: str
    normalised: tuple[str, ...]


def clean(text: str) -> str:
    """Put a heading, key or code into one form: NFC, no-break space as space, ends stripped."""
    return unicodedata.normalize("NFC", text).replace("\u00a0", " ").strip()


def listed(places: Sequence[object]) -> str:
    """Name places for a message, at most `LISTED` of them: ``2, 5, 9``."""
    shown = ", ".join(str(place) for place in places[:LISTED])
    return f"{shown}, … ({len(places)} in all)" if len(places) > LISTED else shown


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file; raises ExportError if it is missing or cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        found = "no such file" if isinstance(error, FileNotFoundError) else str(error.strerror)
        problem = Problem(
            found, "a delivered file", f"put {path.name} into {path.parent.name}/", file=path.name
        )
        raise ExportError(problem) from error


def read_content(path: Path) -> bytes:
    """Return the bytes of a delivered file; raises ExportError if it is missing or empty."""
    content = read_bytes(path)
    if not content:
        raise ExportError(empty_export(path.name, "an empty file (0 bytes)"))
    return content


def content_kind(content: bytes) -> str:
    """Say what a file is by its first bytes; the empty string for anything that may be text."""
    start = content[:512].removeprefix(b"\xef\xbb\xbf").lstrip()
    for magic, kind in CONTENT.items():
        if start.startswith(magic) or start.lower().startswith(magic):
            return kind
    return ""


def empty_export(file: str, found: str, row: str = "") -> Problem:
    """Return the problem of a file without any record."""
    return Problem(
        found=found,
        expected="a heading row and at least one record",
        advice="export again, with the filter on completed questionnaires checked",
        file=file,
        row=row,
    )


def assemble(rows: Iterable[Row], positions: Sequence[int], origin: Origin) -> Sheet:
    """Make a sheet of the rows of a file; the first row with content holds the headings.

    Blank rows, and columns that have neither heading nor content, are left out and counted.
    Raises ExportError with all that is wrong: no records, a heading twice, answers without a
    heading, all records ragged.
    """
    rows = tuple(rows)
    filled = [row for row in rows if any(map(str.strip, row.fields))]
    if not filled:
        raise ExportError(empty_export(origin.file, "nothing but blank lines"))
    line, headings = filled[0].line, tuple(map(clean, filled[0].fields))
    fitting = [row for row in filled[1:] if len(row.fields) == len(headings)]
    ragged = [row for row in filled[1:] if len(row.fields) != len(headings)]
    kept = [j for j, heading in enumerate(headings) if heading]
    problems = _check_headings(headings, positions, line, origin.file)
    problems += _check_records(fitting, ragged, filled[0], origin.file)
    for j in sorted(set(range(len(headings))).difference(kept)):
        problems += _check_unheaded(
            [r for r in fitting if r.fields[j].strip()], positions[j], origin
        )
    if problems:
        raise ExportError(problems)
    return Sheet(
        columns=tuple(headings[j] for j in kept),
        positions=tuple(positions[j] for j in kept),
        records=tuple(_choose(row.fields, kept) for row in fitting),
        lines=tuple(row.line for row in fitting),
        ragged=tuple(
            Ragged(r.line, origin.delimiter.join(r.fields), len(r.fields)) for r in ragged
        ),
        encoding=origin.encoding,
        delimiter=origin.delimiter,
        normalised=(
            *origin.normalised,
            *_counted("blank_rows", len(rows) - len(filled)),
            *_counted("empty_columns", len(headings) - len(kept)),
        ),
    )


def _choose(fields: tuple[str, ...], kept: Sequence[int]) -> tuple[str, ...]:
    return fields if len(kept) == len(fields) else tuple(fields[j] for j in kept)


def _counted(rule: str, count: int) -> tuple[str, ...]:
    return (f"{rule}:{count}",) if count else ()


def _check_headings(
    headings: Sequence[str], positions: Sequence[int], line: int, file: str
) -> list[Problem]:
    return [
        Problem(
            found=f"'{heading}' in columns "
            + listed([p for p, h in zip(positions, headings, strict=True) if h == heading]),
            expected="every heading once",
            advice="export with the codes of the questions as headings, not their texts",
            file=file,
            row=str(line),
            item=heading,
        )
        for heading, count in Counter(headings).items()
        if heading and count > 1
    ]


def _check_records(
    fitting: Sequence[Row], ragged: Sequence[Row], header: Row, file: str
) -> list[Problem]:
    if fitting:
        return []
    if not ragged:
        return [empty_export(file, "headings but no records", str(header.line))]
    counts = sorted({len(row.fields) for row in ragged})
    return [
        Problem(
            found=f"all {len(ragged)} records have {listed(counts)} fields",
            expected=f"{len(header.fields)} fields, as in the heading row (line {header.line})",
            advice="check that the first line holds the headings and that a text with the "
            "delimiter in it is in quotation marks; then export again",
            file=file,
            row=listed([row.line for row in ragged]),
        )
    ]


def _check_unheaded(filled: Sequence[Row], position: int, origin: Origin) -> list[Problem]:
    if not filled:
        return []
    return [
        Problem(
            found=f"answers without a heading in column {position}",
            expected="a heading above every column with content",
            advice="export again with headings, or without this column",
            file=origin.file,
            row=listed([row.line for row in filled]),
        )
    ]

"""Delimited text (csv and its kin): encoding, dialect and records, all of it as text."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from charset_normalizer import from_bytes

from pipeline.errors import ExportError, Problem
from pipeline.formats.sheet import (
    Origin,
    Row,
    Sheet,
    assemble,
    content_kind,
    listed,
    read_content,
)

DELIMITERS = (",", ";", "\t", "|")
"""What may stand between two fields."""

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

GUESSED = ("cp1252", "mac_roman")
"""Encodings tried, and named as guessed, where the file is not UTF-8 and none is declared."""

USUAL = frozenset("äöüßÄÖÜéèêàáâçôñ€§…–„“”‚‘’«»°µ²³½")
"""What an answer in a western European language has outside ASCII; tells `GUESSED` apart."""

SEP_LINE = re.compile(r'"?sep=([,;\t|])"?[\r\n]*', re.IGNORECASE)
"""The first line by which a file tells Excel its delimiter."""


@dataclass(frozen=True)
class _Reading:
    """The text read with one delimiter; `broken` is the line where the quotation marks fail."""

    delimiter: str
    rows: tuple[Row, ...]
    width: int
    consistent: float
    broken: int


def read(path: Path, *, encoding: str | None = None, delimiter: str | None = None) -> Sheet:
    """Read a delimited text file as text.

    The encoding is `encoding`, else that of the byte order mark, else UTF-8, else a guess that is
    named in `Sheet.normalised`. The delimiter is `delimiter`, else that of a first line
    ``sep=;``, else the one of `DELIMITERS` with the most consistent number of fields. Lines may
    end with CR, LF or CRLF; a field in quotation marks may hold any of them. Raises ExportError:
    missing, empty, not text, wrong encoding, NUL bytes, quotation marks that do not pair, no
    clear delimiter, and what `assemble` finds.
    """
    content = read_content(path)
    kind = content_kind(content)
    if kind:
        raise ExportError(_mismatch(path.name, kind))
    text, used, normalised = _decode(path.name, content, encoding)
    # Only these three end a line (str.splitlines knows eight more, which may stand in an answer).
    lines = list(io.StringIO(text, newline=""))
    _check_nul(path.name, lines)
    first = 0
    sep_line = SEP_LINE.fullmatch(lines[0]) if lines else None
    if sep_line:
        first, delimiter = 1, delimiter or sep_line[1]
        normalised = (*normalised, "sep_line")
    tried = [delimiter] if delimiter else [d for d in DELIMITERS if d in text] or [DELIMITERS[0]]
    readings = [_parse(lines, first, d) for d in tried]
    chosen = _decide(path.name, readings)
    divider = chosen.delimiter if chosen.delimiter in text else ""
    origin = Origin(path.name, used, divider, normalised)
    return assemble(chosen.rows, range(1, chosen.width + 1), origin)


def _mismatch(file: str, kind: str) -> Problem:
    return Problem(
        found=f"{kind}, named as delimited text (extension_mismatch)",
        expected="text with one record a line",
        advice="give the file the ending of what it is, or open it and save it as csv",
        file=file,
    )


def _decode(file: str, content: bytes, declared: str | None) -> tuple[str, str, tuple[str, ...]]:
    """Return the text without its byte order mark, its encoding and the rules applied."""
    mark, marked = next(((m, e) for m, e in BOMS if content.startswith(m)), (b"", ""))
    body = content.removeprefix(mark)
    used = marked or declared or "utf-8"
    try:
        if declared and marked and not _agrees(declared, marked):
            raise ExportError(_wrong_encoding(file, f"the byte order mark of {marked}", declared))
        return body.decode(used), used, ("bom",) if mark else ()
    except UnicodeDecodeError as error:
        if not (declared or marked):
            guess = _guess(file, content)
            return content.decode(guess), guess, (f"encoding:{guess}",)
        byte, line = f"byte 0x{body[error.start]:02x}", _line_of(body, error.start, used)
        raise ExportError(_wrong_encoding(file, byte, used, line)) from error
    except (LookupError, UnicodeError) as error:
        raise ExportError(_wrong_encoding(file, "an unknown encoding", used)) from error


def _agrees(declared: str, marked: str) -> bool:
    """Whether the declared encoding is the marked one (utf-16 leaves the order to the mark)."""
    return codecs.lookup(declared).name in {marked, f"{marked}-sig", marked[:6]}


def _line_of(body: bytes, offset: int, encoding: str) -> str:
    before = body[:offset].decode(encoding, errors="replace")
    return str(max(1, len(list(io.StringIO(before + ".", newline="")))))


def _wrong_encoding(file: str, found: str, encoding: str, line: str = "") -> Problem:
    return Problem(
        found=f"{found}, read as '{encoding}'",
        expected="text in that encoding",
        advice="name the encoding of the file in wave.toml (encoding = ...) or export as UTF-8",
        file=file,
        row=line,
        item="encoding",
    )


def _guess(file: str, content: bytes) -> str:
    """Guess the single-byte encoding; it does not depend on the order of the lines."""
    evidence = b"\n".join(sorted({x for x in content.splitlines() if not x.isascii()}))
    matches = list(from_bytes(evidence, cp_isolation=list(GUESSED)))
    if not matches:
        raise ExportError(_wrong_encoding(file, "bytes that are no text", "utf-8"))
    # The plausibility of words alone takes Mac Roman for cp1252 in short answers.
    return max(matches, key=lambda m: (sum(c in USUAL for c in str(m)), -m.chaos)).encoding


def _check_nul(file: str, lines: Sequence[str]) -> None:
    places = [number for number, line in enumerate(lines, 1) if "\0" in line]
    if places:
        raise ExportError(
            Problem(
                found="NUL bytes (nul_byte)",
                expected="text without NUL",
                advice="export again; if the file is UTF-16, say so in wave.toml (encoding = ...)",
                file=file,
                row=listed(places),
            )
        )


def _parse(lines: Sequence[str], first: int, delimiter: str) -> _Reading:
    reader = csv.reader(lines[first:], delimiter=delimiter, strict=True)
    rows: list[Row] = []
    start, broken = first + 1, 0
    try:
        for fields in reader:
            rows.append(Row(start, tuple(fields)))
            start = first + reader.line_num + 1
    except csv.Error:
        broken = start
    widths = [len(row.fields) for row in rows if any(map(str.strip, row.fields))]
    width = widths[0] if widths else 0
    return _Reading(
        delimiter, tuple(rows), width, widths.count(width) / max(1, len(widths)), broken
    )


def _decide(file: str, readings: Sequence[_Reading]) -> _Reading:
    """Choose the delimiter; raises ExportError where quotation marks fail or two do equally."""
    whole = sorted(
        (r for r in readings if not r.broken),
        key=lambda r: (r.width > 1, r.consistent, r.width),
        reverse=True,
    )
    best = whole[0] if whole else None
    worst = max(readings, key=lambda r: (r.broken > 0, r.width, r.broken))
    settled = best is not None and best.width > 1 and best.consistent == 1
    if best is None or (worst.broken and not settled and worst.width > best.width):
        raise ExportError(_broken_quotes(file, worst.broken))
    rivals = [r for r in whole if (r.consistent, r.width) == (best.consistent, best.width)]
    if best.width > 1 and len(rivals) > 1:
        raise ExportError(_no_delimiter(file, rivals))
    return best


def _broken_quotes(file: str, line: int) -> Problem:
    return Problem(
        found="a quotation mark that is never closed, or that closes before the field ends "
        "(unbalanced_quote)",
        expected="quotation marks in pairs, doubled inside a text",
        advice="mend the record that begins in this line, or export again",
        file=file,
        row=str(line),
    )


def _no_delimiter(file: str, rivals: Sequence[_Reading]) -> Problem:
    return Problem(
        found=f"{' and '.join(repr(r.delimiter) for r in rivals)} divide the records equally well",
        expected="one delimiter",
        advice="name it in wave.toml (delimiter = ...)",
        file=file,
        item="delimiter",
    )

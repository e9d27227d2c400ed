"""A workbook with one sheet as LimeSurvey's Excel writer makes it: inline text, typed numbers.

Written by hand because it must be the same bytes every time and quick; nothing but zipped XML.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

EPOCH = (1980, 1, 1, 0, 0, 0)
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
OFFICE = "http://schemas.openxmlformats.org"
MAIN = f'xmlns="{OFFICE}/spreadsheetml/2006/main"'
TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
RELATIONS = f"{OFFICE}/officeDocument/2006/relationships"
PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{OFFICE}/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.'
    'relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{TYPES}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{TYPES}.worksheet+xml"/>'
    "</Types>",
    "_rels/.rels": f'<Relationships xmlns="{OFFICE}/package/2006/relationships"><Relationship '
    f'Id="rId1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="{RELATIONS}"><sheets>'
    '<sheet name="Betriebsbefragung 2025" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{OFFICE}/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>'
    "</Relationships>",
}


def write_workbook(path: Path, rows: Sequence[Sequence[object]]) -> None:
    """Write rows of texts; a text that is a number becomes one, an empty one no cell."""
    names = [_letters(column) for column in range(len(rows[0]))]
    body = "".join(_row(number, [*map(str, row)], names) for number, row in enumerate(rows, 1))
    sheet = f"<worksheet {MAIN}><sheetData>{body}</sheetData></worksheet>"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (PARTS | {"xl/worksheets/sheet1.xml": sheet}).items():
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            archive.writestr(info, HEAD + content)


def _letters(column: int) -> str:
    """Name of a column, counted from 0: A, B, …, Z, AA, …"""
    before, last = divmod(column, 26)
    return (_letters(before - 1) if before else "") + chr(ord("A") + last)


def _row(number: int, texts: Sequence[str], names: Sequence[str]) -> str:
    cells = "".join(
        _cell(f"{name}{number}", text) for name, text in zip(names, texts, strict=True) if text
    )
    return f'<row r="{number}">{cells}</row>'


def _cell(place: str, text: str) -> str:
    if NUMBER.fullmatch(text):
        return f'<c r="{place}"><v>{text}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'

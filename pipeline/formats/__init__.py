"""Reading delivered files of any format as text; knows nothing of surveys."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import ExportError, Problem
from pipeline.formats import delimited
from pipeline.formats.sheet import Ragged, Sheet, clean, content_kind, listed, read_content

DELIMITED = (".csv", ".tsv", ".tab", ".txt")
WORKBOOKS = (".xlsx", ".xlsm")

__all__ = ["Ragged", "Sheet", "clean", "listed", "read_sheet"]


def read_sheet(
    path: Path,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
) -> Sheet:
    """Read a delivered file by its name's ending; raises ExportError with every problem found.

    `encoding` and `delimiter` apply to delimited text, `sheet` to workbooks.
    """
    ending = path.suffix.lower()
    if ending in DELIMITED:
        return delimited.read(path, encoding=encoding, delimiter=delimiter)
    if ending in WORKBOOKS:
        from pipeline.formats import excel  # noqa: PLC0415 (openpyxl is slow to import)

        return excel.read(path, sheet=sheet)
    kind = content_kind(read_content(path))
    raise ExportError(
        Problem(
            found=f"a file with the ending '{ending}'" + (f" that is {kind}" if kind else ""),
            expected=f"one of {', '.join(DELIMITED + WORKBOOKS)}",
            advice="open the file where it was made and save it as xlsx or csv",
            file=path.name,
        )
    )

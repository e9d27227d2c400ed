"""Firms that went on under another id, after a merger or with a new owner."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.errors import ExportError, Problem, nearest
from pipeline.formats import clean, read_sheet
from pipeline.tables import Successions

FILE_NAME = "succession.csv"
CONTINUES = {"yes": True, "": False}


@pa.check_types
def read_successions(folder: Path) -> DataFrame[Successions]:
    """Read `succession.csv` of the register's folder; none where there is no such file.

    The columns are `wave` (the first under the new id), `firm_id`, `successor` and `continues`
    (`yes` for the firm with which the successor is compared over time, else empty). Raises
    ExportError with all problems.
    """
    path = folder / FILE_NAME
    if not path.exists():
        return DataFrame[Successions](Successions.empty())
    sheet = read_sheet(path)
    names = list(Successions.to_schema().columns)
    problems = [
        Problem(f"no column '{name}'", "this column", nearest(name, sheet.columns), item=name)
        for name in names
        if name not in sheet.columns
    ]
    problems += [
        Problem(f"{r.found_fields} fields", f"{len(sheet.columns)} fields", "mend", row=str(r.line))
        for r in sheet.ragged
    ]
    if problems:
        raise ExportError([replace(p, file=path.name) for p in problems])
    table = pd.DataFrame(list(sheet.records), index=list(sheet.lines), columns=list(sheet.columns))
    table = table[names].astype("str").map(clean)
    if problems := _check(table):
        raise ExportError([replace(p, file=path.name) for p in problems])
    table[str(Successions.continues)] = table[str(Successions.continues)].map(CONTINUES)
    order = [Successions.wave, Successions.firm_id]
    return DataFrame[Successions](table.sort_values(order, ignore_index=True))


def _check(table: pd.DataFrame) -> list[Problem]:
    """Cells that are empty or unknown, firms that have two successors or are their own."""
    problems = [
        Problem("nothing", "a text", "fill the cell in, or take the row out", row=str(line), item=c)
        for c in (Successions.wave, Successions.firm_id, Successions.successor)
        for line in table.index[table[c] == ""]
    ]
    continues = table[str(Successions.continues)]
    problems += [
        Problem(
            f"'{continues[line]}'", "yes or nothing", "write yes", row=str(line), item="continues"
        )
        for line in table.index[~continues.isin(list(CONTINUES))]
    ]
    twice = table[table.duplicated(Successions.firm_id, keep="first")]
    same = table[table[Successions.firm_id] == table[Successions.successor]]
    for rows, expected in ((twice, "one successor for each firm"), (same, "another id")):
        problems += [
            Problem(f"'{firm}'", expected, "correct the row", row=str(line), item="firm_id")
            for line, firm in rows[Successions.firm_id].items()
        ]
    return problems

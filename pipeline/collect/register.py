"""The register: the population frame of a wave, one file per year."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.errors import ExportError, Problem, nearest
from pipeline.formats import Sheet, listed, read_sheet
from pipeline.tables import Register
from pipeline.tables.flow import ALL

FIRM = Register.firm_id
HOLDING = Register.holding
LIKENESS = 0.8
"""Likeness (difflib's ratio) from which a heading is taken for a misspelt one."""


@pa.check_types
def read_register(
    path: Path, wave: str, variables: Mapping[str, Collection[str]]
) -> DataFrame[Register]:
    """Read the register of a wave as one row a firm and classifying variable, `all` among them.

    The file has the columns `firm_id` and one for each of `variables` (name → valid codes), and
    may have `holding`; an empty holding means that the firm is its own. Other columns (names,
    addresses) are left in the file. Ids and codes are taken after `pipeline.formats.clean`.
    Sorted by firm and variable. Raises ExportError with all problems: what `read_sheet` finds,
    ragged records, columns that are missing, firms without id or there twice, unknown codes.
    """
    try:
        sheet = read_sheet(path)
    except ExportError as error:
        raise ExportError([replace(problem, wave=wave) for problem in error.problems]) from error
    columns = [FIRM, HOLDING, *sorted(variables)]
    frame = _frame(sheet, [name for name in columns if name in sheet.columns])
    problems = [
        *_check_columns(sheet, variables),
        *_check_ragged(sheet),
        *(_check_firms(frame[FIRM]) if FIRM in frame else []),
        *(p for v in sorted(variables) if v in frame for p in _check_codes(frame[v], variables[v])),
    ]
    if problems:
        raise ExportError([replace(p, wave=wave, file=path.name) for p in problems])
    return DataFrame[Register](_long(frame, wave, variables))


def _frame(sheet: Sheet, columns: list[str]) -> pd.DataFrame:
    """Return columns of the sheet by line, in the form that `pipeline.formats.clean` describes."""
    wide = pd.DataFrame(
        list(sheet.records), index=list(sheet.lines), columns=list(sheet.columns), dtype="str"
    )
    return pd.DataFrame(
        {
            name: wide[name].str.normalize("NFC").str.replace("\u00a0", " ").str.strip()
            for name in columns
        }
    )


def _long(frame: pd.DataFrame, wave: str, variables: Collection[str]) -> pd.DataFrame:
    firms = frame[FIRM]
    holding = frame.get(HOLDING, firms)
    groups = {ALL: pd.Series(ALL, frame.index, dtype="str"), **{v: frame[v] for v in variables}}
    table = pd.concat(
        pd.DataFrame(
            {
                Register.wave: wave,
                FIRM: firms,
                HOLDING: holding.where(holding != "", firms),
                Register.variable: variable,
                Register.group: group,
            }
        )
        for variable, group in groups.items()
    )
    return table.sort_values([FIRM, Register.variable], ignore_index=True)


def _check_columns(sheet: Sheet, variables: Collection[str]) -> list[Problem]:
    needed = {FIRM, *variables}
    others = set(sheet.columns) - needed - {HOLDING}
    missing = [
        Problem(
            found=f"no column '{name}'; headings: {listed(sheet.columns)}",
            expected="firm_id and one column for each classifying variable",
            advice=nearest(name, others or sheet.columns),
            item=name,
        )
        for name in sorted(needed.difference(sheet.columns))
    ]
    if HOLDING in sheet.columns:
        return missing
    # Left unread, a misspelt holding would let one owner count as several contributors.
    return missing + [
        Problem(
            found=f"column '{name}', and none '{HOLDING}'",
            expected=f"'{HOLDING}', or no heading so like it",
            advice=f"rename the column to {HOLDING}; if it is something else, to something else",
            item=name,
        )
        for name in difflib.get_close_matches(HOLDING, sorted(others), cutoff=LIKENESS)
    ]


def _check_ragged(sheet: Sheet) -> list[Problem]:
    return [
        Problem(
            found=f"{record.found_fields} fields",
            expected="as many fields as headings",
            advice="put a text with the delimiter in it into quotation marks",
            row=str(record.line),
        )
        for record in sheet.ragged
    ]


def _check_firms(firms: pd.Series[str]) -> list[Problem]:
    """Find firms without id, and ids that are there more than once."""
    nameless = firms.index[firms == ""]
    repeated = firms[firms.duplicated(keep=False) & (firms != "")]
    problems = [
        Problem(
            found=f"'{firm}' {len(lines)} times",
            expected="every firm once",
            advice="keep the row that is right",
            row=listed(lines.tolist()),
            item=FIRM,
        )
        for firm, lines in repeated.groupby(repeated).groups.items()
    ]
    if len(nameless):
        advice = "give the firm an id or take the row out"
        row = listed(nameless.tolist())
        problems.append(Problem("no firm_id", "an id for every firm", advice, row=row, item=FIRM))
    return problems


def _check_codes(groups: pd.Series[str], codes: Collection[str]) -> list[Problem]:
    unknown = groups[~groups.isin(list(codes))]
    return [
        Problem(
            found=f"'{code}'" if code else "nothing",
            expected=f"one of {listed(sorted(codes))}",
            advice=nearest(str(code), codes) if code else "give every firm its group",
            row=listed(lines.tolist()),
            item=str(groups.name),
        )
        for code, lines in unknown.groupby(unknown).groups.items()
    ]

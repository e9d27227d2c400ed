"""The register: the population frame of a wave, one file per year."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.errors import ExportError, Problem, nearest
from pipeline.formats import Sheet, listed, read_sheet
from pipeline.tables import Register
from pipeline.tables.flow import ALL, CROSS

FIRM = Register.firm_id
HOLDING = Register.holding
WAIVER = str(Register.waiver)
DESIGN = str(Register.design_weight)
OPTIONAL = (HOLDING, WAIVER, DESIGN)
WAIVED = "1"
LIKENESS = 0.81
"""Likeness (difflib's ratio) from which a heading is taken for a misspelt one; `wave` and `waiver`
have 0.8."""
Group = tuple[str, str]
"""A column of the register and one of its codes."""


@pa.check_types
def read_register(
    path: Path,
    wave: str,
    variables: Mapping[str, Collection[str]],
    *,
    crossings: Sequence[str] = (),
    target: Group | None = None,
    eligible: Group | None = None,
) -> DataFrame[Register]:
    """Read the register of a wave as one row a firm and classifying variable, `all` among them.

    The file has the columns `firm_id` and one for each of `variables` (name → valid codes), and
    may have `holding` (empty: the firm is its own), `waiver` (1: the firm has agreed that numbers
    may tell its own share; empty or 0: it has not) and `design_weight` (a number of 1 or more;
    empty or 0: on the frame, but not asked; without the column all firms were asked). Other
    columns (names, addresses) are left in the file. `crossings` (`a*b`) become variables too.
    `target` says whose firms have `all` and the crossings, the others get prefixed groups (see
    `Register`); `eligible` which are in scope. Ids and codes are taken after
    `pipeline.formats.clean`. Sorted by firm and variable. Raises ExportError with all problems:
    what `read_sheet` finds, ragged records, columns that are missing, firms without id or there
    twice, unknown codes, waivers and design weights that are none.
    """
    try:
        sheet = read_sheet(path)
    except ExportError as error:
        raise ExportError([replace(problem, wave=wave) for problem in error.problems]) from error
    columns = [FIRM, *OPTIONAL, *sorted(variables)]
    frame = _frame(sheet, [name for name in columns if name in sheet.columns])
    problems = [
        *_check_columns(sheet, variables),
        *_check_ragged(sheet),
        *(_check_firms(frame[FIRM]) if FIRM in frame else []),
        *(p for v in sorted(variables) if v in frame for p in _check_codes(frame[v], variables[v])),
        *(_check_waiver(frame[WAIVER]) if WAIVER in frame else []),
        *(_check_design(frame[DESIGN]) if DESIGN in frame else []),
    ]
    if problems:
        raise ExportError([replace(p, wave=wave, file=path.name) for p in problems])
    groups = _groups(frame[sorted(variables)], crossings, target)
    return DataFrame[Register](_long(frame, wave, groups, eligible))


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


def _groups(
    codes: pd.DataFrame, crossings: Sequence[str], target: Group | None
) -> dict[str, pd.Series]:
    """Group of each firm by variable and crossing, `all` among them; missing where it has none."""
    everybody = pd.Series(ALL, codes.index, dtype="str")
    if target is None:
        ours, prefix = np.ones(len(codes), dtype=np.bool_), everybody
    else:
        population = codes[target[0]]
        ours, prefix = (population == target[1]).to_numpy(), population + CROSS
    groups = {ALL: everybody.where(ours)}
    for name in codes:
        is_target = target is not None and name == target[0]
        groups[str(name)] = codes[name].where(ours | is_target, prefix + codes[name])
    for crossing in crossings:
        first, second = crossing.split(CROSS)
        groups[crossing] = (codes[first] + CROSS + codes[second]).where(ours)
    return groups


def _long(
    frame: pd.DataFrame, wave: str, groups: Mapping[str, pd.Series], eligible: Group | None
) -> pd.DataFrame:
    firms = frame[FIRM]
    holding = frame.get(HOLDING, firms)
    design = pd.to_numeric(frame[DESIGN].replace("", "0")) if DESIGN in frame else 1.0
    table = pd.concat(
        pd.DataFrame(
            {
                Register.wave: wave,
                FIRM: firms,
                HOLDING: holding.where(holding != "", firms),
                WAIVER: frame[WAIVER] == WAIVED if WAIVER in frame else False,
                DESIGN: design,
                str(Register.eligible): frame[eligible[0]] == eligible[1] if eligible else True,
                Register.variable: variable,
                Register.group: group,
            }
        )
        for variable, group in groups.items()
    )
    table = table[table[Register.group].notna()]
    table = table.astype({DESIGN: float, Register.group: "str"})
    return table.sort_values([FIRM, Register.variable], ignore_index=True)


def _check_columns(sheet: Sheet, variables: Collection[str]) -> list[Problem]:
    needed = {FIRM, *variables}
    others = set(sheet.columns) - needed - set(OPTIONAL)
    missing = [
        Problem(
            found=f"no column '{name}'; headings: {listed(sheet.columns)}",
            expected="firm_id and one column for each classifying variable",
            advice=nearest(name, others or sheet.columns),
            item=name,
        )
        for name in sorted(needed.difference(sheet.columns))
    ]
    # Left unread, a misspelt holding would let one owner count as several contributors.
    return missing + [
        Problem(
            found=f"column '{name}', and none '{known}'",
            expected=f"'{known}', or no heading so like it",
            advice=f"rename the column to {known}; if it is something else, to something else",
            item=name,
        )
        for known in OPTIONAL
        if known not in sheet.columns
        for name in difflib.get_close_matches(known, sorted(others), cutoff=LIKENESS)
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


def _check_waiver(waivers: pd.Series[str]) -> list[Problem]:
    """Find waivers that are neither given nor refused."""
    wrong = waivers[~waivers.isin([WAIVED, "0", ""])]
    return [
        Problem(
            found=f"'{text}'",
            expected=f"{WAIVED} where the firm has waived its protection, else 0 or nothing",
            advice="write 1 only for a firm that has agreed",
            row=listed(lines.tolist()),
            item=WAIVER,
        )
        for text, lines in wrong.groupby(wrong).groups.items()
    ]


def _check_design(weights: pd.Series[str]) -> list[Problem]:
    """Find design weights that are no inverse of a probability."""
    numbers = pd.to_numeric(weights.replace("", "0"), errors="coerce").astype(float)
    wrong = weights[~(np.isfinite(numbers) & ((numbers == 0) | (numbers >= 1)))]
    return [
        Problem(
            found=f"'{text}'",
            expected="a number of 1 or more with a decimal point; 0 or nothing if not asked",
            advice="write firms on the frame / firms asked of the firm's stratum",
            row=listed(lines.tolist()),
            item=DESIGN,
        )
        for text, lines in wrong.groupby(wrong).groups.items()
    ]

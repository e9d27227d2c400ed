"""Corrections that a firm sent in after the export was made; the export itself stays as it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.collect.wave_settings import WaveSettings
from pipeline.errors import ExportError, Problem, nearest
from pipeline.formats import clean, read_sheet
from pipeline.formats.sheet import Sheet
from pipeline.tables import Findings, RawAnswers

HEADINGS = ("firm_id", "column", "found", "corrected", "note")
RECORD = [RawAnswers.file, str(RawAnswers.record)]


@pa.check_types
def correct(
    raw: DataFrame[RawAnswers], folder: Path, settings: WaveSettings
) -> tuple[DataFrame[RawAnswers], DataFrame[Findings]]:
    """Put the corrections of a wave into its cells, each with a finding.

    They are in the file that `settings` name, with the columns `firm_id`, `column` (heading),
    `found` (the cell as delivered), `corrected` and `note`; without such a file nothing changes.
    Raises ExportError with all problems: headings, a firm or column that is not there, a cell that
    does not read `found`.
    """
    if not settings.corrections:
        return raw, DataFrame[Findings](Findings.empty())
    wave, path = settings.wave, folder / settings.corrections
    try:
        sheet = read_sheet(path)
    except ExportError as error:
        raise ExportError([replace(problem, wave=wave) for problem in error.problems]) from error
    rows = _rows(sheet)
    cells = _cells(raw, settings.key)
    problems = _shape(sheet) or [p for line, row in rows for p in _check(line, row, cells)]
    if problems:
        raise ExportError([replace(p, wave=wave, file=path.name) for p in problems])
    wanted = pd.DataFrame([row for _, row in rows], columns=list(HEADINGS), dtype="str")
    hits = cells.merge(wanted, on=["firm_id", "column", "found"])
    corrected = raw.copy()
    corrected.loc[hits["cell"], RawAnswers.text] = hits["corrected"].to_numpy()
    return DataFrame[RawAnswers](corrected), _findings(hits, wave)


def _rows(sheet: Sheet) -> list[tuple[int, dict[str, str]]]:
    records = [dict(zip(sheet.columns, map(clean, r), strict=True)) for r in sheet.records]
    return list(zip(sheet.lines, records, strict=True))


def _shape(sheet: Sheet) -> list[Problem]:
    problems = [
        Problem(f"no column '{name}'", "this column", nearest(name, sheet.columns), item=name)
        for name in HEADINGS
        if name not in sheet.columns
    ]
    advice = "put a text with the delimiter in it into quotation marks"
    found = [(f"{r.found_fields} fields", str(r.line)) for r in sheet.ragged]
    return problems + [
        Problem(fields, f"{len(sheet.columns)} fields", advice, row=line) for fields, line in found
    ]


def _cells(raw: pd.DataFrame, key: str) -> pd.DataFrame:
    """Every cell with its firm; `cell` is its row in the table."""
    keys = raw.loc[raw[RawAnswers.column] == key, [*RECORD, RawAnswers.text]]
    keys = keys.assign(firm_id=keys[RawAnswers.text].map(clean))[[*RECORD, "firm_id"]]
    columns = [*RECORD, RawAnswers.column, RawAnswers.text]
    cells = raw[columns].rename_axis("cell").reset_index().merge(keys, on=RECORD)
    return cells.assign(found=cells[RawAnswers.text].map(clean))


def _check(line: int, row: dict[str, str], cells: pd.DataFrame) -> list[Problem]:
    """What keeps one correction from being applied."""
    of_firm = cells[cells["firm_id"] == row["firm_id"]]
    if of_firm.empty:
        known = cells["firm_id"].unique()
        advice = nearest(row["firm_id"], cast("list[str]", known.tolist()))
        found, expected, item = row["firm_id"], "a firm that answered in this wave", "firm_id"
        return [Problem(f"'{found}'", expected, advice, row=str(line), item=item)]
    at = of_firm[of_firm[RawAnswers.column] == row["column"]]
    if at.empty:
        advice = nearest(row["column"], of_firm[RawAnswers.column])
        found, expected, item = row["column"], "a heading of the export", "column"
        return [Problem(f"'{found}'", expected, advice, row=str(line), item=item)]
    if row["found"] not in set(at["found"]):
        found = " or ".join(f"'{text}'" for text in at["found"])
        advice = "compare the export with the correction; write the cell as it was delivered"
        expected = f"'{row['found']}' in {row['column']} of {row['firm_id']}"
        return [Problem(found, expected, advice, row=str(line), item="found")]
    return []


def _findings(hits: pd.DataFrame, wave: str) -> DataFrame[Findings]:
    """One finding for each cell put right."""
    table = hits.rename(columns={"column": Findings.item, "corrected": Findings.expected})
    table = table.drop(columns=[RawAnswers.text]).assign(
        wave=wave,
        rule="corrected",
        severity="soft",
        treatment="normalised",
        advice=hits["note"],
    )
    columns = list(Findings.to_schema().columns)
    table = table[columns].sort_values(columns[1:5], ignore_index=True)
    return DataFrame[Findings](table.astype(Findings.empty().dtypes.to_dict()))

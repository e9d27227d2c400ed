"""Quarantine: rows and values that validation refused are taken out, parts are prorated."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.errors import ExportError, Problem
from pipeline.process.decode import RECORD
from pipeline.tables import Answers, Findings

CELL = [*RECORD, Findings.item]


@pa.check_types
def quarantine(answers: DataFrame[Answers], findings: DataFrame[Findings]) -> DataFrame[Answers]:
    """Answers without rejected rows, and without quarantined values (reason `quarantined`).

    Values that validation `normalised` become what it expected; the text stays what the file had.
    Raises ExportError where no row is left, with the rules that rejected them.
    """
    rejected = findings.loc[findings[Findings.treatment] == "reject_row"]
    keys = pd.MultiIndex.from_frame(answers[RECORD])
    kept = answers.loc[~keys.isin(pd.MultiIndex.from_frame(rejected[RECORD]))].copy()
    if kept.empty:
        raise ExportError(_nothing_left(rejected, answers))
    cells = pd.MultiIndex.from_frame(kept[CELL])
    new = findings.loc[findings[Findings.treatment] == "normalised"].drop_duplicates(CELL)
    place = pd.MultiIndex.from_frame(new[CELL]).get_indexer(cells)
    values = new[Findings.expected].astype(float).to_numpy()
    kept.loc[place >= 0, Answers.value] = values[place[place >= 0]]
    bad = findings.loc[findings[Findings.treatment] == "quarantine_value", CELL]
    rows = cells.isin(pd.MultiIndex.from_frame(bad))
    kept.loc[rows, Answers.value] = np.nan
    kept.loc[rows, Answers.code] = ""
    kept.loc[rows, Answers.reason] = "quarantined"
    return DataFrame[Answers](kept.reset_index(drop=True))


def _nothing_left(rejected: pd.DataFrame, answers: pd.DataFrame) -> list[Problem]:
    by_rule = [Findings.file, Findings.rule, Findings.expected, Findings.advice]
    counts = rejected.groupby(by_rule, as_index=False).size()
    wave = str(answers[Answers.wave].iloc[0])
    return [
        Problem(
            found=f"{count} rows rejected: {rule}",
            expected=f"rows that can be taken ({expected})",
            advice=advice,
            wave=wave,
            file=str(file),
        )
        for file, rule, expected, advice, count in counts.itertuples(index=False)
    ]

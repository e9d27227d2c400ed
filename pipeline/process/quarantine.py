"""Quarantine: rows and values that validation refused are taken out, and counted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.errors import ExportError, Problem
from pipeline.process.decode import RECORD
from pipeline.process.validate import ROWS
from pipeline.tables import Answers, Findings


@pa.check_types
def quarantine(answers: DataFrame[Answers], findings: DataFrame[Findings]) -> DataFrame[Answers]:
    """Answers without rejected rows, and without quarantined values (reason `quarantined`).

    Raises ExportError where no row is left, with the rules that rejected them.
    """
    rejected = findings.loc[findings[Findings.treatment] == "reject_row"]
    keys = pd.MultiIndex.from_frame(answers[RECORD])
    kept = answers.loc[~keys.isin(pd.MultiIndex.from_frame(rejected[RECORD]))].copy()
    if kept.empty:
        raise ExportError(_nothing_left(rejected, answers))
    cell = [*RECORD, Findings.item]
    bad = findings.loc[findings[Findings.treatment] == "quarantine_value", cell]
    rows = pd.MultiIndex.from_frame(kept[cell]).isin(pd.MultiIndex.from_frame(bad))
    kept.loc[rows, Answers.value] = np.nan
    kept.loc[rows, Answers.code] = ""
    kept.loc[rows, Answers.reason] = "quarantined"
    return DataFrame[Answers](kept.reset_index(drop=True))


def _nothing_left(rejected: pd.DataFrame, answers: pd.DataFrame) -> list[Problem]:
    counts = rejected.groupby([Findings.file, Findings.rule], as_index=False).size()
    wave = str(answers[Answers.wave].iloc[0])
    return [
        Problem(
            found=f"{count} rows rejected: {rule}",
            expected=f"rows that can be taken ({ROWS[str(rule)][0]})",
            advice=ROWS[str(rule)][1],
            wave=wave,
            file=str(file),
        )
        for file, rule, count in counts.itertuples(index=False)
    ]

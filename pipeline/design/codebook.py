"""The codebook of one wave: which column of the export holds which item."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.errors import Problem, StudyError
from pipeline.tables import Columns, Items
from pipeline.tables.metadata import KEY


@pa.check_types
def column_map(
    columns: DataFrame[Columns], items: DataFrame[Items], *, wave: str, key: str
) -> DataFrame[Columns]:
    """Columns of a wave's export with the item each holds, the key among them.

    An item without a row in `columns` is expected under its own name. `items` are those of the
    wave; the result has one row per item and one for the key, sorted by heading. Raises StudyError
    where one heading would hold two of them.
    """
    declared = columns.loc[(columns[Columns.wave] == wave)]
    plain = items.loc[~items[Items.item].isin(declared[Columns.item]), Items.item]
    named = pd.DataFrame(
        {
            Columns.wave: wave,
            Columns.column: [key, *plain],
            Columns.item: [KEY, *plain],
        }
    )
    table = pd.concat([declared, named], ignore_index=True)
    table = table.sort_values([Columns.column, Columns.item], ignore_index=True)
    twice = table[table.duplicated(Columns.column, keep=False)]
    problems = [
        Problem(
            found=f"column '{column}' for {' and '.join(rows)}",
            expected="one item, or the key, for each column",
            advice="say in columns.csv which column holds each of them; the key is in wave.toml",
            wave=wave,
            file="questionnaire/columns.csv",
            item=str(column),
        )
        for column, rows in twice.groupby(Columns.column)[Columns.item]
    ]
    if problems:
        raise StudyError(problems)
    return DataFrame[Columns](table)

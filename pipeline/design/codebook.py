"""The codebook of one wave: which column of the export holds which item."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.tables import Columns, Items
from pipeline.tables.metadata import KEY


@pa.check_types
def column_map(
    columns: DataFrame[Columns], items: DataFrame[Items], *, wave: str, key: str
) -> DataFrame[Columns]:
    """Columns of a wave's export with the item each holds, the key among them.

    An item without a row in `columns` is expected under its own name. `items` are those of the
    wave; the result has one row per item and one for the key, sorted by heading.
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
    return DataFrame[Columns](table.sort_values(Columns.column, ignore_index=True))

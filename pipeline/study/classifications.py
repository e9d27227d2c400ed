"""Classifications (`schemas/classifications/*.csv`): code lists and the concordances of two."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pandera.pandas as pa

from pipeline.errors import Problem
from pipeline.study.csvfiles import read_table
from pipeline.tables import Codes, Concordances

FOLDER = "classifications"


class _Classification(pa.DataFrameModel):
    """A code list in a file of its own name, and where it is from."""

    code: str
    exclusive: str = pa.Field(isin=["", "yes"])
    from_wave: str
    to_wave: str
    label_de: str
    label_en: str
    source: str = pa.Field(str_length={"min_value": 1})


class _Concordance(pa.DataFrameModel):
    """Which code of one list is which of another; the file is named `<from>_<to>.csv`."""

    from_code: str = pa.Field(unique=True)
    to_code: str
    source: str = pa.Field(str_length={"min_value": 1})


def read_classifications(
    schemas: Path, problems: list[Problem]
) -> tuple[list[pd.DataFrame], list[pd.DataFrame]]:
    """Tables of codes and tables of concordances, one for each file; problems go into the list."""
    codes, concordances = [], []
    for path in sorted((schemas / FOLDER).glob("*.csv")):
        heading = path.read_bytes().partition(b"\n")[0]
        is_concordance = b"from_code" in heading or b"to_code" in heading
        model = _Concordance if is_concordance else _Classification
        table = read_table(schemas, f"{FOLDER}/{path.name}", model, problems)
        if table is None:
            continue
        if is_concordance:
            named = table.assign(**{str(Concordances.concordance): path.stem})
            concordances.append(named[list(Concordances.to_schema().columns)])
        else:
            named = table.assign(**{str(Codes.code_list): path.stem})
            codes.append(named[list(Codes.to_schema().columns)])
    return codes, concordances

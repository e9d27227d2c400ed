"""Code lists: which codes are in them, patterns included."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

Bools = npt.NDArray[np.bool_]
PATTERN = "d+"
"""A code of letters d alone stands for every number of as many digits (see `Codes`)."""


def is_listed(used: pd.DataFrame, valid: pd.DataFrame) -> Bools:
    """Whether each row of `used` (columns: list, code) is in `valid` (list, code or pattern)."""
    whose, code = (used.iloc[:, place].reset_index(drop=True) for place in (0, 1))
    is_pattern = valid.iloc[:, 1].str.fullmatch(PATTERN)
    shape = code.str.replace("[0-9]", "d", regex=True).where(code.str.fullmatch("[0-9]+"), "")
    return np.asarray(
        _pairs(whose, code).isin(_pairs(*_columns(valid[~is_pattern])))
        | _pairs(whose, shape).isin(_pairs(*_columns(valid[is_pattern])))
    )


def _columns(table: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    return table.iloc[:, 0], table.iloc[:, 1]


def _pairs(first: pd.Series, second: pd.Series) -> pd.MultiIndex:
    return pd.MultiIndex.from_arrays([first, second])

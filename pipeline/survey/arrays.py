"""The arrays of this library, and the sum over cells that everything is made of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def cell_sums(values: npt.NDArray[np.float64 | np.bool_], codes: Ints, cells: int) -> Floats:
    """Sum each row over its units with the same code: (k, n) and (n,) to (k, cells)."""
    rows = len(values)
    flat = (codes + cells * np.arange(rows)[:, None]).ravel()
    sums = np.bincount(flat, weights=values.ravel(), minlength=rows * cells)
    return np.asarray(sums, dtype=float).reshape(rows, cells)

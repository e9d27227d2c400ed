"""What is planned to be told of unknown amounts and answers, and who must not be given away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from pipeline.disclosure.attack import Told
from pipeline.disclosure.primary import FloatArray

IntArray = NDArray[np.int64]
PUBLIC = -1
"""In place of a cell: a row that everybody knows."""
STILL = 1e-7
"""A value that moves by no more than this part of itself has not moved."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What is planned to be told of n unknowns, and whom it must not give away.

    `told`: the unknowns and m rows about them; `cell`: the cell that each row is part of, or
    `PUBLIC`, (m,); `cost`: of suppressing each of k cells, (k,), infinite where it was told before.
    `owner`: the holding of each unknown, numbered from 0, (n,). Targets are sums of unknowns of one
    holding, (t, n); each must be thought to be larger by `up` or smaller by `down`, (t,): one of
    the two is enough, and infinite where it cannot be.
    """

    told: Told
    cell: IntArray
    cost: FloatArray
    owner: IntArray
    targets: csr_array
    up: FloatArray
    down: FloatArray


def unit(values: FloatArray) -> FloatArray:
    """In what moves of each value are measured: the value itself, 1 for none."""
    return np.where(values != 0, np.abs(values), 1.0)

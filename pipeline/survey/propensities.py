"""Response propensities: how likely the units of a register were to respond, by what it knows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, logit

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_CONVERGED = 1e-11
"""Fitted probabilities that move by less than this have converged."""
_STEPS = 200
_TINY = 1e-16
"""A probability may round to 0 or 1; its variance must not."""


@dataclass(frozen=True, eq=False)
class Cells:
    """The register by combination of categories: cells (c,), variables (j,), units (N,).

    `levels` are the codes of the categories, shape (c, j); `names` the categories of each
    variable; `weight`, `squares` and `answered` the sums of w, w^2 and w of the respondents.
    """

    names: dict[str, list[object]]
    levels: Ints
    codes: Ints
    units: Ints
    responded: Ints
    weight: Floats
    squares: Floats
    answered: Floats


def cells_of(register: pd.DataFrame, response: npt.NDArray[np.bool_], weight: Floats) -> Cells:
    """Count the register by combination of categories.

    The model knows no more of a unit than its cell, so a million units cost what their cells do,
    and the order of the rows does not matter.
    """
    names: dict[str, list[object]] = {}
    columns = []
    codes = np.zeros(len(register), dtype=np.int64)
    for name in register:
        column = register[name].astype("category").cat.remove_unused_categories()
        names[str(name)] = list(column.cat.categories)
        columns.append(column.cat.codes.to_numpy(dtype=np.int64))
        # Numbered anew at each variable: a product of many numbers of categories overflows.
        codes = np.unique(codes * len(names[str(name)]) + columns[-1], return_inverse=True)[1]
    first = np.unique(codes, return_index=True)[1]
    return Cells(
        names,
        np.stack(columns, axis=1)[first].astype(np.int64),
        codes.astype(np.int64),
        np.bincount(codes).astype(np.int64),
        np.bincount(codes[response], minlength=len(first)).astype(np.int64),
        np.bincount(codes, weight).astype(float),
        np.bincount(codes, weight**2).astype(float),
        np.bincount(codes, weight * response).astype(float),
    )


def model_matrix(levels: Ints) -> Floats:
    """Intercept and one indicator for each category but the first of its variable."""
    parts = [np.ones((len(levels), 1))]
    parts += [column[:, None] == np.arange(1, column.max() + 1) for column in levels.T]
    return np.concatenate(parts, axis=1, dtype=float)


def propensities(x: Floats, weight: Floats, answered: Floats) -> Floats:
    """Fit a logistic regression to the cells by Newton's method; shape (c,).

    Where all or none of a category answered its coefficient has no finite estimate, but the fitted
    probabilities have a limit, 1 or 0 (Albert and Anderson 1984, Biometrika 71, 1-10), and R
    depends on nothing else. So the probabilities decide when to stop. A penalty (Firth 1993) would
    give finite coefficients, yet pull the propensities of all units towards one half and no longer
    be the published indicator. Collinear columns get the shortest of all solutions.
    ValueError where no step brings them to rest.
    """
    rate = float(answered.sum() / weight.sum())
    p = np.full(len(weight), rate)
    if rate == 1:
        return p
    eta = np.full(len(weight), logit(rate))
    for _ in range(_STEPS):
        root = np.sqrt(weight * np.maximum(p * (1 - p), _TINY))
        step = x @ np.linalg.lstsq(root[:, None] * x, (answered - weight * p) / root)[0]
        start = _log_likelihood(eta, weight, answered)
        while _log_likelihood(eta + step, weight, answered) < start - 1e-9 * abs(start):
            step = step / 2
        eta = eta + step
        before, p = p, np.asarray(expit(eta), dtype=float)
        if np.abs(p - before).max() < _CONVERGED:
            return p
    raise ValueError(f"no propensities after {_STEPS} steps: merge rare categories")


def _log_likelihood(eta: Floats, weight: Floats, answered: Floats) -> float:
    lost = answered * np.logaddexp(0, -eta) + (weight - answered) * np.logaddexp(0, eta)
    return -float(lost.sum())

"""Raking on the cells of the margins instead of on units: iterative proportional fitting."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
import numpy.typing as npt

from pipeline.survey.arrays import Floats, Ints
from pipeline.survey.moments import numbered

_CODES = 2**62
"""Cells that can be told apart by one number."""
_LIMIT = 1000
"""Rounds after which the margins are taken to contradict each other."""
_SUMS = 1e-9
"""By how much, relatively, the totals of two margins may differ."""


def rake_cells(
    weights: npt.ArrayLike,
    margins: Sequence[npt.ArrayLike],
    totals: Sequence[npt.ArrayLike],
    tolerance: float = 1e-10,
) -> Floats:
    """Rake weights so that they add up to the total of each category of each margin.

    `weights`, shape (n,): those of units, or of cells (`passes.calibration_cells`). `margins`:
    the category of each, codes 0 to K - 1, shape (n,) for each margin. `totals`: shape (K,) for
    each margin. Units with the same categories get the same factor, so the rounds run on cells,
    until each margin holds to `tolerance`, relatively. ValueError says which totals cannot be met.
    (Deming and Stephan 1940, Annals of Mathematical Statistics 11; Deville, Särndal and Sautory
    1993, Journal of the American Statistical Association 88: the raking ratio.)
    """
    base: Floats = np.asarray(weights, dtype=np.float64)
    codes = [np.asarray(margin, dtype=np.int64) for margin in margins]
    targets = [np.asarray(total, dtype=float) for total in totals]
    if len(codes) != len(targets) or not codes or any(c.shape != base.shape for c in codes):
        msg = f"{len(codes)} margins, {len(targets)} totals: codes and totals for each are needed"
        raise ValueError(msg)
    if not (np.isfinite(base) & (base >= 0)).all():
        raise ValueError("weights must be finite and not negative")
    shape = tuple(len(target) for target in targets)
    for i, code in enumerate(codes):
        if code.size and not 0 <= code.min() <= code.max() < shape[i]:
            msg = f"margin {i}: codes {code.min()} to {code.max()} for {shape[i]} totals"
            raise ValueError(msg)
    place = codes[0]
    for code, size in zip(codes[1:], shape[1:], strict=True):
        place = place * size + code
    if prod(shape) > _CODES:
        raise ValueError(f"margins of {shape} categories have too many cells: rake in two steps")
    cells, numbers = numbered(place, prod(shape))
    sums: Floats = np.asarray(np.bincount(numbers, weights=base), dtype=np.float64)
    parts = [np.asarray(part, dtype=np.int64) for part in np.unravel_index(cells, shape)]
    _check(sums, parts, targets)
    return base * _factors(sums, parts, targets, tolerance)[numbers]


def _factors(
    sums: Floats, parts: Sequence[Ints], targets: Sequence[Floats], tolerance: float
) -> Floats:
    """The factor of each cell, shape (C,)."""
    fitted = sums.copy()
    worst, where = np.inf, (0, 0)
    for _ in range(_LIMIT):
        worst = 0.0
        for i, (part, target) in enumerate(zip(parts, targets, strict=True)):
            found = np.bincount(part, weights=fitted, minlength=len(target))
            ratio = np.divide(target, found, out=np.ones(len(target)), where=found > 0)
            gap = np.abs(ratio - 1)
            if gap.max() > worst:
                worst, where = float(gap.max()), (i, int(gap.argmax()))
            fitted *= ratio[part]
        if worst <= tolerance:
            return np.divide(fitted, sums, out=np.zeros(len(sums)), where=sums > 0)
    msg = f"raking found no weights in {_LIMIT} rounds: margin {where[0]}, category {where[1]} is "
    msg += f"still {worst:.1e} off. Cells without units make the totals contradict: merge some"
    raise ValueError(msg)


def _check(sums: Floats, parts: Sequence[Ints], targets: Sequence[Floats]) -> None:
    """Refuse totals that no weights can meet."""
    for i, (part, target) in enumerate(zip(parts, targets, strict=True)):
        if not (np.isfinite(target) & (target >= 0)).all():
            raise ValueError(f"margin {i}: totals must be finite and not negative")
        found = np.bincount(part, weights=sums, minlength=len(target))
        empty = np.flatnonzero((found == 0) & (target > 0))
        if empty.size:
            msg = f"margin {i}: no weight in categories {empty.tolist()}, whose totals are "
            raise ValueError(f"{msg}{target[empty].tolist()}: merge them with others")
        unwanted = np.flatnonzero((found > 0) & (target == 0))
        if unwanted.size:
            msg = f"margin {i}: total 0 for categories {unwanted.tolist()} in which there are units"
            raise ValueError(f"{msg}: leave these units out")
    whole = np.array([target.sum() for target in targets])
    if np.ptp(whole) > _SUMS * whole.max():
        msg = f"the margins add up to {whole.tolist()}: they must agree on the number of units"
        raise ValueError(msg)

"""Weights that meet known totals: post-stratification, raking, calibration, and what to watch.

A chain of them (first counts by field, then employees) is a chain of calls: each calibrates the
weights of the design that it is given and may undo the totals of the one before, so give margins
that must hold together in one call. The variance takes the residuals of all, the last one first,
as the last weights come from those before it (R survey takes the first one first).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.survey import adjustments, newton
from pipeline.survey.arrays import Floats
from pipeline.survey.design import Design
from pipeline.survey.distances import Method, distance
from pipeline.survey.infeasible import unreachable
from pipeline.survey.margins import CalibrationError, Counts, Margins, Total, read

_AGREE = 1e-9
_NOTHING = 1e-6
"""A weight below this part of the mean counts its unit for nothing."""


def post_stratify(design: Design, cells: npt.ArrayLike, counts: Mapping[Any, float]) -> Design:
    """Weight the units of each cell up to its known count: w N_c / sum(w).

    `cells`: label of each row's cell, shape (n,); `counts`: N_c by label (Särndal, Swensson and
    Wretman 1992, 7.6). Raises `CalibrationError` as `calibrate` does.
    """
    return calibrate(design, pd.DataFrame({"cell": np.asarray(cells)}), {"cell": counts})


def rake(design: Design, data: pd.DataFrame, margins: Margins) -> Design:
    """Weight to the counts of several margins at once, as iterative proportional fitting does.

    Arguments as in `calibrate`, counts only. The weights are the limit of the fitting (Deming and
    Stephan 1940), found by Newton's method; the variance that of R survey `rake`, see
    `adjustments.Raking`. `calibrate(method="raking")` has the same weights, and a variance that
    is right also where the weights before differ much. Raises `CalibrationError` as `calibrate`.
    """
    counts, totals = read(data, margins, design.weights > 0)
    if totals:
        named = [total.column for total in totals]
        raise CalibrationError([f"raking takes counts only, not totals of {named}: calibrate"])
    after, _ = _solved(design.weights, counts, totals, method="raking")
    codes = tuple(np.maximum(margin.codes, 0) for margin in counts)
    return design.adjusted(after, adjustments.Raking(after, codes))


def calibrate(
    design: Design,
    data: pd.DataFrame,
    margins: Margins,
    *,
    method: Method = "linear",
    bounds: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    variance: npt.ArrayLike | None = None,
) -> Design:
    """Change the weights as little as possible so that they meet known totals.

    `data`: columns aligned with the design's rows. `margins` maps a column to {category: count}
    or to the total of its numbers, and a tuple of columns to {(category, ...): count}; totals may
    depend on each other as long as they agree. `method` is the distance that is kept small:
    "linear" (the regression estimator; its weights may come out negative, an error then),
    "raking" (positive weights) or "logit" (strictly between `bounds`). `bounds` of the factor
    g = new weight / weight, a number or an array of shape (n,) each: (1 / design.weights, inf)
    keeps all weights at 1 or more. `variance`: of the model, shape (n,), positive; x itself for
    the ratio estimator with the total of x.

    Deville and Särndal (1992), Journal of the American Statistical Association 87, 376-382.
    Raises `CalibrationError` (a ValueError) with every reason why no weights meet the totals.
    Weights that are met but deserve a look: see `weight_problems`.
    """
    counts, totals = read(data, margins, design.weights > 0)
    after, system = _solved(
        design.weights, counts, totals, method=method, bounds=bounds, variance=variance
    )
    if (after < 0).any():
        raise CalibrationError(
            [
                f"{int((after < 0).sum())} weights would be negative, the lowest {after.min():.4g}:"
                " take method='raking' or bounds such as (0.1, 10), or fewer totals"
            ]
        )
    model = None if variance is None else np.asarray(variance, dtype=float)
    step = adjustments.Calibration(design.weights, after, system.constraints, model, system.cells)
    return design.adjusted(after, step)


def weight_problems(design: Design) -> list[str]:
    """What to watch about the weights of a design, in words; empty if there is nothing.

    More constraints than a tenth of the units (intervals are then too short), weights below 1
    where the sizes of the strata are known (a unit stands for itself at least), weights that are
    practically 0, and totals that the weights no longer meet as they were trimmed or calibrated
    again.
    """
    weights = design.weights
    n = int((weights > 0).sum())
    rank = sum(adjustment.rank for adjustment in design.adjustments)
    problems = []
    if 10 * rank > n:
        problems.append(
            f"{rank} constraints for {n} units: no more than {n // 10} (a tenth) keep intervals"
            " from being too short; collapse categories"
        )
    below = (weights < 1 - _AGREE) & (weights > 0)
    if design.corrected and below.any():
        problems.append(
            f"{int(below.sum())} weights are below 1, the lowest {weights[below].min():.4g}:"
            " collapse categories, or calibrate with bounds=(1 / design.weights, inf)"
        )
    nothing = (weights < _NOTHING * weights.sum() / max(n, 1)) & (weights > 0)
    if nothing.any():
        problems.append(
            f"{int(nothing.sum())} weights are practically 0: the totals can be met only without"
            " these units; collapse categories or correct the totals"
        )
    for number, adjustment in enumerate(design.adjustments, 1):
        missed = adjustment.missed(weights)
        if missed > _AGREE:
            problems.append(
                f"the totals of calibration {number} of {len(design.adjustments)} are missed by up"
                f" to {missed:.2%}: put all totals into one call, with bounds instead of trimming"
            )
    return problems


def _solved(
    weights: Floats,
    counts: tuple[Counts, ...],
    totals: tuple[Total, ...],
    *,
    method: Method,
    bounds: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    variance: npt.ArrayLike | None = None,
) -> tuple[Floats, newton.System]:
    """The calibrated weights, shape (n,), and the system that they solve."""
    used = weights > 0
    model = _per_row(1.0 if variance is None else variance, weights)
    low, high = (_per_row(b, weights) for b in bounds or (-np.inf, np.inf))
    _check(method, low[used], high[used], model[used])
    system, row = newton.gather(counts, totals, weights, model, low, high)
    solver = newton.Solver(system)
    contradictions = _contradictions(solver)
    if contradictions:
        raise CalibrationError(contradictions)
    factors = solver.solve(distance(method, low[row], high[row]))
    if factors is None:
        lowest = np.maximum(low[row], 0.0)
        raise CalibrationError(unreachable(system, lowest, high[row]))
    return np.where(used, weights * factors[system.cells], 0.0), system


def _per_row(value: npt.ArrayLike, weights: Floats) -> Floats:
    """A number or an array as an array, shape (n,)."""
    return np.broadcast_to(np.asarray(value, dtype=float), weights.shape)


def _check(method: Method, low: Floats, high: Floats, variance: Floats) -> None:
    """Bounds and variances that no calibration can use."""
    problems = []
    if not (low <= high).all() or not (high > 0).all():
        problems.append("the lower bound must be below the upper one, which must be positive")
    around = np.isfinite(low) & (low < 1) & (high > 1) & np.isfinite(high)
    if method == "logit" and not around.all():
        problems.append("method='logit' needs bounds (low, high) with low < 1 < high, both finite")
    if not (np.isfinite(variance) & (variance > 0)).all():
        problems.append("the variance must be positive for every unit")
    if problems:
        raise CalibrationError(problems)


def _contradictions(solver: newton.Solver) -> list[str]:
    """Totals that contradict each other although no two margins do."""
    system = solver.system
    wrong = np.abs(solver.beyond) > _AGREE * system.scale
    if not wrong.any():
        return []
    named = [name for name, bad in zip(system.names, wrong, strict=True) if bad]
    m = len(system.weights)
    if solver.rank == m:
        return [f"{len(named)} totals are more than {m} distinct respondents can meet: collapse"]
    return [
        f"the totals of {named} contradict each other: among the respondents each follows "
        "from the others; leave one out or collapse"
    ]

"""The attacker's linear programme: how closely all that is told pins down what is not.

The unknowns are amounts of firms; whatever is told is a row lo <= a x <= hi over them, whichever
table, wave or format it stood in. A reader knows that the truth fulfils all rows, and no more; so
the least and the largest value that a target can have are what the reader knows of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from pipeline.disclosure.primary import BoolArray, FloatArray
from pipeline.errors import DisclosureError, Problem

EXACT = 1e-6
"""A range no wider than this part of the value (of 1 for smaller ones) is the value."""
_ROUNDING = 1e-9
"""The truth may miss a row by this part of its terms: it was printed from a float."""
_LEAST = 1e-7
"""A range that misses the protection it needs by no more than this has it."""


@dataclass(frozen=True, eq=False)
class Told:
    """What readers know of n unknowns whose true values are `values`, shape (n,).

    `rows`: (m, n), with `low` <= rows @ x <= `high`, (m,), infinite where open; `least` and `most`:
    bounds of each unknown, (n,). The truth fulfils all of it (see `contradictions`).
    """

    values: FloatArray
    rows: csr_array
    low: FloatArray
    high: FloatArray
    least: FloatArray
    most: FloatArray


class Ranges(NamedTuple):
    """Least and largest value of each target, (t,); infinite where nothing bounds it."""

    low: FloatArray
    high: FloatArray


def contradictions(told: Told) -> NDArray[np.int64]:
    """List the rows that the true values do not fulfil, by more than rounding."""
    below, above = _away(told)
    return np.flatnonzero((below > 0) | (above < 0))


def ranges(told: Told, targets: csr_array, known: BoolArray | None = None) -> Ranges:
    """Work out the range of each target, (t, n), for a reader who knows some values, (n,).

    By linear programmes in x less the truth: the truth is then the origin, so what is told exactly
    has a right side of 0 and loses no digits beside larger amounts. Raises `DisclosureError` where
    the truth contradicts what is told, or where a programme has no clear end: it is then not known
    what a reader can work out.
    """
    wrong = contradictions(told)
    if len(wrong):
        raise DisclosureError(_problem(f"the true values do not fulfil rows {wrong[:5].tolist()}"))
    solver = _Solver(told, np.zeros(len(told.values), dtype=np.bool_) if known is None else known)
    truth = targets @ told.values
    ends = [solver.ends(targets[[i]]) for i in range(targets.shape[0])]
    low, high = np.array(ends, dtype=np.float64).reshape(-1, 2).T
    return Ranges(truth + low, truth + high)


def verdicts(values: FloatArray, found: Ranges, p_percent: float) -> NDArray[np.str_]:
    """Say of each target whether it is `exact`, `too_narrow` or `safe`.

    `values`: the true ones. Exact: the range is no wider than 1e-6 of the value; too narrow: its
    upper end is below (1 + p/100) times the value, so a reader overestimates it by less than p %.
    """
    size = np.maximum(np.abs(values), 1.0)
    exact = found.high - found.low <= EXACT * size
    short = found.high - values < p_percent / 100 * np.abs(values) - _LEAST * size
    return np.select([exact, short], ["exact", "too_narrow"], default="safe")


def _away(told: Told) -> tuple[FloatArray, FloatArray]:
    """How far the truth is from the ends of each row: below <= 0 <= above but for rounding."""
    truth = told.rows @ told.values
    size = abs(told.rows) @ np.abs(told.values)

    def away(ends: FloatArray) -> FloatArray:
        gap = ends - truth
        near = np.abs(gap) <= _ROUNDING * np.maximum(size, np.abs(np.nan_to_num(ends, posinf=0)))
        return np.where(near, 0.0, gap)

    return away(told.low), away(told.high)


class _Solver:
    """One programme, solved for many objectives: each begins where the last one ended."""

    def __init__(self, told: Told, known: BoolArray) -> None:
        size = np.zeros(told.rows.shape[0])
        if told.rows.size:
            size = abs(told.rows).max(axis=1).toarray().ravel()
        scale = 1 / np.where(size > 0, size, 1.0)
        below, above = (scale * ends for ends in _away(told))
        least, most = told.least - told.values, told.most - told.values
        programme = highspy.HighsLp()
        programme.num_col_, programme.num_row_ = len(told.values), len(below)
        programme.col_cost_ = np.zeros(len(told.values))
        programme.col_lower_ = np.where(known, 0.0, np.minimum(least, 0.0))
        programme.col_upper_ = np.where(known, 0.0, np.maximum(most, 0.0))
        programme.row_lower_, programme.row_upper_ = below, above
        rows = told.rows.multiply(scale[:, None]).tocsr()
        programme.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        programme.a_matrix_.start_ = rows.indptr
        programme.a_matrix_.index_ = rows.indices
        programme.a_matrix_.value_ = rows.data
        self._highs = solver_of(programme)

    def ends(self, target: csr_array) -> tuple[float, float]:
        """Least and largest value of a target, less its true one."""
        place = target.indices.astype(np.int32)
        self._highs.changeColsCost(len(place), place, target.data.astype(np.float64))
        low = self._end(highspy.ObjSense.kMinimize)
        high = self._end(highspy.ObjSense.kMaximize)
        self._highs.changeColsCost(len(place), place, np.zeros(len(place)))
        return low, high

    def _end(self, sense: highspy.ObjSense) -> float:
        self._highs.changeObjectiveSense(sense)
        if solved(self._highs):
            return float(self._highs.getInfo().objective_function_value)
        return float("inf") if sense == highspy.ObjSense.kMaximize else float("-inf")


def solver_of(programme: highspy.HighsLp) -> highspy.Highs:
    """Set up a solver that ends alike on every run."""
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    for option, value in _OPTIONS.items():
        solver.setOptionValue(option, value)
    solver.passModel(programme)
    return solver


def solved(solver: highspy.Highs) -> bool:
    """Solve: True at an optimum, False where nothing bounds it.

    Only for programmes that the origin fulfils: it cannot be then that nothing does. Raises
    `DisclosureError` at any other end, also from a fresh start: the last end is at times a bad one.
    """
    solver.run()
    status = solver.getModelStatus()
    if status not in (highspy.HighsModelStatus.kOptimal, *_ENDLESS):
        solver.clearSolver()
        solver.run()
        status = solver.getModelStatus()
    if status == highspy.HighsModelStatus.kOptimal:
        return True
    if status in _ENDLESS:
        return False
    raise DisclosureError(_problem(f"the solver ended with {status.name}"))


_OPTIONS: dict[str, bool | int | float | str] = {
    "output_flag": False,
    "threads": 1,
    "presolve": "off",
    "primal_feasibility_tolerance": 1e-9,
    "dual_feasibility_tolerance": 1e-9,
    "small_matrix_value": 1e-12,
}
"""One thread and no presolve: the same end on every run, and a start from the last one."""
_ENDLESS = (
    highspy.HighsModelStatus.kUnbounded,
    highspy.HighsModelStatus.kUnboundedOrInfeasible,
)


def _problem(found: str) -> Problem:
    return Problem(found, "a range for every target", "Check what is told, and the true values.")

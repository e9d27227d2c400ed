"""The attacker's linear programme: how closely all that is told pins down what is not.

The unknowns are amounts of firms; whatever is told is a row lo <= a x <= hi over them, whichever
table, wave or format it stood in. A reader knows that the truth fulfils all rows, and no more; so
the least and the largest value that a target can have are what the reader knows of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from pipeline.disclosure.primary import BoolArray, FloatArray
from pipeline.errors import DisclosureError, Problem

EXACT = 1e-6
"""A range no wider than this part of the value (of 1 for smaller ones) is the value."""
_ROUNDING = 1e-9
"""The truth may miss a row by this part of its terms: it was printed from a float."""
_LEAST = 1e-7
"""A range that misses the protection it needs by no more than this has it."""
_FARTHER = 1e3
_HELD = 1e-9
"""A limit holds a target back where moving it by 1 would move the target by more than this."""
_ROUNDS = 5
"""Rounds of geometric means; of a matrix of one unit a row and column the first is enough."""


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
    """One programme, solved for many objectives: each begins where the last one ended.

    Rows and columns are scaled by powers of two. No floating-point programme tells the thousandth
    of a firm beside a billion of another; so each target is looked at from near first: nothing
    moves further than the target's own value, then 1,000 times as far, and so on, until that
    limit does not hold the target back. All limits being around a point that fulfils what is told,
    it has then found its end among all there are.
    """

    def __init__(self, told: Told, known: BoolArray) -> None:
        scale, self._unit = _scales(told.rows)
        self._values = told.values
        self._ends = [scale * ends for ends in _away(told)]
        least, most = told.least - told.values, told.most - told.values
        self._least = np.where(known, 0.0, np.minimum(least, 0.0)) / self._unit
        self._most = np.where(known, 0.0, np.maximum(most, 0.0)) / self._unit
        bounds = np.concatenate([told.values / self._unit, self._least, self._most, *self._ends])
        self._farthest = float(np.abs(bounds[np.isfinite(bounds)]).max(initial=0.0))
        programme = highspy.HighsLp()
        programme.num_col_, programme.num_row_ = len(told.values), len(scale)
        programme.col_cost_ = np.zeros(len(told.values))
        programme.col_lower_, programme.col_upper_ = self._least, self._most
        programme.row_lower_, programme.row_upper_ = self._ends
        rows = csr_array(diags_array(scale) @ told.rows @ diags_array(self._unit))
        programme.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        programme.a_matrix_.start_ = rows.indptr
        programme.a_matrix_.index_ = rows.indices
        programme.a_matrix_.value_ = rows.data
        self._highs = solver_of(programme)

    def ends(self, target: csr_array) -> tuple[float, float]:
        """Least and largest value of a target, less its true one."""
        aim = np.zeros(len(self._values))
        aim[target.indices] = target.data * self._unit[target.indices]
        largest = float(np.abs(aim).max(initial=0.0))
        if largest == 0:
            return 0.0, 0.0
        size = abs(float(target.data @ self._values[target.indices])) or 1.0
        low, high = (largest * self._rise(way * aim / largest, size / largest) for way in (-1, 1))
        return -low, high

    def _rise(self, aim: FloatArray, limit: float) -> float:
        """How far a sum can rise, first of moves up to a limit, then of further ones."""
        columns, solver = np.arange(len(aim), dtype=np.int32), self._highs
        solver.changeColsCost(len(aim), columns, -aim)
        while limit <= self._farthest:
            self._bound(limit, 1.0)
            if not solved(solver):
                raise DisclosureError(_problem("the solver found no end where there is one"))
            found = solver.getSolution()
            moves, price = np.array(found.col_value), np.abs(found.col_dual)
            own = np.where(moves > 0, self._most, -self._least) / limit
            if price[(own > 1) & (np.abs(moves) >= 1 - _HELD)].sum() <= _HELD:
                return limit * float(aim @ moves)
            limit *= _FARTHER
        self._bound(self._farthest or 1.0, np.inf)
        if not solved(solver):
            return np.inf
        return (self._farthest or 1.0) * float(aim @ np.array(solver.getSolution().col_value))

    def _bound(self, unit: float, limit: float) -> None:
        """Have all moves in this unit, none further than the limit."""
        low, high = np.maximum(self._least / unit, -limit), np.minimum(self._most / unit, limit)
        columns, rows = (np.arange(len(ends), dtype=np.int32) for ends in (low, self._ends[0]))
        self._highs.changeColsBounds(len(columns), columns, low, high)
        below, above = (ends / unit for ends in self._ends)
        self._highs.changeRowsBounds(len(rows), rows, below, above)  # type: ignore[attr-defined]


def _scales(rows: csr_array) -> tuple[FloatArray, FloatArray]:
    """Powers of two for rows and columns by which all terms come near 1: by geometric means."""
    terms = rows.tocoo()
    some = terms.data != 0
    size, places = np.log2(np.abs(terms.data[some])), [at[some] for at in terms.coords]
    of_row, of_column = (np.zeros(length) for length in rows.shape)
    for _ in range(_ROUNDS):
        for powers, at in zip((of_row, of_column), places, strict=True):
            off = size + of_row[places[0]] + of_column[places[1]]
            count = np.bincount(at, minlength=len(powers))
            powers[:] -= np.bincount(at, off, len(powers)) / np.maximum(count, 1)
    return np.exp2(np.round(of_row)), np.exp2(np.round(of_column))


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
    `DisclosureError` at any other end. Before that it is tried from a fresh start, as the last end
    is at times a bad one, and in further ways (see `attempts`).
    """
    status = next((end for end in attempts(solver) if end in _CLEAR), None)
    if status is None:
        raise DisclosureError(_problem(f"the solver ended with {solver.getModelStatus().name}"))
    return status == highspy.HighsModelStatus.kOptimal


def attempts(solver: highspy.Highs) -> Iterator[highspy.HighsModelStatus]:
    """Solve: how that ended, and then how every other way of doing it ends."""
    solver.run()
    yield solver.getModelStatus()
    is_primal = solver.getOptionValue("simplex_strategy")[1] == _PRIMAL
    ways: tuple[dict[str, str | int], ...] = (
        {},
        {"presolve": "on"},
        {"simplex_strategy": _DUAL if is_primal else _PRIMAL},
        {"simplex_scale_strategy": 0},  # rows and columns are scaled already
        {"solver": "ipm"},
    )
    names = {name for way in ways for name in way}
    before = {name: solver.getOptionValue(name)[1] for name in sorted(names)}
    try:
        for way in ways:
            solver.clearSolver()
            for option, value in (before | way).items():
                solver.setOptionValue(option, value)
            solver.run()
            yield solver.getModelStatus()
    finally:
        for option, value in before.items():
            solver.setOptionValue(option, value)


_OPTIONS: dict[str, bool | int | float | str] = {
    "output_flag": False,
    "threads": 1,
    "presolve": "off",
    "primal_feasibility_tolerance": 1e-9,
    "dual_feasibility_tolerance": 1e-9,
    "small_matrix_value": 1e-12,
}
"""One thread and no presolve: the same end on every run, and a start from the last one."""
_PRIMAL, _DUAL = 4, 1
"""Simplex methods, as HiGHS numbers them."""
_ENDLESS = (
    highspy.HighsModelStatus.kUnbounded,
    highspy.HighsModelStatus.kUnboundedOrInfeasible,
)
_CLEAR = (highspy.HighsModelStatus.kOptimal, *_ENDLESS)


def _problem(found: str) -> Problem:
    return Problem(found, "a range for every target", "Check what is told, and the true values.")

"""The cheapest cells to suppress, and a bound below its cost: cuts from the attacker's programme.

For tables of some hundred cells; beyond, `lower_bound` says how far a heuristic can be from the
best. The attacker is that of `attack`: its unknowns are amounts, a published cell is their sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from pipeline.disclosure.attack import solved, solver_of
from pipeline.disclosure.primary import BoolArray, FloatArray
from pipeline.errors import DisclosureError, Problem

_TOLERANCE = 1e-6
"""A target misses its protection, and a choice a cut, by more than this part of it."""
_NOTHING = 1e-8
"""A multiplier no larger than this is 0: those of sums are ratios of small whole numbers."""
_EXTRA = 1e-6
"""What each cell may move besides: of many multipliers those of few cells are found, as in
Magnanti and Wong (1981), and half as many rounds are needed. The bound suffers by as much."""
_MASTER: dict[str, str | float] = {
    "presolve": "choose",
    "mip_rel_gap": 0.0,
    "mip_abs_gap": 0.0,
    "mip_feasibility_tolerance": 1e-9,
}


@dataclass(frozen=True, eq=False)
class Table:
    """Cells that could be published, and sums of the same n unknowns that they must not give away.

    `values` and `least`: true value of each unknown, and what a reader knows it is not below, (n,),
    -inf for nothing. `cells`: (k, n), entries positive; `cost` of suppressing each, (k,), none
    negative. `targets`: (t, n), likewise positive; `above` and `below`: how far above and below its
    true value a reader must find each possible, (t,), 0 for no such need. A target that is a cell
    is suppressed too.

    With `least` -inf and any needs above 0 only exact disclosure counts, as in `elimination.keep`.
    """

    values: FloatArray
    least: FloatArray
    cells: csr_array
    cost: FloatArray
    targets: csr_array
    above: FloatArray
    below: FloatArray


class Optimum(NamedTuple):
    """Cells to suppress, (k,), what they cost, and their `lower_bound`."""

    suppressed: BoolArray
    cost: float
    bound: float


def optimum(table: Table) -> Optimum:
    """Choose the cheapest cells to suppress so that every target has the protection it needs.

    Of several such choices it is one. Raises `DisclosureError` where a target cannot be protected
    even without any cell, or where a programme has no clear end; ValueError where arrays do not
    fit.

    Benders' cuts: a choice y in {0, 1} is tried on the attacker's programme of each target. Where
    it stays below its need U, the programme's dual has multipliers m of the cells and r >= 0 of the
    unknowns' lower ends, and max t(x - a) <= r(a - least) + sum of m_i (c_i(x - a)) over suppressed
    cells i. So the sum over cells of y_i min(1, w_i / (U - r(a - least))) is at least 1, where w_i
    is what m_i c_i(x - a) can reach: open for m_i > 0, |m_i| c_i(a - least) for m_i < 0. Fischetti
    and Salazar-González (2001), Solving the cell suppression problem on tabular data with linear
    constraints, Management Science 47 (7).
    """
    master, attacker, bound = _relaxed(table)
    master.make_whole()
    while True:
        chosen = np.round(master.solve())
        # The cuts of the relaxed programme are of fewer cells, but not all there are.
        cuts = attacker.cuts(chosen, whole=False) or attacker.cuts(chosen, whole=True)
        if not cuts:
            suppressed = chosen > 0
            return Optimum(suppressed, float(table.cost[suppressed].sum()), bound)
        master.add(cuts)


def lower_bound(table: Table) -> float:
    """Say what any choice of `optimum` costs at least: its cuts with y between 0 and 1.

    Cuts are looked for where each cell may move by y times the need, as no coefficient exceeds 1:
    all that are found are valid, but where multipliers are fractions some may be missed, and the
    bound is lower than it could be. Raises as `optimum` does.
    """
    return _relaxed(table)[2]


def _relaxed(table: Table) -> tuple[_Master, _Attacker, float]:
    """Add cuts until the relaxed programme fulfils all that are found."""
    _fit(table)
    master, attacker = _Master(table.cost), _Attacker(table)
    while True:
        cuts = attacker.cuts(master.solve(), whole=False)
        if not cuts:
            return master, attacker, master.value()
        master.add(cuts)


class _Master:
    """min cost y, 0 <= y <= 1, subject to the cuts a y >= 1 so far."""

    def __init__(self, cost: FloatArray) -> None:
        self._unit = float(cost.max(initial=0.0)) or 1.0
        self._size = len(cost)
        programme = highspy.HighsLp()
        programme.num_col_ = self._size
        programme.col_cost_ = cost / self._unit
        programme.col_lower_, programme.col_upper_ = np.zeros(self._size), np.ones(self._size)
        self._solver = solver_of(programme)
        for option, value in _MASTER.items():
            self._solver.setOptionValue(option, value)

    def add(self, cuts: list[FloatArray]) -> None:
        """Add cuts, given by their coefficients, (k,)."""
        for cut in cuts:
            place = np.flatnonzero(cut).astype(np.int32)
            self._solver.addRow(1.0, highspy.kHighsInf, len(place), place, cut[place])

    def make_whole(self) -> None:
        """From now on each cell is suppressed or not."""
        kinds = np.full(self._size, highspy.HighsVarType.kInteger.value, dtype=np.uint8)
        self._solver.changeColsIntegrality(self._size, _numbers(self._size), kinds)

    def solve(self) -> FloatArray:
        """Return the cheapest y, (k,)."""
        if not self._size:
            return np.zeros(0)
        if not solved(self._solver):
            raise DisclosureError(_open("the choice of cells has no clear end"))
        return np.array(self._solver.getSolution().col_value)

    def value(self) -> float:
        """What the y found last costs."""
        return self._unit * float(self._solver.getInfo().objective_function_value)


class _Side(NamedTuple):
    """A target, (1, n), its sign turned where it must be possible below, and by how much."""

    row: csr_array
    need: float


class _Attacker:
    """max t x over what a reader knows, where x is the distance from the truth in units of U."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._room = table.values - table.least
        self._reach = np.asarray(table.cells @ self._room)
        self._sides = [
            _Side(sign * table.targets[[number]].astype(np.float64), float(need[number]))
            for number in range(table.targets.shape[0])
            for sign, need in ((1.0, table.above), (-1.0, table.below))
            if need[number] > 0
        ]
        cells, size = table.cells, len(table.values)
        programme = highspy.HighsLp()
        programme.num_col_, programme.num_row_ = size, cells.shape[0]
        programme.col_cost_, programme.col_lower_ = np.zeros(size), np.zeros(size)
        programme.col_upper_ = np.full(size, highspy.kHighsInf)
        programme.row_lower_ = programme.row_upper_ = np.zeros(cells.shape[0])
        programme.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        programme.a_matrix_.start_, programme.a_matrix_.index_ = cells.indptr, cells.indices
        programme.a_matrix_.value_ = cells.data.astype(np.float64)
        self._solver = solver_of(programme)

    def cuts(self, chosen: FloatArray, *, whole: bool) -> list[FloatArray]:
        """List the cuts that y = `chosen`, (k,), violates; `whole`: y is a choice, not relaxed."""
        found = (self._cut(side, chosen, whole=whole) for side in self._sides)
        return list({cut.tobytes(): cut for cut in found if cut is not None}.values())

    def _cut(self, side: _Side, chosen: FloatArray, *, whole: bool) -> FloatArray | None:
        if not self._falls_short(side, chosen, whole=whole):
            return None
        of_cells, of_ends = self._multipliers(side)
        held = of_ends > 0
        base = float(of_ends[held] @ self._room[held])
        weight, down = np.where(of_cells > 0, 1.0, 0.0), of_cells < 0
        missing = max(side.need - base, _TOLERANCE * side.need)
        weight[down] = np.minimum(1.0, -of_cells[down] * self._reach[down] / missing)
        if weight @ chosen < 1 - _TOLERANCE:
            return weight
        if whole:
            raise DisclosureError(_open(f"whether {side.row.indices.tolist()} is safe"))
        return None

    def _falls_short(self, side: _Side, chosen: FloatArray, *, whole: bool) -> bool:
        """Whether the target cannot come as far from its true value as it must."""
        solver, need = self._solver, side.need
        if whole:
            high = np.where(chosen > 0, np.inf, 0.0)
            low = -high
        else:
            high = chosen + _EXTRA
            low = -np.minimum(1.0, self._reach / need) * high
        every, cells = _numbers(len(self._room)), _numbers(len(chosen))
        solver.changeColsBounds(len(every), every, -self._room / need, np.full(len(every), np.inf))
        solver.changeRowsBounds(len(cells), cells, low, high)  # type: ignore[attr-defined]
        solver.changeColsCost(len(every), every, -side.row.toarray().ravel())
        if not solved(solver):
            return False
        return -float(solver.getInfo().objective_function_value) < 1 - _TOLERANCE

    def _multipliers(self, side: _Side) -> tuple[FloatArray, FloatArray]:
        """Multipliers of cells and of lower ends that prove that it cannot."""
        of_cells = -np.array(self._solver.getSolution().row_dual)
        of_cells[np.abs(of_cells) <= _NOTHING] = 0.0
        # Anew from the multipliers kept: what they prove must hold for them.
        of_ends = self._table.cells.T @ of_cells - side.row.toarray().ravel()
        of_ends[np.abs(of_ends) <= _TOLERANCE] = 0.0
        if (of_ends < 0).any() or (of_ends[np.isinf(self._room)] > 0).any():
            raise DisclosureError(_open("multipliers that prove nothing"))
        return of_cells, of_ends


def _numbers(size: int) -> NDArray[np.int32]:
    return np.arange(size, dtype=np.int32)


def _fit(table: Table) -> None:
    """Refuse arrays that do not fit, and targets that nobody can protect."""
    size, sums = len(table.values), (table.cells, table.targets)
    if not table.least.shape == (size,) or any(rows.shape[1] != size for rows in sums):
        raise ValueError("give least, cells and targets the same unknowns as values")
    if table.cost.shape != table.cells.shape[:1]:
        raise ValueError("give each cell a cost")
    if not table.above.shape == table.below.shape == table.targets.shape[:1]:
        raise ValueError("give each target a need above and below")
    numbers = (table.values, table.cost, table.above, table.below)
    if not all(np.isfinite(array).all() for array in numbers) or (table.cost < 0).any():
        raise ValueError("values, costs and needs must be finite, and no cost negative")
    if any((rows.data <= 0).any() for rows in sums) or (table.values < table.least).any():
        raise ValueError("sums must be of positive parts, and no value below its least")
    room = np.asarray(table.targets @ (table.values - table.least))
    empty = np.diff(table.targets.indptr) == 0
    short = (table.below > room * (1 + _TOLERANCE)) | (empty & (table.above + table.below > 0))
    problems = [
        Problem(
            found=f"target {number} cannot be protected even where nothing is told",
            expected="targets with firms, and no need below the least that they can be",
            advice="Ask for less protection of it.",
        )
        for number in np.flatnonzero(short)
    ]
    if problems:
        raise DisclosureError(problems)


def _open(found: str) -> Problem:
    return Problem(found, "a clear end of each programme", "Scale the values, or the needs.")

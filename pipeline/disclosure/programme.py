"""Programmes that look for witnesses: moves from the truth that change nothing that is told."""

from __future__ import annotations

from itertools import pairwise

import highspy
import numpy as np
from scipy.sparse import csr_array, diags_array, eye_array, hstack, vstack

from pipeline.disclosure.attack import attempts, solver_of
from pipeline.disclosure.plan import PUBLIC, STILL, IntArray, Plan, unit
from pipeline.disclosure.primary import BoolArray, FloatArray
from pipeline.errors import DisclosureError, Problem

Way = list[tuple[int, float]]
"""Columns of a programme, and how far each must be moved."""


class Programme:
    """The readers' programme in moves from the truth, up and down, in units of the true value."""

    def __init__(self, plan: Plan) -> None:
        told = plan.told
        self._plan = plan
        self._unit = unit(told.values)
        rows = told.rows @ diags_array(self._unit)
        largest = abs(rows).max(axis=1).toarray().ravel() if rows.shape[0] else np.zeros(0)
        scale = 1 / np.where(largest > 0, largest, 1.0)
        one_way = csr_array(diags_array(scale) @ rows)
        self._rows = csr_array(hstack([one_way, -one_way], format="csr"))
        truth = told.rows @ told.values
        self._low = np.minimum(told.low - truth, 0.0) * scale
        self._high = np.maximum(told.high - truth, 0.0) * scale
        up = np.maximum(told.most - told.values, 0.0) / self._unit
        down = np.maximum(told.values - told.least, 0.0) / self._unit
        self._most = np.append(up, down)
        self._targets = csr_array(plan.targets @ diags_array(self._unit))
        self._ways = _ways(plan, self._targets)
        self.suppressed = np.zeros(len(plan.cost), dtype=np.bool_)
        self.solves = 0
        self._highs = _solver(self._rows, self._low, self._high)

    def move_many(self, frozen: BoolArray) -> FloatArray:
        """Move as many targets as far as they must be as can be, some values frozen."""
        gain, most = np.zeros(2 * len(self._unit)), self._most.copy()
        for target, ways in enumerate(self._ways):
            # A target that may go both ways goes up or down by turns.
            for column, way in ways[target % len(ways)] if ways and len(ways[0]) == 1 else ():
                gain[column], most[column] = 1 / way, min(most[column], way)
                gain[self._opposite(column)] = -1 / way
        still = np.tile(frozen, 2)
        most[still], gain[still] = 0.0, 0.0
        moved = self._solve(self._highs, -gain, np.zeros(len(most)), most)
        if moved is None:
            raise DisclosureError(_problem("a programme without an end"))
        return moved

    def move(self, target: int, readers: IntArray | None) -> FloatArray | None:
        """Move a target as far as it must be and as little else as can be; None if it cannot be."""
        for way in self._ways[target]:
            least, most = np.zeros(len(self._most)), self._most_for(readers)
            self._send(way, least, most)
            if (least <= most).all():
                moved = self._solve(self._highs, np.ones(len(most)), least, most)
                if moved is not None:
                    return moved
        return None

    def room(self, target: int) -> float:
        """How far a target can be moved, in multiples of what it must be; at most ten times."""
        best = 0.0
        for way in self._ways[target]:
            most, gain = self._most.copy(), np.zeros(len(self._most))
            for column, length in way:
                gain[column] = 1 / (length * len(way))
                most[column] = min(most[column], 10 * length)
                most[self._opposite(column)] = 0.0
            columns = self._columns(self._highs, -gain, np.zeros(len(most)), most)
            best = max(best, 0.0 if columns is None else float(gain @ columns))
        return best

    def force(self, target: int, readers: IntArray | None) -> FloatArray | None:
        """Move a target as far as it needs; suppress what that touches, None where it cannot be."""
        plan = self._plan
        cost = np.where(plan.cell == PUBLIC, np.inf, plan.cost[plan.cell])
        shown = np.flatnonzero((plan.cell == PUBLIC) | ~self.suppressed[plan.cell])
        loose = shown[np.isfinite(cost[shown])]
        slack = eye_array(len(plan.cell), format="csr")[:, loose]
        wide = csr_array(hstack([self._rows, slack, -slack], format="csr")[shown])
        # A row of its own: what one firm of a holding cannot move, another one may.
        target_row = self._targets[[target]]
        scale = 1 / target_row.max()
        target_row = scale * hstack([target_row, -target_row, csr_array((1, 2 * len(loose)))])
        low, high = np.append(self._low[shown], -np.inf), np.append(self._high[shown], np.inf)
        highs = _solver(vstack([wide, target_row], format="csr"), low, high)
        price = np.concatenate([np.zeros(len(self._most)), cost[loose], cost[loose]])
        least, most = np.zeros(len(price)), np.full(len(price), np.inf)
        most[: len(self._most)] = self._most_for(readers)
        best: tuple[float, FloatArray, IntArray] | None = None
        for ends in ((plan.up[target], np.inf), (-np.inf, -plan.down[target])):
            if np.isinf(ends).all():
                continue
            highs.changeRowBounds(len(low) - 1, *(scale * end for end in ends))
            columns = self._columns(highs, price, least, most)
            if columns is None or (best is not None and price @ columns >= best[0]):
                continue
            touched = columns[len(self._most) :].reshape(2, -1).sum(axis=0) > STILL
            moved = self._moved(columns[: len(self._most)])
            best = float(price @ columns), moved, np.unique(plan.cell[loose[touched]])
        if best is None:
            return None
        self.suppressed[best[2]] = True
        self.tell(self.suppressed)
        return best[1]

    def tell(self, suppressed: BoolArray) -> None:
        """Hold to the rows of all cells but those suppressed."""
        self.suppressed = suppressed
        free = (self._plan.cell != PUBLIC) & suppressed[self._plan.cell]
        low, high = np.where(free, -np.inf, self._low), np.where(free, np.inf, self._high)
        for row in range(len(low)):
            self._highs.changeRowBounds(row, low[row], high[row])

    def _send(self, way: Way, least: FloatArray, most: FloatArray) -> None:
        """Have columns moved so far, in place, and not back by their opposite ones."""
        for column, length in way:
            least[column] = length
            most[self._opposite(column)] = 0.0

    def _opposite(self, column: int) -> int:
        """The column of the same value's moves the other way."""
        return (column + len(self._unit)) % len(self._most)

    def _most_for(self, readers: IntArray | None) -> FloatArray:
        frozen = np.isin(self._plan.owner, [] if readers is None else readers)
        return np.where(np.tile(frozen, 2), 0.0, self._most)

    def _solve(
        self, highs: highspy.Highs, price: FloatArray, least: FloatArray, most: FloatArray
    ) -> FloatArray | None:
        columns = self._columns(highs, price, least, most)
        return None if columns is None else self._moved(columns)

    def _moved(self, columns: FloatArray) -> FloatArray:
        up, down = np.split(columns, 2)
        return np.asarray(self._unit * (up - down), dtype=np.float64)

    def _columns(
        self, highs: highspy.Highs, price: FloatArray, least: FloatArray, most: FloatArray
    ) -> FloatArray | None:
        """Solve a programme; None where nothing fulfils it."""
        numbers = np.arange(len(price), dtype=np.int32)
        highs.changeColsCost(len(price), numbers, price)
        highs.changeColsBounds(len(price), numbers, least, most)
        for status in attempts(highs):
            self.solves += 1
            if status == highspy.HighsModelStatus.kInfeasible:
                return None
            is_optimal = status == highspy.HighsModelStatus.kOptimal
            if is_optimal and highs.getInfo().max_primal_infeasibility <= STILL:
                return np.array(highs.getSolution().col_value, dtype=np.float64)
        raise DisclosureError(_problem(f"a programme that ended with {status.name}"))


def _ways(plan: Plan, targets: csr_array) -> list[list[Way]]:
    """Columns of each target's parts with how far each is moved: up, and down."""
    n, found = targets.shape[1], []
    for (start, end), *needs in zip(pairwise(targets.indptr), plan.up, plan.down, strict=True):
        places, total = targets.indices[start:end], float(targets.data[start:end].sum())
        ways = [
            [(int(place) + side * n, float(need / total)) for place in places]
            for side, need in enumerate(needs)
            if np.isfinite(need)
        ]
        found.append(ways)
    return found


def _solver(rows: csr_array, low: FloatArray, high: FloatArray) -> highspy.Highs:
    """A programme of rows between bounds."""
    programme = highspy.HighsLp()
    width = rows.shape[1]
    programme.num_col_, programme.num_row_ = width, len(low)
    programme.col_cost_ = np.zeros(width)
    programme.col_lower_, programme.col_upper_ = np.zeros(width), np.zeros(width)
    programme.row_lower_, programme.row_upper_ = low, high
    programme.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    programme.a_matrix_.start_ = rows.indptr
    programme.a_matrix_.index_ = rows.indices
    programme.a_matrix_.value_ = rows.data
    return solver_of(programme)


def _problem(found: str) -> Problem:
    expected = "a programme with an end"
    return Problem(found, expected, "Publish fewer or coarser breakdowns.")

"""The least change of published totals that would leave a reader in enough doubt: where to repair.

Totals that such a perturbation changes are those to suppress, as the truth and the perturbed values
are then both possible.
"""

from __future__ import annotations

import highspy
import numpy as np
from scipy.sparse import csr_array, hstack

from pipeline.disclosure.atoms import IntArray
from pipeline.disclosure.attack import solver_of
from pipeline.disclosure.intervals import STILL
from pipeline.disclosure.primary import FloatArray
from pipeline.errors import DisclosureError, Problem


class Nearest:
    """The least move of atoms by which a target gains 1 and rows, (rows, atoms), do not change.

    min sum |move| + price |change|, where rows may change at a price, (rows,), infinite for must
    not. Always from the truth: the end does not depend on what was asked before.
    """

    def __init__(self, rows: csr_array, price: FloatArray) -> None:
        self._count, self._width = rows.shape
        self._loose = np.flatnonzero(np.isfinite(price))
        slack = csr_array(
            (np.ones(len(self._loose)), (self._loose, np.arange(len(self._loose)))),
            shape=(self._count, len(self._loose)),
        )
        matrix = hstack([rows, -rows, -slack, slack], format="csr")
        programme = highspy.HighsLp()
        programme.num_row_, programme.num_col_ = self._count + 1, matrix.shape[1]
        paid = price[self._loose]
        programme.col_cost_ = np.concatenate([np.ones(2 * self._width), paid, paid])
        programme.col_lower_ = np.zeros(matrix.shape[1])
        programme.col_upper_ = np.full(matrix.shape[1], highspy.kHighsInf)
        still = np.zeros(self._count)
        programme.row_lower_ = np.append(still, 1.0)
        programme.row_upper_ = np.append(still, highspy.kHighsInf)
        programme.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        programme.a_matrix_.start_ = np.append(matrix.indptr, matrix.indptr[-1])
        programme.a_matrix_.index_, programme.a_matrix_.value_ = matrix.indices, matrix.data
        self._solver = solver_of(programme)
        self._columns = np.arange(2 * self._width, dtype=np.int32)

    def move(
        self, target: FloatArray, low: FloatArray, high: FloatArray
    ) -> tuple[FloatArray, FloatArray] | None:
        """Return the move within bounds and the rows' change, or None where there is no such.

        `target`: its factor of each atom, as the bounds (atoms,). Raises `DisclosureError` where
        the solver cannot tell.
        """
        solver, width = self._solver, self._width
        solver.clearSolver()
        most = np.concatenate([high, -low])
        solver.changeColsBounds(len(most), self._columns, np.zeros(len(most)), most)
        place = np.flatnonzero(target).tolist()
        self._aim(place, target)
        solver.run()
        status = solver.getModelStatus()
        self._aim(place, np.zeros(width))
        if status == highspy.HighsModelStatus.kInfeasible:
            return None
        if status != highspy.HighsModelStatus.kOptimal:
            raise DisclosureError(
                Problem(f"the solver ended with {status.name}", "a clear end", "Scale the values.")
            )
        found = np.array(solver.getSolution().col_value)
        move = np.clip(found[:width] - found[width : 2 * width], low, high)
        change = np.zeros(self._count)
        slack = found[2 * width :].reshape(2, -1)
        change[self._loose] = slack[0] - slack[1]
        return np.where(np.abs(move) > STILL, move, 0.0), change

    def release(self, rows: IntArray) -> None:
        """Let some rows that may change do so for nothing from now on."""
        place = np.searchsorted(self._loose, rows)
        columns = 2 * self._width + np.concatenate([place, place + len(self._loose)])
        free = np.zeros(len(columns))
        self._solver.changeColsCost(len(columns), columns.astype(np.int32), free)

    def _aim(self, place: list[int], target: FloatArray) -> None:
        for atom in place:
            self._solver.changeCoeff(self._count, atom, float(target[atom]))
            self._solver.changeCoeff(self._count, self._width + atom, -float(target[atom]))

"""The factors of a calibration, by Newton's method on the dual of the distance."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipeline.survey.arrays import Floats, Ints, cell_sums
from pipeline.survey.distances import Distance
from pipeline.survey.margins import Counts, Total

_DEPENDENT = 1e-10
"""A constraint is a combination of others where no more than this part of it is its own."""
_MET = 1e-11
"""Totals are met if they miss by no more than this part of them (1e-15 is usual)."""
_EXACT = 2e-16
"""No better is possible: rounding."""
_NEAR = 1e-6
"""From here on the step that misses less is taken: the dual no longer shows a difference."""
_STEPS = 200
_HALVINGS = 60
_DAMPING = 1e-13


@dataclass(frozen=True, eq=False)
class System:
    """The totals t = sum(d g x) to meet, for units gathered into m cells with the same x.

    `constraints`: x, shape (m, p); `totals`: t, (p,), with their `names`; `weights`: d, (m,), each
    the sum of its units' weights, positive; `variance`: (m,); `cells`: the cell of each row, (n,).
    """

    names: tuple[str, ...]
    constraints: Floats
    totals: Floats
    weights: Floats
    variance: Floats
    cells: Ints

    @cached_property
    def scale(self) -> Floats:
        """Size of each total, by which it is judged whether it is met, shape (p,)."""
        held = self.weights @ np.abs(self.constraints)
        return np.maximum(np.maximum(np.abs(self.totals), held), np.finfo(float).tiny)

    def misses(self, factors: Floats) -> Floats:
        """By how much the weights miss the totals, t - sum(d g x), shape (p,)."""
        return np.asarray(self.totals - (self.weights * factors) @ self.constraints, dtype=float)


def gather(
    counts: tuple[Counts, ...], totals: tuple[Total, ...], weights: Floats, *extra: Floats
) -> tuple[System, Ints]:
    """Gather the units into cells with equal constraints (and equal `extra` columns, (n,) each).

    The first of `extra` is the variance of the model. Returns the system and a row of each cell.
    """
    used = weights > 0
    cells = np.zeros(len(weights), dtype=np.int64)
    distinct = [
        np.unique(x, return_inverse=True)[1] for x in (*(t.numbers for t in totals), *extra)
    ]
    for codes in [c.codes for c in counts] + distinct:
        pairs = cells[used] * (int(codes.max()) + 1) + codes[used]
        cells[used] = np.unique(pairs, return_inverse=True)[1]
    row = np.flatnonzero(used)[np.unique(cells[used], return_index=True)[1]]
    columns = [np.eye(len(c.keys))[c.codes[row]] for c in counts]
    columns += [t.numbers[row][:, None] for t in totals]
    system = System(
        tuple(name for c in counts for name in c.names) + tuple(t.column for t in totals),
        np.hstack(columns),
        np.concatenate([*(c.counts for c in counts), [t.total for t in totals]]),
        cell_sums(weights[None], cells, len(row))[0],
        extra[0][row],
        cells,
    )
    return system, row


class Solver:
    """Newton's method for the factors g = F(x'b / variance) that meet the totals.

    In coordinates in which the constraints are orthonormal with the weights d / variance, so that
    the matrix of the first step is the identity, whatever the columns' units; what depends on
    other constraints drops out there (Deville and Särndal 1992, 2; Deville, Särndal and Sautory
    1993, Journal of the American Statistical Association 88).
    """

    def __init__(self, system: System) -> None:
        self.system = system
        self._root = np.sqrt(system.weights / system.variance)
        columns = system.constraints * self._root[:, None]
        norms = np.sqrt((columns**2).sum(axis=0))
        self._norms = np.where(norms > 0, norms, 1.0)
        axes, size, mix = np.linalg.svd(columns / self._norms, full_matrices=False)
        kept = size > _DEPENDENT * size.max(initial=0.0)
        self._axes, self._size, self._mix = axes[:, kept], size[kept], mix[kept]

    @property
    def rank(self) -> int:
        """How many constraints are independent."""
        return len(self._size)

    @cached_property
    def beyond(self) -> Floats:
        """What no factors can meet, as totals depend on others that they contradict, (p,)."""
        wanted = self.system.misses(np.ones(len(self._root))) / self._norms
        return np.asarray((wanted - (self._mix @ wanted) @ self._mix) * self._norms, dtype=float)

    def solve(self, distance: Distance) -> Floats | None:
        """The factors, shape (m,), or None where no convergence shows that there are none."""
        with np.errstate(over="ignore", invalid="ignore"):
            return self._solved(distance)

    def _solved(self, distance: Distance) -> Floats | None:
        b = np.zeros(self.rank)
        best: tuple[float, Floats | None] = (np.inf, None)
        for _ in range(_STEPS):
            u = self._argument(b)
            g = distance.factor(u)
            misses = self._misses(g)
            worst = self._worst(misses)
            if worst < best[0]:
                best = worst, g
            if worst <= _EXACT:
                break
            step = self._direction(distance.slope(u), misses)
            moved = self._shortened(distance, b, step, misses)
            if moved is None:
                break
            b = moved
        return best[1] if best[0] <= _MET else None

    def _misses(self, factors: Floats) -> Floats:
        """By how much the totals are missed, less what no factors can meet, (p,)."""
        return np.asarray(self.system.misses(factors) - self.beyond, dtype=float)

    def _argument(self, b: Floats) -> Floats:
        """Arguments u = x'b / variance from the coefficients of the orthonormal columns."""
        root = self._root * self.system.variance
        return np.asarray((self._axes @ b) / root, dtype=float)

    def _reduced(self, misses: Floats) -> Floats:
        """Misses (p,) in the orthonormal coordinates, (r,): less the gradient of the dual."""
        return np.asarray((self._mix @ (misses / self._norms)) / self._size, dtype=float)

    def _direction(self, slope: Floats, misses: Floats) -> Floats:
        """Newton's step. Damped a little: at the bounds the matrix may be singular."""
        matrix = self._axes.T @ (self._axes * slope[:, None])
        damping = _DAMPING * max(float(np.trace(matrix)), 1.0)
        solved = np.linalg.solve(matrix + damping * np.eye(self.rank), self._reduced(misses))
        return np.asarray(solved, dtype=float)

    def _shortened(
        self, distance: Distance, b: Floats, step: Floats, misses: Floats
    ) -> Floats | None:
        """The point after the step, halved until it is better; None if it never is.

        Better is a lower dual, or where it is too flat to tell, smaller misses.
        """
        slope = float(self._reduced(misses) @ step)
        size, level = self._worst(misses), self._dual(distance, b)
        for halving in range(1 if size <= _MET else _HALVINGS):
            share = 0.5**halving
            moved = np.asarray(b + share * step, dtype=float)
            if size > _NEAR and self._dual(distance, moved) <= level - 1e-4 * share * slope:
                return moved
            rest = self._misses(distance.factor(self._argument(moved)))
            if size <= _NEAR and self._worst(rest) < size:
                return moved
        return None

    def _worst(self, misses: Floats) -> float:
        """The largest miss as a part of its total."""
        return float((np.abs(misses) / self.system.scale).max())

    def _dual(self, distance: Distance, b: Floats) -> float:
        """The dual, a convex function of b whose gradient is what the weights exceed the totals by.

        sum(d variance G(u)) - b't, G the integral of F.
        """
        total = self._root**2 * self.system.variance**2 * distance.integral(self._argument(b))
        value = float(total.sum() - b @ self._reduced(self.system.totals))
        return value if np.isfinite(value) else np.inf

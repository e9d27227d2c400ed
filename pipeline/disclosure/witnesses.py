"""Witnesses: other values from which the same would be told, and for whom they prove what safe."""

from __future__ import annotations

import numpy as np

from pipeline.disclosure.plan import PUBLIC, STILL, IntArray, Plan, unit
from pipeline.disclosure.primary import BoolArray, FloatArray

_NEAR = 1e-6
"""A witness may miss what it must reach by this part of it."""


class Proof:
    """Witnesses, and what they prove; `wanted` targets are those still to be proved, (t,).

    `aware`: readers who know a target whatever is suppressed, (t, holdings); it is to be proved for
    the others.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._holding_of = plan.owner[plan.targets.indices[plan.targets.indptr[:-1]]]
        self.asked = np.isfinite(plan.up) | np.isfinite(plan.down)
        self.wanted = self.asked.copy()
        self._suppressed = np.zeros(len(plan.cost), dtype=np.bool_)
        holdings = int(plan.owner.max(initial=-1)) + 1
        self.aware = np.zeros((len(plan.up), holdings), dtype=np.bool_)
        self._reached = np.zeros((0, len(plan.up)), dtype=np.bool_)
        self._touched = np.zeros((0, holdings), dtype=np.bool_)
        self._broken = np.zeros((0, len(plan.cost)), dtype=np.bool_)
        self._holds: BoolArray = np.zeros(0, dtype=np.bool_)
        told, self._size = plan.told, unit(plan.told.values)
        truth, near = told.rows @ told.values, abs(told.rows) @ self._size
        near = _NEAR * np.maximum(near, 1e-9)
        self._low = np.minimum(told.low - truth, 0.0) - near
        self._high = np.maximum(told.high - truth, 0.0) + near

    def add(self, move: FloatArray) -> None:
        """Remember a witness: how far each unknown is moved, (n,); none that breaks public rows."""
        plan = self._plan
        rows = self._broken_rows(move)
        if (rows & (plan.cell == PUBLIC)).any() or not self._believable(move):
            return
        broken = np.zeros((1, len(plan.cost)), dtype=np.bool_)
        broken[0, plan.cell[rows]] = True
        moved = plan.targets @ move
        reached = (moved >= plan.up * (1 - _NEAR)) | (moved <= -plan.down * (1 - _NEAR))
        touched = np.zeros((1, self._touched.shape[1]), dtype=np.bool_)
        touched[0, plan.owner[~self._still(move)]] = True
        self._reached = np.vstack([self._reached, reached[None]])
        self._touched = np.vstack([self._touched, touched])
        self._broken = np.vstack([self._broken, broken])
        self.tell(self._suppressed)

    def tell(self, suppressed: BoolArray) -> None:
        """From now on count witnesses that break no cell but the suppressed, (k,)."""
        self._suppressed = suppressed.copy()
        self._holds = np.asarray(~(self._broken & ~suppressed).any(axis=1), dtype=np.bool_)

    def suspects(self, target: int) -> IntArray | None:
        """Readers for whom no witness proves the target safe; None where there is no witness.

        Not those who are aware of it, and not its own holding.
        """
        witnesses = self._holds & self._reached[:, target]
        if not witnesses.any():
            return None
        common: BoolArray = np.asarray(self._touched[witnesses].all(axis=0), dtype=np.bool_)
        common[self._holding_of[target]] = False
        return np.flatnonzero(common & ~self.aware[target])

    def _broken_rows(self, move: FloatArray) -> BoolArray:
        """Rows that would not have been told so if the truth had been moved so."""
        moved = self._plan.told.rows @ move
        return np.asarray((moved < self._low) | (moved > self._high), dtype=np.bool_)

    def _believable(self, move: FloatArray) -> bool:
        """Whether all values are within what readers believe; the truth itself may not be."""
        told, near = self._plan.told, _NEAR * self._size
        values = told.values + move
        inside = (values >= told.least - near) & (values <= told.most + near)
        return bool((inside | self._still(move)).all())

    def _still(self, move: FloatArray) -> BoolArray:
        return np.asarray(np.abs(move) <= STILL * self._size, dtype=np.bool_)

"""Witnesses: other values from which the same would be told, and for whom they prove what safe."""

from __future__ import annotations

import numpy as np

from pipeline.disclosure.plan import PUBLIC, STILL, IntArray, Plan, unit
from pipeline.disclosure.primary import BoolArray, FloatArray

_NEAR = 1e-6
"""A witness may miss what it must reach by this part of it."""


class Proof:
    """Witnesses, and what they prove; `wanted` targets are those still to be proved, (t,)."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._holding_of = plan.owner[plan.targets.indices[plan.targets.indptr[:-1]]]
        self.asked = np.isfinite(plan.up) | np.isfinite(plan.down)
        self.wanted = self.asked.copy()
        self._moves: list[FloatArray] = []
        self._reached = np.zeros((0, len(plan.up)), dtype=np.bool_)
        self._touched = np.zeros((0, int(plan.owner.max(initial=-1)) + 1), dtype=np.bool_)

    def add(self, move: FloatArray) -> None:
        """Remember a witness: how far each unknown is moved, (n,)."""
        plan = self._plan
        moved = plan.targets @ move
        reached = (moved >= plan.up * (1 - _NEAR)) | (moved <= -plan.down * (1 - _NEAR))
        size = unit(plan.told.values)
        touched = np.zeros((1, self._touched.shape[1]), dtype=np.bool_)
        touched[0, plan.owner[np.abs(move) > STILL * size]] = True
        self._moves.append(move)
        self._reached = np.vstack([self._reached, reached[None]])
        self._touched = np.vstack([self._touched, touched])

    def suspects(self, target: int) -> IntArray | None:
        """Readers for whom no witness proves the target safe; None where there is no witness."""
        return self._common(target, self._reached[:, target])

    def _common(self, target: int, witnesses: BoolArray) -> IntArray | None:
        """Holdings that all these witnesses touch, but for the target's; None without any."""
        if not witnesses.any():
            return None
        common: BoolArray = np.asarray(self._touched[witnesses].all(axis=0), dtype=np.bool_)
        common[self._holding_of[target]] = False
        return np.flatnonzero(common)

    def prune(self, suppressed: BoolArray) -> BoolArray:
        """Tell cells again, the dearest first, while the witnesses prove all targets safe."""
        left = suppressed.copy()
        for cell in np.argsort(-self._plan.cost, kind="stable"):
            if left[cell]:
                left[cell] = False
                left[cell] = not self.holds(left)
        return left

    def holds(self, suppressed: BoolArray) -> bool:
        """Whether witnesses that fulfil all that is told prove every wanted target safe."""
        plan, told = self._plan, self._plan.told
        shown = (plan.cell == PUBLIC) | ~suppressed[plan.cell]
        moves = np.array(self._moves).reshape(len(self._moves), len(told.values))
        values = told.values + moves
        size = unit(told.values)
        inside = (values >= told.least - _NEAR * size) & (values <= told.most + _NEAR * size)
        inside |= np.abs(moves) <= STILL * size  # the truth may lie outside what readers believe
        rows, truth = told.rows[shown], told.rows[shown] @ told.values
        sums = (rows @ moves.T).T
        terms = (abs(rows) @ size)[None]
        below, above = told.low[shown] - truth, told.high[shown] - truth
        near = _NEAR * np.maximum(terms, 1e-9)
        fulfilled = (sums >= np.minimum(below, 0) - near) & (sums <= np.maximum(above, 0) + near)
        valid = inside.all(axis=1) & fulfilled.all(axis=1)
        for target in np.flatnonzero(self.wanted):
            common = self._common(int(target), valid & self._reached[:, target])
            if common is None or len(common):
                return False
        return True

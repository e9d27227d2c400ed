"""Audit and repair of a publication: what must not be told, lest a firm's figure be narrowed down.

The unknowns, and what is told of them, are those of `attack`. A target is safe where, for every
reader, there is a witness: other values that fulfil all that is told, leave what that reader knows
of itself as it is, and move the target as far as it must be protected. A witness serves for many
targets and readers, so few programmes are solved; all witnesses together prove the result, and it
is checked against them without any programme.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array, eye_array, hstack

from pipeline.disclosure.attack import Told, contradictions
from pipeline.disclosure.primary import BoolArray, FloatArray
from pipeline.errors import DisclosureError, Problem

IntArray = NDArray[np.int64]
PUBLIC = -1
"""In place of a cell: a row that everybody knows."""
_NEAR = 1e-6
"""A witness may miss what it must reach by this part of it."""
_STILL = 1e-7
"""A value that moves by no more than this part of itself has not moved."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What is planned to be told of n unknowns, and whom it must not give away.

    `told`: the unknowns and m rows about them; `cell`: the cell that each row is part of, or
    `PUBLIC`, (m,); `cost`: of suppressing each of k cells, (k,), infinite where it was told before.
    `owner`: the holding of each unknown, numbered from 0, (n,). Targets are sums of unknowns of one
    holding, (t, n); each must be thought to be larger by `up` or smaller by `down`, (t,): one of
    the two is enough, and infinite where it cannot be.
    """

    told: Told
    cell: IntArray
    cost: FloatArray
    owner: IntArray
    targets: csr_array
    up: FloatArray
    down: FloatArray


class Repaired(NamedTuple):
    """Cells to suppress, (k,), and what the audit did.

    `known`: targets that no suppression protects, (t,): bounds that everybody knows, or cells told
    before, give them away. `attacks`: pairs of target and reader; `solves`: programmes solved.
    """

    suppressed: BoolArray
    known: BoolArray
    attacks: int
    solves: int


def repair(plan: Plan) -> Repaired:
    """Suppress cells until every target is safe from an outsider and from every other holding.

    First for halves of the holdings, as many of whose values are moved at once as can be while the
    other half stays; each two holdings are in different halves once and once the other way round.
    Then target by target, with as few values moved as can be, for all readers at once that are
    left, or for half of them, until one is left for whom it cannot be done. Then the cells are
    suppressed that a cheapest perturbation touches (least weighted sum of the rows' violations),
    and at last told again, the dearest first, where the witnesses allow. Raises `DisclosureError`
    where the truth contradicts what is told, where a programme has no clear end, and where the
    witnesses do not prove the result.
    """
    if len(contradictions(plan.told)):
        raise DisclosureError(_problem("true values that do not fulfil what is told"))
    programme, proof = _Programme(plan), _Proof(plan)
    count = int(plan.owner.max(initial=-1)) + 1
    for half in _halves(count):
        proof.add(programme.move_many(half[plan.owner]))
    for target in np.flatnonzero(proof.wanted):
        _prove(int(target), programme, proof)
    left = proof.prune(programme.suppressed)
    if not proof.holds(left):
        raise DisclosureError(_problem("a target without a witness"))
    known = proof.asked & ~proof.wanted
    return Repaired(left, known, int(proof.wanted.sum()) * count, programme.solves)


def _prove(target: int, programme: _Programme, proof: _Proof) -> None:
    """Find witnesses for a target and all readers, or suppress what is in the way."""
    while (readers := proof.suspects(target)) is None or len(readers):
        while True:
            moved = programme.move(target, readers)
            if moved is not None or readers is None or len(readers) == 1:
                break
            readers = readers[: len(readers) // 2]
        if moved is None:
            moved = programme.force(target, readers)
        if moved is None:
            proof.wanted[target] = False
            return
        proof.add(moved)


def _halves(count: int) -> Iterator[BoolArray]:
    """Halves of the holdings by each binary digit of their numbers, and the other halves."""
    numbers = np.arange(count)
    for digit in range(max(count - 1, 1).bit_length()):
        half = (numbers >> digit & 1).astype(np.bool_)
        yield half
        yield ~half


class _Proof:
    """Witnesses, and what they prove; `wanted` targets are those still to be proved, (t,)."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._holding_of = np.asarray(
            [plan.owner[plan.targets[[t]].indices[0]] for t in range(plan.targets.shape[0])],
            dtype=np.int64,
        )
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
        size = _unit(plan.told.values)
        touched = np.zeros((1, self._touched.shape[1]), dtype=np.bool_)
        touched[0, plan.owner[np.abs(move) > _STILL * size]] = True
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
        size = _unit(told.values)
        inside = (values >= told.least - _NEAR * size) & (values <= told.most + _NEAR * size)
        inside |= np.abs(moves) <= _STILL * size  # the truth may lie outside what readers believe
        rows, truth = told.rows[shown], told.rows[shown] @ told.values
        sums = (rows @ moves.T).T
        terms = (abs(rows) @ np.abs(told.values))[None]
        below, above = told.low[shown] - truth, told.high[shown] - truth
        near = _NEAR * np.maximum(terms, 1e-9)
        fulfilled = (sums >= np.minimum(below, 0) - near) & (sums <= np.maximum(above, 0) + near)
        valid = inside.all(axis=1) & fulfilled.all(axis=1)
        for target in np.flatnonzero(self.wanted):
            common = self._common(int(target), valid & self._reached[:, target])
            if common is None or len(common):
                return False
        return True


class _Programme:
    """The readers' programme in moves from the truth, up and down, in units of the true value."""

    def __init__(self, plan: Plan) -> None:
        told = plan.told
        self._plan = plan
        self._unit = _unit(told.values)
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
        self.suppressed = np.zeros(len(plan.cost), dtype=np.bool_)
        self.solves = 0
        self._highs = _solver(self._rows, self._low, self._high)

    def move_many(self, frozen: BoolArray) -> FloatArray:
        """Move as many targets as far as they must be as can be, some values frozen."""
        gain, most = np.zeros(2 * len(self._unit)), self._most.copy()
        for target in np.flatnonzero(np.diff(self._targets.indptr) == 1):
            # A target that may go both ways goes up or down by turns.
            ways = self._ways(int(target))
            for column, way in ways[target % len(ways)] if ways else ():
                gain[column], most[column] = 1 / way, min(most[column], way)
        still = np.tile(frozen, 2)
        most[still], gain[still] = 0.0, 0.0
        moved = self._solve(self._highs, -gain, np.zeros(len(most)), most)
        if moved is None:
            raise DisclosureError(_problem("a programme without an end"))
        return moved

    def move(self, target: int, readers: IntArray | None) -> FloatArray | None:
        """Move a target as far as it must be and as little else as can be; None if it cannot be."""
        for way in self._ways(target):
            least, most = np.zeros(len(self._most)), self._most_for(readers)
            self._send(way, least, most)
            if (least <= most).all():
                moved = self._solve(self._highs, np.ones(len(most)), least, most)
                if moved is not None:
                    return moved
        return None

    def force(self, target: int, readers: IntArray | None) -> FloatArray | None:
        """Move a target as far as it needs; suppress what that touches, None where it cannot be."""
        plan = self._plan
        cost = np.where(plan.cell == PUBLIC, np.inf, plan.cost[plan.cell])
        shown = np.flatnonzero((plan.cell == PUBLIC) | ~self.suppressed[plan.cell])
        loose = shown[np.isfinite(cost[shown])]
        slack = eye_array(len(plan.cell), format="csr")[:, loose]
        wide = csr_array(hstack([self._rows, slack, -slack], format="csr")[shown])
        highs = _solver(wide, self._low[shown], self._high[shown])
        price = np.concatenate([np.zeros(len(self._most)), cost[loose], cost[loose]])
        best: tuple[float, FloatArray, IntArray] | None = None
        for way in self._ways(target):
            least, most = np.zeros(len(price)), np.full(len(price), np.inf)
            most[: len(self._most)] = self._most_for(readers)
            self._send(way, least, most)
            if (least > most).any():
                continue
            columns = self._columns(highs, price, least, most)
            if columns is None or (best is not None and price @ columns >= best[0]):
                continue
            touched = columns[len(self._most) :].reshape(2, -1).sum(axis=0) > _STILL
            moved = self._moved(columns[: len(self._most)])
            best = float(price @ columns), moved, np.unique(plan.cell[loose[touched]])
        if best is None:
            return None
        self.suppressed[best[2]] = True
        for row in np.flatnonzero(np.isin(plan.cell, best[2])):
            self._highs.changeRowBounds(int(row), -np.inf, np.inf)
        return best[1]

    def _ways(self, target: int) -> list[list[tuple[int, float]]]:
        """Columns of a target's parts with how far each is moved, up and down."""
        row, n = self._targets[[target]], len(self._unit)
        total, plan = float(row.data.sum()), self._plan
        return [
            [(int(place) + side * n, float(need / total)) for place in row.indices]
            for side, need in enumerate((plan.up[target], plan.down[target]))
            if np.isfinite(need)
        ]

    def _send(self, way: list[tuple[int, float]], least: FloatArray, most: FloatArray) -> None:
        """Have columns moved so far, in place, and not back by their opposite ones."""
        for column, length in way:
            least[column] = length
            most[(column + len(self._unit)) % len(self._most)] = 0.0

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
        highs.run()
        self.solves += 1
        status = highs.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            return None
        if status != highspy.HighsModelStatus.kOptimal:
            raise DisclosureError(_problem(f"a programme that ended with {status.name}"))
        return np.array(highs.getSolution().col_value, dtype=np.float64)


def _unit(values: FloatArray) -> FloatArray:
    """In what moves of each value are measured: the value itself, 1 for none."""
    return np.where(values != 0, np.abs(values), 1.0)


def _solver(rows: csr_array, low: FloatArray, high: FloatArray) -> highspy.Highs:
    """A programme of rows between bounds; one thread, no presolve: the same end on every run."""
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
    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    for option, value in (("output_flag", False), ("threads", 1), ("presolve", "off")):
        highs.setOptionValue(option, value)
    highs.passModel(programme)
    return highs


def _problem(found: str) -> Problem:
    expected = "a witness for every target: other values that fulfil all that is told"
    return Problem(found, expected, "Publish fewer or coarser breakdowns.")

"""Whether every reader of published totals is in enough doubt about every holding: an audit.

The attacker's programme over atoms (see `atoms`) asks how far a target can be from the truth. One
answer serves many questions: a move of the atoms that changes nothing published is a witness for
every target that gains by it, and for every reader as far as its own figures let it follow.
"""

from __future__ import annotations

from typing import NamedTuple

import highspy
import numpy as np
from scipy.sparse import csr_array, eye_array

from pipeline.disclosure.atoms import IntArray, Parts, Readers, Targets
from pipeline.disclosure.attack import solved, solver_of
from pipeline.disclosure.elimination import PRIME, keep
from pipeline.disclosure.primary import BoolArray, FloatArray
from pipeline.errors import DisclosureError, Problem

FARTHEST = 1e4
"""No atom moves further, in units of the need: so every programme has an end."""
STILL = 1e-9
"""What moves by less, in units of the need, does not."""
SAME = 1e-8
"""A published total that a move changes by less, in units of its need, stays the same."""
_LEAST_GAIN = 1e-2
"""Who gains less, in units of the need, needs a move of its own: this one's errors would count."""
_PRIMAL = 4
"""HiGHS's number of the primal simplex, which begins at the truth and never leaves what is told."""
_SMALL = 2**15
"""Largest numerator of a fraction; two that are smaller stand for different residues."""
_ENOUGH = 1 - 2e-6
"""The part of its need that a target must gain; solvers come this close."""


class Exposed(NamedTuple):
    """A target that a reader knows too closely, by number."""

    target: int
    reader: int


class Audit:
    """Readers, targets, and the witnesses found so far, all of which fulfil what is published."""

    def __init__(self, member: csr_array, parts: Parts, readers: Readers, targets: Targets) -> None:
        self.solves, self.targets = 0, targets
        self._member, self._readers = member, readers
        self._total = parts.value[parts.start] + parts.rest
        self._witnesses = _Witnesses(
            len(self._total), targets.rows.shape[0], len(readers.start) + 1
        )

    def findings(self, published: BoolArray) -> list[Exposed]:
        """List the targets that are known too closely, each with one reader that does."""
        rows = self._member[np.flatnonzero(published)]
        self._witnesses.retain(~self._witnesses.changed_by(rows))
        system = _System(rows)
        found = []
        for target in range(len(self.targets.default)):
            reader = self._exposed(target, system)
            if reader is not None:
                found.append(Exposed(target, reader))
        return found

    def is_exposed(self, finding: Exposed) -> bool:
        """Say whether there is still no witness for a finding."""
        return bool(np.isin(finding.reader, self._open(finding.target)))

    def condense(self) -> None:
        """Forget witnesses that are not needed, as long as each target has what its readers need.

        Those with the fewest come first, and take of others' choices what they can.
        """
        kept = self._witnesses.none()
        for target in np.argsort(self._witnesses.helpers(), kind="stable").tolist():
            self._witnesses.choose(target, self.targets.need(target) * _ENOUGH, kept)
        self._witnesses.retain(kept)

    def admits(self, row: csr_array) -> bool:
        """Say whether a further published total, (1, atoms), leaves all witnesses as they are."""
        return not self._witnesses.changed_by(row).any()

    def protection(self) -> float:
        """Return by how many per cent more than p everyone must overestimate a value at least.

        Of the values that somebody must be left in doubt about, and as far as witnesses show: the
        true range may be wider. Infinite where there are none.
        """
        least = np.inf
        for target in np.flatnonzero(np.isfinite(self.targets.size)).tolist():
            need = self.targets.need(target)
            above = (self._witnesses.gain(target) - need)[np.isfinite(need)].min()
            least = min(least, 100 * float(above) / float(self.targets.size[target]))
        return least

    def bounds(self, readers: IntArray, unit: float) -> tuple[FloatArray, FloatArray]:
        """How far down and up each atom can be for one who knows what all the readers do.

        In units; down is negative.
        """
        asked = np.zeros(len(self._readers.start) + 1, dtype=np.bool_)
        asked[readers] = True
        place = np.flatnonzero(asked[self._readers.of_entry()])
        atom, alone = self._readers.atom[place], self._readers.alone[place]
        low, high = self._total.copy(), np.full(len(self._total), FARTHEST)
        np.minimum.at(low, atom, self._readers.room[place])
        high[atom[alone]] = 0.0
        return -np.minimum(low / unit, FARTHEST), high

    def remember(self, move: FloatArray, unit: float) -> None:
        """Keep a move of the atoms, in units, as a witness."""
        move = np.where(np.abs(move) > STILL, move, 0.0)
        gain = self.targets.rows @ move
        gain = np.where(gain >= _LEAST_GAIN, gain, 0.0)
        self._witnesses.add(move, gain * unit, self._reach(move * unit))

    def _exposed(self, target: int, system: _System) -> int | None:
        """A reader of whom all attempts to find a witness fail.

        At first for all readers at once, as if they told each other everything; where that is too
        much, for fewer and fewer.
        """
        need = self.targets.need(target)
        row = self.targets.rows[[target]].toarray().ravel()
        remaining = self._open(target)
        while len(remaining):
            group = remaining
            while True:
                unit = float(need[group].max())
                move = system.farthest(row, *self.bounds(group, unit))
                self.solves += 1
                if row @ move >= _ENOUGH:
                    break
                if len(group) == 1:
                    return int(group[0])
                group = group[:1] if group[0] == 0 else group[: len(group) // 2]
            self.remember(move, unit)
            remaining = self._open(target)
        return None

    def _open(self, target: int) -> IntArray:
        """Readers for whom no witness is at hand."""
        need = self.targets.need(target)
        gain = self._witnesses.gain(target)
        return np.flatnonzero((need > 0) & (gain < need * _ENOUGH))

    def _reach(self, move: FloatArray) -> FloatArray:
        """How many times the move each reader can hold possible."""
        reach = np.full(len(self._readers.start) + 1, _times(self._total, move).min())
        if len(self._readers.start):
            moved = move[self._readers.atom]
            times = _times(self._readers.room, moved)
            times[self._readers.alone & (moved != 0)] = 0.0
            reach[1:] = np.minimum(reach[1:], np.minimum.reduceat(times, self._readers.start))
        return reach


class _Witnesses:
    """Moves of atoms in units of their needs, what targets gain by them, how far readers follow."""

    def __init__(self, atoms: int, targets: int, readers: int) -> None:
        self._count = 0
        self._moves = np.zeros((16, atoms))
        self._gains = np.zeros((16, targets))
        self._reach = np.zeros((16, readers))

    def add(self, move: FloatArray, gain: FloatArray, reach: FloatArray) -> None:
        if self._count == len(self._moves):
            self._moves, self._gains, self._reach = (
                np.vstack([kept, np.zeros_like(kept)])
                for kept in (self._moves, self._gains, self._reach)
            )
        self._moves[self._count] = move
        self._gains[self._count] = gain
        self._reach[self._count] = reach
        self._count += 1

    def gain(self, target: int) -> FloatArray:
        """What a target gains at most, by reader."""
        place = np.flatnonzero(self._gains[: self._count, target])
        gains = self._gains[place, target][:, None] * self._reach[place]
        most: FloatArray = gains.max(axis=0, initial=0.0)
        return most

    def none(self) -> BoolArray:
        """Choose nothing."""
        return np.zeros(self._count, dtype=np.bool_)

    def helpers(self) -> IntArray:
        """By how many of the moves each target gains."""
        return np.asarray((self._gains[: self._count] > 0).sum(axis=0), dtype=np.int64)

    def choose(self, target: int, need: FloatArray, chosen: BoolArray) -> None:
        """Choose further moves, in place, until the target gains what each reader needs.

        As far as it can: one by one what serves most readers that are not served yet.
        """
        place = np.flatnonzero(self._gains[: self._count, target])
        asked = np.flatnonzero(need > 0)
        times = need[asked] / self._gains[place, target][:, None]
        meets = self._reach[place][:, asked] >= times
        missing = ~meets[chosen[place]].any(axis=0)
        while missing.any():
            served = meets[:, missing].sum(axis=1)
            best = int(served.argmax()) if len(served) else -1
            if best < 0 or served[best] == 0:
                return
            chosen[place[best]] = True
            missing &= ~meets[best]

    def changed_by(self, rows: csr_array) -> BoolArray:
        """Which moves change any of the sums."""
        if rows.shape[0] == 0:
            return np.zeros(self._count, dtype=np.bool_)
        change = np.abs(rows @ self._moves[: self._count].T).max(axis=0)
        return np.asarray(change > SAME)

    def retain(self, kept: BoolArray) -> None:
        place = np.flatnonzero(kept)
        for stored in (self._moves, self._gains, self._reach):
            stored[: len(place)] = stored[place]
        self._count = len(place)


def _times(room: FloatArray, move: FloatArray) -> FloatArray:
    """How often a move goes down into the room there is."""
    times = np.full(len(move), FARTHEST)
    down = move < 0
    times[down] = np.minimum(room[down] / -move[down], FARTHEST)
    return times


class _System:
    """The moves of atoms that published totals, (rows, atoms), allow: all of `free` few ones.

    Elimination leaves for each atom a sum of a few others by which it moves. Far fewer are free
    than there are rows, and the truth is where none has moved: each programme begins there.
    """

    def __init__(self, rows: csr_array) -> None:
        self._by_free = _by_free_atoms(rows)
        self._columns = np.arange(self._by_free.shape[1], dtype=np.int32)
        self._rows = np.arange(rows.shape[1], dtype=np.int32)
        programme = highspy.HighsLp()
        programme.num_row_, programme.num_col_ = self._by_free.shape
        programme.col_cost_ = np.zeros(len(self._columns))
        programme.col_lower_ = np.full(len(self._columns), -highspy.kHighsInf)
        programme.col_upper_ = np.full(len(self._columns), highspy.kHighsInf)
        programme.row_lower_ = programme.row_upper_ = np.zeros(len(self._rows))
        programme.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        programme.a_matrix_.start_ = self._by_free.indptr
        programme.a_matrix_.index_ = self._by_free.indices
        programme.a_matrix_.value_ = self._by_free.data
        self._solver = solver_of(programme)
        self._solver.setOptionValue("simplex_strategy", _PRIMAL)

    def farthest(self, target: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
        """Move the atoms within bounds so that a sum of them rises most; all (atoms,)."""
        solver = self._solver
        if not len(self._columns):
            return np.zeros(len(low))
        solver.clearSolver()
        aim = -(target @ self._by_free)
        solver.changeColsCost(len(aim), self._columns, aim)
        solver.changeRowsBounds(len(low), self._rows, low, high)  # type: ignore[attr-defined]
        if not solved(solver):
            raise DisclosureError(_unclear("a programme without end"))
        move = self._by_free @ np.array(solver.getSolution().col_value)
        return np.asarray(np.clip(move, low, high), dtype=np.float64)


def _by_free_atoms(rows: csr_array) -> csr_array:
    """Every move of atoms that leaves the sums as they are, by the moves of some: (atoms, free).

    Raises `DisclosureError` where the factors are no fractions of small numbers.
    """
    width = rows.shape[1]
    by_size = csr_array(rows[np.argsort(np.diff(rows.indptr), kind="stable")].astype(np.int64))
    every = csr_array(eye_array(width, format="csr").astype(np.int64))
    left = keep(by_size, every[[]], every)[1]
    atom = np.repeat(np.arange(width), [len(row) for row in left])
    free = np.array([other for row in left for other in row], dtype=np.int64)
    factor = np.array([_fraction(value) for row in left for value in row.values()], dtype=float)
    free = np.unique(free, return_inverse=True)[1].ravel()
    found = csr_array((factor, (atom, free)), shape=(width, int(free.max(initial=-1)) + 1))
    if np.abs((rows @ found).data).max(initial=0.0) > SAME:
        raise DisclosureError(_unclear("factors that are no simple fractions"))
    return found


def _fraction(value: int) -> float:
    """The fraction of small numbers that a residue stands for (Wang 1981)."""
    before, now, denominators = PRIME, value, (0, 1)
    while now > _SMALL:
        quotient = before // now
        before, now = now, before - quotient * now
        denominators = denominators[1], denominators[0] - quotient * denominators[1]
    return now / denominators[1]


def _unclear(found: str) -> Problem:
    return Problem(found, "a clear end of each programme", "Scale the values, or publish less.")

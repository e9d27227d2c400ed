"""Audit and repair of a publication: what must not be told, lest a firm's figure be narrowed down.

A target is safe where, for every reader, there is a witness: other values that fulfil all that is
told, leave what that reader knows of itself as it is, and move the target as far as it must be
protected. A witness serves for many targets and readers, so few programmes are solved; all
witnesses together prove the result, and it is checked against them without any programme.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.sparse import block_array, csr_array, diags_array, vstack
from scipy.sparse.csgraph import connected_components

from pipeline.disclosure.attack import Told, contradictions
from pipeline.disclosure.plan import PUBLIC, IntArray, Plan
from pipeline.disclosure.primary import BoolArray, FloatArray
from pipeline.disclosure.programme import Programme
from pipeline.disclosure.witnesses import Proof
from pipeline.errors import DisclosureError, Problem


class Repaired(NamedTuple):
    """Cells to suppress, (k,), and what the audit did.

    `because`: a target that each suppressed cell would give away, (k,), -1 for the others. `known`:
    targets that no suppression protects from all readers, (t,): bounds that everybody knows, or
    cells told before, give them away to some or to all. `attacks`: pairs of target and reader;
    `solves`: programmes solved. `smallest`: the least room that an outsider sees for the largest
    unknown of a row, as a multiple of what it needs, at most 10; NaN without any.
    """

    suppressed: BoolArray
    because: IntArray
    known: BoolArray
    attacks: int
    solves: int
    smallest: float


def repair(plan: Plan) -> Repaired:
    """Suppress cells until every target is safe from an outsider and from every other holding.

    First for halves of the holdings, as many of whose values are moved at once as can be while the
    other half stays; each two holdings are in different halves once and once the other way round.
    Then target by target, with as few values moved as can be, for all readers at once that are
    left, or for half of them, until one is left for whom it cannot be done. Then the cells are
    suppressed that a cheapest perturbation touches (least weighted sum of the rows' violations),
    and at last told again, the dearest first, where witnesses can be found all the same. Raises
    `DisclosureError` where the truth contradicts what is told, where a programme has no clear end,
    and where the witnesses do not prove the result.
    """
    if len(contradictions(plan.told)):
        raise DisclosureError(_problem("true values that do not fulfil what is told"))
    suppressed = np.zeros(len(plan.cost), dtype=np.bool_)
    because = np.full(len(plan.cost), -1, dtype=np.int64)
    known = np.zeros(len(plan.up), dtype=np.bool_)
    attacks, solves, smallest = 0, 0, np.nan
    for part, targets in _parts(plan):
        found = _repaired(part)
        suppressed |= found.suppressed
        because[found.suppressed] = targets[found.because[found.suppressed]]
        known[targets] = found.known
        attacks, solves = attacks + found.attacks, solves + found.solves
        smallest = np.fmin(smallest, found.smallest)
    return Repaired(suppressed, because, known, attacks, solves, float(smallest))


def _parts(plan: Plan) -> Iterator[tuple[Plan, IntArray]]:
    """Plans that have no row or target in common, and the numbers of their targets."""
    told, ties = plan.told, vstack([plan.told.rows, plan.targets], format="csr")
    graph = block_array([[None, ties], [ties.T, None]], format="csr")
    _, part = connected_components(graph, directed=False)
    of_row, of_target, of_value = np.split(part, np.cumsum([len(told.low), len(plan.up)]))
    for number in np.unique(of_value):
        values, rows = np.flatnonzero(of_value == number), np.flatnonzero(of_row == number)
        targets = np.flatnonzero(of_target == number)
        if not (np.isfinite(plan.up[targets]) | np.isfinite(plan.down[targets])).any():
            continue
        ends = told.low[rows], told.high[rows], told.least[values], told.most[values]
        yield (
            Plan(
                Told(told.values[values], csr_array(told.rows[rows][:, values]), *ends),
                plan.cell[rows],
                plan.cost,
                np.unique(plan.owner[values], return_inverse=True)[1].astype(np.int64),
                csr_array(plan.targets[targets][:, values]),
                plan.up[targets],
                plan.down[targets],
            ),
            targets,
        )


def _repaired(plan: Plan) -> Repaired:
    """The same of a plan all of which hangs together."""
    programme, proof = Programme(plan), Proof(plan)
    count = int(plan.owner.max(initial=-1)) + 1
    for half in _halves(count):
        proof.add(programme.move_many(half[plan.owner]))
    for target in np.flatnonzero(proof.wanted):
        _prove(int(target), programme, proof)
    because = _tell_again(plan, programme, proof)
    left = programme.suppressed
    if any(_is_left(proof.suspects(int(target))) for target in np.flatnonzero(proof.wanted)):
        raise DisclosureError(_problem("a target without a witness"))
    rooms = [programme.room(target) for target in _largest(plan, left) if proof.wanted[target]]
    smallest = min(rooms, default=np.nan)
    known = (proof.asked & ~proof.wanted) | proof.aware.any(axis=1)
    attacks = int(proof.wanted.sum()) * count - int(proof.aware.sum())
    return Repaired(left, because, known, attacks, programme.solves, smallest)


def _largest(plan: Plan, suppressed: BoolArray) -> list[int]:
    """Targets that are the largest unknown in a row that is told."""
    rows = plan.told.rows[(plan.cell != PUBLIC) & ~suppressed[plan.cell]]
    size = csr_array(abs(rows) @ diags_array(np.abs(plan.told.values)))
    columns = {
        int(size.indices[start + np.argmax(size.data[start:end])])
        for start, end in pairwise(size.indptr)
        if end > start
    }
    # An unknown may be two targets: the first is that it is larger.
    alone = np.flatnonzero(np.diff(plan.targets.indptr) == 1)[::-1]
    targets = dict(zip(plan.targets.indices[plan.targets.indptr[alone]], alone, strict=True))
    return sorted(int(targets[column]) for column in columns if column in targets)


def _prove(target: int, programme: Programme, proof: Proof) -> None:
    """Find witnesses for a target and all readers, or suppress what is in the way.

    Where nothing that may be suppressed is, one reader knows it, or everybody.
    """
    while _is_left(readers := _seek(target, programme, proof)):
        moved = programme.force(target, readers)
        if moved is not None:
            proof.tell(programme.suppressed)
            _add(moved, target, readers, proof)
        elif readers is None:
            proof.wanted[target] = False
            return
        else:
            proof.aware[target, readers] = True


def _tell_again(plan: Plan, programme: Programme, proof: Proof) -> IntArray:
    """Tell cells again, the dearest first, where every target stays safe; a target of the others.

    Returns for each cell, (k,), the first target found that it would give away.
    """
    because = np.full(len(plan.cost), -1, dtype=np.int64)
    suppressed = programme.suppressed
    for cell in np.argsort(-plan.cost, kind="stable"):
        if not suppressed[cell]:
            continue
        less = suppressed.copy()
        less[cell] = False
        programme.tell(less)
        proof.tell(less)
        wanted = (int(target) for target in np.flatnonzero(proof.wanted))
        given_away = (t for t in wanted if _is_left(_seek(t, programme, proof)))
        because[cell] = next(given_away, -1)
        if because[cell] < 0:
            suppressed = less
    programme.tell(suppressed)
    proof.tell(suppressed)
    return because


def _seek(target: int, programme: Programme, proof: Proof) -> IntArray | None:
    """Find witnesses for a target; the readers who have none (see `Proof.suspects`) in the end."""
    while _is_left(readers := proof.suspects(target)):
        while (moved := programme.move(target, readers)) is None:
            if readers is None or len(readers) == 1:
                return readers
            readers = readers[: len(readers) // 2]
        _add(moved, target, readers, proof)
    return readers


def _is_left(readers: IntArray | None) -> bool:
    """Whether there is a reader without a witness."""
    return readers is None or len(readers) > 0


def _add(moved: FloatArray, target: int, readers: IntArray | None, proof: Proof) -> None:
    """Remember a witness that must prove the target safe from these readers."""
    proof.add(moved)
    left = proof.suspects(target)
    if left is None or (readers is not None and np.isin(readers, left).any()):
        raise DisclosureError(_problem("a programme's end that is no witness"))


def _halves(count: int) -> Iterator[BoolArray]:
    """Halves of the holdings by each binary digit of their numbers, and the other halves."""
    numbers = np.arange(count)
    for digit in range(max(count - 1, 1).bit_length()):
        half = (numbers >> digit & 1).astype(np.bool_)
        yield half
        yield ~half


def _problem(found: str) -> Problem:
    expected = "a witness for every target: other values that fulfil all that is told"
    return Problem(found, expected, "Publish fewer or coarser breakdowns.")

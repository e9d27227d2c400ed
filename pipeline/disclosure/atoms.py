"""Who could learn of whom in tables of totals: atoms, readers, and the doubt that they must be in.

An atom is the set of firms that are in the same cells. Readers see sums of atoms at most; whoever
is in an atom may be all of it but for what the reader itself has there. So the attacker's
programme needs one unknown for each atom, and not one for each firm.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from pipeline.disclosure.primary import BoolArray, FloatArray, Rules

IntArray = NDArray[np.int64]

_NOTHING = 1e-7
"""A need of no more than this part of the value is none."""


@dataclass(frozen=True, eq=False)
class Parts:
    """What each holding has in each atom, ordered by atom, the largest first; all (parts,).

    `start`: where each atom begins, (atoms,); `count`: how many holdings are in it; `rest`: what
    the others than the largest have in it, summed directly, as a difference would lose it.
    """

    holding: IntArray
    atom: IntArray
    value: FloatArray
    start: IntArray
    count: IntArray
    rest: FloatArray

    def is_first(self) -> BoolArray:
        """Whether a part is the largest of its atom."""
        return np.asarray(np.arange(len(self.atom)) == self.start[self.atom])

    def others(self) -> FloatArray:
        """What all others have in the atom of each part."""
        total = self.value[self.start] + self.rest
        return np.where(self.is_first(), self.rest[self.atom], total[self.atom] - self.value)

    def is_single(self) -> BoolArray:
        """Whether the holding of each part is in no other atom."""
        return np.asarray(np.bincount(self.holding)[self.holding] == 1)


class Readers(NamedTuple):
    """Readers and what they know: the outsider, and holdings that know their parts.

    The outsider is number 0 and has none. `start`: where each other one's parts begin in `atom`,
    `value` and `room`, what others have there: by how much it can hold the atom to be smaller.
    `alone`: nobody else is there, so it knows the atom. `of_part`: the reader of each part, or -1.
    """

    start: IntArray
    atom: IntArray
    value: FloatArray
    room: FloatArray
    alone: BoolArray
    of_part: IntArray

    def of_entry(self) -> IntArray:
        """Say whose each of the known parts is."""
        return np.cumsum(np.bincount(self.start, minlength=len(self.atom)))


class Targets(NamedTuple):
    """Sums of atoms, (t, atoms), -1 where a fall counts, that readers must hold possible to rise.

    `default`: by how much for readers with no part in it; `needs`, (t, readers), what holds instead
    for others; -inf for none, as for any need that is not above 0. `size`: the value protected,
    nan where the need is not p % of one.
    """

    rows: csr_array
    default: FloatArray
    needs: csr_array
    size: FloatArray

    def need(self, target: int) -> FloatArray:
        """The need of each reader, (readers,)."""
        found = np.full(self.needs.shape[1], self.default[target])
        begin, end = self.needs.indptr[target : target + 2]
        found[self.needs.indices[begin:end]] = self.needs.data[begin:end]
        return found


def atoms_of(cells: csr_array) -> tuple[csr_array, IntArray]:
    """Merge firms that are in the same cells: cells x atoms, and the atom of each firm.

    -1 for firms that are in no cell. Atoms are ordered by their cells, whatever the order of firms.
    """
    columns = cells.T.tocsr()
    columns.sort_indices()
    ends, rows = columns.indptr, columns.indices.astype(">i8")
    keys = [rows[ends[i] : ends[i + 1]].tobytes() for i in range(columns.shape[0])]
    number = {key: i for i, key in enumerate(sorted({key for key in keys if key}))}
    of_firm = np.array([number.get(key, -1) for key in keys], dtype=np.int64)
    found = [np.frombuffer(key, dtype=">i8").astype(np.int64) for key in number]
    places = np.concatenate([np.zeros(0, dtype=np.int64), *found])
    atom = np.repeat(np.arange(len(found)), [len(place) for place in found])
    shape = (cells.shape[0], len(found))
    return csr_array((np.ones(len(places)), (places, atom)), shape=shape), of_firm


def parts_of(of_firm: IntArray, values: FloatArray, holdings: NDArray[Any]) -> Parts:
    """Sum the values of each holding in each atom; in an order of their own, not of the firms."""
    inside = of_firm >= 0
    label = np.unique(holdings, return_inverse=True)[1].ravel()[inside].astype(np.int64)
    atom, value = of_firm[inside], values[inside]
    order = np.lexsort((value, label, atom))
    atom, label, value = atom[order], label[order], value[order]
    new = np.diff(atom, prepend=-1).astype(bool) | np.diff(label, prepend=-1).astype(bool)
    begin = np.flatnonzero(new)
    total = np.add.reduceat(value, begin) if len(begin) else value
    atom, label = atom[begin], label[begin]
    order = np.lexsort((label, -total, atom))
    atom, label, total = atom[order], label[order], total[order]
    start = np.flatnonzero(np.diff(atom, prepend=-1))
    below = total.copy()
    below[start] = 0.0
    rest = np.add.reduceat(below, start) if len(start) else below
    return Parts(label, atom, total, start, np.diff(np.append(start, len(atom))), rest)


def readers_of(parts: Parts) -> Readers:
    """List readers such that whoever is left out knows no more than one of them.

    All holdings with parts in several atoms, and the largest of the others in each atom.
    """
    single = parts.is_single()
    place = np.flatnonzero(single)
    largest = place[np.diff(parts.atom[place], prepend=-1) > 0]
    several = np.flatnonzero(~single)
    several = several[np.argsort(parts.holding[several], kind="stable")]
    chosen = np.concatenate([largest, several])
    holding = parts.holding[chosen]
    is_new = np.diff(holding, prepend=-1) != 0
    of_part = np.full(len(parts.atom), -1)
    of_part[chosen] = np.cumsum(is_new)
    alone = parts.count[parts.atom[chosen]] == 1
    known = (parts.atom[chosen], parts.value[chosen], parts.others()[chosen], alone)
    return Readers(np.flatnonzero(is_new), *known, of_part)


class _Need(NamedTuple):
    """One target: atoms and sign, what it protects, and who needs to be in how much doubt."""

    atoms: IntArray
    sign: float
    size: float
    default: float
    others: dict[int, float]


def targets_of(member: csr_array, parts: Parts, readers: Readers, rules: Rules) -> Targets:
    """List what must be in doubt, and for whom; `member`: cells x atoms.

    The largest holding of each atom that is not the reader; each holding in several atoms by the
    sum of its parts in a cell, and of all. Upwards by p %; where it is alone, downwards too. A sum
    that n holdings dominate, cell or atom, must rise for the outsider until they no longer do.
    """
    found = [*_of_atoms(parts, readers, rules), *_of_holdings(member, parts, readers, rules)]
    found += _of_dominated(member, parts, rules)
    found = [need for need in found if max(need.default, *need.others.values()) > 0]
    count, size = len(found), len(readers.start) + 1
    rows = csr_array(
        (
            np.repeat([need.sign for need in found], [len(need.atoms) for need in found]),
            np.concatenate([np.zeros(0, dtype=np.int64), *[need.atoms for need in found]]),
            np.cumsum([0, *[len(need.atoms) for need in found]]),
        ),
        shape=(count, member.shape[1]),
    )
    needs = csr_array(
        (
            np.array([value for need in found for value in need.others.values()], dtype=float),
            np.array([reader for need in found for reader in need.others], dtype=np.int64),
            np.cumsum([0, *[len(need.others) for need in found]]),
        ),
        shape=(count, size),
    )
    sizes = np.array([need.size for need in found], dtype=float)
    return Targets(rows, np.array([need.default for need in found]), needs, sizes)


def _of_atoms(parts: Parts, readers: Readers, rules: Rules) -> Iterator[_Need]:
    """The largest holding of each atom, for readers inside and outside.

    A reader that is in this atom alone learns what the outsider does, less its own part: the second
    largest stands for them all, and for the outsider.
    """
    share, single = rules.p_percent / 100, parts.is_single()
    for atom, (start, count, rest) in enumerate(
        zip(parts.start.tolist(), parts.count.tolist(), parts.rest.tolist(), strict=True)
    ):
        value = parts.value[start : start + count]
        largest, inside = float(value[0]), readers.of_part[start : start + count].tolist()
        others = {}
        for place in range(count):
            if single[start + place]:
                others[inside[place]] = -np.inf
            elif place > 0:
                others[inside[place]] = _above(largest, share, _without(value, place))
            else:
                second = float(value[1]) if count > 1 else 0.0
                others[inside[0]] = _above(second, share, float(value[2:].sum()))
        others.pop(-1, None)
        seconds = np.flatnonzero(single[start + 1 : start + count])
        known = _without(value, int(seconds[0]) + 1) if len(seconds) else rest
        others[0] = _above(largest, share, known)
        row = np.array([atom])
        yield _Need(row, 1.0, largest, _above(largest, share, rest), others)
        if count == 1:
            need = min(share, 1.0) * largest
            yield _Need(row, -1.0, np.nan, need, {inside[0]: -np.inf})


def _of_holdings(
    member: csr_array, parts: Parts, readers: Readers, rules: Rules
) -> Iterator[_Need]:
    """Sums of the parts of a holding with several, as a cell shows them, and all of them."""
    share, total = rules.p_percent / 100, parts.value[parts.start] + parts.rest
    columns = member.tocsc()
    cells_of = np.split(columns.indices, columns.indptr[1:-1])
    inside: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for reader, atom, value in zip(
        readers.of_entry().tolist(),
        readers.atom.tolist(),
        readers.value.tolist(),
        strict=True,
    ):
        inside[atom].append((reader, value))
    own_parts: dict[int, list[int]] = defaultdict(list)
    for part in np.flatnonzero(~parts.is_single()).tolist():
        own_parts[int(readers.of_part[part])].append(part)
    for own, held in own_parts.items():
        shown: dict[int, list[int]] = defaultdict(list)
        for part in held:
            for cell in cells_of[parts.atom[part]].tolist():
                shown[cell].append(part)
        for sets in sorted({tuple(held), *(tuple(s) for s in shown.values() if len(s) > 1)}):
            together = list(sets)
            atoms, size = parts.atom[together], float(parts.value[together].sum())
            default = share * size - (float(total[atoms].sum()) - size)
            others: dict[int, float] = {0: default}
            for atom in atoms.tolist():
                for reader, value in inside[atom]:
                    others[reader] = others.get(reader, default) + value
            others[own] = -np.inf
            others = {reader: need - _NOTHING * size for reader, need in others.items()}
            yield _Need(atoms, 1.0, size, default - _NOTHING * size, others)
            if (parts.count[atoms] == 1).all():
                yield _Need(atoms, -1.0, np.nan, min(share, 1.0) * size, {own: -np.inf})


def _of_dominated(member: csr_array, parts: Parts, rules: Rules) -> Iterator[_Need]:
    """Cells and atoms whose n largest holdings have more than k % of them."""
    n, k = rules.dominance_n, rules.dominance_k
    if k == 100 or not len(parts.atom):
        return
    by_holding = csr_array((parts.value, (parts.atom, parts.holding)))
    for sums, rows in ((by_holding, None), (csr_array(member @ by_holding), member)):
        for number in range(sums.shape[0]):
            value = np.sort(sums.data[sums.indptr[number] : sums.indptr[number + 1]])[::-1]
            top, rest = float(value[:n].sum()), float(value[n:].sum())
            need = top * (100 - k) / k - rest
            if need > _NOTHING * top:
                atoms = np.array([number]) if rows is None else _columns(rows, number)
                yield _Need(atoms, 1.0, np.nan, -np.inf, {0: need})


def _columns(rows: csr_array, number: int) -> IntArray:
    return np.asarray(rows.indices[rows.indptr[number] : rows.indptr[number + 1]], dtype=np.int64)


def _above(value: float, share: float, others: float) -> float:
    """By how much a sum must rise that a value in it can be its share more; 0 or less for none."""
    return share * value - others - _NOTHING * value


def _without(value: FloatArray, place: int) -> float:
    """Sum directly what is neither the first nor the one at `place`."""
    return float(value[1:place].sum() + value[place + 1 :].sum())

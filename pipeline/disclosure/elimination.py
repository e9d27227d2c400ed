"""Which of many sums may be told so that none of the protected ones follows: Gaussian elimination.

Exact, over the integers modulo a prime, and sparse: tables of 100,000 cells with all their margins
are a matter of a minute.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from pipeline.disclosure.primary import BoolArray

PRIME = 2**31 - 1
"""Products of two residues fit into 63 bits."""
Row = dict[int, int]
"""The residues of a sum by unknown, without those that are 0."""
_Key = tuple[int, int]
_HASHES = 3
_HALF = 2**16


def keep(
    candidates: csr_array, protected: csr_array, carried: csr_array
) -> tuple[BoolArray, list[Row]]:
    """Keep candidates, in their order, as long as no protected sum is in the span of those kept.

    Rows are sums over unknowns with whole coefficients, (k, n), (p, n) and (c, n). They are held
    modulo the candidates kept so far. A candidate that is zero adds nothing to the span; one that
    is a multiple of a protected row would tell it and is left out; any other is subtracted from
    all rows that hold its pivot, the unknown that the fewest rows hold. Returns who is kept, and
    what is left of the carried rows.

    Langsrud (2024), Secondary cell suppression by Gaussian elimination, PSD 2024. Multiples are
    told by random linear forms of the rows (of a fixed seed): two rows that are none may be taken
    for such with probability 1e-18, and a candidate is then left out for nothing.
    """
    field = _Field(vstack([candidates, protected, carried], format="csr"))
    first, end = candidates.shape[0], candidates.shape[0] + protected.shape[0]
    field.watch(range(first, end))
    kept = np.ones(first, dtype=np.bool_)
    for number in range(first):
        if not field.rows[number]:
            continue
        if field.is_watched(number):
            kept[number] = False
            field.take_out(number)
        else:
            field.subtract(number)
    return kept, field.rows[end:]


class _Field:
    """Rows modulo those subtracted, who holds which unknown, and the keys of the rows watched."""

    def __init__(self, matrix: csr_array) -> None:
        ends, unknowns = matrix.indptr.tolist(), matrix.indices.tolist()
        matrix.data = matrix.data.astype(np.int64) % PRIME
        values = matrix.data.tolist()
        self.rows: list[Row] = [
            {u: v for u, v in zip(unknowns[a:b], values[a:b], strict=True) if v}
            for a, b in pairwise(ends)
        ]
        self._holders: list[set[int]] = [set() for _ in range(matrix.shape[1])]
        for number, row in enumerate(self.rows):
            for unknown in row:
                self._holders[unknown].add(number)
        self._hashes = _hashes(matrix)
        self._watched: dict[_Key, int] = {}
        self._keys: dict[int, _Key] = {}

    def watch(self, numbers: Iterable[int]) -> None:
        """Remember what these rows are multiples of, whatever becomes of them; not where 0."""
        for number in numbers:
            if self.rows[number]:
                self._keys[number] = key = self._key(number)
                self._watched[key] = self._watched.get(key, 0) + 1

    def is_watched(self, number: int) -> bool:
        """Whether the row is a multiple of a watched one."""
        return self._key(number) in self._watched

    def take_out(self, number: int) -> Row:
        """Forget a row."""
        row, self.rows[number] = self.rows[number], {}
        for unknown in row:
            self._holders[unknown].discard(number)
        return row

    def subtract(self, number: int) -> None:
        """Take a row out, and its pivot, by subtracting it, out of all other rows."""
        hashes, row = self._hashes[number], self.take_out(number)
        pivot = min(row, key=lambda unknown: (len(self._holders[unknown]), unknown))
        inverse = pow(row.pop(pivot), -1, PRIME)
        entries, holders, prime = list(row.items()), self._holders, PRIME
        for other in holders[pivot]:
            reduced = self.rows[other]
            factor = prime - reduced.pop(pivot) * inverse % prime
            for unknown, value in entries:
                before = reduced.get(unknown)
                if before is None:
                    reduced[unknown] = factor * value % prime
                    holders[unknown].add(other)
                elif left := (before + factor * value) % prime:
                    reduced[unknown] = left
                else:
                    del reduced[unknown]
                    holders[unknown].discard(other)
            own = self._hashes[other]
            self._hashes[other] = [
                (mine + factor * its) % PRIME for mine, its in zip(own, hashes, strict=True)
            ]
            if other in self._keys:
                self._moved(other)
        self._holders[pivot] = set()

    def _moved(self, number: int) -> None:
        """A watched row has become another one."""
        old, new = self._keys[number], self._key(number)
        self._watched[old] -= 1
        if not self._watched[old]:
            del self._watched[old]
        self._keys[number] = new
        self._watched[new] = self._watched.get(new, 0) + 1

    def _key(self, number: int) -> _Key:
        """The same for all multiples of a row: its random forms, each by the first one."""
        first, *others = self._hashes[number]
        # A first form of 0 by chance: such rows are taken for multiples of each other.
        inverse = pow(first, -1, PRIME) if first else 0
        second, third = (value * inverse % PRIME for value in others)
        return second, third


def _hashes(matrix: csr_array) -> list[list[int]]:
    """Random linear forms of each row; in halves, lest sums of products overflow."""
    forms = np.random.default_rng(0).integers(1, PRIME, (matrix.shape[1], _HASHES))
    high, low = np.divmod(forms, _HALF)
    sums: NDArray[np.int64] = (matrix @ high % PRIME * _HALF + matrix @ low) % PRIME
    return [[int(form) for form in row] for row in sums]

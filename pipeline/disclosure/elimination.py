"""Which of many sums may be told so that none of the protected ones follows: Gaussian elimination.

Exact, over the integers modulo a prime, and sparse: tables of 100,000 cells with all their margins
are a matter of half a minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from pipeline.disclosure.primary import BoolArray

PRIME = 2**31 - 1
"""Products of two residues fit into 63 bits."""
Row = dict[int, int]
"""The residues of a sum by unknown, without those that are 0."""
_Terms = list[tuple[int, int]]
"""Unknowns and their residues."""
_HALF = PRIME // 2
"""Residues within are taken between -_HALF and _HALF: small ones stay small whole numbers, which
take a third of the time."""
_Forms = tuple[int, int, int]
_Key = tuple[int, int]


def keep(
    candidates: csr_array, protected: csr_array, carried: csr_array
) -> tuple[BoolArray, list[Row]]:
    """Keep candidates, in their order, as long as no protected sum is in the span of those kept.

    Rows are sums over unknowns with whole coefficients, (k, n), (p, n) and (c, n). What counts is
    what is left of them modulo the candidates kept so far. Where nothing is left of a candidate it
    adds nothing to the span; where it is a multiple of what is left of a protected row it would
    tell that, and is left out; any other is kept. Returns who is kept, and what is left of the
    carried rows.

    Langsrud (2024), Secondary cell suppression by Gaussian elimination, PSD 2024; eliminated are
    not rows from rows but directions in which the unknowns may move while the rows kept stay the
    same: in tables these are of few unknowns, where what is left of a margin is of many. Multiples
    are told by random linear forms of the rows (of a fixed seed): two rows that are none may be
    taken for such with probability 1e-18, and a candidate is then left out for nothing.
    """
    free, watch = _Free(candidates), _Watch(protected)
    kept = np.ones(candidates.shape[0], dtype=np.bool_)
    for number, row in enumerate(_terms(candidates)):
        forms = watch.forms_of(row)
        if any(forms) and watch.has_multiple(forms):
            kept[number] = False
        elif left := free.left_of(row):
            direction, unit = free.tell(left)
            watch.turn(direction, forms, unit)
    rests = (free.left_of(row) for row in _terms(carried))
    return kept, [{unknown: value % PRIME for unknown, value in rest.items()} for rest in rests]


class _Free:
    """Directions in which the unknowns may move while the rows told stay the same.

    There is one for each unknown that is no pivot: it moves by 1, and with it some of the pivots.
    """

    def __init__(self, rows: csr_array) -> None:
        size = rows.shape[1]
        self._moved_by: dict[int, Row] = {}
        """Of each pivot, how far each direction moves it."""
        # Dictionaries as sets: of whole numbers, Python's collector does not go through them.
        self._pivots: list[dict[int, bool]] = [{} for _ in range(size)]
        """The pivots that each direction moves."""
        entries = np.diff(rows.indptr)
        weight = np.bincount(rows.indices, np.repeat(entries, entries), size)
        self._rank = np.lexsort((np.arange(size), -weight)).argsort().tolist()
        """Of directions of as few pivots, that of the unknown with the longest rows is given up."""

    def left_of(self, row: Iterable[tuple[int, int]]) -> Row:
        """By how much each direction moves a row: what is left of it modulo the rows told."""
        left: Row = {}
        get = left.get
        for unknown, value in row:
            moved_by = self._moved_by.get(unknown)
            if moved_by is None:
                left[unknown] = get(unknown, 0) + value
            else:
                for direction, share in moved_by.items():
                    left[direction] = get(direction, 0) + value * share
        low, high = -_HALF, _HALF
        return {
            unknown: near
            for unknown, value in left.items()
            if value and (near := value if low <= value <= high else _near(value))
        }

    def tell(self, left: Row) -> tuple[_Terms, int]:
        """Give up one direction, so that no other moves a row of which `left` is left.

        Takes `left` apart. Returns the direction, and the inverse of its move of the row.
        """
        pivots, rank = self._pivots, self._rank
        given_up = min(left, key=lambda unknown: (len(pivots[unknown]), rank[unknown]))
        unit = _near(pow(left.pop(given_up), -1, PRIME))
        others = [(unknown, _near(-value * unit)) for unknown, value in left.items()]
        direction = [(given_up, 1)]
        for pivot in pivots[given_up]:
            moved_by = self._moved_by[pivot]
            share = moved_by.pop(given_up)
            direction.append((pivot, share))
            self._add(pivot, moved_by, share, others)
        for unknown, _ in others:
            pivots[unknown][given_up] = True
        self._moved_by[given_up], pivots[given_up] = dict(others), {}
        return direction, unit

    def _add(self, pivot: int, moved_by: Row, share: int, others: _Terms) -> None:
        """Add `share` times what the others move of the direction given up."""
        pivots, get, low, high = self._pivots, moved_by.get, -_HALF, _HALF
        for unknown, factor in others:
            before = get(unknown)
            new = share * factor if before is None else before + share * factor
            if not low <= new <= high:
                new = _near(new)
            if before is None:
                moved_by[unknown] = new
                pivots[unknown][pivot] = True
            elif new:
                moved_by[unknown] = new
            else:
                del moved_by[unknown]
                del pivots[unknown][pivot]


class _Watch:
    """Random forms that are 0 of all rows told, and what they are of the rows watched."""

    def __init__(self, watched: csr_array) -> None:
        size = watched.shape[1]
        forms = np.random.default_rng(0).integers(1, PRIME, (size, 3)).tolist()
        self._forms: list[_Forms] = [(one, two, three) for one, two, three in forms]
        self._holders: list[_Terms] = list(_terms(csr_array(watched.T)))
        rows = list(_terms(watched))
        self._values = [self.forms_of(row) for row in rows]
        self._keys: dict[int, _Key] = {}
        self._count: dict[_Key, int] = {}
        for number, row in enumerate(rows):
            if row:
                self._enter(number)

    def forms_of(self, row: _Terms) -> _Forms:
        """The forms of a row; nothing but 0 where it follows from those told."""
        one = two = three = 0
        for unknown, value in row:
            first, second, third = self._forms[unknown]
            one += value * first
            two += value * second
            three += value * third
        return one % PRIME, two % PRIME, three % PRIME

    def has_multiple(self, forms: _Forms) -> bool:
        """Whether what is left of a row is a multiple of what is left of a watched one."""
        return _key(forms) in self._count

    def turn(self, direction: _Terms, forms: _Forms, unit: int) -> None:
        """Take a direction out of the forms, so that they are 0 of one row more.

        `forms`: those of that row; `unit`: the inverse of how far the direction moves it.
        """
        one, two, three = forms
        out = -one * unit % PRIME, -two * unit % PRIME, -three * unit % PRIME
        turned: Row = {}
        for unknown, move in direction:
            self._forms[unknown] = _plus(self._forms[unknown], out, move)
            for number, value in self._holders[unknown]:
                turned[number] = turned.get(number, 0) + value * move
        for number, by in turned.items():
            if by % PRIME:
                self._values[number] = _plus(self._values[number], out, by)
                old = self._keys[number]
                self._count[old] -= 1
                if not self._count[old]:
                    del self._count[old]
                self._enter(number)

    def _enter(self, number: int) -> None:
        self._keys[number] = key = _key(self._values[number])
        self._count[key] = self._count.get(key, 0) + 1


def _plus(forms: _Forms, others: _Forms, times: int) -> _Forms:
    (one, two, three), (first, second, third) = forms, others
    return (
        (one + times * first) % PRIME,
        (two + times * second) % PRIME,
        (three + times * third) % PRIME,
    )


def _key(forms: _Forms) -> _Key:
    """The same for all multiples of a row: its forms, each by the first one."""
    first, second, third = forms
    # A first form of 0 by chance: such rows are taken for multiples of each other.
    inverse = pow(first, -1, PRIME) if first else 0
    return second * inverse % PRIME, third * inverse % PRIME


def _near(value: int) -> int:
    """The residue nearest to 0."""
    return (value + _HALF) % PRIME - _HALF


def _terms(rows: csr_array) -> Iterator[_Terms]:
    """List the terms of each row, without those that are 0."""
    near: NDArray[np.int64] = (rows.data.astype(np.int64) + _HALF) % PRIME - _HALF
    unknowns, values = rows.indices.tolist(), near.tolist()
    for start, end in pairwise(rows.indptr.tolist()):
        terms = zip(unknowns[start:end], values[start:end], strict=True)
        yield [(unknown, value) for unknown, value in terms if value]

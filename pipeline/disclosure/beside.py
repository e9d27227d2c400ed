"""Numbers beside the published cells: which weighted sums may be told without giving any away.

A cell sums its firms; a reference that is composed like a group weights them. Both are rows over
firms, and a reader can compute whatever is in the span of all rows that are told.
"""

from __future__ import annotations

import numpy as np

from pipeline.disclosure.primary import BoolArray, FloatArray
from pipeline.disclosure.secondary import Check, span_of

_TOLERANCE = 1e-6
_TINY = 1e-300


def safe_beside(
    shown: BoolArray, rows: FloatArray, protected: BoolArray, check: Check
) -> BoolArray:
    """Say which further weighted sums may be told beside the published cells, (p,).

    `shown`: published cells x firms. `rows`: the factor of each firm in each further sum, p x
    firms, the most important first; the scale of a row is of no consequence. `protected`:
    aggregates x firms that must not follow. `check`: the primary rules (see `protect`).

    One by one a sum is told that, with the cells and the sums told before it, lets none of these
    be computed: a protected aggregate; the firms that nothing tells apart, where they break a
    rule; any combination of two such groups whose union breaks one, as either would learn of the
    other. Where floating point leaves undecided whether a sum follows from the others (its
    distance from their span is 1e-12 to 1e-6 of its length) it is not told; nothing is where the
    cells by themselves give something away. ValueError where the arrays do not fit.

    What is known is held as the projector onto what is not, I - S'S for orthonormal rows S; a sum
    that is told takes its direction from it (Gram and Schmidt).
    """
    if not shown.shape[1:] == rows.shape[1:] == protected.shape[1:]:
        msg = f"{shown.shape}, {rows.shape} and {protected.shape}: give each row the same firms"
        raise ValueError(msg)
    if not np.isfinite(rows).all():
        raise ValueError("factors must be finite")
    size = np.abs(rows).max(axis=1, initial=0.0, keepdims=True)
    columns = np.vstack([shown.astype(np.float64), rows / np.maximum(size, _TINY)])
    # Firms with the same factor everywhere are one column.
    alike = np.unique(np.round(columns, 12), axis=1, return_index=True, return_inverse=True)
    first, atom_of_firm = alike[1], alike[2].ravel()
    atoms = np.asarray(atom_of_firm == np.arange(len(first))[:, None], dtype=np.bool_)
    # An aggregate that splits an atom is in no span.
    whole = (protected[:, first][:, atom_of_firm] == protected).all(axis=1)
    wanted = protected[whole & protected.any(axis=1)][:, first]
    wanted = np.vstack([wanted, np.eye(len(first), dtype=np.bool_)[check(atoms)]])
    cells, further = np.split(columns[:, first], [len(shown)])
    told = np.zeros(len(rows), dtype=np.bool_)
    unknown = _unknown(cells)
    if unknown is None or _tells(unknown, wanted, atoms, check):
        return told
    for place, row in enumerate(further):
        left = unknown @ (unknown @ row)  # once is not exact
        length = float(np.linalg.norm(left))
        relative = length / max(float(np.linalg.norm(row)), _TINY)
        if relative <= _TOLERANCE**2:
            told[place] = True
        elif relative >= _TOLERANCE:
            rest = unknown - np.outer(left / length, left / length)
            if not _tells(rest, wanted, atoms, check):
                told[place], unknown = True, rest
    return told


def _unknown(known: FloatArray) -> FloatArray | None:
    """Projector onto what is not in the span of the rows known; None where that is undecided."""
    span = span_of(known)
    if span is None:
        return None
    return np.asarray(np.eye(known.shape[1]) - span.T @ span, dtype=np.float64)


def _tells(unknown: FloatArray, wanted: BoolArray, atoms: BoolArray, check: Check) -> bool:
    """Whether a wanted row (over atoms) or an unsafe pair of atoms (x firms) is known."""
    if (np.abs(wanted @ unknown).max(axis=1, initial=0.0) < _TOLERANCE).any():
        return True
    # Two atoms can be combined where what is left of them is parallel. Their products are those
    # of a projector, itself; they sift, and the few that remain are computed anew.
    length = np.linalg.norm(unknown, axis=1)
    hidden = np.flatnonzero(length > _TOLERANCE)
    left = unknown[hidden] / length[hidden, None]
    cosine = np.abs(left[:, hidden]) / length[hidden]
    one, other = np.nonzero(np.triu(cosine > 1 - 1e-4, k=1))
    parallel = np.abs((left[one] * left[other]).sum(axis=1)) > 1 - _TOLERANCE**2 * 10
    one, other = hidden[one[parallel]], hidden[other[parallel]]
    return bool(check(atoms[one] | atoms[other]).any())

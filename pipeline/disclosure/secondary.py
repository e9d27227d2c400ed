"""Secondary suppression: what else must stay unpublished, so that no unsafe cell can be computed.

A cell is a 0/1 row over firms. A reader can compute exactly the aggregates in the linear span of
the published rows, whichever tables they stand in; so linked and hierarchical breakdowns need no
case of their own. Protection is against exact disclosure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from pipeline.disclosure.elimination import PRIME, keep
from pipeline.disclosure.primary import BoolArray, FloatArray
from pipeline.errors import DisclosureError, Problem

Check = Callable[[BoolArray], BoolArray]
"""The primary rules as a function of aggregates: rows over firms -> True where unsafe."""
Breakdown = tuple[int, Sequence[int]]
"""A cell and the disjoint cells it breaks down into, by row number."""

IntArray = NDArray[np.int64]

_TOLERANCE = 1e-6


def protect(
    cells: BoolArray,
    unsafe: BoolArray,
    cost: FloatArray,
    check: Check,
    breakdowns: Sequence[Breakdown] = (),
    *,
    forced: BoolArray | None = None,
) -> BoolArray:
    """Choose the cells to suppress, primary and secondary.

    `cells`: cells x firms. `unsafe`: True per cell that breaks a primary rule; such a row may also
    be an aggregate that nobody means to publish (the firms of a holding). `cost`: importance per
    cell; the most important are kept first, equal ones in the order given. `check`: the primary
    rules, for what a reader obtains by subtraction. `breakdowns`: which cells add up to which; they
    need not exhaust their parent.

    No unsafe cell can be computed from the cells left, nor any unsafe one of these aggregates:
    what the published parts of a breakdown leave of their parent; what any of these sets leaves of
    another that contains it, or of the parts of one breakdown that together do; the firms that no
    published cell tells apart; any combination of two such groups whose union is unsafe, as either
    would learn of the other. An empty cell is suppressed where `check` says so, but hides nobody.

    Returns True per cell to suppress. Raises `DisclosureError` if the audit of the result finds
    anything, ValueError where the arrays do not fit. Langsrud (2024), Secondary cell suppression by
    Gaussian elimination, PSD 2024.
    """
    forced = np.zeros(len(cells), dtype=np.bool_) if forced is None else forced
    _fit(cells, unsafe, cost, breakdowns, forced)
    # Firms in the same cells are one column.
    first, atom_of_firm = _numbered(cells.T)
    atoms = cells[:, first]

    judge, facts = _Judge(check, atom_of_firm), atoms[forced]
    order = np.lexsort((-cost, ~forced))
    published = ~(unsafe | judge(atoms)) | forced
    protected, pairs = _distinct(atoms[~published]), np.zeros((0, atoms.shape[1]), dtype=np.int64)
    while True:
        derived = _within_reach(atoms, published, breakdowns)
        protected = _distinct(np.vstack([protected, derived[judge(derived)]]))
        protected = protected[~_in_span(facts, protected)]
        groups = _alike(atoms[published])
        candidates = order[published[order]]
        kept, left = _eliminate(atoms[candidates], np.vstack([protected, pairs]), groups)
        published[candidates[~kept]] = False  # and never again: at most one round per cell
        if kept.all():
            found = _unsafe_pairs(groups, left, judge)
            found = found[~_in_span(facts, found)]
            if len(found) == 0:
                break
            pairs = np.vstack([pairs, found])
    _refuse(cells, _not_clean(atoms[published], protected, judge, facts)[:, atom_of_firm])
    return ~published


def told(
    cells: BoolArray, forced: BoolArray, check: Check, breakdowns: Sequence[Breakdown] = ()
) -> BoolArray:
    """List the unsafe aggregates (rows over firms) that the `forced` cells tell by themselves.

    These are cells, forced ones or others, and the further aggregates that `protect` looks at; it
    gives them up as known. Parameters as there.
    """
    first, atom_of_firm = _numbered(cells.T)
    atoms = cells[:, first]
    judge, facts = _Judge(check, atom_of_firm), atoms[forced]
    near = _distinct(np.vstack([atoms, _within_reach(atoms, forced, breakdowns)]))
    near = near[judge(near)]
    groups = _alike(facts)
    pairs = _unsafe_pairs(groups, _eliminate(facts, facts[:0], groups)[1], judge) != 0
    found: BoolArray = _distinct(np.vstack([near[_in_span(facts, near)], pairs]))
    return found[:, atom_of_firm]


def _in_span(facts: BoolArray, rows: BoolArray | IntArray) -> BoolArray:
    """Whether each row follows from the facts: exactly, as nothing is left of it."""
    if not len(facts) or not len(rows):
        return np.zeros(len(rows), dtype=np.bool_)
    _, left = _eliminate(facts, facts[:0], rows)
    return np.asarray(~left.any(axis=1))


def audit(cells: BoolArray, published: BoolArray, protected: BoolArray) -> BoolArray:
    """Say which protected aggregates can be computed from the published cells.

    `cells`: cells x firms; `published`: True per published cell; `protected`: aggregates x firms.
    Projects each aggregate onto the span of the published rows (singular value decomposition); it
    can be computed if nothing is left over. Singular values between 1e-6 and 1e-12 of the largest
    leave the span undecided in floating point; then every aggregate counts as computable.
    """
    return _follows(span_of(cells[published]), protected)


def _follows(span: FloatArray | None, rows: BoolArray) -> BoolArray:
    """Whether each row is in the span, as far as that can be told."""
    left_over = _left_over(span, rows)
    return np.asarray(np.abs(left_over).max(axis=1, initial=0.0) < _TOLERANCE)


def reasons(
    cells: BoolArray,
    published: BoolArray,
    unsafe: BoolArray,
    check: Check,
    breakdowns: Sequence[Breakdown] = (),
) -> Iterator[tuple[int, BoolArray]]:
    """Say of each cell suppressed for others what would follow if it were published after all.

    `cells`, `unsafe`, `check` and `breakdowns` as `protect` takes them, `published`: True per cell
    that is. For each cell that is neither published nor unsafe nor empty: its row number, and the
    unsafe aggregates, each over firms, in the span of the published cells and this one. They are
    the unsafe cells, the aggregates within a reader's reach (see `protect`) and unions of two
    groups of firms that nothing else tells apart. None are left where the cell went before others
    did that would have done as well.
    """
    first, atom_of_firm = _numbered(cells.T)
    atoms, judge = cells[:, first], _Judge(check, atom_of_firm)
    hidden = ~published & ~unsafe & cells.any(axis=1)
    wide = _within_reach(atoms, published | hidden, breakdowns)
    for cell in np.flatnonzero(hidden).tolist():
        told = published.copy()
        told[cell] = True
        near = np.vstack([_within_reach(atoms, told, breakdowns), wide])
        protected = _distinct(np.vstack([atoms[unsafe], near[judge(near)]]))
        yield cell, _not_clean(atoms[told], protected, judge, atoms[:0])[:, atom_of_firm]


def span_of(shown: BoolArray | FloatArray) -> FloatArray | None:
    """Orthonormal rows that span the rows shown; None where undecided."""
    _, values, directions = np.linalg.svd(shown.astype(np.float64), full_matrices=False)
    relative = values / max(values.max(initial=0.0), 1.0)
    if np.any((relative > _TOLERANCE**2) & (relative < _TOLERANCE)):
        return None
    span: FloatArray = directions[relative >= _TOLERANCE]
    return span


def _left_over(span: FloatArray | None, rows: BoolArray) -> FloatArray:
    """Take from each row its projection onto the span; 0 where that is undecided."""
    if span is None:
        return np.zeros(rows.shape)
    values = rows.astype(np.float64)
    left_over: FloatArray = values - _product(_product(values, span.T), span)
    return left_over


def _product(a: FloatArray, b: FloatArray) -> FloatArray:
    """Multiply matrices so small that the threads of `@` would take longer than the sums."""
    return np.asarray(np.einsum("ij,jk->ik", a, b), dtype=np.float64)


class _Judge:
    """The primary rules for rows over atoms; no row is judged twice."""

    def __init__(self, check: Check, atom_of_firm: IntArray) -> None:
        self._check, self._atom_of_firm = check, atom_of_firm
        self._known: dict[bytes, bool] = {}

    def __call__(self, rows: BoolArray) -> BoolArray:
        keys = _keys(rows)
        new = {key: i for i, key in enumerate(keys) if key not in self._known}
        if new:
            judged = rows[list(new.values())][:, self._atom_of_firm]
            unsafe = self._check(judged)
            # An answer of another kind or shape would be taken for an index.
            if np.shape(unsafe) != judged.shape[:1] or unsafe.dtype != np.bool_:
                raise TypeError("check must return one boolean per row")
            self._known |= zip(new, unsafe.tolist(), strict=True)
        return np.array([self._known[key] for key in keys], dtype=np.bool_)


def _not_clean(shown: BoolArray, protected: BoolArray, judge: Check, facts: BoolArray) -> BoolArray:
    """List protected aggregates that follow from rows shown, and pairs that tell on each other.

    Not the pairs that do so by the facts alone.
    """
    span, groups = span_of(shown), _alike(shown)
    pairs = _parallel_pairs(groups, span)
    pairs = pairs[judge(pairs)]
    if len(facts) and len(pairs):
        known = set(_keys(_parallel_pairs(groups, span_of(facts))))
        pairs = pairs[[key not in known for key in _keys(pairs)]]
    return np.vstack([protected[_follows(span, protected)], pairs])


def _refuse(cells: BoolArray, found: BoolArray) -> None:
    """Raise DisclosureError if any aggregate was found, naming the cells that are the same."""
    problems = [
        Problem(
            found=f"an aggregate of {row.sum()} firms follows, exactly or almost, from cells",
            expected="no aggregate that breaks a primary rule can be computed from published cells",
            advice="Publish fewer or coarser breakdowns.",
            row=", ".join(f"cell {i}" for i in np.flatnonzero((cells == row).all(axis=1))),
        )
        for row in found
    ]
    if problems:
        raise DisclosureError(sorted(problems))


def _parallel_pairs(groups: BoolArray, span: FloatArray | None) -> BoolArray:
    """Unite groups of which some combination is in the span (floating point)."""
    left = _left_over(span, groups)
    length = np.linalg.norm(left, axis=1)
    left, groups = left[length > _TOLERANCE], groups[length > _TOLERANCE]
    left /= length[length > _TOLERANCE, None]
    one, other = np.nonzero(np.triu(np.abs(_product(left, left.T)) > 1 - _TOLERANCE**2 * 10, k=1))
    pairs: BoolArray = groups[one] | groups[other]
    return pairs


def _alike(shown: BoolArray) -> BoolArray:
    """List the groups of firms that the rows shown do not tell apart."""
    first, group = _numbered(shown.T)
    return np.asarray(group == np.arange(len(first))[:, None])


def _within_reach(
    atoms: BoolArray, published: BoolArray, breakdowns: Sequence[Breakdown]
) -> BoolArray:
    """List aggregates that a reader of the published cells may form by subtraction."""
    shown = atoms[published]
    position = np.cumsum(published) - 1
    remainders, families = [], []
    for number, (parent, parts) in enumerate(breakdowns, start=len(shown)):
        family = [position[i] for i in parts if published[i]]
        remainders.append(atoms[parent] & ~shown[family].any(axis=0))
        families.append([*family, number])
    sets = np.vstack([shown, *remainders])
    return _distinct(np.vstack([sets, *_differences(sets, families), _alike(shown)]))


def _differences(sets: BoolArray, families: list[list[int]]) -> list[BoolArray]:
    """Take each set from each set around it, and from the disjoint sets of a family around it."""
    packed = np.packbits(sets, axis=1)
    common = np.bitwise_count(packed[:, None] & packed).sum(axis=2, dtype=np.int64)
    size = np.diag(common)
    outer, inner = np.nonzero((common == size) & (size[:, None] > size))
    found = [sets[outer] & ~sets[inner]]
    for family in families:
        inside = np.flatnonzero(common[:, family].sum(axis=1) == size)
        met = common[inside][:, family] > 0
        around = (met[:, :, None] & sets[family]).any(axis=1)
        found.append(around & ~sets[inside])
    return found


def _eliminate(
    candidates: BoolArray, protected: BoolArray | IntArray, carried: BoolArray | IntArray
) -> tuple[BoolArray, IntArray]:
    """Keep candidates as `elimination.keep` does; with dense rows."""
    parts = (csr_array(rows.astype(np.int64)) for rows in (candidates, protected, carried))
    kept, rows = keep(*parts)
    left = np.zeros(carried.shape, dtype=np.int64)
    for number, row in enumerate(rows):
        left[number, list(row)] = list(row.values())
    return kept, left


def _unsafe_pairs(groups: BoolArray, left: IntArray, judge: Check) -> IntArray:
    """List combinations of two groups in the span (what is left is proportional), if unsafe."""
    row, column = np.nonzero(left)
    hidden, first = np.unique(row, return_index=True)
    lead = left[hidden, column[first]].tolist()
    groups, left = groups[hidden], left[hidden]
    factor = np.array([pow(value, -1, PRIME) for value in lead], dtype=np.int64)
    _, line = np.unique(left * factor[:, None] % PRIME, axis=0, return_inverse=True)
    one, other = np.nonzero(np.triu(line[:, None] == line, k=1))
    unsafe = judge(groups[one] | groups[other])
    one, other = one[unsafe], other[unsafe]
    return (factor[one, None] * groups[one] - factor[other, None] * groups[other]) % PRIME


def _distinct(rows: BoolArray) -> BoolArray:
    """Drop repeated and empty rows."""
    rows = rows[rows.any(axis=1)]
    distinct: BoolArray = rows[_numbered(rows)[0]]
    return distinct


def _numbered(rows: BoolArray) -> tuple[IntArray, IntArray]:
    """Number the distinct rows: where each is first, and the number of every row."""
    numbers: dict[bytes, int] = {}
    found = [numbers.setdefault(key, len(numbers)) for key in _keys(rows)]
    number = np.array(found, dtype=np.int64)
    first = np.flatnonzero(np.diff(np.maximum.accumulate(number), prepend=-1))
    return first, number


def _keys(rows: BoolArray) -> list[bytes]:
    """Pack each row into bytes, which a dictionary finds faster than numpy sorts rows."""
    packed = np.packbits(rows, axis=1)
    width, together = packed.shape[1], packed.tobytes()
    return [together[i * width : (i + 1) * width] for i in range(len(rows))]


def _fit(
    cells: BoolArray,
    unsafe: BoolArray,
    cost: FloatArray,
    breakdowns: Sequence[Breakdown],
    forced: BoolArray,
) -> None:
    """Refuse arrays of the wrong kind or shape, and parts that overlap or leave their parent."""
    if not cells.dtype == unsafe.dtype == forced.dtype == np.bool_:
        raise TypeError("cells, unsafe and forced must be boolean")
    if cells.ndim != 2 or not unsafe.shape == cost.shape == forced.shape == cells.shape[:1]:
        raise ValueError("cells must be cells x firms; unsafe, cost and forced one per cell")
    if not np.isfinite(cost).all():
        raise ValueError("cost must be finite")
    for parent, parts in breakdowns:
        together = cells[list(parts)].sum(axis=0)
        if np.any(together > cells[parent]):
            raise ValueError(f"the parts of cell {parent} overlap or leave it")

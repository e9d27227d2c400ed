"""Random populations, and an audit of what is published of them that shares no code with it.

The audit works on firms, not on atoms, with scipy's programmes, and takes every holding for a
reader in turn.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import block_diag, csr_array, eye_array, kron, vstack

from pipeline.disclosure.primary import Rules

RULES = Rules(3, 10, 1, 100)
TINY = 1e-5


class Population(NamedTuple):
    """Cells x amounts, the amounts, and who knows which of them."""

    cells: np.ndarray
    values: np.ndarray
    holdings: np.ndarray

    @property
    def matrix(self):
        return csr_array(self.cells.astype(float))

    @property
    def cost(self):
        return self.cells @ self.values


def made(seed, firms=(6, 14)):
    """Three waves of firms in districts of regions, sectors and sizes, with overlapping groups.

    Firms leave and enter. Most who stay report the same amount again, and that is one unknown.
    """
    rng = np.random.default_rng(seed)
    n = int(rng.integers(*firms))
    district, sector, size = rng.integers(0, 4, n), rng.integers(0, 3, n), rng.integers(0, 2, n)
    region = district // 2
    groups = rng.random((2, n)) < 0.6  # two that overlap
    holding = np.where(rng.random(n) < 0.3, rng.integers(0, 3, n), 10 + np.arange(n))
    first, last = rng.choice([0, 0, 0, 1, 2], n), rng.choice([0, 1, 2, 2, 2, 2], n)
    values, owner, column = [], [], np.full((3, n), -1)
    for firm in range(n):
        amount = np.round(np.exp(rng.normal(4, 1.5)), 2) * (rng.random() > 0.05)
        for wave in range(first[firm], max(first[firm], last[firm]) + 1):
            if column[wave - 1, firm] < 0 or wave == 0 or rng.random() < 0.15:
                values.append(np.round(amount * rng.uniform(0.8, 1.3), 2))
                owner.append(holding[firm])
                column[wave, firm] = len(values) - 1
            else:
                column[wave, firm] = column[wave - 1, firm]
    cells = []
    for wave in range(3):
        there = column[wave] >= 0
        everyone = np.ones(n, dtype=bool)
        one_way = [[by == code for code in range(4)] for by in (region, district, sector, size)]
        crossed = [a & b for a in one_way[1] for b in one_way[2]]
        crossed += [a & b & c for a in one_way[0] for b in one_way[2] for c in one_way[3]]
        every = [everyone, *(cell for way in one_way for cell in way), *groups, *crossed]
        shown = [column[wave, group & there] for group in every if (group & there).any()]
        cells += [np.isin(np.arange(len(values)), unknowns) for unknowns in shown]
    return Population(np.unique(cells, axis=0), np.array(values), np.array(owner))


def findings(population, published, rules=RULES):
    """What is known exactly or too closely: texts, none where all is well."""
    return [*_broken(population, published, rules), *_known(population, published, rules)]


def _sizes(population, cell):
    """What each holding brings to a cell, the largest first."""
    labels = population.holdings[cell]
    return sorted(
        (population.values[cell][labels == label].sum() for label in set(labels.tolist())),
        reverse=True,
    )


def _is_unsafe(population, cell, rules):
    sizes = _sizes(population, cell)
    few = len(sizes) < rules.min_contributors
    return few or sum(sizes[2:]) < rules.p_percent / 100 * sizes[0] * (1 - 1e-12)


def _broken(population, published, rules):
    """Published cells that break a rule, and others that do but follow from them."""
    shown = population.cells[published]
    for number, cell in enumerate(population.cells):
        if _is_unsafe(population, cell, rules):
            if published[number]:
                yield f"cell {number} is unsafe"
            elif _rank([*shown, cell]) == _rank(shown):
                yield f"cell {number} follows"


def _rank(rows):
    rows = np.array(rows, dtype=float)
    return np.linalg.matrix_rank(rows) if rows.size else 0


def _known(population, published, rules):
    """Parts of holdings that some reader knows exactly or too closely."""
    cells, values, holdings = population
    shown, p = cells[published].astype(float), rules.p_percent / 100
    for reader in [None, *sorted(set(holdings.tolist()))]:
        own = holdings == reader
        targets = [t for t in _targets(population, reader) if values[t].sum() > 0]
        if not targets:
            continue
        for number in np.flatnonzero(_in_span(np.vstack([shown, np.eye(len(own))[own]]), targets)):
            yield f"{reader} knows {np.flatnonzero(targets[number])} exactly"
        wanted = [(1.0, t) for t in targets]
        wanted += [(-1.0, t) for t in targets if _is_alone(population, t)]
        sign, rows = np.array([s for s, _ in wanted]), np.array([t for _, t in wanted], dtype=float)
        needs = p * (rows @ values)
        told = shown, shown @ values, shown @ values
        bounds = np.zeros(len(values)), np.full(len(values), np.inf)
        for number in out_of_reach(told, bounds, (values, own), (sign[:, None] * rows, needs)):
            way = "above" if sign[number] > 0 else "below"
            yield f"{reader} knows {np.flatnonzero(rows[number])} too closely from {way}"


def out_of_reach(told, bounds, truth, wanted):
    """Which sums cannot exceed the truth by their need: a programme each, solved side by side.

    `told`: rows and their ends; `bounds`: least and most of each value; `truth`: the values, and
    which the reader has; `wanted`: the sums and their needs. A value is measured in itself, a row
    in its largest term, a sum in its need.
    """
    (shown, low, high), (least, most), (values, own), (rows, needs) = told, bounds, truth, wanted
    count = len(needs)
    if not count:
        return np.zeros(0, dtype=np.int64)
    unit = np.where(values != 0, np.abs(values), 1.0)
    size = np.abs(shown * unit).max(axis=1, initial=0.0)
    inside = shown * unit / np.where(size > 0, size, 1.0)[:, None]
    below, above = ((end - shown @ values) / np.where(size > 0, size, 1.0) for end in (low, high))
    exact, open_above, open_below = low == high, np.isinf(high), np.isinf(low)
    sums = block_diag((rows * unit / needs[:, None])[:, None, :], format="csr")
    one_sided = np.vstack([inside[~exact & ~open_above], -inside[~exact & ~open_below]])
    ends = np.append(above[~exact & ~open_above], -below[~exact & ~open_below])
    found = linprog(
        -np.asarray(sums.sum(axis=0)).ravel(),
        A_ub=vstack([sums, kron(eye_array(count), one_sided)], format="csr"),
        b_ub=np.append(np.ones(count), np.tile(np.maximum(ends, 0.0), count)),
        A_eq=kron(eye_array(count), inside[exact]) if exact.any() else None,
        b_eq=np.zeros(count * exact.sum()) if exact.any() else None,
        bounds=np.column_stack(
            [
                np.tile(np.where(own, 0, np.minimum((least - values) / unit, 0)), count),
                np.tile(np.where(own, 0, np.maximum((most - values) / unit, 0)), count),
            ]
        ),
        method="highs-ds",
    )
    assert found.status == 0, found.message
    return np.flatnonzero(sums @ found.x < 1 - TINY)


def _in_span(rows, targets):
    """Which targets are combinations of the rows: projection leaves nothing of them."""
    targets = np.array(targets, dtype=float).reshape(-1, rows.shape[1])
    weights = np.linalg.lstsq(rows.T, targets.T, rcond=None)[0]
    return np.abs(rows.T @ weights - targets.T).max(axis=0, initial=0.0) < 1e-9


def _targets(population, reader):
    """Each amount, each holding's part of a cell, and all it has; but the reader's own."""
    cells, values, holdings = population
    found = [np.arange(len(values)) == i for i in range(len(values)) if holdings[i] != reader]
    for label in set(holdings.tolist()) - {reader}:
        mine = holdings == label
        found += [mine, *(cells & mine)]
    return [t for t in np.unique(found, axis=0) if t.any()] if found else []


def _is_alone(population, target):
    """Whether nobody else is in just the same cells as any of these."""
    cells = population.cells
    label = population.holdings[target][0]
    alike = [(cells == cells[:, [i]]).all(axis=0) for i in np.flatnonzero(target)]
    return all((population.holdings[same] == label).all() for same in alike)

"""How fast secondary suppression is, by the number of cells.

    .venv/bin/python bench/disclosure.py

Made-up firms with skewed amounts in three-way tables, each way with a hierarchy; every margin is a
cell. Primary: fewer than three firms, or p % with p = 10; candidates by falling total. CPU seconds
of the elimination alone. Writes `bench/disclosure.csv`.
"""

from __future__ import annotations

import time
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, vstack

from pipeline.disclosure.elimination import keep

TABLES = {
    "1k": (1_600, ((3, 5), (3, 3), (4,))),
    "10k": (20_000, ((5, 6), (5, 5), (3, 3))),
    "100k": (260_000, ((9, 8), (8, 7), (5, 7))),
}
"""Firms, and how each way of the table branches."""
FEWEST, P = 3, 10


def made(firms: int, ways: tuple[tuple[int, ...], ...]) -> tuple[csr_array, np.ndarray, np.ndarray]:
    """Cells x atoms (firms in the same innermost cell), totals, and which cells are unsafe."""
    rng = np.random.default_rng(2026)
    amounts = np.exp(rng.normal(3, 1.5, firms))
    levels = []
    for branches in ways:
        leaves = int(np.prod(branches))
        leaf = rng.choice(leaves, firms, p=rng.dirichlet(np.full(leaves, 0.7)))
        levels.append([leaf // int(np.prod(branches[d:])) for d in range(len(branches) + 1)])
    atom = pd.MultiIndex.from_arrays([way[-1] for way in levels]).factorize()[0]
    rows, totals, unsafe = [], [], []
    for places in product(*levels):
        cells = pd.DataFrame(
            {"cell": pd.MultiIndex.from_arrays(places).factorize()[0], "atom": atom}
        )
        order = np.lexsort((-amounts, cells["cell"]))
        cell, amount = cells["cell"].to_numpy()[order], amounts[order]
        start = np.flatnonzero(np.diff(cell, prepend=-1))
        count, total = np.diff(np.append(start, firms)), np.add.reduceat(amount, start)
        largest, second = (
            amount[start],
            np.where(count > 1, amount[np.minimum(start + 1, firms - 1)], 0),
        )
        totals.append(total)
        unsafe.append((count < FEWEST) | (100 * (total - largest - second) < P * largest))
        pairs = cells.drop_duplicates()
        ones = np.ones(len(pairs), dtype=np.int64)
        rows.append(csr_array((ones, (pairs["cell"], pairs["atom"])), (len(start), atom.max() + 1)))
    return vstack(rows, format="csr"), np.concatenate(totals), np.concatenate(unsafe)


def main() -> None:
    """Measure each table."""
    found = []
    for name, (firms, ways) in TABLES.items():
        cells, totals, unsafe = made(firms, ways)
        order = np.flatnonzero(~unsafe)
        order = order[np.argsort(-totals[order], kind="stable")]
        before = time.process_time()
        kept, _ = keep(cells[order], cells[np.flatnonzero(unsafe)], cells[[]])
        seconds = time.process_time() - before
        row = {"table": name, "cells": len(totals), "atoms": cells.shape[1]}
        row |= {"primary": int(unsafe.sum()), "secondary": int((~kept).sum())}
        found.append(row | {"cpu": round(seconds, 3)})
        print(found[-1], flush=True)  # noqa: T201  (a script)
    table = pd.DataFrame(found)
    table.to_csv(Path(__file__).with_suffix(".csv"), index=False, lineterminator="\n")


if __name__ == "__main__":
    main()

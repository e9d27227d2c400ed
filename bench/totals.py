"""What it takes to secure tables of totals: suppression, audit and repair, by the number of cells.

    .venv/bin/python bench/totals.py

Made-up firms with skewed amounts in three-way tables, each way with a hierarchy; every margin is a
cell, and every twentieth firm belongs to a holding. Rules: three contributors, and p % with p = 10;
importance is the total. Beside it, what is published where unsafe cells alone are left out. CPU
seconds, on a machine with two cores that others shared. Writes `bench/totals.csv`.
"""

from __future__ import annotations

import time
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, vstack

from pipeline.disclosure.primary import Rules
from pipeline.disclosure.totals import secure

TABLES = {
    "1k": (1_600, ((3, 5), (3, 3), (4,))),
    "4k": (8_000, ((4, 5), (4, 4), (3, 3))),
    "10k": (20_000, ((5, 6), (5, 5), (3, 3))),
}
"""Firms, and how each way of the table branches."""
RULES = Rules(3, 10, 1, 100)


def made(firms: int, ways: tuple[tuple[int, ...], ...]) -> tuple[csr_array, np.ndarray, np.ndarray]:
    """Cells x firms, amounts, and the holding of each firm."""
    rng = np.random.default_rng(2026)
    amounts = np.exp(rng.normal(3, 1.5, firms))
    holdings = np.where(rng.random(firms) < 0.05, rng.integers(0, firms // 60, firms), -1)
    holdings = np.where(holdings < 0, firms + np.arange(firms), holdings)
    levels = []
    for branches in ways:
        leaves = int(np.prod(branches))
        leaf = rng.choice(leaves, firms, p=rng.dirichlet(np.full(leaves, 0.7)))
        levels.append([leaf // int(np.prod(branches[d:])) for d in range(len(branches) + 1)])
    rows = []
    for places in product(*levels):
        cell = pd.MultiIndex.from_arrays(places).factorize()[0]
        shape = (int(cell.max()) + 1, firms)
        rows.append(csr_array((np.ones(firms), (cell, np.arange(firms))), shape))
    return vstack(rows, format="csr"), amounts, holdings


def main() -> None:
    """Secure each table."""
    found = []
    for name, (firms, ways) in TABLES.items():
        cells, amounts, holdings = made(firms, ways)
        totals = cells @ amounts
        before = time.process_time()
        secured = secure(cells, amounts, holdings, RULES, totals)
        seconds = time.process_time() - before
        row = {"table": name, "firms": firms, "cells": len(totals)}
        row |= {kind: getattr(secured, kind) for kind in ("primary", "secondary", "attack")}
        safe = ~np.isin(secured.rule, ["min_contributors", "p_percent", "dominance"])
        for kind, shown in (("primary_only", safe), ("secured", secured.published)):
            row[f"{kind}_cells"] = round(100 * float(shown.mean()), 1)
            row[f"{kind}_value"] = round(100 * float(totals[shown].sum() / totals.sum()), 1)
        row |= {"solves": secured.solves, "protection": round(secured.protection, 2)}
        found.append(row | {"cpu": round(seconds, 1)})
        print(found[-1], flush=True)  # noqa: T201  (a script)
    table = pd.DataFrame(found)
    table.to_csv(Path(__file__).with_suffix(".csv"), index=False, lineterminator="\n")


if __name__ == "__main__":
    main()

"""A thousand random populations, secured, and audited by code that shares nothing with it.

    .venv/bin/python bench/populations.py [--populations 1000] [--processes 2]

The populations and the audit are those of `tests/disclosure/random_populations.py`: firms instead
of atoms, every holding a reader, scipy's programmes. Beside it, in how many populations the audit
finds something where unsafe cells alone are left out, and where only exact disclosure is prevented
(cells suppressed by the repair are published). Writes `bench/populations.csv`.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "disclosure"))

from random_populations import RULES, findings, made  # type: ignore[import-not-found]  # noqa: E402

from pipeline.disclosure.totals import secure  # noqa: E402


def counted(seed: int) -> dict[str, int]:
    """Secure one population and audit what is published."""
    population = made(seed)
    secured = secure(
        population.matrix, population.values, population.holdings, RULES, population.cost
    )
    found = {"cells": len(secured.published), "published": int(secured.published.sum())}
    found |= {kind: getattr(secured, kind) for kind in ("primary", "secondary", "attack")}
    found["findings"] = len(findings(population, secured.published))
    further = {"primary_only": ["secondary", "attack"], "without_repair": ["attack"]}
    for name, kinds in further.items():
        published = secured.published | np.isin(secured.rule, kinds)
        found[name] = int(bool(findings(population, published)))
    return found


def main() -> None:
    """Count over all populations."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--populations", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    with ProcessPoolExecutor(given.processes) as pool:
        rows = list(pool.map(counted, range(given.populations), chunksize=10))
    table = pd.DataFrame(rows).sum().to_frame().T
    table.insert(0, "populations", len(rows))
    table.to_csv(Path(__file__).with_suffix(".csv"), index=False, lineterminator="\n")
    print(table.to_string(index=False))  # noqa: T201  (a script)


if __name__ == "__main__":
    main()

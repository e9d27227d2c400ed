"""Random populations, secured, and audited by code that shares nothing with what secured them.

    .venv/bin/python bench/populations.py [--populations 1000] [--processes 2]

By engine: `totals` is `disclosure/totals.py`. All others are what a run does: primary rules and
elimination, then a plan of what is left and `disclosure/repair.py`. Of these `amounts` and
`rounded` are the same totals of three waves, told exactly or in steps of 1 or 10; `ratios` two
weighted ratios with the total of their denominator; `shares` weighted shares of answers in whole
per cents, `coarse` in steps of five points, as a run prints few answers.

The audits are those of `tests/disclosure/random_populations.py` and
`tests/disclosure/random_surveys.py`: firm by firm, every holding a reader, scipy's programmes; for
answers every combination of them, so that halves of answers do not count. `findings`: what is
known too closely (or exactly), in `affected` populations; `failed`: those of which a run would
publish nothing. `parts`: populations in which the audit of `totals` finds something, which also
asks for holdings' parts of each cell, and for doubt from below where a holding is alone. Beside it,
in how many populations something is found where unsafe cells alone are left out (`primary_only`),
and where only exact disclosure is prevented (`without_repair`). Writes `bench/populations.csv`.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "disclosure"))

from random_populations import RULES, findings, made  # type: ignore[import-not-found]  # noqa: E402
from random_surveys import (  # type: ignore[import-not-found]  # noqa: E402
    Survey,
    audited,
    cleared,
    of_totals,
    surveyed,
)

from pipeline.disclosure.totals import secure  # noqa: E402
from pipeline.errors import DisclosureError  # noqa: E402

EXACTLY = 1e-6
"""A unit of which all amounts are multiples, and no programme sees half of it."""


def counted(engine: str, seed: int) -> dict[str, int]:
    """Secure one population and audit what is published."""
    return of_table(seed) if engine == "totals" else of_run(engine, seed)


def of_table(seed: int) -> dict[str, int]:
    """The same by the engine of tables of totals."""
    population = made(seed)
    secured = secure(
        population.matrix, population.values, population.holdings, RULES, population.cost
    )
    found = {"failed": 0, "cells": len(secured.published)}
    found["published"] = int(secured.published.sum())
    found |= {kind: getattr(secured, kind) for kind in ("primary", "secondary", "attack")}
    found["findings"] = len(findings(population, secured.published))
    found["affected"] = found["parts"] = int(found["findings"] > 0)
    further = {"primary_only": ["secondary", "attack"], "without_repair": ["attack"]}
    for name, kinds in further.items():
        published = secured.published | np.isin(secured.rule, kinds)
        found[name] = int(bool(findings(population, published)))
    return found


def survey_of(engine: str, seed: int) -> Survey:
    """A random survey of what an engine is to publish."""
    match engine:
        case "amounts" | "rounded":
            return of_totals(made(seed), EXACTLY if engine == "amounts" else [1.0, 10.0][seed % 2])
        case "ratios":
            return surveyed(seed, "ratio")
        case _:
            return surveyed(seed, "share", coarse=engine == "coarse")


def of_run(engine: str, seed: int) -> dict[str, int]:
    """The same by the engine of a run."""
    survey = survey_of(engine, seed)
    try:
        safe, eliminated, published = cleared(survey)
    except DisclosureError:
        return {"failed": 1}
    found = {"failed": 0, "cells": safe.size, "published": int(published.sum())}
    found["primary"] = int((~safe).sum())
    found["secondary"] = int((safe & ~eliminated).sum())
    found["attack"] = int((eliminated & ~published).sum())
    found["findings"] = len([*audited(survey, published)])
    found["affected"] = int(found["findings"] > 0)
    if engine == "amounts":
        found["parts"] = int(bool(findings(made(seed), published[0])))
    for name, cells in (("primary_only", safe), ("without_repair", eliminated)):
        found[name] = int(any(True for _ in audited(survey, cells)))
    return found


ENGINES = ("totals", "amounts", "rounded", "ratios", "shares", "coarse")


def main() -> None:
    """Count over all populations."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--populations", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    tables = []
    with ProcessPoolExecutor(given.processes) as pool:
        for engine in ENGINES:
            rows = list(pool.map(partial(counted, engine), range(given.populations), chunksize=5))
            table = pd.DataFrame(rows).sum(min_count=1).to_frame().T
            table.insert(0, "populations", len(rows))
            table.insert(0, "engine", engine)
            tables.append(table.convert_dtypes())
    table = pd.concat(tables, ignore_index=True)
    table.to_csv(Path(__file__).with_suffix(".csv"), index=False, lineterminator="\n")
    print(table.to_string(index=False))  # noqa: T201  (a script)


if __name__ == "__main__":
    main()

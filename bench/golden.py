"""How right the estimates are: z-scores against the truth, over many made-up populations.

    .venv/bin/python bench/golden.py [--seeds 200] [--processes 2] [--strata size,events]

For each seed a population is made, its exports are written and read back through every stage up to
the estimates; z = (estimate - truth) / standard error. Over many seeds z has mean 0 and spread 1
if estimates and standard errors are right. Writes `bench/golden.csv` (by indicator and breakdown)
and prints the summary that `docs/golden.md` quotes; with other strata it only prints.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from population.make import make, truth  # type: ignore[import-not-found]  # noqa: E402

from pipeline.analyse import compare, estimate  # noqa: E402
from pipeline.collect import read_settings  # noqa: E402
from pipeline.design import with_response  # noqa: E402
from pipeline.run import Run  # noqa: E402
from pipeline.study import read_study  # noqa: E402
from pipeline.tables import Answers, Register  # noqa: E402
from pipeline.wave import process, take  # noqa: E402

CELL = ["wave", "indicator", "breakdown", "group"]
ROUNDING = 1e-6
FEW = 10
"""Answers below which a group is reported apart."""


def estimates_of(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Estimates and changes of a study's waves, through every stage but the reports."""
    study, run = read_study(folder), Run()
    waves = read_settings(study.raw, until=max(p.parent.name for p in study.raw.glob("2*/*.toml")))
    taken = [take(study, settings, "", run) for settings in waves.values()]
    order = [Answers.wave, Answers.file, str(Answers.record), Answers.item]
    answers = pd.concat([t.answers for t in taken], ignore_index=True).sort_values(order)
    register = pd.concat([t.register for t in taken], ignore_index=True)
    register = register.sort_values([Register.wave, Register.firm_id, Register.variable])
    processed = process(study, answers.reset_index(drop=True), register, run)
    _, frame, weights, shares = processed
    base, pairs = (shares, weights, frame), study.benchmark_pairs
    breakdowns = study.settings.publication.breakdowns
    indicators = with_response(study.indicators, sensitivity="low")
    asked = {"changes": study.changes, "breakdowns": breakdowns}
    found = estimate(*base, indicators, pairs, **asked, pooled=())
    changes = compare(*base, study.indicators, pairs, **asked)
    return found, changes


def scores(seed: int, strata: str) -> pd.DataFrame:
    """z-scores of one seed's estimates, and of their changes on the wave before."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        shutil.copytree(ROOT / "schemas", here / "schemas")
        if strata:
            settings = here / "schemas" / "study.toml"
            named = ", ".join(f'"{name}"' for name in strata.split(","))
            text = re.sub(r"(?m)^strata = .*$", f"strata = [{named}]", settings.read_text("utf-8"))
            settings.write_text(text, "utf-8")
        make(here, seed)
        found, changes = estimates_of(here)
    known = truth(seed).astype({"group": str}).set_index(CELL)["value"]
    levels = found.assign(kind="level", value=found["estimate"])
    levels["truth"] = known.reindex(pd.MultiIndex.from_frame(levels[CELL])).to_numpy()
    steps = changes[~changes["break_in_series"] & (changes["comparison"] == "change")]
    steps = steps.assign(kind="change", value=steps["change"], n=steps["n_both"])
    before = steps.assign(wave=steps["previous"])
    steps["truth"] = (
        known.reindex(pd.MultiIndex.from_frame(steps[CELL])).to_numpy()
        - known.reindex(pd.MultiIndex.from_frame(before[CELL])).to_numpy()
    )
    columns = [*CELL, "kind", "n", "value", "truth", "se", "ci_low", "ci_high"]
    table = pd.concat([levels[columns], steps[columns]], ignore_index=True)
    return table[table["truth"].notna()].assign(seed=seed)


def summary(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Mean and spread of z, and how often the 95 % interval holds the truth, by columns."""
    # Where all answers of every stratum are alike there is no standard error to speak of.
    usable = table[table["se"] > ROUNDING]
    z = (usable["value"] - usable["truth"]) / usable["se"]
    inside = (usable["ci_low"] <= usable["truth"]) & (usable["truth"] <= usable["ci_high"])
    grouped = usable.assign(z=z, inside=inside).groupby(by)
    result = grouped.agg(
        cells=("z", "size"),
        seeds=("seed", "nunique"),
        mean=("z", "mean"),
        spread=("z", "std"),
        coverage=("inside", "mean"),
    )
    # The cells of one seed hang together, so the error of the mean is taken over seeds.
    by_seed = usable.assign(z=z).groupby([*by, "seed"])["z"].mean()
    error = by_seed.groupby(by).std() / np.sqrt(result["seeds"])
    return result.assign(error_of_mean=error).reset_index()


def main() -> None:
    """Run the seeds side by side, write the table and print what it says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--first", type=int, default=1000)
    parser.add_argument("--strata", default="")
    arguments = parser.parse_args()
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    with ProcessPoolExecutor(arguments.processes) as pool:
        tables = list(pool.map(partial(scores, strata=arguments.strata), seeds))
    table = pd.concat(tables, ignore_index=True)
    kinds = read_study(ROOT).indicators.set_index("indicator")["kind"]
    table["what"] = table["indicator"].map(kinds).fillna("share")
    table["answers"] = np.where(table["n"] < FEW, f"below {FEW}", f"{FEW} and more")
    if not arguments.strata:
        detail = summary(table, ["kind", "what", "indicator", "breakdown", "answers"])
        detail.round(3).to_csv(ROOT / "bench" / "golden.csv", index=False, lineterminator="\n")
    overall = table[table["breakdown"] == "all"]
    for part, by in (
        (overall, ["kind", "what", "indicator"]),
        (table, ["kind", "what", "breakdown", "answers"]),
    ):
        print(summary(part, by).round(3).to_string(index=False))  # noqa: T201 (a script)


if __name__ == "__main__":
    main()

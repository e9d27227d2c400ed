"""What the reference study keeps of its figures under disclosure control, and what the audit takes.

    .venv/bin/python bench/kept.py

Runs the newest wave of the study at the root in a temporary folder, with all waves before it and
no release, and takes the clearance from its stages. A cell is a group with an answer of one
indicator (who responded is none). `primary`: cells that break no primary rule (a formula: none of
its parts does); `elimination`: those left by `protect`; `audit`: by `secure`, which is what is
published. `answers`: contributors of all cells, and of those left by each step. `least`: the most
cells that could be left where the primary ones must not follow by subtraction, worked out by
`disclosure/optimum.py` for each indicator that is no formula; `bound`: no more than that, by its
relaxed programme; `of`: the cells of these indicators, `of_primary` and so on: those of them that
each step leaves.

`attacks`: pairs of a figure and a reader proved safe, in `solves` programmes and `cpu` seconds of
one process, whatever else the machine did; `audits`: systems of indicators that share items. Rows
are waves, the breakdowns of the newest, and all. Writes `bench/kept.csv`, of which
`bench/kept_page.py` makes the tables of `docs/disclosure.md`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

import pipeline.analyse  # noqa: F401  (makes the module below known)
from pipeline.analyse.domains import GROUP, groups_of
from pipeline.analyse.measures import rules_of
from pipeline.analyse.series import limits_of, series_of
from pipeline.collect import newest_wave
from pipeline.disclosure.optimum import Table, optimum
from pipeline.run import Run
from pipeline.study import read_study
from pipeline.tables.disclosure import NOT_BY_ITSELF
from pipeline.tables.flow import RESPONSE
from pipeline.wave import run_wave

ROOT = Path(__file__).resolve().parents[1]
KEY = ["wave", "indicator", *GROUP]
STEPS = ("primary", "elimination", "audit")


@dataclass
class Kept(Run):
    """A run that keeps what it gave to `protect` and what `protect` and `secure` made of it."""

    given: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})
    made: dict[str, Any] = field(default_factory=dict)
    clock: list[float] = field(default_factory=list)

    def __call__(self, stage: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call the stage and keep its result."""
        result = super().__call__(stage, *args, **kwargs)
        if stage.__name__ in ("protect", "secure"):
            self.made[stage.__name__] = result
        if stage.__name__ == "protect":
            self.given = args, kwargs
        if stage.__name__ == "secure":
            self.clock.append(time.process_time())
        return result


def kept_of(folder: Path) -> tuple[Kept, list[float]]:
    """Run the newest wave of a copy of the study; with the CPU seconds of each wave's audits."""
    for name in ("schemas", "data/raw"):
        shutil.copytree(ROOT / name, folder / name)
    study, run = read_study(folder), Kept()
    module: Any = sys.modules["pipeline.analyse.secure"]

    def begun(*args: Any) -> Any:
        run.clock.append(time.process_time())
        return series_of(*args)

    module.series_of = begun  # `secure` asks for them once a wave, before it audits them
    try:
        run_wave(study, newest_wave(study.raw), run)
    finally:
        module.series_of = series_of
    return run, [end - start for start, end in pairwise(run.clock)]


def cells_of(run: Kept) -> pd.DataFrame:
    """Every cell with an answer: its contributors, and whether each step leaves it."""
    allowed, (secured, *_), indicators = run.made["protect"], run.made["secure"], run.given[0][2]
    table = allowed.merge(secured[[*KEY, "rule"]], on=KEY, suffixes=("", "_secured"))
    safe = table["rule"].isin(NOT_BY_ITSELF)
    unsafe = set(table.loc[~safe, KEY].itertuples(index=False, name=None))
    parts = {name: rule.parts for name, rule in rules_of(indicators).items()}
    table["primary"] = [
        own and not any((wave, part, *group) in unsafe for part in parts[name])
        for own, wave, name, *group in zip(safe, *(table[column] for column in KEY), strict=True)
    ]
    table["elimination"] = table["rule"] == ""
    table["audit"] = table["rule_secured"] == ""
    table["is_formula"] = table["indicator"].map(lambda name: bool(parts[name]))
    counts = (table["contributors"] > 0) & (table["indicator"] != RESPONSE)
    return pd.DataFrame(table[counts]).reset_index(drop=True)


def best_of(run: Kept, cells: pd.DataFrame) -> pd.DataFrame:
    """The cells that must be suppressed at least, by wave and indicator; one that is no formula."""
    (shares, register, indicators, pairs, *_), limits = run.given
    groups, kinds = groups_of(register, limits["breakdowns"], pairs), rules_of(indicators)
    rules = limits_of(kinds, limits["rules"], limits["min_contributors_high"])
    unsafe = cells[~cells["primary"]].groupby(["wave", "indicator"])
    found = []
    for wave, listed in register.groupby("wave"):
        own = shares[shares["wave"] == wave]
        for name, members, _ in series_of(own, listed, groups, kinds, rules):
            rows = np.flatnonzero(members.any(axis=1))
            if name == RESPONSE:
                continue
            if (wave, name) not in unsafe.groups:
                found.append({"wave": wave, "indicator": name, "least": 0.0, "bound": 0.0})
                continue
            keys = pd.MultiIndex.from_frame(unsafe.get_group((wave, name))[GROUP])
            targets = pd.MultiIndex.from_frame(groups[GROUP].iloc[rows]).isin(keys)
            best = optimum(table_of(members[rows], targets))
            found.append({"wave": wave, "indicator": name, "least": best.cost, "bound": best.bound})
    return pd.DataFrame(found)


def table_of(members: np.ndarray, targets: np.ndarray) -> Table:
    """Cells over the firms that are in the same ones; the targets must not follow exactly."""
    atoms = csr_array(np.unique(members, axis=1).astype(float))
    width, count = atoms.shape[1], int(targets.sum())
    return Table(
        np.ones(width),
        np.full(width, -np.inf),
        atoms,
        np.ones(len(targets)),
        csr_array(atoms[np.flatnonzero(targets)]),
        np.ones(count),
        np.zeros(count),
    )


def counted(part: str, name: str, cells: pd.DataFrame) -> dict[str, object]:
    """A row of the table: cells and answers left by each step."""
    row: dict[str, object] = {"part": part, "name": name, "cells": len(cells)}
    row |= {step: int(cells[step].sum()) for step in STEPS}
    row["answers"] = int(cells["contributors"].sum())
    answers = {step: int(cells.loc[cells[step], "contributors"].sum()) for step in STEPS}
    return row | {f"answers_{step}": count for step, count in answers.items()}


def rows_of(run: Kept, seconds: list[float]) -> Iterator[dict[str, object]]:
    """All rows: waves, breakdowns of the newest wave, all."""
    cells, audits = cells_of(run), run.made["secure"][1]
    best, single = best_of(run, cells), cells[~cells["is_formula"]]
    waves = sorted(set(cells["wave"]))
    cpu = dict(zip(waves, seconds, strict=True))
    for name, some in [*((wave, [wave]) for wave in waves), ("all", waves)]:
        of_wave, audited = single[single["wave"].isin(some)], audits[audits["wave"].isin(some)]
        bounds, count = best[best["wave"].isin(some)], len(of_wave)
        yield counted("wave", name, cells[cells["wave"].isin(some)]) | {
            "of": count,
            **{f"of_{step}": int(of_wave[step].sum()) for step in STEPS},
            "least": count - round(bounds["least"].sum()),
            "bound": round(count - bounds["bound"].sum(), 1),
            "audits": len(audited),
            "attacks": int(audited["attacks"].sum()),
            "solves": int(audited["solves"].sum()),
            "cpu": round(sum(cpu[wave] for wave in some), 1),
        }
    newest = cells[cells["wave"] == waves[-1]]
    for breakdown in dict.fromkeys(newest["breakdown"]):
        yield counted("breakdown", breakdown, newest[newest["breakdown"] == breakdown])


def main() -> None:
    """Run the study and write the table."""
    with tempfile.TemporaryDirectory() as folder:
        run, seconds = kept_of(Path(folder))
    table = pd.DataFrame(rows_of(run, seconds)).convert_dtypes()
    table.to_csv(Path(__file__).with_suffix(".csv"), index=False, lineterminator="\n")
    print(table.to_string(index=False))  # noqa: T201  (a script)


if __name__ == "__main__":
    main()

"""Whether a firm's answer follows from all printed shares and balances of an indicator together.

    .venv/bin/python bench/answers.py [--study FOLDER] [--waves 2026] [--holdings 5]

Reads what the newest run of the study made: printed estimates, contributions, the register. The
unknowns are whole answers (0 or 1; -1, 0 or 1), and the reader knows every weight to its last
digit. For each answer integer programmes look for another world, with another answer of this firm,
from which the same would be printed; a world serves all firms whose answers differ in it. Readers
are an outsider and so many holdings, the largest first; they know their own answers. The run's own
audit is not used. Writes `bench/answers.csv`, a line for each system as soon as it is done.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

import highspy
import numpy as np
import pandas as pd
from red_team import COARSE_BELOW, SCALE, WAVES, Truth, read_truth
from scipy.sparse import block_array, csr_array
from scipy.sparse.csgraph import connected_components

ROOT = Path(__file__).resolve().parents[1]
NODES, FEW_NODES = 3000, 100
"""Nodes after which a programme for one answer is given up, and one for many."""
SECONDS = 10.0
"""Time after which either is; few ever need it."""
EDGE = 2e-6
"""How far inside a rounding step a world must be, in units of the largest weight."""
SMALL = 1e-9

Bools = np.ndarray


class System(NamedTuple):
    """Printed figures of n answers: `low` <= rows @ answers <= `high`, (m,).

    `printed`: rows that are a figure, (m,); the others are what readers know anyway. `answers`: the
    true ones, from `least` to 1, and the `holding` of each, numbered from 0, all (n,).
    """

    rows: csr_array
    low: np.ndarray
    high: np.ndarray
    printed: Bools
    answers: np.ndarray
    least: np.ndarray
    holding: np.ndarray


class Found(NamedTuple):
    """Pairs of answer and reader: those that follow, those given up; programmes."""

    follow: int
    undecided: int
    solves: int


class Worlds:
    """Other answers from which the same would be printed, found by integer programmes."""

    def __init__(self, system: System) -> None:
        scale = 1 / abs(system.rows).max(axis=1).toarray().ravel()
        self._system, self.solves, self.given_up = system, 0, False
        self._rows = csr_array(system.rows.multiply(scale[:, None]))
        truth = self._rows @ system.answers
        # A world at the end of a step may be printed otherwise, but for one with the true sum.
        edge = np.where(system.printed, EDGE, -SMALL)
        self._low = np.minimum(system.low * scale + edge, truth - SMALL)
        self._high = np.maximum(system.high * scale - edge, truth + SMALL)
        self._highs = self._solver()

    def find(
        self, wanted: Bools, frozen: Bools, forced: tuple[int, float] | None = None
    ) -> Bools | None:
        """Which answers differ in a world: many of the wanted, none of the frozen, all (n,).

        `forced`: an answer and what it must be. None where no such world was found; `given_up` says
        whether there may be one.
        """
        system, highs, n = self._system, self._highs, len(self._system.answers)
        gain = np.where(system.answers == system.least, 1.0, -1.0) * (wanted & ~frozen)
        least = np.where(frozen, system.answers, system.least).astype(float)
        most = np.where(frozen, system.answers, 1.0)
        if forced is not None:
            least[forced[0]] = most[forced[0]] = forced[1]
        numbers = np.arange(n, dtype=np.int32)
        highs.changeColsCost(n, numbers, -gain)
        highs.changeColsBounds(n, numbers, least, most)
        highs.setOptionValue("mip_max_nodes", FEW_NODES if wanted.any() else NODES)
        highs.setOptionValue("mip_max_improving_sols", 2**31 - 1 if wanted.any() else 1)
        highs.setOptionValue("time_limit", highs.getRunTime() + SECONDS)
        highs.run()
        self.solves += 1
        self.given_up = highs.getModelStatus() != highspy.HighsModelStatus.kInfeasible
        if highs.getInfo().primal_solution_status != 2:
            return None
        world = np.round(highs.getSolution().col_value)
        sums = self._rows @ world
        fulfilled = (sums >= self._low - SMALL) & (sums <= self._high + SMALL)
        return world != system.answers if fulfilled.all() else None

    def _solver(self) -> highspy.Highs:
        n, highs = len(self._system.answers), highspy.Highs()
        for option, value in {"output_flag": False, "threads": 1, "mip_rel_gap": 0.5}.items():
            highs.setOptionValue(option, value)
        programme = highspy.HighsLp()
        programme.num_col_, programme.num_row_ = n, len(self._low)
        programme.col_cost_ = np.zeros(n)
        programme.col_lower_, programme.col_upper_ = self._system.least.astype(float), np.ones(n)
        programme.row_lower_, programme.row_upper_ = self._low, self._high
        programme.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        programme.a_matrix_.start_ = self._rows.indptr
        programme.a_matrix_.index_ = self._rows.indices
        programme.a_matrix_.value_ = self._rows.data
        programme.integrality_ = [highspy.HighsVarType.kInteger] * n
        highs.passModel(programme)
        return highs


class Proof:
    """For which answers and readers a world was found; the last reader is the outsider."""

    def __init__(self, system: System, readers: np.ndarray) -> None:
        self.system = system
        n, count = len(system.answers), int(system.holding.max()) + 1
        self.safe = np.ones((n, count + 1), dtype=bool)
        self.safe[:, [*readers, count]] = False
        self.safe[np.arange(n), system.holding] = True

    def take(self, flips: Bools | None) -> None:
        """Learn from a world."""
        if flips is not None:
            kept = np.ones(self.safe.shape[1], dtype=bool)
            kept[self.system.holding[flips]] = False
            self.safe[np.ix_(flips, kept)] = True

    def left(self, target: int) -> np.ndarray:
        """Readers to whom an answer may still be told; the outsider only by itself."""
        readers = np.flatnonzero(~self.safe[target])
        return readers if len(readers) == 1 else readers[readers < self.safe.shape[1] - 1]


def audit(system: System, readers: np.ndarray) -> Found:
    """Decide for each answer whether it follows for an outsider and these holdings."""
    worlds, proof = Worlds(system), Proof(system, readers)
    for half in halves(readers, proof.safe.shape[1]):
        frozen = half[system.holding]
        # The outsider is the last; whoever has nothing to freeze is none else.
        knowing = half if half.any() else np.arange(len(half)) == len(half) - 1
        proof.take(worlds.find(~proof.safe[:, knowing].all(axis=1), frozen))
    follow = undecided = 0
    for target in np.argsort(proof.safe.sum(axis=1), kind="stable"):
        while len(left := proof.left(int(target))):
            while (flips := moved(worlds, proof, int(target), left)) is None and len(left) > 1:
                left = left[: len(left) // 2]
            proof.take(flips)
            if flips is None:
                follow, undecided = follow + (not worlds.given_up), undecided + worlds.given_up
                proof.safe[target, left] = True
    return Found(follow, undecided, worlds.solves)


def moved(worlds: Worlds, proof: Proof, target: int, readers: np.ndarray) -> Bools | None:
    """A world with another answer of a firm in which these readers' are the same."""
    system, given_up = proof.system, False
    frozen, any_world = np.isin(system.holding, readers), np.zeros(len(system.answers), dtype=bool)
    for value in np.arange(system.least[target], 2):
        if value == system.answers[target]:
            continue
        flips = worlds.find(any_world, frozen, (target, float(value)))
        if flips is not None:
            return flips
        given_up |= worlds.given_up
    worlds.given_up = given_up
    return None


def halves(readers: np.ndarray, count: int) -> Iterator[Bools]:
    """Nobody, and halves of the readers by each binary digit of their places: (count,)."""
    yield np.zeros(count, dtype=bool)
    place = np.arange(len(readers))
    for digit, side in product(range(max(len(readers) - 1, 0).bit_length()), (0, 1)):
        half = np.zeros(count, dtype=bool)
        half[readers[place >> digit & 1 == side]] = True
        yield half


def parts(system: System) -> Iterator[System]:
    """Systems that have no figure in common."""
    graph = block_array([[None, system.rows], [system.rows.T, None]], format="csr")
    place = connected_components(graph, directed=False)[1]
    of_row, of_answer = np.split(place, [len(system.low)])
    for number in np.unique(of_row):
        mine, at = of_row == number, of_answer == number
        rows = csr_array(system.rows[np.flatnonzero(mine)][:, np.flatnonzero(at)])
        ends = system.low[mine], system.high[mine], system.printed[mine]
        holding = np.unique(system.holding[at], return_inverse=True)[1]
        yield System(rows, *ends, system.answers[at], system.least[at], holding)


def system_of(truth: Truth, printed: pd.DataFrame, wave: str, names: list[str]) -> System:
    """What is printed of a wave's indicators; of two of one question, that no answer is both."""
    brought = [truth.brought[wave, name] for name in names]
    whole = pd.concat([rows[rows["denominator"] > 0].sort_index() for rows in brought], keys=names)
    name_of, firms = (whole.index.get_level_values(level) for level in (0, 1))
    lines, ends = [], []
    told = printed[(printed["wave"] == wave) & printed["indicator"].isin(names)]
    for row in told.sort_values(["indicator", "breakdown", "group"]).itertuples():
        inside = (name_of == row.indicator) & firms.isin(
            truth.members[wave, row.breakdown, row.group]
        )
        weight = np.where(inside, whole["weight"], 0.0)
        step = 10.0 ** -int(row.decimals) * (5 if inside.sum() < COARSE_BELOW else 1)
        lines.append(SCALE * weight / weight.sum())
        ends.append((row.value - step / 2, row.value + step / 2))
    figures = len(lines)
    for firm in firms[firms.duplicated()]:
        one, other = np.flatnonzero(firms == firm)
        for sign in (1.0, -1.0):
            lines.append(sign * (np.arange(len(firms)) == one) + (np.arange(len(firms)) == other))
            ends.append((-np.inf, 1.0))
    answers, (low, high) = whole["numerator"].to_numpy(), np.array(ends).T
    rows, smallest = csr_array(np.array(lines)), whole["numerator"].groupby(level=0).min()
    sums = rows @ answers
    if (sums < low - SMALL).any() or (sums > high + SMALL).any():
        raise RuntimeError(f"a printed figure of {names} in {wave} was misread")
    holding = np.unique([truth.holding[wave, str(firm)] for firm in firms], return_inverse=True)[1]
    least = name_of.map(np.minimum(smallest, 0.0)).to_numpy()
    return System(
        rows, low, high, np.arange(len(rows.indptr) - 1) < figures, answers, least, holding
    )


def audited(system: System, holdings: int) -> dict[str, object]:
    """The audit of a system for an outsider and so many holdings, those of most answers first."""
    before, found = time.process_time(), []
    for part in parts(system):
        size = np.bincount(part.holding)
        found.append(audit(part, np.argsort(-size, kind="stable")[:holdings]))
    follow, undecided, solves = np.array(found).sum(axis=0).tolist()
    row: dict[str, object] = {"answers": len(system.answers), "cells": int(system.printed.sum())}
    row |= {"follow": follow, "undecided": undecided, "solves": solves}
    return row | {"cpu": round(time.process_time() - before, 1)}


def main() -> None:
    """Audit all systems of the waves."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--study", type=Path, default=ROOT)
    parser.add_argument("--waves", nargs="+", default=WAVES)
    parser.add_argument("--holdings", type=int, default=5)
    given = parser.parse_args()
    made = given.study / "data" / "processed" / WAVES[-1]
    truth, printed = read_truth(given.study), pd.read_parquet(made / "release.parquet")
    shown = (printed["statistic"] == "estimate") & (printed["symbol"] == "")
    printed = printed[shown & (printed["reference"] == "")]
    protection = pd.read_parquet(made / "protection.parquet")
    rows: list[dict[str, object]] = []
    for wave, names in zip(protection["wave"], protection["system"].str.split(), strict=True):
        contributed = [truth.brought[wave, name]["numerator"] for name in names]
        if wave in given.waves and all(set(values) <= {-1, 0, 1} for values in contributed):
            found = audited(system_of(truth, printed, wave, names), given.holdings)
            rows.append(
                {"wave": wave, "system": " ".join(names), "readers": given.holdings} | found
            )
            print(rows[-1], flush=True)  # noqa: T201  (a script)
            table = pd.DataFrame(rows)
            table.to_csv(Path(__file__).with_suffix(".csv"), index=False, lineterminator="\n")


if __name__ == "__main__":
    main()

"""How often 95 % intervals hold the truth: responses drawn 2,000 times from a made-up census.

    .venv/bin/python bench/coverage.py [--replications 2000] [--processes 2] [--peers PYTHON]

The census is that of the made-up population (`tests/population`): what all 250 firms would answer
is known, and with it the truth. Each replication draws who answers and estimates with the library
`pipeline.survey`, without the rest of the pipeline. Writes `bench/coverage.csv` and the tables
in `docs/coverage.md`. Two other packages estimate the same changes where they are installed: R's
survey (Rscript), and svy for the Python named by --peers.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import zlib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from coverage_census import (
    ITEMS,
    WAVES,
    Census,
    census,
    leaning,
    moved,
    respond,
)
from coverage_estimates import SHARES, blocks_of, cells_of, estimated, found, interval, weighted
from coverage_page import PAGE, TABLE, filled
from coverage_peers import ITEMS as PEER_ITEMS
from coverage_peers import OWN, commands, covered, run, stacked
from coverage_tally import Tally

from pipeline import survey
from pipeline.survey import Estimate

SEED = 20_260
PEER_REPLICATIONS = 500
PEER_SETTINGS = ("60 %", "90 %")
CHUNK = 50
"""Replications of a task: fixed, so that sums run in the same order however many processes."""
NEWEST, BEFORE = "2026", "2025"
SEVERAL = {
    "change": ("mean", "share", "rare share", "balance", "climate", "ratio"),
    "pooled": ("share", "rare share"),
    "trend": ("mean", "share", "rare share", "balance", "climate"),
}
LEANING = ("mean", "share", "balance", "climate")
FEW, MANY = ("all", "size", "district"), ("all", "size", "district", "cell")
BENCHMARK = ("mean", "share", "rare share", "balance")
R_COLUMNS = ["size", "field_group", "events"]


@dataclass(frozen=True)
class Scenario:
    """One setting of the simulation: what is drawn and how the answers are weighted.

    `items`: response rate of an item; `lean`: how far response hangs on the answer and on events.
    """

    part: str
    setting: str
    weights: str = "response"
    overlap: float | None = None
    items: float = 1.0
    lean: tuple[float, float] = (0.0, 0.0)
    chain: tuple[str, ...] = (NEWEST,)
    what: str = "level"

    def draw(self, replication: int) -> np.random.Generator:
        """The same responses whatever the weights."""
        return np.random.default_rng([SEED, zlib.crc32(self.setting.encode()), replication])

    @property
    def waves(self) -> tuple[Census, ...]:
        """The census of each wave."""
        return tuple(_census(name) for name in self.chain)


@lru_cache(maxsize=8)
def _census(name: str) -> Census:
    """A wave, or the newest as a register of the year before that had other strata."""
    return moved(census(NEWEST), 0.12) if name == "moved" else census(name)


def levels(scenario: Scenario, replications: range) -> tuple[Tally, list[float]]:
    """Levels of the newest wave; where response leans, the R-indicator of each replication."""
    firms, leans = scenario.waves[-1], scenario.part == "d"
    domains = ("all",) if leans else MANY if scenario.weights == "response" else FEW
    cells = cells_of((firms,), LEANING if leans else tuple(ITEMS), domains, "level")
    blocks, tally, r = blocks_of(firms, cells), Tally(cells), []
    chance = leaning(firms, *scenario.lean) if leans else firms.rate
    for replication in replications:
        draw = scenario.draw(replication)
        answered = draw.random(len(firms.ids)) < chance
        missing = draw.random((len(firms.above), len(firms.ids))) > scenario.items
        design = weighted(firms, answered, scenario.weights)
        estimates = [estimated(design, block, answered, missing) for block in blocks]
        ends = [interval(e, block.kind) for e, block in zip(estimates, blocks, strict=True)]
        tally.add(found(estimates, ends))
        if leans:
            r.append(survey.representativity(firms.register[R_COLUMNS], answered).r)
    return tally, r


def waves(scenario: Scenario, replications: range) -> tuple[Tally, list[float]]:
    """Changes between two waves, means over several, slopes over several."""
    chain, what = scenario.waves, scenario.what
    domains = FEW if scenario.weights == "response" and what == "change" else FEW[:2]
    cells = cells_of(chain, SEVERAL[what], domains, what)
    blocks, tally = [blocks_of(firms, cells) for firms in chain], Tally(cells)
    for replication in replications:
        draw = scenario.draw(replication)
        answers = respond(draw, list(chain), scenario.overlap)
        designs, missing = [], []
        for firms, answered in zip(chain, answers, strict=True):
            designs.append(weighted(firms, answered, scenario.weights))
            missing.append(draw.random((len(firms.above), len(firms.ids))) > scenario.items)
        estimates, ends = [], []
        for parts in zip(*blocks, strict=True):
            series = [
                estimated(design, block, answered, gaps)
                for design, block, answered, gaps in zip(
                    designs, parts, answers, missing, strict=True
                )
            ]
            estimates.append(TOGETHER[what](series))
            kind = parts[0].kind
            if what == "change" and kind in SHARES:
                ends.append(survey.share_difference_interval(series[-1], series[0]))
            else:
                ends.append(interval(estimates[-1], kind if what == "pooled" else what))
        tally.add(found(estimates, ends))
    return tally, []


TOGETHER: dict[str, Callable[[list[Estimate]], Estimate]] = {
    "change": lambda series: survey.change(*series),
    "pooled": survey.pooled,
    "trend": lambda series: survey.trend(series, range(len(series))),
}


def benchmark(scenario: Scenario, replications: range) -> tuple[Tally, list[float]]:
    """The study's firms against optics of the same size composition."""
    firms = census(NEWEST, "12")
    own = (firms.register["population"] == "1").to_numpy()
    size = firms.register["size"].to_numpy()
    keys = [k for k in firms.above if k[0] in BENCHMARK and (firms.below[k] == 1).all()]
    rows = []
    for kind, item in keys:
        y = firms.above[kind, item]
        other = [y[~own & (size == s)].mean() * (size[own] == s).mean() for s in sorted(set(size))]
        rows.append((kind, item, "all", y[own].mean() - sum(other)))
    tally = Tally(pd.DataFrame(rows, columns=["kind", "item", "domain", "truth"]))
    for replication in replications:
        answered = scenario.draw(replication).random(len(firms.ids)) < firms.rate
        design = weighted(firms, answered, scenario.weights)
        both = [
            survey.adjusted_difference(
                design, firms.above[key][answered], [size], group=own, reference=~own[answered]
            )
            for key in keys
        ]
        estimates: list[Estimate] = [pair.difference for pair in both]
        ends = [
            survey.share_difference_interval(pair.group, pair.reference)
            if kind in SHARES
            else survey.t_interval(pair.difference)
            for (kind, _), pair in zip(keys, both, strict=True)
        ]
        tally.add(found(estimates, ends))
    return tally, []


def scenarios() -> list[Scenario]:
    """All settings, in the order of the table."""
    pair, long_pair, other = (BEFORE, NEWEST), ("2023", NEWEST), ("moved", NEWEST)
    asked = {"all items": 1.0, "80 % of items": 0.8, "60 % of items": 0.6}
    overlaps = {"chance": None, "50 %": 0.5, "60 %": 0.6, "75 %": 0.75, "90 %": 0.9}
    leans = {
        "by stratum": (0.0, 0.0),
        "by events": (0.0, 0.4),
        "by the answer": (0.2, 0.0),
        "by both": (0.2, 0.4),
    }
    both = ("response", "calibrated")
    step = partial(Scenario, "b", chain=pair, what="change")
    found = [Scenario("a", s, w, items=i) for s, i in asked.items() for w in both]
    found.insert(4, Scenario("a", "80 % of items", "raked", items=0.8))
    found += [step(s, w, overlap=o) for s, o in overlaps.items() for w in both]
    found += [
        step("60 %, three years", overlap=0.6, chain=long_pair),
        step("60 %, one firm in ten changes stratum", overlap=0.6, chain=other),
        step("60 %, 80 % of items", overlap=0.6, items=0.8),
        Scenario("c", "pooled over 4 waves", overlap=0.6, chain=WAVES, what="pooled"),
        Scenario("c", "trend over 4 waves", overlap=0.6, chain=WAVES, what="trend"),
        Scenario("c", "adjusted difference to optics", what="benchmark"),
    ]
    return found + [Scenario("d", s, w, lean=x) for s, x in leans.items() for w in both]


def simulate(task: tuple[Scenario, range]) -> tuple[Tally, list[float]]:
    """One chunk of replications of a scenario."""
    scenario, replications = task
    match scenario.what:
        case "level":
            return levels(scenario, replications)
        case "benchmark":
            return benchmark(scenario, replications)
        case _:
            return waves(scenario, replications)


def coverage(replications: int, processes: int) -> pd.DataFrame:
    """The table of all scenarios."""
    starts = range(0, replications, CHUNK)
    chunks = [range(start, min(start + CHUNK, replications)) for start in starts]
    settings = scenarios()
    tasks = [(scenario, chunk) for scenario in settings for chunk in chunks]
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # the processes take the cores
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        results = list(pool.map(simulate, tasks))
    tables = []
    for number, scenario in enumerate(settings):
        mine = results[number * len(chunks) : (number + 1) * len(chunks)]
        tally = mine[0][0]
        for part, _ in mine[1:]:
            tally.sums += part.sums
        table = tally.table().assign(r=np.mean([r for _, part in mine for r in part] or [np.nan]))
        named = {"part": scenario.part, "setting": scenario.setting, "weights": scenario.weights}
        tables.append(pd.DataFrame(named, index=table.index).join(table))
    return pd.concat(tables, ignore_index=True)


def peers(replications: int, python: str) -> pd.DataFrame:
    """The same changes by this library and by those packages that are there."""
    pair = (census(BEFORE), census(NEWEST))
    chosen = [s for s in scenarios() if s.setting in PEER_SETTINGS and s.weights == "response"]
    own, files = [], []
    for scenario in chosen:
        for replication in range(replications):
            answers = respond(scenario.draw(replication), list(pair), scenario.overlap)
            key = {"setting": scenario.setting, "replication": replication}
            rows = stacked(pair, answers)
            files.append(rows.assign(setting=scenario.setting, replication=replication))
            sides = list(zip(pair, answers, strict=True))
            designs = [weighted(firms, answered, "response") for firms, answered in sides]
            for number, item in enumerate(PEER_ITEMS):
                values = [firms.above[item][answered] for firms, answered in sides]
                e = survey.change(*map(survey.mean, designs, values))
                row = {"item": f"y{number}", "change": e.estimate, "se": e.se, "df": e.df}
                own.append(key | {"package": OWN, "way": "covariance, corrected"} | row)
    tables = [pd.DataFrame(own)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "respondents.csv"
        pd.concat(files).to_csv(file, index=False)
        with ThreadPoolExecutor() as pool:
            tables += pool.map(partial(run, table=file), commands(Path(folder), python))
    before, after = ([firms.truth(*item, "all") for item in PEER_ITEMS] for firms in pair)
    truth = {f"y{i}": y - x for i, (x, y) in enumerate(zip(before, after, strict=True))}
    return covered(pd.concat(tables, ignore_index=True), truth)


def main() -> None:
    """Run all scenarios and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=2000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--peers", default="")
    parser.add_argument("--target", type=Path, default=TABLE)
    arguments = parser.parse_args()
    table = coverage(arguments.replications, arguments.processes)
    beside = peers(min(arguments.replications, PEER_REPLICATIONS), arguments.peers)
    table = pd.concat([table, beside.assign(part="e")], ignore_index=True)
    table.round(4).to_csv(arguments.target, index=False, lineterminator="\n")
    if arguments.target == TABLE:
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), pd.read_csv(TABLE)), "utf-8")


if __name__ == "__main__":
    main()

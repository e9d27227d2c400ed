"""What is estimated in `coverage.py`: cells of an item and a domain, weights, intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from coverage_census import CLIMATE, ITEMS, Bools, Census, Floats, climate
from coverage_tally import Found

from pipeline import survey
from pipeline.survey import Design, Estimate
from pipeline.survey.estimators import select

NAMES = ("estimate", "se", "n")

COMBINED: dict[str, Callable[[Floats], float]] = {
    "level": lambda x: float(x[0]),
    "change": lambda x: float(x[1] - x[0]),
    "pooled": lambda x: float(x.mean()),
    "trend": lambda x: float(np.polyfit(range(len(x)), x, 1)[0]),
}
SHARES = ("share", "rare share")


def cells_of(
    waves: tuple[Census, ...], kinds: tuple[str, ...], breakdowns: tuple[str, ...], what: str
) -> pd.DataFrame:
    """Kind, item, domain and truth of all that can be estimated in every wave."""
    common = set.intersection(*(set(firms.domains) for firms in waves))
    domains = [d for d in waves[-1].domains if d in common and d.startswith(breakdowns)]
    rows = []
    for kind in kinds:
        for item in ITEMS[kind]:
            if kind != "climate" and not all((kind, item) in firms.above for firms in waves):
                continue
            for domain in domains:
                truth = np.array([firms.truth(kind, item, domain) for firms in waves])
                rows.append((kind, item, domain, COMBINED[what](truth)))
    table = pd.DataFrame(rows, columns=["kind", "item", "domain", "truth"])
    return table.dropna(subset="truth").reset_index(drop=True)


@dataclass(frozen=True, eq=False)
class Block:
    """True values of the cells of a kind, shape (k, N), with the number of the item, (k,).

    Cells of the climate are there twice, first all with I05, then all with I06.
    """

    kind: str
    above: Floats
    below: Floats
    inside: Bools
    item: npt.NDArray[np.int64]


def blocks_of(firms: Census, cells: pd.DataFrame) -> list[Block]:
    """The cells of one wave, by kind."""
    numbers = {key: number for number, key in enumerate(firms.above)}
    blocks = []
    for kind, part in cells.groupby("kind", sort=False):
        keys = [(str(kind), item) for item in part["item"]]
        masks = [firms.domains[domain] for domain in part["domain"]]
        if kind == "climate":
            keys = [("balance", item) for item in CLIMATE for _ in keys]
            masks = masks * 2
        below = np.stack([firms.below[key] for key in keys])
        above = np.stack([firms.above[key] for key in keys])
        inside = np.stack(masks) & (below != 0)
        item = np.array([numbers[key] for key in keys])
        blocks.append(Block(str(kind), above, below, inside, item))
    return blocks


def weighted(firms: Census, answered: Bools, weights: str) -> Design:
    """The design of those who answered, with the weights of the scenario."""
    design = Design.from_frame(firms.ids, firms.strata, answered)
    if weights == "response":
        return design
    columns = (
        ["stratum", "events"] if weights == "calibrated" else ["size", "field_group", "events"]
    )
    counts = {c: firms.register[c].value_counts().to_dict() for c in columns}
    data = firms.register.loc[answered, columns]
    if weights == "calibrated":
        return survey.calibrate(design, data, counts, method="raking")
    return survey.rake(design, data, counts)


def estimated(design: Design, block: Block, answered: Bools, missing: Bools) -> Estimate:
    """Estimates of a block of cells, shape (k,); `missing` are answers by item, (items, N)."""
    y = np.where(missing[block.item], np.nan, block.above)[:, answered]
    domain = block.inside[:, answered]
    match block.kind:
        case kind if kind in SHARES:
            return survey.share(design, y, domain)
        case "balance":
            return survey.balance(design, y, domain)
        case "ratio":
            return survey.ratio(design, y, block.below[:, answered], domain)
        case "total":
            return survey.total(design, y, domain)
        case "median":
            return survey.quantile(design, y, 0.5, domain, interval="score")
        case "climate":
            both = survey.mean(design, y, domain)
            half = len(y) // 2
            parts = [select(both, slice(half)), select(both, slice(half, None))]
            return survey.function(parts, climate)
        case _:
            return survey.mean(design, y, domain)


def interval(estimate: Estimate, kind: str) -> survey.Interval:
    """The interval that the library says is that of the kind."""
    if isinstance(estimate, survey.Quantile):
        return estimate.interval
    if isinstance(estimate, survey.Balance):
        return survey.balance_interval(estimate)
    if kind in SHARES:
        return survey.share_interval(estimate)
    return survey.t_interval(estimate)


def found(estimates: list[Estimate], intervals: list[survey.Interval]) -> Found:
    """Put the estimates of several blocks one after another."""
    ends = [[np.ravel(end) for end in side] for side in zip(*intervals, strict=True)]
    numbers = [[np.ravel(getattr(e, name)) for e in estimates] for name in NAMES]
    return Found(*(np.concatenate(parts) for parts in [*ends, *numbers]))

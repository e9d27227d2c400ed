"""Counting how often intervals hold the truth, with the error of the simulation itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from coverage_census import Floats, Ints

CLASSES = ("below 10", "10-19", "20-29", "30-49", "50 and more")
_BOUNDS = (10, 20, 30, 50)
_NEAR = 1e-9
"""An end that misses the truth by less is there: where all answered, both are the truth."""
_ROUNDING = 1e-9
ALL = "all firms"
KEYS = ["kind", "item", "domain"]


@dataclass(frozen=True)
class Found:
    """Estimates with both ends of their intervals and the answers n, shape (k,)."""

    low: Floats
    high: Floats
    estimate: Floats
    se: Floats
    n: Ints


class Tally:
    """Counts by class of n and group of cells: an item for all firms, a kind for domains.

    `cells` has the columns kind, item, domain and truth, one row a cell.
    """

    def __init__(self, cells: pd.DataFrame) -> None:
        whole = cells["domain"] == "all"
        named = pd.DataFrame(
            {
                "kind": cells["kind"],
                "item": cells["item"].where(whole, "all"),
                "domain": np.where(whole, ALL, "domains"),
            }
        )
        grouped = named.groupby(KEYS, sort=False)
        self.group = grouped.ngroup().to_numpy()
        self.labels = named.drop_duplicates(KEYS).reset_index(drop=True)
        self.truth = cells["truth"].to_numpy(dtype=float)
        self.sums = np.zeros((10, len(self.labels) * len(CLASSES)))

    def add(self, found: Found) -> None:
        """Add the intervals of one replication, in the order of the cells."""
        code = self.group * len(CLASSES) + np.searchsorted(_BOUNDS, found.n, side="right")
        usable = np.isfinite(found.low) & np.isfinite(found.high)
        near = _NEAR * np.maximum(1.0, np.abs(self.truth))
        over, under = found.low > self.truth + near, found.high < self.truth - near
        held = usable & ~over & ~under
        spread = usable & (found.se > _ROUNDING)
        z = np.divide(
            found.estimate - self.truth, found.se, out=np.zeros(len(spread)), where=spread
        )
        rows = (usable, held, ~usable, usable & over, spread, z, z * z)
        sums = [np.bincount(code, row, self.sums.shape[1]) for row in rows]
        u, h = sums[0], sums[1]
        self.sums += np.stack([*sums, u * u, u * h, h * h])

    def table(self) -> pd.DataFrame:
        """One row a group and class of n: intervals, coverage and its Monte Carlo error, z.

        The error is that of a ratio of sums over replications, as the cells of one replication
        hang together.
        """
        u, h, without, over, spread, z, zz, uu, uh, hh = self.sums
        with np.errstate(divide="ignore", invalid="ignore"):
            coverage, mean = h / u, z / spread
            error = np.sqrt(np.maximum(hh - 2 * coverage * uh + coverage**2 * uu, 0.0)) / u
            columns = {
                "answers": np.tile(CLASSES, len(self.labels)),
                "intervals": u.astype(np.int64),
                "without": without.astype(np.int64),
                "coverage": coverage,
                "error": error,
                "above_truth": over / u,
                "mean_z": mean,
                "spread_z": np.sqrt(np.maximum(zz / spread - mean**2, 0.0)),
            }
        groups = self.labels.loc[np.repeat(np.arange(len(self.labels)), len(CLASSES))]
        table = pd.concat([groups.reset_index(drop=True), pd.DataFrame(columns)], axis=1)
        return table[(u + without) > 0].reset_index(drop=True)

"""How answers are distributed, item by item and wave by wave: `marginals.csv`.

Taken from no survey; of the size that published surveys of suppliers report. The truth is not this
table but the values drawn from it. Of a single: the shares of its codes from `first` on in each
wave; `loading` is the correlation of the latent answer with the firm's disposition `factor`, and
`by_size` moves it per size class. Of a multi: the share of 'none of these' in each wave, and that
of each option among the others.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

from population.draws import WAVES

POPULATION_SHIFT = {
    "drive": (0.0, -0.1, 0.15),
    "digital": (0.0, 0.1, 0.12),
    "gloom": (0.0, -0.4, 0.1),
    "burden": (0.0, -0.15, 0.05),
}
"""Of a disposition, in standard deviations, in populations 1, 2 and 3."""


class Marginal(NamedTuple):
    """A row of `marginals.csv`; `shares` by wave."""

    item: str
    factor: str
    loading: float
    by_size: float
    first: int
    shares: tuple[tuple[float, ...], ...]
    options: dict[str, float]


def _read() -> tuple[Marginal, ...]:
    with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Marginal(
                row["item"],
                row["factor"],
                float(row["loading"]),
                float(row["by_size"]),
                int(row["first"] or 0),
                tuple(tuple(map(float, row[wave].split())) for wave in WAVES),
                {code: float(p) for code, p in (o.split(":") for o in row["options"].split())},
            )
            for row in csv.DictReader(file)
        )


SINGLES = tuple(row for row in _read() if not row.options)
MULTIS = tuple(row for row in _read() if row.options)

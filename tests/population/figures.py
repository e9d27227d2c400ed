"""The figures of every site: employees, turnover, shares of it, vacancies; and its position.

The larger a site, the nearer its shares are to the average, as it makes more products; dominant
sites, many times larger than others, are about average: they dominate totals, but whether one of
them answers does not decide a ratio.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from population.draws import WAVES, Floats, Ints, stream
from population.firms import Firms
from population.sites import NO_CUSTOMERS, TARGET

EQUIPMENT, MACHINERY = 5, 7
KEPT = 0.85
"""Variance of a figure that is the site's own and lasts; the rest is of the wave."""
PER_HEAD, PER_HEAD_DOMINANT = 190.0, 330.0
"""Turnover per employee in thousand euros."""
COMBUSTION = {1: 0.05, 2: -1.3, 3: -1.5, 4: -1.7, 5: -0.7, 6: -0.9, 8: -0.9}
RESEARCH = {1: 2.8, 2: 3.6, 3: 4.0, 4: 5.0, 5: 3.6, 6: 5.5, 8: 3.0}
ENERGY = {1: 3.8, 2: 2.9, 3: 2.6, 4: 1.9, 5: 2.3, 6: 1.5, 8: 2.5}
"""By field: logit of the combustion share of automotive turnover, per cent for R&D and energy."""
AUTOMOTIVE = (0.95, -1.4, 1.25)
"""By population: logit of the automotive share of sites that have automotive customers."""


class Noise:
    """Standard normal noise of the figures, by name."""

    def __init__(self, seed: int, firms: Firms) -> None:
        self.seed = seed
        size = firms.size[0]
        self.spread = np.select(
            [firms.site["dominant"], size == 3, size == 2], [0.1, 0.5, 0.8], 1.0
        )

    def __call__(self, name: str, wave: int) -> Floats:
        draw = stream(self.seed, f"figure {name}")
        lasting, *passing = draw.normal(size=(1 + len(WAVES), len(self.spread)))
        noise: Floats = np.sqrt(KEPT) * lasting + np.sqrt(1 - KEPT) * passing[wave]
        noise *= self.spread
        return noise


def draw_figures(seed: int, firms: Firms, wave: int) -> pd.DataFrame:
    """The figures of all sites in a wave, one row a site, as they would be written down."""
    noise = Noise(seed, firms)
    table = pd.DataFrame({"A03": firms.employees[wave].astype(float)})
    table["A04"] = _turnover(firms, wave, noise)
    _add_position(table, firms, wave, seed)
    _add_automotive(table, firms, wave, noise)
    _add_shares_of_turnover(table, firms, wave, noise)
    _add_people(table, wave, noise, stream(seed, f"vacancies {wave}"))
    return table


def _percent(logit: Floats) -> Floats:
    share: Floats = np.rint(100 / (1 + np.exp(-logit)))
    return share


def _halves(value: Floats, most: float) -> Floats:
    return np.clip(np.rint(2 * value) / 2, 0, most)


def _by(lookup: dict[int, float], field: Ints) -> Floats:
    return np.array([lookup.get(code, np.nan) for code in range(9)])[field]


def _turnover(firms: Firms, wave: int, noise: Noise) -> Floats:
    """Turnover in euros, three significant digits, whole thousands."""
    head = np.where(firms.site["dominant"], PER_HEAD_DOMINANT, PER_HEAD)
    year = (1.0, 0.98, 0.95, 0.96)[wave] * (1 + 0.08 * (firms.size[wave] - 2))
    thousand = firms.employees[wave] * head * year * np.exp(0.3 * noise("turnover", wave))
    unit = 10.0 ** np.maximum(np.floor(np.log10(thousand)) - 2, 0)
    euros: Floats = np.rint(thousand / unit) * unit * 1000
    return euros


def _add_position(table: pd.DataFrame, firms: Firms, wave: int, seed: int) -> None:
    """A05 and A06: mostly as the register has them; from 2025 machinery has its own code."""
    draw = stream(seed, "position")
    differs, other, step = draw.random(size=(3, len(table)))
    tier = firms.site["tier"].to_numpy()
    moved = np.where(step < 0.5, tier - 1, tier + 1)
    supplier = (tier == 3) & (differs < 0.06)
    position = np.where(supplier, moved, tier)
    makes_machines = firms.site["wz"].str.startswith("28").to_numpy() & (tier == EQUIPMENT)
    table["A05"] = np.where(makes_machines & (wave >= 2), MACHINERY, position).astype(float)
    field = firms.field[wave]
    table["A06"] = np.where((other < 0.03) & (field == 5), 1, field).astype(float)


def _add_automotive(table: pd.DataFrame, firms: Firms, wave: int, noise: Noise) -> None:
    """B01 to B04 and B08; the parts add up to 100."""
    population, size = firms.site["population"].to_numpy(), firms.size[wave]
    level = np.array(AUTOMOTIVE)[population - 1] - 0.04 * wave
    share = np.clip(_percent(level + 0.9 * noise("automotive", wave)), 1, 100)
    table["B01"] = np.where(firms.site["tier"] == NO_CUSTOMERS, 0.0, share)
    base = np.where(firms.site["dominant"], -0.65, _by(COMBUSTION, firms.field[wave]))
    level = base + 0.25 * (size - 2) - 0.08 * wave
    combustion = _percent(level + 1.0 * noise("combustion", wave))
    combustion = np.where(noise("no combustion", 0) < -1.2, 0.0, combustion)
    electric = _percent(-2.5 + 0.2 * wave + 0.8 * noise("electric", wave))
    table["B02"] = combustion
    table["B04"] = np.minimum(electric, 100 - combustion)
    table["B03"] = 100 - table["B02"] - table["B04"]
    table["B08"] = np.maximum(_percent(-0.6 + 0.75 * noise("customer", wave)), 2)


def _add_shares_of_turnover(table: pd.DataFrame, firms: Firms, wave: int, noise: Noise) -> None:
    """D01, D07 and F02 in halves of a per cent."""
    field, dominant = firms.field[wave], firms.site["dominant"]
    research = np.where(dominant, 3.6, _by(RESEARCH, field))
    energy = np.where(dominant, 3.0, _by(ENERGY, field))
    energy = energy * (1.3, 1.12, 1.0, 0.95)[wave]
    optics = np.where(firms.site["population"] == TARGET + 1, 1.2, 1.0)
    table["D01"] = _halves(research * optics * np.exp(0.45 * noise("research", wave)), 40)
    table["D07"] = _halves((3.2 + 0.15 * wave) * np.exp(0.45 * noise("investment", wave)), 40)
    table["F02"] = _halves(energy * np.exp(0.45 * noise("energy", wave)), 40)


def _add_people(table: pd.DataFrame, wave: int, noise: Noise, draw: np.random.Generator) -> None:
    """E01, E03 and E04; no job hangs on combustion where no product does."""
    rate = (0.034, 0.029, 0.021, 0.018)[wave] * np.exp(0.5 * noise("vacancies", wave) - 0.125)
    table["E01"] = draw.poisson(rate * table["A03"]).astype(float)
    table["E03"] = _percent(-0.75 + 0.06 * wave + 0.7 * noise("training", wave))
    dependent = table["B01"] * table["B02"] / 100
    jobs = np.clip(np.rint(0.9 * dependent + 5 * noise("jobs", wave)), 1, 100)
    table["E04"] = np.where(dependent > 0, jobs, 0.0)

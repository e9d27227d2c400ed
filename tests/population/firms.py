"""The firms: who they are, and what the register says of them in each wave.

Population 1 are the automotive sites of the region (250 in scope in every wave), 2 its optics sites
(150), 3 about 1,500 automotive sites elsewhere. Special among population 1:

- one dominant site in each district;
- holdings H-01 (four sites) and H-02 (three), and H-03, an enterprise that answers for three sites;
- strata without any movement: `VISITED`, where everybody answers, and `SILENT`, where nobody does;
- between 2025 and 2026 the smallest district loses one small site (`leaver`) and nothing
  else, so that the difference of the two tables is that site;
- in 2025 two sites merge under a new id, in 2024 an optics site gets a new id;
- a few change size or field every year, some close or leave the industry.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from population.draws import WAVES, Bools, Floats, Ints, stream
from population.sites import (
    DISTRICTS,
    ELSEWHERE,
    ENTRIES,
    OPTICS,
    SILENT,
    SMALL_DISTRICT,
    STRATA,
    TARGET,
    VISITED,
    cells_of,
    choose_special,
    describe,
    entry_districts,
    group_of,
)

IN_SCOPE, CLOSED, LEFT_INDUSTRY = 1, 2, 3
# By wave: sites gone from the register, closed, no longer in the industry (found out that year);
# beside them the leaver, and one of the sites that merge.
EXITS = {
    TARGET: ((0, 2, 2), (3, 2, 1), (2, 3, 1), (1, 2, 1)),
    OPTICS: ((0, 1, 1), (1, 1, 1), (1, 1, 1), (1, 1, 1)),
    ELSEWHERE: ((0, 0, 0), (0, 15, 5), (0, 0, 0), (35, 15, 10)),
}
MOVERS = {TARGET: (0, 3, 3, 3), OPTICS: (0, 1, 1, 1), ELSEWHERE: (0, 0, 0, 30)}
EMPLOYEES = ((18, 0.7, 3, 49), (105, 0.42, 51, 248), (400, 0.4, 252, 1100))
"""By size: median, standard deviation of the logarithm, least and most."""
DOMINANT_EMPLOYEES = {"06531": 3400, "06532": 4500, "06533": 2300, "06534": 2700, "06535": 1500}
SUCCESSION = ("wave", "firm_id", "successor", "continues")


@dataclass(frozen=True)
class Firms:
    """All sites there ever were: what is constant, one row a site, and arrays (wave, site).

    `scope` is 0 where the site is not in the register of the wave. `site` has the columns
    population, district, tier, division, wz, holding, dominant, together (answers with the
    enterprise H-03) and leaver.
    """

    site: pd.DataFrame
    firm_id: np.ndarray
    size: Ints
    field: Ints
    scope: Ints
    employees: Ints
    succession: pd.DataFrame

    def stratum(self, wave: int, cell: tuple[int, int]) -> Bools:
        """Sites of population 1 in a stratum (size, field group)."""
        target: Bools = (self.site["population"] == TARGET).to_numpy()
        inside: Bools = (self.size[wave] == cell[0]) & (group_of(self.field[wave]) == cell[1])
        return target & inside


def draw_firms(seed: int) -> Firms:
    """Draw the sites of all populations and their history."""
    parts = [_population(seed, population) for population in STRATA]
    site = pd.concat([part.site for part in parts], ignore_index=True)
    return Firms(
        site,
        np.concatenate([part.firm_id for part in parts], axis=1),
        np.concatenate([part.size for part in parts], axis=1),
        np.concatenate([part.field for part in parts], axis=1),
        np.concatenate([part.scope for part in parts], axis=1),
        np.concatenate([part.employees for part in parts], axis=1),
        pd.concat([part.succession for part in parts], ignore_index=True),
    )


def _population(seed: int, population: int) -> Firms:
    draw = stream(seed, f"firms {population}")
    start = cells_of(STRATA[population])
    special = (start == VISITED).all(1) | (start == SILENT).all(1)
    may_enter = np.flatnonzero(~special | (population != TARGET))
    entries = start[draw.choice(may_enter, sum(ENTRIES[population]))]
    cells = np.concatenate([start, entries])
    born = np.repeat([0, *range(len(WAVES))], [len(start), *ENTRIES[population]])
    site = describe(draw, cells, population)
    site.loc[len(start) :, "district"] = entry_districts(draw, site, born[len(start) :])
    size = np.tile(cells[:, 0], (len(WAVES), 1))
    field = np.tile(site.pop("field").to_numpy(), (len(WAVES), 1))
    fixed = choose_special(site, cells, population, len(start))
    scope = _history(draw, born, fixed, population, site)
    elsewhere = (site["district"] != SMALL_DISTRICT).to_numpy()
    _move(draw, size, field, (scope == IN_SCOPE).all(0) & ~fixed & elsewhere, population)
    number = draw.permutation(len(start)) + 1
    number = np.concatenate([number, np.arange(len(start), len(cells)) + 1])
    prefix = {TARGET: "MH", OPTICS: "OP", ELSEWHERE: "MN"}[population]
    firm_id = np.tile(np.array([f"{prefix}-{n:04}" for n in number], dtype=object), (4, 1))
    firms = Firms(
        site,
        firm_id,
        size,
        field,
        scope,
        _employees(draw, size, site),
        pd.DataFrame(columns=list(SUCCESSION), dtype=str),
    )
    return _succeed(firms, len(cells), prefix, population)


def _history(
    draw: np.random.Generator, born: Ints, fixed: Bools, population: int, site: pd.DataFrame
) -> Ints:
    """Scope by wave: 0 before entry and after exit; the year of an exit may say out of scope."""
    waves = np.arange(len(WAVES))[:, None]
    scope = np.where(waves >= born, IN_SCOPE, 0)
    leaver = site["leaver"].to_numpy()
    for wave, (gone, closed, left) in enumerate(EXITS[population]):
        stays = (scope == IN_SCOPE)[wave] & (born < max(wave, 1)) & ~fixed
        if wave == len(WAVES) - 1:  # in the smallest district only the leaver goes
            stays &= (site["district"] != SMALL_DISTRICT).to_numpy()
            scope[wave:, leaver] = 0
        chosen = draw.choice(np.flatnonzero(stays), closed + left + gone, replace=False)
        scope[wave:, chosen] = 0
        scope[wave, chosen[:closed]] = CLOSED
        scope[wave, chosen[closed : closed + left]] = LEFT_INDUSTRY
    return scope


def _move(draw: np.random.Generator, size: Ints, field: Ints, may: Bools, population: int) -> None:
    """Some change their size class or, every third, their field (metal to machinery), in place."""
    for wave in range(1, len(WAVES)):
        for k in range(MOVERS[population][wave]):
            changes_field = k % 3 == 2
            suits = (field[wave] == 1) if changes_field else (size[wave] < 3)
            unmoved = (size[0] == size[-1]) & (field[0] == field[-1])
            site = draw.choice(np.flatnonzero(may & suits & unmoved))
            if changes_field:
                field[wave:, site] = 5
            else:
                size[wave:, site] = 3 - size[wave, site]


def _employees(draw: np.random.Generator, size: Ints, site: pd.DataFrame) -> Ints:
    """Employees by wave: log-normal within the size class, a trend of its own, and noise."""
    level, growth = draw.normal(size=(2, len(site)))
    noise = draw.normal(size=size.shape)
    dominant = site["district"].map(DOMINANT_EMPLOYEES).where(site["dominant"]).to_numpy(float)
    wave = np.arange(len(WAVES))[:, None]
    drift = np.exp((-0.012 + 0.015 * growth) * wave + 0.02 * noise)
    table: Floats = np.zeros(size.shape)
    for code, (median, spread, least, most) in enumerate(EMPLOYEES, 1):
        start = np.clip(median * np.exp(spread * level), least, most)
        table = np.where(size == code, start, table)
    table = np.where(np.isnan(dominant), table, dominant)
    moved = (size != size[0]).any(0)
    table = np.where(moved, np.where(size == 1, 44, 56), table)
    people: Ints = np.maximum(np.rint(table * drift), 2).astype(np.int64)
    return people


def _succeed(firms: Firms, count: int, prefix: str, population: int) -> Firms:
    """The merger of 2025 in population 1, the changed id of 2024 in population 2."""
    new = f"{prefix}-{count + 1:04}"
    if population == OPTICS:
        stays = np.flatnonzero((firms.scope == IN_SCOPE).all(0))[0]
        rows = [("2024", firms.firm_id[0, stays], new, "yes")]
        firms.firm_id[1:, stays] = new
    elif population == TARGET:
        smaller, larger = _merging(firms)
        rows = [
            ("2025", firms.firm_id[1, larger], new, "yes"),
            ("2025", firms.firm_id[1, smaller], new, ""),
        ]
        firms.firm_id[2:, larger] = new
        firms.employees[2:, larger] += firms.employees[2:, smaller]
        firms.scope[2:, smaller] = 0
    else:
        return firms
    table = pd.DataFrame(rows, columns=list(SUCCESSION))
    return replace(firms, succession=table)


def _merging(firms: Firms) -> Ints:
    """The two smallest metal sites of a district: together they are still small."""
    site = firms.site
    there = (firms.scope == IN_SCOPE).all(0) & (firms.size == 1).all(0) & (firms.field == 1).all(0)
    rows = np.flatnonzero(there & (site["district"] == DISTRICTS[1]).to_numpy(dtype=np.bool_))
    pair: Ints = rows[np.argsort(firms.employees[1, rows], kind="stable")][:2]
    return pair

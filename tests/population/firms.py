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

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from population.draws import WAVES, Bools, Floats, Ints, stream

DISTRICTS = ("06531", "06532", "06533", "06534", "06535")
SMALL_DISTRICT = "06535"
OUTSIDE = "99999"
VISITED, SILENT = (1, 3), (2, 3)
"""Size and field group of the strata of population 1 in which everybody, nobody answers."""
TARGET, OPTICS, ELSEWHERE = 1, 2, 3
IN_SCOPE, CLOSED, LEFT_INDUSTRY = 1, 2, 3

# Sites by size (rows) and field group (columns) at the beginning.
STRATA = {
    TARGET: ((50, 28, 9, 42), (36, 16, 6, 30), (16, 8, 7, 6)),
    OPTICS: ((0, 0, 68, 16), (0, 0, 42, 10), (0, 0, 14, 2)),
    ELSEWHERE: ((340, 130, 110, 245), (200, 75, 60, 115), (95, 40, 45, 45)),
}
ENTRIES = {TARGET: (0, 6, 7, 5), OPTICS: (0, 3, 3, 3), ELSEWHERE: (0, 0, 0, 60)}
# By wave: sites gone from the register, closed, no longer in the industry (found out that year);
# beside them the leaver, and one of the sites that merge.
EXITS = {
    TARGET: ((0, 2, 2), (3, 2, 1), (2, 3, 1), (1, 2, 1)),
    OPTICS: ((0, 1, 1), (1, 1, 1), (1, 1, 1), (1, 1, 1)),
    ELSEWHERE: ((0, 0, 0), (0, 15, 5), (0, 0, 0), (35, 15, 10)),
}
MOVERS = {TARGET: (0, 3, 3, 3), OPTICS: (0, 1, 1, 1), ELSEWHERE: (0, 0, 0, 30)}
GROUP = {1: 1, 2: 2, 3: 3, 4: 3, 5: 4, 6: 4, 8: 4}
"""Field group by field."""
FIELDS = {
    1: ((1,), (1.0,)),
    2: ((2,), (1.0,)),
    3: ((3, 4), (0.8, 0.2)),
    4: ((5, 6, 8), (0.5, 0.3, 0.2)),
}
OPTICS_FIELDS = {3: ((4, 3), (0.85, 0.15)), 4: ((5, 8), (0.7, 0.3))}
CLASSES = {  # WZ 2008 by field, with shares
    1: (
        ("2550", "2561", "2562", "2594", "2451", "2453", "2932"),
        (0.2, 0.1, 0.2, 0.1, 0.1, 0.08, 0.22),
    ),
    2: (("2229", "2221", "2219", "2932"), (0.5, 0.15, 0.1, 0.25)),
    3: (("2711", "2732", "2790", "2611", "2651", "2931"), (0.15, 0.15, 0.1, 0.2, 0.15, 0.25)),
    4: (("2670", "2651", "3250"), (0.7, 0.15, 0.15)),
    5: (("2573", "2815", "2841", "2849", "2899", "2932"), (0.4, 0.15, 0.15, 0.1, 0.1, 0.1)),
    6: (("7112", "6201", "6202", "7120", "7219"), (0.45, 0.25, 0.1, 0.1, 0.1)),
    8: (("2932", "2920", "2599"), (0.6, 0.2, 0.2)),
}
TIERS = {  # tiers 2, 3, 4, 5, 6, 9 by field
    1: (0.15, 0.42, 0.33, 0.07, 0.0, 0.03),
    2: (0.22, 0.48, 0.25, 0.02, 0.0, 0.03),
    3: (0.28, 0.46, 0.2, 0.03, 0.0, 0.03),
    4: (0.1, 0.5, 0.3, 0.07, 0.0, 0.03),
    5: (0.06, 0.12, 0.14, 0.64, 0.0, 0.04),
    6: (0.05, 0.07, 0.05, 0.0, 0.8, 0.03),
    8: (0.3, 0.4, 0.27, 0.0, 0.0, 0.03),
}
OPTICS_TIERS = (0.03, 0.15, 0.2, 0.05, 0.0, 0.57)
TIER_CODES = (2, 3, 4, 5, 6, 9)
TIER_2, NO_CUSTOMERS = 3, 9
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


def group_of(field: Ints) -> Ints:
    """Field group by field."""
    lookup = np.zeros(max(GROUP) + 1, dtype=np.int64)
    lookup[list(GROUP)] = list(GROUP.values())
    group: Ints = lookup[field]
    return group


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
    start = _cells(STRATA[population])
    special = (start == VISITED).all(1) | (start == SILENT).all(1)
    may_enter = np.flatnonzero(~special | (population != TARGET))
    entries = start[draw.choice(may_enter, sum(ENTRIES[population]))]
    cells = np.concatenate([start, entries])
    born = np.repeat([0, *range(len(WAVES))], [len(start), *ENTRIES[population]])
    site = _describe(draw, cells, population)
    site.loc[len(start) :, "district"] = _entry_districts(draw, site, born[len(start) :])
    size = np.tile(cells[:, 0], (len(WAVES), 1))
    field = np.tile(site.pop("field").to_numpy(), (len(WAVES), 1))
    fixed = _choose_special(site, cells, population, len(start))
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


def _cells(table: Sequence[Sequence[int]]) -> Ints:
    rows = [
        (s, g) for s, row in enumerate(table, 1) for g, n in enumerate(row, 1) for _ in range(n)
    ]
    return np.array(rows, dtype=np.int64)


def _describe(draw: np.random.Generator, cells: Ints, population: int) -> pd.DataFrame:
    """What is constant of each site, drawn given its size and field group."""
    n = len(cells)
    kinds = OPTICS_FIELDS if population == OPTICS else FIELDS
    field = np.zeros(n, dtype=np.int64)
    for group, (codes, shares) in kinds.items():
        rows = cells[:, 1] == group
        field[rows] = draw.choice(codes, rows.sum(), p=shares)
    tier, wz = np.zeros(n, dtype=np.int64), np.empty(n, dtype=object)
    for code, (classes, shares) in CLASSES.items():
        rows = field == code
        wz[rows] = draw.choice(classes, rows.sum(), p=shares)
        of_field = OPTICS_TIERS if population == OPTICS else TIERS[code]
        tier[rows] = draw.choice(TIER_CODES, rows.sum(), p=of_field)
    if population != OPTICS:  # a large site without car customers would not be on the list
        tier[(tier == NO_CUSTOMERS) & (cells[:, 0] == 3)] = TIER_2
    return pd.DataFrame(
        {
            "population": population,
            "district": _districts(draw, cells, population),
            "field": field,
            "tier": tier,
            "wz": wz,
            "holding": "",
            "dominant": False,
            "together": False,
            "leaver": False,
        }
    )


def _districts(draw: np.random.Generator, cells: Ints, population: int) -> np.ndarray:
    """Districts in the same proportions in each size, so that each has large sites."""
    district = np.full(len(cells), OUTSIDE, dtype=object)
    if population == ELSEWHERE:
        return district
    shares = np.array([0.24, 0.31, 0.16, 0.18, 0.11])
    for size in (1, 2, 3):
        rows = np.flatnonzero(cells[:, 0] == size)
        counts = np.diff(np.round(np.cumsum([0, *shares]) * len(rows))).astype(int)
        district[draw.permutation(rows)] = np.repeat(DISTRICTS, counts)
    return district


def _entry_districts(draw: np.random.Generator, site: pd.DataFrame, born: Ints) -> np.ndarray:
    """No site enters the smallest district in the last wave."""
    district = site["district"].to_numpy(dtype=object)[len(site) - len(born) :]
    late = (born == len(WAVES) - 1) & (district == SMALL_DISTRICT)
    district[late] = draw.choice(DISTRICTS[:-1], late.sum())
    return district


def _choose_special(site: pd.DataFrame, cells: Ints, population: int, start: int) -> Bools:
    """Mark special sites of population 1, in place; return those that neither leave nor move."""
    fixed = np.zeros(len(site), dtype=bool)
    if population != TARGET:
        return fixed
    size, group = cells.T
    for k, district in enumerate(DISTRICTS):
        rows = np.flatnonzero((size == 3) & (site["district"] == district))
        site.loc[rows[k % len(rows)], "dominant"] = True
    ordinary = ~site["dominant"] & (group != 3) & (site.index < start)
    ordinary &= site["district"] != SMALL_DISTRICT
    medium = np.flatnonzero(ordinary & (size == 2) & (site["tier"] != NO_CUSTOMERS))
    for holding, rows in (("H-01", medium[:4]), ("H-02", medium[-3:]), ("H-03", medium[10:13])):
        site.loc[rows, "holding"] = holding
    site["together"] = site["holding"] == "H-03"
    small = (size == 1) & (group != 3) & (site["district"] == SMALL_DISTRICT)
    site.loc[np.flatnonzero(small)[0], "leaver"] = True
    special = site["dominant"] | site["leaver"] | (site["holding"] != "")
    fixed[:] = special | (group == 3)
    return fixed


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

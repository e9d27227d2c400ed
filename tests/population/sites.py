"""The sites: where they are, what they make, whom they belong to; what is constant of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from population.draws import WAVES, Bools, Ints

DISTRICTS = ("06531", "06532", "06533", "06534", "06535")
SMALL_DISTRICT = "06535"
OUTSIDE = "99999"
VISITED, SILENT = (1, 3), (2, 3)
"""Size and field group of the strata of population 1 in which everybody, nobody answers."""
TARGET, OPTICS, ELSEWHERE = 1, 2, 3

# Sites by size (rows) and field group (columns) at the beginning.
STRATA = {
    TARGET: ((50, 28, 9, 42), (36, 16, 6, 30), (16, 8, 7, 6)),
    OPTICS: ((0, 0, 68, 16), (0, 0, 42, 10), (0, 0, 14, 2)),
    ELSEWHERE: ((340, 130, 110, 245), (200, 75, 60, 115), (95, 40, 45, 45)),
}
ENTRIES = {TARGET: (0, 6, 7, 5), OPTICS: (0, 3, 3, 3), ELSEWHERE: (0, 0, 0, 60)}
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


def cells_of(table: Sequence[Sequence[int]]) -> Ints:
    rows = [
        (s, g) for s, row in enumerate(table, 1) for g, n in enumerate(row, 1) for _ in range(n)
    ]
    return np.array(rows, dtype=np.int64)


def describe(draw: np.random.Generator, cells: Ints, population: int) -> pd.DataFrame:
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


def entry_districts(draw: np.random.Generator, site: pd.DataFrame, born: Ints) -> np.ndarray:
    """No site enters the smallest district in the last wave."""
    district = site["district"].to_numpy(dtype=object)[len(site) - len(born) :]
    late = (born == len(WAVES) - 1) & (district == SMALL_DISTRICT)
    district[late] = draw.choice(DISTRICTS[:-1], late.sum())
    return district


def choose_special(site: pd.DataFrame, cells: Ints, population: int, start: int) -> Bools:
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


def group_of(field: Ints) -> Ints:
    """Field group by field."""
    lookup = np.zeros(max(GROUP) + 1, dtype=np.int64)
    lookup[list(GROUP)] = list(GROUP.values())
    group: Ints = lookup[field]
    return group

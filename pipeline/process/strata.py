"""Strata of response: cells of the register, pooled until enough firms of each responded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.tables.flow import ALL

Cell = tuple[str, ...]
"""A group of each variable, in their order."""


def pool_cells(
    responses: Mapping[Cell, int], variables: Sequence[str], least: int
) -> dict[Cell, str]:
    """Name of the stratum of each cell of a population, by the responses of the cells.

    Cells with fewer than `least` are pooled within their parent (the same groups of all variables
    but the last), the smallest first, each pool taking in the next smallest until it has enough. A
    parent that has too few as a whole is pooled with others one level up, as a whole, and so on.
    Among equals the name decides. A population without any response keeps its cells. A name says
    what was pooled: ``size=3/field=2+4``; ``size=2+3`` has all fields of both sizes.
    """
    if not variables:
        return dict.fromkeys(responses, ALL)
    if not sum(responses.values()):
        return {cell: _name(variables, cell) for cell in responses}
    return _settle(responses, variables, least, ())


def _settle(
    responses: Mapping[Cell, int], variables: Sequence[str], least: int, path: Cell
) -> dict[Cell, str]:
    """Strata of the cells below `path`, which has enough responses as a whole."""
    depth = len(path)
    counts: dict[str, int] = {}
    for cell, count in responses.items():
        counts[cell[depth]] = counts.get(cell[depth], 0) + count
    names: dict[Cell, str] = {}
    for pool in _pools(counts, least):
        inside = {cell: count for cell, count in responses.items() if cell[depth] in pool}
        if len(pool) == 1 and depth < len(variables) - 1:
            names |= _settle(inside, variables, least, (*path, *pool))
        else:
            names |= dict.fromkeys(inside, _name(variables, (*path, "+".join(pool))))
    return names


def _pools(counts: Mapping[str, int], least: int) -> list[Cell]:
    """Groups of one variable, pooled until each pool has `least` responses or there is only one."""
    units: list[tuple[int, Cell]] = sorted((count, (group,)) for group, count in counts.items())
    while len(units) > 1 and units[0][0] < least:
        count, pool = units.pop(0)
        while count < least and units:
            more, groups = units.pop(0)
            count, pool = count + more, (*pool, *groups)
        units = sorted([*units, (count, tuple(sorted(pool)))])
    return [pool for _, pool in units]


def _name(variables: Sequence[str], groups: Cell) -> str:
    return "/".join(f"{v}={g}" for v, g in zip(variables, groups, strict=False))

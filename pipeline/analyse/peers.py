"""Peers: the group in which a firm finds itself, and what everybody in it is told of the group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from pipeline import disclosure
from pipeline.analyse.domains import Bools
from pipeline.analyse.measures import Floats, Ints
from pipeline.analyse.series import Series

STEP = 20.0
"""Quartiles are rounded to the largest of 1, 2, 5, 10 … up to this part of the estimate, in %."""


class Printed(NamedTuple):
    """The estimates of an indicator by group as they are printed, NaN where they are not."""

    value: Floats
    decimals: int


def open_groups(cells: Bools, may: Bools, series: Series, min_peers: int) -> Bools:
    """Which groups (k, n) everybody in them may be told of.

    Those that `may` be published, in which the rest of the group obeys the primary rules whoever of
    its holdings reads, and is `min_peers` holdings at least.
    """
    fewest = max(series.rules.min_contributors, min_peers)
    strict = replace(series.rules, min_contributors=fewest)
    found = np.zeros(len(cells), dtype=bool)
    for row in np.flatnonzero(may & cells.any(axis=1)):
        own = series.among(cells[row], strict)
        readers = own.holdings == np.unique(own.holdings)[:, None]
        found[row] = len(readers) > fewest and not own.unsafe(~readers).any()
    return found


def peers_of(cells: Bools, is_open: Bools) -> Ints:
    """The first open group (k, n) of each firm, (n,), -1 for none; the narrowest first."""
    usable = cells & is_open[:, None]
    return np.where(usable.any(axis=0), usable.argmax(axis=0), -1)


def quartiles(
    figures: Floats, cells: Bools, chosen: Ints, series: Series, printed: Printed
) -> Iterator[tuple[int, Floats]]:
    """Smoothed quartiles of each `chosen` group as they are told, (3,), NaN where they may not be.

    `figures` (n,) in the unit in which they are printed. Groups that share firms are judged as one
    system with all their estimates, the widest first: quartiles are told that leave it safe beside
    those told before (see `disclosure.averages_leak`).
    """
    unit = 10.0**-printed.decimals
    for linked in _linked(cells, chosen):
        firms = np.asarray(cells[linked].any(axis=0), dtype=np.bool_)
        own, values = series.among(firms, series.rules), figures[firms]
        told = _estimates(cells[linked][:, firms], own, values, unit)
        for row in reversed(linked):
            inside = cells[row, firms]
            parts = np.zeros((3, len(values)))
            parts[:, inside] = disclosure.smoothed_quartiles(values[inside], own.weight[inside])
            step = disclosure.rounding_step(printed.value[row], STEP, unit)
            rounded = np.round(parts @ values / step) * step
            ends = rounded - step / 2, rounded + step / 2
            more = disclosure.Averages(
                np.vstack([told.rows, parts]),
                *(np.append(old, new) for old, new in zip(told[1:], ends, strict=True)),
            )
            if disclosure.averages_leak(values, more, own.holdings, own.rules.p_percent):
                yield row, np.full(3, np.nan)
            else:
                told = more
                yield row, rounded


def _estimates(cells: Bools, own: Series, figures: Floats, unit: float) -> disclosure.Averages:
    """What the estimates tell: averages of the figures by the sizes that they are of."""
    size = np.where(cells, own.weight * own.denominator, 0.0)
    rows = size / size.sum(axis=1, keepdims=True)
    return disclosure.Averages(rows, rows @ figures - unit / 2, rows @ figures + unit / 2)


def _linked(cells: Bools, chosen: Ints) -> list[list[int]]:
    """The chosen groups in sets that share firms, directly or through others."""
    sets: list[list[int]] = []
    for row in chosen.tolist():
        shared = [rows for rows in sets if (cells[rows] & cells[row]).any()]
        sets = [rows for rows in sets if rows not in shared]
        sets.append(sorted([row, *(other for rows in shared for other in rows)]))
    return sorted(sets)

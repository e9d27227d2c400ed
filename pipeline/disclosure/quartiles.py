"""Smoothed quartiles: averages around the quartiles of a group, and what they give away.

A quartile is a firm's value; an average over the firms around it need not be. Whether it gives one
away is tested with linear programmes: what can two readers work out of a third who lay their values
together, see all that is told and know which firm comes after which?
"""

from __future__ import annotations

from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array

from pipeline.disclosure.attack import EXACT, Told, ranges
from pipeline.disclosure.primary import BoolArray, FloatArray

LEVELS = (0.25, 0.5, 0.75)
HALF_WIDTH = 0.2
"""How much of the group on either side of a quartile is in its average."""
_LEAST = 1e-7
_ASKED = 2
"""So many averages, those that leave a target least room, name a coalition each to solve for."""
_MARGIN = 1.25
"""The coalitions solved for must miss by so many times p, as another may come a little closer."""
_FAR = 1e3
"""A range may go so many times as far as the largest value: so every programme ends."""
_READERS = 2
"""So many readers compare what they were told."""


class Averages(NamedTuple):
    """Weighted averages told of n firms: low <= rows @ values <= high; (m, n), (m,) and (m,)."""

    rows: FloatArray
    low: FloatArray
    high: FloatArray


def smoothed_quartiles(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Work out the part of each firm in the lower, middle and upper quartile of a group, (3, n).

    The average of the quantile function from 0.2 below to 0.2 above the quartile, a kernel estimate
    with a uniform kernel (Parzen 1979, Journal of the American Statistical Association 74; Sheather
    and Marron 1990, the same 85): of 20 equal firms, the 2nd to the 9th by size for the lower one.
    `values`, `weights`: (n,), weights positive. Least and largest value have no part in it from 20
    firms on, and no firm ever more than its weight relative to 0.4 of all.
    """
    order = np.lexsort((weights, values))
    ends = np.append(0.0, np.cumsum(weights[order]))
    ends /= ends[-1]
    parts = np.empty((len(LEVELS), len(values)))
    for row, level in zip(parts, LEVELS, strict=True):
        near = np.clip(ends, level - HALF_WIDTH, level + HALF_WIDTH)
        row[order] = np.diff(near) / (2 * HALF_WIDTH)
    return parts


def rounding_step(size: float, percent: float, least: float) -> float:
    """Find the largest of 1, 2, 5, 10 … (or 0.5, 0.2 …) up to `percent` of a size, but `least`."""
    goal = abs(size) * percent / 100
    if goal <= least:
        return least
    tens = 10.0 ** np.floor(np.log10(goal) + _LEAST)
    return float(max(tens * max(m for m in (1, 2, 5) if m * tens <= goal * (1 + _LEAST)), least))


def averages_leak(
    values: FloatArray, told: Averages, holdings: NDArray[Any], p_percent: float
) -> bool:
    """Say whether averages give away a firm to two others, which know the order of all of them.

    `values`, `holdings`: (n,), true values and a label per firm; a reader knows its whole holding.
    With what is told and the values of two readers, no third firm may be exact, nor have an upper
    end below (1 + p/100) times its value, unless the readers' own values and the order alone had
    told as much: a firm that comes before a reader's is no larger, whatever is published. Values
    have 0 as a lower bound where none is negative. All coalitions are compared by a bound of what
    they leave, and those that leave a target least are solved for, with 1.25 p. Raises
    `DisclosureError` as `ranges` does.
    """
    order = np.lexsort((np.arange(len(values)), values))
    asked = _MARGIN * p_percent
    values, holdings = values[order], np.unique(holdings, return_inverse=True)[1][order]
    told = Averages(told.rows[:, order], told.low, told.high)
    if len(values) == 0:
        return False
    system = _ordered(values, told)
    for targets, known in _coalitions(values, told, holdings, asked):
        places = np.flatnonzero(targets)
        found = ranges(system, eye_array(len(values), format="csr")[places], known)
        above, below = _neighbours(values, known)
        size = np.maximum(np.abs(values), 1.0)[places]
        short = found.high < _needed(values, above, asked)[places] - _LEAST * size
        exact = found.high - found.low <= EXACT * size
        if (short | (exact & ((above - below)[places] > EXACT * size))).any():
            return True
    return False


def _ordered(values: FloatArray, told: Averages) -> Told:
    """All that is known to an outsider: the averages, and that each firm is at least the last."""
    n = len(values)
    steps = np.eye(n)[1:] - np.eye(n)[:-1]
    return Told(
        values,
        csr_array(np.vstack([told.rows, steps])),
        np.append(told.low, np.zeros(n - 1)),
        np.append(told.high, np.full(n - 1, np.inf)),
        np.full(n, _least(values)),
        np.full(n, _FAR * max(float(np.abs(values).max()), 1.0)),
    )


def _least(values: FloatArray) -> float:
    """What no value is below, for all that is known."""
    return 0.0 if values[0] >= 0 else -np.inf


def _neighbours(values: FloatArray, known: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Nearest value known at or after each firm, and at or before it, (..., n); values ascend."""
    above = np.where(known, values, np.inf)[..., ::-1]
    below = np.where(known, values, _least(values))
    after = np.minimum.accumulate(above, axis=-1)[..., ::-1]
    return after, np.maximum.accumulate(below, axis=-1)


def _needed(values: FloatArray, above: FloatArray, p_percent: float) -> FloatArray:
    """Upper end that a range must reach; what the order tells by itself is not counted."""
    return np.minimum(values + p_percent / 100 * np.abs(values), above)


def _coalitions(
    values: FloatArray, told: Averages, holdings: NDArray[Any], p_percent: float
) -> list[tuple[BoolArray, BoolArray]]:
    """Targets, each with the coalition that leaves it least room: both masks, (n,).

    Were a firm as large as it must be able to be, those after it would be as large at least, and no
    others smaller than a reader's value before them. The room is what is then left of an average,
    by the weight of those that go up with it. It is an upper bound of what a programme finds, so
    the coalition of least room is the one to ask; all coalitions are looked at in this way.
    """
    own = holdings == np.arange(holdings.max() + 1)[:, None]
    size = min(_READERS, max(len(own) - 1, 0))
    known = np.array([own[list(pair)].any(axis=0) for pair in combinations(range(len(own)), size)])
    known = np.vstack([np.zeros((1, len(values)), dtype=np.bool_), known])
    above, below = _neighbours(values, known)
    needed = _needed(values, above, p_percent)
    floor = np.maximum(below, -_FAR * np.abs(values).max())
    rows, high = _with_rests(told)
    found: dict[int, BoolArray] = {}
    for target in range(len(values)):
        least = floor.copy()
        least[:, target:] = np.maximum(least[:, target:], needed[:, [target]])
        weight = rows[:, target:].sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            room = np.where(weight > 0, (high - least @ rows.T) / weight, np.inf)
        room = np.where(known[:, [target]], np.inf, room)
        tightest = np.argsort(room.min(axis=0), kind="stable")[:_ASKED]
        for coalition in {0, *room[:, tightest].argmin(axis=0).tolist()}:
            masks = found.setdefault(coalition, np.zeros(len(values), dtype=np.bool_))
            masks[target] = True
    return [(targets, known[coalition]) for coalition, targets in sorted(found.items())]


def _with_rests(told: Averages) -> tuple[FloatArray, FloatArray]:
    """Rows with an upper end: the averages, and what each leaves when the others are taken off.

    As much is taken off as leaves no firm a negative part: of a mean, both outer quartiles leave
    the firms between and beyond them.
    """
    rests, ends = told.rows.copy(), told.high.copy()
    for place in range(len(rests)):
        for other in np.delete(np.arange(len(rests)), place):
            taken = told.rows[other]
            shares = np.full(taken.shape, np.inf)
            part = np.divide(rests[place], taken, out=shares, where=taken > 0).min()
            if np.isfinite(part):
                rests[place] -= part * taken
                ends[place] -= part * told.low[other]
    rests = np.where(rests < _LEAST, 0.0, rests)
    return np.vstack([told.rows, rests]), np.append(told.high, ends)

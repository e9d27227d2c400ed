"""Primary disclosure rules: which cells may not be published for what they are by themselves.

A contributor is a holding: firms of one holding know each other's figures and count as one. A firm
that belongs to none is its own holding. Thresholds are the caller's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import DisclosureError, Problem

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

_LARGEST = 1e290  # sums of larger numbers might overflow


@dataclass(frozen=True)
class Rules:
    """Thresholds of the primary rules.

    `min_contributors`: fewest holdings in a published cell. `p_percent`: p of the p%-rule, 0 for
    none. `dominance_n`, `dominance_k`: the (n,k)-rule, k in per cent, 100 for none.
    Raises `DisclosureError` with every threshold that cannot be one.
    """

    min_contributors: int
    p_percent: float
    dominance_n: int
    dominance_k: float

    def __post_init__(self) -> None:
        valid = {
            "min_contributors": (self.min_contributors >= 1, "at least 1"),
            "p_percent": (0 <= self.p_percent < np.inf, "0 or more"),
            "dominance_n": (self.dominance_n >= 1, "at least 1"),
            "dominance_k": (0 < self.dominance_k <= 100, "above 0 and at most 100"),
        }
        problems = [
            Problem(f"{name} = {getattr(self, name)}", expected, "Correct the publication rule.")
            for name, (holds, expected) in valid.items()
            if not holds
        ]
        if problems:
            raise DisclosureError(problems)


class Primary(NamedTuple):
    """Verdict on each cell: `unsafe`, and the name of the first rule it breaks ("" if safe)."""

    unsafe: BoolArray
    rule: NDArray[np.str_]


def unsafe_amounts(
    cells: BoolArray, contributions: FloatArray, holdings: NDArray[Any], rules: Rules
) -> Primary:
    """Judge cells of an amount by minimum n, p%-rule and (n,k)-dominance, in this order.

    `cells`: cells x firms, True where the firm belongs to the cell and answered. `contributions`:
    a number per firm as it enters the total, w·x where weights are known to readers. `holdings`: a
    label per firm. With x1 >= x2 >= ... the absolute sizes of the holdings' sums within the cell
    and X their total, a cell is unsafe by

    - `min_contributors`: fewer holdings than the minimum, those that contribute 0 included; an
      empty cell is unsafe too;
    - `p_percent`: X - x1 - x2 < p/100·x1;
    - `dominance`: x1 + ... + xn > k/100·X.

    A cell whose contributions are all 0 breaks neither of the last two: there is nobody in it
    whose size could be estimated. Raises ValueError where a contribution is not finite.
    Source: Hundepool et al., Handbook on Statistical Disclosure Control (2010), section 4.2.
    """
    contributions = np.asarray(contributions, dtype=np.float64)
    if not np.all(np.abs(contributions) < _LARGEST):  # NaN or inf would pass every comparison
        raise ValueError("contributions must be finite")
    sizes = np.abs(_by_holding(cells, contributions, holdings))
    sizes = np.sort(sizes, axis=1)[:, ::-1]
    n = rules.dominance_n
    # Both rules compare the small contributors, summed directly, with the large ones: X - x1 - x2
    # would lose them to cancellation. x1 + ... + xn > k/100·X is rest·k < (100 - k)·top.
    p_broken = 100 * sizes[:, 2:].sum(axis=1) < rules.p_percent * sizes[:, :1].sum(axis=1)
    k = rules.dominance_k
    dominated = k * sizes[:, n:].sum(axis=1) < (100 - k) * sizes[:, :n].sum(axis=1)
    return _first_rule(
        min_contributors=contributors(cells, holdings) < rules.min_contributors,
        p_percent=p_broken,
        dominance=dominated,
    )


def unsafe_answers(
    cells: BoolArray,
    answers: FloatArray,
    holdings: NDArray[Any],
    rules: Rules,
    *,
    sensitive: bool,
) -> Primary:
    """Judge cells of a question with few answers (yes or no; up, equal or down) by their spread.

    `cells`, `holdings` as for amounts; `answers`: a number per firm, equal where the answer is. A
    cell breaks `min_contributors`, or `unanimous` where all contributors, or all but one, answered
    the same: from a share or balance, with its n and interval, all answers are then known, or known
    to the one that differs. A holding with several answers counts on each side, as it sees through
    the rest likewise. `sensitive=False` (an item of low sensitivity) leaves minimum n only. Counts
    are unweighted: a share of weighted firms should also pass `unsafe_amounts` on the weights, lest
    one weight give its firm away.
    """
    cells = _boolean(cells)
    others = [cells & (answers != answer) for answer in np.unique(answers)]
    together = np.vstack([cells, *others])
    counts = contributors(together, holdings).reshape(1 + len(others), len(cells))
    return _first_rule(
        min_contributors=counts[0] < rules.min_contributors,
        unanimous=(counts.min(axis=0) <= 1) & sensitive,
    )


def contributors(cells: BoolArray, holdings: NDArray[Any]) -> NDArray[np.int64]:
    """Count the holdings with a firm in each cell."""
    order, starts = _holdings_together(cells, holdings, np.zeros(np.shape(holdings)))
    count: NDArray[np.int64] = np.logical_or.reduceat(cells[:, order], starts, axis=1).sum(axis=1)
    return count


def _by_holding(cells: BoolArray, values: FloatArray, holdings: NDArray[Any]) -> FloatArray:
    """Sum values within cell and holding: cells x holdings, whatever the order of the firms."""
    order, starts = _holdings_together(cells, holdings, values)
    sums: FloatArray = np.add.reduceat(cells[:, order] * values[order], starts, axis=1)
    return sums


def _holdings_together(
    cells: BoolArray, holdings: NDArray[Any], values: FloatArray
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Order firms by holding, then value (float sums depend on it); where each holding starts."""
    if np.ndim(_boolean(cells)) != 2 or not values.shape == np.shape(holdings) == cells.shape[1:]:
        raise ValueError("cells must be cells x firms, values and holdings one per firm")
    order = np.lexsort((values, holdings))
    together = np.asarray(holdings)[order]
    return order, np.flatnonzero(np.append(True, together[1:] != together[:-1])[: len(order)])


def _boolean(array: BoolArray) -> BoolArray:
    """Refuse anything but bool: weights or counts taken for membership would pass unseen."""
    array = np.asarray(array)
    if array.dtype != np.bool_:
        raise TypeError(f"membership must be boolean, not {array.dtype}")
    return array


def _first_rule(**broken: BoolArray) -> Primary:
    """Name the first rule that each cell breaks, in the order given."""
    rule = np.select(list(broken.values()), list(broken), default="")
    return Primary(rule != "", rule)

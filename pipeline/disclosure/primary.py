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
    none; that of a (p,q)-rule is `p_of_pq`. `dominance_n`, `dominance_k`: the (n,k)-rule, k in per
    cent, 100 for none. `secret_weights`: readers do not know the weights.
    Raises `DisclosureError` with every threshold that cannot be one.
    """

    min_contributors: int
    p_percent: float
    dominance_n: int
    dominance_k: float
    secret_weights: bool = False

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


class Protection(NamedTuple):
    """How far `above` and `below` a cell's value a reader must be left in doubt, in its units."""

    above: FloatArray
    below: FloatArray


def p_of_pq(p: float, q: float) -> float:
    """The p of the p%-rule that is the (p,q)-rule: p* = 100 p / q.

    Readers know every value to within q per cent beforehand, and none may be known to within p per
    cent afterwards. ValueError unless 0 < p <= q: what is known so closely cannot be protected.
    Source: Hundepool et al., Handbook on Statistical Disclosure Control (2010), section 4.2.
    """
    if not 0 < p <= q:
        raise ValueError(f"p = {p:g} and q = {q:g}: give 0 < p <= q")
    return p * (100 / q)


def unsafe_amounts(
    cells: BoolArray,
    values: FloatArray,
    holdings: NDArray[Any],
    rules: Rules,
    *,
    weights: FloatArray | None = None,
    waived: BoolArray | None = None,
    lower: FloatArray | None = None,
) -> Primary:
    """Judge cells of an amount by minimum n, p%-rule and (n,k)-dominance, in this order.

    `cells`: cells x firms, True where the firm belongs to the cell and answered. `values`: the
    amount of each firm; the cell's total X has it times `weights` (1 unless given). `holdings`: a
    label per firm. With x1 >= x2 >= ... the absolute sizes of the holdings' sums of weighted values
    within the cell and X their total, a cell is unsafe by

    - `min_contributors`: fewer holdings than the minimum, those that contribute 0 included; an
      empty cell is unsafe too;
    - `p_percent`: X - x1 - x2 < p/100·x1;
    - `dominance`: x1 + ... + xn > k/100·X.

    A cell whose contributions are all 0 breaks neither of the last two: there is nobody in it
    whose size could be estimated.

    Where weights are secret, x1, ..., xn are unweighted sums and X the weighted total: a reader
    takes it for granted only that a firm counts at least once. Where no value is negative and no
    weight below 1, no more cells are unsafe than with known weights.

    `waived`: firms that allow their own share to be told; a holding has where all its firms in the
    cell have. Then x1 is the largest holding that has not and x2, ..., xn are the largest of all
    others: who has waived is a reader as before. A cell in which all have waived breaks no rule.
    That a share may be told does not tell it; where it is told, that is for the joint audit.

    `lower`: a plausible bound below each firm's value, L, instead of 0 where values can be
    negative; in the place of what the small ones bring, X - x1 - ..., comes how far they are above
    their bounds, the sum of w·(x - L) (of w·x - L where weights are secret), and of all targets and
    readers the worst are taken. Unless given, sizes are absolute and so is their total.

    ValueError where a number is not finite or the arrays do not fit.
    Source: Hundepool et al., Handbook on Statistical Disclosure Control (2010), section 4.2.
    """
    parts = _parts(
        cells, values, holdings, rules=rules, weights=weights, waived=waived, lower=lower
    )
    few = contributors(cells, holdings) < rules.min_contributors
    return _first_rule(
        min_contributors=few & ~consented(cells, waived),
        p_percent=_short_of_p(parts, rules) > 0,
        dominance=_short_of_dominance(parts, rules) > 0,
    )


def protection_needed(
    cells: BoolArray,
    values: FloatArray,
    holdings: NDArray[Any],
    rules: Rules,
    *,
    weights: FloatArray | None = None,
    waived: BoolArray | None = None,
    lower: FloatArray | None = None,
) -> Protection:
    """How far from each cell's total the values must reach that a reader holds possible.

    Parameters and errors as of `unsafe_amounts`; both arrays are (cells,), in units of the total.
    The largest of the rules that a cell breaks counts; it is 0 where the cell breaks none, or
    minimum n alone, which is against exact disclosure only.

    - p%: p/100·x1 - (X - x1 - x2) above;
    - (n,k): 100/k·(x1 + ... + xn) - X above;
    - one holding alone: p/100·x1 above and below.

    Source: Hundepool et al., Handbook on Statistical Disclosure Control (2010), section 4.2, table
    of upper protection levels.
    """
    parts = _parts(
        cells, values, holdings, rules=rules, weights=weights, waived=waived, lower=lower
    )
    single = contributors(cells, holdings) == 1
    largest = np.where(parts.protected, parts.size, 0.0).max(axis=1)
    alone = np.where(single, rules.p_percent / 100 * largest, 0.0)
    shortfalls = _short_of_p(parts, rules), _short_of_dominance(parts, rules)
    return Protection(np.maximum.reduce([alone, *shortfalls]), alone)


def unsafe_answers(
    cells: BoolArray,
    answers: FloatArray,
    holdings: NDArray[Any],
    rules: Rules,
    *,
    sensitive: bool,
    waived: BoolArray | None = None,
) -> Primary:
    """Judge cells of a question with few answers (yes or no; up, equal or down) by their spread.

    `cells`, `holdings`, `waived` as for amounts; `answers`: a number per firm, equal where the
    answer is. A cell breaks `min_contributors`, or `unanimous` where all contributors, or all but
    one, answered the same: from a share or balance, with its n and interval, all answers are then
    known, or known to the one that differs. A holding with several answers counts on each side, as
    it sees through the rest likewise. `sensitive=False` (an item of low sensitivity) leaves minimum
    n only. A cell in which all have waived breaks neither. Counts are unweighted: a share of
    weighted firms should also pass `unsafe_amounts` on the weights, lest one weight give its firm
    away.
    """
    cells = _boolean(cells)
    others = [cells & (answers != answer) for answer in np.unique(answers)]
    together = np.vstack([cells, *others])
    counts = contributors(together, holdings).reshape(1 + len(others), len(cells))
    guarded = ~consented(cells, waived)
    return _first_rule(
        min_contributors=(counts[0] < rules.min_contributors) & guarded,
        unanimous=(counts.min(axis=0) <= 1) & guarded & sensitive,
    )


def contributors(cells: BoolArray, holdings: NDArray[Any]) -> NDArray[np.int64]:
    """Count the holdings with a firm in each cell."""
    order, starts = _holdings_together(cells, holdings, np.zeros(np.shape(holdings)))
    count: NDArray[np.int64] = np.logical_or.reduceat(cells[:, order], starts, axis=1).sum(axis=1)
    return count


def consented(cells: BoolArray, waived: BoolArray | None) -> BoolArray:
    """Whether all firms of each cell have waived protection, and there are some; nobody by None."""
    if waived is None:
        return np.zeros(len(cells), dtype=np.bool_)
    guarded = (_boolean(cells) & ~_boolean(waived)).any(axis=1)
    return np.asarray(cells.any(axis=1) & ~guarded, dtype=np.bool_)


class _Parts(NamedTuple):
    """What each holding brings to each cell, (cells, holdings); the last two of them are nobody.

    `size`: its amount as the rules rank and protect it. `doubt`: how much of the total it may be,
    for all that readers know. `rest`: what remains of that to a reader that knows its amount, as it
    does where weights are secret. `protected`: some firm of it is in the cell and has not waived.
    """

    size: FloatArray
    doubt: FloatArray
    rest: FloatArray
    protected: BoolArray


def _parts(
    cells: BoolArray,
    values: FloatArray,
    holdings: NDArray[Any],
    *,
    rules: Rules,
    weights: FloatArray | None,
    waived: BoolArray | None,
    lower: FloatArray | None,
) -> _Parts:
    values = np.asarray(values, dtype=np.float64)
    weights = np.ones_like(values) if weights is None else np.asarray(weights, dtype=np.float64)
    bounds = np.zeros_like(values) if lower is None else np.asarray(lower, dtype=np.float64)
    _refuse_infinite(values, weights, bounds)
    weighted = values * weights
    _refuse_infinite(weighted, bounds * weights)
    if waived is not None and _boolean(waived).shape != values.shape:
        raise ValueError("waived must be one per firm")
    total = np.abs(_by_holding(cells, weighted, holdings))
    secret = rules.secret_weights
    size = np.abs(_by_holding(cells, values, holdings)) if secret else total
    doubt = total
    if lower is not None:
        above = weighted - (bounds if secret else bounds * weights)
        doubt = _by_holding(cells, above, holdings)
    guarded = cells if waived is None else cells & ~waived
    protected = _by_holding(guarded, np.ones_like(values), holdings) > 0
    nobody = ((0, 0), (0, 2))
    return _Parts(*(np.pad(part, nobody) for part in (size, doubt, total - size, protected)))


def _short_of_p(parts: _Parts, rules: Rules) -> FloatArray:
    """By how much cells fall short of the p%-rule, in units of the total; 0 where they do not.

    The target s and the reader r with the largest p/100·x_s - rest: either r is the largest in
    doubt and s the worst of the others, or s is the largest and r the next.
    """
    p, known = rules.p_percent, parts.doubt - parts.rest
    short = np.zeros(len(known))
    if p == 0:
        return short
    first = known.argmax(axis=1)[:, None]
    second = _without(known, first).argmax(axis=1)[:, None]
    worst = np.where(parts.protected, 100 * known + p * parts.size, -np.inf)
    worst = _without(worst, first).argmax(axis=1)[:, None]
    for target, reader in ((worst, first), (first, second)):
        size = np.take_along_axis(np.where(parts.protected, parts.size, 0.0), target, axis=1)
        rest = _rest(parts, np.hstack([target, reader]))
        found = (p * size[:, 0] - 100 * rest) / 100
        is_target = np.take_along_axis(parts.protected, target, axis=1)[:, 0]
        short = np.where(is_target, np.maximum(short, found), short)
    return short


def _short_of_dominance(parts: _Parts, rules: Rules) -> FloatArray:
    """By how much cells fall short of the (n,k)-rule, in units of the total; 0 where they do not.

    x1 + ... + xn > k/100·X is (100 - k)·top > k·rest, most of all for those with the largest
    (100 - k)·size + k·doubt, of whom one at least has not waived.
    """
    k = rules.dominance_k
    if k == 100:
        return np.zeros(len(parts.size))
    share = (100 - k) * parts.size + k * (parts.doubt - parts.rest)
    top = np.where(parts.protected, share, -np.inf).argmax(axis=1)[:, None]
    for _ in range(1, min(rules.dominance_n, share.shape[1])):
        share = _without(share, top[:, -1:])
        top = np.hstack([top, share.argmax(axis=1)[:, None]])
    size = np.take_along_axis(parts.size, top, axis=1).sum(axis=1)
    short = ((100 - k) * size - k * _rest(parts, top)) / k
    return np.where(parts.protected.any(axis=1), np.maximum(short, 0.0), 0.0)


def _rest(parts: _Parts, known: NDArray[np.intp]) -> FloatArray:
    """What of each total may be somebody else's than the known holdings' (cells, m).

    Summed directly: X - x1 - x2 would lose the small contributors to cancellation.
    """
    doubt = parts.doubt.copy()
    np.put_along_axis(doubt, known, np.take_along_axis(parts.rest, known, axis=1), axis=1)
    rest: FloatArray = doubt.sum(axis=1)
    return rest


def _without(scores: FloatArray, place: NDArray[np.intp]) -> FloatArray:
    """Scores by row in which the one at `place` (rows, 1) cannot be the largest."""
    scores = scores.copy()
    np.put_along_axis(scores, place, -np.inf, axis=1)
    return scores


def _refuse_infinite(*numbers: FloatArray) -> None:
    """NaN or inf would pass every comparison."""
    if not all(np.all(np.abs(array) < _LARGEST) for array in numbers):
        raise ValueError("contributions must be finite")


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

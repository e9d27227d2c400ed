"""Weighted quantiles of domains, and where a value stands among the units of a domain.

The interval of a quantile comes from that of a share: with q the estimated quantile and F(q) the
estimated share of units with y <= q, it runs from the quantile at the lower end of the interval
of F(q) to that at its upper end (Woodruff 1952, Journal of the American Statistical Association
47).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from pipeline.survey.arrays import Bools, Floats, Ints
from pipeline.survey.design import Design
from pipeline.survey.estimators import Estimate, mean, select, shaped
from pipeline.survey.intervals import (
    ROUNDING,
    Interval,
    ShareMethod,
    settled,
    share_interval,
    t_interval,
)
from pipeline.survey.variance import scaled

Rule = Literal[
    "math", "school", "shahvaish", "hf1", "hf2", "hf3", "hf4", "hf5", "hf6", "hf7", "hf8", "hf9"
]
"""Which value stands for the quantile; W is the sum of the weights, F the share of W up to it.

math, hf1: the least y with F(y) >= p. school, hf2: the same, but half-way to the next where
F(y) = p. hf3: as hf1, but the next one where F(y) = p and y is not an even number in the order of
the values (as R survey; without weights not type 3 of Hyndman and Fan). hf4 to hf9: interpolated
as types 4 to 9 of Hyndman and Fan (1996, American Statistician 50), tied values in the order of
the rows. shahvaish: the last y whose (S + 1/2 - w/2) / (n + 1) is at most p, with weights w of
mean 1 and S their sum up to y (Shah and Vaish 2006; R survey takes w as it is, which moves p).
"""

QuantileMethod = Literal["mean", "beta", "logit", "asin", "score"]

_HIT = 1e-10
"""Shares closer to one another than this are equal: sums of weights are rounded."""
_LEANING = {"hf4": 0.0, "hf5": 1 / 2, "hf6": 0.0, "hf7": 1.0, "hf8": 1 / 3, "hf9": 3 / 8}
"""How much of a unit's own weight lies above its point of the distribution."""


@dataclass(frozen=True, eq=False)
class Quantile(Estimate):
    """A quantile (or a quantile less a value) with its interval, which has no symmetry."""

    interval: Interval


def quantile(
    design: Design,
    y: npt.ArrayLike,
    p: npt.ArrayLike,
    domain: npt.ArrayLike | None = None,
    *,
    rule: Rule = "math",
    interval: QuantileMethod = "mean",
    level: float = 0.95,
) -> Quantile:
    """Estimate the p-quantile of y, 0 < p < 1, in the domain, in units of y.

    `y` and `domain` as in `mean`, `p` of shape () or (m,): the result has the shape of the domains
    and then that of p, so (k, m) for both. Standard error: width of the interval / (2 t(df)), as R
    survey `svyquantile`. Influence: -(1(y <= q) - F) / f with 1 / f = se(q) / se(F) (Francisco and
    Fuller 1991, Annals of Statistics 19), so changes and differences of quantiles have covariances.

    `interval` is that of F(q): mean (F ± t se), beta, logit or asin (see `share_interval`); score:
    the values not rejected as the quantile, |F(value) - p| <= t se(F(value)) (Francisco and Fuller,
    there). Take it where many units have the same value (scales, rounded figures): F(q) is then
    above p, and the other intervals too high. It is not R's "score", which places the ends by
    shares without weights and can miss its own estimate. An end is NaN where the interval of F
    reaches 0 or 1, so that it lies beyond the values seen: few units (n tells), p near 0 or 1, or
    all values equal. Both are NaN where `mean` finds no spread within strata though not all
    answered (beta still has one).
    Without both ends se is NaN.
    """
    _check(p, rule, interval)
    points = np.ravel(np.asarray(p, dtype=float))
    rows = _Rows.of(design, y, domain)
    shape = (*rows.shape, *np.shape(p))
    ordered = rows.ordered()
    values = np.array([units.at(points, rule) for units in ordered])
    below = rows.share_at(values, 1.0)
    if interval == "score":
        ends = _score_ends(rows, ordered, points, below, level)
    else:
        limits = _limits(below, interval, level)
        ends = Interval(*(_inverted(ordered, limit, rule) for limit in limits))
    known, flat = settled(below), values.ravel()
    low, high = (np.where(known, flat, end.ravel()) for end in ends)
    se = (high - low) / (2 * stdtrit(below.df, (1 + level) / 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(below.se > ROUNDING, -se / below.se, np.nan)
    parts = tuple(scaled(below.parts, np.where(known, 0.0, slope)[:, None]))
    return _quantile(replace(below, estimate=flat, se=se, parts=parts), low, high, shape)


def position(
    design: Design,
    y: npt.ArrayLike,
    values: npt.ArrayLike,
    domain: npt.ArrayLike | None = None,
) -> Estimate:
    """Estimate where values stand: the share of the domain's units below, ties counted half.

    F(v) = share(y < v) + share(y = v) / 2, in [0, 1], so that among equals a value stands in the
    middle, and positions in y and in -y add up to 1 (the mid-distribution function; Parzen 2004,
    Statistical Science 19). `values` of shape () or (v,), in units of y; shapes as in `quantile`.
    NaN, with n = 0, where a value is NaN. For its interval see `share_interval`.
    """
    points = np.ravel(np.asarray(values, dtype=float))
    rows = _Rows.of(design, y, domain)
    shares = rows.share_at(np.tile(points, (len(rows), 1)), 0.5)
    return shaped(shares, (*rows.shape, *np.shape(values)))


def gap(
    design: Design,
    y: npt.ArrayLike,
    values: npt.ArrayLike,
    p: float,
    domain: npt.ArrayLike | None = None,
    *,
    rule: Rule = "math",
    interval: QuantileMethod = "mean",
    level: float = 0.95,
) -> Quantile:
    """Estimate how far values lie below the p-quantile of the domain: quantile less value.

    `values` of shape () or (v,), in units of y; shapes as in `position`. A value is a known
    number: standard error, influence and interval are those of the quantile, moved (see
    `quantile`).
    """
    whole = quantile(design, y, p, domain, rule=rule, interval=interval, level=level)
    moved = np.tile(np.ravel(np.asarray(values, dtype=float)), whole.estimate.size)
    each = np.repeat(np.arange(whole.estimate.size), np.size(values))
    many = select(shaped(whole, (-1,)), each)
    low, high = (end.ravel()[each] - moved for end in whole.interval)
    shape = (*whole.estimate.shape, *np.shape(values))
    return _quantile(replace(many, estimate=many.estimate - moved), low, high, shape)


def _quantile(flat: Estimate, low: Floats, high: Floats, shape: tuple[int, ...]) -> Quantile:
    """Put the result together, in its shape."""
    e = shaped(flat, shape)
    ends = Interval(low.reshape(shape), high.reshape(shape))
    return Quantile(e.estimate, e.se, e.n, e.df, e.n_kish, e.parts, ends)


def _check(p: npt.ArrayLike, rule: str, interval: str) -> None:
    given = np.asarray(p, dtype=float)
    if given.ndim > 1 or not ((given > 0) & (given < 1)).all():
        raise ValueError(f"p must be one share or a row of shares between 0 and 1; got {given}")
    for name, value, kind in (("rule", rule, Rule), ("interval", interval, QuantileMethod)):
        if value not in get_args(kind):
            raise ValueError(f"no {name} {value!r} for a quantile; take one of {get_args(kind)}")


@dataclass(frozen=True, eq=False)
class _Rows:
    """An item and a domain for each of k rows; `shape` is that of the rows, () or (k,)."""

    design: Design
    items: Floats
    masks: Bools
    shape: tuple[int, ...]

    @classmethod
    def of(cls, design: Design, y: npt.ArrayLike, domain: npt.ArrayLike | None) -> _Rows:
        items = np.asarray(y, dtype=float)
        inside = np.ones(len(design.weights), dtype=bool) if domain is None else np.asarray(domain)
        shape = np.broadcast_shapes(items.shape, inside.shape)[:-1]
        masks = np.atleast_2d(inside.astype(bool))
        return cls(design, np.atleast_2d(items), masks, shape)

    def __len__(self) -> int:
        return max(len(self.items), len(self.masks))

    def share_at(self, points: Floats, tie: float) -> Estimate:
        """The share of y < point, and `tie` of those that are equal, flat: (k, m) to (k m,)."""
        each = points.shape[1]
        items = self.items if len(self.items) == 1 else np.repeat(self.items, each, axis=0)
        masks = self.masks if len(self.masks) == 1 else np.repeat(self.masks, each, axis=0)
        return mean(self.design, np.heaviside(points.reshape(-1, 1) - items, tie), masks)

    def ordered(self) -> list[_Ordered]:
        """The units of each row that answered and have a weight, by y (ties stay in order)."""
        order = np.argsort(self.items, axis=1, kind="stable")
        weights = self.design.item_weights(~np.isnan(self.items))
        result = []
        for row in range(len(self)):
            item, mask = row % len(self.items), row % len(self.masks)
            units = order[item]
            units = units[((weights[item] > 0) & self.masks[mask])[units]]
            result.append(_Ordered(self.items[item][units], weights[item][units]))
        return result


@dataclass(frozen=True, eq=False)
class _Ordered:
    """Values in ascending order, with their weights, shape (n,) each."""

    y: Floats
    weights: Floats

    @cached_property
    def upto(self) -> Floats:
        """Sums of the weights."""
        return np.cumsum(self.weights)

    def at(self, p: Floats, rule: Rule) -> Floats:
        """Quantiles, shape (m,); NaN where p is not between 0 and 1 and where there is no unit."""
        inside = (p > 0) & (p < 1)
        if not len(self.y):
            return np.full(len(p), np.nan)
        p = np.where(inside, p, 0.5)
        if rule == "shahvaish":
            found = self._shahvaish(p)
        elif rule in _LEANING:
            found = np.interp(p, self._points(rule), self.y)
        else:
            found = self._step(p, rule)
        return np.where(inside, found, np.nan)

    def _step(self, p: Floats, rule: Rule) -> Floats:
        y, upto = self.y, self.upto
        if rule == "hf3":
            last = np.append(y[1:] != y[:-1], True)
            y, upto = y[last], upto[last]
        share = upto / upto[-1]
        least = np.minimum(np.searchsorted(share, p - _HIT), len(y) - 1)
        after = np.minimum(least + 1, len(y) - 1)
        hit = share[least] <= p + _HIT
        if rule in ("school", "hf2"):
            return np.asarray((y[least] + y[np.where(hit, after, least)]) / 2, dtype=float)
        if rule == "hf3":
            least = np.where(hit & (least % 2 == 0), after, least)
        return np.asarray(y[least], dtype=float)

    def _points(self, rule: Rule) -> Floats:
        """The share of W at which each value is the quantile."""
        above = _LEANING[rule]
        whole = self.upto[-1] + (0.0 if rule == "hf4" else 1 - 2 * above) * self.weights[-1]
        points = self.upto - above * self.weights
        return np.asarray(points / (whole if len(points) > 1 else 1.0), dtype=float)

    def _shahvaish(self, p: Floats) -> Floats:
        n = len(self.y)
        weights, upto = (x * (n / self.upto[-1]) for x in (self.weights, self.upto))
        points = (upto + 0.5 - weights / 2) / (n + 1)
        last = np.searchsorted(points, p + _HIT, side="right") - 1
        return np.asarray(self.y[np.maximum(last, 0)], dtype=float)


def _limits(below: Estimate, interval: Literal["mean"] | ShareMethod, level: float) -> Interval:
    """Interval of F(q); no ends where its standard error says nothing."""
    if interval == "mean":
        told = below.se > ROUNDING
        return Interval(*(np.where(told, end, np.nan) for end in t_interval(below, level)))
    return share_interval(below, level, interval)


def _inverted(ordered: list[_Ordered], shares: Floats, rule: Rule) -> Floats:
    """The quantiles at these shares, (k m,) to (k m,)."""
    rows = zip(ordered, shares.reshape(len(ordered), -1), strict=True)
    return np.concatenate([units.at(row, rule) for units, row in rows])


def _score_ends(
    rows: _Rows, ordered: list[_Ordered], p: Floats, below: Estimate, level: float
) -> Interval:
    """From the first value with p - F <= t se to the first with F - p > t se, by bisection.

    The values between are those not rejected. Beyond the values seen F has no spread, so an end
    that comes out at the least or the largest of them has not been found.
    """
    each, student = len(p), stdtrit(below.df, (1 + level) / 2)
    wanted = np.tile(p, len(rows))
    y = [units.y if len(units.y) else np.array([np.nan]) for units in ordered for _ in p]

    def taken(index: Ints) -> Floats:
        return np.array([values[i] for values, i in zip(y, index, strict=True)])

    def first(side: int) -> Floats:
        low = np.zeros(len(y), dtype=np.int64)
        high = np.array([len(values) - 1 for values in y])
        while (low < high).any():
            middle = (low + high) // 2
            at = rows.share_at(taken(middle).reshape(-1, each), 1.0)
            over, margin = at.estimate - wanted, student * at.se
            reached = over >= -margin if side < 0 else over > margin
            low, high = np.where(reached, low, middle + 1), np.where(reached, middle, high)
            low = np.minimum(low, high)
        return taken(high)

    low, high = first(-1), first(1)
    told = ~np.isnan(below.se)
    return Interval(
        np.where(told & (low > taken(np.zeros_like(below.n))), low, np.nan),
        np.where(told & (high < np.array([values[-1] for values in y])), high, np.nan),
    )

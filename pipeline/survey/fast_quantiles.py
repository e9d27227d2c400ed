"""Quantiles of one item by a partition of domains, for large tables, with Woodruff's interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from pipeline.survey.arrays import Floats, Ints
from pipeline.survey.design import Design
from pipeline.survey.domains import ByDomain, means_by

TIE = 1e-12
"""A share this near to p has reached it: sums of weights are not exact."""


@dataclass(frozen=True, eq=False)
class QuantilesByDomain:
    """A quantile of one item by K domains with its interval, each of shape (K,).

    `lower` and `upper` are the ends of Woodruff's interval, `se` its length by twice the t
    quantile; NaN where the interval of the share leaves 0 to 1 (a domain with few answers, or p
    near its ends) or there is no estimate. `n` and `df` as in `Estimate`.
    """

    domains: pd.Index
    estimate: Floats
    se: Floats
    lower: Floats
    upper: Floats
    n: Ints
    df: Ints


def quantiles_by(
    design: Design,
    y: npt.ArrayLike,
    domains: npt.ArrayLike,
    p: float = 0.5,
    confidence: float = 0.95,
) -> QuantilesByDomain:
    """Estimate the p-quantile of y in each domain, the smallest y with F(y) >= p.

    `y`, shape (n,), NaN where the unit did not answer; `domains` and the designs taken as in
    `means_by`. Rule "math" and interval "mean" of R survey 4.1: with the share F(q) of units not
    above the estimate q and its standard error s, the ends are the quantiles of F(q) - t s and
    F(q) + t s (Woodruff 1952, Journal of the American Statistical Association 47). Units are
    sorted once. ValueError for a p outside 0 to 1.
    """
    values = np.asarray(y, dtype=float)
    given = pd.Categorical(domains)  # type: ignore[arg-type]  # any array, as pandas takes it
    if not len(given) == len(values) == len(design.weights):
        msg = f"{len(values)} values, {len(given)} domains for {len(design.weights)} units"
        raise ValueError(msg)
    if not 0 <= p <= 1:
        raise ValueError(f"a probability of {p}: give one from 0 to 1")
    weights = design.item_weights(~np.isnan(values)[None])[0]
    inside = (given.codes >= 0) & (weights > 0)
    codes = np.asarray(given.codes, dtype=np.int64)
    table = _Sorted.of(values[inside], weights[inside], codes[inside], len(given.categories))
    found = table.quantiles(np.full(len(given.categories), p))
    level = np.append(found, np.nan)[codes]
    below = np.where(np.isnan(values), np.nan, values <= level)
    return with_interval(found, means_by(design, below, given), table.quantiles, confidence)


def with_interval(
    found: Floats, share: ByDomain, quantiles: Callable[[Floats], Floats], confidence: float
) -> QuantilesByDomain:
    """Add Woodruff's interval, from the shares at the quantiles found, shape (1, K).

    `quantiles` takes a probability for each domain and gives the quantile, NaN for NaN.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence of {confidence}: give one between 0 and 1")
    centre, df = share.estimate[0], share.df[0]
    t = stats.t.ppf((1 + confidence) / 2, df)
    half = t * share.se[0]
    low, high = centre - half, centre + half
    lower = quantiles(np.where(low >= 0, low, np.nan))
    upper = quantiles(np.where(high <= 1, high, np.nan))
    se = (upper - lower) / (2 * t)
    return QuantilesByDomain(share.domains, found, se, lower, upper, share.n[0], df)


@dataclass(frozen=True, eq=False)
class _Sorted:
    """Values sorted by domain and size, and the share of weights up to each of them."""

    values: Floats
    reached: Floats
    ends: Ints

    @classmethod
    def of(cls, values: Floats, weights: Floats, codes: Ints, domains: int) -> _Sorted:
        order = np.argsort(values, kind="stable")
        short = np.min_scalar_type(domains)  # of 16 bits or fewer, numpy sorts by counting
        order = order[np.argsort(codes[order].astype(short), kind="stable")]
        ends = np.cumsum(np.bincount(codes, minlength=domains))
        reached = weights[order]
        for start, end in zip(np.append(0, ends[:-1]), ends, strict=True):
            part = reached[start:end]
            np.cumsum(part, out=part)  # by domain: a sum over all would round the small ones
            part /= part[-1:]
        return cls(values[order], reached, ends)

    def quantiles(self, p: Floats) -> Floats:
        """The smallest value with a share of at least p, one p for each domain."""
        result = np.full(len(p), np.nan)
        start = 0
        for k, end in enumerate(self.ends):
            if end > start and not np.isnan(p[k]):
                at = np.searchsorted(self.reached[start:end], p[k] - TIE)
                result[k] = self.values[min(start + at, end - 1)]
            start = end
        return result

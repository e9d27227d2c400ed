"""Confidence intervals: Student's t for means, totals and changes; beta for shares and balances.

Which one when:

- mean, ratio, total, and any difference or change of them or of balances: `t_interval`;
- difference or change of a share: `share_difference_interval`;
- share, and each category of a distribution: `share_interval`, "beta". It stays in [0, 1], keeps
  its level for rare traits and in small domains where p ± t se has 83 to 93 %, and exists at 0
  and 1. "logit" and "asin" are shorter; they serve comparison with other software;
- balance: `balance_interval`, made from the beta intervals of its two shares;
- position of a value in a domain: `share_interval`, as it is a share;
- quantile, and the gap to one: the `interval` it has itself (see `quantiles`).

df is the number of primary units (firms, clusters) less that of strata, whatever the number of
rows. An interval speaks of chance among the units of a stratum, not of bias from who answers.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, NamedTuple, get_args

import numpy as np
from scipy.special import betaincinv, expit, logit, stdtrit

from pipeline.survey.arrays import Bools, Floats
from pipeline.survey.change import covariance
from pipeline.survey.estimators import Balance, Estimate
from pipeline.survey.variance import variance

ShareMethod = Literal["beta", "logit", "asin"]

ROUNDING = 1e-12
"""A standard error of a share below this is 0 up to rounding."""
_FIXED = 1e-6
"""A calibration that leaves less than this part of a standard error (the root of a difference of
variances, with half of its digits) has taken all of it."""


class Interval(NamedTuple):
    """Both ends of a confidence interval, each shape () or (k,); NaN where there is none."""

    low: Floats
    high: Floats


def t_interval(estimate: Estimate, level: float = 0.95) -> Interval:
    """Interval estimate ± t(df) se; the estimate itself where se is 0.

    For means, ratios, totals, differences and changes, also of shares and balances; for a share
    or balance itself see below (Korn and Graubard 1999, Analysis of Health Surveys, 2.4). NaN
    where se is.
    """
    half = stdtrit(estimate.df, (1 + level) / 2) * estimate.se
    return Interval(estimate.estimate - half, estimate.estimate + half)


def share_interval(
    estimate: Estimate, level: float = 0.95, method: ShareMethod = "beta"
) -> Interval:
    """Interval of a share in [0, 1], by default the beta interval of Korn and Graubard.

    beta: Clopper and Pearson's interval with p and the effective number of units
    n* = p (1 - p) / se^2 (t(n - 1) / t(df))^2 (Korn and Graubard 1998, Survey Methodology 24), as
    R survey `svyciprop(method="beta")`. logit: p ± t se on the scale log(p / (1 - p)), as R's
    "logit" and "xlogit", which are the same but for R's iteration. asin: on the scale
    asin(sqrt(p)), as R's "asin". The latter two have no spread at 0 and 1 and are the beta
    interval there.

    Where se is 0 or unknown, n* is `n_kish` (se says nothing of 0 of n; Parker et al. 2017, NCHS
    Series 2 No. 175, take n); where the share is `settled` the interval is the share itself.
    """
    if method not in get_args(ShareMethod):
        raise ValueError(f"no interval {method!r} for a share; take one of {get_args(ShareMethod)}")
    p, spread, tail = estimate.estimate, estimate.se > ROUNDING, (1 - level) / 2
    low, high = _beta(estimate, tail)
    if method != "beta":
        with np.errstate(divide="ignore", invalid="ignore"):
            half = stdtrit(estimate.df, 1 - tail) * estimate.se
            ends = _logit(p, half) if method == "logit" else _asin(p, half)
        low, high = (np.where(spread, *pair) for pair in zip(ends, (low, high), strict=True))
    known = settled(estimate)
    return Interval(np.where(known, p, low), np.where(known, p, high))


def settled(estimate: Estimate) -> Bools:
    """Whether nothing is left to chance, so that se = 0 is meant, shape () or (k,).

    So it is where all answered, and where the calibration of the weights fixes the estimate (the
    share of a category whose count is known): answers differ within strata, and the calibration
    takes that away. Where there was no spread to take (0 of n, or strata that explain all) se = 0
    says nothing.
    """
    se = estimate.se
    known = (se <= ROUNDING) & np.isinf(estimate.n_kish)
    slight = ~(se > _FIXED)
    if slight.any() and any(part.design.adjustments for part in estimate.parts):
        variances = variance([replace(part, left=part.z) for part in estimate.parts])
        before = np.sqrt(variances).reshape(se.shape)
        known |= slight & (before > ROUNDING) & ~(se > _FIXED * before)
    return np.asarray(known)


def _beta(estimate: Estimate, tail: float) -> Interval:
    p, n = estimate.estimate, estimate.n
    with np.errstate(divide="ignore", invalid="ignore"):
        student = stdtrit(np.maximum(n - 1, 1), tail) / stdtrit(estimate.df, tail)
        size = p * (1 - p) / estimate.se**2 * student**2
        size = np.where(estimate.se > ROUNDING, size, estimate.n_kish)
        low = betaincinv(size * p, size * (1 - p) + 1, tail)
        high = betaincinv(size * p + 1, size * (1 - p), 1 - tail)
    return Interval(np.where(p == 0, 0.0, low), np.where(p == 1, 1.0, high))


def _logit(p: Floats, half: Floats) -> Interval:
    middle, half = logit(p), half / (p * (1 - p))
    return Interval(expit(middle - half), expit(middle + half))


def _asin(p: Floats, half: Floats) -> Interval:
    """Ends at 0 and 1 at the latest; R's come back from there, as the sine does."""
    middle, half = np.arcsin(np.sqrt(p)), half / (2 * np.sqrt(p * (1 - p)))
    low, high = np.maximum(middle - half, 0.0), np.minimum(middle + half, np.pi / 2)
    return Interval(np.sin(low) ** 2, np.sin(high) ** 2)


def balance_interval(balance: Balance, level: float = 0.95) -> Interval:
    """Interval of a balance B = u - d in [-1, 1] from the beta intervals of both shares.

    low = B - sqrt(a^2 + b^2 - 2 r a b), where a and b are the distances from u down to its lower
    and from d up to its upper end and r is the correlation of both estimates; the upper end
    likewise (Newcombe 1998, Statistics in Medicine 17, 2635-2650, method 10; Zou and Donner 2008,
    ibid. 27). Near the ends and for rare answers it keeps its level where B ± t se does not. Where
    all answers agree (within strata), their spread says nothing of those who did not answer: r is
    then -1, the widest; where all answered it is B itself.
    """
    up, down = balance.up, balance.down
    spread = (up.se > ROUNDING) & (down.se > ROUNDING)
    with np.errstate(divide="ignore", invalid="ignore"):
        product = (up.se**2 + down.se**2 - balance.se**2) / 2
        correlation = np.clip(product / (up.se * down.se), -1, 1)
    correlation = np.where(spread, correlation, -1.0)
    (low, high), (least, most) = share_interval(up, level), share_interval(down, level)
    u, d = up.estimate, down.estimate
    below = _joined(u - low, most - d, correlation)
    above = _joined(high - u, d - least, correlation)
    centre = balance.estimate
    return Interval(np.maximum(centre - below, -1.0), np.minimum(centre + above, 1.0))


def share_difference_interval(a: Estimate, b: Estimate, level: float = 0.95) -> Interval:
    """Interval of the difference a - b of two shares, in [-1, 1], from the beta intervals of both.

    As `balance_interval`, with the correlation of both estimates (Zou and Donner 2008, Statistics
    in Medicine 27, 1693-1702): two groups, or a share in two waves with the firms in both. a - b
    ± t se does not hold its level for rare shares in small groups (simulated: 49 to 89 % at 8 %,
    with fewer than 30 answers and 90 % of the firms in both waves).
    """
    spread = (a.se > ROUNDING) & (b.se > ROUNDING)
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.clip(covariance(a, b) / (a.se * b.se), -1, 1)
    correlation = np.where(spread, correlation, -1.0)
    (low, high), (least, most) = share_interval(a, level), share_interval(b, level)
    below = _joined(a.estimate - low, most - b.estimate, correlation)
    above = _joined(high - a.estimate, b.estimate - least, correlation)
    centre = a.estimate - b.estimate
    return Interval(np.maximum(centre - below, -1.0), np.minimum(centre + above, 1.0))


def _joined(a: Floats, b: Floats, correlation: Floats) -> Floats:
    """Distance from a difference to its end; never below 0 for rounding."""
    return np.sqrt(np.maximum(a**2 + b**2 - 2 * correlation * a * b, 0.0))

"""Confidence intervals: Student's t for means, totals and changes; beta for shares and balances."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import betaincinv, stdtrit

from pipeline.survey.arrays import Floats
from pipeline.survey.change import covariance
from pipeline.survey.estimators import Balance, Estimate


class Interval(NamedTuple):
    """Both ends of a confidence interval, each shape () or (k,); NaN where there is none."""

    low: Floats
    high: Floats


def t_interval(estimate: Estimate, level: float = 0.95) -> Interval:
    """Interval estimate ± t(df) se; the estimate itself where se is 0.

    For means, ratios, totals, differences and changes, also of shares and balances; for a share
    or balance itself see below.
    """
    half = stdtrit(estimate.df, (1 + level) / 2) * estimate.se
    return Interval(estimate.estimate - half, estimate.estimate + half)


def share_interval(estimate: Estimate, level: float = 0.95) -> Interval:
    """Beta interval of a share in [0, 1] (Korn and Graubard 1998, Survey Methodology 24).

    Clopper and Pearson's interval with p and the effective number of units
    n* = p (1 - p) / se^2 (t(n - 1) / t(df))^2, as R survey `svyciprop(method="beta")`. It stays
    in [0, 1], keeps its level for rare traits where p ± t se does not, and exists at 0 and 1,
    which a logit interval does not. Where se is 0 or unknown although not all answered, n* is
    `n_kish` (se says nothing of 0 of n; Parker et al. 2017, NCHS Series 2 No. 175, take n);
    where all answered the interval is the share itself.
    """
    p, n = estimate.estimate, estimate.n
    tail = (1 - level) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        student = stdtrit(np.maximum(n - 1, 1), tail) / stdtrit(estimate.df, tail)
        size = p * (1 - p) / estimate.se**2 * student**2
        spread = estimate.se > _ROUNDING
        size = np.where(spread, size, estimate.n_kish)
        low = betaincinv(size * p, size * (1 - p) + 1, tail)
        high = betaincinv(size * p + 1, size * (1 - p), 1 - tail)
    low, high = np.where(p == 0, 0.0, low), np.where(p == 1, 1.0, high)
    whole = np.isinf(size)
    return Interval(np.where(whole, p, low), np.where(whole, p, high))


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
    spread = (up.se > _ROUNDING) & (down.se > _ROUNDING)
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.clip(covariance(up, down) / (up.se * down.se), -1, 1)
    correlation = np.where(spread, correlation, -1.0)
    (low, high), (least, most) = share_interval(up, level), share_interval(down, level)
    u, d = up.estimate, down.estimate
    below = _joined(u - low, most - d, correlation)
    above = _joined(high - u, d - least, correlation)
    centre = balance.estimate
    return Interval(np.maximum(centre - below, -1.0), np.minimum(centre + above, 1.0))


def _joined(a: Floats, b: Floats, correlation: Floats) -> Floats:
    """Distance from a difference to its end; never below 0 for rounding."""
    return np.sqrt(np.maximum(a**2 + b**2 - 2 * correlation * a * b, 0.0))


_ROUNDING = 1e-12
"""A standard error of a share below this is 0 up to rounding."""

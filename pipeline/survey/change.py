"""Differences and functions of estimates of one wave or several, with all covariances."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from pipeline.survey.arrays import Floats, Ints
from pipeline.survey.estimators import Estimate
from pipeline.survey.variance import covariance as _covariance
from pipeline.survey.variance import scaled, variance

Number = TypeVar("Number", Floats, Ints)

_STEP = 1e-100
"""Imaginary step of a derivative: nothing is subtracted, so it may be as small as one likes."""
_STEEPEST = 1e40
"""A derivative beyond this is infinite (that of a root at 0 comes to 1e50 with this step)."""


def contrast(estimates: Sequence[Estimate], coefficients: Sequence[float]) -> Estimate:
    """Combine estimates of any waves linearly: sum(c_i estimate_i), with all covariances.

    Estimates have the same shape, or shape (). The influence is sum(c_i z_i), the linear case of
    a function: see `function`. The result can enter a contrast itself. Its n,
    df and n_kish are the smallest of its parts': what the weakest side rests on, as in the
    cautious form of Welch's test.
    """
    terms = list(zip(coefficients, estimates, strict=True))
    values = np.asarray(sum(c * e.estimate for c, e in terms), dtype=float)
    return _combined(values, [(np.asarray(c, dtype=float), e) for c, e in terms])


def function(estimates: Sequence[Estimate], f: Callable[..., npt.NDArray[Any]]) -> Estimate:
    """Estimate f(estimates), a smooth function of estimates of any waves, by the delta method.

    `f` takes an array per estimate (of the same shape, or shape ()) and must take complex ones
    too. Influence: the sum of those of the estimates, each times the derivative of f (Särndal,
    Swensson and Wretman 1992, 5.5), which is Im f(x + ih) / h (Squire and Trapp 1998, SIAM Review
    40). Where f or a derivative is not finite there is no estimate or no standard error. The
    result can enter a function or contrast itself; n, df and n_kish as in `contrast`.
    """
    points = [e.estimate for e in estimates]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        values = np.asarray(f(*points), dtype=float)
        values = np.where(np.isfinite(values), values, np.nan)
        slopes = [
            np.imag(f(*points[:i], x + 1j * _STEP, *points[i + 1 :])) / _STEP
            for i, x in enumerate(points)
        ]
    known = [np.where(np.isfinite(values) & (np.abs(s) < _STEEPEST), s, np.nan) for s in slopes]
    return _combined(values, list(zip(known, estimates, strict=True)))


def difference(a: Estimate, b: Estimate) -> Estimate:
    """Estimate a - b, for two domains or two estimators of one wave: see `contrast`.

    Group and total (or rest) are never taken as independent.
    """
    return contrast([a, b], [1, -1])


def change(before: Estimate, after: Estimate) -> Estimate:
    """Estimate after - before, for two waves whose units are matched by id: see `contrast`.

    var = v1 + v2 - 2 cov, the covariance from the units in both, which may have switched strata
    (formula in `variance`); for designs with a register it needs both registers. `n` is the
    smaller of the two; for the units in both see `overlap`.
    """
    return difference(after, before)


def covariance(a: Estimate, b: Estimate) -> Floats:
    """Covariance of two estimates of the same or different waves, shape () or (k,).

    For designs with a register it needs both registers, else ValueError. Formula: see
    `variance.product`.
    """
    shape = np.broadcast_shapes(a.estimate.shape, b.estimate.shape)
    return _covariance(a.parts, b.parts).reshape(shape)


def overlap(a: Estimate, b: Estimate) -> Ints:
    """Count the units that answered within the domain of both estimates, shape () or (k,).

    For estimates of a wave each. A unit counts if it is in all parts of a function of several.
    """
    shape = np.broadcast_shapes(a.estimate.shape, b.estimate.shape)
    position = b.parts[0].design.unit_ids.get_indexer(a.parts[0].design.unit_ids)
    first, second = (
        reduce(operator.and_, [part.design.per_unit(part.inside) > 0 for part in e.parts])
        for e in (a, b)
    )
    both = first[:, position >= 0] & second[:, position[position >= 0]]
    return np.asarray(both.sum(axis=1), dtype=np.int64).reshape(shape)


def _combined(values: Floats, terms: Sequence[tuple[Floats, Estimate]]) -> Estimate:
    """Estimate of these values, whose influence is the sum of factor times influence."""
    estimates = [e for _, e in terms]
    parts = [part for factor, e in terms for part in scaled(e.parts, np.reshape(factor, (-1, 1)))]
    return Estimate(
        values,
        np.where(np.isnan(values), np.nan, np.sqrt(variance(parts)).reshape(values.shape)),
        _least([e.n for e in estimates]),
        _least([e.df for e in estimates]),
        _least([e.n_kish for e in estimates]),
        tuple(parts),
    )


def _least(values: Sequence[Number]) -> Number:
    """Smallest of each row over arrays of the same shape or shape ()."""
    result = values[0]
    for value in values[1:]:
        result = np.minimum(result, value)
    return result

"""Differences of estimates, within a wave and between waves, with their covariance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from pipeline.survey.design import Floats, Ints
from pipeline.survey.estimators import Estimate
from pipeline.survey.variance import covariance as _covariance
from pipeline.survey.variance import scaled, variance

Number = TypeVar("Number", Floats, Ints)


def contrast(estimates: Sequence[Estimate], coefficients: Sequence[float]) -> Estimate:
    """Combine estimates of any waves linearly: sum(c_i estimate_i), with all covariances.

    Estimates have the same shape, or shape (). The result can enter a contrast itself. Its n,
    df and n_kish are the smallest of its parts': what the weakest side rests on, as in the
    cautious form of Welch's test.
    """
    terms = list(zip(coefficients, estimates, strict=True))
    parts = [part for c, e in terms for part in scaled(e.parts, np.full((1, 1), float(c)))]
    values = np.asarray(sum(c * e.estimate for c, e in terms), dtype=float)
    return Estimate(
        values,
        np.sqrt(variance(parts)).reshape(values.shape),
        _least([e.n for e in estimates]),
        _least([e.df for e in estimates]),
        _least([e.n_kish for e in estimates]),
        tuple(parts),
    )


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
    """Covariance of two estimates of the same or different waves, shape () or (k,)."""
    shape = np.broadcast_shapes(a.estimate.shape, b.estimate.shape)
    return _covariance(a.parts, b.parts).reshape(shape)


def overlap(a: Estimate, b: Estimate) -> Ints:
    """Count the units that answered within the domain of both estimates, shape () or (k,).

    For estimates of a wave each, not for contrasts.
    """
    shape = np.broadcast_shapes(a.estimate.shape, b.estimate.shape)
    first, second = a.parts[0], b.parts[0]
    position = second.design.unit_ids.get_indexer(first.design.unit_ids)
    both = first.inside[:, position >= 0] & second.inside[:, position[position >= 0]]
    return np.asarray(both.sum(axis=1), dtype=np.int64).reshape(shape)


def _least(values: Sequence[Number]) -> Number:
    """Smallest of each row over arrays of the same shape or shape ()."""
    result = values[0]
    for value in values[1:]:
        result = np.minimum(result, value)
    return result

"""Estimates from replicate weights: those a survey supplies, and the jackknife of a design."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from pipeline.survey.arrays import Floats
from pipeline.survey.design import Design

Kind = Literal["JK1", "BRR", "Fay", "bootstrap"]

_DEPENDENT = 1e-10
"""A singular value below this part of the largest is rounding."""


@dataclass(frozen=True, eq=False)
class Replicates:
    """Weights (n,) with R columns of replicate weights (n, R), which carry the whole design.

    The columns are weights ready for use, not factors of `weights`. The variance is
    scale sum_r rscales_r (t_r - t)^2, where t is the estimate with `weights` if `mse`, else the
    mean of all t_r with rscales_r > 0, as R survey's `svrepdesign`. `given_df` are degrees of
    freedom that the supplier states.
    """

    weights: Floats
    replicate_weights: Floats
    scale: float
    rscales: Floats
    mse: bool = False
    given_df: int | None = None

    def __post_init__(self) -> None:
        expected = (len(self.weights), len(self.rscales))
        if self.replicate_weights.shape != expected:
            found = self.replicate_weights.shape
            raise ValueError(
                f"replicate weights have shape {found}, not {expected} (rows, rscales)"
            )
        factors = np.append(self.rscales, self.scale)
        if not (np.isfinite(factors) & (factors >= 0)).all():
            raise ValueError("scale and rscales must be finite and not negative")
        if not (np.isfinite(self.weights).all() and np.isfinite(self.replicate_weights).all()):
            raise ValueError("weights must be finite: a unit left out of a replicate has weight 0")

    @classmethod
    def of_kind(
        cls,
        kind: Kind,
        weights: npt.ArrayLike,
        replicate_weights: npt.ArrayLike,
        *,
        rho: float = 0.0,
        mse: bool = False,
    ) -> Replicates:
        """Take replicates whose scale follows from their number R (Wolter 2007, chapters 3 to 5).

        JK1, one unit left out at a time: (R - 1) / R; BRR, balanced half samples: 1 / R; Fay,
        with weights 2 - rho and rho: 1 / (R (1 - rho)^2); bootstrap: 1 / (R - 1). JKn, by
        stratum, has the scale 1 and needs rscales, so make `Replicates` itself.
        """
        columns = np.asarray(replicate_weights, dtype=float)
        count = columns.shape[1]
        if kind not in get_args(Kind):
            raise ValueError(f"no kind {kind!r}; of {', '.join(get_args(Kind))}")
        if rho and kind != "Fay":
            raise ValueError(f"rho belongs to Fay's replicates, not to {kind}")
        if not 0 <= rho < 1:
            raise ValueError(f"rho is {rho}; it must be at least 0 and below 1")
        scale = {
            "JK1": (count - 1) / count,
            "BRR": 1 / count,
            "Fay": 1 / (count * (1 - rho) ** 2),
            "bootstrap": 1 / max(count - 1, 1),
        }[kind]
        return cls(np.asarray(weights, dtype=float), columns, scale, np.ones(count), mse)

    @cached_property
    def df(self) -> int:
        """Degrees of freedom: those given, else the rank of the replicate weights less 1."""
        if self.given_df is not None:
            return self.given_df
        size = np.linalg.svd(self.replicate_weights, compute_uv=False)
        return max(int((size > _DEPENDENT * size.max(initial=0.0)).sum()) - 1, 1)


@dataclass(frozen=True, eq=False)
class Replicated:
    """Estimates, shape () or (k,), with `se` and `df` alike, and their covariance (k, k).

    `se` is NaN where a replicate has no estimate (its units are all of the domain's).
    """

    estimate: Floats
    se: Floats
    df: Floats
    covariance: Floats


def replicate(replicates: Replicates, estimator: Callable[[Floats], npt.ArrayLike]) -> Replicated:
    """Estimate with the weights and with each column of replicate weights.

    `estimator` takes weights (n,) and returns an array of shape () or (k,): any estimate of the
    weights, as `lambda w: survey.mean(replace(design, weights=w), y).estimate`. Covariance of the
    k estimates: scale sum_r rscales_r d_r d_r', with d_r as in `Replicates` (Wolter 2007).
    """
    value = np.asarray(estimator(replicates.weights), dtype=float)
    columns = replicates.replicate_weights.T
    each = np.array([np.ravel(estimator(column)) for column in columns], dtype=float)
    each = each.reshape(len(columns), value.size)
    used = replicates.rscales > 0
    centre = np.ravel(value) if replicates.mse or not used.any() else each[used].mean(axis=0)
    # A replicate that does not count must not spoil the sum where it has no estimate.
    root = np.sqrt(replicates.scale * replicates.rscales[used])[:, None]
    deviations = (each[used] - centre) * root
    covariance = deviations.T @ deviations
    return Replicated(
        value,
        np.sqrt(np.diag(covariance)).reshape(value.shape),
        np.full(value.shape, float(replicates.df)),
        covariance,
    )


def jackknife(design: Design, recalibrate: Callable[[Design], Design] | None = None) -> Replicates:
    """Leave out one primary unit at a time, by stratum: a check of the linearised variances.

    The others of its stratum get the weight n_h / (n_h - 1), and the replicate counts
    (n_h - 1) / n_h (1 - n_h / N_h) (JKn; Wolter 2007, 4.5); deviations are from the full
    estimate. `design` is that before its calibrations, which `recalibrate` (design to design)
    does again for each replicate. A stratum drawn whole adds nothing. Errors: a stratum with one
    unit of several, and stages below the first that bring variance of their own.
    """
    first, *later = design.levels
    if any((level.factor > 0).any() for level in later):
        raise ValueError("a jackknife of primary units misses the variance of the later stages")
    if design.adjustments:
        raise ValueError("the design is calibrated already: give that before, and recalibrate")
    drawn = first.drawn
    lonely = (drawn == 1) & (first.population > 1)
    if lonely.any():
        named = list(design.strata[lonely][:5])
        raise ValueError(f"strata with one unit of several: {named}; collapse them")
    redo = recalibrate or (lambda changed: changed)
    units = np.arange(len(design.codes))
    row = units if first.units is None else first.units
    left_out = np.flatnonzero((drawn < first.population)[first.codes])
    columns = np.empty((len(design.weights), len(left_out)))
    for r, unit in enumerate(left_out):
        stratum = first.codes[unit]
        factor = np.where(first.codes == stratum, drawn[stratum] / (drawn[stratum] - 1), 1.0)
        factor[unit] = 0.0
        columns[:, r] = redo(replace(design, weights=design.weights * factor[row])).weights
    m = drawn[first.codes[left_out]]
    rscales = (m - 1) / m * (1 - m / first.population[first.codes[left_out]])
    strata = int((drawn > 0).sum())
    df = max(len(units) - strata, 1)
    return Replicates(redo(design).weights, columns, 1.0, rscales, mse=True, given_df=df)

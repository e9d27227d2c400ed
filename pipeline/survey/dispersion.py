"""How much units differ: the population variance of an item, and the design effect of its mean."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from pipeline.survey.arrays import Floats
from pipeline.survey.design import Design
from pipeline.survey.estimators import Estimate, mean, shaped
from pipeline.survey.variance import scaled

_ROUNDING = 1e-13
"""A standard deviation below this part of the mean is 0 up to rounding."""


def population_variance(
    design: Design, y: npt.ArrayLike, domain: npt.ArrayLike | None = None
) -> Estimate:
    """Estimate the variance of y among the units of the domain, shape () or (k,).

    S^2 = n / (n - 1) sum(w (y - mean)^2) / sum(w), n answers with a weight above 0, in squared
    units of y; arguments as in `mean`. Its influence is that of a mean of squares: that of the
    mean within has no slope there (Särndal, Swensson and Wretman 1992, 5.9; R survey `svyvar`).
    NaN where n < 2. For the standard deviation see `change.function` with `np.sqrt`.
    """
    centre = mean(design, y, domain)
    values = np.asarray(y, dtype=float) - centre.estimate.reshape(-1, 1)
    squares = shaped(mean(design, values**2, domain), centre.estimate.shape)
    n = _answers(centre)
    factor = np.where(n > 1, n / np.maximum(n - 1, 1), np.nan)
    return replace(
        squares,
        estimate=factor * squares.estimate,
        se=factor * squares.se,
        n=centre.n,
        parts=tuple(scaled(squares.parts, factor.reshape(-1, 1))),
    )


def design_effect(
    design: Design,
    y: npt.ArrayLike,
    domain: npt.ArrayLike | None = None,
    *,
    replacement: bool = False,
) -> Floats:
    """Variance of the estimated mean over that of a simple random sample of as many answers.

    Shape () or (k,). The sample is one of n of the N = sum(w) units of the domain, with the
    variance (1 - n / N) S^2 / n, or with `replacement` S^2 / n (Kish 1965, 8.2; R survey `deff`
    TRUE and "replace"). NaN where there is nothing to compare with: where all values are equal,
    n < 2, or the weights add up to no more than n (all answered, or weights that do not count
    the population).
    """
    estimate, spread = mean(design, y, domain), population_variance(design, y, domain)
    n = _answers(estimate)
    members = np.ones(len(design.weights), dtype=bool) if domain is None else np.asarray(domain)
    size = np.where(members.astype(bool), design.weights, 0.0).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = 0.0 if replacement else n / size
        simple = (1 - rate) * spread.estimate / n
        differ = spread.estimate > (_ROUNDING * estimate.estimate) ** 2
        return np.where(differ & (rate < 1), estimate.se**2 / simple, np.nan)


def _answers(estimate: Estimate) -> Floats:
    """Units of each domain that answered and count for something, in the estimate's shape."""
    part = estimate.parts[0]
    counted = (part.inside & (part.design.weights > 0)).sum(axis=1)
    return np.asarray(counted, dtype=float).reshape(estimate.estimate.shape)

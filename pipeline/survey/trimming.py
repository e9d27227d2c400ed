"""Weights trimmed to bounds, or to a design effect, with their sum kept.

Trimmed weights no longer meet the totals of a calibration (see
`calibration.weight_problems`). Calibrate with `bounds` instead where totals must hold: bounds of
(lower / design.weights, upper / design.weights) are bounds of the weights. The variance keeps the
residuals of the calibrations and takes the factors of the trimming as given, as R survey does.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.survey.arrays import Floats
from pipeline.survey.design import Design
from pipeline.survey.weight_quality import kish_design_effect

_ROUNDING = 1e-14
_ROUNDS = 10_000
_BISECTIONS = 100


def trim(
    design: Design, *, lower: float | None = None, upper: float | None = None, strict: bool = True
) -> Design:
    """Cut the weights off at the bounds and spread what was cut evenly over the others.

    `strict` repeats this until all weights keep the bounds; without it the spreading may carry
    some beyond them (R survey `trimWeights`). Weights of 0 stay 0. Raises ValueError where the
    mean weight is not between the bounds, so that no weights keep the sum.
    """
    low = -np.inf if lower is None else lower
    high = np.inf if upper is None else upper
    used = design.weights > 0
    mean = float(design.weights[used].mean())
    if not low <= mean <= high:
        msg = f"the mean weight {mean:.6g} is not between {low:.6g} and {high:.6g}: widen them"
        raise ValueError(msg)
    weights = design.weights.copy()
    weights[used] = _trimmed(design.weights[used], low, high, strict=strict)
    return replace(design, weights=weights)


def trim_to_design_effect(design: Design, target: float) -> Design:
    """Trim with the highest `upper` at which Kish's design effect is no more than the target.

    n sum(w^2) / sum(w)^2 (Kish 1965, 11.7) falls with the bound, so it is found by bisection; a
    design that has no more already stays as it is. Raises ValueError for a target below 1.
    """
    if not target >= 1:
        raise ValueError(f"Kish's design effect is 1 or more; it cannot be trimmed to {target}")
    used = design.weights > 0
    weights = design.weights[used]
    if kish_design_effect(weights) <= target:
        return design
    low, high = float(weights.mean()), float(weights.max())
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if kish_design_effect(_capped(weights, middle)) <= target:
            low = middle
        else:
            high = middle
    result = design.weights.copy()
    result[used] = _capped(weights, low)
    return replace(design, weights=result)


def _capped(weights: Floats, upper: float) -> Floats:
    """Where strict trimming to an upper bound ends: min(w + c, upper) with the sum kept."""
    rising = np.sort(weights)
    free = np.arange(len(weights), 0, -1)
    rest = weights.sum() - upper * (len(weights) - free)
    shift = (rest - np.cumsum(rising)[free - 1]) / free
    fits = rising[free - 1] + shift <= upper
    return np.minimum(weights + shift[np.argmax(fits)], upper) if fits.any() else weights


def _trimmed(weights: Floats, low: float, high: float, *, strict: bool) -> Floats:
    """Trimmed weights; what is spread falls geometrically, so it ends at rounding."""
    total = weights.sum()
    for _ in range(_ROUNDS):
        outside = (weights < low) | (weights > high)
        if not outside.any():
            break
        cut = np.clip(weights, low, high)
        rest = float((weights - cut).sum())
        others = ~outside
        if outside.all():
            others = cut < high if rest > 0 else cut > low
        if not others.any() or (strict and abs(rest) <= _ROUNDING * total):
            break
        weights = cut + np.where(others, rest / max(others.sum(), 1), 0.0)
        if not strict:
            return weights
    return np.clip(weights, low, high)

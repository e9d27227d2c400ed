"""Means, shares, balances, ratios and totals of domains, with each unit's influence on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.survey.arrays import Bools, Floats, Ints
from pipeline.survey.design import Design
from pipeline.survey.variance import Influence, variance


@dataclass(frozen=True, eq=False)
class Estimate:
    """One estimate (shape ()) or one per row of domains (shape (k,)), with what it rests on.

    `n` units of the domain answered the item; `df` is the number of their primary units less that
    of their strata, at least 1 (R survey `degf` of the domain). `n_kish` is the effective number
    of units as far as weights and population sizes tell, infinite where all units of the strata
    answered (see `intervals`). `se` is NaN where there is no estimate, or where one unit only
    answered and others did not (one unit has no spread). `parts` are the influences, for
    covariances.
    """

    estimate: Floats
    se: Floats
    n: Ints
    df: Ints
    n_kish: Floats
    parts: tuple[Influence, ...]


@dataclass(frozen=True, eq=False)
class Balance(Estimate):
    """The share `up` less the share `down`, with both, which its interval is made from."""

    up: Estimate
    down: Estimate


def mean(design: Design, y: npt.ArrayLike, domain: npt.ArrayLike | None = None) -> Estimate:
    """Estimate the mean of y, sum(w y) / sum(w) over the domain's units that answered.

    `y`: shape (n,), or (k, n) for several items, aligned with the design's rows; NaN where the
    unit did not answer the item. A unit outside the item's base has answered: give it any value
    and leave it out of `domain`, shape (n,) or (k, n), all units unless given. It is a ratio
    with x = 1; for its influence and what an item without answers does see `ratio`.
    """
    return ratio(design, y, np.ones(len(design.weights)), domain)


def share(design: Design, y: npt.ArrayLike, domain: npt.ArrayLike | None = None) -> Estimate:
    """Estimate the share of units with y = 1, the mean of y in {0, 1, NaN}; else as `mean`.

    ValueError for other values.
    """
    values = np.asarray(y, dtype=float)
    if not (np.isnan(values) | (values == 0) | (values == 1)).all():
        raise ValueError("a share takes 0, 1 and NaN (no answer) only")
    return mean(design, values, domain)


def balance(design: Design, y: npt.ArrayLike, domain: npt.ArrayLike | None = None) -> Balance:
    """Estimate the balance of answers y in {1 (up), 0, -1 (down), NaN}, their mean; as `mean`.

    ValueError for other values.
    """
    values = np.asarray(y, dtype=float)
    if not (np.isnan(values) | np.isin(values, (1, 0, -1))).all():
        raise ValueError("a balance takes 1, 0, -1 and NaN (no answer) only")
    up, down = (np.where(np.isnan(values), np.nan, values == side) for side in (1, -1))
    both = mean(design, values, domain)
    return Balance(
        **{field.name: getattr(both, field.name) for field in fields(both)},
        up=mean(design, up, domain),
        down=mean(design, down, domain),
    )


def distribution(
    design: Design,
    codes: npt.ArrayLike,
    categories: npt.ArrayLike,
    domain: npt.ArrayLike | None = None,
) -> Estimate:
    """Estimate the share of each of c categories, which add up to 1; shape (c,) or (k, c).

    `codes`: the category each unit answered, shape (n,), missing where it did not; `domain` as in
    `mean`. Each is estimated as by `share`, and all have their covariances (see `select`). Their
    beta intervals hold together with the level 1 - (1 - level) / c each (Bonferroni). ValueError
    for answers that are no category.
    """
    labels = pd.Index(np.asarray(categories))
    answers = np.asarray(codes)
    if not labels.is_unique:
        raise ValueError(f"categories must differ; got {labels.tolist()}")
    which = labels.get_indexer(answers)
    missing = pd.isna(answers)
    unknown = pd.unique(answers[(which < 0) & ~missing]).tolist()
    if unknown:
        raise ValueError(f"answers {unknown[:5]} are no category of {labels.tolist()}")
    chosen = np.where(missing, np.nan, which == np.arange(len(labels))[:, None])
    masks = _mask(design, domain)
    each = mean(design, np.tile(chosen, (len(masks), 1)), np.repeat(masks, len(labels), axis=0))
    return shaped(each, (*_shape(domain), len(labels)))


def select(estimate: Estimate, index: Any) -> Estimate:
    """Take some of several estimates by a numpy index, with their influences.

    `select(e, (..., 0))` is the first category of each domain of a `distribution`.
    """
    size = estimate.estimate.size
    rows = np.arange(size).reshape(estimate.estimate.shape)[index]

    def chosen(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return values[np.ravel(rows)] if len(values) == size else values

    parts = tuple(
        replace(
            part,
            answered=chosen(part.answered),
            inside=chosen(part.inside),
            z=chosen(part.z),
            left=None if part.left is None else chosen(part.left),
        )
        for part in estimate.parts
    )
    return _moved(estimate, lambda values: values.ravel()[rows], parts)


def shaped(estimate: Estimate, shape: tuple[int, ...]) -> Estimate:
    """Give the numbers of an estimate another shape of the same size."""
    return _moved(estimate, lambda values: values.reshape(shape), estimate.parts)


def _moved(
    e: Estimate,
    move: Callable[[npt.NDArray[Any]], npt.NDArray[Any]],
    parts: tuple[Influence, ...],
) -> Estimate:
    """The same numbers in other places."""
    numbers = (np.asarray(move(x)) for x in (e.estimate, e.se, e.n, e.df, e.n_kish))
    estimate, se, n, df, n_kish = numbers
    return Estimate(estimate, se, n, df, n_kish, parts)


def ratio(
    design: Design, y: npt.ArrayLike, x: npt.ArrayLike, domain: npt.ArrayLike | None = None
) -> Estimate:
    """Estimate R = sum(w y) / sum(w x) over the domain's units that answered both.

    Arguments as in `mean`. Influence z = w (y - R x) / sum(w x) in the domain, 0 for other units
    that answered (Särndal, Swensson and Wretman 1992, 5.6 and 10.6). No answer to an item counts
    as a further phase of response: weights w are those of the design times n_h / m_h for the m_h
    of the stratum's n_h that answered it, and so is the variance, with m_h of N_h.
    """
    values, influence = _ratio(design, y, x, domain)
    units = (design.per_unit(influence.inside) > 0).sum(axis=1)
    alone = (units < 2) & np.isfinite(effective_size(influence, influence.weights))
    part = replace(influence, z=np.where(alone[:, None], np.nan, influence.z))
    return _estimate(values, (part,), _shape(y, x, domain))


def total(design: Design, y: npt.ArrayLike, domain: npt.ArrayLike | None = None) -> Estimate:
    """Estimate the total of y in the domain as N mean(y), N = sum(w) of its units.

    Units that did not answer the item are taken to be like those of their stratum that did; if
    all did, it is sum(w y). Arguments as in `mean`. The influence has two parts, linearised
    (Särndal, Swensson and Wretman 1992, 5.5): N times that of the mean, over the item's
    respondents, and mean times w, over all units.
    """
    means, influence = _ratio(design, y, np.ones(len(design.weights)), domain)
    members = _mask(design, domain)
    weights = np.where(members, design.weights, 0.0)
    size = weights.sum(axis=1)
    everyone = np.ones((1, len(design.weights)), dtype=bool)
    n = influence.inside.sum(axis=1)
    alone = (n < 2) & (n < members.sum(axis=1))
    parts = (
        replace(influence, z=np.where(alone, np.nan, size)[:, None] * influence.z),
        Influence(design, everyone, members, means[:, None] * weights),
    )
    return _estimate(size * means, parts, _shape(y, domain))


def _ratio(
    design: Design, y: npt.ArrayLike, x: npt.ArrayLike, domain: npt.ArrayLike | None
) -> tuple[Floats, Influence]:
    """The ratios, shape (k,), and their influence.

    In two passes: the quotient is exact to its last digit only, and where the mean is large
    beside the spread that is not enough for the residuals; they are centred again.
    """
    above = np.atleast_2d(np.asarray(y, dtype=float))
    below = np.atleast_2d(np.asarray(x, dtype=float))
    answered = ~(np.isnan(above) | np.isnan(below))
    inside = answered & _mask(design, domain)
    weights = design.item_weights(answered)
    weighted = np.where(inside, weights * below, 0.0)
    base = weighted.sum(axis=1, keepdims=True)
    base = np.where(base == 0, np.nan, base)
    rough = np.where(inside, weights * above, 0.0).sum(axis=1, keepdims=True) / base
    residual = np.where(inside, weights * (above - rough * below), 0.0)
    step = residual.sum(axis=1, keepdims=True) / base
    values = (residual - step * weighted) / base
    return (rough + step)[:, 0], Influence(design, answered, inside, values)


def _mask(design: Design, domain: npt.ArrayLike | None) -> Bools:
    """The domain as (k, n) or (1, n)."""
    if domain is None:
        return np.ones((1, len(design.weights)), dtype=bool)
    return np.atleast_2d(np.asarray(domain, dtype=bool))


def _shape(*arguments: npt.ArrayLike | None) -> tuple[int, ...]:
    """Shape of the estimates: (k,) where an argument has rows, else ()."""
    return np.broadcast_shapes(*(np.shape(a) for a in arguments if a is not None))[:-1]


def _estimate(values: Floats, parts: tuple[Influence, ...], shape: tuple[int, ...]) -> Estimate:
    """Put an estimate together; the first part tells who answered."""
    answers = parts[0]
    n = answers.inside.sum(axis=1)
    units = answers.design.per_unit(answers.inside) > 0
    strata = (answers.design.sums(units) > 0).sum(axis=1)
    se = np.where(n > 0, np.sqrt(variance(parts)), np.nan)
    return Estimate(
        values.reshape(shape),
        se.reshape(shape),
        n.reshape(shape),
        np.maximum(units.sum(axis=1) - strata, 1).reshape(shape),
        effective_size(answers, answers.weights).reshape(shape),
        parts,
    )


def effective_size(influence: Influence, weights: Floats) -> Floats:
    """sum(w)^2 / sum(w^2 / g_h), g_h = -ln(1 - f_h) / f_h, f_h = m_h / N_h; shape (k,).

    Kish (1965, 11.7) for the weights. Of K units with a rare trait among N, simple random
    sampling misses all with probability (1 - f)^K at most, which is that of a sample of
    -N ln(1 - f) = n g units with replacement. Of several stages the primary units count, as if
    drawn with replacement: that all of them were drawn says nothing of the stages below.
    """
    design = influence.design
    rate = influence.counts / (np.inf if design.later else design.population)
    with np.errstate(divide="ignore", invalid="ignore"):
        shrink = np.where(rate > 0, -rate / np.log1p(-rate), 1.0)
        weights = design.per_unit(np.where(influence.inside, weights, 0.0))
        squares = (weights**2 * shrink[:, design.codes]).sum(axis=1)
        return np.asarray(weights.sum(axis=1) ** 2 / squares, dtype=float)

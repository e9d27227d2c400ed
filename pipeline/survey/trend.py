"""Several waves at once: the slope over them, a test of any change, their mean."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import fdtrc

from pipeline.survey.arrays import Bools, Floats, Ints
from pipeline.survey.change import contrast, covariance, function
from pipeline.survey.estimators import Estimate
from pipeline.survey.variance import Deviations, Influence, product

_ROUNDING = 1e-9
"""What is less than this part of the largest value is 0."""


@dataclass(frozen=True, eq=False)
class Trend(Estimate):
    """The slope over waves, per unit of time, with the number of `waves` it rests on."""

    waves: Ints


class AnyChange(NamedTuple):
    """F test that all waves are alike, one per row; NaN where `any_change` says so."""

    f: Floats
    df1: Ints
    df2: Ints
    p: Floats


@dataclass(frozen=True, eq=False)
class Pooled(Estimate):
    """A mean over waves: `n` answers, of `units` different units (what secrecy has to count)."""

    units: Ints


def trend(estimates: Sequence[Estimate], times: npt.ArrayLike) -> Trend:
    """Estimate the slope of a line through the estimates of all waves, per unit of `times`.

    `estimates`: one a wave, of the same shape, or shape (); `times`: shape (T,). Each row of
    domains uses the waves that have an estimate and a standard error; with fewer than two it is
    NaN, and `waves` says so. ValueError for times that are missing, equal or too few.

    sum((t - t_mean) estimate) / sum((t - t_mean)^2), ordinary least squares: a contrast (see
    `contrast`), whose standard error has the covariances of all waves. n, df and n_kish: the
    smallest of the waves.
    """
    at = np.asarray(times, dtype=float)
    if at.shape != (len(estimates),) or len(np.unique(at[np.isfinite(at)])) < max(len(at), 2):
        msg = f"{len(estimates)} waves, times {at}: give two or more waves, each a time of its own"
        raise ValueError(msg)
    known = _known(estimates)
    waves = known.sum(axis=0)
    t = at.reshape(-1, *[1] * (known.ndim - 1))
    deviation = np.where(known, t - (t * known).sum(axis=0) / np.maximum(waves, 1), 0.0)
    with np.errstate(invalid="ignore"):
        weights = deviation / np.where(waves < 2, np.nan, (deviation**2).sum(axis=0))
    present = [_present(e, k) for e, k in zip(estimates, known, strict=True)]
    line = function(present, lambda *levels: sum(map(operator.mul, weights, levels)))
    least = contrast(estimates, [1.0] * len(estimates))
    basis = {name: getattr(line, name) for name in ("n", "df", "n_kish")}
    basis = {name: np.where(waves < 2, getattr(least, name), x) for name, x in basis.items()}
    return Trend(line.estimate, line.se, **basis, parts=line.parts, waves=waves)


def any_change(estimates: Sequence[Estimate]) -> AnyChange:
    """Test whether the waves differ at all, with the covariances of all waves, row by row.

    Arguments as in `trend`; also a row uses the waves it has. NaN (df1 = 0) with fewer than two
    of them; NaN where df1 exceeds the degrees of freedom, or where waves differ although the
    variance of that difference is estimated as 0 and not all units answered.

    W = d' V^+ d for the differences d to the first wave; F = W (df - q + 1) / (df q) with
    q = rank of V and df - q + 1 degrees of freedom, df the smallest of the waves (Korn and
    Graubard 1990, American Statistician 44, 270-276). Covariances are left out where they exceed
    what the variances allow, as in `variance`.
    """
    known = _known(estimates)
    shape, count = known.shape[1:], len(estimates)
    levels, df, n_kish = (
        np.stack([np.broadcast_to(getattr(e, name), shape).ravel() for e in estimates])
        for name in ("estimate", "df", "n_kish")
    )
    v = np.empty((levels.shape[1], count, count))
    for i, a in enumerate(estimates):
        for j, b in enumerate(estimates[: i + 1]):
            v[:, i, j] = v[:, j, i] = np.broadcast_to(covariance(a, b), shape).ravel()
    tests = [
        _test(levels[used, row], v[row][np.ix_(used, used)], df[used, row], n_kish[used, row])
        for row, used in enumerate(known.reshape(count, -1).T)
    ]
    f, q, rest, p = np.array(tests, dtype=float).T.reshape(4, *shape)
    return AnyChange(f, q.astype(np.int64), rest.astype(np.int64), p)


def pooled(estimates: Sequence[Estimate], shares: Sequence[float] | None = None) -> Pooled:
    """Estimate the mean of several waves, sum(share estimate): for groups too small for one.

    `estimates` as in `trend`, each of one wave; `shares` of the waves, above 0 and adding up to 1
    (1 / T each unless given). NaN where a wave has no estimate: a mean of two years is not that
    of one. The standard error has all covariances (see `contrast`): the same firms twice tell less
    than others. `df` and `n_kish` are rules of this library, not of the literature. ValueError for
    shares that do not fit.

    `n` is the number of answers in all waves, `units` of the units who gave them; `df` is `units`
    times the degrees of freedom per answer, so that of one wave where all waves have the same
    units, the sum where none is in two. `n_kish` is 1 / sum_ij(c_i c_j r_ij / sqrt(n_i n_j)),
    n_i the effective numbers of the waves and r_ij the correlation of two waves' shares of a rare
    trait that units keep, at least 0: how often the same units were seen is known, how far they
    keep their answers is not where all of them agree (and se is 0), so they are taken to keep
    them. The same units in all waves then count once; overlap by mere chance costs nothing.
    """
    c = np.full(len(estimates), 1 / max(len(estimates), 1)) if shares is None else np.array(shares)
    if c.shape != (len(estimates),) or not (c > 0).all() or abs(c.sum() - 1) > _ROUNDING:
        msg = f"shares {list(c)} of {len(estimates)} waves: give one a wave, above 0, summing to 1"
        raise ValueError(msg)
    mean = contrast(estimates, [float(x) for x in c])
    shape = mean.estimate.shape
    n = np.broadcast_to(np.sum([np.broadcast_to(e.n, shape) for e in estimates], axis=0), shape)
    df = np.sum([np.broadcast_to(e.df, shape) for e in estimates], axis=0)
    units = np.broadcast_to(_units(estimates).reshape(-1), mean.estimate.size).reshape(shape)
    basis = {
        "n": n,
        "df": np.maximum(units * df // np.maximum(n, 1), 1),
        "n_kish": _effective(estimates, c).reshape(shape),
    }
    given = {field.name: getattr(mean, field.name) for field in fields(mean)}
    return Pooled(**(given | basis), units=units)


def _known(estimates: Sequence[Estimate]) -> Bools:
    """Whether a wave has an estimate and a standard error, (T,) or (T, k)."""
    shape = np.broadcast_shapes(*(e.estimate.shape for e in estimates))
    known = [np.isfinite(e.estimate) & np.isfinite(e.se) for e in estimates]
    return np.stack([np.broadcast_to(k, shape) for k in known])


def _present(estimate: Estimate, known: Bools) -> Estimate:
    """The estimate, 0 without influence where it is not known, resting on endless answers."""
    rows = known.reshape(-1, 1)
    parts = tuple(
        replace(
            part,
            z=np.where(rows, part.z, 0.0),
            left=None if part.left is None else np.where(rows, part.left, 0.0),
        )
        for part in estimate.parts
    )
    endless = np.iinfo(np.int64).max
    return Estimate(
        np.where(known, estimate.estimate, 0.0),
        np.where(known, estimate.se, 0.0),
        np.where(known, estimate.n, endless),
        np.where(known, estimate.df, endless),
        np.where(known, estimate.n_kish, np.inf),
        parts,
    )


def _test(levels: Floats, v: Floats, df: Ints, n_kish: Floats) -> tuple[float, int, int, float]:
    """F, its degrees of freedom and p of one row, see `any_change`."""
    if len(levels) < 2:
        return np.nan, 0, 0, np.nan
    w, q = _wald(levels, v)
    least = int(df.min())
    rest = least - q + 1
    if rest < 1 or (np.isinf(w) and not np.isinf(n_kish).all()):
        return np.nan, q, rest, np.nan
    if q == 0 or np.isinf(w):
        return w, q, rest, float(w == 0)
    f = w * rest / (least * q)
    return f, q, rest, float(fdtrc(q, rest, f))


def _wald(levels: Floats, v: Floats) -> tuple[float, int]:
    """Wald statistic d' V^+ d, d the differences to the first level, and the rank of V.

    Infinite where d has a part in a direction without variance.
    """
    into = np.hstack([-np.ones((len(levels) - 1, 1)), np.eye(len(levels) - 1)])
    sizes, axes = np.linalg.eigh(into @ v @ into.T)
    if sizes[0] < -_ROUNDING * np.trace(v):
        sizes, axes = np.linalg.eigh(into @ np.diag(np.diag(v)) @ into.T)
    kept = sizes > _ROUNDING * np.trace(v)
    along = (levels[1:] - levels[0]) @ axes
    if (np.abs(along[~kept]) > _ROUNDING * np.abs(levels).max()).any():
        return np.inf, int(kept.sum())
    return float((along[kept] ** 2 / sizes[kept]).sum()), int(kept.sum())


def _units(estimates: Sequence[Estimate]) -> Ints:
    """Different units that answered in some wave, shape (k,) or (1,)."""
    first = [e.parts[0] for e in estimates]
    ids = first[0].design.unit_ids
    for part in first[1:]:
        ids = ids.append(part.design.unit_ids.difference(ids))
    answered = np.zeros((max(len(part.inside) for part in first), len(ids)), dtype=bool)
    for part in first:
        answered[:, ids.get_indexer(part.design.unit_ids)] |= part.design.per_unit(part.inside) > 0
    return np.asarray(answered.sum(axis=1), dtype=np.int64)


def _effective(estimates: Sequence[Estimate], shares: Floats) -> Floats:
    """`n_kish` of a mean over waves, see `pooled`; shape (k,) or (1,)."""
    terms = [_kept(e.parts[0]) for e in estimates]
    own = [product(term, term) for term in terms]
    total = np.zeros(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        for i, (a, e) in enumerate(zip(terms, estimates, strict=True)):
            total = total + shares[i] ** 2 / e.n_kish
            for j in range(i):
                r = product(a, terms[j]) / np.sqrt(own[i] * own[j])
                r = np.where(own[i] * own[j] > 0, np.clip(r, 0.0, 1.0), 0.0)
                size = np.sqrt(e.n_kish * estimates[j].n_kish)
                total = total + 2 * shares[i] * shares[j] * r / size
        return np.asarray(1 / total, dtype=float)


def _kept(part: Influence) -> Deviations:
    """Influence on the share of a rare trait: the weights themselves, not centred."""
    weights = np.where(part.inside, part.weights, 0.0)
    with np.errstate(invalid="ignore"):
        weights = weights / weights.sum(axis=1, keepdims=True)
    z = tuple(level.per_unit(weights) for level in part.design.levels)
    return Deviations(part.design, part.answered, part.units, z, z)

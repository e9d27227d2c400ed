"""A reference as if it had a group's composition, so that like is compared with like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.survey.arrays import Bools, Floats, Ints
from pipeline.survey.change import difference
from pipeline.survey.design import Design, Frame
from pipeline.survey.estimators import Estimate, effective_size, ratio
from pipeline.survey.variance import Influence, variance


@dataclass(frozen=True, eq=False)
class Standardised(Estimate):
    """An estimate for a reference with the composition of a group.

    `lost`: the share of the group's firms whose own cell has too few answers of the reference,
    so that a coarser cell stands for it. `reason`: why there is no estimate, else empty.
    `weights`: of each of the design's rows in it, (n,) or (k, n); W_c w / N_c, see `standardised`.
    """

    lost: Floats
    reason: npt.NDArray[np.str_]
    weights: Floats


class Adjusted(NamedTuple):
    """A group's estimate less that of a reference with the group's composition, and both."""

    difference: Estimate
    group: Estimate
    reference: Standardised


def standardised(
    design: Design,
    y: npt.ArrayLike,
    cells: Sequence[npt.ArrayLike],
    *,
    group: npt.ArrayLike,
    reference: npt.ArrayLike,
    x: npt.ArrayLike | None = None,
    fewest: int = 2,
) -> Standardised:
    """Estimate the mean or ratio of a reference as if it had the composition of a group.

    `y`, `x` (all 1 unless given): shape (n,), aligned with the design's rows, as in `ratio`;
    `reference`: mask of rows, (n,) or (k, n); `group`: mask of the register, (N,) or (k, N), in
    the order given to `from_frame`; `cells`: labels of the register's firms, shape (N,) each, the
    finest first (say size by field, then size). The group may be part of the reference or not.
    ValueError without a register or for shapes that do not fit.

    R = sum(W_c y_c) / sum(W_c x_c), W_c the group's shares of the register, known, y_c and x_c
    the reference's weighted means in cell c: direct standardisation (Kitagawa 1955, Journal of
    the American Statistical Association 50, 1168-1194), the poststratified estimator with another
    group's counts (Särndal, Swensson and Wretman 1992, 7.6). Firms whose cell has fewer than
    `fewest` answers of the reference (two or more: one has a mean, but no spread) take the means
    of the next coarser one, at last of the whole reference; `lost` is their share. NaN with a
    `reason` where none finds a cell of any level.

    Influence: sum over cells of W_c w (e - e_c) / (N_c X), e = y - R x, N_c = sum(w) in the cell,
    times sqrt(n_c / (n_c - 1)) as each mean takes a degree of freedom, which matters in small
    cells. df is the number of units less that of strata or of cells used, whichever is more.
    """
    values, base, codes = _checked(design, y, x, cells)
    shape, groups, references = _masks(group, reference, len(codes[0]), len(values))
    firms = _register_rows(design)
    answered = ~np.isnan(values + base)
    weights = design.item_weights(answered[None])[0]
    rows = [
        _row(design, (values, base), _weights(weights, codes, (firms, g, r & answered), fewest))
        for g, r in zip(groups, references, strict=True)
    ]
    part = Influence(
        design,
        answered[None],
        np.stack([row.used for row in rows]),
        np.stack([row.z for row in rows]),
    )
    columns = ("estimate", "n", "df", "n_kish", "lost", "reason")
    basis = {name: np.array([getattr(row, name) for row in rows]) for name in columns}
    basis["se"] = np.sqrt(variance([part]))
    return Standardised(
        **{name: x.reshape(shape) for name, x in basis.items()},
        parts=(part,),
        weights=np.stack([row.weights for row in rows]).reshape(*shape, len(values)),
    )


def adjusted_difference(
    design: Design,
    y: npt.ArrayLike,
    cells: Sequence[npt.ArrayLike],
    *,
    group: npt.ArrayLike,
    reference: npt.ArrayLike,
    x: npt.ArrayLike | None = None,
) -> Adjusted:
    """Estimate how far a group is from a reference with the group's composition.

    Arguments and errors as in `standardised`; for the reference see `standardised`. What remains
    of the plain difference when both have the same composition by cells; group and reference, of
    one wave, are never taken as independent.
    """
    other = standardised(design, y, cells, group=group, reference=reference, x=x)
    members = np.asarray(group, dtype=bool)[..., _register_rows(design)]
    own = ratio(design, y, np.ones(len(design.weights)) if x is None else x, members)
    return Adjusted(difference(own, other), own, other)


class _Cells(NamedTuple):
    """The cells that stand for a group, level by level: (m, n) weights of the reference's rows.

    `weights` are W_c w / N_c, 0 outside the cells in use; `codes` number the cells of each level.
    """

    weights: Floats
    codes: Ints
    lost: float
    reason: str


class _Row(NamedTuple):
    """One row of a `Standardised`; `z`, `used` and `weights` of shape (n,)."""

    estimate: float
    z: Floats
    used: Bools
    n: int
    df: int
    n_kish: float
    lost: float
    reason: str
    weights: Floats


def _checked(
    design: Design, y: npt.ArrayLike, x: npt.ArrayLike | None, cells: Sequence[npt.ArrayLike]
) -> tuple[Floats, Floats, list[Ints]]:
    """y, x and the codes of the cells at all levels, the last one a single cell."""
    size = len(_register(design).codes)
    values = np.asarray(y, dtype=float)
    base = np.ones(len(design.weights)) if x is None else np.asarray(x, dtype=float)
    codes = [np.asarray(pd.factorize(np.asarray(c))[0], dtype=np.int64) for c in cells]
    if {values.shape, base.shape} != {design.weights.shape}:
        msg = f"y {values.shape}, x {base.shape}, {len(design.weights)} rows: give one a row"
        raise ValueError(msg)
    if not codes or any(c.shape != (size,) or (c < 0).any() for c in codes):
        msg = f"cells must label each of the {size} firms of the register, at one level or more"
        raise ValueError(msg)
    return values, base, [*codes, np.zeros(size, dtype=np.int64)]


def _masks(
    group: npt.ArrayLike, reference: npt.ArrayLike, size: int, n: int
) -> tuple[tuple[int, ...], Bools, Bools]:
    """Shape of the result, () or (k,), and its groups (k, N) and references (k, n)."""
    groups, references = (np.asarray(mask, dtype=bool) for mask in (group, reference))
    if groups.shape[-1:] != (size,) or references.shape[-1:] != (n,):
        msg = (
            f"group {groups.shape} and reference {references.shape}: give the group one value for "
            f"each of {size} firms of the register, the reference for each of {n} rows"
        )
        raise ValueError(msg)
    shape = np.broadcast_shapes(groups.shape[:-1], references.shape[:-1])
    return (
        shape,
        np.broadcast_to(groups, (*shape, size)).reshape(-1, size),
        np.broadcast_to(references, (*shape, n)).reshape(-1, n),
    )


def _register_rows(design: Design) -> Ints:
    """Where the design's rows are on its register, shape (n,)."""
    return np.asarray(_register(design).unit_ids.get_indexer(design.unit_ids), dtype=np.int64)


def _register(design: Design) -> Frame:
    if design.frame is None:
        raise ValueError("a composition is that of a register: make the design by from_frame")
    return design.frame


def _weights(
    own: Floats, codes: list[Ints], sides: tuple[Ints, Bools, Bools], fewest: int
) -> _Cells:
    """Let the finest cell with enough answers of the reference stand for each of the firms."""
    firms, group, reference = sides
    size, left = int(group.sum()), group.copy()
    weights = np.zeros((len(codes), len(firms)))
    lost, reason = np.nan, "" if size else "the group has no firm on the register"
    for level, code in enumerate(codes):
        here, count = code[firms], int(code.max()) + 1
        if level == len(codes) - 1 and size and left.sum() == size:
            reason = "no cell of the group has enough answers of the reference"
        answers = np.bincount(here[reference], minlength=count)
        sums = np.bincount(here, weights=np.where(reference, own, 0.0), minlength=count)
        found = left & ((answers >= fewest) & (sums > 0))[code]
        share = np.bincount(code[found], minlength=count) / max(size, 1)
        share = share / np.where(sums > 0, sums, 1.0)
        weights[level] = np.where(reference, own * share[here], 0.0)
        left &= ~found
        lost = left.sum() / size if level == 0 and size else lost
    return _Cells(weights, np.stack([code[firms] for code in codes]), float(lost), reason)


def _row(design: Design, values: tuple[Floats, Floats], cells: _Cells) -> _Row:
    """The ratio under the cells' weights, with its influence."""
    weights, used = cells.weights.sum(axis=0), np.any(cells.weights > 0, axis=0)
    answered = ~np.isnan(values[0] + values[1])
    y, x = (np.where(used, v, 0.0) for v in values)
    below = float(weights @ x)
    reason = cells.reason or ("" if below else "x adds up to 0 in the reference")
    estimate = float(weights @ y) / below if not reason else np.nan
    error, z, parts = y - estimate * x, np.zeros(len(used)), 0
    for weight, code in zip(cells.weights, cells.codes, strict=True):
        inside, count = weight > 0, int(code.max(initial=0)) + 1
        n = np.bincount(code[inside], minlength=count)
        sums = np.bincount(code, weights=weight, minlength=count)
        errors = np.bincount(code, weights=weight * error, minlength=count)
        mean = errors / np.where(sums > 0, sums, 1.0)
        freed = np.sqrt(n / np.maximum(n - 1, 1))
        z += np.where(inside, weight * (error - mean[code]) * freed[code], 0.0)
        parts += int((n > 0).sum())
    answers = int(used.sum())
    strata = len(np.unique(design.codes[used]))
    part = Influence(design, answered[None], used[None], z[None])
    return _Row(
        estimate,
        z / below if not reason else np.full(len(used), np.nan),
        used,
        answers,
        max(answers - max(strata, parts), 1),
        float(effective_size(part, weights)[0]),
        cells.lost,
        reason,
        weights,
    )

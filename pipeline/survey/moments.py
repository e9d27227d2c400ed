"""Cell sums of many items over microdata, in one sweep of numpy: what estimates are made of.

A cell is a stratum within a domain. `Moments` holds the few sums that all estimates by domain need
(see `pipeline.survey.domains`); they come from numpy here, or from `pipeline.survey.passes` as SQL.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.survey.arrays import Bools, Floats, Ints, cell_sums
from pipeline.survey.design import Design

_BLOCK = 2**16
"""Numbers worked on at once: they stay in the processor's cache, and calls of numpy are few."""


@dataclass(frozen=True, eq=False)
class Moments:
    """What p items are in each of C cells, centred so that no digits are lost.

    `strata` and `domains` are the labels of the codes `stratum` and `domain`, shape (C,); cells
    are in the order of domains, then strata, and last those of domain -1: units in no domain,
    who answered nevertheless. `units`, `weight` and `spread`, shape (C,), are the number of all
    units, the sum of their weights w, and of the squares of w about its mean. Of those that
    answered the item, shape (p, C): `n` their number, `x` the sum of w x (x is 1 for a mean), `e`
    the sum of w (y - reference x); `ee`, `ex`, `xx` the squares and products of w (y - reference x)
    and w x about their means in the cell. `reference` is any number near y / x of the cell.
    """

    items: pd.Index
    strata: pd.Index
    domains: pd.Index
    stratum: Ints
    domain: Ints
    units: Floats
    weight: Floats
    spread: Floats
    reference: Floats
    n: Floats
    x: Floats
    e: Floats
    ee: Floats
    ex: Floats
    xx: Floats

    def __post_init__(self) -> None:
        finite = np.isfinite(self.e) & np.isfinite(self.ee)
        broken = [item for item, known in zip(self.items, finite, strict=True) if not known.all()]
        if broken:
            msg = f"infinite values in items {broken}; NaN means no answer"
            raise ValueError(msg)


def moments(
    design: Design,
    y: pd.DataFrame | npt.ArrayLike,
    domains: npt.ArrayLike,
    x: pd.DataFrame | npt.ArrayLike | None = None,
) -> Moments:
    """Sum up the microdata by cell; arguments as in `domains.ratios_by`, x is 1 unless given.

    Two passes over each cell: its mean, then squares about it (Chan, Golub and LeVeque 1983,
    American Statistician 37), so that a spread of 1e-8 of the mean keeps its digits.
    """
    if design.rows is not None or design.later or design.adjustments:
        raise ValueError("cell sums are for one stage without calibration; use mean or ratio")
    n = len(design.weights)
    above, below = _Items.of(y, n), None if x is None else _Items.of(x, n)
    if below is not None and len(below.names) not in {1, len(above.names)}:
        msg = f"x has {len(below.names)} items, y {len(above.names)}: one for each y, or one"
        raise ValueError(msg)
    cells = _Cells.of(design, domains)
    sums = np.empty((7, len(above.names), len(cells.units)))
    step = max(1, _BLOCK // max(n, 1))
    for start in range(0, len(above.names), step):
        block = slice(start, start + step)
        base = None
        if below is not None:
            base = below.take(block if len(below.names) > 1 else slice(1))
        with np.errstate(invalid="ignore"):  # of infinite values, which `Moments` refuses
            sums[:, block] = cells.sums(above.take(block), base)
    domain = cells.cells // cells.width
    return Moments(
        above.names,
        design.strata,
        cells.labels,
        cells.cells % cells.width,
        np.where(domain == len(cells.labels), -1, domain),
        cells.units,
        cells.weight,
        cells.spread,
        *sums,
    )


@dataclass(frozen=True, eq=False)
class _Items:
    """The items' names, and their values as columns of a frame or rows of an array."""

    names: pd.Index
    values: pd.DataFrame | npt.NDArray[np.generic]

    @classmethod
    def of(cls, values: pd.DataFrame | npt.ArrayLike, units: int) -> _Items:
        if isinstance(values, pd.DataFrame):
            found, made = len(values), cls(values.columns, values)
        else:
            rows = np.atleast_2d(np.asarray(values))
            found, made = rows.shape[1], cls(pd.RangeIndex(len(rows)), rows)
        if found != units:
            msg = f"values of {found} units for {units}: a frame (n, p) or an array (p, n) is taken"
            raise ValueError(msg)
        return made

    def take(self, items: slice) -> Floats:
        """Values as floats, items as rows."""
        if isinstance(self.values, pd.DataFrame):
            columns = self.values.iloc[:, items].to_numpy(dtype=float, na_value=np.nan)
            return np.ascontiguousarray(columns.T)
        return np.asarray(self.values[items], dtype=float)


@dataclass(frozen=True, eq=False)
class _Cells:
    """Which cell (domain, then stratum) each unit is in, codes (n,), and the sums of weights.

    Values are (b, n), sums (b, C). Sums by code run in the order of the units; sorting the units
    by cell first costs more than it saves.
    """

    labels: pd.Index
    width: int
    cells: Ints
    codes: Ints
    w: Floats
    deviation: Floats
    units: Floats
    weight: Floats
    spread: Floats

    @classmethod
    def of(cls, design: Design, domains: npt.ArrayLike) -> _Cells:
        given = pd.Categorical(domains)  # type: ignore[arg-type]  # any array, as pandas takes it
        if len(given) != len(design.weights):
            msg = f"{len(given)} domains for {len(design.weights)} units: give one for each"
            raise ValueError(msg)
        width, known = len(design.strata), np.asarray(given.codes, dtype=np.int64)
        where = np.where(known < 0, len(given.categories), known) * width + design.codes
        cells, codes = numbered(where, (len(given.categories) + 1) * width)
        w, count = design.weights, len(cells)
        units = np.asarray(np.bincount(codes, minlength=count), dtype=float)
        weight = np.asarray(np.bincount(codes, weights=w, minlength=count), dtype=float)
        deviation = w - (weight / units)[codes]
        rest = np.bincount(codes, weights=deviation, minlength=count)
        squares = np.bincount(codes, weights=deviation**2, minlength=count)
        spread = np.asarray(squares - rest**2 / units, dtype=float)
        labels = pd.Index(given.categories)
        return cls(labels, width, cells, codes, w, deviation, units, weight, spread)

    def sums(self, y: Floats, x: Floats | None) -> tuple[Floats, ...]:
        """reference, n, x, e, ee, ex and xx of `Moments`."""
        level = self._added(y)
        if x is None and not np.isnan(level).any():
            level /= self.units
            q = self._spread_out(level)
            np.subtract(y, q, out=q)
            q *= self.w
            same = np.broadcast_to(self.spread, level.shape)
            return self._centred(level, self.units, self.weight, q, (self.deviation[None], same))
        base = np.ones((1, y.shape[1])) if x is None else x
        answered = ~(np.isnan(y) | np.isnan(base))
        n = self._added(answered)
        y, base = np.where(answered, y, 0.0), np.where(answered, base, 0.0)
        squares = self._added(base * base)
        level = self._added(y * base) / np.where(squares > 0, squares, 1.0)
        weighted = base * self.w
        total = self._added(weighted)
        u = np.where(answered, weighted - self._spread_out(total / np.maximum(n, 1)), 0.0)
        q = (y - self._spread_out(level) * base) * self.w
        return self._centred(level, n, total, q, (u, None))

    def _centred(
        self,
        level: Floats,
        n: Floats,
        total: Floats,
        q: Floats,
        base: tuple[Floats, Floats | None],
    ) -> tuple[Floats, ...]:
        """Squares and products about the means of q and of u, (b, n), which is nearly centred."""
        u, xx = base
        count = np.maximum(n, 1)
        e, rest = self._added(q), self._added(u)
        ex = self._added(q * u) - e * rest / count
        if xx is None:
            xx = self._added(u * u) - rest * rest / count
        q *= q
        ee = self._added(q) - e * e / count
        return tuple(np.broadcast_arrays(level, n, total, e, ee, ex, xx))

    def _added(self, values: Floats | Bools) -> Floats:
        if len(values) > 1:
            return cell_sums(values, self.codes, len(self.cells))
        sums = np.bincount(self.codes, weights=values[0], minlength=len(self.cells))
        return np.asarray(sums, dtype=float)[None]

    def _spread_out(self, values: Floats) -> Floats:
        return values.take(self.codes, axis=1)


def numbered(where: Ints, cells: int) -> tuple[Ints, Ints]:
    """Number the cells that have units from 0: their places in order, and each unit's number."""
    if cells > 8 * len(where) + _BLOCK:
        found, codes = np.unique(where, return_inverse=True)
        return found, codes
    present = np.bincount(where, minlength=cells) > 0
    return np.flatnonzero(present), (np.cumsum(present) - 1)[where]

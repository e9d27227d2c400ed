"""What a calibration of the weights leaves of an influence: its residual."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np

from pipeline.survey.arrays import Floats, Ints, cell_sums

SWEEPS = 10
_DEPENDENT = 1e-10
"""A constraint is a combination of others where no more than this part of it is its own."""


class Adjustment(Protocol):
    """A calibration that the weights of a design went through, one row a unit, shape (n,)."""

    @property
    def rank(self) -> int:
        """How many independent constraints the weights met."""

    def missed(self, weights: Floats) -> float:
        """By what part at most the totals are missed by other weights, shape (n,)."""

    def residual(self, z: Floats, factors: Floats) -> Floats:
        """What is left of influences (k, n) over those who answered.

        `factors`, (k, n) or (1, n): of the weights for the item, 0 for those who did not answer.
        """


class _Regression(NamedTuple):
    """Weights of the units, (n,), one over the root of each cell's, (m,), and orthonormal axes."""

    weights: Floats
    inverse: Floats
    axes: Floats


@dataclass(frozen=True, eq=False)
class Calibration:
    """Weights `after` that meet totals of the `constraints` (n, p), made from those `before`.

    The influence z = w u of a calibrated estimate is that of the residuals u - x'b of a regression
    with the weights before, which is the same for every distance (Deville and Särndal 1992,
    Journal of the American Statistical Association 87, result 5). `variance` is that of the
    model, shape (n,), by which the weights of the regression are divided. Where units share their
    constraints these may be given once: `constraints` then has shape (m, p) and `cells`, shape
    (n,), the row of each unit.
    """

    before: Floats
    after: Floats
    constraints: Floats
    variance: Floats | None = None
    cells: Ints | None = None

    @cached_property
    def rank(self) -> int:
        """See `Adjustment`."""
        weights = self._sums((self.after > 0).astype(float)[None])[0]
        return len(basis(self.constraints * np.sqrt(weights)[:, None]).T)

    def missed(self, weights: Floats) -> float:
        """See `Adjustment`."""
        now, then = self._sums(np.stack([weights, self.after]))
        size = then @ np.abs(self.constraints)
        return _largest(np.abs((now - then) @ self.constraints), size)

    def residual(self, z: Floats, factors: Floats) -> Floats:
        """See `Adjustment`."""
        factors = np.where(self.after > 0, factors, 0.0)
        weights = factors * self.after
        u = np.divide(z, weights, out=np.zeros_like(z), where=np.broadcast_to(factors > 0, z.shape))
        if len(factors) == 1:
            u = self._less_fit(u, self._regression(factors[0]))
        else:
            each, which = np.unique(factors, axis=0, return_inverse=True)
            for i, factor in enumerate(each):
                rows = which.ravel() == i
                u[rows] = self._less_fit(u[rows], self._regression(factor))
        return np.asarray(u * weights, dtype=float)

    @cached_property
    def _known(self) -> dict[bytes, _Regression]:
        """Regressions by who answered, kept: many estimates rest on the same answers."""
        return {}

    def _regression(self, factors: Floats) -> _Regression:
        """The regression over the units that have a factor, (n,)."""
        key = factors.tobytes()
        if key not in self._known:
            self._known[key] = self._fitted(factors)
        return self._known[key]

    def _fitted(self, factors: Floats) -> _Regression:
        variance = 1.0 if self.variance is None else self.variance
        weights = factors * self.before / variance
        root = np.sqrt(self._sums(weights[None]))[0]
        inverse = np.divide(1.0, root, out=np.zeros_like(root), where=root > 0)
        return _Regression(weights, inverse, basis(self.constraints * root[:, None]))

    def _less_fit(self, u: Floats, by: _Regression) -> Floats:
        """Residuals of values (k, n)."""
        for _ in range(2):  # the second time takes off what rounding left
            reduced = (self._sums(by.weights * u) * by.inverse) @ by.axes
            fit = (reduced @ by.axes.T) * by.inverse
            u = u - (fit if self.cells is None else fit[:, self.cells])
        return u

    def _sums(self, values: Floats) -> Floats:
        """Sum over the units of each row of the constraints: (k, n) to (k, m)."""
        if self.cells is None:
            return values
        return cell_sums(values, self.cells, len(self.constraints))


@dataclass(frozen=True, eq=False)
class Raking:
    """Weights `after`, raked to the counts of several `margins`, codes of shape (n,) each.

    The influence is swept by the means of each margin in turn, ten times over, as R survey's
    `rake` does. The means are not weighted, so it is a good approximation where the weights
    before were alike; `Calibration` is exact in the limit, also for raking.
    """

    after: Floats
    margins: tuple[Ints, ...]

    @cached_property
    def rank(self) -> int:
        """See `Adjustment`."""
        rows = np.unique(np.column_stack(self.margins)[self.after > 0], axis=0)
        columns = [np.eye(int(codes.max()) + 1)[codes] for codes in rows.T]
        return len(basis(np.hstack(columns)).T)

    def missed(self, weights: Floats) -> float:
        """See `Adjustment`."""
        both = np.stack([weights, self.after])
        sums = [cell_sums(both, codes, int(codes.max()) + 1) for codes in self.margins]
        return max(_largest(np.abs(given - met), met) for given, met in sums)

    def residual(self, z: Floats, factors: Floats) -> Floats:
        """See `Adjustment`."""
        factors = np.broadcast_to(np.where(self.after > 0, factors, 0.0), z.shape)
        weights, kept = factors * self.after, factors > 0
        u = np.divide(z, weights, out=np.zeros_like(z), where=kept)
        for _ in range(SWEEPS):
            for codes in self.margins:
                cells = int(codes.max()) + 1
                size = cell_sums(factors, codes, cells)
                means = cell_sums(factors * u, codes, cells) / np.where(size > 0, size, 1.0)
                u = np.where(kept, u - means[:, codes], 0.0)
        return np.asarray(u * weights, dtype=float)


def basis(columns: Floats) -> Floats:
    """Orthonormal basis of the columns, (n, p) to (n, r), without what depends on the others."""
    norms = np.sqrt((columns**2).sum(axis=0))
    scaled = columns[:, norms > 0] / norms[norms > 0]
    left, size, _ = np.linalg.svd(scaled, full_matrices=False)
    return np.asarray(left[:, size > _DEPENDENT * size.max(initial=0.0)], dtype=float)


def _largest(misses: Floats, sizes: Floats) -> float:
    """The largest miss as a part of its total; totals of 0 without weights do not count."""
    return float(np.divide(misses, sizes, out=np.zeros_like(misses), where=sizes > 0).max())

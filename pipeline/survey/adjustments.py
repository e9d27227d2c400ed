"""What a calibration of the weights leaves of an influence: its residual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pipeline.survey.arrays import Bools, Floats, Ints, cell_sums

SWEEPS = 10
_DEPENDENT = 1e-10
"""A constraint is a combination of others where no more than this part of it is its own."""


class Adjustment(Protocol):
    """A calibration that the weights of a design went through, one row a unit, shape (n,)."""

    @property
    def constraints(self) -> Floats:
        """What the weights were calibrated on, shape (n, p)."""

    def residual(self, z: Floats, answered: Bools) -> Floats:
        """What is left of influences (k, n) over those who answered, (k, n) or (1, n)."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """Weights `after` that meet totals of the `constraints` (n, p), made from those `before`.

    The influence z = w u of a calibrated estimate is that of the residuals u - x'b of a regression
    with the weights before, which is the same for every distance (Deville and Särndal 1992,
    Journal of the American Statistical Association 87, result 5). `variance` is that of the
    model, shape (n,), by which the weights of the regression are divided.
    """

    before: Floats
    after: Floats
    constraints: Floats
    variance: Floats | None = None

    def residual(self, z: Floats, answered: Bools) -> Floats:
        """See `Adjustment`."""
        weights = self.before if self.variance is None else self.before / self.variance
        root = np.sqrt(weights)
        with np.errstate(divide="ignore", invalid="ignore"):
            scaled = np.where(self.after > 0, z * (root / self.after), 0.0)
        scaled = np.where(answered, scaled, 0.0)
        columns = self.constraints * root[:, None]
        back = np.where(root > 0, self.after / np.where(root > 0, root, 1.0), 0.0)
        result = np.empty_like(scaled)
        masks, which = np.unique(answered, axis=0, return_inverse=True)
        which = np.broadcast_to(which.ravel(), len(z)) if len(answered) == 1 else which.ravel()
        for i, mask in enumerate(masks):
            basis = _basis(columns * mask[:, None])
            rows = which == i
            result[rows] = scaled[rows] - (scaled[rows] @ basis) @ basis.T
        return np.asarray(np.where(answered, result * back, 0.0), dtype=float)


@dataclass(frozen=True, eq=False)
class Raking:
    """Weights `after`, raked to the counts of several `margins`, codes of shape (n,) each.

    The influence is swept by the means of each margin in turn, ten times over, as R survey's
    `rake` does. The means are not weighted, so it is a good approximation where the weights
    before were alike; `Calibration` is exact in the limit, also for raking.
    """

    after: Floats
    margins: tuple[Ints, ...]

    @property
    def constraints(self) -> Floats:
        """Indicators of the categories of all margins, shape (n, p)."""
        return np.hstack([np.eye(int(codes.max()) + 1)[codes] for codes in self.margins])

    def residual(self, z: Floats, answered: Bools) -> Floats:
        """See `Adjustment`."""
        weights = np.where(self.after > 0, self.after, 1.0)
        kept = np.broadcast_to(answered & (self.after > 0), z.shape)
        u = np.where(kept, z / weights, 0.0)
        for _ in range(SWEEPS):
            for codes in self.margins:
                cells = int(codes.max()) + 1
                size = np.maximum(cell_sums(kept, codes, cells), 1)
                means = cell_sums(u, codes, cells) / size
                u = np.where(kept, u - means[:, codes], 0.0)
        return np.asarray(u * weights, dtype=float)


def _basis(columns: Floats) -> npt.NDArray[np.float64]:
    """Orthonormal basis of the columns, (n, p) to (n, r), without what depends on the others."""
    norms = np.sqrt((columns**2).sum(axis=0))
    scaled = columns[:, norms > 0] / norms[norms > 0]
    left, size, _ = np.linalg.svd(scaled, full_matrices=False)
    return np.asarray(left[:, size > _DEPENDENT * size.max(initial=0.0)], dtype=float)

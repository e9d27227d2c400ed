"""Distances between the weights before and after a calibration (Deville and Särndal 1992)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from scipy.special import expit

from pipeline.survey.arrays import Floats

Method = Literal["linear", "raking", "logit"]


class Distance(Protocol):
    """The factor g = w / d that a distance gives at u = x'b, all of shape (m,), and its kin."""

    def factor(self, u: Floats) -> Floats:
        """The factor g = F(u), which is 1 at 0 if the bounds allow it."""

    def slope(self, u: Floats) -> Floats:
        """Derivative F'(u)."""

    def integral(self, u: Floats) -> Floats:
        """Integral of F from 0 to u, up to a constant: the dual of the distance."""


@dataclass(frozen=True, eq=False)
class Linear:
    """g = 1 + u, cut off at the bounds (cases 1 and 7): the regression estimator."""

    low: Floats
    high: Floats

    def factor(self, u: Floats) -> Floats:
        """See `Distance`."""
        return np.clip(1 + u, self.low, self.high)

    def slope(self, u: Floats) -> Floats:
        """See `Distance`."""
        return ((1 + u > self.low) & (1 + u < self.high)).astype(float)

    def integral(self, u: Floats) -> Floats:
        """See `Distance`."""
        g = self.factor(u)
        return np.asarray(g**2 / 2 + (u - (g - 1)) * g, dtype=float)


@dataclass(frozen=True, eq=False)
class Raking:
    """g = exp(u), cut off at the bounds (case 2): that of iterative proportional fitting."""

    low: Floats
    high: Floats

    def factor(self, u: Floats) -> Floats:
        """See `Distance`."""
        return np.clip(np.exp(u), self.low, self.high)

    def slope(self, u: Floats) -> Floats:
        """See `Distance`."""
        g = np.exp(u)
        return np.where((g > self.low) & (g < self.high), g, 0.0)

    def integral(self, u: Floats) -> Floats:
        """See `Distance`."""
        with np.errstate(divide="ignore"):
            inner = np.clip(u, np.log(self.low), np.log(self.high))
        return np.asarray(np.exp(inner) * (1 + u - inner), dtype=float)


@dataclass(frozen=True, eq=False)
class Logit:
    """A logistic curve between the bounds (case 6), which g nears but never reaches."""

    low: Floats
    high: Floats

    def _curve(self, u: Floats) -> tuple[Floats, Floats, Floats]:
        """Steepness, start and argument of the curve."""
        steep = (self.high - self.low) / ((1 - self.low) * (self.high - 1))
        start = np.log((1 - self.low) / (self.high - 1))
        return steep, start, steep * u + start

    def factor(self, u: Floats) -> Floats:
        """See `Distance`."""
        return np.asarray(self.low + (self.high - self.low) * expit(self._curve(u)[2]))

    def slope(self, u: Floats) -> Floats:
        """See `Distance`."""
        steep, _, v = self._curve(u)
        return np.asarray((self.high - self.low) * steep * expit(v) * expit(-v))

    def integral(self, u: Floats) -> Floats:
        """See `Distance`."""
        steep, start, v = self._curve(u)
        rise = np.logaddexp(0, v) - np.logaddexp(0, start)
        return np.asarray(self.low * u + (self.high - self.low) / steep * rise)


def distance(method: Method, low: Floats, high: Floats) -> Distance:
    """The distance of this name with bounds on g, shape (m,) each."""
    match method:
        case "linear":
            return Linear(low, high)
        case "raking":
            return Raking(np.maximum(low, 0.0), high)
        case "logit":
            return Logit(low, high)

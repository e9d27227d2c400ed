"""Rubin's rules: one estimate from several imputed data sets, with the doubt of the imputation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pipeline.survey.arrays import Floats


class Estimated(Protocol):
    """An estimate of any kind, with arrays of shape () or (k,)."""

    @property
    def estimate(self) -> Floats:
        """The estimates."""

    @property
    def se(self) -> Floats:
        """Their standard errors."""

    @property
    def df(self) -> npt.NDArray[np.float64 | np.int64]:
        """Their degrees of freedom."""


@dataclass(frozen=True, eq=False)
class Imputed:
    """Estimates over imputed data sets, shape () or (k,) each.

    `df` is for Student's t and no whole number. `fmi` is the part of the information that is
    missing, in [0, 1].
    """

    estimate: Floats
    se: Floats
    df: Floats
    fmi: Floats


def combine(estimates: Sequence[Estimated], *, complete_df: float | None = None) -> Imputed:
    """Combine the estimates of m imputed data sets, of the same shape each, by Rubin's rules.

    Estimate: their mean. Variance T = U + (1 + 1/m) B, with U the mean of their variances and B
    the variance of the m estimates (Rubin 1987, 3.3). With r = (1 + 1/m) B / U, the degrees of
    freedom are v = (m - 1) (1 + 1/r)^2, joined with those of complete data, c, as
    1 / (1/v + 1/o), o = (c + 1) / (c + 3) c U / T (Barnard and Rubin 1999, Biometrika 86). c is
    the smallest of the estimates' unless given; infinity leaves v, as R mitools `MIcombine` does
    unless told. fmi = (r + 2 / (df + 3)) / (r + 1) (Rubin 1987, 3.1). Errors: fewer than two
    estimates.
    """
    m = len(estimates)
    if m < 2:
        raise ValueError(f"{m} estimates; the spread between imputations needs at least 2")
    values = np.array([e.estimate for e in estimates], dtype=float)
    within = np.mean([np.square(e.se) for e in estimates], axis=0)
    between = (1 + 1 / m) * values.var(axis=0, ddof=1)
    least = np.min([np.asarray(e.df, dtype=float) for e in estimates], axis=0)
    c = least if complete_df is None else np.full_like(least, complete_df)
    total = within + between
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        v = (m - 1) * np.square(total / between)
        observed = np.where(np.isinf(c), np.inf, (c + 1) / (c + 3) * c * within / total)
        df = 1 / (1 / v + 1 / observed)
        fmi = (between + within * 2 / (df + 3)) / total
    certain = total == 0
    df, fmi = np.where(certain, c, df), np.where(certain, 0.0, fmi)
    return Imputed(values.mean(axis=0), np.sqrt(total), df, fmi)

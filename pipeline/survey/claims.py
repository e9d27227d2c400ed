"""How far the claims of a report may be chance: p-values, adjusted for their number, and power."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

Floats = npt.NDArray[np.float64]

_ROUNDING = 1e-12
"""A standard error below this part of its estimate is 0 up to rounding."""


class Estimated(Protocol):
    """An estimate with its error, shape () or (k,): `survey.Estimate` or one like it.

    `n_kish` is infinite where all units answered, so that there is no error.
    """

    @property
    def estimate(self) -> npt.NDArray[Any]:
        """The estimate."""

    @property
    def se(self) -> npt.NDArray[Any]:
        """Its standard error."""

    @property
    def df(self) -> npt.NDArray[Any]:
        """Degrees of freedom of the standard error."""

    @property
    def n_kish(self) -> npt.NDArray[Any]:
        """Effective number of units."""


def p_value(estimate: Estimated) -> Floats:
    """Two-sided p-value of the hypothesis that the estimate is 0, shape of the estimate.

    P(|T| >= |estimate| / se), T Student with df degrees of freedom (Student 1908; Korn and
    Graubard 1999, Analysis of Health Surveys, 2.4, for surveys). Where se is 0: 0 if the estimate
    differs from 0 and all answered (there is no chance in it), else NaN (answers alike say nothing
    of those who did not answer). NaN where the estimate or se is NaN.
    """
    value, se, df, n_kish = np.broadcast_arrays(
        *(
            np.asarray(a, dtype=float)
            for a in (estimate.estimate, estimate.se, estimate.df, estimate.n_kish)
        )
    )
    certain = se <= _ROUNDING * np.abs(value)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * stdtr(df, -np.abs(value) / se)
    known = np.where(np.isinf(n_kish) & (value != 0), 0.0, np.nan)
    return np.asarray(np.where(certain, known, p), dtype=float)


def smallest_detectable(
    se: npt.ArrayLike, df: npt.ArrayLike, *, alpha: float = 0.05, power: float = 0.8
) -> Floats:
    """Smallest true effect that a two-sided test at level alpha finds with this power.

    (t(1 - alpha/2, df) + t(power, df)) se, in units of the estimate, shape of se and df broadcast
    (Bloom 1995, Evaluation Review 19, 547-556, minimum detectable effect). Say it beside a claim
    that "nothing was found". ValueError for alpha or power outside (0, 1), or power <= alpha / 2.
    """
    if not 0 < alpha < 1 or not alpha / 2 < power < 1:
        raise ValueError(f"alpha {alpha} and power {power}: expected 0 < alpha / 2 < power < 1")
    freedom = np.asarray(df, dtype=float)
    factor = stdtrit(freedom, 1 - alpha / 2) + stdtrit(freedom, power)
    return np.asarray(factor * np.asarray(se, dtype=float), dtype=float)


def holm(p_values: npt.ArrayLike) -> Floats:
    """Adjust p-values so that the chance of any false claim stays below the level, shape (m,).

    max over j <= i of min(1, (m - j + 1) p_(j)), p sorted (Holm 1979, Scandinavian Journal of
    Statistics 6, 65-70); for claims that depend on each other in any way. NaN stays NaN and does
    not count in m. ValueError for values outside [0, 1].
    """
    p, given = _checked(p_values)
    order = np.argsort(p[given], kind="stable")
    steps = p[given][order] * np.arange(len(order), 0, -1)
    return _placed(np.maximum.accumulate(steps), order, given)


def benjamini_hochberg(p_values: npt.ArrayLike) -> Floats:
    """Adjust p-values so that the expected share of false claims stays below the level, shape (m,).

    min over j >= i of min(1, m p_(j) / j), p sorted (Benjamini and Hochberg 1995, Journal of the
    Royal Statistical Society B 57, 289-300); for independent or positively dependent claims. NaN
    stays NaN and does not count in m. ValueError for values outside [0, 1].
    """
    p, given = _checked(p_values)
    order = np.argsort(p[given], kind="stable")[::-1]
    # p / (j / m): the largest, with j = m, keeps every digit.
    steps = p[given][order] / (np.arange(len(order), 0, -1) / max(len(order), 1))
    return _placed(np.minimum.accumulate(steps), order, given)


def _checked(p_values: npt.ArrayLike) -> tuple[Floats, npt.NDArray[np.bool_]]:
    p = np.asarray(p_values, dtype=float)
    if p.ndim != 1:
        raise ValueError(f"p-values of shape {p.shape}: expected (m,), one for each claim")
    given = ~np.isnan(p)
    wrong = p[given & ~((p >= 0) & (p <= 1))]
    if len(wrong):
        raise ValueError(f"{wrong.tolist()} are no p-values: expected 0 to 1, NaN where unknown")
    return p, given


def _placed(steps: Floats, order: npt.NDArray[Any], given: npt.NDArray[np.bool_]) -> Floats:
    """Adjusted p-values, at most 1, back at the places of the claims."""
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(steps, 1.0)
    result = np.full(len(given), np.nan)
    result[given] = adjusted
    return result

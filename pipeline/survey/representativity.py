"""How alike those who answered are to the register: R-indicators and partial R-indicators.

    result = representativity(register[["field", "size"]], responded)
    result.r, result.interval(), result.max_bias, result.variables, result.categories

Only what the register knows is compared: R = 1 says nothing of traits it does not hold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri

from pipeline.survey.propensities import Cells, cells_of, model_matrix, propensities

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_EQUAL = 1e-9
"""A standard deviation of propensities below this is 0 up to rounding."""


@dataclass(frozen=True, eq=False)
class Representativity:
    """What the response propensities of a register tell of a response.

    `r` is the R-indicator 1 - 2 S after the bias adjustment, at most 1 (propensities alike);
    `r_unadjusted` before it. `spread` is S^2 adjusted, below 0 where the propensities differ by
    less than chance makes them (`r` is then 1), `spread_se` its standard error. `se` is that of
    `r` by linearisation; it is too wide where S is near 0, and NaN where S is 0 although not all
    answered (a root has no tangent at 0): there `interval` still holds.

    `variables`: one row per variable, columns variable, categories (their number), unconditional,
    conditional (adjusted pro rata), unconditional_unadjusted, conditional_unadjusted; in [0, 1/2].
    `categories`: one row per category, columns variable, category, units, responded (counts),
    rate (weighted response rate), unconditional (not adjusted; above 0: over-represented).
    Order of the columns of the register, categories sorted or in the order of their dtype.
    """

    r: float
    r_unadjusted: float
    se: float
    response_rate: float
    spread: float
    spread_se: float
    highest_spread: float
    variables: pd.DataFrame
    categories: pd.DataFrame

    @property
    def max_bias(self) -> float:
        """Largest absolute bias of an unweighted mean, in standard deviations of the item.

        (1 - R) / (2 response rate), the coefficient of variation of the propensities: it holds
        for an item that the register's variables explain best (Schouten, Cobben and Bethlehem
        2009, Survey Methodology 35, 101-113, section 3).
        """
        return (1 - self.r) / (2 * self.response_rate)

    @property
    def lowest(self) -> float:
        """R that this response rate allows at worst: 1 - 2 sqrt(rate (1 - rate)), ibid."""
        return 1 - 2 * float(np.sqrt(self.highest_spread))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Interval of R from S^2 ± z se(S^2), put through 1 - 2 sqrt(S^2).

        S^2 is nearly normal where its root is not: r ± z se goes beyond 1 and misses near 1.
        """
        half = float(ndtri((1 + level) / 2)) * self.spread_se
        ends = np.clip([self.spread + half, self.spread - half], 0.0, self.highest_spread)
        low, high = 1 - 2 * np.sqrt(ends)
        return float(low), float(high)


def representativity(
    register: pd.DataFrame, responded: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> Representativity:
    """Estimate the R-indicator of a response and its partial R-indicators.

    `register`: categorical columns, shape (N, j), of all units asked; `responded`: shape (N,);
    `weights`: inverse inclusion probabilities, shape (N,), at least 1, where the units asked are a
    sample (none: all of the population were asked). Propensities come from a logistic regression
    on main effects. ValueError for missing values, columns of fractions, no respondent, or fewer
    than two units. A variable with one category takes part and has partial indicators of 0.

    R = 1 - 2 sqrt(S^2 - bias), with S^2 the variance of the propensities p (divisor N - 1) and
    bias = sum(w z' C z) / N - var(mean p under the sampling design), z = p (1 - p) x, C the
    covariance of the coefficients (Shlomo, Skinner and Schouten 2012, Journal of Statistical
    Planning and Inference 142, 201-211; for a simple random sample
    S^2 - bias = (1 + 1/n - 1/N) S^2 - sum(z' (sum z x')^-1 z) / n). Variance of S^2, ibid.:
    4 a' C a + 2 tr(B C B C) + that under the sampling design, with a = cov(p, z), B = cov(z);
    se(R) = se(S^2) / S. Partial indicators: Schouten, Shlomo and Skinner (2011), Journal of
    Official Statistics 27, 231-253.
    """
    response, weight = _checked(register, responded, weights)
    cells = cells_of(register, response, weight)
    x = model_matrix(cells.levels)
    p = propensities(x, cells.weight, cells.answered)
    size = float(cells.weight.sum())
    rate = float(cells.answered.sum()) / size
    error = p - float(cells.weight @ p) / size
    square = float(cells.weight @ error**2) / size
    bias, variance = _moments(x, p, error, cells)
    bias -= _design_variance(error[cells.codes], weight) / size**2
    variance += _design_variance((error**2 - square)[cells.codes], weight) / size**2
    observed, highest = (s2 * size / (size - 1) for s2 in (square, rate * (1 - rate)))
    possible = min(max(observed - bias, 0.0), highest)
    flat = square < _EQUAL**2
    return Representativity(
        r=1 - 2 * float(np.sqrt(possible)),
        r_unadjusted=1 - 2 * float(np.sqrt(observed)),
        se=(0.0 if rate == 1 else np.nan) if flat else float(np.sqrt(variance / square)),
        response_rate=rate,
        spread=observed - bias,
        spread_se=float(np.sqrt(variance)),
        highest_spread=highest,
        variables=_by_variable(cells, p, 0.0 if flat else possible / observed),
        categories=_by_category(cells, p),
    )


def _checked(
    register: pd.DataFrame, responded: npt.ArrayLike, weights: npt.ArrayLike | None
) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Response and weights as arrays, or an error that says what to mend."""
    size = len(register)
    response = np.asarray(responded)
    weight = np.ones(size) if weights is None else np.asarray(weights, dtype=float)
    if response.shape != (size,) or weight.shape != (size,):
        msg = f"{size} rows, responded {response.shape}, weights {weight.shape}: give one per row"
        raise ValueError(msg)
    if size < 2 or not register.shape[1] or len({str(n) for n in register}) < register.shape[1]:
        raise ValueError("need two units or more and one variable or more, with unlike names")
    if not np.isin(response, (0, 1)).all():
        raise ValueError("responded has values other than True and False: give one for each unit")
    if not (np.isfinite(weight) & (weight >= 1)).all():
        raise ValueError("weights below 1 or missing: give inverse inclusion probabilities")
    missing = [str(name) for name in register if register[name].isna().any()]
    if missing:
        raise ValueError(f"missing values in {missing}: give them a category of their own")
    fractions = [str(name) for name in register if pd.api.types.is_float_dtype(register[name])]
    if fractions:
        raise ValueError(f"{fractions} are not categories: cut them into classes")
    if not response.any():
        raise ValueError("nobody responded: there is no R-indicator")
    return response.astype(bool), weight


def _moments(x: Floats, p: Floats, error: Floats, cells: Cells) -> tuple[float, float]:
    """Bias and variance of S^2 for the propensities being estimated.

    With V = p (1 - p) and Q an orthonormal basis of the columns of sqrt(w V) x, the covariance of
    the coefficients becomes Q' diag(sum(w^2) / sum(w)) Q (units answer independently), and
    sqrt(w) z becomes sqrt(V) Q: nothing is inverted, so rare or collinear categories do no harm.
    """
    weight, v = cells.weight, p * (1 - p)
    size = weight.sum()
    root = np.sqrt(weight * v)
    u, s, _ = np.linalg.svd(root[:, None] * x, full_matrices=False)
    q = u[:, s > s[0] * max(x.shape) * np.finfo(float).eps]
    sigma = q.T @ ((cells.squares / weight)[:, None] * q)
    z = np.sqrt(v)[:, None] * q
    bias = float(np.sum((z @ sigma) * z)) / size
    a = q.T @ (root * error) / size
    share = np.sqrt(weight / size)
    centred = z - np.outer(share, share @ z)
    b = centred.T @ centred @ sigma / size
    return float(bias), float(4 * a @ sigma @ a + 2 * np.sum(b * b.T))


def _design_variance(y: Floats, weight: Floats) -> float:
    """Variance of sum(w y) under the sampling design; 0 where all were asked.

    sum(c (w y - m)^2), c = (1 - 1/w) n / (n - 1), m the mean of w y weighted by c (Hájek 1981;
    Matei and Tillé 2005, Journal of Official Statistics 21, 543-570). For a simple random sample
    it is N^2 (1 - n/N) s^2 / n (Cochran 1977, 2.6); strata are left out, which makes it wider.
    """
    n = len(y)
    c = (1 - 1 / weight) * n / (n - 1)
    if not c.any():
        return 0.0
    total = weight * y
    return float(c @ (total - (c @ total) / c.sum()) ** 2)


def _by_variable(cells: Cells, p: Floats, kept: float) -> pd.DataFrame:
    """Between-category and within-other-cells standard deviation of p, shape (j,).

    `kept` is the share of S^2 that the bias adjustment leaves (pro rata: Shlomo and Schouten 2013,
    Theoretical properties of partial indicators for representative response).
    """
    rows = []
    mean = np.full(len(p), cells.weight @ p / cells.weight.sum())
    for j, (name, labels) in enumerate(cells.names.items()):
        between = _group_means(cells.levels[:, [j]], cells.weight, p) - mean
        others = _group_means(np.delete(cells.levels, j, axis=1), cells.weight, p)
        alone, given = (
            float(np.sqrt(cells.weight @ d**2 / cells.weight.sum())) for d in (between, p - others)
        )
        root = float(np.sqrt(kept))
        rows.append((name, len(labels), root * alone, root * given, alone, given))
    columns = ["variable", "categories", "unconditional", "conditional"]
    columns += ["unconditional_unadjusted", "conditional_unadjusted"]
    return pd.DataFrame(rows, columns=columns)


def _group_means(levels: Ints, weight: Floats, p: Floats) -> Floats:
    """Weighted mean of p over the cells with the same levels, for each cell, shape (c,)."""
    if not levels.shape[1]:
        return np.full(len(p), weight @ p / weight.sum())
    codes = np.unique(levels, axis=0, return_inverse=True)[1].ravel()
    means = np.bincount(codes, weight * p) / np.bincount(codes, weight)
    return np.asarray(means[codes], dtype=float)


def _by_category(cells: Cells, p: Floats) -> pd.DataFrame:
    """sqrt(N_h / N) (mean of p in h - mean of p) of every category h.

    Not adjusted: Shlomo and Schouten (2013) advise against it for categories.
    """
    size = cells.weight.sum()
    mean = cells.weight @ p / size
    frames = []
    for j, (name, labels) in enumerate(cells.names.items()):
        level = cells.levels[:, j]
        weight = np.bincount(level, cells.weight)
        difference = np.bincount(level, cells.weight * p) / weight - mean
        frames.append(
            pd.DataFrame(
                {
                    "variable": name,
                    "category": pd.Series(labels, dtype=object),
                    "units": np.bincount(level, cells.units).astype(np.int64),
                    "responded": np.bincount(level, cells.responded).astype(np.int64),
                    "rate": np.bincount(level, cells.answered) / weight,
                    "unconditional": np.sqrt(weight / size) * difference,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)

"""Estimates of many items by a partition of domains, for large tables.

    by = survey.means_by(design, answers, regions)      # answers: a column per item; NaN: no answer
    by.estimate, by.se, by.n, by.df                     # shape (items, domains)
    by.table()                                          # one row per item and domain

The numbers are those of `mean`, `ratio` and `total`, made from cell sums (`Moments`) instead of
the influence of each unit: no matrix of units by estimates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.survey.arrays import Bools, Floats, Ints
from pipeline.survey.design import Design, LonelyRule
from pipeline.survey.moments import Moments, moments

_ROUNDING = 1e-9
"""A variance below zero by less than this part of its terms is zero (as in `variance`)."""


@dataclass(frozen=True, eq=False)
class ByDomain:
    """Estimates of p items by K domains with what they rest on, each of shape (p, K).

    `se`, `n` and `df` as in `Estimate`. A domain where nobody answered has no estimate (NaN, n is
    0), one where a single unit did, of several, no standard error (NaN, n is 1); the other
    domains do not suffer from it.
    """

    items: pd.Index
    domains: pd.Index
    estimate: Floats
    se: Floats
    n: Ints
    df: Ints

    def table(self) -> pd.DataFrame:
        """One row per item and domain: item, domain, estimate, se, n, df."""
        index = pd.MultiIndex.from_product([self.items, self.domains], names=["item", "domain"])
        columns = {name: getattr(self, name).ravel() for name in ("estimate", "se", "n", "df")}
        return pd.DataFrame(columns, index=index).reset_index()


def means_by(design: Design, y: pd.DataFrame | npt.ArrayLike, domains: npt.ArrayLike) -> ByDomain:
    """Estimate the mean of each item in each domain, as `mean` does.

    `y`: a frame with a column per item, (n, p), or an array (p, n), in the order of the design;
    NaN where the unit did not answer. Shares: y in {0, 1}. `domains`: the label of each unit's
    domain, shape (n,), missing where it is in none; a `pd.Categorical` brings the order of the
    domains, also those without units. For one stage without calibration; else ValueError. Formula
    and source as `ratio`: sum over strata of (1 - m_h / N_h) m_h / (m_h - 1) sum(z - mean)^2.
    """
    return means(moments(design, y, domains), design.population, lonely=design.lonely)


def ratios_by(
    design: Design,
    y: pd.DataFrame | npt.ArrayLike,
    x: pd.DataFrame | npt.ArrayLike,
    domains: npt.ArrayLike,
) -> ByDomain:
    """Estimate sum(w y) / sum(w x) of each item in each domain, as `ratio` does.

    `x` has the shape of `y`, or one item for all; else as `means_by`.
    """
    return means(moments(design, y, domains, x), design.population, lonely=design.lonely)


def totals_by(design: Design, y: pd.DataFrame | npt.ArrayLike, domains: npt.ArrayLike) -> ByDomain:
    """Estimate the total of each item in each domain, as `total` does; else as `means_by`."""
    return totals(moments(design, y, domains), design.population, lonely=design.lonely)


def means(sums: Moments, population: Floats, lonely: LonelyRule = "adjust") -> ByDomain:
    """Make means, or ratios, of cell sums; `population` is N_h in the order of `sums.strata`."""
    cells, line = CellSums(sums), Line.of(sums, population)
    strata = Phase.of(cells.by_stratum(sums.n), population, lonely)
    n = cells.by_domain(sums.n)
    variance = cells.by_domain(_within(cells, sums.n, strata, line.z, line.zz)) / line.base**2
    variance *= strata.average(cells, sums.n)
    missing = (strata.m < population)[:, sums.stratum]
    alone = (n < 2) & (cells.by_domain(np.where(missing, sums.n, 0.0)) > 0)
    return _by_domain(cells, line.slope, np.where(alone, np.nan, variance), n)


def totals(sums: Moments, population: Floats, lonely: LonelyRule = "adjust") -> ByDomain:
    """Make totals of cell sums of means, as `total` does; else as `means`.

    The influence has two parts, see `total`: size times that of the mean, over those who
    answered the item, and mean times w, over all units. The variance is that of both and twice
    their covariance, sum over units in both of (1 - n_h / N_h) e1 e2.
    """
    cells, line = CellSums(sums), Line.of(sums, population)
    item = Phase.of(cells.by_stratum(sums.n), population, lonely)
    unit = Phase.of(cells.by_stratum(sums.units[None]), population, lonely)
    size, slope = cells.by_domain(sums.weight[None]), line.slope[:, sums.domain]
    grown = size / line.base
    first = grown**2 * cells.by_domain(_within(cells, sums.n, item, line.z, line.zz))
    weight, spread = slope * sums.weight, slope**2 * sums.spread
    second = cells.by_domain(_within(cells, sums.units[None], unit, weight, spread))
    count, h = np.maximum(sums.n, 1), sums.stratum
    # sum over those that answered of (z1 - centre1) (z2 - centre2), by cell; z2 has no factor
    centred = line.z * slope * sums.x / count * (1 - count / np.maximum(item.m, 1)[:, h])
    centre = np.where(unit.open[:, h], 0.0, weight / unit.m[:, h])
    alone = line.z * (slope * sums.x - centre)
    product = line.factor * slope * (sums.ex + line.gap * sums.xx)
    product += np.where(item.open[:, h], alone, centred)
    scale = np.sqrt(item.scale * unit.scale) * np.where(item.m > 0, unit.kept, 0.0)
    both = grown * cells.by_domain(scale[:, h] * product)
    averages = item.average(cells, sums.n), unit.average(cells, sums.units[None])
    own = averages[0] * first + averages[1] * second
    variance = own + 2 * np.sqrt(averages[0] * averages[1]) * both
    n = cells.by_domain(sums.n)
    unknown = (n < 2) & (n < cells.by_domain(sums.units[None]))
    variance = np.where(variance < -_ROUNDING * own, own, variance)
    return _by_domain(cells, size * line.slope, np.where(unknown, np.nan, variance), n)


class CellSums:
    """Sums over cells: all of a domain, or all of a stratum, for each of p items."""

    def __init__(self, sums: Moments) -> None:
        self.sums = sums
        self._starts = np.flatnonzero(np.diff(sums.domain, prepend=-2))
        self._order = np.argsort(sums.stratum, kind="stable")
        self._strata = np.flatnonzero(np.diff(sums.stratum[self._order], prepend=-1))

    def item_factors(self, population: Floats) -> Floats:
        """Units of the cell's stratum by those that answered, (p, C); see `Design.item_weights`."""
        answers = np.maximum(self.by_stratum(self.sums.n), 1)
        factors = self.by_stratum(self.sums.units[None]) / answers
        return np.where(np.isfinite(population), factors, 1.0)[:, self.sums.stratum]

    def by_domain(self, values: Floats) -> Floats:
        """Shape (p, C) to (p, K); cells outside all domains are left out."""
        found = self.sums.domain[self._starts]
        total = np.zeros((len(values), len(self.sums.domains)))
        total[:, found[found >= 0]] = np.add.reduceat(values, self._starts, axis=1)[:, found >= 0]
        return total

    def by_stratum(self, values: Floats) -> Floats:
        """Shape (p, C) to (p, H)."""
        found = self.sums.stratum[self._order][self._strata]
        total = np.zeros((len(values), len(self.sums.strata)))
        total[:, found] = np.add.reduceat(values[:, self._order], self._strata, axis=1)
        return total


@dataclass(frozen=True, eq=False)
class Line:
    """The slope R = sum(w y) / sum(w x), base = sum(w x), (p, K), and influences by cell (p, C).

    `factor` raises the weights of the sums to w, those for the item: n_h / m_h of the stratum.
    `z` is the sum of w (y - R x) over the cell, `zz` the squares about its mean, `gap` the
    reference less R. R is exact to its last digit only; where y is large beside its spread that
    is not enough, and what is left is subtracted after it.
    """

    slope: Floats
    base: Floats
    gap: Floats
    factor: Floats
    z: Floats
    zz: Floats

    @classmethod
    def of(cls, sums: Moments, population: Floats) -> Line:
        """Work it out from cell sums."""
        cells, domain = CellSums(sums), sums.domain
        factor = cells.item_factors(population)
        base = cells.by_domain(factor * sums.x)
        base[base == 0] = np.nan
        rough = cells.by_domain(factor * (sums.e + sums.reference * sums.x)) / base
        gap = sums.reference - rough[:, domain]
        step = cells.by_domain(factor * (sums.e + gap * sums.x)) / base
        gap -= step[:, domain]
        z = factor * (sums.e + gap * sums.x)
        zz = factor**2 * (sums.ee + gap * (2 * sums.ex + gap * sums.xx))
        return cls(rough + step, base, gap, factor, z, zz)


@dataclass(frozen=True, eq=False)
class Phase:
    """Who responded by stratum, (p, H): m_h, 1 - m_h / N_h, and the factor m_h / (m_h - 1).

    `lonely` are strata with one respondent of several, for which there is a rule.
    """

    m: Floats
    kept: Floats
    scale: Floats
    lonely: Bools
    rule: LonelyRule

    @classmethod
    def of(cls, m: Floats, population: Floats, rule: LonelyRule) -> Phase:
        """Take the rule for strata with one respondent as in `Design`."""
        lonely = (m == 1) & (population > 1)
        scale = m / np.maximum(m - 1, 1)
        kept = np.where(m > 0, 1 - m / population, 0.0)
        return cls(m, kept, scale, lonely, rule)

    @property
    def open(self) -> Bools:
        """Lonely strata that are not centred."""
        return self.lonely & (self.rule == "adjust")

    def average(self, cells: CellSums, n: Floats) -> Floats:
        """By domain (p, K): what lonely strata add where they add what the others do on average."""
        if self.rule != "average":
            return np.ones((1, 1))
        used = cells.by_domain((n > 0).astype(float))
        alone = cells.by_domain(((n > 0) & self.lonely[:, cells.sums.stratum]).astype(float))
        return np.where(used > alone, used / np.maximum(used - alone, 1), np.nan)


def _within(cells: CellSums, n: Floats, phase: Phase, z: Floats, zz: Floats) -> Floats:
    """Variance by cell of influences that are 0 outside it, (p, C); n units, sum z, squares zz.

    The squares about the mean of the whole stratum are those about the mean of the cell and
    z^2 / n (1 - n / m): all terms are positive, so none takes digits from another.
    """
    h, count = cells.sums.stratum, np.maximum(n, 1)
    outside = np.where(phase.open, 1.0, 0.0)[:, h]
    outside = np.maximum(outside, 1 - n / np.maximum(phase.m, 1)[:, h])
    return (phase.kept * phase.scale)[:, h] * (zz + z * z / count * outside)


def _by_domain(cells: CellSums, estimate: Floats, variance: Floats, n: Floats) -> ByDomain:
    """Put the estimates together; df is n less the strata of the n, at least 1."""
    df = np.maximum(n - cells.by_domain((cells.sums.n > 0).astype(float)), 1)
    se = np.where(n > 0, np.sqrt(np.maximum(variance, 0.0)), np.nan)
    sums = cells.sums
    whole = (n.astype(np.int64), df.astype(np.int64))
    return ByDomain(sums.items, sums.domains, np.where(n > 0, estimate, np.nan), se, *whole)

"""Changes of means between two waves by domain, as SQL, for tables too large for numpy."""

# ruff: noqa: S608  (statements are made of quoted names; values come as tables)
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.survey.arrays import Floats, Ints
from pipeline.survey.domains import ByDomain, CellSums, Line, Phase, means
from pipeline.survey.moments import Moments
from pipeline.survey.passes import Engine, Table, matrix, moments, quoted, relation


@dataclass(frozen=True, eq=False)
class ChangeByDomain:
    """Means of p items by K domains in two waves, their covariance and the change, (p, K).

    `se` is NaN where one of both has none; where the covariance exceeds what the variances allow
    (very few units) it is left out, as in `variance`.
    """

    first: ByDomain
    second: ByDomain
    covariance: Floats
    change: Floats
    se: Floats


def changes(
    engine: Engine,
    waves: tuple[Table, Table],
    registers: tuple[Table, Table],
    items: Sequence[str],
    *,
    unit: str,
    weight: str,
    stratum: str,
    domain: str,
) -> ChangeByDomain:
    """Estimate the change of means from the first wave to the second, as `change` does.

    `waves` hold those who responded, `registers` all units (columns `unit` and `stratum`), both
    with a row per unit; the columns have the same names in both waves, which must have the same
    domains. Missing values as in `passes.moments`. Covariance: sum over units in both waves of
    (1 - N_hk m_h m_k / (n_hk N_h N_k)) e1 e2, h and k their strata in both waves, e the deviations
    from the means of these (Tam 1984, American Statistician 38). Lonely strata: rule "adjust".
    """
    names = {"weight": weight, "stratum": stratum, "domain": domain}
    first, second = (
        _Side.of(moments(engine, wave, items, **names), engine, register, stratum)
        for wave, register in zip(waves, registers, strict=True)
    )
    if not first.sums.domains.equals(second.sums.domains):
        odd = first.sums.domains.symmetric_difference(second.sums.domains).tolist()
        raise ValueError(f"domains {odd} are in one wave only: leave them out of both")
    sources = (
        relation(items, unit=unit, source="first", nan=range(len(items)), **names),
        relation(items, unit=unit, source="second", nan=range(len(items)), **names),
    )
    tables = {"first": waves[0], "second": waves[1]}
    tables |= {"centres1": first.centres(), "centres2": second.centres()}
    cells = engine(joint_statement(sources, len(items)), tables)
    both = engine(register_statement(unit, stratum), dict(zip("ab", registers, strict=True)))
    covariance = _covariance(first, second, cells, both)
    a, b = first.means, second.means
    own = a.se**2 + b.se**2
    variance = own - 2 * covariance
    se = np.sqrt(np.where(variance < 0, own, variance))
    return ChangeByDomain(a, b, covariance, b.estimate - a.estimate, se)


def joint_statement(sources: tuple[str, str], items: int) -> str:
    """Statement: sums over units in both waves, by stratum and domain in each, of q1, q2, q1 q2.

    q = f w (y - R) less its mean c in the cell, made of y - r and r - R lest digits are lost; the
    factor f for the item, r, gap = r - R and c come in the tables `centres1` and `centres2`. 0 for
    units without domain.
    """
    sides = []
    for wave, source in enumerate(sources, 1):
        q = [
            f"CASE WHEN y_{i} IS NULL THEN NULL WHEN c.domain IS NULL THEN CAST(0 AS DOUBLE) "
            f"ELSE f_{i} * w * ((y_{i} - r_{i}) + gap_{i}) - c_{i} END AS q{wave}_{i}"
            for i in range(items)
        ]
        sides.append(
            f"(SELECT u.unit, u.stratum AS h{wave}, u.domain AS d{wave}, {', '.join(q)} "
            f"FROM {source} LEFT JOIN centres{wave} AS c "
            f"ON u.stratum = c.stratum AND u.domain = c.domain) AS s{wave}"
        )
    sums = []
    for i in range(items):
        sums += [
            f"count(q1_{i} * q2_{i}) AS n_{i}",
            f"sum(q1_{i} * q2_{i}) AS qq_{i}",
            f"sum(CASE WHEN q2_{i} IS NOT NULL THEN q1_{i} END) AS first_{i}",
            f"sum(CASE WHEN q1_{i} IS NOT NULL THEN q2_{i} END) AS second_{i}",
        ]
    keys = "h1, h2, d1, d2"
    joined = f"{sides[0]} JOIN {sides[1]} ON s1.unit = s2.unit"
    return f"SELECT {keys}, {', '.join(sums)} FROM {joined} GROUP BY {keys}"


def register_statement(unit: str, stratum: str) -> str:
    """Statement: N_hk, the units on both registers `a` and `b` by their stratum on each."""
    h = quoted(stratum)
    return (
        f"SELECT a.{h} AS h1, b.{h} AS h2, count(*) AS units FROM a "
        f"JOIN b ON a.{quoted(unit)} = b.{quoted(unit)} GROUP BY a.{h}, b.{h}"
    )


@dataclass(frozen=True, eq=False)
class _Side:
    """One wave: its cell sums, means, and N_h by stratum."""

    sums: Moments
    population: Floats
    line: Line
    phase: Phase
    means: ByDomain

    @classmethod
    def of(cls, sums: Moments, engine: Engine, register: Table, stratum: str) -> _Side:
        h = quoted(stratum)
        statement = f"SELECT {h} AS stratum, count(*) AS units FROM data GROUP BY {h}"
        known = engine(statement, {"data": register}).set_index("stratum")["units"]
        units = known.reindex(sums.strata)
        if units.isna().any():
            raise ValueError(f"strata {units.index[units.isna()].tolist()} are not on the register")
        population = units.to_numpy(dtype=float)
        phase = Phase.of(CellSums(sums).by_stratum(sums.n), population, "adjust")
        return cls(sums, population, Line.of(sums, population), phase, means(sums, population))

    def centres(self) -> pd.DataFrame:
        """r, gap, c and f of each cell with a domain."""
        sums, inside = self.sums, self.sums.domain >= 0
        columns = {
            "stratum": sums.strata.take(sums.stratum[inside]),
            "domain": sums.domains.take(sums.domain[inside]),
        }
        centre = self.line.z / np.maximum(sums.n, 1)
        for i in range(len(sums.items)):
            parts = {"r": sums.reference[i], "gap": self.line.gap[i], "c": centre[i]}
            parts["f"] = self.line.factor[i]
            columns |= {f"{name}_{i}": values[inside] for name, values in parts.items()}
        return pd.DataFrame(columns)

    def stratum_means(self, item: int, domain: int) -> tuple[Floats, Floats]:
        """By stratum, (H,): the mean of z it is centred by, and that of its cell less this."""
        sums, where = self.sums, np.flatnonzero(self.sums.domain == domain)
        h, phase = sums.stratum[where], self.phase
        centre, cell = np.zeros(len(sums.strata)), np.zeros(len(sums.strata))
        z, n = self.line.z[item, where], sums.n[item, where]
        centre[h] = np.where(phase.open[item, h], 0.0, z / np.maximum(phase.m[item, h], 1))
        cell[h] = z / np.maximum(n, 1) - centre[h]
        return centre, cell


def _covariance(first: _Side, second: _Side, cells: pd.DataFrame, both: pd.DataFrame) -> Floats:
    """Covariances of the means, shape (p, K)."""
    p, width = len(first.sums.items), len(second.sums.strata)
    h = first.sums.strata.get_indexer(pd.Index(cells["h1"]))
    k = second.sums.strata.get_indexer(pd.Index(cells["h2"]))
    d, e = (first.sums.domains.get_indexer(pd.Index(cells[c])) for c in ("d1", "d2"))
    n, qq, q1, q2 = (np.nan_to_num(matrix(cells, c, p)) for c in ("n", "qq", "first", "second"))
    pairs, pair = np.unique(h * width + k, return_inverse=True)
    labels = [first.sums.strata[pairs // width], second.sums.strata[pairs % width]]
    known = both.set_index(["h1", "h2"])["units"].reindex(pd.MultiIndex.from_arrays(labels))
    on_both = known.to_numpy(dtype=float, na_value=0.0)
    result = np.zeros((p, len(first.sums.domains)))
    for i in range(p):
        joint = np.bincount(pair, weights=n[i])
        kept = _kept(first, second, i, pairs, on_both / np.maximum(joint, 1))
        for domain in range(result.shape[1]):
            rows = np.flatnonzero((d == domain) | (e == domain))
            (ca, a), (cb, b) = (s.stratum_means(i, domain) for s in (first, second))
            s, t, m = h[rows], k[rows], n[i, rows]
            one = np.where(d[rows] == domain, a[s], -ca[s])
            two = np.where(e[rows] == domain, b[t], -cb[t])
            left = np.where(d[rows] == domain, q1[i, rows], 0.0)
            right = np.where(e[rows] == domain, q2[i, rows], 0.0)
            square = np.where((d == e)[rows], qq[i, rows], 0.0)
            inside = square + one * right + two * left + m * one * two
            others = joint - np.bincount(pair[rows], weights=m, minlength=len(pairs))
            rest = others * ca[pairs // width] * cb[pairs % width]
            result[i, domain] = kept[pair[rows]] @ inside + kept @ rest
    return np.asarray(result / (first.line.base * second.line.base), dtype=float)


def _kept(first: _Side, second: _Side, item: int, pairs: Ints, ratio: Floats) -> Floats:
    """1 - N_hk m_h m_k / (n_hk N_h N_k), with the factors sqrt(m / (m - 1)) of both; by pair."""
    width = len(second.sums.strata)
    rate, scale = np.ones(len(pairs)), np.ones(len(pairs))
    for side, stratum in ((first, pairs // width), (second, pairs % width)):
        rate = rate * (side.phase.m[item] / side.population)[stratum]
        scale = scale * np.sqrt(side.phase.scale[item])[stratum]
    return scale * (1 - ratio * rate)

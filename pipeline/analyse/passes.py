"""Estimates of many firms, by passes of an engine over the tables instead of arrays in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from pipeline import survey
from pipeline.analyse.domains import GROUP
from pipeline.analyse.measures import Floats, Rule, interval
from pipeline.survey import passes
from pipeline.survey.domains import ByDomain, means, totals
from pipeline.survey.moments import Moments
from pipeline.tables import Estimates, Weights

KINDS = {"mean": means, "share": means, "balance": means, "ratio": means, "total": totals}
"""Kinds of indicators that cell sums tell all of; the others need covariances."""
KEY = [Estimates.wave, Estimates.indicator, *GROUP]
SIDES = ("y", "up", "down")
"""Items of the passes: the numerator, and whether it is 1 or -1."""
SEPARATOR = "\x1f"

# A row per firm that responded, indicator of its wave, and breakdown: in no domain where it is
# outside the base or the breakdown, but a respondent of the stratum all the same.
SOURCE = """(
SELECT concat_ws(chr(31), w.wave, a.indicator, a.breakdown, w.stratum) AS stratum,
  CASE WHEN r."group" IS NOT NULL AND coalesce(c.in_base, a.kind = 'total')
    THEN concat_ws(chr(31), w.wave, a.indicator, a.breakdown, r."group") END AS domain,
  w.weight AS w, c.numerator AS y,
  CASE WHEN c.numerator IS NULL THEN NULL WHEN c.numerator = 1 THEN 1 ELSE 0 END AS up,
  CASE WHEN c.numerator IS NULL THEN NULL WHEN c.numerator = -1 THEN 1 ELSE 0 END AS down,
  CASE WHEN a.kind = 'ratio' THEN c.denominator ELSE 1 END AS x
FROM weights AS w
JOIN asked AS a ON a.wave = w.wave
LEFT JOIN contributions AS c
  ON c.wave = w.wave AND c.firm_id = w.firm_id AND c.indicator = a.indicator
LEFT JOIN register AS r
  ON r.wave = w.wave AND r.firm_id = w.firm_id AND r.variable = a.breakdown
WHERE w.weight > 0) AS source"""


def levels(
    engine: passes.Engine,
    tables: Mapping[str, passes.Table],
    rules: Mapping[str, Rule],
    asked: pd.DataFrame,
) -> pd.DataFrame:
    """Estimates by wave, indicator and group of those kinds that cell sums tell all of.

    `tables` are `contributions`, `weights` and `register` (frames or Parquet files); `asked` has
    the pairs of wave and indicator, with each breakdown. Columns of `Estimates` from n on, by its
    key. The same as by `Measures.estimate` with weights that are not calibrated.
    """
    kinds = asked[Estimates.indicator].map({name: rule.kind for name, rule in rules.items()})

    def table(nan: Collection[int]) -> str:
        columns = {"weight": "w", "stratum": "stratum", "domain": "domain"}
        return passes.relation(SIDES, ["x"] * len(SIDES), source=SOURCE, nan=nan, **columns)

    sources = {**tables, "asked": asked.assign(kind=kinds)}
    sums = passes.summed(engine, sources, table, SIDES, ratio=True)
    population = _population(engine, tables["weights"], sums)
    found = []
    for kind in sorted(set(kinds)):
        result = KINDS[kind](sums, population)
        own = pd.Series(result.domains, dtype=str).str.split(SEPARATOR, expand=True)
        own = own.set_axis(KEY, axis="columns")
        mine = own[Estimates.indicator].map({n: r.kind for n, r in rules.items()}) == kind
        estimate = _estimate(result, _effective(sums, population), kind)
        ends = interval(estimate, kind)
        scale = own[Estimates.indicator].map({name: rule.scale for name, rule in rules.items()})
        columns = (Estimates.estimate, Estimates.se, Estimates.ci_low, Estimates.ci_high)
        values = (estimate.estimate, estimate.se, *ends)
        rows = pd.DataFrame({str(n): scale * v for n, v in zip(columns, values, strict=True)})
        found.append(pd.concat([own, rows.assign(n=estimate.n)], axis=1)[mine])
    return pd.concat(found, ignore_index=True)


def _population(engine: passes.Engine, weights: passes.Table, sums: Moments) -> Floats:
    """N_h in the order of the strata: firms of the register by wave and stratum."""
    statement = "SELECT wave, stratum, count(*) AS units FROM weights GROUP BY wave, stratum"
    counts = engine(statement, {"weights": weights}).set_index([Weights.wave, Weights.stratum])
    parts = pd.Series(sums.strata, dtype=str).str.split(SEPARATOR, expand=True)
    place = pd.MultiIndex.from_arrays([parts[0], parts[3]])
    return np.asarray(counts["units"].reindex(place).to_numpy(dtype=float))


def _effective(sums: Moments, population: Floats) -> Floats:
    """Effective number of units by item and domain, see `survey.Estimate`; shape (p, K)."""
    cells = survey.CellSums(sums)
    rate = (cells.by_stratum(sums.n) / population)[:, sums.stratum]
    with np.errstate(divide="ignore", invalid="ignore"):
        shrink = np.where(rate > 0, -rate / np.log1p(-rate), 1.0)
        squares = np.where(sums.n > 0, (sums.xx + sums.x**2 / sums.n) * shrink, 0.0)
        factors = cells.item_factors(population)
        weights, squares = factors * sums.x, factors**2 * squares
        return np.asarray(cells.by_domain(weights) ** 2 / cells.by_domain(squares))


def _estimate(result: ByDomain, effective: Floats, kind: str) -> survey.Estimate:
    """The first item as an estimate; of a balance also the shares of both sides."""
    y, up, down = (
        survey.Estimate(e, se, n, df, n_kish, ())
        for e, se, n, df, n_kish in zip(
            result.estimate, result.se, result.n, result.df, effective, strict=True
        )
    )
    if kind != "balance":
        return y
    return survey.Balance(y.estimate, y.se, y.n, y.df, y.n_kish, (), up, down)

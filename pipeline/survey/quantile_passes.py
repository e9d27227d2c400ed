"""Quantiles by domain as SQL, for tables too large for numpy: the numbers of `quantiles_by`."""

# ruff: noqa: S608  (statements are made of quoted names; values come as tables)
from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from pipeline.survey.arrays import Floats
from pipeline.survey.design import LonelyRule
from pipeline.survey.domains import means
from pipeline.survey.fast_quantiles import TIE, QuantilesByDomain, with_interval
from pipeline.survey.passes import Engine, Table, relation, summed


def quantiles(
    engine: Engine,
    data: Table,
    item: str,
    p: float = 0.5,
    *,
    weight: str,
    stratum: str,
    domain: str,
    population: Mapping[Any, float] | None = None,
    lonely: LonelyRule = "adjust",
) -> QuantilesByDomain:
    """Estimate the p-quantile of a column in each domain with its 95 % interval.

    Columns and missing values as in `passes.moments`; `population` is N_h by stratum, None for no
    correction. Four statements: the quantiles, two passes for the share of units up to them, and
    the quantiles at both ends of its interval (Woodruff 1952, see `quantiles_by`).
    """
    table = relation([item], weight=weight, stratum=stratum, domain=domain, nan=[0])
    counted = engine(counts_statement(table), {"data": data})
    domains = pd.Index(sorted(counted["domain"].dropna().unique()))
    counts = counted.groupby("stratum")[["units", "n"]].sum()
    factor = 1.0 if population is None else counts["units"] / counts["n"].clip(lower=1)
    factors = counts.assign(factor=factor)[["factor"]].reset_index()

    def inverse(levels: Floats) -> Floats:
        """The quantile of each domain at a probability of its own; NaN for NaN."""
        wanted = pd.DataFrame({"domain": domains, "level": levels - TIE}).dropna()
        tables = {"data": data, "levels": wanted, "factors": factors}
        found = engine(quantile_statement(table), tables)
        values = found.set_index("domain")["quantile"].reindex(domains)
        return np.asarray(values, dtype=float)

    def below(_: Collection[int]) -> str:
        return below_relation(table)

    found = inverse(np.full(len(domains), p))
    levels = pd.DataFrame({"domain": domains, "quantile": found})
    sums = summed(engine, {"data": data, "levels": levels}, below, [item], ratio=False)
    sizes = [np.inf if population is None else population[label] for label in sums.strata]
    share = means(sums, np.asarray(sizes, dtype=float), lonely)
    return with_interval(found, share, inverse, 0.95)


def counts_statement(table: str) -> str:
    """Statement: units, and those of them that answered the item, by domain and stratum."""
    counts = "count(*) AS units, count(y_0) AS n"
    return f"SELECT domain, stratum, {counts} FROM {table} GROUP BY domain, stratum"


def quantile_statement(table: str) -> str:
    """Statement: by domain, the smallest y whose share of the weights up to it reaches `level`.

    The table `levels` has a row (domain, level) for each domain; `factors` has (stratum, factor),
    what the weights of the stratum are multiplied by for the item.
    """
    up_to = "ORDER BY y_0 ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
    weighted = (
        f"(SELECT u.domain, u.y_0, u.w * factors.factor AS w FROM {table} "
        "JOIN factors ON u.stratum = factors.stratum "
        "WHERE u.y_0 IS NOT NULL AND u.domain IS NOT NULL AND u.w > 0) AS q"
    )
    shares = (
        f"SELECT domain, y_0, sum(w) OVER (PARTITION BY domain {up_to}) / "
        f"sum(w) OVER (PARTITION BY domain) AS reached FROM {weighted}"
    )
    return (
        f"SELECT r.domain, min(r.y_0) AS quantile FROM ({shares}) AS r "
        "JOIN levels ON r.domain = levels.domain WHERE r.reached >= levels.level GROUP BY r.domain"
    )


def below_relation(table: str) -> str:
    """The relation with 1 for y up to the `quantile` of its domain in `levels`, else 0, as item."""
    return (
        "(SELECT u.stratum, u.domain, u.w, CASE WHEN u.y_0 IS NULL THEN NULL "
        "WHEN u.y_0 <= levels.quantile THEN CAST(1 AS DOUBLE) ELSE CAST(0 AS DOUBLE) END AS y_0 "
        f"FROM {table} LEFT JOIN levels ON u.domain = levels.domain) AS u"
    )

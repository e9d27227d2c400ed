"""The heavy passes over microdata as SQL that returns cell sums, for tables too large for numpy.

    sums = passes.moments(engine, "answers.parquet", items, weight="w", stratum="h", domain="d")
    by = survey.means(sums, population)                     # N_h in the order of sums.strata

An engine runs one statement in DuckDB's dialect on named tables and returns a small frame (see
`pipeline.engines` for DuckDB and Spark). A statement is made of column names only, never of
values: what a pass needs of an earlier one is a table too.
"""

# ruff: noqa: S608  (statements are made of quoted names; values come as tables)
from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.survey.arrays import Floats
from pipeline.survey.moments import Moments

Table = Any
"""A frame, or whatever else the engine takes for a table, such as the path of a Parquet file."""
Engine = Callable[[str, Mapping[str, Table]], pd.DataFrame]
"""Runs a statement on named tables. Nothing but the statement's result may leave it."""


def moments(
    engine: Engine,
    data: Table,
    items: Sequence[str],
    *,
    weight: str,
    stratum: str,
    domain: str,
    bases: Sequence[str] = (),
) -> Moments:
    """Sum up a table by cell in two passes, as `moments.moments` does in memory.

    Columns by name. NULL or NaN in an item: no answer; NULL in `domain`: in no domain. `bases`
    are the x of ratios, one for each item; x is 1 without them. Cells without a domain have their
    counts only. ValueError where a stratum is missing or a weight is negative or not finite.
    """
    if bases and len(bases) != len(items):
        msg = f"{len(bases)} bases for {len(items)} items: give one for each, or none"
        raise ValueError(msg)

    def table(nan: Collection[int]) -> str:
        return relation(items, bases, weight=weight, stratum=stratum, domain=domain, nan=nan)

    return summed(engine, {"data": data}, table, items, ratio=bool(bases))


def summed(
    engine: Engine,
    tables: Mapping[str, Table],
    table: Callable[[Collection[int]], str],
    items: Sequence[str],
    *,
    ratio: bool,
) -> Moments:
    """Make both passes over a relation with the columns of `relation`, made of `tables`.

    `table` writes it, given the items in which to look for NaN. That takes half the time of the
    first pass, so it is done again where a mean came out as NaN.
    """
    p, nan = len(items), list[int]()
    cells = engine(first_pass(table(nan), p, ratio=ratio), tables)
    nan = np.flatnonzero(np.isnan(matrix(cells, "r", p)).any(axis=1)).tolist()
    if nan:
        cells = engine(first_pass(table(nan), p, ratio=ratio), tables)
    _check(cells)
    n = matrix(cells, "n", p)
    partial = [i for i, row in enumerate(n) if ratio or (row != cells["units"]).any()]
    second = second_pass(table(nan), p, partial, ratio=ratio)
    sums = engine(second, {**tables, "cells": cells[cells["domain"].notna()]})
    return _moments(items, cells.merge(sums, "left", on=["domain", "stratum"]), partial)


def relation(
    items: Sequence[str],
    bases: Sequence[str] = (),
    *,
    weight: str,
    stratum: str,
    domain: str,
    unit: str | None = None,
    source: str = "data",
    nan: Collection[int] = (),
) -> str:
    """The microdata with the names all passes use: stratum, domain, w, y_0 ..., x_0 ... (unit).

    An item without its base counts as no answer, and the reverse; so does NaN in items `nan`.
    """
    columns = [f"{quoted(stratum)} AS stratum", f"{quoted(domain)} AS domain"]
    columns.append(f"CAST({quoted(weight)} AS DOUBLE) AS w")
    if unit is not None:
        columns.append(f"{quoted(unit)} AS unit")
    for i, item in enumerate(items):
        y = number(item, nan=i in nan)
        if bases:
            x = number(bases[i], nan=i in nan)
            columns.append(f"CASE WHEN {y} IS NOT NULL THEN {x} END AS x_{i}")
            y = f"CASE WHEN {x} IS NOT NULL THEN {y} END"
        columns.append(f"{y} AS y_{i}")
    return f"(SELECT {', '.join(columns)} FROM {source}) AS u"


def first_pass(table: str, items: int, *, ratio: bool) -> str:
    """Statement: counts and weights by cell, and what the second pass centres by.

    r is the mean of y in the cell (the slope of y on x through 0 for a ratio), c the mean of w x.
    """
    columns = [
        "count(*) AS units",
        "sum(CASE WHEN w >= 0 AND w < CAST('Infinity' AS DOUBLE) THEN 0 ELSE 1 END) AS bad",
        "avg(w) AS c",
    ]
    for i in range(items):
        columns.append(f"count(y_{i}) AS n_{i}")
        if ratio:
            slope = f"sum(x_{i} * y_{i}) / nullif(sum(x_{i} * x_{i}), 0)"
            columns += [f"coalesce({slope}, 0) AS r_{i}", f"coalesce(avg(w * x_{i}), 0) AS c_{i}"]
        else:
            columns.append(f"coalesce(avg(y_{i}), 0) AS r_{i}")
    return f"SELECT domain, stratum, {', '.join(columns)} FROM {table} GROUP BY domain, stratum"


def second_pass(table: str, items: int, partial: Collection[int], *, ratio: bool) -> str:
    """Statement: sums and squares by cell of q = w (y - r x) and u = w x - c.

    `partial` are the items that not all units answered: u has sums of its own for each of them.
    The table `cells` holds the first pass.
    """
    inner, outer = ["w - c AS u"], ["sum(u) AS u", "sum(u * u) AS uu"]
    for i in range(items):
        inner.append(f"w * (y_{i} - r_{i}{f' * x_{i}' if ratio else ''}) AS q_{i}")
        outer += [f"sum(q_{i}) AS e_{i}", f"sum(q_{i} * q_{i}) AS ee_{i}"]
        own = "u"
        if i in partial:
            own = f"u_{i}"
            u = f"w * x_{i} - c_{i}" if ratio else "w - c"
            inner.append(f"CASE WHEN y_{i} IS NOT NULL THEN {u} END AS {own}")
            outer += [f"sum({own}) AS u_{i}", f"sum({own} * {own}) AS uu_{i}"]
        outer.append(f"sum(q_{i} * {own}) AS ex_{i}")
    centred = f"SELECT domain, stratum, {', '.join(inner)} FROM {table} JOIN cells"
    return (
        f"SELECT domain, stratum, {', '.join(outer)} FROM "
        f"({centred} USING (domain, stratum)) AS q GROUP BY domain, stratum"
    )


def calibration_cells(
    engine: Engine, data: Table, margins: Sequence[str], weight: str
) -> pd.DataFrame:
    """Count units and add weights by cell of some margins: what `ipf.rake_cells` needs.

    One row per cell, sorted by the margins, which come first; `units` and `weight` follow.
    """
    names = ", ".join(quoted(margin) for margin in margins)
    taken = [f"CAST({quoted(weight)} AS DOUBLE) AS w"]
    taken += [f"{quoted(margin)} AS m_{i}" for i, margin in enumerate(margins)]
    keys = ", ".join(f"m_{i}" for i in range(len(margins)))
    sums = "count(*) AS units, sum(w) AS weight"
    inner = f"(SELECT {', '.join(taken)} FROM data) AS u"
    cells = engine(f"SELECT {keys}, {sums} FROM {inner} GROUP BY {keys}", {"data": data})
    empty = [m for i, m in enumerate(margins) if cells[f"m_{i}"].isna().any()]
    if empty:
        msg = f"margins {empty} are missing for some units: give every unit a category ({names})"
        raise ValueError(msg)
    cells = cells.sort_values(keys.split(", ")).reset_index(drop=True)
    return cells.set_axis([*margins, "units", "weight"], axis=1)


def quoted(name: str) -> str:
    """A column's name as SQL, whatever characters it has."""
    return '"' + name.replace('"', '""') + '"'


def number(name: str, *, nan: bool) -> str:
    """A column as a number, NULL where it is NaN if that can be."""
    value = f"CAST({quoted(name)} AS DOUBLE)"
    return f"nullif({value}, CAST('NaN' AS DOUBLE))" if nan else value


def matrix(frame: pd.DataFrame, name: str, items: int) -> Floats:
    """The columns name_0 ... as rows, (p, rows), NaN where they are NULL."""
    return rows(frame, [f"{name}_{i}" for i in range(items)])


def rows(frame: pd.DataFrame, columns: Sequence[str]) -> Floats:
    """Columns as rows of floats, NaN where they are NULL."""
    return np.asarray(frame[list(columns)].to_numpy(dtype=float, na_value=np.nan).T)


def _check(cells: pd.DataFrame) -> None:
    bad = int(cells["bad"].sum())
    if bad:
        raise ValueError(f"weights must be finite and not negative: those of {bad} units are not")
    lost = int(cells["units"][cells["stratum"].isna()].sum())
    if lost:
        raise ValueError(f"every unit needs a stratum: {lost} have none")
    if not cells["domain"].notna().any():
        raise ValueError(f"none of {int(cells['units'].sum())} units is in any domain")


def _moments(items: Sequence[str], cells: pd.DataFrame, partial: Collection[int]) -> Moments:
    """Put both passes together, in order of domain and stratum, cells without domain last.

    Squares are taken about the mean of the cell: what little the first pass left is subtracted.
    """
    p = len(items)
    stratum, strata = pd.factorize(cells["stratum"], sort=True)
    domain, domains = pd.factorize(cells["domain"], sort=True)
    order = np.lexsort((stratum, np.where(domain < 0, len(domains), domain)))
    cells, stratum, domain = cells.iloc[order], stratum[order], domain[order]
    if cells["uu"][domain >= 0].isna().any():
        raise ValueError("the passes found different cells: the data changed between them")
    n, own = matrix(cells, "n", p), [f"_{i}" if i in partial else "" for i in range(p)]

    def summed(columns: Sequence[str]) -> Floats:
        return np.where((n > 0) & (domain >= 0), rows(cells, columns), 0.0)

    centres = [f"c{name}" if f"c{name}" in cells else "c" for name in own]
    e, u = summed([f"e_{i}" for i in range(p)]), summed([f"u{name}" for name in own])
    count, (units, centre, rest, squares) = np.maximum(n, 1), rows(cells, ["units", "c", "u", "uu"])
    return Moments(
        pd.Index(items),
        pd.Index(strata),
        pd.Index(domains),
        stratum.astype(np.int64),
        domain.astype(np.int64),
        units,
        np.where(domain >= 0, centre * units + rest, 0.0),
        np.where(domain >= 0, squares - rest**2 / units, 0.0),
        summed([f"r_{i}" for i in range(p)]),
        n,
        summed(centres) * n + u,
        e,
        summed([f"ee_{i}" for i in range(p)]) - e * e / count,
        summed([f"ex_{i}" for i in range(p)]) - e * u / count,
        summed([f"uu{name}" for name in own]) - u * u / count,
    )

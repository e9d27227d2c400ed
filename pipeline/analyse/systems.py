"""Systems: indicators that tell of the same firms' figures, with what is told of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from pipeline.analyse.domains import Bools
from pipeline.analyse.measures import Rule
from pipeline.analyse.plans import Shown
from pipeline.analyse.rounding import units
from pipeline.analyse.series import Series
from pipeline.expressions import Bounds, parse
from pipeline.tables import Indicators, Items


def systems_of(kinds: Mapping[str, Rule], formulas: pd.DataFrame) -> Iterator[list[str]]:
    """Names of indicators that tell of the same firms' figures: those that share an item.

    Amounts with amounts, answers with answers. `formulas`: Indicators by name. Only where one of
    them is of an item that is not public anyway.
    """
    items = {name: _items(dict(formulas.loc[name])) for name in kinds}
    systems: list[list[str]] = []
    for name, kind in kinds.items():
        near = [
            others
            for others in systems
            if kind.categorical == kinds[others[0]].categorical
            and any(items[other] & items[name] for other in others)
        ]
        systems = [others for others in systems if others not in near]
        systems.append([*chain.from_iterable(near), name])
    for names in systems:
        if any(kinds[name].sensitive for name in names):
            yield names


def _items(formulas: Mapping[Any, Any]) -> frozenset[str]:
    texts = (str(formulas[column]) for column in (Indicators.numerator, Indicators.denominator))
    return frozenset().union(*(parse(text).names for text in texts if text))


def shown_of(
    cells: Bools,
    series: Series,
    is_open: Bools,
    told_before: Bools,
    hidden_before: Bools,
    *,
    formulas: Mapping[Any, Any],
    coarse_below: int,
) -> Shown:
    """What is told of an indicator by its open groups; `cells` (k, n), the others (k,)."""
    groups = np.flatnonzero(is_open & cells.any(axis=1))
    n, is_answer = cells[groups].sum(axis=1), series.kind.categorical & series.kind.sensitive
    decimals = np.full(len(groups), float(formulas[str(Indicators.decimals)]))
    is_ratio = series.kind.kind == "ratio"
    return Shown(
        series,
        groups,
        cells[groups],
        str(formulas[Indicators.numerator]),
        str(formulas[Indicators.denominator]) if is_ratio else "",
        units(decimals, n, np.full(len(groups), is_answer), coarse_below),
        told_before[groups],
        hidden_before[groups],
    )


def bounds_of(items: pd.DataFrame) -> Bounds:
    """Least and greatest value of each item over its versions; none where its unit changed."""
    found = {}
    for name, rows in items.groupby(Items.item):
        same = len(set(rows[Items.unit])) == 1
        low, high = rows[str(Items.minimum)], rows[str(Items.maximum)]
        greatest = high.fillna(np.inf).max() if same else np.inf
        # Amounts that cannot be negative are not in another unit either.
        found[str(name)] = float(low.fillna(-np.inf).min()), float(greatest)
    return found

"""Derive: what each firm brings to each indicator, by the formulas of the study."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.errors import Problem, StudyError
from pipeline.expressions import FloatArray, Wide, evaluate, parse, widen
from pipeline.tables import Contributions, Indicators, Panel, Weights
from pipeline.tables.flow import RESPONSE

UNIT = [Panel.wave, Panel.firm_id]
EVERYBODY = "1 == 1"
ONE = "1"


@pa.check_types
def derive(
    panel: DataFrame[Panel], weights: DataFrame[Weights], indicators: DataFrame[Indicators]
) -> DataFrame[Contributions]:
    """Numerator and denominator by wave, indicator and firm, in the items' units, sorted.

    A firm is left out of an indicator where one of its items has no answer. A firm that answered
    but lies outside the indicator's base stays with 0 and 0: in the variance it is a respondent.
    The indicator `response` has every firm of the register, with weight 1. Raises StudyError where
    a denominator is negative.
    """
    rules = cast("list[dict[str, str]]", indicators.to_dict("records"))
    names = {
        name
        for rule in rules
        for column in (Indicators.numerator, Indicators.denominator, Indicators.base)
        if rule[column]
        for name in parse(rule[column]).names
    }
    wide = widen(panel, UNIT, names)
    units = wide.index.to_frame(index=False)
    firms = weights[[*UNIT, Weights.weight]]
    tables = [_contribution(wide, units, rule).merge(firms, on=UNIT) for rule in rules]
    table = pd.concat([*tables, _response(weights)], ignore_index=True)
    _check_denominators(table)
    order = [Contributions.wave, Contributions.indicator, Contributions.firm_id]
    table = table.sort_values(order, ignore_index=True)
    return DataFrame[Contributions](table[list(Contributions.to_schema().columns)])


def _contribution(wide: Wide, units: pd.DataFrame, rule: dict[str, str]) -> pd.DataFrame:
    base = evaluate(rule[Indicators.base] or EVERYBODY, wide)
    outside = base == 0
    numerator = _inside(evaluate(rule[Indicators.numerator], wide), outside)
    denominator = _inside(evaluate(rule[Indicators.denominator] or ONE, wide), outside)
    asked = units[Panel.wave] >= rule[Indicators.from_wave]
    if rule[Indicators.to_wave]:
        asked &= units[Panel.wave] <= rule[Indicators.to_wave]
    known = asked & ~np.isnan(base) & ~np.isnan(numerator) & ~np.isnan(denominator)
    table = units.assign(
        indicator=rule[Indicators.indicator],
        numerator=numerator,
        denominator=denominator,
        in_base=~outside,
    )
    return table[known]


def _check_denominators(table: pd.DataFrame) -> None:
    negative = table.loc[table[Contributions.denominator] < 0]
    counts = negative.groupby([Contributions.wave, Contributions.indicator], as_index=False).size()
    problems = [
        Problem(
            found=f"a denominator below 0 for {count} firms",
            expected="denominators of 0 or more",
            advice="give its items a minimum in items.csv, or the indicator a base",
            wave=wave,
            file="indicators.csv",
            item=indicator,
        )
        for wave, indicator, count in counts.itertuples(index=False)
    ]
    if problems:
        raise StudyError(problems)


def _inside(column: FloatArray, outside: np.ndarray) -> FloatArray:
    return np.where(outside, 0.0, column)


def _response(weights: pd.DataFrame) -> pd.DataFrame:
    """The response itself as an indicator: 1 for a firm that answered, 0 for one that did not."""
    return weights[UNIT].assign(
        indicator=RESPONSE,
        numerator=weights[Weights.responded].astype(float),
        denominator=1.0,
        in_base=True,
        weight=1.0,
    )

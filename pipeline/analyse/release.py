"""Release: the cleared numbers, rounded as they are printed, each with its id."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.analyse.domains import rules_of
from pipeline.tables import Benchmarks, Changes, Clearance, Estimates, Indicators, Release
from pipeline.tables.flow import ALL, RESPONSE, REST

Floats = npt.NDArray[np.float64]
CELL = [Release.wave, Release.indicator, Release.breakdown, Release.group]
STEPS = np.array([1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10])
"""Half-widths of intervals of amounts are rounded up to one of these, times a power of ten."""
STATISTICS = {
    "estimate": {"value": "estimate", "low": "ci_low", "high": "ci_high", "n": "n"},
    "change": {
        "value": "change",
        "low": "change_low",
        "high": "change_high",
        "established": "change_significant",
    },
    "difference": {
        "value": "difference",
        "low": "difference_low",
        "high": "difference_high",
        "established": "difference_significant",
    },
}
"""What each figure is called in the Release, by the kind of comparison."""
COUNTED = ("n", "population", "established")
"""Figures that are whole numbers whatever the indicator's decimals."""


@pa.check_types
def release(
    estimates: DataFrame[Estimates],
    changes: DataFrame[Changes],
    benchmarks: DataFrame[Benchmarks],
    clearance: DataFrame[Clearance],
    indicators: DataFrame[Indicators],
    *,
    p_percent: float,
) -> DataFrame[Release]:
    """Every number that may be printed, one row each; what is suppressed keeps a row with `c`.

    A change needs both waves cleared, a difference the group, its reference and, where that is the
    rest, `all`. The exact standard error of an amount gives the largest firm away (each x is at
    most mean + s (n - 1) / sqrt(n); Samuelson 1968, Journal of the American Statistical
    Association 63), so its interval is widened by `p_percent` and rounded up. Whether a change is
    established is decided before that.
    """
    rule_of = clearance.set_index(CELL)[Clearance.rule]
    figures = pd.concat(
        [
            _estimates(estimates, rule_of),
            _changes(changes, rule_of),
            _benchmarks(benchmarks, rule_of),
        ],
        ignore_index=True,
    )
    figures = figures.merge(indicators, on=Indicators.indicator)
    yes_no = {name: rule.yes_no for name, rule in rules_of(indicators).items()}
    figures["yes_no"] = figures[Release.indicator].map(yes_no)
    _round(figures, p_percent)
    tables = [
        _rows(figures[figures["comparison"] == comparison], figure, statistic)
        for comparison, names in STATISTICS.items()
        for figure, statistic in names.items()
    ]
    is_response = (figures[Release.indicator] == RESPONSE) & (figures["comparison"] == "estimate")
    tables.append(_rows(figures[is_response], "population", "population"))
    table = pd.concat(tables, ignore_index=True)
    table = table.sort_values(Release.number_id, ignore_index=True)
    return DataFrame[Release](table[list(Release.to_schema().columns)])


def _symbol(hidden: pd.Series, absent: pd.Series) -> npt.NDArray[np.str_]:
    return np.where(absent, "x", np.where(hidden, "c", ""))


def _hidden(table: pd.DataFrame, rule_of: pd.Series, **other: pd.Series | str) -> pd.Series:
    """Whether a cell is not cleared; `other` replaces parts of the cell's key."""
    key = pd.MultiIndex.from_frame(table.assign(**other)[CELL])
    return pd.Series(rule_of.reindex(key).to_numpy() != "", index=table.index)


def _estimates(estimates: pd.DataFrame, rule_of: pd.Series) -> pd.DataFrame:
    table = estimates.rename(columns={"estimate": "value", "ci_low": "low", "ci_high": "high"})
    symbol = _symbol(_hidden(table, rule_of), table[Estimates.population] == 0)
    return table.assign(comparison="estimate", reference="", established=np.nan, symbol=symbol)


def _changes(changes: pd.DataFrame, rule_of: pd.Series) -> pd.DataFrame:
    table = changes.rename(columns={"change": "value", "ci_low": "low", "ci_high": "high"})
    hidden = _hidden(table, rule_of) | _hidden(table, rule_of, wave=table[Changes.previous])
    symbol = _symbol(hidden, table[str(Changes.break_in_series)])
    return _established(table).assign(comparison="change", reference="", symbol=symbol)


def _benchmarks(benchmarks: pd.DataFrame, rule_of: pd.Series) -> pd.DataFrame:
    table = benchmarks.rename(columns={"difference": "value", "ci_low": "low", "ci_high": "high"})
    is_rest = table[Benchmarks.reference] == REST
    other = _hidden(table, rule_of, group=table[Benchmarks.reference])
    whole = _hidden(table, rule_of, breakdown=ALL, group=ALL)
    hidden = _hidden(table, rule_of) | whole.where(is_rest, other)
    symbol = _symbol(hidden, pd.Series(data=False, index=table.index))
    return _established(table).assign(comparison="difference", symbol=symbol)


def _established(table: pd.DataFrame) -> pd.DataFrame:
    """1 where the 95 % interval does not contain 0."""
    apart = (table["low"] > 0) | (table["high"] < 0)
    return table.assign(established=apart.astype(float))


def _round(figures: pd.DataFrame, p_percent: float) -> None:
    """Round in place to the indicator's decimals; intervals outwards, those of amounts widened.

    The half-width of an amount is measured from the printed value to the further end.
    """
    is_amount = ~figures["yes_no"]
    value, low, high = (figures[c].to_numpy(dtype=float) for c in ("value", "low", "high"))
    unit = 10.0 ** -figures[str(Indicators.decimals)].to_numpy(dtype=float)
    rounded = np.round(value / unit) * unit
    reach = np.where(high > low, np.maximum(high - rounded, rounded - low), high - low)
    half = _outwards(_step_up(reach * (1 + p_percent / 100)) / unit, np.ceil) * unit
    figures["value"] = rounded
    figures["low"] = np.where(is_amount, rounded - half, _outwards(low / unit, np.floor) * unit)
    figures["high"] = np.where(is_amount, rounded + half, _outwards(high / unit, np.ceil) * unit)


def _step_up(half: Floats) -> Floats:
    """The next of STEPS times a power of ten; 0 and NaN stay as they are."""
    positive = np.where(half > 0, half, 1.0)
    power = 10.0 ** np.floor(np.log10(positive))
    mantissa = np.minimum(positive / power, STEPS[-1]) - 1e-9  # a step itself stays
    return np.where(half > 0, STEPS[np.searchsorted(STEPS, mantissa)] * power, half)


def _outwards(units: Floats, direction: np.ufunc) -> Floats:
    """Round to whole units away from the estimate, but not for the last digits of a float."""
    near = np.round(units)
    return np.where(np.abs(units - near) < 1e-9, near, direction(units))


def _rows(figures: pd.DataFrame, figure: str, statistic: str) -> pd.DataFrame:
    """Rows of one statistic; NaN and the symbol where it is not shown."""
    shown = figures[Release.symbol] == ""
    decimals = 0 if figure in COUNTED else figures[str(Release.decimals)]
    value = figures[figure].astype(float).where(shown)
    absent = shown & value.isna()
    place = figures[Release.breakdown] + "=" + figures[Release.group]
    place = place.where(figures[Release.breakdown] != ALL, ALL)
    place += (":" + figures[Release.reference]).where(figures[Release.reference] != "", "")
    row = figures[Release.wave] + "/" + figures[Release.indicator] + "/" + place
    return pd.DataFrame(
        {
            Release.number_id: row + "/" + statistic,
            Release.wave: figures[Release.wave],
            Release.indicator: figures[Release.indicator],
            Release.breakdown: figures[Release.breakdown],
            Release.group: figures[Release.group],
            Release.reference: figures[Release.reference],
            Release.statistic: statistic,
            str(Release.value): value.round(10) + 0.0,
            str(Release.decimals): decimals,
            Release.symbol: figures[Release.symbol].where(~absent, "x"),
        }
    )

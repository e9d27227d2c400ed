"""Release: the cleared numbers, rounded as they are printed, each with its id."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.analyse.measures import rules_of
from pipeline.tables import Benchmarks, Changes, Clearance, Estimates, Indicators, Release
from pipeline.tables.flow import ALL, RESPONSE, REST

Floats = npt.NDArray[np.float64]
CELL = [Release.wave, Release.indicator, Release.breakdown, Release.group]
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
) -> DataFrame[Release]:
    """Every number that may be printed, one row each; what is suppressed keeps a row with `c`.

    Shares, balances and what is computed from them alone have their interval rounded outwards. A
    change needs both waves cleared, a difference the group, its reference and, where that is the
    rest, `all`. The exact standard error of an amount gives the largest firm away, so its interval
    is widened as `Clearance.widening` says and the half-width rounded up to two digits. A change or
    difference counts as established where the interval that is printed does not contain 0.
    """
    cleared = clearance.set_index(CELL)
    figures = pd.concat(
        [
            _estimates(estimates, cleared),
            _changes(changes, cleared),
            _benchmarks(benchmarks, cleared, estimates),
        ],
        ignore_index=True,
    )
    figures = figures.merge(indicators, on=Indicators.indicator)
    categorical = {name: rule.categorical for name, rule in rules_of(indicators).items()}
    figures["categorical"] = figures[Release.indicator].map(categorical)
    _round(figures)
    apart = (figures["low"] > 0) | (figures["high"] < 0)
    figures["established"] = apart.where(figures["value"].notna()).astype(float)
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


def _symbol(hidden: pd.Series, absent: pd.Series | npt.NDArray[np.bool_]) -> npt.NDArray[np.str_]:
    return np.where(absent, "x", np.where(hidden, "c", ""))


def _look_up(
    table: pd.DataFrame, cleared: pd.DataFrame, **other: pd.Series | str
) -> tuple[pd.Series, pd.Series]:
    """Whether each cell is hidden, and its widening; `other` replaces parts of the cell's key."""
    key = pd.MultiIndex.from_frame(table.assign(**other)[CELL])
    found = cleared[[Clearance.rule, str(Clearance.widening)]].reindex(key).set_axis(table.index)
    return found[Clearance.rule] != "", found[str(Clearance.widening)].fillna(1.0)


def _estimates(estimates: pd.DataFrame, cleared: pd.DataFrame) -> pd.DataFrame:
    table = estimates.rename(columns={"estimate": "value", "ci_low": "low", "ci_high": "high"})
    hidden, widening = _look_up(table, cleared)
    symbol = _symbol(hidden, table[Estimates.population] == 0)
    return table.assign(comparison="estimate", reference="", symbol=symbol, widening=widening)


def _changes(changes: pd.DataFrame, cleared: pd.DataFrame) -> pd.DataFrame:
    table = changes.rename(columns={"change": "value", "ci_low": "low", "ci_high": "high"})
    hidden, widening = _look_up(table, cleared)
    hidden_before, widening_before = _look_up(table, cleared, wave=table[Changes.previous])
    symbol = _symbol(hidden | hidden_before, table[str(Changes.break_in_series)])
    widest = np.maximum(widening, widening_before)
    return table.assign(comparison="change", reference="", symbol=symbol, widening=widest)


def _benchmarks(
    benchmarks: pd.DataFrame, cleared: pd.DataFrame, estimates: pd.DataFrame
) -> pd.DataFrame:
    """A difference is not available where a side has no firms in the register of that wave."""
    table = benchmarks.rename(columns={"difference": "value", "ci_low": "low", "ci_high": "high"})
    is_rest = table[Benchmarks.reference] == REST
    hidden, widening = _look_up(table, cleared)
    other, widening_other = _look_up(table, cleared, group=table[Benchmarks.reference])
    whole, widening_whole = _look_up(table, cleared, breakdown=ALL, group=ALL)
    empty = pd.MultiIndex.from_frame(estimates.loc[estimates[Estimates.population] == 0, CELL])
    sides = (table, table.assign(group=table[Benchmarks.reference]))
    absent = [pd.MultiIndex.from_frame(side[CELL]).isin(empty) for side in sides]
    symbol = _symbol(hidden | whole.where(is_rest, other), absent[0] | absent[1])
    widest = np.maximum(widening, widening_whole.where(is_rest, widening_other))
    return table.assign(comparison="difference", symbol=symbol, widening=widest)


def _round(figures: pd.DataFrame) -> None:
    """Round in place to the indicator's decimals, intervals outwards; widen those of amounts.

    The half-width of an amount is measured from the printed value to the further end. An interval
    without width (everybody answered) is the printed value.
    """
    is_amount = ~figures["categorical"]
    value, low, high = (figures[c].to_numpy(dtype=float) for c in ("value", "low", "high"))
    unit = 10.0 ** -figures[str(Indicators.decimals)].to_numpy(dtype=float)
    rounded = np.round(value / unit) * unit
    reach = np.maximum(high - rounded, rounded - low) * figures["widening"].to_numpy(dtype=float)
    half = _two_digits_up(reach, unit)
    ends = {
        "low": np.where(is_amount, rounded - half, _outwards(low / unit, np.floor) * unit),
        "high": np.where(is_amount, rounded + half, _outwards(high / unit, np.ceil) * unit),
    }
    figures["value"] = rounded
    for name, end in ends.items():
        figures[name] = np.where(high - low > 1e-9 * np.abs(value), end, rounded + 0.0 * low)


def _two_digits_up(half: Floats, unit: Floats) -> Floats:
    """The next number of two digits, but no finer than the unit; NaN stays."""
    positive = np.where(half > 0, half, unit)
    step = np.maximum(10.0 ** (np.floor(np.log10(positive)) - 1), unit)
    return np.where(np.isnan(half), np.nan, _outwards(positive / step, np.ceil) * step)


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

"""Release: the cleared numbers, rounded as they are printed, each with its id."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline import survey
from pipeline.analyse.grades import Thresholds, grades
from pipeline.analyse.measures import Rule, rules_of
from pipeline.analyse.rounding import round_figures, units
from pipeline.tables import (
    Benchmarks,
    Changes,
    Clearance,
    Estimates,
    Indicators,
    Quality,
    Release,
)
from pipeline.tables.flow import ALL, REPRESENTATIVITY, RESPONSE, REST

CELL = [Release.wave, Release.indicator, Release.breakdown, Release.group]
ENDS = {"value": "", "low": "_low", "high": "_high"}
CLAIM = ENDS | {"established": "_significant"}
STATISTICS = {
    "estimate": {"value": "estimate", "low": "ci_low", "high": "ci_high", "n": "n"},
    "pooled": {figure: f"pooled{end}" for figure, end in (ENDS | {"n": "_n"}).items()},
    **{
        name: {figure: f"{name}{end}" for figure, end in CLAIM.items()}
        for name in ("change", "trend", "difference", "adjusted")
    },
}
"""What each figure is called in the Release, by the kind of comparison."""
PUBLISHED = {
    "estimate": 0,
    "ci_low": 0,
    "ci_high": 0,
    "partial": 1,
    "weight_low": 2,
    "weight_high": 2,
    "design_effect": 2,
}
"""Measures of response and weights that are published, with their decimals."""
OUTWARDS = {"ci_low": np.floor, "ci_high": np.ceil}
"""How the ends of an interval are rounded."""
COUNTED = ("n", "population", "established")
"""Figures that are whole numbers whatever the indicator's decimals."""
LEVEL = 0.05
"""Chance that any claim on all firms is false; expected share of false claims on groups."""


@pa.check_types
def release(
    estimates: DataFrame[Estimates],
    changes: DataFrame[Changes],
    benchmarks: DataFrame[Benchmarks],
    clearance: DataFrame[Clearance],
    indicators: DataFrame[Indicators],
    *,
    quality: DataFrame[Quality],
    thresholds: Thresholds,
    coarse_below: int = 0,
) -> DataFrame[Release]:
    """Every number that may be printed, one row each; what is suppressed keeps a row with `c`.

    Shares, balances and what is computed from them alone have their interval rounded outwards, and
    of fewer than `coarse_below` answers they are printed in steps of five (see `units`). A change
    needs both waves cleared, a trend and a mean of waves all of them, a difference the group, its
    reference and, where that is the rest, `all`, an adjusted one also to be told beside the others
    (`Benchmarks.cleared`). The exact standard error of an amount gives the largest firm away, so
    its interval is widened as `Clearance.widening` says and the half-width of every amount rounded
    up to a coarse grid (see `round_figures`). What is too imprecise to be of use has the symbol `u`
    (see `grades`). A change, trend or difference counts as established where the interval that is
    printed does not contain 0 and its p-value, adjusted for all claims of its kind in the wave, is
    5 per cent at most: for all firms so that no claim is false (Holm 1979), for groups so that at
    most one claim in twenty is (Benjamini and Hochberg 1995).
    """
    cleared = clearance.set_index(CELL)
    figures = pd.concat(
        [
            _estimates(estimates, cleared),
            _changes(changes, cleared, estimates),
            _benchmarks(benchmarks, cleared, estimates),
        ],
        ignore_index=True,
    )
    figures = figures.merge(indicators, on=Indicators.indicator)
    rules = rules_of(indicators)
    categorical = {name: rule.categorical for name, rule in rules.items()}
    figures["categorical"] = figures[Release.indicator].map(categorical)
    # A line through several waves is flat where one year's change is not: one decimal more.
    figures[str(Release.decimals)] += figures["comparison"] == "trend"
    figures["reach"] = figures["detectable"] / ((figures["high"] - figures["low"]) / 2)
    figures["unit"] = _units(figures, rules, estimates, coarse_below)
    _round_and_grade(figures, thresholds)
    figures["detectable"] = _detectable(figures)
    figures["established"] = _established(figures)
    tables = [
        _rows(figures[figures["comparison"] == comparison], figure, statistic)
        for comparison, names in STATISTICS.items()
        for figure, statistic in names.items()
    ]
    counted = (figures[Release.indicator] == RESPONSE) & (figures["comparison"] == "estimate")
    tables.append(_rows(figures[counted], "population", "population"))
    everybody = (figures[Release.breakdown] == ALL) & (figures["comparison"] == "change")
    tables.append(_rows(figures[everybody], "detectable", "change_detectable"))
    if RESPONSE in rules and not rules[RESPONSE].sensitive:
        tables += _of_response(quality, figures)
    table = pd.concat(tables, ignore_index=True)
    table = table.sort_values(Release.number_id, ignore_index=True)
    return DataFrame[Release](table[list(Release.to_schema().columns)])


def _round_and_grade(figures: pd.DataFrame, thresholds: Thresholds) -> None:
    """Round and grade in place, with the symbol `u` where the figure is of no use.

    Amounts by the interval that is printed: a letter for the exact error would undo its rounding.
    """
    exact = figures[["low", "high"]].copy()
    round_figures(figures)
    wider = (figures["high"] - figures["low"]) / (exact["high"] - exact["low"])
    printed = figures["se"] * wider.where(~figures["categorical"]).fillna(1.0)
    graded = figures.assign(se=printed, low=exact["low"], high=exact["high"])
    figures[Release.grade] = grades(graded, thresholds)
    useless = (figures[Release.grade] == "D") & (figures[Release.symbol] == "")
    figures[Release.symbol] = figures[Release.symbol].mask(useless, "u")


def _units(
    figures: pd.DataFrame, rules: Mapping[str, Rule], estimates: pd.DataFrame, coarse_below: int
) -> npt.NDArray[np.float64]:
    """To what each figure is rounded; of several waves as coarsely as the coarsest by itself.

    Whole points of a mean of two waves would undo the steps of five of one of them. A trend takes
    all waves from its first to its last, a difference both sides in its wave.
    """
    told = {name for name, rule in rules.items() if rule.categorical and rule.sensitive}
    n = figures["n"].to_numpy(dtype=float)
    since = figures[Changes.previous].fillna(figures[Release.wave])
    for wave in sorted(set(estimates[Estimates.wave])):
        used = (since == wave) | (figures[Release.wave] == wave)
        used |= (since < wave) & (wave < figures[Release.wave]) & (figures["comparison"] == "trend")
        then = _of_group("n", figures, estimates, wave=wave).where(used)
        n = np.fmin(n, then.to_numpy(dtype=float))
    decimals = figures[str(Release.decimals)].to_numpy(dtype=float)
    return units(decimals, n, figures[Release.indicator].isin(told).to_numpy(), coarse_below)


def _established(figures: pd.DataFrame) -> pd.Series[float]:
    """Whether each claim is established: 1, 0, or NaN where there is none to be made.

    Claims of one kind are a family, wave by wave: those on all firms by Holm, as headlines are
    made of them, those on groups by Benjamini and Hochberg.
    """
    shown = (figures[Release.symbol] == "") & figures["value"].notna() & figures["p"].notna()
    adjusted = pd.Series(np.nan, figures.index)
    everybody = (figures[Release.breakdown] == ALL).rename("everybody")
    kinds = [figures[Release.wave], figures["comparison"], everybody]
    for (_, _, all_firms), claims in figures[shown].groupby([kind[shown] for kind in kinds]):
        adjust = survey.holm if all_firms else survey.benjamini_hochberg
        adjusted[claims.index] = adjust(claims["p"])
    apart = (figures["low"] > 0) | (figures["high"] < 0)
    return (apart & (adjusted <= LEVEL)).where(figures["value"].notna()).astype(float)


def _detectable(figures: pd.DataFrame) -> pd.Series[float]:
    """Smallest detectable change, rounded up, from the interval that is printed.

    The exact one would tell the standard error, which an amount's interval was widened to hide.
    """
    unit = figures["unit"]
    half = (figures["high"] - figures["low"]) / 2
    return pd.Series(np.ceil((figures["reach"] * half / unit).round(6)) * unit, figures.index)


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
    """Estimates of a wave, and means of it and the one before, of which both must be cleared."""
    table = estimates.rename(columns={"estimate": "value", "ci_low": "low", "ci_high": "high"})
    before = {wave: earlier for earlier, wave in pairwise(sorted(set(table[Estimates.wave])))}
    hidden, widening = _look_up(table, cleared)
    earlier = pd.Series([before.get(w, "") for w in table[Estimates.wave]], table.index, dtype=str)
    hidden_before, widening_before = _look_up(table, cleared, wave=earlier)
    is_pooled = table[str(Estimates.waves)] > 1
    return table.assign(
        comparison=np.where(is_pooled, "pooled", "estimate"),
        reference="",
        level=table["value"],
        symbol=_symbol(hidden | (is_pooled & hidden_before), table[Estimates.population] == 0),
        widening=np.where(is_pooled, np.maximum(widening, widening_before), widening),
        previous=earlier.where(is_pooled),
    )


def _changes(changes: pd.DataFrame, cleared: pd.DataFrame, estimates: pd.DataFrame) -> pd.DataFrame:
    """Changes and trends; of a trend every wave with the indicator must be cleared."""
    table = changes.rename(columns={"change": "value", "ci_low": "low", "ci_high": "high"})
    waves = sorted(set(cleared.index.get_level_values(Release.wave)))
    levels = (Release.wave, Release.indicator)
    known = set(zip(*(cleared.index.get_level_values(level) for level in levels), strict=True))
    hidden, widening = _look_up(table, cleared)
    for wave in waves:
        ends = table[Changes.previous] == wave
        between = (table[Changes.previous] < wave) & (table[Changes.wave] > wave)
        asked = np.array([(wave, name) in known for name in table[Changes.indicator]], dtype=bool)
        needed = ends | (between & (table[Changes.comparison] == "trend") & asked)
        hidden_then, widening_then = _look_up(table, cleared, wave=wave)
        hidden |= needed & hidden_then
        widening = widening.where(~needed, np.maximum(widening, widening_then))
    return table.assign(
        reference="",
        level=_of_group("estimate", table, estimates),
        n=np.minimum(
            _of_group("n", table, estimates),
            _of_group("n", table, estimates, wave=table[Changes.previous]),
        ),
        symbol=_symbol(hidden, table[str(Changes.break_in_series)]),
        widening=widening,
    )


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
    alone = table[str(Benchmarks.adjusted)] & table["value"].isna()
    hidden |= whole.where(is_rest, other) | ~table[str(Benchmarks.cleared)]
    return table.assign(
        comparison=np.where(table[str(Benchmarks.adjusted)], "adjusted", "difference"),
        level=_of_group("estimate", table, estimates),
        n=np.minimum(_of_group("n", table, estimates), table[str(Benchmarks.n_reference)]),
        symbol=_symbol(hidden, absent[0] | absent[1] | alone),
        widening=np.maximum(widening, widening_whole.where(is_rest, widening_other)),
    )


def _of_group(
    column: str, table: pd.DataFrame, estimates: pd.DataFrame, **other: pd.Series | str
) -> pd.Series[float]:
    """What the group of a comparison has in its wave by itself; `other` as in `_look_up`."""
    own = estimates[estimates[str(Estimates.waves)] == 1].set_index(CELL)[column]
    key = pd.MultiIndex.from_frame(table.assign(**other)[CELL])
    return own.reindex(key).set_axis(table.index)


def _of_response(quality: pd.DataFrame, figures: pd.DataFrame) -> list[pd.DataFrame]:
    """What is published of response and weights where the response rate of all firms is.

    Only where participation is no secret: with the rate, how much that of the groups of a variable
    differs (or the largest weight) tells the rate of a group that is suppressed.
    """
    rate = figures[(figures[Release.indicator] == RESPONSE) & (figures[Release.breakdown] == ALL)]
    shown = set(rate.loc[(rate[Release.symbol] == "") & rate["value"].notna(), Release.wave])
    named = quality.rename(columns={Quality.variable: Release.breakdown}).assign(
        indicator=REPRESENTATIVITY, reference="", symbol="", grade=""
    )
    named = named[named[Quality.wave].isin(shown) & (named[Quality.population] == ALL)]
    tables = []
    for measure, decimals in PUBLISHED.items():
        rows = named[(named[Quality.measure] == measure) & (named[Quality.group] == ALL)]
        value = OUTWARDS.get(measure, np.round)(rows["value"] * 10**decimals) / 10**decimals
        rows = rows.assign(value=value, decimals=decimals)
        tables.append(_rows(rows, "value", measure))
    return tables


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
    # The letter of a suppressed figure would tell how alike its firms are.
    grade = figures[Release.grade].where(shown | (figures[Release.symbol] == "u"), "")
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
            Release.grade: grade.mask(absent, "") if figure == "value" else "",
        }
    )

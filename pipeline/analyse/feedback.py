"""Feedback: what each firm may be told of itself among its peers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline import disclosure
from pipeline.analyse.domains import GROUP, groups_of
from pipeline.analyse.measures import Floats, Ints, Rule, rules_of
from pipeline.analyse.peers import Printed, open_groups, peers_of, quartiles
from pipeline.analyse.series import limits_of, series_of
from pipeline.tables import (
    BenchmarkPairs,
    Clearance,
    Contributions,
    Feedback,
    Indicators,
    Register,
    Release,
)
from pipeline.tables.flow import ALL

AMOUNTS = ("mean", "ratio")
"""Kinds of indicators of which a firm may have a figure of its own, not only yes or no."""
QUARTILES = {"peers_lower": "lower", "peers_middle": "middle", "peers_upper": "upper"}
"""Statistics of the Release, and what they are called in Feedback."""
FIRM = [Feedback.wave, Feedback.indicator, Feedback.firm_id]
CELL = [Release.wave, Release.indicator, Release.breakdown, Release.group]


@pa.check_types
def feedback(
    contributions: DataFrame[Contributions],
    register: DataFrame[Register],
    indicators: DataFrame[Indicators],
    clearance: DataFrame[Clearance],
    release: DataFrame[Release],
    *,
    peers: Sequence[str],
    min_peers: int,
    rules: disclosure.Rules,
    min_contributors_high: int,
) -> tuple[DataFrame[Release], DataFrame[Feedback]]:
    """What each firm of the newest wave is told beside its peers; what of it is new is released.

    Its peers are the firms of its group in the first of the breakdowns `peers`, at last all, that
    is open: the estimate is cleared and printed, and whichever holding reads, the others are
    `min_peers` at least and obey the primary rules. A group that fails one reader is closed to all.
    Everybody in a group is told the same: the estimate and, of an amount, smoothed and rounded
    quartiles, or none (`c`) where two readers who compare notes could work out a third firm. All
    else follows from the release and the firm's own figure.
    """
    wave = max(release[Release.wave], default="")
    kinds = {n: r for n, r in rules_of(indicators).items() if not r.parts and r.kind != "total"}
    own = contributions.loc[contributions[Contributions.wave] == wave]
    own = own.loc[own[Contributions.indicator].isin(kinds)]
    listed = register.loc[register[Register.wave] == wave]
    groups = _hierarchy(listed, peers)
    printed = _printed(release, wave, indicators, groups, clearance)
    limits = limits_of(kinds, rules, min_contributors_high)
    firms: list[pd.DataFrame] = [Feedback.empty()[[*FIRM, *GROUP, str(Feedback.value)]]]
    told: list[pd.DataFrame] = [release]
    for name, members, series in series_of(own, listed, groups, kinds, limits):
        has_figure = series.denominator > 0
        cells = members & has_figure
        may = ~np.isnan(printed[name].value)
        place = peers_of(cells, open_groups(cells, may, series, min_peers))
        figures = kinds[name].scale * np.divide(
            series.numerator, series.denominator, out=np.zeros(len(place)), where=has_figure
        )
        rows = own.loc[(own[Contributions.indicator] == name) & own[str(Contributions.in_base)]]
        rows = rows.sort_values(Contributions.firm_id)[FIRM].assign(value=figures)
        beside = groups.iloc[place[place >= 0]].set_index(rows.index[place >= 0])
        firms.append(rows[place >= 0].join(beside))
        if kinds[name].kind in AMOUNTS and not kinds[name].categorical:
            found = quartiles(figures, cells, np.unique(place[place >= 0]), series, printed[name])
            same = {"wave": wave, "indicator": name, "decimals": printed[name].decimals}
            told += [_told(groups.iloc[row], ends).assign(**same) for row, ends in found]
    released = _identified(told)
    return released, _seen(pd.concat(firms, ignore_index=True), released, kinds)


@pa.check_types
def retell(
    firms: DataFrame[Feedback], release: DataFrame[Release], indicators: DataFrame[Indicators]
) -> DataFrame[Feedback]:
    """Feedback with the numbers on each group as they are released, where its estimate is."""
    is_level = (release[Release.statistic] == "estimate") & (release[Release.reference] == "")
    shown = pd.MultiIndex.from_frame(release.loc[is_level & (release[Release.symbol] == ""), CELL])
    own = firms.loc[pd.MultiIndex.from_frame(firms[CELL]).isin(shown)].reset_index(drop=True)
    own = own[[*FIRM, *GROUP, str(Feedback.value)]]
    return _seen(own, release, rules_of(indicators))


def _hierarchy(listed: pd.DataFrame, peers: Sequence[str]) -> pd.DataFrame:
    """The groups of a wave in which firms may find their peers, the narrowest breakdown first."""
    groups = groups_of(listed, peers, BenchmarkPairs.empty())
    order = {name: place for place, name in enumerate([*peers, ALL])}
    place = groups[Release.breakdown].map(order).to_numpy()
    return groups[GROUP].iloc[np.argsort(place, kind="stable")].reset_index(drop=True)


def _printed(
    release: pd.DataFrame,
    wave: str,
    indicators: pd.DataFrame,
    groups: pd.DataFrame,
    clearance: pd.DataFrame,
) -> dict[str, Printed]:
    """The estimates of each indicator that are cleared and printed, in the order of the groups."""
    cleared = pd.MultiIndex.from_frame(clearance.loc[clearance[Clearance.rule] == "", CELL])
    is_level = (release[Release.statistic] == "estimate") & (release[Release.reference] == "")
    values = release[is_level].set_index(CELL)[str(Release.value)]
    values = values[values.index.isin(cleared)]
    found = {}
    for name, decimals in zip(
        indicators[Indicators.indicator], indicators[str(Indicators.decimals)], strict=True
    ):
        key = pd.MultiIndex.from_frame(groups.assign(wave=wave, indicator=name)[CELL])
        found[str(name)] = Printed(values.reindex(key).to_numpy(dtype=float), int(decimals))
    return found


def _told(group: pd.Series[str], ends: Floats) -> pd.DataFrame:
    """The quartiles of a group as rows of the Release."""
    rows = pd.DataFrame({Release.statistic: list(QUARTILES), str(Release.value): ends})
    symbol = np.where(np.isnan(ends), "c", "")
    return rows.assign(symbol=symbol, reference="", grade="", **group)


def _identified(tables: Sequence[pd.DataFrame]) -> DataFrame[Release]:
    """The release with further rows, which are given their id."""
    table = pd.concat(tables, ignore_index=True)
    breakdown = table[Release.breakdown]
    place = (breakdown + "=" + table[Release.group]).where(breakdown != ALL, ALL)
    identity = table[Release.wave] + "/" + table[Release.indicator] + "/" + place + "/"
    identity += table[Release.statistic]
    table[Release.number_id] = table[Release.number_id].fillna(identity)
    table = table.sort_values(Release.number_id, ignore_index=True)
    return DataFrame[Release](table[list(Release.to_schema().columns)])


def _seen(
    firms: pd.DataFrame, release: pd.DataFrame, kinds: Mapping[str, Rule]
) -> DataFrame[Feedback]:
    """Each firm's figure beside the numbers of the release on its group, and what follows."""
    names = {name: name for name in ("estimate", "n")} | QUARTILES
    rows = release.loc[release[Release.statistic].isin(names) & (release[Release.reference] == "")]
    statistics = rows.assign(statistic=rows[Release.statistic].map(names)).set_index(
        [*CELL, Release.statistic]
    )
    key = pd.MultiIndex.from_frame(firms[CELL])
    public = statistics[str(Release.value)].unstack().reindex(columns=list(names.values()))
    symbol = statistics[Release.symbol].unstack().reindex(columns=["lower"])["lower"]
    table = pd.concat([firms, public.reindex(key).reset_index(drop=True)], axis=1)
    table[Feedback.symbol] = symbol.reindex(key).astype(object).fillna("").to_numpy()
    value = table[str(Feedback.value)].to_numpy(dtype=float)
    low, high = quarters(value, table[list(QUARTILES.values())].to_numpy(dtype=float))
    shares = {name: rule.scale for name, rule in kinds.items() if rule.kind == "share"}
    scale = table[Feedback.indicator].map(shares).astype(float)
    yes = 100 * table[str(Feedback.estimate)] / scale
    table = table.assign(
        quarter_low=low, quarter_high=high, same=yes.where(value > 0, 100 - yes).round(10)
    )
    table = table.sort_values(FIRM, ignore_index=True)
    types = Feedback.empty().dtypes.to_dict()
    return DataFrame[Feedback](table[list(types)].astype(types))


def quarters(values: Floats, quartiles: Floats) -> tuple[Ints, Ints]:
    """Lowest and highest quarter, 1 to 4, in which values (n,) are by quartiles (n, 3); 0 for none.

    A value equal to a quartile is below it; quartiles that are equal leave open on which side.
    """
    told = ~np.isnan(quartiles).any(axis=1)
    below = 1 + (quartiles < values[:, None]).sum(axis=1)
    high = np.maximum(below, (quartiles <= values[:, None]).sum(axis=1))
    return np.where(told, below, 0).astype(np.int64), np.where(told, high, 0).astype(np.int64)

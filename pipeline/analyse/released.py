"""What was released before, beside the numbers of a draft: it stays, and others are added."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.analyse.domains import GROUP, Bools
from pipeline.analyse.release import STATISTICS
from pipeline.tables import Release, Released, Revisions
from pipeline.tables.flow import ALL, REST

NOTHING = DataFrame[Released](Released.empty())
"""The ledger of a study that has released nothing."""
PRINTED = [str(Release.value), str(Release.decimals), Release.symbol, Release.grade]
FIGURE = {name: names["value"] for names in STATISTICS.values() for name in names.values()}
FIGURE |= {"population": "estimate", "change_detectable": "change"}
"""The number of which each is the interval, the count or the verdict."""
COUNTS = ("n", "pooled_n")
OVER_TIME = ("pooled", "change", "trend")
"""Figures of several waves."""
CELL = [Release.wave, Release.indicator, *GROUP]


def facts_of(released: pd.DataFrame, groups: pd.DataFrame) -> dict[tuple[str, str], Bools]:
    """Groups (k,) of which a number was ever shown, by wave and indicator: known to everybody.

    Of any edition, as what was told cannot be taken back by a later one. A number tells of all
    cells that it is made of, whether their own estimates were shown or not (see `_made_of`): with
    the estimate of a wave, the mean of two waves tells that of the other one. A count of no
    answers tells of none.
    """
    shown = released[released[Released.symbol] == ""]
    nobody = shown[Released.statistic].isin(COUNTS) & (shown[str(Released.value)] == 0)
    told = _made_of(shown[~nobody], _levels(released)).drop_duplicates(ignore_index=True)
    place = pd.MultiIndex.from_frame(groups[GROUP])
    at = pd.Series(place.get_indexer(pd.MultiIndex.from_frame(told[GROUP])), told.index)
    by_series = at[at >= 0].groupby([told[Released.wave], told[Released.indicator]])
    numbers = np.arange(len(groups))
    return {(str(wave), str(name)): np.isin(numbers, rows) for (wave, name), rows in by_series}


@pa.check_types
def as_released(
    release: DataFrame[Release], released: DataFrame[Released], *, changed: Collection[str]
) -> tuple[DataFrame[Release], DataFrame[Revisions]]:
    """The numbers of a draft as they were released, and how each stands to the releases.

    What was released keeps its value, symbol and grade, whatever it would come to today and in
    which wave: its revision would be one more number, which tells of the firms that were corrected.
    So a later edition only adds numbers. It adds none (`c`) of a group whose estimate was
    suppressed, as that would undo the suppression. Nor does it of a wave with `changed` raw files,
    or of an indicator in a wave in which a released estimate or n comes out differently today:
    what was released of them is not what the audit has worked out again, so nothing new could be
    audited beside it. A comparison is of all groups and waves that it is made of.

    Of a figure that is not shown, the first number stands for the others (`Released`).
    """
    then = _then(release, released)
    known, same = then["known"], _same(release, then)
    lost, suppressed = _closed(release, released, then, changed)
    shown, is_number = release[Release.symbol] == "", release[Release.symbol] != "x"
    table = release.copy()
    table[PRINTED] = table[PRINTED].mask(known & ~same, then[PRINTED])
    closed = (lost | suppressed) & is_number
    table[Release.symbol] = table[Release.symbol].mask(closed, "c")
    table[Release.grade] = table[Release.grade].mask(closed, "")
    table[str(Release.value)] = table[str(Release.value)].mask(closed)
    hidden = table[Release.symbol] != ""
    status = np.select(
        [known & ~same, lost & shown, hidden, ~known],
        ["changed", "withheld", "suppressed", "new"],
        "unchanged",
    )
    written = ~known & ~lost & ~suppressed & ~_spoken_for(table, released)
    stands = {Revisions.number_id: _ids(release), Revisions.status: status, "written": written}
    return (
        DataFrame[Release](table.astype(release.dtypes.to_dict())),
        DataFrame[Revisions](pd.DataFrame(stands)),
    )


def _closed(
    release: pd.DataFrame, released: pd.DataFrame, then: pd.DataFrame, changed: Collection[str]
) -> tuple[Bools, Bools]:
    """Numbers that were never released, and are made of what is not told anew.

    Of what cannot be worked out again as it was released; of what was suppressed.
    """
    level = release[Release.statistic].isin(["estimate", "n"])
    both = level & then["known"] & (then[Released.symbol] == "")
    moved = both & (release[Release.symbol].isin(["", "x"]) & ~_same_value(release, then))
    series = [Release.wave, Release.indicator]
    others = pd.MultiIndex.from_frame(release.loc[moved, series])
    last = released.drop_duplicates(Released.number_id, keep="last")
    is_hidden = (last[Released.statistic] == "estimate") & (last[Released.symbol] == "c")
    hidden = pd.MultiIndex.from_frame(last.loc[is_hidden, CELL])
    made_of = _made_of(release[~then["known"]], _levels(release))
    lost = made_of[Release.wave].isin(changed).to_numpy(copy=True)
    lost |= pd.MultiIndex.from_frame(made_of[series]).isin(others)
    suppressed = pd.MultiIndex.from_frame(made_of[CELL]).isin(hidden)
    rows = release.index
    return rows.isin(made_of.index[lost]), rows.isin(made_of.index[suppressed])


def _levels(numbers: pd.DataFrame) -> pd.DataFrame:
    """Cells of which there may be an estimate: those of any number, but for what is `x`."""
    cells = numbers[CELL].drop_duplicates()
    absent = (numbers[Release.statistic] == "estimate") & (numbers[Release.symbol] == "x")
    without = pd.MultiIndex.from_frame(numbers.loc[absent, CELL])
    return cells[~pd.MultiIndex.from_frame(cells).isin(without)]


def _made_of(numbers: pd.DataFrame, levels: pd.DataFrame) -> pd.DataFrame:
    """The cells that each number is made of, under its index; `levels` are those that there are.

    Its own; those of the reference of a difference (where that is the rest, of all); the last one
    before of a change or a mean of two waves; all before of a trend, of which it is not said where
    it begins.
    """
    own, reference = numbers[CELL], numbers[Release.reference]
    is_rest = reference == REST
    other = own.assign(**{Release.group: reference.mask(is_rest, ALL)})
    other[Release.breakdown] = other[Release.breakdown].mask(is_rest, ALL)
    figure = numbers[Release.statistic].map(FIGURE)
    later = own[figure.isin(OVER_TIME)].assign(figure=figure).reset_index(names="row")
    before = later.merge(levels, on=[Release.indicator, *GROUP], suffixes=("_own", ""))
    before = before[before[Release.wave] < before[f"{Release.wave}_own"]]
    is_last = before[Release.wave] == before.groupby("row")[Release.wave].transform("max")
    before = before[is_last | (before["figure"] == "trend")].set_index("row")
    return pd.concat([own, other[reference != ""], before[CELL]])


def _spoken_for(table: pd.DataFrame, released: pd.DataFrame) -> pd.Series[bool]:
    """Numbers that are not shown, as little as the one that stands for them."""
    ids, main = _ids(table), _stand_ins(table)
    symbols = table[Release.symbol].set_axis(pd.Index(ids))
    alike = symbols.to_numpy() == symbols.reindex(main).to_numpy()
    hidden = table[Release.symbol] != ""
    found: pd.Series[bool] = (main != ids) & hidden & alike & ~ids.isin(_ids(released))
    return found


def _ids(table: pd.DataFrame) -> pd.Series[str]:
    """The ids as Python's own strings, which pandas finds several times faster."""
    return table[Release.number_id].astype(object)


def _stand_ins(release: pd.DataFrame) -> pd.Series[str]:
    """Ids of what stands for each number where it is not shown."""
    stems = [name.rpartition("/")[0] + "/" for name in _ids(release)]
    statistics = release[Release.statistic].tolist()
    main = [f"{s}{FIGURE.get(name, name)}" for s, name in zip(stems, statistics, strict=True)]
    return pd.Series(main, release.index, dtype=object)


def _then(release: pd.DataFrame, released: pd.DataFrame) -> pd.DataFrame:
    """What was released of each number, by the rows of `release`; `known` where there is any.

    A number that has no row of its own has the symbol of the one that stands for it.
    """
    last = released.assign(number_id=_ids(released))
    last = last.drop_duplicates(Released.number_id, keep="last")
    last = last.set_index(Released.number_id)[PRINTED]
    ids = _ids(release)
    then = last.reindex(ids).set_axis(release.index)
    then["known"] = ids.isin(last.index)
    symbol = last[Released.symbol].reindex(_stand_ins(release)).set_axis(release.index)
    spoken_for = ~then["known"] & symbol.isin(["c", "x", "z", "u"])
    then[Released.symbol] = then[Released.symbol].mask(spoken_for, symbol)
    then[Released.grade] = then[Released.grade].mask(spoken_for, "")
    then["known"] |= spoken_for
    own = release[str(Release.decimals)]
    then[str(Released.decimals)] = then[str(Released.decimals)].fillna(own).astype("int64")
    return then


def _same_value(release: pd.DataFrame, then: pd.DataFrame) -> pd.Series[bool]:
    """Whether each value is printed as it was; values are rounded, so to half a step."""
    now, value = release[str(Release.value)], then[str(Released.value)]
    step = 10.0 ** -release[str(Release.decimals)].astype(float)
    equal = ((now - value).abs() < step / 2) | (now.isna() & value.isna())
    return equal & (release[str(Release.decimals)] == then[str(Released.decimals)])


def _same(release: pd.DataFrame, then: pd.DataFrame) -> pd.Series[bool]:
    """Whether each number is printed as it was, also with its symbol and grade."""
    equal = _same_value(release, then)
    for column in (Release.symbol, Release.grade):
        equal &= release[column] == then[column]
    return equal

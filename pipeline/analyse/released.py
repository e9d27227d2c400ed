"""What was released before, beside the numbers of a draft: kept as it was, or told anew."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.analyse.domains import GROUP, Bools
from pipeline.analyse.release import STATISTICS
from pipeline.tables import Release, Released, Revisions

NOTHING = DataFrame[Released](Released.empty())
"""The ledger of a study that has released nothing."""
PRINTED = [str(Release.value), str(Release.decimals), Release.symbol, Release.grade]
FIGURE = {name: names["value"] for names in STATISTICS.values() for name in names.values()}
FIGURE |= {"population": "estimate", "change_detectable": "change"}
"""The number of which each is the interval, the count or the verdict."""


def facts_of(released: pd.DataFrame, groups: pd.DataFrame) -> dict[tuple[str, str], Bools]:
    """Groups (k,) of which an estimate was ever shown, by wave and indicator: known to everybody.

    Of any edition, as what was told cannot be taken back by a later one.
    """
    estimates = released[Released.statistic] == "estimate"
    shown = released[estimates & (released[Released.symbol] == "")]
    place = pd.MultiIndex.from_frame(groups[GROUP])
    at = pd.Series(place.get_indexer(pd.MultiIndex.from_frame(shown[GROUP])), shown.index)
    by_series = at[at >= 0].groupby([shown[Released.wave], shown[Released.indicator]])
    numbers = np.arange(len(groups))
    return {(str(wave), str(name)): np.isin(numbers, rows) for (wave, name), rows in by_series}


@pa.check_types
def as_released(
    release: DataFrame[Release], released: DataFrame[Released], *, wave: str
) -> DataFrame[Release]:
    """The numbers of a draft, those of earlier waves as they were released.

    A number of a wave before `wave` that was released keeps its value, symbol and grade, whatever
    it would come to today: its revision would be one more number, which tells of the firms that
    were corrected. Nothing new is told of a group whose estimate was suppressed.
    """
    then = _then(release, released)
    kept = (release[Release.wave] < wave) & then["known"] & ~_same(release, then)
    table = release.copy()
    table[PRINTED] = table[PRINTED].mask(kept, then[PRINTED])
    return DataFrame[Release](table.astype(release.dtypes.to_dict()))


@pa.check_types
def revisions(release: DataFrame[Release], released: DataFrame[Released]) -> DataFrame[Revisions]:
    """How each number of a draft stands to what was released, and whether a release would add it.

    Of a figure that is not shown, the first number stands for the others (`Released`).
    """
    then = _then(release, released)
    known, same = then["known"], _same(release, then)
    hidden = release[Release.symbol] != ""
    ids, (main, _) = _ids(release), _stand_ins(release)
    symbols = release[Release.symbol].set_axis(pd.Index(ids))
    spoken_for = (main != ids) & hidden & (symbols.to_numpy() == symbols.reindex(main).to_numpy())
    spoken_for &= ~ids.isin(_ids(released))
    status = np.select(
        [known & ~same, hidden, ~known], ["changed", "suppressed", "new"], "unchanged"
    )
    table = {
        Revisions.number_id: ids,
        Revisions.status: status,
        str(Revisions.written): ~(known & same) & ~spoken_for,
    }
    return DataFrame[Revisions](pd.DataFrame(table))


def _ids(table: pd.DataFrame) -> pd.Series[str]:
    """The ids as Python's own strings, which pandas finds several times faster."""
    return table[Release.number_id].astype(object)


def _stand_ins(release: pd.DataFrame) -> tuple[pd.Series[str], pd.Series[str]]:
    """Ids of what stands for each number where it is not shown, and of its group's estimate."""
    stems = [name.rpartition("/")[0] + "/" for name in _ids(release)]
    statistics = release[Release.statistic].tolist()
    main = [f"{s}{FIGURE.get(name, name)}" for s, name in zip(stems, statistics, strict=True)]
    estimate = [f"{stem}estimate" for stem in stems]
    index = release.index
    return pd.Series(main, index, dtype=object), pd.Series(estimate, index, dtype=object)


def _then(release: pd.DataFrame, released: pd.DataFrame) -> pd.DataFrame:
    """What was last released of each number, by the rows of `release`; `known` where there is any.

    A number that has no row of its own has the symbol of the one that stands for it, and is
    confidential where the estimate of its group is.
    """
    last = released.assign(number_id=_ids(released))
    last = last.drop_duplicates(Released.number_id, keep="last")
    last = last.set_index(Released.number_id)[PRINTED]
    ids, (main, estimate) = _ids(release), _stand_ins(release)
    then = last.reindex(ids).set_axis(release.index)
    then["known"] = ids.isin(last.index)
    for other, symbols in ((main, ("c", "x", "z", "u")), (estimate, ("c",))):
        symbol = last[Released.symbol].reindex(other).set_axis(release.index)
        spoken_for = ~then["known"] & symbol.isin(symbols)
        then[Released.symbol] = then[Released.symbol].mask(spoken_for, symbol)
        then[Released.grade] = then[Released.grade].mask(spoken_for, "")
        then["known"] |= spoken_for
    own = release[str(Release.decimals)]
    then[str(Released.decimals)] = then[str(Released.decimals)].fillna(own).astype("int64")
    return then


def _same(release: pd.DataFrame, then: pd.DataFrame) -> pd.Series[bool]:
    """Whether each number is printed as it was; values are rounded, so to half a step."""
    now = release[str(Release.value)]
    step = 10.0 ** -release[str(Release.decimals)].astype(float)
    value = then[str(Released.value)]
    equal = ((now - value).abs() < step / 2) | (now.isna() & value.isna())
    for column in PRINTED[1:]:
        equal &= release[column] == then[column]
    return equal

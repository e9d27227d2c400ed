"""Coarser: which merges of two groups would take fewer cells out of the newest wave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline import disclosure
from pipeline.analyse.domains import GROUP, Bools, groups_of
from pipeline.analyse.measures import Ints, Rule, rules_of
from pipeline.analyse.merges import Merge, candidates
from pipeline.analyse.protect import suppress
from pipeline.analyse.series import Series, limits_of, series_of
from pipeline.errors import DisclosureError
from pipeline.tables import (
    BenchmarkPairs,
    Clearance,
    Contributions,
    Indicators,
    Proposals,
    Register,
)
from pipeline.tables.flow import REPRESENTATIVITY, RESPONSE

_WORKED_THROUGH = 6
_AS_IT_IS = Merge()


@pa.check_types
def propose_groups(
    contributions: DataFrame[Contributions],
    register: DataFrame[Register],
    indicators: DataFrame[Indicators],
    pairs: DataFrame[BenchmarkPairs],
    clearance: DataFrame[Clearance],
    *,
    breakdowns: Sequence[str],
    ordered: Mapping[str, Sequence[str]],
    rules: disclosure.Rules,
    min_contributors_high: int,
) -> DataFrame[Proposals]:
    """What each merge of two groups would spare in the newest wave; see `Proposals`.

    Of a column that is `ordered` (its codes in order) neighbours are merged, of any other two of
    the six groups with the fewest firms; crossings and reference groups are merged with it. All
    merges are judged by the primary rules. The best of each column, and the next best up to six,
    are worked through as `protect` does: a merged group went in the wave before if all of it did.
    A merge that the audit refuses has no result.
    """
    kinds = {name: k for name, k in rules_of(indicators).items() if name != REPRESENTATIVITY}
    limits = limits_of(rules_of(indicators), rules, min_contributors_high)
    trials = _Trials(
        contributions, register, pairs, clearance, breakdowns, kinds=kinds, limits=limits
    )
    merges = [_AS_IT_IS, *candidates(trials.listed, breakdowns, ordered)]
    judged = trials.judged(merges)
    outcomes = {merge: trials.outcome(merge) for merge in (_AS_IT_IS, *_best(judged))}
    nothing = (np.nan, np.nan)
    rows = [
        (trials.wave, *merge, *judged[merge], *outcomes.get(merge, nothing)) for merge in merges
    ]
    table = pd.DataFrame(rows, columns=list(Proposals.to_schema().columns))
    return DataFrame[Proposals](table.astype(Proposals.empty().dtypes.to_dict()))


def _best(judged: Mapping[Merge, tuple[int, int]]) -> list[Merge]:
    """Merges that spare most cells by the primary rules: the first of each column, then others.

    Of equals the one that leaves more cells.
    """
    of_all = judged[_AS_IT_IS][1]
    better = [merge for merge, (_, broken) in judged.items() if broken < of_all]
    better.sort(key=lambda merge: (judged[merge][1], -judged[merge][0]))
    first = {merge.column: merge for merge in reversed(better)}.values()
    better.sort(key=lambda merge: merge not in first)
    return better[:_WORKED_THROUGH]


class _Trials:
    """The newest wave of the register under different merges; indicators that are `kinds`."""

    def __init__(
        self,
        contributions: pd.DataFrame,
        register: pd.DataFrame,
        pairs: pd.DataFrame,
        clearance: pd.DataFrame,
        breakdowns: Sequence[str],
        *,
        kinds: Mapping[str, Rule],
        limits: Mapping[str, disclosure.Rules],
    ) -> None:
        self.wave = str(register[Register.wave].max())
        self.listed = register.loc[register[Register.wave] == self.wave]
        self._contributions = contributions.loc[contributions[Contributions.wave] == self.wave]
        self._register, self._pairs, self._breakdowns = register, pairs, breakdowns
        self._kinds, self._limits = kinds, limits
        earlier = clearance.loc[clearance[Clearance.wave] < self.wave]
        last = earlier.groupby(Clearance.indicator)[Clearance.wave].transform("max")
        self._before = earlier.loc[earlier[Clearance.wave] == last]

    def judged(self, merges: Sequence[Merge]) -> dict[Merge, tuple[int, int]]:
        """Cells with an answer by merge, and those of them that break a primary rule."""
        groups = groups_of(self._register, self._breakdowns, self._pairs)
        places = [pd.factorize(pd.Index(merge.of_groups(groups)))[0] for merge in merges]
        starts = np.cumsum([0, *(place.max() + 1 for place in places)])[:-1]
        filled: dict[str, Bools] = {}
        broken: dict[str, Bools] = {}
        for name, cells, series in series_of(
            self._contributions, self.listed, groups, self._kinds, self._limits
        ):
            filled[name], broken[name] = _judged(series, cells, places, starts)
        counts = np.zeros((2, len(merges)), dtype=np.int64)
        for name, kind in self._kinds.items():
            parts = kind.parts or (name,)
            if all(part in filled for part in parts):
                there_is = np.all([filled[part] for part in parts], axis=0)
                unsafe = there_is & np.any([broken[part] for part in parts], axis=0)
                rows = np.array([there_is, unsafe], dtype=np.int64)
                counts += np.add.reduceat(rows, starts, axis=1)
        return dict(zip(merges, zip(*counts.tolist(), strict=True), strict=True))

    def outcome(self, merge: Merge) -> tuple[float, float]:
        """Cells suppressed after a merge, and the share of contributors in those that are not."""
        try:
            suppressed, contributors = self._suppressed(merge)
        except DisclosureError:
            if merge == _AS_IT_IS:
                raise
            return np.nan, np.nan
        visible = contributors[~suppressed].sum() / max(contributors.sum(), 1)
        return float((suppressed & (contributors > 0)).sum()), float(visible)

    def _suppressed(self, merge: Merge) -> tuple[Bools, Ints]:
        """Whether each cell is suppressed, and its contributors, over all indicators, (cells,)."""
        register = merge.of_register(self._register)
        groups = groups_of(register, self._breakdowns, merge.of_pairs(self._pairs))
        listed = register.loc[register[Register.wave] == self.wave]
        before = self._gone_before(merge, groups)
        nothing = secret = np.zeros(len(groups), dtype=bool)
        gone: dict[str, Bools] = {}
        count: dict[str, Ints] = {}
        for name, cells, series in series_of(
            self._contributions, listed, groups, self._kinds, self._limits
        ):
            unsafe = series.unsafe(cells) | secret
            gone[name] = suppress(cells, unsafe, before.get(name, nothing), series.unsafe, groups)
            count[name] = disclosure.contributors(cells, series.holdings)
            if name == RESPONSE and self._kinds[name].sensitive:
                secret = gone[name]
        for name, kind in self._kinds.items():
            if kind.parts and all(part in gone for part in kind.parts):
                gone[name] = np.any([gone[part] for part in kind.parts], axis=0)
                count[name] = np.min([count[part] for part in kind.parts], axis=0)
        return np.concatenate([*gone.values()]), np.concatenate([*count.values()])

    def _gone_before(self, merge: Merge, groups: pd.DataFrame) -> dict[str, Bools]:
        """By indicator, which groups were suppressed in the last wave before that had it."""
        index = pd.MultiIndex.from_tuples(merge.of_groups(self._before), names=GROUP)
        gone = pd.Series((self._before[Clearance.rule] != "").to_numpy(), index)
        order = pd.MultiIndex.from_frame(groups[GROUP])
        names = self._before[Clearance.indicator].to_numpy()
        return {
            str(name): own.groupby(level=GROUP).all().reindex(order, fill_value=False).to_numpy()
            for name, own in gone.groupby(names)
        }


def _judged(
    series: Series, cells: Bools, places: Sequence[Ints], starts: Ints
) -> tuple[Bools, Bools]:
    """Whether the cells of all merges have an answer, and whether they break a primary rule.

    `places`: which cell of a merge each of `cells` is in; `starts`: the first one of each merge.
    What was not merged is judged once for all merges.
    """
    place = np.concatenate([p + start for p, start in zip(places, starts, strict=True)])
    merged = np.bincount(place) > 1
    united = np.zeros((len(merged), cells.shape[1]), dtype=bool)
    np.logical_or.at(united, place, np.tile(cells, (len(places), 1)))
    broken = np.zeros(len(merged), dtype=bool)
    broken[place] = np.tile(series.unsafe(cells), len(places))
    broken[merged] = series.unsafe(united[merged])
    return np.asarray(united.any(axis=1)), broken

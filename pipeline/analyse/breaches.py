"""Breaches: what released numbers tell by themselves although a rule forbids it today."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline import disclosure
from pipeline.analyse.domains import GROUP, Bools, groups_of
from pipeline.analyse.measures import rules_of
from pipeline.analyse.protect import partitions
from pipeline.analyse.released import facts_of
from pipeline.analyse.series import Series, limits_of, series_of
from pipeline.tables import (
    BenchmarkPairs,
    Breaches,
    Contributions,
    Indicators,
    Register,
    Released,
)
from pipeline.tables.flow import REPRESENTATIVITY

CELL = [Breaches.wave, Breaches.indicator, *GROUP]
Breach = tuple[str, str, str, str, str]
"""A row of the table."""


@pa.check_types
def breaches(
    contributions: DataFrame[Contributions],
    register: DataFrame[Register],
    indicators: DataFrame[Indicators],
    pairs: DataFrame[BenchmarkPairs],
    released: DataFrame[Released],
    *,
    breakdowns: Sequence[str],
    rules: disclosure.Rules,
    min_contributors_high: int,
) -> DataFrame[Breaches]:
    """What earlier releases tell that today's rules forbid, by themselves: it cannot be taken back.

    Released groups that break a rule (since the rules or the data changed), other groups and rests
    that follow from released ones, and released groups that are not computed any more. `protect`
    takes all of it as known. Parameters as there.
    """
    groups, kinds = groups_of(register, breakdowns, pairs), rules_of(indicators)
    limits, facts = limits_of(kinds, rules, min_contributors_high), facts_of(released, groups)
    rows = set(_gone(released, groups, kinds, set(register[Register.wave])))
    for wave, listed in register.groupby(Register.wave):
        own = contributions.loc[contributions[Contributions.wave] == wave]
        if not any((wave, name) in facts for name in kinds):
            continue
        for name, cells, series in series_of(own, listed, groups, kinds, limits):
            if (forced := facts.get((str(wave), name))) is not None:
                rows |= {(str(wave), name, *told) for told in _told(cells, forced, series, groups)}
    columns = list(Breaches.to_schema().columns)
    return DataFrame[Breaches](pd.DataFrame(sorted(rows), columns=columns, dtype="str"))


def _told(
    cells: Bools, forced: Bools, series: Series, groups: pd.DataFrame
) -> Iterator[tuple[str, str, str]]:
    """Breakdown, group and rule of what the forced cells tell; cells of the same firms by each."""
    names = list(groups[GROUP].itertuples(index=False, name=None))
    for at in (forced & ~cells.any(axis=1)).nonzero()[0]:
        yield (*names[at], "")
    told = disclosure.told(cells, forced, series.unsafe, partitions(cells, groups))
    for row, rule in zip(told, series.judge(told), strict=True):
        same = [names[at] for at in (cells == row).all(axis=1).nonzero()[0]]
        for name in same or [("", "")]:
            yield (*name, str(rule))


def _gone(
    released: pd.DataFrame, groups: pd.DataFrame, kinds: Container[str], waves: Container[str]
) -> Iterator[Breach]:
    """Released groups and indicators of these waves that the study does not have any more."""
    estimates = released[Released.statistic] == "estimate"
    shown = released.loc[estimates & (released[Released.symbol] == ""), [*CELL]].drop_duplicates()
    place = pd.MultiIndex.from_frame(shown[GROUP]).isin(pd.MultiIndex.from_frame(groups[GROUP]))
    columns = (shown[column].tolist() for column in CELL)
    for wave, name, *group, has_place in zip(*columns, place, strict=True):
        if name == REPRESENTATIVITY or wave not in waves:
            continue
        if not has_place or name not in kinds:
            yield (wave, name, *group, "")

"""Estimate: every indicator by wave and group, with standard error, interval and n."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline import survey
from pipeline.analyse import passes
from pipeline.analyse.breaks import last_break
from pipeline.analyse.domains import GROUP, WaveFrame, groups_of, wave_frames
from pipeline.analyse.measures import Ints, Levels, Measures, Rule, interval, rules_of
from pipeline.tables import (
    BenchmarkPairs,
    ChangeRules,
    Contributions,
    Estimates,
    Indicators,
    Register,
    Weights,
)
from pipeline.tables.flow import REPRESENTATIVITY, RESPONSE


@pa.check_types
def estimate(
    contributions: DataFrame[Contributions],
    weights: DataFrame[Weights],
    register: DataFrame[Register],
    indicators: DataFrame[Indicators],
    pairs: DataFrame[BenchmarkPairs],
    *,
    changes: DataFrame[ChangeRules],
    breakdowns: Sequence[str],
    pooled: Sequence[str],
    engine: survey.Engine | None = None,
) -> DataFrame[Estimates]:
    """Estimates in the indicator's unit (times its `scale`) for `all` and each group.

    The groups are those of the breakdowns and of the benchmark's pairs; those of the breakdowns
    `pooled` also have the mean of each wave and the one before it, where no break lies between.
    Intervals are at 95 %: Student's t, for shares and balances from the beta interval (see
    `pipeline.survey`). What they say is chance among the firms of a stratum, not the bias from who
    answers: see `assess`. With an `engine` the levels are made by its passes over the tables, but
    for those that need covariances (see `passes.levels`).
    """
    groups = groups_of(register, breakdowns, pairs)
    frames, rules = wave_frames(weights, register, groups), rules_of(indicators)
    measures = Measures(contributions, frames, rules)
    is_pooled = groups[Estimates.breakdown].isin(pooled).to_numpy(dtype=bool)
    order = list(frames)
    everybody = np.arange(len(groups))
    sources: dict[str, pd.DataFrame] = {"contributions": contributions, "weights": weights}
    passed = _passed(engine, sources | {"register": register}, measures, groups)
    tables: list[pd.DataFrame] = [Estimates.empty()]
    for name in sorted(rules.keys() - {REPRESENTATIVITY}):
        levels, waves = Levels(measures, name), set(measures.waves[name])
        for wave in measures.waves[name]:
            table = passed.get((wave, name))
            if table is None:
                result = levels(wave, everybody)
                n = _respondents(result) if name == RESPONSE else result.n
                table = _table(result, rules[name], n)
            tables.append(_named(table.assign(waves=1), groups, frames[wave], name))
        for before, wave in pairwise(order):
            since = last_break(changes, rules[name].items, wave)
            asked = is_pooled.any() and {before, wave} <= waves and name != RESPONSE
            if not asked or before < since:
                continue
            both = survey.pooled([levels(before, everybody), levels(wave, everybody)])
            table = _table(both, rules[name], both.n).assign(waves=2)
            tables.append(_named(table, groups, frames[wave], name)[is_pooled])
    table = pd.concat(tables, ignore_index=True)
    key = [Estimates.wave, Estimates.indicator, str(Estimates.waves)]
    table = table.sort_values(key, kind="stable", ignore_index=True)
    return DataFrame[Estimates](table[list(Estimates.to_schema().columns)])


def _passed(
    engine: survey.Engine | None,
    tables: Mapping[str, pd.DataFrame],
    measures: Measures,
    groups: pd.DataFrame,
) -> dict[tuple[str, str], pd.DataFrame]:
    """Levels made by an engine, by wave and indicator, in the order of the groups."""
    rules = measures.rules
    asked = [
        {"wave": wave, "indicator": name}
        for name, rule in rules.items()
        if rule.kind in passes.KINDS and name != RESPONSE
        for wave in measures.waves[name]
    ]
    if engine is None or not asked:
        return {}
    breakdowns = groups[[str(Estimates.breakdown)]].drop_duplicates()
    breakdowns_of = pd.DataFrame(asked).merge(breakdowns, how="cross")
    found = passes.levels(engine, tables, rules, breakdowns_of)
    place = pd.MultiIndex.from_frame(groups[GROUP])
    figures: dict[tuple[str, str], pd.DataFrame] = {}
    for key, rows in found.groupby([Estimates.wave, Estimates.indicator]):
        table = rows.set_index(GROUP).reindex(place).reset_index(drop=True)
        n = table[str(Estimates.n)].fillna(0).astype(np.int64)
        figures[str(key[0]), str(key[1])] = table.assign(n=n).drop(
            columns=[Estimates.wave, Estimates.indicator]
        )
    return figures


def _named(table: pd.DataFrame, groups: pd.DataFrame, frame: WaveFrame, name: str) -> pd.DataFrame:
    counted = frame.members & (frame.asked if name == RESPONSE else frame.eligible)
    return pd.concat([groups[GROUP], table], axis=1).assign(
        wave=frame.wave, indicator=name, population=counted.sum(axis=1)
    )


def _respondents(result: survey.Estimate) -> Ints:
    """Of the response itself n is the firms that answered, not those that were asked."""
    return np.rint(np.nan_to_num(result.estimate) * result.n).astype(np.int64)


def _table(result: survey.Estimate, rule: Rule, n: Ints) -> pd.DataFrame:
    ends = interval(result, rule.kind)
    return pd.DataFrame(
        {
            str(Estimates.n): n,
            str(Estimates.estimate): rule.scale * result.estimate,
            str(Estimates.se): rule.scale * result.se,
            str(Estimates.ci_low): rule.scale * ends.low,
            str(Estimates.ci_high): rule.scale * ends.high,
        }
    )

"""Compare: the change of every indicator on an earlier wave, and its trend over all waves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline import survey
from pipeline.analyse.breaks import last_break
from pipeline.analyse.domains import GROUP, TARGET, Bools, groups_of, wave_frames
from pipeline.analyse.measures import (
    Ints,
    Levels,
    Measures,
    interval,
    interval_of_difference,
    rules_of,
)
from pipeline.tables import (
    BenchmarkPairs,
    ChangeRules,
    Changes,
    Contributions,
    Indicators,
    Register,
    Weights,
)

Names = npt.NDArray[np.object_]
FEWEST_WAVES = 3
"""Through fewer waves a trend is a change."""


@pa.check_types
def compare(
    contributions: DataFrame[Contributions],
    weights: DataFrame[Weights],
    register: DataFrame[Register],
    indicators: DataFrame[Indicators],
    pairs: DataFrame[BenchmarkPairs],
    *,
    changes: DataFrame[ChangeRules],
    breakdowns: Sequence[str],
) -> DataFrame[Changes]:
    """Change of each indicator on the wave before, where both waves have it, in its unit.

    A reference group is compared with the last wave in which firms of it answered, as it may not
    be asked in every wave. The standard error has the covariance of the firms in both waves,
    matched by key, with each wave's own response and calibration and firms that changed stratum
    (Tam 1984; see `pipeline.survey.change`). For the newest wave also the trend of the target
    population's groups since the first wave or the last break.
    """
    groups = groups_of(register, breakdowns, pairs)
    frames, rules = wave_frames(weights, register, groups), rules_of(indicators)
    measures = Measures(contributions, frames, rules)
    target = groups[TARGET].to_numpy(dtype=bool)
    tables: list[pd.DataFrame] = [Changes.empty().assign(place=0)]
    for name, rule in rules.items():
        levels = Levels(measures, name)
        for wave, previous, rows in _compared(measures, name, target):
            before, after = levels(previous, rows), levels(wave, rows)
            result = survey.change(before, after)
            ends = interval_of_difference(after, before, result, rule.kind)
            table = _table(result, ends, rule.scale).assign(
                n_both=survey.overlap(before, after),
                break_in_series=previous < last_break(changes, rule.items, wave),
            )
            key = {"wave": wave, "previous": previous, "comparison": "change"}
            tables.append(_named(table, groups, rows, key | {"indicator": name}))
        newest = measures.waves[name][-1:]
        since = last_break(changes, rule.items, *newest) if newest else ""
        waves = [wave for wave in measures.waves[name] if wave >= since]
        if newest == list(frames)[-1:] and len(waves) >= FEWEST_WAVES:
            rows = np.flatnonzero(target)
            slopes = _trend(frames, {wave: levels(wave, rows) for wave in waves})
            ends = interval(slopes, "difference")
            table = _table(slopes, ends, rule.scale).assign(n_both=slopes.n, break_in_series=False)
            key = {"wave": waves[-1], "previous": waves[0], "comparison": "trend"}
            tables.append(_named(table, groups, rows, key | {"indicator": name}))
    table = pd.concat(tables, ignore_index=True)
    order = [Changes.wave, Changes.indicator, Changes.comparison, "place"]
    table = table.sort_values(order, ignore_index=True)
    return DataFrame[Changes](table[list(Changes.to_schema().columns)])


def _compared(measures: Measures, name: str, target: Bools) -> Iterator[tuple[str, str, Ints]]:
    """Wave, previous wave, and the groups (by row) that are so compared."""
    for wave, previous in _previous(measures, name, target):
        for earlier in sorted(set(previous[previous != ""])):
            yield wave, earlier, np.flatnonzero(previous == earlier)


def _previous(measures: Measures, name: str, target: Bools) -> Iterator[tuple[str, Names]]:
    """Each wave of an indicator, with the earlier wave that each group is compared with or ""."""
    waves, frames = list(measures.frames), measures.frames
    answered = {
        wave: measures.count(wave, name, frames[wave].members) > 0 for wave in measures.waves[name]
    }
    last = np.full(len(target), "", dtype=object)
    for wave, has_answers in answered.items():
        before = waves[max(waves.index(wave) - 1, 0)]
        of_target = before if before in answered and before != wave else ""
        yield wave, np.where(target, of_target, np.where(has_answers, last, ""))
        last = np.where(has_answers, wave, last)


def _trend(frames: Mapping[str, object], levels: Mapping[str, survey.Estimate]) -> survey.Estimate:
    """Change from wave to wave; a wave that did not ask is a step like any other.

    None for a group that is missing in one of the waves: its line would be through others.
    """
    times = [float(list(frames).index(wave)) for wave in levels]
    found = survey.trend(list(levels.values()), times)
    whole = found.waves == len(levels)
    estimate, se = (np.where(whole, figure, np.nan) for figure in (found.estimate, found.se))
    return replace(found, estimate=estimate, se=se)


def _named(
    table: pd.DataFrame, groups: pd.DataFrame, rows: Ints, key: Mapping[str, str]
) -> pd.DataFrame:
    own = {column: groups[column].to_numpy()[rows] for column in GROUP}
    return table.assign(**own, **key, place=rows)


def _table(result: survey.Estimate, ends: survey.Interval, scale: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            str(Changes.change): scale * result.estimate,
            str(Changes.se): scale * result.se,
            str(Changes.ci_low): scale * ends.low,
            str(Changes.ci_high): scale * ends.high,
            str(Changes.p): survey.p_value(result),
            str(Changes.detectable): survey.smallest_detectable(scale * result.se, result.df),
        }
    )

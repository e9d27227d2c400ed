"""Compare: the change of every indicator on an earlier wave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline import survey
from pipeline.analyse.domains import GROUP, TARGET, Bools, groups_of, wave_frames
from pipeline.analyse.measures import Ints, Measures, interval, rules_of
from pipeline.tables import (
    BenchmarkPairs,
    ChangeRules,
    Changes,
    Contributions,
    Indicators,
    Register,
    Weights,
)

EVERYTHING = "*"
"""As the item of a change: the whole questionnaire."""
Names = npt.NDArray[np.object_]


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
    matched by key, with each wave's own response and firms that changed stratum (Tam 1984; see
    `pipeline.survey.change`).
    """
    groups = groups_of(register, breakdowns, pairs)
    frames, rules = wave_frames(weights, register, groups), rules_of(indicators)
    measures = Measures(contributions, frames, rules)
    broken = changes.loc[changes[ChangeRules.kind] == "break"]
    tables: list[pd.DataFrame] = [Changes.empty().assign(place=0)]
    for name, rule in rules.items():
        breaks = broken.loc[broken[ChangeRules.item].isin(rule.items | {EVERYTHING})]
        since = breaks[ChangeRules.from_wave]
        for wave, previous, rows, before, after in _compared(measures, name, groups):
            table = _table(before, after, rule.scale).assign(
                **{column: groups[column].to_numpy()[rows] for column in GROUP},
                wave=wave,
                previous=previous,
                indicator=name,
                place=rows,
                break_in_series=bool(((since > previous) & (since <= wave)).any()),
            )
            tables.append(table)
    table = pd.concat(tables, ignore_index=True)
    table = table.sort_values([Changes.wave, Changes.indicator, "place"], ignore_index=True)
    return DataFrame[Changes](table[list(Changes.to_schema().columns)])


def _compared(
    measures: Measures, name: str, groups: pd.DataFrame
) -> Iterator[tuple[str, str, Ints, survey.Estimate, survey.Estimate]]:
    """Wave, previous wave, the groups (by row) that are so compared, and their two estimates."""
    known: dict[tuple[str, bytes], survey.Estimate] = {}

    def estimate(wave: str, rows: Ints) -> survey.Estimate:
        key = wave, rows.tobytes()
        if key not in known:
            members = measures.frames[wave].members[rows]
            known[key] = measures.estimate(wave, name, members)
        return known[key]

    for wave, previous in _previous(measures, name, groups[TARGET].to_numpy(dtype=bool)):
        for earlier in sorted(set(previous[previous != ""])):
            rows = np.flatnonzero(previous == earlier)
            yield wave, earlier, rows, estimate(earlier, rows), estimate(wave, rows)


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


def _table(before: survey.Estimate, after: survey.Estimate, scale: float) -> pd.DataFrame:
    result = survey.change(before, after)
    ends = interval(result, "difference")
    return pd.DataFrame(
        {
            str(Changes.n_both): survey.overlap(before, after),
            str(Changes.change): scale * result.estimate,
            str(Changes.se): scale * result.se,
            str(Changes.ci_low): scale * ends.low,
            str(Changes.ci_high): scale * ends.high,
        }
    )

"""Benchmark: how far a group is from its reference, another group or the rest."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline import survey
from pipeline.analyse.domains import GROUP, Bools, groups_of, wave_frames
from pipeline.analyse.measures import Measures, interval, rules_of
from pipeline.tables import (
    BenchmarkPairs,
    Benchmarks,
    Contributions,
    Indicators,
    Register,
    Weights,
)
from pipeline.tables.flow import REST


@pa.check_types
def benchmark(
    contributions: DataFrame[Contributions],
    weights: DataFrame[Weights],
    register: DataFrame[Register],
    indicators: DataFrame[Indicators],
    pairs: DataFrame[BenchmarkPairs],
) -> DataFrame[Benchmarks]:
    """Differences of the declared pairs in every wave, in the indicator's unit.

    The rest is everybody of the target population who is not in the group. Totals are left out:
    they grow with the group, and their difference says how large it is; so are the indicators that
    the benchmark does without, and pairs of which one side is not in the wave's register. Group and
    reference of one population share strata and weights, so their difference is estimated as one:
    its variance is that of the difference of their influences (see `pipeline.survey.difference`).
    """
    groups = groups_of(register, [], pairs)
    frames, rules = wave_frames(weights, register, groups), rules_of(indicators)
    measures = Measures(contributions, frames, rules)
    without = [set(names.split()) for names in pairs[BenchmarkPairs.without]]
    tables: list[pd.DataFrame] = [Benchmarks.empty()]
    for wave, frame in frames.items():
        group, reference = _sides(frame.members, groups, pairs)
        there_are = group.any(axis=1) & reference.any(axis=1)
        for name in sorted(name for name in rules if wave in measures.waves[name]):
            named = np.array([name not in others for others in without], dtype=bool)
            rows = np.asarray(there_are & named, dtype=bool)
            if rules[name].kind == "total" or not rows.any():
                continue
            here = measures.estimate(wave, name, group[rows])
            there = measures.estimate(wave, name, reference[rows])
            result = _difference(here, there, rules[name].scale)
            compared = pairs.loc[rows].reset_index(drop=True)
            tables.append(pd.concat([compared, result], axis=1).assign(wave=wave, indicator=name))
    table = pd.concat(tables, ignore_index=True)
    return DataFrame[Benchmarks](table[list(Benchmarks.to_schema().columns)])


def _sides(members: Bools, groups: pd.DataFrame, pairs: pd.DataFrame) -> tuple[Bools, Bools]:
    """Who is in the group and who in the reference of each pair, each (pairs, N)."""
    rows = pd.MultiIndex.from_frame(groups[GROUP])
    padded = np.vstack([members, np.zeros_like(members[:1])])  # a group without firms is row -1
    breakdown, group = pairs[BenchmarkPairs.breakdown], pairs[BenchmarkPairs.group]
    reference = pairs[BenchmarkPairs.reference]
    inside = padded[rows.get_indexer(pd.MultiIndex.from_arrays([breakdown, group]))]
    other = padded[rows.get_indexer(pd.MultiIndex.from_arrays([breakdown, reference]))]
    is_rest = (reference == REST).to_numpy()[:, None]
    return inside, np.where(is_rest, members[0] & ~inside, other)


def _difference(group: survey.Estimate, reference: survey.Estimate, scale: float) -> pd.DataFrame:
    result = survey.difference(group, reference)
    ends = interval(result, "difference")
    return pd.DataFrame(
        {
            str(Benchmarks.n_reference): reference.n,
            str(Benchmarks.difference): scale * result.estimate,
            str(Benchmarks.se): scale * result.se,
            str(Benchmarks.ci_low): scale * ends.low,
            str(Benchmarks.ci_high): scale * ends.high,
        }
    )

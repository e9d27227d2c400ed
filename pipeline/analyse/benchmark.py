"""Benchmark: how far a group is from its reference, another group or the rest."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline import survey
from pipeline.analyse.domains import (
    Bools,
    cells_of,
    groups_of,
    interval,
    measure,
    rules_of,
    wave_frames,
)
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

    Totals are left out: they grow with the group, and their difference says how large it is.
    Group and reference share strata and weights, so their difference is estimated as one: its
    variance is that of the difference of their influences (see `pipeline.survey.difference`).
    """
    groups = groups_of(register, sorted(set(pairs[BenchmarkPairs.breakdown])))
    frames = wave_frames(weights, register, groups)
    rules = {name: rule for name, rule in rules_of(indicators).items() if rule.kind != "total"}
    sides = {wave: _sides(frame.members, groups, pairs) for wave, frame in frames.items()}
    tables: list[pd.DataFrame] = [Benchmarks.empty()]
    for (wave, name), rows in cells_of(contributions).items():
        if name not in rules:
            continue
        group, reference = (
            measure(frames[wave], rows, rules[name].kind, side) for side in sides[wave]
        )
        result = _difference(group, reference, rules[name].scale)
        tables.append(pd.concat([pairs, result], axis=1).assign(wave=wave, indicator=name))
    table = pd.concat(tables, ignore_index=True)
    return DataFrame[Benchmarks](table[list(Benchmarks.to_schema().columns)])


def _sides(members: Bools, groups: pd.DataFrame, pairs: pd.DataFrame) -> tuple[Bools, Bools]:
    """Who is in the group and who in the reference of each pair, each (pairs, N)."""
    rows = pd.MultiIndex.from_frame(groups)
    padded = np.vstack([members, np.zeros_like(members[:1])])  # a group without firms is row -1
    breakdown, group = pairs[BenchmarkPairs.breakdown], pairs[BenchmarkPairs.group]
    reference = pairs[BenchmarkPairs.reference]
    inside = padded[rows.get_indexer(pd.MultiIndex.from_arrays([breakdown, group]))]
    other = padded[rows.get_indexer(pd.MultiIndex.from_arrays([breakdown, reference]))]
    is_rest = (reference == REST).to_numpy()[:, None]
    return inside, np.where(is_rest, ~inside, other)


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

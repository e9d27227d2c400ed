"""Benchmark: how far a group is from its reference, another group or the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline import disclosure, survey
from pipeline.analyse.beside import Base, Composed, told_beside
from pipeline.analyse.domains import GROUP, Bools, WaveFrame, groups_of, wave_frames
from pipeline.analyse.measures import Ints, Measures, Rule, interval_of_difference, rules_of
from pipeline.tables import (
    BenchmarkPairs,
    Benchmarks,
    Clearance,
    Contributions,
    Indicators,
    Register,
    Weights,
)
from pipeline.tables.flow import CROSS, REST

Names = npt.NDArray[np.object_]
PAIR = [BenchmarkPairs.breakdown, BenchmarkPairs.group, BenchmarkPairs.reference]


class _Sides(NamedTuple):
    """Who is in the group and who in the reference of each pair, each (pairs, N)."""

    group: Bools
    reference: Bools


@pa.check_types
def benchmark(
    contributions: DataFrame[Contributions],
    weights: DataFrame[Weights],
    register: DataFrame[Register],
    indicators: DataFrame[Indicators],
    pairs: DataFrame[BenchmarkPairs],
    *,
    clearance: DataFrame[Clearance],
    adjusted: Sequence[str],
    rules: disclosure.Rules,
    min_contributors_high: int,
) -> DataFrame[Benchmarks]:
    """Differences of the declared pairs in every wave, in the indicator's unit.

    The rest is everybody of the target population who is not in the group. Totals are left out:
    they grow with the group, and their difference says how large it is; so are the indicators that
    the benchmark does without, and pairs of which one side is not in the wave's register. Group and
    reference of one population share strata and weights, so their difference is estimated as one:
    its variance is that of the difference of their influences (see `pipeline.survey.difference`).

    For the newest wave a second row has the difference to the reference with the composition of
    the group by the columns `adjusted` of the register, but for that of the pair itself; cells of
    fewer than `min_contributors_high` answers of the reference are merged along these columns, the
    last one first (see `pipeline.survey.standardised`). With the cells that `clearance` publishes
    such a reference may give one away that it does not: then it is not `cleared`.
    """
    groups = groups_of(register, [], pairs)
    frames, kinds = wave_frames(weights, register, groups), rules_of(indicators)
    measures = Measures(contributions, frames, kinds)
    tables: list[pd.DataFrame] = [Benchmarks.empty()]
    for wave, frame in frames.items():
        sides = _sides(frame.members, groups, pairs)
        compared = _compared(measures, wave, sides, pairs)
        for name, rows in compared.items():
            here = measures.estimate(wave, name, sides.group[rows])
            there = measures.estimate(wave, name, sides.reference[rows])
            result = _difference(here, there, kinds[name])
            result = result.assign(adjusted=False, coverage=1.0, cleared=True)
            tables.append(_of_pairs(pairs.iloc[rows], result, wave, name))
        if wave == max(frames):
            columns, least = _columns(frame, register, adjusted), min_contributors_high
            found, composed = _adjusted(
                measures, frame, compared, sides, pairs=pairs, columns=columns, fewest=least
            )
            base = Base(contributions, register, clearance)
            told = told_beside(
                composed, measures, wave, base, rules=rules, min_contributors_high=least
            )
            tables.append(found.assign(cleared=told))
    table = pd.concat(tables, ignore_index=True)
    return DataFrame[Benchmarks](table[list(Benchmarks.to_schema().columns)])


def _compared(measures: Measures, wave: str, sides: _Sides, pairs: pd.DataFrame) -> dict[str, Ints]:
    """The pairs (by row) of which each indicator is compared in a wave."""
    without = [set(names.split()) for names in pairs[BenchmarkPairs.without]]
    there_are = sides.group.any(axis=1) & sides.reference.any(axis=1)
    found = {}
    for name in sorted(measures.rules):
        named = np.array([name not in others for others in without], dtype=bool)
        rows = np.flatnonzero(there_are & named)
        measured = wave in measures.waves[name] and measures.rules[name].kind != "total"
        if measured and len(rows):
            found[name] = rows
    return found


def _adjusted(
    measures: Measures,
    frame: WaveFrame,
    compared: Mapping[str, Ints],
    sides: _Sides,
    *,
    pairs: pd.DataFrame,
    columns: Mapping[str, Names],
    fewest: int,
) -> tuple[pd.DataFrame, list[Composed]]:
    """The adjusted differences of a wave and their references, row by row.

    `compared` has the pairs (by row) of each indicator.
    """
    tables: list[pd.DataFrame] = [Benchmarks.empty()]
    composed = []
    for name, rows in compared.items():
        for cells, among in _by_cells(pairs.iloc[rows], columns):
            own = pairs.iloc[rows[among]]
            group, reference = (side[rows[among]] for side in sides)
            like = measures.standardised(
                frame.wave, name, group & frame.eligible, reference, cells=cells, fewest=fewest
            )
            here = measures.estimate(frame.wave, name, group)
            result = _difference(here, like.estimate, measures.rules[name])
            # Of a group without a firm in scope none has its like.
            result = result.assign(adjusted=True, coverage=np.nan_to_num(like.coverage))
            tables.append(_of_pairs(own, result, frame.wave, name))
            for k, place in enumerate(zip(*(own[c] for c in PAIR), strict=True)):
                factors = {part: each[k] for part, each in like.factors.items()}
                composed.append(Composed(place, group[k], reference[k], cells, factors))
    return pd.concat(tables, ignore_index=True), composed


def _of_pairs(pairs: pd.DataFrame, result: pd.DataFrame, wave: str, indicator: str) -> pd.DataFrame:
    """The result of each pair with what it is of."""
    own = pairs.reset_index(drop=True).assign(wave=wave, indicator=indicator)
    return pd.concat([own, result], axis=1)


def _columns(frame: WaveFrame, register: pd.DataFrame, adjusted: Sequence[str]) -> dict[str, Names]:
    """The group of each firm of the wave in each column, (N,); those of references like others."""
    listed = register.loc[register[Register.wave] == frame.wave]
    found = {}
    for name in adjusted:
        rows = listed.loc[listed[Register.variable] == name]
        groups = rows.set_index(Register.firm_id)[Register.group].reindex(frame.firms)
        found[name] = groups.str.split(CROSS).str[-1].fillna("").to_numpy(dtype=object)
    return found


def _by_cells(
    pairs: pd.DataFrame, columns: Mapping[str, Names]
) -> Iterator[tuple[list[Names], Ints]]:
    """Cells, the finest first, and the pairs (by row) that are adjusted by them.

    A pair of groups of a column cannot be adjusted by it: no firm of one is like one of the other.
    """
    breakdowns = pairs[BenchmarkPairs.breakdown].to_numpy(dtype=object)
    for breakdown in dict.fromkeys(breakdowns):
        left = [codes for name, codes in columns.items() if name not in breakdown.split(CROSS)]
        depths = range(len(left), 0, -1)
        cells = [reduce(lambda a, b: a + CROSS + b, left[:depth]) for depth in depths]
        if cells:
            yield cells, np.flatnonzero(breakdowns == breakdown)


def _sides(members: Bools, groups: pd.DataFrame, pairs: pd.DataFrame) -> _Sides:
    """Rows of members of groups and references."""
    rows = pd.MultiIndex.from_frame(groups[GROUP])
    padded = np.vstack([members, np.zeros_like(members[:1])])  # a group without firms is row -1
    breakdown, group = pairs[BenchmarkPairs.breakdown], pairs[BenchmarkPairs.group]
    reference = pairs[BenchmarkPairs.reference]
    inside = padded[rows.get_indexer(pd.MultiIndex.from_arrays([breakdown, group]))]
    other = padded[rows.get_indexer(pd.MultiIndex.from_arrays([breakdown, reference]))]
    is_rest = (reference == REST).to_numpy()[:, None]
    return _Sides(inside, np.where(is_rest, members[0] & ~inside, other))


def _difference(group: survey.Estimate, reference: survey.Estimate, rule: Rule) -> pd.DataFrame:
    result, scale = survey.difference(group, reference), rule.scale
    ends = interval_of_difference(group, reference, result, rule.kind)
    return pd.DataFrame(
        {
            str(Benchmarks.n_reference): reference.n,
            str(Benchmarks.difference): scale * result.estimate,
            str(Benchmarks.se): scale * result.se,
            str(Benchmarks.ci_low): scale * ends.low,
            str(Benchmarks.ci_high): scale * ends.high,
            str(Benchmarks.p): survey.p_value(result),
        }
    )

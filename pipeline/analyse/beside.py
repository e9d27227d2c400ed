"""Beside: which references that are composed like a group may be told beside the cleared cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline import disclosure
from pipeline.analyse.domains import GROUP, Bools
from pipeline.analyse.measures import Floats, Ints, Measures
from pipeline.analyse.series import limits_of, series_of
from pipeline.tables import Clearance, Contributions
from pipeline.tables.flow import ALL, REST


class Composed(NamedTuple):
    """A reference composed like the group of a pair, by cells.

    `pair`: breakdown, group, reference. `group`, `reference` and each of `cells`, the finest first,
    are over the wave's firms, (N,). `factors`: those of the firms in the base of each indicator
    that it is computed from, (n,) by firm.
    """

    pair: tuple[str, str, str]
    group: Bools
    reference: Bools
    cells: Sequence[npt.NDArray[np.object_]]
    factors: Mapping[str, Floats]


class Base(NamedTuple):
    """Tables of one wave: what firms bring, the register and which groups are cleared."""

    contributions: pd.DataFrame
    register: pd.DataFrame
    clearance: pd.DataFrame


def told_beside(
    composed: Sequence[Composed],
    measures: Measures,
    wave: str,
    tables: Base,
    *,
    rules: disclosure.Rules,
    min_contributors_high: int,
) -> Bools:
    """Which references may be told, the most important first: those of which all parts may.

    With the cleared cells of an indicator and the references told, none of these may follow: a
    group that is not cleared, a holding, what a group or reference has in a cell where that is
    unsafe by itself (see `pipeline.disclosure.safe_beside`).
    """
    own, register, clearance = (table.loc[table[Clearance.wave] == wave] for table in tables)
    needed = {name for row in composed for name in row.factors}
    own = own.loc[own[Contributions.indicator].isin(needed)]
    groups = clearance[GROUP].drop_duplicates(ignore_index=True)
    limits = limits_of(measures.rules, rules, min_contributors_high)
    told = np.ones(len(composed), dtype=bool)
    for name, cells, series in series_of(own, register, groups, measures.rules, limits):
        verdicts = clearance.loc[clearance[Clearance.indicator] == name].set_index(GROUP)
        places = pd.MultiIndex.from_frame(groups)
        good = (verdicts[Clearance.rule].reindex(places) == "").to_numpy(dtype=bool)
        cleared = set(places[good])
        users = [place for place, row in enumerate(composed) if name in row.factors]
        answered = len(series.holdings) > 0
        able = [place for place in users if answered and _sides(composed[place]) <= cleared]
        told[users] &= np.isin(users, able)
        if not able:
            continue
        answers = measures.answers(wave, name)
        firms = answers.firms[answers.in_base]
        rows = np.stack([composed[place].factors[name] for place in able])
        parts = _parts((composed[place] for place in able), firms)
        holdings = series.holdings == np.unique(series.holdings)[:, None]
        protected = np.vstack([cells[~good], holdings, parts[series.unsafe(parts)]])
        told[able] &= disclosure.safe_beside(cells[good], rows, protected, series.unsafe)
    return told


def _sides(row: Composed) -> set[tuple[str, str]]:
    """The cells that a pair needs: the group, its reference and, where that is the rest, all."""
    breakdown, group, reference = row.pair
    return {(breakdown, group), (ALL, ALL) if reference == REST else (breakdown, reference)}


def _parts(composed: Iterable[Composed], firms: Ints) -> Bools:
    """What groups and references have in each cell of each level, (m, n) over these firms."""
    found = {}
    for row in composed:
        for labels in (level[firms] for level in row.cells):
            for label in dict.fromkeys(labels):
                for side in (row.group, row.reference):
                    part = side[firms] & (labels == label)
                    found[part.tobytes()] = part
    return np.array([part for part in found.values() if part.any()]).reshape(-1, len(firms))

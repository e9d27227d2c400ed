"""Explain: what lies behind a change, for the analyst."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline import survey
from pipeline.analyse.breaks import last_break
from pipeline.analyse.domains import GROUP, Bools, groups_of, wave_frames
from pipeline.analyse.measures import Answers, Floats, Ints, Measures, Rule, figures_of, rules_of
from pipeline.tables import (
    BenchmarkPairs,
    ChangeRules,
    Contributions,
    Decompositions,
    Flows,
    Indicators,
    Register,
    Weights,
)

FIRMS = ("mean", "share", "balance", "ratio")
"""Kinds of indicators that are made of the firms' own figures."""
TERMS = ("weights", "new", "joined", "gone", "dropped")
"""Terms of a decomposition without a standard error."""


@pa.check_types
def explain(
    contributions: DataFrame[Contributions],
    weights: DataFrame[Weights],
    register: DataFrame[Register],
    indicators: DataFrame[Indicators],
    *,
    changes: DataFrame[ChangeRules],
    breakdowns: Sequence[str],
) -> tuple[DataFrame[Flows], DataFrame[Decompositions]]:
    """Gross flows and the parts of the change of the newest wave on the one before.

    For everybody and the groups of the breakdowns, by indicators that both waves have without a
    break between. Flows are in per cent of the firms on both registers (see
    `pipeline.survey.flows`), parts in the indicator's unit (see `pipeline.survey.decomposition`).
    """
    groups = groups_of(register, breakdowns, BenchmarkPairs.empty())
    frames, rules = wave_frames(weights, register, groups), rules_of(indicators)
    measures = Measures(contributions, frames, rules)
    previous, wave = [*[""], *frames][-2:]
    flows, parts = _Rows(), _Rows()
    if previous and not frames[previous].firms.isin(frames[wave].firms).any():
        rules = {}  # other firms altogether: there is nobody to follow
    for name, rule in rules.items():
        known = {previous, wave} <= set(measures.waves[name])
        if rule.kind not in FIRMS or not known or previous < last_break(changes, rule.items, wave):
            continue
        sides = [(measures.answers(w, name), frames[w].members) for w in (previous, wave)]
        for direction, share in _flows(*sides)._asdict().items():
            flows.add(name, direction, share.n, share.estimate, share.se, scale=100)
        found = _parts(rule, *sides)
        answers = found.answers
        parts.add(name, "answers", answers.n, answers.estimate, answers.se, scale=rule.scale)
        for term in TERMS:
            value, n = getattr(found, term)
            parts.add(name, term, n, value, np.full(len(value), np.nan), scale=rule.scale)
    waves = {"wave": wave, "previous": previous}
    moved = flows.table(groups).rename(columns={"last": "direction", "value": "share"})
    split = parts.table(groups).rename(columns={"last": "term"})
    return (
        DataFrame[Flows](_ordered(moved.assign(**waves), Flows)),
        DataFrame[Decompositions](_ordered(split.assign(**waves), Decompositions)),
    )


def _ordered(table: pd.DataFrame, model: type[Flows | Decompositions]) -> pd.DataFrame:
    """The columns of the model; where there is no row, with its types."""
    return table[list(model.to_schema().columns)] if len(table) else model.empty()


class _Rows:
    """Figures of k groups each, as arrays: a frame for each would take longer than they do."""

    def __init__(self) -> None:
        self._keys: list[tuple[str, str]] = []
        self._figures: list[tuple[Ints, Floats, Floats]] = []

    def add(
        self, name: str, last: str, n: Ints, value: Floats, se: Floats, *, scale: float
    ) -> None:
        """Take the figures of an indicator, each (k,)."""
        self._keys.append((name, last))
        self._figures.append((n, scale * value, scale * se))

    def table(self, groups: pd.DataFrame) -> pd.DataFrame:
        """All of them by indicator, group and what the last column says."""
        count, size = len(self._keys), len(groups)
        keys = np.array(self._keys, dtype=object).reshape(count, 2)
        figures = [np.concatenate([[], *column]) for column in zip(*self._figures, strict=True)]
        n, value, se = figures or [np.zeros(0)] * 3
        columns: dict[str, npt.NDArray[Any]] = {
            str(column): np.tile(groups[column].to_numpy(dtype=object), count) for column in GROUP
        }
        columns |= {
            "indicator": np.repeat(keys[:, 0], size),
            "last": np.repeat(keys[:, 1], size),
            "n": n.astype(np.int64),
            "value": value,
            "se": se,
        }
        table = pd.DataFrame(columns)
        return table.sort_values(["indicator", *map(str, GROUP), "last"], ignore_index=True)


Side = tuple[Answers, Bools]
"""What the firms of a wave bring, and the groups (k, N) they are in."""


def _inside(side: Side) -> Bools:
    answers, members = side
    return np.asarray(members[:, answers.firms] & answers.in_base, dtype=bool)


def _flows(before: Side, after: Side) -> survey.Flows:
    """Flows of the firms with a figure in both waves; those without one answered all the same."""
    (earlier, _), (later, members) = before, after
    (first, had), (second, have) = figures_of(earlier), figures_of(later)
    stayed = later.design.unit_ids.isin(earlier.design.unit_ids[had])
    domain = members[:, later.firms] & have & stayed
    return survey.flows(earlier.design, later.design, (first, second), domain)


def _parts(rule: Rule, before: Side, after: Side) -> survey.Decomposition:
    waves = [
        survey.Wave(
            side[0].design,
            side[0].numerator,
            side[0].denominator if rule.kind == "ratio" else None,
            _inside(side),
        )
        for side in (before, after)
    ]
    return survey.decomposition(*waves)

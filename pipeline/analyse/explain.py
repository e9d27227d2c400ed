"""Explain: what lies behind a change, for the analyst."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline import survey
from pipeline.analyse.breaks import last_break
from pipeline.analyse.domains import GROUP, Bools, groups_of, wave_frames
from pipeline.analyse.measures import Answers, Measures, Rule, rules_of
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
    flows: list[pd.DataFrame] = [Flows.empty()]
    parts: list[pd.DataFrame] = [Decompositions.empty()]
    for name, rule in rules.items():
        known = {previous, wave} <= set(measures.waves[name])
        if rule.kind not in FIRMS or not known or previous < last_break(changes, rule.items, wave):
            continue
        sides = [(measures.answers(w, name), frames[w].members) for w in (previous, wave)]
        key = {"wave": wave, "previous": previous, "indicator": name}
        flows += [pd.concat([groups[GROUP], t], axis=1).assign(**key) for t in _flows(*sides)]
        found = _parts(rule, *sides)
        parts += [pd.concat([groups[GROUP], t], axis=1).assign(**key) for t in found]
    return (
        DataFrame[Flows](_joined(flows, Flows, "direction")),
        DataFrame[Decompositions](_joined(parts, Decompositions, "term")),
    )


Side = tuple[Answers, Bools]
"""What the firms of a wave bring, and the groups (k, N) they are in."""


def _inside(side: Side) -> Bools:
    answers, members = side
    return np.asarray(members[:, answers.firms] & answers.in_base, dtype=bool)


def _flows(before: Side, after: Side) -> Iterator[pd.DataFrame]:
    values = []
    for answers, _ in (before, after):
        y, x = answers.numerator, answers.denominator
        with np.errstate(divide="ignore", invalid="ignore"):
            values.append(np.where(answers.in_base & (x > 0), y / x, np.nan))
    designs = before[0].design, after[0].design
    found = survey.flows(*designs, (values[0], values[1]), _inside(after))
    for direction, share in found._asdict().items():
        columns = {"share": 100 * share.estimate, "se": 100 * share.se, "n": share.n}
        yield pd.DataFrame(columns).assign(direction=direction)


def _parts(rule: Rule, before: Side, after: Side) -> Iterator[pd.DataFrame]:
    waves = [
        survey.Wave(
            side[0].design,
            side[0].numerator,
            side[0].denominator if rule.kind == "ratio" else None,
            _inside(side),
        )
        for side in (before, after)
    ]
    found = survey.decomposition(*waves)
    answers = found.answers
    columns = {"value": answers.estimate, "se": answers.se, "n": answers.n}
    yield _scaled(pd.DataFrame(columns), rule.scale).assign(term="answers")
    for name in ("weights", "new", "joined", "gone", "dropped"):
        term: survey.Term = getattr(found, name)
        columns = {"value": term.value, "se": np.full(len(term.value), np.nan), "n": term.n}
        yield _scaled(pd.DataFrame(columns), rule.scale).assign(term=name)


def _scaled(table: pd.DataFrame, scale: float) -> pd.DataFrame:
    return table.assign(value=scale * table["value"], se=scale * table["se"])


def _joined(
    tables: list[pd.DataFrame], model: type[Flows | Decompositions], last: str
) -> pd.DataFrame:
    """All tables, by indicator, group and what the last column says."""
    table = pd.concat(tables, ignore_index=True)
    order = [str(model.indicator), str(model.breakdown), str(model.group), last]
    table = table.sort_values(order, ignore_index=True)
    return table[list(model.to_schema().columns)]

"""How an indicator is measured: its rule, its estimate for any groups of a wave, its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline import survey
from pipeline.analyse.domains import Bools, WaveFrame
from pipeline.expressions import compute, is_truth, parse
from pipeline.tables import Contributions, Indicators
from pipeline.tables.flow import RESPONSE

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
ROUNDING = 1e-12
"""A standard error of this part of its estimate is 0."""


class Rule(NamedTuple):
    """What the analysis needs to know of an indicator; `items` are those in its formulas.

    `categorical`: a firm brings an answer (yes or no, 1 or 0; up, equal or down), not an amount.
    `sensitive`: that all or none say yes, or that all have one amount, gives something away;
    `high`: it needs more contributors. `parts`: the indicators that a formula (`numerator`) is
    computed from; its items are theirs.
    """

    kind: str
    scale: float
    items: frozenset[str]
    categorical: bool
    sensitive: bool
    high: bool
    numerator: str
    parts: tuple[str, ...]


Rules = Mapping[str, Rule]


def rules_of(indicators: pd.DataFrame) -> dict[str, Rule]:
    """The rule of each indicator, in the order of the study."""
    rows = {str(row[Indicators.indicator]): row for row in indicators.to_dict("records")}
    return {name: _rule(name, rows) for name in rows}


def _rule(name: str, rows: Mapping[str, Mapping[Any, Any]]) -> Rule:
    row = rows[name]
    columns = (Indicators.numerator, Indicators.denominator, Indicators.base)
    names = frozenset().union(*(parse(str(row[c])).names for c in columns if row[c]))
    is_formula = row[Indicators.kind] == "formula"
    parts = {part: _rule(part, rows) for part in sorted(names)} if is_formula else {}
    numerator = str(row[Indicators.numerator])
    answers = row[Indicators.kind] in ("share", "balance") or is_truth(numerator)
    return Rule(
        kind=str(row[Indicators.kind]),
        scale=float(row[str(Indicators.scale)]),
        items=frozenset().union(*(p.items for p in parts.values())) if is_formula else names,
        categorical=all(p.categorical for p in parts.values()) if is_formula else answers,
        sensitive=row[Indicators.sensitivity] != "low",
        high=row[Indicators.sensitivity] == "high",
        numerator=numerator,
        parts=tuple(parts),
    )


class Answers(NamedTuple):
    """What the firms of a wave bring to an indicator, aligned with a design; NaN: no answer.

    `firms` are the places of the design's units among the firms of the wave.
    """

    design: survey.Design
    firms: Ints
    numerator: Floats
    denominator: Floats
    in_base: Bools


class Like(NamedTuple):
    """Estimates for references composed like groups, and the share of firms with their like.

    `factors`: of each weighted amount in the references, (k, n) over the n firms in the base of an
    indicator, by firm; for a formula those of all its parts, each by its name.
    """

    estimate: survey.Estimate
    coverage: Floats
    factors: Mapping[str, Floats]


class Measures:
    """Every indicator of every wave, ready to be estimated for any groups of firms.

    `waves` has the waves of each indicator, oldest first: those in which firms brought something
    to it, for a formula those of all its parts.
    """

    def __init__(
        self, contributions: pd.DataFrame, frames: Mapping[str, WaveFrame], rules: Rules
    ) -> None:
        self.frames, self.rules = frames, rules
        key = [Contributions.wave, Contributions.indicator]
        self._answers = {
            (str(wave), str(name)): _answers(frames[str(wave)], str(name), rows)
            for (wave, name), rows in contributions.groupby(key)
            if name in rules
        }
        self.waves = {name: [w for w in frames if self._measured(w, name)] for name in rules}

    def _measured(self, wave: str, name: str) -> bool:
        parts = self.rules[name].parts
        return all((wave, part) in self._answers for part in parts or (name,))

    def answers(self, wave: str, name: str) -> Answers:
        """What the firms of a wave bring to an indicator that is not a formula."""
        return self._answers[wave, name]

    def count(self, wave: str, name: str, members: Bools) -> Ints:
        """Firms in each row of `members` (k, N) that answered, in the base; the fewest of parts."""
        parts = self.rules[name].parts
        if parts:
            counts = [self.count(wave, part, members) for part in parts]
            return np.asarray(np.min(counts, axis=0), dtype=np.int64)
        answers = self._answers[wave, name]
        counted = answers.in_base & ~np.isnan(answers.numerator)
        return np.asarray((members[:, answers.firms] & counted).sum(axis=1), dtype=np.int64)

    def estimate(self, wave: str, name: str, members: Bools) -> survey.Estimate:
        """Estimate an indicator of a wave, unscaled, for each row of `members` (k, N)."""
        rule = self.rules[name]
        if rule.parts:
            parts = [self.estimate(wave, part, members) for part in rule.parts]
            return self._formula(rule, parts)
        design, firms, y, x, in_base = self._answers[wave, name]
        inside = members[:, firms] & (in_base | np.isnan(y))
        match rule.kind:
            case "ratio":
                return survey.ratio(design, y, x, inside)
            case "total":
                return survey.total(design, y, inside)
            case "share":
                return survey.share(design, y, inside)
            case "balance":
                return survey.balance(design, y, inside)
            case _:
                return survey.mean(design, y, inside)

    def standardised(
        self,
        wave: str,
        name: str,
        group: Bools,
        reference: Bools,
        *,
        cells: Sequence[npt.NDArray[np.object_]],
        fewest: int,
    ) -> Like:
        """Estimate an indicator for references (k, N) as if composed like the groups (k, N).

        By `cells` of the register's firms, each (N,), the finest first, those with fewer than
        `fewest` answers merged; see `pipeline.survey.standardised`.
        """
        rule = self.rules[name]
        if rule.parts:
            likes = [
                self.standardised(wave, part, group, reference, cells=cells, fewest=fewest)
                for part in rule.parts
            ]
            found = self._formula(rule, [like.estimate for like in likes])
            of_parts = {part: f for like in likes for part, f in like.factors.items()}
            return Like(found, np.min([like.coverage for like in likes], axis=0), of_parts)
        design, firms, y, x, in_base = self._answers[wave, name]
        found = survey.standardised(
            design,
            y,
            cells,
            group=group,
            reference=reference[:, firms] & (in_base | np.isnan(y)),
            x=x if rule.kind == "ratio" else None,
            fewest=fewest,
        )
        weights = design.item_weights(~np.isnan(y + x)[None])[0]
        factors = found.weights / np.where(weights > 0, weights, 1.0)
        return Like(found, 1 - found.lost, {name: factors[:, in_base]})

    def _formula(self, rule: Rule, parts: Sequence[survey.Estimate]) -> survey.Estimate:
        """A formula of its parts as they are printed, with their scale."""
        scales = [self.rules[part].scale for part in rule.parts]

        def value(*arrays: npt.NDArray[Any]) -> npt.NDArray[Any]:
            scaled = [scale * a for scale, a in zip(scales, arrays, strict=True)]
            return compute(rule.numerator, dict(zip(rule.parts, scaled, strict=True)))

        return survey.function(parts, value)


class Levels:
    """The estimates of an indicator by wave and groups, each made once."""

    def __init__(self, measures: Measures, name: str) -> None:
        self._measures, self._name = measures, name
        self._known: dict[tuple[str, bytes], survey.Estimate] = {}

    def __call__(self, wave: str, rows: Ints) -> survey.Estimate:
        """Estimate for these groups, rows of the wave's members."""
        key = wave, rows.tobytes()
        if key not in self._known:
            members = self._measures.frames[wave].members[rows]
            self._known[key] = self._measures.estimate(wave, self._name, members)
        return self._known[key]


def _answers(frame: WaveFrame, name: str, rows: pd.DataFrame) -> Answers:
    design = frame.census if name == RESPONSE else frame.answers
    place = design.unit_ids.get_indexer(pd.Index(rows[Contributions.firm_id], dtype=object))
    if (place < 0).any():
        raise ValueError("contributions of firms that did not answer")
    y, x = np.full((2, len(design.unit_ids)), np.nan)
    y[place] = rows[str(Contributions.numerator)]
    x[place] = rows[str(Contributions.denominator)]
    in_base = np.zeros(len(design.unit_ids), dtype=bool)
    in_base[place] = rows[str(Contributions.in_base)]
    return Answers(design, frame.firms.get_indexer(design.unit_ids), y, x, in_base)


def figures_of(answers: Answers) -> tuple[Floats, Bools]:
    """Each firm's own figure, (n,), NaN where it did not answer; and who in the base has one.

    The others answered, so they are respondents of the item: 0.
    """
    y, x, no_answer = answers.numerator, answers.denominator, np.isnan(answers.numerator)
    known = answers.in_base & (x > 0)
    figures = np.divide(y, x, out=np.zeros_like(y), where=known)
    return np.where(no_answer, np.nan, figures), known


def interval_of_difference(
    one: survey.Estimate, other: survey.Estimate, result: survey.Estimate, kind: str
) -> survey.Interval:
    """95 % interval of the `result`, one - other, of an indicator of this kind."""
    if kind == "share":
        return survey.share_difference_interval(one, other)
    return interval(result, "difference")


def interval(estimate: survey.Estimate, kind: str) -> survey.Interval:
    """95 % interval of an estimate by the kind of indicator.

    Where the standard error is 0 although some did not answer (within each stratum all answers are
    the same), it says nothing of the others, and an amount has no interval.
    """
    if kind == "share":
        return survey.share_interval(estimate)
    if isinstance(estimate, survey.Balance):
        return survey.balance_interval(estimate)
    ends = survey.t_interval(estimate)
    blind = (estimate.se <= ROUNDING * np.abs(estimate.estimate)) & np.isfinite(estimate.n_kish)
    return survey.Interval(*(np.where(blind, np.nan, end) for end in ends))

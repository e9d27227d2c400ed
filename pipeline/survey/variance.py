"""The one kernel of all variances: products of centred influence values, by stratum and unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from pipeline.survey.arrays import Bools, Floats, Ints, cell_sums
from pipeline.survey.design import Design, LonelyRule
from pipeline.survey.stages import Level

_ROUNDING = 1e-9
"""A variance below zero by less than this part of its terms is zero."""


@dataclass(frozen=True, eq=False)
class Influence:
    """What each row of a wave contributes to the error of k estimates, shape (k, n).

    `answered` are the rows the variance rests on (of the item, see `estimators`), `inside` those
    of them in the domain; `z` is weighted and 0 outside. `answered` and `inside` may have
    one row for all k. `left` is what the calibrations of the weights leave of z, worked out from
    the design unless given.
    """

    design: Design
    answered: Bools
    inside: Bools
    z: Floats
    left: Floats | None = None

    @cached_property
    def units(self) -> tuple[Bools, ...]:
        """Whether a unit of each stage has an answer, shapes (k, C) or (1, C)."""
        return tuple(level.per_unit(self.answered) > 0 for level in self.design.levels)

    @cached_property
    def counts(self) -> Floats:
        """Primary units that answered by stratum, m_h, shape (k, H) or (1, H)."""
        return self.design.sums(self.units[0])

    @cached_property
    def weights(self) -> Floats:
        """Weights for the item, those of the design raised to all who responded: (k, n), (1, n)."""
        return self.design.item_weights(self.answered)

    @property
    def adjusted(self) -> bool:
        """Whether a calibration leaves something else than z."""
        return self.left is not None or bool(self.design.adjustments)

    @cached_property
    def residual(self) -> Floats:
        """What the calibrations leave of z, the last one first, shape (k, n)."""
        if self.left is not None:
            return self.left
        z = np.where(self.answered, self.z, 0.0)
        if self.design.adjustments:
            factors = self.design.item_factors(self.answered)
            for adjustment in reversed(self.design.adjustments):
                z = adjustment.residual(z, factors)
        return z

    @cached_property
    def deviations(self) -> tuple[Floats, ...]:
        """Deviations of z at each stage, see `_deviations`."""
        z = np.where(self.answered, self.z, 0.0)
        return self._at_stages(z)

    @cached_property
    def residual_deviations(self) -> tuple[Floats, ...]:
        """Deviations of the residual at each stage."""
        if not self.adjusted:
            return self.deviations
        return self._at_stages(self.residual)

    def _at_stages(self, z: Floats) -> tuple[Floats, ...]:
        rule = self.design.lonely
        return tuple(
            _deviations(level, level.per_unit(z), (units, level.per_unit(self.inside) > 0), rule)
            for level, units in zip(self.design.levels, self.units, strict=True)
        )


def _deviations(level: Level, z: Floats, who: tuple[Bools, Bools], rule: LonelyRule) -> Floats:
    """Centre z (k, C) in its stratum, times sqrt(m_h / (m_h - 1)); 0 where not answered.

    `who`: the units that answered, and those in the domain, by whose strata the rule `average`
    takes the mean. Centred before anything is multiplied: sums of squares of z itself would lose
    all digits where the mean is large beside the spread.
    """
    answered, inside = who
    m = level.sums(answered)
    centre = level.sums(z) / np.maximum(m, 1)
    scale = np.sqrt(m / np.maximum(m - 1, 1))
    lonely = (m == 1) & (level.population > 1)
    if rule == "adjust":
        centre = np.where(lonely, 0.0, centre)
    elif rule == "average":
        here = level.sums(inside) > 0
        used, alone = (x.sum(axis=1, keepdims=True) for x in (here, lonely & here))
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = scale * np.sqrt(used / (used - alone))
    spread = (z - centre[:, level.codes]) * scale[:, level.codes]
    return np.where(answered, spread, 0.0)


def variance(parts: Sequence[Influence]) -> Floats:
    """Variance of the sum of influences that may differ in wave and in who answered, shape (k,).

    The sum of the covariances of all pairs of them, for which see `product`.

    Between waves the covariance is an expansion estimate by cells; with very few units it can
    exceed what the variances allow. It is then left out: rather too wide than certain of nothing.
    """
    terms = _added(_comparable(parts))
    own = _sum([product(term, term) for term in terms])
    pairs = [product(a, b) for i, a in enumerate(terms) for b in terms[:i]]
    result = own + 2 * _sum(pairs) if pairs else own
    return np.where(result < -_ROUNDING * own, own, np.maximum(result, 0.0))


def covariance(first: Sequence[Influence], second: Sequence[Influence]) -> Floats:
    """Covariance of two sums of influences, shape (k,)."""
    parts = _comparable([*first, *second])
    a, b = _added(parts[: len(first)]), _added(parts[len(first) :])
    return _sum([product(term, other) for term in a for other in b])


def scaled(parts: Sequence[Influence], factor: Floats) -> list[Influence]:
    """Multiply influences by a factor of shape (k, 1)."""
    return [
        replace(p, z=factor * p.z, left=factor * p.residual if p.adjusted else None) for p in parts
    ]


@dataclass(frozen=True, eq=False)
class Deviations:
    """Deviations, (k, C) at each stage, of influences that rest on the same answers."""

    design: Design
    answered: Bools
    units: tuple[Bools, ...]
    whole: tuple[Floats, ...]
    residual: tuple[Floats, ...]


def _added(parts: Sequence[Influence]) -> list[Deviations]:
    """Add up the deviations of influences of the same wave that rest on the same answers.

    Added after centring, so that a large part without spread takes no digits from the others.
    """
    terms: list[Deviations] = []
    for part in parts:
        whole, residual = part.deviations, part.residual_deviations
        for i, other in enumerate(terms):
            if part.design is other.design and np.array_equal(part.answered, other.answered):
                both = tuple(a + b for a, b in zip(other.whole, whole, strict=True))
                pairs = zip(other.residual, residual, strict=True)
                rest = both if residual is whole else tuple(a + b for a, b in pairs)
                terms[i] = replace(other, whole=both, residual=rest)
                break
        else:
            terms.append(Deviations(part.design, part.answered, part.units, whole, residual))
    return terms


def _sum(values: Sequence[Floats]) -> Floats:
    """Add up from left to right; rows of shape (1,) count for all k."""
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total


def product(a: Deviations, b: Deviations) -> Floats:
    """Covariance of two influences: sum over units in both of (1 - w12 / (w1 w2)) e1 e2.

    w1 = N_h / m_h and w2 = N_k / m_k are the inverse response rates of the unit's two strata,
    w12 = N_hk / m_hk that of answering both, in the cell (h, k); e are the deviations. Calibrated
    weights of a register tell these rates unit by unit (`Design.chances`): those who seldom respond
    have large weights, and the rate of their stratum would make them too certain. With one
    stratum it is N^2 (n12 / (n1 n2) - 1 / N) S12 of totals (Tam 1984, American Statistician 38);
    with the same answers (1 - m_h / N_h) m_h / (m_h - 1) sum(z - mean)^2 (Cochran 1977, 5A.10).
    """
    if a.design is b.design:
        return _within(a, b)
    at, bt = _matched(a.design.unit_ids, b.design.unit_ids)
    if not a.design.corrected and not b.design.corrected:
        return _row_sums(a.residual[0][:, at] * b.residual[0][:, bt])
    h, k = a.design.codes[at], b.design.codes[bt]
    width = len(b.design.strata)
    codes, cells = h * width + k, len(a.design.strata) * width
    both = cell_sums(a.units[0][:, at] & b.units[0][:, bt], codes, cells)[:, codes]
    on_both = _cell_sizes(a.design, b.design)[codes]
    asked = np.bincount(codes, minlength=cells)[codes]
    first, second = a.design.levels[0], b.design.levels[0]
    m1, m2 = first.sums(a.units[0])[:, h], second.sums(b.units[0])[:, k]
    answering = m1 * m2 / np.maximum(both, 1)
    p1, p2 = (x.drawn[at] / x.population[at] for x, at in ((first, h), (second, k)))
    share = answering * asked / (first.drawn[h] * second.drawn[k])
    ratio = p1 * p2 * on_both / asked
    if a.design.chances is not None and b.design.chances is not None:
        ratio = _of_units(ratio, p1 * p2, a.design.chances[at] * b.design.chances[bt])
    item, unit = 1 - share, share * (1 - ratio)
    z = a.whole[0][:, at], b.whole[0][:, bt]
    plain = a.residual is a.whole and b.residual is b.whole
    return _phases(item, unit, z, z if plain else (a.residual[0][:, at], b.residual[0][:, bt]))


def _of_units(ratio: Floats, of_strata: Floats, of_units: Floats) -> Floats:
    """p1 p2 / p12 of units, from that of their cell and from p1 p2 of the strata and of the units.

    The cell's ratio is (p1 p2)^(l / 2) of the strata: l is 0 where response to one wave says
    nothing of that to the other, 1 where the same units respond to both. So is the unit's, with l
    of its cell and p1 p2 of its own. A rule of this library, not of the literature; it is exact at
    both ends.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.log(ratio) / np.log(of_strata)
    return np.where(of_strata < 1, of_units ** np.nan_to_num(power), ratio)


def _within(a: Deviations, b: Deviations) -> Floats:
    """Covariance of two influences of one wave: that of each stage, times the share drawn before.

    (Särndal, Swensson and Wretman 1992, 4.3.2.)
    """
    total = np.zeros(1)
    for stage, level in enumerate(a.design.levels):
        m1, m2 = level.sums(a.units[stage]), level.sums(b.units[stage])
        both = level.sums(a.units[stage] & b.units[stage])
        with np.errstate(invalid="ignore", divide="ignore"):
            answering = np.where(both > 0, m1 * m2 / both, 0.0)
            item = np.where(both > 0, 1 - answering / level.drawn, 0.0)
            unit = answering * (1 / level.drawn - 1 / level.population)
        item, unit = (np.where(level.factor > 0, x * level.factor, 0.0) for x in (item, unit))
        item, unit = item[:, level.codes], unit[:, level.codes]
        if a.design.chances is not None:  # of one stage, as it has a register
            unit = (answering / level.drawn)[:, level.codes] * (1 - a.design.chances)
        z, plain = (a.whole[stage], b.whole[stage]), a.residual is a.whole
        left = z if plain else (a.residual[stage], b.residual[stage])
        total = total + _phases(item, unit, z, left)
    return total


Pair = tuple[Floats, Floats]


def _phases(item: Floats, unit: Floats, z: Pair, residual: Pair) -> Floats:
    """Sum of products over both phases of response, of the unit and of the item.

    Calibrated weights take their part out of the unit's phase only, as their totals hold over all
    who responded and not over those who answered the item: there the residuals count, in the
    item's phase z itself (two-phase sampling; Särndal, Swensson and Wretman 1992, 9.7).
    """
    products = z[0] * z[1]
    if residual is z:
        return _row_sums((item + unit) * products)
    return _row_sums(item * products + unit * (residual[0] * residual[1]))


def _row_sums(values: Floats) -> Floats:
    return np.asarray(values.sum(axis=1), dtype=float)


def _cell_sizes(a: Design, b: Design) -> Floats:
    """N_hk: units on both registers by their stratum on each, shape (H K,)."""
    if a.frame is None or b.frame is None:
        raise ValueError("two waves with a finite-population correction need Design.from_frame")
    at, bt = _matched(a.frame.unit_ids, b.frame.unit_ids)
    codes = a.frame.codes[at] * len(b.strata) + b.frame.codes[bt]
    return np.bincount(codes, minlength=len(a.strata) * len(b.strata)).astype(float)


def _matched(a: pd.Index, b: pd.Index) -> tuple[Ints, Ints]:
    """Positions in both of the units they share."""
    position = b.get_indexer(a)
    found = np.flatnonzero(position >= 0)
    return found, position[found].astype(np.int64)


def _comparable(parts: Sequence[Influence]) -> list[Influence]:
    """Put several waves without population sizes on one sample of units; else as they are.

    Without N_h there is no joint response rate. All units that answered in some wave are then
    one sample, and a unit adds 0 where it did not answer; one absent from a wave has the stratum
    of the first wave that knows it. So does R survey with `id = ~unit` over stacked waves.
    """
    designs = list({id(part.design): part.design for part in parts}.values())
    if len(designs) == 1 or any(design.corrected for design in designs):
        return list(parts)
    ids = designs[0].unit_ids
    for design in designs[1:]:
        ids = ids.append(design.unit_ids.difference(ids))
    known = [pd.Series(d.strata[d.codes], index=d.unit_ids).reindex(ids) for d in designs]
    for other in known[1:]:
        known[0] = known[0].fillna(other)
    pooled = {
        id(design): Design.from_sample(
            ids, strata.fillna(known[0]), np.ones(len(ids)), lonely=design.lonely
        )
        for design, strata in zip(designs, known, strict=True)
    }
    answered = np.zeros((max(len(part.answered) for part in parts), len(ids)), dtype=bool)
    for part in parts:
        answered[:, ids.get_indexer(part.design.unit_ids)] |= part.units[0]
    return [_moved(part, pooled[id(part.design)], answered) for part in parts]


def _moved(part: Influence, design: Design, answered: Bools) -> Influence:
    """The same influence on a design with more units, which it gives 0."""
    position = design.unit_ids.get_indexer(part.design.unit_ids)

    def spread(values: Floats | Bools, rows: int) -> Floats:
        moved = np.zeros((rows, len(answered[0])))
        moved[:, position] = part.design.per_unit(values)
        return moved

    residual = spread(part.residual, len(part.z))
    return Influence(design, answered, spread(part.inside, len(part.inside)) > 0, residual)

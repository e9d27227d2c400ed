"""The one kernel of all variances: products of centred influence values, by stratum and unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from pipeline.survey.design import Bools, Design, Floats, Ints, cell_sums

_ROUNDING = 1e-9
"""A variance below zero by less than this part of its terms is zero."""


@dataclass(frozen=True, eq=False)
class Influence:
    """What each unit of a wave contributes to the error of k estimates, shape (k, n).

    `answered` are the units the variance rests on (of the item, see `estimators`), `inside` those
    of them in the domain; `z` is weighted and 0 outside. `answered` and `inside` may have
    one row for all k.
    """

    design: Design
    answered: Bools
    inside: Bools
    z: Floats

    @cached_property
    def counts(self) -> Floats:
        """Units that answered by stratum, m_h, shape (k, H) or (1, H)."""
        return self.design.sums(self.answered)

    @cached_property
    def deviations(self) -> Floats:
        """Centre z in its stratum, times sqrt(m_h / (m_h - 1)); 0 where not answered.

        Centred before anything is multiplied: sums of squares of z itself would lose
        all digits where the mean is large beside the spread. Shape (k, n).
        """
        design, m = self.design, self.counts
        z = np.where(self.answered, self.z, 0.0)
        centre = design.sums(z) / np.maximum(m, 1)
        scale = np.sqrt(m / np.maximum(m - 1, 1))
        lonely = (m == 1) & (design.population > 1)
        if design.lonely == "adjust":
            centre = np.where(lonely, 0.0, centre)
        elif design.lonely == "average":
            used = (m > 0).sum(axis=1, keepdims=True)
            with np.errstate(divide="ignore"):
                scale = scale * np.sqrt(used / (used - lonely.sum(axis=1, keepdims=True)))
        spread = (z - centre[:, design.codes]) * scale[:, design.codes]
        return np.where(self.answered, spread, 0.0)


def variance(parts: Sequence[Influence]) -> Floats:
    """Variance of the sum of influences that may differ in wave and in who answered, shape (k,).

    Between waves the covariance is an expansion estimate by cells; with very few units it can
    exceed what the variances allow. It is then left out: rather too wide than certain of nothing.
    """
    terms = _added(_comparable(parts))
    own = _sum([_product(term, term) for term in terms])
    pairs = [_product(a, b) for i, a in enumerate(terms) for b in terms[:i]]
    result = own + 2 * _sum(pairs) if pairs else own
    return np.where(result < -_ROUNDING * own, own, np.maximum(result, 0.0))


def covariance(first: Sequence[Influence], second: Sequence[Influence]) -> Floats:
    """Covariance of two sums of influences, shape (k,)."""
    parts = _comparable([*first, *second])
    a, b = _added(parts[: len(first)]), _added(parts[len(first) :])
    return _sum([_product(term, other) for term in a for other in b])


def scaled(parts: Sequence[Influence], factor: Floats) -> list[Influence]:
    """Multiply influences by a factor of shape (k, 1)."""
    return [Influence(p.design, p.answered, p.inside, factor * p.z) for p in parts]


@dataclass(frozen=True, eq=False)
class _Term:
    """Deviations, shape (k, n), of one or more influences that rest on the same answers."""

    design: Design
    answered: Bools
    counts: Floats
    deviations: Floats


def _added(parts: Sequence[Influence]) -> list[_Term]:
    """Add up the deviations of influences of the same wave that rest on the same answers.

    Added after centring, so that a large part without spread takes no digits from the others.
    """
    terms: list[_Term] = []
    for part in parts:
        term = _Term(part.design, part.answered, part.counts, part.deviations)
        for i, other in enumerate(terms):
            if part.design is other.design and np.array_equal(part.answered, other.answered):
                terms[i] = replace(other, deviations=other.deviations + part.deviations)
                break
        else:
            terms.append(term)
    return terms


def _sum(values: Sequence[Floats]) -> Floats:
    """Add up from left to right; rows of shape (1,) count for all k."""
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total


def _product(a: _Term, b: _Term) -> Floats:
    """Covariance of two influences: sum over units in both of (1 - w12 / (w1 w2)) e1 e2.

    w1 = N_h / m_h and w2 = N_k / m_k are the inverse response rates of the unit's two strata,
    w12 = N_hk / n_hk that of answering both, in the cell (h, k); e are the `deviations`. With one
    stratum it is N^2 (n12 / (n1 n2) - 1 / N) S12 of totals (Tam 1984, American Statistician 38);
    with the same answers (1 - m_h / N_h) m_h / (m_h - 1) sum(z - mean)^2 (Cochran 1977, 5A.10).
    """
    if a.design is b.design:
        both = a.design.sums(a.answered & b.answered)
        with np.errstate(invalid="ignore", divide="ignore"):
            kept = 1 - a.counts * b.counts / (a.design.population * both)
        kept = np.where(both > 0, kept, 0.0)
        return _row_sums(kept[:, a.design.codes] * a.deviations * b.deviations)
    at, bt = _matched(a.design.unit_ids, b.design.unit_ids)
    products = a.deviations[:, at] * b.deviations[:, bt]
    if not a.design.corrected and not b.design.corrected:
        return _row_sums(products)
    h, k = a.design.codes[at], b.design.codes[bt]
    width = len(b.design.strata)
    codes, cells = h * width + k, len(a.design.strata) * width
    both = cell_sums(a.answered[:, at] & b.answered[:, bt], codes, cells)[:, codes]
    on_both = _cell_sizes(a.design, b.design)[codes]
    rates = (a.counts / a.design.population)[:, h] * (b.counts / b.design.population)[:, k]
    kept = 1 - on_both / np.maximum(both, 1) * rates
    return _row_sums(kept * products)


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
        answered[:, ids.get_indexer(part.design.unit_ids)] |= part.answered
    return [_moved(part, pooled[id(part.design)], answered) for part in parts]


def _moved(part: Influence, design: Design, answered: Bools) -> Influence:
    """The same influence on a design with more units, which it gives 0."""
    position = design.unit_ids.get_indexer(part.design.unit_ids)
    z = np.zeros((len(part.z), len(answered[0])))
    z[:, position] = np.where(part.answered, part.z, 0.0)
    inside = np.zeros((len(part.inside), len(answered[0])), dtype=bool)
    inside[:, position] = part.inside
    return Influence(design, answered, inside, z)

"""A change between two waves by what moved it: answers, weights, who came and who left."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.survey.arrays import Bools, Floats, Ints
from pipeline.survey.change import change, contrast
from pipeline.survey.design import Design
from pipeline.survey.estimators import Estimate, ratio
from pipeline.survey.flows import panel_design


@dataclass(frozen=True, eq=False)
class Wave:
    """What the estimate of one wave is made from: arguments as in `ratio` (x: all 1).

    `y` and `x`: shape (n,); `domain`: (n,) or (k, n).
    """

    design: Design
    y: npt.ArrayLike
    x: npt.ArrayLike | None = None
    domain: npt.ArrayLike | None = None


class Term(NamedTuple):
    """A part of the change, in its unit, and the number of firms it rests on; () or (k,)."""

    value: Floats
    n: Ints


class Decomposition(NamedTuple):
    """The parts of `change`; they add up to it. All NaN but `change` where no firm stayed.

    `answers`: other answers of the firms that answered in the domain in both waves (`answers.n`
    of them); `weights`: their other weights; `new`: firms that were not on the earlier register;
    `joined`: other firms that answered in the domain only in the later wave; `gone`: firms that
    are not on the later register; `dropped`: other firms that answered in the domain only in the
    earlier wave (no answer now, or in another domain).
    """

    change: Estimate
    answers: Estimate
    weights: Term
    new: Term
    joined: Term
    gone: Term
    dropped: Term


def decomposition(before: Wave, after: Wave) -> Decomposition:
    """Split the change of a mean or ratio M = sum(w y) / sum(w x) between two waves exactly.

    M2 - M1 = (M_S2 - M_S1) + s_E (M_E - M_S2) + s_L (M_S1 - M_L) with stayers S, entrants E,
    leavers L and their shares s of sum(w x) (Melitz and Polanec 2015, RAND Journal of Economics
    46, 362-375), and M_S2 - M_S1 = answers + weights: the change of answers under each wave's
    weights, and the change of weights under each wave's answers, each the mean of both (Kitagawa
    1955, Journal of the American Statistical Association 50, 1168-1194). Firms are matched by
    id; ValueError without both registers.

    `answers` estimates the change among firms on both registers, with the standard error of
    joint response (see `panel_design`), not conditional on who else answered. The other terms
    have none: given who answered they are arithmetic, not estimates of something on the register.
    """
    y1, x1, in1 = _arrays(before)
    y2, x2, in2 = _arrays(after)
    domains = [() if w.domain is None else np.shape(w.domain)[:-1] for w in (before, after)]
    shape = np.broadcast_shapes(*domains)
    first, second = (~np.isnan(y + x) for y, x in ((y1, x1), (y2, x2)))
    panel = panel_design(before.design, after.design, first, second)
    at1, at2 = (wave.design.unit_ids.get_indexer(panel.unit_ids) for wave in (before, after))
    stay = in1[:, at1] & in2[:, at2]
    answers = [(y1[at1], x1[at1]), (y2[at2], x2[at2])]
    weights = [
        wave.design.item_weights(known[None])[0, at]
        for wave, known, at in ((before, first, at1), (after, second, at2))
    ]
    (m11, m12), (m21, m22) = (
        [ratio(replace(panel, weights=w), y, x, stay.reshape(*shape, -1)) for y, x in answers]
        for w in weights
    )
    moved = contrast([m12, m11, m22, m21], [0.5, -0.5, 0.5, -0.5])
    shifted = (m21.estimate - m11.estimate + m22.estimate - m12.estimate) / 2
    in1, in2 = (np.broadcast_to(m, (len(stay), m.shape[1])).copy() for m in (in1, in2))
    in1[:, at1] &= ~stay
    in2[:, at2] &= ~stay
    gone, dropped = _apart(before, after.design, in1, m11.estimate)
    new, joined = _apart(after, before.design, in2, m22.estimate)
    return Decomposition(
        change(*(ratio(w.design, *_arrays(w)[:2], w.domain) for w in (before, after))),
        moved,
        Term(np.asarray(shifted), moved.n),
        new,
        joined,
        Term(-gone.value, gone.n),
        Term(-dropped.value, dropped.n),
    )


def _arrays(wave: Wave) -> tuple[Floats, Floats, Bools]:
    """Take y and x, shape (n,), and who answered them in the domain, (k, n) or (1, n)."""
    rows = wave.design.weights.shape
    y = np.asarray(wave.y, dtype=float)
    x = np.ones(rows) if wave.x is None else np.asarray(wave.x, dtype=float)
    if y.shape != rows or x.shape != rows:
        msg = f"y of shape {y.shape}, x of shape {x.shape}, {rows[0]} rows: give one a row"
        raise ValueError(msg)
    domain = np.ones(rows, dtype=bool) if wave.domain is None else np.asarray(wave.domain, bool)
    return y, x, np.atleast_2d(domain & ~np.isnan(y + x))


def _register(design: Design) -> pd.Index:
    """Ids of all firms of the register, which `panel_design` has asked for."""
    return design.unit_ids if design.frame is None else design.frame.unit_ids


def _apart(wave: Wave, other: Design, apart: Bools, stayers: Floats) -> tuple[Term, Term]:
    """What firms that did not stay add to the wave: those not on the other register, the rest.

    s_E (M_E - M_S) = sum_E(w (y - M_S x)) / sum(w x), which has a value where E is empty.
    """
    y, x, inside = _arrays(wave)
    design, shape = wave.design, stayers.shape
    weights = design.item_weights(~np.isnan(y + x)[None])[0]
    base = np.where(inside, weights * x, 0.0).sum(axis=1)
    gap = weights * (y - stayers.reshape(-1, 1) * x)
    absent = ~design.unit_ids.isin(_register(other))

    def term(firms: Bools) -> Term:
        value = np.where(firms, gap, 0.0).sum(axis=1) / np.where(base == 0, np.nan, base)
        value = np.where(np.isnan(stayers.ravel()), np.nan, value)
        n = np.broadcast_to(firms.sum(axis=1), value.shape)
        return Term(value.reshape(shape), np.asarray(n, dtype=np.int64).reshape(shape))

    return term(apart & absent), term(apart & ~absent)

"""What the firms of two waves did: shares that went up, stayed, went down; transitions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.survey.arrays import Bools, Ints
from pipeline.survey.design import Design
from pipeline.survey.estimators import Estimate, share


class Flows(NamedTuple):
    """Shares of firms whose answer went up, stayed the same or went down; they add up to 1.

    `up.n` firms (of each domain) answered in both waves.
    """

    up: Estimate
    same: Estimate
    down: Estimate


class Transitions(NamedTuple):
    """Moves between c categories: rows (from, to) with `to` the faster, c * c of them.

    `shares`: of all firms; `given`: of the firms in `from` before.
    """

    categories: pd.Index
    shares: Estimate
    given: Estimate


def panel_design(before: Design, after: Design, first: Bools, second: Bools) -> Design:
    """Make the design of the firms on both registers, of whom some answered in both waves.

    `first` and `second`: who answered (the item), aligned with the rows of `before` and `after`.
    Weights are N_hk / n_hk in the cells of both waves' strata. Where a cell has fewer than two
    joint answers (and not all of its firms), all cells of that later stratum are one; later
    strata where that is still too few are one; and if that is too few, all firms are. Rows keep
    the order of the later register. ValueError without a register, or no firm on both.
    """
    if before.frame is None or after.frame is None:
        raise ValueError("firms of two waves need both registers: make them by Design.from_frame")
    at = before.frame.unit_ids.get_indexer(after.frame.unit_ids)
    ids = after.frame.unit_ids[at >= 0]
    if not len(ids):
        raise ValueError("no firm is on both registers: check that both use the same ids")
    h, k = before.frame.codes[at[at >= 0]], after.frame.codes[at >= 0]
    both = ids.isin(before.unit_ids[first]) & ids.isin(after.unit_ids[second])
    cells = (h + 1) * len(after.strata) + k
    cells = np.where(np.isin(k, k[_few(cells, both)]), k, cells)
    cells = np.where(_few(cells, both), -1, cells)
    cells = np.zeros_like(cells) if _few(cells, both).any() else cells
    return Design.from_frame(ids, cells, both, lonely=after.lonely)


def flows(
    before: Design,
    after: Design,
    values: tuple[npt.ArrayLike, npt.ArrayLike],
    domain: npt.ArrayLike | None = None,
    tolerance: float = 0.0,
) -> Flows:
    """Estimate gross flows: the shares of firms whose value rose, stayed or fell between waves.

    `values`: those of both waves, aligned with the rows of each design, NaN where not answered;
    `domain`: shape (n,) or (k, n), aligned with the rows of `after`; values that differ by no
    more than `tolerance`, in their own unit, are the same. Each is estimated as by `share`. They
    speak of the firms on both
    registers, by those that answered in both waves: weights and the correction for the finite
    population are those of joint response, see `panel_design`. So up - down is not the change
    between the waves' balances, which has entrants and leavers too. ValueError without both
    registers, or where no firm is on both.
    """
    if not tolerance >= 0:
        raise ValueError(f"tolerance {tolerance}: give 0 or more")
    y1, y2 = (np.asarray(y, dtype=float) for y in values)
    design, at1, at2 = _panel(before, after, np.isnan(y1), np.isnan(y2))
    step = y2[at2] - y1[at1]
    step = np.where(np.abs(step) <= tolerance, 0.0, np.sign(step))
    members = None if domain is None else np.asarray(domain, dtype=bool)[..., at2]
    up, same, down = (share(design, step == side, members) for side in (1, 0, -1))
    return Flows(up, same, down)


def transitions(
    before: Design,
    after: Design,
    values: tuple[npt.ArrayLike, npt.ArrayLike],
    domain: npt.ArrayLike | None = None,
) -> Transitions:
    """Estimate how many firms moved from each category to each other one.

    As `flows`, for `values` of categories (None or NaN where not answered) and one domain, (n,).
    Categories are those answered in either wave, sorted.
    """
    y1, y2 = (pd.Series(np.asarray(y)) for y in values)
    design, at1, at2 = _panel(before, after, y1.isna().to_numpy(), y2.isna().to_numpy())
    categories = pd.Index(pd.concat([y1.dropna(), y2.dropna()]).unique()).sort_values()
    start = categories.get_indexer(pd.Index(y1.to_numpy()[at1]))
    end = categories.get_indexer(pd.Index(y2.to_numpy()[at2]))
    count = len(categories)
    source, target = np.repeat(np.arange(count), count), np.tile(np.arange(count), count)
    members = np.ones((1, len(at2)), dtype=bool)
    if domain is not None:
        members = np.asarray(domain, dtype=bool)[None, at2]
    from_here, to_there = start == source[:, None], end == target[:, None]
    shares = share(design, from_here & to_there, members)
    return Transitions(categories, shares, share(design, to_there, members & from_here))


def _panel(before: Design, after: Design, no1: Bools, no2: Bools) -> tuple[Design, Ints, Ints]:
    """The design of joint answers, and where its rows are in both waves."""
    for design, missing in ((before, no1), (after, no2)):
        if missing.shape != design.weights.shape:
            msg = f"values of shape {missing.shape}, {len(design.weights)} rows: give one a row"
            raise ValueError(msg)
    design = panel_design(before, after, ~no1, ~no2)
    at1, at2 = (wave.unit_ids.get_indexer(design.unit_ids) for wave in (before, after))
    return design, at1.astype(np.int64), at2.astype(np.int64)


def _few(cells: Ints, answered: Bools) -> Bools:
    """Whether a firm's cell has too few answers to stand alone, for each firm."""
    codes = np.unique(cells, return_inverse=True)[1]
    firms, answers = np.bincount(codes), np.bincount(codes, weights=answered)
    return np.asarray((answers < np.minimum(firms, 2))[codes], dtype=bool)

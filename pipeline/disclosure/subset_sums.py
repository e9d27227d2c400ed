"""Whether a printed share or balance gives an answer away: subset sums of known weights.

A share is a weighted sum of answers that are 0 or 1, a balance one of -1, 0 and 1. Who knows all
weights can look for the answers that add up to what is printed: with weights 1, 2.5 and 4 a sum of
5 has one solution. Linear programmes, which know halves of answers, do not see that.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.disclosure.primary import BoolArray, FloatArray

_NEAR = 1e-9
"""Sums that differ by no more than this part of all weights are one."""
OUTSIDER = -1
"""In place of a holding."""
_SUMS = 2**10, 2**13
"""Of more sums than this, those that are nearly the same count as one; at first, and at last."""


def answers_follow(
    cells: BoolArray,
    answers: FloatArray,
    holdings: NDArray[Any],
    *,
    weights: FloatArray,
    least: int,
    most: int,
    low: FloatArray,
    high: FloatArray,
    waived: BoolArray | None = None,
) -> BoolArray:
    """Judge whether what is printed of a cell, by itself, gives away an answer of one of its firms.

    `cells`: cells x firms, True where the firm belongs to the cell and answered. `answers`: a whole
    number from `least` to `most` per firm. `low`, `high`: what the printed figure leaves for the
    cell's sum of answers times `weights`, (cells,), infinite where open. `holdings`: a label per
    firm. `waived`: firms whose answer may follow.

    An answer does not follow where for every reader another one is possible with which the firms'
    answers still add up to a sum between `low` and `high`. Readers are an outsider and each other
    holding, which knows its own. An answer that is possible only if the sum is `low` or `high`
    itself counts as one that is not, as that may be printed otherwise, unless the true sum is the
    same. A cell without a firm gives nothing away.

    First up to two other answers besides the firm's own are tried, then all sums of the cell's two
    halves are put together (Horowitz and Sahni 1974). Exact for up to 26 firms with two answers to
    choose from, 16 with three, and for more where weights recur or few sums can be reached; beyond,
    nearly equal sums of a half count as one of them, so a possible answer might be missed: the cell
    then counts as one that gives it away.

    TypeError where membership is not boolean; ValueError where an answer or the true sum is out of
    bounds.
    """
    cells = np.asarray(cells)
    free = np.zeros(np.shape(answers), dtype=np.bool_) if waived is None else np.asarray(waived)
    if cells.dtype != np.bool_ or free.dtype != np.bool_:
        raise TypeError("membership and waivers must be boolean")
    owner, firms_of = np.unique(holdings, return_inverse=True, return_counts=True)[1:]
    options = np.arange(least, most + 1, dtype=np.float64)
    if not np.isin(answers[cells.any(axis=0)], options).all():
        raise ValueError(f"answers must be whole numbers from {least} to {most}")
    # Firms with the same weight and answer that are holdings by themselves are alike.
    several = np.where(firms_of[owner] > 1, owner, OUTSIDER)
    alike = np.unique(np.column_stack([weights, answers, several]), axis=0, return_inverse=True)[1]
    found = np.zeros(len(cells), dtype=np.bool_)
    for number in np.flatnonzero((cells & ~free).any(axis=1)):
        inside = cells[number]
        changes = (options - answers[inside, None]) * weights[inside, None]
        is_other = options != answers[inside, None]
        truth = float(answers[inside] @ weights[inside])
        ends = float(low[number]) - truth, float(high[number]) - truth
        cell = _Cell(changes, is_other, owner[inside], alike.ravel()[inside], ends)
        found[number] = cell.gives_away(~free[inside])
    return found


class _Cell:
    """Firms of one cell, and by how much each answer would change the sum.

    `changes`: firms x options, 0 for the true one; `is_other`: which are not the true one.
    `holding`: a number per firm; `alike`: another, the same for firms of which one stands for all.
    `ends`: least and greatest change of the sum that is not seen.
    """

    def __init__(
        self,
        changes: FloatArray,
        is_other: BoolArray,
        holding: NDArray[np.intp],
        alike: NDArray[np.intp],
        ends: tuple[float, float],
    ) -> None:
        self._changes, self._is_other = changes, is_other
        self._holding, self._alike = holding, alike
        self._near = near = _NEAR * float(np.abs(changes).sum())
        if not ends[0] <= near or not ends[1] >= -near:
            raise ValueError("the true sum must be between low and high")
        # The true sum may be an end itself.
        self._unseen = ((ends[0] + near, ends[1] - near), (-near, near))

    def gives_away(self, guarded: BoolArray) -> bool:
        """Whether the answer of a guarded firm follows for some reader."""
        alone = (self._is_unseen(self._changes) & self._is_other).any(axis=1)
        wanted = np.flatnonzero(guarded & ~alone)
        wanted = wanted[np.unique(self._alike[wanted], return_index=True)[1]]
        if not len(wanted):
            return False
        readers, partners = np.unique(self._holding), self._partners(wanted)
        for firm, helping in zip(wanted, partners, strict=True):
            own = readers == self._holding[firm]
            others = helping & ~own
            # Of two holdings that may have answered otherwise a reader knows one at most.
            if (helping & own).any() or others.sum() > 1:
                continue
            suspects = self._suspects(int(firm))
            if not all(self._possible(int(firm), reader) for reader in suspects):
                return True
        return False

    def _suspects(self, firm: int) -> NDArray[np.intp]:
        """Readers that know one of any two firms whose other answers hide that of this firm."""
        other, option = np.nonzero(self._is_other)
        free = other != firm
        other, by = other[free], self._changes[other[free], option[free]]
        by, other = np.append(by, 0.0), np.append(other, -1)  # one firm may be enough
        hidden = np.zeros((len(by), len(by)), dtype=np.bool_)
        for change in self._changes[firm][self._is_other[firm]]:
            hidden |= self._is_unseen(change + by[:, None] + by)
        hidden &= other[:, None] != other
        readers = np.setdiff1d(self._holding, self._holding[firm])
        if not len(readers):
            return np.array([OUTSIDER])
        mine = np.append(self._holding, OUTSIDER)[other] == readers[:, None]
        pairs = mine.astype(np.float64) @ hidden
        touched = 2 * pairs.sum(axis=1) - (pairs * mine).sum(axis=1)
        suspects = readers[touched == hidden.sum()]
        first = (self._holding == suspects[:, None]).argmax(axis=1)
        some: NDArray[np.intp] = suspects[np.unique(self._alike[first], return_index=True)[1]]
        return some

    def _partners(self, wanted: NDArray[np.intp]) -> BoolArray:
        """Holdings with a firm whose other answer hides that of each wanted one, (w, holdings)."""
        firm, option = np.nonzero(self._is_other)
        by = self._changes[firm, option]
        mine = np.isin(firm, wanted)
        hidden = self._is_unseen(by[mine, None] + by) & (firm[mine, None] != firm)
        of_holding = self._holding[firm, None] == np.unique(self._holding)
        of_firm = (wanted[:, None] == firm[mine]).astype(np.float64)
        found: BoolArray = of_firm @ hidden @ of_holding.astype(np.float64) > 0
        return found

    def _possible(self, firm: int, reader: int) -> bool:
        """Whether another answer of a firm is possible for a holding that knows its own."""
        free = np.flatnonzero(self._holding != reader)
        # Equal weights side by side have fewer sums.
        free = free[np.lexsort(self._changes[free].T)]
        halves = np.array_split(free[free != firm], 2)
        reach = [_reach(self._changes[half]) for half in halves]
        own = self._changes[firm][self._is_other[firm]]
        low, high = np.min(self._unseen) - own.max(), np.max(self._unseen) - own.min()
        for most in _SUMS:
            one, other = (
                self._sums(half, (low - up, high - down), most)
                for half, (down, up) in zip(halves, reach[::-1], strict=True)
            )
            for change in own:
                for least, greatest in self._unseen:
                    nearest = np.searchsorted(other, least - change - one)
                    # NaN behind the last: there is none so large.
                    if (np.append(other, np.nan)[nearest] <= greatest - change - one).any():
                        return True
            if self._changes.shape[1] ** len(halves[0]) <= most:  # all sums have been tried
                break
        return False

    def _sums(self, firms: NDArray[np.intp], room: tuple[float, float], most: int) -> FloatArray:
        """By how much the sum changes with all answers of some firms, in order, without repeats.

        Without those that the other half cannot bring back: the whole must be within `room`.
        """
        sums = np.zeros(1)
        for number, firm in enumerate(firms):
            sums = _distinct(np.add.outer(sums, self._changes[firm]).ravel(), self._near)
            down, up = _reach(self._changes[firms[number + 1 :]])
            sums = sums[(sums + up >= room[0]) & (sums + down <= room[1])]
            if len(sums) > most:
                sums = _distinct(sums, float(np.ptp(sums)) / most)
        return sums

    def _is_unseen(self, change: FloatArray) -> BoolArray:
        """Whether the printed figure leaves room for a change of the sum."""
        (low, high), (least, most) = self._unseen
        found: BoolArray = (change >= low) & (change <= high) | (change >= least) & (change <= most)
        return found


def _reach(changes: FloatArray) -> tuple[float, float]:
    """The least and the greatest sum of one change of each firm."""
    return float(changes.min(axis=1).sum()), float(changes.max(axis=1).sum())


def _distinct(sums: FloatArray, step: float) -> FloatArray:
    """Sums in order, one of those in each step."""
    if step == 0:  # nobody's answer weighs anything
        return np.unique(sums)
    sums = np.sort(sums)
    found: FloatArray = sums[np.diff(np.floor(sums / step), prepend=-np.inf) > 0]
    return found

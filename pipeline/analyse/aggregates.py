"""Names for sets of firms: a group, groups without others, groups together, else the firms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from pipeline.analyse.domains import Bools
from pipeline.tables import Clearance

Keys = tuple[str, ...]
"""Groups as ``breakdown=group``."""


class Aggregates:
    """Names sets of the n firms in an indicator's base by the groups (k, n) they are in."""

    def __init__(self, cells: Bools, groups: pd.DataFrame, firms: Sequence[str]) -> None:
        self._cells, self._firms = cells, firms
        self._breakdown = groups[Clearance.breakdown].to_numpy(dtype=object)
        group = groups[Clearance.group].to_numpy(dtype=object)
        self._keys = [f"{b}={g}" for b, g in zip(self._breakdown, group, strict=True)]
        self._sizes = cells.sum(axis=1)

    def group(self, row: Bools, among: Bools) -> str:
        """The first of some groups that has just these firms; empty where there is none."""
        found = np.flatnonzero((self._cells == row).all(axis=1) & among)
        return self._keys[found[0]] if len(found) else ""

    def named(self, row: Bools, told: Bools) -> tuple[Keys, Keys]:
        """Groups, and those to be taken from them, that leave these firms; nothing where none do.

        Groups that are told come before those that are not, small ones before large ones.
        """
        around = np.flatnonzero(~(row & ~self._cells).any(axis=1) & (self._sizes > row.sum()))
        for among in (told, np.ones_like(told)):
            for whole in sorted(around[among[around]], key=lambda i: (self._sizes[i], i)):
                if parts := self._union(self._cells[whole] & ~row, among):
                    return (self._keys[whole],), parts
            if parts := self._union(row, among):
                return parts, ()
        return (), ()

    def firms_of(self, row: Bools) -> Keys:
        """The firms themselves."""
        return tuple(self._firms[firm] for firm in np.flatnonzero(row).tolist())

    def _union(self, row: Bools, among: Bools) -> Keys:
        """The fewest groups of one breakdown that together have just these firms."""
        return min(self._unions(row, among), key=len, default=())

    def _unions(self, row: Bools, among: Bools) -> Iterator[Keys]:
        inside = among & ~(self._cells & ~row).any(axis=1) & (self._sizes > 0)
        for name in dict.fromkeys(self._breakdown[inside]):
            parts = np.flatnonzero(inside & (self._breakdown == name))
            if (self._cells[parts].any(axis=0) == row).all():
                yield tuple(self._keys[part] for part in parts)

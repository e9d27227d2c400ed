"""What goes wrong between a firm and the file: a little of each kind, and a list of all of it.

Firms are taken by chance, each for one kind only; none of the smallest district in the last two
waves, where the difference between the tables is to be one firm. Some kinds cost a firm its record,
some a value; those that the firm corrects later cost nothing.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from population.draws import WAVES, Bools, Floats, stream
from population.instrument import headings
from population.records import KEY, Record

LOG = ("wave", "firm_id", "kind", "column", "written", "true")
CORRECTIONS = ("firm_id", "column", "found", "corrected", "note")


class Dirt:
    """The records of one wave while they are spoilt; `log` and `corrections` grow with it."""

    def __init__(
        self, seed: int, wave: int, records: list[Record], spared: Collection[str]
    ) -> None:
        self.wave = WAVES[wave]
        self.records = records
        self.draw = stream(seed, f"dirt {self.wave}")
        self.heading = headings(self.wave)
        self.free = np.array([record[KEY] not in spared for record in records])
        self.log: list[tuple[str, ...]] = []
        self.corrections: list[tuple[str, ...]] = []

    def take(self, suits: Bools | None = None) -> int:
        """Number of a record, by chance, that nothing was done to yet."""
        row = int(self.draw.choice(np.flatnonzero(self.free & (True if suits is None else suits))))
        self.free[row] = False
        return row

    def note(self, row: int, kind: str, item: str = "", written: str = "", true: str = "") -> None:
        """Add a line to the list; of a value: what was written, and what would have been true."""
        key = self.records[row][KEY]
        self.log.append((self.wave, key, kind, self.heading.get(item, item), written, true))

    def overwrite(self, row: int, kind: str, item: str, written: str) -> None:
        """Write something else into a cell."""
        self.note(row, kind, item, written, self.records[row][item])
        self.records[row][item] = written

    def correct(self, row: int, kind: str, item: str, written: str) -> None:
        """Write something else into a cell, which the firm puts right later."""
        true = self.records[row][item]
        self.overwrite(row, kind, item, written)
        key = self.records[row][KEY]
        remark = "Rückruf des Betriebs nach Ende der Befragung"
        self.corrections.append((key, self.heading[item], written, true, remark))

    def copy(self, row: int) -> int:
        """Put a copy of a record at the end; its number."""
        self.records.append(dict(self.records[row]))
        self.free = np.append(self.free, [False])
        return len(self.records) - 1

    def texts(self, item: str) -> np.ndarray:
        """The texts of an item."""
        return np.array([record[item] for record in self.records], dtype=object)

    def numbers(self, item: str) -> Floats:
        """The answers to an item as numbers; NaN where there is none (reasons are negative)."""
        texts = (record[item].replace(",", ".") for record in self.records)
        return np.array([float(text) if text[:1].isdigit() else np.nan for text in texts])

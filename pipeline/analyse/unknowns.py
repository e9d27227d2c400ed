"""Unknowns of a plan: what readers would like to know of each firm, and what protects it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from scipy.sparse import csr_array

from pipeline.analyse.domains import Bools
from pipeline.analyse.measures import Floats, Ints
from pipeline.analyse.series import Series
from pipeline.disclosure.attack import Told
from pipeline.disclosure.plan import PUBLIC, Plan


class Rows:
    """Rows about unknowns as they are told, one after the other.

    `parts`: unknowns of which one is at most so many times the other.
    """

    def __init__(self) -> None:
        self.parts: list[tuple[int, int, float]] = []
        self._columns: list[Ints] = []
        self._data: list[Floats] = []
        self._ends: list[tuple[float, float, int]] = []

    def add(self, columns: Ints, data: Floats, ends: tuple[float, float], cell: int) -> None:
        """One row between its ends, part of a cell."""
        self._columns.append(columns)
        self._data.append(data)
        self._ends.append((*ends, cell))

    def matrix(self, width: int) -> tuple[csr_array, Floats, Floats, Ints]:
        """All rows, their ends and cells."""
        starts = np.append(0, np.cumsum([len(columns) for columns in self._columns]))
        empty = [np.zeros(0)]
        data, columns = np.concatenate(self._data or empty), np.concatenate(self._columns or empty)
        shape = (len(self._ends), width)
        matrix = csr_array((data, columns.astype(np.int64), starts.astype(np.int64)), shape=shape)
        low, high, cell = np.array(self._ends).reshape(-1, 3).T
        return matrix, low, high, cell.astype(np.int64)


class Unknowns:
    """Columns by formula and firm, with what each has to be protected by."""

    def __init__(self, firms: int) -> None:
        self._firms = firms
        self.place: dict[str, Ints] = {}
        self.values: list[float] = []
        self._owner: list[int] = []
        self._series: list[Series] = []
        self._waived: list[bool] = []
        self._answers: list[bool] = []

    def add(
        self, formula: str, series: Series, told: Bools, values: Floats, *, is_answer: bool
    ) -> None:
        """Take in the firms of a series that are `told`, (n,), unless the formula has them."""
        place = self.place.setdefault(formula, np.full(self._firms, -1, dtype=np.int64))
        for k in np.flatnonzero(told & (place[series.firms] < 0)):
            place[series.firms[k]] = len(self.values)
            self.values.append(float(values[k]))
            self._owner.append(int(series.holdings[k]))
            self._series.append(series)
            self._answers.append(is_answer)
            self._waived.append(bool(series.waived[k]))

    @property
    def answers(self) -> list[str]:
        """Formulas whose unknowns are answers."""
        last = {formula: int(place.max(initial=-1)) for formula, place in self.place.items()}
        return [formula for formula, at in last.items() if at >= 0 and self._answers[at]]

    def plan(self, rows: Rows, cost: Floats, within: Mapping[str, float]) -> Plan:
        """The system, with targets: each unknown, and each holding's sum of a formula."""
        values, owner = np.array(self.values), np.array(self._owner, dtype=np.int64)
        answers = np.array(self._answers, dtype=bool)
        matrix, low, high, cell = rows.matrix(len(values))
        least, most = self._believed(values, answers, within)
        told = Told(values, matrix, low, high, least, most)
        for part, whole, times in rows.parts:
            most[part] = min(most[part], times * most[whole])
        members = [np.array([number]) for number in range(len(values))]
        members += self._holdings(owner, answers)
        smallest = self._smallest(np.abs(values))
        needs = [self._needs(told, unknowns, smallest) for unknowns in members]
        for alone in self._alone(csr_array(matrix[cell != PUBLIC]), answers):
            if values[alone] != 0 and np.isfinite(needs[alone][0]):
                # Both larger and smaller: so two targets.
                members.append(np.array([alone]))
                needs.append((np.inf, needs[alone][0]))
        starts = np.append(0, np.cumsum([len(unknowns) for unknowns in members]))
        columns = np.concatenate(members) if members else np.zeros(0, dtype=np.int64)
        shape = (len(members), len(values))
        targets = csr_array((np.ones(len(columns)), columns, starts), shape=shape)
        up, down = np.array(needs, dtype=float).reshape(-1, 2).T
        return Plan(told, cell, cost, owner, targets, up, down)

    def _believed(
        self, values: Floats, answers: Bools, within: Mapping[str, float]
    ) -> tuple[Floats, Floats]:
        """Least and greatest value that each unknown can have, as everybody knows."""
        balance = np.array([s.kind.kind == "balance" for s in self._series], dtype=bool)
        least, most = np.where(balance, -1.0, 0.0), np.where(answers, 1.0, np.inf)
        for formula, place in self.place.items():
            own = place[place >= 0]
            if not answers[own].any() and (values[own] < 0).any():
                least[own] = -np.inf
            if formula in within:
                spread = np.abs(values[own]) * within[formula] / 100
                least[own], most[own] = values[own] - spread, values[own] + spread
        return least, most

    def _holdings(self, owner: Ints, answers: Bools) -> Iterator[Ints]:
        """Amounts of each holding of several firms, formula by formula."""
        for place in self.place.values():
            own = place[place >= 0]
            own = own[~answers[own]]
            for holding in np.unique(owner[own]):
                firms = own[owner[own] == holding]
                if len(firms) > 1:
                    yield firms

    def _alone(self, told: csr_array, answers: Bools) -> list[int]:
        """Amounts that no other of their formula is told together with in all the same figures."""
        by_unknown = told.tocsc()
        found: list[int] = []
        for place in self.place.values():
            alike: dict[bytes, list[int]] = {}
            for own in place[place >= 0].tolist():
                start, end = by_unknown.indptr[own : own + 2]
                if end > start and not answers[own]:
                    alike.setdefault(by_unknown.indices[start:end].tobytes(), []).append(own)
            found += [same[0] for same in alike.values() if len(same) == 1]
        return found

    def _smallest(self, amounts: Floats) -> Floats:
        """The smallest amount but 0 of each unknown's formula; 0 where there is none."""
        found = np.zeros(len(amounts))
        for place in self.place.values():
            own = amounts[place[place >= 0]]
            found[place[place >= 0]] = own[own > 0].min() if own.any() else 0.0
        return found

    def _needs(self, told: Told, members: Ints, smallest: Floats) -> tuple[float, float]:
        """By how much readers must be able to overestimate, or else underestimate, their sum."""
        one, value = members[0], float(told.values[members].sum())
        series = self._series[one]
        # A holding has waived where all its firms have, as in the primary rules.
        if not series.kind.sensitive or all(self._waived[firm] for firm in members):
            return np.inf, np.inf
        if self._answers[one]:
            least = float(told.least[one])
            return 1.0 if value < 1 else np.inf, 1.0 if value > least else np.inf
        if (told.least[members] == told.most[members]).all():
            return np.inf, np.inf
        # Who has nothing must be thought to have what protects the smallest of the others.
        need = series.rules.p_percent / 100 * (abs(value) or float(smallest[one]))
        if value + need > told.most[members].sum():
            return np.inf, need or np.inf  # all of something known: it may be thought to be less
        return need or np.inf, np.inf

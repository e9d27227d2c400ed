"""Plans: what is told of the firms of a wave by indicators that share items, for the audit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from pipeline.analyse.domains import Bools
from pipeline.analyse.measures import Floats, Ints
from pipeline.analyse.series import Series
from pipeline.disclosure.attack import Told
from pipeline.disclosure.plan import PUBLIC, Plan
from pipeline.expressions import Bounds, is_truth, part_of

_EVERYBODY = 100.0
"""Cost of suppressing what is told of all firms, where a small group costs 1."""


class Shown(NamedTuple):
    """What is told of an indicator: of the n firms in its base by k open groups, `cells` (k, n).

    `groups`: numbers of the groups, (k,). `numerator`, `denominator`: their formulas, the latter
    empty where firms are counted; `unit`: to what each figure is rounded, (k,); `told_before` and
    `hidden_before`, (k,): the group was released, or was suppressed in the wave before.
    """

    series: Series
    groups: Ints
    cells: Bools
    numerator: str
    denominator: str
    unit: Floats
    told_before: Bools
    hidden_before: Bools


class Known(NamedTuple):
    """What readers know anyway.

    `bounds`: least and greatest value of each item; `within`: items of which every firm's value is
    known to so many per cent.
    """

    bounds: Bounds
    within: Mapping[str, float]


def plan_of(shown: Sequence[Shown], known: Known, firms: int) -> Plan:
    """Put what is told of all these indicators into one system, cells numbered one after another.

    Unknowns are the amounts (or answers) of each formula and firm, `firms` of them in the wave. A
    printed ratio r of n to d is the row: n - r d within half a rounding step times d; any other
    figure is a weighted sum within half a step. Public are, of two formulas of which one is part of
    the other, the part's bounds; of answers 0 and 1 (-1 in a balance); of `Known.within` these.
    """
    unknowns = _Unknowns(firms)
    for each in shown:
        for formula, values in _formulas(each):
            unknowns.add(formula, each, values)
    rows = _Rows()
    first = 0
    for each in shown:
        _tell(rows, each, unknowns, first)
        first += len(each.cells)
    _relate(rows, unknowns, known.bounds)
    cost = np.concatenate([_cost(each) for each in shown])
    return unknowns.plan(rows, cost, known.within)


def _formulas(each: Shown) -> Iterator[tuple[str, Floats]]:
    yield each.numerator, each.series.numerator
    if each.denominator:
        yield each.denominator, each.series.denominator


def _cost(each: Shown) -> Floats:
    """Cost of suppressing each cell: what most readers need is dear, holes in series are cheap."""
    size = each.cells.sum(axis=1)
    share = size / max(each.cells.shape[1], 1)
    cost = np.where(share == share.max(initial=0.0), _EVERYBODY, 1 + 3 * share)
    return np.where(each.told_before, np.inf, cost * np.where(each.hidden_before, 0.5, 1.0))


class _Unknowns:
    """Columns by formula and firm, with what each has to be protected by."""

    def __init__(self, firms: int) -> None:
        self._firms = firms
        self.place: dict[str, Ints] = {}
        self.values: list[float] = []
        self._owner: list[int] = []
        self._series: list[Series] = []
        self._waived: list[bool] = []
        self._answers: list[bool] = []

    def add(self, formula: str, each: Shown, values: Floats) -> None:
        """Take in the firms that are in a cell, where the formula does not have them yet."""
        # Answers may be counted per amount: jobs, say.
        counts = formula == each.numerator or is_truth(formula)
        is_answer = each.series.kind.categorical and counts
        place = self.place.setdefault(formula, np.full(self._firms, -1, dtype=np.int64))
        for k in np.flatnonzero(each.cells.any(axis=0) & (place[each.series.firms] < 0)):
            place[each.series.firms[k]] = len(self.values)
            self.values.append(float(values[k]))
            self._owner.append(int(each.series.holdings[k]))
            self._series.append(each.series)
            self._answers.append(is_answer)
            self._waived.append(bool(each.series.waived[k]))

    def plan(self, rows: _Rows, cost: Floats, within: Mapping[str, float]) -> Plan:
        """The system, with a target for each unknown and each holding's sum of a formula."""
        values, owner = np.array(self.values), np.array(self._owner, dtype=np.int64)
        answers = np.array(self._answers, dtype=bool)
        balance = np.array([s.kind.kind == "balance" for s in self._series], dtype=bool)
        least = np.where(balance, -1.0, np.where(values < 0, -np.inf, 0.0))
        most = np.where(answers, 1.0, np.inf)
        for formula, per_cent in within.items():
            at = self.place.get(formula, np.zeros(0, dtype=np.int64))
            at = at[at >= 0]
            spread = np.abs(values[at]) * per_cent / 100
            least[at], most[at] = values[at] - spread, values[at] + spread
        matrix, low, high, cell = rows.matrix(len(values))
        targets, members = self._targets(values, owner, answers)
        up, down = self._needs(targets @ values, members, answers, balance)
        owners = np.unique(owner, return_inverse=True)[1].astype(np.int64)
        told = Told(values, matrix, low, high, least, most)
        return Plan(told, cell, cost, owners, targets, up, down)

    def _targets(self, values: Floats, owner: Ints, answers: Bools) -> tuple[csr_array, list[Ints]]:
        members = [np.array([number]) for number in range(len(values))]
        for place in self.place.values():
            own = place[place >= 0]
            own = own[~answers[own]]
            for holding in np.unique(owner[own]):
                firms = own[owner[own] == holding]
                if len(firms) > 1:
                    members.append(firms)
        lengths = [len(firms) for firms in members]
        columns = np.concatenate(members) if members else np.zeros(0, dtype=np.int64)
        starts = np.append(0, np.cumsum(lengths))
        data = np.ones(len(columns))
        return csr_array((data, columns, starts), shape=(len(members), len(values))), members

    def _needs(
        self, sums: Floats, members: list[Ints], answers: Bools, balance: Bools
    ) -> tuple[Floats, Floats]:
        """By how much readers must be able to overestimate, or underestimate, each target."""
        up, down = np.full(len(sums), np.inf), np.full(len(sums), np.inf)
        for target, firms in enumerate(members):
            series, one = self._series[firms[0]], firms[0]
            # A holding has waived where all its firms have, as in the primary rules.
            if not series.kind.sensitive or all(self._waived[firm] for firm in firms):
                continue
            if not answers[one]:
                need = series.rules.p_percent / 100 * abs(sums[target])
                up[target] = need if need > 0 else np.inf
                continue
            up[target] = 1.0 if sums[target] < 1 else np.inf
            down[target] = 1.0 if sums[target] > (-1 if balance[one] else 0) else np.inf
        return up, down


class _Rows:
    """Rows about unknowns as they are told, one after the other."""

    def __init__(self) -> None:
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


def _tell(rows: _Rows, each: Shown, unknowns: _Unknowns, first: int) -> None:
    """The figures of all cells of an indicator as they are printed."""
    series = each.series
    scale, kind = series.kind.scale, series.kind.kind
    numerator = unknowns.place[each.numerator][series.firms]
    for cell, (inside, unit) in enumerate(zip(each.cells, each.unit, strict=True), start=first):
        at, half = np.flatnonzero(inside), unit / 2
        weight, y, x = series.weight[at], series.numerator[at], series.denominator[at]
        base = 1.0 if kind == "total" else float((weight * x).sum())
        figure = scale * float((weight * y).sum()) / base
        printed = round(figure / unit) * unit
        if not each.denominator:
            ends = ((printed - half) * base / scale, (printed + half) * base / scale)
            rows.add(numerator[at], weight, ends, cell)
            continue
        denominator = unknowns.place[each.denominator][series.firms[at]]
        columns = np.concatenate([numerator[at], denominator])
        for end, ends in ((printed - half, (0.0, np.inf)), (printed + half, (-np.inf, 0.0))):
            rows.add(columns, np.concatenate([scale * weight, -end * weight]), ends, cell)


def _relate(rows: _Rows, unknowns: _Unknowns, bounds: Bounds) -> None:
    """What the formulas tell of each other: a part is so much of the whole, firm by firm."""
    for part, whole in permutations(unknowns.place, 2):
        ratio = part_of(part, whole, bounds)
        if ratio is None:
            continue
        of_part, of_whole = unknowns.place[part], unknowns.place[whole]
        for firm in np.flatnonzero((of_part >= 0) & (of_whole >= 0)):
            columns = np.array([of_part[firm], of_whole[firm]])
            if ratio[0] > 0:
                rows.add(columns, np.array([1.0, -ratio[0]]), (0.0, np.inf), PUBLIC)
            rows.add(columns, np.array([1.0, -ratio[1]]), (-np.inf, 0.0), PUBLIC)

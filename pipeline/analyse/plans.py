"""Plans: what is told of the firms of a wave by indicators that share items, for the audit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, permutations, product
from typing import NamedTuple

import numpy as np

from pipeline import disclosure
from pipeline.analyse.domains import Bools
from pipeline.analyse.measures import Floats, Ints
from pipeline.analyse.series import Series
from pipeline.analyse.unknowns import Rows, Unknowns
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

    def among(self, cells: Bools) -> Shown:
        """The same of some of the cells, (k,)."""
        return self._replace(
            groups=self.groups[cells],
            cells=self.cells[cells],
            unit=self.unit[cells],
            told_before=self.told_before[cells],
            hidden_before=self.hidden_before[cells],
        )


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
    the other, the part's bounds; of answers 0 and 1 (-1 in a balance), and that no firm gives two
    together that none gave; of `Known.within` these.
    """
    unknowns = Unknowns(firms)
    for each in shown:
        told = np.asarray(each.cells.any(axis=0), dtype=np.bool_)
        for formula, values in _formulas(each):
            # Answers may be counted per amount: jobs, say.
            counts = formula == each.numerator or is_truth(formula)
            is_answer = each.series.kind.categorical and counts
            unknowns.add(formula, each.series, told, values, is_answer=is_answer)
    rows = Rows()
    first = 0
    for each in shown:
        _tell(rows, each, unknowns, first)
        first += len(each.cells)
    _relate(rows, unknowns, known.bounds)
    _exclude(rows, unknowns)
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


def answers_told(each: Shown) -> Bools:
    """Whether each cell by itself gives an answer away, (k,); see `disclosure.answers_follow`."""
    series = each.series
    if each.denominator or not series.kind.categorical:
        return np.zeros(len(each.cells), dtype=np.bool_)
    printed = [_printed(each, cell) for cell in range(len(each.cells))]
    low, high = np.array([ends for ends, _ in printed]).reshape(-1, 2).T
    return disclosure.answers_follow(
        *(each.cells, series.numerator, series.holdings),
        weights=series.weight,
        least=-1 if series.kind.kind == "balance" else 0,
        most=1,
        low=low,
        high=high,
        waived=series.waived,
    )


def _printed(each: Shown, cell: int) -> tuple[tuple[float, float], bool]:
    """Between what the weighted sum (or ratio) of a cell is as printed; if it has a figure."""
    series, inside, unit = each.series, each.cells[cell], float(each.unit[cell])
    weight, y, x = series.weight[inside], series.numerator[inside], series.denominator[inside]
    base = 1.0 if series.kind.kind == "total" else float((weight * x).sum())
    if base == 0:
        return (-np.inf, np.inf), False
    figure = series.kind.scale * float((weight * y).sum()) / base
    printed = round(figure / unit) * unit
    times = series.kind.scale if each.denominator else series.kind.scale / base
    return ((printed - unit / 2) / times, (printed + unit / 2) / times), True


def _tell(rows: Rows, each: Shown, unknowns: Unknowns, first: int) -> None:
    """The figures of all cells of an indicator as they are printed."""
    series = each.series
    numerator = unknowns.place[each.numerator][series.firms]
    for number, inside in enumerate(each.cells):
        cell, at, weight = first + number, np.flatnonzero(inside), series.weight[inside]
        (low, high), is_figure = _printed(each, number)
        if not is_figure:
            continue
        if not each.denominator:
            rows.add(numerator[at], weight, (low, high), cell)
            continue
        denominator = unknowns.place[each.denominator][series.firms[at]]
        columns = np.concatenate([numerator[at], denominator])
        for end, ends in ((low, (0.0, np.inf)), (high, (-np.inf, 0.0))):
            rows.add(columns, np.concatenate([weight, -end * weight]), ends, cell)


def _relate(rows: Rows, unknowns: Unknowns, bounds: Bounds) -> None:
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
            rows.parts.append((int(of_part[firm]), int(of_whole[firm]), ratio[1]))


def _exclude(rows: Rows, unknowns: Unknowns) -> None:
    """What answers tell of each other: who does not invest expects no rise, say.

    Of two answers a and b of a firm, s a + t b is never more than the most that it is of any firm,
    for signs s and t. That may be chance and no rule: readers are taken to know too much then.
    """
    values = np.array(unknowns.values)
    for one, other in combinations(unknowns.answers, 2):
        first, second = unknowns.place[one], unknowns.place[other]
        both = np.flatnonzero((first >= 0) & (second >= 0))
        for s, t in product((1.0, -1.0), repeat=2):
            a, b = s * values[first[both]], t * values[second[both]]
            most = (a + b).max(initial=0.0)
            if most >= a.max(initial=0.0) + b.max(initial=0.0):
                continue
            for firm in both:
                columns = np.array([first[firm], second[firm]])
                rows.add(columns, np.array([s, t]), (-np.inf, float(most)), PUBLIC)

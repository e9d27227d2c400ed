"""Tables of totals that nobody can take apart: suppressed, audited, repaired, audited again.

    secured = secure(cells, values, holdings, rules, cost)
    secured.published, secured.rule

`secondary` is against exact disclosure; here readers may also not come too close, whichever figures
they have themselves.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array, vstack

from pipeline.disclosure.atoms import atoms_of, parts_of, readers_of, targets_of
from pipeline.disclosure.elimination import keep
from pipeline.disclosure.intervals import SAME, Audit, Exposed
from pipeline.disclosure.perturbation import Nearest
from pipeline.disclosure.primary import BoolArray, FloatArray, Rules, unsafe_amounts
from pipeline.errors import DisclosureError, Problem

_DEAR = 1e3
"""What a change of the most important cell costs beside a move of an atom: that much more."""
_LEAST_PRICE = 1e-3
"""What a cell of no importance costs beside the most important one: more than nothing."""
_AT_ONCE = 64
_NAMED = 3


class Secured(NamedTuple):
    """What may be published, (cells,), and what it took.

    `rule`: why a cell is not: a primary rule, `secondary` (lest unsafe sums follow exactly),
    `attack` (lest readers come too close); "" where it is. `primary`, `secondary`, `attack`: how
    many. `solves`: linear programmes of the audits. `protection`: by how many per cent everyone
    must overestimate a value at least (as far as witnesses show).
    """

    published: BoolArray
    rule: NDArray[np.str_]
    primary: int
    secondary: int
    attack: int
    solves: int
    protection: float


def secure(
    cells: csr_array,
    values: FloatArray,
    holdings: NDArray[Any],
    rules: Rules,
    cost: FloatArray,
    *,
    told: BoolArray | None = None,
) -> Secured:
    """Choose the totals to publish so that no reader learns too much of any holding.

    `cells`: cells x firms, 0 or 1, of all breakdowns, hierarchies and waves together; an amount
    that stands in several is one column. `values`: the amounts, 0 or more, (n,). `holdings`: a
    label per column; a holding knows all its own. `cost`: importance per cell, 0 or more. `told`:
    cells that were published before, which cannot be taken back; nobody unless given.

    With what is published, a reader, outsider or any one holding, (a) can compute no cell and no
    atom (the firms that are in the same cells) that breaks a primary rule; (b) holds possible that
    each other holding has p % more than it does, in each atom, in each cell and in all; (c) where
    it is alone in them, also p % less; (d) holds possible, without figures of its own, that a sum
    breaking the (n,k)-rule is so large that it does not.

    Raises `DisclosureError` where that cannot be had, naming the cells, as where cells told before
    give something away; ValueError where the arrays do not fit, or rules have no p.
    """
    table = _Table(cells, values, holdings, rules)
    fixed = np.zeros(len(cost), dtype=np.bool_) if told is None else told
    _fit(table.member, cost, fixed)
    order = np.lexsort((-cost, ~fixed))
    order = order[(table.rule[order] == "") | fixed[order]]
    published = np.zeros(len(cost), dtype=np.bool_)
    published[order[table.keeps(order)]] = True
    if lost := table.given_away(fixed & ~published):
        raise DisclosureError(lost)
    rule = np.where(published | (table.rule != ""), table.rule, "secondary").astype(object)
    while found := table.audit.findings(published):
        touched = table.repair(found, published, cost, fixed)
        if not touched.any():
            raise DisclosureError(table.exposed(found))
        published &= ~touched
        rule[touched] = "attack"
    table.prune(published, cost)
    if found := table.audit.findings(published):
        raise DisclosureError(table.exposed(found))
    rule = np.where(published, "", rule).astype(np.str_)
    secondary, attack = int((rule == "secondary").sum()), int((rule == "attack").sum())
    return Secured(
        published,
        rule,
        primary=int((~published).sum()) - secondary - attack,
        secondary=secondary,
        attack=attack,
        solves=table.audit.solves,
        protection=rules.p_percent + table.audit.protection(),
    )


def leaks(
    cells: csr_array,
    values: FloatArray,
    holdings: NDArray[Any],
    rules: Rules,
    published: BoolArray,
) -> list[Problem]:
    """Say what published cells give away, of the arrays that `secure` takes; empty for nothing."""
    table = _Table(cells, values, holdings, rules)
    order = np.flatnonzero(published)
    lost = np.zeros(len(published), dtype=np.bool_)
    lost[order[~table.keeps(order)]] = True
    return table.given_away(lost) + table.exposed(table.audit.findings(published))


class _Table:
    """Cells over atoms, what must not follow from them, and who could learn of whom."""

    def __init__(
        self, cells: csr_array, values: FloatArray, holdings: NDArray[Any], rules: Rules
    ) -> None:
        cells = cells.copy()
        cells.sum_duplicates()
        _fit_firms(cells, values, holdings, rules)
        self.member, of_firm = atoms_of(cells)
        parts = parts_of(of_firm, values, holdings)
        readers = readers_of(parts)
        self.targets = targets_of(self.member, parts, readers, rules)
        self.audit = Audit(self.member, parts, readers, self.targets)
        self.rule = _rules_broken(cells, values, holdings, rules)
        inside = np.flatnonzero(of_firm >= 0)
        ones = np.ones(len(inside))
        atoms = csr_array((ones, (of_firm[inside], inside)), (self.member.shape[1], len(values)))
        unsafe = np.flatnonzero(_rules_broken(atoms, values, holdings, rules) != "")
        every = eye_array(self.member.shape[1], format="csr")
        rows = [self.member[np.flatnonzero(self.rule != "")], every[unsafe]]
        self._protected = vstack(rows, format="csr")

    def keeps(self, order: NDArray[np.int64]) -> BoolArray:
        """Which cells can be told, in this order, so that nothing protected follows exactly."""
        nothing = self.member[[]]
        return keep(*(_whole(rows) for rows in (self.member[order], self._protected, nothing)))[0]

    def repair(
        self, found: list[Exposed], published: BoolArray, cost: FloatArray, fixed: BoolArray
    ) -> BoolArray:
        """Choose published cells that leave each target its need when suppressed, (cells,).

        One by one the cheapest perturbation is looked for that reaches it: a linear programme in
        which published totals may change at their cost by unit; those that do are suppressed.
        """
        touched = np.zeros(len(cost), dtype=np.bool_)
        price = _DEAR * (cost / (cost.max(initial=0.0) or 1.0) + _LEAST_PRICE)
        price[fixed] = np.inf
        shown = np.flatnonzero(published)
        nearest = Nearest(self.member[shown], price[shown])
        for finding in found:
            if not self.audit.is_exposed(finding):
                continue
            unit = float(self.targets.need(finding.target)[finding.reader])
            row = self.targets.rows[[finding.target]].toarray().ravel()
            moved = nearest.move(row, *self.audit.bounds(np.array([finding.reader]), unit))
            if moved is not None:
                changed = np.flatnonzero(np.abs(moved[1]) > SAME)
                nearest.release(changed)
                touched[shown[changed]] = True
                self.audit.remember(moved[0], unit)
        return touched

    def prune(self, published: BoolArray, cost: FloatArray) -> None:
        """Publish, in place, what was suppressed for nothing: what the witnesses do not need."""
        further = np.flatnonzero(~published & (self.rule == ""))
        further = further[np.argsort(-cost[further], kind="stable")]
        order = np.concatenate([np.flatnonzero(published), further])
        self.audit.condense()
        for cell in further[self.keeps(order)[-len(further) or len(order) :]].tolist():
            published[cell] = self.audit.admits(self.member[[cell]])

    def exposed(self, found: list[Exposed]) -> list[Problem]:
        """Name cells that show a target, the smallest first."""
        size = np.diff(self.member.indptr)
        problems = []
        for finding in found:
            row = abs(self.targets.rows[[finding.target]])
            shows = np.flatnonzero(self.member @ row.T.toarray().ravel() == row.sum())
            who = "a reader" if finding.reader == 0 else "a contributor of some cell"
            what = f"{who} can work out another's part too closely"
            problems.append(_problem(what, shows[np.argsort(size[shows], kind="stable")]))
        return sorted(set(problems))

    def given_away(self, lost: BoolArray) -> list[Problem]:
        """Name cells from which, with others, something unsafe follows."""
        return [
            _problem("an unsafe sum follows exactly from it and others", np.array([cell]))
            for cell in np.flatnonzero(lost)
        ]


def _whole(rows: csr_array) -> csr_array:
    return csr_array(rows.astype(np.int64))


def _rules_broken(
    cells: csr_array, values: FloatArray, holdings: NDArray[Any], rules: Rules
) -> NDArray[np.str_]:
    """The primary rule that each cell breaks; some cells at a time, as the rules are dense."""
    size = np.diff(cells.indptr)
    order = np.argsort(size, kind="stable")
    found = np.full(len(size), "", dtype=object)
    for begin in range(0, len(order), _AT_ONCE):
        some = order[begin : begin + _AT_ONCE]
        part = cells[some]
        firms = np.unique(part.indices)
        dense = part[:, firms].toarray() > 0
        found[some] = unsafe_amounts(dense, values[firms], holdings[firms], rules).rule
    return found.astype(np.str_)


def _problem(found: str, cells: NDArray[np.int64]) -> Problem:
    named = ", ".join(f"cell {cell}" for cell in cells[:_NAMED])
    return Problem(
        found=found,
        expected="every reader in enough doubt about every other contributor",
        advice="Publish fewer or coarser breakdowns.",
        row=named + (" …" if len(cells) > _NAMED else ""),
    )


def _fit(member: csr_array, cost: FloatArray, fixed: BoolArray) -> None:
    if fixed.dtype != np.bool_:
        raise TypeError("told must be boolean")
    if not cost.shape == fixed.shape == member.shape[:1]:
        raise ValueError("give cost and told for each cell")
    if not np.isfinite(cost).all() or (cost < 0).any():
        raise ValueError("cost must be finite and not negative")


def _fit_firms(cells: csr_array, values: FloatArray, holdings: NDArray[Any], rules: Rules) -> None:
    if not values.shape == holdings.shape == cells.shape[1:]:
        raise ValueError("give a value and a holding for each column of cells")
    if not np.isfinite(values).all() or (values < 0).any():
        raise ValueError("values must be finite and not negative")
    if (cells.data != 1).any():
        raise ValueError("cells must hold ones, each place once")
    if rules.p_percent == 0:
        raise ValueError("rules must have a p: how close a reader may come")

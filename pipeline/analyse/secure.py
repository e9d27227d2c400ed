"""Secure: suppress further groups until no reader can narrow down a figure; it fails closed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline import disclosure
from pipeline.analyse.domains import GROUP, Bools
from pipeline.analyse.measures import Ints, Rule, rules_of
from pipeline.analyse.plans import Known, Shown, answers_told, plan_of
from pipeline.analyse.released import facts_of
from pipeline.analyse.series import by_firm, series_of
from pipeline.analyse.systems import bounds_of, shown_of, systems_of
from pipeline.disclosure.plan import Plan
from pipeline.disclosure.repair import Repaired, repair
from pipeline.errors import DisclosureError
from pipeline.tables import (
    Clearance,
    Contributions,
    Exposures,
    Indicators,
    Items,
    Protection,
    Register,
    Released,
)

Result = TypeVar("Result", Protection, Exposures)
Open = dict[str, Bools]
"""Which groups are open, (groups,), by indicator."""
TOLD, ANYBODY = -1, -2
"""In place of a holding that a cell gives away: none, or any of those in it."""


class _System(NamedTuple):
    """Indicators of a wave that share items, and what is told of each."""

    wave: str
    names: Sequence[str]
    shown: Sequence[Shown]

    def cells(self) -> list[tuple[str, int]]:
        """Indicator and number of the group of each cell, (k,)."""
        told = zip(self.names, self.shown, strict=True)
        return [(name, group) for name, each in told for group in each.groups.tolist()]


@pa.check_types
def secure(
    clearance: DataFrame[Clearance],
    contributions: DataFrame[Contributions],
    register: DataFrame[Register],
    indicators: DataFrame[Indicators],
    items: DataFrame[Items],
    *,
    released: DataFrame[Released],
    rules: disclosure.Rules,
    known: Mapping[str, float],
    coarse_below: int = 0,
) -> tuple[DataFrame[Clearance], DataFrame[Protection], DataFrame[Exposures]]:
    """Clearance without the groups that an attacker's programme found to give a firm away.

    Wave by wave all indicators that share items are one system (see `plan_of`), in which every
    firm's and holding's amount must remain p per cent larger for all that readers can tell, and
    every answer another one; a reader may be an outsider or any holding. With it, by wave and
    system, how many cells were audited and what was found, and whom each cell that was taken out
    would give away. `known`: items that readers know to within so many per cent, and some of them
    exactly, so the audit is made for both; `coarse_below` as for `release`. What was `released`
    stays. Raises `DisclosureError` where the audit has no clean end.
    """
    groups = clearance[GROUP].drop_duplicates(ignore_index=True)
    kinds = rules_of(indicators)
    limits, cleared = dict.fromkeys(kinds, rules), _cleared(clearance, groups)
    facts, nothing = facts_of(released, groups), np.zeros(len(groups), dtype=bool)
    formulas, bounds = indicators.set_index(Indicators.indicator), bounds_of(items)
    # Readers who know public items somewhat, and readers who know them exactly.
    readers = Known(bounds, known), Known(bounds, dict.fromkeys(known, 0.0))
    audits: list[tuple[object, ...]] = []
    exposures: list[tuple[object, ...]] = []
    before: Open = {}
    for wave, listed in register.groupby(Register.wave):
        of_wave = cleared[str(wave)]
        own = contributions.loc[contributions[Contributions.wave] == wave]
        shown = {
            name: shown_of(
                *(cells, series, of_wave[name]),
                facts.get((str(wave), name), nothing),
                ~before.get(name, ~nothing),
                formulas=dict(formulas.loc[name]),
                coarse_below=coarse_below,
            )
            for name, cells, series in series_of(own, listed, groups, kinds, limits)
            if name in of_wave
        }
        for names in systems_of({name: kinds[name] for name in shown}, formulas):
            system = _System(str(wave), names, [shown[name] for name in names])
            exposed, audit = _audited(system, readers, listed[Register.firm_id].nunique())
            audits.append(audit)
            for name, group, whom in _given_away(system, exposed, listed):
                of_wave[name][group] = False
                exposures.append((str(wave), name, *groups[GROUP].iloc[group], whom))
        before = of_wave
    closed = _closed(clearance, cleared, kinds)
    return closed, _table(Protection, audits), _table(Exposures, exposures)


def _audited(
    system: _System, readers: Sequence[Known], firms: int
) -> tuple[Ints, tuple[object, ...]]:
    """Audit a system for one kind of readers after the other.

    Cells go first that by themselves leave one solution for who said what. Returns a holding that
    each cell would give away, (k,), or `TOLD`, or `ANYBODY`; and the row of `Protection`.
    """
    alone = np.concatenate([answers_told(each) for each in system.shown])
    before = np.concatenate([each.told_before for each in system.shown])
    exposed = np.where(alone & ~before, ANYBODY, TOLD)
    amounts = not system.shown[0].series.kind.categorical
    results: list[Repaired] = []
    aware = int((alone & before).sum())
    formulas = {f for each in system.shown for f in (each.numerator, each.denominator)}
    for known in readers:
        if results and formulas.isdisjoint(known.within):
            break  # they know no more than those before
        told = exposed == TOLD
        plan = plan_of(_among(system.shown, told), known, firms)
        found = _repaired(plan, system)
        first = plan.targets.indices[plan.targets.indptr[found.because[found.suppressed]]]
        exposed[np.flatnonzero(told)[found.suppressed]] = plan.owner[first]
        starts, columns = plan.targets.indptr, plan.targets.indices
        known_to_some = np.flatnonzero(found.known)
        figures = {tuple(columns[starts[t] : starts[t + 1]]) for t in known_to_some}
        aware = max(aware, len(figures))
        results.append(found)
    return exposed, (
        *(system.wave, " ".join(system.names), len(exposed)),
        sum(found.attacks for found in results),
        sum(found.solves for found in results),
        int((exposed != TOLD).sum()),
        aware,
        # An answer is another one or not: there is no more room than needed.
        np.fmin.reduce([found.smallest for found in results]) if amounts else np.nan,
    )


def _among(shown: Sequence[Shown], told: Bools) -> list[Shown]:
    """What is told of the cells that are told still, (k,)."""
    ends = np.cumsum([len(each.groups) for each in shown])
    parts = zip(shown, np.split(told, ends[:-1]), strict=True)
    return [each.among(part) for each, part in parts]


def _repaired(plan: Plan, system: _System) -> Repaired:
    """What a plan's audit found; an error names the wave and the indicators."""
    try:
        return repair(plan)
    except DisclosureError as error:
        names = " ".join(system.names)
        located = [replace(p, wave=system.wave, item=names) for p in error.problems]
        raise DisclosureError(located) from error


def _given_away(
    system: _System, exposed: Ints, listed: pd.DataFrame
) -> Iterator[tuple[str, int, str]]:
    """Cells to close: indicator, number of the group, firms of a holding that it gives away."""
    firm, number = by_firm(listed)
    firms = firm[Register.firm_id].groupby(number).agg(" ".join).to_list()
    for (name, group), holding in zip(system.cells(), exposed.tolist(), strict=True):
        if holding != TOLD:
            yield name, group, "" if holding == ANYBODY else firms[holding]


def _cleared(clearance: pd.DataFrame, groups: pd.DataFrame) -> dict[str, Open]:
    """Which groups are open by wave and indicator; of a table sorted as its groups are."""
    found: dict[str, Open] = {}
    for (wave, name), rows in clearance.groupby([Clearance.wave, Clearance.indicator]):
        if not np.array_equal(rows[GROUP].to_numpy(), groups.to_numpy()):
            raise ValueError(f"groups of {name} in {wave} in another order than those before")
        is_open = (rows[Clearance.rule] == "").to_numpy(copy=True)
        found.setdefault(str(wave), {})[str(name)] = is_open
    return found


def _table(model: type[Result], rows: Sequence[tuple[object, ...]]) -> DataFrame[Result]:
    types = model.empty().dtypes.to_dict()
    return DataFrame[model](pd.DataFrame(rows, columns=list(types)).astype(types))  # type: ignore[valid-type]


def _closed(
    clearance: pd.DataFrame, cleared: Mapping[str, Open], kinds: Mapping[str, Rule]
) -> DataFrame[Clearance]:
    """The clearance with the rule `attack` where a group was closed, `part` where a part was."""
    tables = []
    for (wave, name), rows in clearance.groupby([Clearance.wave, Clearance.indicator]):
        of_wave = cleared[str(wave)]
        parts = [of_wave[part] for part in kinds[str(name)].parts if part in of_wave]
        closed = ~np.all([of_wave[str(name)], *parts], axis=0)
        rule = np.where(
            rows[Clearance.rule] == "", "part" if parts else "attack", rows[Clearance.rule]
        )
        tables.append(rows.assign(**{Clearance.rule: np.where(closed, rule, rows[Clearance.rule])}))
    return DataFrame[Clearance](pd.concat(tables, ignore_index=True))

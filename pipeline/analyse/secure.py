"""Secure: suppress further groups until no reader can narrow down a figure; it fails closed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline import disclosure
from pipeline.analyse.domains import GROUP, Bools
from pipeline.analyse.measures import Rule, rules_of
from pipeline.analyse.plans import Known, Shown, plan_of
from pipeline.analyse.released import facts_of
from pipeline.analyse.rounding import units
from pipeline.analyse.series import Series, series_of
from pipeline.disclosure.plan import Plan
from pipeline.disclosure.repair import Repaired, repair
from pipeline.errors import DisclosureError
from pipeline.expressions import Bounds, parse
from pipeline.tables import (
    Clearance,
    Contributions,
    Indicators,
    Items,
    Protection,
    Register,
    Released,
)

Open = dict[str, Bools]
"""Which groups are open, (groups,), by indicator."""


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
) -> tuple[DataFrame[Clearance], DataFrame[Protection]]:
    """Clearance without the groups that an attacker's programme found to give a firm away.

    Wave by wave all indicators that share items are one system (see `plan_of`), in which every
    firm's and holding's amount must remain p per cent larger for all that readers can tell, and
    every answer another one; a reader may be an outsider or any holding. With it, by wave and
    system, how many cells were audited and what was found. `known`: items that readers know to
    within so many per cent; `coarse_below` as for `release`. What was `released` stays. Raises
    `DisclosureError` where the audit has no clean end.
    """
    groups = clearance[GROUP].drop_duplicates(ignore_index=True)
    kinds = rules_of(indicators)
    limits = kinds, dict.fromkeys(kinds, rules)
    cleared = _cleared(clearance, groups)
    facts, nothing = facts_of(released, groups), np.zeros(len(groups), dtype=bool)
    told, formulas = Known(_bounds(items), known), indicators.set_index(Indicators.indicator)
    amounts = {name: _items(dict(formulas.loc[name])) for name in kinds}
    audits: list[tuple[object, ...]] = []
    before: Open = {}
    for wave, listed in register.groupby(Register.wave):
        of_wave = cleared[str(wave)]
        own = contributions.loc[contributions[Contributions.wave] == wave]
        shown = {
            name: _shown(
                *(cells, series, of_wave[name]),
                facts.get((str(wave), name), nothing),
                ~before.get(name, ~nothing),
                formulas=dict(formulas.loc[name]),
                coarse_below=coarse_below,
            )
            for name, cells, series in series_of(own, listed, groups, *limits)
            if name in of_wave
        }
        firms = listed[Register.firm_id].nunique()
        for names in _systems({name: kinds[name] for name in shown}, amounts):
            system = [shown[name] for name in names]
            found = _repaired(plan_of(system, told, firms), str(wave), names)
            audits.append(_audit(str(wave), names, system, found))
            _take_out([of_wave[name] for name in names], system, found)
        before = of_wave
    types = Protection.empty().dtypes.to_dict()
    protection = pd.DataFrame(audits, columns=list(types)).astype(types)
    return _closed(clearance, cleared, kinds), DataFrame[Protection](protection)


def _repaired(plan: Plan, wave: str, names: Sequence[str]) -> Repaired:
    """What a system's audit found; an error names the wave and the indicators."""
    try:
        return repair(plan)
    except DisclosureError as error:
        located = [replace(p, wave=wave, item=" ".join(names)) for p in error.problems]
        raise DisclosureError(located) from error


def _cleared(clearance: pd.DataFrame, groups: pd.DataFrame) -> dict[str, Open]:
    """Which groups are open by wave and indicator; of a table sorted as its groups are."""
    found: dict[str, Open] = {}
    for (wave, name), rows in clearance.groupby([Clearance.wave, Clearance.indicator]):
        if not np.array_equal(rows[GROUP].to_numpy(), groups.to_numpy()):
            raise ValueError(f"groups of {name} in {wave} in another order than those before")
        is_open = (rows[Clearance.rule] == "").to_numpy(copy=True)
        found.setdefault(str(wave), {})[str(name)] = is_open
    return found


def _bounds(items: pd.DataFrame) -> Bounds:
    """Least and greatest value of each item over its versions; none where its unit changed."""
    found = {}
    for name, rows in items.groupby(Items.item):
        same = len(set(rows[Items.unit])) == 1
        low, high = rows[str(Items.minimum)], rows[str(Items.maximum)]
        greatest = high.fillna(np.inf).max() if same else np.inf
        # Amounts that cannot be negative are not in another unit either.
        found[str(name)] = float(low.fillna(-np.inf).min()), float(greatest)
    return found


def _items(formulas: Mapping[Any, Any]) -> frozenset[str]:
    texts = (str(formulas[column]) for column in (Indicators.numerator, Indicators.denominator))
    return frozenset().union(*(parse(text).names for text in texts if text))


def _systems(
    kinds: Mapping[str, Rule], amounts: Mapping[str, frozenset[str]]
) -> Iterator[list[str]]:
    """Names of indicators that tell of the same firms' figures: amounts that share an item.

    `amounts`: the items in the formulas of numerator and denominator. Only where one of them is of
    an item that is not public anyway.
    """
    systems: list[list[str]] = []
    for name, kind in kinds.items():
        near = [
            others
            for others in systems
            if not kind.categorical
            and any(not kinds[o].categorical and amounts[o] & amounts[name] for o in others)
        ]
        systems = [others for others in systems if others not in near]
        systems.append([*chain.from_iterable(near), name])
    for names in systems:
        if any(kinds[name].sensitive for name in names):
            yield names


def _shown(
    cells: Bools,
    series: Series,
    is_open: Bools,
    told_before: Bools,
    hidden_before: Bools,
    *,
    formulas: Mapping[Any, Any],
    coarse_below: int,
) -> Shown:
    groups = np.flatnonzero(is_open & cells.any(axis=1))
    n, is_answer = cells[groups].sum(axis=1), series.kind.categorical & series.kind.sensitive
    decimals = np.full(len(groups), float(formulas[str(Indicators.decimals)]))
    is_ratio = series.kind.kind == "ratio"
    return Shown(
        series,
        groups,
        cells[groups],
        str(formulas[Indicators.numerator]),
        str(formulas[Indicators.denominator]) if is_ratio else "",
        units(decimals, n, np.full(len(groups), is_answer), coarse_below),
        told_before[groups],
        hidden_before[groups],
    )


def _take_out(is_open: Sequence[Bools], shown: Sequence[Shown], found: Repaired) -> None:
    """Close, in place, the groups that the audit suppressed."""
    ends = np.cumsum([len(each.groups) for each in shown])
    for mine, each, suppressed in zip(
        is_open, shown, np.split(found.suppressed, ends[:-1]), strict=True
    ):
        mine[each.groups[suppressed]] = False


def _audit(
    wave: str, names: Sequence[str], shown: Sequence[Shown], found: Repaired
) -> tuple[object, ...]:
    cells = sum(len(each.groups) for each in shown)
    taken, known = int(found.suppressed.sum()), int(found.known.sum())
    return (wave, " ".join(names), cells, found.attacks, found.solves, taken, known, found.smallest)


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

"""The list of closed cells: rule and whom it protects, by indicator, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from pipeline.evaluate.words import Words
from pipeline.tables import Suppressions

_CELL = [Suppressions.indicator, Suppressions.breakdown, Suppressions.group]


@dataclass(frozen=True)
class Closed:
    """A cell that is not published; `breakdown` and `rule` as the tables name them."""

    breakdown: str
    group: str
    rule: str
    contributors: str
    protects: str


@dataclass(frozen=True)
class ClosedCells:
    """The closed cells of an indicator; `empty` names the groups without an answer."""

    title: str
    rows: tuple[Closed, ...]
    empty: str


def closed_cells(
    suppressions: pd.DataFrame, indicators: Sequence[str], breakdowns: Sequence[str], words: Words
) -> Iterator[ClosedCells]:
    """The closed cells of each indicator, by breakdown; indicators without any are left out."""
    place = {name: number for number, name in enumerate(breakdowns)}
    order = suppressions[Suppressions.breakdown].map(place)
    ranked = suppressions.assign(order=order).sort_values(
        [Suppressions.indicator, "order", Suppressions.group], kind="stable"
    )
    by_indicator = dict(list(ranked.groupby(Suppressions.indicator)))
    for name in indicators:
        if name not in by_indicator:
            continue
        own = by_indicator[name]
        is_empty = own[Suppressions.contributors] == 0
        rows = [_closed(rows, words) for _, rows in own.loc[~is_empty].groupby(_CELL, sort=False)]
        keys = own.loc[is_empty, Suppressions.breakdown] + "=" + own[Suppressions.group]
        without = words.groups(keys.dropna().drop_duplicates(), within="") if any(is_empty) else ""
        yield ClosedCells(words.indicator(name), tuple(rows), without)


def _closed(rows: pd.DataFrame, words: Words) -> Closed:
    """A cell with all whom it protects."""
    cell = rows.iloc[0]
    breakdown = str(cell[Suppressions.breakdown])
    return Closed(
        breakdown=breakdown,
        group=words.group(breakdown, str(cell[Suppressions.group])),
        rule=str(cell[Suppressions.rule]),
        contributors=words.count(cell[Suppressions.contributors]),
        protects=_protected(rows, breakdown, words),
    )


def _protected(rows: pd.DataFrame, within: str, words: Words) -> str:
    """Whom a cell protects; of one cell all rows are of one kind."""
    first = rows.iloc[0]
    kind, keys = str(first[Suppressions.protected]), rows[Suppressions.protects].tolist()
    match kind:
        case "contributor":
            told = words.named([_firms(key, words) for key in keys])
            return words.say("protects", "firm", firms=told)
        case "others":
            told = words.named([_firms(key, words) for key in keys])
            return words.say("protects", kind, firms=told)
        case "group":
            return words.say("protects", kind, groups=words.groups(keys, within=within))
        case "together":
            groups = words.groups(str(keys[0]).split(), within=within)
            return words.say("protects", kind, groups=groups)
        case "rest":
            whole = words.groups(str(keys[0]).split(), within=within)
            parts = words.groups(str(first[Suppressions.without]).split(), within=within)
            return words.say("protects", kind, whole=whole, parts=parts)
        case "indicator":
            told = words.named([words.indicator(key) for key in keys])
            return words.say("protects", kind, indicators=told)
        case _:
            return words.say("protects", kind)


def _firms(key: str, words: Words) -> str:
    """A holding by the ids of its firms."""
    firms = key.split()
    if len(firms) == 1:
        return firms[0]
    return words.say("protects", "holding", firms="\N{NO-BREAK SPACE}+ ".join(firms))

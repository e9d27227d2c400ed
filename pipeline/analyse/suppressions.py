"""Suppressions: why each cell that is not published is not, and whom that protects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline import disclosure
from pipeline.analyse.aggregates import Aggregates
from pipeline.analyse.domains import GROUP, Bools, groups_of
from pipeline.analyse.measures import Ints, Rule, rules_of
from pipeline.analyse.protect import partitions
from pipeline.analyse.series import Series, limits_of, series_of
from pipeline.tables import (
    BenchmarkPairs,
    Clearance,
    Contributions,
    Exposures,
    Indicators,
    Register,
    Suppressions,
)
from pipeline.tables.flow import RESPONSE


class _Whom(NamedTuple):
    """Who is protected, as the last columns of Suppressions have it."""

    protected: str
    protects: str = ""
    without: str = ""


@dataclass(frozen=True, eq=False)
class _Closed:
    """An indicator's cells (k, n) in the newest wave with the rule that closes each, (k,).

    `exposed`: the firms that the audit found, for the cells that it suppressed.
    """

    series: Series
    cells: Bools
    rules: Sequence[str]
    firms: Sequence[str]
    exposed: Sequence[str]


@pa.check_types
def explain_suppression(
    contributions: DataFrame[Contributions],
    register: DataFrame[Register],
    indicators: DataFrame[Indicators],
    pairs: DataFrame[BenchmarkPairs],
    clearance: DataFrame[Clearance],
    *,
    exposures: DataFrame[Exposures],
    breakdowns: Sequence[str],
    rules: disclosure.Rules,
    min_contributors_high: int,
) -> DataFrame[Suppressions]:
    """Whom each cell of the newest wave that is not published protects; see `Suppressions`.

    A cell with too few contributors protects all of them, one with a large contributor that one,
    one of firms that answered alike all of them (or all but the one that did not, who would know).
    A cell suppressed for others is told by what would follow from the published cells with it: the
    unsafe groups, else the smallest unsafe rest; one suppressed by the audit by whom it found.
    """
    wave = str(register[Register.wave].max())
    listed = register.loc[register[Register.wave] == wave]
    own = contributions.loc[contributions[Contributions.wave] == wave]
    groups, kinds = groups_of(register, breakdowns, pairs), rules_of(indicators)
    limits = limits_of(kinds, rules, min_contributors_high)
    verdicts = _by_group(clearance, Clearance.rule, wave, groups)
    exposed = _by_group(exposures, Exposures.firms, wave, groups)
    in_base = own.loc[own[str(Contributions.in_base)]].sort_values(Contributions.firm_id)
    firms = in_base.groupby(Contributions.indicator)[Contributions.firm_id].agg(list).to_dict()
    found = []
    for name, cells, series in series_of(own, listed, groups, kinds, limits):
        found_by_audit = exposed.get(name, [""] * len(cells))
        closed = _Closed(series, cells, verdicts[name], firms.get(name, []), found_by_audit)
        secret = _closed_in(verdicts, RESPONSE) if _is_secret(kinds) else ()
        for cell, protections in _explained(closed, groups, secret, name):
            found += [(name, cell, *protection) for protection in protections]
    for name, kind in kinds.items():
        for part in kind.parts if name in verdicts else ():
            found += [
                (name, cell, *_Whom("indicator", part)) for cell in _closed_in(verdicts, part)
            ]
    return _table(found, clearance, wave, groups)


def _by_group(
    table: pd.DataFrame, column: str, wave: str, groups: pd.DataFrame
) -> dict[str, list[str]]:
    """What a table says of each group of the wave by indicator, in order; empty where nothing."""
    rows = table.loc[table[Clearance.wave] == wave]
    order = pd.MultiIndex.from_frame(groups[GROUP])
    return {
        str(name): own.set_index(GROUP)[column].reindex(order, fill_value="").tolist()
        for name, own in rows.groupby(Clearance.indicator)
    }


def _is_secret(kinds: Mapping[str, Rule]) -> bool:
    """Whether participation is: what tells who took part is then closed in all indicators."""
    return RESPONSE in kinds and kinds[RESPONSE].sensitive


def _closed_in(verdicts: Mapping[str, Sequence[str]], name: str) -> tuple[int, ...]:
    return tuple(cell for cell, rule in enumerate(verdicts.get(name, ())) if rule)


def _explained(
    closed: _Closed, groups: pd.DataFrame, secret: Sequence[int], name: str
) -> Iterator[tuple[int, list[_Whom]]]:
    """Each cell of an indicator that is not published, with whom that protects."""
    rules = np.array(closed.rules, dtype=object)
    place = np.arange(len(rules))
    others = np.isin(place, secret) & (rules == "secondary") & (name != RESPONSE)
    secondary = (rules == "secondary") & ~others
    for cell in np.flatnonzero((rules != "") & ~secondary).tolist():
        if others[cell]:
            yield cell, [_Whom("indicator", RESPONSE)]
        else:
            yield cell, _primary(closed, cell)
    aggregates = Aggregates(closed.cells, groups, closed.firms)
    unsafe = (rules != "") & ~secondary
    told = disclosure.reasons(
        closed.cells,
        rules == "",
        unsafe,
        closed.series.unsafe,
        partitions(closed.cells, groups),
    )
    for cell, rows in told:
        yield cell, _secondary(rows, aggregates, unsafe, (rules == "") | (place == cell))


def _secondary(rows: Bools, aggregates: Aggregates, unsafe: Bools, told: Bools) -> list[_Whom]:
    """Unsafe groups among what would follow; else the smallest rest, as it is the easiest read."""
    if len(rows) == 0:
        return [_Whom("spare")]
    named = [aggregates.group(row, unsafe) for row in rows]
    if whole := sorted({key for key in named if key}):
        return [_Whom("group", key) for key in whole]
    sizes = rows.sum(axis=1)
    least = rows[np.lexsort((*rows.T[::-1], sizes))[0]]
    wholes, parts = aggregates.named(least, told)
    if not wholes:
        return [_Whom("contributor", firm) for firm in aggregates.firms_of(least)]
    kind = "rest" if parts else "together"
    return [_Whom(kind, " ".join(wholes), " ".join(parts))]


def _primary(closed: _Closed, cell: int) -> list[_Whom]:
    """Whom a primary rule protects; a rule without an entry here protects all in the cell."""
    inside, series = closed.cells[cell], closed.series
    match closed.rules[cell]:
        case _ if not inside.any():
            return [_Whom("nobody")]
        case "min_contributors":
            chosen = np.unique(series.holdings[inside & ~series.waived])
        case "p_percent" | "dominance" as rule:
            chosen = _largest(series, inside, rule)
        case "attack" if closed.exposed[cell]:
            return [_Whom("contributor", closed.exposed[cell])]
        case "unanimous" if series.kind.categorical:
            return _unanimous(closed, inside)
        case _:
            return [_Whom("everyone")]
    return [_Whom("contributor", _firms(closed, inside, holding)) for holding in chosen]


def _largest(series: Series, inside: Bools, rule: str) -> Ints:
    """The holdings whose amounts are too large a part of a total; the denominator is judged first.

    Ranked as the rules do: the largest that has not waived its protection, then, where dominance
    counts several, the largest of all others; those who waived are not protected.
    """
    weight, rules = series.weight, series.rules
    below = disclosure.unsafe_amounts(
        *(inside[None], series.denominator, series.holdings, rules),
        weights=weight,
        waived=series.waived,
    )
    values = series.denominator if below.rule[0] == rule else series.numerator
    holdings, number = np.unique(series.holdings[inside], return_inverse=True)
    amounts = values[inside] * (1.0 if rules.secret_weights else weight[inside])
    order = np.argsort(-np.abs(np.bincount(number, weights=amounts)), kind="stable")
    protected = np.isin(holdings, series.holdings[inside & ~series.waived])[order]
    first = int(protected.argmax())
    chosen = np.array([first, *np.delete(np.arange(len(order)), first)])
    chosen = chosen[: rules.dominance_n if rule == "dominance" else 1]
    return np.asarray(holdings[order[chosen[protected[chosen]]]])


def _unanimous(closed: _Closed, inside: Bools) -> list[_Whom]:
    """All, where all answered alike; else those who did, from the one who would know of it."""
    series = closed.series
    measured = inside & (series.denominator > 0)
    odd = set()
    for answer in np.unique(series.numerator[measured]):
        differing = np.unique(series.holdings[measured & (series.numerator != answer)])
        if len(differing) == 0:
            return [_Whom("everyone")]
        if len(differing) == 1:
            odd.add(_firms(closed, inside, differing[0]))
    return [_Whom("others", firms) for firms in sorted(odd)]


def _firms(closed: _Closed, inside: Bools, holding: int) -> str:
    """The firms of a holding in the cell."""
    own = np.flatnonzero(inside & (closed.series.holdings == holding))
    return " ".join(closed.firms[firm] for firm in own.tolist())


def _table(
    found: Sequence[tuple[str, int, str, str, str]],
    clearance: pd.DataFrame,
    wave: str,
    groups: pd.DataFrame,
) -> DataFrame[Suppressions]:
    """The rows with their cells' rules and contributors, sorted as the clearance is."""
    columns = [Suppressions.indicator, "cell", *_Whom._fields]
    table = pd.DataFrame(found, columns=columns).drop_duplicates()
    own = clearance.loc[(clearance[Clearance.wave] == wave) & (clearance[Clearance.rule] != "")]
    place = pd.MultiIndex.from_frame(groups[GROUP]).get_indexer(
        pd.MultiIndex.from_frame(own[GROUP])
    )
    key = [Suppressions.indicator, "cell"]
    table = own.assign(cell=place).merge(table, on=key, how="left")
    table = table.sort_values([*key, *_Whom._fields], kind="stable", ignore_index=True)
    types = Suppressions.empty().dtypes.to_dict()
    return DataFrame[Suppressions](table[list(types)].astype(types))

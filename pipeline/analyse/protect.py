"""Protect: which indicators may be published for which groups; it fails closed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline import disclosure
from pipeline.analyse.domains import Bools, Rule, cells_of, groups_of, members_of, rules_of
from pipeline.errors import DisclosureError
from pipeline.tables import Clearance, Contributions, Indicators, Register
from pipeline.tables.flow import ALL, RESPONSE

Names = npt.NDArray[np.str_]
Floats = npt.NDArray[np.float64]
Judge = Callable[[Bools], Names]


@pa.check_types
def protect(
    contributions: DataFrame[Contributions],
    register: DataFrame[Register],
    indicators: DataFrame[Indicators],
    *,
    breakdowns: Sequence[str],
    rules: disclosure.Rules,
) -> DataFrame[Clearance]:
    """Clearance of every wave, indicator and group: the rule that forbids it, or none.

    Primary rules are applied to holdings, on the weighted amounts of numerator and denominator or
    on the yes and no of a share; then further groups are taken out until no group that is not
    published, and no unsafe rest, can be computed from those that are. A group that was taken out
    in the wave before is the first to go. Where participation is sensitive, a group whose response
    is not published has no number at all: each n, and an interval without width, would tell of it.
    Raises DisclosureError if the audit finds anything.
    """
    groups, kinds = groups_of(register, breakdowns), rules_of(indicators)
    nowhere = np.zeros(len(groups), dtype=bool)
    taken_out: dict[str, Bools] = {}
    secret: dict[str, Bools] = {}
    tables = []
    for (wave, name), rows in sorted(cells_of(contributions).items(), key=_response_first):
        inside = rows.loc[rows[Contributions.in_base]]
        listed = register.loc[register[Register.wave] == wave]
        firms = pd.Index(inside[Contributions.firm_id], dtype=object)
        cells, holdings = members_of(groups, firms, listed), _holdings(firms, listed)
        judge = partial(_judge, rows=inside, holdings=holdings, kind=kinds[name], rules=rules)
        primary = judge(cells)
        unsafe = (primary != "") | secret.get(wave, nowhere)
        importance = cells.sum(axis=1) - taken_out.get(name, nowhere) * (len(listed) + 1.0)
        importance[0] = len(listed) + 1.0
        try:
            suppressed = _suppress(cells, unsafe, judge, importance, groups)
        except DisclosureError as error:
            located = [replace(problem, wave=wave, item=name) for problem in error.problems]
            raise DisclosureError(located) from error
        taken_out[name] = suppressed
        if name == RESPONSE and kinds[name].sensitive:
            secret[wave] = suppressed
        tables.append(
            groups.assign(
                wave=wave,
                indicator=name,
                contributors=[len(np.unique(holdings[cell])) for cell in cells],
                rule=np.where(suppressed & (primary == ""), "secondary", primary),
                widening=1.0 if kinds[name].yes_no else _widening(cells, inside, rules.p_percent),
            )
        )
    table = pd.concat(tables, ignore_index=True)
    return DataFrame[Clearance](table[list(Clearance.to_schema().columns)])


def _response_first(cell: tuple[tuple[str, str], pd.DataFrame]) -> tuple[str, bool, str]:
    """Order of judging: by wave, and in each the response before all that depends on it."""
    (wave, name), _ = cell
    return wave, name != RESPONSE, name


def _suppress(
    cells: Bools, unsafe: Bools, judge: Judge, importance: Floats, groups: pd.DataFrame
) -> Bools:
    """Cells that may not be published; each breakdown adds up to `all`, the first row."""
    rows = groups.reset_index().groupby(Clearance.breakdown)["index"]
    partitions = [(0, list(members)) for name, members in rows if name != ALL]

    def check(aggregates: Bools) -> Bools:
        return np.asarray(judge(aggregates) != "", dtype=np.bool_)

    return disclosure.protect(cells, unsafe, importance, check, partitions)


def _holdings(firms: pd.Index, listed: pd.DataFrame) -> Names:
    """The holding of each firm; `listed` is the wave's register."""
    holding = listed.drop_duplicates(Register.firm_id).set_index(Register.firm_id)
    return holding[Register.holding].reindex(firms).to_numpy(dtype=str)


def _judge(
    aggregates: Bools, *, rows: pd.DataFrame, holdings: Names, kind: Rule, rules: disclosure.Rules
) -> Names:
    """The first primary rule that each aggregate of firms breaks, empty where none."""
    weight = rows[Contributions.weight].to_numpy()
    numerator = rows[Contributions.numerator].to_numpy()
    denominator = rows[Contributions.denominator].to_numpy()
    measured = aggregates & (denominator > 0)
    verdicts = [disclosure.unsafe_amounts(aggregates, weight * denominator, holdings, rules).rule]
    if kind.yes_no:
        yes = numerator == 1
        counts = disclosure.unsafe_counts(measured, yes, holdings, rules, sensitive=kind.sensitive)
        verdicts.append(counts.rule)
    else:
        amounts = disclosure.unsafe_amounts(aggregates, weight * numerator, holdings, rules)
        each = numerator / np.where(denominator > 0, denominator, 1.0)
        alike = kind.sensitive & _alike(measured, each, rules.p_percent)
        verdicts += [amounts.rule, np.where(alike, "unanimous", "")]
    return np.select([verdict != "" for verdict in verdicts], verdicts, default="")


def _alike(aggregates: Bools, values: Floats, p_percent: float) -> Bools:
    """Whether mean and spread of an aggregate tell the value of each of its firms to p per cent.

    None is further from the mean than s (n - 1) / sqrt(n) (Samuelson 1968, Journal of the American
    Statistical Association 63); where all have the same value that is 0.
    """
    n = np.maximum(aggregates.sum(axis=1), 1)
    mean = (aggregates * values).sum(axis=1) / n
    squares = np.where(aggregates, (values - mean[:, None]) ** 2, 0.0).sum(axis=1)
    return np.asarray(np.sqrt(squares * (n - 1) / n) <= p_percent / 100 * np.abs(mean))


def _widening(cells: Bools, rows: pd.DataFrame, p_percent: float) -> Floats:
    """Factor, at least 1, for the interval of an amount y (or ratio R of y to x) in each cell.

    The interval tells the spread s of the residuals e = y - R x, and none is above
    s (n - 1) / sqrt(n) (Samuelson 1968), which is sharp where one firm stands out among equals. The
    factor lifts that bound for every firm to (1 + p/100) y - R x.
    """
    weight = rows[Contributions.weight].to_numpy()
    y, x = (rows[c].to_numpy() for c in (Contributions.numerator, str(Contributions.denominator)))
    base = (cells * weight * x).sum(axis=1)
    ratio = (cells * weight * y).sum(axis=1) / np.where(base > 0, base, 1.0)
    expected = ratio[:, None] * x
    n = np.maximum(cells.sum(axis=1), 2)
    center = np.where(cells, y - expected, 0.0).sum(axis=1) / n
    squares = np.where(cells, (y - expected - center[:, None]) ** 2, 0.0).sum(axis=1)
    bound = np.sqrt(squares * (n - 1) / n)
    needed = np.where(cells, (1 + p_percent / 100) * np.abs(y) - expected, 0.0)
    factor = needed.max(axis=1, initial=0.0) / np.where(bound > 0, bound, np.inf)
    return np.asarray(np.maximum(factor, 1.0), dtype=np.float64)

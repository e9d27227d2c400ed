"""Protect: which indicators may be published for which groups; it fails closed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline import disclosure
from pipeline.analyse.domains import Bools, cells_of, groups_of
from pipeline.expressions import is_truth
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
    in an earlier wave is the first to go. Raises DisclosureError if the audit finds anything.
    """
    groups = groups_of(register, breakdowns)
    rule_of = indicators.set_index(Indicators.indicator)
    taken_out: dict[str, Bools] = {}
    tables = []
    for (wave, name), rows in cells_of(contributions).items():
        inside = rows.loc[rows[Contributions.in_base]]
        listed = register.loc[register[Register.wave] == wave]
        cells, holdings = _cells(inside, listed, groups)
        judge = partial(
            _judge,
            rows=inside,
            holdings=holdings,
            rules=rules,
            is_yes_no=name == RESPONSE or is_truth(str(rule_of[Indicators.numerator][name])),
            sensitive=bool(rule_of[Indicators.sensitivity][name] != "low"),
        )
        primary = judge(cells)
        importance = cells.sum(axis=1).astype(float)
        importance -= taken_out.get(name, np.zeros(len(groups), dtype=bool)) * (len(listed) + 1.0)
        importance[0] = len(listed) + 1.0
        suppressed = _suppress(cells, judge, importance, groups)
        taken_out[name] = suppressed
        tables.append(
            groups.assign(
                wave=wave,
                indicator=name,
                contributors=[len(np.unique(holdings[cell])) for cell in cells],
                rule=np.where(suppressed & (primary == ""), "secondary", primary),
            )
        )
    table = pd.concat(tables, ignore_index=True)
    return DataFrame[Clearance](table[list(Clearance.to_schema().columns)])


def _suppress(cells: Bools, judge: Judge, importance: Floats, groups: pd.DataFrame) -> Bools:
    """Cells that may not be published; each breakdown adds up to `all`, the first row."""
    rows = groups.reset_index().groupby(Clearance.breakdown)["index"]
    partitions = [(0, list(members)) for name, members in rows if name != ALL]

    def unsafe(aggregates: Bools) -> Bools:
        return np.asarray(judge(aggregates) != "", dtype=np.bool_)

    return disclosure.protect(cells, unsafe(cells), importance, unsafe, partitions)


def _cells(rows: pd.DataFrame, register: pd.DataFrame, groups: pd.DataFrame) -> tuple[Bools, Names]:
    """Groups x firms of an indicator, and the holding of each of these firms."""
    firms = pd.Index(rows[Contributions.firm_id])
    keys = pd.MultiIndex.from_frame(register[[Register.variable, Register.group]])
    row = pd.MultiIndex.from_frame(groups).get_indexer(keys)
    column = firms.get_indexer(pd.Index(register[Register.firm_id]))
    known = (row >= 0) & (column >= 0)
    cells = np.zeros((len(groups), len(firms)), dtype=bool)
    cells[row[known], column[known]] = True
    holding = register.drop_duplicates(Register.firm_id).set_index(Register.firm_id)
    return cells, holding[Register.holding].reindex(firms).to_numpy(dtype=str)


def _judge(
    aggregates: Bools,
    *,
    rows: pd.DataFrame,
    holdings: Names,
    rules: disclosure.Rules,
    is_yes_no: bool,
    sensitive: bool,
) -> Names:
    """The first primary rule that each aggregate of firms breaks, empty where none."""
    weight = rows[Contributions.weight].to_numpy()
    numerator = rows[Contributions.numerator].to_numpy()
    denominator = rows[Contributions.denominator].to_numpy()
    verdicts = [disclosure.unsafe_amounts(aggregates, weight * denominator, holdings, rules)]
    if is_yes_no:
        verdicts.append(
            disclosure.unsafe_counts(
                aggregates, numerator == 1, holdings, rules, sensitive=sensitive
            )
        )
    else:
        verdicts.append(disclosure.unsafe_amounts(aggregates, weight * numerator, holdings, rules))
    first, second = (verdict.rule for verdict in verdicts)
    return np.where(first != "", first, second)

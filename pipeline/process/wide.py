"""Answers and register side by side: what a formula is evaluated over."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from pipeline.expressions import Wide, parse, widen
from pipeline.tables import Answers, Register
from pipeline.tables.flow import CROSS

UNIT = [Register.wave, Register.firm_id]
EVERYBODY = "1 == 1"
"""The condition of a rule that has none."""


def names_in(formulas: Iterable[str]) -> set[str]:
    """The items and register columns that formulas name; empty formulas name none."""
    return {name for formula in formulas if formula for name in parse(formula).names}


def widen_with_register(
    answers: pd.DataFrame,
    units: pd.DataFrame,
    register: pd.DataFrame,
    by: list[str],
    names: Iterable[str],
) -> Wide:
    """One row per key `by` of `units` with the items and register columns in `names`, sorted.

    `units` has the columns `by`, wave and firm. A column of the register has the code of the firm's
    group as its answer, without the population in front (`3*1` is 1).
    """
    wanted = set(names)
    listed = register.loc[register[Register.variable].isin(wanted)]
    code = listed[Register.group].str.split(CROSS, regex=False).str[-1]
    columns = listed[UNIT].assign(
        item=listed[Register.variable],
        code=code,
        value=pd.to_numeric(code, errors="coerce").astype(float),
    )
    cells = [*by, Answers.item, Answers.code, str(Answers.value)]
    needed = answers.loc[answers[Answers.item].isin(wanted), cells]
    index = pd.MultiIndex.from_frame(units[by].sort_values(by))
    of_units = units.merge(columns, on=UNIT)[cells]
    return widen(pd.concat([needed, of_units]), by, wanted, index)

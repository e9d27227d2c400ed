"""The form of the series: values in the unit and codes of the newest questionnaire."""

from __future__ import annotations

from typing import cast

import pandas as pd

from pipeline.tables import ChangeRules, Panel

Rule = dict[str, str]


def rules_of(changes: pd.DataFrame) -> list[Rule]:
    """The rules in the order of the file."""
    return cast("list[Rule]", changes.to_dict("records"))


def in_waves(table: pd.DataFrame, rule: Rule) -> pd.Series[bool]:
    """Which rows are of a wave of the rule."""
    rows = table[Panel.wave] >= rule[ChangeRules.from_wave]
    if rule[ChangeRules.to_wave]:
        rows &= table[Panel.wave] <= rule[ChangeRules.to_wave]
    return rows


def convert(table: pd.DataFrame, rule: Rule) -> None:
    """Apply a rule of kind `unit` or `recode` in place to the rows of its item and waves."""
    rows = (table[Panel.item] == rule[ChangeRules.item]) & in_waves(table, rule)
    if rule[ChangeRules.kind] == "unit":
        factor = float(rule[ChangeRules.apply].removeprefix("*"))
        table.loc[rows, Panel.value] *= factor
    else:
        pairs = pairs_of(rule)
        code = table.loc[rows, Panel.code].map(lambda old: pairs.get(old, old))
        table.loc[rows, Panel.code] = code
        table.loc[rows, Panel.value] = pd.to_numeric(code, errors="coerce")


def pairs_of(rule: Rule) -> dict[str, str]:
    """Old code → new code of a recode; class → its bounds of a class rule."""
    return dict(pair.split("=") for pair in rule[ChangeRules.apply].split() if "=" in pair)


def to_series(answers: pd.DataFrame, changes: pd.DataFrame) -> pd.DataFrame:
    """A copy of the answers with the units and codes of the series, as edit rules see them."""
    table = answers.copy()
    for rule in rules_of(changes):
        if rule[ChangeRules.kind] in {"unit", "recode"}:
            convert(table, rule)
    return table

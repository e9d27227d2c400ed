"""Classes and classifications: what is compared where a wave asked more finely than another."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.errors import Problem
from pipeline.process.series import Rule, in_waves, pairs_of
from pipeline.tables import ChangeRules, Concordances, Panel

FILE = "questionnaire/changes.csv"


def add_classes(panel: pd.DataFrame, rule: Rule, problems: list[Problem]) -> pd.DataFrame:
    """The panel with the item of a `class` rule: the code in the rule's waves, else the class.

    In the rule's waves the number itself was not asked. Bounds are inclusive, and open where empty.
    A number in no class is added to `problems`.
    """
    rows = panel[Panel.item] == rule[ChangeRules.item]
    asked = rows & in_waves(panel, rule)
    classes = panel.loc[rows].assign(item=rule[ChangeRules.apply].split()[0])
    value = panel.loc[rows & ~asked, Panel.value]
    code = pd.Series("", index=value.index, dtype="str")
    for name, bounds in pairs_of(rule).items():
        low, _, high = bounds.partition("-")
        code[(value >= float(low or "-inf")) & (value <= float(high or "inf"))] = name
    classes.loc[value.index, Panel.code] = code
    classes.loc[value.index, Panel.value] = pd.to_numeric(code, errors="coerce")
    without = panel.loc[value.index[value.notna() & (code == "")], [Panel.wave, Panel.value]]
    counts = without.groupby([Panel.wave, Panel.value], as_index=False).size()
    problems += [
        Problem(
            found=f"{count} times {number:.12g}, in no class",
            expected=f"a number in one of {rule[ChangeRules.apply]}",
            advice="close the gap between the bounds, or give the item a minimum",
            wave=wave,
            file=FILE,
            item=rule[ChangeRules.item],
        )
        for wave, number, count in counts.itertuples(index=False)
    ]
    panel.loc[asked, Panel.code] = ""
    panel.loc[asked, Panel.value] = np.nan
    panel.loc[asked, Panel.reason] = "not_asked"
    return pd.concat([panel, classes], ignore_index=True)


def to_digits(
    panel: pd.DataFrame, rule: Rule, concordances: pd.DataFrame, problems: list[Problem]
) -> None:
    """Cut the codes of an item to the digits compared, in place, and map those of the rule's waves.

    A code that has no pair in the concordance is added to `problems`.
    """
    name, digits = rule[ChangeRules.apply].split()
    rows = (panel[Panel.item] == rule[ChangeRules.item]) & (panel[Panel.code] != "")
    whole = panel.loc[rows, Panel.code]
    mapped = rows & in_waves(panel, rule)
    own = concordances[concordances[Concordances.concordance] == name]
    pairs = dict(zip(own[Concordances.from_code], own[Concordances.to_code], strict=True))
    panel.loc[rows, Panel.code] = whole.str[: int(digits)]
    cut = panel.loc[mapped, Panel.code]
    panel.loc[mapped, Panel.code] = cut.map(lambda code: pairs.get(code, code))
    panel.loc[rows, Panel.value] = pd.to_numeric(panel.loc[rows, Panel.code], errors="coerce")
    unknown = cut[~cut.isin(list(pairs))]
    firms = panel.loc[unknown.index, [Panel.wave]].assign(whole=whole, cut=unknown)
    counts = firms.groupby([Panel.wave, "whole", "cut"], as_index=False).size()
    missing = f"there is no concordance {name} in classifications/"
    problems += [
        Problem(
            found=f"code '{code}' without a pair (firms: {count})",
            expected=f"a row for '{short}' in the concordance {name}",
            advice="take it from the official key, with its source" if pairs else missing,
            wave=wave,
            file=FILE,
            item=rule[ChangeRules.item],
        )
        for wave, code, short, count in counts.itertuples(index=False)
    ]

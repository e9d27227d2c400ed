"""Harmonise: answers of all waves in the canonical form of the newest questionnaire."""

from __future__ import annotations

from typing import cast

import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.errors import Problem, StudyError, nearest
from pipeline.tables import Answers, ChangeRules, Codes, Items, Panel


@pa.check_types
def harmonise(
    answers: DataFrame[Answers],
    changes: DataFrame[ChangeRules],
    items: DataFrame[Items],
    codes: DataFrame[Codes],
) -> DataFrame[Panel]:
    """Comparable answers of all waves, one row per wave, firm and item, sorted.

    `unit` multiplies the values of an item's waves, `recode` maps their codes, all at once; rules
    apply in the order of `changes`; `break` and `note` change no answer. Raises StudyError where a
    code that occurs is not one of the newest form.
    """
    panel = answers[[c for c in Panel.to_schema().columns if c != Panel.code]].copy()
    panel[Panel.code] = answers[Answers.code]
    for rule in cast("list[dict[str, str]]", changes.to_dict("records")):
        _apply(panel, rule)
    _check_codes(panel, items, codes)
    panel = panel.sort_values([Panel.wave, Panel.firm_id, Panel.item], ignore_index=True)
    return DataFrame[Panel](panel[list(Panel.to_schema().columns)])


def _apply(panel: pd.DataFrame, rule: dict[str, str]) -> None:
    """Apply one rule in place to the rows of its item and waves."""
    rows = panel[Panel.item] == rule[ChangeRules.item]
    rows &= panel[Panel.wave] >= rule[ChangeRules.from_wave]
    if rule[ChangeRules.to_wave]:
        rows &= panel[Panel.wave] <= rule[ChangeRules.to_wave]
    if rule[ChangeRules.kind] == "unit":
        factor = float(rule[ChangeRules.apply].removeprefix("*"))
        panel.loc[rows, Panel.value] *= factor
    elif rule[ChangeRules.kind] == "recode":
        pairs = dict(pair.split("=") for pair in rule[ChangeRules.apply].split())
        code = panel.loc[rows, Panel.code].map(lambda old: pairs.get(old, old))
        panel.loc[rows, Panel.code] = code
        panel.loc[rows, Panel.value] = pd.to_numeric(code, errors="coerce")


def _check_codes(panel: pd.DataFrame, items: pd.DataFrame, codes: pd.DataFrame) -> None:
    """Every code must be one that still holds in the newest wave of its item.

    It may begin later: an older wave alone is brought into the same form as with its successors.
    """
    newest = panel.groupby(Panel.item)[Panel.wave].max().rename("newest")
    lists = items.merge(newest, left_on=Items.item, right_index=True)
    valid = lists[[Items.item, Items.code_list, "newest"]].merge(codes, on=Codes.code_list)
    valid = valid[(valid[Codes.to_wave] == "") | (valid[Codes.to_wave] >= valid["newest"])]
    used = panel.loc[panel[Panel.code] != "", [Panel.wave, Panel.item, Panel.code]]
    valid = valid[[Items.item, Codes.code]].drop_duplicates()
    used = used.drop_duplicates().merge(valid, how="left", indicator=True)
    problems = [
        Problem(
            found=f"code '{code}'",
            expected="a code of the newest wave, or a recode rule that leads to one",
            advice="add a recode to changes.csv; "
            + nearest(code, valid.loc[valid[Items.item] == item, Codes.code]),
            wave=wave,
            file="questionnaire/changes.csv",
            item=item,
        )
        for wave, item, code in used.loc[used["_merge"] == "left_only"].iloc[:, :3].to_numpy()
    ]
    if problems:
        raise StudyError(problems)

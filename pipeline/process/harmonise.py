"""Harmonise: answers of all waves in the canonical form of the newest questionnaire."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.errors import Problem, StudyError, nearest
from pipeline.expressions import evaluate, widen
from pipeline.process.classes import add_classes, to_digits
from pipeline.process.lists import is_listed
from pipeline.process.options import CHOSEN, NOT_CHOSEN
from pipeline.process.series import Rule, convert, in_waves, pairs_of, rules_of
from pipeline.process.wide import UNIT, names_in
from pipeline.tables import Answers, ChangeRules, Codes, Concordances, Items, Panel


@pa.check_types
def harmonise(
    answers: DataFrame[Answers],
    changes: DataFrame[ChangeRules],
    items: DataFrame[Items],
    codes: DataFrame[Codes],
    concordances: DataFrame[Concordances],
) -> DataFrame[Panel]:
    """Comparable answers of all waves, one row per wave, firm and item, sorted.

    Rules apply in the order of `changes`: `unit` multiplies the values of an item's waves, `recode`
    maps their codes, all at once, `filter` routes out the firms that other waves would not have
    asked, `class` adds an item with the classes of a number, `classification` compares the first
    digits of codes by a concordance. The other kinds change no answer. `items` are all versions.
    Raises StudyError where a code that occurs is neither one of the newest form nor the target of
    a rule, where a code has no pair in the concordance, and where a number is in no class.
    """
    panel: pd.DataFrame = answers[list(Panel.to_schema().columns)].copy()
    rules = rules_of(changes)
    problems: list[Problem] = []
    for rule in rules:
        match rule[ChangeRules.kind]:
            case "unit" | "recode":
                convert(panel, rule)
            case "filter":
                _filter(panel, rule)
            case "class":
                panel = add_classes(panel, rule, problems)
            case "classification":
                to_digits(panel, rule, concordances, problems)
    problems += _check_codes(panel, items, codes, rules)
    if problems:
        raise StudyError(problems)
    panel = panel.sort_values([Panel.wave, Panel.firm_id, Panel.item], ignore_index=True)
    return DataFrame[Panel](panel[list(Panel.to_schema().columns)])


def _filter(panel: pd.DataFrame, rule: Rule) -> None:
    """Route out, in place, the firms of the rule's waves that lie outside its condition."""
    condition = rule[ChangeRules.apply]
    names = names_in([condition])
    wide = widen(panel.loc[panel[Panel.item].isin(names) & in_waves(panel, rule)], UNIT, names)
    outside = wide.index[evaluate(condition, wide) == 0]
    asked = (panel[Panel.item] == rule[ChangeRules.item]) & (panel[Panel.reason] != "not_asked")
    firms = pd.MultiIndex.from_frame(panel.loc[asked, UNIT])
    rows = asked.index[asked][firms.isin(outside)]
    panel.loc[rows, Panel.code] = ""
    panel.loc[rows, Panel.value] = float("nan")
    panel.loc[rows, Panel.reason] = "routed_out"


def _check_codes(
    panel: pd.DataFrame, items: pd.DataFrame, codes: pd.DataFrame, rules: list[Rule]
) -> list[Problem]:
    """Every code must still hold in the newest wave of its item, or be what a rule makes of one.

    It may begin later: an older wave alone is brought into the same form as with its successors.
    """
    valid = pd.concat([_newest_codes(panel, items, codes), _targets(items, rules)])
    cut = [r[ChangeRules.item] for r in rules if r[ChangeRules.kind] == "classification"]
    has_code = (panel[Panel.code] != "") & ~panel[Panel.item].isin(cut)
    used = panel.loc[has_code, [Panel.wave, Panel.item, Panel.code]].drop_duplicates()
    wrong = used.loc[~is_listed(used[[Panel.item, Panel.code]], valid)]
    return [
        Problem(
            found=f"code '{code}'",
            expected="a code of the newest wave, or a recode rule that leads to one",
            advice="add a recode to changes.csv; "
            + nearest(code, valid.loc[valid[Items.item] == item, Codes.code]),
            wave=wave,
            file="questionnaire/changes.csv",
            item=item,
        )
        for wave, item, code in wrong.sort_values(list(wrong.columns)).to_numpy()
    ]


def _newest_codes(panel: pd.DataFrame, items: pd.DataFrame, codes: pd.DataFrame) -> pd.DataFrame:
    """Item and code, for the codes that hold in the newest wave of the item or later."""
    newest = panel.groupby(Panel.item)[Panel.wave].max().rename("newest")
    listed = items.loc[items[Items.type] != "option"]
    lists = listed.merge(newest, left_on=Items.item, right_index=True)
    lists = lists[(lists[Items.to_wave] == "") | (lists[Items.to_wave] >= lists["newest"])]
    lists = lists[[Items.item, Items.code_list, "newest"]]
    valid = lists.merge(codes, on=Codes.code_list)
    valid = valid[(valid[Codes.to_wave] == "") | (valid[Codes.to_wave] >= valid["newest"])]
    return valid[[Items.item, Codes.code]].drop_duplicates()


def _targets(items: pd.DataFrame, rules: list[Rule]) -> pd.DataFrame:
    """Item and code, for the two codes of an option and those that rules lead to."""
    options = items.loc[items[Items.type] == "option", Items.item]
    pairs = [(item, code) for item in options for code in (CHOSEN, NOT_CHOSEN)]
    for rule in rules:
        if rule[ChangeRules.kind] == "recode":
            pairs += [(rule[ChangeRules.item], new) for new in pairs_of(rule).values()]
        elif rule[ChangeRules.kind] == "class":
            target = rule[ChangeRules.apply].split()[0]
            pairs += [(target, code) for code in pairs_of(rule)]
    return pd.DataFrame(pairs, columns=[Items.item, Codes.code], dtype="str")

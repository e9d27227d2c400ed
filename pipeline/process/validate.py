"""Validate: edit rules and the register; every rule that is broken becomes a finding."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.expressions import evaluate, parse, widen
from pipeline.process.decode import RECORD
from pipeline.tables import Answers, Columns, Edits, Findings, RawAnswers, Register
from pipeline.tables.flow import RAGGED

EXPECTED = {
    "code_not_in_list": ("a code of the item's list in codes.csv", "add the code or correct it"),
    "not_a_number": ("a number as wave.toml declares it", "check decimal and thousands"),
    "not_finite": ("a finite number", "correct the value"),
    "not_whole": ("a whole number", "correct the value"),
    "below_min": ("at least the item's minimum", "correct the value or its sign"),
    "above_max": ("at most the item's maximum", "check the unit (factor 1000?)"),
    "answered_although_routed_out": ("no answer: the routing does not ask", "check the routing"),
}
"""Rules of decoding: what they expect and what to do."""
ROWS = {
    "ragged_row": ("as many fields as headings", "put text with separators between quotes"),
    "key_missing": ("the key of a firm", "add the key or delete the row"),
    "duplicate_row": ("each firm once", "nothing: one of the identical rows is taken"),
    "duplicate_key": ("each firm once", "delete the row that does not hold"),
    "not_in_register": (
        "a firm of the register",
        "add the firm to the register, or delete the row",
    ),
    "no_answers": ("at least one answer", "nothing: an empty questionnaire is no response"),
}
"""Rules of rows, in the order in which the first that is broken names the finding."""


@pa.check_types
def validate(
    raw: DataFrame[RawAnswers],
    answers: DataFrame[Answers],
    register: DataFrame[Register],
    columns: DataFrame[Columns],
    edits: DataFrame[Edits],
    *,
    language: str,
) -> DataFrame[Findings]:
    """Findings of one wave, sorted by record; nothing is changed here, see `quarantine`.

    Rows are rejected (ragged, no key, twice, not in the register, nothing answered), values
    quarantined (undecodable, routed out, hard edit rules), soft edit rules reported, with the
    rule's message in `language`.
    """
    rows = _row_findings(raw, answers, register)
    found = [_column_findings(raw, columns), rows, _value_findings(answers)]
    rules = cast("list[dict[str, str]]", edits.to_dict("records"))
    found += [_edit_findings(answers, rule, rule[f"message_{language}"]) for rule in rules]
    table = pd.concat(found, ignore_index=True)
    rejected = pd.MultiIndex.from_frame(rows[RECORD])
    of_rejected = pd.MultiIndex.from_frame(table[RECORD]).isin(rejected)
    table = table[~of_rejected | (table[Findings.treatment] == "reject_row")]
    order = [*RECORD, Findings.item, Findings.rule]
    return DataFrame[Findings](table.sort_values(order, ignore_index=True))


def _findings(table: pd.DataFrame, **constant: str) -> pd.DataFrame:
    """Findings from rows of answers; what a row lacks is given as a constant."""
    columns = list(Findings.to_schema().columns)
    return table.assign(**constant).reindex(columns=columns, fill_value="")


def _column_findings(raw: pd.DataFrame, columns: pd.DataFrame) -> pd.DataFrame:
    """Columns that no item claims: kept in the store, not used."""
    heads = raw[[RawAnswers.wave, RawAnswers.file, RawAnswers.column]].drop_duplicates()
    known = heads[RawAnswers.column].isin([*columns[Columns.column], RAGGED])
    table = heads.loc[~known].rename(columns={RawAnswers.column: Findings.found})
    return _findings(
        table.assign(**{str(Findings.record): 0}),
        rule="unknown_column",
        severity="soft",
        treatment="keep",
        expected="a column that columns.csv or items.csv names",
        advice="nothing, or map it in columns.csv",
    )


def _row_findings(raw: pd.DataFrame, answers: pd.DataFrame, register: pd.DataFrame) -> pd.DataFrame:
    """One finding for each record that cannot be taken: the first rule of ROWS that it breaks."""
    given = answers[Answers.reason].isin(["", "refused", "dont_know", "quarantined"])
    records = answers[[*RECORD, Answers.firm_id]].assign(given=given)
    records = records.groupby([*RECORD, Answers.firm_id], as_index=False).agg({"given": "any"})
    ragged = raw.loc[raw[RawAnswers.column] == RAGGED, [*RECORD, RawAnswers.text]]
    records = records.merge(ragged, on=RECORD, how="left")
    key = records[Answers.firm_id]
    content = answers.groupby(RECORD)[Answers.text].agg("\x1f".join).reset_index(drop=True)
    # An empty questionnaire beside a full one is no contradiction: it is left out of the pairs.
    whole = pd.DataFrame({"key": key.where(records["given"], ""), "content": content})
    again = whole["key"].duplicated(keep=False) & (whole["key"] != "")
    copy = again & whole.duplicated(keep="first")
    kinds = whole[~whole.duplicated()].groupby("key").size()
    unlike = again & (whole["key"].map(kinds) > 1)
    records[Findings.rule] = np.select(
        [
            records[RawAnswers.text].notna(),
            key == "",
            copy & ~unlike,
            unlike,
            ~key.isin(register[Register.firm_id]),
            ~records["given"],
        ],
        list(ROWS),
        default="",
    )
    records[Findings.found] = records[RawAnswers.text].fillna(key)
    broken = records.loc[records[Findings.rule] != ""]
    return _findings(
        broken.assign(
            expected=broken[Findings.rule].map({k: v[0] for k, v in ROWS.items()}),
            advice=broken[Findings.rule].map({k: v[1] for k, v in ROWS.items()}),
        ),
        severity="hard",
        treatment="reject_row",
    )


def _value_findings(answers: pd.DataFrame) -> pd.DataFrame:
    """Values that decoding could not take."""
    broken = answers.loc[answers[Answers.problem] != ""]
    rule = broken[Answers.problem]
    table = broken.rename(columns={Answers.text: Findings.found, Answers.problem: Findings.rule})
    table[Findings.expected] = rule.map({k: v[0] for k, v in EXPECTED.items()})
    table[Findings.advice] = rule.map({k: v[1] for k, v in EXPECTED.items()})
    return _findings(table, severity="hard", treatment="quarantine_value")


def _edit_findings(answers: pd.DataFrame, rule: dict[str, str], message: str) -> pd.DataFrame:
    """Records in which an edit rule's test fails where its condition holds.

    A value that is missing cannot be taken out: its reason is kept, whatever the rule.
    """
    condition = rule["condition"] or "1 == 1"
    wide = widen(answers, RECORD, parse(rule["test"]).names | parse(condition).names)
    fails = (evaluate(rule["test"], wide) == 0) & (evaluate(condition, wide) == 1)
    records = wide.index[fails]
    at = pd.MultiIndex.from_frame(answers[RECORD]).isin(records)
    rows = answers.loc[at & answers[Answers.item].isin(rule["items"].split())]
    takes = (rows[Answers.reason] == "") & (rule["kind"] == "hard")
    treatment = np.where(takes, "quarantine_value", "keep")
    return _findings(
        rows.rename(columns={Answers.text: Findings.found}).assign(treatment=treatment),
        rule=rule["rule"],
        severity=rule["kind"],
        expected=rule["test"] + (f" where {rule['condition']}" if rule["condition"] else ""),
        advice=message,
    )

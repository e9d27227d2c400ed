"""Validate: edit rules and the register; every rule that is broken becomes a finding."""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.errors import Problem, StudyError, nearest
from pipeline.expressions import FloatArray, Wide, evaluate
from pipeline.process.decode import RECORD
from pipeline.process.series import to_series
from pipeline.process.wide import EVERYBODY, names_in, widen_with_register
from pipeline.tables import (
    Answers,
    ChangeRules,
    Columns,
    Edits,
    Findings,
    RawAnswers,
    Register,
)
from pipeline.tables.flow import RAGGED

Rule = dict[str, str]
Bools = npt.NDArray[np.bool_]
EXACT = 1e-9
"""Parts whose sum is off by this part of the total add up: decimal fractions are not exact."""
EXPECTED = {
    "code_not_in_list": (
        "a code of the item's list in codes.csv; for an option: chosen or not_chosen of wave.toml",
        "add the code or correct it",
    ),
    "exclusive_with_others": ("one of these options alone, or others", "ask which holds"),
    "not_a_number": ("a number as wave.toml declares it", "check decimal and thousands"),
    "not_finite": ("a finite number", "correct the value"),
    "not_whole": ("a whole number", "correct the value"),
    "below_min": ("at least the item's minimum", "correct the value or its sign"),
    "above_max": ("at most the item's maximum", "check the unit (factor 1000?)"),
    "answered_although_routed_out": ("no answer: the routing does not ask", "check the routing"),
    "routed_out_although_asked": ("an answer: the routing asks", "check the routing"),
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
    changes: DataFrame[ChangeRules],
    language: str,
) -> DataFrame[Findings]:
    """Findings of one wave, sorted by record; nothing is changed here, see `quarantine`.

    Rows are rejected (ragged, no key, twice, not in the register, nothing answered), values
    quarantined (undecodable, routed out, hard edit rules), soft edit rules reported, with the
    rule's message in `language`. `edits` are those of the wave; their formulas see the unit and
    codes of the series (`changes`). Parts that miss their total by no more than the tolerance are
    `normalised`, and `expected` is the prorated value in the unit of the wave; parts that miss it
    by more are quarantined, and parts of which one is missing are not judged. Rules of kind `score`
    are judged in `review`. Raises StudyError where a built-in rule is unknown.
    """
    rules = cast("list[Rule]", edits.to_dict("records"))
    _check_built_in(rules)
    rows = _row_findings(raw, answers, register)
    found = [_column_findings(raw, columns), rows, _value_findings(answers)]
    judged = [rule for rule in rules if rule["kind"] in JUDGES]
    formulas = [rule[column] for rule in judged for column in (Edits.test, Edits.condition)]
    names = names_in(formulas).union(*(rule["items"].split() for rule in judged))
    records = answers[[*RECORD, Answers.firm_id]].drop_duplicates()
    named = answers.loc[answers[Answers.item].isin(names)]
    wide = widen_with_register(to_series(named, changes), records, register, RECORD, names)
    for rule in judged:
        broken = JUDGES[rule["kind"]](named, wide, rule)
        found.append(broken.assign(advice=rule[f"message_{language}"]))
    table = pd.concat(found, ignore_index=True)
    rejected = pd.MultiIndex.from_frame(rows[RECORD])
    of_rejected = pd.MultiIndex.from_frame(table[RECORD]).isin(rejected)
    table = table[~of_rejected | (table[Findings.treatment] == "reject_row")].copy()
    for rule in rules:
        if rule["kind"] == "built_in":
            meant = table[Findings.rule].isin(rule["test"].split())
            new = [rule["rule"], rule[f"message_{language}"]]
            table.loc[meant, [Findings.rule, Findings.advice]] = new
    order = [*RECORD, Findings.item, Findings.rule]
    return DataFrame[Findings](table.sort_values(order, ignore_index=True))


def _check_built_in(rules: list[Rule]) -> None:
    known = EXPECTED | ROWS
    problems = [
        Problem(
            found=f"'{name}'",
            expected="a rule of reading or decoding",
            advice=nearest(name, known),
            file="edits.csv",
            row=rule["rule"],
            item="test",
        )
        for rule in rules
        if rule["kind"] == "built_in"
        for name in rule["test"].split()
        if name not in known
    ]
    if problems:
        raise StudyError(problems)


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
    texts = answers.astype({Answers.text: object}).groupby(RECORD)[Answers.text]
    content = texts.agg("\x1f".join).reset_index(drop=True)
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


def _edit_findings(answers: pd.DataFrame, wide: Wide, rule: Rule) -> pd.DataFrame:
    """Records in which an edit rule's test fails where its condition holds.

    A value that is missing cannot be taken out: its reason is kept, whatever the rule.
    """
    fails = (evaluate(rule["test"], wide) == 0) & _applies(rule, wide)
    rows = _cells(answers, wide.index[fails], rule)
    takes = (rows[Answers.reason] == "") & (rule["kind"] == "hard")
    treatment = np.where(takes, "quarantine_value", "keep")
    return _of_rule(rows.assign(treatment=treatment, expected=_statement(rule)), rule["kind"], rule)


def _parts_findings(answers: pd.DataFrame, wide: Wide, rule: Rule) -> pd.DataFrame:
    """Parts that do not add up: prorated (x · total / sum) within the tolerance, else taken out."""
    total = evaluate(rule["test"], wide)
    parts: FloatArray = wide.numbers[rule["items"].split()].to_numpy()
    added = parts.sum(axis=1)
    gap = np.abs(added - total)
    off = _applies(rule, wide) & (gap > EXACT * np.maximum(1.0, np.abs(total)))
    tolerance = np.nan_to_num(float(rule[str(Edits.tolerance)])) * (1 + EXACT)
    small = off & (gap <= tolerance) & (added > 0)
    factor = pd.Series(total / np.where(small, added, 1.0), wide.index)
    near = _cells(answers, wide.index[small], rule)
    whole = near[Answers.value] * factor.loc[pd.MultiIndex.from_frame(near[RECORD])].to_numpy()
    prorated = pd.Series([f"{value:.12g}" for value in whole], near.index, dtype="str")
    near = near.assign(treatment="normalised", expected=prorated)
    far = _cells(answers, wide.index[off & ~small], rule)
    must = f"{' + '.join(rule['items'].split())} = {_statement(rule)}"
    far = far.assign(treatment="quarantine_value", expected=must)
    return pd.concat([_of_rule(near, "soft", rule), _of_rule(far, "hard", rule)])


JUDGES = {"hard": _edit_findings, "soft": _edit_findings, "parts": _parts_findings}
"""How the records are found that break a rule of each kind."""


def _applies(rule: Rule, wide: Wide) -> Bools:
    return np.asarray(evaluate(rule["condition"] or EVERYBODY, wide) == 1)


def _cells(answers: pd.DataFrame, records: pd.Index, rule: Rule) -> pd.DataFrame:
    """The rule's items of some records."""
    rows = answers.loc[answers[Answers.item].isin(rule["items"].split())]
    return rows.loc[pd.MultiIndex.from_frame(rows[RECORD]).isin(records)]


def _statement(rule: Rule) -> str:
    return rule["test"] + (f" where {rule['condition']}" if rule["condition"] else "")


def _of_rule(rows: pd.DataFrame, severity: str, rule: Rule) -> pd.DataFrame:
    named = rows.rename(columns={Answers.text: Findings.found})
    return _findings(named, rule=rule["rule"], severity=severity)

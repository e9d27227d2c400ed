"""Tables that flow from the export files to the documents."""

from __future__ import annotations

from typing import Literal, get_args

import pandera.pandas as pa

Reason = Literal[
    "",
    "not_asked",
    "routed_out",
    "refused",
    "dont_know",
    "no_answer",
    "quarantined",
]
"""Why a value is missing; the empty string where it is there."""

Severity = Literal["hard", "soft"]
"""A hard finding takes the value or the row out; a soft one is shown to the analyst."""

Treatment = Literal["reject_row", "quarantine_value", "normalised", "keep"]
"""What was done about a finding."""

ALL = "all"
"""The breakdown with one group, everybody; also the name of that group."""


RESPONSE = "response"
"""The indicator that every study has: which firms of the register answered."""

REPRESENTATIVITY = "representativity"
"""The other one: how alike, by the register, those who answered are to all (R-indicator)."""

REST = "rest"
"""As the reference of a benchmark: everybody of the population who is not in the group."""

CROSS = "*"
"""Between the parts of a crossing (`field*size`, group `1*2`), and before the group of a firm that
is not of the target population: `3*1` is group 1 of population 3."""

MARGIN = "/"
"""Between the categories of a firm in the margins that weights are calibrated to."""

RAGGED = ""
"""The heading of the one cell of a ragged record: its text is the record's fields, joined.

A record is ragged if it has more or fewer fields than headings. No other cell has this heading, as
an answer without a heading is refused.
"""


class Table(pa.DataFrameModel):
    """Strict and ordered: no column more, none less, none elsewhere."""

    class Config:
        strict = True
        ordered = True


class RawAnswers(Table):
    """Every cell of the delivered files as text, one row a cell, with its position.

    `record` counts the records in the order of their key (then of their whole content), so that
    it does not depend on the order in the file; `line` is the line (CSV) or row (Excel) where the
    record begins and `position` the column, both counted from 1, as a person would count them.
    """

    wave: str
    file: str
    record: int = pa.Field(ge=1)
    line: int = pa.Field(ge=1)
    position: int = pa.Field(ge=1)
    column: str
    text: str


class Register(Table):
    """The population frame: one row per firm and classifying variable or crossing of two.

    Only firms of the target population have the variable `all`; the groups of others (reference
    populations) begin with their population and `*`, except in the population's own variable.
    Holding is the group of firms that counts as one contributor in disclosure control; a firm with
    a `waiver` allows that its own share be told, which protects others no less.
    `design_weight` is the inverse probability of being asked: 1 in a census, 0 if the firm is on
    the frame but was not asked. `eligible` is false for a firm known to be out of scope.
    """

    wave: str
    firm_id: str = pa.Field(str_length={"min_value": 1})
    holding: str = pa.Field(str_length={"min_value": 1})
    waiver: bool
    design_weight: float = pa.Field(ge=0)
    eligible: bool
    variable: str
    group: str = pa.Field(str_length={"min_value": 1})

    class Config:
        unique = ["wave", "firm_id", "variable"]


class Successions(Table):
    """Firms that went on under another id: from `wave` on, `firm_id` is `successor`.

    After a merger several firms have one successor; the one that it `continues` is compared with
    it over time, the others leave.
    """

    wave: str
    firm_id: str = pa.Field(unique=True)
    successor: str
    continues: bool


class Answers(Table):
    """Typed answers, one row per record and item; where there is no value there is a reason.

    `text` is what the file had; `code` is set for items with a code list and for options (1 chosen,
    0 not chosen), `value` for numbers and for codes that are numbers (in the unit the wave asked
    in).
    `problem` names the rule that the text broke on decoding; the value is then missing.
    """

    wave: str
    file: str
    record: int = pa.Field(ge=1)
    firm_id: str
    item: str
    text: str
    code: str
    value: float = pa.Field(nullable=True)
    reason: str = pa.Field(isin=get_args(Reason))
    problem: str


class Findings(Table):
    """What validation found: one row per rule broken, by record and item, with its treatment."""

    wave: str
    file: str
    record: int = pa.Field(ge=0)
    firm_id: str
    item: str
    rule: str
    severity: str = pa.Field(isin=get_args(Severity))
    treatment: str = pa.Field(isin=get_args(Treatment))
    found: str
    expected: str
    advice: str


class WaveLog(Table):
    """The run log: what each stored wave was made from and what became of its records.

    `fingerprint` names the files, the study and the code. Records in = taken + rejected.
    """

    wave: str = pa.Field(unique=True)
    fingerprint: str
    records_in: int = pa.Field(ge=1)
    records_taken: int = pa.Field(ge=0)
    records_rejected: int = pa.Field(ge=0)
    values_quarantined: int = pa.Field(ge=0)


class Panel(Table):
    """Answers in the canonical form of the newest questionnaire, comparable over waves."""

    wave: str
    firm_id: str
    item: str
    code: str
    value: float = pa.Field(nullable=True)
    reason: str = pa.Field(isin=get_args(Reason))

    class Config:
        unique = ["wave", "firm_id", "item"]


class Weights(Table):
    """One row per firm of the register: its response stratum, and its weight if it answered.

    `responded`: it answered, or is known to be out of scope (`eligible` false): such a firm keeps
    its weight and counts zero. `selected`: it was asked. `response_weight` = design weight times
    the inverse response rate of the stratum; `weight` is made of it by calibration to the strata
    and to the `margins`, the firm's categories joined by `/` (empty: not calibrated). Both weights
    are 0 where the firm did not respond.
    """

    wave: str
    firm_id: str
    stratum: str
    selected: bool
    eligible: bool
    responded: bool
    margins: str
    response_weight: float = pa.Field(ge=0)
    weight: float = pa.Field(ge=0)

    class Config:
        unique = ["wave", "firm_id"]


class Contributions(Table):
    """What each firm brings to an indicator: a row per firm that answered what it needs.

    The indicator is scale · sum(w·numerator) / sum(w·denominator) over the firms in its base (see
    `Indicators`), w the weights for those who answered it (see `derive`). A firm that answered but
    lies outside the base (`in_base` false) counts as a respondent of the item in the variance and
    brings 0. So does a firm out of scope. Indicators of kind `formula` have no contributions of
    their own.
    """

    wave: str
    indicator: str
    firm_id: str
    weight: float = pa.Field(gt=0)
    numerator: float
    denominator: float = pa.Field(ge=0)
    in_base: bool

    class Config:
        unique = ["wave", "indicator", "firm_id"]

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

Symbol = Literal["", "c", "x", "z", "u"]
"""Why a number is not shown: c confidential, x not available, z not applicable, u unreliable."""

ClearanceRule = Literal[
    "", "min_contributors", "p_percent", "dominance", "unanimous", "secondary", "part"
]
"""Why a cell is not published; `secondary`: it would give away another one; `part`: it is computed
from indicators of which one is not published."""

Statistic = Literal[
    "estimate",
    "ci_low",
    "ci_high",
    "n",
    "population",
    "change",
    "change_low",
    "change_high",
    "change_significant",
    "difference",
    "difference_low",
    "difference_high",
    "difference_significant",
]
"""What a published number is; the last part of its `number_id`."""

ALL = "all"
"""The breakdown with one group, everybody; also the name of that group."""


RESPONSE = "response"
"""The indicator that every study has: which firms of the register answered."""

REST = "rest"
"""As the reference of a benchmark: everybody of the population who is not in the group."""

CROSS = "*"
"""Between the parts of a crossing (`field*size`, group `1*2`), and before the group of a firm that
is not of the target population: `3*1` is group 1 of population 3."""

RAGGED = ""
"""The heading of the one cell of a ragged record: its text is the record's fields, joined.

A record is ragged if it has more or fewer fields than headings. No other cell has this heading, as
an answer without a heading is refused.
"""


class _Table(pa.DataFrameModel):
    """Strict and ordered: no column more, none less, none elsewhere."""

    class Config:
        strict = True
        ordered = True


class RawAnswers(_Table):
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


class Register(_Table):
    """The population frame: one row per firm and classifying variable or crossing of two.

    Only firms of the target population have the variable `all`; the groups of others (reference
    populations) begin with their population and `*`, except in the population's own variable.
    Holding is the group of firms that counts as one contributor in disclosure control.
    `design_weight` is the inverse probability of being asked: 1 in a census, 0 if the firm is on
    the frame but was not asked. `eligible` is false for a firm known to be out of scope.
    """

    wave: str
    firm_id: str = pa.Field(str_length={"min_value": 1})
    holding: str = pa.Field(str_length={"min_value": 1})
    design_weight: float = pa.Field(ge=0)
    eligible: bool
    variable: str
    group: str = pa.Field(str_length={"min_value": 1})

    class Config:
        unique = ["wave", "firm_id", "variable"]


class Successions(_Table):
    """Firms that went on under another id: from `wave` on, `firm_id` is `successor`.

    After a merger several firms have one successor; the one that it `continues` is compared with
    it over time, the others leave.
    """

    wave: str
    firm_id: str = pa.Field(unique=True)
    successor: str
    continues: bool


class Answers(_Table):
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


class Findings(_Table):
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


class WaveLog(_Table):
    """The run log: what each stored wave was made from and what became of its records.

    `fingerprint` names the files, the study and the code. Records in = taken + rejected.
    """

    wave: str = pa.Field(unique=True)
    fingerprint: str
    records_in: int = pa.Field(ge=1)
    records_taken: int = pa.Field(ge=0)
    records_rejected: int = pa.Field(ge=0)
    values_quarantined: int = pa.Field(ge=0)


class Panel(_Table):
    """Answers in the canonical form of the newest questionnaire, comparable over waves."""

    wave: str
    firm_id: str
    item: str
    code: str
    value: float = pa.Field(nullable=True)
    reason: str = pa.Field(isin=get_args(Reason))

    class Config:
        unique = ["wave", "firm_id", "item"]


class Weights(_Table):
    """One row per firm of the register: its response stratum, and its weight if it answered.

    `responded`: it answered, or is known to be out of scope (`eligible` false): such a firm keeps
    its weight and counts zero. `selected`: it was asked. `weight` = design weight times the inverse
    response rate of the stratum; 0 where the firm did not respond.
    """

    wave: str
    firm_id: str
    stratum: str
    selected: bool
    eligible: bool
    responded: bool
    weight: float = pa.Field(ge=0)

    class Config:
        unique = ["wave", "firm_id"]


class Contributions(_Table):
    """What each firm brings to an indicator: a row per firm that answered what it needs.

    The indicator is scale · sum(w·numerator) / sum(w·denominator) over the firms in its base (see
    `Indicators`). A firm that answered but lies outside the base (`in_base` false) counts as a
    respondent of the item in the variance and brings 0. So does a firm out of scope. Indicators of
    kind `formula` have no contributions of their own.
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


class Estimates(_Table):
    """Indicators by wave and group with standard error, 95 % interval and firms behind them.

    `n` firms of the group answered (in the indicator's base), `population` are in the register.
    Internal: nothing of it is published before `protect`. A group without an estimate has NaN.
    """

    wave: str
    indicator: str
    breakdown: str
    group: str
    n: int = pa.Field(ge=0)
    population: int = pa.Field(ge=0)
    estimate: float = pa.Field(nullable=True)
    se: float = pa.Field(nullable=True, ge=0)
    ci_low: float = pa.Field(nullable=True)
    ci_high: float = pa.Field(nullable=True)

    class Config:
        unique = ["wave", "indicator", "breakdown", "group"]


class Changes(_Table):
    """Change of an indicator on the wave before, with the covariance of firms in both waves.

    `break_in_series` marks a change that compares two different questions.
    """

    wave: str
    previous: str
    indicator: str
    breakdown: str
    group: str
    n_both: int = pa.Field(ge=0)
    change: float = pa.Field(nullable=True)
    se: float = pa.Field(nullable=True, ge=0)
    ci_low: float = pa.Field(nullable=True)
    ci_high: float = pa.Field(nullable=True)
    break_in_series: bool

    class Config:
        unique = ["wave", "indicator", "breakdown", "group"]


class Benchmarks(_Table):
    """Difference between a group and its reference (a group of the same breakdown, or the rest)."""

    wave: str
    indicator: str
    breakdown: str
    group: str
    reference: str
    n_reference: int = pa.Field(ge=0)
    difference: float = pa.Field(nullable=True)
    se: float = pa.Field(nullable=True, ge=0)
    ci_low: float = pa.Field(nullable=True)
    ci_high: float = pa.Field(nullable=True)

    class Config:
        unique = ["wave", "indicator", "breakdown", "group", "reference"]


class Clearance(_Table):
    """Whether an indicator may be published for a group, and the rule that forbids it.

    `rule` is empty where it may. `contributors` counts holdings, not firms. `widening` is the
    factor by which the half-width of its interval must grow, so that the interval does not tell
    more of the largest firm than the p% rule allows.
    """

    wave: str
    indicator: str
    breakdown: str
    group: str
    contributors: int = pa.Field(ge=0)
    rule: str = pa.Field(isin=get_args(ClearanceRule))
    widening: float = pa.Field(ge=1)

    class Config:
        unique = ["wave", "indicator", "breakdown", "group"]


class Release(_Table):
    """The numbers that may be printed, rounded as they are printed; nothing else may.

    `number_id` is wave/indicator/group/statistic, where the group is `all`, `breakdown=group`, or
    `breakdown=group:reference` for a difference. A number that is not shown has NaN and a symbol.
    """

    number_id: str = pa.Field(unique=True)
    wave: str
    indicator: str
    breakdown: str
    group: str
    reference: str
    statistic: str = pa.Field(isin=get_args(Statistic))
    value: float = pa.Field(nullable=True)
    decimals: int = pa.Field(ge=0)
    symbol: str = pa.Field(isin=get_args(Symbol))

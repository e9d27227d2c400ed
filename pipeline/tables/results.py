"""Tables of results: from estimates to the numbers that may be printed."""

from __future__ import annotations

from typing import Literal, get_args

import pandera.pandas as pa

from pipeline.tables.flow import Table

Term = Literal["answers", "weights", "new", "joined", "gone", "dropped"]
"""A part of a change between two waves; see `pipeline.survey.decomposition`."""

Grade = Literal["", "A", "B", "C", "D"]
"""How precise a published number is, A best; D is not printed. Empty for counts and verdicts."""

Symbol = Literal["", "c", "x", "z", "u"]
"""Why a number is not shown: c confidential, x not available, z not applicable, u unreliable."""

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
    "change_detectable",
    "trend",
    "trend_low",
    "trend_high",
    "trend_significant",
    "pooled",
    "pooled_low",
    "pooled_high",
    "pooled_n",
    "peers_lower",
    "peers_middle",
    "peers_upper",
    "difference",
    "difference_low",
    "difference_high",
    "difference_significant",
    "adjusted",
    "adjusted_low",
    "adjusted_high",
    "adjusted_significant",
    "partial",
    "weight_low",
    "weight_high",
    "design_effect",
]
"""What a published number is; the last part of its `number_id`. Those of `peers` are smoothed
quartiles, which a firm of the group is told."""


class Estimates(Table):
    """Indicators by wave and group with standard error, 95 % interval and firms behind them.

    `n` firms of the group answered (in the indicator's base), `population` are in the register.
    `waves`: 1, or 2 for the mean of the wave and the one before. Internal: nothing of it is
    published before `protect`. A group without an estimate has NaN.
    """

    wave: str
    indicator: str
    breakdown: str
    group: str
    waves: int = pa.Field(ge=1)
    n: int = pa.Field(ge=0)
    population: int = pa.Field(ge=0)
    estimate: float = pa.Field(nullable=True)
    se: float = pa.Field(nullable=True, ge=0)
    ci_low: float = pa.Field(nullable=True)
    ci_high: float = pa.Field(nullable=True)

    class Config:
        unique = ["wave", "indicator", "breakdown", "group", "waves"]


class Changes(Table):
    """Change of an indicator on the wave before, with the covariance of firms in both waves.

    `comparison`: `change`, or `trend`, the change from wave to wave by a straight line through all
    of them since `previous`, with the covariances of all waves. `p` is that of no change, not
    adjusted for the number of claims; `detectable` the smallest change that such a comparison
    finds in four of five cases. `break_in_series` marks a change that compares two different
    questions.
    """

    wave: str
    previous: str
    indicator: str
    breakdown: str
    group: str
    comparison: str = pa.Field(isin=("change", "trend"))
    n_both: int = pa.Field(ge=0)
    change: float = pa.Field(nullable=True)
    se: float = pa.Field(nullable=True, ge=0)
    ci_low: float = pa.Field(nullable=True)
    ci_high: float = pa.Field(nullable=True)
    p: float = pa.Field(nullable=True, ge=0, le=1)
    detectable: float = pa.Field(nullable=True, ge=0)
    break_in_series: bool

    class Config:
        unique = ["wave", "indicator", "breakdown", "group", "comparison"]


class Benchmarks(Table):
    """Difference between a group and its reference (a group of the same breakdown, or the rest).

    `adjusted`: the reference has the composition of the group by the register's columns named in
    the study; `coverage` is then the share of the group's firms that have their like there, and
    `cleared` whether the difference may be told beside the cells that are; any other is cleared as
    its two sides are.
    """

    wave: str
    indicator: str
    breakdown: str
    group: str
    reference: str
    adjusted: bool
    coverage: float = pa.Field(ge=0, le=1)
    cleared: bool
    n_reference: int = pa.Field(ge=0)
    difference: float = pa.Field(nullable=True)
    se: float = pa.Field(nullable=True, ge=0)
    ci_low: float = pa.Field(nullable=True)
    ci_high: float = pa.Field(nullable=True)
    p: float = pa.Field(nullable=True, ge=0, le=1)

    class Config:
        unique = ["wave", "indicator", "breakdown", "group", "reference", "adjusted"]


class Quality(Table):
    """What is known of a wave's weights and response, for the analyst; see `assess`.

    `measure` says what `value` is; `population` is a group of the target's column; `variable` and
    `group` are columns and groups of the register, or `stratum` and its name.
    """

    wave: str
    population: str
    measure: str
    variable: str
    group: str
    value: float = pa.Field(nullable=True)

    class Config:
        unique = ["wave", "population", "measure", "variable", "group"]


class Flows(Table):
    """Of the firms that answered in both waves: the share of those whose figure went up or down.

    Weighted by the joint response; in per cent. Internal, for the analyst.
    """

    wave: str
    previous: str
    indicator: str
    breakdown: str
    group: str
    direction: str = pa.Field(isin=("up", "same", "down"))
    n: int = pa.Field(ge=0)
    share: float = pa.Field(nullable=True)
    se: float = pa.Field(nullable=True, ge=0)

    class Config:
        unique = ["wave", "indicator", "breakdown", "group", "direction"]


class Decompositions(Table):
    """What a change is made of, in the indicator's unit; the terms add up to it.

    `answers` and `weights` of the `n` firms that answered in both waves; of the others `new` and
    `gone` are on one register only, `joined` and `dropped` answered in one wave only (or are in
    another group). Only `answers` has a standard error, the others are arithmetic. Internal.
    """

    wave: str
    previous: str
    indicator: str
    breakdown: str
    group: str
    term: str = pa.Field(isin=get_args(Term))
    n: int = pa.Field(ge=0)
    value: float = pa.Field(nullable=True)
    se: float = pa.Field(nullable=True, ge=0)

    class Config:
        unique = ["wave", "indicator", "breakdown", "group", "term"]


class Feedback(Table):
    """What a firm may be told of itself among its peers: its own figure and what all of them see.

    `value` is the firm's own. The others are numbers of the Release: `estimate` and `n` of the
    group, `lower`, `middle` and `upper` its smoothed quartiles, NaN where there are none or they
    are withheld (`symbol` c). What follows from these: the firm is in the quarters from
    `quarter_low` to `quarter_high` (1 lowest to 4, more than one where quartiles are equal; 0 for
    none); of a share, `same` is how many per cent answered as it did.
    """

    wave: str
    indicator: str
    firm_id: str
    breakdown: str
    group: str
    value: float
    estimate: float
    n: float = pa.Field(nullable=True, ge=0)
    lower: float = pa.Field(nullable=True)
    middle: float = pa.Field(nullable=True)
    upper: float = pa.Field(nullable=True)
    symbol: str = pa.Field(isin=get_args(Symbol))
    quarter_low: int = pa.Field(ge=0, le=4)
    quarter_high: int = pa.Field(ge=0, le=4)
    same: float = pa.Field(nullable=True, ge=0, le=100)

    class Config:
        unique = ["wave", "indicator", "firm_id"]


class Release(Table):
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
    grade: str = pa.Field(isin=get_args(Grade))

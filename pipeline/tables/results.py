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

ClearanceRule = Literal[
    "", "min_contributors", "p_percent", "dominance", "unanimous", "secondary", "attack", "part"
]
"""Why a cell is not published; `secondary`: it would give away another one; `attack`: with others
it would narrow down a firm's figure; `part`: it is computed from indicators of which one is not
published."""

NOT_BY_ITSELF = ("", "secondary", "attack", "part")
"""Not a primary rule: the cell by itself might be published."""

Protected = Literal[
    "contributor", "others", "everyone", "group", "rest", "together", "indicator", "nobody", "spare"
]
"""Whom a suppressed cell protects. contributor: firms of one holding, as their figure would be
told; others: all in it but those firms, who would know the others' answers; everyone: all in it;
group: another group; rest: what is left of one without others; together: several groups as one;
indicator: one that this is computed from, or with which it would tell; nobody: the cell is empty;
spare: nobody any more, since further cells were suppressed."""

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


class Clearance(Table):
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


class Protection(Table):
    """What the attackers' audit did, by wave and system (indicators that share items).

    `cells` were open before; `attacks` are pairs of a figure and a reader for whom it is proved
    safe, `solves` the programmes that took; `suppressed` cells were taken out. `known`: figures
    that nothing protects any more, as what readers know anyway or earlier releases tell them.
    `smallest`: how much larger than it must an outsider think the large figures of a cell at least,
    as a multiple of what is needed (1: just enough, 10: that or more).
    """

    wave: str
    system: str
    cells: int = pa.Field(ge=0)
    attacks: int = pa.Field(ge=0)
    solves: int = pa.Field(ge=0)
    suppressed: int = pa.Field(ge=0)
    known: int = pa.Field(ge=0)
    smallest: float = pa.Field(nullable=True, ge=0)

    class Config:
        unique = ["wave", "system"]


class Suppressions(Table):
    """Every cell of the newest wave that is not published, and whom that protects; no values.

    A row for each who is protected. `protects` has, by `protected`: firm ids; keys of groups
    (``breakdown=group``, in `without` those taken away); an indicator; several have a blank
    between. Internal.
    """

    wave: str
    indicator: str
    breakdown: str
    group: str
    rule: str = pa.Field(isin=get_args(ClearanceRule))
    contributors: int = pa.Field(ge=0)
    protected: str = pa.Field(isin=get_args(Protected))
    protects: str
    without: str

    class Config:
        unique = ["wave", "indicator", "breakdown", "group", "protected", "protects", "without"]


class Proposals(Table):
    """What coarser groups would spare: two codes of a register column merged, in the newest wave.

    The first row, without column and codes, is what there is. Over all indicators and groups:
    `cells` with an answer, `primary` of them broken by a primary rule. `suppressed` (primary and
    secondary) and `visible` (of the contributors of all cells, the share in published ones) are
    missing where a merge was not worked through. Internal.
    """

    wave: str
    column: str
    one: str
    other: str
    cells: int = pa.Field(ge=0)
    primary: int = pa.Field(ge=0)
    suppressed: float = pa.Field(nullable=True, ge=0)
    visible: float = pa.Field(nullable=True, ge=0, le=1)

    class Config:
        unique = ["wave", "column", "one", "other"]


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

"""Tables of disclosure control: what is not published, by which rule, for whose sake."""

from __future__ import annotations

from typing import Literal, get_args

import pandera.pandas as pa

from pipeline.tables.flow import Table

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


class Exposures(Table):
    """Whom a cell that the attackers' audit suppressed would give away: firms of one holding.

    `firms`: their ids with a blank between; the first of those found; empty where it may be anybody
    in the cell, as few solutions are left for who said what. Internal.
    """

    wave: str
    indicator: str
    breakdown: str
    group: str
    firms: str

    class Config:
        unique = ["wave", "indicator", "breakdown", "group"]


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

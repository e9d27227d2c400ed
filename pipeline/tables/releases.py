"""Tables of what was released: the ledger, its sources, and how a draft stands to it."""

from __future__ import annotations

from typing import Literal, get_args

import pandera.pandas as pa

from pipeline.tables.disclosure import ClearanceRule
from pipeline.tables.flow import Table
from pipeline.tables.results import Grade, Statistic, Symbol

Status = Literal["new", "changed", "unchanged", "suppressed", "withheld"]
"""How a number of a draft stands to what was released. `changed`: it would come out differently
today, but stays as it was released; `suppressed`: it is not shown, as before or for the first time;
`withheld`: it would be new, but what was released beside it cannot be worked out again."""


class Released(Table):
    """The ledger: every number that was ever released, in the order in which it was.

    `release` is the wave whose release told it (the file `releases/<wave>.csv`), `edition` counts
    the releases of that wave from 1. A number is told once. The other columns are
    those of `Release`. Of a figure that is not shown only the first number is here, with its
    symbol: it stands for its interval and its n.
    """

    release: str
    edition: int = pa.Field(ge=1)
    number_id: str
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

    class Config:
        unique = ["release", "edition", "number_id"]


class SourceFiles(Table):
    """The raw files that waves are made from: `file` below `data/raw`, of which wave or of none."""

    wave: str
    file: str
    sha256: str = pa.Field(str_matches=r"^[0-9a-f]{64}$")

    class Config:
        unique = ["wave", "file"]


class Sources(Table):
    """The raw files that a release was made from; see `Released` and `SourceFiles`."""

    release: str
    edition: int = pa.Field(ge=1)
    wave: str
    file: str
    sha256: str = pa.Field(str_matches=r"^[0-9a-f]{64}$")

    class Config:
        unique = ["release", "edition", "wave", "file"]


class Revisions(Table):
    """How each number of a draft stands to what was released; `written`: a release would add it."""

    number_id: str = pa.Field(unique=True)
    status: str = pa.Field(isin=get_args(Status))
    written: bool


class Breaches(Table):
    """What released cells tell by themselves although a rule forbids it today.

    A group (its breakdown and name are empty where the firms are those of no group), with the
    rule; the rule is empty for a group that is not computed any more, so that what was released of
    it is not counted with the rest.
    """

    wave: str
    indicator: str
    breakdown: str
    group: str
    rule: str = pa.Field(isin=get_args(ClearanceRule))

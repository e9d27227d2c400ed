"""`schemas/study.toml`: its sections and what each setting may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from pipeline.tables.flow import CROSS
from pipeline.tables.metadata import Sensitivity

Language = Literal["de", "en"]
Percent = Annotated[float, Field(gt=0, le=100)]
Limits = tuple[Percent, Percent, Percent]
Engine = Literal["numpy", "duckdb", "spark"]
"""What sums up the firms' figures: arrays in memory, DuckDB beyond memory, Spark on a cluster whose
address is in SPARK_MASTER."""
Method = Literal["linear", "raking", "logit"]
"""How weights are calibrated: see `pipeline.survey.calibrate`."""
Knowledge = Literal["known", "secret"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(_Section):
    """A text in the languages of the reports."""

    de: str = Field(min_length=1)
    en: str = Field(min_length=1)


class RegisterColumn(Text):
    """A column of the register: its code list and its name; `ordered`: its codes have an order."""

    code_list: str
    ordered: bool = False


class RegisterGroup(NamedTuple):
    """The firms with one code in a column of the register."""

    column: str
    group: str


class Weighting(_Section):
    """How those who answered stand for those who did not.

    `strata`: columns of the register within which response is balanced, the coarsest first;
    `calibrate`: columns whose counts the weights meet besides, by `method`, within `bounds` of the
    response weights. Strata and groups are pooled until `min_responses` answered in each.
    `compared`: columns by which it is judged how alike those who answered are to all.
    """

    strata: tuple[str, ...] = ()
    min_responses: int = Field(default=1, ge=1)
    calibrate: tuple[str, ...] = ()
    method: Method = "raking"
    bounds: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(gt=1)]] | None = None
    compared: tuple[str, ...] = ()


class Quality(_Section):
    """How precise a number is: grade A up to the first limit, then B and C, else not printed.

    `points`: half-width of the 95 % interval of shares, balances and what is computed from them,
    and of their changes, in points; `percent`: standard error of other figures in per cent of the
    figure. Amounts of fewer than `amount_answers` firms are not printed: their intervals do not
    hold what they promise.
    """

    points: Limits = (7.5, 15, 30)
    percent: Limits = (8, 15, 25)
    amount_answers: int = Field(default=10, ge=2)


class Publication(_Section):
    """Which breakdowns are published, and the rules that protect a firm (see disclosure).

    `pooled`: breakdowns for which the mean of two waves is printed too, as one has few answers;
    `adjusted`: columns of the register whose composition a benchmark's reference is given, the
    first to be kept longest; `peers`: the breakdowns in which a firm finds its peers, the narrowest
    first, where there are at least `min_peers` contributors besides its own holding.

    `min_contributors`: with fewer than five, two that compare notes are left with two others;
    `min_contributors_high`: items of high sensitivity, in small groups that know each other.
    `p_percent`: closer than 10 % a value is as good as known. `pq`: p and q of a (p,q)-rule, for
    readers that know every value to within q per cent beforehand; none by default, as only a study
    knows what its readers do. The p%-rule is that of q = 100. Where `pq` is set the default of
    `p_percent` gives way; where both are, the stricter counts. `dominance_firms` and
    `dominance_percent`: one firm with three quarters of an amount is that amount. `weights`:
    whether readers know them; by default they do, as reports print the strata and how many
    answered. `known`: items of which readers know every firm's value to within so many per cent
    anyway, such as its employees: the attackers' audit takes that as told. `coarse_below`: shares
    and balances of fewer answers are printed in steps of five points; 0 for none. With fewer than
    thirty, whole points of groups that overlap leave one solution for who answered what where
    weights are known, and intervals reach fifteen points to either side anyway.
    """

    breakdowns: tuple[str, ...] = ()
    pooled: tuple[str, ...] = ()
    adjusted: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    min_peers: int = Field(default=10, ge=3)
    min_contributors: int = Field(default=5, ge=3)
    min_contributors_high: int = Field(default=10, ge=3)
    p_percent: Percent = 10
    pq: tuple[Percent, Percent] | None = None
    dominance_firms: int = Field(default=1, ge=1)
    dominance_percent: Percent = 75
    weights: Knowledge = "known"
    participation: Sensitivity = "normal"
    coarse_below: int = Field(default=30, ge=0)
    known: Mapping[str, Percent] = {}

    @property
    def p_and_q(self) -> tuple[tuple[float, float], ...]:
        """Each (p,q)-rule that holds."""
        of_p = (self.p_percent, 100.0)
        if self.pq is None:
            return (of_p,)
        return (self.pq, of_p) if "p_percent" in self.model_fields_set else (self.pq,)


class Pair(_Section):
    """A group and what it is compared with: a group of the same breakdown, or `rest`."""

    breakdown: str
    group: str
    reference: str


class Benchmark(Text):
    """A comparison: its name and title, its pairs of groups, indicators that it leaves out."""

    name: str
    without: tuple[str, ...] = ()
    pairs: tuple[Pair, ...] = Field(min_length=1)


class StudyFile(_Section):
    """`schemas/study.toml`."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    languages: tuple[Language, ...] = Field(min_length=1)
    title: Text
    population: Text
    source: Text
    publisher: Text
    register_columns: Mapping[str, RegisterColumn] = Field(alias="register", default={})
    target: RegisterGroup | None = None
    eligibility: RegisterGroup | None = None
    weighting: Weighting = Weighting()
    publication: Publication = Publication()
    quality: Quality = Quality()
    engine: Engine = "numpy"
    ranking: Mapping[str, Text] = {}
    benchmark: tuple[Benchmark, ...] = ()

    @property
    def crossings(self) -> tuple[str, ...]:
        """Breakdowns by two columns of the register."""
        return tuple(name for name in self.publication.breakdowns if CROSS in name)


SECTIONS = (StudyFile, RegisterColumn, Weighting, Publication, Quality, Benchmark, Pair)
"""What `study.toml` consists of."""

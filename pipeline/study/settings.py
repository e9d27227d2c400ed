"""`schemas/study.toml`: its sections and what each setting may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from pipeline.tables.flow import CROSS
from pipeline.tables.metadata import Sensitivity

Language = Literal["de", "en"]
Percent = Annotated[float, Field(gt=0, le=100)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(_Section):
    """A text in the languages of the reports."""

    de: str = Field(min_length=1)
    en: str = Field(min_length=1)


class RegisterColumn(Text):
    """A column of the register: its code list and its name."""

    code_list: str


class RegisterGroup(NamedTuple):
    """The firms with one code in a column of the register."""

    column: str
    group: str


class Weighting(_Section):
    """Columns of the register within which response is balanced, the coarsest first."""

    strata: tuple[str, ...] = ()
    min_responses: int = Field(default=1, ge=1)


class Publication(_Section):
    """Which breakdowns are published, and the rules that protect a firm (see disclosure)."""

    breakdowns: tuple[str, ...] = ()
    min_contributors: int = Field(default=5, ge=3)
    min_contributors_high: int = Field(default=10, ge=3)
    p_percent: Percent = 10
    dominance_firms: int = Field(default=1, ge=1)
    dominance_percent: Percent = 75
    participation: Sensitivity = "normal"


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
    ranking: Mapping[str, Text] = {}
    benchmark: tuple[Benchmark, ...] = ()

    @property
    def crossings(self) -> tuple[str, ...]:
        """Breakdowns by two columns of the register."""
        return tuple(name for name in self.publication.breakdowns if CROSS in name)


SECTIONS = (StudyFile, RegisterColumn, Weighting, Publication, Benchmark, Pair)
"""What `study.toml` consists of."""

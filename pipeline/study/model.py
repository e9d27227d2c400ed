"""What a study consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import pandas as pd
from pandera.typing import DataFrame
from pydantic import BaseModel, ConfigDict, Field

from pipeline.tables import BenchmarkPairs, ChangeRules, Codes, Columns, Edits, Indicators, Items
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


class Weighting(_Section):
    """Columns of the register within which response is balanced, the coarsest first."""

    strata: tuple[str, ...] = ()


class Publication(_Section):
    """Which breakdowns are published, and the rules that protect a firm (see disclosure)."""

    breakdowns: tuple[str, ...] = ()
    min_contributors: int = Field(default=5, ge=3)
    p_percent: Percent = 10
    dominance_firms: int = Field(default=1, ge=1)
    dominance_percent: Percent = 75
    participation: Sensitivity = "normal"


class BenchmarkPair(_Section):
    """A group and what it is compared with: a group of the same breakdown, or `rest`."""

    breakdown: str
    group: str
    reference: str


class StudyFile(_Section):
    """`schemas/study.toml`."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    languages: tuple[Language, ...] = Field(min_length=1)
    title: Text
    population: Text
    source: Text
    publisher: Text
    register_columns: Mapping[str, RegisterColumn] = Field(alias="register", default={})
    weighting: Weighting = Weighting()
    publication: Publication = Publication()
    benchmark: tuple[BenchmarkPair, ...] = ()


@dataclass(frozen=True, eq=False)
class Study:
    """A study folder and its checked content; `settings` is `study.toml`, the rest are tables."""

    folder: Path
    settings: StudyFile
    items: DataFrame[Items]
    codes: DataFrame[Codes]
    columns: DataFrame[Columns]
    changes: DataFrame[ChangeRules]
    edits: DataFrame[Edits]
    indicators: DataFrame[Indicators]

    @property
    def raw(self) -> Path:
        """Exports as delivered; never written to."""
        return self.folder / "data" / "raw"

    @property
    def processed(self) -> Path:
        """Derived data: can be deleted and rebuilt."""
        return self.folder / "data" / "processed"

    @property
    def database(self) -> Path:
        """The store of all waves."""
        return self.processed / "survey.duckdb"

    @property
    def reports(self) -> Path:
        """What readers get, a folder per wave."""
        return self.folder / "reports"

    @property
    def schema_files(self) -> tuple[Path, ...]:
        """Every file of the study's description, in a fixed order."""
        found = (self.folder / "schemas").rglob("*")
        return tuple(sorted(p for p in found if p.is_file() and p.suffix in {".csv", ".toml"}))

    @property
    def benchmark_pairs(self) -> DataFrame[BenchmarkPairs]:
        """The declared pairs of groups, in the order of `study.toml`."""
        columns = list(BenchmarkPairs.to_schema().columns)
        pairs = [pair.model_dump() for pair in self.settings.benchmark]
        return DataFrame[BenchmarkPairs](pd.DataFrame(pairs, columns=columns, dtype=str))

    def asked_in(self, wave: str) -> tuple[DataFrame[Items], DataFrame[Codes], DataFrame[Edits]]:
        """Items, codes and edit rules that hold in a wave."""
        return in_wave(self.items, wave), in_wave(self.codes, wave), in_wave(self.edits, wave)

    def register_codes(self, wave: str) -> dict[str, tuple[str, ...]]:
        """Valid codes of each column of the register in a wave."""
        valid = in_wave(self.codes, wave)
        return {
            name: tuple(valid.loc[valid["code_list"] == column.code_list, "code"])
            for name, column in self.settings.register_columns.items()
        }


Table = TypeVar("Table", bound=pd.DataFrame)


def in_wave(table: Table, wave: str) -> Table:
    """Rows of a metadata table that hold in a wave (`from_wave` to `to_wave`, both inclusive)."""
    begun = (table["from_wave"] == "") | (table["from_wave"] <= wave)
    not_over = (table["to_wave"] == "") | (table["to_wave"] >= wave)
    return table.loc[begun & not_over]

"""What a study consists of, as the stages receive it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pandas as pd
from pandera.typing import DataFrame

from pipeline.study.settings import StudyFile
from pipeline.tables import (
    BenchmarkPairs,
    ChangeRules,
    Codes,
    Columns,
    Concordances,
    Edits,
    Indicators,
    Items,
    Questions,
)


@dataclass(frozen=True, eq=False)
class Study:
    """A study folder and its checked content; `settings` is `study.toml`, the rest are tables.

    `derived` names the items that no wave asks: they are filled from others (changes of kind
    class).
    """

    folder: Path
    settings: StudyFile
    questions: DataFrame[Questions]
    items: DataFrame[Items]
    codes: DataFrame[Codes]
    columns: DataFrame[Columns]
    changes: DataFrame[ChangeRules]
    edits: DataFrame[Edits]
    indicators: DataFrame[Indicators]
    concordances: DataFrame[Concordances]
    derived: frozenset[str]

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
    def releases(self) -> Path:
        """The ledger of everything that was ever released: tracked, only ever added to."""
        return self.folder / "releases"

    @property
    def schema_files(self) -> tuple[Path, ...]:
        """Every file of the study's description, in a fixed order."""
        found = (self.folder / "schemas").rglob("*")
        return tuple(sorted(p for p in found if p.is_file() and p.suffix in {".csv", ".toml"}))

    @property
    def benchmark_pairs(self) -> DataFrame[BenchmarkPairs]:
        """The declared pairs of groups, in the order of `study.toml`."""
        columns = list(BenchmarkPairs.to_schema().columns)
        pairs = [
            (benchmark.name, *pair.model_dump().values(), " ".join(benchmark.without))
            for benchmark in self.settings.benchmark
            for pair in benchmark.pairs
        ]
        return DataFrame[BenchmarkPairs](pd.DataFrame(pairs, columns=columns, dtype=str))

    def asked_in(self, wave: str) -> tuple[DataFrame[Items], DataFrame[Codes], DataFrame[Edits]]:
        """Items that a wave asked, in its version, and the codes and edit rules that hold in it."""
        asked = self.items[~self.items[Items.item].isin(self.derived)]
        return in_wave(asked, wave), in_wave(self.codes, wave), in_wave(self.edits, wave)

    def register_codes(self, wave: str) -> dict[str, tuple[str, ...]]:
        """Valid codes of each column of the register in a wave."""
        valid = in_wave(self.codes, wave)
        return {
            name: tuple(valid.loc[valid["code_list"] == column.code_list, "code"])
            for name, column in self.settings.register_columns.items()
        }

    def ordered_codes(self, wave: str) -> dict[str, tuple[str, ...]]:
        """Valid codes in a wave, in their order, of each column of the register that has one."""
        columns = self.settings.register_columns
        return {n: codes for n, codes in self.register_codes(wave).items() if columns[n].ordered}


Table = TypeVar("Table", bound=pd.DataFrame)


def in_wave(table: Table, wave: str) -> Table:
    """Rows of a metadata table that hold in a wave (`from_wave` to `to_wave`, both inclusive)."""
    begun = (table["from_wave"] == "") | (table["from_wave"] <= wave)
    not_over = (table["to_wave"] == "") | (table["to_wave"] >= wave)
    return table.loc[begun & not_over]

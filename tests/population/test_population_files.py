"""The files of the made-up population: dialects, dirt, and that they are those committed."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from population import make as study
from population.draws import WAVES
from population.exports import FILES, key_heading
from population.instrument import column_map, headings
from population.make import DEFAULT_SEED, Wave
from population.records import KEY
from population.sites import DISTRICTS

ROOT = Path(__file__).resolve().parents[2]
RAW = ROOT / "data" / "raw"


def test_dirt_of_every_kind_and_little_of_it(waves: dict[str, Wave]) -> None:
    table = study.dirt_list(DEFAULT_SEED)
    kinds = table.groupby("kind")["wave"].nunique()
    assert len(kinds) == 18
    assert (kinds == len(WAVES)).all()
    for name, wave in waves.items():
        records = len(wave.dirt.records)
        touched = table.loc[table["wave"] == name, "firm_id"].nunique()
        assert touched < 0.2 * records
        keys = {record[KEY] for record in wave.dirt.records}
        strangers = keys - set(wave.register["firm_id"])
        assert len(strangers) == 3
        assert {"TEST-01", "TEST-02"} < strangers


@pytest.mark.parametrize("name", WAVES)
def test_every_cell_to_be_corrected_reads_as_the_correction_says(name: str) -> None:
    table = _read(name).set_index(key_heading(name))
    with (RAW / name / "corrections.csv").open(encoding="utf-8", newline="") as file:
        corrections = list(csv.DictReader(file))
    assert len(corrections) == 5
    for line in corrections:
        assert str(table[line["column"]].loc[line["firm_id"]]) == line["found"]


@pytest.mark.parametrize("name", WAVES)
def test_exports_have_the_columns_of_their_tool(waves: dict[str, Wave], name: str) -> None:
    table = _read(name)
    assert set(headings(name).values()) < set(table.columns)
    assert table.columns.is_unique
    assert max(map(len, table.columns)) < 255
    assert len(table) == len(waves[name].dirt.records)


def test_csv_exports_are_in_the_dialect_of_their_tool() -> None:
    panel = (RAW / "2023" / FILES["2023"]).read_bytes()
    assert "Österreich".encode("cp1252") in panel
    assert b";-77;" in panel
    assert panel.count(b"\n") == panel.count(b"\r\n")
    for name in ("2024", "2026"):
        content = (RAW / name / FILES[name]).read_bytes()
        assert content.startswith(b'\xef\xbb\xbf"id","submitdate"')
        assert content.endswith(b'"\r\n\r\n')


def test_the_workbook_has_typed_cells() -> None:
    book = openpyxl.load_workbook(RAW / "2025" / FILES["2025"])
    (sheet,) = book.worksheets
    rows = list(sheet.iter_rows(values_only=True))
    by_item = {str(heading).split(".")[0]: k for k, heading in enumerate(rows[0])}
    assert {type(row[by_item["A03"]]) for row in rows[1:]} >= {int, type(None)}
    assert any(isinstance(row[by_item["A04"]], float) for row in rows[1:])
    assert DISTRICTS[0] in {row[by_item["A01"]] for row in rows[1:]}  # the nought is kept
    assert {"Y", "N"} <= {row[by_item["B07[3]"]] for row in rows[1:]}


def test_columns_csv_maps_every_heading_that_is_not_its_item() -> None:
    path = ROOT / "schemas" / "questionnaire" / "columns.csv"
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    assert lines[0] == ["wave", "column", "item"]
    assert [tuple(line) for line in lines[1:]] == column_map(WAVES)


def test_the_same_seed_gives_the_committed_files_whatever_the_hash_seed(tmp_path: Path) -> None:
    script = Path(study.__file__)
    for hash_seed in ("1", "2"):
        command: list[str | Path] = [sys.executable, script, "--folder", tmp_path / hash_seed]
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        subprocess.run(command, check=True, env=environment)
    first, second = (_files(tmp_path / hash_seed) for hash_seed in "12")
    assert first == second
    for name, content in first.items():
        assert _unpacked(content) == _unpacked((ROOT / name).read_bytes()), name
    committed = {p.relative_to(ROOT) for p in RAW.rglob("*") if p.is_file()}
    assert committed == {name for name in first if name.parts[0] == "data"}
    assert sum(len(content) for content in first.values()) < 6_000_000


def _read(name: str) -> pd.DataFrame:
    path = RAW / name / FILES[name]
    if path.suffix == ".xlsx":
        return pd.read_excel(path, dtype=object, engine="openpyxl")
    delimiter, encoding = (";", "cp1252") if name == "2023" else (",", "utf-8-sig")
    return pd.read_csv(path, sep=delimiter, encoding=encoding, dtype=str, keep_default_na=False)


def _files(folder: Path) -> dict[Path, bytes]:
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def _unpacked(content: bytes) -> bytes | dict[str, bytes]:
    """The content, of a workbook its parts: compression differs between builds of zlib."""
    if not content.startswith(b"PK"):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}

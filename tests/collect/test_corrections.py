"""Corrections that came in late: applied to the cell they name, or refused with every reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline.collect.corrections import correct
from pipeline.collect.wave_settings import WaveSettings
from pipeline.errors import ExportError, Problem
from pipeline.tables import Findings, RawAnswers

SETTINGS = WaveSettings(
    wave="w1",
    files=("a.csv",),
    key="id",
    register="w1.csv",
    field_start=None,
    field_end=None,
    decimal=".",
    thousands="",
    encoding=None,
    delimiter=None,
    sheet=None,
    missing={},
    corrections="late.csv",
)
HEADINGS = "firm_id,column,found,corrected,note\n"


def raw() -> pd.DataFrame:
    """Two records of firm A (one sent twice) and one of B, with a turnover each."""
    cells = [
        (record, column, text)
        for record, firm, turnover in ((1, "A", "5000"), (2, "A", "5"), (3, " B\u00a0", "7 "))
        for column, text in (("id", firm), ("turnover", turnover))
    ]
    table = pd.DataFrame(cells, columns=["record", "column", "text"])
    table = table.assign(wave="w1", file="a.csv", line=table["record"] + 1, position=1)
    return table[list(RawAnswers.to_schema().columns)].astype(RawAnswers.empty().dtypes.to_dict())


def write(folder: Path, text: str) -> Path:
    path = folder / "late.csv"
    path.write_text(HEADINGS + text, encoding="utf-8")
    return path


def refusal(path: Path) -> list[Problem]:
    with pytest.raises(ExportError) as caught:
        correct(raw(), path.parent, SETTINGS)
    assert all((p.wave, p.file) == ("w1", "late.csv") for p in caught.value.problems)
    return list(caught.value.problems)


def test_only_the_cell_that_reads_so_is_put_right(tmp_path: Path) -> None:
    before = raw()
    path = write(tmp_path, "A,turnover,5000,5,called in June\nB,turnover,7,8,letter\n")
    table, findings = correct(before, path.parent, SETTINGS)
    texts = table.loc[table[RawAnswers.column] == "turnover", RawAnswers.text]
    assert texts.tolist() == ["5", "5", "8"]
    assert before[RawAnswers.text].tolist() == raw()[RawAnswers.text].tolist()
    shown = findings[[Findings.record, Findings.firm_id, Findings.item, Findings.found]]
    assert shown.to_numpy().tolist() == [[1, "A", "turnover", "5000"], [3, "B", "turnover", "7"]]
    assert findings[Findings.expected].tolist() == ["5", "8"]
    assert findings[Findings.advice].tolist() == ["called in June", "letter"]
    assert set(findings[Findings.rule]) == {"corrected"}


def test_everything_wrong_at_once(tmp_path: Path) -> None:
    text = "AB,turnover,1,2,\nA,turnovr,5000,5,\nA,turnover,4999,5,\n"
    found = [(p.row, p.item, p.found) for p in refusal(write(tmp_path, text))]
    assert found == [
        ("2", "firm_id", "'AB'"),
        ("3", "column", "'turnovr'"),
        ("4", "found", "'5000' or '5'"),
    ]


def test_missing_headings_and_ragged_rows(tmp_path: Path) -> None:
    path = tmp_path / "late.csv"
    path.write_text(
        "firm_id;column;found;correct;note\nA;turnover;5;6;;\nB;turnover;7;8;\n", encoding="utf-8"
    )
    found = [(p.found, p.item, p.row) for p in refusal(path)]
    assert found == [("no column 'corrected'", "corrected", ""), ("6 fields", "", "2")]


def test_no_such_file(tmp_path: Path) -> None:
    (problem,) = refusal(tmp_path / "late.csv")
    assert problem.found == "no such file"


def test_without_corrections_nothing_changes(tmp_path: Path) -> None:
    table, findings = correct(raw(), tmp_path, replace(SETTINGS, corrections=""))
    assert table.equals(raw())
    assert findings.empty

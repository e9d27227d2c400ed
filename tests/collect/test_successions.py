"""Successions: read as declared, or refused with every reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.collect.successions import read_successions
from pipeline.errors import ExportError


def write(folder: Path, text: str) -> Path:
    (folder / "succession.csv").write_text(text, encoding="utf-8")
    return folder


def test_a_merger_and_a_new_id(tmp_path: Path) -> None:
    text = "firm_id,wave,successor,continues\nB,w2,C,\nA,w2,C,yes\nX,w1, Y ,yes\n"
    table = read_successions(write(tmp_path, text))
    assert table.to_numpy().tolist() == [
        ["w1", "X", "Y", True],
        ["w2", "A", "C", True],
        ["w2", "B", "C", False],
    ]


def test_none_where_there_is_no_file(tmp_path: Path) -> None:
    assert read_successions(tmp_path).empty


def test_everything_wrong_at_once(tmp_path: Path) -> None:
    text = "wave,firm_id,successor,continues\nw2,A,,yes\nw2,B,B,no\nw2,A,C,\n"
    with pytest.raises(ExportError) as caught:
        read_successions(write(tmp_path, text))
    found = [(p.row, p.item, p.found) for p in caught.value.problems]
    assert found == [
        ("2", "successor", "nothing"),
        ("3", "continues", "'no'"),
        ("4", "firm_id", "'A'"),
        ("3", "firm_id", "'B'"),
    ]


def test_headings_and_ragged_rows(tmp_path: Path) -> None:
    with pytest.raises(ExportError) as caught:
        read_successions(write(tmp_path, "wave,firm,successor,continues\nw2,A,B,yes,x\nw2,D,E,\n"))
    found = [(p.file, p.found) for p in caught.value.problems]
    assert found == [
        ("succession.csv", "no column 'firm_id'"),
        ("succession.csv", "5 fields"),
    ]

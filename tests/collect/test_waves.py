"""The waves of a study: which there are, their settings, and what each is made from."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.collect.waves import CODE, hashes_of, newest_wave, read_settings, source_of
from pipeline.errors import ExportError, StudyError, UnknownWaveError

SMALL = Path(__file__).resolve().parents[1] / "studies" / "small"


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return shutil.copytree(SMALL / "data" / "raw", tmp_path / "raw")


def test_the_newest_wave_has_the_last_name(raw: Path) -> None:
    assert newest_wave(raw) == "2023"
    (raw / "2024").mkdir()  # without wave.toml: not yet a wave
    assert newest_wave(raw) == "2023"
    shutil.copy(raw / "2023" / "wave.toml", raw / "2024")
    assert newest_wave(raw) == "2024"


def test_no_wave_at_all(tmp_path: Path) -> None:
    with pytest.raises(UnknownWaveError) as caught:
        newest_wave(tmp_path)
    assert "wave.toml" in caught.value.problems[0].advice


def test_settings_up_to_a_wave_oldest_first(raw: Path) -> None:
    assert list(read_settings(raw, until="2023")) == ["2021", "2022", "2023"]
    settings = read_settings(raw, until="2022")
    assert list(settings) == ["2021", "2022"]
    assert settings["2022"].files == ("north.csv", "south.csv")


def test_an_unknown_wave_names_those_there_are(raw: Path) -> None:
    with pytest.raises(UnknownWaveError) as caught:
        read_settings(raw, until="2032")
    (problem,) = caught.value.problems
    assert (problem.wave, problem.found) == ("2032", "wave '2032'")
    assert problem.expected == "a wave: 2021, 2022, 2023"
    assert "did you mean 2023?" in problem.advice


def test_an_unknown_wave_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(UnknownWaveError) as caught:
        read_settings(tmp_path, until="2021")
    assert caught.value.problems[0].expected == "a folder with a wave.toml"


def test_the_mistakes_of_all_waves_are_told_together(raw: Path) -> None:
    for wave in ("2021", "2023"):
        path = raw / wave / "wave.toml"
        path.write_text(path.read_text().replace("key = ", "kay = "))
    with pytest.raises(StudyError) as caught:
        read_settings(raw, until="2023")
    assert {p.wave for p in caught.value.problems} == {"2021", "2023"}
    # a later wave does not stand in the way of an earlier one
    path = raw / "2021" / "wave.toml"
    path.write_text(path.read_text().replace("kay = ", "key = "))
    assert list(read_settings(raw, until="2022")) == ["2021", "2022"]


def source(raw: Path, wave: str = "2022", *schemas: Path) -> str:
    return source_of(read_settings(raw, until="2023")[wave], raw, schemas)


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: (raw / "2022" / "south.csv").open("a").write("F020\n"),
        lambda raw: (raw / "2022" / "wave.toml").open("a").write("# a word\n"),
        lambda raw: (raw / "register" / "2022.csv").open("a").write("\n"),
        lambda raw: (raw / "items.csv").write_text("item,type\n"),
    ],
    ids=["export", "settings", "register", "schemas"],
)
def test_whatever_a_wave_is_made_from_changes_its_source(
    raw: Path, change: Callable[[Path], object]
) -> None:
    schema = raw / "items.csv"
    schema.write_text("item\n")
    before = {wave: source(raw, wave, schema) for wave in ("2021", "2022")}
    assert before["2022"] == source(raw, "2022", schema)
    change(raw)
    assert source(raw, "2022", schema) != before["2022"]
    is_shared = "type" in schema.read_text()
    assert (source(raw, "2021", schema) != before["2021"]) is is_shared


def test_a_file_beside_the_wave_does_not_matter(raw: Path) -> None:
    before = source(raw)
    (raw / "2022" / "notes.txt").write_text("of the field work\n")
    (raw / "2021" / "small_2021.csv").write_text("lfdn\n")
    assert source(raw) == before


def test_the_code_is_part_of_the_source() -> None:
    names = {path.name for path in CODE}
    assert {"decode.py", "wave.py", "language.py"} <= names
    assert not any("tests" in path.parts for path in CODE)


def test_a_missing_register_is_named_with_its_wave(raw: Path) -> None:
    (raw / "register" / "2022.csv").unlink()
    with pytest.raises(ExportError) as caught:
        source(raw)
    (problem,) = caught.value.problems
    assert (problem.wave, problem.file, problem.found) == ("2022", "2022.csv", "no such file")


def test_every_raw_file_of_the_waves_has_its_hash(raw: Path) -> None:
    settings = read_settings(raw, until="2022").values()
    found = hashes_of(settings, raw)
    assert list(zip(found["wave"], found["file"], strict=True)) == [
        ("2021", "2021/small_2021.csv"),
        ("2021", "2021/wave.toml"),
        ("2021", "register/2021.csv"),
        ("2022", "2022/north.csv"),
        ("2022", "2022/south.csv"),
        ("2022", "2022/wave.toml"),
        ("2022", "register/2022.csv"),
    ]
    for file, sha256 in zip(found["file"], found["sha256"], strict=True):
        assert hashlib.sha256((raw / file).read_bytes()).hexdigest() == sha256
    # Mergers and new ids are of no wave: they grow, and no wave by itself is made from them.
    (raw / "register/succession.csv").write_text("wave,firm_id,successor,continues\n")
    again = hashes_of(settings, raw)
    assert list(again.loc[again["file"] == "register/succession.csv", "wave"]) == [""]
    (raw / "2021/small_2021.csv").unlink()
    with pytest.raises(ExportError):
        hashes_of(settings, raw)

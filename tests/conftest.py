"""Shared fixtures: the repository, the example study with its data, and one run of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "jtrain"


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


def copy_of_the_example(target: Path) -> Path:
    """The example study without anything derived, with its exports written anew."""
    shutil.copytree(EXAMPLE / "schemas", target / "schemas")
    shutil.copy(EXAMPLE / "make_exports.py", target)
    for settings in EXAMPLE.glob("data/raw/*/wave.toml"):
        folder = target / settings.parent.relative_to(EXAMPLE)
        folder.mkdir(parents=True)
        shutil.copy(settings, folder)
    subprocess.run([sys.executable, target / "make_exports.py"], check=True)
    return target


def mittelwelle(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user would, in a process of its own."""
    command = [sys.executable, "-c", "from pipeline.cli import main; main()", *map(str, arguments)]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "200", "TERM": "dumb"} | environment,
        check=False,
    )


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example study after a run of its newest wave; tests must not change it."""
    study = copy_of_the_example(tmp_path_factory.mktemp("example") / "jtrain")
    result = mittelwelle("--study", study, "wave", PYTHONHASHSEED="1", OMP_NUM_THREADS="1")
    assert result.returncode == 0, result.stderr
    return study


@pytest.fixture
def fresh_example(example: Path, tmp_path: Path) -> Path:
    """A copy of the example after its run, that a test may change."""
    return shutil.copytree(example, tmp_path / "jtrain")


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reference study after a run of its newest wave from nothing; tests must not change it."""
    study = tmp_path_factory.mktemp("reference") / "study"
    shutil.copytree(ROOT / "schemas", study / "schemas")
    shutil.copytree(ROOT / "data" / "raw", study / "data" / "raw")
    result = mittelwelle("--study", study, "wave", PYTHONHASHSEED="1", OMP_NUM_THREADS="1")
    assert result.returncode == 0, result.stderr
    return study


@pytest.fixture
def run_command() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `mittelwelle` with arguments (and environment variables) in a process of its own."""
    return mittelwelle


@pytest.fixture
def call_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run `mittelwelle` within this process: exit code, output, errors. A traceback would raise."""
    from pipeline.cli import main

    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mittelwelle", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        printed = capsys.readouterr()
        return int(end.value.code or 0), printed.out, printed.err

    return call

"""The waves of a study: their settings, and what each is made from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
from pandera.typing import DataFrame

from pipeline.collect.exports import fingerprint, sha256
from pipeline.collect.successions import FILE_NAME as SUCCESSIONS
from pipeline.collect.wave_settings import WaveSettings, read_wave_settings
from pipeline.errors import (
    ExportError,
    MittelwelleError,
    Problem,
    StudyError,
    UnknownWaveError,
    nearest,
)
from pipeline.study import find_waves
from pipeline.tables import SourceFiles

CODE = tuple(sorted(Path(__file__).parents[1].rglob("*.py")))


def newest_wave(raw: Path) -> str:
    """Name of the newest wave below data/raw; raises UnknownWaveError where there is none."""
    waves = find_waves(raw)
    if not waves:
        advice = "make a folder per wave with its wave.toml and the files as delivered"
        problem = Problem("no wave", "data/raw/<wave>/wave.toml", advice, file=str(raw))
        raise UnknownWaveError(problem)
    return waves[-1]


def read_settings(raw: Path, *, until: str) -> dict[str, WaveSettings]:
    """Settings of the waves up to `until`, oldest first.

    Raises UnknownWaveError where there is no such wave, StudyError with what is wrong in any
    wave.toml of these waves.
    """
    waves = find_waves(raw)
    if until not in waves:
        expected = f"a wave: {', '.join(waves)}" if waves else "a folder with a wave.toml"
        advice = f"{nearest(until, waves)}; a new wave is a folder below data/raw with a wave.toml"
        raise UnknownWaveError(Problem(f"wave '{until}'", expected, advice, wave=until))
    settings: dict[str, WaveSettings] = {}
    problems: list[Problem] = []
    for wave in waves[: waves.index(until) + 1]:
        try:
            settings[wave] = read_wave_settings(raw / wave)
        except MittelwelleError as error:
            problems += error.problems
    if problems:
        raise StudyError(problems)
    return settings


def source_of(settings: WaveSettings, raw: Path, schemas: Sequence[Path]) -> str:
    """Fingerprint of everything a stored wave is made from: files, register, schemas, code.

    Raises ExportError for a file that is missing.
    """
    try:
        return fingerprint([*_files(settings, raw), *schemas, *CODE])
    except ExportError as error:
        raise ExportError([replace(p, wave=settings.wave) for p in error.problems]) from error


def hashes_of(waves: Iterable[WaveSettings], raw: Path) -> DataFrame[SourceFiles]:
    """SHA-256 of every raw file that the waves are made from; successions belong to none of them.

    They grow from wave to wave, and no figure of a wave by itself is made from them.
    """
    successions = raw / "register" / SUCCESSIONS
    paths = [(settings.wave, path) for settings in waves for path in _files(settings, raw)]
    paths += [("", successions)] if successions.exists() else []
    rows = [(wave, path.relative_to(raw).as_posix(), sha256(path)) for wave, path in paths]
    columns = list(SourceFiles.to_schema().columns)
    table = pd.DataFrame(sorted(rows), columns=columns, dtype="str")
    return DataFrame[SourceFiles](SourceFiles.validate(table))


def _files(settings: WaveSettings, raw: Path) -> list[Path]:
    """The raw files of one wave."""
    names = ["wave.toml", *settings.files]
    names += [settings.corrections] if settings.corrections else []
    folder = raw / settings.wave
    return [*(folder / name for name in names), raw / "register" / settings.register]

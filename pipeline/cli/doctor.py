"""Whether this machine and this study have what a run needs."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from pipeline.errors import MittelwelleError

State = Literal["ok", "optional", "missing"]
ADVICE = "run 'make wave': it sets up .venv"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Check:
    """One part: whether it is there, what was found, and what to do."""

    part: str
    state: State
    found: str
    advice: str = ""


def examine(folder: Path) -> list[Check]:
    """Check Python, packages, fonts, tools for the tests, and the study in `folder`."""
    return [_python(), *_packages(), _fonts(), *_tools(), *_study(folder)]


def _python() -> Check:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    suits = sys.version_info >= (3, 11)
    return Check("Python", "ok" if suits else "missing", found, "" if suits else "install 3.11")


def _packages() -> Iterator[Check]:
    try:
        required = metadata.requires("mittelwelle") or []
    except metadata.PackageNotFoundError:
        yield Check("mittelwelle", "missing", "not installed", ADVICE)
        return
    for requirement in sorted(r for r in required if "extra ==" not in r):
        name = re.split(r"[^A-Za-z0-9_.-]", requirement)[0]
        try:
            yield Check(name, "ok", metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Check(name, "missing", "not installed", ADVICE)


def _fonts() -> Check:
    try:
        from pipeline.disseminate.fonts import FACES, FAMILY, font_file
    except ImportError as error:
        return Check("fonts", "missing", str(error), ADVICE)
    absent = [font_file(weight).name for weight in FACES if not font_file(weight).is_file()]
    if absent:
        return Check("fonts", "missing", f"no {', '.join(absent)}", ADVICE)
    return Check("fonts", "ok", FAMILY)


def _tools() -> Iterator[Check]:
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    advice = "" if browser else "only for the tests of pages: apt-get install chromium"
    yield Check("browser", "ok" if browser else "optional", browser or "none", advice)
    poppler = shutil.which("pdftoppm")
    advice = "" if poppler else "only for looking at PDF pages: apt-get install poppler-utils"
    yield Check("pdftoppm", "ok" if poppler else "optional", poppler or "none", advice)


def _study(folder: Path) -> Iterator[Check]:
    from pipeline.store import wave_log
    from pipeline.study import find_waves, read_study

    try:
        study = read_study(folder)
    except MittelwelleError as error:
        problem = error.problems[0]
        found = f"{len(error.problems)} problems; the first: {problem.file}: {problem.found}"
        yield Check("study", "missing", found, problem.advice)
        return
    waves = find_waves(study.raw)
    name = study.settings.id
    yield Check("study", "ok", f"{name}: waves {', '.join(waves) or 'none'}")
    try:
        stored = list(wave_log(study.database)["wave"])
    except MittelwelleError as error:
        yield Check("store", "missing", error.problems[0].found, error.problems[0].advice)
    else:
        yield Check("store", "ok", f"waves {', '.join(stored)}" if stored else "not made yet")
    writable = os.access(folder, os.W_OK)
    advice = "" if writable else "make the folder writable: reports and store are written there"
    yield Check("folder", "ok" if writable else "missing", str(folder.resolve()), advice)

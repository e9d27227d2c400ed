"""A copy of the small study that a test may spoil."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

SMALL = Path(__file__).resolve().parents[1] / "studies" / "small"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """The folder of the copy."""
    return shutil.copytree(SMALL, tmp_path / "small")

"""The waves of the population of the default seed."""

from __future__ import annotations

import pandas as pd
import pytest

from population import make as study
from population.make import DEFAULT_SEED, Wave


@pytest.fixture(scope="module")
def waves() -> dict[str, Wave]:
    return {wave.name: wave for wave in study.draw_waves(DEFAULT_SEED)[1]}


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    return study.truth(DEFAULT_SEED)

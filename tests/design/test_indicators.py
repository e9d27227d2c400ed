"""The indicators of a study and the one that every study has."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipeline.design import with_response
from pipeline.study import read_study
from pipeline.tables import Indicators

SMALL = Path(__file__).resolve().parents[1] / "studies" / "small"


def test_the_response_comes_last_and_the_rest_stays() -> None:
    indicators = read_study(SMALL).indicators
    table = with_response(indicators, sensitivity="low")
    Indicators.validate(table)
    pd.testing.assert_frame_equal(table.iloc[:-1], indicators.reset_index(drop=True))
    last = table.iloc[-1]
    assert last[["indicator", "kind", "sensitivity"]].tolist() == ["response", "share", "low"]
    assert (last["scale"], last["decimals"], last["unit_en"]) == (100, 0, "%")
    assert last[["numerator", "base", "from_wave", "to_wave"]].tolist() == [""] * 4


def test_a_study_without_indicators_has_its_response() -> None:
    none = read_study(SMALL).indicators.iloc[:0]
    assert with_response(none, sensitivity="normal")["indicator"].tolist() == ["response"]

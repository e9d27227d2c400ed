"""The indicators of a study and the two that every study has."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipeline.analyse.measures import rules_of
from pipeline.design import with_response
from pipeline.study import read_study
from pipeline.tables import Indicators

SMALL = Path(__file__).resolve().parents[1] / "studies" / "small"


def test_the_response_comes_last_and_the_rest_stays() -> None:
    indicators = read_study(SMALL).indicators
    table = with_response(indicators, sensitivity="low")
    Indicators.validate(table)
    pd.testing.assert_frame_equal(table.iloc[:-2], indicators.reset_index(drop=True))
    rate, r = (table.iloc[place] for place in (-2, -1))
    assert rate[["indicator", "kind", "sensitivity"]].tolist() == ["response", "share", "low"]
    assert r[["indicator", "kind"]].tolist() == ["representativity", "formula"]
    assert (rate["numerator"], r["numerator"]) == ("", "response")
    for row in (rate, r):
        assert (row["scale"], row["decimals"], row["unit_en"]) == (100, 0, "%")
        assert row[["base", "from_wave", "to_wave", "ranking"]].tolist() == [""] * 4


def test_how_like_the_register_the_response_is_may_be_told_where_the_response_may() -> None:
    """A formula is cleared where its parts are: see `protect`."""
    rules = rules_of(with_response(read_study(SMALL).indicators, sensitivity="normal"))
    assert rules["representativity"].parts == ("response",)
    assert rules["representativity"].categorical


def test_a_study_without_indicators_has_its_response() -> None:
    none = read_study(SMALL).indicators.iloc[:0]
    table = with_response(none, sensitivity="normal")
    assert table["indicator"].tolist() == ["response", "representativity"]

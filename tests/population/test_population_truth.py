"""The truth about the made-up population, against a computation by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from population import make as study
from population.draws import WAVES
from population.instrument import asked_in
from population.sites import DISTRICTS
from population.truth import true_values


def value(truth: pd.DataFrame, wave: str, indicator: str) -> float:
    rows = truth[(truth["breakdown"] == "all") & (truth["wave"] == wave)]
    return float(rows.set_index("indicator")["value"].loc[[indicator]].sum())


def test_truth_by_hand() -> None:
    """Three firms in scope and one closed; turnover 10, 30 and 60, employees 10, 90 and 100."""
    register = pd.DataFrame(
        {
            "firm_id": list("abcd"),
            "population": "1",
            "scope": ["1", "1", "1", "2"],
            "field": ["1", "1", "2", "2"],
            "size": ["1", "2", "2", "2"],
            "district": "06531",
            "tier": "3",
            "section": ["C", "C", "J", "C"],
        }
    )
    items = [c.item for c in asked_in("2026")]
    values = pd.DataFrame(0.0, index=range(4), columns=items).assign(
        A03=[10, 90, 100, 999],
        A04=[10, 30, 60, 999],
        B01=[50, 100, 0, 100],
        B02=[20, 60, np.nan, 100],
        E01=[1, 0, 4, 999],
        E04=[10, 50, np.nan, 100],
        C01=[1, 3, 3, 1],
        C02=[1, 2, 1, 1],
        C05=[4, 1, 3, 4],
        D03=[5, 2, 5, 5],
        D04=[1, 4, 4, 4],
        G05_2=[1, 0, 0, 1],
        G05_99=[0, 1, np.nan, 0],
        G07=[3, np.nan, np.nan, 1],
    )
    table = true_values("2026", register, values)
    every = table[table["breakdown"] == "all"].set_index("indicator")
    expected = {
        "I01": 35.0,  # (10·50 + 30·100 + 60·0) / 100
        "I02": 100 * 19 / 35,  # (5·0.2 + 30·0.6) / (5 + 30)
        "I05": -100 / 3,  # one good, two poor, of three
        "I06": 200 / 3,
        "I07": np.sqrt((200 - 100 / 3) * (200 + 200 / 3)) - 200,
        "I08": 0.0,  # one up, one down; none is neutral
        "I08_none": 100 / 3,
        "I14": 2.0,  # min(5, 1 + 1) and min(2, 4 + 1) in section C
        "I16": 100 * 5 / 205,
        "I18": 46.0,  # (10·10 + 90·50) / (10 + 90)
        "I21": 100 / 3,
        "I22": 100.0,
    }
    for indicator, number in expected.items():
        assert every["value"].loc[indicator] == pytest.approx(number), indicator
    assert set(every["population"]) == {3}
    crossed = table[(table["breakdown"] == "field*size") & (table["indicator"] == "I01")]
    assert dict(zip(crossed["group"], crossed["value"], strict=True)) == {
        "1*1": 50.0,
        "1*2": 100.0,
        "2*2": 0.0,
    }
    users = table[(table["breakdown"] == "field") & (table["indicator"] == "I22")]
    assert users["group"].tolist() == ["1"]  # nobody of field 2 used a measure


def test_truth_has_every_indicator_and_group(truth: pd.DataFrame) -> None:
    assert not truth.duplicated(["wave", "indicator", "breakdown", "group"]).any()
    first, newest = (set(truth.loc[truth["wave"] == wave, "indicator"]) for wave in WAVES[::3])
    numbered = {f"I{n:02}" for n in range(1, 24)} | {"I08_none"}
    rows, topics = {f"I24_{r}" for r in "abcdefgh"}, {f"I25_{n}" for n in range(1, 10)}
    assert newest == numbered | rows | topics
    assert newest - first == {"I04", "I15", "I16", "I17", "I18", "I24_h"}
    of_2026 = truth[(truth["wave"] == "2026") & (truth["indicator"] == "I05")]
    groups = {b: set(t["group"]) for b, t in of_2026.groupby("breakdown")}
    assert groups["all"] == {"all"}
    assert groups["district"] == set(DISTRICTS)
    assert groups["size"] == {p + s for p in ("", "2*", "3*") for s in "123"}
    assert groups["population"] == {"2", "3"}
    assert {"1*1", "5*2"} < groups["field*size"]


def test_the_true_climate_reads_like_life(truth: pd.DataFrame) -> None:
    assert -36 < value(truth, "2025", "I07") < -24
    assert value(truth, "2025", "I07") < value(truth, "2026", "I07") < value(truth, "2023", "I07")
    burdens = truth[(truth["wave"] == "2026") & (truth["breakdown"] == "all")]
    burdens = burdens[burdens["indicator"].str.startswith("I24")].sort_values("value")
    assert burdens["indicator"].iloc[-1] == "I24_c"


def test_another_seed_gives_another_population(truth: pd.DataFrame) -> None:
    assert value(study.truth(1), "2026", "I05") != value(truth, "2026", "I05")

"""Assess: what is known of response and weights, by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_tables import panel, register

from pipeline import survey
from pipeline.process import assess, calibrate, weight

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
KEY = ["measure", "variable", "group"]


def frame_of(wave: str = "w1", out_of_scope: str = "", **groups: str) -> Any:
    """Firms A, B, … with a letter each in every variable."""
    size = len(next(iter(groups.values())))
    rows = {f: {v: g[i] for v, g in groups.items()} for i, f in enumerate(LETTERS[:size])}
    return register(rows, wave=wave, out_of_scope=out_of_scope)


def weighted(frame: Any, answered: str, *strata: str, population: str | None = None) -> Any:
    answers = panel({(w, f, "x"): 1.0 for w in set(frame["wave"]) for f in answered})
    return weight(answers, frame, strata=strata, population=population, min_responses=1)


def assessed(weights: Any, frame: Any, *columns: str, population: str | None = None) -> Any:
    return assess(weights, frame, columns=columns, population=population)


def values(table: Any, **where: str) -> dict[tuple[str, ...], float]:
    for column, value in where.items():
        table = table[table[column] == value]
    return {tuple(key): value for *key, value in table[[*KEY, "value"]].to_numpy().tolist()}


SIZE = "aaaaaabbbb"
"""Six firms of a, four of b; in the tests A B C and G answered."""


def test_weights_by_hand() -> None:
    # a: 6 / 3 = 2 three times, b: 4 / 1 = 4: mean 10 / 4, 1 + cv^2 = 4 (3 4 + 16) / 100 = 1.12.
    frame = frame_of(size=SIZE)
    found = values(assessed(weighted(frame, "ABCG", "size"), frame))
    assert found == pytest.approx(
        {
            ("weight_low", "all", "all"): 2,
            ("weight_high", "all", "all"): 4,
            ("design_effect", "all", "all"): 1.12,
            ("n", "stratum", "size=a"): 3,
            ("n", "stratum", "size=b"): 1,
            ("register", "stratum", "size=a"): 6,
            ("register", "stratum", "size=b"): 4,
            ("sum", "stratum", "size=a"): 6,
            ("sum", "stratum", "size=b"): 4,
        }
    )


def test_bias_by_hand() -> None:
    # Truth: 60 per cent a. Of those who answered 3 of 4: 15 points too many; the response weights
    # without strata leave that; by size they are met.
    frame = frame_of(size=SIZE)
    weights = weighted(frame, "ABCG")
    after = calibrate(
        weights,
        frame,
        columns=["size"],
        population=None,
        min_responses=1,
        method="raking",
        bounds=None,
    )
    found = values(assessed(after, frame, "size"), variable="size")
    expected = {"truth": 60, "bias_unweighted": 15, "bias_before": 15, "bias_after": 0}
    own = {m: found[m, "size", "a"] for m in expected}
    assert own == pytest.approx(expected, abs=1e-9)
    assert found["truth", "size", "b"] == 40
    assert found["bias_unweighted", "size", "b"] == -15


def test_how_alike_those_who_answered_are() -> None:
    # Propensities 1/2 in a and 1/4 in b, .4 in all: S^2 = (6 (.1)^2 + 4 (.15)^2) / 9 = 1/60 before
    # the adjustment. Partial by category: sqrt(.6) .1 and -sqrt(.4) .15, in per cent.
    frame = frame_of(size=SIZE)
    found = values(assessed(weighted(frame, "ABCG"), frame, "size"))
    assert found["partial", "size", "a"] == pytest.approx(100 * np.sqrt(0.6) * 0.1)
    assert found["partial", "size", "b"] == pytest.approx(-100 * np.sqrt(0.4) * 0.15)
    known = pd.DataFrame({"size": list(SIZE)})
    own = survey.representativity(known, [f in "ABCG" for f in LETTERS[:10]])
    low, high = own.interval()
    assert found["estimate", "all", "all"] == pytest.approx(100 * own.r)
    assert found["se", "all", "all"] == pytest.approx(100 * own.se)
    assert found["ci_low", "all", "all"] == pytest.approx(100 * low)
    assert found["ci_high", "all", "all"] == pytest.approx(100 * high)
    assert found["max_bias", "all", "all"] == pytest.approx((1 - own.r) / 0.8)
    for measure in ("partial", "partial_conditional"):
        assert 0 <= found[measure, "size", "all"] <= 50


def test_where_all_groups_answer_alike_r_is_100() -> None:
    frame = frame_of(size="aaaabbbb", field="xxyyxxyy")
    found = values(assessed(weighted(frame, "ACEG"), frame, "size", "field"))
    assert found["estimate", "all", "all"] == 100
    assert found["max_bias", "all", "all"] == 0
    assert found["partial", "size", "all"] == 0


def test_those_who_were_not_asked_or_are_out_of_scope_did_not_refuse() -> None:
    # a: A B answered, C did not; D is closed, E was not asked. b: G answered of F G.
    firms = {f: {"size": g} for f, g in zip("ABCDEFG", "aaaaabb", strict=True)}
    frame = register(firms, asked={"E": 0.0}, out_of_scope="D")
    found = values(assessed(weighted(frame, "ABG"), frame, "size"))
    known = pd.DataFrame({"size": list("aaabb")})
    own = survey.representativity(known, [True, True, False, False, True])
    assert found["estimate", "all", "all"] == pytest.approx(100 * own.r)
    assert found["partial", "size", "a"] == pytest.approx(100 * np.sqrt(0.6) * (2 / 3 - 0.6))


def test_each_population_and_wave_by_itself() -> None:
    groups = {"population": "1111133333", "size": "aabbbaabbb"}
    frame = pd.concat([frame_of(**groups), frame_of("w2", **groups)], ignore_index=True)
    weights = weighted(frame, "ACFGHIJ", "size", population="population")
    table = assessed(weights, frame, "size", population="population")
    places = table[["wave", "population"]].drop_duplicates().to_numpy().tolist()
    assert places == [["w1", "3"], ["w1", "all"], ["w2", "3"], ["w2", "all"]]
    other, target = (values(table, wave="w1", population=p) for p in ("3", "all"))
    assert target["weight_high", "all", "all"] == 3  # one of three b
    assert other["weight_high", "all", "all"] == 1
    assert (target["truth", "size", "a"], other["truth", "size", "3*a"]) == (40, 40)
    assert other["estimate", "all", "all"] == 100  # everybody answered


def test_a_population_that_nobody_answered_has_nothing_to_tell() -> None:
    frame = frame_of(population="1111133333", size="aabbbaabbb")
    weights = weighted(frame, "ABC", population="population")
    table = assessed(weights, frame, "size", population="population")
    assert set(table["population"]) == {"all"}
    assert assessed(weighted(frame, "Z"), frame, "size").empty


def test_one_firm_that_was_asked_is_like_nobody() -> None:
    frame = frame_of(size="aab", out_of_scope="B C")
    found = values(assessed(weighted(frame, "A"), frame, "size"))
    assert ("weight_low", "all", "all") in found
    assert ("estimate", "all", "all") not in found


def test_the_order_of_rows_does_not_matter() -> None:
    frame = frame_of(size=SIZE, field="xyxyxyxyxy")
    weights = weighted(frame, "ABCG", "size")
    once = assessed(weights, frame, "size", "field")
    turned = [t.sample(frac=1, random_state=3).reset_index(drop=True) for t in (weights, frame)]
    again = assessed(*turned, "size", "field")
    pd.testing.assert_frame_equal(once, again)


def test_the_small_study(small: SimpleNamespace) -> None:
    table = assessed(small.weights, small.register, "r_field", "r_band")
    found = values(table, wave="2022", variable="r_field")
    # Nobody of X (8 of 40 firms) answered, 12 each of E and M (16) did: 12 of 24 are half.
    own = [found["bias_unweighted", "r_field", g] for g in "EMX"]
    assert own == pytest.approx([10, 10, -20])
    # Weights 2 for E, which stands for X too, and 16 / 12 for M: 60 and 40 per cent.
    own = [found["bias_after", "r_field", g] for g in "EMX"]
    assert own == pytest.approx([20, 0, -20])

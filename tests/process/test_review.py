"""Review: the score of Hidiroglou and Berthelot, by hand, and who is judged by it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tables import edits, panel, register

from pipeline.process import review
from pipeline.process.review import LEAST_PAIRS, score_bounds

SCORE = {"rule": "r1", "kind": "score", "items": "x", "message_en": "Ask."}
NOBODY = register({})
GROWTH = np.linspace(0.9, 1.1, 11)
"""Ratios of eleven firms: 0.90, 0.92, …, 1.10; their median is 1."""


def named(values: Any) -> dict[str, float]:
    return {f"F{n:02d}": float(v) for n, v in enumerate(values)}


def reviewed(before: Any, after: Any, frame: Any = NOBODY, **rule: Any) -> pd.DataFrame:
    """Findings on amounts of firms F00, F01, … in waves w1 and w2."""
    cells = {("w1", f, "x"): v for f, v in named(before).items()}
    cells |= {("w2", f, "x"): v for f, v in named(after).items()}
    return review(panel(cells), edits(SCORE | rule), frame, language="en")


def test_the_bounds_by_hand() -> None:
    """All have 100 in the later wave.

    Growth: E = (r - 1) · 10: 0.2, 0.4, …, 1.0. Decline: E = (1 - 1/r) · √(100/r), by r from 0.90
    to 0.98: -1.17121, -0.90658, -0.65835, -0.42526, -0.20615. The median is 0, the quartiles are
    (-0.65835 - 0.42526) / 2 = -0.541805 and (0.4 + 0.6) / 2 = 0.5.
    """
    after = np.full(11, 100.0)
    bounds = score_bounds(after / GROWTH, after)
    # E up to 4 · 0.5 = 2, at a size of 100: s up to 2 / 10 = 0.2
    assert bounds.high[-1] == pytest.approx(1.2)
    # E from 4 · -0.541805 = -2.16722: s from -0.216722, r from 1 / 1.216722
    assert bounds.low[-1] == pytest.approx(0.821880, abs=1e-6)
    assert not bounds.outside.any()


def test_the_least_distance_is_a_part_of_the_median() -> None:
    """Twelve firms, ratios four times each 0.8, 1 and 1.25, with 100 at the larger end.

    The median ratio is 1; E = ±0.25 · 10 = ±2.5, and 0: quartiles -2.5 (a quarter of the way from
    the 3rd to the 4th), 0 and 2.5. The median being 0, so is the least distance: 4 · 2.5 = 10.
    """
    before = np.repeat([100.0, 50.0, 80.0], 4)
    after = np.repeat([80.0, 50.0, 100.0], 4)
    bounds = score_bounds(before, after)
    assert bounds.high[-1] == pytest.approx(2.0)  # 1 + 10 / 10
    assert bounds.low[0] == pytest.approx(0.5)  # 1 / (1 + 10 / 10)
    # an even number, half of them 1 and half 1.5: the median 1.25 has no firm, E is not 0 there
    before, after = np.full(12, 100.0), np.repeat([101.0, 151.0], 6)
    # s = 1 - 1.26/1.01 = -0.247525 and 1.51/1.26 - 1 = 0.198413; E = -2.487592 and 2.438126
    # E2 = -0.024733, E1 and E3 those two: low = -0.024733 - 4 · 2.462859 = -9.876169
    bounds = score_bounds(before, after)
    assert bounds.low[0] == pytest.approx(1.26 / (1 + 9.876169 / np.sqrt(101)), rel=1e-5)


def test_a_thousandfold_amount_is_found_with_its_bounds() -> None:
    before = np.full(12, 100.0)
    after = np.append(GROWTH * 100, 100_000)
    table = reviewed(before, after)
    assert table[["wave", "file", "record", "firm_id", "item"]].to_numpy().tolist() == [
        ["w2", "", 0, "F11", "x"]
    ]
    assert table[["rule", "severity", "treatment", "advice"]].to_numpy().tolist() == [
        ["r1", "soft", "keep", "Ask."]
    ]
    assert table["found"].tolist() == ["100000 after 100"]
    low, high = (float(text) for text in table["expected"].iloc[0].split(" times")[0].split(" to "))
    assert 0.99 < low < high < 1.03  # about the median ratio of 1.01: a large amount


def test_a_large_firm_is_judged_more_strictly() -> None:
    before = np.append(np.full(11, 100.0), [4.0, 40_000.0])
    after = before * np.append(GROWTH, [1.25, 1.25])
    assert reviewed(before, after)["firm_id"].tolist() == ["F12"]


def test_firms_without_change_take_part_while_they_are_less_than_half() -> None:
    change = np.array([*np.linspace(1.02, 1.2, 10), 1.4])  # eleven firms that changed
    same = np.ones(10)  # 10 of 21
    after = 100 * np.append(change, same)
    before = np.full(21, 100.0)
    assert np.isfinite(score_bounds(before, after).high).all()
    by_all = score_bounds(before, after).high[0]
    # 12 of 23: they leave; the median is then that of the changed alone
    more = np.full(23, 100.0)
    changed = score_bounds(more, 100 * np.append(change, np.ones(12)))
    assert changed.high[0] == pytest.approx(score_bounds(before[:11], after[:11]).high[0])
    assert changed.high[0] != pytest.approx(by_all)
    assert not changed.outside[11:].any()  # nobody who did not change stands out


def test_with_too_few_pairs_nobody_is_judged() -> None:
    ratios = np.append(GROWTH[: LEAST_PAIRS - 2], 1000.0)
    assert reviewed(np.full(len(ratios), 100.0), 100 * ratios).empty
    ratios = np.append(GROWTH[: LEAST_PAIRS - 1], 1000.0)
    assert len(reviewed(np.full(len(ratios), 100.0), 100 * ratios)) == 1


def test_amounts_of_0_and_missing_ones_are_no_pairs() -> None:
    before = np.append(np.full(11, 100.0), [0.0, np.nan, 100.0, 100.0])
    after = np.append(GROWTH * 100, [1e6, 1e6, 0.0, np.nan])
    assert reviewed(before, after).empty


def test_the_same_growth_of_all_is_ordinary() -> None:
    before = np.linspace(10, 990, 15)
    assert reviewed(before, before * 1.1).empty


def test_a_rule_has_waves_items_and_a_condition() -> None:
    before, after = np.full(12, 100.0), np.append(GROWTH * 100, 1e5)
    assert reviewed(before, after, from_wave="w3").empty
    assert reviewed(before, after, to_wave="w1").empty
    assert reviewed(before, after, items="y").empty
    assert len(reviewed(before, after, items="y x")) == 1
    assert reviewed(before, after, condition="x < 1000").empty
    frame = register({f: {"size": "9" if f == "F11" else "1"} for f in named(after)}, wave="w2")
    assert reviewed(before, after, frame, condition="size == 1").empty
    assert len(reviewed(before, after, frame, condition="size >= 1")) == 1


def test_only_waves_in_succession_are_compared() -> None:
    cells = {("w1", f, "x"): 100.0 for f in named(range(12))}
    cells |= {("w3", f, "x"): v for f, v in named(np.append(GROWTH * 100, 1e5)).items()}
    cells[("w2", "other", "x")] = 1.0
    assert review(panel(cells), edits(SCORE), NOBODY, language="en").empty


def test_other_rules_are_not_judged_here() -> None:
    before, after = np.full(12, 100.0), np.append(GROWTH * 100, 1e5)
    assert reviewed(before, after, kind="soft", test="x < 0").empty


AMOUNT = st.floats(1.0, 1e6)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(AMOUNT, AMOUNT), min_size=10, max_size=30), st.integers(1, 5))
def test_who_lies_outside_has_a_ratio_outside_its_bounds(
    pairs: list[tuple[float, float]], power: int
) -> None:
    before, after = np.array(pairs).T
    bounds = score_bounds(before, after)
    ratio = after / before
    assert not (bounds.outside & (ratio > bounds.low) & (ratio < bounds.high)).any()
    inside = (ratio >= bounds.low * (1 - 1e-6)) & (ratio <= bounds.high * (1 + 1e-6))
    assert inside[~bounds.outside & (before != after)].all()
    # the unit of the amounts changes nothing (a power of two keeps every digit)
    again = score_bounds(before * 4**power, after * 4**power)
    assert (again.outside == bounds.outside).all()
    assert again.high == pytest.approx(bounds.high)

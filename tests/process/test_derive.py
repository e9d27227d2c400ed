"""Derive: what each firm brings to each indicator, and who is left out of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tables import filled, indicators, panel

from pipeline.errors import StudyError
from pipeline.process import derive
from pipeline.tables import Weights

NAN = float("nan")


def weights(**firms: float) -> Any:
    """Weights of wave w1; 0 for a firm that did not answer."""
    rows = [{"firm_id": f, "responded": w > 0, "weight": w} for f, w in firms.items()]
    return filled(Weights, rows, wave="w1", stratum="all")


def derived(values: dict[str, tuple[float | str, ...]], **rule: Any) -> dict[str, tuple[Any, ...]]:
    """Numerator, denominator and base of indicator i by firm; items x, y of each firm."""
    cells = {
        ("w1", firm, item): v
        for firm, xy in values.items()
        for item, v in zip("xy", xy, strict=False)
    }
    found = derive(
        panel(cells), weights(**dict.fromkeys(values, 2.0)), indicators({"indicator": "i"} | rule)
    )
    found = found[found["indicator"] == "i"]
    columns = ("numerator", "denominator", "in_base")
    rows = zip(*(found[c] for c in ("firm_id", *columns)), strict=True)
    return {firm: tuple(rest) for firm, *rest in rows}


FIRMS = {"A": (4.0, 10.0), "B": (0.0, 5.0), "C": (NAN, 5.0), "D": (3.0, NAN)}


def test_a_mean_needs_its_numerator_only() -> None:
    assert derived(FIRMS, numerator="x * 2") == {
        "A": (8, 1, True),
        "B": (0, 1, True),
        "D": (6, 1, True),
    }


def test_a_ratio_needs_both_amounts() -> None:
    found = derived(FIRMS, kind="ratio", numerator="x", denominator="y")
    assert found == {"A": (4, 10, True), "B": (0, 5, True)}


def test_a_share_counts_true_as_1() -> None:
    found = derived(FIRMS, kind="share", numerator="x > 3")
    assert found == {"A": (1, 1, True), "B": (0, 1, True), "D": (0, 1, True)}


def test_outside_the_base_a_firm_stays_with_0() -> None:
    found = derived(FIRMS, kind="ratio", numerator="x", denominator="y", base="x > 0")
    # B is outside: it answered what the base needs; C is unknown; D is inside without y
    assert found == {"A": (4, 10, True), "B": (0, 0, False)}
    # outside the base the other items need no answer
    found = derived({"E": (0.0, NAN)}, numerator="y", base="x > 0")
    assert found == {"E": (0, 0, False)}


def test_an_item_that_is_not_asked_of_everybody_is_0_by_choice() -> None:
    firms = {"A": (2.0, 8.0), "B": (0.0, NAN), "C": (NAN, NAN), "D": (2.0, NAN)}
    assert derived(firms, numerator="x * y") == {"A": (16, 1, True)}
    assert derived(firms, numerator="x * y if x > 0 else 0") == {
        "A": (16, 1, True),
        "B": (0, 1, True),
    }


def test_codes_that_are_no_numbers() -> None:
    firms: dict[str, tuple[float | str, ...]] = {"A": ("yes",), "B": ("no",), "C": (NAN,)}
    assert derived(firms, kind="share", numerator="x == 'yes'") == {
        "A": (1, 1, True),
        "B": (0, 1, True),
    }


def test_an_indicator_has_the_waves_that_it_declares() -> None:
    cells = panel({(w, "A", "x"): 1.0 for w in ("w1", "w2", "w3")})
    table = pd.concat(
        [weights(A=1.0).assign(wave=w) for w in ("w1", "w2", "w3")], ignore_index=True
    )
    for first, last, expected in (
        ("", "", ["w1", "w2", "w3"]),
        ("w2", "", ["w2", "w3"]),
        ("", "w2", ["w1", "w2"]),
        ("w2", "w2", ["w2"]),
    ):
        rule = {"indicator": "i", "numerator": "x", "from_wave": first, "to_wave": last}
        found = derive(cells, table, indicators(rule))
        assert found.loc[found["indicator"] == "i", "wave"].tolist() == expected


def test_the_response_has_the_whole_register() -> None:
    found = derive(panel({("w1", "A", "x"): 1.0}), weights(A=3.0, B=0.0, C=0.0), indicators())
    assert found["indicator"].tolist() == ["response"] * 3  # also without any other indicator
    assert found["numerator"].tolist() == [1, 0, 0]
    assert found["weight"].tolist() == [1, 1, 1]
    assert found["denominator"].tolist() == [1, 1, 1]


def test_a_denominator_below_0_is_refused() -> None:
    with pytest.raises(StudyError) as caught:
        derived({"A": (1.0, -5.0), "B": (1.0, -7.0)}, kind="ratio", numerator="x", denominator="y")
    (problem,) = caught.value.problems
    assert (problem.wave, problem.file, problem.item) == ("w1", "indicators.csv", "i")
    assert problem.found == "a denominator below 0 for 2 firms"
    # outside the base it does no harm
    outside = derived(
        {"A": (0.0, -5.0)}, kind="ratio", numerator="x", denominator="y", base="x > 0"
    )
    assert outside == {"A": (0, 0, False)}


VALUE = st.sampled_from([NAN, 0.0, 1.0, 2.5])


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(VALUE, VALUE), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(xy: list[tuple[float, float]], random: Any) -> None:
    firms = {f"F{n}": pair for n, pair in enumerate(xy)}
    cells = panel({("w1", f, i): v for f, p in firms.items() for i, v in zip("xy", p, strict=True)})
    table = weights(**dict.fromkeys(firms, 1.5))
    rules = indicators(
        {"indicator": "i", "numerator": "x"},
        {"indicator": "j", "kind": "ratio", "numerator": "x", "denominator": "y", "base": "x > 0"},
    )
    found = derive(cells, table, rules)
    order = random.sample(range(len(cells)), len(cells))
    again = derive(
        cells.iloc[order].reset_index(drop=True), table.iloc[::-1].reset_index(drop=True), rules
    )
    pd.testing.assert_frame_equal(found, again)
    outside = ~found["in_base"]
    assert (found.loc[outside, ["numerator", "denominator"]] == 0).all(axis=None)


def test_the_small_study(small: SimpleNamespace) -> None:
    table = small.shares.copy()
    for side in ("numerator", "denominator"):
        table[side] *= table["weight"]
    sums = table.groupby(["wave", "indicator"])[["numerator", "denominator"]].sum()
    estimate = (sums["numerator"] / sums["denominator"]).to_dict()
    expected = {
        # 27 of 40 answered, 24 of 40, 27 of 40
        ("2021", "response"): 27 / 40,
        ("2022", "response"): 24 / 40,
        # the same for every firm, by definition
        ("2021", "i_turnover"): 100_000,
        ("2022", "i_turnover"): 110_000,
        ("2023", "i_turnover"): 120_000,
        # M without F013 (no answer) 10 of 11, E 11, X 5 of 8:
        # (160/11·20 + 16·40 + 8·60) / (160/11 + 16 + 8)
        ("2021", "i_export"): (160 / 11 * 20 + 16 * 40 + 8 * 60) / (160 / 11 + 24),
        # one weight for all; M 11 without F005, E 12
        ("2022", "i_export"): (11 * 20 + 12 * 40) / 23,
        # remainder 2 when divided by 4: F002, F006, F010, F014, F018, F022, F026, F030 of 24
        ("2022", "i_bot"): 8 / 24,
        # multiples of 5. M: F005, F010 of 11; E: F020, F025 of 11; X: F035, F040 of 5
        ("2021", "i_plan"): (16 * 2 / 11 + 16 * 2 / 11 + 8 * 2 / 5) / 40,
        # even numbers. M: F002, F006, F008, F012, F014 of 10; E: F018, F020, F024, F026, F030,
        # F032 of 11; X: F036, F038 of 6
        ("2023", "i_plan"): (16 * 5 / 10 + 16 * 6 / 11 + 8 * 2 / 6) / 40,
        # of those that train and answered: 2022 all odd of M and E but F017 (refused): 15, less
        # the multiples of 3 (F003, F009, F015, F021, F027)
        ("2022", "i_satisf"): 10 / 15,
    }
    assert {key: estimate[key] for key in expected} == pytest.approx(expected)
    assert ("2021", "i_bot") not in estimate

"""Derive: what each firm brings to each indicator, and who is left out of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tables import filled, indicators, panel, register

from pipeline.errors import StudyError
from pipeline.process import derive
from pipeline.tables import Weights

NAN = float("nan")


def weights(**firms: float) -> Any:
    """Weights of wave w1; 0 for a firm that did not answer."""
    rows = [
        {"firm_id": f, "responded": w > 0, "response_weight": w, "weight": w}
        for f, w in firms.items()
    ]
    return filled(Weights, rows, wave="w1", stratum="all", selected=True, eligible=True)


NOBODY = register({})
"""A register that no formula names."""


def derived(values: dict[str, tuple[float | str, ...]], **rule: Any) -> dict[str, tuple[Any, ...]]:
    """Numerator, denominator and base of indicator i by firm; items x, y of each firm."""
    cells = {
        ("w1", firm, item): v
        for firm, xy in values.items()
        for item, v in zip("xy", xy, strict=False)
    }
    found = derive(
        panel(cells),
        weights(**dict.fromkeys(values, 2.0)),
        NOBODY,
        indicators({"indicator": "i"} | rule),
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
        found = derive(cells, table, NOBODY, indicators(rule))
        assert found.loc[found["indicator"] == "i", "wave"].tolist() == expected


def test_formulas_name_columns_of_the_register() -> None:
    frame = pd.concat(
        [
            register({"A": {"sector": "C", "size": "2"}, "B": {"sector": "D", "size": "9"}}),
            register({"R": {"population": "3", "sector": "C", "size": "5"}}),
            register({"A": {"sector": "D", "size": "4"}}, wave="w2"),
        ],
        ignore_index=True,
    )
    cells = panel({("w1", f, "x"): 10.0 for f in "ABR"} | {("w2", "A", "x"): 10.0})
    table = pd.concat(
        [weights(A=1.0, B=1.0, R=1.0), weights(A=1.0).assign(wave="w2")], ignore_index=True
    )
    rule = {"indicator": "i", "numerator": "x * size", "base": "sector == 'C'"}
    found = derive(cells, table, frame, indicators(rule)).query("indicator == 'i'")
    rows = zip(found["wave"], found["firm_id"], found["numerator"], found["in_base"], strict=True)
    # R's groups are 3*C and 3*5; A has moved on to D in w2
    assert list(rows) == [
        ("w1", "A", 20, True),
        ("w1", "B", 0, False),
        ("w1", "R", 50, True),
        ("w2", "A", 0, False),
    ]


def test_options_that_a_wave_did_not_have_are_not_counted() -> None:
    cells = panel(
        {("w1", "A", "m_1"): 1.0, ("w1", "A", "m_2"): 0.0, ("w1", "B", "m_1"): 0.0}
        | {("w2", "A", "m_1"): 0.0, ("w2", "A", "m_2"): 0.0, ("w2", "A", "m_3"): 1.0}
        | {("w2", "B", "m_1"): NAN, ("w2", "B", "m_2"): NAN, ("w2", "B", "m_3"): NAN}
    )
    both = [weights(A=1.0, B=1.0), weights(A=1.0, B=1.0).assign(wave="w2")]
    rule = {"indicator": "i", "kind": "share", "numerator": "count(m_1, m_2, m_3) > 0"}
    found = derive(cells, pd.concat(both, ignore_index=True), NOBODY, indicators(rule))
    found = found.query("indicator == 'i'")
    rows = zip(found["wave"], found["firm_id"], found["numerator"], strict=True)
    assert list(rows) == [("w1", "A", 1), ("w1", "B", 0), ("w2", "A", 1)]


def test_a_formula_of_other_indicators_has_no_rows() -> None:
    rows = [{"indicator": "i", "numerator": "x"}]
    rows += [{"indicator": "j", "kind": "formula", "numerator": "sqrt(i + 200)"}]
    found = derive(panel({("w1", "A", "x"): 1.0}), weights(A=1.0), NOBODY, indicators(*rows))
    assert found["indicator"].tolist() == ["i", "response"]


BALANCE = {"kind": "balance", "numerator": "(x == 1) - (x == 3)"}


def test_a_balance_is_the_mean_of_up_and_down() -> None:
    firms = {"A": (1.0,), "B": (2.0,), "C": (3.0,), "D": (NAN,)}
    assert derived(firms, **BALANCE) == {"A": (1, 1, True), "B": (0, 1, True), "C": (-1, 1, True)}


def test_other_numbers_are_no_balance() -> None:
    with pytest.raises(StudyError) as caught:
        derived({"A": (1.0,), "B": (2.0,), "C": (2.0,)}, kind="balance", numerator="x")
    (problem,) = caught.value.problems
    assert (problem.wave, problem.file, problem.item) == ("w1", "indicators.csv", "i")
    assert problem.found == "2 as the numerator of 2 firms"
    assert problem.expected == "1, 0 or -1 in a balance"


def out_of_scope(table: Any, *firms: str) -> Any:
    """The weights with some firms that are known to be out of scope."""
    return table.assign(eligible=~table["firm_id"].isin(firms))


def test_a_firm_out_of_scope_counts_0_whatever_it_answered() -> None:
    frame = register({f: {} for f in "ABCD"}, out_of_scope="B C D")
    cells = panel({("w1", "A", "x"): 5.0, ("w1", "B", "x"): 7.0})
    # D is out of scope but was not selected
    table = out_of_scope(weights(A=2.0, B=2.0, C=2.0, D=0.0), "B", "C", "D")
    table["selected"] = table["firm_id"] != "D"
    found = derive(cells, table, frame, indicators({"indicator": "i", "numerator": "x"}))
    mean, response = (found[found["indicator"] == name] for name in ("i", "response"))
    rows = zip(*(mean[c] for c in ("firm_id", "numerator", "denominator", "weight")), strict=True)
    assert list(rows) == [("A", 5, 1, 2), ("B", 0, 0, 2), ("C", 0, 0, 2)]
    assert mean["in_base"].tolist() == [True, False, False]
    assert response["firm_id"].tolist() == ["A"]  # the response leaves them out


def test_a_firm_out_of_scope_counts_only_where_its_population_answered() -> None:
    frame = register({"A": {}, "B": {}}, out_of_scope="B")
    other = register({f: {"population": "3", "size": "1"} for f in ("R", "S")}, out_of_scope="S")
    frame = pd.concat([frame, other], ignore_index=True)
    # y was asked of the target alone, z of nobody
    cells = panel({("w1", "A", "x"): 1.0, ("w1", "A", "y"): 1.0, ("w1", "R", "x"): 1.0})
    table = out_of_scope(weights(A=1.0, B=1.0, R=1.0, S=1.0), "B", "S")
    rules = indicators(*({"indicator": i, "numerator": i} for i in "xyz"))
    found = derive(cells, table, frame, rules)
    firms = found.groupby("indicator")["firm_id"].agg(list).to_dict()
    assert firms == {"x": ["A", "B", "R", "S"], "y": ["A", "B"], "response": ["A", "R"]}


def test_an_answer_that_was_not_asked_for_does_not_count() -> None:
    table = weights(A=2.0, B=0.0).assign(selected=[True, False])
    cells = panel({("w1", "A", "x"): 1.0, ("w1", "B", "x"): 9.0})
    found = derive(cells, table, NOBODY, indicators({"indicator": "i", "numerator": "x"}))
    assert found[["indicator", "firm_id"]].to_numpy().tolist() == [["i", "A"], ["response", "A"]]


def test_the_response_has_the_whole_register() -> None:
    found = derive(
        panel({("w1", "A", "x"): 1.0}), weights(A=3.0, B=0.0, C=0.0), NOBODY, indicators()
    )
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
    found = derive(cells, table, NOBODY, rules)
    order = random.sample(range(len(cells)), len(cells))
    mixed = cells.iloc[order].reset_index(drop=True), table.iloc[::-1].reset_index(drop=True)
    again = derive(*mixed, NOBODY, rules)
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
        # M without F013 (no answer) 10 of 11, who stand for all 16; E 11 for 16, X 5 for 8
        ("2021", "i_export"): (16 * 20 + 16 * 40 + 8 * 60) / 40,
        # X is silent and joins E: M 11 without F005 for 16, E 12 for 24
        ("2022", "i_export"): (16 * 20 + 24 * 40) / 40,
        # remainder 2 when divided by 4. M: F002, F006, F010, F014; E: F018, F022, F026, F030
        ("2022", "i_bot"): (4 * 4 / 3 + 4 * 2) / 40,
        # multiples of 5. M: F005, F010 of 11; E: F020, F025 of 11; X: F035, F040 of 5
        ("2021", "i_plan"): (16 * 2 / 11 + 16 * 2 / 11 + 8 * 2 / 5) / 40,
        # even numbers. M: F002, F006, F008, F012, F014 of 10; E: F018, F020, F024, F026, F030,
        # F032 of 11; X: F036, F038 of 6
        ("2023", "i_plan"): (16 * 5 / 10 + 16 * 6 / 11 + 8 * 2 / 6) / 40,
        # of those that train and answered: 2022 all odd of M (8) and E (7, F017 refused: 11 of 12
        # answered), less the multiples of 3 (F003, F009, F015; F021, F027)
        ("2022", "i_satisf"): (5 * 4 / 3 + 5 * 24 / 11) / (8 * 4 / 3 + 7 * 24 / 11),
    }
    assert {key: estimate[key] for key in expected} == pytest.approx(expected)
    assert ("2021", "i_bot") not in estimate

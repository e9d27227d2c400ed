"""Formulas: three-valued logic, missing values, and nothing that could run as code."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.expressions import (
    FormulaError,
    Wide,
    compared_codes,
    compute,
    evaluate,
    is_truth,
    names_of_tests,
    names_outside,
    parse,
    widen,
)

NAN = float("nan")
TRUTH = {True: "1 == 1", False: "1 == 0", None: "m > 0"}
"""A formula for each truth value; m is missing."""


def wide(codes: dict[str, list[str]] | None = None, **numbers: list[float]) -> Wide:
    table = pd.DataFrame(numbers, dtype=float)
    if codes:
        for name in codes:
            table[name] = pd.to_numeric(pd.Series(codes[name]), errors="coerce").astype(float)
    text = pd.DataFrame(codes or {}, table.index, table.columns, dtype=object).fillna("")
    return Wide(table, text)


def value(formula: str, **numbers: float) -> float:
    return float(evaluate(formula, wide(**{n: [v] for n, v in ({"m": NAN} | numbers).items()}))[0])


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("a + b * 2", 11),  # 5 + 3 * 2
        ("(a - b) / 4", 0.5),  # (5 - 3) / 4
        ("-a", -5),
        ("a / (b - 3)", NAN),  # division by zero
        ("0 / (b - 3)", NAN),
        ("a + m", NAN),
        ("0 * m", NAN),
        ("min(a, b)", 3),
        ("max(a, b, 7)", 7),
        ("min(a, m)", NAN),
        ("abs(b - a)", 2),
        ("floor(b / 2)", 1),
        ("floor(-b / 2)", -2),
        ("floor(m)", NAN),
        ("sqrt(a + 4)", 3),
        ("sqrt(b - a)", NAN),  # the root of -2
        ("count(a > 1, b > 4, a == 5)", 2),
        ("count(a > 1, m > 1)", 1),  # what is missing is passed over
        ("count(m, m)", NAN),
        ("count(m)", NAN),
        ("a > 4", 1),
        ("1 < b < 4", 1),
        ("1 < b < 3", 0),
        ("1 < b < m", NAN),
        ("5 < b < m", 0),  # the first half is false already
        ("a == 5 and not b > 3", 1),
        ("a in {4, 5}", 1),
        ("a not in {4, 5}", 0),
        ("a in {-5, -4}", 0),
        ("m in {1}", NAN),
        ("m not in {1}", NAN),
        ("m == m", NAN),
        ("answered(a)", 1),
        ("answered(m)", 0),
        ("not answered(m)", 1),
        ("answered(a + m)", 0),
        ("a and b", 1),  # an amount is true unless it is 0
        ("a - 5 or b", 1),
        ("m if a > 5 else 0", 0),  # what is not chosen may be missing
        ("m if a == 5 else 0", NAN),
        ("b if m > 0 else 0", NAN),  # nothing is chosen
        ("1e300 * 1e300", NAN),  # too large for a number
        ("True", 1),
        ("7", 7),
    ],
)
def test_values(formula: str, expected: float) -> None:
    found = value(formula, a=5, b=3)
    assert found == expected or (math.isnan(found) and math.isnan(expected))


def kleene_and(a: bool | None, b: bool | None) -> bool | None:
    if a is False or b is False:
        return False
    return None if a is None or b is None else True


def kleene_or(a: bool | None, b: bool | None) -> bool | None:
    if a is True or b is True:
        return True
    return None if a is None or b is None else False


def truth(formula: str) -> bool | None:
    found = value(formula)
    return None if math.isnan(found) else bool(found)


@given(*[st.sampled_from([True, False, None])] * 3)
def test_logic_is_that_of_kleene(a: bool | None, b: bool | None, c: bool | None) -> None:
    x, y, z = TRUTH[a], TRUTH[b], TRUTH[c]
    assert truth(f"{x} and {y} and {z}") is kleene_and(kleene_and(a, b), c)
    assert truth(f"{x} or {y} or {z}") is kleene_or(kleene_or(a, b), c)
    assert truth(f"not {x}") is (None if a is None else not a)
    assert truth(f"not ({x} and {y})") is truth(f"not {x} or not {y}")


@given(
    st.recursive(
        st.sampled_from(["a", "m", "2", "0.5"]),
        lambda part: st.one_of(
            st.tuples(part, st.sampled_from("+-*/"), part).map(lambda p: f"({' '.join(p)})"),
            part.map(lambda p: f"abs({p})"),
            st.tuples(part, part).map(lambda p: f"max({', '.join(p)})"),
        ),
        max_leaves=8,
    )
)
def test_missing_in_means_missing_out(formula: str) -> None:
    if "m" in parse(formula).names:
        assert math.isnan(value(formula, a=3))
    else:
        found, exact = value(formula, a=3), {"a": 3.0, "abs": abs, "max": max}
        try:
            expected = eval(formula, {"__builtins__": {}}, exact)
        except ZeroDivisionError:
            assert math.isnan(found)
        else:
            assert found == pytest.approx(expected)


def test_codes_are_compared_as_text_or_as_numbers() -> None:
    table = wide({"c": ["01", "B", ""]})
    assert evaluate("c == '01'", table)[:2].tolist() == [1, 0]
    assert evaluate("c != 'B'", table)[:2].tolist() == [1, 0]
    assert evaluate("c in {'B', 'C'}", table)[:2].tolist() == [0, 1]
    assert evaluate("c not in {'B', 'C'}", table)[:2].tolist() == [1, 0]
    assert evaluate("c == 1", table)[0] == 1
    for formula in ("c == 'B'", "c != 'B'", "c in {'B'}", "c not in {'B'}"):
        assert math.isnan(evaluate(formula, table)[2])
    # B is an answer although it is no number
    assert evaluate("answered(c)", table).tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("", "is not a formula"),
        ("a +", "is not a formula"),
        ("a > 1\nb > 1", "is not a formula"),
        ("a ± 2", "is not a formula"),
        ("a = 1", "is not a formula"),
        ("a\0b", "is not a formula"),
        ("\ud800", "is not a formula"),
        ("-" * 5000 + "a", "nested"),
        ("a" + "+a" * 5000, "nested"),
        ("a ** 2", "formulas do not know"),
        ("a % 2", "formulas do not know"),
        ("a & b", "formulas do not know"),
        ("+a", "formulas do not know"),
        ("~a", "formulas do not know"),
        ("a.b", "formulas do not know"),
        ("a[0]", "formulas do not know"),
        ("'x'", "formulas do not know"),
        ("None", "formulas do not know"),
        ("1j", "formulas do not know"),
        ("1e999", "formulas do not know"),
        ("1" * 400, "formulas do not know"),
        ("lambda: 1", "formulas do not know"),
        ("(a := 1)", "formulas do not know"),
        ("[a for a in b]", "formulas do not know"),
        ("f'{a}'", "formulas do not know"),
        ("min(*a)", "formulas do not know"),
        ("min(a, key=b)", "formulas do not know"),
        ("exp(a)", "uses exp(); there are abs, answered, count, floor, max, min, sqrt"),
        ("__import__('os')", "uses __import__()"),
        ("abs(a, b)", "gives abs() 2 arguments"),
        ("min()", "gives min() 0 arguments"),
        ("a in 1", "needs a set of codes"),
        ("a in {}", "needs a set of codes"),
        ("a in {b}", "needs a set of codes"),
        ("a in {None}", "needs a set of codes"),
        ("a in {1: 2}", "needs a set of codes"),
        ("a in {1 + 1}", "needs a set of codes"),
        ("a is 1", "unknown comparison"),
        ("a == {1}", "unknown comparison"),
        ("a < {1, 2}", "unknown comparison"),
        ("{1} == a", "formulas do not know"),
        ("a in {1} in {2}", "formulas do not know"),
        ("a < '3'", "write: item == 'code'"),
        ("'3' == a", "write: item == 'code'"),
        ("a + 1 in {'3'}", "write: item == 'code'"),
        ("a + 1 == 'x'", "write: item == 'code'"),
    ],
)
def test_what_is_no_formula_is_named(formula: str, reason: str) -> None:
    with pytest.raises(FormulaError, match=r".") as caught:
        parse(formula)
    assert reason in str(caught.value)


SYNTAX = [*"ab12()[]{},.:=<>+-*/%&|^~'\"@ ", " if ", " else ", " and ", " not ", " in ", "lambda "]
SYNTAX += ["min", "abs", "answered", "print", "exec", "__class__", "None", "True", "for ", "await "]


@given(st.lists(st.sampled_from(SYNTAX), max_size=12).map("".join))
def test_any_text_is_a_formula_or_an_error(text: str) -> None:
    """What can be parsed can be evaluated, with a number, a truth value or a missing one."""
    try:
        formula = parse(text)
    except FormulaError:
        return
    table = wide(**{name: [1.0, 0.0, NAN] for name in {*formula.names, "m"}})
    result = evaluate(text, table)
    assert result.shape == (3,)
    assert not np.isinf(result).any()
    if is_truth(text):
        assert set(result[~np.isnan(result)]) <= {0.0, 1.0}


def test_nothing_runs(capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("print(1)", "__import__('os').getcwd()", "(lambda: print(1))()", "exec('1')"):
        with pytest.raises(FormulaError):
            parse(text)
    assert capsys.readouterr().out == ""


def test_names_are_those_of_the_items() -> None:
    formula = "min(a, b) / c > 0 and d in {1, 2} and answered(e) or f == 'x'"
    assert parse(formula).names == set("abcdef")
    assert parse("1 == 1").names == frozenset()


@pytest.mark.parametrize("formula", ["a > 1", "not a", "a and b", "answered(a)", "True"])
def test_truth(formula: str) -> None:
    assert is_truth(formula)
    assert is_truth(f"{formula} if a > 0 else 0")


@pytest.mark.parametrize("formula", ["a", "a + 1", "(a > 1) * 1", "abs(a)", "a if b > 0 else 0"])
def test_amounts(formula: str) -> None:
    assert not is_truth(formula)


def test_the_codes_that_a_formula_names() -> None:
    found = compared_codes("a == 1 and b in {'x', -2} or not 3 < c != 4 and d > 5 and e == a")
    assert sorted(found, key=str) == [("a", 1), ("b", "x"), ("b", -2), ("c", 4)]


def test_widen_has_a_row_for_every_key_and_a_column_for_every_item() -> None:
    answers = pd.DataFrame(
        [("F2", "x", 1.0, "1"), ("F1", "y", NAN, "B"), ("F1", "z", 3.0, "")],
        columns=["firm_id", "item", "value", "code"],
    ).assign(wave="w")
    table = widen(answers, ["wave", "firm_id"], {"x", "y", "never_asked"})
    assert list(table.index) == [("w", "F1"), ("w", "F2")]
    assert table.numbers["x"].tolist()[1] == 1
    assert table.numbers[["never_asked", "y"]].isna().all(axis=None)
    assert table.codes["y"].tolist() == ["B", ""]
    assert len(widen(answers, ["wave", "firm_id"], set()).index) == 2


def test_names_by_where_they_stand() -> None:
    formula = "count(a, b) > 1 and c if answered(d) and e > 0 else count(c)"
    assert names_outside(formula, "count") == {"c", "d", "e"}
    assert names_outside(formula, "answered") == {"a", "b", "c", "e"}
    assert names_of_tests(formula) == {"d", "e"}
    assert names_of_tests("a > 0") == frozenset()


CLIMATE = "sqrt((a + 200) * (b + 200)) - 200"


def test_computed_over_arrays() -> None:
    a, b = np.array([0.0, 25.0, NAN, -300.0]), np.array([0.0, 0.0, 10.0, 0.0])
    # sqrt(200 * 200) - 200 = 0; sqrt(225 * 200) - 200 = 12.13; a root of -100 * 200 is none
    found = compute(CLIMATE, {"a": a, "b": b})
    assert found[:2] == pytest.approx([0, 45000**0.5 - 200])
    assert np.isnan(found[2:]).all()
    assert np.isnan(compute("1 / (a - b)", {"a": b, "b": b})).all()
    assert compute("-a / 2 + 3", {"a": np.array([[4.0], [8.0]])}).tolist() == [[1], [-1]]


@given(st.floats(-99, 99), st.floats(-99, 99))
def test_a_complex_step_gives_the_derivative(a: float, b: float) -> None:
    step = 1e-30
    values = {"a": np.array([complex(a, step)]), "b": np.array([complex(b)])}
    found = compute(CLIMATE, values)
    # d/da sqrt(x y) = sqrt(y / x) / 2 with x = a + 200, y = b + 200
    assert found.real[0] == pytest.approx(value(CLIMATE, a=a, b=b))
    assert found.imag[0] / step == pytest.approx(((b + 200) / (a + 200)) ** 0.5 / 2)


@pytest.mark.parametrize("formula", ["min(a, b)", "abs(a)", "a > b", "a if b else 1", "floor(a)"])
def test_what_has_no_derivative_is_not_computed(formula: str) -> None:
    with pytest.raises(FormulaError, match="neither arithmetic nor a root"):
        compute(formula, {"a": np.ones(1), "b": np.ones(1)})

from decimal import Decimal

import made_up_release as made_up
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.disseminate.figures import Figures, decimal_text, local_date, local_number
from pipeline.errors import RenderError

WHERE = ("2043", "waste", "all")


def figures(rows=None, language="de"):
    return Figures(made_up.release(rows), "2043", language)


@pytest.mark.parametrize(
    ("value", "language", "signed", "text"),
    [
        ("1234.5", "de", False, "1.234,5"),
        ("1234.5", "en", False, "1,234.5"),
        ("-0.25", "de", False, "−0,25"),
        ("-1234567", "en", False, "−1,234,567"),
        ("12.50", "de", True, "+12,50"),
        ("0.0", "de", True, "0,0"),
    ],
)
def test_numbers_are_written_as_the_language_writes_them(value, language, signed, text):
    assert local_number(Decimal(value), language, signed=signed) == text


@given(st.decimals(-(10**9), 10**9, places=2, allow_nan=False), st.sampled_from(["de", "en"]))
def test_a_written_number_reads_back_as_itself(value, language):
    group, point = (".", ",") if language == "de" else (",", ".")
    text = local_number(value, language)
    assert Decimal(text.replace(group, "").replace(point, ".").replace("−", "-")) == value
    assert len(text.rpartition(point)[2]) == 2


@pytest.mark.parametrize(
    ("value", "decimals", "text"), [(-0.04, 1, "0.0"), (4.6, 2, "4.60"), (-3.0, 0, "-3")]
)
def test_decimals_are_kept_and_zero_has_no_sign(value, decimals, text):
    assert decimal_text(value, decimals) == text


def test_dates_are_written_out():
    assert local_date("2043-02-01", "de") == "1. Februar 2043"
    assert local_date("2043-02-01", "en") == "February 1, 2043"


def test_a_number_carries_its_id_value_and_text():
    number = figures().number(*WHERE, "estimate")
    assert number.number_id == "2043/waste/all/estimate"
    assert (number.value, number.text) == ("4.61", "4,61")
    assert figures().number(*WHERE, "change").text == "−0,87"  # 4.61 - 5.48


def test_a_symbol_has_no_value():
    number = figures().number("2043", "waste", "size=c", "estimate")
    assert (number.value, number.text) == ("", "[c]")


def test_a_number_that_was_not_released_cannot_be_printed():
    with pytest.raises(RenderError) as error:
        figures().number("2041", "waste", "all", "change")
    assert "2041/waste/all/change" in error.value.problems[0].found


def test_a_wave_without_numbers_cannot_be_reported():
    with pytest.raises(RenderError) as error:
        Figures(made_up.release(), "2044", "de")
    assert error.value.problems[0].wave == "2044"


def test_later_waves_are_not_seen():
    early = Figures(made_up.release(), "2042", "de")
    assert early.waves == ("2041", "2042")
    assert early.previous == "2041"
    assert not early.has(*WHERE, "estimate")


def changed(identity, **values):
    return [r | values if r["number_id"] == identity else r for r in made_up.release_rows()]


def test_nothing_stands_beside_a_suppressed_value():
    rows = changed("2043/waste/size=c/n", value=4.0, symbol="")
    rows = [
        r | {"value": 1.0, "symbol": ""} if r["number_id"] == "2043/sales/guild=y/ci_low" else r
        for r in rows
    ]
    with pytest.raises(RenderError) as error:
        figures(rows)
    found = " ".join(problem.found for problem in error.value.problems)
    assert len(error.value.problems) == 2
    assert "2043/waste/size=c/estimate" in found
    assert "2043/sales/guild=y/estimate" in found


@pytest.mark.parametrize("broken", [{"value": float("nan")}, {"symbol": "u"}])
def test_a_number_is_a_value_or_a_symbol(broken):
    with pytest.raises(RenderError, match="2043/waste/all/estimate"):
        figures(changed("2043/waste/all/estimate", **broken))


def verdict(change, low, high, significant):
    names = ("change", "change_low", "change_high", "change_significant")
    numbers = dict(zip(names, (change, low, high, significant), strict=True))
    rows = [
        r | {"value": float(numbers[r["statistic"]])}
        if r["number_id"].startswith("2043/waste/all/change") and r["statistic"] in numbers
        else r
        for r in made_up.release_rows()
    ]
    return figures(rows).verdict(*WHERE, "change")


@pytest.mark.parametrize(
    ("change", "low", "high", "significant", "expected"),
    [
        (1, 0.5, 1.5, 1, "rise"),
        (-1, -1.5, -0.5, 1, "fall"),
        (1, 0.5, 1.5, 0, "none"),
        (0, 0, 0.2, 1, "rise"),
        (0, 0, 0, 1, "none"),
    ],
)
def test_only_what_is_significant_is_claimed(change, low, high, significant, expected):
    assert verdict(change, low, high, significant) == expected


@pytest.mark.parametrize(
    ("place", "statistic", "text"),
    [
        ("all", "trend", "−0,755"),
        ("all", "trend_high", "−0,571"),
        ("guild=y:n", "adjusted", "+0,40"),
        ("guild=y:n", "adjusted_low", "−0,90"),
        ("all", "change_detectable", "1,00"),
        ("all", "change_significant", "1"),
    ],
)
def test_comparisons_have_a_sign_and_sizes_have_none(place, statistic, text):
    assert figures().number("2043", "waste", place, statistic).text == text


def test_trends_and_adjusted_differences_are_judged_like_changes():
    assert figures().verdict(*WHERE, "trend") == "fall"
    assert figures().verdict("2043", "learners", "guild=y:n", "adjusted") == "rise"
    assert figures().verdict("2043", "waste", "guild=y:n", "adjusted") == "none"
    assert figures().verdict("2043", "balance", "guild=y:n", "adjusted") == "unknown"
    assert figures().decisive("balance", "guild=y:n") == "difference"
    assert figures().decisive("waste", "guild=y:n") == "adjusted"


def test_only_a_value_that_is_shown_has_a_grade():
    assert figures().grade(*WHERE, "estimate") == "B"
    assert figures().grade(*WHERE, "n") == ""
    assert figures().grade("2043", "waste", "size=c", "estimate") == ""


def test_a_grade_beside_a_suppressed_value_is_refused():
    with pytest.raises(RenderError, match="2043/waste/size=c/estimate"):
        figures(changed("2043/waste/size=c/estimate", grade="A"))


def test_without_a_published_change_nothing_is_claimed():
    assert figures().verdict("2041", "waste", "all", "change") == "unknown"
    assert figures().verdict("2043", "rework", "all", "change") == "unknown"


def test_the_order_of_the_rows_does_not_matter():
    rows = made_up.release_rows()
    turned = pd.DataFrame(rows[::-1])
    one, other = figures(rows), figures(turned.to_dict("records"))
    assert one.comparisons("waste") == other.comparisons("waste")
    assert one.waves == other.waves

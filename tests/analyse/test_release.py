"""What may be printed: rounding by hand, symbols, ids; the whole way for shares that say all."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tables import (
    NAN,
    NO_PAIRS,
    as_contract,
    contributions,
    indicators,
    pairs,
    register,
    response,
    stack,
    the_response,
    weights,
)

from pipeline.analyse import Rules, benchmark, estimate, protect, release
from pipeline.tables import Benchmarks, Changes, Clearance, Estimates

ENDS = ("ci_low", "ci_high")
YES_NO = {"kind": "share", "numerator": "x > 0"}


def estimates(*rows, wave="w2"):
    """Breakdown, group, estimate, lower and upper end; 9 of 20 firms."""
    names = ["breakdown", "group", "estimate", *ENDS]
    table = pd.DataFrame(rows, columns=names).assign(wave=wave, indicator="x", se=1.0)
    table = table.assign(n=9, population=20)
    return as_contract(Estimates, table)


def changes(*rows, breaks=False):
    """Breakdown, group, change, lower and upper end."""
    table = pd.DataFrame(rows, columns=["breakdown", "group", "change", *ENDS])
    table = table.assign(wave="w2", previous="w1", indicator="x", n_both=8, se=1.0)
    table = table.assign(break_in_series=breaks)
    return as_contract(Changes, table)


def differences(*rows):
    """Breakdown, group, reference, difference, lower and upper end."""
    columns = ["breakdown", "group", "reference", "difference", *ENDS]
    table = pd.DataFrame(rows, columns=columns)
    table = table.assign(wave="w2", indicator="x", n_reference=8, se=1.0)
    return as_contract(Benchmarks, table)


def clearance(*cells, wave="w2"):
    """Breakdown, group, rule ("" where it may be published)."""
    table = pd.DataFrame(cells, columns=["breakdown", "group", "rule"])
    table = table.assign(wave=wave, indicator="x", contributors=9, widening=1.0)
    return as_contract(Clearance, table)


ALL_CLEAR = stack(
    *(
        clearance(("all", "all", ""), ("s", "a", ""), ("s", "b", ""), wave=wave)
        for wave in ("w1", "w2")
    )
)


def released(figures, cleared=ALL_CLEAR, **indicator):
    """Value and symbol by the last two parts of the number's id."""
    parts = [
        figures if list(figures.columns) == list(nothing.columns) else nothing
        for nothing in (estimates(), changes(), differences())
    ]
    table = release(*parts, cleared, indicators(**indicator))
    return {
        number_id.split("/", 2)[2]: symbol or value
        for number_id, value, symbol in zip(
            table["number_id"], table["value"], table["symbol"], strict=True
        )
    }


def interval(value, low, high, **options):
    """Printed value and ends of one estimate of an amount (or what `options` make it)."""
    found = released(estimates(("all", "all", value, low, high)), **options)
    return [found[f"all/{name}"] for name in ("estimate", *ENDS)]


@pytest.mark.parametrize(
    ("decimals", "figures", "expected"),
    [
        (0, (33.4, 12.6, 61.2), [33, 12, 62]),  # ends outwards to whole per cent
        (0, (33.6, 12.0, 61.0), [34, 12, 61]),  # whole ends stay
        (0, (33.6, 12.0 + 1e-12, 61.0 + 1e-12), [34, 12, 61]),  # the last digit of a float is none
        (1, (33.44, 12.61, 61.21), [33.4, 12.6, 61.3]),
        (0, (0.0, 0.0, 7.3), [0, 0, 8]),
    ],
)
def test_shares_have_their_interval_rounded_outwards(decimals, figures, expected):
    assert interval(*figures, decimals=decimals, **YES_NO) == expected


@pytest.mark.parametrize(
    ("decimals", "figures", "expected"),
    [
        # 12.34 is printed 12.3; further end 14.58 - 12.3 = 2.28: 2.3
        (1, (12.34, 10.10, 14.58), [12.3, 10.0, 14.6]),
        # printed 12; 14.58 - 12 = 2.58: 2.6, and no finer than the value: 3
        (0, (12.34, 10.10, 14.58), [12, 9, 15]),
        # printed 12; 0.68, and no finer than the value: 1
        (0, (12.34, 12.00, 12.68), [12, 11, 13]),
        (0, (12.0, 10.0, 14.0), [12, 10, 14]),
        # 13023 - 12345 = 678: 680
        (0, (12345, 11667, 13023), [12345, 11665, 13025]),
        (2, (5.0, 4.91, 5.09), [5, 4.91, 5.09]),
        # everybody answered: the interval is the value
        (0, (12.34, 12.34, 12.34), [12, 12, 12]),
        # negative amounts: the further end is 3.0 away; no negative zero
        (1, (-0.04, -3.0, 2.92), [0, -3, 3]),
    ],
)
def test_amounts_have_the_half_width_of_their_interval_rounded_up(decimals, figures, expected):
    values = interval(*figures, decimals=decimals)
    assert values == pytest.approx(expected, abs=1e-9)
    assert not np.signbit(values[0]) or values[0] < 0


def test_where_everybody_answered_the_interval_of_a_share_is_the_printed_share():
    assert interval(22.93, 22.93, 22.93, decimals=0, **YES_NO) == [23, 23, 23]


@pytest.mark.parametrize(
    ("half", "expected"),
    [(1, 1), (1.01, 1.1), (1.2, 1.2), (9.91, 10), (10.1, 11), (0.0214, 0.022), (99.1, 100)],
)
def test_half_widths_have_two_digits(half, expected):
    low, high = interval(100.0, 100 - half, 100 + half, decimals=4)[1:]
    assert (100 - low, high - 100) == pytest.approx((expected, expected), abs=1e-9)


def test_the_interval_is_widened_as_the_clearance_says():
    """14.58 - 12.3 = 2.28, times 1.3 = 2.964: 3.0; a change takes the wider of both waves."""
    wide = ALL_CLEAR.assign(widening=1.3)
    figures = (12.34, 10.10, 14.58)
    assert interval(*figures, decimals=1, cleared=wide) == pytest.approx([12.3, 9.3, 15.3])
    one = ALL_CLEAR.assign(widening=np.where(ALL_CLEAR["wave"] == "w1", 1.3, 1.0))
    change = released(changes(("all", "all", 2.0, 1.0, 3.0)), one, decimals=1)
    assert [change[f"all/change{end}"] for end in ("_low", "_high")] == pytest.approx([0.7, 3.3])
    other = ALL_CLEAR.assign(widening=np.where(ALL_CLEAR["group"] == "all", 1.3, 1.0))
    rest = released(differences(("s", "a", "rest", 2.0, 1.0, 3.0)), other, decimals=1)
    assert rest["s=a:rest/difference_low"] == pytest.approx(0.7)


AMOUNTS = st.tuples(st.floats(-1e6, 1e6, allow_subnormal=False), st.floats(1e-3, 1e5))


@settings(max_examples=10, deadline=None)
@given(st.lists(AMOUNTS, min_size=30, max_size=30), st.integers(0, 3), st.booleans())
def test_intervals_hold_what_they_stand_for(amounts, decimals, is_share):
    amounts = [(0.5, 0.4), *amounts]  # printed as 0, away from where most of the interval lies
    groups = [f"g{place:02d}" for place in range(len(amounts))]
    table = estimates(
        *(("s", g, v, v - half, v + half) for g, (v, half) in zip(groups, amounts, strict=True))
    )
    cleared = clearance(*(("s", group, "") for group in groups))
    found = released(table, cleared, decimals=decimals, **(YES_NO if is_share else {}))
    unit = 10.0**-decimals
    for group, (value, half) in zip(groups, amounts, strict=True):
        printed, low, high = (found[f"s={group}/{name}"] for name in ("estimate", *ENDS))
        assert low <= value - half + 1e-6
        assert value + half <= high + 1e-6
        for number in (printed, low, high):  # with the decimals of the indicator, no more
            assert number / unit == pytest.approx(round(number / unit), abs=1e-3)
        if not is_share:
            size = high - printed
            assert size == pytest.approx(printed - low, abs=1e-6)
            step = max(10.0 ** (np.floor(np.log10(size) + 1e-9) - 1), unit)
            assert size / step == pytest.approx(round(size / step), abs=1e-3)


def test_kind_and_formula_say_what_an_amount_is():
    figures = (33.4, 12.6, 61.2)  # as an amount: 61.2 - 33 = 28.2, rounded up 29
    widened = [33, 4, 62]
    assert interval(*figures, decimals=0) == widened
    assert interval(*figures, decimals=0, kind="total", numerator="x * y") == widened
    assert interval(*figures, decimals=0, kind="total", numerator="x == 1") == [33, 12, 62]
    assert interval(*figures, decimals=0, kind="share", numerator="2 - x") == [33, 12, 62]


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((0.3, 5), 1),  # 3 - 0.3 = 2.7: 0.3 to 5.7
        ((-5, -0.3), 1),
        ((0.02, 5), 0),  # 2.98, rounded up 3.0: the printed interval begins at 0
        ((-0.02, 5), 0),
        ((-5, 0.02), 0),
    ],
)
def test_established_is_what_the_printed_interval_says(ends, expected):
    value = 3.0 if ends[1] > 1 else -3.0
    change = released(changes(("all", "all", value, *ends)), decimals=1)
    assert change["all/change_significant"] == expected
    printed = [change[f"all/change{end}"] for end in ("_low", "_high")]
    assert (printed[0] > 0 or printed[1] < 0) == bool(expected)
    difference = released(differences(("s", "a", "b", value, *ends)), decimals=1)
    assert difference["s=a:b/difference_significant"] == expected


COMPARED = ("change", "change_low", "change_high", "change_significant")


def test_ids_values_and_decimals():
    table = release(
        estimates(("all", "all", 4, 3, 5), ("s", "a", 6, 5, 7)),
        changes(("s", "a", 1, -1, 3)),
        differences(("s", "a", "b", 2, 1, 3), ("s", "a", "rest", 2, 1, 3)),
        ALL_CLEAR,
        indicators(decimals=1),
    )
    beside = {
        "all": ("estimate", "ci_low", "ci_high", "n"),
        "s=a": ("estimate", "ci_low", "ci_high", "n", *COMPARED),
        "s=a:b": [name.replace("change", "difference") for name in COMPARED],
        "s=a:rest": [name.replace("change", "difference") for name in COMPARED],
    }
    expected = [f"w2/x/{place}/{name}" for place, names in beside.items() for name in names]
    assert table["number_id"].tolist() == sorted(expected)
    by_id = table.set_index("number_id")
    assert by_id.loc["w2/x/s=a/n", ["value", "decimals"]].tolist() == [9, 0]
    assert by_id.loc["w2/x/s=a/change_significant", ["value", "decimals"]].tolist() == [0, 0]
    assert by_id.loc["w2/x/s=a/estimate", ["value", "decimals"]].tolist() == [6, 1]
    assert by_id.loc["w2/x/s=a:b/difference", "reference"] == "b"
    assert by_id.loc["w2/x/s=a/estimate", "reference"] == ""


def test_nothing_stands_beside_a_suppressed_estimate():
    cleared = clearance(("all", "all", ""), ("s", "a", "p_percent"))
    found = released(estimates(("all", "all", 4, 3, 5), ("s", "a", 6, 5, 7)), cleared)
    assert {found[f"s=a/{name}"] for name in ("estimate", "n", *ENDS)} == {"c"}
    assert found["all/estimate"] == 4


def test_what_nobody_cleared_is_not_shown():
    found = released(estimates(("s", "a", 6, 5, 7)), ALL_CLEAR.iloc[:0])
    assert set(found.values()) == {"c"}


def test_a_group_without_firms_is_not_available():
    table = estimates(("s", "a", NAN, NAN, NAN)).assign(n=0, population=0)
    assert set(released(table).values()) == {"x"}


def test_an_estimate_without_interval_has_none():
    found = released(estimates(("s", "a", 6, NAN, NAN)))
    assert found == {"s=a/estimate": 6, "s=a/n": 9, "s=a/ci_low": "x", "s=a/ci_high": "x"}


@pytest.mark.parametrize("wave", ["w1", "w2"])
def test_a_change_needs_both_waves(wave):
    other = {"w1": "w2", "w2": "w1"}[wave]
    cleared = stack(
        clearance(("s", "a", "secondary"), wave=wave), clearance(("s", "a", ""), wave=other)
    )
    assert set(released(changes(("s", "a", 1, -1, 3)), cleared).values()) == {"c"}


def test_a_break_is_never_a_change():
    for rule in ("", "p_percent"):
        cleared = stack(*(clearance(("s", "a", rule), wave=w) for w in ("w1", "w2")))
        found = released(changes(("s", "a", 1, -1, 3), breaks=True), cleared)
        assert list(found.values()) == ["x"] * 4


@pytest.mark.parametrize(
    ("all_", "a", "b", "shown"),
    [
        ("", "", "", {"b", "rest"}),
        ("", "secondary", "", set()),
        ("", "", "secondary", {"rest"}),
        ("secondary", "", "", {"b"}),  # the rest is everybody less the group
    ],
)
def test_a_difference_needs_both_sides(all_, a, b, shown):
    cleared = clearance(("all", "all", all_), ("s", "a", a), ("s", "b", b))
    rows = [("s", "a", reference, 2, 1, 3) for reference in ("b", "rest", "all", "unknown")]
    found = released(differences(*rows), cleared)
    for reference in ("b", "rest", "all", "unknown"):
        values = {found[f"s=a:{reference}/difference{end}"] for end in ("", "_low", "_high")}
        assert ("c" not in values) == (reference in shown)
        assert (found[f"s=a:{reference}/difference_significant"] == "c") == (reference not in shown)


def test_a_difference_in_a_breakdown_that_is_not_published_is_not_shown():
    found = released(differences(("other", "a", "rest", 2, 1, 3), ("other", "a", "b", 2, 1, 3)))
    assert set(found.values()) == {"c"}


FIRMS = "abcdefghijklmnopqr"


@pytest.mark.parametrize("ones", range(7))
def test_a_share_never_tells_what_each_firm_said(ones):
    # 6 of the 9 firms of each group answered; in b 3 of them said yes.
    table = weights(FIRMS, "abcdef" + "jklmno", strata="u" * 9 + "v" * 9)
    reg = register(FIRMS, s="a" * 9 + "b" * 9)
    rows = contributions(table, [1] * ones + [0] * (6 - ones) + [1, 1, 1, 0, 0, 0])
    definition = indicators(**YES_NO, scale=100.0, decimals=0)
    base = rows, table, reg, definition
    declared = pairs(("s", "a", "b"), ("s", "b", "rest"))
    table_of = release(
        estimate(*base, declared, breakdowns=["s"]),
        changes(),
        benchmark(*base, declared),
        protect(
            *(rows, reg, definition, declared),
            breakdowns=["s"],
            rules=Rules(3, 10, 1, 75),
            min_contributors_high=3,
        ),
        definition,
    )
    shown = table_of.set_index("number_id")["value"].dropna()
    secret = ones in (0, 1, 5, 6)
    assert ("w1/x/s=a/estimate" in shown) is not secret
    if secret:  # nor may b be told, which everybody less a is, nor a difference
        assert not [i for i in shown.index if not i.startswith("w1/x/all")]
    else:
        share, n = shown["w1/x/s=a/estimate"], shown["w1/x/s=a/n"]
        assert (round(share / 100 * n), n) == (ones, 6)  # so it can be read back, and may be


def test_the_population_is_told_of_the_response_only():
    table = weights(FIRMS, "abcdef" + "jklmno")
    reg = register(FIRMS, s="a" * 9 + "b" * 9)
    rows = stack(contributions(table, range(12)), response(table))
    definition = indicators({}, the_response("normal"))
    result = release(
        estimate(rows, table, reg, definition, NO_PAIRS, breakdowns=["s"]),
        changes(("all", "all", 1, -1, 3)).assign(indicator="response"),
        differences(),
        protect(
            *(rows, reg, definition, NO_PAIRS),
            breakdowns=["s"],
            rules=Rules(3, 0, 1, 100),
            min_contributors_high=3,
        ),
        definition,
    )
    counts = result[result["statistic"] == "population"]
    assert counts.set_index("number_id")["value"].to_dict() == {
        "w1/response/all/population": 18,
        "w1/response/s=a/population": 9,
        "w1/response/s=b/population": 9,
    }
    by_id = result.set_index("number_id")["value"]
    assert by_id["w1/response/s=a/n"] == 6
    assert by_id["w1/response/s=a/estimate"] == 67  # 6 of 9


def test_the_order_of_rows_is_of_no_consequence():
    parts = [
        estimates(("all", "all", 4, 3, 5), ("s", "a", 6, 5, 7), ("s", "b", 6, 5, 7)),
        changes(("all", "all", 4, 3, 5), ("s", "a", 1, -1, 3), ("s", "b", 1, 0.5, 1.5)),
        differences(("s", "a", "b", 2, 1, 3), ("s", "a", "rest", 2, 1, 3)),
        ALL_CLEAR,
        indicators({"indicator": "x"}, {"indicator": "y"}),
    ]
    once = release(*parts)
    again = release(*(t.sample(frac=1, random_state=7) for t in parts))
    pd.testing.assert_frame_equal(once, again)


def test_a_balance_is_rounded_like_a_share_and_a_formula_like_its_parts():
    figures = (33.4, 12.6, 61.2)  # as an amount: 61.2 - 33 = 28.2, rounded up 29
    assert interval(*figures, decimals=0, kind="balance") == [33, 12, 62]
    assert interval(-0.4, -33.2, 32.6, decimals=0, kind="balance") == [0, -34, 33]
    formula = {"indicator": "x", "kind": "formula", "numerator": "u - v", "decimals": 0}
    for kind, expected in (("balance", [33, 12, 62]), ("mean", [33, 4, 62])):
        parts = [{"indicator": "u", "kind": kind}, {"indicator": "v", "kind": "share"}]
        table = release(
            estimates(("all", "all", *figures)),
            changes(),
            differences(),
            ALL_CLEAR,
            indicators(formula, *parts),
        )
        values = table.set_index("statistic")["value"]
        assert values[["estimate", *ENDS]].tolist() == expected


def test_changes_of_groups_with_another_previous_wave():
    # b is compared with w1, which is not cleared for it; a with w0, which is.
    table = changes(("s", "a", 1, -1, 3), ("s", "b", 1, -1, 3)).assign(previous=["w0", "w1"])
    cleared = stack(
        clearance(("s", "a", ""), ("s", "b", "")),
        clearance(("s", "a", ""), ("s", "b", "p_percent"), wave="w0"),
        clearance(("s", "a", "p_percent"), ("s", "b", "secondary"), wave="w1"),
    )
    found = released(table, cleared)
    assert found["s=a/change"] == 1
    assert found["s=b/change"] == "c"


def test_a_reference_that_has_no_firms_in_the_wave_is_not_available():
    nobody = estimates(("s", "b", NAN, NAN, NAN)).assign(n=0, population=0)
    table = release(
        stack(estimates(("s", "a", 4, 3, 5)), nobody),
        changes(),
        differences(("s", "a", "b", NAN, NAN, NAN), ("s", "a", "rest", 2, 1, 3)),
        clearance(("all", "all", ""), ("s", "a", ""), ("s", "b", "min_contributors")),
        indicators(),
    )
    found = table.set_index("number_id")["symbol"]
    assert found["w2/x/s=a:b/difference"] == "x"
    assert found["w2/x/s=a:rest/difference"] == ""

"""What may be printed: rounding by hand, symbols, ids; the whole way for shares that say all."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tables import (
    NAN,
    NO_BREAKS,
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

from pipeline import analyse, survey
from pipeline.analyse import Rules, Thresholds, protect
from pipeline.analyse.release import _established
from pipeline.tables import Benchmarks, Changes, Clearance, Estimates, Quality

ENDS = ("ci_low", "ci_high")
YES_NO = {"kind": "share", "numerator": "x > 0"}
ANYTHING = Thresholds((np.inf,) * 3, (np.inf,) * 3, 0)
"""Every figure is precise enough."""


def estimates(*rows, wave="w2", se=1.0, waves=1, n=9):
    """Breakdown, group, estimate, lower and upper end; 9 of 20 firms."""
    names = ["breakdown", "group", "estimate", *ENDS]
    table = pd.DataFrame(rows, columns=names).assign(wave=wave, indicator="x", se=se)
    table = table.assign(n=n, population=20, waves=waves)
    return as_contract(Estimates, table)


def changes(*rows, breaks=False, p=0.0, detectable=2.0, se=1.0):
    """Breakdown, group, change, lower and upper end."""
    table = pd.DataFrame(rows, columns=["breakdown", "group", "change", *ENDS])
    table = table.assign(wave="w2", previous="w1", indicator="x", n_both=8, se=se)
    table = table.assign(comparison="change", p=p, detectable=detectable, break_in_series=breaks)
    return as_contract(Changes, table)


def trends(*rows, waves=("w0", "w2"), p=0.0):
    table = changes(*rows, p=p).assign(comparison="trend", previous=waves[0], wave=waves[-1])
    return as_contract(Changes, table)


def differences(*rows, p=0.0, adjusted=False, cleared=True, se=1.0):
    """Breakdown, group, reference, difference, lower and upper end."""
    columns = ["breakdown", "group", "reference", "difference", *ENDS]
    table = pd.DataFrame(rows, columns=columns)
    table = table.assign(wave="w2", indicator="x", n_reference=8, se=se, p=p)
    return as_contract(Benchmarks, table.assign(adjusted=adjusted, coverage=1.0, cleared=cleared))


NO_QUALITY = Quality.empty()


def release(*tables, quality=NO_QUALITY, thresholds=ANYTHING):
    return analyse.release(*tables, quality=quality, thresholds=thresholds)


def clearance(*cells, wave="w2"):
    """Breakdown, group, rule ("" where it may be published)."""
    table = pd.DataFrame(cells, columns=["breakdown", "group", "rule"])
    table = table.assign(wave=wave, indicator="x", contributors=9, widening=1.0)
    return as_contract(Clearance, table)


PLACES = [("all", "all"), ("s", "a"), ("s", "b")]
ALL_CLEAR = stack(*(clearance(*((*p, "") for p in PLACES), wave=w) for w in ("w1", "w2")))


LEVELS = stack(
    *(estimates(*((*place, 100, 90, 110) for place in PLACES), wave=wave) for wave in ("w1", "w2"))
)
"""What the groups are like of which changes and differences are told."""


def released(figures, cleared=ALL_CLEAR, *, levels=LEVELS, thresholds=ANYTHING, **indicator):
    """Value and symbol by the last two parts of the number's id; of comparisons these alone."""
    parts = [
        figures if list(figures.columns) == list(nothing.columns) else nothing
        for nothing in (levels, changes(), differences())
    ]
    table = release(*parts, cleared, indicators(**indicator), thresholds=thresholds)
    if figures is not parts[0]:
        table = table[~table["statistic"].isin(["estimate", *ENDS, "n"])]
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
        # 12.34 is printed 12.3; further end 14.58 - 12.3 = 2.28: 3
        (1, (12.34, 10.10, 14.58), [12.3, 9.3, 15.3]),
        # printed 12; 14.58 - 12 = 2.58: 3
        (0, (12.34, 10.10, 14.58), [12, 9, 15]),
        # printed 12; 0.68, and no finer than the value: 1
        (0, (12.34, 12.00, 12.68), [12, 11, 13]),
        (0, (12.0, 10.0, 14.0), [12, 10, 14]),
        # 13023 - 12345 = 678: 700
        (0, (12345, 11667, 13023), [12345, 11645, 13045]),
        (2, (5.0, 4.91, 5.09), [5, 4.9, 5.1]),
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
    [(1, 1), (1.01, 1.5), (1.51, 2), (2.01, 3), (3.1, 5), (5.1, 7), (7.1, 10), (0.0214, 0.03)],
)
def test_half_widths_are_of_a_coarse_grid(half, expected):
    low, high = interval(100.0, 100 - half, 100 + half, decimals=4)[1:]
    assert (100 - low, high - 100) == pytest.approx((expected, expected), abs=1e-9)


def test_the_interval_is_widened_as_the_clearance_says():
    """2.28 times 1.3 = 2.964: 3; a change takes the wider of both waves, 1.3: 1.5."""
    wide = ALL_CLEAR.assign(widening=1.3)
    figures = (12.34, 10.10, 14.58)
    assert interval(*figures, decimals=1, cleared=wide) == pytest.approx([12.3, 9.3, 15.3])
    one = ALL_CLEAR.assign(widening=np.where(ALL_CLEAR["wave"] == "w1", 1.3, 1.0))
    change = released(changes(("all", "all", 2.0, 1.0, 3.0)), one, decimals=1)
    assert [change[f"all/change{end}"] for end in ("_low", "_high")] == pytest.approx([0.5, 3.5])
    other = ALL_CLEAR.assign(widening=np.where(ALL_CLEAR["group"] == "all", 1.3, 1.0))
    rest = released(differences(("s", "a", "rest", 2.0, 1.0, 3.0)), other, decimals=1)
    assert rest["s=a:rest/difference_low"] == pytest.approx(0.5)


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
    figures = (33.4, 12.6, 61.2)  # as an amount: 61.2 - 33 = 28.2, rounded up 30
    widened = [33, 3, 63]
    assert interval(*figures, decimals=0) == widened
    assert interval(*figures, decimals=0, kind="total", numerator="x * y") == widened
    assert interval(*figures, decimals=0, kind="total", numerator="x == 1") == [33, 12, 62]
    assert interval(*figures, decimals=0, kind="share", numerator="2 - x") == [33, 12, 62]


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((1.3, 4.7), 1),  # 3 - 1.3 = 1.7, rounded up 2: 1 to 5
        ((-4.7, -1.3), 1),
        ((0.3, 5), 0),  # 2.7, rounded up 3: the printed interval begins at 0
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
    rules = Rules(3, 10, 1, 75)
    cleared = protect(
        *(rows, reg, definition, declared),
        breakdowns=["s"],
        rules=rules,
        min_contributors_high=3,
    )
    table_of = release(
        analyse.estimate(*base, declared, changes=NO_BREAKS, breakdowns=["s"], pooled=[]),
        changes(),
        analyse.benchmark(
            *(*base, declared),
            clearance=cleared,
            adjusted=[],
            rules=rules,
            min_contributors_high=3,
        ),
        cleared,
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
        analyse.estimate(
            *(rows, table, reg, definition, NO_PAIRS),
            changes=NO_BREAKS,
            breakdowns=["s"],
            pooled=[],
        ),
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
    figures = (33.4, 12.6, 61.2)  # as an amount: 61.2 - 33 = 28.2, rounded up 30
    assert interval(*figures, decimals=0, kind="balance") == [33, 12, 62]
    assert interval(-0.4, -33.2, 32.6, decimals=0, kind="balance") == [0, -34, 33]
    formula = {"indicator": "x", "kind": "formula", "numerator": "u - v", "decimals": 0}
    for kind, expected in (("balance", [33, 12, 62]), ("mean", [33, 3, 63])):
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


STRICT = Thresholds(points=(7.5, 15, 30), percent=(8, 15, 25), amount_answers=10)
ALL_OF_ONE = ("estimate", *ENDS, "n")


def graded(*tables, cleared=ALL_CLEAR, **indicator):
    """Grade and symbol by number id."""
    table = release(*tables, cleared, indicators(**indicator), thresholds=STRICT)
    return table.set_index("number_id")[["grade", "symbol"]].apply(tuple, axis=1).to_dict()


@pytest.mark.parametrize(
    ("se", "n", "grade", "symbol"),
    [
        (8, 10, "A", ""),
        (15, 10, "B", ""),
        (25, 10, "C", ""),  # 25 per cent of 100
        (25.1, 10, "D", "u"),
        (1, 9, "D", "u"),  # an amount of fewer than ten firms
    ],
)
def test_an_amount_that_is_too_imprecise_is_not_printed(se, n, grade, symbol):
    row = ("s", "a", 100, 90, 110)
    found = graded(estimates(row, se=se, n=n), changes(), differences())
    assert found["w2/x/s=a/estimate"] == (grade, symbol)
    assert {found[f"w2/x/s=a/{name}"] for name in (*ENDS, "n")} == {("", symbol)}


def test_a_share_that_is_too_imprecise_is_not_printed_however_many_answered():
    # Half-widths 30 and 30.5 points; nine firms are enough for a share.
    rows = ("s", "a", 50, 20, 80), ("s", "b", 50, 19.5, 80.5)
    found = graded(estimates(*rows), changes(), differences(), **YES_NO)
    assert found["w2/x/s=a/estimate"] == ("C", "")
    assert found["w2/x/s=b/estimate"] == ("D", "u")
    assert found["w2/x/s=b/n"] == ("", "u")


def test_the_grade_of_what_is_suppressed_or_absent_is_not_told():
    # A share of which all say the same has an interval without width: its A would say so.
    cleared = clearance(("all", "all", ""), ("s", "a", "unanimous"), ("s", "b", ""))
    rows = ("s", "a", 100, 100, 100), ("s", "b", NAN, NAN, NAN), ("all", "all", 50, 45, 55)
    found = graded(estimates(*rows), changes(), differences(), cleared=cleared, **YES_NO)
    assert found["w2/x/s=a/estimate"] == ("", "c")
    assert found["w2/x/s=b/estimate"] == ("", "x")
    assert found["w2/x/all/estimate"] == ("A", "")


def test_a_change_is_graded_by_the_level_that_it_changes():
    # Standard error 10; levels 100 and 50 now: 10 and 20 per cent. In the wave before b had n 9.
    levels = stack(
        estimates(("all", "all", 100, 90, 110), ("s", "a", 50, 40, 60), n=10),
        estimates(("s", "b", 100, 90, 110), n=10),
        estimates(("all", "all", 900, 1, 2), ("s", "a", 900, 1, 2), wave="w1", n=10),
        estimates(("s", "b", 100, 90, 110), wave="w1", n=9),
    )
    rows = changes(*((*place, 30, 10, 50) for place in PLACES), se=10)
    found = graded(levels, rows, differences())
    assert found["w2/x/all/change"] == ("B", "")
    assert found["w2/x/s=a/change"] == ("C", "")
    assert found["w2/x/s=b/change"] == ("D", "u")
    assert found["w2/x/s=b/change_significant"] == ("", "u")


def test_a_difference_is_graded_by_the_smaller_side():
    # n_reference is 8: below ten.
    levels = estimates(("s", "a", 100, 90, 110), ("s", "b", 100, 90, 110), n=10)
    found = graded(levels, changes(), differences(("s", "a", "b", 2, 1, 3)))
    assert found["w2/x/s=a:b/difference"] == ("D", "u")
    more = differences(("s", "a", "b", 2, 1, 3)).assign(n_reference=10)
    assert graded(levels, changes(), more)["w2/x/s=a:b/difference"] == ("A", "")


@pytest.mark.parametrize(
    ("figures", "options", "expected"),
    [
        # 1.4 times the half-width: 1.0 as it is printed
        ((2.0, 1.0, 3.0), {"decimals": 1}, 1.4),
        # widened to 1.3, rounded up to 1.5: 2.1
        ((2.0, 1.0, 3.0), {"decimals": 1, "cleared": ALL_CLEAR.assign(widening=1.3)}, 2.1),
        # a share's -2.3 to 6.3 is printed -3 to 7: 1.4 times 5
        ((2.0, -2.3, 6.3), {"decimals": 0, **YES_NO}, 7),
        # everybody answered: there is no chance that could hide a change
        ((2.0, 2.0, 2.0), {"decimals": 1}, "x"),
    ],
)
def test_the_smallest_detectable_change_is_told_of_everybody_from_what_is_printed(
    figures, options, expected
):
    detectable = 1.4 * (figures[2] - figures[1]) / 2
    rows = changes(("all", "all", *figures), ("s", "a", *figures), detectable=detectable)
    found = released(rows, **options)
    if expected == "x":
        assert found["all/change_detectable"] == "x"
    else:
        assert found["all/change_detectable"] == pytest.approx(expected)
    assert "s=a/change_detectable" not in found


def significant(*tables, cleared=ALL_CLEAR, thresholds=ANYTHING):
    """The claims that are established, by the last two parts of their ids."""
    parts = [LEVELS, changes(), differences()]
    for table in tables:
        place = next(i for i, p in enumerate(parts) if list(p.columns) == list(table.columns))
        parts[place] = stack(parts[place], table)
    table = release(*parts, cleared, indicators(), thresholds=thresholds)
    own = table[table["statistic"].str.endswith("_significant") & (table["value"] == 1)]
    return [number_id.split("/", 2)[2] for number_id in own["number_id"]]


def claims(*p):
    """Changes of all, a and b, each printed well away from 0, with their p-values."""
    return changes(*((*place, 3, 1, 5) for place in PLACES[: len(p)]), p=list(p))


def test_a_claim_on_groups_is_established_if_it_holds_among_all_of_its_kind():
    # Benjamini and Hochberg, 2 claims: 2 (.03) / 1 = .06 and .04 / 1 = .04, each takes the least
    # from its place on: .04 .04. With .06 for the other: .06 .06. All firms are counted apart.
    assert len(significant(claims(0.01, 0.04, 0.03))) == 3
    assert significant(claims(0.01, 0.06, 0.03)) == ["all/change_significant"]
    # 2 (.024) / 1 = .048
    assert significant(claims(0.5, 0.024, 0.5)) == ["s=a/change_significant"]
    assert significant(claims(0.5, 0.026, 0.5)) == []


def test_no_claim_on_all_firms_may_be_false():
    # Holm, 3 claims: 3 (.015) = .045, 2 (.03) = .06, and the last takes the .06 before it;
    # Benjamini and Hochberg would let all three pass (.045 .045 .04).
    columns = ("value", "low", "high", "p")
    rows = pd.DataFrame([(3.0, 1.0, 5.0, p) for p in (0.03, 0.015, 0.04)], columns=list(columns))
    rows = rows.assign(wave="w2", breakdown="all", comparison="change", symbol="")
    assert _established(rows).tolist() == [0, 1, 0]
    assert _established(rows.assign(breakdown="s")).tolist() == [1, 1, 1]


def test_changes_differences_and_trends_are_families_of_their_own():
    # .03 is established whatever becomes of other kinds, but not beside one of its own: 2 (.03).
    alone = differences(("s", "a", "b", 3, 1, 5), p=0.03)
    assert significant(alone) == ["s=a:b/difference_significant"]
    again = differences(("s", "a", "b", 3, 1, 5), p=0.6, adjusted=True)
    established = ["s=a:b/difference_significant"]
    assert significant(stack(alone, again), claims(0.5, 0.5)) == established
    other = differences(("s", "b", "a", 3, 1, 5), p=0.6)
    assert significant(stack(alone, other)) == []


def test_what_is_not_printed_is_no_claim():
    hidden = (ALL_CLEAR["breakdown"] == "s") & (ALL_CLEAR["group"] == "b")
    cleared = ALL_CLEAR.assign(rule=np.where(hidden, "min_contributors", ""))
    assert significant(claims(0.5, 0.03, 0.6), cleared=cleared) == ["s=a/change_significant"]
    assert significant(claims(0.5, 0.03, 0.6)) == []


def test_where_the_printed_interval_has_0_nothing_is_established():
    # 3 less 2.98, rounded up to 3.0, begins at 0, however small p is.
    wide = changes(("all", "all", 3.0, 0.02, 5.98), p=0.0001)
    assert released(wide, decimals=1)["all/change_significant"] == 0


def test_a_change_without_a_p_value_is_not_established_and_is_no_claim():
    # All answers alike, but not all answered: no interval, no p.
    rows = changes(("all", "all", 3, NAN, NAN), ("s", "a", 3, 1, 5), p=[NAN, 0.04])
    found = released(rows)
    assert found["all/change_significant"] == 0
    assert found["s=a/change_significant"] == 1


def pooled_rows(*rows):
    return estimates(*rows, waves=2, n=19)


def test_a_mean_of_two_waves_stands_beside_the_last_one():
    table = release(
        stack(LEVELS, pooled_rows(("s", "a", 95, 91, 99))),
        changes(),
        differences(),
        ALL_CLEAR.assign(widening=np.where(ALL_CLEAR["wave"] == "w1", 1.5, 1.0)),
        indicators(decimals=0),
    )
    own = table[table["statistic"].str.startswith("pooled")].set_index("number_id")["value"]
    assert own.to_dict() == {
        "w2/x/s=a/pooled": 95,
        "w2/x/s=a/pooled_low": 88,  # 4 times 1.5, the wider of both waves: 6, rounded up to 7
        "w2/x/s=a/pooled_high": 102,
        "w2/x/s=a/pooled_n": 19,
    }
    assert table.set_index("number_id").loc["w2/x/s=a/estimate", "value"] == 100


@pytest.mark.parametrize("wave", ["w1", "w2"])
def test_a_mean_of_two_waves_needs_both(wave):
    is_it = (ALL_CLEAR["wave"] == wave) & (ALL_CLEAR["group"] == "a")
    cleared = ALL_CLEAR.assign(rule=np.where(is_it, "secondary", ""))
    table = release(
        stack(LEVELS, pooled_rows(("s", "a", 95, 91, 99), ("s", "b", 95, 91, 99))),
        changes(),
        differences(),
        cleared,
        indicators(),
    )
    symbol = table.set_index("number_id")["symbol"]
    names = ("pooled", "pooled_low", "pooled_high", "pooled_n")
    assert {symbol[f"w2/x/s=a/{name}"] for name in names} == {"c"}
    assert {symbol[f"w2/x/s=b/{name}"] for name in names} == {""}
    other = {"w1": "w2", "w2": "w1"}[wave]
    assert symbol[f"{other}/x/s=a/estimate"] == ""


THREE = stack(*(clearance(*((*p, "") for p in PLACES), wave=w) for w in ("w0", "w1", "w2")))


@pytest.mark.parametrize("wave", ["w0", "w1", "w2"])
def test_a_trend_needs_every_wave_it_runs_through(wave):
    is_it = (THREE["wave"] == wave) & (THREE["group"] == "a")
    cleared = THREE.assign(rule=np.where(is_it, "p_percent", ""))
    found = released(trends(*((*place, 1, 0.5, 1.5) for place in PLACES)), cleared)
    names = ("trend", "trend_low", "trend_high", "trend_significant")
    assert {found[f"s=a/{name}"] for name in names} == {"c"}
    assert "c" not in {found[f"s=b/{name}"] for name in names}
    # Of a change what lies between does not matter.
    change = changes(("s", "a", 1, 0.5, 1.5)).assign(previous="w0")
    assert (released(change, cleared)["s=a/change"] == "c") == (wave != "w1")


def test_a_trend_does_not_need_a_wave_that_did_not_ask():
    # In w1 another indicator was measured, and a was suppressed there.
    own = THREE[THREE["wave"] != "w1"]
    other = clearance(*((*place, "p_percent") for place in PLACES), wave="w1")
    cleared = stack(own, other.assign(indicator="y"))
    found = released(trends(("s", "a", 1, 0.5, 1.5)), cleared)
    assert found["s=a/trend"] == 1


def test_a_trend_has_the_widest_interval_of_its_waves_and_one_decimal_more():
    # 0.42 to 0.62 around 0.52: 0.10 times 1.5
    wide = THREE.assign(widening=np.where(THREE["wave"] == "w1", 1.5, 1.0))
    found = released(trends(("s", "a", 0.52, 0.42, 0.62)), wide, decimals=1)
    assert [found[f"s=a/trend{end}"] for end in ("", "_low", "_high")] == pytest.approx(
        [0.52, 0.37, 0.67]
    )
    figures = (0.52, 0.421, 0.618)
    found = released(trends(("s", "a", *figures)), THREE, decimals=1, **YES_NO)
    assert [found[f"s=a/trend{end}"] for end in ("", "_low", "_high")] == [0.52, 0.42, 0.62]


@pytest.mark.parametrize(
    ("all_", "a", "b", "shown"),
    [
        ("", "", "", {"b", "rest"}),
        ("", "secondary", "", set()),
        ("", "", "secondary", {"rest"}),
        ("secondary", "", "", {"b"}),
    ],
)
def test_an_adjusted_difference_needs_both_sides(all_, a, b, shown):
    cleared = clearance(("all", "all", all_), ("s", "a", a), ("s", "b", b))
    rows = [("s", "a", reference, 2, 1, 3) for reference in ("b", "rest")]
    found = released(stack(differences(*rows), differences(*rows, adjusted=True)), cleared)
    for reference in ("b", "rest"):
        for end in ("", "_low", "_high", "_significant"):
            value = found[f"s=a:{reference}/adjusted{end}"]
            assert (value == "c") == (reference not in shown)


def test_an_adjusted_difference_that_tells_of_others_is_not_shown():
    row = ("s", "a", "b", 2, 1, 3)
    found = released(stack(differences(row), differences(row, adjusted=True, cleared=False)))
    ends = ("", "_low", "_high", "_significant")
    assert {found[f"s=a:b/adjusted{end}"] for end in ends} == {"c"}
    assert "c" not in {found[f"s=a:b/difference{end}"] for end in ends}


def test_an_adjusted_difference_without_a_reference_alike_is_not_available():
    found = released(differences(("s", "a", "b", NAN, NAN, NAN), adjusted=True))
    assert set(found.values()) == {"x"}


def quality(**values):
    """What is known of the response of w2: measure and value of everybody, two of size."""
    rows = [("all", "estimate", "all", "all", 87.4), ("all", "ci_low", "all", "all", 80.6)]
    rows += [("all", "ci_high", "all", "all", 94.2), ("all", "partial", "size", "all", 4.26)]
    rows += [("all", "partial", "size", "s", -3.1), ("all", "max_bias", "all", "all", 0.1)]
    rows += [("all", "weight_low", "all", "all", 1.214), ("all", "weight_high", "all", "all", 2.5)]
    rows += [("3", "estimate", "all", "all", 50.0), ("all", "design_effect", "all", "all", 1.066)]
    columns = ["population", "measure", "variable", "group", "value"]
    return as_contract(Quality, pd.DataFrame(rows, columns=columns).assign(wave="w2", **values))


def of_response(rule, sensitivity="low"):
    """Numbers of the response quality, where the rate of all has a rule that forbids it."""
    table = release(
        estimates(("all", "all", 60, 60, 60), ("size", "s", 50, 50, 50)).assign(
            indicator="response"
        ),
        changes(),
        differences(),
        clearance(("all", "all", rule), ("size", "s", "")).assign(indicator="response"),
        indicators({}, the_response(sensitivity)),
        quality=quality(),
    )
    own = table[table["indicator"] == "representativity"].set_index("number_id")
    return own[["value", "decimals", "symbol"]].apply(tuple, axis=1).to_dict()


def test_how_like_the_register_the_response_is_is_told_of_everybody():
    # Of no group, of no other population, and no measure that is for the analyst alone.
    assert of_response("") == {
        "w2/representativity/all/estimate": (87, 0, ""),
        "w2/representativity/all/ci_low": (80, 0, ""),
        "w2/representativity/all/ci_high": (95, 0, ""),
        "w2/representativity/all/design_effect": (1.07, 2, ""),
        "w2/representativity/all/weight_high": (2.5, 2, ""),
        "w2/representativity/all/weight_low": (1.21, 2, ""),
        "w2/representativity/size=all/partial": (4.3, 1, ""),
    }


def test_nothing_is_told_of_the_response_where_its_rate_is_not():
    assert of_response("unanimous") == {}


def test_nothing_is_told_of_the_response_where_participation_is_a_secret():
    """Who knows the register can try which numbers of s and l give the partial indicator."""
    size = list("s" * 8 + "l" * 12)

    def partial(of_s):
        """In per cent, where 14 of 20 answered, these many of them of s."""
        responded = [k < of_s for k in range(8)] + [k < 14 - of_s for k in range(12)]
        found = survey.representativity(pd.DataFrame({"size": size}), responded)
        return round(100 * found.variables["unconditional"].iloc[0], 1)

    assert [of_s for of_s in range(2, 9) if partial(of_s) == partial(8)] == [8]  # all of s answered
    for sensitivity in ("normal", "high"):
        assert of_response("", sensitivity) == {}


def test_a_grade_tells_no_more_of_the_error_than_the_interval():
    # t is 2.25 and the mean 19: half-widths of 6.1 and 6.9 are both printed 7, or 3.11 (16.4 per
    # cent). By the exact errors of 14.3 and 16.1 per cent one were B, and would say: below 6.4.
    for half in (6.1, 6.9):
        levels = estimates(("s", "a", 19, 19 - half, 19 + half), se=half / 2.25, n=10)
        assert graded(levels, changes(), differences())["w2/x/s=a/estimate"] == ("C", "")
    # Widened it is 8.7, printed 10, or 4.4 (23.4 per cent); 10.9 is printed 15: 35 per cent.
    for widening, found in ((10 / 7, ("C", "")), (11 / 7, ("D", "u"))):
        wide = graded(levels, changes(), differences(), cleared=ALL_CLEAR.assign(widening=widening))
        assert wide["w2/x/s=a/estimate"] == found


def shares_of_two_waves(n_before, n_now, *rows, **comparisons):
    """Printed shares of group a, which n_before and n_now firms answered, by number id."""
    levels = [
        estimates(("s", "a", 43.2, 31, 56), ("s", "b", 43.2, 31, 56), wave=wave, n=n)
        for wave, n in (("w0", 40), ("w1", n_before), ("w2", n_now))
    ]
    given = {"changes": changes(), "differences": differences()} | comparisons
    table = analyse.release(
        *(stack(*levels, *rows), *given.values(), THREE, indicators(decimals=0, **YES_NO)),
        quality=NO_QUALITY,
        thresholds=ANYTHING,
        coarse_below=30,
    )
    return table.set_index("number_id")["value"]


def test_what_is_of_several_waves_is_as_coarse_as_the_coarsest_of_them():
    pooled = estimates(("s", "a", 43.2, 34, 53), waves=2, n=51)
    assert shares_of_two_waves(31, 31, pooled)["w2/x/s=a/pooled"] == 43
    for n in ((20, 31), (31, 20)):
        assert shares_of_two_waves(*n, pooled)["w2/x/s=a/pooled"] == 45
    for n_before, trend in ((31, 7.2), (20, 7.0)):  # a trend has one decimal more
        given = {"changes": trends(("s", "a", 7.2, 5, 9))}
        assert shares_of_two_waves(n_before, 31, **given)["w2/x/s=a/trend"] == pytest.approx(trend)
    for n_before, change in ((31, 7), (20, 5)):
        given = {"changes": changes(("s", "a", 7.2, 5, 9))}
        assert shares_of_two_waves(n_before, 31, **given)["w2/x/s=a/change"] == change
    # Of two waves with one between that is not in it, that one does not count.
    over = changes(("s", "a", 7.2, 5, 9)).assign(previous="w0")
    assert shares_of_two_waves(20, 31, changes=over)["w2/x/s=a/change"] == 7
    for n_reference, difference in ((30, 7), (29, 5)):
        rows = differences(("s", "a", "b", 7.2, 5, 9)).assign(n_reference=n_reference)
        found = shares_of_two_waves(20, 31, differences=rows)
        assert found["w2/x/s=a:b/difference"] == difference

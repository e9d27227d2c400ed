"""Changes between waves: overlap, firms that change stratum, breaks."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from small_tables import (
    NO_PAIRS,
    breaks,
    contributions,
    indicators,
    pairs,
    register,
    row_of,
    stack,
    weights,
)

from pipeline import analyse

FIRMS = "abcdefghij"


def compare(*base, declared=NO_PAIRS, breakdowns=(), comparison="change"):
    *tables, changes = base
    result = analyse.compare(*tables, declared, changes=changes, breakdowns=breakdowns)
    return result[result["comparison"] == comparison].reset_index(drop=True)


def two_waves(first, second, answered, strata=("ssssssssss", "ssssssssss"), **groups):
    one = weights(FIRMS, answered[0], "w1", strata[0])
    two = weights(FIRMS, answered[1], "w2", strata[1])
    rows = stack(contributions(one, first), contributions(two, second))
    reg = stack(register(FIRMS, "w1", **groups), register(FIRMS, "w2", **groups))
    return rows, stack(one, two), reg


def test_partial_overlap_is_tam_1984():
    # N = 10; w1 a-e, w2 c-f, both c d e. Means 4 and 5.5; s^2 = 30/4 and 21/3;
    # v1 = (1/5 - 1/10) 7.5 = .75; v2 = (1/4 - 1/10) 7 = 1.05.
    # Deviations of c d e: -2 0 4 and -2.5 -1.5 3.5: sum of products 5 + 0 + 14 = 19, times
    # sqrt(5/4 * 4/3) and over n12 = 3: S12; cov = (3/20 - 1/10) S12.
    base = two_waves([1, 5, 2, 4, 8], [3, 4, 9, 6], ("abcde", "cdef"))
    row = compare(*base, indicators(), breaks(), breakdowns=[]).iloc[0]
    cov = (3 / 20 - 1 / 10) * 19 * np.sqrt(5 / 3) / 3
    assert row["change"] == pytest.approx(1.5, rel=1e-14)
    assert row["se"] ** 2 == pytest.approx(0.75 + 1.05 - 2 * cov, rel=1e-12)
    assert row["n_both"] == 3
    half = stats.t.ppf(0.975, 3) * row["se"]  # the smaller wave has 4 - 1 degrees of freedom
    assert row["ci_low"] == pytest.approx(1.5 - half, rel=1e-10)
    assert row["ci_high"] == pytest.approx(1.5 + half, rel=1e-10)
    assert (row["wave"], row["previous"]) == ("w2", "w1")
    assert not row["break_in_series"]


def plain_variance_of_change(waves):
    """Variance of the change of two means, firm by firm.

    Each wave has per firm of the register: stratum, whether it answered, its value.
    """
    terms, own = [], 0.0
    for strata, answered, y in waves:
        m = {h: sum(s == h and a for s, a in zip(strata, answered, strict=True)) for h in strata}
        size = {h: strata.count(h) for h in strata}
        weight = [size[s] / m[s] if a else 0 for s, a in zip(strata, answered, strict=True)]
        mean = np.average(np.where(answered, y, 0), weights=weight)
        z = [w * (v - mean) / sum(weight) for w, v in zip(weight, y, strict=True)]
        centre = {h: sum(v for v, s in zip(z, strata, strict=True) if s == h) / m[h] for h in m}
        deviation = [
            (v - centre[s]) * np.sqrt(m[s] / (m[s] - 1)) if a else 0
            for v, s, a in zip(z, strata, answered, strict=True)
        ]
        rate = [m[s] / size[s] for s in strata]
        own += sum((1 - f) * d**2 for f, d in zip(rate, deviation, strict=True))
        terms.append((strata, answered, deviation, rate))
    (s1, a1, d1, f1), (s2, a2, d2, f2) = terms
    cells = list(zip(s1, s2, strict=True))
    both = [x and y for x, y in zip(a1, a2, strict=True)]
    covariance = 0.0
    for i, cell in enumerate(cells):
        if both[i]:
            joint = sum(b for b, c in zip(both, cells, strict=True) if c == cell)
            covariance += (1 - cells.count(cell) / joint * f1[i] * f2[i]) * d1[i] * d2[i]
    return own - 2 * covariance


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_firms_that_change_stratum_against_plain_formulas(data):
    values = st.lists(st.integers(0, 40), min_size=10, max_size=10)
    waves = []
    for _ in range(2):
        strata = "uuvv" + "".join(data.draw(st.sampled_from("uv")) for _ in range(6))
        answered = [True] * 4 + [data.draw(st.booleans()) for _ in range(6)]
        waves.append((strata, answered, data.draw(values)))
    expected = plain_variance_of_change(waves)
    rows, table, reg = two_waves(
        *([v for v, a in zip(y, answered, strict=True) if a] for _, answered, y in waves),
        ["".join(f for f, a in zip(FIRMS, answered, strict=True) if a) for _, answered, _ in waves],
        [strata for strata, _, _ in waves],
    )
    row = compare(rows, table, reg, indicators(), breaks(), breakdowns=[]).iloc[0]
    assert row["n_both"] == sum(a and b for a, b in zip(waves[0][1], waves[1][1], strict=True))
    if expected > 1e-12:
        assert row["se"] ** 2 == pytest.approx(expected, rel=1e-8)


def test_change_is_scaled_and_made_for_every_group():
    base = two_waves(range(10), range(1, 20, 2), (FIRMS, FIRMS), sector="xxxxxyyyyy")
    result = compare(*base, indicators(scale=100.0), breaks(), breakdowns=["sector"])
    # means 4.5 2 7 and 10 5 15; everybody answered, so that chance has no part in it
    assert result["change"].tolist() == [550, 300, 800]
    assert result["n_both"].tolist() == [10, 5, 5]
    assert result["se"].tolist() == [0, 0, 0]


def test_a_group_without_firms_in_one_wave_has_no_change():
    one, two = weights(FIRMS, FIRMS, "w1"), weights(FIRMS, FIRMS, "w2")
    rows = stack(contributions(one, range(10)), contributions(two, range(10)))
    reg = stack(
        register(FIRMS, "w1", sector="x" * 10), register(FIRMS, "w2", sector="x" * 5 + "y" * 5)
    )
    result = compare(rows, stack(one, two), reg, indicators(), breaks(), breakdowns=["sector"])
    row = row_of(result, group="y")
    assert row["n_both"] == 0
    assert np.isnan(row["change"])


def three_waves(names=("w1", "w2", "w3"), measured=("w1", "w2", "w3")):
    tables = {wave: weights(FIRMS, FIRMS, wave) for wave in names}
    rows = stack(*(contributions(tables[wave], range(10)) for wave in measured))
    reg = stack(*(register(FIRMS, wave) for wave in names))
    return rows, stack(*tables.values()), reg


@pytest.mark.parametrize(
    ("item", "since", "expected"),
    [
        ("x", "w2", [True, False]),
        ("x", "w3", [False, True]),
        ("x", "w1", [False, False]),  # before the first wave: nothing to compare with
        ("other", "w2", [False, False]),
    ],
)
def test_a_break_lies_between_its_wave_and_the_one_before(item, since, expected):
    result = compare(*three_waves(), indicators(), breaks(**{item: since}), breakdowns=[])
    assert result["wave"].tolist() == ["w2", "w3"]
    assert result["break_in_series"].tolist() == expected


@pytest.mark.parametrize("place", ["numerator", "denominator", "base"])
def test_a_break_in_any_item_of_the_formulas_counts(place):
    definition = indicators(kind="ratio", **{"numerator": "x", "denominator": "x", place: "k > 0"})
    result = compare(*three_waves(), definition, breaks(k="w3"), breakdowns=[])
    assert result["break_in_series"].tolist() == [False, True]


def test_a_change_of_unit_is_no_break():
    changes = breaks(x="w2").assign(kind="unit", apply="* 1000")
    assert not compare(*three_waves(), indicators(), changes, breakdowns=[])[
        "break_in_series"
    ].any()


def test_an_indicator_that_was_not_asked_in_between_has_no_change_on_the_wave_before():
    result = compare(*three_waves(measured=["w1", "w3"]), indicators(), breaks(), breakdowns=[])
    assert result.empty
    result = compare(*three_waves(measured=["w2", "w3"]), indicators(), breaks(), breakdowns=[])
    assert result[["wave", "previous"]].to_numpy().tolist() == [["w3", "w2"]]


def test_one_wave_has_no_changes():
    base = three_waves(names=["w1"], measured=["w1"])
    assert compare(*base, indicators(), breaks(), breakdowns=[]).empty


def test_the_order_of_rows_is_of_no_consequence():
    base = two_waves([1, 5, 2, 4, 8], [3, 4, 9, 6], ("abcde", "cdef"), sector="xyxyxyxyxy")
    shuffled = [table.sample(frac=1, random_state=4) for table in base]
    once = compare(*base, indicators(), breaks(), breakdowns=["sector"])
    again = compare(*shuffled, indicators(), breaks(), breakdowns=["sector"])
    pd.testing.assert_frame_equal(once, again, check_exact=True)


def with_reference(waves=("w1", "w2", "w3"), asked=("w1", "w3")):
    """The target a-d is asked in every wave, the reference e-h in some; everybody answers."""
    tables, rows = {}, []
    for number, wave in enumerate(waves):
        others = "" if wave in asked else "efgh"
        answered = "abcd" if others else "abcdefgh"
        tables[wave] = weights("abcdefgh", answered, wave, "ttttrrrr", not_asked=others)
        values = np.array([1, 2, 3, 4, 10, 20, 30, 40])[: len(answered)]
        rows.append(contributions(tables[wave], values * 10**number))
    of_both = {"population": "11113333", "size": "ssllssll"}
    reg = stack(*(register("abcdefgh", wave, **of_both) for wave in waves))
    return stack(*rows), stack(*tables.values()), reg, indicators()


REFERENCES = pairs(("population", "1", "3"), ("size", "s", "3*s"))


def test_a_reference_that_was_not_asked_is_compared_with_the_last_wave_in_which_it_was():
    result = compare(*with_reference(), breaks(), declared=REFERENCES, breakdowns=["size"])
    own = result.set_index(["wave", "breakdown", "group"])
    assert own.loc[("w3", "population", "3"), ["previous", "n_both"]].tolist() == ["w1", 4]
    assert own.loc[("w3", "population", "3"), "change"] == pytest.approx(2500 - 25)
    assert own.loc[("w3", "size", "3*s"), "change"] == pytest.approx(1500 - 15)
    assert own.loc[("w3", "size", "s"), ["previous", "change"]].tolist() == ["w2", 150 - 15]
    assert own.loc[("w3", "population", "1"), ["previous", "change"]].tolist() == ["w2", 225]
    reference = result["group"].isin(["3", "3*s"])
    assert result.loc[reference, "wave"].unique().tolist() == ["w3"]
    target = result.loc[~reference, ["wave", "previous"]].drop_duplicates()
    assert target.to_numpy().tolist() == [["w2", "w1"], ["w3", "w2"]]


@pytest.mark.parametrize("since", ["w2", "w3"])
def test_a_break_anywhere_between_the_waves_compared_counts(since):
    result = compare(*with_reference(), breaks(x=since), declared=REFERENCES)
    own = result.set_index(["wave", "group"])["break_in_series"]
    assert own["w3", "3"]
    assert own["w3", "all"] == (since == "w3")


def test_a_break_in_the_whole_questionnaire_counts_for_every_item():
    result = compare(*three_waves(), indicators(), breaks(**{"*": "w3"}))
    assert result["break_in_series"].tolist() == [False, True]


def test_a_change_of_a_formula_has_the_covariance_of_both_waves():
    # u + v of one wave against the other is the change of the mean of the sum, firm by firm.
    one = weights(FIRMS, "abcde", "w1")
    two = weights(FIRMS, "cdef", "w2")
    u, v = ([1, 5, 2, 4, 8], [3, 4, 9, 6]), ([2, 2, 7, 1, 0], [5, 1, 1, 3])
    rows = [contributions(t, y, indicator="u") for t, y in zip((one, two), u, strict=True)]
    rows += [contributions(t, y, indicator="v") for t, y in zip((one, two), v, strict=True)]
    both = [np.add(a, b) for a, b in zip(u, v, strict=True)]
    rows += [contributions(t, y, indicator="both") for t, y in zip((one, two), both, strict=True)]
    definition = indicators(
        {"indicator": "u", "numerator": "p"},
        {"indicator": "v", "numerator": "q"},
        {"indicator": "both"},
        {"indicator": "f", "kind": "formula", "numerator": "u + v"},
    )
    reg = stack(register(FIRMS, "w1"), register(FIRMS, "w2"))
    result = compare(stack(*rows), stack(one, two), reg, definition, breaks(q="w2"))
    computed, direct = row_of(result, indicator="f"), row_of(result, indicator="both")
    for column in ("n_both", "change", "se", "ci_low", "ci_high"):
        assert computed[column] == pytest.approx(direct[column], rel=1e-12)
    assert computed["break_in_series"]
    assert not direct["break_in_series"]


def waves_of(*values, answered=FIRMS, measured=None, names="w1 w2 w3 w4 w5", **groups):
    """Waves with these values; of `measured` (all unless given) the indicator has answers."""
    names = names.split()[: len(values)]
    tables = {wave: weights(FIRMS, answered, wave) for wave in names}
    rows = [
        contributions(tables[wave], own)
        for wave, own in zip(names, values, strict=True)
        if measured is None or wave in measured
    ]
    reg = stack(*(register(FIRMS, wave, **groups) for wave in names))
    return stack(*rows), stack(*tables.values()), reg, indicators(scale=10.0)


def level(mean):
    return [mean] * len(FIRMS)


def test_p_and_the_smallest_detectable_change_by_hand():
    # Of test_partial_overlap_is_tam_1984: 1.5 with 3 degrees of freedom, as amount in tens.
    rows = two_waves([1, 5, 2, 4, 8], [3, 4, 9, 6], ("abcde", "cdef"))
    row = compare(*rows, indicators(scale=10.0), breaks()).iloc[0]
    se = np.sqrt(0.75 + 1.05 - 2 * (3 / 20 - 1 / 10) * 19 * np.sqrt(5 / 3) / 3)
    assert row["p"] == pytest.approx(2 * stats.t.sf(1.5 / se, 3), rel=1e-10)
    factor = stats.t.ppf(0.975, 3) + stats.t.ppf(0.8, 3)
    assert row["detectable"] == pytest.approx(10 * factor * se, rel=1e-10)


def test_p_of_a_change_that_is_certain():
    # Everybody answered: what differs, differs.
    rows = waves_of(range(10), range(1, 11), range(1, 11))
    result = compare(*rows, breaks())
    assert result["p"].tolist()[:1] == [0]
    assert np.isnan(result["p"].iloc[1])  # nothing differs, and nothing could
    assert result["detectable"].tolist() == [0, 0]


def test_a_trend_by_hand():
    # Means 1, 4, 5: (5 - 1) / 2 = 2 from wave to wave, in tens. Four waves 1 4 5 8: weights
    # -3 -1 1 3 over 10: (-3 - 4 + 5 + 24) / 10 = 2.2.
    rows = waves_of(level(1), level(4), level(5))
    row = compare(*rows, breaks(), comparison="trend").iloc[0]
    assert row[["wave", "previous", "change", "se"]].tolist() == ["w3", "w1", 20, 0]
    assert row["n_both"] == 10
    assert not row["break_in_series"]
    rows = waves_of(level(1), level(4), level(5), level(8))
    result = compare(*rows, breaks(), comparison="trend")
    assert result["wave"].tolist() == ["w4"]
    assert result["change"].tolist() == pytest.approx([22])


def test_a_trend_has_the_covariances_of_all_waves():
    # Through three waves it is half the change of the last on the first.
    values = [1, 5, 2, 4, 8], [7, 7, 0, 3, 2], [3, 4, 9, 6, 6]
    rows = waves_of(*values, answered="abcde")
    trend = compare(*rows, breaks(), comparison="trend").iloc[0]
    ends = waves_of(values[0], values[2], answered="abcde", names="w1 w3")
    change = compare(*ends, breaks()).iloc[0]
    for column in ("change", "se", "ci_low", "ci_high", "detectable"):
        assert trend[column] == pytest.approx(change[column] / 2, rel=1e-10)
    assert trend["p"] == pytest.approx(change["p"], rel=1e-10)


def test_two_waves_have_no_trend():
    assert compare(*waves_of(level(1), level(2)), breaks(), comparison="trend").empty


@pytest.mark.parametrize(
    ("since", "previous", "change"),
    [("w1", "w1", 22), ("w2", "w2", 20), ("w3", None, None), ("w4", None, None)],
)
def test_a_break_cuts_the_trend(since, previous, change):
    # 4 5 8: (8 - 4) / 2 = 2; of w3 and w4 alone there is only the change.
    rows = waves_of(level(1), level(4), level(5), level(8))
    result = compare(*rows, breaks(x=since), comparison="trend")
    if previous is None:
        assert result.empty
    else:
        assert result["previous"].tolist() == [previous]
        assert result["change"].tolist() == pytest.approx([change])


def test_a_wave_that_did_not_ask_is_a_step_of_the_trend():
    # Waves 0, 2 and 3 with 1, 5, 7: deviations of time -5/3, 1/3, 4/3, squares 42/9:
    # (-5 + 5 + 28) / 3 / (42 / 9) = 2.
    rows = waves_of(level(1), level(9), level(5), level(7), measured=["w1", "w3", "w4"])
    result = compare(*rows, breaks(), comparison="trend")
    assert result["change"].tolist() == pytest.approx([20])


def test_what_the_newest_wave_did_not_ask_has_no_trend():
    rows = waves_of(*[level(1)] * 4, measured=["w1", "w2", "w3"])
    assert compare(*rows, breaks(), comparison="trend").empty


def test_a_trend_is_that_of_the_target_and_its_groups():
    result = compare(
        *with_reference(asked=("w1", "w2", "w3")),
        breaks(),
        declared=REFERENCES,
        breakdowns=["size"],
        comparison="trend",
    )
    found = result.set_index(["breakdown", "group"])["change"].to_dict()
    # 2.5, 25, 250 and in size s 1.5, 15, 150: half the way from the first to the last
    assert found == {
        ("all", "all"): pytest.approx(123.75),
        ("population", "1"): pytest.approx(123.75),
        ("size", "l"): pytest.approx(173.25),
        ("size", "s"): pytest.approx(74.25),
    }


def test_a_group_that_is_not_in_every_wave_has_no_trend():
    one, *rest = (weights(FIRMS, FIRMS, wave) for wave in ("w1", "w2", "w3"))
    rows = stack(*(contributions(t, range(10)) for t in (one, *rest)))
    first = register(FIRMS, "w1", sector="x" * 10)
    reg = stack(first, *(register(FIRMS, w, sector="x" * 5 + "y" * 5) for w in ("w2", "w3")))
    base = rows, stack(one, *rest), reg, indicators()
    result = compare(*base, breaks(), breakdowns=["sector"], comparison="trend")
    assert result.set_index("group")["change"].isna().to_dict() == {
        "all": False,
        "x": False,
        "y": True,
    }

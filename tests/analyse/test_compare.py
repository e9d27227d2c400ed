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


def compare(*base, declared=NO_PAIRS, breakdowns=()):
    *tables, changes = base
    return analyse.compare(*tables, declared, changes=changes, breakdowns=breakdowns)


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

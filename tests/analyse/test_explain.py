"""What lies behind a change: parts that add up to it, and flows that add up to everybody."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tables import (
    NAN,
    NO_BREAKS,
    NO_PAIRS,
    breaks,
    contributions,
    indicators,
    register,
    stack,
    weights,
)

from pipeline.analyse import compare, explain

FIRMS = "abcdefgh"


def explained(*base, changes=NO_BREAKS, breakdowns=()):
    flows, parts = explain(*base, changes=changes, breakdowns=breakdowns)
    key = ["indicator", "breakdown", "group"]
    return (
        flows.set_index([*key, "direction"])[["n", "share", "se"]],
        parts.set_index([*key, "term"])[["n", "value", "se"]],
    )


def two_waves(first, second, *, answered=(FIRMS, FIRMS), firms=(FIRMS, FIRMS), **groups):
    one = weights(firms[0], answered[0], "w1")
    two = weights(firms[1], answered[1], "w2")
    rows = stack(contributions(one, first), contributions(two, second))
    reg = stack(register(firms[0], "w1", **groups), register(firms[1], "w2", **groups))
    return rows, stack(one, two), reg


ALL = ("x", "all", "all")


def test_flows_of_a_census_by_hand():
    # 3 of 8 up, 4 the same, 1 down; in sector p (a-d) 2, 1 and 1 of 4.
    base = two_waves([1, 2, 3, 4, 5, 6, 7, 8], [2, 3, 3, 1, 5, 9, 7, 8], sector="ppppqqqq")
    flows, _ = explained(*base, indicators(), breakdowns=["sector"])
    assert [flows.loc[(*ALL, d), "share"] for d in ("up", "same", "down")] == [37.5, 50, 12.5]
    of_p = [flows.loc[("x", "sector", "p", d), "share"] for d in ("up", "same", "down")]
    assert of_p == [50, 25, 25]
    assert set(flows.loc[ALL, "n"]) == {8}
    assert flows.loc[ALL, "se"].tolist() == [0, 0, 0]


def test_flows_have_the_firms_that_answered_twice():
    # a-d answered in both waves: up, up, down, the same; 4 of 8 firms: 50, 25 and 25 per cent,
    # s^2 of up = (4/3) (1/4), se^2 = (1 - 4/8) (1/3) / 4.
    base = two_waves([1, 2, 3, 4, 5, 6], [5, 5, 1, 4, 9, 9], answered=("abcdef", "abcdgh"))
    flows, _ = explained(*base, indicators())
    assert flows.loc[(*ALL, "up"), "share"] == pytest.approx(50)
    assert flows.loc[(*ALL, "up"), "se"] == pytest.approx(100 * np.sqrt(1 / 24))
    assert set(flows.loc[ALL, "n"]) == {4}


def test_parts_of_a_change_of_a_census_by_hand():
    # Register a-d, then b-e. Means 4 (1 3 5 7) and 9 (5 6 7 18): + 5. Of b c d 5 and 6: + 1 by
    # answers, 0 by weights; a left: 1/4 (5 - 1) = 1; e came: 1/4 (18 - 6) = 3.
    base = two_waves([1, 3, 5, 7], [5, 6, 7, 18], answered=("abcd", "bcde"), firms=("abcd", "bcde"))
    _, parts = explained(*base, indicators(scale=10.0))
    expected = {"answers": 10, "weights": 0, "new": 30, "joined": 0, "gone": 10, "dropped": 0}
    assert parts.loc[ALL, "value"].to_dict() == pytest.approx(expected, abs=1e-12)
    n = {"answers": 3, "weights": 3, "new": 1, "joined": 0, "gone": 1, "dropped": 0}
    assert parts.loc[ALL, "n"].to_dict() == n
    assert parts.loc[ALL, "se"].isna().to_dict() == {term: term != "answers" for term in n}


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_parts_add_up_to_the_change_and_flows_to_everybody(data):
    firms = "abcdefghijkl"
    pick = st.lists(st.booleans(), min_size=12, max_size=12)
    values = st.lists(st.integers(0, 9), min_size=12, max_size=12)
    answered, numbers, below = [], [], []
    for _ in range(2):
        taken = "abcd" + "".join(
            f for f, yes in zip(firms[4:], data.draw(pick), strict=False) if yes
        )
        answered.append(taken)
        numbers.append(data.draw(values)[: len(taken)])
        below.append([1.0 + v for v in data.draw(values)[: len(taken)]])
    one, two = (weights(firms, a, w) for a, w in zip(answered, ("w1", "w2"), strict=True))
    sectors = ["".join(data.draw(st.sampled_from("pq")) for _ in firms) for _ in range(2)]
    rows = [
        contributions(table, y, x, indicator=name)
        for table, y, b in zip((one, two), numbers, below, strict=True)
        for name, x in (("x", 1.0), ("r", b))
    ]
    reg = stack(*(register(firms, w, sector=s) for w, s in zip(("w1", "w2"), sectors, strict=True)))
    definition = indicators({}, {"indicator": "r", "kind": "ratio", "denominator": "y"})
    base = stack(*rows), stack(one, two), reg, definition
    flows, parts = explain(*base, changes=NO_BREAKS, breakdowns=["sector"])
    changed = compare(*base, NO_PAIRS, changes=NO_BREAKS, breakdowns=["sector"])
    key = ["indicator", "breakdown", "group"]
    change = changed.set_index(key)["change"].sort_index()
    total = parts.groupby(key)["value"].agg(lambda terms: terms.sum(skipna=False))
    known = total.notna()
    assert known[:, "all", "all"].all()
    assert total[known].to_dict() == pytest.approx(change[known].to_dict(), abs=1e-9)
    shares = flows.groupby(key)["share"].agg(lambda terms: terms.sum(skipna=False)).dropna()
    assert shares.tolist() == pytest.approx([100] * len(shares))


def test_nothing_is_explained_across_a_break():
    base = *two_waves(range(8), range(8)), indicators()
    flows, parts = explain(*base, changes=breaks(x="w2"), breakdowns=[])
    assert flows.empty
    assert parts.empty
    flows, parts = explain(*base, changes=breaks(x="w1", other="w2"), breakdowns=[])
    assert (len(flows), len(parts)) == (3, 6)


def test_only_the_newest_wave_on_the_one_before():
    tables = [weights(FIRMS, FIRMS, wave) for wave in ("w1", "w2", "w3")]
    rows = [contributions(t, range(8)) for t in tables]
    rows.append(contributions(tables[1], range(8), indicator="old"))
    rows.append(contributions(tables[0], range(8), indicator="skipped"))
    rows.append(contributions(tables[2], range(8), indicator="skipped"))
    reg = stack(*(register(FIRMS, wave) for wave in ("w1", "w2", "w3")))
    definition = indicators({}, {"indicator": "old"}, {"indicator": "skipped"})
    flows, parts = explain(
        stack(*rows), stack(*tables), reg, definition, changes=NO_BREAKS, breakdowns=[]
    )
    for table in (flows, parts):
        assert table[["wave", "previous", "indicator"]].drop_duplicates().to_numpy().tolist() == [
            ["w3", "w2", "x"]
        ]


def test_one_wave_has_nothing_to_explain():
    table = weights(FIRMS, FIRMS)
    base = contributions(table, range(8)), table, register(FIRMS), indicators()
    flows, parts = explain(*base, changes=NO_BREAKS, breakdowns=[])
    assert flows.empty
    assert parts.empty


@pytest.mark.parametrize(("kind", "has"), [("total", False), ("share", True), ("balance", True)])
def test_what_is_made_of_the_firms_own_figures_is_explained(kind, has):
    base = *two_waves([1, 0] * 4, [1, 1] * 4), indicators(kind=kind, numerator="x > 0")
    flows, parts = explain(*base, changes=NO_BREAKS, breakdowns=[])
    assert flows.empty is not has
    assert parts.empty is not has


def test_firms_outside_the_base_or_without_an_answer_do_not_move():
    # b has no answer now; c is outside the base in both waves: a d-h, of which a moves.
    one, two = weights(FIRMS, FIRMS, "w1"), weights(FIRMS, FIRMS, "w2")
    base = "abdefgh"
    rows = stack(
        contributions(one, [1, 2, 3, 4, 5, 6, 7, 8], base=base),
        contributions(two, [2, NAN, 9, 4, 5, 6, 7, 8], base=base),
    )
    reg = stack(register(FIRMS, "w1"), register(FIRMS, "w2"))
    flows, parts = explained(rows, stack(one, two), reg, indicators())
    assert flows.loc[(*ALL, "up"), ["n", "share"]].tolist() == pytest.approx([6, 100 / 6])
    assert parts.loc[(*ALL, "dropped"), "n"] == 1


def test_a_firm_outside_the_base_has_answered_all_the_same():
    # Of u (a-d) all four answered, c and d outside the base; of v (e-h) two: weights 1 and 2. Up go
    # a, e and f, b stays: (1 + 2 + 2) / 6.
    tables = [weights(FIRMS, "abcdef", wave, strata="uuuuvvvv") for wave in ("w1", "w2")]
    rows = [
        contributions(table, y, base="abef")
        for table, y in zip(tables, ([1, 2, 3, 4, 5, 6], [2, 2, 9, 9, 6, 7]), strict=True)
    ]
    reg = stack(register(FIRMS, "w1"), register(FIRMS, "w2"))
    flows, _ = explained(stack(*rows), stack(*tables), reg, indicators())
    assert flows.loc[(*ALL, "up"), ["n", "share"]].tolist() == pytest.approx([4, 500 / 6])


def test_the_order_of_rows_is_of_no_consequence():
    base = two_waves([1, 5, 2, 4, 8], [3, 4, 9, 6], answered=("abcde", "cdef"), sector="ppqqppqq")
    once = explain(*base, indicators(), changes=NO_BREAKS, breakdowns=["sector"])
    shuffled = [table.sample(frac=1, random_state=4) for table in base]
    again = explain(*shuffled, indicators(), changes=NO_BREAKS, breakdowns=["sector"])
    for one, other in zip(once, again, strict=True):
        pd.testing.assert_frame_equal(one, other)

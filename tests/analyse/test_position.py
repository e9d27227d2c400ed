"""Where a firm stands among its peers, by hand."""

import numpy as np
import pandas as pd
import pytest
from small_tables import as_contract, contributions, indicators, register, row_of, stack, weights

from pipeline.analyse import position
from pipeline.tables import Clearance

FIRMS = "abcdefgh"


def cleared(*places, wave="w1", indicator="x"):
    """Clearance of these groups (breakdown, group), all published."""
    rows = [(wave, indicator, *place, 9, "", 1.0) for place in places]
    table = pd.DataFrame(rows, columns=list(Clearance.to_schema().columns))
    return as_contract(Clearance, table)


EVERYBODY = ("all", "all")


def placed(values, places=(EVERYBODY,), *, answered=FIRMS, below=1.0, peers=(), **indicator):
    table = weights(FIRMS, answered)
    reg = register(FIRMS, sector="xxxxyyyy", size="ssllssll")
    rows = contributions(table, values, below)
    result = position(rows, table, reg, indicators(**indicator), cleared(*places), peers=peers)
    return result.set_index("firm_id")


def test_a_firm_among_all_others():
    # Below the firm, and half of those with the same: 0.5, 1.5 (two of 2: 1 + 2 / 2 = 2), ... of 8.
    # The upper quartile is the least value with 6 of 8 up to it: 6.
    found = placed([1, 2, 2, 4, 5, 6, 7, 8])
    assert (found["below"] * 8).to_dict() == pytest.approx(
        {"a": 0.5, "b": 2, "c": 2, "d": 3.5, "e": 4.5, "f": 5.5, "g": 6.5, "h": 7.5}
    )
    assert found["upper_quartile"].unique().tolist() == [6]
    assert found["gap"].tolist() == [5, 4, 4, 2, 1, 0, -1, -2]
    assert found["n"].unique().tolist() == [8]
    assert set(found["group"]) == {"all"}


def test_where_less_is_better_the_best_quarter_is_below():
    # The least value with a quarter up to it is the second of eight: 2.
    found = placed([1, 2, 3, 4, 5, 6, 7, 8], better="lower")
    assert found["upper_quartile"].unique().tolist() == [2]
    assert found["gap"].tolist() == [1, 0, -1, -2, -3, -4, -5, -6]


def test_the_narrowest_group_that_is_cleared_is_a_firm_s_peers():
    places = [("sector", "x"), ("size", "s"), EVERYBODY]
    found = placed(range(1, 9), places, peers=["sector", "size"])
    groups = found[["breakdown", "group"]].agg("=".join, axis=1)
    of_size, of_all = dict.fromkeys("ef", "size=s"), dict.fromkeys("gh", "all=all")
    assert groups.to_dict() == dict.fromkeys("abcd", "sector=x") | of_size | of_all
    # e among a b e f: 1 2 5 6, of which the third has three quarters up to it
    assert found.loc["e", ["n", "value", "below", "upper_quartile", "gap"]].tolist() == [
        *(4, 5, 2.5 / 4, 5, 0)
    ]
    # The order of the breakdowns says which is narrower.
    found = placed(range(1, 9), places, peers=["size", "sector"])
    assert (found.loc["a", "breakdown"], found.loc["c", "breakdown"]) == ("size", "sector")


def test_a_firm_of_which_no_group_is_cleared_has_no_position():
    found = placed(range(1, 9), [("sector", "y")], peers=["sector"])
    assert found.index.tolist() == list("efgh")
    assert placed(range(1, 9), []).empty


def test_peers_count_by_their_weights_and_the_unit_is_the_printed_one():
    # a b of sector x answered, weight 2 each, and all of y: sums 2 2 1 1 1 1 in a design by sector.
    table = weights(FIRMS, "abefgh", strata="xxxxyyyy")
    reg = register(FIRMS)
    rows = contributions(table, [1, 2, 3, 4, 5, 6])
    found = position(
        rows, table, reg, indicators(scale=100.0), cleared(EVERYBODY), peers=[]
    ).set_index("firm_id")
    assert (found["below"] * 8).tolist() == pytest.approx([1, 3, 4.5, 5.5, 6.5, 7.5])
    # 2 4 5 6 of 8 up to 1 2 3 4: 4, times 100
    assert found["upper_quartile"].unique().tolist() == [400]
    assert found.loc["a", ["value", "gap"]].tolist() == [100, 300]


def test_a_ratio_is_a_firm_s_own():
    found = placed(range(2, 18, 2), below=2.0, kind="ratio", denominator="y")
    assert found["value"].tolist() == list(range(1, 9))
    # Who has nothing to divide by has no figure.
    below = [0.0, *[2.0] * 7]
    found = placed(range(2, 18, 2), below=below, kind="ratio", denominator="y")
    assert found.index.tolist() == list("bcdefgh")
    assert found["n"].unique().tolist() == [7]


@pytest.mark.parametrize("kind", ["share", "balance", "total"])
def test_a_firm_has_no_position_among_yes_and_no(kind):
    assert placed([1, 0] * 4, kind=kind, numerator="x > 0").empty


def test_only_the_newest_wave_and_only_indicators_that_it_has():
    one, two = weights(FIRMS, FIRMS, "w1"), weights(FIRMS, FIRMS, "w2")
    rows = stack(
        contributions(one, range(8)),
        contributions(two, range(10, 18)),
        contributions(one, range(8), indicator="old"),
    )
    reg = stack(register(FIRMS, "w1"), register(FIRMS, "w2"))
    clear = stack(
        cleared(EVERYBODY), cleared(EVERYBODY, wave="w2"), cleared(EVERYBODY, indicator="old")
    )
    definition = indicators({}, {"indicator": "old"})
    found = position(rows, stack(one, two), reg, definition, clear, peers=[])
    assert set(found["wave"]) == {"w2"}
    assert set(found["indicator"]) == {"x"}
    assert row_of(found, firm_id="a")["value"] == 10


def test_a_firm_outside_the_base_is_nobody_s_peer():
    table = weights(FIRMS, FIRMS)
    rows = contributions(table, range(1, 9), base="abcd")
    found = position(rows, table, register(FIRMS), indicators(), cleared(EVERYBODY), peers=[])
    assert found["firm_id"].tolist() == list("abcd")
    assert found["n"].unique().tolist() == [4]


def test_a_firm_outside_the_base_has_answered_all_the_same():
    # Of u (a-d) all four answered, c and d outside the base; of v (e-h) two: weights 1 and 2, of 6.
    table = weights(FIRMS, "abcdef", strata="uuuuvvvv")
    rows = contributions(table, [1, 2, 0, 0, 3, 4], base="abef")
    found = position(
        rows, table, register(FIRMS), indicators(), cleared(EVERYBODY), peers=()
    ).set_index("firm_id")
    assert (found["below"] * 6).to_dict() == pytest.approx({"a": 0.5, "b": 1.5, "e": 3, "f": 5})


def test_the_order_of_rows_is_of_no_consequence():
    table = weights(FIRMS, "abcdeg")
    base = contributions(table, [5, 2, 2, 9, 1, 7]), table, register(FIRMS, sector="xyxyxyxy")
    clear = cleared(("sector", "x"), EVERYBODY)
    once = position(*base, indicators(), clear, peers=["sector"])
    shuffled = [t.sample(frac=1, random_state=8) for t in (*base, clear)]
    again = position(*shuffled[:3], indicators(), shuffled[3], peers=["sector"])
    pd.testing.assert_frame_equal(once, again)
    assert not np.isnan(once["below"]).any()

"""Which further groups the attackers' audit closes, end to end from small tables."""

import math

import numpy as np
import pandas as pd
import pytest
from small_tables import (
    NO_PAIRS,
    as_contract,
    contributions,
    indicators,
    register,
    row_of,
    stack,
    weights,
)

from pipeline import analyse
from pipeline.analyse import Rules
from pipeline.errors import DisclosureError
from pipeline.tables import Items, Released

P_10 = Rules(3, 10, 1, 100)
TOTAL = {"kind": "total", "decimals": 0}
NOTHING = as_contract(Released, Released.empty())
FIRMS = "abcdefgh"
OVERLAP = {"one": "11112222", "two": "11111222"}
"""Groups 1 of the two are one firm apart, e; so are groups 2."""
EQUAL = [10.0, 20, 30, 40, 50, 60, 70, 80]


def items(**bounds):
    """Items that are numbers, with their least and greatest value."""
    usual = dict.fromkeys(Items.to_schema().columns, "")
    usual |= {"type": "number", "exclusive": False, "sensitivity": "normal"}
    rows = [
        usual | {"item": name, "minimum": low, "maximum": high}
        for name, (low, high) in bounds.items()
    ]
    return as_contract(Items, pd.DataFrame(rows))


ITEMS = items(x=(0, math.nan))


def ledger(*cells):
    """Released estimates: wave, indicator, breakdown, group."""
    rows = [
        {
            **dict(zip(("wave", "indicator", "breakdown", "group"), cell, strict=True)),
            "release": "w1",
            "edition": 1,
            "number_id": f"{number}",
            "reference": "",
            "statistic": "estimate",
            "value": 1.0,
            "decimals": 0,
            "symbol": "",
            "grade": "A",
        }
        for number, cell in enumerate(cells)
    ]
    return as_contract(Released, pd.DataFrame(rows))


def cleared(rows, reg, definition, groups=OVERLAP):
    """Clearance by the primary rules alone: what is open is for the audit to judge."""
    table = analyse.protect(
        *(rows, reg, definition, NO_PAIRS),
        breakdowns=list(groups),
        rules=Rules(3, 0, 1, 100),
        min_contributors_high=1,
    )
    table["rule"] = table["rule"].where(~table["rule"].isin(["secondary", "part"]), "")
    return table


def small(values=EQUAL, wave="w1", definition=None, indicator="x", **reg):
    """Contributions of eight firms that all answered, and their register."""
    firms = weights(FIRMS, FIRMS, wave)
    rows = contributions(firms, values, indicator=indicator)
    return (
        rows,
        register(FIRMS, wave, **(OVERLAP | reg)),
        indicators(**TOTAL) if definition is None else definition,
    )


def secured(rows, reg, definition, **further):
    """Clearance before and after, the protection and the exposures."""
    before = further.get("clearance")
    before = cleared(rows, reg, definition) if before is None else before
    return before, *analyse.secure(
        *(before, rows, reg, definition, further.get("items", ITEMS)),
        released=further.get("released", NOTHING),
        rules=further.get("rules", P_10),
        known=further.get("known", {}),
    )


def assert_same(one, other):
    pd.testing.assert_frame_equal(pd.DataFrame(one), pd.DataFrame(other))


def closed(clearance, **where):
    """Closed groups with the rule, of the rows with these values."""
    for column, value in where.items():
        clearance = clearance[clearance[column] == value]
    shut = clearance[clearance["rule"] != ""]
    keys = shut["breakdown"] + "=" + shut["group"]
    return dict(zip(keys, shut["rule"], strict=True))


ONE = {"one=1": "attack", "one=2": "attack"}
TWO = {"two=1": "attack", "two=2": "attack"}


def test_of_two_breakdowns_one_firm_apart_one_is_closed():
    # one=1 is a-d, 100, and two=1 a-e, 150: e has 50, to within a step. Any one of the four totals
    # follows from the other breakdown and `all`, so one breakdown goes, which are as dear.
    before, after, protection, exposures = secured(*small())
    assert closed(before) == {}
    assert closed(after) in (ONE, TWO)
    row = row_of(protection, wave="w1", system="x")
    assert row[["cells", "suppressed", "known"]].tolist() == [5, 2, 0]
    # Eight amounts, each from an outsider and from seven other holdings; e is alone in what it is
    # told in, so it must be thought to be smaller, too.
    assert row["attacks"] == (8 + 1) * 8
    assert row["solves"] > 0
    assert 1 <= row["smallest"] <= 10
    columns = [name for name in before if name != "rule"]
    assert_same(before[columns], after[columns])
    # Each of the two would give away e.
    gone = exposures["breakdown"] + "=" + exposures["group"]
    assert dict(zip(gone, exposures["firms"], strict=True)) == dict.fromkeys(closed(after), "e")
    assert set(exposures["wave"] + exposures["indicator"]) == {"w1x"}


def test_rounding_to_hundreds_protects_as_well():
    # 150 - 100 is then 0 to 200: 50 may be 55.
    definition = indicators(kind="total", decimals=0, scale=0.01)
    before, after, protection, _ = secured(*small(definition=definition))
    assert_same(before, after)
    assert protection["suppressed"].tolist() == [0]


def test_a_clean_clearance_stays_as_it_is():
    no_overlap = small(two="11112222")
    before, after, protection, _ = secured(*no_overlap)
    assert_same(before, after)
    assert protection[["cells", "suppressed", "known"]].to_numpy().tolist() == [[5, 0, 0]]


def test_securing_again_changes_nothing():
    tables = small()
    _, once, *_ = secured(*tables)
    _, twice, protection, _ = secured(*tables, clearance=once)
    assert_same(once, twice)
    assert protection[["cells", "suppressed"]].to_numpy().tolist() == [[3, 0]]


@pytest.mark.parametrize(("stays", "gone"), [("one", TWO), ("two", ONE)])
def test_what_was_released_stays(stays, gone):
    told = ledger(("w1", "x", stays, "1"), ("w1", "x", stays, "2"))
    _, after, protection, _ = secured(*small(), released=told)
    assert closed(after) == gone
    assert protection["known"].tolist() == [0]


def test_what_was_released_may_leave_nothing_to_protect():
    told = ledger(("w1", "x", "one", "1"), ("w1", "x", "two", "1"))
    _, after, protection, _ = secured(*small(), released=told)
    # e is known; the rest need not go for it.
    assert closed(after) == {}
    assert protection[["suppressed", "known"]].to_numpy().tolist() == [[0, 1]]


@pytest.mark.parametrize(("stays", "gone"), [("one", TWO), ("two", ONE)])
def test_what_was_closed_a_wave_before_goes_first(stays, gone):
    tables = small(), small(wave="w2")
    rows, reg = (stack(*pair) for pair in list(zip(*tables, strict=True))[:2])
    told = ledger(("w1", "x", stays, "1"), ("w1", "x", stays, "2"))
    _, after, protection, _ = secured(rows, reg, tables[0][2], released=told)
    assert closed(after, wave="w1") == gone
    assert closed(after, wave="w2") == gone
    assert protection["wave"].tolist() == ["w1", "w2"]


def test_who_waived_protection_has_none():
    before, after, *_ = secured(*small(waived="e"))
    assert_same(before, after)
    # Of a holding of which another firm has not, the other one is protected still.
    _, after, *_ = secured(*small(waived="a", holdings="abcdafgh"))
    assert closed(after) in (ONE, TWO)


def test_what_is_public_needs_no_audit():
    tables = small(definition=indicators(**TOTAL, sensitivity="low"))
    before, after, protection, _ = secured(*tables)
    assert_same(before, after)
    assert protection.empty


def test_what_readers_know_anyway_closes_nothing():
    _, after, protection, _ = secured(*small(), known={"x": 1.0})
    assert closed(after) == {}
    assert protection[["attacks", "suppressed", "known"]].to_numpy().tolist() == [[0, 0, 8]]
    # To within 20 % is not enough to be known.
    assert closed(secured(*small(), known={"x": 20.0})[1]) in (ONE, TWO)


def test_a_formula_whose_part_was_closed_goes_with_it():
    formula = {"indicator": "f", "kind": "formula", "numerator": "2 * x"}
    before, after, protection, _ = secured(*small(definition=indicators(TOTAL, formula)))
    assert closed(before, indicator="f") == {}
    gone = closed(after, indicator="x")
    assert gone in (ONE, TWO)
    assert closed(after, indicator="f") == dict.fromkeys(gone, "part")
    assert protection["system"].tolist() == ["x"]


def test_indicators_that_share_an_item_are_audited_together():
    # The mean of one and the total of the other breakdown: neither alone gives e away.
    definition = indicators(TOTAL, {"indicator": "m", "numerator": "x"})
    tables = small(), small(indicator="m")
    rows = stack(tables[0][0], tables[1][0])
    reg = tables[0][1]
    before = cleared(rows, reg, definition)
    other = (before["indicator"] == "m") & (before["breakdown"] == "one")
    other |= (before["indicator"] == "x") & (before["breakdown"] == "two")
    before["rule"] = np.where(other, "p_percent", "")
    _, after, protection, _ = secured(rows, reg, definition, clearance=before)
    assert protection["system"].isin(["m x", "x m"]).tolist() == [True]
    assert protection[["cells", "suppressed"]].to_numpy().tolist() == [[6, 2]]
    new = after[(after["rule"] != "") & ~other]
    assert new["rule"].unique().tolist() == ["attack"]
    assert len(set(new["indicator"])) == 1
    # By themselves both are safe.
    for name in ("x", "m"):
        own = before[before["indicator"] == name].reset_index(drop=True)
        part = rows[rows["indicator"] == name].reset_index(drop=True)
        result = secured(part, reg, definition, clearance=own)
        assert_same(result[0], result[1])


def test_whom_a_cell_gives_away_is_named_with_its_holding():
    # Without e and f, of one holding, two=1 is one=1: e is told as 50 all the same.
    *_, exposures = secured(*small(holdings="abcdeegh"))
    assert set(exposures["firms"]) == {"e f"}


def test_answers_are_audited_apart_from_amounts():
    share = {"indicator": "s", "kind": "share", "numerator": "x > 0", "scale": 100.0, "decimals": 0}
    rows = stack(small()[0], small([1, 1, 0, 0, 1, 0, 1, 0], indicator="s")[0])
    _, after, protection, _ = secured(rows, small()[1], indicators(TOTAL, share))
    assert sorted(protection["system"]) == ["s", "x"]
    # One of f, g and h said yes, which is all but two=1.
    gone = closed(after, indicator="s")
    assert (gone["two=1"], gone["two=2"]) == ("attack", "unanimous")


def test_answers_to_one_item_are_audited_together():
    # Who said up or down did not say none. None of a-d, three of e-h said none; of a-e one.
    up = {"indicator": "b", "kind": "balance", "numerator": "(x == 1) - (x == 2)"}
    none = {"indicator": "n", "kind": "share", "numerator": "x == 3"}
    other = {"indicator": "o", "kind": "share", "numerator": "y == 3"}
    rows = stack(
        small([1, 0, 0, -1, 0, 0, 1, 0], indicator="b")[0],
        small([0, 1, 0, 0, 0, 1, 0, 1], indicator="n")[0],
        small([0, 1, 0, 0, 0, 1, 0, 1], indicator="o")[0],
    )
    scaled = {"scale": 100.0, "decimals": 0}
    definition = indicators(*(each | scaled for each in (up, none, other)))
    *_, protection, _ = secured(rows, small()[1], definition)
    assert sorted(protection["system"]) == ["b n", "o"]


def test_a_share_with_one_solution_is_closed_before_all_else():
    # Four of a-d's weights differ so that 1 and 8 alone make up what is printed; nobody is named.
    share = {"kind": "share", "numerator": "x > 0", "scale": 100.0, "decimals": 0}
    rows, reg, definition = small([1, 0, 0, 1, 1, 0, 1, 0], definition=indicators(share))
    rows["weight"] = [1.0, 2, 4, 8, 3, 3, 3, 3]
    before = cleared(rows, reg, definition)
    before["rule"] = before["rule"].where(before["breakdown"] == "one", "p_percent")
    _, after, protection, exposures = secured(rows, reg, definition, clearance=before)
    assert closed(after, breakdown="one", group="1") == {"one=1": "attack"}
    assert closed(after, breakdown="one", group="2") == {}
    assert exposures["firms"].tolist() == [""]
    assert protection["suppressed"].tolist() == [1]


def test_the_order_of_rows_does_not_matter():
    rows, reg, definition = small()
    before, after, protection, _ = secured(rows, reg, definition)
    rng = np.random.default_rng(1)
    rows, reg = (
        table.iloc[rng.permutation(len(table))].reset_index(drop=True) for table in (rows, reg)
    )
    _, again, audited, _ = secured(rows, reg, definition, clearance=before)
    assert_same(after, again)
    assert_same(protection, audited)


def test_an_error_names_wave_and_indicators():
    # By its bounds y is at most 100 %, so x * y / 100 is at most x; a says 12 of 10.
    part = {"indicator": "p", "numerator": "x * y / 100"} | TOTAL
    rows = stack(small()[0], small([12, *EQUAL[1:]], indicator="p")[0])
    bounds = items(x=(0, math.nan), y=(0, 100))
    with pytest.raises(DisclosureError) as caught:
        secured(rows, small()[1], indicators(TOTAL, part), items=bounds)
    (problem,) = caught.value.problems
    assert (problem.wave, sorted(problem.item.split())) == ("w1", ["p", "x"])

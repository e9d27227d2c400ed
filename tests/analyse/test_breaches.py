"""What released numbers tell against today's rules, and how the others are chosen beside them."""

import pandas as pd
import pytest
from small_tables import NO_PAIRS, as_contract, contributions, indicators, register, weights

from pipeline import analyse
from pipeline.analyse import Rules, breaches
from pipeline.tables import Released

FIRMS = "abcdefghijk"
SECTORS = "xx" + "yyyy" + "zzzzz"
MIN_3, MIN_5 = Rules(3, 0, 1, 100), Rules(5, 0, 1, 100)


def ledger(*places, wave="w1", indicator="x"):
    """A ledger that has shown the estimates of these groups of the sectors (or of `all`)."""
    places = [(("all", "all") if p == "all" else ("sector", p)) for p in places]
    table = pd.DataFrame(places, columns=["breakdown", "group"]).assign(
        release="w1",
        edition=1,
        number_id=[f"{wave}/{indicator}/{b}={g}/estimate" for b, g in places],
        wave=wave,
        indicator=indicator,
        reference="",
        statistic="estimate",
        value=1.0,
        decimals=1,
        symbol="",
        grade="",
    )
    return as_contract(Released, table)


def base(definition=None):
    table = weights(FIRMS, FIRMS)
    rows = contributions(table, range(1, 12))
    reg = register(FIRMS, sector=SECTORS)
    return rows, reg, indicators() if definition is None else definition, NO_PAIRS


def run(stage, told, rules=MIN_3, data=None):
    limits = {"breakdowns": ["sector"], "rules": rules, "min_contributors_high": 1}
    return stage(*(data or base()), told, **limits)


def cleared(told, rules=MIN_3, data=None):
    table = run(analyse.protect, told, rules, data)
    return dict(zip(table["group"], table["rule"], strict=True))


def found(told, rules=MIN_3):
    return list(run(breaches, told, rules).itertuples(index=False, name=None))


def test_nothing_was_released():
    told = ledger()
    assert found(told) == []
    assert cleared(told) == {"all": "", "x": "min_contributors", "y": "secondary", "z": ""}


def test_another_group_gives_way_to_one_that_was_released():
    told = ledger("all", "y")
    assert found(told) == []
    assert cleared(told) == {"all": "", "x": "min_contributors", "y": "", "z": "secondary"}


def test_a_released_group_that_breaks_a_rule_is_named_and_stays():
    # y has four firms. Nothing of it can be hidden any more; x still can.
    told = ledger("all", "y")
    assert found(told, MIN_5) == [("w1", "x", "sector", "y", "min_contributors")]
    assert cleared(told, MIN_5) == {"all": "", "x": "min_contributors", "y": "", "z": "secondary"}


def test_what_released_groups_tell_of_others_is_named():
    # all - y - z = x: it follows, but it is not published itself.
    told = ledger("all", "y", "z")
    assert found(told) == [("w1", "x", "sector", "x", "min_contributors")]
    assert cleared(told) == {"all": "", "x": "min_contributors", "y": "", "z": ""}


@pytest.mark.parametrize("statistic", ["n", "change", "pooled", "trend", "peers_upper"])
def test_a_reader_of_an_old_release_knows_what_an_outsider_does_not(statistic):
    """All and z are told today, and y = all - z - x would be told beside x, or x beside y."""
    outsider, reader = ledger("all"), ledger("all", "y", "z")
    reader.loc[reader["group"] != "all", "statistic"] = statistic
    assert cleared(outsider) == {"all": "", "x": "min_contributors", "y": "secondary", "z": ""}
    assert found(outsider) == []
    # Who has the old release knows y and z, though no estimate of them was printed: so also x.
    assert found(reader) == [("w1", "x", "sector", "x", "min_contributors")]
    assert cleared(reader) == {"all": "", "x": "min_contributors", "y": "", "z": ""}


def test_a_rest_that_is_no_group_is_named_without_one():
    # all - z = x + y, which is no group: six firms, too few where seven are needed; z has five.
    found_by_7 = found(ledger("all", "z"), Rules(7, 0, 1, 100))
    assert ("w1", "x", "", "", "min_contributors") in found_by_7
    assert ("w1", "x", "sector", "z", "min_contributors") in found_by_7
    assert len(found_by_7) == 2


def test_what_is_not_computed_any_more_is_named():
    assert found(ledger("old")) == [("w1", "x", "sector", "old", "")]
    assert found(ledger("all", indicator="dropped")) == [("w1", "dropped", "all", "all", "")]
    # Of a later wave than those of the run nothing can be said.
    assert found(ledger("old", wave="w9")) == []


def test_the_released_group_of_an_item_that_nobody_was_asked_is_named():
    table = weights(FIRMS, FIRMS)
    nobody = contributions(table, range(1, 12), base="")
    limits = {"breakdowns": ["sector"], "rules": MIN_3, "min_contributors_high": 1}
    result = breaches(nobody, *base()[1:], ledger("all"), **limits)
    assert list(result.itertuples(index=False, name=None)) == [("w1", "x", "all", "all", "")]


def test_a_formula_that_was_released_stays():
    table = weights(FIRMS, FIRMS)
    rows = pd.concat(
        [contributions(table, range(1, 12), indicator=name) for name in "uv"], ignore_index=True
    )
    definition = indicators(
        {"indicator": "u"},
        {"indicator": "v"},
        {"indicator": "f", "kind": "formula", "numerator": "u + v"},
    )
    data = rows, base()[1], definition, NO_PAIRS
    told = ledger("x", indicator="f")
    result = run(analyse.protect, told, data=data).set_index(["indicator", "group"])["rule"]
    assert result["f", "x"] == ""
    assert result["u", "x"] == "min_contributors"
    assert result["f", "y"] == "part"

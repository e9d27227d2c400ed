"""Whom each suppressed cell protects: by hand for every rule, and what lies behind secondary."""

import numpy as np
import pandas as pd
from small_tables import (
    NO_PAIRS,
    as_contract,
    contributions,
    indicators,
    register,
    response,
    stack,
    the_response,
    weights,
)

from pipeline import analyse
from pipeline.analyse import Rules
from pipeline.tables import Exposures

MIN_3 = Rules(3, 0, 1, 100)
P_10 = Rules(3, 10, 1, 100)
FIRMS = "abcdefghijk"
SECTORS = "xx" + "yyyy" + "zzzzz"


def explain(rows, reg, definitions=None, *, rules=MIN_3, breakdowns=("sector",)):
    """Clearance and the rows of suppressions by indicator, breakdown and group."""
    options = {"breakdowns": breakdowns, "rules": rules, "min_contributors_high": 1}
    base = rows, reg, indicators() if definitions is None else definitions, NO_PAIRS
    clearance = analyse.protect(*base, **options)
    nothing = as_contract(Exposures, Exposures.empty())
    return clearance, analyse.explain_suppression(*base, clearance, exposures=nothing, **options)


def protected(found, **where):
    for column, value in where.items():
        found = found[found[column] == value]
    columns = ["rule", "protected", "protects", "without"]
    return [tuple(filter(None, row)) for row in found[columns].itertuples(index=False)]


def everybody(values, rules, below=1.0, holdings=None, **indicator):
    """Whom the one cell of firms that all answered protects."""
    firms = FIRMS[: len(values)]
    rows = contributions(weights(firms, firms), values, below)
    reg = register(firms, holdings=holdings)
    _, found = explain(rows, reg, indicators(**indicator), rules=rules, breakdowns=())
    return protected(found)


def test_too_few_protect_each_other_and_the_sibling_protects_them():
    rows = contributions(weights(FIRMS, FIRMS), range(1, 12))
    clearance, found = explain(rows, register(FIRMS, sector=SECTORS))
    assert protected(found, group="x") == [
        ("min_contributors", "contributor", "a"),
        ("min_contributors", "contributor", "b"),
    ]
    assert protected(found, group="y") == [("secondary", "group", "sector=x")]
    closed = clearance[clearance["rule"] != ""]
    assert found["contributors"].tolist() == [2, 2, 4]
    assert set(found["group"]) == set(closed["group"])


def test_the_largest_holding_is_protected():
    # 122 - 100 - 8 = 14 of the two smallest; with 3 and 4 it is 7, less than 10 % of 100.
    assert everybody([8, 100, 3, 4], P_10) == [("p_percent", "contributor", "b")]
    # b and d are one holding of 90, c has 60: what is left, 7, is less than 9.
    assert everybody([4, 50, 60, 40, 3], P_10, holdings="ahchi") == [
        ("p_percent", "contributor", "b d")
    ]


def test_the_amount_that_breaks_the_rule_decides_who_is_the_largest():
    ratio = {"kind": "ratio", "denominator": "y"}
    below, above = [3, 2, 4, 300], [300, 2, 4, 3]
    told = everybody([30, 20, 25, 10], P_10, below, **ratio)
    assert told == [("p_percent", "contributor", "d")]
    told = everybody(above, P_10, [30, 20, 25, 10], **ratio)
    assert told == [("p_percent", "contributor", "a")]


def test_dominance_protects_as_many_as_it_counts():
    # 60 + 30 of 100 is more than 85 %.
    assert everybody([4, 60, 30, 6], Rules(3, 0, 2, 85)) == [
        ("dominance", "contributor", "b"),
        ("dominance", "contributor", "c"),
    ]


def of_group(values, rules, waived, weighted=None):
    """Whom the one cell protects where firms have waived protection of their own share."""
    firms = FIRMS[: len(values)]
    rows = contributions(weights(firms, firms), values)
    if weighted is not None:
        rows["weight"] = np.array(weighted, dtype=float)
    reg = register(firms).assign(waiver=[firm in waived for firm in firms])
    return protected(explain(rows, reg, rules=rules, breakdowns=())[1])


def test_who_has_waived_is_not_protected():
    # a is the largest of all and has waived; the next, b, is told by the others' 3 + 4.
    assert of_group([500, 100, 3, 4], P_10, "a") == [("p_percent", "contributor", "b")]
    # 60 + 30 of 100, of whom b has waived.
    told = of_group([4, 60, 30, 6], Rules(3, 0, 2, 85), "b")
    assert told == [("dominance", "contributor", "c")]
    assert of_group([5, 7], MIN_3, "a") == [("min_contributors", "contributor", "b")]


def test_the_largest_is_that_before_weights_where_they_are_secret():
    # Weighted a has 60 and b 50; unweighted b is the largest, with 50 of a total of 114.
    values, weighted = [20, 50, 2, 2], [3, 1, 1, 1]
    known, secret = (Rules(3, 300, 1, 100, secret_weights=s) for s in (False, True))
    assert of_group(values, known, "", weighted) == [("p_percent", "contributor", "a")]
    assert of_group(values, secret, "", weighted) == [("p_percent", "contributor", "b")]


def test_answers_that_are_alike():
    share = {"kind": "share", "numerator": "x > 0"}
    assert everybody([1, 1, 1, 1, 1], MIN_3, **share) == [("unanimous", "everyone")]
    # c knows that all others said yes.
    assert everybody([1, 1, 0, 1, 1], MIN_3, **share) == [("unanimous", "others", "c")]
    told = everybody([1, 1, 0, 0, 1], MIN_3, holdings="abhhc", **share)
    assert told == [("unanimous", "others", "c d")]
    assert everybody([7, 7, 7, 7], P_10) == [("unanimous", "everyone")]


def test_a_group_without_answers_protects_nobody():
    table = weights(FIRMS, FIRMS)
    rows = contributions(table, range(1, 12), base="cdefgh")
    _, found = explain(rows, register(FIRMS, sector=SECTORS))
    assert protected(found, group="x") == [("min_contributors", "nobody")]
    assert protected(found, group="y") == [("secondary", "group", "sector=z")]


def test_a_rest_that_is_no_group_is_named_by_the_groups_that_leave_it():
    # region p less sector x is f and g, and so is y less q: of the sectors neither may be told.
    rows = contributions(weights(FIRMS, FIRMS), range(1, 12))
    reg = register(FIRMS, sector="xxxxxyyyyyy", region="pppppppqqqq")
    clearance, found = explain(rows, reg, breakdowns=("sector", "region"))
    rules = dict(zip(clearance["group"], clearance["rule"], strict=True))
    assert rules == {"all": "", "x": "secondary", "y": "secondary", "p": "", "q": ""}
    assert protected(found, group="x") == [("secondary", "rest", "region=p", "sector=x")]
    assert protected(found, group="y") == [("secondary", "rest", "sector=y", "region=q")]


def test_a_formula_is_closed_with_its_parts():
    table = weights(FIRMS, FIRMS)
    u = [1, 1, 0, -1, 0, 1, 0, 1, -1, 0, 1]
    rows = stack(
        contributions(table, u, indicator="u"),
        contributions(table, [1, 1, 1, 1, *u[4:]], indicator="v"),
    )
    parts = [{"indicator": name, "kind": "balance"} for name in "uv"]
    formula = {"indicator": "f", "kind": "formula", "numerator": "u + v"}
    _, found = explain(rows, register(FIRMS, sector="xxxxyyyyyyy"), indicators(*parts, formula))
    assert protected(found, indicator="u") == []
    assert protected(found, indicator="v") == [
        ("unanimous", "everyone"),
        ("secondary", "group", "sector=x"),
    ]
    assert protected(found, indicator="f") == [("part", "indicator", "v")] * 2


def test_where_participation_is_secret_other_indicators_protect_it():
    table = weights(FIRMS, "abcdefghi")
    values = [3, 5, 9, 12, 15, 20, 31, 40, 1]
    _, found = explain(
        stack(contributions(table, values, indicator="amount"), response(table)),
        register(FIRMS, sector="xxxxyyyyyyy"),
        indicators({"indicator": "amount"}, the_response("normal")),
    )
    assert protected(found, indicator="response") == [
        ("unanimous", "everyone"),
        ("secondary", "group", "sector=x"),
    ]
    assert protected(found, indicator="amount") == [("secondary", "indicator", "response")] * 2


def random_study(seed, waves=("w1", "w2"), count=60):
    """Firms at random: amounts, answers, two breakdowns and their crossing, some holdings."""
    random = np.random.default_rng(seed)
    firms = [f"f{number:02}" for number in range(count)]
    holdings = [f"h{number % 7}" if number < 14 else firm for number, firm in enumerate(firms)]
    tables, registers = [], []
    for wave in waves:
        size = random.choice(list("1234"), count, p=[0.5, 0.3, 0.15, 0.05])
        field = random.choice(list("ABC"), count, p=[0.6, 0.3, 0.1])
        crossing = [f"{a}*{b}" for a, b in zip(field, size, strict=True)]
        groups = {"size": size, "field": field, "field*size": crossing}
        registers.append(register(firms, wave, holdings, **groups))
        answered = [firm for firm in firms if random.random() < 0.8]
        table = weights(firms, answered, wave)
        amount = np.round(np.exp(random.normal(8, 1.2, len(answered))), 2)
        yes = random.random(len(answered)) < 0.3
        tables += [
            contributions(table, amount, indicator="amount"),
            contributions(table, yes.astype(float), indicator="yes"),
        ]
    definitions = indicators(
        {"indicator": "amount"},
        {"indicator": "yes", "kind": "share", "numerator": "x > 0"},
        {"indicator": "both", "kind": "formula", "numerator": "amount + yes"},
    )
    return stack(*tables), stack(*registers), definitions


BREAKDOWNS = ("size", "field", "field*size")


def test_every_suppressed_cell_of_the_newest_wave_and_no_other():
    for seed in range(3):
        rows, reg, definitions = random_study(seed)
        clearance, found = explain(rows, reg, definitions, rules=P_10, breakdowns=BREAKDOWNS)
        cell = ["indicator", "breakdown", "group", "rule", "contributors"]
        closed = clearance[(clearance["wave"] == "w2") & (clearance["rule"] != "")]
        assert len(closed) > 15
        expected = closed[cell].sort_values(cell).to_numpy().tolist()
        assert found[cell].drop_duplicates().sort_values(cell).to_numpy().tolist() == expected
        assert set(found["wave"]) == {"w2"}


def test_the_order_of_rows_tells_nothing():
    rows, reg, definitions = random_study(5)
    once = explain(rows, reg, definitions, rules=P_10, breakdowns=BREAKDOWNS)
    shuffled = [t.sample(frac=1, random_state=6) for t in (rows, reg)]
    again = explain(*shuffled, definitions, rules=P_10, breakdowns=BREAKDOWNS)
    for one, other in zip(once, again, strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_a_cell_closed_by_the_audit_protects_whom_it_would_give_away():
    rows = contributions(weights(FIRMS, FIRMS), range(1, 12))
    base = rows, register(FIRMS, sector=SECTORS), indicators(), NO_PAIRS
    options = {"breakdowns": ("sector",), "rules": MIN_3, "min_contributors_high": 1}
    clearance = analyse.protect(*base, **options)
    audited = clearance["group"] == "z"
    clearance["rule"] = clearance["rule"].mask(audited, "attack")
    exposed = clearance.loc[audited, ["wave", "indicator", "breakdown", "group"]]
    exposures = as_contract(Exposures, exposed.assign(firms="g h").reset_index(drop=True))
    found = analyse.explain_suppression(*base, clearance, exposures=exposures, **options)
    assert protected(found, group="z") == [("attack", "contributor", "g h")]
    nobody = exposures.assign(firms="")
    found = analyse.explain_suppression(*base, clearance, exposures=nobody, **options)
    assert protected(found, group="z") == [("attack", "everyone")]

"""A draft beside the ledger: earlier numbers stay, what differs is a revision, symbols stand in."""

import math

import pandas as pd
from small_tables import as_contract

from pipeline.analyse.released import as_released, facts_of, revisions
from pipeline.tables import Release, Released

NAN = math.nan
GROUPS = pd.DataFrame({"breakdown": ["all", "size", "size"], "group": ["all", "1", "2"]})


def rows(*numbers, decimals=1):
    """Numbers `wave place statistic value-or-symbol [grade]` of the indicator x."""
    found = []
    for wave, place, statistic, shown, *grade in numbers:
        breakdown, _, group = place.partition("=")
        symbol = shown if isinstance(shown, str) else ""
        found.append(
            {
                "number_id": f"{wave}/x/{place}/{statistic}",
                "wave": wave,
                "indicator": "x",
                "breakdown": breakdown,
                "group": group or "all",
                "reference": "",
                "statistic": statistic,
                "value": NAN if symbol else float(shown),
                "decimals": decimals,
                "symbol": symbol,
                "grade": grade[0] if grade else "",
            }
        )
    return pd.DataFrame(found)


def release(*numbers, **options):
    return as_contract(Release, rows(*numbers, **options))


def ledger(*editions, wave="w1"):
    tables = [rows(*numbers).assign(edition=n) for n, numbers in enumerate(editions, 1)]
    return as_contract(Released, pd.concat(tables).assign(release=wave))


def printed(table):
    return {
        number_id.split("/", 2)[2]: symbol or value
        for number_id, value, symbol in zip(
            table["number_id"], table["value"], table["symbol"], strict=True
        )
    }


def status(draft, released):
    table = revisions(draft, released).set_index("number_id")
    return {
        number_id.split("/", 2)[2]: (row["status"], row["written"])
        for number_id, row in table.to_dict("index").items()
    }


def test_a_released_number_of_an_earlier_wave_stays():
    draft = release(("w1", "all", "estimate", 5.2, "B"), ("w2", "all", "estimate", 6.2, "B"))
    told = ledger([("w1", "all", "estimate", 4.9, "A"), ("w2", "all", "estimate", 6.0)])
    result = as_released(draft, told, wave="w2").set_index("number_id")
    assert result.loc["w1/x/all/estimate", ["value", "grade"]].tolist() == [4.9, "A"]
    assert result.loc["w2/x/all/estimate", ["value", "grade"]].tolist() == [6.2, "B"]


def test_decimals_are_those_of_the_number_that_was_printed():
    draft = release(("w1", "all", "estimate", 5.23), decimals=2)
    (row,) = as_released(draft, ledger([("w1", "all", "estimate", 4.9)]), wave="w2").to_dict(
        "records"
    )
    assert (row["value"], row["decimals"]) == (4.9, 1)


def test_what_was_suppressed_stays_so_with_its_interval_and_count():
    draft = release(
        ("w1", "size=1", "estimate", 5.2, "B"),
        ("w1", "size=1", "ci_low", 4.0),
        ("w1", "size=1", "n", 12),
        ("w1", "size=1", "pooled", 5.0, "B"),
        ("w1", "size=2", "estimate", 3.3, "B"),
    )
    told = ledger([("w1", "size=1", "estimate", "c")])
    assert printed(as_released(draft, told, wave="w2")) == {
        "size=1/estimate": "c",
        "size=1/ci_low": "c",
        "size=1/n": "c",
        "size=1/pooled": "c",
        "size=2/estimate": 3.3,
    }
    # In its own wave the draft shows what it comes to.
    assert printed(as_released(draft, told, wave="w1")) == printed(draft)


def test_an_uncertain_estimate_says_nothing_of_the_mean_of_two_waves():
    draft = release(("w1", "all", "estimate", "u"), ("w1", "all", "pooled", 5.0))
    told = ledger([("w1", "all", "estimate", "u")])
    assert printed(as_released(draft, told, wave="w2")) == {"all/estimate": "u", "all/pooled": 5.0}


def test_how_numbers_stand():
    draft = release(
        ("w1", "all", "estimate", 5.2, "B"),
        ("w1", "all", "ci_low", 4.0),
        ("w1", "all", "ci_high", 6.0),
        ("w1", "size=1", "estimate", "c"),
        ("w1", "size=1", "ci_low", "c"),
        ("w1", "size=2", "estimate", "c"),
        ("w1", "size=2", "n", "c"),
    )
    told = ledger(
        [
            ("w1", "all", "estimate", 5.2, "B"),
            ("w1", "all", "ci_low", 4.1),
            ("w1", "size=1", "estimate", 2.0),
            ("w1", "size=1", "ci_low", 1.0),
        ]
    )
    assert status(draft, told) == {
        "all/estimate": ("unchanged", False),
        "all/ci_low": ("changed", True),
        "all/ci_high": ("new", True),
        # Both were shown, so both have a row that says that they are not any more.
        "size=1/estimate": ("changed", True),
        "size=1/ci_low": ("changed", True),
        # Never shown: one row for the figure.
        "size=2/estimate": ("suppressed", True),
        "size=2/n": ("suppressed", False),
    }


def test_another_grade_is_a_change():
    draft = release(("w1", "all", "estimate", 5.2, "B"))
    told = ledger([("w1", "all", "estimate", 5.2, "A")])
    assert status(draft, told) == {"all/estimate": ("changed", True)}


def test_the_last_edition_counts():
    draft = release(("w1", "all", "estimate", 5.2))
    first, second = [("w1", "all", "estimate", 5.2)], [("w1", "all", "estimate", 5.4)]
    assert status(draft, ledger(first, second)) == {"all/estimate": ("changed", True)}
    assert status(draft, ledger(second, first)) == {"all/estimate": ("unchanged", False)}


def test_facts_are_what_any_edition_showed():
    told = ledger(
        [
            ("w1", "all", "estimate", 5.2),
            ("w1", "size=1", "estimate", 2.0),
            ("w1", "size=2", "estimate", "c"),
            ("w1", "size=9", "estimate", 2.0),
            ("w2", "size=2", "change", 1.0),
        ],
        [("w1", "size=1", "estimate", "c")],
    )
    (found,) = facts_of(told, GROUPS).items()
    assert (found[0], found[1].tolist()) == (("w1", "x"), [True, True, False])

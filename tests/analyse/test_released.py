"""A draft beside the ledger: what was released stays, others are added, symbols stand in."""

import math

import pandas as pd
import pytest
from small_tables import as_contract

from pipeline.analyse.released import as_released, facts_of
from pipeline.tables import Release, Released

NAN = math.nan
GROUPS = pd.DataFrame({"breakdown": ["all", "size", "size"], "group": ["all", "1", "2"]})


def rows(*numbers, decimals=1):
    """Numbers `wave place statistic value-or-symbol [grade]` of the indicator x.

    A place is `all`, `breakdown=group` or `breakdown=group:reference`.
    """
    found = []
    for wave, place, statistic, shown, *grade in numbers:
        breakdown, _, group = place.partition("=")
        group, _, reference = group.partition(":")
        symbol = shown if isinstance(shown, str) else ""
        found.append(
            {
                "number_id": f"{wave}/x/{place}/{statistic}",
                "wave": wave,
                "indicator": "x",
                "breakdown": breakdown,
                "group": group or "all",
                "reference": reference,
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


def kept(draft, told, changed=()):
    """What a draft prints beside a ledger."""
    return printed(as_released(draft, told, changed=changed)[0])


def status(draft, told, changed=()):
    table = as_released(draft, told, changed=changed)[1].set_index("number_id")
    return {
        number_id.split("/", 2)[2]: (row["status"], row["written"])
        for number_id, row in table.to_dict("index").items()
    }


@pytest.mark.parametrize("wave", ["w1", "w2"])
def test_a_released_number_stays_in_every_wave(wave):
    """Nine firms where eight were released: 9 * 12.0 - 8 * 8.5 = 40 would tell the ninth."""
    draft = release((wave, "all", "estimate", 12.0, "B"), (wave, "all", "n", 9))
    told = ledger([(wave, "all", "estimate", 8.5, "A"), (wave, "all", "n", 8)], wave=wave)
    result, _ = as_released(draft, told, changed=[])
    assert printed(result) == {"all/estimate": 8.5, "all/n": 8}
    assert result["grade"].tolist() == ["A", ""]
    assert status(draft, told) == {"all/estimate": ("changed", False), "all/n": ("changed", False)}


def test_decimals_are_those_of_the_number_that_was_printed():
    draft = release(("w1", "all", "estimate", 5.23), decimals=2)
    result, _ = as_released(draft, ledger([("w1", "all", "estimate", 4.9)]), changed=[])
    (row,) = result.to_dict("records")
    assert (row["value"], row["decimals"]) == (4.9, 1)


def test_what_was_shown_stays_although_it_would_be_suppressed_today():
    draft = release(("w1", "all", "estimate", "c"))
    assert kept(draft, ledger([("w1", "all", "estimate", 4.9)])) == {"all/estimate": 4.9}


def test_what_was_suppressed_stays_so_with_all_that_is_made_of_it():
    draft = release(
        ("w1", "size=1", "estimate", 5.2, "B"),
        ("w1", "size=1", "ci_low", 4.0),
        ("w1", "size=1", "n", 12),
        ("w1", "size=1", "pooled", 5.0, "B"),
        ("w1", "size=2", "estimate", 3.3, "B"),
        ("w1", "size=2:1", "difference", -1.9, "B"),
    )
    told = ledger([("w1", "size=1", "estimate", "c")])
    assert kept(draft, told) == {
        "size=1/estimate": "c",
        "size=1/ci_low": "c",
        "size=1/n": "c",
        "size=1/pooled": "c",
        "size=2/estimate": 3.3,
        "size=2:1/difference": "c",
    }
    result, stands = as_released(draft, told, changed=[])
    assert result.loc[result["symbol"] == "c", "grade"].tolist() == [""] * 5
    assert stands.loc[stands["written"], "number_id"].tolist() == ["w1/x/size=2/estimate"]


def test_no_later_number_tells_what_was_suppressed():
    told = ledger(
        [
            ("w1", "all", "estimate", "c"),
            ("w1", "size=1", "estimate", 5.0),
            ("w2", "all", "estimate", 6.0),
            ("w2", "size=1", "estimate", 6.0),
            ("w2", "size=1", "change", 1.0),
        ]
    )
    draft = release(
        ("w1", "all", "estimate", 5.0),  # clear today, but it was suppressed
        ("w1", "size=1", "estimate", 5.0),
        ("w2", "all", "estimate", 6.0),
        ("w2", "all", "change", 1.0),
        ("w2", "size=1", "estimate", 6.0),
        ("w2", "size=1:rest", "difference", 0.5),
        ("w3", "all", "estimate", 7.0),
        ("w3", "all", "change", 1.0),
        ("w3", "all", "trend", 1.0),
        ("w3", "size=1", "trend", 1.0),
        ("w3", "size=1:rest", "difference", 0.5),
    )
    result, stands = as_released(draft, told, changed=[])
    hidden = result.loc[result["symbol"] == "c", "number_id"]
    assert hidden.tolist() == ["w1/x/all/estimate", "w2/x/all/change", "w3/x/all/trend"]
    new = stands.loc[stands["written"], "number_id"].tolist()
    assert new == [
        "w2/x/size=1:rest/difference",
        "w3/x/all/estimate",
        "w3/x/all/change",
        "w3/x/size=1/trend",
        "w3/x/size=1:rest/difference",
    ]


def test_nothing_new_is_told_of_a_wave_whose_files_have_changed():
    told = ledger([("w1", "all", "estimate", 5.0), ("w1", "size=1", "estimate", 5.0)])
    draft = release(
        ("w1", "all", "estimate", 5.0),
        ("w1", "all", "n", 9),
        ("w1", "size=1", "estimate", 5.0),
        ("w1", "size=2", "estimate", "u"),
        ("w1", "size=3", "estimate", "x"),
        ("w2", "all", "estimate", 6.0),
        ("w2", "all", "change", 1.0),
        ("w2", "all", "pooled", 5.5),
        ("w3", "all", "estimate", 7.0),
        ("w3", "all", "change", 1.0),
        ("w3", "all", "trend", 1.0),
    )
    result, stands = as_released(draft, told, changed=["w1"])
    shown = result["value"].astype(object).mask(result["symbol"] != "", result["symbol"])
    lines = zip(shown, stands["status"], stands["written"], strict=True)
    assert list(lines) == [
        (5.0, "unchanged", False),
        ("c", "withheld", False),
        (5.0, "unchanged", False),
        ("c", "suppressed", False),
        ("x", "suppressed", False),
        (6.0, "new", True),
        ("c", "withheld", False),
        ("c", "withheld", False),
        (7.0, "new", True),
        (1.0, "new", True),
        ("c", "withheld", False),
    ]
    # The files are back: it may be told, as no ledger has it.
    assert set(status(draft, told).values()) >= {("new", True), ("unchanged", False)}
    assert "c" not in kept(draft, told).values()


@pytest.mark.parametrize(
    ("statistic", "today", "stays"),
    [
        ("n", 9, False),
        ("n", 8, True),
        ("estimate", 8.0, False),
        ("estimate", "x", False),
        ("estimate", 5.0, True),
        ("estimate", "u", True),  # another threshold, of the same figure
    ],
)
def test_nothing_new_is_told_of_an_indicator_that_comes_out_differently(statistic, today, stays):
    """The raw files may be the same, and a rule for answers or a definition another one."""
    then = 8 if statistic == "n" else 5.0
    told = ledger([("w1", "all", statistic, then)])
    draft = release(("w1", "all", statistic, today), ("w1", "size=1", "estimate", 6.0))
    other = draft[draft["group"] == "1"].assign(indicator="y", number_id="w1/y/size=1/estimate")
    draft = as_contract(Release, pd.concat([draft, other]))
    shown = as_released(draft, told, changed=[])[0].set_index("number_id")["symbol"]
    assert shown["w1/x/size=1/estimate"] == ("" if stays else "c")
    assert shown["w1/y/size=1/estimate"] == ""


def test_another_interval_leaves_new_numbers_alone():
    told = ledger([("w1", "all", "change_significant", 1), ("w1", "all", "ci_low", 4.0)])
    draft = release(
        ("w1", "all", "change_significant", 0),
        ("w1", "all", "ci_low", 4.2),
        ("w1", "size=1", "estimate", 6.0),
    )
    assert list(kept(draft, told).values()) == [1, 4.0, 6.0]


def test_an_uncertain_estimate_says_nothing_of_the_mean_of_two_waves():
    draft = release(("w1", "all", "estimate", "u"), ("w1", "all", "pooled", 5.0))
    told = ledger([("w1", "all", "estimate", "u")])
    assert kept(draft, told) == {"all/estimate": "u", "all/pooled": 5.0}


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
        "all/ci_low": ("changed", False),
        "all/ci_high": ("new", True),
        "size=1/estimate": ("changed", False),
        "size=1/ci_low": ("changed", False),
        # Never shown: one row for the figure.
        "size=2/estimate": ("suppressed", True),
        "size=2/n": ("suppressed", False),
    }


def test_another_grade_is_a_change():
    draft = release(("w1", "all", "estimate", 5.2, "B"))
    told = ledger([("w1", "all", "estimate", 5.2, "A")])
    assert status(draft, told) == {"all/estimate": ("changed", False)}


def test_of_several_rows_the_last_counts():
    draft = release(("w1", "all", "estimate", 5.2))
    first, second = [("w1", "all", "estimate", 5.2)], [("w1", "all", "estimate", 5.4)]
    assert kept(draft, ledger(first, second)) == {"all/estimate": 5.4}
    assert kept(draft, ledger(second, first)) == {"all/estimate": 5.2}


def facts(*numbers):
    """Groups that a ledger tells of, by wave."""
    found = facts_of(ledger(list(numbers)), GROUPS)
    names = ["all", "1", "2"]
    return {
        wave: [name for name, is_told in zip(names, told, strict=True) if is_told]
        for (wave, _), told in found.items()
        if told.any()
    }


def test_facts_are_what_any_edition_showed():
    told = ledger(
        [
            ("w1", "all", "estimate", 5.2),
            ("w1", "size=1", "estimate", 2.0),
            ("w1", "size=2", "estimate", "c"),
            ("w1", "size=9", "estimate", 2.0),
        ],
        [("w1", "size=1", "estimate", "c")],
    )
    (found,) = facts_of(told, GROUPS).items()
    assert (found[0], found[1].tolist()) == (("w1", "x"), [True, True, False])


def test_a_mean_of_two_waves_tells_of_both():
    """(v + 40) / 2 = 45: v is 50, though it was too uncertain to be shown by itself."""
    numbers = [
        ("2024", "size=1", "estimate", "u"),
        ("2025", "size=1", "estimate", "u"),
        ("2026", "size=1", "estimate", 40.0),
    ]
    assert facts(*numbers) == {"2026": ["1"]}
    assert facts(*numbers, ("2026", "size=1", "pooled", 45.0)) == {"2025": ["1"], "2026": ["1"]}
    assert facts(*numbers, ("2026", "size=1", "pooled_n", 9)) == {"2025": ["1"], "2026": ["1"]}
    assert facts(*numbers, ("2026", "size=1", "pooled_n", 0)) == {"2026": ["1"]}


def test_a_change_tells_of_the_wave_that_it_is_on():
    numbers = [("w1", "size=1", "estimate", "u"), ("w2", "size=1", "estimate", "u")]
    numbers += [("w3", "size=1", "estimate", "x"), ("w4", "size=1", "estimate", 3.0)]
    assert facts(*numbers, ("w4", "size=1", "change_low", 1.0)) == {"w2": ["1"], "w4": ["1"]}
    assert facts(*numbers, ("w4", "size=1", "change", "u")) == {"w4": ["1"]}


def test_a_trend_tells_of_all_waves_before():
    numbers = [(f"w{n}", "size=1", "estimate", "u") for n in range(5)]
    numbers += [("w1", "size=2", "estimate", "u")]
    told = facts(*numbers, ("w3", "size=1", "trend", 1.0))
    assert told == {"w0": ["1"], "w1": ["1"], "w2": ["1"], "w3": ["1"]}


@pytest.mark.parametrize("statistic", ["difference", "difference_high", "adjusted"])
def test_a_difference_tells_of_its_reference(statistic):
    assert facts(("w1", "size=1:2", statistic, 1.0)) == {"w1": ["1", "2"]}
    assert facts(("w1", "size=1:rest", statistic, 1.0)) == {"w1": ["all", "1"]}


def test_a_count_tells_of_its_group_and_a_quartile_too():
    assert facts(("w1", "size=2", "n", 5)) == {"w1": ["2"]}
    assert facts(("w1", "size=2", "n", 0)) == {}
    assert facts(("w1", "all", "peers_middle", 5.0)) == {"w1": ["all"]}

"""The simulation of coverage: its draws, its counting, and the page that quotes it."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

BENCH = Path(__file__).resolve().parents[1] / "bench"
sys.path.append(str(BENCH))  # at the end: bench/coverage.py is not the package of that name

from coverage_census import WAVES, census, leaning, moved, respond  # noqa: E402
from coverage_page import MANY, PAGE, TABLE, filled  # noqa: E402
from coverage_peers import covered, stacked  # noqa: E402
from coverage_tally import Found, Tally  # noqa: E402
from population.make import DEFAULT_SEED, truth  # noqa: E402

_spec = importlib.util.spec_from_file_location("bench_coverage", BENCH / "coverage.py")
assert _spec is not None
assert _spec.loader is not None
bench = importlib.util.module_from_spec(_spec)
sys.modules["bench_coverage"] = bench
_spec.loader.exec_module(bench)


def test_the_page_quotes_the_table() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert filled(page, pd.read_csv(TABLE)) == page
    assert page.count("<!-- end -->") == 6


def test_truth_is_that_of_the_study() -> None:
    known = truth(DEFAULT_SEED).set_index(["wave", "breakdown", "group", "indicator"])["value"]
    firms = census("2026")
    for kind, item, factor in (
        ("balance", "I05", 100),
        ("climate", "I07", 100),
        ("share", "I03", 100),
        ("ratio", "I02", 1),
        ("mean", "I14", 1),
    ):
        for domain, place in (("all", ("all", "all")), ("size 2", ("size", "2"))):
            expected = known["2026", *place, item]
            assert factor * firms.truth(kind, item, domain) == pytest.approx(expected), item


def test_truth_of_a_median_and_a_total() -> None:
    firms = census("2026")
    staff = np.sort(firms.above["median", "A03"])
    assert firms.truth("median", "A03", "all") == staff[124]  # the 125th of 250
    assert firms.truth("total", "A03", "all") == staff.sum()


def test_overlap_and_rates_are_as_wanted() -> None:
    chain = [census(wave) for wave in WAVES[2:]]
    for overlap in (None, 0.6, 0.9):
        drawn = [respond(np.random.default_rng(seed), chain, overlap) for seed in range(400)]
        rate = np.mean([answered for _, answered in drawn], axis=0)
        by_size = pd.Series(rate).groupby(chain[1].register["size"].to_numpy()).mean()
        assert by_size.to_numpy() == pytest.approx([0.41, 0.46, 0.54], abs=0.015)
        both = [np.isin(chain[1].ids[b], chain[0].ids[a]).mean() for a, b in drawn]
        # by chance sum(rate^2) / sum(rate) of those on both registers: 0.445 less the newcomers
        assert np.mean(both) == pytest.approx(0.434 if overlap is None else overlap, abs=0.012)


def test_one_firm_in_ten_has_moved() -> None:
    firms = census("2026")
    other = moved(firms, 0.12)
    assert 0.08 < (other.strata != firms.strata).mean() < 0.12
    assert sorted(other.strata) != sorted(firms.strata)
    assert (other.register["size"] == [label[0] for label in other.strata]).all()


def test_leaning_keeps_the_rate_of_the_stratum() -> None:
    firms = census("2026")
    chance = leaning(firms, 0.2, 0.4)
    by_stratum = pd.DataFrame({"chance": chance, "rate": firms.rate}).groupby(firms.strata).mean()
    assert by_stratum["chance"].to_numpy() == pytest.approx(by_stratum["rate"], abs=0.01)
    good = firms.above["balance", "I05"] == 1
    assert chance[good].mean() > chance[~good].mean() + 0.15


def test_tally_by_hand() -> None:
    """Two items of all firms, two replications.

    a holds once, b always: by item 1/2 and 1. Error of a: h = (1, 0), u = (1, 1), c = 1/2,
    sqrt((1/2)^2 + (1/2)^2) / 2 = 0.354. b has no interval in the second replication.
    """
    cells = pd.DataFrame({"kind": "mean", "item": ["a", "b"], "domain": "all", "truth": [1.0, 2.0]})
    tally = Tally(cells)
    first = Found(*map(np.array, ([0.5, 1.0], [1.5, 3.0], [1.2, 2.5], [0.1, 0.5], [60, 60])))
    tally.add(first)
    tally.add(replace(first, low=np.array([1.1, np.nan]), high=np.array([1.5, np.nan])))
    table = tally.table().set_index("item")
    assert table["coverage"].to_dict() == {"a": 0.5, "b": 1.0}
    assert table["error"].to_dict() == pytest.approx({"a": np.sqrt(0.5) / 2, "b": 0.0})
    assert table["intervals"].to_dict() == {"a": 2, "b": 1}
    assert table["without"].to_dict() == {"a": 0, "b": 1}
    assert table["above_truth"].to_dict() == {"a": 0.5, "b": 0.0}
    assert table["mean_z"].to_dict() == pytest.approx({"a": 2.0, "b": 1.0})
    assert set(table["answers"]) == {"50 and more"}


def test_an_exact_interval_holds_the_truth_up_to_rounding() -> None:
    cells = pd.DataFrame({"kind": ["mean"], "item": "a", "domain": "size 1", "truth": 0.3})
    tally = Tally(cells)
    exact = np.array([0.1 + 0.2])
    tally.add(Found(exact, exact, exact, np.zeros(1), np.array([9])))
    row = tally.table().iloc[0]
    assert (row["coverage"], row["domain"], row["answers"]) == (1.0, "domains", "below 10")


def test_every_scenario_runs_and_repeats() -> None:
    for scenario in bench.scenarios():
        tally, r = bench.simulate((scenario, range(1)))
        again, _ = bench.simulate((scenario, range(1)))
        assert np.array_equal(tally.sums, again.sums), scenario
        assert tally.sums[0].sum() > 0
        assert len(r) == (scenario.part == "d")


def test_other_packages_are_judged_by_the_same_measure() -> None:
    """Two replications: widths 1 and 3 about 0.5 with the truth 0; lengths beside ours of 2."""
    rows = pd.DataFrame(
        {
            "setting": "60 %",
            "package": ["Mittelwelle"] * 2 + ["other"] * 2,
            "way": ["covariance"] * 2 + ["stacked"] * 2,
            "replication": [0, 1, 0, 1],
            "item": "y0",
            "change": 0.5,
            "se": [2.0, 2.0, 0.1, 3.0],
            "df": 100,
        }
    )
    table = covered(rows, {"y0": 0.0}).set_index("package")
    assert table["coverage"].to_dict() == {"Mittelwelle": 1.0, "other": 0.5}
    assert table["length"].to_dict() == pytest.approx({"Mittelwelle": 1.0, "other": 3.1 / 4})


def test_stacked_waves_have_one_stratum_a_firm() -> None:
    chain = tuple(census(wave) for wave in WAVES[2:])
    answers = respond(np.random.default_rng(1), list(chain), 0.6)
    table = stacked(chain, answers)
    assert len(table) == sum(answered.sum() for answered in answers)
    assert not table.groupby("firm")["first"].nunique().gt(1).any()
    of_wave = table.groupby("wave")["weight"].sum()
    assert of_wave.to_numpy() == pytest.approx([250, 250])


def test_intervals_hold_what_is_required() -> None:
    """Between 93 and 97 % for means, shares and balances of 30 answers and more, and changes."""
    table = pd.read_csv(TABLE)
    kept = table[table["answers"].isin(MANY) & table["part"].isin(["a", "b"])]
    kept = kept[kept["kind"].isin(["mean", "share", "balance"]) & (kept["intervals"] >= 500)]
    assert len(kept) > 300
    # within twice the error of the simulation itself
    low, high = kept["coverage"] + 2 * kept["error"], kept["coverage"] - 2 * kept["error"]
    assert kept[(low < 0.93) | (high > 0.97)].empty


def test_other_response_fails_visibly() -> None:
    table = pd.read_csv(TABLE)
    rows = table[table["part"] == "d"].set_index(["setting", "weights", "item"])
    assert rows.loc[("by the answer", "response", "I05"), "coverage"] < 0.2
    assert rows.loc[("by both", "calibrated", "I05"), "coverage"] < 0.2
    assert rows.loc[("by events", "response", "I21"), "coverage"] < 0.2
    assert rows.loc[("by events", "calibrated", "I21"), "coverage"] > 0.93
    r = rows.groupby("setting")["r"].first()
    assert r["by both"] < r["by stratum"] - 0.2
    assert abs(r["by the answer"] - r["by stratum"]) < 0.05

"""Random populations through the engine of a run, and what audits of their own find.

Counted over more of them in `bench/populations.csv` (`bench/populations.py`).
"""

import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from random_populations import findings, made
from random_surveys import ANSWER, Indicator, Survey, audited, cleared, of_totals, surveyed

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench"
sys.path.append(str(BENCH))

from disclosure_page import PAGE, TABLES, filled  # noqa: E402

EXACTLY = 1e-6


def survey(indicators, amounts, cells=("xxx",), weight=1.0, holdings=None):
    """Firms a column, cells a row; every firm a holding unless they are given."""
    n = len(cells[0])
    held = np.arange(n) if holdings is None else np.array(holdings)
    inside = np.array([[letter == "x" for letter in cell] for cell in cells])
    named = {name: np.array(values, dtype=float) for name, values in amounts.items()}
    each = [
        Indicator(kind, y, x, np.full(len(cells), float(unit))) for kind, y, x, unit in indicators
    ]
    return Survey(inside, held, np.broadcast_to(float(weight), n), named, each, None)


def known(surveyed_firms):
    """Readers and what they know, where all cells are published."""
    open_cells = np.ones((len(surveyed_firms.indicators), len(surveyed_firms.cells)), dtype=bool)
    return sorted(audited(surveyed_firms, open_cells))


def test_the_audit_of_a_total_by_hand():
    # b knows 114 - 8 = 106 for a and c, so a is at most 106: 10 % need 110. c sees 108 for a.
    assert known(survey([("total", "y", "", EXACTLY)], {"y": [100, 8, 6]})) == [
        "1 knows [0] too closely",
        "2 knows [0] too closely",
    ]
    # To ten: 105 to 115. b then sees at most 115 - 8 = 107 for a, and c 109.
    assert len(known(survey([("total", "y", "", 10)], {"y": [100, 8, 6]}))) == 2
    # To twenty: 114 is told as 120, 110 to 130. b sees at most 122 for a, c 124.
    assert known(survey([("total", "y", "", 20)], {"y": [100, 8, 6]})) == []


def test_the_audit_of_a_holding_by_hand():
    # b and c are one holding: it knows a = 114 - 14, and a sees that they have 14 together.
    found = known(survey([("total", "y", "", EXACTLY)], {"y": [100, 8, 6]}, holdings=[0, 1, 1]))
    assert found == ["0 knows [1 2] too closely", "1 knows [0] too closely"]


def test_the_audit_of_a_ratio_by_hand():
    # x is known to half: 150 at most. y/x of one firm is told as 50 % to a point: y is 24.75 (49.5
    # % of 50) to 75.75 (50.5 % of 150), so neither is known to 10 %.
    ratio, total = ("ratio", "y", "x", 1), ("total", "x", "", 1)
    assert known(survey([ratio], {"y": [50], "x": [100]}, cells=["x"])) == []
    # With the total of x, 99.5 to 100.5, y is 50.75 at most.
    found = known(survey([ratio, total], {"y": [50], "x": [100]}, cells=["x"]))
    assert found == ["None knows [0] too closely", "None knows [1] too closely"]


def test_the_audit_of_answers_by_hand():
    # 71 % of a weight of 10.5 are 7.4 to 7.5: 1 + 2.5 + 4 and no other sum of these weights. So all
    # four answers are known to an outsider, and to each firm those of the three others.
    weights, answers = np.array([1, 2.5, 4, 3]), {ANSWER: [1, 1, 1, 0]}
    firms = survey([("share", ANSWER, "", 1)], answers, cells=["xxxx"])
    firms = firms._replace(weight=weights)
    assert len(known(firms)) == 4 + 4 * 3
    # Of equal weights 50 % leaves each answer open, but tells a firm nothing of who is like it.
    answers = {ANSWER: [1, 1, 0, 0]}
    assert known(survey([("share", ANSWER, "", 1)], answers, cells=["xxxx"])) == []
    # Three of four: the one who said no knows the others' answers.
    answers = {ANSWER: [1, 1, 1, 0]}
    found = known(survey([("share", ANSWER, "", 1)], answers, cells=["xxxx"]))
    assert found == [f"3 knows what {firm} said" for firm in range(3)]


@pytest.mark.parametrize("seed", range(5_000, 5_012))
@pytest.mark.parametrize("unit", [EXACTLY, 10.0])
def test_nothing_is_known_of_totals_that_a_run_leaves(seed, unit):
    firms = of_totals(made(seed), unit)
    assert list(audited(firms, cleared(firms).published)) == []


@pytest.mark.parametrize("seed", range(5_000, 5_004))
def test_nothing_is_known_of_ratios_that_a_run_leaves(seed):
    firms = surveyed(seed, "ratio")
    assert list(audited(firms, cleared(firms).published)) == []


@pytest.mark.parametrize("coarse", [False, True])
def test_no_answer_follows_of_those_that_a_run_leaves(coarse):
    found = {"eliminated": 0, "published": 0}
    for seed in range(5_000, 5_010):
        firms = surveyed(seed, "share", coarse=coarse)
        left = cleared(firms)
        for step in found:
            found[step] += len([*audited(firms, getattr(left, step))])
    assert found["eliminated"] > 0
    assert found["published"] == 0


def test_a_programme_without_a_clear_end_is_solved_in_another_way():
    firms = surveyed(488, "ratio")  # ended as "unknown" twice
    assert list(audited(firms, cleared(firms).published)) == []


def test_the_audits_are_no_formality():
    # Seeds from 5,000 on, as above: without the repair some of each kind are known.
    for make, count in ((lambda seed: of_totals(made(seed), EXACTLY), 12), (ratios, 4)):
        of_each = (make(seed) for seed in range(5_000, 5_000 + count))
        assert any(any(audited(firms, cleared(firms).eliminated)) for firms in of_each)


def ratios(seed):
    return surveyed(seed, "ratio")


def test_totals_that_are_unsafe_by_themselves_do_not_follow():
    for seed in range(5_000, 5_005):
        population = made(seed)
        published = cleared(of_totals(population, EXACTLY)).published[0]
        assert not [text for text in findings(population, published) if text.startswith("cell")]


def test_most_is_told_of_what_protects_nobody():
    # Firms of 50, 60 … 160, and of the six smallest: nobody is large beside the others.
    total = [("total", "y", "", 1)]
    firms = survey(total, {"y": np.arange(50, 170, 10)}, cells=["x" * 12, "xxxxxx......"])
    assert cleared(firms).published.all()


def test_the_counts_are_those_of_all_engines():
    counted = pd.read_csv(BENCH / "populations.csv").set_index("engine")
    assert list(counted.index) == ["totals", "amounts", "rounded", "ratios", "shares", "coarse"]
    assert (counted["populations"] >= 100).all()
    assert (counted["failed"] == 0).all()
    assert (counted["findings"].drop("coarse") == 0).all()
    # What several shares do together is not decided by whole answers.
    assert counted.loc["coarse", "affected"] <= counted.loc["coarse", "populations"] / 200
    assert (counted["without_repair"] > counted["populations"] / 10).all()
    assert (counted["primary_only"] >= counted["without_repair"]).all()


def test_the_page_quotes_the_tables():
    page = PAGE.read_text(encoding="utf-8")
    tables = (pd.read_csv(BENCH / f"{name}.csv") for name in ("kept", "populations"))
    assert filled(page, *tables) == page, "run bench/disclosure_page.py"
    assert len(re.findall("<!-- end -->", page)) == len(TABLES)


def test_each_step_leaves_no_more_than_the_one_before():
    kept = pd.read_csv(BENCH / "kept.csv")
    assert (kept["cells"] >= kept["primary"]).all()
    assert (kept["primary"] >= kept["elimination"]).all()
    assert (kept["elimination"] >= kept["audit"]).all()
    waves = kept[kept["part"] == "wave"]
    # The most that can be left: at least what elimination leaves, no more than the bound.
    assert (waves["least"] >= waves["of_elimination"]).all()
    assert (waves["least"] <= waves["bound"] + 1e-6).all()
    assert (waves["of_primary"] >= waves["least"]).all()
    one, every = waves[waves["name"] != "all"], waves[waves["name"] == "all"].iloc[0]
    for column in ("cells", "audit", "answers", "attacks", "solves"):
        assert one[column].sum() == every[column]
    newest = kept[kept["part"] == "breakdown"]
    assert newest["cells"].sum() == one["cells"].iloc[-1]

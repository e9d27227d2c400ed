"""Random populations, secured, in which an audit of its own finds nothing.

Those of `bench/populations.py` are counted in `bench/populations.csv`.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from random_populations import RULES, findings, made

from pipeline.disclosure.totals import leaks, secure

COUNTED = Path(__file__).resolve().parents[2] / "bench" / "populations.csv"


@pytest.mark.parametrize("tenth", range(10))
def test_readers_of_secured_populations_know_too_little(tenth):
    told = 0
    for seed in range(5_000 + 10 * tenth, 5_000 + 10 * tenth + 10):
        population = made(seed)
        secured = secure(
            population.matrix, population.values, population.holdings, RULES, population.cost
        )
        assert findings(population, secured.published) == [], seed
        told += secured.published.sum()
    assert told > 0


@pytest.mark.parametrize("seed", range(7_000, 7_003))
def test_larger_populations_of_which_more_is_told(seed):
    population = made(seed, firms=(25, 40))
    secured = secure(
        population.matrix, population.values, population.holdings, RULES, population.cost
    )
    assert secured.published.mean() > 0.1
    assert findings(population, secured.published) == []


@pytest.mark.parametrize("seed", range(6_000, 6_010))
def test_both_audits_agree_where_something_leaks(seed):
    population = made(seed)
    cells, (_, values, holdings) = population.matrix, population
    rng = np.random.default_rng(seed)
    secured = secure(cells, values, holdings, RULES, population.cost)
    further = np.flatnonzero(~secured.published & (secured.rule != "min_contributors"))
    for published in (
        secured.published | np.isin(secured.rule, ["secondary", "attack"]),
        secured.published | (secured.rule == "attack"),
        secured.published | np.isin(np.arange(cells.shape[0]), rng.permutation(further)[:1]),
    ):
        found = findings(population, published)
        assert bool(found) == bool(leaks(cells, values, holdings, RULES, published)), found


def test_more_populations_were_counted():
    counted = pd.read_csv(COUNTED).set_index("engine").loc["totals"]
    number = counted["populations"]
    assert number >= 100
    assert counted["findings"] == 0
    # The audit is no formality: without the repair it finds something in most of them.
    assert counted["without_repair"] > number / 2
    assert counted["primary_only"] >= counted["without_repair"]
    assert counted["attack"] > 0

"""The made-up population: what it must contain."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from population import make as study
from population.answers import draw_answers, routing
from population.draws import WAVES
from population.firms import draw_firms
from population.instrument import asked_in
from population.make import DEFAULT_SEED, Wave
from population.records import COMPLETE, KEY
from population.response import draw_response
from population.sites import DISTRICTS, SMALL_DISTRICT

NETWORK = ("G04", "G05", "G06", "G07")
MISSING = ("", "-9", "-77", "-96", "-97", "-98", "-99")


def firms_of(wave: Wave) -> pd.DataFrame:
    """Register and true answers side by side, with whether a record came in, by firm id."""
    table = pd.concat([wave.register, wave.answers], axis=1).set_index("firm_id")
    return table.assign(answered=table["disposition"].isin(["1", "2"]))


def eligible(wave: Wave, population: str) -> pd.DataFrame:
    table = firms_of(wave)
    return table[(table["scope"] == "1") & (table["population"] == population)]


def value(truth: pd.DataFrame, wave: str, indicator: str) -> float:
    rows = truth[(truth["breakdown"] == "all") & (truth["wave"] == wave)]
    return float(rows.set_index("indicator")["value"].loc[[indicator]].sum())


@pytest.mark.parametrize("name", WAVES)
def test_the_populations_have_their_sizes(waves: dict[str, Wave], name: str) -> None:
    here, optics, elsewhere = (eligible(waves[name], p) for p in "123")
    assert (len(here), len(optics)) == (250, 150)
    assert 100 <= here["answered"].sum() <= 120
    assert 60 <= optics["answered"].sum() <= 80
    if name in ("2024", "2026"):
        assert len(elsewhere) == 1480
        assert 80 <= elsewhere["answered"].sum() <= 100
    else:
        assert elsewhere.empty


@pytest.mark.parametrize("name", ["2024", "2026"])
def test_the_sample_elsewhere_stands_for_its_frame(waves: dict[str, Wave], name: str) -> None:
    table = waves[name].register
    table = table[table["population"] == "3"].assign(d=lambda t: t["design_weight"].astype(float))
    assert (table["d"] > 0).sum() == 200
    by_stratum = table.groupby(["size", "field_group"])["d"].agg(["sum", "size"])
    np.testing.assert_allclose(by_stratum["sum"], by_stratum["size"], rtol=1e-5)
    assert set(table.loc[table["d"] == 0, "disposition"]) == {"5", "6"}


@pytest.mark.parametrize("name", WAVES)
def test_one_firm_dominates_each_district(waves: dict[str, Wave], name: str) -> None:
    table = eligible(waves[name], "1")
    for column in ("A03", "A04"):
        ordered = table.sort_values(column, ascending=False).groupby("district")[column]
        first, second = ordered.nth(0).to_numpy(), ordered.nth(1).to_numpy()
        assert len(first) == len(DISTRICTS)
        assert (first > second).all()
    assert (table.groupby("district")["A04"].agg(lambda a: a.max() / a.sum()) > 0.3).all()


def test_two_holdings_and_an_enterprise_with_several_sites(waves: dict[str, Wave]) -> None:
    for wave in waves.values():
        holdings = wave.register["holding"].value_counts()
        assert holdings.drop("").to_dict() == {"H-01": 4, "H-02": 3, "H-03": 3}


@pytest.mark.parametrize("name", WAVES)
def test_one_enterprise_answers_for_three_sites(waves: dict[str, Wave], name: str) -> None:
    sites = eligible(waves[name], "1").query("holding == 'H-03'")
    assert len(sites) == 3
    opinions = sites.filter(regex="^(B05|B06|B07|C0|D0[2-6]|E02|E05|F01|G0|H0)")
    assert opinions.eq(opinions.iloc[0]).where(opinions.notna(), other=True).all(axis=None)
    assert sites["A03"].is_unique
    assert sites["A04"].is_unique
    assert sites["answered"].sum() in (0, 3)


@pytest.mark.parametrize("name", WAVES)
def test_in_one_stratum_everybody_answers_and_in_one_nobody(
    waves: dict[str, Wave], name: str
) -> None:
    rate = (
        eligible(waves[name], "1")
        .groupby(["size", "field_group"])["answered"]
        .agg(["mean", "size"])
    )
    assert rate.loc[[("1", "3"), ("2", "3")]].to_numpy().tolist() == [[1.0, 9.0], [0.0, 6.0]]
    assert rate.drop([("1", "3"), ("2", "3")])["mean"].between(0.1, 0.95).all()


@pytest.mark.parametrize("name", WAVES)
def test_those_who_came_to_events_answer_more_often(waves: dict[str, Wave], name: str) -> None:
    table = eligible(waves[name], "1")
    rate = table.groupby("events")["answered"].mean()
    assert rate["1"] > rate["2"] + 0.1
    used = table.assign(used=table["G06"].notna()).groupby("events")["used"].mean()
    assert used["1"] > 0.6
    assert used["2"] < 0.2


def test_events_go_with_answers_on_the_network_and_no_others() -> None:
    firms = draw_firms(1)
    events = draw_response(1, firms).events
    pairs = zip(draw_answers(1, firms, events), draw_answers(1, firms, ~events), strict=True)
    for as_drawn, reversed_ in pairs:
        others = [item for item in as_drawn if not str(item).startswith(NETWORK)]
        pd.testing.assert_frame_equal(as_drawn[others], reversed_[others])
        assert not as_drawn["G04"].equals(reversed_["G04"])


def test_who_answered_before_answers_more_often(waves: dict[str, Wave]) -> None:
    rates = []
    for before, now in pairwise(WAVES):
        earlier = eligible(waves[before], "1")["answered"]
        table = eligible(waves[now], "1").join(earlier.rename("before"), how="inner")
        rates.append(table.groupby("before")["answered"].mean())
    mean = pd.concat(rates, axis=1).mean(axis=1)
    assert mean[True] > mean[False] + 0.1


def test_the_smallest_district_loses_exactly_one_firm(waves: dict[str, Wave]) -> None:
    before, now = (
        eligible(waves[name], "1").query(f"district == '{SMALL_DISTRICT}'")
        for name in ("2025", "2026")
    )
    (left,) = set(before.index) - set(now.index)
    assert set(now.index) < set(before.index)
    assert before["answered"].loc[left]
    assert set(before.index[before["answered"]]) - set(now.index[now["answered"]]) == {left}
    assert left not in set(waves["2026"].register["firm_id"])
    stayed = now.index[now["answered"]]
    for item in ("B06", "F01"):
        first, second = (_texts(waves[name], item).loc[stayed] for name in ("2025", "2026"))
        assert first.tolist() == second.tolist()
        assert not first.isin(MISSING).any()
    unchanged = ["size", "field", "tier"]
    assert before.loc[now.index, unchanged].equals(now[unchanged])


def test_true_nulls_and_one_true_change(waves: dict[str, Wave], truth: pd.DataFrame) -> None:
    for indicator in ("I09", "I19"):
        assert value(truth, "2025", indicator) == value(truth, "2026", indicator)
    assert value(truth, "2025", "I15") == 14.0  # 35 of 250
    assert value(truth, "2026", "I15") == 24.4  # 61 of 250
    before, now = (eligible(waves[name], "1")["F01"] for name in ("2025", "2026"))
    both = before.index.intersection(now.index)
    assert (before[both] != now[both]).mean() > 0.1


def test_successions_name_firms_of_the_registers(waves: dict[str, Wave]) -> None:
    table, _ = study.draw_waves(DEFAULT_SEED)
    assert table["continues"].tolist() == ["yes", "", "yes"]
    for wave, firm_id, successor, _ in table.to_numpy().tolist():
        before = WAVES[WAVES.index(wave) - 1]
        earlier, now = (set(waves[name].register["firm_id"]) for name in (before, wave))
        assert firm_id in earlier - now
        assert successor in now - earlier
    merged = table[table["wave"] == "2025"].set_index("continues")["firm_id"]
    people = firms_of(waves["2024"])["A03"]
    assert people[merged["yes"]] >= people[merged[""]]


def test_firms_change_size_and_field_and_come_and_go(waves: dict[str, Wave]) -> None:
    for before, now in pairwise(WAVES):
        earlier, later = (eligible(waves[name], "1") for name in (before, now))
        both = earlier.index.intersection(later.index)
        assert (earlier.loc[both, "size"] != later.loc[both, "size"]).sum() == 2
        assert (earlier.loc[both, "field"] != later.loc[both, "field"]).sum() == 1
        assert 5 <= len(later.index.difference(both)) <= 8
    for wave in waves.values():
        out = wave.register[wave.register["scope"] != "1"]
        assert set(out.loc[out["population"] == "1", "scope"]) == {"2", "3"}
        assert set(out["disposition"]) == {"5"}


def test_questions_stay_unanswered_more_often_in_larger_sites() -> None:
    missing = {size: [0, 0] for size in "123"}
    for seed in range(1, 4):
        for wave in study.draw_waves(seed)[1]:
            size = wave.register.set_index("firm_id")["size"]
            for record in wave.dirt.records:
                if record[COMPLETE] and record[KEY] in size.index:
                    answers = [record[item] for item in ("C01", "C02", "D03", "A04", "D01")]
                    missing[size[record[KEY]]][0] += sum(text in MISSING for text in answers)
                    missing[size[record[KEY]]][1] += len(answers)
    small, medium, large = (lost / asked for lost, asked in missing.values())
    assert 0.01 < small < medium < large < 0.15


@pytest.mark.parametrize("name", WAVES)
def test_true_answers_follow_the_routing(waves: dict[str, Wave], name: str) -> None:
    values = waves[name].answers
    led = routing(values)
    for column in asked_in(name):
        if column.question in led:
            assert values[column.item].notna().equals(led[column.question]), column.item
    parts = values[["B02", "B03", "B04"]].sum(axis=1)[values["B01"] > 0]
    assert set(parts) == {100.0}
    assert (values.loc[values["B02"] == 0, "E04"] == 0).all()
    assert ((values["A05"] == 9) == (values["B01"] == 0)).all()
    for question in ("B07", "D05", "E02", "G01", "G02", "G03", "G05", "G08"):
        others = values.filter(regex=rf"^{question}_(?!99$)").sum(axis=1, min_count=1)
        assert ((others == 0) == (values[f"{question}_99"] == 1))[others.notna()].all()


def _texts(wave: Wave, item: str) -> pd.Series[str]:
    """Texts of an item by key, the first record of each."""
    texts = pd.Series({record[KEY]: record[item] for record in reversed(wave.dirt.records)})
    return texts.astype("str")

"""The made-up population: what it must contain, its truth, and the files that are committed."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from population import make as study
from population.answers import draw_answers, routing
from population.draws import WAVES
from population.exports import FILES, key_heading
from population.firms import DISTRICTS, SMALL_DISTRICT, draw_firms
from population.instrument import asked_in, column_map, headings
from population.make import DEFAULT_SEED, Wave
from population.records import COMPLETE, KEY
from population.response import draw_response
from population.truth import true_values

ROOT = Path(__file__).resolve().parents[2]
RAW = ROOT / "data" / "raw"
NETWORK = ("G04", "G05", "G06", "G07")
MISSING = ("", "-9", "-77", "-96", "-97", "-98", "-99")


@pytest.fixture(scope="module")
def waves() -> dict[str, Wave]:
    return {wave.name: wave for wave in study.draw_waves(DEFAULT_SEED)[1]}


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    return study.truth(DEFAULT_SEED)


def firms_of(wave: Wave) -> pd.DataFrame:
    """Register and true answers side by side, with whether a record came in, by firm id."""
    table = pd.concat([wave.register, wave.values], axis=1).set_index("firm_id")
    return table.assign(answered=table["disposition"].isin(["1", "2"]))


def eligible(wave: Wave, population: str) -> pd.DataFrame:
    table = firms_of(wave)
    return table[(table["scope"] == "1") & (table["population"] == population)]


def value(truth: pd.DataFrame, wave: str, indicator: str) -> float:
    rows = truth[(truth["breakdown"] == "all") & (truth["wave"] == wave)]
    return float(rows.set_index("indicator").at[indicator, "value"])


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
        by_district = table.groupby("district")[column]
        assert by_district.ngroups == len(DISTRICTS)
        first, second = by_district.nlargest(2).groupby(level=0).agg(["max", "min"]).to_numpy().T
        assert (first > 1.3 * second).all()
    assert (table.groupby("district")["A04"].agg(lambda a: a.max() / a.sum()) > 0.3).all()


def test_two_holdings_and_an_enterprise_with_several_sites(waves: dict[str, Wave]) -> None:
    for wave in waves.values():
        holdings = wave.register["holding"].value_counts()
        assert holdings.drop("").to_dict() == {"H-01": 4, "H-02": 3, "H-03": 3}


@pytest.mark.parametrize("name", WAVES)
def test_one_enterprise_answers_for_three_sites(waves: dict[str, Wave], name: str) -> None:
    sites = eligible(waves[name], "1").query("holding == 'H-03'")
    assert len(sites) == 3
    opinions = [c for c in sites if c[0] in "BCDEFGH" and c.startswith(("B06", "B07", "C", "G"))]
    assert (sites[opinions].nunique(dropna=False) == 1).all()
    assert sites["A03"].nunique() == 3
    assert sites["A04"].nunique() == 3
    assert sites["answered"].nunique() == 1


@pytest.mark.parametrize("name", WAVES)
def test_in_one_stratum_everybody_answers_and_in_one_nobody(
    waves: dict[str, Wave], name: str
) -> None:
    rate = (
        eligible(waves[name], "1")
        .groupby(["size", "field_group"])["answered"]
        .agg(["mean", "size"])
    )
    assert rate.loc[("1", "3")].tolist() == [1.0, 9]
    assert rate.loc[("2", "3")].tolist() == [0.0, 6]
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
        others = [item for item in as_drawn if not item.startswith(NETWORK)]
        pd.testing.assert_frame_equal(as_drawn[others], reversed_[others])
        assert not as_drawn["G04"].equals(reversed_["G04"])


def test_who_answered_before_answers_more_often(waves: dict[str, Wave]) -> None:
    rates = []
    for before, now in zip(WAVES, WAVES[1:], strict=False):
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
    assert before.at[left, "answered"]
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
    assert value(truth, "2026", "I15") == 23.2  # 58 of 250
    both = eligible(waves["2025"], "1").join(eligible(waves["2026"], "1"), rsuffix="_now")
    assert (both["F01"] != both["F01_now"])[both["F01_now"].notna()].mean() > 0.1


def test_successions_name_firms_of_the_registers(waves: dict[str, Wave]) -> None:
    table, _ = study.draw_waves(DEFAULT_SEED)
    assert table["continues"].tolist() == ["yes", "", "yes"]
    for line in table.itertuples():
        earlier, now = (
            set(waves[name].register["firm_id"]) for name in (str(int(line.wave) - 1), line.wave)
        )
        assert line.firm_id in earlier - now
        assert line.successor in now - earlier
    merged = table[table["wave"] == "2025"].set_index("continues")["firm_id"]
    people = firms_of(waves["2024"])["A03"]
    assert people[merged["yes"]] >= people[merged[""]]


def test_firms_change_size_and_field_and_come_and_go(waves: dict[str, Wave]) -> None:
    for before, now in zip(WAVES, WAVES[1:], strict=False):
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
    values = waves[name].values
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


def test_truth_by_hand() -> None:
    """Three firms in scope and one closed; turnover 10, 30 and 60, employees 10, 90 and 100."""
    register = pd.DataFrame(
        {
            "firm_id": list("abcd"),
            "population": "1",
            "scope": ["1", "1", "1", "2"],
            "field": ["1", "1", "2", "2"],
            "size": ["1", "2", "2", "2"],
            "district": "06531",
            "tier": "3",
            "section": ["C", "C", "J", "C"],
        }
    )
    items = [c.item for c in asked_in("2026")]
    values = pd.DataFrame(0.0, index=range(4), columns=items).assign(
        A03=[10, 90, 100, 999],
        A04=[10, 30, 60, 999],
        B01=[50, 100, 0, 100],
        B02=[20, 60, np.nan, 100],
        E01=[1, 0, 4, 999],
        E04=[10, 50, np.nan, 100],
        C01=[1, 3, 3, 1],
        C02=[1, 2, 1, 1],
        C05=[4, 1, 3, 4],
        D03=[5, 2, 5, 5],
        D04=[1, 4, 4, 4],
        G05_2=[1, 0, 0, 1],
        G05_99=[0, 1, np.nan, 0],
        G07=[3, np.nan, np.nan, 1],
    )
    table = true_values("2026", register, values)
    every = table[table["breakdown"] == "all"].set_index("indicator")
    expected = {
        "I01": 35.0,  # (10·50 + 30·100 + 60·0) / 100
        "I02": 100 * 19 / 35,  # (5·0.2 + 30·0.6) / (5 + 30)
        "I05": -100 / 3,  # one good, two poor, of three
        "I06": 200 / 3,
        "I07": np.sqrt((200 - 100 / 3) * (200 + 200 / 3)) - 200,
        "I08": 0.0,  # one up, one down; none is neutral
        "I08_none": 100 / 3,
        "I14": 2.0,  # min(5, 1 + 1) and min(2, 4 + 1) in section C
        "I16": 100 * 5 / 205,
        "I18": 46.0,  # (10·10 + 90·50) / (10 + 90)
        "I21": 100 / 3,
        "I22": 100.0,
    }
    for indicator, number in expected.items():
        assert every.at[indicator, "value"] == pytest.approx(number), indicator
    assert set(every["population"]) == {3}
    crossed = table[(table["breakdown"] == "field*size") & (table["indicator"] == "I01")]
    assert dict(zip(crossed["group"], crossed["value"], strict=True)) == {
        "1*1": 50.0,
        "1*2": 100.0,
        "2*2": 0.0,
    }
    users = table[(table["breakdown"] == "field") & (table["indicator"] == "I22")]
    assert users["group"].tolist() == ["1"]  # nobody of field 2 used a measure


def test_truth_has_every_indicator_and_group(truth: pd.DataFrame) -> None:
    assert not truth.duplicated(["wave", "indicator", "breakdown", "group"]).any()
    first, newest = (set(truth.loc[truth["wave"] == wave, "indicator"]) for wave in WAVES[::3])
    numbered = {f"I{n:02}" for n in range(1, 24)} | {"I08_none"}
    rows, topics = {f"I24_{r}" for r in "abcdefgh"}, {f"I25_{n}" for n in range(1, 10)}
    assert newest == numbered | rows | topics
    assert newest - first == {"I04", "I15", "I16", "I17", "I18", "I24_h"}
    of_2026 = truth[(truth["wave"] == "2026") & (truth["indicator"] == "I05")]
    groups = {b: set(t["group"]) for b, t in of_2026.groupby("breakdown")}
    assert groups["all"] == {"all"}
    assert groups["district"] == set(DISTRICTS)
    assert groups["size"] == {p + s for p in ("", "2*", "3*") for s in "123"}
    assert groups["population"] == {"2", "3"}
    assert {"1*1", "5*2"} < groups["field*size"]


def test_the_true_climate_reads_like_life(truth: pd.DataFrame) -> None:
    assert -36 < value(truth, "2025", "I07") < -24
    assert value(truth, "2025", "I07") < value(truth, "2026", "I07") < value(truth, "2023", "I07")
    burdens = truth[(truth["wave"] == "2026") & (truth["breakdown"] == "all")]
    burdens = burdens[burdens["indicator"].str.startswith("I24")].sort_values("value")
    assert burdens["indicator"].iloc[-1] == "I24_c"


def test_dirt_of_every_kind_and_little_of_it(waves: dict[str, Wave]) -> None:
    table = study.dirt_list(DEFAULT_SEED)
    kinds = table.groupby("kind")["wave"].nunique()
    assert len(kinds) == 18
    assert (kinds == len(WAVES)).all()
    for name, wave in waves.items():
        records = len(wave.dirt.records)
        touched = table.loc[table["wave"] == name, "firm_id"].nunique()
        assert touched < 0.2 * records
        keys = {record[KEY] for record in wave.dirt.records}
        strangers = keys - set(wave.register["firm_id"])
        assert len(strangers) == 3
        assert {"TEST-01", "TEST-02"} < strangers


@pytest.mark.parametrize("name", WAVES)
def test_every_cell_to_be_corrected_reads_as_the_correction_says(name: str) -> None:
    table = _read(name).set_index(key_heading(name))
    with (RAW / name / "corrections.csv").open(encoding="utf-8", newline="") as file:
        corrections = list(csv.DictReader(file))
    assert len(corrections) == 5
    for line in corrections:
        assert str(table.at[line["firm_id"], line["column"]]) == line["found"]


@pytest.mark.parametrize("name", WAVES)
def test_exports_have_the_columns_of_their_tool(waves: dict[str, Wave], name: str) -> None:
    table = _read(name)
    assert set(headings(name).values()) < set(table.columns)
    assert table.columns.is_unique
    assert max(map(len, table.columns)) < 255
    assert len(table) == len(waves[name].dirt.records)


def test_csv_exports_are_in_the_dialect_of_their_tool() -> None:
    panel = (RAW / "2023" / FILES["2023"]).read_bytes()
    assert "Österreich".encode("cp1252") in panel
    assert b";-77;" in panel
    assert panel.count(b"\n") == panel.count(b"\r\n")
    for name in ("2024", "2026"):
        content = (RAW / name / FILES[name]).read_bytes()
        assert content.startswith(b'\xef\xbb\xbf"id","submitdate"')
        assert content.endswith(b'"\r\n\r\n')


def test_the_workbook_has_typed_cells() -> None:
    book = openpyxl.load_workbook(RAW / "2025" / FILES["2025"])
    (sheet,) = book.worksheets
    rows = list(sheet.iter_rows(values_only=True))
    by_item = {str(heading).split(".")[0]: k for k, heading in enumerate(rows[0])}
    assert {type(row[by_item["A03"]]) for row in rows[1:]} >= {int, type(None)}
    assert any(isinstance(row[by_item["A04"]], float) for row in rows[1:])
    assert all(isinstance(row[by_item["A01"]], str) for row in rows[1:] if (row[1] or "") != "")
    assert {"Y", "N"} <= {row[by_item["B07[3]"]] for row in rows[1:]}


def test_columns_csv_maps_every_heading_that_is_not_its_item() -> None:
    path = ROOT / "schemas" / "questionnaire" / "columns.csv"
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    assert lines[0] == ["wave", "column", "item"]
    assert [tuple(line) for line in lines[1:]] == column_map(WAVES)


def test_the_same_seed_gives_the_committed_files_whatever_the_hash_seed(tmp_path: Path) -> None:
    script = Path(study.__file__)
    for hash_seed in ("1", "2"):
        command = [sys.executable, script, "--folder", tmp_path / hash_seed]
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        subprocess.run(command, check=True, env=environment)
    first, second = (_files(tmp_path / hash_seed) for hash_seed in "12")
    assert first == second
    for name, content in first.items():
        assert _unpacked(content) == _unpacked((ROOT / name).read_bytes()), name
    committed = {p.relative_to(ROOT) for p in RAW.rglob("*") if p.is_file()}
    assert committed == {name for name in first if name.parts[0] == "data"}
    assert sum(len(content) for content in first.values()) < 6_000_000


def test_another_seed_gives_another_population(truth: pd.DataFrame) -> None:
    assert value(study.truth(1), "2026", "I05") != value(truth, "2026", "I05")


def _texts(wave: Wave, item: str) -> pd.Series[str]:
    """Texts of an item by key, the first record of each."""
    texts = pd.Series({record[KEY]: record[item] for record in reversed(wave.dirt.records)})
    return texts.astype("str")


def _read(name: str) -> pd.DataFrame:
    path = RAW / name / FILES[name]
    if path.suffix == ".xlsx":
        return pd.read_excel(path, dtype=object)
    options = {"sep": ";", "encoding": "cp1252"} if name == "2023" else {"encoding": "utf-8-sig"}
    return pd.read_csv(path, dtype=str, keep_default_na=False, **options)


def _files(folder: Path) -> dict[Path, bytes]:
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def _unpacked(content: bytes) -> bytes | dict[str, bytes]:
    """The content, of a workbook its parts: compression differs between builds of zlib."""
    if not content.startswith(b"PK"):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}

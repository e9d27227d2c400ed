"""The true value of every indicator, from what all firms in scope would have answered.

Written from the definitions of the study, not from the pipeline's code. Columns: wave, indicator,
breakdown, group, population (firms in scope of the group), value; shares, ratios and balances in
per cent or points. Domains are those of the register of the wave: `all`, single columns and
`field*size` of population 1, sizes of the others as `2*1`, `3*1`, and `population` 2 and 3. A group
in which nobody belongs to the indicator's base has no row.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

Parts = dict[str, tuple["pd.Series[float]", "pd.Series[float]"]]
BREAKDOWNS = ("field", "size", "district", "tier")
TARGET = "1"
FOUR_POINTS = "2023"
SITUATION, EXPECTATION, CLIMATE = "I05", "I06", "I07"


def true_values(wave: str, register: pd.DataFrame, values: pd.DataFrame) -> pd.DataFrame:
    """The truth of a wave; `values` are the true answers of the firms of `register`, row by row."""
    eligible = register["scope"] == "1"
    firms, answers = register[eligible], values[eligible]
    parts = indicator_parts(wave, firms, answers)
    above = pd.DataFrame({name: top for name, (top, _) in parts.items()})
    below = pd.DataFrame({name: bottom for name, (_, bottom) in parts.items()})
    tables = [
        _of_groups(wave, breakdown, groups, above, below) for breakdown, groups in _domains(firms)
    ]
    return pd.concat(tables, ignore_index=True)


def _domains(firms: pd.DataFrame) -> list[tuple[str, pd.Series[str]]]:
    """Breakdowns with the group of each firm; missing where the firm has none."""
    target = firms["population"] == TARGET
    groups = {"all": pd.Series("all", firms.index).where(target)}
    groups |= {name: firms[name].where(target) for name in BREAKDOWNS}
    groups["size"] = firms["size"].where(target, firms["population"] + "*" + firms["size"])
    groups["field*size"] = (firms["field"] + "*" + firms["size"]).where(target)
    groups["population"] = firms["population"].where(~target)
    return list(groups.items())


def _of_groups(
    wave: str,
    breakdown: str,
    groups: pd.Series[str],
    above: pd.DataFrame,
    below: pd.DataFrame,
) -> pd.DataFrame:
    """Sum above over sum below by group; the climate from its two balances."""
    value = above.groupby(groups).sum() / below.groupby(groups).sum()
    value[CLIMATE] = np.sqrt((value[SITUATION] + 200) * (value[EXPECTATION] + 200)) - 200
    value = value.sort_index(axis=1)
    column, row = np.nonzero(np.isfinite(value.to_numpy()).T)
    group = value.index[row]
    cells = {
        "wave": wave,
        "indicator": value.columns[column],
        "breakdown": breakdown,
        "group": group,
        "population": groups.value_counts()[group].to_numpy(),
        "value": value.to_numpy()[row, column].round(10),
    }
    return pd.DataFrame(cells)


def indicator_parts(wave: str, firms: pd.DataFrame, a: pd.DataFrame) -> Parts:
    """What is summed above and below the fraction of each indicator; 0 outside its base."""
    parts = _ratios(wave, a) | _shares(wave, a) | _network(a)
    parts |= {
        "I05": _balance(a["C01"]),
        "I06": _balance(a["C02"]),
        "I08": _balance(a["C05"]),
        "I23": _balance(a["C04"]),
    }
    level = a["D03"].clip(upper=a["D04"] + 1)
    manufacturing = firms["section"] == "C"
    parts["I14"] = (level.where(manufacturing, 0.0), manufacturing.astype(float))
    return parts


def _ratios(wave: str, a: pd.DataFrame) -> Parts:
    turnover, people = a["A04"], a["A03"]
    automotive = turnover * a["B01"] / 100
    parts = {
        "I01": (100 * automotive, turnover),
        "I02": (automotive * a["B02"].fillna(0), automotive),
        "I11": (turnover * a["D01"], turnover),
        "I12": (turnover * a["D07"], turnover),
        "I20": (turnover * a["F02"], turnover),
    }
    if wave == FOUR_POINTS:  # employees were asked in classes
        return parts
    exposed = people.where(a["B01"] > 0, 0.0)
    return parts | {
        "I16": (100 * a["E01"], people + a["E01"]),
        "I17": (people * a["E03"], people),
        "I18": (exposed * a["E04"].fillna(0), exposed),
    }


def _shares(wave: str, a: pd.DataFrame) -> Parts:
    """Shares of firms in per cent; 'none' options and new codes as the wave had them."""
    chosen = a.filter(regex=r"^D05_(?!99$)").sum(axis=1)
    items = [str(item) for item in a]
    burdens = [item for item in items if item.startswith("C07_")]
    topics = [item for item in items if item.startswith("E02_") and item != "E02_99"]
    strong = 3 if wave == FOUR_POINTS else 4
    parts = {
        "I03": _share(a["B05"] >= strong, a["B01"] > 0),
        "I08_none": _share(a["C05"] == 4),
        "I09": _share(a["B06"] >= 4),
        "I10": _share(a.filter(regex=r"^B07_(?!99$)").sum(axis=1) > 0),
        "I13": _share(chosen >= 4),
        "I19": _share(a["F01"].isin([3, 4])),
    }
    parts |= {f"I24_{c.removeprefix('C07_')}": _share(a[c] >= 4) for c in burdens}
    parts |= {f"I25_{c.removeprefix('E02_')}": _share(a[c] == 1) for c in topics}
    if wave == FOUR_POINTS:
        return parts
    return parts | {"I04": _share(a["B08"] > 50), "I15": _share(a["D06"] == 4)}


def _network(a: pd.DataFrame) -> Parts:
    used = a.filter(regex=r"^G05_(?!99$)").sum(axis=1) > 0
    return {"I21": _share(used), "I22": _share(a["G07"].isin([3, 4]), used)}


def _share(
    holds: pd.Series[bool], base: pd.Series[bool] | None = None
) -> tuple[pd.Series[float], pd.Series[float]]:
    inside = pd.Series(1.0, holds.index) if base is None else base.astype(float)
    return 100 * holds * inside, inside


def _balance(code: pd.Series[float]) -> tuple[pd.Series[float], pd.Series[float]]:
    up, down = (code == 1).astype(float), (code == 3).astype(float)
    return 100 * (up - down), pd.Series(1.0, code.index)

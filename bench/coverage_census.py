"""The made-up census that `coverage.py` draws responses from: true values, domains, who answers."""

from __future__ import annotations

import sys
import zlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path += [str(ROOT / "tests"), str(ROOT)]

from population.make import DEFAULT_SEED, draw_waves  # type: ignore[import-not-found]  # noqa: E402
from population.truth import indicator_parts  # type: ignore[import-not-found]  # noqa: E402

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

WAVES = ("2023", "2024", "2025", "2026")
RATE = {"1": 0.41, "2": 0.46, "3": 0.54}
"""Response rate by size of site: about 110 of 250 answer."""
BREAKDOWNS = ("size", "district", "field_group", "tier", "cell")
ITEMS = {
    "mean": ("I14", "B01", "B08", "D07"),
    "share": ("I03", "I04", "I09", "I15", "I19", "I21", "I24_c", "I25_1"),
    "rare share": ("B06 = 1", "C07_f = 5", "G03_8 = 1"),
    "balance": ("I05", "I06", "I08", "I23"),
    "climate": ("I07",),
    "ratio": ("I01", "I02", "I11", "I16", "I17", "I20"),
    "total": ("E01", "A03", "I15"),
    "median": ("B01", "D07", "A03"),
}
"""Indicators of the study, and items where none is of that kind; rare: 8 % of the firms."""
CLIMATE = ("I05", "I06")
PER_CENT = ("share", "rare share", "balance")


def climate(situation: Any, expectation: Any) -> Any:
    """The business climate of two balances in [-1, 1]: their geometric mean about -2."""
    return np.sqrt((situation + 2) * (expectation + 2)) - 2


@dataclass(frozen=True, eq=False)
class Census:
    """All firms of a wave that are in scope, N rows, and their true values.

    `above` and `below` by kind and item, shape (N,): what is summed above and below the fraction,
    0 below for firms outside the item's base.
    """

    ids: npt.NDArray[np.object_]
    register: pd.DataFrame
    above: dict[tuple[str, str], Floats]
    below: dict[tuple[str, str], Floats]

    @property
    def strata(self) -> npt.NDArray[np.object_]:
        """Size by field, large sites together."""
        return self.register["stratum"].to_numpy(dtype=object)

    @property
    def rate(self) -> Floats:
        """Chance of each firm to answer, if it hangs on the stratum only."""
        return self.register["size"].map(RATE).to_numpy(dtype=float)

    @cached_property
    def domains(self) -> dict[str, Bools]:
        """All firms, and each group of each breakdown."""
        found = {"all": np.ones(len(self.ids), dtype=bool)}
        for column in BREAKDOWNS:
            values = self.register[column].to_numpy(dtype=object)
            found |= {f"{column} {group}": values == group for group in sorted(set(values))}
        return found

    def truth(self, kind: str, item: str, domain: str) -> float:
        """The true value in a domain; NaN where nobody belongs to the item's base."""
        if kind == "climate":
            return float(climate(*(self.truth("balance", part, domain) for part in CLIMATE)))
        mask = self.domains[domain]
        above, below = self.above[kind, item][mask], self.below[kind, item][mask]
        if kind == "total":
            return float(above.sum())
        if kind == "median":  # the least value that at least half of the firms do not exceed
            return float(np.sort(above)[(len(above) - 1) // 2])
        return float(above.sum() / below.sum()) if below.any() else np.nan


@lru_cache(maxsize=8)
def census(wave: str, populations: str = "1") -> Census:
    """The census of a wave; `populations`: the study's own firms are 1, optics 2."""
    waves = {w.name: w for w in draw_waves(DEFAULT_SEED)[1]}
    table, answers = waves[wave].register, waves[wave].answers
    inside = table["population"].isin(list(populations)) & (table["scope"] == "1")
    table, answers = table[inside].reset_index(drop=True), answers[inside].reset_index(drop=True)
    field = table["field_group"].replace({"3": "2"}).where(table["size"] != "3", "all")
    field = field.where(table["population"] == "1", "optics")
    register = table[["size", "field_group", "district", "tier", "events", "population"]].assign(
        stratum=table["size"] + " " + field, cell=table["size"] + "*" + table["field_group"]
    )
    ids = table["firm_id"].to_numpy(dtype=object)
    return Census(ids, register, *_values(wave, table, answers))


def moved(firms: Census, part: float) -> Census:
    """The same firms with a part of them in another stratum: an earlier register of theirs."""
    draw = np.random.default_rng([DEFAULT_SEED, zlib.crc32(b"strata")])
    chosen = draw.random(len(firms.ids)) < part
    other = firms.strata[draw.permutation(len(firms.ids))]
    stratum = np.where(chosen, other, firms.strata)
    register = firms.register.assign(stratum=stratum, size=[label[0] for label in stratum])
    return Census(firms.ids, register, firms.above, firms.below)


Values = dict[tuple[str, str], Floats]


def _values(wave: str, table: pd.DataFrame, answers: pd.DataFrame) -> tuple[Values, Values]:
    """What is summed above and below the fraction, for those of `ITEMS` that the wave asked."""
    parts = indicator_parts(wave, table, answers)
    tops: Values = {}
    bottoms: Values = {}
    for kind, items in ITEMS.items():
        for item in items:
            column, _, code = item.partition(" = ")
            if item in parts:
                above, below = (part.to_numpy(dtype=float) for part in parts[item])
            elif column in answers:
                above = answers[column].fillna(0.0).to_numpy(dtype=float)
                above = 100.0 * (above == float(code)) if code else above
                below = np.ones(len(table))
            else:
                continue
            per_cent = kind in PER_CENT or (kind == "total" and item in parts)
            tops[kind, item] = above / 100 if per_cent else above
            bottoms[kind, item] = below
    return tops, bottoms


def respond(draw: np.random.Generator, chain: list[Census], overlap: float | None) -> list[Bools]:
    """Who answers in each wave, shapes (N,); a share of the respondents did in the one before too.

    None: overlap by mere chance. Otherwise P(answer) = rate + persistence (answered before - rate
    before), which leaves the rate of each stratum as it is; newcomers answer at the rate. Firms
    are matched by id. All that counts of a firm is its stratum in each wave, so the joint response
    is at random within the pairs of strata.
    """
    answers: list[Bools] = []
    for number, firms in enumerate(chain):
        chance = firms.rate
        if number and overlap is not None:
            before = chain[number - 1]
            at = pd.Index(before.ids).get_indexer(pd.Index(firms.ids))
            rate = np.where(at >= 0, before.rate[at], 0.0)
            wanted = overlap * firms.rate.sum() - rate @ firms.rate
            memory = np.where(at >= 0, answers[-1][at] - rate, 0.0)
            chance = chance + wanted / (rate @ (1 - rate)) * memory
        answers.append(draw.random(len(firms.ids)) < chance)
    return answers


def leaning(firms: Census, by_answer: float, by_events: float) -> Floats:
    """Chance to answer that hangs on the answer itself and on events, at the rate of the stratum.

    The answer is that on the business situation (I05: 1 good, -1 poor).
    """
    situation = firms.above["balance", "I05"]
    took_part = (firms.register["events"] == "1").to_numpy(dtype=float)
    lean = by_answer * situation + by_events * took_part
    codes = pd.factorize(firms.strata)[0]
    middle = np.bincount(codes, lean) / np.bincount(codes)
    return np.asarray(np.clip(firms.rate + lean - middle[codes], 0.03, 0.97), dtype=float)

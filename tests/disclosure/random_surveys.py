"""Random populations through the engine of a run, and audits that share no code with it.

The engine: primary rules and elimination as in `protect`, then `answers_told`, a plan of all that
is left and `repair`, as in `secure`. The audits take what is printed, firm by firm, and every
reader in turn: scipy's programmes for amounts and ratios, every combination of answers for shares.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from random_populations import TINY, out_of_reach

from pipeline import disclosure
from pipeline.analyse.measures import Rule
from pipeline.analyse.plans import Known, Shown, answers_told, plan_of
from pipeline.analyse.protect import suppress
from pipeline.analyse.series import Series
from pipeline.disclosure import Rules
from pipeline.disclosure.repair import repair

RULES = Rules(3, 10, 1, 100)
WITHIN = 50.0
"""Everybody knows x of every firm to so many per cent."""
ANSWER = "y > 0"


class Indicator(NamedTuple):
    """The formulas of an indicator, `x` empty where it has one only; the rounding of its cells."""

    kind: str
    y: str
    x: str
    unit: np.ndarray


class Survey(NamedTuple):
    """Cells x firms, who is one holding, the firms' weights and amounts (or answers) by formula.

    `groups`: breakdown and group of each cell, None for cells without breakdowns.
    """

    cells: np.ndarray
    holdings: np.ndarray
    weight: np.ndarray
    amounts: dict[str, np.ndarray]
    indicators: list[Indicator]
    groups: pd.DataFrame | None

    def printed(self, indicator):
        """The figure of each cell as it is printed."""
        y = self.cells @ (self.weight * self.amounts[indicator.y])
        if indicator.kind != "total":
            x = self.amounts[indicator.x] if indicator.x else 1.0
            y = 100 * y / (self.cells @ (self.weight * x))
        return np.round(y / indicator.unit) * indicator.unit


class Cleared(NamedTuple):
    """Cells of each indicator that break no primary rule, those that elimination and those that
    the repair leaves: (indicators, k) each."""

    safe: np.ndarray
    eliminated: np.ndarray
    published: np.ndarray


def surveyed(seed, kind, *, coarse=False):
    """Firms with weights, a one-way breakdown of districts, one of fields, both crossed, and tiers.

    `kind`: `ratio` for y/x and z/x in per cents with a decimal, and the total of x; `share` of
    firms that say yes, in whole per cents or, where `coarse`, in steps of five.
    """
    rng = np.random.default_rng(seed)
    n = int(rng.integers(8, 14))
    district, field, tier = (rng.integers(0, count, n) for count in (3, 2, 2))
    names = {
        "all": np.zeros(n, dtype=int),
        "district": district,
        "field": field,
        "district*field": 2 * district + field,
        "tier": tier,
    }
    groups = [(name, str(code)) for name, codes in names.items() for code in np.unique(codes)]
    cells = np.array([names[name] == int(code) for name, code in groups])
    holdings = np.where(rng.random(n) < 0.25, rng.integers(0, 3, n), 10 + np.arange(n))
    weight = np.round(rng.choice([1.0, 1.4, 2.0, 2.5, 3.3], n) * rng.uniform(0.9, 1.1, n), 3)
    if kind == "ratio":
        x = np.round(np.exp(rng.normal(6, 1.2, n)), 1)
        parts = (np.round(x * rng.uniform(0, 0.5, n) * (rng.random(n) > 0.1), 2) for _ in "yz")
        amounts = {"x": x} | dict(zip("yz", parts, strict=True))
        indicators = [Indicator(kind, name, "x", np.full(len(cells), 0.1)) for name in "yz"]
        indicators.append(Indicator("total", "x", "", np.ones(len(cells))))
    else:
        amounts = {ANSWER: (rng.random(n) < rng.uniform(0.3, 0.7)).astype(float)}
        indicators = [Indicator(kind, ANSWER, "", np.full(len(cells), 5.0 if coarse else 1.0))]
    table = pd.DataFrame(groups, columns=["breakdown", "group"])
    return Survey(cells, holdings, weight, amounts, indicators, table)


def of_totals(population, unit):
    """The totals of a random population, three waves of them, rounded to a unit."""
    cells, values, holdings = population
    total = Indicator("total", "y", "", np.full(len(cells), unit))
    return Survey(cells, holdings, np.ones(len(values)), {"y": values}, [total], None)


def cleared(survey):
    """What the engine publishes of a survey."""
    n, shown, safe, eliminated = len(survey.weight), [], [], []
    for indicator in survey.indicators:
        series = _series(survey, indicator)
        unsafe = series.judge(survey.cells) != ""
        nothing = np.zeros(len(unsafe), dtype=bool)
        if survey.groups is None:
            importance = survey.cells.sum(axis=1).astype(float)
            hidden = disclosure.protect(survey.cells, unsafe, importance, series.unsafe)
        else:
            hidden = suppress(survey.cells, unsafe, nothing, series.unsafe, survey.groups)
        open_cells = np.flatnonzero(~hidden)
        safe.append(~unsafe)
        eliminated.append(~hidden)
        shown.append(
            Shown(
                series,
                open_cells,
                survey.cells[open_cells],
                indicator.y,
                indicator.x,
                indicator.unit[open_cells],
                nothing[open_cells],
                nothing[open_cells],
            )
        )
    found = np.concatenate([answers_told(each) for each in shown])
    sizes = np.cumsum([len(each.groups) for each in shown])[:-1]
    left = [each.among(~part) for each, part in zip(shown, np.split(found, sizes), strict=True)]
    found[~found] = repair(plan_of(left, Known({}, {"x": WITHIN}), n)).suppressed
    published = np.array(eliminated)
    for row, each, taken in zip(
        published,
        shown,
        np.split(found, sizes),
        strict=True,
    ):
        row[each.groups[taken]] = False
    return Cleared(np.array(safe), np.array(eliminated), published)


def _series(survey, indicator):
    n, is_answer = len(survey.weight), indicator.kind == "share"
    kind = Rule(
        kind=indicator.kind,
        scale=1.0 if indicator.kind == "total" else 100.0,
        items=frozenset(),
        categorical=is_answer,
        sensitive=True,
        high=False,
        numerator="",
        parts=(),
    )
    number = np.unique(survey.holdings, return_inverse=True)[1]
    x = survey.amounts[indicator.x] if indicator.x else np.ones(n)
    brought = np.zeros(n, dtype=bool), survey.weight, survey.amounts[indicator.y], x
    return Series(kind, RULES, np.arange(n), number, *brought)


def audited(survey, published):
    """What is known too closely where these cells are published, (indicators, k); texts, one
    after the other.

    That an amount, or all that a holding brings to a formula, cannot be p % larger; that an answer
    cannot be another one.
    """
    is_share = survey.indicators[0].kind == "share"
    return _answers_known(survey, published[0]) if is_share else _amounts_known(survey, published)


def _readers(survey):
    return [None, *sorted(set(survey.holdings.tolist()))]


def _amounts_known(survey, published):
    values, rows, ends, bounds = _told(survey, published)
    n = len(survey.weight)
    holdings = np.tile(survey.holdings, len(values) // n)
    formula = np.repeat(np.arange(len(values) // n), n)
    targets = list(np.eye(len(values), dtype=bool))
    targets += [
        (holdings == label) & (formula == number)
        for label in set(survey.holdings.tolist())
        for number in set(formula.tolist())
    ]
    targets = np.unique(targets, axis=0)
    targets = targets[targets @ values > 0]
    for reader in _readers(survey):
        own = holdings == reader
        wanted = targets[~(targets & own).any(axis=1)].astype(float)
        needs = RULES.p_percent / 100 * (wanted @ values)
        for number in out_of_reach((rows, *ends), bounds, (values, own), (wanted, needs)):
            yield f"{reader} knows {np.flatnonzero(wanted[number])} too closely"


def _told(survey, published):
    """Every firm's amounts, formula by formula; rows, their ends, and bounds."""
    values, n = np.concatenate(list(survey.amounts.values())), len(survey.weight)
    place = {name: slice(k * n, (k + 1) * n) for k, name in enumerate(survey.amounts)}
    rows, ends = [], []
    for indicator, open_cells in zip(survey.indicators, published, strict=True):
        printed = survey.printed(indicator)
        for cell in np.flatnonzero(open_cells):
            weight, half = survey.cells[cell] * survey.weight, indicator.unit[cell] / 2
            row = np.zeros(len(values))
            if not indicator.x:
                row[place[indicator.y]] = weight
                exactly = row @ values, row @ values
                rows.append(row)
                ends.append(
                    exactly if half < TINY else (printed[cell] - half, printed[cell] + half)
                )
                continue
            for sign in (1, -1):
                row = np.zeros(len(values))
                row[place[indicator.y]] = sign * 100 * weight
                row[place[indicator.x]] = -(sign * printed[cell] - half) * weight
                rows.append(row)
                ends.append((0.0, np.inf))
    least, most = np.zeros(len(values)), np.full(len(values), np.inf)
    if "x" in place:
        spread = WITHIN / 100 * survey.amounts["x"]
        least[place["x"]] = survey.amounts["x"] - spread
        most[place["x"]] = survey.amounts["x"] + spread
    matrix = np.array(rows).reshape(len(rows), len(values))
    return values, matrix, np.array(ends).reshape(-1, 2).T, (least, most)


def _answers_known(survey, published):
    """Answers that are the same in all combinations that fulfil what is printed."""
    (indicator,), n, truth = survey.indicators, len(survey.weight), survey.amounts[ANSWER]
    every = (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(float)
    shown = survey.cells[published].astype(float)
    share = 100 * (every * survey.weight @ shown.T) / (shown @ survey.weight)
    away = np.abs(share - survey.printed(indicator)[published])
    every = every[(away <= indicator.unit[published] / 2 + 1e-9).all(axis=1)]
    for reader in _readers(survey):
        own = survey.holdings == reader
        left = every[(every[:, own] == truth[own]).all(axis=1)]
        for firm in np.flatnonzero((left == left[0]).all(axis=0) & ~own):
            yield f"{reader} knows what {firm} said"

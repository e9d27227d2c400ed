"""Derive: what each firm brings to each indicator, by the formulas of the study."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.errors import Problem, StudyError
from pipeline.expressions import FloatArray, Wide, evaluate
from pipeline.process.wide import EVERYBODY, UNIT, names_in, widen_with_register
from pipeline.tables import Contributions, Indicators, Panel, Register, Weights
from pipeline.tables.flow import ALL, CROSS, RESPONSE

Rule = dict[str, str]
Ints = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]
ONE = "1"
FORMULAS = (Indicators.numerator, Indicators.denominator, Indicators.base)
UP_OR_DOWN = (1.0, 0.0, -1.0)
"""What a firm can say in a balance."""


class _Frame(NamedTuple):
    """All firms of the register, sorted, with the row of `wide` where they have answers."""

    firms: pd.DataFrame
    wide: Wide
    place: Ints
    """Row of `wide`, or -1."""
    population: Ints
    """A number for each wave and population."""
    stratum: Ints
    """A number for each wave and stratum."""
    respondents: Ints
    """How many responded in each stratum."""


class _Part(NamedTuple):
    """What firms (rows of the frame) bring to one indicator."""

    indicator: str
    rows: Ints
    numerator: FloatArray
    denominator: FloatArray
    in_base: Bools
    weight: FloatArray


@pa.check_types
def derive(
    panel: DataFrame[Panel],
    weights: DataFrame[Weights],
    register: DataFrame[Register],
    indicators: DataFrame[Indicators],
) -> DataFrame[Contributions]:
    """Numerator and denominator by wave, indicator and firm, in the items' units, sorted.

    A firm is left out of an indicator where one of its items has no answer. Within a stratum the
    others stand for it: their weights are those of all who responded times n_h / m_h. A firm that
    answered but lies outside the indicator's base stays with 0 and 0: in the variance it is a
    respondent. So does a firm known to be out of scope, whatever it answered, where anyone of its
    population answered what the indicator needs. The indicator `response` has every firm that was
    selected and is eligible, with weight 1; those of kind `formula` have no rows. Raises StudyError
    where a denominator is negative, and where a balance has a numerator other than 1, 0 and -1.
    """
    rules = cast("list[Rule]", indicators.to_dict("records"))
    rules = [rule for rule in rules if rule["kind"] != "formula"]
    frame = _frame(panel, weights, register, rules)
    parts = [_contribution(frame, rule) for rule in rules]
    _check(frame, parts, rules)
    parts = sorted([*parts, _response(frame)], key=lambda part: part.indicator)
    which = np.repeat(np.arange(len(parts)), [len(part.rows) for part in parts])
    rows = np.concatenate([part.rows for part in parts])
    wave = pd.factorize(frame.firms[Panel.wave], sort=True)[0]
    order = np.lexsort((rows, which, wave[rows]))
    table = frame.firms[UNIT].iloc[rows[order]].reset_index(drop=True)
    table[Contributions.indicator] = np.array([p.indicator for p in parts], object)[which[order]]
    for column in _Part._fields[2:]:
        table[column] = np.concatenate([getattr(part, column) for part in parts])[order]
    return DataFrame[Contributions](table[list(Contributions.to_schema().columns)])


def _frame(
    panel: pd.DataFrame, weights: pd.DataFrame, register: pd.DataFrame, rules: list[Rule]
) -> _Frame:
    firms = weights.sort_values(UNIT, ignore_index=True)
    counted = firms[Weights.eligible] & (firms[str(Weights.weight)] > 0)
    names = names_in(rule[column] for rule in rules for column in FORMULAS)
    wide = widen_with_register(panel, firms.loc[counted, UNIT], register, UNIT, names)
    # The groups of another population begin with its name; its own variable has that alone.
    own = register[Register.group].str.split(CROSS, regex=False).str[0]
    own = own.where(register[Register.variable] != ALL, "")
    populations = register[UNIT].assign(own=own).sort_values("own").drop_duplicates(UNIT)
    population = populations.set_index(UNIT)["own"]
    keys = pd.MultiIndex.from_frame(firms[UNIT])
    own_of_firm = population.reindex(keys).fillna("").to_numpy()
    numbered = np.asarray(firms.groupby([firms[Panel.wave], own_of_firm]).ngroup(), dtype=np.intp)
    strata = firms.groupby([firms[Panel.wave], firms[Weights.stratum]]).ngroup()
    stratum = np.asarray(strata, dtype=np.intp)
    heard = firms[str(Weights.response_weight)].to_numpy() > 0
    respondents = np.bincount(stratum[heard], minlength=stratum.max(initial=-1) + 1)
    return _Frame(firms, wide, wide.index.get_indexer(keys), numbered, stratum, respondents)


def _contribution(frame: _Frame, rule: Rule) -> _Part:
    wave, wide = frame.firms[Panel.wave], frame.wide
    asked = wave >= rule[Indicators.from_wave]
    if rule[Indicators.to_wave]:
        asked &= wave <= rule[Indicators.to_wave]
    base = evaluate(rule[Indicators.base] or EVERYBODY, wide)
    outside = base == 0
    numerator = np.where(outside, 0.0, evaluate(rule[Indicators.numerator], wide))
    denominator = np.where(outside, 0.0, evaluate(rule[Indicators.denominator] or ONE, wide))
    known = ~np.isnan(base) & ~np.isnan(numerator) & ~np.isnan(denominator)
    answered = asked.to_numpy() & (frame.place >= 0)
    answered[answered] = known[frame.place[answered]]
    heard = np.isin(frame.population, frame.population[answered])
    out_of_scope = frame.firms[Weights.responded] & ~frame.firms[Weights.eligible]
    rows = np.flatnonzero(answered | (out_of_scope.to_numpy() & asked.to_numpy() & heard))
    place, own = frame.place[rows], answered[rows]
    answers = np.bincount(frame.stratum[rows], minlength=len(frame.respondents))
    factor = frame.respondents / np.maximum(answers, 1)
    return _Part(
        rule[Indicators.indicator],
        rows,
        np.where(own, numerator[place], 0.0),
        np.where(own, denominator[place], 0.0),
        own & ~outside[place],
        frame.firms[str(Weights.weight)].to_numpy()[rows] * factor[frame.stratum[rows]],
    )


def _response(frame: _Frame) -> _Part:
    """The response itself as an indicator: 1 for a firm that answered, 0 for one that did not."""
    asked = frame.firms[Weights.selected] & frame.firms[Weights.eligible]
    rows = np.flatnonzero(asked)
    ones = np.ones(len(rows))
    answered = frame.firms[Weights.responded].to_numpy()[rows].astype(np.float64)
    return _Part(RESPONSE, rows, answered, ones, ones > 0, ones)


def _check(frame: _Frame, parts: list[_Part], rules: list[Rule]) -> None:
    problems: list[Problem] = []
    for part, rule in zip(parts, rules, strict=True):
        negative = part.denominator < 0
        for wave, values in _by_wave(frame, part, part.denominator, negative):
            found = f"a denominator below 0 for {len(values)} firms"
            advice = "give its items a minimum in items.csv, or the indicator a base"
            problems.append(_problem(part, wave, found, "denominators of 0 or more", advice))
        odd = ~np.isin(part.numerator, UP_OR_DOWN) & (rule[Indicators.kind] == "balance")
        for wave, values in _by_wave(frame, part, part.numerator, odd):
            found = f"{values[0]:.12g} as the numerator of {len(values)} firms"
            advice = "write (item == up) - (item == down)"
            problems.append(_problem(part, wave, found, "1, 0 or -1 in a balance", advice))
    if problems:
        raise StudyError(problems)


def _by_wave(
    frame: _Frame, part: _Part, values: FloatArray, which: Bools
) -> Iterator[tuple[str, FloatArray]]:
    """The values of some of a part's firms, smallest first, for each wave that has any."""
    if which.any():
        waves = frame.firms[Panel.wave].to_numpy()[part.rows[which]]
        for wave in np.unique(waves):
            yield str(wave), np.sort(values[which][waves == wave])


def _problem(part: _Part, wave: str, found: str, expected: str, advice: str) -> Problem:
    return Problem(found, expected, advice, wave=wave, file="indicators.csv", item=part.indicator)

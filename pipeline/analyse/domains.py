"""The groups that are published, and the survey design of each wave behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline import survey
from pipeline.expressions import is_truth, parse
from pipeline.tables import Contributions, Estimates, Indicators, Register, Weights
from pipeline.tables.flow import ALL, RESPONSE

Bools = npt.NDArray[np.bool_]
ROUNDING = 1e-12
"""A standard error of this part of its estimate is 0."""


@dataclass(frozen=True, eq=False)
class WaveFrame:
    """One wave's register with the groups: `members` (k, N) over the sorted `firms` (N).

    `answers` is the design of the firms that answered, `census` that of the whole register.
    """

    wave: str
    firms: pd.Index
    members: Bools
    answers: survey.Design
    census: survey.Design


class Rule(NamedTuple):
    """What the analysis needs to know of an indicator; `items` are those in its formulas.

    `yes_no`: the numerator says yes or no (1 or 0), and not an amount. `sensitive`: that all or
    none say yes, or that all have one amount, gives something away.
    """

    kind: str
    scale: float
    items: frozenset[str]
    yes_no: bool
    sensitive: bool


def rules_of(indicators: pd.DataFrame) -> dict[str, Rule]:
    """The rule of each indicator, in the order of the study."""
    columns = (Indicators.numerator, Indicators.denominator, Indicators.base)
    return {
        str(row[Indicators.indicator]): Rule(
            str(row[Indicators.kind]),
            float(row[str(Indicators.scale)]),
            frozenset().union(*(parse(str(row[c])).names for c in columns if row[c])),
            row[Indicators.kind] == "share" or is_truth(str(row[Indicators.numerator])),
            row[Indicators.sensitivity] != "low",
        )
        for row in indicators.to_dict("records")
    }


def cells_of(contributions: pd.DataFrame) -> dict[tuple[str, str], pd.DataFrame]:
    """Contributions by wave and indicator, sorted by both."""
    key = [Contributions.wave, Contributions.indicator]
    return cast("dict[tuple[str, str], pd.DataFrame]", dict(list(contributions.groupby(key))))


def groups_of(register: pd.DataFrame, breakdowns: Sequence[str]) -> pd.DataFrame:
    """Every group of the breakdowns in any wave, `all` first; columns breakdown and group."""
    order = {name: place for place, name in enumerate([ALL, *breakdowns])}
    found = register[[Register.variable, Register.group]].drop_duplicates()
    found = found[found[Register.variable].isin(order)]
    found = found.assign(place=found[Register.variable].map(order))
    found = found.sort_values(["place", Register.group], ignore_index=True)
    return pd.DataFrame(
        {Estimates.breakdown: found[Register.variable], Estimates.group: found[Register.group]}
    )


def members_of(groups: pd.DataFrame, firms: pd.Index, listed: pd.DataFrame) -> Bools:
    """Which of the firms are in which group, (groups, firms); `listed` is a wave's register."""
    keys = pd.MultiIndex.from_frame(listed[[Register.variable, Register.group]])
    row = pd.MultiIndex.from_frame(groups).get_indexer(keys)
    column = firms.get_indexer(pd.Index(listed[Register.firm_id], dtype=object))
    known = (row >= 0) & (column >= 0)
    members = np.zeros((len(groups), len(firms)), dtype=bool)
    members[row[known], column[known]] = True
    return members


def wave_frames(
    weights: pd.DataFrame, register: pd.DataFrame, groups: pd.DataFrame
) -> dict[str, WaveFrame]:
    """The frame of each wave, oldest first."""
    return {
        str(wave): _wave_frame(str(wave), rows, register, groups)
        for wave, rows in weights.groupby(Weights.wave, sort=True)
    }


def _wave_frame(
    wave: str, weights: pd.DataFrame, register: pd.DataFrame, groups: pd.DataFrame
) -> WaveFrame:
    frame = weights.sort_values(Weights.firm_id)
    firms = pd.Index(frame[Weights.firm_id], dtype=object)
    strata = frame[Weights.stratum].to_numpy(dtype=object)
    responded = frame[Weights.responded].to_numpy(dtype=bool)
    weight = frame[Weights.weight].to_numpy()
    return WaveFrame(
        wave=wave,
        firms=firms,
        members=members_of(groups, firms, register.loc[register[Register.wave] == wave]),
        answers=survey.Design.from_frame(firms, strata, responded, weight),
        census=survey.Design.from_frame(firms, strata, np.ones_like(responded)),
    )


def measure(
    frame: WaveFrame, contributions: pd.DataFrame, kind: str, members: Bools
) -> survey.Estimate:
    """Estimate one indicator of one wave for each row of `members` (k, N), unscaled.

    `contributions` are the rows of that wave and indicator.
    """
    is_response = (contributions[Contributions.indicator] == RESPONSE).all()
    design = frame.census if is_response else frame.answers
    firms = pd.Index(contributions[Contributions.firm_id], dtype=object)
    place = design.unit_ids.get_indexer(firms)
    y, x = np.full((2, len(design.unit_ids)), np.nan)
    y[place] = contributions[Contributions.numerator]
    x[place] = contributions[Contributions.denominator]
    in_base = np.zeros(len(design.unit_ids), dtype=bool)
    in_base[place] = contributions[Contributions.in_base]
    inside = members[:, frame.firms.get_indexer(design.unit_ids)] & (in_base | np.isnan(y))
    match kind:
        case "ratio":
            return survey.ratio(design, y, x, inside)
        case "total":
            return survey.total(design, y, inside)
        case "share":
            return survey.share(design, y, inside)
        case _:
            return survey.mean(design, y, inside)


def interval(estimate: survey.Estimate, kind: str) -> survey.Interval:
    """95 % interval of an estimate by the kind of indicator.

    Where the standard error is 0 although some did not answer (within each stratum all answers are
    the same), it says nothing of the others, and there is no interval.
    """
    if kind == "share":
        return survey.share_interval(estimate)
    ends = survey.t_interval(estimate)
    blind = (estimate.se <= ROUNDING * np.abs(estimate.estimate)) & np.isfinite(estimate.n_kish)
    return survey.Interval(*(np.where(blind, np.nan, end) for end in ends))

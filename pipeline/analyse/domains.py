"""The groups that are published, and the survey design of each wave behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline import survey
from pipeline.tables import BenchmarkPairs, Estimates, Register, Weights
from pipeline.tables.flow import ALL, MARGIN

Bools = npt.NDArray[np.bool_]
GROUP = [Estimates.breakdown, Estimates.group]
TARGET = "target"
"""Column of the groups: whether its firms are of the target population (else it is a reference)."""


@dataclass(frozen=True, eq=False)
class WaveFrame:
    """One wave's register with the groups: `members` (k, N) over the sorted `firms` (N).

    `eligible` and `asked` (eligible and selected) have shape (N,). `answers` is the design of the
    firms that answered or are known to be out of scope, out of all on the frame; `census` that of
    all who were asked.
    """

    wave: str
    firms: pd.Index
    members: Bools
    eligible: Bools
    asked: Bools
    answers: survey.Design
    census: survey.Design


def groups_of(
    register: pd.DataFrame, breakdowns: Sequence[str], pairs: pd.DataFrame
) -> pd.DataFrame:
    """Every group of any wave that is published, `all` first; columns breakdown, group, target.

    These are the groups of the breakdowns that firms of the target population are in, and the
    groups of any population that a pair names.
    """
    named = pd.MultiIndex.from_arrays(
        [
            pd.concat([pairs[BenchmarkPairs.breakdown]] * 2),
            pd.concat([pairs[BenchmarkPairs.group], pairs[BenchmarkPairs.reference]]),
        ]
    )
    published = dict.fromkeys([ALL, *breakdowns])
    order = published | dict.fromkeys(sorted(set(named.get_level_values(0))))
    place = {name: number for number, name in enumerate(order)}
    unit = [Register.wave, Register.firm_id]
    rows = register.loc[register[Register.variable].isin(place)]
    target = rows.loc[rows[Register.variable] == ALL, unit].assign(**{TARGET: True})
    rows = rows.merge(target, on=unit, how="left")
    rows[TARGET] = rows[TARGET].notna()
    found = rows.groupby([Register.variable, Register.group])[TARGET].any().reset_index()
    found = found.set_axis([*GROUP, TARGET], axis="columns")
    own = found[TARGET] & found[Estimates.breakdown].isin(published)
    found = found[own | pd.MultiIndex.from_frame(found[GROUP]).isin(named)]
    found = found.assign(place=found[Estimates.breakdown].map(place))
    return found.sort_values(["place", Estimates.group], ignore_index=True)[[*GROUP, TARGET]]


def members_of(groups: pd.DataFrame, firms: pd.Index, listed: pd.DataFrame) -> Bools:
    """Which of the firms are in which group, (groups, firms); `listed` is a wave's register."""
    listed = listed.loc[listed[Register.variable].isin(set(groups[Estimates.breakdown]))]
    keys = pd.MultiIndex.from_frame(listed[[Register.variable, Register.group]])
    row = pd.MultiIndex.from_frame(groups[GROUP]).get_indexer(keys)
    column = firms.get_indexer(pd.Index(listed[Register.firm_id], dtype=object))
    known = (row >= 0) & (column >= 0)
    members = np.zeros((len(groups), len(firms)), dtype=bool)
    members[row[known], column[known]] = True
    return members


def wave_frames(
    weights: pd.DataFrame, register: pd.DataFrame, groups: pd.DataFrame
) -> dict[str, WaveFrame]:
    """The frame of each wave, oldest first."""
    listed = dict(list(register.groupby(Register.wave)))
    return {
        str(wave): _wave_frame(str(wave), rows, listed[wave], groups)
        for wave, rows in weights.groupby(Weights.wave, sort=True)
    }


def _wave_frame(
    wave: str, weights: pd.DataFrame, listed: pd.DataFrame, groups: pd.DataFrame
) -> WaveFrame:
    frame = weights.sort_values(Weights.firm_id)
    firms = pd.Index(frame[Weights.firm_id], dtype=object)
    strata = frame[Weights.stratum].to_numpy(dtype=object)
    eligible = frame[str(Weights.eligible)].to_numpy(dtype=bool)
    asked = eligible & frame[str(Weights.selected)].to_numpy(dtype=bool)
    return WaveFrame(
        wave=wave,
        firms=firms,
        members=members_of(groups, firms, listed),
        eligible=eligible,
        asked=asked,
        answers=_answers(frame),
        census=survey.Design.from_frame(firms[asked], strata[asked], asked[asked]),
    )


def _answers(frame: pd.DataFrame) -> survey.Design:
    """The firms that responded, with the calibration of their weights.

    Calibrated population by population; a firm without margins is of one that was not, and its
    stratum is a constraint that the strata of the design make harmless. But a firm that answered
    alone in its stratum would have no residual, and seem certain: its stratum is none.
    """
    before, after = (
        frame[str(column)].to_numpy(dtype=float)
        for column in (Weights.response_weight, Weights.weight)
    )
    strata = frame[Weights.stratum].to_numpy(dtype=object)
    firms = pd.Index(frame[Weights.firm_id], dtype=object)
    design = survey.Design.from_frame(firms, strata, before > 0, before)
    heard = frame.loc[before > 0, [Weights.stratum, Weights.margins]]
    if not (heard[Weights.margins] != "").any():
        return design
    cells, kinds = pd.factorize(heard[Weights.stratum] + MARGIN * 2 + heard[Weights.margins])
    named = pd.Series(kinds).str.split(MARGIN * 2, expand=True)
    strata_heard = named[0].where(named[0].map(heard[Weights.stratum].value_counts()) > 1)
    margins = named[1].replace("", None).str.split(MARGIN, expand=True)
    columns = [strata_heard, *(column for _, column in margins.items())]
    constraints = pd.concat([pd.get_dummies(column, dtype=float) for column in columns], axis=1)
    weights = after[before > 0]
    calibration = survey.Calibration(
        before[before > 0], weights, constraints.to_numpy(), cells=cells.astype(np.int64)
    )
    return design.adjusted(weights, calibration)

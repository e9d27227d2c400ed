"""Weight: firms that answered stand for those of their stratum that did not."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.tables import Panel, Register, Weights
from pipeline.tables.flow import ALL

EVERYWHERE = "*"
"""In the name of a stratum: this variable was given up, because nobody answered in a group."""


@pa.check_types
def weight(
    panel: DataFrame[Panel], register: DataFrame[Register], *, strata: Sequence[str]
) -> DataFrame[Weights]:
    """Response weights N_h / n_h within strata of the register, a row per firm and wave.

    The survey is a census with non-response: within a stratum, response is taken to be by chance
    (response homogeneity groups; Särndal, Swensson and Wretman 1992, section 15.6). A stratum where
    nobody answered is joined with those that agree on all variables but the last, and so on up to
    the whole population; the firm's `stratum` then has `*` for what was given up.
    """
    frame = (
        register.loc[register[Register.variable].isin([ALL, *strata])]
        .set_index([Register.wave, Register.firm_id, Register.variable])[Register.group]
        .unstack(Register.variable)
        .reset_index()
    )
    answered = pd.MultiIndex.from_frame(panel[[Panel.wave, Panel.firm_id]].drop_duplicates())
    frame[Weights.responded] = pd.MultiIndex.from_frame(
        frame[[Register.wave, Register.firm_id]]
    ).isin(answered)
    frame[Weights.stratum] = _collapse(frame, list(strata))
    by_stratum = frame.groupby([Weights.wave, Weights.stratum])[Weights.responded]
    expansion = by_stratum.transform("size") / by_stratum.transform("sum")
    frame[Weights.weight] = expansion.where(frame[Weights.responded], 0.0).astype(float)
    frame = frame.sort_values([Weights.wave, Weights.firm_id], ignore_index=True)
    return DataFrame[Weights](frame[list(Weights.to_schema().columns)])


def _collapse(frame: pd.DataFrame, strata: list[str]) -> pd.Series:
    """Name of each firm's stratum, coarsened until somebody answered in it."""
    name = _name(frame, strata, len(strata))
    for kept in reversed(range(len(strata))):
        by_stratum = frame[Weights.responded].groupby([frame[Weights.wave], name])
        silent = ~by_stratum.transform("any")
        coarser = _name(frame, strata, kept)
        key = frame[Weights.wave] + "\x1f" + coarser
        name = name.where(~key.isin(key[silent]), coarser)
    return name


def _name(frame: pd.DataFrame, strata: list[str], kept: int) -> pd.Series:
    name = pd.Series("", index=frame.index, dtype=str)
    for position, variable in enumerate(strata):
        group = frame[variable] if position < kept else EVERYWHERE
        name += ("/" if position else "") + f"{variable}=" + group
    return name if strata else name + ALL

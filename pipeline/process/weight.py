"""Weight: firms that answered stand for those of their stratum that did not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import compress

import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.process.strata import pool_cells
from pipeline.tables import Panel, Register, Weights

FIRM = [Register.wave, Register.firm_id]


@pa.check_types
def weight(
    panel: DataFrame[Panel],
    register: DataFrame[Register],
    *,
    strata: Sequence[str],
    population: str | None,
    min_responses: int,
) -> DataFrame[Weights]:
    """Weight of each firm and wave: design weight times inverse response rate of its stratum.

    A firm responded if it was selected (its design weight is above 0) and answered, or is known to
    be out of scope. Within a stratum, response is taken to be by chance (response homogeneity
    groups; Särndal, Swensson and Wretman 1992, section 15.6): with the design weights d, a firm
    that responded has the weight d · sum of d over the selected / sum of d over those who
    responded. Strata are cells of `strata` within a population, a group of the register column
    `population` (None: all firms are one), pooled until `min_responses` firms responded in each;
    see `pool_cells`. A population in which nobody responded has weights 0.
    """
    frame = _frame(register, [*strata, *([population] if population else [])])
    selected = frame[str(Register.design_weight)] > 0
    answered = pd.MultiIndex.from_frame(panel[FIRM].drop_duplicates())
    gave = pd.MultiIndex.from_frame(frame[FIRM]).isin(answered)
    frame[Weights.selected] = selected
    frame[Weights.responded] = selected & (gave | ~frame[Register.eligible])
    populations = [Weights.wave, *([population] if population else [])]
    frame[Weights.stratum] = _strata(frame, populations, list(strata), min_responses)
    key = [frame[column] for column in (*populations, Weights.stratum)]
    design = frame[str(Register.design_weight)]
    asked = design.groupby(key).transform("sum")
    heard = design.where(frame[Weights.responded], 0.0).groupby(key).transform("sum")
    expanded = design * asked / heard.where(heard > 0, 1.0)
    frame[Weights.margins] = ""
    for column in (Weights.response_weight, Weights.weight):
        frame[str(column)] = expanded.where(frame[Weights.responded], 0.0)
    return DataFrame[Weights](frame[list(Weights.to_schema().columns)])


def _frame(register: pd.DataFrame, variables: list[str]) -> pd.DataFrame:
    """One row a firm and wave with its groups, sorted."""
    of_firm = [*FIRM, str(Register.design_weight), Register.eligible]
    frame = register[of_firm].drop_duplicates().sort_values(FIRM, ignore_index=True)
    for variable in variables:
        rows = register.loc[register[Register.variable] == variable, [*FIRM, Register.group]]
        frame = frame.merge(rows.rename(columns={Register.group: variable}), on=FIRM, how="left")
    return frame


def _strata(
    frame: pd.DataFrame, populations: list[str], strata: list[str], min_responses: int
) -> pd.Series[str]:
    """Name of each firm's stratum; in the whole of several populations, that population."""
    stratum: list[pd.Series[str]] = []
    variables = strata or populations[1:]
    for _, firms in frame.groupby(populations):
        cells = list(firms[variables].itertuples(index=False, name=None))
        responses = Counter(dict.fromkeys(cells, 0))
        responses.update(compress(cells, firms[Weights.responded]))
        names = pool_cells(responses, variables, min_responses)
        stratum.append(pd.Series([names[cell] for cell in cells], firms.index, dtype="str"))
    return pd.concat(stratum)

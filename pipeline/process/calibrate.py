"""Calibrate: weights that meet the register's counts by further columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import compress

import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline import survey
from pipeline.errors import Problem, StudyError
from pipeline.process.strata import Cell, pool_cells
from pipeline.tables import Register, Weights
from pipeline.tables.flow import MARGIN

KEY = [Weights.wave, Weights.firm_id]


@pa.check_types
def calibrate(
    weights: DataFrame[Weights],
    register: DataFrame[Register],
    *,
    columns: Sequence[str],
    population: str | None,
    min_responses: int,
    method: survey.Method,
    bounds: tuple[float, float] | None,
) -> DataFrame[Weights]:
    """Weights whose sums over the firms that responded are the register's counts.

    The counts are those of the strata and of each of the `columns` of the register, whose groups
    are pooled until `min_responses` firms responded in each; wave by wave and population by
    population (groups of the column `population`; None: all firms are one). Of the weights that
    meet them those are taken that are nearest to the response weights by `method`, within `bounds`
    of them (Deville and Särndal 1992; see `pipeline.survey.calibrate`). A column of which one pool
    is left adds no constraint. Raises StudyError where no weights meet the counts.
    """
    table = weights.sort_values(KEY, ignore_index=True)
    populations = [Weights.wave, *([population] if population else [])]
    for column in {*columns, *populations[1:]}:
        rows = register.loc[register[Register.variable] == column, [*KEY, Register.group]]
        table = table.merge(rows.rename(columns={Register.group: column}), on=KEY, how="left")
    problems: list[Problem] = []
    for place, firms in table.groupby(populations, sort=True) if columns else ():
        named = _margins(firms, columns, min_responses)
        if not firms[Weights.responded].any() or not len(named.columns):
            continue
        try:
            calibrated = _calibrated(firms, named, method, bounds)
        except survey.CalibrationError as error:
            problems.append(_problem(str(place[0]), error))
            continue
        table.loc[calibrated.index, str(Weights.weight)] = calibrated
        table.loc[firms.index, Weights.margins] = named.agg(MARGIN.join, axis=1)
    if problems:
        raise StudyError(problems)
    return DataFrame[Weights](table[list(Weights.to_schema().columns)])


def _margins(firms: pd.DataFrame, columns: Sequence[str], least: int) -> pd.DataFrame:
    """The pooled group of each firm in each column that has more than one."""
    named = pd.DataFrame(index=firms.index)
    for column in columns:
        cells: list[Cell] = [(str(group),) for group in firms[column]]
        responses = Counter(dict.fromkeys(cells, 0))
        responses.update(compress(cells, firms[Weights.responded]))
        pools = pool_cells(responses, [column], least)
        if len(set(pools.values())) > 1:
            named[column] = [pools[cell] for cell in cells]
    return named


def _calibrated(
    firms: pd.DataFrame,
    named: pd.DataFrame,
    method: survey.Method,
    bounds: tuple[float, float] | None,
) -> pd.Series[float]:
    """Weights of those who responded."""
    data = named.assign(**{Weights.stratum: firms[Weights.stratum]})
    margins = {column: data[column].value_counts().sort_index().to_dict() for column in data}
    design = survey.Design.from_frame(
        firms[Weights.firm_id],
        firms[Weights.stratum],
        firms[Weights.responded],
        firms[str(Weights.response_weight)],
    )
    heard = data[firms[Weights.responded]]
    result = survey.calibrate(design, heard, margins, method=method, bounds=bounds)
    return pd.Series(result.weights, heard.index)


def _problem(wave: str, error: survey.CalibrationError) -> Problem:
    return Problem(
        str(error),
        "weights that meet the register's counts",
        "raise min_responses, widen bounds, or calibrate on fewer columns",
        wave=wave,
        file="study.toml",
        item="weighting.calibrate",
    )

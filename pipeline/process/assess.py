"""Assess: who answered beside the register, and what the weights make of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline import survey
from pipeline.tables import Quality, Register, Weights
from pipeline.tables.flow import ALL

KEY = [Weights.wave, Weights.firm_id]
FEWEST = 2
"""Of one firm there is no spread of propensities."""
Row = tuple[str, str, str, float]
"""Measure, variable, group and value."""


@pa.check_types
def assess(
    weights: DataFrame[Weights],
    register: DataFrame[Register],
    *,
    columns: Sequence[str],
    population: str | None,
) -> DataFrame[Quality]:
    """What weights and response are like by wave and population, `all` for the target population.

    Of the weights: `weight_low`, `weight_high` and Kish's `design_effect`; by stratum `n`,
    `register` and `sum` (of weights). Of the response, by the `columns` of the register: the
    R-indicator (`estimate`, `se`, `ci_low`, `ci_high`, in per cent), `max_bias` (of a mean, in
    standard deviations), `partial` and `partial_conditional` R-indicators (in per cent; by group
    above 0: answered more often). Of each group: `truth`, its share in the register in per cent,
    and the bias of its share, in points, without weights (`bias_unweighted`), with response
    weights (`bias_before`) and with the weights used (`bias_after`).
    """
    table = weights.sort_values(KEY, ignore_index=True)
    target = register.loc[register[Register.variable] == ALL, KEY].assign(population=ALL)
    table = table.merge(target, on=KEY, how="left")
    needed = dict.fromkeys([*([population] if population else []), *columns])
    for column in needed:
        rows = register.loc[register[Register.variable] == column, [*KEY, Register.group]]
        table = table.merge(rows.rename(columns={Register.group: f".{column}"}), on=KEY, how="left")
    if population:
        table["population"] = table["population"].fillna(table[f".{population}"])
    found: list[tuple[str, str, *Row]] = []
    for (wave, name), firms in table.groupby([Weights.wave, "population"], sort=True):
        if not firms[Weights.responded].any():
            continue
        known = firms[[f".{column}" for column in columns]].set_axis(list(columns), axis="columns")
        measured = (*_of_weights(firms), *_of_response(firms, known), *_bias(firms, known))
        found += [(str(wave), str(name), *row) for row in measured]
    order = [Quality.wave, Quality.population, Quality.measure, Quality.variable, Quality.group]
    result = pd.DataFrame(found, columns=[*order, str(Quality.value)])
    result = result.sort_values(order, ignore_index=True)
    result = result.astype(Quality.empty().dtypes.to_dict())
    return DataFrame[Quality](result)


def _of_weights(firms: pd.DataFrame) -> Iterator[Row]:
    responded = firms[Weights.responded].to_numpy(dtype=bool)
    weights = firms[str(Weights.weight)].to_numpy(dtype=float)
    spread = survey.weight_summary(weights[responded])
    yield "weight_low", ALL, ALL, spread.smallest
    yield "weight_high", ALL, ALL, spread.largest
    yield "design_effect", ALL, ALL, spread.design_effect
    strata = firms[Weights.stratum]
    counts = strata.value_counts().to_dict()
    for row in survey.against_register(strata, counts, weights, responded).to_dict("records"):
        for measure, name in (("n", "n"), ("register", "N"), ("sum", "sum_of_weights")):
            yield measure, str(Weights.stratum), str(row["stratum"]), float(row[name])


def _of_response(firms: pd.DataFrame, known: pd.DataFrame) -> Iterator[Row]:
    """R-indicators over the firms that were asked and are in scope."""
    asked = (firms[Weights.selected] & firms[Weights.eligible]).to_numpy(dtype=bool)
    responded = firms[Weights.responded].to_numpy(dtype=bool)[asked]
    if known.empty or not responded.any() or len(responded) < FEWEST:
        return
    found = survey.representativity(known[asked].reset_index(drop=True), responded)
    low, high = found.interval()
    for measure, value in (
        ("estimate", found.r),
        ("se", found.se),
        ("ci_low", low),
        ("ci_high", high),
    ):
        yield measure, ALL, ALL, 100 * value
    yield "max_bias", ALL, ALL, found.max_bias
    for row in found.variables.to_dict("records"):
        yield "partial", str(row["variable"]), ALL, 100 * float(row["unconditional"])
        yield "partial_conditional", str(row["variable"]), ALL, 100 * float(row["conditional"])
    for row in found.categories.to_dict("records"):
        group = str(row["category"])
        yield "partial", str(row["variable"]), group, 100 * float(row["unconditional"])


def _bias(firms: pd.DataFrame, known: pd.DataFrame) -> Iterator[Row]:
    if not len(known.columns):
        return
    table = survey.bias_of_register(
        known.reset_index(drop=True),
        firms[Weights.responded].to_numpy(),
        weights_before=firms[str(Weights.response_weight)].to_numpy(),
        weights_after=firms[str(Weights.weight)].to_numpy(),
    )
    for row in table.to_dict("records"):
        for measure in ("truth", "bias_unweighted", "bias_before", "bias_after"):
            yield measure, str(row["variable"]), str(row["category"]), float(row[measure])

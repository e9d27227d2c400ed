"""Small tables for the analysis, written out firm by firm."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from pipeline.tables import (
    BenchmarkPairs,
    ChangeRules,
    Contributions,
    Indicators,
    Register,
    Weights,
)
from pipeline.tables.flow import ALL, RESPONSE

NAN = math.nan


def stack(*tables):
    """Tables of several waves or indicators as one."""
    return pd.concat(tables, ignore_index=True)


def as_contract(model, table):
    """A table with the columns, their order and their types as the model has them."""
    types = model.empty().dtypes.to_dict()
    return model.validate(table[list(types)].astype(types).reset_index(drop=True))


def register(firms, wave="w1", holdings=None, out_of_scope="", waived="", **groups):
    """A register: one letter a firm in `firms` and in each of `groups` (a name or a string).

    `population` names each firm's population: of the target "1" only is a firm in `all` and in
    crossings; the groups of others get their population as a prefix, except in `population`.
    """
    population = groups.get("population", "1" * len(firms))
    columns = {ALL: [ALL] * len(firms), **{name: list(letters) for name, letters in groups.items()}}
    rows = []
    for place, firm in enumerate(firms):
        other = population[place] != "1"
        for variable, letters in columns.items():
            if other and (variable == ALL or "*" in variable):
                continue
            prefix = f"{population[place]}*" if other and variable != "population" else ""
            rows.append(
                {
                    Register.wave: wave,
                    Register.firm_id: firm,
                    Register.holding: (holdings or firms)[place],
                    str(Register.waiver): firm in waived,
                    str(Register.design_weight): 1.0,
                    str(Register.eligible): firm not in out_of_scope,
                    Register.variable: variable,
                    Register.group: prefix + letters[place],
                }
            )
    return Register.validate(pd.DataFrame(rows))


def weights(firms, answered, wave="w1", strata=None, *, not_asked="", out_of_scope=""):
    """Weights N_h / n_h; `answered` names the firms that did, `strata` a letter a firm.

    Firms of `out_of_scope` count among those that responded.
    """
    stratum = np.array(list(strata or "s" * len(firms)))
    responded = np.array([firm in answered or firm in out_of_scope for firm in firms])
    weight = [
        (stratum == h).sum() / responded[stratum == h].sum() if took_part else 0.0
        for h, took_part in zip(stratum, responded, strict=True)
    ]
    table = {
        Weights.wave: wave,
        Weights.firm_id: list(firms),
        Weights.stratum: stratum,
        str(Weights.selected): [firm not in not_asked for firm in firms],
        str(Weights.eligible): [firm not in out_of_scope for firm in firms],
        Weights.responded: responded,
        Weights.margins: "",
        str(Weights.response_weight): np.array(weight),
        str(Weights.weight): np.array(weight),
    }
    return Weights.validate(pd.DataFrame(table))


def contributions(table, numerator, denominator=1.0, base=None, indicator="x"):
    """Contributions of the firms that answered, in their order; NAN where the item has no answer.

    Weights are those of the table, times those who responded by those who answered in a stratum.

    `base` names the firms in the base (all unless given); firms out of scope are outside it.
    """
    rows = table.loc[table[Weights.responded]]
    firm = rows[Weights.firm_id].to_numpy()
    in_base = np.array([base is None or f in base for f in firm], dtype=bool)
    in_base &= rows[str(Weights.eligible)].to_numpy(dtype=bool)
    result = pd.DataFrame(
        {
            Contributions.wave: rows[Weights.wave].to_numpy(),
            Contributions.indicator: indicator,
            Contributions.firm_id: firm,
            str(Contributions.weight): rows[str(Weights.weight)].to_numpy(),
            str(Contributions.numerator): np.where(in_base, numerator, 0.0),
            str(Contributions.denominator): np.where(in_base, denominator, 0.0),
            str(Contributions.in_base): in_base,
        }
    )
    answered = ~in_base | ~np.isnan(np.asarray(numerator, dtype=float))
    strata = rows[Weights.stratum].to_numpy()
    counts = pd.Series(answered).groupby(strata)
    factor = (counts.transform("size") / counts.transform("sum").clip(lower=1)).to_numpy()
    result[str(Contributions.weight)] *= factor
    return Contributions.validate(result.loc[answered].reset_index(drop=True))


def response(table):
    """The contributions of the response: every firm that was asked and may be in scope."""
    table = table.loc[table[str(Weights.selected)] & table[str(Weights.eligible)]]
    table = table.reset_index(drop=True)
    responded = table[Weights.responded].to_numpy()
    return Contributions.validate(
        pd.DataFrame(
            {
                Contributions.wave: table[Weights.wave],
                Contributions.indicator: RESPONSE,
                Contributions.firm_id: table[Weights.firm_id],
                str(Contributions.weight): 1.0,
                str(Contributions.numerator): responded.astype(float),
                str(Contributions.denominator): 1.0,
                str(Contributions.in_base): True,
            }
        )
    )


def indicators(*rows, **row):
    """Indicator definitions; what is not given is that of the mean x with two decimals."""
    usual = dict.fromkeys(Indicators.to_schema().columns, "") | {
        Indicators.indicator: "x",
        Indicators.kind: "mean",
        Indicators.numerator: "x",
        str(Indicators.scale): 1.0,
        str(Indicators.decimals): 2,
        Indicators.sensitivity: "normal",
        Indicators.better: "neutral",
    }
    return Indicators.validate(pd.DataFrame([usual | one for one in rows or (row,)]))


def the_response(sensitivity="low"):
    """The definition of the response, a row for `indicators`."""
    return {
        "indicator": RESPONSE,
        "kind": "share",
        "numerator": "",
        "scale": 100.0,
        "decimals": 0,
        "sensitivity": sensitivity,
    }


def pairs(*rows, without=""):
    """Pairs to benchmark: breakdown, group, reference."""
    columns = [BenchmarkPairs.breakdown, BenchmarkPairs.group, BenchmarkPairs.reference]
    table = pd.DataFrame(rows, columns=columns, dtype=str).assign(benchmark="b", without=without)
    return as_contract(BenchmarkPairs, table)


NO_PAIRS = pairs()


def breaks(**waves):
    """Breaks in series: item and the wave from which it is another question."""
    columns = list(ChangeRules.to_schema().columns)
    rows = [[item, "break", wave, "", "", "", ""] for item, wave in waves.items()]
    return ChangeRules.validate(pd.DataFrame(rows, columns=columns, dtype=str))


NO_BREAKS = breaks()


def row_of(table, **where):
    """The one row with these values."""
    found = table
    for column, value in where.items():
        found = found[found[column] == value]
    assert len(found) == 1, f"{len(found)} rows with {where}"
    return found.iloc[0]

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


def register(firms, wave="w1", holdings=None, **groups):
    """A register: one letter a firm in `firms` and in each of `groups` (a name or a string)."""
    columns = {ALL: [ALL] * len(firms), **{name: list(letters) for name, letters in groups.items()}}
    rows = [
        {
            Register.wave: wave,
            Register.firm_id: firm,
            Register.holding: (holdings or firms)[place],
            Register.variable: variable,
            Register.group: letters[place],
        }
        for place, firm in enumerate(firms)
        for variable, letters in columns.items()
    ]
    return Register.validate(pd.DataFrame(rows))


def weights(firms, answered, wave="w1", strata=None):
    """Response weights N_h / n_h; `answered` names the firms that did, `strata` a letter a firm."""
    stratum = np.array(list(strata or "s" * len(firms)))
    responded = np.array([firm in answered for firm in firms])
    weight = [
        (stratum == h).sum() / responded[stratum == h].sum() if took_part else 0.0
        for h, took_part in zip(stratum, responded, strict=True)
    ]
    table = {
        Weights.wave: wave,
        Weights.firm_id: list(firms),
        Weights.stratum: stratum,
        Weights.responded: responded,
        str(Weights.weight): np.array(weight),
    }
    return Weights.validate(pd.DataFrame(table))


def contributions(table, numerator, denominator=1.0, base=None, indicator="x"):
    """Contributions of the firms that answered, in their order; NAN where the item has no answer.

    `base` names the firms in the base (all unless given).
    """
    rows = table.loc[table[Weights.responded]]
    firm = rows[Weights.firm_id].to_numpy()
    in_base = np.array([base is None or f in base for f in firm])
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
    return Contributions.validate(result.loc[answered].reset_index(drop=True))


def response(table):
    """The contributions of the response: every firm of the register."""
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


def pairs(*rows):
    """Pairs to benchmark: breakdown, group, reference."""
    columns = list(BenchmarkPairs.to_schema().columns)
    return BenchmarkPairs.validate(pd.DataFrame(rows, columns=columns, dtype=str))


def breaks(**waves):
    """Breaks in series: item and the wave from which it is another question."""
    columns = list(ChangeRules.to_schema().columns)
    rows = [[item, "break", wave, "", "", "", ""] for item, wave in waves.items()]
    return ChangeRules.validate(pd.DataFrame(rows, columns=columns, dtype=str))


def row_of(table, **where):
    """The one row with these values."""
    found = table
    for column, value in where.items():
        found = found[found[column] == value]
    assert len(found) == 1, f"{len(found)} rows with {where}"
    return found.iloc[0]

"""The tables as the stages need them: single items in every formula and list, no question left."""

from __future__ import annotations

from typing import cast

import pandas as pd
from pandera.typing import DataFrame

from pipeline.expressions import parse
from pipeline.study.questions import items_of, write_out
from pipeline.study.schemas import Schemas
from pipeline.tables import ChangeRules, Edits, Indicators, Items

FORMULAS = (str(Indicators.numerator), str(Indicators.denominator), str(Indicators.base))
LEVELS = ("low", "normal", "high")
"""Sensitivities, from the least to the most."""


def ready_items(schemas: Schemas) -> DataFrame[Items]:
    """The questionnaire by item, with routings over single items."""
    routing = _written_out(schemas.items[Items.routing], schemas)
    return DataFrame[Items](schemas.items.assign(**{Items.routing: routing}))


def ready_changes(schemas: Schemas) -> DataFrame[ChangeRules]:
    """Changes by item: that of a multi or grid is one of each of its options or rows."""
    members = items_of(schemas.items)
    table = schemas.changes.copy()
    table[ChangeRules.item] = [members.get(name, (name,)) for name in table[ChangeRules.item]]
    table[ChangeRules.apply] = [
        write_out(text, schemas.options) if kind == "filter" else text
        for kind, text in zip(table[ChangeRules.kind], table[ChangeRules.apply], strict=True)
    ]
    table = table.explode(ChangeRules.item, ignore_index=True)
    return DataFrame[ChangeRules](table.astype({ChangeRules.item: "str"}))


def ready_edits(schemas: Schemas) -> DataFrame[Edits]:
    """Edit rules whose tests, conditions and lists name single items."""
    members = items_of(schemas.items)
    table = schemas.edits.reset_index(drop=True)
    is_formula = ~table[Edits.kind].isin(["score", "built_in"])
    tests = _written_out(table[Edits.test].where(is_formula, ""), schemas)
    table[Edits.test] = tests.where(is_formula, table[Edits.test])
    table[Edits.condition] = _written_out(table[Edits.condition], schemas)
    table[Edits.items] = [
        " ".join(item for name in text.split() for item in members[name])
        if members.keys() >= set(text.split())
        else text
        for text in table[Edits.items]
    ]
    return DataFrame[Edits](table)


def ready_indicators(schemas: Schemas) -> DataFrame[Indicators]:
    """Indicators with their formulas written out, each as sensitive as the items in it.

    A computed indicator (kind formula) is as sensitive as the indicators in it; what is made of
    columns of the register alone is normal.
    """
    table = schemas.definitions.reset_index(drop=True)
    for column in FORMULAS:
        table[column] = _written_out(table[column], schemas)
    items = schemas.items[Items.sensitivity].map(LEVELS.index).groupby(schemas.items[Items.item])
    levels = cast("dict[str, int]", items.max().to_dict())
    rows = cast("list[dict[str, str]]", table.to_dict("records"))
    for row in sorted(rows, key=lambda row: row[Indicators.kind] == "formula"):
        formulas = [row[column] for column in FORMULAS if row[column]]
        known = [levels[n] for text in formulas for n in parse(text).names if n in levels]
        levels[row[Indicators.indicator]] = max(known, default=LEVELS.index("normal"))
    names = table[Indicators.indicator]
    table[Indicators.sensitivity] = [LEVELS[levels[name]] for name in names]
    return DataFrame[Indicators](table)


def _written_out(formulas: pd.Series[str], schemas: Schemas) -> pd.Series[str]:
    return formulas.map(lambda text: write_out(text, schemas.options)).astype("str")

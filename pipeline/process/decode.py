"""Decode: text becomes typed answers by the codebook; a missing value keeps its reason."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.errors import ExportError, Problem, nearest
from pipeline.expressions import evaluate, parse, widen
from pipeline.tables import Answers, Codes, Columns, Items, RawAnswers
from pipeline.tables.metadata import KEY

RECORD = [Answers.wave, Answers.file, str(Answers.record)]
MINUS = str.maketrans({"\u2212": "-", "\u202f": " ", "\u00a0": " "})
"""The typographic minus and the blanks that cannot break, as people and Excel write them."""


@pa.check_types
def decode(
    raw: DataFrame[RawAnswers],
    items: DataFrame[Items],
    codes: DataFrame[Codes],
    columns: DataFrame[Columns],
    *,
    missing: Mapping[str, str],
    decimal: str,
    thousands: str,
) -> DataFrame[Answers]:
    """Typed answers of one wave: one row per record and item, sorted.

    `items` and `codes` are those of the wave, `columns` its column map. `missing` says which text
    stands for which reason; an empty cell is `no_answer`, or `routed_out` where the routing does
    not lead to the item. Numbers are read with the declared decimal and thousands signs and never
    guessed: a text that does not fit keeps its place with the rule it broke as `problem`.
    Raises ExportError where an item of the wave has no column in any file.
    """
    _require_columns(raw, columns)
    answers = _grid(raw, items, columns)
    text = answers[Answers.text]
    answers[Answers.reason] = text.map(dict(missing)).fillna("").where(text != "", "no_answer")
    answers[Answers.reason] = answers[Answers.reason].where(answers["_asked"], "not_asked")
    answers = answers.merge(items, on=Answers.item, how="left")
    _decode_codes(answers, codes)
    _decode_numbers(answers, decimal, thousands)
    _route(answers, items)
    broken = answers[Answers.problem] != ""
    answers.loc[broken, Answers.value] = np.nan
    answers.loc[broken, Answers.code] = ""
    answers.loc[broken, Answers.reason] = "quarantined"
    return DataFrame[Answers](answers[list(Answers.to_schema().columns)])


def _require_columns(raw: pd.DataFrame, columns: pd.DataFrame) -> None:
    found = set(raw[RawAnswers.column])
    absent = columns.loc[~columns[Columns.column].isin(found)]
    wave = str(raw[RawAnswers.wave].iloc[0])
    problems = [
        Problem(
            found=f"no column '{column}'",
            expected=f"the column that holds {item}",
            advice=f"correct columns.csv or the item's waves; {nearest(column, found)}",
            wave=wave,
            file=", ".join(sorted(set(raw[RawAnswers.file]))),
            item=item,
        )
        for column, item in zip(absent[Columns.column], absent[Columns.item], strict=True)
    ]
    if problems:
        raise ExportError(problems)


def _grid(raw: pd.DataFrame, items: pd.DataFrame, columns: pd.DataFrame) -> pd.DataFrame:
    """Every record with every item of the wave; `_asked` where the record's file has the item."""
    mapped = raw.merge(columns[[Columns.column, Columns.item]], on=RawAnswers.column)
    cells = mapped[[*RECORD, Answers.item, Answers.text]]
    is_key = cells[Answers.item] == KEY
    keys = cells[is_key].rename(columns={Answers.text: Answers.firm_id})
    records = raw[RECORD].drop_duplicates().merge(keys[[*RECORD, Answers.firm_id]], how="left")
    grid = records.merge(items[[Items.item]], how="cross")
    grid = grid.merge(cells[~is_key], on=[*RECORD, Answers.item], how="left")
    grid["_asked"] = grid[Answers.text].notna()
    for column in (Answers.firm_id, Answers.text):
        grid[column] = grid[column].fillna("").str.strip()
    grid[Answers.code] = grid[Answers.problem] = ""
    grid[Answers.value] = np.nan
    return grid.sort_values([*RECORD, Answers.item], ignore_index=True)


def _decode_codes(answers: pd.DataFrame, codes: pd.DataFrame) -> None:
    """Set code and value of items with a code list; a code outside the list is a problem."""
    rows = (answers[Items.type] == "single") & (answers[Answers.reason] == "")
    asked = answers.loc[rows, [Items.code_list, Answers.text]]
    valid = pd.MultiIndex.from_frame(codes[[Codes.code_list, Codes.code]])
    known = pd.MultiIndex.from_frame(asked).isin(valid)
    listed = asked[Answers.text]
    answers.loc[rows, Answers.code] = listed.where(known, "")
    answers.loc[rows, Answers.value] = pd.to_numeric(listed, errors="coerce").where(known)
    answers.loc[rows, Answers.problem] = np.where(known, "", "code_not_in_list")


def _decode_numbers(answers: pd.DataFrame, decimal: str, thousands: str) -> None:
    """Set the value of numbers; what is no number, or out of bounds, is a problem."""
    numeric = answers[Items.type].isin(["integer", "number", "percent"])
    rows = numeric & (answers[Answers.reason] == "")
    asked = answers.loc[rows]
    plain = asked[Answers.text].str.translate(MINUS).str.strip()
    is_percent = asked[Items.type] == "percent"
    plain = plain.where(~is_percent, plain.str.removesuffix("%").str.rstrip())
    well_formed = plain.str.fullmatch(_number_pattern(decimal, thousands))
    if thousands:
        plain = plain.str.replace(thousands.translate(MINUS), "", regex=False)
    english = plain.str.replace(decimal, ".", regex=False)
    value = pd.to_numeric(english.where(well_formed), errors="coerce").astype(np.float64)
    answers.loc[rows, Answers.value] = value
    answers.loc[rows, Answers.problem] = np.select(
        [
            ~well_formed,
            ~np.isfinite(value),
            (asked[Items.type] == "integer") & (value % 1 != 0),
            value < asked[Items.minimum],
            value > asked[Items.maximum],
        ],
        ["not_a_number", "not_finite", "not_whole", "below_min", "above_max"],
        default="",
    )


def _number_pattern(decimal: str, thousands: str) -> str:
    whole = r"\d+"
    if thousands:
        sign = re.escape(thousands.translate(MINUS))
        whole = rf"(?:\d{{1,3}}(?:{sign}\d{{3}})+|\d+)"
    return rf"[+-]?{whole}(?:{re.escape(decimal)}\d*)?(?:[eE][+-]?\d+)?"


def _route(answers: pd.DataFrame, items: pd.DataFrame) -> None:
    """Empty cells of items to which the routing does not lead are `routed_out`.

    An answer there is a problem. Where the routing depends on a missing answer nothing is decided.
    """
    routed = items.loc[items[Items.routing] != ""]
    if routed.empty:
        return
    names = {n for text in routed[Items.routing] for n in parse(text).names}
    wide = widen(answers, RECORD, names)
    for item, routing in zip(routed[Items.item], routed[Items.routing], strict=True):
        outside = wide.index[evaluate(routing, wide) == 0]
        rows = (answers[Answers.item] == item) & pd.MultiIndex.from_frame(answers[RECORD]).isin(
            outside
        )
        empty = answers[Answers.reason] == "no_answer"
        answers.loc[rows & empty, Answers.reason] = "routed_out"
        given = rows & (answers[Answers.reason] == "")
        answers.loc[given, Answers.problem] = "answered_although_routed_out"

"""Decode: text becomes typed answers by the codebook; a missing value keeps its reason."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.errors import ExportError, Problem, StudyError, nearest
from pipeline.expressions import evaluate, parse, widen
from pipeline.tables import Answers, Codes, Columns, Items, RawAnswers
from pipeline.tables.metadata import KEY

Bools = npt.NDArray[np.bool_]
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
    Raises ExportError where an item of the wave has no column in any file, or two in one;
    StudyError where a text of `missing` is also a valid code.
    """
    _require_columns(raw, columns)
    _check_missing(raw, items, codes, missing)
    answers = _grid(raw, items, columns)
    text = answers[Answers.text]
    reason = text.map(dict(missing)).astype(object).fillna("").where(text != "", "no_answer")
    answers[Answers.reason] = reason.where(answers["_asked"], "not_asked").astype(str)
    answers = answers.merge(items, on=Answers.item, how="left")
    _decode_codes(answers, codes)
    _decode_numbers(answers, decimal, thousands)
    _withhold(answers, answers[Answers.problem] != "")
    _route(answers, items)
    return DataFrame[Answers](answers[list(Answers.to_schema().columns)])


def _require_columns(raw: pd.DataFrame, columns: pd.DataFrame) -> None:
    heads = raw[[RawAnswers.wave, RawAnswers.file, RawAnswers.column]].drop_duplicates()
    found = set(heads[RawAnswers.column])
    absent = columns.loc[~columns[Columns.column].isin(found)]
    wave = str(heads[RawAnswers.wave].iloc[0])
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
    held = heads.merge(columns[[Columns.column, Columns.item]], on=RawAnswers.column)
    twice = held[held.duplicated([RawAnswers.file, Columns.item], keep=False)]
    problems += [
        Problem(
            found=f"columns {' and '.join(map(repr, sorted(rows)))}",
            expected=f"one column that holds {item}",
            advice="take the column that does not hold out of columns.csv",
            wave=wave,
            file=str(file),
            item=str(item),
        )
        for (file, item), rows in twice.groupby([RawAnswers.file, Columns.item])[Columns.column]
    ]
    if problems:
        raise ExportError(problems)


def _check_missing(
    raw: pd.DataFrame, items: pd.DataFrame, codes: pd.DataFrame, missing: Mapping[str, str]
) -> None:
    """Refuse a text that is both an answer and none: either reading would be silently wrong."""
    valid = items[[Items.item, Items.code_list]].merge(codes, on=Codes.code_list)
    both = valid.loc[valid[Codes.code].isin(list(missing)), [Items.item, Codes.code]]
    problems = [
        Problem(
            found=f"'{code}' = '{missing[code]}'",
            expected=f"a text that is no valid code of {item}",
            advice="take it out of [missing], or the code out of codes.csv",
            wave=str(raw[RawAnswers.wave].iloc[0]),
            file="wave.toml",
            item=item,
        )
        for item, code in both.itertuples(index=False)
    ]
    if problems:
        raise StudyError(problems)


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
        # One form, as in the register and the schemas: NFC, and a no-break space is a space.
        text = grid[column].fillna("").str.normalize("NFC")
        grid[column] = text.str.replace("\u00a0", " ").str.strip()
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
    whole, point = "[0-9]+", re.escape(decimal)
    if thousands:
        sign = re.escape(thousands.translate(MINUS))
        whole = rf"(?:[0-9]{{1,3}}(?:{sign}[0-9]{{3}})+|[0-9]+)"
    return rf"[+-]?(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?"


def _withhold(answers: pd.DataFrame, rows: pd.Series[bool]) -> None:
    """Take out the values of rows with a problem, in place."""
    answers.loc[rows, Answers.value] = np.nan
    answers.loc[rows, Answers.code] = ""
    answers.loc[rows, Answers.reason] = "quarantined"


def _route(answers: pd.DataFrame, items: pd.DataFrame) -> None:
    """Empty cells of items to which the routing does not lead are `routed_out`.

    An answer there is a problem. Items are taken in the order of the questionnaire: where the
    routing hangs on an item that was itself routed out, nobody was asked either. Where it hangs
    on an answer that is missing for another reason, nothing is decided.
    """
    records = pd.MultiIndex.from_frame(answers[RECORD])
    routed = items.loc[items[Items.routing] != ""]
    for item, routing in zip(routed[Items.item], routed[Items.routing], strict=True):
        wide = widen(answers, RECORD, parse(routing).names)
        led = evaluate(routing, wide)
        outside = records.isin(wide.index[led == 0])
        unasked = np.isnan(led) & _hangs_on_routed_out(answers, routing, wide.index)
        rows = answers[Answers.item] == item
        given = rows & outside & (answers[Answers.reason] == "")
        answers.loc[given, Answers.problem] = "answered_although_routed_out"
        _withhold(answers, given)
        empty = rows & (answers[Answers.reason] == "no_answer")
        beyond = outside | records.isin(wide.index[unasked])
        answers.loc[empty & beyond, Answers.reason] = "routed_out"


def _hangs_on_routed_out(answers: pd.DataFrame, routing: str, records: pd.Index) -> Bools:
    """Records where items of the routing are routed out, and none is missing otherwise."""
    named = answers.loc[answers[Answers.item].isin(parse(routing).names)]
    skipped = named[Answers.reason] == "routed_out"
    unknown = ~skipped & (named[Answers.reason] != "")
    keys = pd.MultiIndex.from_frame(named[RECORD])
    return records.isin(keys[skipped]) & ~records.isin(keys[unknown])

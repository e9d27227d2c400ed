"""Decode: text becomes typed answers by the codebook; a missing value keeps its reason."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.errors import ExportError, Problem, StudyError, nearest
from pipeline.process.lists import is_listed
from pipeline.process.options import decode_options
from pipeline.process.routing import route
from pipeline.tables import Answers, Codes, Columns, Items, RawAnswers
from pipeline.tables.metadata import KEY

RECORD = [Answers.wave, Answers.file, str(Answers.record)]
ASKED = (
    Items.item,
    Items.question,
    Items.type,
    Items.code_list,
    Items.exclusive,
    Items.minimum,
    Items.maximum,
)
"""What decoding needs to know of an item."""
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
    chosen: str = "1",
    not_chosen: str = "0",
) -> DataFrame[Answers]:
    """Typed answers of one wave: one row per record and item, sorted.

    `items` and `codes` are those of the wave, `columns` its column map. `missing` says which text
    stands for which reason; an empty cell is `no_answer`, or `routed_out` where the routing does
    not lead to the item. `chosen` and `not_chosen` are the texts of an option. Numbers are read
    with the declared decimal and thousands signs and never guessed: a text that does not fit keeps
    its place with the rule it broke as `problem`. Raises ExportError where an item of the wave has
    no column in any file, or two in one; StudyError where a text of `missing` is an answer too.
    """
    _require_columns(raw, columns)
    _check_missing(raw, items, codes, missing, (chosen, not_chosen))
    answers = _grid(raw, items, columns)
    text = answers[Answers.text]
    reason = text.map(dict(missing)).astype(object).fillna("").where(text != "", "no_answer")
    answers[Answers.reason] = reason.where(answers["_asked"], "not_asked").astype(str)
    answers = answers.merge(items[list(ASKED)], on=Answers.item, how="left")
    _decode_codes(answers, codes)
    _decode_numbers(answers, decimal, thousands)
    decode_options(answers, chosen=chosen, not_chosen=not_chosen)
    _withhold(answers, answers[Answers.problem] != "")
    route(answers, items)
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
    raw: pd.DataFrame,
    items: pd.DataFrame,
    codes: pd.DataFrame,
    missing: Mapping[str, str],
    ticks: Sequence[str],
) -> None:
    """Refuse a text that is both an answer and none: either reading would be silently wrong."""
    texts = pd.DataFrame({"text": sorted(missing)}, dtype="str")
    single = items.loc[items[Items.type] == "single", [Items.item, Items.code_list]]
    valid = single.merge(texts, how="cross")
    listed = is_listed(valid[[Items.code_list, "text"]], codes[[Codes.code_list, Codes.code]])
    option = items.loc[items[Items.type] == "option", [Items.item]].merge(texts, how="cross")
    both = pd.concat([valid.loc[listed], option.loc[option["text"].isin(list(ticks))]])
    problems = [
        Problem(
            found=f"'{code}' = '{missing[code]}'",
            expected=f"a text that is no answer to {item}",
            advice="take it out of [missing], or the code out of codes.csv",
            wave=str(raw[RawAnswers.wave].iloc[0]),
            file="wave.toml",
            item=item,
        )
        for item, code in zip(both[Items.item], both["text"], strict=True)
    ]
    if problems:
        raise StudyError(problems)


def _grid(raw: pd.DataFrame, items: pd.DataFrame, columns: pd.DataFrame) -> pd.DataFrame:
    """Every record with every item of the wave; `_asked` where the record's file has the item."""
    of_column = dict(zip(columns[Columns.column], columns[Columns.item], strict=True))
    item = pd.Index(raw[RawAnswers.column].map(of_column))
    names = pd.Index([KEY, *sorted(items[Items.item])])
    column = names.get_indexer(item)
    row = raw.groupby(RECORD).ngroup().to_numpy()
    records = raw[RECORD].drop_duplicates().sort_values(RECORD, ignore_index=True)
    cells = np.full((len(records), len(names)), None, dtype=object)
    # One form, as in the register and the schemas: NFC, and a no-break space is a space.
    text = raw[RawAnswers.text].str.normalize("NFC").str.replace("\u00a0", " ").str.strip()
    cells[row[column >= 0], column[column >= 0]] = text.to_numpy(dtype=object)[column >= 0]
    grid = records.loc[np.repeat(records.index, len(names) - 1)].reset_index(drop=True)
    grid[Answers.firm_id] = pd.Series(cells[:, 0]).fillna("").repeat(len(names) - 1).to_numpy()
    grid[Answers.item] = np.tile(names[1:], len(records))
    given = pd.Series(cells[:, 1:].ravel(), dtype="str")
    grid["_asked"] = given.notna()
    grid[Answers.text] = given.fillna("")
    grid[Answers.code] = grid[Answers.problem] = ""
    grid[Answers.value] = np.nan
    return grid


def _decode_codes(answers: pd.DataFrame, codes: pd.DataFrame) -> None:
    """Set code and value of items with a code list; a code outside the list is a problem."""
    rows = (answers[Items.type] == "single") & (answers[Answers.reason] == "")
    asked = answers.loc[rows, [Items.code_list, Answers.text]]
    known = is_listed(asked, codes[[Codes.code_list, Codes.code]])
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

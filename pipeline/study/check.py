"""Whether the parts of a study fit together: every name that is used must exist.

The rows of the tables are checked here; `rules`, `formulas` and `settings` go into theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from keyword import iskeyword

from pipeline.errors import Problem, nearest
from pipeline.study.formulas import check_formulas, unasked
from pipeline.study.model import Study
from pipeline.study.rows import Row, rows_of
from pipeline.study.rules import check_changes, check_indicators
from pipeline.study.settings import PART_OF_ID, check_settings
from pipeline.tables.flow import RESPONSE
from pipeline.tables.metadata import KEY

ITEM_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""Such a name can stand in a formula."""
REQUIRED = (
    ("codes", "code_list"),
    ("codes", "code"),
    ("columns", "column"),
    ("edits", "rule"),
    ("edits", "test"),
    ("edits", "items"),
    ("indicators", "numerator"),
)
TEXTS = (
    ("items", "text"),
    ("codes", "label"),
    ("changes", "note"),
    ("edits", "message"),
    ("indicators", "theme"),
    ("indicators", "label"),
)
PERIODS = ("items", "codes", "changes", "edits", "indicators")


def check_study(study: Study, waves: Sequence[str]) -> list[Problem]:
    """Every reference that dangles and every rule that cannot be read, with file and line."""
    return [
        *_names(study),
        *_filled(study),
        *_references(study, waves),
        *_order_of_waves(waves),
        *_periods(study, waves),
        *_codes(study),
        *check_changes(study),
        *check_indicators(study),
        *check_formulas(study, waves),
        *check_settings(study),
    ]


def _names(study: Study) -> Iterator[Problem]:
    """Names that cannot stand where they will be used."""
    for row in rows_of(study, "items"):
        name = row["item"]
        if not ITEM_ID.fullmatch(name) or iskeyword(name) or name == KEY:
            expected = f"letters, digits and _, no digit first; not {KEY}, no word of formulas"
            yield row.problem("item", expected, "rename the item, map its column in columns.csv")
    for row in rows_of(study, "indicators"):
        if not PART_OF_ID.fullmatch(row["indicator"]):
            yield row.problem("indicator", "letters, digits and _ . -", "rename the indicator")
        elif row["indicator"] == RESPONSE:
            advice = "rename the indicator: every study has this one by itself"
            yield row.problem("indicator", "another name", advice)


def _filled(study: Study) -> Iterator[Problem]:
    """Cells that must not be empty, texts only in the languages of the study."""
    texts = [(t, f"{c}_{language}") for t, c in TEXTS for language in study.settings.languages]
    for table, column in (*REQUIRED, *texts):
        for row in rows_of(study, table):
            if not row[column]:
                yield row.problem(column, "a text", "fill the cell in, or take the row out")


def _references(study: Study, waves: Sequence[str]) -> Iterator[Problem]:
    """Items and code lists that are named but do not exist."""
    items = {row["item"]: row for row in rows_of(study, "items")}
    lists = set(study.codes["code_list"])
    for row in items.values():
        if row["type"] == "single" and row["code_list"] not in lists:
            advice = nearest(row["code_list"], lists)
            yield row.problem("code_list", "a code list of codes.csv", advice)
        elif row["type"] != "single" and row["code_list"]:
            advice = "set the type to single, or take the code list out"
            yield row.problem("code_list", f"nothing: a {row['type']} has no codes", advice)
    for table in ("columns", "changes"):
        for row in rows_of(study, table):
            if row["item"] not in items:
                yield row.problem("item", "an item of items.csv", nearest(row["item"], items))
            elif table == "columns" and row["wave"] not in items[row["item"]].waves(waves):
                advice = "correct from_wave or to_wave in items.csv, or take the row out"
                yield row.problem("item", f"an item that is asked in {row['wave']}", advice)
    for row in rows_of(study, "edits"):
        names = row["items"].split()
        for name in sorted(set(names) - items.keys()):
            yield row.problem("items", "items of items.csv", nearest(name, items), name)
        yield from unasked(row, "items", sorted(items.keys() & set(names)), items, waves)


def _order_of_waves(waves: Sequence[str]) -> Iterator[Problem]:
    """Waves are in the order of their names as text; 9 must not come after 10."""
    by_number = sorted(waves, key=lambda w: [int(p) for p in re.findall(r"[0-9]+", w)])
    for wave, expected in zip(waves, by_number, strict=True):
        if wave != expected:
            advice = "name the folders so that they sort by age, with as many digits (09, 10)"
            found = f"'{wave}' before '{expected}'"
            yield Problem(found, "names in the order of the waves", advice, wave=wave)
            return


def _periods(study: Study, waves: Sequence[str]) -> Iterator[Problem]:
    """Waves that do not exist, or that end before they begin."""
    named = [("columns", "wave"), *((t, c) for t in PERIODS for c in ("from_wave", "to_wave"))]
    for table, column in named:
        for row in rows_of(study, table):
            if row[column] not in waves and (row[column] or column == "wave"):
                expected = "a wave with a folder below data/raw"
                yield row.problem(column, expected, nearest(row[column], waves))
            elif column == "to_wave" and row[column] and row[column] < row["from_wave"]:
                advice = f"{row['from_wave']} or later, or empty for no end"
                yield row.problem(column, "not before from_wave", advice)


def _codes(study: Study) -> Iterator[Problem]:
    """Codes that are there twice in the same wave."""
    seen: dict[tuple[str, str], list[Row]] = {}
    for row in rows_of(study, "codes"):
        others = seen.setdefault((row["code_list"], row["code"]), [])
        for other in others:
            if not (_ends_before(other, row) or _ends_before(row, other)):
                expected = f"a code once in each wave; it is in line {other.line} too"
                yield row.problem("code", expected, "limit the older one with to_wave")
        others.append(row)


def _ends_before(row: Row, other: Row) -> bool:
    return bool(row["to_wave"]) and row["to_wave"] < other["from_wave"]

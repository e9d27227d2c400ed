"""Names that cannot stand where they will be used, and cells that must not be empty."""

from __future__ import annotations

import re
from collections.abc import Iterator
from keyword import iskeyword

from pipeline.errors import Problem
from pipeline.study.schemas import Schemas
from pipeline.tables.flow import RESPONSE
from pipeline.tables.metadata import KEY

ITEM_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""Such a name can stand in a formula."""
PART_OF_ID = re.compile(r"[A-Za-z0-9_.-]+")
"""Such a name can be a part of a number's id: it holds none of the signs between the parts."""
REQUIRED = (
    ("codes", "code_list"),
    ("codes", "code"),
    ("columns", "column"),
    ("changes", "from_wave"),
    ("edits", "rule"),
    ("definitions", "numerator"),
)
TEXTS = (
    ("questions", "text"),
    ("codes", "label"),
    ("changes", "note"),
    ("edits", "message"),
    ("definitions", "theme"),
    ("definitions", "label"),
    ("definitions", "definition"),
)


def check_names(schemas: Schemas) -> Iterator[Problem]:
    """Ids of items and indicators; cells without a text."""
    yield from _items(schemas)
    for row in schemas.rows["definitions"]:
        if not PART_OF_ID.fullmatch(row["indicator"]):
            yield row.problem("indicator", "letters, digits and _ . -", "rename the indicator")
        elif row["indicator"] == RESPONSE:
            advice = "rename the indicator: every study has this one by itself"
            yield row.problem("indicator", "another name", advice)
    yield from _filled(schemas)


def _items(schemas: Schemas) -> Iterator[Problem]:
    """Items whose id is no name, or is that of a column of the register or of another item."""
    owners: dict[str, set[str]] = {}
    for item, question in zip(schemas.items["item"], schemas.items["question"], strict=True):
        owners.setdefault(item, set()).add(question)
    for row in schemas.rows["questions"]:
        name = row["item"]
        if not ITEM_ID.fullmatch(name) or iskeyword(name) or name == KEY:
            expected = f"letters, digits and _, no digit first; not {KEY}, no word of formulas"
            yield row.problem("item", expected, "rename the item, map its column in columns.csv")
        own = [name, *(item for item, questions in owners.items() if name in questions)]
        for item in dict.fromkeys(own):
            if item in schemas.register:
                advice = "rename the item, or the column of the register"
                yield row.problem("item", "a name that the register does not have", advice, item)
            if owners.get(item, {name}) != {name}:
                expected = f"the name of one item, not of {' and '.join(sorted(owners[item]))}"
                yield row.problem("item", expected, "rename one of the questions", item)
            elif item != name and not ITEM_ID.fullmatch(item):
                expected = "codes of letters, digits and _, as they become a part of the item"
                yield row.problem("code_list", expected, "change the code", item)


def _filled(schemas: Schemas) -> Iterator[Problem]:
    """Cells that must not be empty, texts only in the languages of the study."""
    texts = [(t, f"{c}_{language}") for t, c in TEXTS for language in schemas.settings.languages]
    for table, column in (*REQUIRED, *texts):
        for row in schemas.rows[table]:
            if not row[column]:
                yield row.problem(column, "a text", "fill the cell in, or take the row out")

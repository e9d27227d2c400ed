"""From questions to single items: the options of a multi, the rows of a grid, what count counts."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import pandas as pd
from pandera.typing import DataFrame

from pipeline.expressions import parse
from pipeline.tables import Codes, Items, Questions

SEVERAL = ("multi", "grid")
"""Types of questions that have several items."""
Record = dict[str, Any]
LAST = "\uffff"
"""Stands behind the names of all waves."""


def expand(questions: DataFrame[Questions], codes: DataFrame[Codes]) -> pd.DataFrame:
    """The questionnaire by item (`Items`), in the order of the questions and of their codes.

    An option or row is asked in the waves of its question in which its code is valid; its text is
    that of the question, a dash and the label of the code.
    """
    lists: dict[str, list[Record]] = {}
    for code in _records(codes):
        lists.setdefault(code["code_list"], []).append(code)
    found = [item for question in _records(questions) for item in _items(question, lists)]
    table = pd.DataFrame(found, columns=list(Items.to_schema().columns))
    return table.astype(Items.empty().dtypes.to_dict())


def options_of(questions: pd.DataFrame, items: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Options that `count` counts, by multi: those of any wave that are not exclusive."""
    names = dict.fromkeys(questions.loc[questions[Questions.type] == "multi", Questions.item])
    counted = items[(items[Items.type] == "option") & ~items[Items.exclusive]]
    groups = counted.groupby(Items.question, sort=False)[Items.item]
    found = {str(question): tuple(dict.fromkeys(options)) for question, options in groups}
    return {name: found.get(name, ()) for name in names}


def items_of(items: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """The items of every question, in their order."""
    groups = items.groupby(Items.question, sort=False)[Items.item]
    return {str(question): tuple(dict.fromkeys(members)) for question, members in groups}


def write_out(text: str, options: Mapping[str, Sequence[str]]) -> str:
    """A formula with `count(<multi>)` written out by its options; other formulas as they are."""
    if not text or not parse(text).names & options.keys():
        return text
    tree = ast.parse(text.strip(), mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "count":
            names = [ast.unparse(argument) for argument in node.args]
            parts = [part for name in names for part in options.get(name, (name,))]
            node.args = [ast.parse(part, mode="eval").body for part in parts]
    return ast.unparse(tree)


def _items(question: Record, lists: Mapping[str, list[Record]]) -> Iterator[Record]:
    """The items of a version of a question."""
    base = question | {"question": question["item"], "exclusive": False}
    is_multi = question["type"] == "multi"
    if question["type"] not in SEVERAL:
        yield base
        return
    if is_multi:
        base |= {"type": "option", "minimum": float("nan"), "maximum": float("nan")}
    else:
        base |= {"type": "single"}
    for code in lists.get(question["code_list" if is_multi else "rows"], []):
        first = max(question["from_wave"], code["from_wave"])
        last = min(question["to_wave"] or LAST, code["to_wave"] or LAST)
        if first > last:
            continue
        texts = {
            f"text_{language}": " – ".join(
                part for part in (question[f"text_{language}"], code[f"label_{language}"]) if part
            )
            for language in ("de", "en")
        }
        yield (
            base
            | texts
            | {
                "item": f"{question['item']}_{code['code']}",
                "exclusive": is_multi and code["exclusive"] == "yes",
                "from_wave": first,
                "to_wave": last.replace(LAST, ""),
            }
        )


def _records(table: pd.DataFrame) -> list[Record]:
    return cast("list[Record]", table.to_dict("records"))

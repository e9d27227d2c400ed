"""Whether the changes and indicators of a study fit their kind."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from pipeline.errors import Problem, nearest
from pipeline.study.model import Study
from pipeline.study.rows import Row, rows_of

PAIR = r"[^\s=]+=[^\s=]+"
RECODE = re.compile(rf"{PAIR}(\s+{PAIR})*")
FACTOR = re.compile(r"\* ?(?![0.]+$)[0-9]+(\.[0-9]+)?")
NUMBERS = ("integer", "number", "percent")


def check_changes(study: Study) -> Iterator[Problem]:
    """Changes whose parts do not fit their kind, or the type of their item."""
    items = {row["item"]: row for row in rows_of(study, "items")}
    for row in rows_of(study, "changes"):
        item = items.get(row["item"])
        match row["kind"]:
            case "unit":
                yield from _unit(row, item)
            case "recode":
                of_list = study.codes["code_list"] == (item["code_list"] if item else "")
                yield from _recode(row, item, set(study.codes.loc[of_list, "code"]))
            case "break" if not row["from_wave"]:
                yield row.problem("from_wave", "the first wave of the new question", "name it")
        if row["kind"] in {"break", "note"} and row["apply"]:
            yield row.problem("apply", f"nothing: a {row['kind']} changes no answer", "clear it")


def _unit(row: Row, item: Row | None) -> Iterator[Problem]:
    if not FACTOR.fullmatch(row["apply"]):
        yield row.problem("apply", "a factor such as '* 1000'", "write * and the factor")
    if item and item["type"] not in NUMBERS:
        advice = f"{row['item']} is of type {item['type']}: use recode, break or note"
        yield row.problem("kind", "a kind for an item without numbers", advice)


def _recode(row: Row, item: Row | None, codes: Collection[str]) -> Iterator[Problem]:
    if item and item["type"] != "single":
        advice = f"{row['item']} is of type {item['type']}: use unit, break or note"
        yield row.problem("kind", "a kind for an item without codes", advice)
    elif not RECODE.fullmatch(row["apply"]):
        advice = "write old=new for each code, with blanks between"
        yield row.problem("apply", "pairs such as '1=3 2=2 3=1'", advice)
    elif item:
        pairs = [pair.split("=") for pair in row["apply"].split()]
        for code in sorted({code for pair in pairs for code in pair} - set(codes)):
            expected = f"codes of the list {item['code_list']}"
            yield row.problem("apply", expected, nearest(code, codes), code)
        olds = [old for old, _ in pairs]
        for old in sorted({old for old in olds if olds.count(old) > 1}):
            yield row.problem("apply", "each old code once", "take one of the pairs out", old)


def check_indicators(study: Study) -> Iterator[Problem]:
    """Indicators whose formulas do not fit their kind."""
    for row in rows_of(study, "indicators"):
        if row["kind"] == "ratio" and not row["denominator"]:
            advice = "write the denominator, or choose the kind mean, share or total"
            yield row.problem("denominator", "a formula: the kind is ratio", advice)
        elif row["kind"] != "ratio" and row["denominator"]:
            advice = "clear the cell, or choose the kind ratio"
            yield row.problem("denominator", f"nothing: the kind is {row['kind']}", advice)

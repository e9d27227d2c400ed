"""Whether the changes of a study fit their kind, and the type of their item."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from pipeline.errors import Problem, nearest
from pipeline.study.check.codes import CLASSIFICATION, RECODE, cut, ends_of
from pipeline.study.check.waves import unasked
from pipeline.study.schemas import Row, Schemas

EVERYTHING = "*"
"""The item of a change that concerns the whole questionnaire."""
FACTOR = re.compile(r"\* ?(?![0.]+$)[0-9]+(\.[0-9]+)?")
CLASSES = re.compile(r"\S+(\s+[^\s=]+=[0-9]*-[0-9]*)+")
NEEDED = {
    "unit": ("integer", "number", "percent"),
    "recode": ("single", "grid"),
    "class": ("single",),
    "classification": ("single",),
    "filter": (),
}
"""Kinds that change values, and the types of items for which they can."""


def check_changes(schemas: Schemas) -> Iterator[Problem]:
    """Changes of items that do not exist, of the wrong type, or that cannot be applied."""
    items = {EVERYTHING, *schemas.asked}
    for row in schemas.rows["changes"]:
        if row["item"] not in items:
            yield row.problem("item", "an item of items.csv, or *", nearest(row["item"], items))
        elif row["kind"] not in NEEDED:
            if row["apply"]:
                yield row.problem(
                    "apply", f"nothing: a {row['kind']} changes no answer", "clear it"
                )
        elif row["item"] == EVERYTHING:
            advice = f"name the items, each in a row; a {row['kind']} changes their answers"
            yield row.problem("item", "an item", advice)
        else:
            yield from _of_kind(schemas, row)


def _of_kind(schemas: Schemas, row: Row) -> Iterator[Problem]:
    """What is wrong with a change of values."""
    needed, waves = NEEDED[row["kind"]], row.waves(schemas.waves)
    types = schemas.types(row["item"], waves)
    if needed and types - {*needed}:
        wrong = sorted(types - {*needed})[0]
        advice = f"{row['item']} is of type {wrong}: limit the waves, or use another kind"
        yield row.problem("kind", f"a kind for items of type {wrong}", advice)
        return
    if row["kind"] != "class":
        yield from unasked(schemas, row, "item", [row["item"]])
    match row["kind"]:
        case "unit" if not FACTOR.fullmatch(row["apply"]):
            yield row.problem("apply", "a factor such as '* 1000'", "write * and the factor")
        case "recode":
            yield from _recode(schemas, row)
        case "class":
            yield from _class(schemas, row)
        case "classification":
            yield from _classification(schemas, row)
        case "filter" if not row["apply"]:
            yield row.problem("apply", "a condition", "write whose answers count, such as item > 0")


def _codes(schemas: Schemas, row: Row, waves: tuple[str, ...]) -> set[str]:
    """Codes of the item of a change in these waves, as asked."""
    asked = schemas.asked[row["item"]]
    return {
        code
        for wave in waves
        if wave in asked
        for code in schemas.valid_codes(asked[wave]["code_list"], [wave])
    }


def _list(schemas: Schemas, name: str) -> str:
    lists = dict.fromkeys(version["code_list"] for version in schemas.asked[name].values())
    return f"codes of the list {' or '.join(text for text in lists if text)}"


def _recode(schemas: Schemas, row: Row) -> Iterator[Problem]:
    if not RECODE.fullmatch(row["apply"]):
        advice = "write old=new for each code, with blanks between"
        yield row.problem("apply", "pairs such as '1=3 2=2 3=1'", advice)
        return
    pairs = [pair.split("=") for pair in row["apply"].split()]
    olds, known = [old for old, _ in pairs], _codes(schemas, row, row.waves(schemas.waves))
    for code in sorted({*olds} - known):
        expected = f"{_list(schemas, row['item'])}, valid in these waves"
        yield row.problem("apply", expected, nearest(code, known), code)
    known = _codes(schemas, row, schemas.waves)
    for code in sorted({new for _, new in pairs} - known - {*olds}):
        yield row.problem("apply", _list(schemas, row["item"]), nearest(code, known), code)
    for old in sorted({old for old in olds if olds.count(old) > 1}):
        yield row.problem("apply", "each old code once", "take one of the pairs out", old)


def _class(schemas: Schemas, row: Row) -> Iterator[Problem]:
    if not CLASSES.fullmatch(row["apply"]):
        advice = "write the item of the classes, then code=low-high for each, the last one open"
        expected = "an item and bounds such as 'size 1=1-9 2=10-49 3=50-'"
        yield row.problem("apply", expected, advice)
        return
    target, *bounds = row["apply"].split()
    if schemas.types(target, schemas.waves) != {"single"} or target == row["item"]:
        items = {i for i in schemas.asked if schemas.types(i, schemas.waves) == {"single"}}
        expected = "an item of items.csv for the classes, of type single"
        yield row.problem("apply", expected, nearest(target, items - {row["item"]}), target)
        return
    codes = [bound.split("=")[0] for bound in bounds]
    of_target = _codes(schemas, Row(row.file, row.line, {"item": target}), schemas.waves)
    for code in sorted({*codes} - of_target):
        yield row.problem("apply", _list(schemas, target), nearest(code, of_target), code)
    for code in sorted(_codes(schemas, row, row.waves(schemas.waves)) - {*codes}):
        expected = f"bounds for every code of {row['item']}"
        yield row.problem("apply", expected, "add its bounds", code)
    yield from _bounds(row, bounds)


def _bounds(row: Row, bounds: list[str]) -> Iterator[Problem]:
    """Classes that overlap or leave a gap, in the order of their lower bounds."""
    split = [(bound, *bound.split("=")[1].split("-")) for bound in bounds]
    by_low = sorted(split, key=lambda part: int(part[1] or -1))
    for (before, _, high), (bound, low, _) in pairwise(by_low):
        if not (low and high) or int(low) != int(high) + 1:
            is_gap = bool(low and high) and int(low) > int(high) + 1
            expected = (
                f"a class that begins where {before} ends: no {'gap' if is_gap else 'overlap'}"
            )
            yield row.problem("apply", expected, "correct one of the bounds", bound)


def _classification(schemas: Schemas, row: Row) -> Iterator[Problem]:
    known = {key["concordance"] for key in schemas.rows["concordances"]}
    name = row["apply"].partition(" ")[0]
    if not CLASSIFICATION.fullmatch(row["apply"]) or name not in known:
        expected = "a file of classifications/ (<from>_<to>) and the digits that are compared"
        yield row.problem("apply", expected, nearest(name, known))
        return
    ends, digits = ends_of(schemas, name), int(row["apply"].split()[1])
    asked = schemas.asked[row["item"]]
    lists = {asked[wave]["code_list"] for wave in row.waves(schemas.waves) if wave in asked}
    for code_list in sorted(lists - {ends[0]} if ends else ()):
        expected = f"a concordance of the list that was asked, {code_list}"
        yield row.problem("apply", expected, "name another concordance, or limit the waves", name)
    mapped = {k["from_code"] for k in schemas.rows["concordances"] if k["concordance"] == name}
    for code in sorted(cut(_codes(schemas, row, row.waves(schemas.waves)), digits) - mapped):
        expected = f"a row for every code in classifications/{name}.csv"
        yield row.problem("apply", expected, "add the row, with its source", code)

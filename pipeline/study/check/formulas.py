"""Whether the formulas of a study can be read, and can mean what they say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.errors import Problem, nearest
from pipeline.expressions import FormulaError, compared_codes, is_truth, names_outside, parse
from pipeline.study.check.codes import codes_in
from pipeline.study.check.waves import unasked
from pipeline.study.questions import SEVERAL
from pipeline.study.schemas import Row, Schemas, fits


@dataclass(frozen=True)
class Place:
    """A cell with a formula: whether it must be true or false, and over what it is.

    Routing is over answers as they were given; all others are over the series, and those of edits
    and indicators over columns of the register too.
    """

    row: Row
    column: str
    is_condition: bool
    as_series: bool = True
    with_register: bool = True

    @property
    def text(self) -> str:
        """The formula."""
        return self.row[self.column]


def check_formulas(schemas: Schemas) -> Iterator[Problem]:
    """What is wrong in any formula: syntax, names, codes, waves, an amount for a condition."""
    for place in _places(schemas):
        try:
            names = parse(place.text).names
        except FormulaError as error:
            advice = "see the formulas in CONTRIBUTING.md"
            yield place.row.problem(place.column, f"a formula; this {error}", advice)
            continue
        if place.row.cells.get("kind") == "formula":
            continue  # over indicators, checked with them
        yield from _names(schemas, place, names)
        yield from unasked(schemas, place.row, place.column, names)
        yield from _codes(schemas, place)
        yield from _classes(schemas, place)
        if place.is_condition and not is_truth(place.text):
            advice = "compare it, for instance with > 0"
            yield place.row.problem(place.column, "something true or false", advice)
        if place.column == "routing":
            yield from _order(schemas, place.row, names)


def _places(schemas: Schemas) -> Iterator[Place]:
    for row in schemas.rows["questions"]:
        if row["routing"]:
            yield Place(row, "routing", is_condition=True, as_series=False, with_register=False)
    for row in schemas.rows["changes"]:
        if row["kind"] == "filter" and row["apply"]:
            yield Place(row, "apply", is_condition=True, with_register=False)
    for row in schemas.rows["edits"]:
        if row["kind"] in {"hard", "soft", "parts"} and row["test"]:
            yield Place(row, "test", is_condition=row["kind"] != "parts")
        if row["condition"]:
            yield Place(row, "condition", is_condition=True)
    for row in schemas.rows["definitions"]:
        for column in ("numerator", "denominator", "base"):
            if row[column]:
                is_share = row["kind"] == "share" and column == "numerator"
                yield Place(row, column, is_condition=is_share or column == "base")


def _names(schemas: Schemas, place: Place, names: frozenset[str]) -> Iterator[Problem]:
    row, column = place.row, place.column
    known = {*schemas.asked} | ({*schemas.register} if place.with_register else set())
    bare = names_outside(place.text, "count")
    counted = names - bare
    for name in sorted(names):
        types = schemas.types(name, row.waves(schemas.waves) or schemas.waves)
        if name not in known:
            what = "an item or a column of the register" if place.with_register else "an item"
            yield row.problem(column, f"{what} in '{place.text}'", nearest(name, known), name)
        elif "text" in types:
            advice = f"{name} is of type text; use another item"
            yield row.problem(column, "an item with numbers or codes", advice, name)
        elif types & {*SEVERAL} and (name in bare or "grid" in types):
            options = [item for item in schemas.asked if item.startswith(f"{name}_")]
            counts = f"count({name}), or " if "multi" in types else ""
            advice = f"write {counts}one of its items, such as {options[0] if options else name}"
            yield row.problem(column, "an item; this question has several", advice, name)
        elif name in counted and not types & {"multi", "option"}:
            advice = f"compare {name} with its codes, without count"
            yield row.problem(column, "a multi, or options of one, to be counted", advice, name)
        elif name in schemas.derived and not place.as_series:
            advice = "use the item that was asked"
            yield row.problem(column, "an item that is asked itself", advice, name)


def _codes(schemas: Schemas, place: Place) -> Iterator[Problem]:
    """Codes that an item does not have in a wave, so that the comparison could never hold."""
    waves = place.row.waves(schemas.waves)
    for name, code in dict.fromkeys(compared_codes(place.text)):
        valid = {wave: _valid(schemas, place, name, wave) for wave in waves}
        known = {wave: codes for wave, codes in valid.items() if codes is not None}
        bad = [
            wave
            for wave, codes in known.items()
            if not (fits(code, codes) if codes else not isinstance(code, str))
        ]
        if not bad:
            continue
        there = set().union(*(known[wave] for wave in bad))
        if not there:
            expected, advice = f"a number: {name} has no codes", "write it without quotation marks"
        elif len(bad) < len(known):
            expected = f"a code of {name} in every wave of the row; not in {', '.join(bad)}"
            advice = "limit the waves of the row, or recode the answers of these in changes.csv"
        else:
            expected, advice = f"a code of {name}", nearest(str(code), there)
        yield place.row.problem(place.column, expected, advice, str(code))


def _valid(schemas: Schemas, place: Place, name: str, wave: str) -> set[str] | None:
    """Codes of a name in a wave; empty for numbers, None where nothing can be said."""
    if name in schemas.asked:
        types = schemas.types(name, [wave])
        if types & {"text", *SEVERAL}:
            return None
        codes = codes_in(schemas, name, wave, as_series=place.as_series)
        # a list that does not exist is said of the item; any code is then wrong here
        return codes or ({""} if types & {"single"} else codes)
    if name in schemas.register and place.with_register:
        return schemas.valid_codes(schemas.register[name], [wave]) or {""}
    return None


def _classes(schemas: Schemas, place: Place) -> Iterator[Problem]:
    """Items that are numbers in some waves and classes in others, used where they are classes."""
    for name in sorted(names_outside(place.text, "answered") & schemas.asked.keys()):
        all_types = schemas.types(name, schemas.waves)
        if "single" not in all_types or all_types == {"single"}:
            continue
        waves = place.row.waves(schemas.waves)
        classes = [wave for wave in waves if "single" in schemas.types(name, [wave])]
        if classes:
            expected = f"a number in every wave of the row; {name} has classes in "
            advice = (
                f"limit the row to the waves in which {name} is a number, use answered({name}), "
                "or the item of the classes (a change of kind class)"
            )
            yield place.row.problem(place.column, expected + ", ".join(classes), advice, name)


def _order(schemas: Schemas, row: Row, names: frozenset[str]) -> Iterator[Problem]:
    """Routing leads on from answers that were given before."""
    order = list(dict.fromkeys(question["item"] for question in schemas.rows["questions"]))
    later = {*order[order.index(row["item"]) :]}
    owners = dict(zip(schemas.items["item"], schemas.items["question"], strict=True))
    for name in sorted(name for name in names if owners.get(name, name) in later):
        expected = "an item that stands above this one"
        yield row.problem("routing", expected, "put the rows in the order of the questions", name)

"""Whether the indicators of a study fit their kind and can be computed from what was asked."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.errors import Problem, nearest
from pipeline.expressions import (
    FloatArray,
    FormulaError,
    compute,
    is_truth,
    names_of_tests,
    parse,
)
from pipeline.study.check.attainable import attainable
from pipeline.study.schemas import Row, Schemas


def check_indicators(schemas: Schemas) -> Iterator[Problem]:
    """Indicators whose formulas do not fit their kind; rankings that do not exist."""
    indicators = {row["indicator"]: row for row in schemas.rows["definitions"]}
    for row in indicators.values():
        yield from _cells(row)
        if row["kind"] == "formula":
            yield from _computed(schemas, row, indicators)
        else:
            yield from _attainable(schemas, row)
        if row["kind"] == "ratio":
            yield from _routing(schemas, row)
        if row["ranking"] and row["ranking"] not in schemas.settings.ranking:
            advice = nearest(row["ranking"], schemas.settings.ranking)
            yield row.problem("ranking", "a ranking of study.toml ([ranking.<name>])", advice)


def _cells(row: Row) -> Iterator[Problem]:
    if row["kind"] == "ratio" and not row["denominator"]:
        advice = "write the denominator, or choose the kind mean, share or total"
        yield row.problem("denominator", "a formula: the kind is ratio", advice)
    elif row["kind"] != "ratio" and row["denominator"]:
        advice = "clear the cell, or choose the kind ratio"
        yield row.problem("denominator", f"nothing: the kind is {row['kind']}", advice)
    if row["kind"] == "formula" and row["base"]:
        advice = "clear the cell: the base is that of the indicators in the formula"
        yield row.problem("base", "nothing: the kind is formula", advice)


def _computed(schemas: Schemas, row: Row, indicators: dict[str, Row]) -> Iterator[Problem]:
    """What is wrong with an indicator that is computed from others."""
    formula = row["numerator"]
    if not _parses(formula):
        return  # said where all formulas are checked
    plain = {name for name, other in indicators.items() if other["kind"] != "formula"}
    names = parse(formula).names
    for name in sorted(names - plain):
        expected = "indicators of other kinds than formula"
        yield row.problem("numerator", expected, nearest(name, plain), name)
    for name in sorted(names & plain):
        absent = {*row.waves(schemas.waves)} - {*indicators[name].waves(schemas.waves)}
        if absent:
            expected = f"an indicator of every wave of the row; not of {', '.join(sorted(absent))}"
            advice = f"set from_wave and to_wave of the row to those of {name}"
            yield row.problem("numerator", expected, advice, name)
    try:
        compute(formula, {name: np.ones(1) for name in names})
    except FormulaError as error:
        expected = f"+ - * / and sqrt of indicators; this {error}"
        yield row.problem("numerator", expected, "write it with these alone")
    if not names:
        yield row.problem("numerator", "a formula of indicators", "name them")


def _attainable(schemas: Schemas, row: Row) -> Iterator[Problem]:
    """A denominator that is never above zero, a base to which nobody belongs, no balance."""
    waves, is_balance = row.waves(schemas.waves), row["kind"] == "balance"
    for column, expected in (
        ("denominator", "an amount that can be above zero"),
        ("base", "a condition that can hold"),
    ):
        values = _values(schemas, row[column], waves)
        if values is not None and not (values > 0).any():
            yield row.problem(column, expected, "correct it: with any answer there would be none")
    values = _values(schemas, row["numerator"], waves) if is_balance else None
    if values is not None:
        others = {*values[~np.isnan(values)]} - {-1, 0, 1}
        if others or is_truth(row["numerator"]):
            advice = "write up minus down, such as (x == 1) - (x == 3), or choose another kind"
            yield row.problem("numerator", "1 for up, -1 for down, 0 for neither", advice)


def _values(schemas: Schemas, text: str, waves: tuple[str, ...]) -> FloatArray | None:
    return attainable(schemas, text, waves) if text and _parses(text) else None


def _routing(schemas: Schemas, row: Row) -> Iterator[Problem]:
    """Items of a ratio that not everybody was asked, while the base does not say so.

    Who was not asked has no value and would drop out of both sums silently.
    """
    formulas = [row["numerator"], row["denominator"]]
    if not all(map(_parses, [*formulas, row["base"] or "1"])):
        return
    said = {*(parse(row["base"]).names if row["base"] else ())}
    said |= {name for text in formulas for name in names_of_tests(text)}
    named = {name for text in formulas for name in parse(text).names}
    for name in sorted(named & schemas.asked.keys()):
        versions = [
            schemas.asked[name][w] for w in row.waves(schemas.waves) if w in schemas.asked[name]
        ]
        for routing in dict.fromkeys(v["routing"] for v in versions if v["routing"]):
            if _parses(routing) and not _questions(schemas, parse(routing).names) <= _questions(
                schemas, said
            ):
                expected = f"a base that says who was asked this item: {routing}"
                advice = (
                    f"add {routing} to the base, or write '{name} if {routing} else 0' if it is 0 "
                    "for all others"
                )
                yield row.problem("base", expected, advice, name)


def _questions(schemas: Schemas, names: frozenset[str] | set[str]) -> set[str]:
    """Questions to which names belong: an option stands for its question."""
    asked = {name: next(iter(v.values()), None) for name, v in schemas.asked.items()}
    found = {name: asked.get(name) for name in names}
    return {row.cells.get("question", name) if row else name for name, row in found.items()}


def _parses(text: str) -> bool:
    try:
        parse(text)
    except FormulaError:
        return False
    return True

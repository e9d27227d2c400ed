"""What a formula can come to: its values over answers that could be given."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from math import prod

import numpy as np
import pandas as pd

from pipeline.expressions import FloatArray, Wide, evaluate, parse
from pipeline.study.check.codes import codes_in
from pipeline.study.questions import write_out
from pipeline.study.schemas import PATTERN, Schemas

MOST = 50_000
"""Combinations of answers that are tried; formulas with more are not judged."""
AMOUNTS = (0.0, 1.0, 1e3, 1e6)
"""Amounts that are tried beside the bounds of a question and the constants of the formula."""


def attainable(schemas: Schemas, text: str, waves: Sequence[str]) -> FloatArray | None:
    """Values of a formula over combinations of answers, none of them missing; None if too many.

    Items have all codes of the waves, or amounts: their bounds, and just below, at and above each
    constant of the formula, as nothing else can decide a comparison with it.
    """
    if any(not schemas.options.get(name, name) for name in parse(text).names):
        return None
    text = write_out(text, schemas.options)
    names = sorted(parse(text).names)
    nodes = (n.value for n in ast.walk(parse(text).tree) if isinstance(n, ast.Constant))
    constants = [float(value) for value in nodes if isinstance(value, int | float)]
    answers = [_answers(schemas, name, waves, constants) for name in names]
    sizes = [len(candidates) for candidates in answers]
    if not all(sizes) or prod(sizes) > MOST:
        return None
    picked = np.indices(sizes).reshape(len(sizes), prod(sizes))
    codes, numbers = {}, {}
    for name, candidates, index in zip(names, answers, picked, strict=True):
        as_code = np.array([str(candidate) for candidate in candidates], dtype=object)
        codes[name] = as_code[index]
        numbers[name] = pd.to_numeric(as_code, errors="coerce").astype(np.float64)[index]
    rows = pd.RangeIndex(prod(sizes))
    return evaluate(text, Wide(pd.DataFrame(numbers, rows), pd.DataFrame(codes, rows)))


def _answers(
    schemas: Schemas, name: str, waves: Iterable[str], constants: Iterable[float]
) -> list[str] | list[float]:
    """Answers to an item that are tried; none where nothing is known of it."""
    if name in schemas.register:
        return sorted(schemas.valid_codes(schemas.register[name], waves))
    asked = schemas.asked.get(name, {})
    versions = [asked[wave] for wave in waves if wave in asked]
    types = {version["type"] for version in versions}
    if types & {"single", "option"}:
        found = [codes_in(schemas, name, wave, as_series=True) or set() for wave in waves]
        codes = {code for codes in found for code in codes if not PATTERN.fullmatch(code)}
        return sorted(codes)
    if not types or types & {"text", "multi", "grid"}:
        return []
    tried = {*AMOUNTS, *(c + step for c in constants for step in (-1, 0, 1))}
    changes = schemas.rows["changes"]
    if any(rule["item"] == name and rule["kind"] == "unit" for rule in changes):
        return sorted(tried)  # the bounds are in the unit of the question
    low = min(_or(version["minimum"], -np.inf) for version in versions)
    high = max(_or(version["maximum"], np.inf) for version in versions)
    return sorted(v for v in tried | {low, high} if np.isfinite(v) and low <= v <= high)


def _or(bound: str, unbounded: float) -> float:
    """A bound of a question as a number; it is NaN where the cell is empty."""
    return unbounded if np.isnan(float(bound)) else float(bound)

"""Formulas of the analyst (routing, edit rules, indicators): parsed once, evaluated over columns.

They are written in `schemas/` in a small part of Python's own syntax and never run as code::

    B01 > 0                      comparison
    A04 * B01 / 100              arithmetic
    C05 in {3, 4}                membership in a set of codes
    A02 == 'x'                   a code that is no number
    A05 == 9 and not B01 > 0     logic
    min(D03, D04 + 1)            smallest, largest: min, max; abs, floor, sqrt
    answered(A03)                whether there is a value
    count(B07_1, B07_2)          how many options were chosen, of those that there are
    section == 'C'               a column of the register
    B02 if B01 > 0 else 0        choice: an item that is not asked of everybody

A missing value makes the result missing, except where logic decides without it (Kleene 1952, §64):
`false and missing` is false, `true or missing` is true. A division by zero is missing, so is the
root of a negative number, and what is too large for one. `count` alone passes over missing values
(an option that a wave did not offer); it is missing where all are.
"""

from pipeline.expressions.evaluation import FloatArray, Wide, compute, evaluate, widen
from pipeline.expressions.language import (
    Formula,
    FormulaError,
    compared_codes,
    is_truth,
    names_of_tests,
    names_outside,
    parse,
)
from pipeline.expressions.parts import Bounds, part_of

__all__ = [
    "Bounds",
    "FloatArray",
    "Formula",
    "FormulaError",
    "Wide",
    "compared_codes",
    "compute",
    "evaluate",
    "is_truth",
    "names_of_tests",
    "names_outside",
    "parse",
    "part_of",
    "widen",
]

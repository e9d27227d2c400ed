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

from __future__ import annotations

import ast
import functools
import operator
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float64]


def _root(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.sqrt(np.where(column.real < 0, np.nan, column))


def _count(*columns: FloatArray) -> FloatArray:
    """Sum without the missing values; missing where all are."""
    stacked = np.stack(columns)
    found = np.where(np.isnan(stacked), 0.0, stacked).sum(axis=0)
    return np.where(np.isnan(stacked).all(axis=0), np.nan, found)


_ARITHMETIC: dict[type[ast.operator], Callable[[FloatArray, FloatArray], FloatArray]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda a, b: a / np.where(b == 0, np.nan, b),
}
_COMPARISON: dict[type[ast.cmpop], Callable[[FloatArray, FloatArray], npt.NDArray[np.bool_]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_FUNCTIONS: dict[str, Callable[..., FloatArray]] = {
    "min": lambda *columns: np.minimum.reduce(columns),
    "max": lambda *columns: np.maximum.reduce(columns),
    "abs": np.abs,
    "floor": np.floor,
    "sqrt": _root,
    "count": _count,
    "answered": lambda column: (~np.isnan(column)).astype(np.float64),
}
_ARGUMENTS = dict.fromkeys(_FUNCTIONS, 1) | dict.fromkeys(("min", "max", "count"), 999)
_OF_CODES = (ast.Eq, ast.NotEq, ast.In, ast.NotIn)


class FormulaError(Exception):
    """A formula that cannot be read; the message says why. The study's loader names the place."""


@dataclass(frozen=True)
class Formula:
    """A parsed formula: its text, its syntax tree, and the names of the items in it."""

    text: str
    tree: ast.expr
    names: frozenset[str]


@dataclass(frozen=True)
class Wide:
    """Answers of many firms side by side: one row a firm, one column an item.

    `numbers` has NaN where there is no number; `codes` has the code as text ('' where none).
    """

    numbers: pd.DataFrame
    codes: pd.DataFrame

    @property
    def index(self) -> pd.Index:
        """The firms (or records), in order."""
        return self.numbers.index


def widen(
    answers: pd.DataFrame, by: list[str], items: Iterable[str], index: pd.Index | None = None
) -> Wide:
    """Turn long answers (columns item, code, value) into one row per key `by`, sorted.

    Items without any answer become columns of missing values, so that a formula can name them.
    """
    columns = pd.Index(sorted(set(items)), dtype=str)
    keyed = answers.loc[answers["item"].isin(columns)].set_index([*by, "item"])
    if index is None:
        index = pd.MultiIndex.from_frame(answers[by].drop_duplicates().sort_values(by))
    numbers = keyed["value"].unstack("item").reindex(index=index, columns=columns)
    codes = keyed["code"].unstack("item").reindex(index=index, columns=columns)
    return Wide(numbers.astype(np.float64), codes.astype(object).fillna(""))


@functools.lru_cache(maxsize=4096)
def parse(text: str) -> Formula:
    """Parse a formula; raises FormulaError with the reason where it is not one."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        _check(tree)
    except (SyntaxError, ValueError) as error:  # ValueError: what is no text of a program at all
        raise FormulaError(f"is not a formula ({error})") from error
    except (RecursionError, MemoryError) as error:
        raise FormulaError("is nested too deeply") from error
    return Formula(text, tree, _names(tree))


def evaluate(text: str, wide: Wide) -> FloatArray:
    """Value of a formula for every row of `wide`: numbers; 1 and 0 for true and false; NaN."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        result = _value(parse(text).tree, wide)
    return np.where(np.isinf(result), np.nan, result)


def compute(text: str, values: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Value of a formula of arithmetic and roots, for every element of the arrays in `values`.

    All arrays have one shape, and so has the result. They may be complex: as all operations are
    analytic, the imaginary part then carries a derivative (complex step: Squire and Trapp 1998,
    SIAM Review 40, 110-112). Missing as in `evaluate`. Raises FormulaError for any other operation.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        result = _computed(parse(text).tree, values)
    return np.where(np.isfinite(result), result, np.nan)


def is_truth(text: str) -> bool:
    """Whether a formula says true or false (1 or 0), and not an amount."""
    return _is_truth(parse(text).tree)


def compared_codes(text: str) -> tuple[tuple[str, str | float], ...]:
    """Items of a formula with the constants that they are set equal to: ``C05 in {3, 4}`` both."""
    return tuple(
        (left.id, ast.literal_eval(member))
        for node in ast.walk(parse(text).tree)
        if isinstance(node, ast.Compare)
        for left, op, right in _comparisons(node)
        if isinstance(left, ast.Name) and isinstance(op, _OF_CODES)
        for member in (right.elts if isinstance(right, ast.Set) else [right])
        if _is_code(member)
    )


def names_outside(text: str, function: str) -> frozenset[str]:
    """Names of a formula that stand elsewhere than as an argument of the function itself."""
    tree = parse(text).tree
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    inside = [a for call in calls if ast.unparse(call.func) == function for a in call.args]
    return _names(tree, inside)


def names_of_tests(text: str) -> frozenset[str]:
    """Names on which a choice depends: B01 in ``B02 if B01 > 0 else 0``."""
    choices = (n for n in ast.walk(parse(text).tree) if isinstance(n, ast.IfExp))
    return frozenset(name for choice in choices for name in _names(choice.test))


def _names(tree: ast.expr, without: Iterable[ast.expr] = ()) -> frozenset[str]:
    """Names in a tree, but not those of functions, nor the nodes `without`."""
    nodes = list(ast.walk(tree))
    others = {id(node) for node in without}
    others |= {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    return frozenset(n.id for n in nodes if isinstance(n, ast.Name) and id(n) not in others)


def _comparisons(node: ast.Compare) -> Iterator[tuple[ast.expr, ast.cmpop, ast.expr]]:
    """Each two neighbours of ``a < b < c`` with what stands between them."""
    pairs = pairwise([node.left, *node.comparators])
    return ((left, op, right) for (left, right), op in zip(pairs, node.ops, strict=True))


def _is_truth(node: ast.expr) -> bool:
    match node:
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.Constant(value=bool()) | ast.Call(func=ast.Name(id="answered")):
            return True
        case ast.IfExp(body=body, orelse=orelse):
            return all(_is_truth(n) or ast.unparse(n) in {"0", "1"} for n in (body, orelse))
    return False


def _check(node: ast.expr) -> None:
    children: list[ast.expr]
    match node:
        case ast.Name():
            return
        case ast.Constant() if _is_number(node):
            return
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            _check_call(name, len(arguments))
            children = arguments
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            children = [left, right]
        case ast.UnaryOp(op=ast.USub() | ast.Not(), operand=operand):
            children = [operand]
        case ast.BoolOp(values=values):
            children = values
        case ast.IfExp(test=test, body=body, orelse=orelse):
            children = [test, body, orelse]
        case ast.Compare():
            for left, comparison, right in _comparisons(node):
                _check_comparison(left, comparison, right)
            last = node.comparators[-1]
            of_codes = isinstance(last, ast.Set) or _is_string(last)
            children = [node.left, *node.comparators[: -1 if of_codes else None]]
        case _:
            raise FormulaError(f"has '{ast.unparse(node)}', which formulas do not know")
    for child in children:
        _check(child)


def _check_call(name: str, arguments: int) -> None:
    if name not in _FUNCTIONS:
        raise FormulaError(f"uses {name}(); there are {', '.join(sorted(_FUNCTIONS))}")
    if not 1 <= arguments <= _ARGUMENTS[name]:
        raise FormulaError(f"gives {name}() {arguments} arguments")


def _check_comparison(left: ast.expr, op: ast.cmpop, right: ast.expr) -> None:
    members = right.elts if isinstance(right, ast.Set) else [right]
    if isinstance(op, ast.In | ast.NotIn):
        if not (isinstance(right, ast.Set) and all(map(_is_code, members))):
            raise FormulaError("needs a set of codes after 'in', such as {1, 2}")
    elif type(op) not in _COMPARISON or isinstance(right, ast.Set):
        raise FormulaError(f"has '{ast.unparse(right)}' after an unknown comparison")
    strings = [n for n in (left, *members) if _is_string(n)]
    if strings and not (isinstance(left, ast.Name) and isinstance(op, _OF_CODES)):
        raise FormulaError(f"compares {ast.unparse(strings[0])}; write: item == 'code'")


def _is_code(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return _is_number(node.operand)
    return _is_string(node) or _is_number(node)


def _is_number(node: ast.expr) -> bool:
    value = node.value if isinstance(node, ast.Constant) else None
    return isinstance(value, int | float) and value <= sys.float_info.max


def _is_string(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _value(node: ast.expr, wide: Wide) -> FloatArray:
    match node:
        case ast.Name(id=name):
            return wide.numbers[name].to_numpy()
        case ast.Constant(value=bool() | int() | float() as value):
            return np.full(len(wide.index), float(value))
        case ast.Call(func=ast.Name(id="answered"), args=[ast.Name(id=name)]):
            has_code = np.asarray(wide.codes[name] != "")
            return np.where(has_code | ~np.isnan(wide.numbers[name]), 1.0, 0.0)
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _FUNCTIONS[name](*(_value(a, wide) for a in arguments))
        case ast.BinOp(left=left, op=op, right=right):
            return _ARITHMETIC[type(op)](_value(left, wide), _value(right, wide))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, wide)
        case ast.UnaryOp(operand=operand):
            return 1.0 - _truth(_value(operand, wide))
        case ast.BoolOp(op=op, values=values):
            return _logic(op, [_truth(_value(v, wide)) for v in values])
        case ast.IfExp(test=test, body=body, orelse=orelse):
            chosen = _truth(_value(test, wide))
            either = np.where(chosen == 1, _value(body, wide), _value(orelse, wide))
            return np.where(np.isnan(chosen), np.nan, either)
        case ast.Compare():
            found = [_compare(*comparison, wide) for comparison in _comparisons(node)]
            return _logic(ast.And(), found)
    raise FormulaError(f"has '{ast.unparse(node)}', which formulas do not know")


def _compare(left: ast.expr, op: ast.cmpop, right: ast.expr, wide: Wide) -> FloatArray:
    if isinstance(right, ast.Set):
        found = [_compare(left, ast.Eq(), member, wide) for member in right.elts]
        inside = _logic(ast.Or(), found)
        return 1.0 - inside if isinstance(op, ast.NotIn) else inside
    if isinstance(left, ast.Name) and _is_string(right):
        codes = wide.codes[left.id].to_numpy(dtype=object)
        equal = (codes == getattr(right, "value", "")).astype(np.float64)
        result = 1.0 - equal if isinstance(op, ast.NotEq) else equal
        return np.where(codes == "", np.nan, result)
    a, b = _value(left, wide), _value(right, wide)
    return np.where(np.isnan(a) | np.isnan(b), np.nan, _COMPARISON[type(op)](a, b))


def _computed(node: ast.expr, values: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
    match node:
        case ast.Name(id=name):
            return np.asarray(values[name])
        case ast.Constant() if _is_number(node):
            return np.asarray(node.value, dtype=np.float64)
        case ast.BinOp(left=left, op=op, right=right):
            return _ARITHMETIC[type(op)](_computed(left, values), _computed(right, values))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_computed(operand, values)
        case ast.Call(func=ast.Name(id="sqrt"), args=[argument]):
            return _root(_computed(argument, values))
    raise FormulaError(f"has '{ast.unparse(node)}', which is neither arithmetic nor a root")


def _truth(column: FloatArray) -> FloatArray:
    return np.where(np.isnan(column), np.nan, (column != 0).astype(np.float64))


def _logic(op: ast.boolop, columns: list[FloatArray]) -> FloatArray:
    """Kleene's three-valued and/or: fmin and fmax pass over NaN, which decides only if left."""
    stacked = np.stack(columns)
    unknown = np.isnan(stacked).any(axis=0)
    if isinstance(op, ast.And):
        known = np.fmin.reduce(stacked)
        return np.where(unknown & (known != 0), np.nan, known)
    known = np.fmax.reduce(stacked)
    return np.where(unknown & (known != 1), np.nan, known)

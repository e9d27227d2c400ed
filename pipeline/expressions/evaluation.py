"""What formulas come to: over the answers of many firms, or over arrays of numbers."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.expressions.language import FormulaError, comparisons, is_number, is_string, parse

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
            found = [_compare(*comparison, wide) for comparison in comparisons(node)]
            return _logic(ast.And(), found)
    raise FormulaError(f"has '{ast.unparse(node)}', which formulas do not know")


def _compare(left: ast.expr, op: ast.cmpop, right: ast.expr, wide: Wide) -> FloatArray:
    if isinstance(right, ast.Set):
        found = [_compare(left, ast.Eq(), member, wide) for member in right.elts]
        inside = _logic(ast.Or(), found)
        return 1.0 - inside if isinstance(op, ast.NotIn) else inside
    if isinstance(left, ast.Name) and is_string(right):
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
        case ast.Constant() if is_number(node):
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

"""The language of formulas: what they may be made of, and which names and codes they have."""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div)
COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
FUNCTIONS = dict.fromkeys(("abs", "answered", "floor", "sqrt"), 1)
FUNCTIONS |= dict.fromkeys(("count", "max", "min"), 999)
"""Functions, and how many arguments each takes at most."""
_OF_CODES = (ast.Eq, ast.NotEq, ast.In, ast.NotIn)


class FormulaError(Exception):
    """A formula that cannot be read; the message says why. The study's loader names the place."""


@dataclass(frozen=True)
class Formula:
    """A parsed formula: its text, its syntax tree, and the names of the items in it."""

    text: str
    tree: ast.expr
    names: frozenset[str]


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


def is_truth(text: str) -> bool:
    """Whether a formula says true or false (1 or 0), and not an amount."""
    return _is_truth(parse(text).tree)


def compared_codes(text: str) -> tuple[tuple[str, str | float], ...]:
    """Items of a formula with the constants that they are set equal to: ``C05 in {3, 4}`` both."""
    return tuple(
        (left.id, ast.literal_eval(member))
        for node in ast.walk(parse(text).tree)
        if isinstance(node, ast.Compare)
        for left, op, right in comparisons(node)
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


def comparisons(node: ast.Compare) -> Iterator[tuple[ast.expr, ast.cmpop, ast.expr]]:
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
        case ast.Constant() if is_number(node):
            return
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            _check_call(name, len(arguments))
            children = arguments
        case ast.BinOp(left=left, op=op, right=right) if isinstance(op, ARITHMETIC):
            children = [left, right]
        case ast.UnaryOp(op=ast.USub() | ast.Not(), operand=operand):
            children = [operand]
        case ast.BoolOp(values=values):
            children = values
        case ast.IfExp(test=test, body=body, orelse=orelse):
            children = [test, body, orelse]
        case ast.Compare():
            for left, comparison, right in comparisons(node):
                _check_comparison(left, comparison, right)
            last = node.comparators[-1]
            of_codes = isinstance(last, ast.Set) or is_string(last)
            children = [node.left, *node.comparators[: -1 if of_codes else None]]
        case _:
            raise FormulaError(f"has '{ast.unparse(node)}', which formulas do not know")
    for child in children:
        _check(child)


def _check_call(name: str, arguments: int) -> None:
    if name not in FUNCTIONS:
        raise FormulaError(f"uses {name}(); there are {', '.join(sorted(FUNCTIONS))}")
    if not 1 <= arguments <= FUNCTIONS[name]:
        raise FormulaError(f"gives {name}() {arguments} arguments")


def _check_comparison(left: ast.expr, op: ast.cmpop, right: ast.expr) -> None:
    members = right.elts if isinstance(right, ast.Set) else [right]
    if isinstance(op, ast.In | ast.NotIn):
        if not (isinstance(right, ast.Set) and all(map(_is_code, members))):
            raise FormulaError("needs a set of codes after 'in', such as {1, 2}")
    elif not isinstance(op, COMPARISONS) or isinstance(right, ast.Set):
        raise FormulaError(f"has '{ast.unparse(right)}' after an unknown comparison")
    strings = [n for n in (left, *members) if is_string(n)]
    if strings and not (isinstance(left, ast.Name) and isinstance(op, _OF_CODES)):
        raise FormulaError(f"compares {ast.unparse(strings[0])}; write: item == 'code'")


def _is_code(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return is_number(node.operand)
    return is_string(node) or is_number(node)


def is_number(node: ast.expr) -> bool:
    """Whether a part is a number, 1 and 0 for true and false too."""
    value = node.value if isinstance(node, ast.Constant) else None
    return isinstance(value, int | float) and value <= sys.float_info.max


def is_string(node: ast.expr) -> bool:
    """Whether a part is a code in quotes."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)

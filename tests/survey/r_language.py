"""The part of R's grammar that the reference results are written in."""

from __future__ import annotations

import operator
import re
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|(?P<text>'[^']*'|\"[^\"]*\")"
    r"|(?P<quoted>`[^`]*`)|(?P<name>[A-Za-z.][\w.]*)|(?P<op><-|<=|>=|==|!=|%in%|[-+*/^:~<>&|!(),=]))"
)
BINDING = [["~"], ["|"], ["&"], ["==", "!=", "<", ">", "<=", ">="], ["+", "-"], ["*", "/"]]
BINDING += [["%in%"], [":"]]


class Call(NamedTuple):
    """A call or an operator, with arguments as (name or None, node)."""

    name: str
    args: tuple[tuple[str | None, Any], ...]

    def get(self, *names: str, place: int | None = None, default: Any = None) -> Any:
        """The argument of one of these names, or the one at this place among those unnamed."""
        for name, node in self.args:
            if name in names:
                return node
        plain = [node for name, node in self.args if name is None]
        return plain[place] if place is not None and place < len(plain) else default


class Name(NamedTuple):
    """A name."""

    name: str


class Parser:
    """Recursive descent over the tokens of a text, from a position on."""

    def __init__(self, text: str, start: int = 0) -> None:
        self.text, self.at = text, start

    def peek(self) -> tuple[str | None, str]:
        found = TOKEN.match(self.text, self.at)
        return (found.lastgroup, found[0].strip()) if found else (None, "")

    def take(self, expected: str | None = None) -> tuple[str | None, str]:
        found = TOKEN.match(self.text, self.at)
        if not found or (expected and found[0].strip() != expected):
            msg = f"{expected or 'a token'} expected at {self.text[self.at : self.at + 30]!r}"
            raise SyntaxError(msg)
        self.at = found.end()
        return found.lastgroup, found[0].strip()

    def expression(self, level: int = 0) -> Any:
        if level == len(BINDING):
            return self.unary()
        if level == 0 and self.peek()[1] == "~":
            self.take()
            return Call("~", ((None, self.expression(1)),))
        left = self.expression(level + 1)
        while self.peek()[1] in BINDING[level]:
            op = self.take()[1]
            left = Call(op, ((None, left), (None, self.expression(level + 1))))
        return left

    def unary(self) -> Any:
        if self.peek()[1] in {"-", "!", "+"}:
            op = self.take()[1]
            return Call(op, ((None, self.unary()),))
        base = self.primary()
        if self.peek()[1] == "^":
            self.take()
            return Call("^", ((None, base), (None, self.unary())))
        return base

    def primary(self) -> Any:
        kind, token = self.take()
        if kind == "number":
            return float(token)
        if kind == "text":
            return token[1:-1]
        if token == "(":
            inside = self.expression()
            self.take(")")
            return inside
        if kind not in {"name", "quoted"}:
            raise SyntaxError(f"{token!r} at {self.text[: self.at]!r}")
        constants = {"TRUE": True, "FALSE": False, "NULL": None, "Inf": np.inf}
        if kind == "name" and token in constants:
            return constants[token]
        name = token.strip("`")
        return Call(name, self.arguments()) if self.peek()[1] == "(" else Name(name)

    def arguments(self) -> tuple[tuple[str | None, Any], ...]:
        self.take("(")
        args: list[tuple[str | None, Any]] = []
        while self.peek()[1] != ")":
            start = self.at
            kind, token = self.take()
            if kind in {"name", "quoted", "text"} and self.peek()[1] == "=":
                self.take()
                args.append((token.strip("`'\""), self.expression()))
            else:
                self.at = start
                args.append((None, self.expression()))
            if self.peek()[1] == ",":
                self.take()
        self.take(")")
        return tuple(args)


def parse(text: str) -> Any:
    """The node of a whole text."""
    parser = Parser(text)
    node = parser.expression()
    if text[parser.at :].strip():
        raise SyntaxError(f"not understood: {text[parser.at :]!r}")
    return node


def calls_in(text: str, names: set[str]) -> list[Call]:
    """The outermost calls of these functions in prose, in their order."""
    found, at = [], 0
    for start in re.finditer(r"(?<![\w.])([A-Za-z][\w.]*)\(", text):
        if start[1] in names and start.start() >= at:
            parser = Parser(text, start.start())
            found.append(parser.primary())
            at = parser.at
    return found


def written(node: Any) -> str:
    """A node as R prints it."""
    if isinstance(node, Name):
        return node.name
    if isinstance(node, str):
        return f'"{node}"'
    if isinstance(node, bool):
        return str(node).upper()
    if isinstance(node, float):
        return f"{node:g}"
    parts = [written(value) for _, value in node.args]
    if re.match(r"\w", node.name):
        return f"{node.name}({', '.join(parts)})"
    return f" {node.name} ".join(parts) if len(parts) > 1 else node.name + parts[0]


def sum_of(node: Any) -> list[Any]:
    """The terms of a formula's sum, without those taken away (`- 1`)."""
    if isinstance(node, Call) and node.name == "~":
        return sum_of(node.args[-1][1])
    if isinstance(node, Call) and node.name in {"+", "-"} and len(node.args) == 2:
        left, right = (value for _, value in node.args)
        return sum_of(left) + (sum_of(right) if node.name == "+" else [])
    return [node]


def _condition(compare: Any) -> Any:
    """A comparison as 0 and 1, and NaN where a side is missing."""

    def condition(a: Any, b: Any) -> Any:
        missing = np.asarray(pd.isna(a)) | (
            np.asarray(pd.isna(b)) if np.ndim(b) == np.ndim(a) else False
        )
        return np.where(missing, np.nan, np.asarray(compare(a, b), dtype=float))

    return condition


FUNCTIONS = {
    "I": lambda x: x,
    "as.numeric": lambda x: np.asarray(x, dtype=float),
    "factor": lambda x: np.asarray(x).astype(str).astype(object),
    "log": np.log,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "asin": np.arcsin,
    "c": lambda *x: list(x),
    "+": lambda a, b=None: a if b is None else a + b,
    "-": lambda a, b=None: -a if b is None else a - b,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
    "==": _condition(operator.eq),
    "!=": _condition(operator.ne),
    "<": _condition(operator.lt),
    ">": _condition(operator.gt),
    "<=": _condition(operator.le),
    ">=": _condition(operator.ge),
    "%in%": _condition(np.isin),
    "&": np.minimum,
    "|": np.maximum,
    "!": lambda a: 1 - a,
}


def value(node: Any, names: Any) -> Any:
    """What an expression comes to, its names looked up in a table or a dict."""
    if isinstance(node, Name):
        return names[node.name]
    if not isinstance(node, Call):
        return node
    if node.name not in FUNCTIONS:
        raise SyntaxError(f"function {node.name} is not known")
    return FUNCTIONS[node.name](*(value(argument, names) for _, argument in node.args))

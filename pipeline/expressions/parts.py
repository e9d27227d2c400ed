"""What formulas alone tell of two amounts: one is part of the other, whatever a firm answered."""

from __future__ import annotations

import ast
import math
from collections import Counter
from collections.abc import Mapping

from pipeline.expressions.language import is_number, parse

Bounds = Mapping[str, tuple[float, float]]
"""Least and greatest value of each item; infinite where there is none."""
_Polynomial = dict[tuple[str, ...], float]
"""Coefficient by product of items, each as often as it is a factor."""
_ANY = (-math.inf, math.inf)


def part_of(part: str, whole: str, bounds: Bounds) -> tuple[float, float] | None:
    """Least and greatest multiple of the whole that its part can be; None where nothing is known.

    ``A04 * B01 / 100`` is 0 to 1 times ``A04`` where B01 is 0 to 100; ``E01`` is 0 to 1 times
    ``A03 + E01`` where neither is negative. Of sums and products only.
    """
    inner, outer = _polynomial(parse(part).tree), _polynomial(parse(whole).tree)
    if not inner or not outer or part == whole:
        return None
    names = {name for product in (*inner, *outer) for name in product}
    if any(bounds.get(name, _ANY)[0] < 0 for name in names):
        return None
    if len(inner) == len(outer) == 1:
        (part_product,), (whole_product,) = inner.items(), outer.items()
        return _factor(part_product, whole_product, bounds)
    rest = {key: outer.get(key, 0.0) - inner.get(key, 0.0) for key in {*inner, *outer}}
    if min(*rest.values(), *inner.values()) >= 0:
        return 0.0, 1.0
    return None


def _factor(
    part: tuple[tuple[str, ...], float], whole: tuple[tuple[str, ...], float], bounds: Bounds
) -> tuple[float, float] | None:
    """The range of the factors that the part has beside those of the whole."""
    (names, coefficient), (others, divisor) = part, whole
    more = Counter(names)
    more.subtract(Counter(others))
    if min(more.values(), default=0) < 0 or not coefficient * divisor > 0:
        return None
    low = high = coefficient / divisor
    for name in more.elements():
        low, high = low * bounds[name][0], high * bounds[name][1]
    return (low, high) if math.isfinite(high) else None


def _polynomial(node: ast.expr) -> _Polynomial | None:
    """A formula as a sum of products; None for what is no sum of products."""
    match node:
        case ast.Name(id=name):
            return {(name,): 1.0}
        case ast.Constant(value=int() | float() as value) if is_number(node):
            return {(): float(value)}
        case ast.BinOp(left=left, op=op, right=right):
            return _joined(_polynomial(left), op, _polynomial(right))
    return None


def _joined(
    left: _Polynomial | None, op: ast.operator, right: _Polynomial | None
) -> _Polynomial | None:
    if left is None or right is None:
        return None
    match op:
        case ast.Add():
            return {key: left.get(key, 0.0) + right.get(key, 0.0) for key in {**left, **right}}
        case ast.Sub():
            return {key: left.get(key, 0.0) - right.get(key, 0.0) for key in {**left, **right}}
        case ast.Div() if right.keys() == {()} and right[()] != 0:
            return {key: value / right[()] for key, value in left.items()}
        case ast.Mult():
            product: _Polynomial = {}
            for (a, x), (b, y) in ((m, n) for m in left.items() for n in right.items()):
                key = tuple(sorted(a + b))
                product[key] = product.get(key, 0.0) + x * y
            return product
    return None

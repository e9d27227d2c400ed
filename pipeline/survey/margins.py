"""The totals that weights are calibrated to, read against the data: what contradicts is named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from numbers import Real
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from pipeline.survey.arrays import Bools, Floats, Ints

Margins: TypeAlias = Mapping[Any, "float | Mapping[Any, float] | pd.Series[Any]"]
"""By column: the count of each of its categories, or the total of its numbers; by a tuple of
columns: the count of each tuple of their categories. Give the total of a number by group as a
column that is 0 outside the group."""

_AGREE = 1e-9
"""Totals that differ by less than this part of them are equal: they come from sums of floats."""
_SHOWN = 5


class CalibrationError(ValueError):
    """All the reasons why no weights meet the totals, each with what to do; see `problems`."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, eq=False)
class Counts:
    """A categorical margin: counts by key, and the position of each row's key (n,), -1 if none."""

    columns: tuple[str, ...]
    keys: tuple[tuple[Any, ...], ...]
    counts: Floats
    codes: Ints

    @property
    def title(self) -> str:
        """The columns as a reader would name the margin."""
        return " × ".join(self.columns)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Each category, as `size=large`."""
        return tuple(_named(self.columns, key) for key in self.keys)

    def summed(self, columns: Sequence[str]) -> dict[tuple[Any, ...], float]:
        """Counts by some of the columns only."""
        at = [self.columns.index(column) for column in columns]
        result: dict[tuple[Any, ...], float] = {}
        for key, count in zip(self.keys, self.counts, strict=True):
            part = tuple(key[i] for i in at)
            result[part] = result.get(part, 0.0) + float(count)
        return result


@dataclass(frozen=True, eq=False)
class Total:
    """The total of a column of numbers, shape (n,)."""

    column: str
    total: float
    numbers: Floats


def read(
    data: pd.DataFrame, margins: Margins, used: Bools
) -> tuple[tuple[Counts, ...], tuple[Total, ...]]:
    """Read margins against the data, (n,) rows of which some are `used` (have a weight).

    Raises `CalibrationError` with everything that is wrong: unknown columns, missing values,
    categories without a count or a respondent (and what to collapse them with), totals that
    contradict each other.
    """
    if len(data) != len(used):
        raise CalibrationError([f"the data have {len(data)} rows, the design {len(used)}"])
    if not margins or not used.any():
        raise CalibrationError(["there is no margin or no unit with a weight to calibrate"])
    problems: list[str] = []
    counts: list[Counts] = []
    totals: list[Total] = []
    for named, given in margins.items():
        columns = named if isinstance(named, tuple) else (named,)
        margin: Any = given.to_dict() if isinstance(given, pd.Series) else given
        unfit = list(_unfit(data, columns, margin))
        problems += unfit
        if unfit:
            continue
        if isinstance(margin, Mapping):
            keys = [(*key,) if isinstance(named, tuple) else (key,) for key in margin]
            found, missing = _coded(data, columns, used)
            counts.append(_counts(columns, keys, margin, found))
            problems += _categories(counts[-1], found, used)
        else:
            numbers = data[columns[0]].to_numpy(dtype=float, na_value=np.nan)
            missing = int((used & ~np.isfinite(numbers)).sum())
            totals.append(Total(columns[0], float(margin), np.where(used, numbers, 0.0)))
        if missing:
            title = " × ".join(columns)
            problems.append(f"{missing} units have no {title!r}: give it or leave the margin out")
    problems += _contradictions(counts) + _constants(counts, totals, used)
    if problems:
        raise CalibrationError(problems)
    return tuple(counts), tuple(totals)


def _unfit(data: pd.DataFrame, columns: tuple[Any, ...], margin: Any) -> Iterator[str]:
    """What forbids to read the margin at all."""
    title = " × ".join(map(str, columns))
    unknown = [column for column in columns if column not in data]
    if unknown:
        yield f"the data have no column {_listed(unknown)}; they have {_listed(list(data))}"
    elif isinstance(margin, Mapping):
        wrong = [k for k, count in margin.items() if not _is_number(count) or count < 0]
        if wrong or not margin:
            yield f"counts of {title!r} must be numbers of 0 or more, not so: {_listed(wrong)}"
        odd = [k for k in margin if not (isinstance(k, tuple) and len(k) == len(columns))]
        if odd and len(columns) > 1:
            yield f"categories of {title!r} are tuples of {len(columns)}, not {_listed(odd)}"
    elif not _is_number(margin) or len(columns) > 1:
        yield f"the margin {title!r} must map categories to counts or be a total, not {margin!r}"
    elif not pd.api.types.is_numeric_dtype(data[columns[0]]):
        yield f"{title!r} has a total but is no column of numbers: give a count by category"


def _named(columns: Sequence[str], key: tuple[Any, ...]) -> str:
    return ", ".join(f"{c}={k}" for c, k in zip(columns, key, strict=True))


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and bool(np.isfinite(float(value)))


class _Found(NamedTuple):
    """The distinct categories in the data, and which of them each row has (-1: missing)."""

    keys: list[tuple[Any, ...]]
    codes: Ints


def _coded(data: pd.DataFrame, columns: tuple[str, ...], used: Bools) -> tuple[_Found, int]:
    """Categories of the rows in use, and how many of these rows have none."""
    parts = [pd.factorize(data[column], sort=False) for column in columns]
    known = used & np.all([codes >= 0 for codes, _ in parts], axis=0)
    shape = tuple(len(labels) for _, labels in parts)
    codes = np.full(len(used), -1, dtype=np.int64)
    flat = np.ravel_multi_index(tuple(codes[known] for codes, _ in parts), shape)
    distinct, codes[known] = np.unique(flat, return_inverse=True)
    labels = [list(labels) for _, labels in parts]
    places = zip(*np.unravel_index(distinct, shape), strict=True)
    keys = [tuple(own[i] for own, i in zip(labels, place, strict=True)) for place in places]
    return _Found(keys, codes), int((used & ~known).sum())


def _counts(
    columns: tuple[str, ...],
    keys: Sequence[tuple[Any, ...]],
    margin: Mapping[Any, float],
    found: _Found,
) -> Counts:
    """Position of each row's categories among the keys; only distinct ones are looked up."""
    at = {key: i for i, key in enumerate(keys)}
    position = np.array([*(at.get(key, -1) for key in found.keys), -1], dtype=np.int64)
    counts = np.array([float(count) for count in margin.values()])
    return Counts(columns, tuple(keys), counts, position[found.codes])


def _categories(margin: Counts, found: _Found, used: Bools) -> list[str]:
    """Categories without a count, and counts without a respondent."""
    outside = used & (margin.codes < 0) & (found.codes >= 0)
    unknown = [_named(margin.columns, found.keys[i]) for i in np.unique(found.codes[outside])]
    size = np.bincount(margin.codes[used & (margin.codes >= 0)], minlength=len(margin.keys))
    if unknown and not size.any():
        return [
            f"no category of {margin.title!r} in the data has a count: they have "
            f"{_listed(unknown)}, the counts {_listed(margin.names)}; are their types the same?"
        ]
    rows = int(outside.sum())
    problems = [f"{rows} units have {_listed(unknown)} without a count"] if unknown else []
    problems += [
        f"{margin.names[i]!r} has {size[i]} respondents but a count of 0: correct one of them"
        for i in np.flatnonzero((size > 0) & (margin.counts == 0))
    ]
    empty = np.flatnonzero((size == 0) & (margin.counts > 0))
    return problems + [_empty(margin, int(i), size) for i in empty]


def _empty(margin: Counts, i: int, size: Ints) -> str:
    """An empty category and its nearest neighbour: beside it in one column, the smaller one."""
    orders = [list(dict.fromkeys(values)) for values in zip(*margin.keys, strict=True)]
    places = [[o.index(k) for o, k in zip(orders, key, strict=True)] for key in margin.keys]
    away = np.abs(np.array(places) - np.array(places[i]))
    beside = np.flatnonzero(((away > 0).sum(axis=1) == 1) & (size > 0))
    found = f"{margin.names[i]!r} has no respondent but a count of {margin.counts[i]:g}: "
    if len(beside) == 0:
        return found + f"leave {margin.title!r} out"
    best = min(beside, key=lambda j: (away[j].sum(), margin.counts[j]))
    return found + f"collapse {margin.names[i]!r} with {margin.names[best]!r}"


def _contradictions(margins: Sequence[Counts]) -> list[str]:
    """Margins that give different counts for what they share, at least for everyone."""
    problems = []
    for a, b in combinations(margins, 2):
        shared = [column for column in a.columns if column in b.columns]
        first, second = a.summed(shared), b.summed(shared)
        for key in dict.fromkeys([*first, *second]):
            x, y = first.get(key, 0.0), second.get(key, 0.0)
            if abs(x - y) > _AGREE * max(x, y):
                part = f" for {_named(shared, key)}" if shared else ""
                problems.append(
                    f"the counts of {a.title!r} sum to {x:.10g}{part}, those of {b.title!r} to "
                    f"{y:.10g}: they must agree"
                )
    return problems


def _constants(margins: Sequence[Counts], totals: Sequence[Total], used: Bools) -> list[str]:
    """Totals of columns that are the same for all respondents."""
    problems = []
    for total in totals:
        values = total.numbers[used]
        if len(values) == 0 or not (values == values[0]).all():
            continue
        value = float(values[0])
        size = float(margins[0].counts.sum()) if margins else np.nan
        wanted = value * size if margins and value else 0.0 if value == 0 else total.total
        if abs(wanted - total.total) > _AGREE * max(abs(wanted), abs(total.total)):
            problems.append(
                f"{total.column!r} is {value:g} for all respondents, so its total can only be "
                f"{wanted:.10g}, not {total.total:.10g}: leave it out"
            )
    return problems


def _listed(values: Sequence[Any]) -> str:
    """The first few values, and how many more there are."""
    more = f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
    return ", ".join(repr(value) for value in values[:_SHOWN]) + more

"""Labelled estimates as R prints them, and what R does with them beyond estimating."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from r_language import Call, sum_of, value, written

from pipeline import survey
from pipeline.survey.replicates import Replicated

INFINITE = 1e300  # degrees of freedom of the normal distribution


@dataclass
class Table:
    """Labelled estimates with their covariance, interval ends, and what R adds to them."""

    labels: list[str]
    estimate: np.ndarray
    se: np.ndarray
    covariance: np.ndarray | None = None
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    estimates: list[survey.Estimate] | None = None
    extra: dict[str, float] | None = None

    def rows(self) -> dict[str, dict[str, float]]:
        """The columns by label, as a reference result has them."""
        columns = {"estimate": self.estimate, "se": self.se, "lower": self.low, "upper": self.high}
        kept = {name: column for name, column in columns.items() if column is not None}
        return {
            label: {name: float(column[i]) for name, column in kept.items()}
            for i, label in enumerate(self.labels)
        }


def columns_of(formula: Any, data: pd.DataFrame) -> dict[str, np.ndarray]:
    """Numbers of a formula's terms by R's labels; a factor has a column for each level."""
    result: dict[str, np.ndarray] = {}
    for term in sum_of(formula):
        label, x = written(term), pd.Series(value(term, data))
        truth = isinstance(term, Call) and truth_of(term)
        if truth or x.dtype == bool:
            x = x.map({0.0: "FALSE", 1.0: "TRUE"})
        if pd.api.types.is_numeric_dtype(x):
            result[label] = x.to_numpy(dtype=float)
            continue
        for level in sorted(x.dropna().unique()):
            result[f"{label}{level}"] = np.where(x.isna(), np.nan, x == level).astype(float)
    return result


def truth_of(term: Call) -> bool:
    """Whether an expression says yes or no."""
    if term.name == "I":
        return isinstance(term.args[0][1], Call) and truth_of(term.args[0][1])
    return term.name in {"==", "!=", "<", ">", "<=", ">=", "%in%", "&", "|", "!"}


def filled(y: np.ndarray) -> np.ndarray:
    """R's `na.rm`: a missing value is outside the domain, not another phase of response."""
    return np.nan_to_num(y)


def alone(e: survey.Estimate) -> tuple[np.ndarray, np.ndarray]:
    return np.array([float(e.estimate)]), np.array([float(e.se)])


def one(label: str, e: survey.Estimate) -> Table:
    return Table([label], *alone(e), estimates=[e])


def replicated(labels: list[str], e: Replicated) -> Table:
    return Table(labels, e.estimate, e.se, e.covariance)


def delta(given: Table, at: list[int], f: Callable[..., Any]) -> Table:
    """A function of replicated estimates, whose covariance R linearises too."""
    points = given.estimate[at]
    steps = [np.where(np.arange(len(at)) == i, 1e-100j, 0) for i in range(len(at))]
    slopes = np.array([np.imag(f(*(points + step))) / 1e-100 for step in steps])
    se = np.sqrt(slopes @ given.covariance[np.ix_(at, at)] @ slopes)
    return Table(["contrast"], np.array([float(f(*points))]), np.array([se]))


def with_interval(result: Table, df: float, level: float = 0.95) -> Table:
    known = Known(result.estimate, result.se, np.asarray(df))
    low, high = survey.t_interval(known, level)
    return replace(result, low=low, high=high)


@dataclass
class Known:
    """What Student's interval needs to know."""

    estimate: np.ndarray
    se: np.ndarray
    df: np.ndarray


def same(label: str) -> str:
    """A label without blanks and quotes."""
    return re.sub(r"[\s'\"]", "", label)

"""Grades: how precise a published figure is, from A to what is not printed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

Limits = tuple[float, float, float]
LETTERS = ("A", "B", "C", "D")


class Thresholds(NamedTuple):
    """Up to which imprecision a figure has grade A, B and C; beyond the last it is not printed.

    `points` is for the half-width of the 95 % interval, in points, of shares, balances and what
    is computed from them, and of their differences: their standard error says little where they
    are near 0. `percent` is for the standard error of all others in per cent of the level (the
    coefficient of variation). Amounts of fewer than `amount_answers` firms have grade D: with
    skewed amounts of few firms an interval does not hold what it promises.
    """

    points: Limits
    percent: Limits
    amount_answers: int


def grades(figures: pd.DataFrame, thresholds: Thresholds) -> npt.NDArray[np.str_]:
    """Letter of each figure, empty where it has no standard error.

    Columns `low`, `high`, `se` and `level` (the figure, or of a difference the level it starts
    from) in the figure's unit, `n`, and `categorical`. Where nothing is left to chance (`se` 0,
    an interval without width) the grade is A.
    """
    low, high, se, level, n = (
        figures[name].to_numpy(dtype=float) for name in ("low", "high", "se", "level", "n")
    )
    categorical = figures["categorical"].to_numpy(dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(se > 0, 100 * se / np.abs(level), 0.0)
    imprecision = np.where(categorical, (high - low) / 2, relative)
    letters = [
        np.searchsorted(limits, imprecision, side="left")
        for limits in (thresholds.points, thresholds.percent)
    ]
    place = np.where(categorical, *letters)
    place = np.where(~categorical & (n < thresholds.amount_answers), len(LETTERS) - 1, place)
    known = ~np.isnan(np.where(categorical, imprecision, se))
    return np.where(known, np.array(LETTERS)[np.minimum(place, len(LETTERS) - 1)], "")

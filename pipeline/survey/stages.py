"""The stages of a sample: clusters, and what was drawn within them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.survey.arrays import Floats, Ints, cell_sums


class Stage(NamedTuple):
    """One stage of a sample, in columns aligned with its rows, each of shape (n,).

    `units` are what was drawn, out of `population` units in each row's stratum (None: no
    correction). A unit belongs to its stratum and to the unit drawn before it: ids may repeat
    elsewhere.
    """

    units: npt.ArrayLike
    strata: npt.ArrayLike | None = None
    population: npt.ArrayLike | None = None


class Level(NamedTuple):
    """A stage as the variance needs it: C units in H strata.

    `units` is the unit of each row (None: each row is one), `codes` the stratum of each unit,
    `population` N_h; `factor`, shape (H,), the share of the units before that were drawn.
    """

    units: Ints | None
    codes: Ints
    population: Floats
    factor: Floats

    def per_unit(self, values: npt.NDArray[np.float64 | np.bool_]) -> Floats:
        """Sum the rows of each unit: (k, n) to (k, C)."""
        if self.units is None:
            return np.asarray(values, dtype=float)
        return cell_sums(values, self.units, len(self.codes))

    def sums(self, values: npt.NDArray[np.float64 | np.bool_]) -> Floats:
        """Sum the units of each stratum: (k, C) to (k, H)."""
        return cell_sums(values, self.codes, len(self.population))

    @property
    def drawn(self) -> Floats:
        """Units of each stratum, n_h, shape (H,)."""
        return np.bincount(self.codes, minlength=len(self.population)).astype(float)


def levels_of(stages: Sequence[Stage]) -> tuple[tuple[Level, ...], Floats]:
    """Level of each stage, and each row's chance to be drawn, shape (n,): 0 where not known."""
    n = len(np.asarray(stages[0].units))
    levels: list[Level] = []
    before, chance = np.zeros(n, dtype=np.int64), np.ones(n)
    share = np.ones(1)
    for stage in stages:
        strata = before if stage.strata is None else _joined(before, stage.strata)
        units = _joined(strata, stage.units)
        _, row = np.unique(units, return_index=True)
        _, first = np.unique(strata, return_index=True)
        population = _population(stage, strata)
        level = Level(units, strata[row], population, share[before[first]])
        levels.append(level)
        drawn = level.drawn / population
        share, chance = (level.factor * drawn)[level.codes], chance * drawn[strata]
        before = units
    return tuple(levels), chance


def _population(stage: Stage, strata: Ints) -> Floats:
    """N_h of each stratum, which must be one number in all its rows."""
    count = int(strata.max()) + 1
    if stage.population is None:
        return np.full(count, np.inf)
    given = pd.Series(np.asarray(stage.population, dtype=float)).groupby(strata)
    low, high = given.min().to_numpy(), given.max().to_numpy()
    if not (low == high).all():
        raise ValueError(f"population differs within {int((low != high).sum())} strata: give N_h")
    return np.asarray(low, dtype=float)


def _joined(outer: Ints, inner: npt.ArrayLike) -> Ints:
    """Codes of the pairs, numbered in the order of both."""
    codes, labels = pd.factorize(np.asarray(inner), sort=True)
    if (codes < 0).any():
        raise ValueError("every row must have a unit and a stratum; some are missing")
    pairs = outer * len(labels) + codes
    return np.asarray(np.unique(pairs, return_inverse=True)[1], dtype=np.int64)

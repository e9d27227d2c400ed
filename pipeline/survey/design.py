"""The design of one wave: who answered, in which stratum, with which weight, out of how many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

LonelyRule = Literal["adjust", "certainty", "average"]
"""What a stratum with one respondent (of several firms) adds to the variance.

adjust: the square of its influence, not centred (the safe choice, the default; the influence on
a mean or ratio has mean 0 over all respondents); certainty: nothing; average: what the other
strata add on average. As `survey.lonely.psu` in R survey 4.1 (Lumley 2010, 3.2.1).
"""


@dataclass(frozen=True)
class Frame:
    """The whole register of a wave: unit ids and the code of each unit's stratum, shape (N,)."""

    unit_ids: pd.Index
    codes: Ints


@dataclass(frozen=True, eq=False)
class Design:
    """The responding units of one wave and the strata they stand for.

    Make it with `from_frame` (a register in which some answered) or `from_sample` (a sample with
    known weights). Arrays passed to the estimators are aligned with `unit_ids`, shape (n,), which
    keep the order given; sums run in that order (sort by id for the same bytes). `codes` number
    the strata in the order of `strata`; `population` is N_h, infinite where there is no
    finite-population correction. A stratum without respondents adds to no estimate: collapse
    strata beforehand.
    """

    unit_ids: pd.Index
    codes: Ints
    weights: Floats
    strata: pd.Index
    population: Floats
    frame: Frame | None = None
    lonely: LonelyRule = "adjust"

    def __post_init__(self) -> None:
        n = len(self.unit_ids)
        if len(self.codes) != n or len(self.weights) != n:
            msg = f"{n} units, {len(self.codes)} strata, {len(self.weights)} weights"
            raise ValueError(msg)
        if not (np.isfinite(self.weights) & (self.weights >= 0)).all():
            raise ValueError("weights must be finite and not negative")
        too_many = np.bincount(self.codes, minlength=len(self.strata)) > self.population
        if too_many.any():
            msg = f"more respondents than units in strata {list(self.strata[too_many])}"
            raise ValueError(msg)
        if self.lonely not in get_args(LonelyRule):
            msg = f"no rule {self.lonely!r} for strata with one respondent"
            raise ValueError(msg)

    @classmethod
    def from_frame(
        cls,
        unit_ids: npt.ArrayLike,
        strata: npt.ArrayLike,
        responded: npt.ArrayLike,
        weights: npt.ArrayLike | None = None,
        lonely: LonelyRule = "adjust",
    ) -> Design:
        """Take a register with those who answered: a census with non-response.

        All arrays are aligned with the register, shape (N,); N_h is counted from it. `weights`
        (those of non-respondents are ignored) are N_h / n_h unless given. The register stays with
        the design, because the change between two waves needs the firms on both registers.
        """
        ids, codes, labels = _coded(unit_ids, strata)
        answered = np.asarray(responded, dtype=bool)
        sizes = np.bincount(codes, minlength=len(labels)).astype(float)
        if weights is None:
            respondents = np.bincount(codes[answered], minlength=len(labels))
            weight = (sizes / np.maximum(respondents, 1))[codes]
        else:
            weight = np.asarray(weights, dtype=float)
        return cls(
            ids[answered],
            codes[answered],
            weight[answered],
            labels,
            sizes,
            Frame(ids, codes),
            lonely,
        )

    @classmethod
    def from_sample(
        cls,
        unit_ids: npt.ArrayLike,
        strata: npt.ArrayLike,
        weights: npt.ArrayLike,
        population: Mapping[Any, float] | None = None,
        lonely: LonelyRule = "adjust",
    ) -> Design:
        """Take a stratified sample, shape (n,), with N_h by stratum (None: no correction)."""
        ids, codes, labels = _coded(unit_ids, strata)
        sizes = (
            np.full(len(labels), np.inf)
            if population is None
            else np.array([float(population[label]) for label in labels])
        )
        return cls(ids, codes, np.asarray(weights, dtype=float), labels, sizes, lonely=lonely)

    @property
    def corrected(self) -> bool:
        """Whether any stratum has a finite-population correction."""
        return bool(np.isfinite(self.population).any())

    def sums(self, values: npt.NDArray[np.float64 | np.bool_]) -> Floats:
        """Sum over the units of each stratum: (k, n) to (k, H)."""
        return cell_sums(values, self.codes, len(self.strata))


def cell_sums(values: npt.NDArray[np.float64 | np.bool_], codes: Ints, cells: int) -> Floats:
    """Sum each row over its units with the same code: (k, n) and (n,) to (k, cells)."""
    rows = len(values)
    flat = (codes + cells * np.arange(rows)[:, None]).ravel()
    sums = np.bincount(flat, weights=values.ravel(), minlength=rows * cells)
    return np.asarray(sums, dtype=float).reshape(rows, cells)


def _coded(unit_ids: npt.ArrayLike, strata: npt.ArrayLike) -> tuple[pd.Index, Ints, pd.Index]:
    """Unit ids as an index, strata as codes in sorted order, and the strata's labels."""
    ids = pd.Index(np.asarray(unit_ids))
    codes, labels = pd.factorize(np.asarray(strata), sort=True)
    if not ids.is_unique or (codes < 0).any():
        raise ValueError("unit ids must be unique and every unit must have a stratum")
    return ids, codes.astype(np.int64), pd.Index(labels)

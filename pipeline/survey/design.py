"""The design of one wave: who answered, in which stratum, with which weight, out of how many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.survey.adjustments import Adjustment
from pipeline.survey.arrays import Bools, Floats, Ints, cell_sums
from pipeline.survey.stages import Level, Stage, levels_of

__all__ = ["Bools", "Design", "Floats", "Frame", "Ints", "LonelyRule", "Stage", "cell_sums"]

LonelyRule = Literal["adjust", "certainty", "average", "remove"]
"""What a stratum with one respondent (of several firms) adds to the variance.

adjust: the square of its influence, not centred (the safe choice, the default; the influence on
a mean or ratio has mean 0 over all respondents); certainty and remove: nothing; average: what the
other strata add on average. As `survey.lonely.psu` in R survey 4.1 (Lumley 2010, 3.2.1).
"""


@dataclass(frozen=True)
class Frame:
    """The whole register of a wave: unit ids and the code of each unit's stratum, shape (N,)."""

    unit_ids: pd.Index
    codes: Ints


@dataclass(frozen=True, eq=False)
class Design:
    """The responding units of one wave and the strata they stand for.

    Make it with `from_frame` (a register in which some answered), `from_sample` (a stratified
    sample with known weights) or `from_stages` (clusters, several stages). Arrays passed to the
    estimators are aligned with its rows, shape (n,), which keep the order given; sums run in that
    order (sort by id for the same bytes). Rows are the primary units themselves, `unit_ids`,
    unless `rows` gives the primary unit of each. `codes` number their strata in the order of
    `strata`; `population` is N_h, infinite where there is no finite-population correction. A
    stratum without respondents adds to no estimate: collapse strata beforehand. `adjustments` are
    the calibrations of the weights, first to last (see `pipeline.survey.calibration`).
    """

    unit_ids: pd.Index
    codes: Ints
    weights: Floats
    strata: pd.Index
    population: Floats
    frame: Frame | None = None
    lonely: LonelyRule = "adjust"
    adjustments: tuple[Adjustment, ...] = ()
    rows: Ints | None = None
    later: tuple[Level, ...] = ()

    def __post_init__(self) -> None:
        units, n = len(self.unit_ids), len(self.weights)
        if len(self.codes) != units or n != (units if self.rows is None else len(self.rows)):
            msg = f"{units} units, {len(self.codes)} strata, {n} weights"
            raise ValueError(msg)
        bad = ~(np.isfinite(self.weights) & (self.weights >= 0))
        if bad.any():
            named = list(self.unit_ids[bad if self.rows is None else np.unique(self.rows[bad])][:5])
            msg = f"weights must be finite and not negative; they are not for units {named}"
            raise ValueError(msg)
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
        Within a stratum who answers is taken to be chance (response homogeneity groups; Särndal,
        Swensson and Wretman 1992, 15.6). ValueError for ids that repeat, a unit without stratum,
        and weights of respondents that are missing or negative.
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
        """Take a stratified sample, shape (n,), with N_h by stratum (None: no correction).

        The units of a stratum are taken as a simple random sample of its N_h (Cochran 1977,
        5.3). ValueError for a stratum without N_h or with more units than N_h; else as above.
        """
        ids, codes, labels = _coded(unit_ids, strata)
        if population is None:
            sizes = np.full(len(labels), np.inf)
        else:
            unknown = [label for label in labels if label not in population]
            if unknown:
                msg = f"strata without a register count: {unknown}; give N_h or collapse them"
                raise ValueError(msg)
            sizes = np.array([float(population[label]) for label in labels])
        return cls(ids, codes, np.asarray(weights, dtype=float), labels, sizes, lonely=lonely)

    @classmethod
    def from_stages(
        cls,
        stages: Sequence[Stage],
        weights: npt.ArrayLike | None = None,
        lonely: LonelyRule = "adjust",
    ) -> Design:
        """Take a sample of clusters, or of several stages, the first one first, shape (n,).

        `weights` are the inverse of the shares drawn, multiplied over the stages, unless given.
        Stages below one without a population count add nothing: its units then bring all the
        variance (Särndal, Swensson and Wretman 1992, 4.6).
        """
        levels, chance = levels_of(stages)
        if weights is None and not (chance > 0).all():
            raise ValueError("a stage has no population count, so weights must be given")
        first, units = levels[0], np.asarray(levels[0].units)
        row = np.unique(units, return_index=True)[1]
        ids = pd.Index(np.asarray(stages[0].units)[row])
        strata = np.full(len(units), "") if stages[0].strata is None else stages[0].strata
        labels = pd.factorize(np.asarray(strata), sort=True)[1]
        if not ids.is_unique:
            ids = pd.MultiIndex.from_arrays([labels[first.codes], ids])
        return cls(
            ids,
            first.codes,
            1 / chance if weights is None else np.asarray(weights, dtype=float),
            pd.Index(labels),
            first.population,
            lonely=lonely,
            rows=first.units,
            later=levels[1:],
        )

    @property
    def corrected(self) -> bool:
        """Whether any stratum has a finite-population correction."""
        return bool(np.isfinite(self.population).any())

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """All stages, the first one first."""
        whole = np.ones(len(self.strata))
        return (Level(self.rows, self.codes, self.population, whole), *self.later)

    @cached_property
    def chances(self) -> Floats | None:
        """Chance of each unit to respond as its calibrated weight tells it, 1 / w, shape (n,).

        None where the stratum tells it: without calibration, and in a sample, whose chances are
        those it was drawn with.
        """
        if self.frame is None or not self.adjustments:
            return None
        return 1 / np.maximum(self.weights, 1.0)

    def adjusted(self, weights: Floats, adjustment: Adjustment) -> Design:
        """The same units with other weights, made from theirs by a calibration."""
        return replace(self, weights=weights, adjustments=(*self.adjustments, adjustment))

    def item_weights(self, answered: Bools) -> Floats:
        """Weights of those who answered an item for all who responded, 0 of others: (k, n) alike.

        Times n_h / m_h of the stratum, so N_h / n_h becomes N_h / m_h: who answers an item is
        taken to be chance there, as is who responds (Särndal, Swensson and Wretman 1992, 15.6).
        Without N_h strata are no response groups, and weights stay as they were given.
        """
        return self.weights * self.item_factors(answered)

    def item_factors(self, answered: Bools) -> Floats:
        """Rows of the stratum by those of them that answered, 0 for those who did not."""
        if answered.all():
            return np.ones(answered.shape)
        codes = self.codes if self.rows is None else self.codes[self.rows]
        rows = np.bincount(codes, minlength=len(self.strata))
        answers = np.maximum(cell_sums(answered, codes, len(self.strata)), 1)
        factors = np.where(np.isfinite(self.population), rows / answers, 1.0)
        return np.where(answered, factors[:, codes], 0.0)

    def sums(self, values: npt.NDArray[np.float64 | np.bool_]) -> Floats:
        """Sum over the primary units of each stratum: (k, C) to (k, H)."""
        return self.levels[0].sums(values)

    def per_unit(self, values: npt.NDArray[np.float64 | np.bool_]) -> Floats:
        """Sum the rows of each primary unit: (k, n) to (k, C)."""
        return self.levels[0].per_unit(values)


def _coded(unit_ids: npt.ArrayLike, strata: npt.ArrayLike) -> tuple[pd.Index, Ints, pd.Index]:
    """Unit ids as an index, strata as codes in sorted order, and the strata's labels."""
    ids = pd.Index(np.asarray(unit_ids))
    codes, labels = pd.factorize(np.asarray(strata), sort=True)
    if not ids.is_unique or (codes < 0).any():
        raise ValueError("unit ids must be unique and every unit must have a stratum")
    return ids, codes.astype(np.int64), pd.Index(labels)

"""Rounding: numbers as they are printed, intervals outwards."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
STEPS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0)
"""Half-widths of amounts, times powers of ten: a third apart at least, so that none tells exactly
how far it was widened or whether; they are a quarter wider at most on average, (b - a) summed over
the steps from a to b by ln 10 (Benford's law)."""


def units(decimals: Floats, n: Floats, is_answer: Bools, coarse_below: int) -> Floats:
    """To what each figure is rounded: its last decimal; of answers of few firms, to five of them.

    `is_answer`: a share or balance of answers that must not be told. With known weights, shares in
    whole per cents of many small groups that overlap leave one solution for who said what; whole
    steps of five do not, and the groups' intervals are far wider.
    """
    return 10.0**-decimals * np.where(is_answer & (n < coarse_below), 5.0, 1.0)


def round_figures(figures: pd.DataFrame) -> None:
    """Round in place to their units, intervals outwards; widen those of amounts.

    Columns value, low, high, unit (see `units`), categorical and widening.

    The half-width of an amount is measured from the printed value to the further end, widened, and
    rounded up to the grid `STEPS`, whether it was widened or not (see `Series.widening` for what
    that leaves to a reader). An interval without width (everybody answered) is the printed value.
    """
    is_amount = ~figures["categorical"]
    value, low, high = (figures[c].to_numpy(dtype=float) for c in ("value", "low", "high"))
    unit = figures["unit"].to_numpy(dtype=float)
    rounded = np.round(value / unit) * unit
    reach = np.maximum(high - rounded, rounded - low) * figures["widening"].to_numpy(dtype=float)
    half = _grid_up(reach, unit)
    ends = {
        "low": np.where(is_amount, rounded - half, _outwards(low / unit, np.floor) * unit),
        "high": np.where(is_amount, rounded + half, _outwards(high / unit, np.ceil) * unit),
    }
    figures["value"] = rounded
    for name, end in ends.items():
        figures[name] = np.where(high - low > 1e-9 * np.abs(value), end, rounded + 0.0 * low)


def _grid_up(half: Floats, unit: Floats) -> Floats:
    """The next number of the grid `STEPS`, in whole units and one at least; NaN stays."""
    units = np.maximum(half / unit, 1.0)
    tens = 10.0 ** np.floor(np.log10(units) + 1e-12)
    steps = np.array(STEPS)
    place = np.searchsorted(steps, np.nan_to_num(units / tens) * (1 - 1e-9))
    return np.where(np.isnan(half), np.nan, np.ceil(steps[place] * tens - 1e-9) * unit)


def _outwards(units: Floats, direction: np.ufunc) -> Floats:
    """Round to whole units away from the estimate, but not for the last digits of a float."""
    near = np.round(units)
    return np.where(np.abs(units - near) < 1e-9, near, direction(units))

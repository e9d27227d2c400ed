"""What is reported of weights: their spread, their sums, and the bias of what the register knows.

The register's variables are known for all units, so they show what the weights leave of the
non-response bias, which no standard error tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

CONSTANT = "constant: tells nothing of the response"
TRUTH_IS_ZERO = "mean of the register is 0: no bias in per cent"
"""What a row of `bias_of_register` may say of itself in `flag` (else empty)."""


@dataclass(frozen=True)
class WeightSummary:
    """Number, sum and spread of the respondents' weights."""

    n: int
    total: float
    smallest: float
    largest: float
    cv: float
    design_effect: float


def kish_design_effect(weights: npt.ArrayLike) -> float:
    """Design effect of unequal weighting, n sum(w^2) / (sum w)^2 = 1 + cv(w)^2; at least 1.

    `weights`: of the respondents, shape (n,). The factor by which variances grow if the weights
    have nothing to do with the item (Kish 1965, Survey Sampling, 11.7; Kish 1992, Journal of
    Official Statistics 8, 183-200). ValueError for missing or negative weights, or only zeros.
    """
    return weight_summary(weights).design_effect


def weight_summary(weights: npt.ArrayLike) -> WeightSummary:
    """Summarise the respondents' weights, shape (n,); cv with divisor n.

    ValueError for missing or negative weights, or only zeros.
    """
    w = _weights(weights, None)
    mean = float(w.mean())
    if mean == 0:
        raise ValueError("all weights are 0: give the weights of those who responded")
    # Centred, so that weights alike give 0 and not what rounding leaves of sum(w^2).
    cv = float(np.sqrt(np.mean((w / mean - 1) ** 2)))
    smallest, largest = float(w.min()), float(w.max())
    if smallest == largest:
        cv = 0.0
    return WeightSummary(len(w), float(w.sum()), smallest, largest, cv, 1 + cv**2)


def against_register(
    strata: npt.ArrayLike,
    counts_by_stratum: Mapping[Any, float],
    weights: npt.ArrayLike,
    responded: npt.ArrayLike,
) -> pd.DataFrame:
    """Compare the sum of weights with the register by stratum.

    `strata`, `weights`, `responded`: shape (N,), of all units or of the respondents only (weights
    of others are ignored); `counts_by_stratum`: N_h. One row per stratum, sorted: stratum,
    n (respondents), N, sum_of_weights, difference (sum - N), smallest, largest. A stratum of the
    register without respondents has n = 0, a sum of 0 and no smallest or largest weight (NaN).
    ValueError for a missing stratum or one without register count, for counts that are not above
    0, for missing or negative weights, or if nobody responded.
    """
    labels = pd.Series(np.asarray(strata, dtype=object))
    answered = _responded(responded, len(labels))
    w = _weights(weights, answered)
    if labels.isna().any():
        raise ValueError(f"{int(labels.isna().sum())} units have no stratum: give one to each")
    unknown = sorted(set(labels) - set(counts_by_stratum), key=str)
    if unknown:
        raise ValueError(f"no register count for strata {unknown}: add them, or collapse strata")
    wrong = [h for h, count in counts_by_stratum.items() if not 0 < count < np.inf]
    if wrong:
        raise ValueError(f"register counts of strata {sorted(wrong, key=str)} are not above 0")
    index = pd.Index(sorted(counts_by_stratum), name="stratum")
    groups = pd.Series(w).groupby(labels[answered].to_numpy())
    table = pd.DataFrame(
        {
            "n": groups.size().reindex(index, fill_value=0),
            "N": pd.Series({h: float(counts_by_stratum[h]) for h in index}, index=index),
            "sum_of_weights": groups.sum().reindex(index, fill_value=0.0),
            "smallest": groups.min().reindex(index),
            "largest": groups.max().reindex(index),
        },
        index=index,
    )
    table.insert(3, "difference", table["sum_of_weights"] - table["N"])
    return table.reset_index()


def bias_of_register(
    register: pd.DataFrame,
    responded: npt.ArrayLike,
    *,
    weights_before: npt.ArrayLike,
    weights_after: npt.ArrayLike,
) -> pd.DataFrame:
    """Show what each set of weights makes of the register's variables, beside the truth.

    `register`: shape (N, j); numeric columns (truth: their mean), all others categories (truth:
    their shares); `responded` and both weights (before and after calibration; those of others are
    ignored): shape (N,). One row per numeric column and per category, in the order of the columns,
    categories sorted or in the order of their dtype: variable, category (none for numeric),
    measure ("share" or "mean"), truth, unweighted, before, after (shares in per cent),
    bias_unweighted, bias_before, bias_after (shares: percentage points; means: per cent of the
    truth), flag. The truth counts each unit once. A constant variable and a mean of 0, which has
    no bias in per cent (NaN), are flagged. ValueError for missing values in the register, missing
    or negative weights, or if nobody responded. (Särndal and Lundström 2005, Estimation in Surveys
    with Nonresponse, chapter 10: comparing respondents with the register.)
    """
    answered = _responded(responded, len(register))
    before, after = (_weights(w, answered) for w in (weights_before, weights_after))
    if not (before.any() and after.any()):
        raise ValueError("all weights are 0: give the weights of those who responded")
    if not register.columns.is_unique:
        raise ValueError("two columns of the register have the same name: rename one")
    known = register.replace([np.inf, -np.inf], np.nan).notna().all()
    if not known.all():
        names = list(map(str, known.index[~known]))
        raise ValueError(f"missing values in {names}: the truth of the register is not known")
    rows: list[tuple[object, ...]] = []
    for name in register:
        column = register[name]
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            y = column.to_numpy(dtype=float)
            rows.append((str(name), None, "mean", *_compared(y, answered, before, after, None)))
            continue
        values = column.astype("category").cat.remove_unused_categories()
        for code, label in enumerate(values.cat.categories):
            y = 100.0 * (values.cat.codes.to_numpy() == code)
            shown = _compared(y, answered, before, after, 100.0)
            rows.append((str(name), label, "share", *shown))
    columns = ["variable", "category", "measure", "truth", "unweighted", "before", "after"]
    columns += ["bias_unweighted", "bias_before", "bias_after", "flag"]
    return pd.DataFrame(rows, columns=columns)


def _compared(
    y: Floats, answered: Bools, before: Floats, after: Floats, whole: float | None
) -> tuple[object, ...]:
    """Truth, three means of the respondents, their biases in per cent of `whole`, and a flag.

    `whole` is the truth itself unless given. Means are taken about the truth: what is alike for
    all units then has a bias of exactly 0.
    """
    truth = float(y.mean())
    if y.min() == y.max():
        truth = float(y[0])
    away = y[answered] - truth
    errors = [float(away.mean()), *(float(w @ away / w.sum()) for w in (before, after))]
    base = truth if whole is None else whole
    flag = TRUTH_IS_ZERO if base == 0 else ""
    flag = CONSTANT if y.min() == y.max() else flag
    biases = [100 * error / abs(base) if base else np.nan for error in errors]
    return truth, *(truth + error for error in errors), *biases, flag


def _responded(responded: npt.ArrayLike, size: int) -> Bools:
    values = np.asarray(responded)
    if values.shape != (size,):
        raise ValueError(f"{size} units, responded has shape {values.shape}: give one for each")
    if not np.isin(values, (0, 1)).all():
        raise ValueError("responded has values other than True and False: give one for each unit")
    if not values.any():
        raise ValueError("nobody responded: there are no weights to compare")
    return values.astype(bool)


def _weights(weights: npt.ArrayLike, answered: Bools | None) -> Floats:
    """Weights of the respondents, shape (n,), or an error that says how many are wrong."""
    w = np.asarray(weights, dtype=float)
    if w.ndim != 1 or not len(w) or (answered is not None and len(w) != len(answered)):
        expected = "(n,)" if answered is None else f"({len(answered)},)"
        raise ValueError(f"weights of shape {w.shape}, expected {expected}: give one for each unit")
    used = w if answered is None else w[answered]
    wrong = int((~(np.isfinite(used) & (used >= 0))).sum())
    if wrong:
        raise ValueError(f"{wrong} weights of respondents are missing, infinite or negative")
    return used

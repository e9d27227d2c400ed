"""Why no factors within the bounds meet the totals: by linear programmes, in words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, eye_array, hstack

from pipeline.survey.arrays import Floats
from pipeline.survey.newton import System

_AGREE = 1e-6
"""A total that is missed by no more than this part of it is met (HiGHS works to 1e-7)."""


def unreachable(system: System, low: Floats, high: Floats) -> list[str]:
    """Name totals that no factors in [low, high], shape (m,) each, meet, and bounds that would do.

    By the smallest sum of the relative misses of all totals. To be asked only when no factors
    were found: if all totals can be met, only the ends of the bounds do.
    """
    p, m = len(system.totals), len(system.weights)
    matrix, totals = _equations(system)
    found = milp(
        np.append(np.zeros(m), np.ones(2 * p)),
        constraints=LinearConstraint(hstack([matrix, eye_array(p), -eye_array(p)]), totals, totals),
        bounds=Bounds(np.append(low, np.zeros(2 * p)), np.append(high, np.full(2 * p, np.inf))),
    )
    if found.x is None:
        return [f"no weights meet the totals ({found.message})"]
    missed = found.x[m : m + p] - found.x[m + p :]
    problems = [
        f"the total {system.totals[j]:.10g} of {system.names[j]!r} cannot be met: the nearest is "
        f"{system.totals[j] - missed[j] * system.scale[j]:.6g}"
        for j in np.flatnonzero(np.abs(missed) > _AGREE)
    ]
    if problems:
        return problems + list(_wider(system, low, high))
    return [
        "the totals can be met only with weights at their bounds (or 0), which this method cannot "
        "reach: widen the bounds, collapse categories, or take method='linear' with bounds"
    ]


def _wider(system: System, low: Floats, high: Floats) -> Iterator[str]:
    """The smallest bounds that would do: one of them moved, or if that is not enough both."""
    offers: list[str] = []
    for up, down in ((1, 0), (0, 1), (1, 1)):
        need = None if up and down and offers else _widening(system, low, high, up, down)
        if need is not None:
            ends = low.min() - down * need, high.max() + up * need
            offers.append("({:.4g}, {:.4g})".format(*(max(round(end, 9), 0.0) for end in ends)))
    if offers:
        yield f"bounds that would do: a little more than {' or '.join(offers)}"


def _widening(system: System, low: Floats, high: Floats, up: int, down: int) -> float | None:
    """By how much the bounds must move at least, or None if no factors of 0 or more do."""
    m = len(system.weights)
    matrix, totals = _equations(system)
    ones = csr_array(np.ones((m, 1)))
    found = milp(
        np.append(np.zeros(m), 1.0),
        constraints=[
            LinearConstraint(hstack([matrix, csr_array((len(totals), 1))]), totals, totals),
            LinearConstraint(hstack([eye_array(m), -up * ones]), -np.inf, high),
            LinearConstraint(hstack([eye_array(m), down * ones]), low, np.inf),
        ],
        bounds=Bounds(0, np.inf),
    )
    return None if found.x is None else float(found.x[-1])


def _equations(system: System) -> tuple[csr_array, Floats]:
    """Totals as equations in g, each divided by its size: matrix (p, m) and right side (p,)."""
    matrix = (system.constraints * system.weights[:, None] / system.scale).T
    return csr_array(matrix), np.asarray(system.totals / system.scale)

"""What formulas alone tell of two amounts."""

import math

import pytest

from pipeline.expressions.parts import part_of

BOUNDS = {
    "turnover": (0.0, math.inf),
    "jobs": (1.0, math.inf),
    "open": (0.0, math.inf),
    "share": (0.0, 100.0),
    "part": (10.0, 50.0),
    "profit": (-math.inf, math.inf),
}


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        ("turnover * share / 100", "turnover", (0, 1)),
        ("turnover * share / 100 * part / 100", "turnover * share / 100", (0.1, 0.5)),
        ("turnover * share / 100 * part / 100", "turnover", (0, 0.5)),
        ("open", "jobs + open", (0, 1)),
        ("jobs", "jobs + open", (0, 1)),
        ("2 * jobs", "jobs", (2, 2)),
        ("turnover", "turnover * share / 100", None),
        ("turnover * open", "turnover", None),  # nothing bounds the number of open positions
        ("jobs + open", "open", None),
        ("profit * share / 100", "profit", None),  # a part of a loss is more than the loss
        ("min(jobs, open)", "jobs", None),
        ("jobs", "jobs", None),
        ("unknown", "jobs + unknown", None),
        ("2 * open", "jobs + open", None),
    ],
)
def test_parts(part, whole, expected):
    found = part_of(part, whole, BOUNDS)
    assert found == (pytest.approx(expected) if expected else None)

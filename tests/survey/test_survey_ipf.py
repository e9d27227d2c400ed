import numpy as np
import pytest

from pipeline.survey.ipf import rake_cells


def test_two_by_two_by_hand():
    # Weights 1 in the cells of a 2 x 2 table, totals (6, 2) and (4, 4): the margins of a table of
    # independence, 6*4/8 = 3 and 2*4/8 = 1
    weights = rake_cells(np.ones(4), [[0, 0, 1, 1], [0, 1, 0, 1]], [[6, 2], [4, 4]])
    assert weights == pytest.approx([3, 3, 1, 1], rel=1e-12)


def made(n=3000, seed=1):
    rng = np.random.default_rng(seed)
    margins = [rng.integers(0, k, n) for k in (12, 4, 5)]
    truth = rng.gamma(5, 1, n) * (1 + margins[0] / 10 + margins[1] / 2)
    return rng.gamma(9, 1, n), margins, [np.bincount(m, weights=truth) for m in margins]


def test_margins_hold_and_factors_are_products_of_one_per_category():
    weights, margins, totals = made()
    raked = rake_cells(weights, margins, totals)
    for margin, total in zip(margins, totals, strict=True):
        assert np.bincount(margin, weights=raked) == pytest.approx(total, rel=1e-10)
    # the logarithm of the factor is a sum of effects of the margins
    effects = np.hstack([np.eye(len(t))[m] for m, t in zip(margins, totals, strict=True)])
    factor = np.log(raked / weights)
    rest = factor - effects @ np.linalg.lstsq(effects, factor, rcond=None)[0]
    assert np.abs(rest).max() < 1e-9


def test_cells_give_the_factors_of_units():
    weights, margins, totals = made()
    place = (margins[0] * 4 + margins[1]) * 5 + margins[2]
    cells, number = np.unique(place, return_inverse=True)
    sums = np.bincount(number, weights=weights)
    parts = np.unravel_index(cells, (12, 4, 5))
    by_cell = rake_cells(sums, parts, totals) / sums
    assert weights * by_cell[number] == pytest.approx(rake_cells(weights, margins, totals), 1e-12)


@pytest.mark.parametrize(
    ("margins", "totals", "message"),
    [
        ([[0, 0, 1, 1]], [[1, 2, 3]], r"no weight in categories \[2\]"),
        ([[0, 0, 1, 1], [0, 1, 0, 1]], [[6, 2], [4, 5]], r"add up to \[8.0, 9.0\]"),
        ([[0, 0, 1, 1]], [[4, 0]], r"total 0 for categories \[1\]"),
        ([[0, 0, 1, 1]], [[4, -1]], "finite and not negative"),
        ([[0, 0, 1, 2]], [[4, 1]], "codes 0 to 2 for 2 totals"),
        ([[0, 0, 1]], [[4, 1]], "codes and totals"),
        ([[0, 0, 1, 1], [0, 0, 1, 1]], [[6, 2], [4, 4]], "contradict"),
    ],
)
def test_totals_that_cannot_be_met_are_named(margins, totals, message):
    with pytest.raises(ValueError, match=message):
        rake_cells(np.ones(4), margins, totals)

import numpy as np
import pytest

from pipeline.survey.adjustments import Calibration, Raking, basis

X = np.array([[1.0, 1], [1, 2], [1, 3]])
EVERYONE = np.ones((1, 3))


def test_residual_by_hand():
    # Weights before 2 2 2, after 1 2 3; u = 1 3 2 has residuals -1/2 1 -1/2 on (1, x): z = w e.
    after = np.array([1.0, 2, 3])
    step = Calibration(np.full(3, 2.0), after, X)
    z = step.residual(np.array([1.0, 3, 2])[None] * after, EVERYONE)
    assert z == pytest.approx(np.array([[-0.5, 2, -1.5]]), rel=1e-14)


def test_variance_of_the_model_divides_the_weights():
    # One constraint x with variance x: b = sum(d u) / sum(d x) = 6/6; e = u - x.
    step = Calibration(np.full(3, 2.0), np.full(3, 4.0), X[:, 1:], variance=X[:, 1])
    z = step.residual(np.array([[4.0, 12, 8]]), EVERYONE)
    assert z == pytest.approx(np.array([[0, 4.0, -4]]), abs=1e-14)


def test_who_did_not_answer_is_not_in_the_regression():
    # Without the third unit two units lie on the line: nothing is left of either.
    step = Calibration(np.full(3, 2.0), np.array([1.0, 2, 3]), X)
    answered = np.array([[1.0, 1, 0], [1, 1, 1]])
    z = step.residual(np.array([[1.0, 6, 6], [1, 6, 6]]), answered)
    assert z == pytest.approx(np.array([[0, 0, 0], [-0.5, 2, -1.5]]), abs=1e-14)


def test_weights_for_the_item_are_those_of_the_regression():
    # One constraint 1: e is u less its mean by before * factor, u = 1 3 2 and 2 * (1 2 3):
    # (2 + 12 + 12) / 12 = 13/6; z = factor * after * e = 1 * -7/6, 2 * 2 * 5/6, 3 * 3 * -1/6.
    factors, after = np.array([[1.0, 2, 3]]), np.array([1.0, 2, 3])
    step = Calibration(np.full(3, 2.0), after, X[:, :1])
    z = step.residual(np.array([1.0, 3, 2]) * after * factors, factors)
    assert z == pytest.approx(np.array([[-7, 20, -9]]) / 6, rel=1e-14)
    # Raked to one margin in one category, it is the mean by factor: (1 + 6 + 6) / 6, the same.
    swept = Raking(after, (np.zeros(3, dtype=np.int64),))
    z = swept.residual(np.array([1.0, 3, 2]) * after * factors, factors)
    assert z == pytest.approx(np.array([[-7, 20, -9]]) / 6, rel=1e-14)


def test_cells_say_the_same_as_rows():
    rng = np.random.default_rng(3)
    cells = rng.integers(0, 6, 40)
    distinct = np.column_stack([np.ones(6), np.arange(6) % 2, np.arange(6) // 2, np.arange(6)])
    before, after = rng.uniform(1, 2, 40), rng.uniform(1, 2, 40)
    variance = rng.uniform(1, 2, 40)
    z, answered = rng.normal(5, 1, (3, 40)), (rng.random((3, 40)) < 0.8) * rng.uniform(1, 2, 40)
    rows = Calibration(before, after, distinct[cells], variance)
    gathered = Calibration(before, after, distinct, variance, cells)
    for who in (answered, np.ones((1, 40))):
        assert gathered.residual(z, who) == pytest.approx(rows.residual(z, who), abs=1e-13)
    assert gathered.rank == rows.rank == 3
    assert gathered.missed(2 * after) == pytest.approx(rows.missed(2 * after), rel=1e-14)


def test_a_large_mean_takes_no_digits():
    # u = 1e9 + small: the constraint 1 takes the large part off; 1e9 is exact to 1e-7.
    small = np.array([-0.5, 1, -0.5])
    step = Calibration(np.full(3, 2.0), np.ones(3), X)
    z = step.residual(1e9 + small[None], EVERYONE)
    assert z == pytest.approx(small[None], abs=1e-6)
    assert abs(float(z.sum())) < 1e-12


def test_raking_sweeps_the_means_by_hand():
    # A full 2 x 2 table of weight 1: the first sweep leaves what is neither row nor column,
    # u = 1 2 3 8: rows -1/2 1/2 -5/2 5/2, columns -1.5 1.5: 1 -1 -1 1; more sweeps change nothing.
    step = Raking(np.ones(4), (np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])))
    z = step.residual(np.array([[1.0, 2, 3, 8]]), np.ones((1, 4)))
    assert z == pytest.approx(np.array([[1.0, -1, -1, 1]]), abs=1e-14)
    assert step.rank == 3


def test_missed_totals():
    # Raked sums of the rows 2 and 2; new weights 1 2 1 1: 3 and 2, so 1 of 2 too many; the columns
    # 2 and 3 of 2 and 2.
    margins = (np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]))
    step = Raking(np.ones(4), margins)
    assert step.missed(np.ones(4)) == 0
    assert step.missed(np.array([1.0, 2, 1, 1])) == 0.5
    indicators = np.hstack([np.eye(2)[codes] for codes in margins])
    assert Calibration(np.ones(4), np.ones(4), indicators).missed(np.array([1.0, 2, 1, 1])) == 0.5


def test_basis_leaves_out_what_depends_on_others():
    columns = np.column_stack([X, X.sum(axis=1), np.zeros(3)])
    assert basis(columns).shape == (3, 2)
    assert basis(columns * [1e6, 1e-6, 1, 1]).shape == (3, 2)

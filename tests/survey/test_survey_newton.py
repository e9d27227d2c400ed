import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from pipeline.survey.distances import distance
from pipeline.survey.margins import Counts, Total
from pipeline.survey.newton import Solver, System, gather


def system(x, totals, weights, variance=None):
    x = np.asarray(x, dtype=float)
    names = tuple(f"x{j}" for j in range(x.shape[1]))
    model = np.ones(len(x)) if variance is None else np.asarray(variance, dtype=float)
    cells = np.arange(len(x))
    return System(names, x, np.asarray(totals, dtype=float), np.asarray(weights), model, cells)


def test_units_with_equal_constraints_are_one_cell():
    codes = np.array([0, 1, 0, -1, 1, 0])
    counts = Counts(("a",), (("x",), ("y",)), np.array([7.0, 9]), codes)
    total = Total("emp", 40.0, np.array([2.0, 3, 2, 0, 3, 5]))
    weights = np.array([1.0, 2, 3, 0, 4, 5])
    found, row = gather((counts,), (total,), weights, np.ones(6))
    # x with 2: weights 1 + 3; x with 5: 5; y with 3: 2 + 4; the unit without weight is in none.
    assert list(found.weights) == [4, 5, 6]
    assert found.constraints.tolist() == [[1, 0, 2], [1, 0, 5], [0, 1, 3]]
    assert list(found.totals) == [7, 9, 40]
    assert found.names == ("a=x", "a=y", "emp")
    assert list(row) == [0, 5, 1]
    assert list(found.cells[weights > 0]) == [0, 2, 0, 2, 1]


def test_extra_columns_part_cells():
    total = Total("one", 4.0, np.ones(3))
    found, _ = gather((), (total,), np.ones(3), np.ones(3), np.array([0.5, 0.5, 0.9]))
    assert list(found.weights) == [2, 1]


def test_dependent_constraints_are_left_out_and_contradictions_seen():
    x = [[1, 0, 1], [0, 1, 1], [0, 1, 1]]  # the third is the sum of both
    agreed = Solver(system(x, [4, 6, 10], [1.0, 1, 1]))
    assert agreed.rank == 2
    assert agreed.beyond == pytest.approx([0, 0, 0], abs=1e-14)
    g = agreed.solve(distance("linear", np.full(3, -np.inf), np.full(3, np.inf)))
    assert g == pytest.approx([4, 3, 3], rel=1e-15)
    assert np.abs(Solver(system(x, [4, 6, 11], [1.0, 1, 1])).beyond).max() > 0.1


def test_no_factors_no_answer():
    # g of both in [0.5, 1.5] sum to 3 at most.
    bounds = np.full(2, 0.5), np.full(2, 1.5)
    solver = Solver(system([[1], [2]], [9], [1.0, 1]))
    for method in ("linear", "raking", "logit"):
        assert solver.solve(distance(method, *bounds)) is None


@given(st.integers(0, 2**32 - 1), st.sampled_from(["linear", "raking", "logit"]))
@settings(max_examples=40, deadline=None)
def test_the_nearest_factors_are_found(seed, method):
    """The dual has its least value there: a general minimiser finds nothing lower."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(5, 15))
    x = np.column_stack([np.ones(n), rng.normal(2, 1, n)])
    d, model = rng.uniform(1, 4, n), rng.uniform(0.5, 2, n)
    totals = (d * rng.uniform(0.7, 1.4, n)) @ x
    f = distance(method, np.full(n, 0.6), np.full(n, 1.6))
    g = Solver(system(x, totals, d, model)).solve(f)

    def dual(b):
        u = x @ b / model
        return float((d * model * f.integral(u)).sum() - totals @ b)

    def slope(b):
        return (d * f.factor(x @ b / model)) @ x - totals

    best = minimize(dual, np.zeros(2), jac=slope, method="BFGS", options={"gtol": 1e-9})
    assert g == pytest.approx(f.factor(x @ best.x / model), rel=1e-5)
    assert (d * g) @ x == pytest.approx(totals, rel=1e-13)

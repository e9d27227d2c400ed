"""Moves that published totals allow, the furthest and the nearest: by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from pipeline.disclosure.intervals import FARTHEST, _by_free_atoms, _fraction, _System
from pipeline.disclosure.perturbation import Nearest

PRIME = 2**31 - 1


def rows(*given):
    return csr_array(np.array(given, dtype=float))


def test_residues_stand_for_fractions():
    assert _fraction(7) == 7
    assert _fraction(PRIME - 3) == -3
    assert _fraction(pow(2, -1, PRIME)) == 0.5
    assert _fraction(-5 * pow(3, -1, PRIME) % PRIME) == pytest.approx(-5 / 3)


def test_moves_by_halves():
    # a + b, b + c and a + c + d stay: b = -a, c = a, d = -2a.
    found = _by_free_atoms(rows([1, 1, 0, 0], [0, 1, 1, 0], [1, 0, 1, 1])).toarray()
    assert found.shape == (4, 1)
    assert (found / found[0]).ravel().tolist() == pytest.approx([1, -1, 1, -2])


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=50)
def test_all_moves_are_found(seed):
    rng = np.random.default_rng(seed)
    told = (rng.random((rng.integers(0, 8), 9)) < 0.5).astype(float)
    found = _by_free_atoms(csr_array(told)).toarray()
    rank = np.linalg.matrix_rank(told) if len(told) else 0
    assert found.shape == (9, 9 - rank)
    assert np.linalg.matrix_rank(found) == 9 - rank if rank < 9 else True
    assert np.abs(told @ found).max(initial=0) < 1e-9


def test_furthest_move_goes_as_far_as_others_can_give():
    # a + b and b + c stay; b can give 3, so a and c gain 3; nothing bounds d but FARTHEST.
    system = _System(rows([1, 1, 0, 0], [0, 1, 1, 0]))
    low, high = np.array([-5.0, -3, -9, -1]), np.full(4, FARTHEST)
    assert system.farthest(np.array([1.0, 0, 0, 0]), low, high).tolist() == [3, -3, 3, 0]
    assert system.farthest(np.array([0.0, 0, 0, 1]), low, high)[3] == FARTHEST
    # Twice with other bounds: nothing is left of the first answer.
    high[2] = 0.0
    assert system.farthest(np.array([1.0, 0, 0, 0]), low, high)[0] == 0


def test_nearest_move_touches_the_cheaper_row():
    # For a to gain 1, a + b must change, or a + b stays and b + c changes, where c cannot move.
    told = rows([1, 1, 0], [0, 1, 1])
    low, high = np.array([-5.0, -5, 0]), np.array([9.0, 9, 0])
    aim = np.array([1.0, 0, 0])
    move, change = Nearest(told, np.array([9.0, 2.0])).move(aim, low, high)
    assert move.tolist() == [1, -1, 0]
    assert change.tolist() == [0, -1]
    move, change = Nearest(told, np.array([2.0, 9.0])).move(aim, low, high)
    assert move.tolist() == [1, 0, 0]
    assert change.tolist() == [1, 0]
    # Neither may change: there is no move. Once the first is released, it costs nothing.
    assert Nearest(told, np.full(2, np.inf)).move(aim, low, high) is None
    nearest = Nearest(told, np.array([9.0, 2.0]))
    nearest.release(np.array([0]))
    assert nearest.move(aim, low, high)[1].tolist() == [1, 0]

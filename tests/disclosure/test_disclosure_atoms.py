"""Atoms, readers and what they must be in doubt about: by hand."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from pipeline.disclosure.atoms import atoms_of, parts_of, readers_of, targets_of
from pipeline.disclosure.primary import Rules

P_10 = Rules(3, 10, 1, 100)


def built(firms, cells, values, holdings, rules=P_10):
    rows = csr_array(np.array([[float(firm in cell) for firm in firms] for cell in cells]))
    member, of_firm = atoms_of(rows)
    parts = parts_of(of_firm, np.array(values, dtype=float), np.array(list(holdings)))
    readers = readers_of(parts)
    return member, of_firm, parts, readers, targets_of(member, parts, readers, rules)


def needs(targets):
    """Each target as its signed atoms and the needs above 0, by reader."""
    found = []
    for number in range(len(targets.default)):
        row = targets.rows[[number]]
        need = targets.need(number)
        place = np.flatnonzero(need > 0)
        signed = tuple((row.indices + 1) * row.data.astype(int))
        found.append((signed, {int(i): round(float(need[i]), 4) for i in place}))
    return found


def test_firms_in_the_same_cells_are_one_atom():
    member, of_firm, *_ = built("abcd", ["ab", "abc"], [1, 2, 3, 4], "abcd")
    assert of_firm.tolist() == [0, 0, 1, -1]
    assert member.toarray().tolist() == [[1, 0], [1, 1]]


def test_parts_are_sums_of_holdings_the_largest_first():
    _, _, parts, readers, _ = built("abcde", ["abc", "de"], [5, 30, 6, 1, 2], "xyxxz")
    # abc: y 30, x 5 + 6 = 11; de: z 2, x 1.
    assert parts.value.tolist() == [30, 11, 2, 1]
    assert parts.rest.tolist() == [11, 1]
    assert parts.others().tolist() == [11, 30, 1, 2]
    # Readers: y and z, alone in their atoms, and x, who has 11 and 1 and sees 30 and 2 of others.
    assert readers.of_part.tolist() == [1, 3, 2, 3]
    assert readers.room.tolist() == [11, 1, 30, 2]
    assert not readers.alone.any()


def test_needs_of_an_atom_of_two():
    # 100 and 20: for 20, 110 of 100's is 10 more than told; for the outsider 10 - 20 < 0 but 20
    # stands for it: its max is the outsider's less its own.
    *_, targets = built("ab", ["ab"], [100, 20], "ab")
    assert needs(targets) == [((1,), {0: pytest.approx(10, abs=1e-4)})]


def test_one_alone_needs_doubt_above_and_below_for_everyone_else():
    *_, targets = built("abcd", ["a", "bcd"], [100, 60, 50, 40], "abcd")
    # Reader 1 is a itself, reader 2 is b, the largest of the other atom.
    ten = pytest.approx(10, abs=1e-4)
    assert needs(targets) == [((1,), {0: ten, 2: ten}), ((-1,), {0: 10, 2: 10})]


def test_holding_in_two_atoms_is_a_target_by_its_sum():
    # h has 100 and 50; beside it b 4 and c 3: together 157. The sum needs 15 - 7 = 8 for the
    # outsider, 8 + 4 = 12 for b, 8 + 3 = 11 for c.
    *_, targets = built("ubvc", ["ub", "vc", "ubvc"], [100, 4, 50, 3], "hbhc")
    assert dict(needs(targets))[1, 2] == {
        0: pytest.approx(8, abs=1e-3),
        1: pytest.approx(12, abs=1e-3),
        2: pytest.approx(11, abs=1e-3),
    }


def test_dominated_sums_must_rise_until_they_are_not():
    # 90 of 100: 90/0.85 = 105.88; for the outsider, atom and cell alike.
    *_, targets = built("abcd", ["abcd"], [90, 4, 3, 3], "abcd", Rules(3, 1, 1, 85))
    assert needs(targets) == [((1,), {0: pytest.approx(5.8824, abs=1e-3)})] * 2


def test_nobody_needs_doubt_in_safe_atoms():
    *_, targets = built("abcd", ["abcd"], [10, 9, 8, 7], "abcd")
    assert needs(targets) == []

"""Repair of a publication: by hand, and against the attacker's programme that shares no code."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from pipeline.disclosure.attack import Told, ranges
from pipeline.disclosure.plan import PUBLIC, Plan, unit
from pipeline.disclosure.programme import Programme
from pipeline.disclosure.repair import repair
from pipeline.disclosure.witnesses import Proof
from pipeline.errors import DisclosureError

INF = np.inf


def planned(values, rows, p=10.0, *, owner=None, cell=None, cost=None, ends=None, **further):
    """Amounts told exactly, or between `ends`, one row a cell; each is a target, and `sums` too.

    `up` and `down` are set instead of p % where they are given; `most` bounds every unknown.
    """
    values, rows = np.array(values, dtype=float), np.atleast_2d(np.array(rows, dtype=float))
    n, m = len(values), len(rows)
    low, high = np.array(ends, dtype=float).T if ends else (rows @ values, rows @ values)
    targets = np.vstack([np.eye(n), *further.get("sums", [])])
    needed = p / 100 * (targets @ values)
    told = Told(
        values, csr_array(rows), low, high, np.zeros(n), np.full(n, further.get("most", INF))
    )
    cells = np.arange(m) if cell is None else np.array(cell)
    return Plan(
        told,
        cells,
        np.ones(max(cells.max(), 0) + 1) if cost is None else np.array(cost, dtype=float),
        np.arange(n) if owner is None else np.array(owner),
        csr_array(targets),
        np.array(further.get("up", np.where(needed > 0, needed, INF)), dtype=float),
        np.array(further.get("down", np.full(len(targets), INF)), dtype=float),
    )


def told_anew(plan):
    """Which cells are suppressed and which targets are known, as lists."""
    found = repair(plan)
    return found.suppressed.tolist(), found.known.tolist()


@pytest.mark.parametrize(("p", "suppressed"), [(5.9, False), (6, False), (6.1, True), (20, True)])
def test_a_total_is_told_if_the_second_cannot_narrow_down_the_first(p, suppressed):
    # b knows 114 - 8 = 106 for a and c: a is at most 106, that is 6 % more than its 100.
    found = repair(planned([100, 8, 6], [1, 1, 1], p))
    assert found.suppressed.tolist() == [suppressed]
    assert not found.known.any()
    assert found.attacks == 3 * 3  # three targets; two other holdings and an outsider each


def test_room_is_that_of_an_outsider():
    # All of the 14 of b and c may be a's; 5 % of a are 5.
    assert repair(planned([100, 8, 6], [1, 1, 1], 5)).smallest == pytest.approx(14 / 5)
    # 10 % of c's 30 are 3, the 30 of the others are just ten times that; more is not looked for.
    assert repair(planned([10, 20, 30], [1, 1, 1])).smallest == pytest.approx(10)
    assert repair(planned([1, 29, 30], [1, 1, 1], 1)).smallest == pytest.approx(10)
    assert np.isnan(repair(planned([100, 8, 6], [1, 1, 1], 20)).smallest)  # nothing is told


@pytest.mark.parametrize("cost", [[3, 1], [1, 3]])
def test_of_two_totals_one_firm_apart_the_dearer_stays(cost):
    # 10 + 20 + 30 + 40 = 100 and 10 + 20 + 30 = 60 tell d; each alone is safe: c leaves 30 for a
    # and b, d leaves 60.
    rows = [[1, 1, 1, 1], [1, 1, 1, 0]]
    assert told_anew(planned([10, 20, 30, 40], rows, cost=cost)) == (
        [cost[0] == 1, cost[1] == 1],
        [False] * 4,
    )


def test_what_was_told_before_stays_and_what_it_tells_is_known():
    rows = [[1, 1, 1, 1], [1, 1, 1, 0]]
    values = [10, 20, 30, 40]
    known = [False, False, False, True]
    assert told_anew(planned(values, rows, cost=[INF, INF])) == ([False, False], known)
    assert told_anew(planned(values, rows, cost=[INF, 100])) == ([False, True], [False] * 4)
    assert told_anew(planned(values, rows, cost=[100, INF])) == ([True, False], [False] * 4)


def test_what_one_reader_knows_is_kept_from_the_others():
    # Readers were told a + b = 150: b knows that a is 100, an outsider does not. a alone, or a + c
    # (who knows c), would tell all.
    rows = [[1, 1, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0], [1, 0, 1, 0, 0, 0]]
    suppressed, known = told_anew(planned([100, 50, 30, 20, 10, 10], rows, cost=[INF, 1, 1]))
    assert suppressed == [False, True, True]
    assert known == [True, True, False, False, False, False]  # to each other
    # The two totals are one firm apart, a: 100 to within 1, where the outsider had 0 to 150.
    rows = [[1, 1, 0, 0, 0], [1, 1, 1, 1, 1], [0, 1, 1, 1, 1]]
    ends = [(130, 130), (189.5, 190.5), (89.5, 90.5)]
    plan = planned([100, 30, 25, 20, 15], rows, cost=[INF, 1, 1], ends=ends)
    suppressed, known = told_anew(plan)
    assert sum(suppressed) == 1
    assert known == [True, True, False, False, False]


def test_public_rows_are_never_suppressed():
    rows = [[1, 1, 1, 1], [1, 1, 1, 0]]
    values = [10, 20, 30, 40]
    plan = planned(values, rows, cell=[0, PUBLIC], cost=[100])
    assert told_anew(plan) == ([True], [False] * 4)
    plan = planned(values, rows, cell=[PUBLIC, PUBLIC], cost=[1])
    assert told_anew(plan) == ([False], [False, False, False, True])


def test_rounding_may_be_enough():
    # d is 100 - 60 = 40 to within both half steps: +-4 is the 10 % that it needs, +-3.9 is not.
    rows, values = [[1, 1, 1, 1], [1, 1, 1, 0]], [10, 20, 30, 40]
    for half, expected in ((2.0, [False, False]), (1.95, [False, True])):
        ends = [(100 - half, 100 + half), (60 - half, 60 + half)]
        assert told_anew(planned(values, rows, cost=[2, 1], ends=ends))[0] == expected


@pytest.mark.parametrize(
    ("answers", "suppressed"),
    [
        ([1, 1, 1, 1], True),  # 4 of 4: all said yes
        ([0, 0, 0, 0], True),
        ([1, 1, 1, 0], True),  # who said no knows of the others
        ([1, 1, 0, 0], False),
    ],
)
def test_a_count_of_answers(answers, suppressed):
    yes = np.array(answers) == 1
    plan = planned(
        answers,
        [1, 1, 1, 1],
        most=1.0,
        up=np.where(yes, INF, 1.0),
        down=np.where(yes, 1.0, INF),
    )
    assert told_anew(plan) == ([suppressed], [False] * 4)


def test_a_holding_is_protected_as_a_whole():
    # b knows 114 - 8 = 106 for a holding of 50 + 50 and c. Each 50 may be 55, their sum not 110.
    values, owner = [50, 50, 8, 6], [0, 0, 1, 2]
    assert told_anew(planned(values, [1, 1, 1, 1], owner=owner))[0] == [False]
    whole = planned(values, [1, 1, 1, 1], owner=owner, sums=[[1, 1, 0, 0]])
    assert told_anew(whole) == ([True], [False] * 5)


def test_a_holding_with_a_public_firm_is_protected_by_its_other_one():
    # The first 50 is public. The other may be 60, and their sum 110, where the total of it with
    # 5 + 5 is not told: that leaves 10, but only 5 for each of the two others.
    values, owner = [50, 50, 5, 5], [0, 0, 1, 2]
    plan = planned(
        *(values, [[1, 0, 0, 0], [0, 1, 1, 1]]),
        owner=owner,
        cell=[PUBLIC, 0],
        sums=[[1, 1, 0, 0]],
    )
    assert told_anew(plan) == ([True], [True, False, False, False, False])


def test_what_another_suppression_made_needless_is_told_again():
    # d = 40 and b = 30 of one holding: their total and b are told, and that they are at least 70 is
    # public. d is the first target: the total is cheapest to suppress, then d = 44 is possible. b
    # must be able to be 26, so b is suppressed too, and then d must be 44: the total is as it was.
    plan = planned(
        *([40, 30], [[1, 1], [0, 1], [1, 1]]),
        owner=[0, 0],
        cell=[0, 1, PUBLIC],
        cost=[1, 10],
        ends=[(70, 70), (30, 30), (70, INF)],
        up=[4, INF],
        down=[INF, 4],
    )
    assert told_anew(plan) == ([False, True], [False, False])


def test_nothing_is_proved_for_who_asks_for_nothing():
    found = repair(planned([10, 20], [[1, 0], [0, 1]], up=[INF, INF]))
    assert (found.suppressed.any(), found.known.any(), found.solves) == (False, False, 0)


def test_systems_that_share_no_row_are_repaired_by_themselves():
    # Of the last two amounts, told beside the first three, each is told by itself.
    rows = [[1, 1, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1]]
    plan = planned([10, 20, 30, 40, 50], rows, cost=[1, 1, INF])
    assert told_anew(plan) == ([False, True, False], [False, False, False, False, True])


def test_a_truth_that_contradicts_what_is_told_is_refused():
    with pytest.raises(DisclosureError, match="true values that do not fulfil"):
        repair(planned([10, 20, 30], [1, 1, 1], ends=[(61, 62)]))


def test_zero_and_signs_have_a_unit():
    assert unit(np.array([0.0, -3.0, 2.0])).tolist() == [1, 3, 2]


def test_a_programme_moves_a_target_and_as_little_else_as_can_be():
    programme = Programme(planned([10, 20, 30], [1, 1, 1]))
    # c up by 3; a and b lose that between them, and b alone where a is the reader.
    moved = programme.move(2, None)
    assert moved[2] == pytest.approx(3)
    assert moved.sum() == pytest.approx(0)
    assert programme.move(2, np.array([0])) == pytest.approx([0, -3, 3])
    assert programme.move(2, np.array([0, 1])) is None
    # Without the total, nothing else need move.
    assert programme.force(2, np.array([0, 1])) == pytest.approx([0, 0, 3])
    assert programme.suppressed.tolist() == [True]


def test_a_dear_row_is_kept_by_a_programme_and_one_told_before_leaves_nothing():
    rows = [[1, 1, 0], [1, 1, 1]]
    programme = Programme(planned([10, 20, 30], rows, cost=[5, 1]))
    assert programme.force(2, None) is not None
    assert programme.suppressed.tolist() == [False, True]
    programme = Programme(planned([10, 20, 30], rows, cost=[INF, INF]))
    assert programme.force(2, None) is None
    assert not programme.suppressed.any()


def test_a_proof_asks_who_is_touched_by_every_witness():
    plan = planned([10, 20, 30, 40], [1, 1, 1, 1])
    proof = Proof(plan)
    assert proof.suspects(0) is None
    proof.add(np.array([1.0, -1, 0, 0]))  # safe from all but b
    assert proof.suspects(0).tolist() == [1]
    assert proof.suspects(1) is None  # went down, must go up
    proof.add(np.array([0.9, 0, -0.9, 0]))  # not far enough
    assert proof.suspects(0).tolist() == [1]
    proof.add(np.array([1.0, 0, -1, 0]))  # safe from b
    assert proof.suspects(0).tolist() == []


def test_witnesses_count_that_fulfil_what_is_told():
    proof = Proof(planned([10, 20], [1, 1], p=10, owner=[0, 0]))
    proof.add(np.array([1.0, 2.0]))  # the total is 33, not 30
    assert proof.suspects(0) is None
    proof.tell(np.array([True]))  # no total is told
    assert proof.suspects(0).tolist() == []
    proof.tell(np.array([False]))
    assert proof.suspects(0) is None
    proof.add(np.array([1.0, -1.0]))
    assert proof.suspects(0).tolist() == []
    assert proof.suspects(1) is None
    proof.add(np.array([-2.0, 2.0]))
    assert proof.suspects(1).tolist() == []


def test_a_witness_that_breaks_what_everybody_knows_is_none():
    proof = Proof(planned([10, 20], [1, 1], cell=[PUBLIC], cost=[1], owner=[0, 0]))
    proof.add(np.array([1.0, 2.0]))
    proof.tell(np.array([True]))
    assert proof.suspects(0) is None


def test_a_witness_below_what_is_possible_proves_nothing():
    proof = Proof(planned([10, 5], [1, 1], p=10, owner=[0, 0]))
    proof.add(np.array([6.0, -6.0]))
    assert proof.suspects(0) is None


@st.composite
def plans(draw):
    """Amounts or answers of a few holdings, in groups told exactly or rounded, some before."""
    n, m = draw(st.integers(3, 7)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    answers = draw(st.booleans())
    values = rng.integers(0, 2 if answers else 100, n).astype(float)
    owner = rng.integers(0, n, n)
    rows = (rng.random((m, n)) < 0.6).astype(float)
    sums = rows @ values
    half = rng.choice([0.0, 0.0, 0.4, 5.0], m)
    wholes = [owner == one for one in np.unique(owner) if (owner == one).sum() > 1 and not answers]
    yes = values > 0
    needs = {"up": np.where(yes, INF, 1.0), "down": np.where(yes, 1.0, INF), "most": 1.0}
    return planned(
        *(values, rows, draw(st.sampled_from([2.0, 10.0, 40.0]))),
        owner=np.unique(owner, return_inverse=True)[1],
        cell=rng.permutation(np.where(np.arange(m) < rng.integers(0, 2), PUBLIC, np.arange(m))),
        cost=np.where(rng.random(m) < 0.15, INF, rng.permutation(m) + rng.random(m) + 0.5),
        ends=list(zip(sums - half, sums + half, strict=True)),
        sums=wholes,
        **(needs if answers else {}),
    )


def short_of(plan, suppressed):
    """Targets for which someone sees too little room, by the attacker's programme."""
    shown = (plan.cell == PUBLIC) | ~suppressed[plan.cell]
    told = plan.told
    left = Told(
        *(told.values, csr_array(told.rows[shown]), told.low[shown], told.high[shown]),
        *(told.least, told.most),
    )
    truth, short = plan.targets @ told.values, np.zeros(len(plan.up), dtype=bool)
    holding = np.array([plan.owner[row > 0][0] for row in plan.targets.toarray()])
    for reader in (-1, *np.unique(plan.owner)):
        found = ranges(left, plan.targets, plan.owner == reader)
        above = found.high - truth >= plan.up * (1 - 1e-5)
        below = truth - found.low >= plan.down * (1 - 1e-5)
        short |= ~above & ~below & (holding != reader)
    return short & (np.isfinite(plan.up) | np.isfinite(plan.down))


@given(plans())
@settings(deadline=None, max_examples=60)
def test_nobody_can_narrow_down_what_is_not_known(plan):
    found = repair(plan)
    assert not (short_of(plan, found.suppressed) & ~found.known).any()
    assert not found.suppressed[np.isinf(plan.cost)].any()
    # What is known is so with all suppressed that can be.
    assert not (found.known & ~short_of(plan, np.isfinite(plan.cost))).any()


@given(plans())
@settings(deadline=None, max_examples=30)
def test_nothing_is_suppressed_of_what_is_safe_and_a_repaired_plan_stays(plan):
    found = repair(plan)
    if not short_of(plan, np.zeros(len(plan.cost), dtype=bool)).any():
        assert not found.suppressed.any()
    kept = (plan.cell == PUBLIC) | ~found.suppressed[plan.cell]
    told = plan.told
    left = Told(
        *(told.values, csr_array(told.rows[kept]), told.low[kept], told.high[kept]),
        *(told.least, told.most),
    )
    again = repair(Plan(left, plan.cell[kept], *list(vars(plan).values())[2:]))
    assert not again.suppressed.any()
    assert again.known.tolist() == found.known.tolist()


@given(plans(), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=30, derandomize=True)
def test_the_order_of_rows_does_not_matter_where_costs_differ(plan, random):
    order, told = list(range(len(plan.cell))), plan.told
    random.shuffle(order)
    rows = csr_array(told.rows[order])
    other = Told(told.values, rows, told.low[order], told.high[order], told.least, told.most)
    shuffled = repair(Plan(other, plan.cell[order], *list(vars(plan).values())[2:]))
    found = repair(plan)
    assert shuffled.suppressed.tolist() == found.suppressed.tolist()
    assert shuffled.known.tolist() == found.known.tolist()

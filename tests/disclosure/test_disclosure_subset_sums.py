"""Whether printed shares and balances give an answer away: by hand, and against all worlds."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.disclosure import answers_follow


def follows(weights, answers, ends, *, holdings=None, least=0, waived=None):
    """The verdict on one cell of all firms."""
    weights, answers = np.array(weights, dtype=float), np.array(answers, dtype=float)
    found = answers_follow(
        np.ones((1, len(weights)), dtype=bool),
        answers,
        np.arange(len(weights)) if holdings is None else np.array(holdings),
        weights=weights,
        least=least,
        most=1,
        low=np.array([ends[0]], dtype=float),
        high=np.array([ends[1]], dtype=float),
        waived=None if waived is None else np.array(waived),
    )
    return bool(found[0])


def test_weights_that_add_up_in_one_way_only():
    # Sums of 1, 2.5 and 4: 0, 1, 2.5, 3.5, 4, 5, 6.5, 7.5; a sum of 5 is 1 + 4 and nothing else.
    assert follows([1, 2.5, 4], [1, 0, 1], (4.9, 5.1))
    # From 3.2 to 5.2: 1 + 2.5, 4 and 1 + 4. Of the three, 2.5 is known not to be with 4; but an
    # outsider knows none. Whoever knows that 2.5 is a no knows that 4 is a yes.
    assert follows([1, 2.5, 4], [1, 0, 1], (3.2, 5.2))
    # Left open, anything is possible.
    assert not follows([1, 2.5, 4], [1, 0, 1], (-np.inf, np.inf))


def test_one_of_many_with_the_same_weight_hides_behind_the_others():
    # 2 of 4 said yes: whoever knows its own is left with 1 or 2 of 3.
    assert not follows([1, 1, 1, 1], [1, 1, 0, 0], (1.9, 2.1))
    # 1 of 4: it knows that the three others said no.
    assert follows([1, 1, 1, 1], [1, 0, 0, 0], (0.9, 1.1))
    # Firms of one holding know of each other: a and b are yes, so c and d are no.
    assert follows([1, 1, 1, 1], [1, 1, 0, 0], (1.9, 2.1), holdings=["h", "h", "c", "d"])


def test_a_weight_that_nothing_makes_up_for():
    # 2.175 is a yes: three or four times 1.5845 are 4.75 and 6.34, both outside 4.965 to 5.549.
    weights, answers = [1.5845] * 6 + [2.175], [0, 0, 0, 0, 1, 1, 1]
    assert follows(weights, answers, (4.965, 5.549))
    assert not follows(weights, answers, (4.7, 5.549))
    # If it may be known, nothing else follows: two of six said yes.
    assert not follows(weights, answers, (4.965, 5.549), waived=[False] * 6 + [True])


def test_a_balance_has_three_answers():
    # Of two firms with 1 and -1, 0 and 0 or the other way round would do for an outsider; each
    # of the two knows the other's. A third firm with 0 changes that: 1 - 1 + 0 = 1 + 0 - 1.
    assert follows([1, 1], [1, -1], (-0.1, 0.1), least=-1)
    assert not follows([1, 1, 1], [1, -1, 0], (-0.1, 0.1), least=-1)
    # A sum of 3 is 1 + 1 + 1.
    assert follows([1, 1, 1], [1, 1, 1], (2.5, 3.5), least=-1)


def test_a_sum_at_the_end_of_a_step_may_be_printed_otherwise():
    # One of 4 said yes, and 2 of them is just the end: the one must be. Beyond it, any may be: two
    # of the others, for whoever is not the one; and the one knows of none of the others.
    weights, answers = [1, 1, 1, 1], [1, 0, 0, 0]
    assert follows(weights, answers, (0.5, 2))
    assert not follows(weights, answers, (0.5, 2.1))
    # If the truth is the end itself, others with the same sum may be.
    assert not follows(weights, [1, 1, 0, 0], (1.5, 2))


def test_four_answers_at_once():
    # 7 + 7 = 14, 3 + 11 = 14 and 5 + 9 = 14: no single one and no pair makes up for a 7.
    weights, answers = [7, 7, 3, 11, 5, 9], [1, 1, 0, 0, 0, 0]
    ends, waived = (13.5, 14.5), [False] * 2 + [True] * 4
    assert not follows(weights, answers, ends, holdings=list("aabbcc"), waived=waived)
    # With 3 + 11 and 5 + 9 in one holding's hands the 7 and 7 are known to it.
    assert follows(weights, answers, ends, holdings=list("aabbbb"), waived=waived)
    # Whoever has the two 7 knows that all others said no.
    assert follows(weights, answers, ends, holdings=list("aabbcc"))


def test_a_hundred_firms_are_judged_too():
    # 100 firms with weights 1.00 to 1.99, half of them yes, within one per cent of their weight.
    weights = 1 + np.arange(100) / 100
    answers = (np.arange(100) % 2).astype(float)
    total = weights @ answers
    assert not follows(weights, answers, (total - 0.7, total + 0.7))
    # One with 40 among 60 of about 1, 20 of them yes: a sum below 40 says no.
    large = np.append(weights[:60], 40)
    said = np.append(answers[:60], 0.0)
    assert follows(large, said, (large @ said - 0.5, large @ said + 0.5))


def test_each_cell_is_judged_by_itself_whatever_the_order():
    cells = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 1, 1], [0, 0, 0, 0, 0]], dtype=bool)
    answers, weights = np.array([1.0, 0, 1, 0, 1]), np.array([1, 2.5, 4, 2.5, 4])
    # 1 + 4 is the only 5; 4 + 4 or any with 2.5 is within 6 to 12 of the second.
    low, high = np.array([4.9, 5.9, 0]), np.array([5.1, 12.0, 0])

    def judged(order):
        return answers_follow(
            cells[:, order],
            answers[order],
            np.array(list("abcde"))[order],
            weights=weights[order],
            least=0,
            most=1,
            low=low,
            high=high,
        ).tolist()

    assert judged(np.arange(5)) == [True, False, False]
    assert judged(np.array([3, 0, 4, 2, 1])) == [True, False, False]


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="whole numbers from 0 to 1"):
        follows([1, 1], [1, -1], (0, 1))
    with pytest.raises(ValueError, match="between low and high"):
        follows([1, 1], [1, 1], (0, 1))
    with pytest.raises(TypeError, match="boolean"):
        follows([1, 1], [1, 1], (1, 3), waived=[0.0, 1.0])


def brute(weights, answers, ends, *, holdings, least, waived):
    """Every world, every firm, every reader."""
    near = 1e-9
    options = range(least, 2)
    truth = weights @ answers
    worlds = np.array(list(product(options, repeat=len(weights))), dtype=float)
    sums = worlds @ weights
    strictly = (sums > ends[0] + near) & (sums < ends[1] - near)
    worlds = worlds[strictly | (np.abs(sums - truth) <= near)]
    differs = worlds != answers
    for firm in np.flatnonzero(~waived):
        for reader in [-1, *set(holdings) - {holdings[firm]}]:
            kept = ~differs[:, holdings == reader].any(axis=1)
            if not (differs[:, firm] & kept).any():
                return True
    return False


@settings(max_examples=200, deadline=None)
@given(st.data(), st.integers(1, 8), st.sampled_from([0, -1]))
def test_all_worlds_say_the_same(data, n, least):
    n = min(n, 6) if least else n
    draw = data.draw
    # Sixteenths add up without error.
    kinds = draw(st.lists(st.integers(1, 64), min_size=1, max_size=4))
    weights = np.array(draw(st.lists(st.sampled_from(kinds), min_size=n, max_size=n))) / 16
    answers = np.array(draw(st.lists(st.integers(least, 1), min_size=n, max_size=n)), dtype=float)
    holdings = np.array(draw(st.lists(st.integers(0, n), min_size=n, max_size=n)))
    waived = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    below, above = (draw(st.integers(0, 48)) / 16 for _ in range(2))
    truth = weights @ answers
    case = {"holdings": holdings, "least": least, "waived": waived}
    ends = truth - below, truth + above
    assert follows(weights, answers, ends, **case) == brute(weights, answers, ends, **case)

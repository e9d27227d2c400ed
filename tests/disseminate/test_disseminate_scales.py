from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.disseminate.model import Number
from pipeline.disseminate.scales import Scale, round_ticks


def numbers(*values):
    return [Number("w/i/all/estimate", str(value), str(value)) for value in values]


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ((5, 78), [0, 20, 40, 60, 80]),
        ((70, 79), ["70", "72.5", "75", "77.5", "80"]),
        ((-40, 55), [-50, 0, 50, 100]),  # 20 or 25 apart would need six
        ((0, 0), ["-1", "-0.5", "0", "0.5", "1"]),
        (("2.2", "2.6"), ["2.2", "2.3", "2.4", "2.5", "2.6"]),
    ],
)
def test_ticks_are_round_numbers_around_the_values(values, ticks):
    assert list(round_ticks(numbers(*values))) == [Decimal(tick) for tick in ticks]


@given(st.lists(st.decimals(-(10**6), 10**6, places=2), min_size=1, max_size=20))
def test_every_value_lies_between_the_first_and_the_last_of_few_ticks(values):
    ticks = round_ticks(numbers(*values))
    assert ticks[0] <= min(values) <= max(values) <= ticks[-1]
    assert 2 <= len(ticks) <= 5
    assert len({b - a for a, b in pairwise(ticks)}) == 1


def test_values_stand_in_proportion_and_labels_have_the_same_decimals():
    scale = Scale((Decimal(0), Decimal("2.5"), Decimal(5)), 100, 200)
    assert scale.at(Decimal(1)) == 120  # a fifth of the way
    assert scale.at(numbers("5")[0]) == 200
    assert scale.labels("de") == ("0,0", "2,5", "5,0")

"""From which wave on an indicator is comparable."""

import pytest
from small_tables import NO_BREAKS, breaks, stack

from pipeline.analyse.breaks import last_break

SEVERAL = stack(breaks(x="w2", y="w3"), breaks(x="w4"), breaks(**{"*": "w6"}))


@pytest.mark.parametrize(
    ("items", "wave", "expected"),
    [
        ("x", "w1", ""),  # not yet
        ("x", "w2", "w2"),  # a break is from its wave on
        ("x", "w3", "w2"),
        ("x", "w5", "w4"),  # the last one, whatever the order of the rows
        ("y", "w5", "w3"),
        (("x", "y"), "w3", "w3"),
        ("z", "w5", ""),
        ("z", "w6", "w6"),  # the whole questionnaire
        ((), "w7", "w6"),
    ],
)
def test_the_last_break_up_to_a_wave(items, wave, expected):
    assert last_break(SEVERAL, set(items), wave) == expected
    assert last_break(SEVERAL.iloc[::-1], set(items), wave) == expected


def test_other_changes_are_no_breaks():
    assert last_break(breaks(x="w2").assign(kind="unit", apply="* 2"), {"x"}, "w3") == ""
    assert last_break(NO_BREAKS, {"x"}, "w3") == ""

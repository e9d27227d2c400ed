"""Planted leaks of each kind: found by the audits, and gone once mended."""

import numpy as np
import pytest
from random_populations import RULES, Population, findings
from scipy.sparse import csr_array

from pipeline.disclosure.attack import Told, ranges, verdicts
from pipeline.disclosure.totals import leaks, secure
from pipeline.errors import DisclosureError

INF = np.inf


def verdict(values, told, target, known=""):
    """Verdict, p = 10, on the sum of some amounts, of what is told: (factors, low, high)."""
    names = list(values)
    amounts = np.array([values[name] for name in names], dtype=float)
    rows = np.array([[factors.get(name, 0.0) for name in names] for factors, *_ in told])
    low, high = np.array([ends for _, *ends in told], dtype=float).T
    n = len(names)
    system = Told(amounts, csr_array(rows), low, high, np.zeros(n), np.full(n, INF))
    wanted = csr_array(np.isin(names, target).astype(float)[None, :])
    found = ranges(system, wanted, np.isin(names, list(known)))
    return str(verdicts(wanted @ amounts, found, 10)[0])


def total(names, value, half=0.0):
    return dict.fromkeys(names, 1.0), value - half, value + half


def mean(names, value):
    return dict.fromkeys(names, 1 / len(names)), value, value


ABC = {"a": 500, "b": 40, "c": 60}
SIX = {"a": 10, "b": 20, "c": 30, "d": 40, "e": 50, "f": 60}
FOUR = {"a": 10, "b": 20, "c": 40, "d": 100}
ORDER = [({"a": -1, "b": 1}, 0, INF), ({"b": -1, "c": 1}, 0, INF), ({"c": -1, "d": 1}, 0, INF)]
WAVES = {"a1": 600, "b1": 300, "c1": 100, "a2": 720, "b2": 320, "c2": 80}
FIRST, SECOND = ("a1", "b1", "c1"), ("a2", "b2", "c2")
SHARES = {"a": 500, "b": 200, "c": 180, "d": 120}
OVERLAP = {"a": 90, "b": 80, "c": 70, "d": 60, "e": 50, "f": 40, "g": 30, "h": 20}
PEERS = {"i": 500, "p": 900, "q": 20}
MORE = PEERS | {"r": 600, "s": 700}
GROUP = {"x": 200, "y": 150, "z": 180, "b": 90}
WIDER = GROUP | {"c": 100, "d": 95}


def share(of, parts, middle, half):
    """A share of a total: parts - (share ± half) times the total."""
    low = {name: (name in parts) - (middle - half) for name in of}
    high = {name: (name in parts) - (middle + half) for name in of}
    return [(low, 0, INF), (high, -INF, 0)]


def growth(then, now, rate, half):
    """A growth rate: now - (1 + rate ± half) times what it was then."""
    ends = (1 + rate - half, 1 + rate + half)
    low, high = (dict.fromkeys(now, 1.0) | dict.fromkeys(then, -end) for end in ends)
    return [(low, 0, INF), (high, -INF, 0)]


PUBLICATIONS = {
    # 600 - 100 = 500; with the total alone a may be 600.
    "margin": (ABC, [total("abc", 600), total("bc", 100)], "a", "", "exact", [0]),
    # abcg + defh - bcdegh = 270 + 170 - 310 = 130 = a + f.
    "overlap": (
        OVERLAP,
        [total("abcg", 270), total("defh", 170), total("bcdegh", 310)],
        "af",
        "",
        "exact",
        [0, 1],
    ),
    # Same amounts in both waves but for f, who left: 210 - 150 = 60.
    "leaver": (SIX, [total("abcdef", 210), total("abcde", 150)], "f", "", "exact", [0]),
    # 4 * 42.5 - 3 * 23.33 = 170 - 70 = 100.
    "mean x n": (FOUR, [mean("abcd", 42.5), mean("abc", 70 / 3)], "d", "", "exact", [0]),
    # 50 ± 0.5 % of 1000: a <= 505 < 550. Told by quarters, ± 12.5 %, a may be 625.
    "share": (
        SHARES,
        [total("abcd", 1000), *share("abcd", "a", 0.5, 0.005), *share("abcd", "a", 0.5, 0.125)],
        "a",
        "",
        "too_narrow",
        [0, 3, 4],
    ),
    # 1000 grew by 12 ± 0.05 %; less b2 + c2 = 400, a2 is 720 ± 0.5.
    "growth rate": (
        WAVES,
        [total(FIRST, 1000), *growth(FIRST, SECOND, 0.12, 0.0005), total(("b2", "c2"), 400)],
        ["a2"],
        "",
        "too_narrow",
        [0, 1, 2],
    ),
    # Type 7 of four: (a + 3b)/4, (b + c)/2, (3c + d)/4; c <= 42.5 < 44. By the mean and the order
    # alone, 2c <= 170.
    "quartile": (
        FOUR,
        [
            mean("abcd", 42.5),
            *ORDER,
            ({"a": 0.25, "b": 0.75}, 17.5, 17.5),
            ({"b": 0.5, "c": 0.5}, 30, 30),
            ({"c": 0.75, "d": 0.25}, 55, 55),
        ],
        "c",
        "",
        "too_narrow",
        [0, 1, 2, 3],
    ),
    # Region abcdef less district ef less town abc: 210 - 110 - 60 = 40 = d.
    "hierarchy": (
        SIX,
        [total("abcdef", 210), total("ef", 110), total("abc", 60)],
        "d",
        "",
        "exact",
        [0, 1],
    ),
    # 600 ± 5 less 100 ± 5: a <= 510 < 550. Rounded to hundreds it may be 600.
    "rounding": (
        ABC,
        [total("abc", 600, 5), total("bc", 100, 5), total("abc", 600, 50), total("bc", 100, 50)],
        "a",
        "",
        "too_narrow",
        [2, 3],
    ),
    # i knows its 500 of 1420: p <= 920 < 990.
    "feedback": (PEERS, [mean("ipq", 1420 / 3)], "p", "i", "too_narrow", (MORE, "ipqrs")),
    # x, y and z are one holding; b knows its 90 of 620: x + y + z = 530.
    "holding": (GROUP, [total("xyzb", 620)], "xyz", "b", "exact", (WIDER, "xyzbcd")),
    # All less all but one.
    "n-1 of n": (SIX, [total("abcdef", 210), total("abcde", 150)], "f", "a", "exact", [0]),
}
"""Amounts, what is told, whose sum is the target, who reads, the verdict; which of it may stay, or
wider amounts whose mean may be told instead."""


@pytest.mark.parametrize("kind", PUBLICATIONS)
def test_planted_leak_is_found_and_mended(kind):
    values, told, target, reader, expected, mended = PUBLICATIONS[kind]
    target = list(target)
    assert verdict(values, told, target, reader) == expected
    if isinstance(mended, tuple):
        values, names = mended
        told = [mean(names, sum(values.values()) / len(names))]
    else:
        told = [told[i] for i in mended]
    assert verdict(values, told, target, reader) == "safe"


TABLES = {
    # all - bcde - fghi = a
    "margin": ("abcdefghi", ["abcdefghi", "bcde", "fghi"], "abcdefghi"),
    "overlap": ("abcdefgh", ["abcg", "defh", "bcdegh"], "abcdefgh"),
    "leaver": ("abcdef", ["abcdef", "abcde"], "abcdef"),
    # abcdefghij - fghij - abc - d leaves e; d's cell is unsafe itself
    "hierarchy": ("abcdefghij", ["abcdefghij", "abcde", "fghij", "abcd"], "abcdefghij"),
    # ab of one holding beside c: of three firms, but two contributors
    "holding": ("abcdefg", ["abcdefg", "defg"], "xxcdefg"),
    "n-1 of n": ("abcdefgh", ["abcdefgh", "abcdefg"], "abcdefgh"),
    # a is left with one that can be 33 at most
    "too narrow": ("axyzdef", ["axyz", "xyzd", "def"], "axyzdef"),
    # a and b each alone: told as ab, each knows the other
    "two alone": ("abcdefg", ["abcd", "acde", "bcde"], "abcdefg"),
}


@pytest.mark.parametrize("kind", TABLES)
def test_planted_leak_in_a_table_is_found_and_mended(kind):
    firms, groups, labels = TABLES[kind]
    cells = np.array([[firm in group for firm in firms] for group in groups])
    amounts = {"a": 1000, "d": 10, "e": 11, "f": 12} if kind == "too narrow" else {}
    values = np.array([amounts.get(firm, 500 - 7 * i) for i, firm in enumerate(firms)], dtype=float)
    table = Population(cells, values, np.array(list(labels)))
    given = (table.matrix, table.values, table.holdings, RULES)
    everything = np.ones(len(cells), dtype=bool)
    assert leaks(*given, everything)
    assert findings(table, everything)
    with pytest.raises(DisclosureError):
        secure(*given, table.cost, told=everything)
    mended = secure(*given, table.cost)
    assert mended.published.any()
    assert not leaks(*given, mended.published)
    assert findings(table, mended.published) == []

"""Cases: the given ones, what is wrong with others, and the command."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.disclosure.cases import CaseError, audited, read_case

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "disclosure" / "cases"
GIVEN = sorted(SHARED.glob("*.json"))
MARGIN = {
    "firms": {"a": 500, "b": 40, "c": 60},
    "relations": [
        {"label": "all", "coef": {"a": 1, "b": 1, "c": 1}, "lo": 600, "hi": 600},
        {"label": "without a", "coef": {"b": 1, "c": 1}, "lo": 100, "hi": 100},
    ],
    "p": 10,
    "targets": ["a", "b", ["b", "c"]],
}


def read(case, file="case.json"):
    return read_case(json.dumps(case).encode(), file)


@pytest.mark.parametrize("path", GIVEN, ids=lambda path: path.stem)
def test_given_cases(path):
    expected = json.loads(path.read_bytes())["expected"]
    found = {f.target: f for f in audited(read_case(path.read_bytes(), path.name))}
    assert found.keys() == expected.keys()
    for target, answer in expected.items():
        assert found[target].verdict == answer["verdict"]
        for end in ("lo", "hi"):
            value = getattr(found[target], end)
            assert (value is None) == (answer[end] is None)
            assert value is None or value == pytest.approx(answer[end], rel=1e-6, abs=1e-5)


@pytest.mark.skipif(not GIVEN, reason="the given cases are not part of a clone")
def test_there_are_given_cases():
    assert len(GIVEN) >= 14


def test_a_margin_gives_away_what_it_leaves():
    found = audited(read(MARGIN))
    assert [(f.target, f.lo, f.hi, f.verdict) for f in found] == [
        ("a", 500, 500, "exact"),
        ("b", 0, 100, "safe"),
        ("b+c", 100, 100, "exact"),
    ]


def test_no_lower_bound_and_an_open_end():
    case = MARGIN | {"lower": None, "relations": [{"coef": {"a": 1, "b": 1}, "hi": 700}]}
    found = audited(read(case | {"targets": ["a"]}))
    assert found == [("a", None, None, "safe")]
    found = audited(read(case | {"lower": 0, "targets": ["a"]}))
    assert found == [("a", 0, 700, "safe")]


MISTAKES = {
    "no JSON": (b"{", "", "no JSON"),
    "not UTF-8": (b'{"firms": "\xff"}', "", "no JSON"),
    "a list": (b"[]", "", "[]"),
    "no number": ({"firms": {"a": "x"}}, "firms.a", "'x'"),
    "yes and no": ({"firms": {"a": True}}, "firms.a", "True"),
    "not a number": ({"firms": {"a": float("nan")}}, "firms.a", "nan"),
    "no firms": ({"firms": {}}, "firms", "{}"),
    "no p": ({"p": None}, "p", "None"),
    "p below 0": ({"p": -1}, "p", "-1"),
    "no targets": ({"targets": []}, "targets", "[]"),
    "an empty target": ({"targets": [[]]}, "targets.0", "[]"),
    "unknown target": ({"targets": ["z"]}, "targets.0", "'z'"),
    "unknown firm": ({"relations": [{"coef": {"z": 1}}]}, "relations.0.coef", "'z'"),
    "unknown attacker": ({"attacker_knows": ["z"]}, "attacker_knows", "'z'"),
    "unknown in order": ({"order": ["z"]}, "order", "'z'"),
    "a firm twice": ({"targets": [["a", "a"]]}, "targets.0", "a, a"),
    "a target twice": ({"targets": ["a", "a"]}, "targets", "a, a"),
    "ends": ({"relations": [{"coef": {"a": 1}, "lo": 2, "hi": 1}]}, "relations.0", "2 to 1"),
    "below the bound": ({"lower": 50}, "firms.b", "40"),
    "against the truth": (
        {"relations": [{"coef": {"a": 2}, "hi": 9}]},
        "relations.0",
        "1000, told",
    ),
    "more digits than are read": (b'{"firms": {"a": ' + b"9" * 5000 + b"}}", "", "no JSON"),
    "beyond a float": ({"firms": {"a": 10**400}}, "firms.a", "1000"),
    "an infinite number": (b'{"firms": {"a": 1e999}}', "firms.a", "inf"),
    "larger than can be solved": ({"firms": {"a": 1e21}}, "firms.a", "1e+21"),
    "a coefficient that would not count": (
        {"relations": [{"coef": {"a": 1e-13, "b": 1}}]},
        "relations.0.coef",
        "1e-13 beside 1",
    ),
    "other names of the ends": (
        {"relations": [{"coef": {"a": 1}, "low": 490, "high": 510}]},
        "relations.0",
        "'low', 'high'",
    ),
    "a slip in a key": ({"attackerknows": ["b"]}, "attackerknows", "'attackerknows'"),
    "a key missing": (b'{"firms": {"a": 1}}', "targets", "nothing"),
    "not in order": ({"order": ["b", "a", "c"]}, "order", "a 500 before c 60"),
}


@pytest.mark.parametrize(("case", "item", "found"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_named(case, item, found):
    content = case if isinstance(case, bytes) else json.dumps(MARGIN | case).encode()
    with pytest.raises(CaseError) as error:
        read_case(content, "case.json")
    named = [p for p in error.value.problems if p.item == item and found in p.found]
    assert named
    assert {p.file for p in error.value.problems} == {"case.json"}


def test_other_keys_are_left_alone():
    other = {"name": "x", "why": "y", "source": "own", "expected": {}, "note": "", "attacker": "b"}
    relation = MARGIN["relations"][0] | {"note": "with both ends"}
    assert read(MARGIN | other | {"relations": [relation]}).p == 10


# Worked out on paper; the comment has the arithmetic.
BY_HAND = {
    # all in 995 .. 1005, b + c in 395 .. 405: a in 590 .. 610, below 1.1 * 600 = 660
    "rounded margins": (
        {"a": 600, "b": 250, "c": 150},
        [("abc", 995, 1005), ("bc", 395, 405)],
        {"targets": ["a"]},
        [(590, 610, "too_narrow")],
    ),
    # the median is b; a <= 30, and c = 70 - a, from 40 to 70
    "an order with its median": (
        {"a": 20, "b": 30, "c": 50},
        [("b", 30, 30), ("abc", 100, 100)],
        {"order": ["a", "b", "c"], "targets": ["a", "b", "c"]},
        [(0, 30, "safe"), (30, 30, "exact"), (40, 70, "safe")],
    ),
    # a <= c and b free: a is largest with b = 0, half of 90
    "an order of some": (
        {"a": 10, "b": 50, "c": 30},
        [("abc", 90, 90)],
        {"order": ["a", "c"], "targets": ["a", "b", "c"]},
        [(0, 45, "safe"), (0, 90, "safe"), (0, 90, "safe")],
    ),
    # a alone may be 100; the sum may not exceed it, and 100 < 110
    "open below": (
        {"a": 60, "b": 40},
        [("ab", None, 100)],
        {"targets": ["a", ["a", "b"]]},
        [(0, 100, "safe"), (0, 100, "too_narrow")],
    ),
    # a = 100 - b - c with b, c >= -50: at most 200
    "below zero": (
        {"a": 90, "b": 20, "c": -10},
        [("abc", 100, 100)],
        {"lower": -50, "targets": ["a", "c"]},
        [(-50, 200, "safe"), (-50, 200, "safe")],
    ),
    # a is known; b + c = 30; a + b up to 630, below 1.1 * 620 = 682
    "a target is the reader's own": (
        {"a": 600, "b": 20, "c": 10},
        [("abc", 630, 630)],
        {"attacker_knows": ["a"], "targets": ["a", "b", ["a", "b"]]},
        [(600, 600, "exact"), (0, 30, "safe"), (600, 630, "too_narrow")],
    ),
    # nothing is told of z
    "in no relation": (
        {"a": 100, "z": 7},
        [("a", 100, 100)],
        {"targets": ["z", ["a", "z"]]},
        [(0, None, "safe"), (100, None, "safe")],
    ),
    # 0.5 is wider than 1e-6, and not below 1.1 * 0
    "values of 0": (
        {"a": 100, "b": 0, "c": 0},
        [("ab", 100, 100), ("b", -0.5, 0.5), ("c", 0, 0)],
        {"targets": ["b", "c"]},
        [(0, 0.5, "safe"), (0, 0, "exact")],
    ),
    # a + b + d = 900; 900 / 895 is 0.56 % above, so safe for p = 0.5
    "p below one": (
        {"a": 500, "b": 395, "c": 100, "d": 5},
        [("abcd", 1000, 1000)],
        {"attacker_knows": ["c"], "targets": [["a", "b"]], "p": 0.5},
        [(0, 900, "safe")],
    ),
    # exactly 1.1 * 100
    "just enough": (
        {"a": 100, "b": 10},
        [("ab", 110, 110)],
        {"targets": ["a"]},
        [(0, 110, "safe")],
    ),
    # -79 is 1.25 % of 80 above -80
    "negative and narrow": (
        {"a": -80},
        [("a", -81, -79)],
        {"lower": -100, "targets": ["a"]},
        [(-81, -79, "too_narrow")],
    ),
}


@pytest.mark.parametrize(("firms", "told", "more", "answers"), BY_HAND.values(), ids=BY_HAND)
def test_by_hand(firms, told, more, answers):
    relations = [{"coef": dict.fromkeys(who, 1), "lo": lo, "hi": hi} for who, lo, hi in told]
    found = audited(read({"firms": firms, "relations": relations, "p": 10} | more))
    for finding, (low, high, verdict) in zip(found, answers, strict=True):
        assert (finding.lo, finding.hi) == pytest.approx((low, high), abs=1e-6)
        assert finding.verdict == verdict


def test_a_key_twice_and_other_mistakes_come_together():
    content = json.dumps(MARGIN | {"targets": ["z"]}).replace('"b": 40', '"b": 40, "b": 41')
    with pytest.raises(CaseError) as error:
        read_case(content.encode(), "case.json")
    assert {p.found for p in error.value.problems} >= {"'b' twice", "'z'"}


@pytest.mark.parametrize(
    ("targets", "code", "safe"), [(["a"], 1, False), (["b"], 0, True), (["z"], 2, None)]
)
def test_the_command(tmp_path, targets, code, safe):
    path = tmp_path / "case.json"
    path.write_text(json.dumps(MARGIN | {"targets": targets}), encoding="utf-8")
    result = CliRunner().invoke(app, ["audit", str(path), "--json"])
    if safe is None:
        assert isinstance(result.exception, CaseError)
        assert result.exception.exit_code == code
        return
    assert result.exit_code == code
    answer = json.loads(result.stdout)
    assert answer["safe"] is safe
    assert answer["targets"].keys() == set(targets)
    assert answer["targets"][targets[0]].keys() == {"lo", "hi", "verdict"}
    shown = CliRunner().invoke(app, ["audit", str(path)])
    assert ("Not safe" in shown.stdout) is not safe

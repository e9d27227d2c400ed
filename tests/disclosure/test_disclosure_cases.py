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

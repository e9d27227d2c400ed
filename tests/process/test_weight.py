"""Weight: those who answered stand for their stratum; the register is always met."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tables import panel, register

from pipeline.process import weight


def weighted(frame: Any, answered: str, *strata: str, **how: Any) -> pd.DataFrame:
    """Weights of wave w1 where some firms answered."""
    how = {"population": None, "min_responses": 1} | how
    answers = panel({("w1", firm, "x"): 1.0 for firm in answered})
    return weight(answers, frame, strata=strata, **how)


def weights(groups: str, answered: str, *strata: str, least: int = 1) -> dict[str, tuple[str, Any]]:
    """Stratum and weight of firms A, B, …, whose group is each a word of letters (v1, v2, …)."""
    firms = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", groups.split(), strict=False))
    frame = register({f: {f"v{i}": g for i, g in enumerate(w, 1)} for f, w in firms.items()})
    table = weighted(frame, answered, *strata, min_responses=least)
    assert table["firm_id"].tolist() == sorted(firms)
    assert set(table.loc[table["responded"], "firm_id"]) == set(answered)
    rows = zip(table["firm_id"], table["stratum"], table["weight"], strict=True)
    return {firm: (stratum, w) for firm, stratum, w in rows}


def test_without_strata_everybody_stands_for_all() -> None:
    found = weights("a a b", "AC")
    assert found == {"A": ("all", 1.5), "B": ("all", 0), "C": ("all", 1.5)}  # 3 / 2


def test_within_strata() -> None:
    # a: 3 firms, 2 answered; b: 2 firms, 1 answered
    found = weights("a a a b b", "ABD", "v1")
    assert found == {
        "A": ("v1=a", 1.5),
        "B": ("v1=a", 1.5),
        "C": ("v1=a", 0),
        "D": ("v1=b", 2),
        "E": ("v1=b", 0),
    }


def test_a_silent_cell_is_pooled_with_the_smallest_other_one() -> None:
    # a/z is silent: it joins a/y (1 answer), not a/x (2 answers): 2 firms, 1 answered
    found = weights("ax ax ay az bx bx", "ABCE", "v1", "v2")
    assert found["A"] == ("v1=a/v2=x", 1)
    assert found["C"] == ("v1=a/v2=y+z", 2)
    assert found["D"] == ("v1=a/v2=y+z", 0)
    assert found["E"] == ("v1=b/v2=x", 2)


def test_among_equals_the_name_decides() -> None:
    found = weights("ax ay az", "AB", "v1", "v2")
    assert found["A"][0] == found["C"][0] == "v1=a/v2=x+z"
    assert found["B"] == ("v1=a/v2=y", 1)


def test_small_cells_are_pooled_with_each_other_first() -> None:
    # v: 1 answer, w: 1, x: 2, y: 4; least 3: v + w + x have 4, y stays
    found = weights("av aw ax ax ay ay ay ay ay", "ABCDEFGH", "v1", "v2", least=3)
    assert {s for s, _ in found.values()} == {"v1=a/v2=v+w+x", "v1=a/v2=y"}
    assert found["E"] == ("v1=a/v2=y", 1.25)  # 5 firms, 4 answered


def test_a_pool_that_is_too_small_takes_in_the_next_smallest_cell() -> None:
    # v: 1, w: 1 of 2, x: 4, y: 5; least 3: v + w have 2, so x joins: 7 firms, 6 answered
    found = weights("av aw aw ax ax ax ax ay ay ay ay ay", "ABDEFGHIJKL", "v1", "v2", least=3)
    assert found["A"] == ("v1=a/v2=v+w+x", pytest.approx(7 / 6))
    assert found["H"] == ("v1=a/v2=y", 1)


def test_a_parent_that_is_too_small_is_pooled_one_level_up() -> None:
    # a has 1 answer in all, b has 2, c has 3: a joins b as a whole; c keeps its cells
    found = weights("ax ay bx by cx cx cy cy", "ACDEFG", "v1", "v2", least=2)
    assert found["A"] == ("v1=a+b", pytest.approx(4 / 3))
    assert found["D"] == ("v1=a+b", pytest.approx(4 / 3))
    assert found["E"] == ("v1=c/v2=x+y", pytest.approx(4 / 3))  # y has 1 answer: joins x
    assert {s for s, _ in found.values()} == {"v1=a+b", "v1=c/v2=x+y"}


def test_a_population_with_too_few_answers_is_one_stratum() -> None:
    found = weights("ax by cx cy", "AB", "v1", "v2", least=5)
    assert set(found.values()) == {("v1=a+b+c", 2), ("v1=a+b+c", 0)}


def test_the_first_variable_is_given_up_last() -> None:
    # y/a is silent and y has no other group; as a whole it joins x
    assert weights("ax ax ay bx", "AD", "v2", "v1")["A"] == ("v2=x+y", 2)
    assert weights("ax ax ay bx", "AD", "v1", "v2")["D"] == ("v1=b/v2=x", 1)


TWO = {
    "A": {"population": "1", "v": "a"},
    "B": {"population": "1", "v": "b"},
    "C": {"population": "1", "v": "b"},
    "R": {"population": "3", "v": "a"},
    "S": {"population": "3", "v": "a"},
    "T": {"population": "3", "v": "b"},
}


def test_strata_never_cross_the_population() -> None:
    table = weighted(register(TWO), "BT", "v", population="population", min_responses=2)
    found = table.set_index("firm_id")[["stratum", "weight"]].apply(tuple, axis=1)
    # each population has one answer of three
    assert found["A"] == ("v=a+b", 0)
    assert found["B"] == ("v=a+b", 3)
    assert found["R"] == ("v=3*a+3*b", 0)
    assert found["T"] == ("v=3*a+3*b", 3)


def test_without_strata_each_population_is_one() -> None:
    table = weighted(register(TWO), "AT", population="population")
    assert set(table["stratum"]) == {"population=1", "population=3"}
    assert table["weight"].tolist() == [3, 0, 0, 0, 0, 3]


def test_a_population_that_nobody_answered_has_no_weight() -> None:
    table = weighted(register(TWO), "AB", "v", population="population")
    others = table[table["firm_id"] >= "R"]
    assert others["stratum"].tolist() == ["v=3*a", "v=3*a", "v=3*b"]
    assert not others["responded"].any()
    assert (others["weight"] == 0).all()
    assert table["weight"].tolist()[:3] == [1, 2, 0]


def test_a_sample_brings_its_design_weight() -> None:
    firms = {f: {"v": "a"} for f in "ABCDE"}
    frame = register(firms, asked={"A": 3.0, "B": 1.0, "C": 2.0, "D": 0.0, "E": 0.0})
    table = weighted(frame, "ABE", "v").set_index("firm_id")
    # selected: 3 + 1 + 2 = 6, responded: 3 + 1 = 4; E answered without having been asked
    assert table["weight"].to_dict() == {"A": 4.5, "B": 1.5, "C": 0, "D": 0, "E": 0}
    assert table["selected"].to_dict() == dict.fromkeys("ABC", True) | dict.fromkeys("DE", False)
    assert table["responded"].to_dict() == dict.fromkeys("AB", True) | dict.fromkeys("CDE", False)


def test_a_firm_known_to_be_out_of_scope_responded() -> None:
    frame = register({f: {"v": "a"} for f in "ABCDE"}, asked={"E": 0.0}, out_of_scope="B C E")
    table = weighted(frame, "AC", "v").set_index("firm_id")
    # selected: A B C D; known: A answered, B and C are out; E is out but was not asked
    assert table["responded"].to_dict() == dict.fromkeys("ABC", True) | dict.fromkeys("DE", False)
    assert table["eligible"].to_dict() == dict.fromkeys("AD", True) | dict.fromkeys("BCE", False)
    expected = dict.fromkeys("ABC", 4 / 3) | dict.fromkeys("DE", 0.0)
    assert table["weight"].to_dict() == pytest.approx(expected)


def test_a_wave_does_not_touch_another() -> None:
    frame = pd.concat(
        [register({"A": {"v": "a"}, "B": {"v": "b"}}, wave=w) for w in ("w1", "w2")],
        ignore_index=True,
    )
    answers = panel({("w1", "A", "x"): 1.0, ("w2", "A", "x"): 1.0, ("w2", "B", "x"): 1.0})
    table = weight(answers, frame, strata=["v"], population=None, min_responses=1)
    assert table.set_index(["wave", "firm_id"])["weight"].to_dict() == {
        ("w1", "A"): 2,  # B is silent in w1 alone
        ("w1", "B"): 0,
        ("w2", "A"): 1,
        ("w2", "B"): 1,
    }


def test_a_firm_may_enter_leave_and_change_its_stratum() -> None:
    """The strata of a wave are those of its own register."""
    first = register({"A": {"v": "a"}, "B": {"v": "a"}, "C": {"v": "b"}}, wave="w1")
    second = register({"B": {"v": "b"}, "C": {"v": "b"}, "D": {"v": "a"}}, wave="w2")
    answers = panel({("w1", f, "x"): 1.0 for f in "ABC"} | {("w2", f, "x"): 1.0 for f in "BD"})
    frame = pd.concat([first, second], ignore_index=True)
    table = weight(answers, frame, strata=["v"], population=None, min_responses=1)
    found = table.set_index(["wave", "firm_id"])[["stratum", "weight"]].apply(tuple, axis=1)
    assert found.to_dict() == {
        ("w1", "A"): ("v=a", 1),
        ("w1", "B"): ("v=a", 1),
        ("w1", "C"): ("v=b", 1),
        ("w2", "B"): ("v=b", 2),
        ("w2", "C"): ("v=b", 0),
        ("w2", "D"): ("v=a", 1),
    }


GROUP = st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"))
FIRM = st.tuples(
    st.sampled_from("13"), GROUP, st.booleans(), st.sampled_from([0.0, 1.0, 2.5]), st.booleans()
)


@settings(deadline=None, max_examples=25)
@given(
    st.lists(FIRM, min_size=1, max_size=14),
    st.sampled_from([(), ("v1",), ("v1", "v2"), ("v2", "v1")]),
    st.sampled_from([1, 2, 4]),
    st.randoms(use_true_random=False),
)
def test_weights_sum_to_the_register(
    firms: list[Any], strata: tuple[str, ...], least: int, random: Any
) -> None:
    names = [f"F{n:02d}" for n in range(len(firms))]
    groups = {
        n: {"population": p, "v1": v1, "v2": v2}
        for n, (p, (v1, v2), *_) in zip(names, firms, strict=True)
    }
    asked = {n: d for n, (_, _, _, d, _) in zip(names, firms, strict=True)}
    out = " ".join(n for n, (*_, eligible) in zip(names, firms, strict=True) if not eligible)
    frame = register(groups, asked=asked, out_of_scope=out)
    answers = panel(
        {("w1", n, "x"): 1.0 for n, (_, _, gave, *_) in zip(names, firms, strict=True) if gave}
        or {("w1", "?", "x"): 1.0}
    )
    how: dict[str, Any] = {"strata": strata, "population": "population", "min_responses": least}
    table = weight(answers, frame, **how)
    assert ((table["weight"] > 0) == table["responded"]).all()
    table["design"] = table["firm_id"].map(asked)
    assert (table["weight"] >= table["design"] * table["responded"] - 1e-12).all()
    table["population"] = [p for p, *_ in firms]
    assert table.groupby("stratum")["population"].nunique().eq(1).all()
    for _, rows in table.groupby("population"):
        if rows["responded"].any():
            sums = rows.groupby("stratum")[["weight", "design", "responded"]].sum()
            assert sums["weight"].tolist() == pytest.approx(sums["design"].tolist())
            assert (sums["responded"] >= least).all() or len(sums) == 1
        else:
            assert (rows["weight"] == 0).all()
    order = random.sample(range(len(frame)), len(frame))
    again = weight(answers, frame.iloc[order].reset_index(drop=True), **how)
    pd.testing.assert_frame_equal(table[again.columns.tolist()], again)


def test_the_small_study(small: SimpleNamespace) -> None:
    table = small.weights
    assert table.groupby("wave")["weight"].sum().round(9).to_dict() == dict.fromkeys(
        ("2021", "2022", "2023"), 40
    )
    by_wave = table[table["responded"]].groupby(["wave", "stratum"])["weight"].first()
    assert by_wave.to_dict() == pytest.approx(
        {
            ("2021", "r_field=M"): 16 / 11,
            ("2021", "r_field=E"): 16 / 11,
            ("2021", "r_field=X"): 8 / 5,
            # nobody of X answered; 12 each of E and M did, and E is first by name
            ("2022", "r_field=E+X"): 24 / 12,
            ("2022", "r_field=M"): 16 / 12,
            ("2023", "r_field=M"): 16 / 10,
            ("2023", "r_field=E"): 16 / 11,
            ("2023", "r_field=X"): 8 / 6,
        }
    )

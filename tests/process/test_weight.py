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


def weights(groups: str, answered: str, *strata: str) -> dict[str, tuple[str, float]]:
    """Stratum and weight of firms A, B, …, whose group is each a word of letters (v1, v2, …)."""
    words = groups.split()
    firms = dict(zip("ABCDEFGHIJ", words, strict=False))
    frame = register({f: {f"v{i}": g for i, g in enumerate(w, 1)} for f, w in firms.items()})
    table = weight(panel({("w1", f, "x"): 1.0 for f in answered}), frame, strata=strata)
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


def test_a_silent_stratum_is_joined_with_its_neighbours() -> None:
    # a/y is silent: it joins a/x (3 firms, 1 answered); b/x (2 firms, 1 answered) stays
    found = weights("ax ax ay bx bx", "AD", "v1", "v2")
    assert found["A"] == ("v1=a/v2=*", 3)
    assert found["C"] == ("v1=a/v2=*", 0)
    assert found["D"] == ("v1=b/v2=x", 2)


def test_a_silent_group_of_the_first_variable_joins_everybody() -> None:
    # all of b are silent, so that even b/* is: 5 firms, 2 answered
    found = weights("ax ax ay bx by", "AC", "v1", "v2")
    assert {stratum for stratum, _ in found.values()} == {"v1=*/v2=*"}
    assert found["A"] == ("v1=*/v2=*", 2.5)


def test_the_first_variable_is_given_up_last() -> None:
    order = weights("ax ax ay bx", "AD", "v2", "v1")
    # y/a is silent and y has no other group: everybody is joined, 4 / 2
    assert order["A"] == ("v2=*/v1=*", 2)
    assert weights("ax ax ay bx", "AD", "v1", "v2")["D"] == ("v1=b/v2=x", 1)


def test_a_wave_does_not_touch_another() -> None:
    frame = pd.concat(
        [register({"A": {"v": "a"}, "B": {"v": "b"}}, wave=w) for w in ("w1", "w2")],
        ignore_index=True,
    )
    table = weight(
        panel({("w1", "A", "x"): 1.0, ("w2", "A", "x"): 1.0, ("w2", "B", "x"): 1.0}),
        frame,
        strata=["v"],
    )
    assert table.set_index(["wave", "firm_id"])["weight"].to_dict() == {
        ("w1", "A"): 2,  # B is silent in w1 alone
        ("w1", "B"): 0,
        ("w2", "A"): 1,
        ("w2", "B"): 1,
    }


GROUP = st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")).map("".join)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(GROUP, st.booleans()), min_size=1, max_size=12),
    st.sampled_from([(), ("v1",), ("v1", "v2"), ("v2", "v1")]),
    st.randoms(use_true_random=False),
)
def test_weights_sum_to_the_register(
    firms: list[tuple[str, bool]], strata: tuple[str, ...], random: Any
) -> None:
    names = [f"F{n:02d}" for n in range(len(firms))]
    answered = {f: given for f, (_, given) in zip(names, firms, strict=True)}
    if not any(answered.values()):
        answered[names[0]] = True
    groups = {
        f: dict(zip(("v1", "v2"), g, strict=True)) for f, (g, _) in zip(names, firms, strict=True)
    }
    frame = register(groups)
    answers = panel({("w1", f, "x"): 1.0 for f, given in answered.items() if given})
    table = weight(answers, frame, strata=strata)
    assert table["weight"].sum() == pytest.approx(len(firms))
    assert (table["weight"] >= table["responded"]).all()  # a weight is at least 1
    assert ((table["weight"] == 0) == ~table["responded"]).all()
    assert table.groupby("stratum")["responded"].any().all()
    assert table.groupby("stratum")["weight"].sum().to_dict() == pytest.approx(
        table.groupby("stratum").size().to_dict()
    )
    order = random.sample(range(len(frame)), len(frame))
    again = weight(answers, frame.iloc[order].reset_index(drop=True), strata=strata)
    pd.testing.assert_frame_equal(table, again)


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
            ("2022", "r_field=*"): 40 / 24,  # nobody of X answered
            ("2023", "r_field=M"): 16 / 10,
            ("2023", "r_field=E"): 16 / 11,
            ("2023", "r_field=X"): 8 / 6,
        }
    )

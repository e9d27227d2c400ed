"""Link: one id for a firm over all waves, and no firm twice in any of them."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tables import filled, register, successions

from pipeline.errors import StudyError
from pipeline.process import link
from pipeline.tables import Answers

WAVES = ("w1", "w2", "w3")


def frame(**firms: str) -> Any:
    """The register of each wave, firms with blanks between."""
    parts = [register({f: {"v": "a"} for f in names.split()}, w) for w, names in firms.items()]
    return pd.concat(parts, ignore_index=True)


def answers(**firms: str) -> Any:
    """An answer of each firm of each wave; its text says who gave it."""
    rows = [
        {"wave": w, "record": n, "firm_id": f, "text": f"{f} in {w}", "value": 1.0}
        for w, names in firms.items()
        for n, f in enumerate(names.split(), 1)
    ]
    return filled(Answers, rows, file="a.csv", item="x")


def ids(table: Any) -> dict[str, str]:
    """Firms of each wave, sorted, with blanks between."""
    return {str(w): " ".join(sorted(set(firms))) for w, firms in table.groupby("wave")["firm_id"]}


def linked(rows: list[tuple[str, str, str, bool]], **firms: str) -> tuple[Any, Any]:
    return link(answers(**firms), frame(**firms), successions(*rows))


def problems(rows: list[tuple[str, str, str, bool]], **firms: str) -> list[tuple[str, str, str]]:
    with pytest.raises(StudyError) as caught:
        linked(rows, **firms)
    assert all(p.file == "succession.csv" for p in caught.value.problems)
    return [(p.wave, p.item, p.found) for p in caught.value.problems]


def test_without_successions_nothing_changes() -> None:
    firms = {"w1": "A B", "w2": "A C"}
    found, register_found = linked([], **firms)
    pd.testing.assert_frame_equal(found, answers(**firms))
    pd.testing.assert_frame_equal(register_found, frame(**firms))


def test_a_changed_id_holds_for_all_waves() -> None:
    found, register_found = linked([("w2", "A", "N", True)], w1="A B", w2="N B")
    assert ids(found) == ids(register_found) == {"w1": "B N", "w2": "B N"}
    assert found.set_index(["wave", "firm_id"]).loc[("w1", "N"), "text"] == "A in w1"


def test_after_a_merger_one_goes_on_and_the_others_leave() -> None:
    rows = [("w2", "A", "N", True), ("w2", "B", "N", False)]
    found, register_found = linked(rows, w1="A B C", w2="N C")
    assert ids(found) == ids(register_found) == {"w1": "B C N", "w2": "C N"}


def test_the_firm_that_took_in_another_keeps_its_own_past() -> None:
    found, _ = linked([("w2", "A", "B", False)], w1="A B", w2="B")
    assert ids(found) == {"w1": "A B", "w2": "B"}


def test_a_chain_over_several_years() -> None:
    rows = [("w3", "B", "C", True), ("w2", "A", "B", True)]
    found, register_found = linked(rows, w1="A", w2="B", w3="C")
    assert ids(found) == ids(register_found) == dict.fromkeys(WAVES, "C")


def test_from_its_wave_on_an_id_is_another_firm() -> None:
    # the id A is given to a new firm in w3
    found, _ = linked([("w2", "A", "N", True)], w1="A", w2="N", w3="N A")
    assert ids(found) == {"w1": "N", "w2": "N", "w3": "A N"}


def test_a_succession_of_a_later_wave_is_not_yet() -> None:
    found, _ = linked([("w3", "A", "N", True)], w1="A", w2="A")
    assert ids(found) == {"w1": "A", "w2": "A"}


def test_a_firm_that_is_its_own_holding_stays_so() -> None:
    table = frame(w1="A B", w2="N B")
    table.loc[table["firm_id"] == "B", "holding"] = "A"  # B belongs to A, by its name
    _, found = link(answers(w1="A B", w2="N B"), table, successions(("w2", "A", "N", True)))
    holding = found.drop_duplicates(["wave", "firm_id"]).set_index(["wave", "firm_id"])["holding"]
    assert holding.to_dict() == {
        ("w1", "N"): "N",
        ("w1", "B"): "A",
        ("w2", "N"): "N",
        ("w2", "B"): "A",
    }


def test_what_cannot_be() -> None:
    unknown = problems([("w2", "A", "M", True)], w1="A", w2="N")
    assert unknown == [("w2", "successor", "successor 'M'")]
    both = problems([("w2", "A", "N", True), ("w2", "B", "N", True)], w1="A B", w2="N")
    assert both == [
        ("w2", "continues", "A and B continue as 'N'"),
        ("w1", "successor", "'N' twice"),
    ]
    twice = problems([("w2", "A", "B", True)], w1="A B", w2="B")
    assert twice == [("w1", "successor", "'B' twice")]
    no_register = problems([("w2", "A", "N", True)], w1="A", w3="N")
    assert no_register == [("w2", "successor", "successor 'N'")]


@settings(deadline=None, max_examples=15)
@given(
    st.lists(st.sets(st.sampled_from("ABCDEF"), min_size=1), min_size=2, max_size=3),
    st.lists(
        st.tuples(st.sampled_from("ABCDEF"), st.booleans()), max_size=3, unique_by=lambda r: r[0]
    ),
)
def test_no_row_is_lost_and_no_firm_is_there_twice(
    firms: list[set[str]], gone: list[tuple[str, bool]]
) -> None:
    """Firms leave the last wave, each for a successor of its own that is new there."""
    last = f"w{len(firms)}"
    rows = [(last, old, f"{old}2", continues) for old, continues in gone]
    firms[-1] = firms[-1] - {old for old, _ in gone} | {f"{old}2" for old, _ in gone} | {"Z"}
    by_wave = {f"w{n}": " ".join(sorted(f)) for n, f in enumerate(firms, 1)}
    found, register_found = linked(rows, **by_wave)
    assert len(found) == len(answers(**by_wave))
    assert len(register_found) == len(frame(**by_wave))
    assert not register_found.duplicated(["wave", "firm_id", "variable"]).any()
    assert found["text"].tolist() == answers(**by_wave)["text"].tolist()
    assert ids(found) == ids(register_found)
    moved = {old for old, continues in gone if continues}
    assert not moved & set(found["firm_id"])

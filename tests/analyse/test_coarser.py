"""What merging groups would spare: as a run on a register with merged codes has it."""

import numpy as np
import pandas as pd
import pytest
from small_tables import NO_PAIRS, contributions, indicators, pairs, register, weights
from test_suppressions import BREAKDOWNS, P_10, random_study

from pipeline import analyse
from pipeline.analyse import Rules

PRIMARY = {"min_contributors", "p_percent", "dominance", "unanimous"}
OPTIONS = {"breakdowns": BREAKDOWNS, "rules": P_10, "min_contributors_high": 1}


def propose(rows, reg, definitions, declared=NO_PAIRS, ordered=(), **options):
    """Clearance and proposals."""
    options = OPTIONS | options
    clearance = analyse.protect(rows, reg, definitions, declared, **options)
    ordered = {"size": tuple(ordered)} if ordered else {}
    base = rows, reg, definitions, declared, clearance
    return clearance, analyse.propose_groups(*base, ordered=ordered, **options)


def with_merged_codes(reg, column, one, other):
    """A register in which the two codes of a column are one, written out row by row."""
    place = {"size": {"size": 0, "field*size": 1}, "field": {"field": 0, "field*size": 0}}[column]
    groups = []
    for variable, group in zip(reg["variable"], reg["group"], strict=True):
        codes = group.split("*")
        if variable in place and codes[place[variable]] in (one, other):
            codes[place[variable]] = f"{one}+{other}"
        groups.append("*".join(codes))
    return reg.assign(group=groups)


def outcome(clearance, wave):
    """Cells with an answer, those broken by a primary rule, suppressed, share of contributors."""
    cells = clearance[(clearance["wave"] == wave) & (clearance["contributors"] > 0)]
    visible = cells.loc[cells["rule"] == "", "contributors"].sum() / cells["contributors"].sum()
    return len(cells), (cells["rule"] != "").sum(), pytest.approx(visible, abs=1e-15)


@pytest.mark.parametrize("seed", range(2))
def test_a_run_on_a_register_with_merged_codes_agrees(seed):
    rows, reg, definitions = random_study(seed, waves=["w1"])
    _, proposals = propose(rows, reg, definitions, ordered="1234")
    assert len(proposals) == 1 + 3 + 3  # as it is, neighbours among four, pairs of three
    assert proposals["suppressed"].notna().sum() >= 5
    for row in proposals.to_dict("records")[1:]:
        merged = with_merged_codes(reg, row["column"], row["one"], row["other"])
        really = analyse.protect(rows, merged, definitions, NO_PAIRS, **OPTIONS)
        assert row["primary"] == primary(really)
        if not np.isnan(row["suppressed"]):
            assert (row["cells"], row["suppressed"], row["visible"]) == outcome(really, "w1")


def primary(clearance):
    """Cells that break a primary rule; the formula of both indicators falls with either."""
    own = clearance[(clearance["indicator"] != "both") & (clearance["contributors"] > 0)]
    broken = own.loc[own["rule"].isin(PRIMARY), ["breakdown", "group"]]
    return len(broken) + len(broken.drop_duplicates())


def test_what_there_is_agrees_with_the_clearance():
    rows, reg, definitions = random_study(3)
    clearance, proposals = propose(rows, reg, definitions)
    now = proposals.iloc[0]
    assert now[["wave", "column", "one", "other"]].tolist() == ["w2", "", "", ""]
    assert (now["cells"], now["suppressed"], now["visible"]) == outcome(clearance, "w2")


FIRMS = [f"f{number:02}" for number in range(14)]


def by_hand(size="11111122223344", declared=NO_PAIRS, **groups):
    table = weights(FIRMS, FIRMS)
    rows = contributions(table, np.arange(1, 15) ** 2)
    reg = register(FIRMS, size=size, **groups)
    options = {"breakdowns": ("size",), "rules": Rules(3, 0, 1, 100)}
    return propose(rows, reg, indicators(), declared, ordered="1234", **options)[1]


def test_two_groups_that_are_too_small_are_one_that_is_not():
    # As it is: all, 1 and 2 are published, 3 and 4 (two firms each) are not: 3 + 4 has four firms.
    # 3 and 4 are the only ones closed, as all - 1 - 2 is of four firms. 3 + 4 merged: none closed.
    # 2 + 3 (six firms) and 4: 4 is closed, and so is one of its siblings; 1 + 2, 3, 4: 3, 4.
    # Visible as it is: 14 + 6 + 4 of 14 + 14 contributors.
    found = by_hand().set_index(["one", "other"])
    assert found.index.tolist() == [("", ""), ("1", "2"), ("2", "3"), ("3", "4")]
    assert found.loc[("", ""), ["cells", "primary", "suppressed"]].tolist() == [5, 2, 2]
    assert found.loc[("", ""), "visible"] == pytest.approx(24 / 28)
    assert found.loc[("3", "4"), ["cells", "primary", "suppressed", "visible"]].tolist() == [
        4, 0, 0, 1
    ]  # fmt: skip
    assert found.loc[("2", "3"), ["cells", "primary", "suppressed"]].tolist() == [4, 1, 2]
    assert found.loc[("1", "2"), ["cells", "primary"]].tolist() == [4, 2]
    assert np.isnan(found.loc[("1", "2"), "suppressed"])  # spares nothing: not worked through


def test_two_groups_are_not_merged_to_everybody():
    assert len(by_hand("11111112222222")) == 1


def test_reference_groups_are_merged_too():
    # Population 2 has two firms in each of the sizes 2 and 3, which pairs name.
    declared = pairs(("size", "2", "2*2"), ("size", "3", "2*3"))
    population = "1" * 10 + "2" * 4
    found = by_hand("1112223333" + "2233", declared, population=population)
    found = found.set_index(["one", "other"])
    # all, 1, 2, 3 and 2*2, 2*3 with two firms each; merged: all, 1, 2+3 and 2*2+3 with four.
    assert found.loc[("", ""), ["cells", "primary"]].tolist() == [6, 2]
    assert found.loc[("2", "3"), ["cells", "primary", "suppressed"]].tolist() == [4, 0, 0]


def test_the_order_of_rows_proposes_nothing_else():
    rows, reg, definitions = random_study(5)
    _, once = propose(rows, reg, definitions, ordered="1234")
    shuffled = [t.sample(frac=1, random_state=6) for t in (rows, reg)]
    _, again = propose(*shuffled, definitions, ordered="1234")
    pd.testing.assert_frame_equal(once, again)

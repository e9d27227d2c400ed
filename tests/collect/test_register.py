"""The register: long, canonical, and refused with everything that is wrong in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook

from pipeline.collect.register import read_register
from pipeline.errors import ExportError, Problem
from pipeline.tables import Register

VARIABLES = {"sector": {"m", "s"}, "size": ["small", "large"]}


def write(folder: Path, text: str) -> Path:
    path = folder / "w1.csv"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path) -> tuple[Problem, ...]:
    with pytest.raises(ExportError) as caught:
        read_register(path, "w1", VARIABLES)
    assert all((p.wave, p.file) == ("w1", path.name) for p in caught.value.problems)
    assert all(p.found and p.expected and p.advice for p in caught.value.problems)
    return caught.value.problems


LONG = [
    # wave, firm_id, holding, waiver, design weight, eligible, variable, group
    ("w1", "A", "H", False, 1.0, True, "all", "all"),
    ("w1", "A", "H", False, 1.0, True, "sector", "m"),
    ("w1", "A", "H", False, 1.0, True, "size", "large"),
    ("w1", "B", "B", False, 1.0, True, "all", "all"),
    ("w1", "B", "B", False, 1.0, True, "sector", "s"),
    ("w1", "B", "B", False, 1.0, True, "size", "small"),
]


@pytest.mark.parametrize(
    "text",
    [
        "firm_id,holding,sector,size\nA,H,m,large\nB,,s,small\n",
        "size;sector;name;holding;firm_id\nsmall;s;Bolt;B;B\n large;m;Axle;H;\u00a0A \n",
    ],
)
def test_long_and_canonical_whatever_the_order(tmp_path: Path, text: str) -> None:
    table = read_register(write(tmp_path, text), "w1", VARIABLES)
    assert list(table.itertuples(index=False, name=None)) == LONG
    assert list(table.columns) == list(Register.to_schema().columns)


def test_workbook_without_holding_and_with_padded_ids(tmp_path: Path) -> None:
    book = Workbook()
    for row in (("firm_id", "sector"), (7, "m"), (10, "m")):
        book.active.append(row)
    for cell in book.active["A"]:
        cell.number_format = "000"
    book.save(tmp_path / "w1.xlsx")
    table = read_register(tmp_path / "w1.xlsx", "w1", {"sector": ["m"]})
    assert table[Register.firm_id].unique().tolist() == ["007", "010"]
    assert (table[Register.holding] == table[Register.firm_id]).all()


def test_without_classifying_variables_everybody_is_left(tmp_path: Path) -> None:
    table = read_register(write(tmp_path, "firm_id,x\nA,1\n"), "w1", {})
    row = ("w1", "A", "A", False, 1.0, True, "all", "all")
    assert list(table.itertuples(index=False, name=None)) == [row]


POPULATIONS = {"population": ["net", "other"], "size": ["small", "large"], "scope": ["in", "out"]}
FRAME = """firm_id,population,size,scope,design_weight
A,net,small,in,1
B,net,large,out,1
C,other,small,in,7.5
D,other,small,in,
"""


def test_populations_crossings_samples_and_scope(tmp_path: Path) -> None:
    """Other populations have no `all` and no crossings, and groups of their own."""
    table = read_register(
        write(tmp_path, FRAME),
        "w1",
        POPULATIONS,
        crossings=["size*scope"],
        target=("population", "net"),
        eligible=("scope", "in"),
    )
    wide = table.pivot(index=Register.firm_id, columns=Register.variable, values=Register.group)
    assert wide["all"].fillna("").to_dict() == {"A": "all", "B": "all", "C": "", "D": ""}
    assert wide["population"].to_dict() == {"A": "net", "B": "net", "C": "other", "D": "other"}
    assert wide["size"].to_dict() == {
        "A": "small",
        "B": "large",
        "C": "other*small",
        "D": "other*small",
    }
    crossed = wide["size*scope"].fillna("").to_dict()
    assert crossed == {"A": "small*in", "B": "large*out", "C": "", "D": ""}
    firms = table.drop_duplicates(Register.firm_id).set_index(Register.firm_id)
    assert firms[Register.design_weight].to_dict() == {"A": 1.0, "B": 1.0, "C": 7.5, "D": 0.0}
    assert firms[Register.eligible].to_dict() == {"A": True, "B": False, "C": True, "D": True}


def test_waivers(tmp_path: Path) -> None:
    text = "firm_id,sector,size,waiver\nA,m,large,1\nB,m,large,0\nC,m,large,\n"
    table = read_register(write(tmp_path, text), "w1", VARIABLES)
    firms = table.drop_duplicates(Register.firm_id).set_index(Register.firm_id)
    assert firms[str(Register.waiver)].to_dict() == {"A": True, "B": False, "C": False}


def test_waivers_that_are_none(tmp_path: Path) -> None:
    text = "firm_id,sector,size,waiver\nA,m,large,yes\nB,m,large,1\nC,m,large,2\nD,s,large,yes\n"
    found = [(p.row, p.found, p.item) for p in refusal(write(tmp_path, text))]
    assert found == [("4", "'2'", "waiver"), ("2, 5", "'yes'", "waiver")]


def test_misspelt_waiver(tmp_path: Path) -> None:
    (problem,) = refusal(write(tmp_path, "firm_id,sector,size,Waiver\nA,m,large,1\n"))
    assert problem.found == "column 'Waiver', and none 'waiver'"


def test_a_column_for_the_wave_is_no_waiver(tmp_path: Path) -> None:
    table = read_register(
        write(tmp_path, "firm_id,sector,size,wave\nA,m,large,1\n"), "w1", VARIABLES
    )
    assert not table[str(Register.waiver)].any()


def test_design_weights_that_are_none(tmp_path: Path) -> None:
    text = 'firm_id,sector,size,design_weight\nA,m,large,0.5\nB,m,large,"7,5"\nC,m,large,2\n'
    found = [(p.row, p.found, p.item) for p in refusal(write(tmp_path, text))]
    assert found == [("2", "'0.5'", "design_weight"), ("3", "'7,5'", "design_weight")]


def test_misspelt_design_weight(tmp_path: Path) -> None:
    (problem,) = refusal(write(tmp_path, "firm_id,sector,size,desing_weight\nA,m,large,2\n"))
    assert problem.found == "column 'desing_weight', and none 'design_weight'"


def test_missing_file(tmp_path: Path) -> None:
    (problem,) = refusal(tmp_path / "absent.csv")
    assert problem.found == "no such file"
    assert problem.advice == f"put absent.csv into {tmp_path.name}/"


def test_missing_columns(tmp_path: Path) -> None:
    problems = refusal(write(tmp_path, "id,firm,holding,Sector,size\n1,A,A,m,small\n"))
    assert [(p.item, p.found) for p in problems] == [
        ("firm_id", "no column 'firm_id'; headings: id, firm, holding, Sector, size"),
        ("sector", "no column 'sector'; headings: id, firm, holding, Sector, size"),
    ]
    assert [p.advice for p in problems] == ["did you mean firm?", "did you mean Sector?"]


@pytest.mark.parametrize("heading", ["Holding", "holdings", "holding_id", "holdng"])
def test_a_misspelt_holding_is_not_left_unread(tmp_path: Path, heading: str) -> None:
    text = f"firm_id,{heading},sector,size\nA,H,m,small\n"
    (problem,) = refusal(write(tmp_path, text))
    assert (problem.item, problem.found) == (heading, f"column '{heading}', and none 'holding'")
    assert "rename the column to holding" in problem.advice


def test_everything_wrong_in_the_rows_at_once(tmp_path: Path) -> None:
    text = (
        "firm_id,sector,size\n"
        "A,m,small\n"
        "B,x,\n"  # 3: unknown sector, no size
        "A ,s,large\n"  # 4: again
        ",m,smal\n"  # 5: no id, unknown size
        "C,x,large\n"  # 6: unknown sector
        "D,m\n"  # 7: ragged
        ",s,large\n"  # 8: no id
    )
    assert [(p.item, p.row, p.found, p.advice) for p in refusal(write(tmp_path, text))] == [
        ("", "7", "2 fields", "put a text with the delimiter in it into quotation marks"),
        ("firm_id", "2, 4", "'A' 2 times", "keep the row that is right"),
        ("firm_id", "5, 8", "no firm_id", "give the firm an id or take the row out"),
        ("sector", "3, 6", "'x'", "there are: m, s"),
        ("size", "3", "nothing", "give every firm its group"),
        ("size", "5", "'smal'", "did you mean small?"),
    ]


def test_many_places_are_counted(tmp_path: Path) -> None:
    rows = "".join(f"F{i},x,small\n" for i in range(40))
    (problem,) = refusal(write(tmp_path, "firm_id,sector,size\n" + rows))
    assert problem.row == "2, 3, 4, 5, 6, 7, 8, 9, 10, 11, … (40 in all)"
    assert problem.expected == "one of m, s"

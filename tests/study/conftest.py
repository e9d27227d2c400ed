"""Copies of the small study that a test may spoil."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

SMALL = Path(__file__).resolve().parents[1] / "studies" / "small"

ADDED = {
    "questionnaire/items.csv": """\
use,multi,l_use,,,n_staff > 1,,,low,,2022,Was nutzen Sie?,What do you use?
use,multi,l_use,,,n_staff > 1,,,low,2023,,Was nutzen Sie heute?,What do you use today?
load,grid,l_mood,l_load,,count(use) > 0,,,high,,,Wie steht es?,How is it?
heads,single,l_class,,,,,,normal,,2021,Wie viele (Klassen)?,How many (classes)?
heads,integer,,,persons,,0,,normal,2022,,Wie viele?,How many?
heads_class,single,l_class,,,,,,normal,,,Wie viele in Klassen?,How many in classes?
branch,single,old,,,,,,low,,2022,Welche Branche?,Which industry?
branch,single,new,,,,,,low,2023,,Welche Branche?,Which industry?
""",
    "questionnaire/codes.csv": """\
l_use,1,,,,Cloud,cloud
l_use,2,,2022,,Daten,data
l_use,9,yes,,,nichts,nothing
l_load,a,,,,Preise,prices
l_load,b,,2023,,Zölle,tariffs
l_class,1,,,,1-9,1-9
l_class,2,,,,10 und mehr,10 and more
l_pop,1,,,,Region,region
l_pop,2,,,,andere Region,other region
""",
    "questionnaire/columns.csv": "2021,v_11,use_1\n",
    "questionnaire/changes.csv": """\
use,break,2023,,,Ab 2023 heute,Today from 2023
heads,class,2021,2021,heads_class 1=1-9 2=10-,2021 in Klassen,In classes in 2021
branch,classification,2023,,new_old 2,Neue Liste,New list
load_a,filter,2021,2021,count(use) > 0,2021 alle,Everybody in 2021
*,tool,2022,,,Anderes Werkzeug,Another tool
""",
    "edits.csv": """\
e_parts,parts,n_staff,,n_trainee n_staff,2,,,Summe,Sum
e_score,score,,,heads,,2022,,Sprung,Jump
e_built,built_in,below_min above_max,,,,,,Grenzen,Bounds
e_use,soft,r_band == 'S' or heads > 1,count(use) >= 1,use heads,,2022,,Viel,Much
""",
    "indicators.csv": """\
n_use,Technik,Tech,tech,share,count(use) >= 1,,n_staff > 1,100,0,higher,,,N,U,%,%,Nutzung,Use.
n_load,Technik,Tech,tech,share,load_a == 3,,,100,0,lower,,,L,L,%,%,Last,Load.
n_mood,Technik,Tech,,balance,(cl_mood == 1) - (cl_mood == 3),,,100,0,higher,,,S,B,,,Saldo,Balance.
n_both,Technik,Tech,,formula,sqrt((n_mood + 200) * (n_load + 1)),,,1,0,higher,,,B,B,,,Beides,Both.
n_class,Technik,Tech,,share,heads_class == 2,,r_field == 'M',100,0,higher,,,K,C,%,%,K.,C.
""",
    "classifications/old.csv": """\
code,exclusive,from_wave,to_wave,label_de,label_en,source
2910,,,,Autos,cars,made up
2932,,,,Teile,parts,made up
""",
    "classifications/new.csv": """\
code,exclusive,from_wave,to_wave,label_de,label_en,source
dddd,,2023,,Klasse,class,made up
""",
    "classifications/new_old.csv": "from_code,to_code,source\n29,29,made up\n",
    "study.toml": """
[target]
column = "r_pop"
group = "1"

[eligibility]
column = "r_band"
group = "S"

[register.r_pop]
code_list = "l_pop"
de = "Gesamtheit"
en = "Population"

[ranking.tech]
de = "Technik"
en = "Technology"

[[benchmark]]
name = "others"
de = "Andere"
en = "Others"
without = ["n_use"]
pairs = [
  { breakdown = "r_pop", group = "1", reference = "2" },
  { breakdown = "r_band", group = "S", reference = "2*S" },
]
""",
}
"""What a network's study has beside the small one: the lines added to each file."""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """The folder of the copy."""
    return shutil.copytree(SMALL, tmp_path / "small")


@pytest.fixture
def network(study: Path) -> Path:
    """The small study with questions of all kinds, versions, classifications and populations."""
    for file, lines in ADDED.items():
        path = study / "schemas" / file
        path.parent.mkdir(exist_ok=True)
        with path.open("a", encoding="utf-8") as rows:
            rows.write(lines)
    toml = study / "schemas" / "study.toml"
    text = toml.read_text(encoding="utf-8")
    crossed = text.replace('["r_field", "r_band"]\n', '["r_field", "r_band", "r_field*r_band"]\n')
    assert crossed != text
    toml.write_text(crossed, encoding="utf-8")
    return study

"""Mistakes that analysts make, one by one in a copy of the reference study.

Each must be named with its file, its line, the cell, what was found, what was expected and the
nearest valid name or what to do.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from pipeline.errors import Problem, StudyError
from pipeline.study import read_study

ROOT = Path(__file__).resolve().parents[2]
WAVES = ("2023", "2024", "2025", "2026")
ITEMS, CODES = "questionnaire/items.csv", "questionnaire/codes.csv"
CHANGES, COLUMNS = "questionnaire/changes.csv", "questionnaire/columns.csv"
EDITS, INDICATORS, TOML = "edits.csv", "indicators.csv", "study.toml"
WZ, KEY = "classifications/wz2008.csv", "classifications/wz2025_wz2008.csv"


class Mistake(NamedTuple):
    """One edit of one file, and what the message must say; `cell` is the column or setting."""

    file: str
    old: str
    new: str
    cell: str
    found: str
    expected: str
    advice: str


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the reference study's schemas, with a folder for each wave."""
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    for wave in WAVES:
        place = tmp_path / "data" / "raw" / wave
        place.mkdir(parents=True)
        (place / "wave.toml").touch()
    return tmp_path


def edit(folder: Path, file: str, old: str, new: str) -> str:
    """Replace the only occurrence of a text; returns its line."""
    path = folder / "schemas" / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {file}"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return str(text[: text.index(old)].count("\n") + 1)


def problems(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(StudyError) as caught:
        read_study(folder)
    assert all(p.found and p.expected and p.advice for p in caught.value.problems)
    return caught.value.problems


def says(problem: Problem, mistake: Mistake, line: str) -> bool:
    return (
        problem.file == mistake.file
        and (problem.row == line or f"line {line} " in problem.expected or mistake.file == TOML)
        and mistake.cell in problem.item
        and mistake.found in problem.found
        and mistake.expected in problem.expected
        and mistake.advice in problem.advice
    )


FILES = {
    "text with a comma": Mistake(
        CODES, "c,,2023,,Bürokratie,b", "c,,2023,,Bürokratie, Auflagen,b",
        "", "8 fields", "7 fields", "between quotation marks",
    ),
    "text with a quotation mark": Mistake(
        CODES, "c,,2023,,Bürokratie,b", 'c,,2023,,"Bürokratie,b',
        "", "quotation marks", "in pairs", "close the quotation mark",
    ),
    "semicolons in one line": Mistake(
        EDITS, "R07,score,,,A03,,2025,,", "R07;score;;;A03;;2025;;",
        "", "fields", "10 fields", "comma",
    ),
    "heading": Mistake(
        ITEMS, ",routing,", ",routnig,", "", "routnig", "no such column", "did you mean routing?",
    ),
}  # fmt: skip
"""A csv file as such."""

QUESTIONS = {
    "type": Mistake(
        ITEMS, "B08,percent,", "B08,percnt,", "type", "percnt", "one of", "did you mean percent?",
    ),
    "code list": Mistake(
        ITEMS, "B07,multi,newfield,", "B07,multi,newfeild,",
        "code_list", "newfeild", "a code list", "did you mean newfield?",
    ),
    "list of a number": Mistake(
        ITEMS, "E01,integer,,", "E01,integer,yesno,", "code_list", "yesno", "nothing", "",
    ),
    "grid without rows": Mistake(
        ITEMS, "C07,grid,burden5,burden,", "C07,grid,burden5,,", "rows", "nothing", "list", "",
    ),
    "rows of a grid": Mistake(
        ITEMS, "D02,grid,stage5,techfield,", "D02,grid,stage5,techfeild,",
        "rows", "techfeild", "a code list", "did you mean techfield?",
    ),
    "rows without a grid": Mistake(
        ITEMS, "B06,single,strategy6,,", "B06,single,strategy6,burden,",
        "rows", "burden", "nothing", "",
    ),
    "routing names no item": Mistake(
        ITEMS, "E04,percent,,,% of jobs,B01 > 0", "E04,percent,,,% of jobs,B001 > 0",
        "routing", "B001", "item", "did you mean B01?",
    ),
    "routing names a later item": Mistake(
        ITEMS, "E04,percent,,,% of jobs,B01 > 0", "E04,percent,,,% of jobs,F02 > 0",
        "routing", "F02", "above", "order of the questions",
    ),
    "routing by itself": Mistake(
        ITEMS, "E04,percent,,,% of jobs,B01 > 0", "E04,percent,,,% of jobs,E04 > 0",
        "routing", "E04", "above", "",
    ),
    "routing is an amount": Mistake(
        ITEMS, ",A03 >= 50,", ",A03,", "routing", "A03", "true or false", "compare",
    ),
    "routing by a code that is not there": Mistake(
        ITEMS, '"C05 in {3, 4}"', '"C05 in {3, 5}"', "routing", "5", "a code of C05", "1, 2, 3, 4",
    ),
    "routing with one equals sign": Mistake(
        ITEMS, "G04 == 1", "G04 = 1", "routing", "G04 = 1", "a formula", "",
    ),
    "routing by a bare multi": Mistake(
        ITEMS, "E02_99 == 0", "E02 == 0", "routing", "E02", "", "count(E02)",
    ),
    "routing by a number asked in classes": Mistake(
        ITEMS, "A03 >= 50,,,normal,2025", "A03 >= 50,,,normal,2023",
        "routing", "A03", "2023", "",
    ),
    "item twice": Mistake(
        ITEMS, "F02,percent", "F01,percent", "item", "F01", "", "",
    ),
    "name of an option": Mistake(
        ITEMS, "H01,single", "G08_1,single", "item", "G08_1", "", "",
    ),
    "name of a register column": Mistake(
        ITEMS, "H01,single", "tier,single", "item", "tier", "", "",
    ),
    "versions overlap": Mistake(
        ITEMS, "A03,single,employees4,,,,,,normal,2023,2023",
        "A03,single,employees4,,,,,,normal,2023,2024",
        "to_wave", "2024", "an end before 2024", "last wave",
    ),
    "unknown wave": Mistake(
        ITEMS, "normal,2024,,Nutzen", "normal,2034,,Nutzen",
        "from_wave", "2034", "a wave", "did you mean 2024?",
    ),
    "ends before it begins": Mistake(
        ITEMS, "normal,2024,,Nutzen", "normal,2024,2023,Nutzen",
        "to_wave", "2023", "not before from_wave", "2024 or later",
    ),
    "minimum with a comma": Mistake(
        ITEMS, "B01,percent,,,% of turnover,,0,", 'B01,percent,,,% of turnover,,"0,5",',
        "minimum", "0,5", "decimal point", "write 1234.5",
    ),
    "minimum above maximum": Mistake(
        ITEMS, "B01,percent,,,% of turnover,,0,100", "B01,percent,,,% of turnover,,100,0",
        "m", "100", "", "",
    ),
    "sensitivity": Mistake(
        ITEMS, ",high,2023,,Wie wird", ",hihg,2023,,Wie wird",
        "sensitivity", "hihg", "one of low, normal, high", "did you mean high?",
    ),
    "missing translation": Mistake(
        ITEMS, "Do you compile a carbon footprint?", "", "text_en", "nothing", "a text", "fill",
    ),
}  # fmt: skip

LISTS = {
    "code twice": Mistake(
        CODES, "newfield,12,,2025", "newfield,11,,2025", "code", "11", "once", "to_wave",
    ),
    "old code that does not end": Mistake(
        CODES, "tier,5,,2023,2024", "tier,5,,2023,", "code", "5", "once", "to_wave",
    ),
    "exclusive": Mistake(
        CODES, "newfield,99,yes", "newfield,99,ja", "exclusive", "ja", "yes", "",
    ),
    "missing translation": Mistake(
        CODES, "kein Thema,not an issue", "kein Thema,", "label_en", "nothing", "a text", "fill",
    ),
    "class twice": Mistake(
        WZ, "2932,,2023", "2931,,2023", "code", "2931", "once", "",
    ),
    "map to an unknown class": Mistake(
        KEY, "29,29,", "29,92,", "to_code", "92", "wz2008", "28, 29",
    ),
    "map without a source": Mistake(
        KEY, "statistikportal.de: Abteilung 29 behält in der WZ 2025 ihre Nummer", "",
        "source", "nothing", "a text", "",
    ),
}  # fmt: skip

CHANGED = {
    "item": Mistake(
        CHANGES, "B05,recode", "B055,recode", "item", "B055", "item", "did you mean B05?",
    ),
    "kind": Mistake(
        CHANGES, "E03,period", "E03,peroid", "kind", "peroid", "one of", "did you mean period?",
    ),
    "recode to no code": Mistake(
        CHANGES, "1=3 2=2 3=1", "1=3 2=2 3=4", "apply", "4", "situation3", "1, 2, 3",
    ),
    "recode twice": Mistake(
        CHANGES, "1=3 2=2 3=1", "1=3 1=2 3=1", "apply", "1", "once", "take one",
    ),
    "factor": Mistake(
        CHANGES, ",* 1000,", ",1000,", "apply", "1000", "a factor", "* and the factor",
    ),
    "factor with a comma": Mistake(
        CHANGES, ",* 1000,", ',"* 0,5",', "apply", "* 0,5", "a factor", "",
    ),
    "unit of codes": Mistake(
        CHANGES, "C01,recode,2023,2023,1=3 2=2 3=1", "C01,unit,2023,2023,* 2",
        "kind", "unit", "", "C01",
    ),
    "target of a class": Mistake(
        CHANGES, "A03_class 1=1-9", "A03_clas 1=1-9",
        "apply", "A03_clas", "item", "did you mean A03_class?",
    ),
    "class that is no code": Mistake(
        CHANGES, "4=250-,", "5=250-,", "apply", "5", "employees4", "1, 2, 3, 4",
    ),
    "classes overlap": Mistake(
        CHANGES, "2=10-49", "2=9-49", "apply", "9", "", "",
    ),
    "classes leave a gap": Mistake(
        CHANGES, "2=10-49", "2=11-49", "apply", "11", "", "",
    ),
    "concordance": Mistake(
        CHANGES, "wz2025_wz2008 2", "wz2025_wz2003 2",
        "apply", "wz2025_wz2003", "", "did you mean wz2025_wz2008?",
    ),
    "break that changes answers": Mistake(
        CHANGES, "D05,break,2026,,,", "D05,break,2026,,* 2,", "apply", "* 2", "nothing", "",
    ),
    "missing translation": Mistake(
        CHANGES, "Neue Frage ab 2025,New question in 2025", "Neue Frage ab 2025,",
        "note_en", "nothing", "a text", "fill",
    ),
}  # fmt: skip

RULES = {
    "item": Mistake(
        EDITS, "not (E04 > 0 and", "not (E044 > 0 and",
        "test", "E044", "item", "did you mean E04?",
    ),
    "item to be treated": Mistake(
        EDITS, ",A05 B01,", ",A05 BO1,", "items", "BO1", "item", "",
    ),
    "kind": Mistake(
        EDITS, "R07,score", "R07,scroe", "kind", "scroe", "one of", "did you mean score?",
    ),
    "built-in rule": Mistake(
        EDITS, "exclusive_with_others", "exclusive_with_other",
        "test", "exclusive_with_other", "", "did you mean exclusive_with_others?",
    ),
    "parts of nothing": Mistake(
        EDITS, "R01,parts,100,", "R01,parts,,", "test", "nothing", "", "",
    ),
    "parts with commas between": Mistake(
        EDITS, ",B02 B03 B04,2,", ',"B02, B03, B04",2,', "items", "B02,", "item", "",
    ),
    "tolerance with a comma": Mistake(
        EDITS, ",B02 B03 B04,2,", ',B02 B03 B04,"0,5",',
        "tolerance", "0,5", "decimal point", "write 1234.5",
    ),
    "class used as a number": Mistake(
        EDITS, ",A03 A04,,2024,", ",A03 A04,,2023,", "test", "A03", "2023", "",
    ),
    "score of a class": Mistake(
        EDITS, ",A03,,2025,", ",A03,,2023,", "items", "A03", "not in 2023", "",
    ),
    "code that is not there": Mistake(
        EDITS, "A05 == 9", "A05 == 8", "test", "8", "a code of A05", "",
    ),
    "column of the register": Mistake(
        EDITS, "floor(A02 / 100) == division", "floor(A02 / 100) == divison",
        "test", "divison", "", "did you mean division?",
    ),
    "missing translation": Mistake(
        EDITS, "The routing does not fit the answer.", "", "message_en", "nothing", "a text", "",
    ),
}  # fmt: skip

MEASURES = {
    "item": Mistake(
        INDICATORS, "I11,Strategie,Strategy,,ratio,A04 *", "I11,Strategie,Strategy,,ratio,A044 *",
        "numerator", "A044", "item", "did you mean A04?",
    ),
    "option": Mistake(
        INDICATORS, "E02_4 == 1", "E02_10 == 1", "numerator", "E02_10", "item", "did you mean E02_",
    ),
    "column of the register": Mistake(
        INDICATORS, "section == 'C'", "secton == 'C'",
        "base", "secton", "", "did you mean section?",
    ),
    "code of the register": Mistake(
        INDICATORS, "section == 'C'", "section == 'X'", "base", "X", "a code of section", "C",
    ),
    "code that is not there": Mistake(
        INDICATORS, '"F01 in {3, 4}"', '"F01 in {3, 5}"',
        "numerator", "5", "a code of F01", "1, 2, 3, 4",
    ),
    "code that the wave did not have": Mistake(
        INDICATORS, "count(B07) > 0", "B07_12 == 1",
        "numerator", "B07_12", "not in 2023, 2024", "from_wave",
    ),
    "code that is merged into another": Mistake(
        INDICATORS, "C05 == 4", "A05 == 7", "numerator", "7", "a code of A05", "",
    ),
    "row that the wave did not have": Mistake(
        INDICATORS, "\"C07_h in {4, 5}\",,,100,0,lower,2025",
        "\"C07_h in {4, 5}\",,,100,0,lower,2024",
        "numerator", "C07_h", "not in 2024", "from_wave",
    ),
    "question not yet asked": Mistake(
        INDICATORS, "D06 == 4,,,100,0,higher,2024", "D06 == 4,,,100,0,higher,2023",
        "numerator", "D06", "not in 2023", "from_wave",
    ),
    "class used as a number": Mistake(
        INDICATORS, "E01,A03 + E01,,100,1,lower,2024", "E01,A03 + E01,,100,1,lower,2023",
        "denominator", "A03", "2023", "",
    ),
    "base without the items it divides by": Mistake(
        INDICATORS, "A04 * B01 / 100 * B02 / 100,A04 * B01 / 100,B01 > 0",
        "A04 * B01 / 100 * B02 / 100,A04 * B01 / 100,",
        "base", "B02", "B01 > 0", "add B01 > 0 to the base",
    ),
    "base that never holds": Mistake(
        INDICATORS, "A03 * E04 / 100,A03,B01 > 0", "A03 * E04 / 100,A03,B01 > 100",
        "base", "B01 > 100", "", "",
    ),
    "denominator that is always zero": Mistake(
        INDICATORS, "E01,A03 + E01,", "E01,A03 - A03,", "denominator", "A03 - A03", "", "",
    ),
    "denominator of zero": Mistake(
        INDICATORS, "E01,A03 + E01,", "E01,0,", "denominator", "0", "", "",
    ),
    "ratio without a denominator": Mistake(
        INDICATORS, "ratio,E01,A03 + E01,", "ratio,E01,,",
        "denominator", "nothing", "a formula", "denominator",
    ),
    "share with a denominator": Mistake(
        INDICATORS, "share,B08 > 50,,", "share,B08 > 50,A04,",
        "denominator", "A04", "nothing", "ratio",
    ),
    "share that is an amount": Mistake(
        INDICATORS, "B06 >= 4", "B06", "numerator", "B06", "true or false", "compare",
    ),
    "balance of codes": Mistake(
        INDICATORS, "(C02 == 1) - (C02 == 3)", "C02", "numerator", "C02", "1", "",
    ),
    "count of a single": Mistake(
        INDICATORS, "count(B07) > 0", "count(B06) > 0", "numerator", "B06", "multi", "",
    ),
    "bare multi": Mistake(
        INDICATORS, "count(D05) >= 4", "D05 >= 4", "numerator", "D05", "", "count(D05)",
    ),
    "bare grid": Mistake(
        INDICATORS, "C07_b in", "C07 in", "numerator", "C07", "", "C07_a",
    ),
    "function": Mistake(
        INDICATORS, "count(D05) >= 4", "cuont(D05) >= 4", "numerator", "cuont", "count", "",
    ),
    "formula of no indicator": Mistake(
        INDICATORS, "sqrt((I05 + 200)", "sqrt((I055 + 200)",
        "numerator", "I055", "indicator", "did you mean I05?",
    ),
    "formula of itself": Mistake(
        INDICATORS, "sqrt((I05 + 200)", "sqrt((I07 + 200)", "numerator", "I07", "indicator", "",
    ),
    "formula of an item": Mistake(
        INDICATORS, "sqrt((I05 + 200)", "sqrt((C01 + 200)", "numerator", "C01", "indicator", "",
    ),
    "formula of an indicator that begins later": Mistake(
        INDICATORS, "sqrt((I05 + 200)", "sqrt((I04 + 200)", "numerator", "I04", "2023", "from_wave",
    ),
    "indicator in a share": Mistake(
        INDICATORS, "B06 >= 4", "I05 >= 4", "numerator", "I05", "item", "",
    ),
    "ranking": Mistake(
        INDICATORS, "I24_a,Konjunktur,Business climate,burdens,",
        "I24_a,Konjunktur,Business climate,burdns,",
        "ranking", "burdns", "", "did you mean burdens?",
    ),
    "scale with a comma": Mistake(
        INDICATORS, "B06 >= 4,,,100,", 'B06 >= 4,,,"0,5",',
        "scale", "0,5", "decimal point", "write 1234.5",
    ),
    "kind": Mistake(
        INDICATORS, "balance,(C01", "balanc,(C01",
        "kind", "balanc", "one of", "did you mean balance?",
    ),
    "indicator twice": Mistake(
        INDICATORS, "I12,Strategie", "I11,Strategie", "indicator", "I11", "once", "take one",
    ),
    "missing definition": Mistake(
        INDICATORS, "Share of the firms that make more than half of their turnover with their "
        "largest customer among all firms; every firm counts the same.", "",
        "definition_en", "nothing", "a text", "fill",
    ),
}  # fmt: skip

SETTINGS = {
    "unknown setting": Mistake(
        TOML, "min_responses", "min_respones", "min_respones", "", "", "did you mean min_responses",
    ),
    "breakdown": Mistake(
        TOML, '"district", "tier"', '"district", "teir"',
        "breakdowns", "teir", "", "did you mean tier?",
    ),
    "part of a crossing": Mistake(
        TOML, '"tier", "field*size"', '"tier", "field*sise"',
        "breakdowns", "sise", "", "did you mean",
    ),
    "crossing with itself": Mistake(
        TOML, '"tier", "field*size"', '"tier", "size*size"', "breakdowns", "size*size", "", "",
    ),
    "stratum": Mistake(
        TOML, '"field_group"]', '"feild_group"]',
        "strata", "feild_group", "", "did you mean field_group?",
    ),
    "code list of the register": Mistake(
        TOML, '"tier_register"', '"tier_registre"',
        "tier", "tier_registre", "", "did you mean tier_register?",
    ),
    "calibration": Mistake(
        TOML, 'calibrate = ["events"]', 'calibrate = ["evnts"]',
        "weighting.calibrate", "evnts", "a name that exists", "did you mean events?",
    ),
    "calibration by a crossing": Mistake(
        TOML, 'calibrate = ["events"]', 'calibrate = ["size*events"]',
        "weighting.calibrate", "size*events", "a name that exists", "",
    ),
    "calibration twice": Mistake(
        TOML, 'calibrate = ["events"]', 'calibrate = ["events", "events"]',
        "weighting.calibrate", "events", "once", "take one",
    ),
    "method of calibration": Mistake(
        TOML, 'method = "raking"', 'method = "rakin"', "method", "rakin", "'raking'", "",
    ),
    "logit without bounds": Mistake(
        TOML, 'method = "raking"', 'method = "logit"',
        "weighting.bounds", "none", "bounds for logit", "such as [0.5, 2]",
    ),
    "lower bound above 1": Mistake(
        TOML, 'method = "raking"', 'method = "raking"\nbounds = [1.2, 2.0]',
        "bounds", "1.2", "less than 1", "",
    ),
    "upper bound below 1": Mistake(
        TOML, 'method = "raking"', 'method = "raking"\nbounds = [0.5, 0.9]',
        "bounds", "0.9", "greater than 1", "",
    ),
    "comparison with the register": Mistake(
        TOML, '"field_group", "district", "events"]', '"field_group", "distrct", "events"]',
        "weighting.compared", "distrct", "a name that exists", "did you mean district?",
    ),
    "comparison with the register twice": Mistake(
        TOML, '"field_group", "district", "events"]', '"field_group", "events", "events"]',
        "weighting.compared", "events", "once", "take one",
    ),
    "pooled breakdown": Mistake(
        TOML, 'pooled = ["district"]', 'pooled = ["distrct"]',
        "publication.pooled", "distrct", "a name that exists", "did you mean district?",
    ),
    "pooled column that is not published": Mistake(
        TOML, 'pooled = ["district"]', 'pooled = ["events"]',
        "publication.pooled", "events", "a name that exists", "",
    ),
    "pooled twice": Mistake(
        TOML, 'pooled = ["district"]', 'pooled = ["district", "district"]',
        "publication.pooled", "district", "once", "take one",
    ),
    "adjustment": Mistake(
        TOML, 'adjusted = ["size", "field"]', 'adjusted = ["size", "feild"]',
        "publication.adjusted", "feild", "a name that exists", "did you mean field?",
    ),
    "adjustment twice": Mistake(
        TOML, 'adjusted = ["size", "field"]', 'adjusted = ["size", "size"]',
        "publication.adjusted", "size", "once", "take one",
    ),
    "peers": Mistake(
        TOML, 'peers = ["field*size", "size", "field"]', 'peers = ["field*size", "sise", "field"]',
        "publication.peers", "sise", "a name that exists", "did you mean size?",
    ),
    "peers that are not published": Mistake(
        TOML, 'peers = ["field*size", "size", "field"]', 'peers = ["district*size", "field"]',
        "publication.peers", "district*size", "a name that exists", "",
    ),
    "peers twice": Mistake(
        TOML, 'peers = ["field*size", "size", "field"]', 'peers = ["size", "field", "size"]',
        "publication.peers", "size", "once", "take one",
    ),
    "limits in points that do not rise": Mistake(
        TOML, "points = [7.5, 15, 30]", "points = [7.5, 30, 15]",
        "quality.points", "7.5, 30, 15", "three limits that rise", "in order",
    ),
    "limits in per cent that are equal": Mistake(
        TOML, "percent = [8, 15, 25]", "percent = [8, 25, 25]",
        "quality.percent", "8, 25, 25", "three limits that rise", "in order",
    ),
    "two limits": Mistake(
        TOML, "percent = [8, 15, 25]", "percent = [8, 15]", "percent", "", "", "",
    ),
    "amounts of one firm": Mistake(
        TOML, "amount_answers = 10", "amount_answers = 1",
        "amount_answers", "1", "greater than or equal to 2", "",
    ),
    "target": Mistake(
        TOML, 'column = "population"', 'column = "populaton"',
        "target", "populaton", "", "did you mean population?",
    ),
    "eligibility": Mistake(
        TOML, 'column = "scope"\ngroup = "1"', 'column = "scope"\ngroup = "4"',
        "eligibility", "4", "", "",
    ),
    "group of a benchmark": Mistake(
        TOML, 'group = "3", reference = "2*3"', 'group = "4", reference = "2*3"',
        "benchmark", "4", "", "",
    ),
    "reference of a benchmark": Mistake(
        TOML, 'reference = "2*3"', 'reference = "4*3"', "benchmark", "4*3", "", "did you mean",
    ),
    "breakdown of a benchmark": Mistake(
        TOML, '"size", group = "3", reference = "2*3"', '"sise", group = "3", reference = "2*3"',
        "benchmark", "sise", "", "did you mean size?",
    ),
    "indicator of a benchmark": Mistake(
        TOML, '"I18", "I21"', '"I188", "I21"', "without", "I188", "", "did you mean I18?",
    ),
    "benchmark twice": Mistake(
        TOML, 'name = "external"', 'name = "internal"', "benchmark", "internal", "once", "",
    ),
    "ranking without indicators": Mistake(
        TOML, "[ranking.skills]", "[ranking.skill]", "ranking", "skill", "", "",
    ),
    "too few contributors": Mistake(
        TOML, "min_contributors = 5", "min_contributors = 1",
        "min_contributors", "1", "greater than or equal to 3", "",
    ),
    "missing translation": Mistake(
        TOML, 'en = "Size of site"\n', "", "size", "nothing", "required", "",
    ),
}  # fmt: skip

MISTAKES = {
    f"{group}: {name}": mistake
    for group, mistakes in (
        ("files", FILES),
        ("items", QUESTIONS),
        ("codes", LISTS),
        ("changes", CHANGED),
        ("edits", RULES),
        ("indicators", MEASURES),
        ("settings", SETTINGS),
    )
    for name, mistake in mistakes.items()
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_with_its_place_and_what_to_do(folder: Path, name: str) -> None:
    mistake = MISTAKES[name]
    line = edit(folder, mistake.file, mistake.old, mistake.new)
    found = problems(folder)
    assert any(says(problem, mistake, line) for problem in found), "\n".join(map(str, found))


def test_the_study_without_mistakes_is_read(folder: Path) -> None:
    assert read_study(folder).settings.id == "mittelhessen"


def test_a_file_saved_with_semicolons_is_one_problem(folder: Path) -> None:
    path = folder / "schemas" / CODES
    path.write_text(path.read_text(encoding="utf-8").replace(",", ";"), encoding="utf-8")
    (problem,) = problems(folder)
    assert (problem.file, problem.row, problem.found) == (CODES, "1", "';' between the fields")


def test_waves_that_sort_in_another_order_than_they_were_asked_are_refused(folder: Path) -> None:
    # As text, 20231 comes before 2024; as a number it is the latest of all.
    place = folder / "data" / "raw" / "20231"
    place.mkdir()
    (place / "wave.toml").touch()
    assert any(p.wave == "20231" or "'20231'" in p.found for p in problems(folder))


def test_a_wave_that_no_version_of_a_question_covers_is_named_where_it_is_used(
    folder: Path,
) -> None:
    version = "D05,multi,digital12,,,,,,normal,2023,"
    edit(folder, ITEMS, f"{version}2025", f"{version}2024")
    used = [p for p in problems(folder) if p.file == INDICATORS]
    assert [(p.found, p.item) for p in used] == [("'D05'", "numerator")]
    assert "not in 2025" in used[0].expected


def test_several_mistakes_are_all_reported_at_once(folder: Path) -> None:
    together = [
        MISTAKES[name]
        for name in (
            "items: routing is an amount",
            "codes: old code that does not end",
            "changes: factor",
            "edits: code that is not there",
            "indicators: bare multi",
            "indicators: code that is not there",
            "settings: breakdown",
        )
    ]
    lines = [edit(folder, m.file, m.old, m.new) for m in together]
    found = problems(folder)
    for mistake, line in zip(together, lines, strict=True):
        assert any(says(problem, mistake, line) for problem in found), mistake
    assert len(found) == len(together)

"""wave.toml: every mistake is named at once, with the key and what to write instead."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from pipeline.collect.wave_settings import read_wave_settings
from pipeline.errors import EXIT_USER, Problem, StudyError, UnknownWaveError

REQUIRED = """
wave = "w1"
files = ["b.csv", "a.csv"]
key = "firm_id"
register = "w1.csv"
field_start = 2024-03-01
field_end = 2024-03-31
"""


def wave_folder(tmp_path: Path, toml: str, name: str = "w1") -> Path:
    folder = tmp_path / "raw" / name
    folder.mkdir(parents=True)
    (folder / "wave.toml").write_text(toml, encoding="utf-8")
    for file in ("a.csv", "b.csv"):
        (folder / file).write_text("firm_id\n1\n", encoding="utf-8")
    return folder


def refusal(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(StudyError) as caught:
        read_wave_settings(folder)
    assert caught.value.exit_code == EXIT_USER
    assert all((p.wave, p.file) == (folder.name, "wave.toml") for p in caught.value.problems)
    assert all(p.found and p.expected and p.advice for p in caught.value.problems)
    return caught.value.problems


def test_what_must_be_there_and_what_is_assumed(tmp_path: Path) -> None:
    settings = read_wave_settings(wave_folder(tmp_path, REQUIRED))
    assert (settings.wave, settings.key, settings.register) == ("w1", "firm_id", "w1.csv")
    assert settings.files == ("a.csv", "b.csv")
    assert (settings.field_start, settings.field_end) == (dt.date(2024, 3, 1), dt.date(2024, 3, 31))
    assert (settings.decimal, settings.thousands, settings.missing) == (".", "", {})
    assert (settings.encoding, settings.delimiter, settings.sheet) == (None, None, None)
    assert (settings.chosen, settings.not_chosen, settings.corrections) == ("1", "0", "")


def test_every_key(tmp_path: Path) -> None:
    toml = REQUIRED.replace('"firm_id"', '" Firma\u00a0Nr "') + (
        'chosen = "Y"\nnot_chosen = ""\ncorrections = "b.csv"\n'
        'decimal = ","\nthousands = "."\nencoding = "utf-16"\ndelimiter = "\\t"\nsheet = "Daten"\n'
        '[missing]\n-9 = "no_answer"\n"k.A." = "refused"\n'
    )
    settings = read_wave_settings(wave_folder(tmp_path, "\ufeff" + toml))
    assert settings.key == "Firma Nr"  # cleaned as the headings are
    assert (settings.decimal, settings.thousands) == (",", ".")
    assert (settings.encoding, settings.delimiter, settings.sheet) == ("utf-16", "\t", "Daten")
    assert settings.missing == {"-9": "no_answer", "k.A.": "refused"}
    assert (settings.chosen, settings.not_chosen, settings.corrections) == ("Y", "", "b.csv")


def test_unknown_wave_names_the_nearest(tmp_path: Path) -> None:
    folder = wave_folder(tmp_path, REQUIRED, "2024")
    with pytest.raises(UnknownWaveError) as caught:
        read_wave_settings(folder.parent / "2042")
    (problem,) = caught.value.problems
    assert (problem.found, problem.wave) == ("no folder 2042 in raw/", "2042")
    assert problem.advice == "did you mean 2024?"


def test_no_wave_toml_says_which_keys_it_needs(tmp_path: Path) -> None:
    folder = wave_folder(tmp_path, "")
    (folder / "wave.toml").unlink()
    (problem,) = refusal(folder)
    assert problem.found == "no such file"
    assert problem.advice.endswith("wave, files, key, register")


def test_syntax_error_names_the_line(tmp_path: Path) -> None:
    (problem,) = refusal(wave_folder(tmp_path, 'wave = "w1"\nkey = firm_id\n'))
    assert problem.row == "2"
    assert "quotation marks" in problem.advice


def test_not_utf8(tmp_path: Path) -> None:
    folder = wave_folder(tmp_path, "")
    (folder / "wave.toml").write_bytes('wave = "für"'.encode("cp1252"))
    (problem,) = refusal(folder)
    assert (problem.found, problem.advice) == ("not UTF-8", "save the file as UTF-8")


def test_missing_and_unknown_keys_all_at_once(tmp_path: Path) -> None:
    toml = REQUIRED.replace("register =", "registre =").replace("key =", "unrelated =")
    problems = {p.item: p for p in refusal(wave_folder(tmp_path, toml + 'decimals = ","'))}
    assert set(problems) == {"registre", "unrelated", "decimals", "key", "register"}
    assert problems["registre"].advice == "did you mean register?"
    assert problems["decimals"].advice == "did you mean decimal?"
    assert problems["unrelated"].advice.startswith("there are: chosen, corrections")
    assert (problems["key"].found, problems["key"].advice) == ("nothing", "add key = ...")


@pytest.mark.parametrize(
    ("line", "found", "expected"),
    [
        ("wave = 2024", "2024", "in quotation marks"),
        ('files = "a.csv"', "'a.csv'", "a list of file names"),
        ("files = []", "[]", "a list of file names"),
        ('files = ["../w2/a.csv"]', "['../w2/a.csv']", "a list of file names"),
        ('key = " "', "' '", "the heading of the column"),
        ('register = "../x.csv"', "'../x.csv'", "without a folder"),
        ('field_start = "2024-03-01"', "'2024-03-01'", "without quotation marks"),
        ("field_end = 2024-03-31T12:00:00", "datetime.datetime(2024", "year-month-day"),
        ('decimal = "comma"', "'comma'", '"," or "."'),
        ("decimal = [1]", "[1]", '"," or "."'),
        ('thousands = "0"', "'0'", "no digit"),
        ('thousands = "--"', "'--'", "one character"),
        ('encoding = "klingon"', "'klingon'", "the name of an encoding"),
        ('encoding = "rot13"', "'rot13'", "the name of an encoding"),
        ('delimiter = ":"', "':'", 'one of ","'),
        ("sheet = 1", "1", "the name of the sheet"),
        ("missing = 1", "1", "[missing]"),
    ],
)
def test_wrong_values(tmp_path: Path, line: str, found: str, expected: str) -> None:
    key = line.partition(" ")[0]
    kept = [other for other in REQUIRED.splitlines() if not other.startswith(f"{key} ")]
    (problem,) = refusal(wave_folder(tmp_path, "\n".join([*kept, line])))
    assert problem.item == key
    assert problem.found.startswith(found)
    assert expected in problem.expected


def test_values_that_contradict_each_other_and_the_folder(tmp_path: Path) -> None:
    toml = REQUIRED.replace("2024-03-31", "2024-02-29").replace('"b.csv"', '"a.csv", "c.csv"')
    folder = wave_folder(tmp_path, toml + 'decimal = ","\nthousands = ","\n', "w2")
    assert [(p.item, p.found, p.advice) for p in refusal(folder)] == [
        ("wave", "'w1'", 'write wave = "w2", or rename the folder'),
        ("field_end", "2024-02-29, before field_start", "correct one of the dates"),
        (
            "thousands",
            "',', as for decimal",
            "say what the export uses; without separator: leave thousands out",
        ),
        ("files", "'a.csv' 2 times", "name it once"),
        ("files", "no file 'c.csv'", "did you mean b.csv?"),
    ]


def test_unknown_reasons(tmp_path: Path) -> None:
    missing = '[missing]\n-9 = "refusal"\n-8 = ""\n-7 = "refused"\n-6 = 1\n'
    problems = refusal(wave_folder(tmp_path, REQUIRED + missing))
    assert [(p.item, p.found) for p in problems] == [
        ("missing", "-9 = 'refusal'"),
        ("missing", "-8 = ''"),
        ("missing", "-6 = 1"),
    ]
    assert problems[0].advice == "did you mean refused?"
    assert "not_asked, routed_out, refused" in problems[0].expected


def test_the_field_work_has_both_dates_or_none(tmp_path: Path) -> None:
    lines = [line for line in REQUIRED.splitlines() if not line.startswith("field_end")]
    (problem,) = refusal(wave_folder(tmp_path / "one", "\n".join(lines)))
    assert (problem.item, problem.found) == ("field_end", "nothing")
    lines = [line for line in lines if not line.startswith("field_")]
    settings = read_wave_settings(wave_folder(tmp_path / "none", "\n".join(lines)))
    assert (settings.field_start, settings.field_end, settings.field_period) == (None, None, "")


def test_options_that_cannot_be_told_apart_and_corrections_that_are_not_there(
    tmp_path: Path,
) -> None:
    toml = REQUIRED + 'chosen = "0"\ncorrections = "c.csv"\n'
    found = {p.item: p.found for p in refusal(wave_folder(tmp_path, toml))}
    assert found == {"not_chosen": "'0'", "corrections": "no file 'c.csv'"}

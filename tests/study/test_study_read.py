"""Reading a study: what an editor or a spreadsheet may do to its files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.errors import Problem, StudyError
from pipeline.study import find_waves, in_wave, read_study

ITEMS = "questionnaire/items.csv"


def spoil(study: Path, file: str, old: str, new: str) -> None:
    path = study / "schemas" / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {file}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def problems(study: Path) -> tuple[Problem, ...]:
    with pytest.raises(StudyError) as caught:
        read_study(study)
    assert all(p.file and p.found and p.expected and p.advice for p in caught.value.problems)
    return caught.value.problems


def test_the_small_study(study: Path) -> None:
    read = read_study(study)
    assert find_waves(read.raw) == ("2021", "2022", "2023")
    assert len(read.items) == 11
    assert read.items["minimum"].notna().sum() == 5
    assert read.indicators["decimals"].tolist() == [0, 2, 0, 0, 1, 0, 0, 0, 0]
    assert read.register_codes("2022") == {"r_field": ("M", "E", "X"), "r_band": ("S", "L", "T")}
    assert read.ordered_codes("2022") == {"r_band": ("S", "L", "T")}
    assert read.benchmark_pairs["reference"].tolist() == ["E", "rest"]
    assert [p.name for p in read.schema_files][-1] == "study.toml"
    assert len(read.schema_files) == 7


def test_questions_become_items(network: Path) -> None:
    read = read_study(network)
    of_use = read.items[read.items["question"] == "use"]
    # option 2 begins in 2022; the question has a new text in 2023
    assert of_use[["item", "from_wave", "to_wave"]].to_numpy().tolist() == [
        ["use_1", "", "2022"],
        ["use_2", "2022", "2022"],
        ["use_9", "", "2022"],
        ["use_1", "2023", ""],
        ["use_2", "2023", ""],
        ["use_9", "2023", ""],
    ]
    assert set(of_use["type"]) == {"option"}
    assert of_use["exclusive"].tolist() == [False, False, True] * 2
    assert of_use["text_de"].iloc[[0, -1]].tolist() == [
        "Was nutzen Sie? – Cloud",
        "Was nutzen Sie heute? – nichts",
    ]
    of_load = read.items[read.items["question"] == "load"]
    assert of_load[["item", "type", "code_list", "from_wave"]].to_numpy().tolist() == [
        ["load_a", "single", "l_mood", ""],
        ["load_b", "single", "l_mood", "2023"],
    ]


def test_a_wave_has_its_version_of_each_item_and_none_that_is_derived(network: Path) -> None:
    read = read_study(network)
    types, lists = {}, {}
    for wave in ("2021", "2022", "2023"):
        items, codes, edits = read.asked_in(wave)
        assert items["item"].is_unique
        assert "heads_class" not in set(items["item"])
        named = items.set_index("item")
        types[wave], lists[wave] = named["type"]["heads"], named["code_list"]["branch"]
        assert ("e_score" in set(edits["rule"])) == (wave > "2021")
        assert set(codes["from_wave"]) <= {"", *[w for w in ("2021", "2022", "2023") if w <= wave]}
    assert types == {"2021": "single", "2022": "integer", "2023": "integer"}
    assert lists == {"2021": "old", "2022": "old", "2023": "new"}
    assert read.derived == {"heads_class"}


def test_formulas_and_lists_name_single_items(network: Path) -> None:
    read = read_study(network)
    indicators = read.indicators.set_index("indicator")
    assert indicators["numerator"]["n_use"] == "count(use_1, use_2) >= 1"
    assert indicators["base"]["n_class"] == "r_field == 'M'"
    edits = read.edits.set_index("rule")
    assert edits["condition"]["e_use"] == "count(use_1, use_2) >= 1"
    assert edits["items"]["e_use"] == "use_1 use_2 use_9 heads"
    assert edits["test"]["e_built"] == "below_min above_max"
    breaks = read.changes[read.changes["kind"] == "break"]
    assert breaks["item"].tolist() == ["cl_plan", "use_1", "use_2", "use_9"]
    (condition,) = read.changes.loc[read.changes["kind"] == "filter", "apply"]
    assert condition == "count(use_1, use_2) > 0"


def test_an_indicator_is_as_sensitive_as_its_most_sensitive_item(network: Path) -> None:
    found = read_study(network).indicators.set_index("indicator")["sensitivity"]
    assert found["i_trains"] == "low"  # n_trainee
    assert found["n_use"] == "normal"  # use is low, n_staff in its base is not
    assert found["n_load"] == "high"
    assert found["n_both"] == "high"  # computed from n_mood (normal) and n_load (high)


def test_classifications_are_code_lists_and_concordances(network: Path) -> None:
    read = read_study(network)
    assert read.codes.loc[read.codes["code_list"] == "old", "code"].tolist() == ["2910", "2932"]
    assert read.concordances.to_numpy().tolist() == [["new_old", "29", "29", "made up"]]
    assert len(read.schema_files) == 10


def test_populations_crossings_and_benchmarks(network: Path) -> None:
    read = read_study(network)
    assert read.settings.target == ("r_pop", "1")
    assert read.settings.eligibility == ("r_band", "S")
    assert read.settings.crossings == ("r_field*r_band",)
    assert read.benchmark_pairs.to_numpy().tolist() == [
        ["fields", "r_field", "M", "E", ""],
        ["bands", "r_band", "L", "rest", ""],
        ["others", "r_pop", "1", "2", "n_use"],
        ["others", "r_band", "S", "2*S", "n_use"],
    ]
    assert read.register_codes("2022")["r_pop"] == ("1", "2")


def test_rows_hold_from_their_first_to_their_last_wave(study: Path) -> None:
    items = read_study(study).items
    asked = {wave: set(in_wave(items, wave)["item"]) for wave in ("2021", "2022", "2023")}
    assert asked["2022"] - asked["2021"] == {"has_bot"}
    assert asked["2022"] - asked["2023"] == {"old_fax"}


def test_two_waves_of_a_code_list(study: Path) -> None:
    codes = read_study(study).codes
    good = {
        w: in_wave(codes[codes["label_en"] == "good"], w)["code"].tolist() for w in ("2021", "2022")
    }
    assert good == {"2021": ["3"], "2022": ["1"]}


def test_a_byte_order_mark_blank_lines_and_spaces_do_no_harm(study: Path) -> None:
    for path in (study / "schemas").rglob("*.*"):
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".csv":
            heading, *rest = text.splitlines()
            blank = "," * heading.count(",")
            text = "\r\n".join([heading.replace(",", " ,"), "", *rest, blank, blank])
        path.write_text(text, encoding="utf-8-sig", newline="")
    assert len(read_study(study).items) == 11


def test_a_table_may_have_no_rows(study: Path) -> None:
    for file in ("edits.csv", "questionnaire/changes.csv"):
        path = study / "schemas" / file
        path.write_text(path.read_text(encoding="utf-8").splitlines()[0], encoding="utf-8")
    read = read_study(study)
    assert (len(read.edits), len(read.changes)) == (0, 0)


def test_headings_and_codes_have_one_form_of_unicode(study: Path) -> None:
    spoil(study, "questionnaire/columns.csv", "2021,v_1,", "2021,Pru\u0308f\u00a0zahl,")
    spoil(study, "indicators.csv", "Exportanteil", "Export\u00a0anteil")
    read = read_study(study)
    assert read.columns["column"].iloc[0] == "Pr\u00fcf zahl"
    assert "Export\u00a0anteil" in set(read.indicators["label_de"])  # as it will be printed


def test_a_text_over_two_lines_does_not_shift_the_lines_that_are_named(study: Path) -> None:
    spoil(study, ITEMS, "Wie viele Beschäftigte?", '"Wie viele\nBeschäftigte,\ninsgesamt?"')
    spoil(study, ITEMS, "has_bot,single", "has_bot,singel")
    (problem,) = problems(study)
    # the row was in line 10; the question above it has become two lines longer
    assert (problem.file, problem.row, problem.item) == (ITEMS, "12", "type")
    assert problem.advice == "did you mean single?"


@pytest.mark.parametrize(
    ("content", "row", "found", "advice"),
    [
        ("item,größe\n".encode("cp1252"), "", "not UTF-8", "CSV UTF-8"),
        ("item,größe\n".encode("utf-16"), "", "not UTF-8", "CSV UTF-8"),
        (b"", "1", "no column 'apply'", "the headings are item,kind"),
        (b"item;kind;apply\nx;unit;* 1\n", "1", "';' between the fields", "commas"),
        (b"item\tkind\tapply\n", "1", "between the fields", "commas"),
        (b'item,kind\na,b\nc,"never closed\nd,e\n', "3", "do not pair", "close the quotation mark"),
        (b'item,kind\n"a"b,c\n', "2", "do not pair", "close the quotation mark"),
    ],
)
def test_what_a_spreadsheet_makes_of_a_file(
    study: Path, content: bytes, row: str, found: str, advice: str
) -> None:
    (study / "schemas" / "questionnaire" / "changes.csv").write_bytes(content)
    problem = problems(study)[0]
    assert (problem.file, problem.row) == ("questionnaire/changes.csv", row)
    assert found in problem.found
    assert advice in problem.advice


@pytest.mark.parametrize(
    ("old", "new", "row", "found"),
    [
        ('id = "small"', 'id = "small', "3", "line 3"),
        ("[title]", "[title", "6", "line 6"),
        ('id = "small"', "id = small", "3", "Invalid value"),
    ],
)
def test_what_is_no_toml(study: Path, old: str, new: str, row: str, found: str) -> None:
    spoil(study, "study.toml", old, new)
    (problem,) = problems(study)
    assert (problem.file, problem.row) == ("study.toml", row)
    assert found in problem.found
    assert "quotation marks" in problem.advice


def test_settings_in_another_encoding(study: Path) -> None:
    (study / "schemas" / "study.toml").write_bytes('id = "größe"\n'.encode("cp1252"))
    (problem,) = problems(study)
    assert (problem.file, problem.found) == ("study.toml", "characters that are not UTF-8")


@pytest.mark.parametrize(
    ("old", "new", "item", "advice"),
    [
        ("[weighting]", "[wieghting]", "wieghting", "did you mean weighting?"),
        ("breakdowns", "brakedowns", "publication.brakedowns", "did you mean breakdowns?"),
        (
            'reference = "E"',
            'refernce = "E"',
            "benchmark.0.pairs.0.refernce",
            "did you mean reference?",
        ),
    ],
)
def test_settings_that_do_not_exist(
    study: Path, old: str, new: str, item: str, advice: str
) -> None:
    spoil(study, "study.toml", old, new)
    named = {p.item: p for p in problems(study)}
    assert (named[item].file, named[item].found) == ("study.toml", "an unknown setting")
    assert named[item].advice == advice


@pytest.mark.parametrize(
    ("old", "new", "item", "found"),
    [
        ('code_list = "l_band"\n', "", "register.r_band.code_list", "nothing"),
        ('de = "Kleine Studie"', 'de = ""', "title.de", "''"),
        ('"de", "en"]', '"de", "fr"]', "languages.1", "'fr'"),
        ("[publication]", "[publication]\nmin_contributors = 2", "min_contributors", "2"),
        ("[publication]", '[publication]\np_percent = "ten"', "p_percent", "'ten'"),
        ("[publication]", '[publication]\nweights = "open"', "publication.weights", "'open'"),
        ("[publication]", "[publication]\npq = [10, 120]", "publication.pq.1", "120"),
        ("[publication]", "[publication]\npq = [10]", "publication.pq.1", "nothing"),
    ],
)
def test_settings_that_do_not_fit(study: Path, old: str, new: str, item: str, found: str) -> None:
    spoil(study, "study.toml", old, new)
    (problem,) = problems(study)
    assert problem.file == "study.toml"
    assert problem.item.endswith(item)
    assert problem.found == found
    assert "examples/jtrain/schemas/study.toml" in problem.advice


def test_no_study_names_one_near_by(tmp_path: Path, study: Path) -> None:
    shutil.move(study, tmp_path / "studies" / "small")
    (problem,) = problems(tmp_path)
    assert problem.found == "no such file"
    assert f"--study {Path('studies', 'small')}" in problem.advice
    (problem,) = problems(tmp_path / "nowhere")
    assert "--study DIR" in problem.advice


def test_a_folder_without_settings_is_no_wave(study: Path) -> None:
    (study / "data" / "raw" / "2024").mkdir()
    assert find_waves(study / "data" / "raw") == ("2021", "2022", "2023")
    assert find_waves(study / "nowhere") == ()

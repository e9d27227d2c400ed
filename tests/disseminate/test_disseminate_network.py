"""A report of the size of a network's study: rankings, crossings, benchmarks, other populations."""

import re
import time

import made_up_network as network
import pytest
from pages import Page
from pypdf import PdfReader

from pipeline.disseminate.content import build_report
from pipeline.disseminate.figures import Figures
from pipeline.disseminate.report import render_reports
from pipeline.disseminate.wording import Wording

MOST_SECONDS = 12.0
"""Of computing time; a run takes about three on two cores, and other work may share them."""


def text(line):
    return "".join(part if isinstance(part, str) else part.text for part in line)


@pytest.fixture(scope="session")
def built():
    wording = Wording("de", network.captions())
    return build_report(Figures(network.release(), network.WAVE, "de"), wording)


@pytest.fixture(scope="session")
def rendered(tmp_path_factory):
    folder = tmp_path_factory.mktemp("network")
    release, captions = network.release(), network.captions()
    began = time.process_time()
    render_reports(release, captions, folder, wave=network.WAVE, languages=network.LANGUAGES)
    return folder, time.process_time() - began


def section(report, name):
    return next(s for s in report.sections if s.section_id == name)


def labels(table):
    return [text(row[0].main) for group in table.groups for row in group.rows]


def cells(table, label):
    rows = (row for group in table.groups for row in group.rows)
    return [text(cell.main) for cell in next(r for r in rows if text(r[0].main) == label)[1:]]


def test_the_sections_stand_in_the_order_in_which_they_are_read(built):
    assert [s.section_id for s in built.sections] == [
        "findings",
        "overview",
        "indicators",
        "rankings",
        "benchmark",
        "response",
        "method",
        "changes",
        "definitions",
        "symbols",
        "imprint",
    ]


def test_ranked_indicators_have_no_block_and_no_row_among_the_key_figures(built):
    plain = [label[0] for name, _, ranking, label, _, _ in network.indicators() if not ranking]
    assert [block.title for block in section(built, "indicators").blocks] == plain
    assert labels(section(built, "overview").tables[0]) == plain


def test_a_ranking_is_sorted_by_value_with_what_is_hidden_last(built):
    burdens, skills = section(built, "rankings").blocks
    values = [float(point.value.value) for point in burdens.charts[0].groups[0].points]
    assert values == sorted(values, reverse=True)
    assert len(values) == len(network.BURDENS)
    assert labels(burdens.tables[0]) == [p.label for p in burdens.charts[0].groups[0].points]
    hidden = network.SKILLS[2][0]  # skill_c
    assert labels(skills.tables[0])[-1] == hidden
    assert cells(skills.tables[0], hidden) == ["[c]"] * 4


def test_a_row_that_is_new_says_so_and_has_no_mark_of_the_wave_before(built):
    block = section(built, "rankings").blocks[0]
    new = network.BURDENS[7][0]  # burden_h
    assert cells(block.tables[0], new)[2:] == ["[z]", "neu in dieser Welle"]
    points = {point.label: point for point in block.charts[0].groups[0].points}
    assert points[new].other is None
    assert points[new].note == ("neu",)
    assert all(point.other for label, point in points.items() if label != new)
    assert cells(block.beside[0], new)[:3] == ["[z]"] * 3


def test_a_sign_stands_only_at_an_established_change(built):
    figures = Figures(network.release(), network.WAVE, "de")
    points = section(built, "rankings").blocks[0].charts[0].groups[0].points
    for point in points:
        _, indicator, place, _ = point.value.number_id.split("/")
        claim = figures.verdict(network.WAVE, indicator, place, "change")
        sign = {"rise": "▲", "fall": "▼"}.get(claim, "")
        assert text(point.note)[:1].strip("+−0123456789n") == sign


def test_only_groups_of_the_target_stand_in_charts_and_tables_of_groups(built):
    block = section(built, "indicators").blocks[0]
    groups = block.charts[1].groups
    assert [len(group.points) for group in groups] == [1, 7, 3, 5, 7]
    assert [len(group.rows) for group in block.tables[0].groups] == [1, 7, 3, 5, 7]
    ids = " ".join(point.value.number_id for group in groups for point in group.points)
    assert "people" not in ids
    assert "*" not in ids


def test_a_crossing_is_a_matrix_with_symbols(built):
    matrix = section(built, "indicators").blocks[0].tables[1]
    assert matrix.head == ("", *(size[0] for size in network.SIZES))
    assert labels(matrix) == [craft[0] for craft in network.CRAFTS]
    shown = [text(cell.main) for row in matrix.groups[0].rows for cell in row[1:]]
    assert len(shown) == 21
    assert "[c]" in shown
    row = matrix.groups[0].rows[0]
    assert [bool(cell.sub) for cell in row[1:]] == [text(c.main) != "[c]" for c in row[1:]]


def test_each_benchmark_has_charts_of_the_whole_population_and_tables_of_its_pairs(built):
    inside, outside, peers = section(built, "benchmark").blocks
    assert [len(block.tables) for block in (inside, outside, peers)] == [4, 3, 3]
    assert [len(block.charts) for block in (inside, outside, peers)] == [2, 2, 0]
    per_cent, points = inside.charts
    assert per_cent.legend == ("Müller im Tal", "Müller am Oberlauf")
    assert {len(per_cent.groups[0].points), len(points.groups[0].points)} == {17, 4}
    ids = {
        mark.value.number_id.split("/")[2]
        for point in per_cent.groups[0].points
        for mark in (point, point.other)
    }
    assert ids == {"people=1", "people=3"}
    table = inside.tables[0]
    assert len(labels(table)) == 22 + 17  # all but the two without a value elsewhere
    assert cells(table, network.SKILLS[2][0]) == ["[c]"] * 4


def test_a_benchmark_without_numbers_in_the_wave_says_so():
    release = network.release()
    inside = release["breakdown"].isin(["people"]) & (release["reference"] == "3")
    inside |= release["reference"].str.startswith("3*")
    wording = Wording("de", network.captions())
    report = build_report(Figures(release[~inside], network.WAVE, "de"), wording)
    block = section(report, "benchmark").blocks[0]
    assert (block.tables, block.charts) == ((), ())
    assert block.notes == (f"Für Welle {network.WAVE} ist kein Vergleich veröffentlicht.",)


def test_who_answered_has_the_reference_groups_under_a_heading_of_their_own(built):
    tables = section(built, "response").tables
    waves, groups, matrix, references = tables
    assert labels(waves) == list(network.WAVES)
    assert len(labels(groups)) == 1 + 7 + 3 + 5 + 7
    assert text(matrix.groups[0].rows[0][1].sub).count(" von ") == 1
    assert [group.title for group in references.groups] == [
        "Gleiches Handwerk, anderes Tal (Oberlauf)",
        "Anderes Handwerk, gleiches Tal",
    ]
    assert labels(references)[0] == "Müller am Oberlauf"
    assert len(labels(references)) == 4 + 3


def test_changes_of_all_kinds_stand_by_wave_with_the_whole_survey_first(built):
    (table,) = section(built, "changes").tables
    assert [group.title for group in table.groups] == ["Welle 2044", "Welle 2043", "Welle 2042"]
    first = table.groups[2].rows
    assert text(first[0][0].main) == "Die ganze Erhebung"
    kinds = {text(row[2].main) for group in table.groups for row in group.rows}
    assert len(kinds) == 11
    # two indicators with one text share a row; a whole ranking has its title
    assert any(text(row[0].main).count(";") == 1 for row in table.groups[1].rows)
    assert "Was die Werkstätten lernen wollen" in {text(row[0].main) for row in first}


def test_a_break_is_a_gap_and_said_in_words(built):
    block = section(built, "indicators").blocks[1]  # plain_2
    assert [point.breaks for point in block.charts[0].groups[0].points] == [
        False,
        True,
        False,
        False,
    ]
    assert text(block.beside[0].groups[0].rows[1][4].main) == "Bruch in der Reihe"
    assert text(block.beside[0].groups[0].rows[1][3].main) == "[x]"


def test_the_first_page_names_changes_tops_and_comparisons(built):
    found = section(built, "findings")
    assert [f.label for f in found.findings][-2:] == [
        "Was die Werkstätten belastet",
        "Was die Werkstätten lernen wollen",
    ]
    assert "nicht geprüft" in text(found.findings[-1].sentence)
    assert [fact.term for fact in found.facts] == [
        "Gleiches Handwerk, anderes Tal (Oberlauf)",
        "Anderes Handwerk, gleiches Tal",
    ]
    figures = Figures(network.release(), network.WAVE, "de")
    higher, _, lower = text(found.facts[0].texts[0]).partition(" Niedriger als dort:")
    named = []
    for name, _, ranking, label, _, _ in network.indicators():
        for claim, part in (("rise", higher), ("fall", lower)):
            if not ranking and re.search(f" {re.escape(label[0])}[.;]| {label[0]} und", part):
                named.append(name)
                assert figures.verdict(network.WAVE, name, "people=1:3", "difference") == claim
    assert len(named) > 2


def test_the_method_says_that_asking_everybody_is_not_enough(built):
    facts = {fact.term: text(fact.texts[0]) for fact in section(built, "method").facts}
    assert "nicht von selbst repräsentativ" in facts["Vollerhebung und Ausfälle"]
    assert "Stichprobe" in facts["Vergleichsgruppen"]


@pytest.mark.parametrize("language", network.LANGUAGES)
def test_every_number_of_the_page_is_the_published_one(rendered, language):
    folder, _ = rendered
    page = Page((folder / f"report.{language}.html").read_text(encoding="utf-8"))
    figures = Figures(network.release(), network.WAVE, language)
    numbers = page.numbers()
    assert len(numbers) > 8_000
    assert all(figures.number(*identity.split("/")).text == text for identity, text in numbers)
    names = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    assert len(names) == len(set(names))
    assert {e.attributes["href"][1:] for e in page.all("a")} <= set(names)
    assert len(page.all("details")) > 50


def test_key_findings_fill_one_printed_page(rendered):
    folder, _ = rendered
    first, second = PdfReader(folder / "report.de.pdf").pages[:2]
    assert "Anderes Handwerk, gleiches Tal" in re.sub(r"\s+", " ", first.extract_text())
    assert "Inhalt" in second.extract_text()


def test_two_languages_take_a_few_seconds(rendered):
    _, seconds = rendered
    assert seconds < MOST_SECONDS

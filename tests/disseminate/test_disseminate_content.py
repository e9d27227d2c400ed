import made_up_release as made_up
import pytest

from pipeline.disseminate.content import build_report
from pipeline.disseminate.figures import Figures
from pipeline.disseminate.findings import findings_section
from pipeline.disseminate.model import Number
from pipeline.disseminate.wording import Wording
from pipeline.errors import RenderError


def text(line):
    return "".join(part if isinstance(part, str) else part.text for part in line)


def parts(language="de", wave="2043", rows=None, without=()):
    wording = Wording(language, made_up.captions(without))
    return Figures(made_up.release(rows), wave, language), wording


def report(**how):
    return build_report(*parts(**how))


def section(found, name):
    return next(s for s in found.sections if s.section_id == name)


def facts(found, name):
    return [text(line) for fact in section(found, name).facts for line in fact.texts]


def block(found, title):
    return next(b for b in section(found, "indicators").blocks if b.title == title)


def test_established_changes_come_first_and_five_are_the_most():
    found = findings_section(*parts()).findings
    assert [finding.label for finding in found] == [
        "Verschnitt",
        "Betriebe mit Weiterbildung",
        "Saldo der Erwartungen",
        "8. Umsatz je Kopf, ein sehr langer Name für eine Kennzahl",
        "Nacharbeit",
    ]
    assert text(found[1].sentence) == (
        "Anstieg gegenüber 2042 (Veränderung +11\u00a0Prozentpunkte, Intervall +4 bis +18)."
    )
    assert text(found[3].sentence).startswith("Keine Veränderung gegenüber 2042 nachweisbar")
    assert text(found[4].sentence).startswith("Kein Vergleich mit einer früheren Welle möglich")


def test_a_change_that_is_not_significant_is_never_called_a_rise_or_fall():
    rows = [
        r | {"value": 0.0} if r["statistic"] == "change_significant" and not r["symbol"] else r
        for r in made_up.release_rows()
    ]
    sentences = " ".join(text(f.sentence) for f in findings_section(*parts(rows=rows)).findings)
    assert "Anstieg" not in sentences
    assert "Rückgang" not in sentences
    messages = " ".join(
        text(c.message) for b in section(report(rows=rows), "indicators").blocks for c in b.charts
    )
    assert "Rückgang" not in messages


def test_nothing_is_claimed_across_a_break():
    found = block(report(wave="2042"), "Saldo der Erwartungen")
    assert text(found.charts[0].message) == "3,2\u00a0Saldopunkte, nicht mit 2041 vergleichbar"
    assert text(found.beside[0].groups[0].rows[1][-1].main) == "Bruch in der Reihe"
    assert found.charts[0].groups[0].points[1].breaks


def test_the_first_wave_has_no_change():
    found = report(wave="2041")
    assert "Erste Welle" in text(section(found, "findings").paragraphs[0])
    assert not block(found, "Verschnitt").beside[0].groups[0].rows[1:]
    assert {c.kind for c in block(found, "Verschnitt").charts} == {"groups"}
    assert "benchmark" not in {s.section_id for s in found.sections}


def test_no_n_beside_a_suppressed_value():
    rows = {
        text(row[0].main): row
        for group in block(report(), "Verschnitt").tables[0].groups
        for row in group.rows
    }
    value, n, change, verdict = rows["75 und mehr Beschäftigte"][1:]
    assert (text(value.main), value.sub, text(n.main)) == ("[c]", (), "[c]")
    assert (text(change.main), text(verdict.main)) == ("[z]", "[z]")


def test_a_missing_n_takes_the_symbol_of_its_estimate():
    rows = [r for r in made_up.release_rows() if r["number_id"] != "2043/waste/size=c/n"]
    groups = block(report(rows=rows), "Verschnitt").tables[0].groups
    assert groups[1].rows[2][2].main == (Number("2043/waste/size=c/estimate", "", "[c]"),)


def test_an_indicator_that_was_not_asked_yet_is_not_applicable():
    table = section(report(), "overview").tables[0]
    row = next(r for g in table.groups for r in g.rows if text(r[0].main) == "Erst später gefragt")
    assert [text(cell.main) for cell in row[1:]] == [
        "[z]",
        "[z]",
        "12,5",
        "[z]",
        "neu in dieser Welle",
    ]


def test_many_waves_are_spread_over_tables_of_five():
    row = next(r for r in made_up.release_rows() if r["number_id"] == "2041/waste/all/estimate")
    early = [
        row | {"number_id": f"{wave}/waste/all/estimate", "wave": str(wave)}
        for wave in range(2036, 2041)
    ]
    tables = section(report(rows=early + made_up.release_rows()), "overview").tables
    assert [table.head[1:6] for table in tables] == [
        ("2039", "2040", "2041", "2042", "2043"),
        ("2036", "2037", "2038"),
    ]
    assert "Nachgewiesen?" in tables[0].head
    assert "Nachgewiesen?" not in tables[1].head


def test_the_benchmark_names_group_and_reference_in_the_order_of_the_study():
    found = section(report(language="en"), "benchmark")
    tables = found.blocks[0].tables
    assert tables[0].caption == "1 to 24 employees against other firms"
    assert tables[1].caption.endswith("against without a guild")
    assert [len(table.head) for table in tables] == [4, 5]  # the rest has no value of its own
    assert found.blocks[0].charts == ()
    assert "not treated as independent" in text(found.paragraphs[0])


def test_the_intervals_are_said_not_to_cover_who_answers():
    german = " ".join(facts(report(), "method"))
    assert "nicht von einer Verzerrung dadurch, wer antwortet" in german
    english = " ".join(facts(report(language="en"), "method"))
    assert "not of bias from who answers" in english


def test_every_change_of_a_question_is_said():
    (table,) = section(report(), "changes").tables
    found = [(g.title, [[text(c.main) for c in row] for row in g.rows]) for g in table.groups]
    assert found[1] == (
        "Welle 2042",
        [["Saldo der Erwartungen", "Frage neu gefasst", "Bruch, nicht vergleichbar"]],
    )
    assert [title for title, _ in found] == ["Welle 2043", "Welle 2042"]


def test_all_symbols_are_explained():
    terms = [fact.term for fact in section(report(), "symbols").facts]
    assert terms == ["[c]", "[x]", "[z]", "[u]", "▲", "▼"]


def test_the_chart_of_groups_names_two_differences_at_most():
    pairs = made_up.release_rows()
    base = [r for r in pairs if r["number_id"].startswith("2043/waste/guild=y:n/")]
    extra = [
        r
        | {
            "number_id": r["number_id"].replace("guild=y:n", place),
            "breakdown": "size",
            "group": place[5],
            "reference": place[7:],
        }
        for place in ("size=b:a", "size=c:a")
        for r in base
    ]
    message = text(block(report(rows=pairs + extra), "Verschnitt").charts[1].message)
    assert message.count(" unter ") == 2
    assert message.endswith("und weitere")


def test_every_missing_caption_is_named_at_once():
    wording = Wording("de", made_up.captions(without=[("unit", "waste"), ("group", "guild=n")]))
    assert {p.item for p in wording.missing(made_up.release())} == {"waste", "guild=n"}
    with pytest.raises(RenderError):
        wording.caption("unit", "waste")


def test_a_language_without_fixed_texts_is_refused():
    with pytest.raises(RenderError) as error:
        Wording("fr", made_up.captions())
    assert "de, en" in error.value.problems[0].advice


def test_both_languages_have_the_same_phrases():
    german, english = (Wording(language, made_up.captions()) for language in ("de", "en"))
    assert german._phrases.keys() == english._phrases.keys()
    assert all(german._phrases.values())

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
        "Saldo der Erwartungen",  # -8.0, 15 half-widths of its interval away from zero
        "Verschnitt",  # -0.87, 1.7 half-widths
        "Betriebe mit Weiterbildung",  # +11, 1.6 half-widths
        "Nacharbeit",  # the trend alone is established
        "8. Umsatz je Kopf, ein sehr langer Name für eine Kennzahl",
    ]
    assert text(found[2].sentence) == (
        "Anstieg gegenüber 2042 (Veränderung +11\u00a0Prozentpunkte, Intervall +4 bis +18)."
    )
    assert text(found[3].sentence) == (
        "Anstieg über alle vergleichbaren Wellen: +0,150\u00a0je 100 Stück je Welle, "
        "Intervall +0,014 bis +0,286. Gegenüber 2042 allein nicht nachweisbar."
    )
    assert text(found[4].sentence).startswith("Keine Veränderung gegenüber 2042 nachweisbar")


def test_a_change_that_is_not_significant_is_never_called_a_rise_or_fall():
    rows = [
        r | {"value": 0.0} if r["statistic"].endswith("_significant") and not r["symbol"] else r
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
    value, grade, n, change, verdict = rows["75 und mehr Beschäftigte"][1:]
    assert (text(value.main), value.sub, text(n.main)) == ("[c]", (), "[c]")
    assert text(grade.main) == "[c]"
    assert text(rows["1 bis 24 Beschäftigte"][2].main) == "B"
    assert (text(change.main), text(verdict.main)) == ("[z]", "[z]")


def test_a_missing_n_takes_the_symbol_of_its_estimate():
    rows = [r for r in made_up.release_rows() if r["number_id"] != "2043/waste/size=c/n"]
    groups = block(report(rows=rows), "Verschnitt").tables[0].groups
    assert groups[1].rows[2][3].main == (Number("2043/waste/size=c/estimate", "", "[c]"),)


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
    tables = section(report(rows=early + made_up.release_rows()), "overview").tables[:2]
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
    # the rest has no value of its own; the guild is also compared at the same composition
    assert [len(table.head) for table in tables] == [4, 6]
    assert found.blocks[0].charts == ()
    assert "not treated as independent" in text(found.paragraphs[0])


def test_the_intervals_are_said_not_to_cover_who_answers():
    german = " ".join(facts(report(), "method"))
    assert "nicht von einer Verzerrung dadurch, wer antwortet" in german
    english = " ".join(facts(report(language="en"), "method"))
    assert "not of bias from who answers" in english
    for language, said in (("de", "nicht von einer Verzerrung"), ("en", "not of bias from who")):
        paragraphs = section(report(language=language), "response").paragraphs
        assert any(said in text(line) for line in paragraphs)


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
    assert terms == ["[c]", "[x]", "[z]", "[u]", "▲", "▼", "Güte A", "Güte B", "Güte C"]


def test_the_chart_of_groups_names_two_differences_at_most():
    pairs = [r for r in made_up.release_rows() if not r["statistic"].startswith("adjusted")]
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


def cells(table, label):
    rows = (row for group in table.groups for row in group.rows)
    return next(row for row in rows if text(row[0].main) == label)[1:]


def shown(table, label):
    return [text(cell.main) for cell in cells(table, label)]


def test_trend_and_precision_stand_in_the_overview():
    _, table = section(report(), "overview").tables
    assert table.head == ("Kennzahl", "Trend je Welle", "Nachgewiesen?", "Nachweisbar ab", "Güte")
    # (4.61 - 6.12) / 2 = -0.755; what can be detected has no sign
    assert shown(table, "Verschnitt") == ["−0,755", "▼ Rückgang", "1,00", "B"]
    assert text(cells(table, "Verschnitt")[0].sub) == "−0,939 bis −0,571"
    assert shown(table, "Saldo der Erwartungen")[:2] == ["[z]", "[z]"]
    assert shown(table, "Erst später gefragt") == ["[z]", "[z]", "[z]", "B"]


def test_without_three_waves_only_the_precision_is_told():
    rows = [r for r in made_up.release_rows() if not r["statistic"].startswith("trend")]
    _, table = section(report(rows=rows), "overview").tables
    assert table.head == ("Kennzahl", "Nachweisbar ab", "Güte")
    assert "mindestens drei" not in text(table.note)
    assert "Trend" not in {fact.term for fact in section(report(rows=rows), "method").facts}
    rows = [r for r in rows if r["statistic"] != "change_detectable"]
    assert len(section(report(rows=rows), "overview").tables) == 1


def test_means_of_two_waves_stand_in_a_folded_table():
    _, table = block(report(), "Verschnitt").tables
    assert table.folded
    assert table.caption == "Verschnitt nach Gruppen, Mittel aus 2042 und 2043"
    assert [group.title for group in table.groups] == ["Betriebsgröße"]
    value, mean, grade, answers = cells(table, "1 bis 24 Beschäftigte")
    # 1.16 * (4.61 + 5.48) / 2 = 5.85, and 2 * 71 - 5 = 137 answers
    assert [text(c.main) for c in (value, mean, grade, answers)] == ["5,35", "5,85", "B", "137"]
    # 5.85 +- 0.7 * (1.1 * 5.85 / sqrt(71) + 0.01) = 5.85 +- 0.54
    assert text(mean.sub) == "5,31 bis 6,39"
    assert len(block(report(), "Nacharbeit").tables) == 1


def test_response_tells_how_alike_those_who_answered_are():
    found = section(report(), "response")
    # 2043: 74 + 6, and the size is the column with the largest part
    assert "Für Welle 2043 sind es 80, Intervall 67 bis 93." in text(found.paragraphs[1])
    assert text(found.paragraphs[1]).endswith("die Beteiligung nach: Betriebsgröße.")
    _, waves, columns = found.tables[:3]
    assert shown(waves, "2041") == ["74", "1,21", "0,61", "3,87"]
    assert [text(row[0].main) for row in columns.groups[0].rows] == ["Betriebsgröße", "Innung"]
    assert [text(row[1].main) for row in columns.groups[0].rows] == ["6,4", "2,5"]


def test_a_study_that_compares_no_columns_tells_no_likeness():
    rows = [
        r
        for r in made_up.release_rows()
        if r["statistic"] != "partial"
        and not (r["indicator"] == "representativity" and "ci" in r["statistic"])
        and not (r["indicator"] == "representativity" and r["statistic"] == "estimate")
    ]
    found = section(report(rows=rows), "response")
    assert len(found.paragraphs) == 2
    assert [table.caption for table in found.tables][1] == "Rücklauf nach Gruppen, Welle 2043"


def test_a_benchmark_is_judged_at_the_same_composition_where_that_is_known():
    _, table = section(report(), "benchmark").blocks[0].tables
    # of the guild itself nothing can be made alike, so the size alone is named
    assert "nach Betriebsgröße so zusammengesetzt" in text(table.note)
    raw, adjusted, verdict = cells(table, "Betriebe mit Weiterbildung")[2:]
    assert text(adjusted.main) == "▲ +22"
    assert (text(verdict.main), verdict.sub) == ("▲ höher", ())
    raw, adjusted, verdict = cells(table, "Saldo der Erwartungen (Saldopunkte)")[2:]
    assert (text(raw.main), text(adjusted.main)) == ("−1,0", "[x]")
    assert (text(verdict.main), text(verdict.sub)) == ("nicht nachgewiesen", "ohne Ausgleich")
    # waste is lower as it is, but not at the same composition
    raw, adjusted, verdict = cells(table, "Verschnitt (je 100 Stück)")[2:]
    assert text(raw.main)[0] == "▼"
    assert text(verdict.main) == "nicht nachgewiesen"


def test_the_title_of_the_groups_says_what_was_compared():
    message = text(block(report(), "Betriebe mit Weiterbildung").charts[1].message)
    assert message.startswith(
        "Unterschied bei gleicher Zusammensetzung nachgewiesen: in der Innung"
    )
    assert "ohne Innung" not in text(block(report(), "Verschnitt").charts[1].message)


def test_a_grade_needs_its_limits():
    wording = Wording("de", made_up.captions(without=[("quality", "points")]))
    assert {p.item for p in wording.missing(made_up.release())} == {"points"}
    limits = Wording("de", made_up.captions()).limits("points")
    assert limits == ("7,5", "15", "30")


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

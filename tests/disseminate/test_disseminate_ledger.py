"""A number that is not in the Release cannot be printed: every digit of a real report, both ways.

The reports are those of the small study, by a run from its exports. Figures are written here once
more, by other means than the renderers'.
"""

import csv
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from pages import Page
from pypdf import PdfReader

from pipeline.collect import read_settings
from pipeline.disseminate import render_reports
from pipeline.disseminate.figures import local_date
from pipeline.disseminate.wording import Wording
from pipeline.run import Run
from pipeline.study import captions, read_study
from pipeline.tables import Release
from pipeline.wave import run_wave

SMALL = Path(__file__).resolve().parents[1] / "studies" / "small"
WAVE, WAVES = "2023", ("2021", "2022", "2023")
LANGUAGES = pytest.mark.parametrize("language", ["de", "en"])
SAID = ("aria-label", "title", "alt", "summary", "placeholder", "aria-description")
"""Attributes that are read out or shown; those of drawings are coordinates, see the last tests."""
LEVELS = r"95[\s\u202f]?%|95-%|\b5[\s\u202f]?%|\b100\b"
"""Levels of intervals and tests, the end of a scale: words of the method, no results."""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return read_study(shutil.copytree(SMALL, tmp_path_factory.mktemp("ledger") / "small"))


@pytest.fixture(scope="module")
def release(study):
    return run_wave(study, WAVE, Run()).numbers


@pytest.fixture(scope="module")
def texts(study):
    waves = read_settings(study.raw, until=WAVE).items()
    fields = {wave: settings.field_period for wave, settings in waves if settings.field_period}
    return captions(study, fields, wave=WAVE)


@pytest.fixture(scope="module")
def sources(study, release):
    """The pages as they lie in the folder of the reports."""
    folder = study.reports / WAVE
    return {n: (folder / f"report.{n}.html").read_text(encoding="utf-8") for n in ("de", "en")}


def written(row, language):
    """All that a row of the Release may look like: a symbol, or the value with its decimals."""
    if row["symbol"]:
        return {f"[{row['symbol']}]"}
    text = f"{abs(row['value']):,.{row['decimals']}f}"
    if language == "de":
        text = text.translate({ord(","): ".", ord("."): ","})
    is_zero = not re.search("[1-9]", text)
    if row["value"] < 0 and not is_zero:
        return {f"\N{MINUS SIGN}{text}"}
    return {text} if is_zero else {text, f"+{text}"}


def strays(source, release, texts, language):
    """What stands on a page as a figure and is none of the Release: ids with texts, and the rest.

    Structural are: ticks of axes (class `scale`), names of waves, the texts of the study (names of
    groups, dates of the field work), the limits of the grades and the levels of the tests, which
    are settings.
    """
    page = Page(source)
    rows = release.set_index("number_id").to_dict("index")
    wrong = [
        (identity, text)
        for identity, text in page.numbers()
        if identity not in rows or text not in written(rows[identity], language)
    ]
    for element in page.all("data"):
        row = rows.get(element.attributes["data-number"], {"symbol": "c"})
        plain = "" if row["symbol"] else f"{row['value']:z.{row['decimals']}f}"
        if element.attributes["value"] != plain:
            wrong.append((element.attributes["data-number"], element.attributes["value"]))
    said = [e.attributes[name] for e in page.elements for name in SAID if name in e.attributes]
    said += [text for element, text in page.runs if element.tag in {"title", "desc", "metadata"}]
    return wrong + loose(" ".join([page.words(), *said]), texts, language)


def loose(left, texts, language):
    """Numbers of a text that are not structural."""
    wording = Wording(language, texts)
    printed = ~texts["kind"].isin(["limit", "quality"])  # plain numbers for other pages
    own = texts.loc[(texts["language"] == language) & printed, ["kind", "text"]]
    known = [t for t in own["text"] if re.search(r"\d", t)]
    limits = zip("ABC", wording.limits("points"), wording.limits("percent"), strict=True)
    known += [wording.word(f"symbols.{g}", points=p, percent=c) for g, p, c in limits]
    days = own.loc[own["kind"] == "field", "text"].str.split("/").explode()
    known += [local_date(day, language) for day in days]
    left = re.sub(r"\s+", " ", left)
    for text in sorted((re.sub(r"\s+", " ", t) for t in known), key=len, reverse=True):
        left = left.replace(text, " ")
    left = re.sub(LEVELS, " ", re.sub("|".join(WAVES), " ", left))
    return re.findall(r".{0,20}\d[\d.,]*.{0,20}", left)


@LANGUAGES
def test_every_figure_of_a_report_is_in_the_release(sources, release, texts, language):
    assert len(Page(sources[language]).numbers()) > 500
    assert strays(sources[language], release, texts, language) == []


def first_number(source):
    """The first printed value: the text of its mark-up, its id and its text."""
    pattern = r'<data class="num" data-number="([^"]+)" value="([^"]+)">([^<\[]+)</data>'
    found = re.search(pattern, source)
    return found[0], found[1], found[3]


MUTATIONS = {
    "another figure": lambda mark, text: mark.replace(f">{text}<", ">987<"),
    "one more digit": lambda mark, text: mark.replace(f">{text}<", f">{text}.3<"),
    "the exact value as data": lambda mark, _: re.sub(r'value="[^"]+"', 'value="12.3456"', mark),
    "an id that was not released": lambda mark, _: mark.replace("/all/", "/r_band=T/"),
    "a figure without an id": lambda mark, _: mark + " and 987 firms",
    "a figure read aloud": lambda mark, _: f'<span aria-label="987 firms">{mark}</span>',
    "a figure in a tooltip": lambda mark, _: f"<svg><title>n = 7</title></svg>{mark}",
}


@LANGUAGES
@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_number_from_elsewhere_would_be_found(sources, release, texts, language, mutation):
    mark, _, text = first_number(sources[language])
    mutated = sources[language].replace(mark, MUTATIONS[mutation](mark, text), 1)
    assert mutated != sources[language]
    assert strays(mutated, release, texts, language) != []


def render(release, texts, folder, languages=("en",)):
    folder.mkdir()
    render_reports(Release.validate(release), texts, folder, wave=WAVE, languages=languages)
    return folder


CHANGED = [
    "2023/i_trains/all/estimate",  # a headline, a chart, tables
    "2022/i_trains/all/ci_low",  # the whisker of a chart, a table
    "2023/i_trains/r_field=M/n",
    "2023/i_trains/all/change_high",
]


@pytest.mark.parametrize("identity", CHANGED)
def test_another_value_in_the_release_is_another_page(sources, release, texts, tmp_path, identity):
    changed = release.copy()
    at = changed.index[changed["number_id"] == identity]
    assert (changed.loc[at, "symbol"] == "").all()
    assert len(at) == 1
    changed.loc[at, "value"] += 1
    folder = render(changed, texts, tmp_path / "changed")
    page = (folder / "report.en.html").read_text(encoding="utf-8")
    assert strays(page, changed, texts, "en") == []
    found = strays(page, release, texts, "en")
    assert {stray[0] for stray in found} == {identity}
    assert f"{identity}," in (folder / "release.csv").read_text(encoding="utf-8")


def as_published(folder):
    """The Release as a reader of release.csv has it."""
    with (folder / "release.csv").open(encoding="utf-8", newline="") as file:
        table = pd.DataFrame(list(csv.DictReader(file)))
    shown = table["symbol"] == ""
    table["value"] = table["value"].where(shown, "nan").astype(float)
    return table.assign(decimals=table["decimals"].astype("int64"))


def test_nothing_behind_the_printed_digits_is_in_the_files(study, release, texts, tmp_path):
    """Coordinates, lengths and the PDF: from the numbers that readers have, the same bytes."""
    published = study.reports / WAVE
    folder = render(as_published(published), texts, tmp_path / "again", ("de", "en"))
    assert len(release) == len(as_published(published))
    for path in sorted(published.iterdir()):
        assert (folder / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_coordinate_follows_its_number(sources, release, texts, tmp_path):
    """So the test before this one says something about coordinates."""
    changed = release.copy()
    changed.loc[changed["number_id"] == "2022/i_trains/all/ci_low", "value"] -= 5
    folder = render(changed, texts, tmp_path / "changed")
    page = (folder / "report.en.html").read_text(encoding="utf-8")
    lines = [re.findall(r"<line [^>]+>", source) for source in (sources["en"], page)]
    assert len(lines[0]) == len(lines[1]) > 100
    assert 1 <= sum(a != b for a, b in zip(*lines, strict=True)) < 20


@LANGUAGES
def test_the_pdf_has_no_figure_that_the_page_has_not(study, sources, texts, language):
    """But its page numbers; and no attached file."""
    reader = PdfReader(study.reports / WAVE / f"report.{language}.pdf")
    assert dict(reader.attachments) == {}
    page = Page(sources[language])
    shown = " ".join(text for element, text in page.runs if element.tag != "style")
    token = r"\d(?:[\d.,]*\d)?"
    known = set(re.findall(token, shown)) | {str(n + 1) for n in range(len(reader.pages))}
    own = texts.loc[texts["language"] == language, "text"]
    known |= {found for text in own for found in re.findall(token, text)}
    for number in reader.pages:
        # Labels of axes that stand close together are one word to the reader of the PDF.
        words = re.sub("|".join(WAVES), " ", number.extract_text())
        assert set(re.findall(token, words)) <= known

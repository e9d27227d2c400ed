import csv
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from base64 import b64encode
from itertools import pairwise
from pathlib import Path

import made_up_release as made_up
import pytest
from pages import Page
from pypdf import PdfReader

import pipeline
from pipeline.disseminate.figures import Figures, local_date
from pipeline.disseminate.report import render_reports
from pipeline.disseminate.wording import Wording
from pipeline.errors import RenderError

LANGUAGES = pytest.mark.parametrize("language", made_up.LANGUAGES)
TEXTS = Path(pipeline.__file__).parent / "disseminate" / "texts"


@pytest.fixture(scope="session")
def pages(reports):
    return {
        language: Page((reports / f"report.{language}.html").read_text(encoding="utf-8"))
        for language in made_up.LANGUAGES
    }


def plain(text):
    return re.sub(r"\s+", " ", text)


def captions_of(language):
    table = made_up.captions()
    return table.loc[table["language"] == language, ["kind", "text"]]


def test_the_files_of_a_wave_are_written(reports):
    assert sorted(path.name for path in reports.iterdir()) == [
        "release.csv",
        "report.de.html",
        "report.de.pdf",
        "report.en.html",
        "report.en.pdf",
    ]


@LANGUAGES
def test_every_printed_number_is_the_published_one(pages, language):
    figures = Figures(made_up.release(), made_up.WAVE, language)
    numbers = pages[language].numbers()
    assert len(numbers) > 400
    for identity, text in numbers:
        assert figures.number(*identity.split("/")).text == text


@LANGUAGES
def test_charts_print_published_numbers_too(pages, language):
    texts = [e for e in pages[language].all("text") if "data-number" in e.attributes]
    assert len(texts) > 50


@LANGUAGES
def test_no_other_number_is_printed(pages, language):
    page = pages[language]
    texts = [e.attributes["aria-label"] for e in page.elements if "aria-label" in e.attributes]
    left = plain(" ".join([page.words(), *texts]))
    wording = Wording(language, made_up.captions())
    limits = zip("ABC", wording.limits("points"), wording.limits("percent"), strict=True)
    known = [plain(t) for t in captions_of(language)["text"] if re.search(r"\d", t)]
    known += [plain(wording.word(f"symbols.{g}", points=p, percent=c)) for g, p, c in limits]
    known += [local_date(day, language) for day in ("2043-02-01", "2043-04-30")]
    for text in sorted(known, key=len, reverse=True):
        left = left.replace(text, "")
    left = re.sub("|".join(made_up.WAVES), "", left)
    # no results either: the levels of intervals and tests, and the end of a scale
    left = re.sub(r"95 ?%|95-%|\b5 ?%|\b100\b", "", left)
    assert re.findall(r".{0,30}\d.{0,30}", left) == []


@LANGUAGES
def test_the_page_can_be_read_aloud(pages, language):
    page = pages[language]
    assert page.all("html")[0].attributes["lang"] == language
    levels = [int(e.tag[1]) for e in page.elements if re.fullmatch(r"h\d", e.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(page.all("caption")) == len(page.all("table")) > 10
    assert all("scope" in e.attributes for e in page.all("th"))
    charts = page.all("svg")
    assert len(charts) > 8
    assert all(e.attributes["role"] == "img" and e.attributes["aria-label"] for e in charts)
    names = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    assert len(names) == len(set(names))
    targets = [e.attributes["href"][1:] for e in page.all("a")]
    assert set(targets) <= set(names)


@LANGUAGES
def test_the_page_is_alone_and_runs_nothing(reports, pages, language):
    source = (reports / f"report.{language}.html").read_text(encoding="utf-8")
    page = pages[language]
    assert page.all("script") == []
    assert not any(name.startswith("on") for e in page.elements for name in e.attributes)
    assert not any("style" in e.attributes for e in page.elements)
    assert set(re.findall(r"https?://[^\s\"')]+", source)) == {"http://www.w3.org/2000/svg"}
    policy = page.all("meta")[1].attributes["content"]
    digest = b64encode(hashlib.sha256(page.all("style")[0].text.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@LANGUAGES
def test_hostile_text_stays_text(reports, pages, language):
    assert made_up.HOSTILE in pages[language].words()
    printed = plain(pdf_text(reports, language))
    assert made_up.HOSTILE.split(" $")[0] in printed
    assert "8. " in printed


@LANGUAGES
def test_languages_are_not_mixed(reports, pages, language):
    other = "en" if language == "de" else "de"
    own = set(captions_of(language)["text"])
    foreign = [t for t in captions_of(other)["text"] if t not in own and len(t) > 6]
    phrases = tomllib.loads((TEXTS / f"{other}.toml").read_text(encoding="utf-8"))
    foreign += [t for t in phrases["section"].values() if t != "Imprint"]
    everything = pages[language].words() + plain(pdf_text(reports, language))
    assert [text for text in foreign if text in everything] == []


def test_per_cent_signs_stand_as_the_language_wants_them(pages):
    words = " ".join(text for element, text in pages["de"].runs if element.tag != "style")
    assert "95\u202f%" in words
    assert not re.search(r"\d%", words)


def test_the_numbers_are_published_as_a_file(reports, pages):
    with (reports / "release.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["number_id"]: row for row in csv.DictReader(file)}
    assert len(rows) == len(made_up.release_rows())
    assert rows["2043/rework/all/estimate"]["value"] == "3.40"
    assert rows["2043/waste/size=c/n"]["value"] == "[c]"
    assert rows["2043/waste/guild=y:n/difference"]["reference"] == "n"
    printed = {identity for page in pages.values() for identity, _ in page.numbers()}
    assert printed <= rows.keys()


def pdf_text(reports, language):
    reader = PdfReader(reports / f"report.{language}.pdf")
    return "\n".join(page.extract_text() for page in reader.pages)


@LANGUAGES
def test_the_pdf_is_tagged(reports, language):
    reader = PdfReader(reports / f"report.{language}.pdf")
    root = reader.trailer["/Root"]
    assert root["/Lang"] == language
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert "<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_object().get_data().decode()
    assert reader.metadata.title.endswith(made_up.WAVE)
    roles, alts = structure(root["/StructTreeRoot"])
    assert {"/H1", "/H2", "/H3", "/Table", "/TH", "/TD", "/Figure", "/TOC"} <= set(roles)
    assert roles.count("/Figure") == len(alts) > 8


def structure(node):
    """Roles of all elements below a node, and the alternative texts of figures."""
    roles, alts, todo = [], [], [node.get_object()]
    while todo:
        element = todo.pop()
        if not hasattr(element, "get"):
            continue
        roles.append(element.get("/S"))
        if element.get("/S") == "/Figure":
            alts.append(element["/Alt"])
        children = element.get("/K", [])
        todo += [c.get_object() for c in (children if isinstance(children, list) else [children])]
    return roles, alts


def fonts_of(page):
    """Names of all fonts of a page, also of those in its drawings."""
    names, todo = set(), [page["/Resources"].get_object()]
    while todo:
        resources = todo.pop()
        fonts = resources["/Font"].get_object() if "/Font" in resources else {}
        names |= {font.get_object()["/BaseFont"].partition("+")[2] for font in fonts.values()}
        forms = resources["/XObject"].get_object().values() if "/XObject" in resources else ()
        todo += [
            f.get_object()["/Resources"].get_object()
            for f in forms
            if "/Resources" in f.get_object()
        ]
    return names


def test_the_pdf_has_one_typeface(reports):
    names = set()
    for page in PdfReader(reports / "report.de.pdf").pages:
        names |= fonts_of(page)
    assert names == {"SourceSansPro-Regular", "SourceSansPro-Semibold"}


def test_the_pdf_prints_the_same_numbers(reports, pages):
    printed = re.sub(r"\s", "", pdf_text(reports, "de"))
    data = [e for e in pages["de"].all("data") if not e.inside(**{"class": "scale"})]
    missing = {e.text for e in data if re.sub(r"\s", "", e.text) not in printed}
    assert missing == set()


def test_a_character_without_a_glyph_stops_the_report(tmp_path):
    captions = made_up.captions()
    captions.loc[captions["key"] == "publisher", "text"] = "Amt 字"
    with pytest.raises(RenderError, match="字"):
        render_reports(made_up.release(), captions, tmp_path, wave="2041", languages=["de"])
    assert list(tmp_path.iterdir()) == []


def test_missing_texts_of_all_languages_are_named(tmp_path):
    captions = made_up.captions(without=[("unit", "waste"), ("study", "title")])
    with pytest.raises(RenderError) as error:
        render_reports(
            made_up.release(), captions, tmp_path, wave="2043", languages=made_up.LANGUAGES
        )
    assert len(error.value.problems) == 4


def test_the_first_wave_can_be_reported(tmp_path):
    paths = render_reports(
        made_up.release(), made_up.captions(), tmp_path, wave="2041", languages=["en"]
    )
    assert [path.name for path in paths] == ["release.csv", "report.en.html", "report.en.pdf"]
    assert "2042" not in (tmp_path / "release.csv").read_text(encoding="utf-8")


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import made_up_release as made_up
from pipeline.disseminate.report import render_reports
release = made_up.release(made_up.release_rows()[::-1])
render_reports(release, made_up.captions(), Path(sys.argv[2]), wave="2043", languages=["de"])
"""


def test_same_bytes_in_another_process(reports, tmp_path):
    environment = os.environ | {
        "PYTHONHASHSEED": "4711",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(Path(pipeline.__file__).parents[1]),
        "TZ": "Pacific/Kiritimati",
        "LC_ALL": "C",
    }
    out = tmp_path / "out"
    out.mkdir()
    here = str(Path(__file__).parent)
    subprocess.run([sys.executable, "-c", SCRIPT, here, str(out)], env=environment, check=True)
    for path in out.iterdir():
        assert path.read_bytes() == (reports / path.name).read_bytes(), path.name


MEASURE = (
    "<script>parent.postMessage([innerWidth, document.documentElement.scrollWidth].join(' '), '*')"
    "</script></body>"
)
PHONE = (
    "<!doctype html><title>-</title><iframe width='390' height='800' src='page.html'></iframe>"
    "<script>onmessage = event => document.title = event.data</script>"
)


@pytest.mark.browser
def test_the_page_fits_a_phone_without_an_error(reports, tmp_path):
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if not browser:
        pytest.skip("no Chromium on this machine")
    source = (reports / "report.de.html").read_text(encoding="utf-8")
    # the page itself cannot run a script, so a copy without its policy measures the layout
    free = re.sub(r'<meta http-equiv="Content-Security-Policy".*?>', "", source)
    (tmp_path / "page.html").write_text(free.replace("</body>", MEASURE), encoding="utf-8")
    (tmp_path / "phone.html").write_text(PHONE, encoding="utf-8")
    measured = visit(browser, tmp_path / "phone.html", tmp_path / "one").stdout
    window, width = re.search(r"<title>(\d+) (\d+)</title>", measured).groups()
    assert int(window) in range(370, 391)
    assert int(width) <= int(window)
    assert "CONSOLE" not in visit(browser, reports / "report.de.html", tmp_path / "two").stderr


def visit(browser, page, profile):
    options = (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--enable-logging=stderr",
        f"--user-data-dir={profile}",
    )
    return subprocess.run(
        [browser, *options, "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )

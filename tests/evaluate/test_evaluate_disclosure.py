"""The analyst's disclosure page: what it says, what it must not contain, how it is made."""

import re
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import RenderError
from pipeline.evaluate import render_disclosure
from pipeline.evaluate.tallies import cells_of, tally
from pipeline.tables import Captions, Clearance, Proposals, Suppressions
from pipeline.tables.disclosure import ClearanceRule, Protected

TEXTS = Path(__file__).resolve().parents[2] / "pipeline" / "evaluate" / "texts"
NAN = float("nan")


def as_contract(model, *rows):
    types = model.empty().dtypes.to_dict()
    return model.validate(pd.DataFrame(rows, columns=list(types)).astype(types))


CELLS = [
    # indicator, breakdown, group, contributors, rule
    ("pay", "all", "all", 20, ""),
    ("pay", "size", "1", 9, "secondary"),
    ("pay", "size", "2", 8, ""),
    ("pay", "size", "3", 3, "min_contributors"),
    ("pay", "size", "4", 0, "min_contributors"),
    ("use", "all", "all", 20, ""),
    ("use", "size", "1", 9, ""),
    ("use", "size", "2", 8, ""),
    ("use", "size", "3", 3, ""),
    ("use", "size", "4", 0, "min_contributors"),
    ("both", "all", "all", 20, ""),
    ("both", "size", "1", 9, "part"),
    ("both", "size", "2", 8, ""),
    ("both", "size", "3", 3, "part"),
    ("both", "size", "4", 0, "part"),
]
CLEARANCE = as_contract(Clearance, *(("w2", *cell, 1.0) for cell in CELLS), ("w1", *CELLS[0], 1.0))
SUPPRESSIONS = as_contract(
    Suppressions,
    ("w2", "both", "size", "1", "part", 9, "indicator", "pay", ""),
    ("w2", "both", "size", "3", "part", 3, "indicator", "pay", ""),
    ("w2", "both", "size", "4", "part", 0, "indicator", "pay", ""),
    ("w2", "both", "size", "4", "part", 0, "indicator", "use", ""),
    ("w2", "pay", "size", "1", "secondary", 9, "rest", "all=all", "size=1 size=2"),
    ("w2", "pay", "size", "3", "min_contributors", 3, "contributor", "F-1 F-2", ""),
    ("w2", "pay", "size", "3", "min_contributors", 3, "contributor", "F-7", ""),
    ("w2", "pay", "size", "3", "min_contributors", 3, "contributor", "F-9", ""),
    ("w2", "pay", "size", "4", "min_contributors", 0, "nobody", "", ""),
    ("w2", "use", "size", "4", "min_contributors", 0, "nobody", "", ""),
)
PROPOSALS = as_contract(
    Proposals,
    ("w2", "", "", "", 12, 2, 4, 0.7),
    ("w2", "size", "1", "2", 9, 2, NAN, NAN),
    ("w2", "size", "2", "3", 9, 0, 0, 1),
)
GROUPS = {"1": "<small>", "2": "medium", "3": "large, or larger", "4": "none"}
CAPTIONS = as_contract(
    Captions,
    ("en", "study", "title", "A study"),
    ("en", "breakdown", "size", "Size"),
    *(("en", "group", f"size={code}", label) for code, label in GROUPS.items()),
    ("en", "column", "size", "Size"),
    ("en", "indicator", "pay", "Pay & rations"),
    ("en", "indicator", "both", "Both"),
    ("en", "indicator", "use", "Use"),
    ("en", "limit", "min_contributors", "4"),
    ("en", "limit", "min_contributors_high", "7"),
    ("en", "limit", "dominance_firms", "2"),
    ("en", "limit", "dominance_percent", "85"),
)


def render(captions=CAPTIONS, clearance=CLEARANCE, proposals=PROPOSALS, suppressions=SUPPRESSIONS):
    return render_disclosure(clearance, suppressions, proposals, captions, language="en")


class Page(HTMLParser):
    """The text of a page, the rows of its tables, its tags with attributes."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.rows, self.texts = [], [], []
        self.in_row = False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.in_row = True
            self.rows.append([])
        elif tag in {"th", "td"}:
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        self.in_row = self.in_row and tag != "tr"

    def handle_data(self, data):
        if not self.tags or self.tags[-1][0] == "style":
            return
        self.texts.append(data)
        if self.in_row and self.rows[-1]:
            self.rows[-1][-1] += data.strip()

    def rows_of(self, *heads):
        return [row for row in self.rows if row and row[0] in heads]


def test_each_suppressed_cell_with_its_rule_and_whom_it_protects():
    rows = Page(render()).rows
    assert ["<small>", "secondary", "9", "all firms without <small> and medium"] in rows
    few = "F-1\N{NO-BREAK SPACE}+ F-2 (one enterprise), F-7 and F-9"
    assert ["large, or larger", "too few", "3", few] in rows
    assert ["large, or larger", "part", "3", "Pay & rations, suppressed there"] in rows
    assert not [row for row in rows if row and row[0] == "none"]  # nobody answered


def test_rules_are_explained_with_their_thresholds():
    text = " ".join(Page(render()).texts)
    assert "Fewer than 4 contributions (7 where an item is highly sensitive)" in text


def test_a_group_closed_by_the_audit_names_whom_it_would_give_away():
    audited = SUPPRESSIONS.rule == "secondary"
    rows = SUPPRESSIONS.assign(
        rule=SUPPRESSIONS.rule.mask(audited, "attack"),
        protected=SUPPRESSIONS.protected.mask(audited, "contributor"),
        protects=SUPPRESSIONS.protects.mask(audited, "F-8"),
    )
    attacked = CLEARANCE.assign(rule=CLEARANCE.rule.replace("secondary", "attack"))
    page = Page(render(clearance=attacked, suppressions=rows))
    (row,) = [row for row in page.rows if row[1:2] == ["attack"]]
    assert (row[0], row[3]) == ("<small>", "F-8")


def test_cells_are_counted_with_and_without_what_protects_others():
    # 12 cells with an answer, 8 published; the primary rules alone close pay in 3, and so both.
    cells = cells_of(CLEARANCE, SUPPRESSIONS)
    found = tally(cells)
    assert (found.cells, found.published, found.primary_cells) == (12, 8, 10)
    assert dict(found.by_rule) == {"min_contributors": 1, "secondary": 1, "part": 2}
    # 3 * 40 contributors; less 9 + 3 twice; the primary rules alone less 3 twice.
    assert (found.answers, found.seen, found.primary_seen) == (120, 96, 114)
    kept = Page(render()).rows_of("Together")[-1]
    assert kept == ["Together", "66.7%", "83.3%", "80.0%", "95.0%"]


def test_proposals_say_what_is_lost_too():
    page = Page(render())
    text = " ".join("".join(page.texts).split())
    assert ["as it is, without the audit", "12", "4", "", "8", "", "70.0%"] in page.rows
    assert "2 merges were judged by the primary rules, the 1 most promising" in text
    said = "More cells than today: Size: medium + large, or larger. 4 suppressed cells fewer, 1"
    assert said in text
    row = ["Sizemedium + large, or larger", "9", "0", "\N{MINUS SIGN}4", "9", "+1", "100.0%"]
    assert row in page.rows
    fewer = PROPOSALS.assign(cells=[12, 9, 7])
    text = " ".join("".join(Page(render(proposals=fewer)).texts).split())
    assert "No merge that was worked through publishes more cells than today" in text
    text = " ".join("".join(Page(render(proposals=PROPOSALS[:1])).texts).split())
    assert "there is no proposal" in text


def test_the_page_is_one_file_without_script_in_the_study_s_language():
    page = render()
    tags = Page(page).tags
    assert ("html", {"lang": "en"}) in tags
    names = {name for name, _ in tags}
    assert not names & {"script", "link", "img", "iframe", "form", "object"}
    assert not {key for _, attributes in tags for key in attributes} & {"style", "src", "onclick"}
    assert "http:" not in page
    assert "https:" not in page
    policy = next(a["content"] for name, a in tags if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    for name, attributes in tags:
        if name == "th":
            assert attributes["scope"] in {"col", "row", "rowgroup"}
    anchors = {a["href"][1:] for name, a in tags if name == "a"}
    assert anchors <= {a.get("id") for _, a in tags}


def test_what_is_filtered_is_in_the_tables():
    page = render()
    boxes = [a["id"] for name, a in Page(page).tags if name == "input"]
    assert boxes == ["rule-min_contributors", "rule-secondary", "rule-part", "by-1"]
    for box in boxes:
        assert f"body:has(#{box}:not(:checked)) .{box}" in page
        assert f'class="{box}"' in page


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_rule_and_protection_has_its_words(language):
    texts = tomllib.loads((TEXTS / f"{language}.toml").read_text(encoding="utf-8"))
    for rule in filter(None, get_args(ClearanceRule)):
        assert set(texts[f"rule_{rule}"]) == {"name", "text"}
    assert {*get_args(Protected)} - {"contributor"} <= set(texts["protects"])


def test_both_languages_have_the_same_words():
    one, other = (
        tomllib.loads((TEXTS / f"{language}.toml").read_text(encoding="utf-8"))
        for language in ("de", "en")
    )
    assert {k: list(v) for k, v in one.items()} == {k: list(v) for k, v in other.items()}
    for section, texts in one.items():
        for name, text in texts.items():
            gaps = re.findall(r"{(\w+)}", text)
            assert sorted(gaps) == sorted(re.findall(r"{(\w+)}", other[section][name])), name


def test_missing_texts_are_said_all_at_once():
    with pytest.raises(RenderError) as refusal:
        render(CAPTIONS[~CAPTIONS["key"].isin(["use", "size=2"])])
    assert [problem.item for problem in refusal.value.problems] == ["size=2", "use"]


@pytest.fixture
def processed(example):
    """What the example's run made of its newest wave."""
    return example / "data/processed/1989"


def numbers_in(text):
    """Every number of a text, without separators, as its digits."""
    found = re.findall(r"\d[\d.,\u00a0\u202f]*", text)
    return {re.sub(r"\D", "", number).strip("0") for number in found}


def test_no_figure_of_any_firm_is_on_the_page(processed):
    """Counts have up to three digits; so has no longer number of the page been contributed."""
    page = (processed / "disclosure.html").read_text(encoding="utf-8")
    table = pd.read_parquet(processed / "contributions.parquet")
    firms = set(table["firm_id"])
    text = re.sub("|".join(sorted(firms)), "", "\n".join(Page(page).texts))
    columns = [table[c] for c in ("numerator", "denominator")]
    columns += [table["weight"] * column for column in columns] + [table["weight"]]
    values = np.unique(np.abs(np.concatenate(columns)))
    told = {f"{value:.{places}f}" for value in values for places in (0, 1, 2, 6)}
    told = {re.sub(r"\D", "", number).strip("0") for number in told}
    long = {number for number in numbers_in(text) if len(number) > 3}
    allowed = {"1989"}  # the wave
    assert len(told) > 500
    assert not (long - allowed) & told


def test_the_tables_of_the_page_hold_no_figures(processed):
    """Nothing but names, counts of contributors and of cells, and shares of them."""
    numbers = Suppressions.to_schema().columns
    assert [name for name, c in numbers.items() if "str" not in str(c.dtype)] == ["contributors"]
    proposals = pd.read_parquet(processed / "proposals.parquet")
    assert proposals["cells"].iloc[0] > 20
    closed = pd.read_parquet(processed / "suppressions.parquet")
    clearance = pd.read_parquet(processed / "clearance.parquet")
    newest = clearance[(clearance["wave"] == "1989") & (clearance["rule"] != "")]
    cell = ["indicator", "breakdown", "group"]
    assert len(closed[cell].drop_duplicates()) == len(newest) > 0


def test_the_page_is_not_among_the_reports(example):
    assert not list((example / "reports").rglob("disclosure*"))

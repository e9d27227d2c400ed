"""The analyst's disclosure page: what is not published, why, for whom, and what would spare it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import get_args

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from pandera.typing import DataFrame

from pipeline.evaluate.closed import ClosedCells, closed_cells
from pipeline.evaluate.merged import proposed
from pipeline.evaluate.tallies import Tally, cells_of, tally
from pipeline.evaluate.words import Words
from pipeline.tables import Captions, Clearance, Proposals, Suppressions
from pipeline.tables.disclosure import ClearanceRule
from pipeline.tables.flow import ALL, REPRESENTATIVITY, RESPONSE

_TEMPLATES = Path(__file__).parent / "templates"
_POLICY = "default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
RULES = tuple(rule for rule in get_args(ClearanceRule) if rule)


@dataclass(frozen=True)
class Row:
    """A line of the summary: what is counted (`name` as the tables have it, and its title)."""

    name: str
    title: str
    tally: Tally


def render_disclosure(
    clearance: DataFrame[Clearance],
    suppressions: DataFrame[Suppressions],
    proposals: DataFrame[Proposals],
    captions: DataFrame[Captions],
    *,
    language: str,
) -> str:
    """The analyst's page on what is not published: one HTML file without script or figures.

    It names firms and groups and counts cells and contributors. Raises RenderError where the study
    has no text for something that it names.
    """
    for model, table in (
        (Clearance, clearance),
        (Suppressions, suppressions),
        (Proposals, proposals),
        (Captions, captions),
    ):
        model.validate(table)
    words = Words(language, captions)
    suppressions = suppressions.loc[suppressions[Suppressions.indicator] != REPRESENTATIVITY]
    cells = cells_of(clearance, suppressions)
    words.check(_needed(cells, proposals))
    order = captions.loc[captions[Captions.language] == language]
    by_breakdown = list(_rows(cells, Clearance.breakdown, _order(order, "breakdown", ALL), words))
    by_indicator = list(
        _rows(cells, Clearance.indicator, _order(order, "indicator", RESPONSE), words)
    )
    breakdowns, indicators = ([row.name for row in rows] for rows in (by_breakdown, by_indicator))
    listed = list(closed_cells(suppressions, indicators, breakdowns, words))
    return _page(
        words,
        wave=str(cells[Clearance.wave].iloc[0]),
        everything=tally(cells),
        empty=int((cells[Clearance.contributors] == 0).sum()),
        breakdowns=by_breakdown,
        indicators=by_indicator,
        proposals=proposed(proposals, words),
        listed=[entry for entry in listed if entry.rows],
        open_all=_all_published(by_indicator, listed),
    )


def _order(captions: pd.DataFrame, kind: str, first: str) -> list[str]:
    """Keys of the captions of a kind as they are printed, behind one that every study has."""
    return [first, *captions.loc[captions[Captions.kind] == kind, Captions.key]]


def _needed(cells: pd.DataFrame, proposals: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Kind and key of every caption for the cells and the merges."""
    yield "study", "title"
    yield from (("indicator", name) for name in {*cells[Clearance.indicator]} - {RESPONSE})
    places = cells.loc[cells[Clearance.breakdown] != ALL]
    yield from (("breakdown", name) for name in {*places[Clearance.breakdown]})
    yield from (
        ("group", key) for key in {*(places[Clearance.breakdown] + "=" + places[Clearance.group])}
    )
    merges = proposals.loc[proposals[Proposals.column] != ""]
    yield from (("column", name) for name in {*merges[Proposals.column]})
    for code in (Proposals.one, Proposals.other):
        yield from (("group", key) for key in {*(merges[Proposals.column] + "=" + merges[code])})


def _rows(cells: pd.DataFrame, by: str, order: Sequence[str], words: Words) -> Iterator[Row]:
    """The tally of each breakdown or indicator that has cells, in an order."""
    own = dict(list(cells.groupby(by)))
    title = words.breakdown if by == Clearance.breakdown else words.indicator
    yield from (Row(name, title(name), tally(own[name])) for name in order if name in own)


def _all_published(rows: Sequence[Row], listed: Sequence[ClosedCells]) -> list[str]:
    """Indicators of which no cell with an answer is closed."""
    closed = {entry.title for entry in listed if entry.rows}
    return [row.title for row in rows if row.title not in closed]


def _page(words: Words, **content: object) -> str:
    environment = _environment()
    used = [
        rule
        for rule in RULES
        if rule in content["everything"].by_rule  # type: ignore[attr-defined]  # a Tally
    ]
    content |= {"words": words, "t": words.texts, "rules": used}
    body = environment.get_template("disclosure.html.j2").render(content)
    style = environment.get_template("disclosure.css.j2").render(content)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return environment.get_template("page.html.j2").render(
        words=words,
        title=words.say("page", "title"),
        policy=_POLICY.format(digest=digest),
        style=Markup(style),  # noqa: S704 the package's own file, with names of rules and numbers
        body=Markup(body),  # noqa: S704 rendered and escaped above
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

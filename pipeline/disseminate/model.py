"""What a report consists of, before it is HTML or PDF: the same content for both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Number:
    """A published number: its id, its decimal (empty where a symbol stands), its printed text."""

    number_id: str
    value: str
    text: str


Fragment = str | Number
Line = tuple[Fragment, ...]
"""A run of text in which every number keeps its id."""

ChartKind = Literal["trend", "groups", "ranking", "pairs"]
TableForm = Literal["plain", "dense", "narrow", "text"]
"""plain: the second part of a cell below the first; dense: beside it; narrow: as plain, but small
enough for half a page; text: no numbers."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table; `sub` is its second, smaller part (an interval, a unit)."""

    main: Line
    sub: Line = ()


@dataclass(frozen=True)
class RowGroup:
    """Rows under a common heading (empty: none); the first cell of a row is its header."""

    title: str
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Table:
    """A table with its caption, a note on how to read it (empty: none), and one row of headings.

    A `folded` table stands behind a chart and is opened by the reader.
    """

    caption: str
    head: tuple[str, ...]
    groups: tuple[RowGroup, ...]
    folded: bool = False
    form: TableForm = "plain"
    note: Line = ()


@dataclass(frozen=True)
class Point:
    """A mark in a chart; without an interval `low` and `high` are missing."""

    label: str
    value: Number
    low: Number | None = None
    high: Number | None = None
    breaks: bool = False
    """Not comparable with the point before it."""
    other: Point | None = None
    """What it is compared with: the wave before, the reference."""
    note: Line = ()
    """What is written of the comparison."""


@dataclass(frozen=True)
class PointGroup:
    """Points under a common heading (empty: none)."""

    title: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Chart:
    """A chart with its two titles, the message and the statistical subtitle, and its alt text.

    The legend names the points and what they are compared with, where there is that.
    """

    chart_id: str
    kind: ChartKind
    message: Line
    subtitle: Line
    alt: str
    groups: tuple[PointGroup, ...]
    legend: tuple[str, ...] = ()


@dataclass(frozen=True)
class Block:
    """One indicator, ranking or benchmark: kicker, title, notes, charts and tables.

    The tables in `beside` stand beside the first chart where there is room.
    """

    block_id: str
    kicker: str
    title: str
    notes: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    beside: tuple[Table, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Finding:
    """A key finding: the number that stands out with its unit, and the sentence."""

    number: Number
    unit: str
    label: str
    sentence: Line


@dataclass(frozen=True)
class Fact:
    """A term and what it stands for, each entry a paragraph."""

    term: str
    texts: tuple[Line, ...]


@dataclass(frozen=True)
class Section:
    """A section of the report; its parts are printed in the order of the fields."""

    section_id: str
    title: str
    paragraphs: tuple[Line, ...] = ()
    findings: tuple[Finding, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    blocks: tuple[Block, ...] = ()
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True)
class Report:
    """A whole report in one language."""

    language: str
    title: str
    kind: str
    wave: str
    publisher: str
    facts: tuple[Fact, ...]
    sections: tuple[Section, ...]

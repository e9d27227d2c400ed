"""Charts whose marks stand in rows: groups of a wave, a ranking, a benchmark."""

from __future__ import annotations

from pipeline.disseminate.canvas import (
    BLUE,
    DARK,
    GRID,
    LINE,
    PLUM,
    SIZE,
    SMALL,
    WIDTH,
    Canvas,
    wrapped,
)
from pipeline.disseminate.fonts import text_width
from pipeline.disseminate.model import Chart, Line, Point
from pipeline.disseminate.scales import Scale, numbers_of, round_ticks

_LABELS = 128.0
"""Width of the column of labels."""
_GAP = 10.0
_AIR = 6.0
"""Between a row and the next."""
_APART = 4.0
"""How far a value and its reference stand from the middle of their row."""


def draw_rows(chart: Chart, language: str) -> str:
    """A chart with a row for each point: label, mark with interval, number."""
    points = [point for group in chart.groups for point in group.points]
    right = WIDTH - max(_width_of_numbers(chart, point) for point in points) - _GAP
    drawn = [n for p in points for mark in (p, p.other) if mark for n in numbers_of(mark)]
    scale = Scale(round_ticks(drawn), _LABELS + _GAP, right)
    canvas = Canvas()
    top = _legend(canvas, chart)
    for group in chart.groups:
        top = _heading(canvas, group.title, top)
        first = top
        bottoms = [(point, top := _height(chart, point) + top) for point in group.points]
        _lines_behind(canvas, chart, scale, (first, top))
        for point, bottom in bottoms:
            _row(canvas, chart, point, (scale, bottom - _height(chart, point), bottom))
    _ticks(canvas, scale, language, top)
    return canvas.svg(top + 16, chart.alt)


def _text(line: Line) -> str:
    return "".join(part if isinstance(part, str) else part.text for part in line)


def _width_of_numbers(chart: Chart, point: Point) -> float:
    note = text_width(_text(point.note), 400, SMALL)
    return note if chart.kind == "pairs" else max(text_width(point.value.text, 600, SIZE), note)


def _height(chart: Chart, point: Point) -> float:
    """Of a row: as many lines as its label or its numbers need."""
    lines = len(wrapped(point.label, _LABELS))
    least = {"ranking": 2, "pairs": 1.4}.get(chart.kind, 1)
    return _AIR + LINE * max(lines, least)


def _heading(canvas: Canvas, title: str, top: float) -> float:
    """The common heading of rows; returns where they begin."""
    if not title:
        return top
    top += 6
    for text in wrapped(title, WIDTH, 600):
        top += LINE
        canvas.write(text, (0, top), weight=600)
    return top + 5


def _legend(canvas: Canvas, chart: Chart) -> float:
    """What the marks are, a line each; returns where the rows begin."""
    top = 0.0
    for position, name in enumerate(chart.legend):
        middle = top + 8
        if position == 0:
            canvas.dot((6, middle))
        elif chart.kind == "ranking":
            canvas.ring((6, middle))
        else:
            canvas.diamond((6, middle))
        for text in wrapped(name, WIDTH - 16):
            top += LINE
            canvas.write(text, (16, top - 1))
        top += 2
    return top + 4 if chart.legend else top


def _lines_behind(canvas: Canvas, chart: Chart, scale: Scale, between: tuple[float, float]) -> None:
    """Zero where the scale has values on both sides, and the value of everybody."""
    top, bottom = between
    if scale.ticks[0] < 0 < scale.ticks[-1]:
        x = scale.at(0 * scale.ticks[0])
        canvas.line((x, top), (x, bottom), stroke=GRID, width=2)
    everybody = chart.groups[0].points[0].value
    if chart.kind == "groups" and everybody.value:
        x = scale.at(everybody)
        canvas.line((x, top), (x, bottom), stroke=DARK, width=0.9)


def _row(canvas: Canvas, chart: Chart, point: Point, where: tuple[Scale, float, float]) -> None:
    scale, top, bottom = where
    middle = (top + bottom) / 2
    labels = wrapped(point.label, _LABELS)
    for line, text in enumerate(labels):
        canvas.write(text, (0, middle + 3.8 + LINE * (line - (len(labels) - 1) / 2)))
    canvas.line((scale.start, middle), (scale.end, middle), stroke=GRID, width=0.7)
    shift = _APART if chart.kind == "pairs" else 0.0
    if point.other:
        _other(canvas, chart, point.other, (scale, middle + shift))
    if point.value.value:
        y = middle - shift
        if point.low and point.high:
            ends = (scale.at(point.low), y), (scale.at(point.high), y)
            canvas.whisker(*ends, stroke=BLUE)
        canvas.dot((scale.at(point.value), y))
    _numbers(canvas, chart, point, middle)


def _other(canvas: Canvas, chart: Chart, other: Point, where: tuple[Scale, float]) -> None:
    """The mark of what a value is compared with; of a reference with its interval."""
    scale, y = where
    if not other.value.value:
        return
    if chart.kind == "ranking":
        canvas.ring((scale.at(other.value), y))
        return
    if other.low and other.high:
        canvas.whisker((scale.at(other.low), y), (scale.at(other.high), y), stroke=PLUM)
    canvas.diamond((scale.at(other.value), y))


def _numbers(canvas: Canvas, chart: Chart, point: Point, middle: float) -> None:
    """The value and the comparison at the end of a row; of a benchmark the difference alone."""
    if chart.kind == "pairs":
        canvas.write_to(point.note, (WIDTH, middle + 3.8), size=SMALL)
        return
    lift = LINE / 2 if point.note else 0.0
    canvas.write(point.value, (WIDTH, middle + 3.8 - lift), anchor="end", weight=600)
    canvas.write_to(point.note, (WIDTH, middle + 3.4 + lift), size=SMALL)


def _ticks(canvas: Canvas, scale: Scale, language: str, bottom: float) -> None:
    for tick, label in zip(scale.ticks, scale.labels(language), strict=True):
        place = (scale.at(tick), bottom + 12)
        canvas.write(label, place, anchor="middle", size=SMALL, scale=True)

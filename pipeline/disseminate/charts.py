"""Charts of published numbers as SVG; every mark stands at a published, rounded number."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.disseminate.canvas import (
    BLUE,
    DARK,
    GRID,
    SIZE,
    SMALL,
    WIDTH,
    Canvas,
)
from pipeline.disseminate.fonts import text_width
from pipeline.disseminate.model import Chart, Point
from pipeline.disseminate.rows import draw_rows
from pipeline.disseminate.scales import Scale, numbers_of, round_ticks

_TOP, _BOTTOM, _HEIGHT = 20.0, 164.0, 200.0
"""Of the plot of a course over waves, and the height of the whole."""
_MOST_LABELS = 6
"""Points that all get their number; of more, only the first and the last."""


def draw(chart: Chart, language: str) -> str:
    """A chart as SVG with its alt text."""
    if chart.kind == "trend":
        return _trend(chart, language)
    return draw_rows(chart, language)


def _trend(chart: Chart, language: str) -> str:
    points = chart.groups[0].points
    scale = Scale(round_ticks(n for p in points for n in numbers_of(p)), _BOTTOM, _TOP)
    labels = scale.labels(language)
    left = max(text_width(label, 400, SMALL) for label in labels) + 8
    step = (WIDTH - left) / len(points)
    places = [left + step * (position + 0.5) for position in range(len(points))]
    canvas = Canvas()
    for tick, label in zip(scale.ticks, labels, strict=True):
        y = scale.at(tick)
        canvas.line((left, y), (WIDTH, y), stroke=GRID, width=0.7)
        canvas.write(label, (left - 6, y + 3.5), anchor="end", size=SMALL, scale=True)
    widest = max(text_width(point.label, 400, SIZE) for point in points) + 6
    every = -(-int(widest) // int(step))
    for position in range(len(points) - 1, -1, -every):
        canvas.write(points[position].label, (places[position], _HEIGHT - 8), anchor="middle")
    _course(canvas, points, places, scale)
    for position in range(len(points)):
        _trend_point(canvas, points, places, (position, scale))
    return canvas.svg(_HEIGHT, chart.alt)


def _course(canvas: Canvas, points: Sequence[Point], places: Sequence[float], scale: Scale) -> None:
    """Lines between neighbours that have a value and can be compared; a divider at a break."""
    for position in range(1, len(points)):
        before, point = points[position - 1], points[position]
        if point.breaks:
            middle = (places[position - 1] + places[position]) / 2
            ends = (middle, _TOP - 8), (middle, _BOTTOM + 8)
            canvas.line(*ends, stroke=DARK, width=1.1, dashes="0.1 3.5")
        elif before.value.value and point.value.value:
            start = places[position - 1], scale.at(before.value)
            canvas.line(start, (places[position], scale.at(point.value)), stroke=BLUE, width=2)


def _trend_point(
    canvas: Canvas, points: Sequence[Point], places: Sequence[float], where: tuple[int, Scale]
) -> None:
    """Mark and number of a point; the number stands on the side that the line leaves free."""
    position, scale = where
    point, x = points[position], places[position]
    if not point.value.value:
        canvas.write(point.value, (x, _BOTTOM - 4), anchor="middle")
        return
    y = scale.at(point.value)
    if point.low and point.high:
        canvas.whisker((x, scale.at(point.low)), (x, scale.at(point.high)), stroke=BLUE)
    canvas.dot((x, y))
    if len(points) > _MOST_LABELS and position not in {0, len(points) - 1}:
        return
    near = (*points[max(0, position - 1) : position], *points[position + 1 : position + 2])
    around = [scale.at(p.value) for p in near if p.value.value]
    above = not around or y <= sum(around) / len(around)
    ends = [scale.at(number) for number in numbers_of(point)]
    baseline = min(ends) - 5 if above else max(ends) + 12
    width = text_width(point.value.text, 600, SIZE)
    canvas.clear((x - width / 2 - 1, baseline - 9), (width + 2, 11))
    canvas.write(point.value, (x, baseline), anchor="middle", weight=600)

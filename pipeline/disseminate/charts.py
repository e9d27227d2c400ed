"""Charts of published numbers as SVG: a course over waves, and groups of one wave.

Every mark stands at a published, rounded number; nothing else enters a coordinate. Text stays
text. Sizes are in points.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from pipeline.disseminate.figures import local_number
from pipeline.disseminate.fonts import font_file
from pipeline.disseminate.model import Chart, Number, Point, PointGroup
from pipeline.disseminate.svg import NUMBER, SCALE, embeddable

BLUE = "#12436D"
DARK = "#3D3D3D"
GRID = "#DADADA"
WIDTH = 340.0
"""Of every chart: with text of 11 points it can be read on a phone and on half a printed page."""
_INCH = 72.0
_SIZE = 11.0
_SMALL = 10.0
_LETTER = 0.56
"""Width of a wide character in parts of the size of its text: to leave room for a number."""
_MOST_LABELS = 6
"""Points that all get their number; of more, only the first and the last."""
_LINE = 14.0
_LETTERS = 56
"""Letters of a label in one line."""
_Row = tuple[str, int, float, Point | None]


def draw(chart: Chart, language: str, *, prefix: str) -> str:
    """A chart as SVG with its alt text; ids in it begin with the prefix."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(
            {"svg.fonttype": "none", "svg.hashsalt": prefix, "text.parse_math": False}
        )
        if chart.kind == "trend":
            figure = _trend(chart.groups[0].points, language)
        else:
            figure = _groups(chart.groups, language)
        file = io.BytesIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    return embeddable(file.getvalue(), prefix=prefix, alt=chart.alt)


def _font(weight: int = 400, size: float = _SIZE) -> FontProperties:
    return FontProperties(fname=str(font_file(weight)), weight=weight, size=size)


def _axes(height: float, margins: tuple[float, float, float, float]) -> tuple[Figure, Axes]:
    """A figure of a height with one bare axes; margins are left, right, bottom, top."""
    left, right, bottom, top = margins
    figure = Figure(figsize=(WIDTH / _INCH, height / _INCH))
    width, tall = 1 - (left + right) / WIDTH, 1 - (bottom + top) / height
    axes = figure.add_axes((left / WIDTH, bottom / height, width, tall))
    axes.set_frame_on(False)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, colors=DARK)
    return figure, axes


def _room(texts: Sequence[str], size: float) -> float:
    return max(len(text) for text in texts) * size * _LETTER


def _ticks(points: Sequence[Point], language: str) -> tuple[list[float], list[str]]:
    """Round numbers around all intervals, from zero where that does not flatten the course."""
    ends = [end for point in points for end in _ends(point)]
    low, high = min(ends), max(ends)
    if 0 <= low <= 0.6 * high:
        low = 0.0
    if low == high:
        low, high = low - 1, high + 1
    ticks = MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    plain = [Decimal(f"{tick:.6f}").normalize() + 0 for tick in ticks]
    return [float(tick) for tick in plain], [
        local_number(Decimal(f"{tick:f}"), language) for tick in plain
    ]


def _ends(point: Point) -> list[float]:
    return [float(n.value) for n in (point.low, point.value, point.high) if n and n.value]


def _write(axes: Axes, text: str, place: tuple[float, float], **how: Any) -> Text:
    """A text at a place in data coordinates, moved by `shift` points."""
    shift = how.pop("shift", (0.0, 0.0))
    font = _font(how.pop("weight", 400))
    return axes.annotate(
        text,
        place,
        xytext=shift,
        textcoords="offset points",
        color=DARK,
        fontproperties=font,
        annotation_clip=False,
        bbox={"boxstyle": "square,pad=0.05", "facecolor": "white", "edgecolor": "none"},
        **how,
    )


def _write_number(axes: Axes, number: Number, place: tuple[float, float], **how: Any) -> None:
    _write(axes, number.text, place, **how).set_gid(NUMBER + number.number_id)


def _mark(axes: Axes, point: Point, place: tuple[float, float], *, upright: bool) -> None:
    """A dot at the value, a whisker from the lower to the upper end of its interval."""
    if point.low and point.high:
        ends = [float(point.low.value), float(point.high.value)]
        across = [place[0], place[0]] if upright else [place[1], place[1]]
        line = (across, ends) if upright else (ends, across)
        cap = "_" if upright else "|"
        axes.plot(*line, color=BLUE, lw=1.3, marker=cap, ms=6, mew=1.3, clip_on=False)
    axes.plot(*place, color=BLUE, marker="o", ms=6.5, mew=0, clip_on=False)


def _trend(points: Sequence[Point], language: str) -> Figure:
    ticks, labels = _ticks(points, language)
    figure, axes = _axes(236, (_room(labels, _SMALL) + 6, 16, 24, 6))
    axes.set_xlim(-0.4, len(points) - 0.6)
    margin = (ticks[-1] - ticks[0]) * 0.11
    axes.set_ylim(ticks[0] - margin, ticks[-1] + margin)
    axes.set_yticks(ticks, labels)
    axes.grid(visible=True, axis="y", color=GRID, linewidth=0.7)
    for text in axes.get_yticklabels():
        text.set_fontproperties(_font(size=_SMALL))
        text.set_gid(SCALE)
    step = -(-len(points) * int(_room([p.label for p in points], _SIZE) + 6) // int(WIDTH - 60))
    named = range(len(points) - 1, -1, -step)
    axes.set_xticks(list(named), [points[i].label for i in named])
    for text in axes.get_xticklabels():
        text.set_fontproperties(_font())
    for first in range(len(points) - 1):
        _join(axes, first, points[first], points[first + 1])
    for position, point in enumerate(points):
        _trend_point(axes, position, points)
        if point.breaks:
            axes.axvline(position - 0.5, color=DARK, lw=0.9, dashes=(2, 3))
    return figure


def _join(axes: Axes, position: int, point: Point, following: Point) -> None:
    """A line to the next point, where both have a value and can be compared."""
    if point.value.value and following.value.value and not following.breaks:
        values = [float(point.value.value), float(following.value.value)]
        axes.plot([position, position + 1], values, color=BLUE, lw=2)


def _trend_point(axes: Axes, position: int, points: Sequence[Point]) -> None:
    """Mark and number of a point; the number stands on the side that the line leaves free."""
    point = points[position]
    if not point.value.value:
        bottom = axes.get_ylim()[0]
        _write_number(axes, point.value, (position, bottom), shift=(0, 3), ha="center")
        return
    value = float(point.value.value)
    _mark(axes, point, (position, value), upright=True)
    if len(points) > _MOST_LABELS and position not in {0, len(points) - 1}:
        return
    near = (*points[max(0, position - 1) : position], *points[position + 1 : position + 2])
    around = [float(p.value.value) for p in near if p.value.value]
    above = not around or value >= sum(around) / len(around)
    end = max(_ends(point)) if above else min(_ends(point))
    shift, side = ((0, 5), "bottom") if above else ((0, -5), "top")
    _write_number(axes, point.value, (position, end), shift=shift, ha="center", va=side, weight=600)


def _groups(groups: Sequence[PointGroup], language: str) -> Figure:
    points = [point for group in groups for point in group.points]
    ticks, labels = _ticks(points, language)
    column = _room([point.value.text for point in points], _SIZE) + 10
    rows, height = _rows(groups)
    figure, axes = _axes(height + 22, (8, column, 22, 0))
    axes.set_xlim(ticks[0], ticks[-1])
    axes.set_ylim(height, 0)
    axes.set_yticks([])
    axes.set_xticks(ticks, labels)
    for text in axes.get_xticklabels():
        text.set_fontproperties(_font(size=_SMALL))
        text.set_gid(SCALE)
    left = (axes.get_xlim()[0], (-8.0, 0.0))
    everybody = groups[0].points[0].value.value
    for label, weight, y, point in rows:
        _write(axes, label, (left[0], y), shift=left[1], weight=weight, va="top", ha="left")
        if point:
            track = y + _LINE * (1 + label.count("\n")) + 6
            axes.plot([ticks[0], ticks[-1]], [track, track], color=GRID, lw=0.9)
            if everybody:
                reference = float(everybody)
                axes.plot([reference, reference], [track - 6, track + 6], color=DARK, lw=1)
            if point.value.value:
                _mark(axes, point, (float(point.value.value), track), upright=False)
            _write_number(
                axes,
                point.value,
                (ticks[-1], track),
                shift=(column, 0),
                ha="right",
                va="center",
                weight=600,
            )
    return figure


def _rows(groups: Sequence[PointGroup]) -> tuple[list[_Row], float]:
    """Headings and points with their upper edge, from the top; and the height of all."""
    rows: list[_Row] = []
    top = 0.0
    for group in groups:
        if group.title:
            title = textwrap.fill(group.title, _LETTERS)
            rows.append((title, 600, top + 4, None))
            top += 6 + _LINE * (1 + title.count("\n"))
        for point in group.points:
            label = textwrap.fill(point.label, _LETTERS)
            rows.append((label, 400, top, point))
            top += 18 + _LINE * (1 + label.count("\n"))
    return rows, top

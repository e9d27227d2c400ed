"""A small SVG writer for charts: lines, marks and texts in points, with the house's colours.

Colours are attributes, never styles, so that a page can set others in the dark and needs no inline
style; nothing has an id, so that any number of drawings can stand in a page.
"""

from __future__ import annotations

from html import escape

from pipeline.disseminate.fonts import FAMILY, text_width
from pipeline.disseminate.model import Line, Number

BLUE = "#12436d"
PLUM = "#801650"
DARK = "#3d3d3d"
GRID = "#dadada"
PAPER = "#ffffff"
WIDTH = 340.0
"""Of every chart: with text of 11 points it can be read on a phone and on half a printed page."""
SIZE = 11.0
SMALL = 10.0
LINE = 13.0
"""From one line of text to the next."""

Place = tuple[float, float]


def _plain(number: float) -> str:
    """A coordinate to a thousandth of a point."""
    return f"{number:z.3f}".rstrip("0").rstrip(".")


def wrapped(text: str, width: float, weight: int = 400, size: float = SIZE) -> list[str]:
    """A text in lines no wider than a width, as far as its words allow; blanks made equal."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and text_width(longer, weight, size) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


class Canvas:
    """A drawing that grows by marks; what is drawn later lies above."""

    def __init__(self) -> None:
        self._parts: list[str] = []

    def line(
        self, start: Place, end: Place, *, stroke: str, width: float, dashes: str = ""
    ) -> None:
        """A straight line, dashed where there are dashes."""
        ends = zip(("x1", "y1", "x2", "y2"), (*start, *end), strict=True)
        places = " ".join(f'{name}="{_plain(value)}"' for name, value in ends)
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        self._parts.append(f'<line {places} stroke="{stroke}" stroke-width="{width}"{dashed}/>')

    def whisker(self, start: Place, end: Place, *, stroke: str) -> None:
        """The line of an interval with a short cap across each end."""
        self.line(start, end, stroke=stroke, width=1.3)
        across = (3.0, 0.0) if start[0] == end[0] else (0.0, 3.0)
        for x, y in (start, end):
            cap = (x - across[0], y - across[1]), (x + across[0], y + across[1])
            self.line(*cap, stroke=stroke, width=1.3)

    def dot(self, place: Place) -> None:
        """The mark of a value."""
        x, y = map(_plain, place)
        self._parts.append(f'<circle cx="{x}" cy="{y}" r="3.4" fill="{BLUE}"/>')

    def ring(self, place: Place) -> None:
        """The mark of a value of an earlier wave."""
        x, y = map(_plain, place)
        mark = (
            f'<circle cx="{x}" cy="{y}" r="3" fill="{PAPER}" stroke="{DARK}" stroke-width="1.2"/>'
        )
        self._parts.append(mark)

    def diamond(self, place: Place) -> None:
        """The mark of a value of a reference group."""
        x, y = map(_plain, place)
        path = f"M{x} {y}m-4.2 0l4.2-4.2l4.2 4.2l-4.2 4.2z"
        self._parts.append(f'<path d="{path}" fill="{PAPER}" stroke="{PLUM}" stroke-width="1.5"/>')

    def clear(self, place: Place, size: Place) -> None:
        """Empty paper, from its upper left corner, for a text to stand on."""
        (x, y), (width, height) = map(_plain, place), map(_plain, size)
        shape = f'x="{x}" y="{y}" width="{width}" height="{height}"'
        self._parts.append(f'<rect {shape} fill="{PAPER}"/>')

    def write(
        self,
        text: str | Number,
        place: Place,
        *,
        anchor: str = "start",
        weight: int = 400,
        size: float = SIZE,
        scale: bool = False,
    ) -> None:
        """A text on its baseline; a number keeps its id, a `scale` is that of an axis."""
        x, y = map(_plain, place)
        marks = ' class="scale"' if scale else ""
        if isinstance(text, Number):
            marks = f' class="num" data-number="{escape(text.number_id)}"'
            text = text.text
        marks += f' text-anchor="{anchor}"' if anchor != "start" else ""
        marks += f' font-weight="{weight}"' if weight != 400 else ""
        marks += f' font-size="{size:g}"' if size != SIZE else ""
        self._parts.append(f'<text x="{x}" y="{y}"{marks}>{escape(text)}</text>')

    def write_to(self, line: Line, end: Place, *, size: float = SIZE) -> None:
        """A line of texts and numbers that ends at a place."""
        x, y = end
        for part in reversed(line):
            text = part if isinstance(part, str) else part.text
            blank = text_width(text, 400, size) - text_width(text.rstrip(), 400, size)
            kept = part.rstrip() if isinstance(part, str) else part
            self.write(kept, (x - blank, y), anchor="end", size=size)  # browsers drop blanks
            x -= text_width(text, 400, size)

    def svg(self, height: float, alt: str) -> str:
        """The drawing as an image with its alternative text."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {_plain(height)}"'
            f' role="img" aria-label="{escape(alt)}" font-family="{FAMILY}" font-size="{SIZE:g}"'
            f' fill="{DARK}" stroke-linecap="round">'
        )
        return head + "".join(self._parts) + "</svg>"

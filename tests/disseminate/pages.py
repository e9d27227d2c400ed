"""Reads a rendered page as a reader or a browser would."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "br", "link", "img"}
HIDDEN = {"style", "title"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    text: str = ""
    path: tuple[Element, ...] = field(default=(), repr=False)

    def inside(self, **wanted):
        """Whether this element or one around it has an attribute value."""
        return any(e.attributes.get(k) == v for e in (*self.path, self) for k, v in wanted.items())


class Page(HTMLParser):
    """All elements with the text directly in them, and the runs of text in order."""

    def __init__(self, source):
        super().__init__()
        self.elements, self.runs, self._open = [], [], []
        self.feed(source)
        assert not self._open, [element.tag for element in self._open]

    def handle_starttag(self, tag, attrs):
        element = Element(tag, dict(attrs), path=tuple(self._open))
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag):
        assert self._open.pop().tag == tag

    def handle_data(self, data):
        if self._open:
            self._open[-1].text += data
            self.runs.append((self._open[-1], data))

    def all(self, tag):
        return [element for element in self.elements if element.tag == tag]

    def numbers(self):
        """Pairs of number id and printed text, in the text and in the charts."""
        found = [
            (e.attributes["data-number"], e.text)
            for e in self.elements
            if e.tag == "data" and "data-number" in e.attributes
        ]
        for element, text in self.runs:
            if element.tag == "text" and "data-number" in element.attributes:
                found.append((element.attributes["data-number"], text))
        return found

    def words(self):
        """The visible text without published numbers and scales of axes, blanks made equal."""
        kept = []
        for element, text in self.runs:
            around = (*element.path, element)
            if any(e.tag in HIDDEN or "data-number" in e.attributes for e in around):
                continue
            if not element.inside(**{"class": "scale"}):
                kept.append(text)
        return re.sub(r"\s+", " ", " ".join(kept))

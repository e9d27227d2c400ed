"""The one typeface of all reports, from its package: never a font of the machine."""

from __future__ import annotations

import base64
import io
import shutil
import string
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import font_source_sans_pro
import typst
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

FAMILY = "Source Sans Pro"
FACES = {400: "SourceSansPro-Regular.ttf", 600: "SourceSansPro-Semibold.ttf"}
"""Font file by weight."""
LETTERS = string.printable.strip() + "\u00a0\u202fÄÖÜäöüß–‘’‚“”„−▲▼ "
"""Characters of every web font; with them one font usually does for all languages of a report."""


def font_file(weight: int) -> Path:
    """The file of a weight."""
    return Path(font_source_sans_pro.font_directory) / FACES[weight]


@contextmanager
def typst_fonts() -> Iterator[typst.Fonts]:
    """The faces for Typst, alone in a folder: which of several equal ones it takes is undefined."""
    with tempfile.TemporaryDirectory() as folder:
        for weight in FACES:
            shutil.copy(font_file(weight), folder)
        yield typst.Fonts(
            include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder]
        )


@cache
def _advances(weight: int) -> tuple[Mapping[int, float], float]:
    """Width of each character in parts of the size of its text, and of one the face lacks."""
    with TTFont(font_file(weight), lazy=True) as font:
        unit = font["head"].unitsPerEm
        widths = font["hmtx"].metrics
        found = {code: widths[name][0] / unit for code, name in font.getBestCmap().items()}
        return found, widths[".notdef"][0] / unit


@cache
def text_width(text: str, weight: int, size: float) -> float:
    """How wide a text is, in the unit of its size; without kerning."""
    advances, other = _advances(weight)
    return size * sum(advances.get(ord(character), other) for character in text)


def web_font(weight: int, text: str) -> str:
    """A face as a base64 WOFF file with the usual letters and the characters of a text only."""
    return _web_font(weight, "".join(sorted({*LETTERS, *text})))


@cache
def _web_font(weight: int, characters: str) -> str:
    options = Options()
    options.layout_features = ["tnum"]  # no kerning, as charts are measured
    options.hinting = False
    font = TTFont(font_file(weight), recalcTimestamp=False)
    if "GPOS" in font:
        del font["GPOS"]  # dropped before it is read, which would take most of the time
    subsetter = Subsetter(options)
    subsetter.populate(text=characters)
    subsetter.subset(font)
    font.flavor = "woff"
    file = io.BytesIO()
    font.save(file)
    return base64.b64encode(file.getvalue()).decode("ascii")

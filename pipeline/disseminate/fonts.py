"""The one typeface of all reports, from its package: never a font of the machine."""

from __future__ import annotations

import base64
import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import font_source_sans_pro
import typst
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

FAMILY = "Source Sans Pro"
FACES = {400: "SourceSansPro-Regular.ttf", 600: "SourceSansPro-Semibold.ttf"}
"""Font file by weight."""


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


def web_font(weight: int, text: str) -> str:
    """A face as a base64 WOFF file with the characters of a text only."""
    options = Options()
    options.layout_features = ["kern", "tnum"]
    options.hinting = False
    font = TTFont(font_file(weight), recalcTimestamp=False)
    subsetter = Subsetter(options)
    subsetter.populate(text=text)
    subsetter.subset(font)
    font.flavor = "woff"
    file = io.BytesIO()
    font.save(file)
    return base64.b64encode(file.getvalue()).decode("ascii")

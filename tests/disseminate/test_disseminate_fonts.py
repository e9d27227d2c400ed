import base64
import io

import pytest
from fontTools.ttLib import TTFont

from pipeline.disseminate.fonts import (
    FACES,
    FAMILY,
    LETTERS,
    font_file,
    text_width,
    typst_fonts,
    web_font,
)


@pytest.mark.parametrize("weight", FACES)
def test_a_web_font_has_the_usual_letters_and_the_characters_of_the_text_only(weight):
    text = "Größe 95\u202f% −1,5 ▲ Čapek"
    font = TTFont(io.BytesIO(base64.b64decode(web_font(weight, text))))
    characters = {ord(character) for character in text + LETTERS}
    assert set(font.getBestCmap()) == characters
    assert ord("Č") in characters
    assert font.flavor == "woff"
    assert font["OS/2"].usWeightClass == weight


def test_typst_gets_each_face_once_and_no_other():
    with typst_fonts() as fonts:
        found = [(font.family, font.weight, font.style) for font in fonts.fonts()]
    assert sorted(found) == [(FAMILY, weight, "normal") for weight in FACES]


@pytest.mark.parametrize("weight", FACES)
def test_a_text_is_as_wide_as_its_glyphs(weight):
    font = TTFont(font_file(weight))
    widths, names = font["hmtx"].metrics, font.getBestCmap()
    units = sum(widths[names[ord(character)]][0] for character in "Öl 5")
    assert text_width("Öl 5", weight, 11) == pytest.approx(11 * units / font["head"].unitsPerEm)
    assert text_width("字", weight, 11) > 0


def test_languages_of_one_alphabet_share_a_font():
    assert web_font(400, "„Größe“") is web_font(400, "“size”")

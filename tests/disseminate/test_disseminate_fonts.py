import base64
import io

import pytest
from fontTools.ttLib import TTFont

from pipeline.disseminate.fonts import FACES, FAMILY, typst_fonts, web_font


@pytest.mark.parametrize("weight", FACES)
def test_a_web_font_has_the_characters_of_the_text_only(weight):
    text = "Größe 95\u202f% −1,5 ▲"
    font = TTFont(io.BytesIO(base64.b64decode(web_font(weight, text))))
    assert set(font.getBestCmap()) == {ord(character) for character in text}
    assert font.flavor == "woff"
    assert font["OS/2"].usWeightClass == weight


def test_typst_gets_each_face_once_and_no_other():
    with typst_fonts() as fonts:
        found = [(font.family, font.weight, font.style) for font in fonts.fonts()]
    assert sorted(found) == [(FAMILY, weight, "normal") for weight in FACES]

import re

import pytest
from defusedxml.ElementTree import fromstring

from pipeline.disseminate.charts import draw
from pipeline.disseminate.model import Chart, Number, Point, PointGroup

SVG = "{http://www.w3.org/2000/svg}"


def number(name, value):
    return Number(f"w/i/{name}/estimate", value, value.replace(".", ",") or "[c]")


def point(name, value, *, spread=None, breaks=False):
    ends = ()
    if value and spread:
        ends = (
            number(name + "-", str(float(value) - spread)),
            number(name + "+", str(float(value) + spread)),
        )
    return Point(name, number(name, value), *ends, breaks=breaks)


def trend(*points):
    return chart("trend", PointGroup("", points))


def chart(kind, *groups):
    return Chart("c", kind, ("Botschaft",), ("Einheit",), 'Alt "text" <b>', groups)


def drawn(source):
    return fromstring(draw(source, "de", prefix="p"))


def dots(root):
    """Centres of the dots; every dot is a `use` of one marker, caps are others."""
    uses = root.findall(f".//{SVG}use")
    filled = [u for u in uses if "stroke" not in u.attrib]
    return [(float(u.get("x")), float(u.get("y"))) for u in filled]


def lines(root):
    """Paths of the course from point to point: two units wide."""
    return [p.get("d") for p in root.iter(f"{SVG}path") if p.get("stroke-width") == "2"]


def test_the_course_stands_exactly_at_the_published_numbers():
    (_, one), (_, two), (_, four) = dots(drawn(trend(*map(point, "abc", ("1", "2", "4")))))
    # from 1 to 4 is three times as far as from 1 to 2
    assert (one - four) / (one - two) == pytest.approx(3, abs=1e-4)


def test_groups_stand_exactly_at_the_published_numbers():
    source = chart(
        "groups",
        PointGroup("", (point("all", "10"),)),
        PointGroup("g", (point("a", "-10"), point("b", "20"))),
    )
    (everybody, _), (a, _), (b, _) = dots(drawn(source))
    assert (b - a) / (everybody - a) == pytest.approx(1.5, abs=1e-4)  # 30 / 20


def test_whiskers_end_at_the_published_interval():
    root = drawn(trend(point("a", "2", spread=1), point("b", "4")))
    whisker = next(
        p.get("d")
        for p in root.iter(f"{SVG}path")
        if p.get("stroke-width") == "1.3"
        and "L" in p.get("d")
        and len(set(re.findall(r"[ML] ([\d.]+) ", p.get("d")))) == 1
        and p.get("d").count("L") == 1
        and "M 0" not in p.get("d")
    )
    low, high = (float(y) for y in re.findall(r"[ML] [\d.]+ ([\d.]+)", whisker))
    (_, two), (_, four) = dots(root)
    assert (low - high) == pytest.approx(two - four, abs=1e-4)  # 3 - 1 = 4 - 2


@pytest.mark.parametrize(
    ("points", "joined"),
    [
        ([point("a", "1"), point("b", "2"), point("c", "3")], 2),
        ([point("a", "1"), point("b", ""), point("c", "3")], 0),
        ([point("a", "1"), point("b", "2", breaks=True), point("c", "3")], 1),
    ],
)
def test_a_suppressed_value_or_a_break_parts_the_line(points, joined):
    assert len(lines(drawn(trend(*points)))) == joined


def test_a_suppressed_value_prints_its_symbol():
    root = drawn(trend(point("a", "1"), point("b", ""), point("c", "3")))
    group = root.find(f".//{SVG}g[@data-number='w/i/b/estimate']")
    assert [text.text for text in group.iter(f"{SVG}text")] == ["[c]"]


def test_the_image_has_its_alt_text_and_the_typeface_and_no_style():
    source = draw(trend(point("a", "1"), point("b", "2")), "de", prefix="p")
    root = fromstring(source)
    assert (root.get("role"), root.get("aria-label")) == ("img", 'Alt "text" <b>')
    assert "style" not in source
    assert {t.get("font-family") for t in root.iter(f"{SVG}text")} == {"Source Sans Pro"}
    for reference in re.findall(r'href="#(.+?)"|url\(#(.+?)\)', source):
        assert f'id="{"".join(reference)}"' in source
    assert all(name.startswith("p-") for name in re.findall(r' id="(.+?)"', source))


def test_scales_are_written_in_the_language():
    source = trend(point("a", "1000"), point("b", "1001.5"))
    scales = [
        text.text
        for group in drawn(source).findall(f".//{SVG}g[@class='scale']")
        for text in group.iter(f"{SVG}text")
    ]
    assert "1.000,5" in scales
    assert "1.000" in scales


def test_dollars_are_no_formulas():
    root = drawn(chart("groups", PointGroup("", (point("$x^2$ und $y$", "1"), point("b", "2")))))
    assert "$x^2$ und $y$" in [text.text for text in root.iter(f"{SVG}text")]


def test_equal_values_still_have_a_scale():
    assert len(dots(drawn(trend(point("a", "0"), point("b", "0"))))) == 2

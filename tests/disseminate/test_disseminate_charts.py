import pytest
from defusedxml.ElementTree import fromstring

from pipeline.disseminate.canvas import BLUE, DARK, GRID, PLUM, wrapped
from pipeline.disseminate.charts import draw
from pipeline.disseminate.fonts import text_width
from pipeline.disseminate.model import Chart, Number, Point, PointGroup

SVG = "{http://www.w3.org/2000/svg}"


def number(name, value):
    return Number(f"w/i/{name}/estimate", value, value.replace(".", ",") or "[c]")


def point(name, value, *, spread=None, **more):
    ends = ()
    if value and spread:
        ends = (
            number(name + "-", str(float(value) - spread)),
            number(name + "+", str(float(value) + spread)),
        )
    return Point(name, number(name, value), *ends, **more)


def trend(*points):
    return chart("trend", PointGroup("", points))


def chart(kind, *groups, legend=()):
    return Chart("c", kind, ("Botschaft",), ("Einheit",), 'Alt "text" <b>', groups, legend)


def drawn(source):
    return fromstring(draw(source, "de"))


def dots(root):
    """Centres of the marks of values."""
    circles = [c for c in root.iter(f"{SVG}circle") if c.get("fill") == BLUE]
    return [(float(c.get("cx")), float(c.get("cy"))) for c in circles]


def lines(root, **wanted):
    """Ends of the lines with some attributes."""
    return [
        tuple(float(line.get(name)) for name in ("x1", "y1", "x2", "y2"))
        for line in root.iter(f"{SVG}line")
        if all(line.get(name.replace("_", "-")) == value for name, value in wanted.items())
    ]


def course(root):
    return lines(root, stroke=BLUE, stroke_width="2")


def texts(root):
    return [text.text for text in root.iter(f"{SVG}text")]


def test_the_course_stands_exactly_at_the_published_numbers():
    (_, one), (_, two), (_, four) = dots(drawn(trend(*map(point, "abc", ("1", "2", "4")))))
    # from 1 to 4 is three times as far as from 1 to 2
    assert (one - four) / (one - two) == pytest.approx(3, abs=1e-3)


def test_groups_stand_exactly_at_the_published_numbers():
    source = chart(
        "groups",
        PointGroup("", (point("all", "10"),)),
        PointGroup("g", (point("a", "-10"), point("b", "20"))),
    )
    (everybody, _), (a, _), (b, _) = dots(drawn(source))
    assert (b - a) / (everybody - a) == pytest.approx(1.5, abs=1e-3)  # 30 / 20


def test_a_line_marks_everybody_beside_every_group():
    source = chart(
        "groups",
        PointGroup("", (point("all", "10"),)),
        PointGroup("g", (point("a", "5"), point("b", "20"))),
    )
    root = drawn(source)
    everybody = dots(root)[0][0]
    marks = lines(root, stroke=DARK, stroke_width="0.9")
    assert [(start, end) for start, _, end, _ in marks] == [(everybody, everybody)] * 2


def test_whiskers_end_at_the_published_interval():
    root = drawn(trend(point("a", "2", spread=1), point("b", "4")))
    whisker, *caps = lines(root, stroke=BLUE, stroke_width="1.3")
    (_, two), (_, four) = dots(root)
    assert abs(whisker[1] - whisker[3]) == pytest.approx(two - four, abs=1e-3)  # 3 - 1 = 4 - 2
    assert len(caps) == 2


@pytest.mark.parametrize(
    ("points", "joined"),
    [
        ([point("a", "1"), point("b", "2"), point("c", "3")], 2),
        ([point("a", "1"), point("b", ""), point("c", "3")], 0),
        ([point("a", "1"), point("b", "2", breaks=True), point("c", "3")], 1),
    ],
)
def test_a_suppressed_value_or_a_break_parts_the_line(points, joined):
    assert len(course(drawn(trend(*points)))) == joined


def test_a_break_has_a_dotted_divider_between_its_waves():
    root = drawn(trend(point("a", "1"), point("b", "2", breaks=True)))
    divider = next(e for e in root.iter(f"{SVG}line") if e.get("stroke-dasharray"))
    (first, _), (second, _) = dots(root)
    assert float(divider.get("x1")) == pytest.approx((first + second) / 2, abs=1e-3)


@pytest.mark.parametrize("kind", ["trend", "groups", "ranking"])
def test_a_suppressed_value_prints_its_symbol_and_no_mark(kind):
    root = drawn(chart(kind, PointGroup("", (point("a", "1"), point("b", ""), point("c", "3")))))
    text = root.find(f".//{SVG}text[@data-number='w/i/b/estimate']")
    assert text.text == "[c]"
    assert len(dots(root)) == 2


def test_the_image_has_its_alt_text_and_the_typeface_and_no_style():
    source = draw(trend(point("a", "1"), point("b", "2")), "de")
    root = fromstring(source)
    assert (root.get("role"), root.get("aria-label")) == ("img", 'Alt "text" <b>')
    assert root.get("font-family") == "Source Sans Pro"
    assert "style" not in source
    assert " id=" not in source


def test_scales_are_written_in_the_language():
    root = drawn(trend(point("a", "1000"), point("b", "1001.5")))
    scales = [text.text for text in root.findall(f".//{SVG}text[@class='scale']")]
    assert scales == ["1.000,0", "1.000,5", "1.001,0", "1.001,5"]


def test_hostile_labels_stay_text():
    label = '<b> $x^2$ & "y"'
    root = drawn(chart("groups", PointGroup("", (point(label, "1"), point("b", "2")))))
    assert label in " ".join(texts(root))


def test_equal_values_still_have_a_scale():
    assert len(dots(drawn(trend(point("a", "0"), point("b", "0"))))) == 2


def test_many_waves_name_what_has_room_and_number_the_ends():
    points = [point(f"Welle {year}", str(year % 7)) for year in range(2001, 2021)]
    root = drawn(trend(*points))
    assert len(dots(root)) == 20
    named = [text for text in texts(root) if text.startswith("Welle")]
    assert "Welle 2020" in named
    assert len(named) < 8
    numbers = root.findall(f".//{SVG}text[@class='num']")
    assert [e.get("data-number") for e in numbers] == [
        "w/i/Welle 2001/estimate",
        "w/i/Welle 2020/estimate",
    ]


def test_a_ranking_has_a_ring_at_the_wave_before_and_says_the_change():
    change = Number("w/i/a/change", "3", "+3")
    first = point("a", "6", spread=1, other=point("a'", "3"), note=("▲ ", change))
    root = drawn(
        chart("ranking", PointGroup("", (first, point("b", "9"))), legend=("jetzt", "vorher"))
    )
    rings = [c for c in root.iter(f"{SVG}circle") if c.get("stroke") == DARK]
    legend, ring = (float(c.get("cx")) for c in rings)
    marks = [x for x, _ in dots(root)]
    assert legend == marks[0]
    assert (marks[2] - ring) / (marks[1] - ring) == pytest.approx(2, abs=1e-3)  # (9-3) / (6-3)
    assert {"jetzt", "vorher", "▲", "+3"} <= set(texts(root))


def test_a_benchmark_shows_both_with_intervals_and_writes_the_difference():
    note = (Number("w/i/a/difference", "-2", "−2"),)
    here = point("a", "4", spread=1, other=point("r", "6", spread=1), note=note)
    hidden = point("b", "", other=point("r", "5"), note=(Number("w/i/b/difference", "", "[c]"),))
    root = drawn(chart("pairs", PointGroup("", (here, hidden)), legend=("hier", "dort")))
    assert len(lines(root, stroke=BLUE, stroke_width="1.3")) == 3
    assert len(lines(root, stroke=PLUM, stroke_width="1.3")) == 3
    assert len(list(root.iter(f"{SVG}path"))) == 3  # in the legend, at a, at b
    assert len(dots(root)) == 2  # in the legend, at a
    numbers = [e.get("data-number") for e in root.findall(f".//{SVG}text[@class='num']")]
    assert numbers == ["w/i/a/difference", "w/i/b/difference"]


def test_zero_is_marked_where_values_lie_on_both_sides():
    def zero(*values):
        points = tuple(point(str(i), value) for i, value in enumerate(values))
        return lines(drawn(chart("pairs", PointGroup("", points))), stroke=GRID, stroke_width="2")

    assert len(zero("-10", "10")) == 1
    assert zero("5", "10") == []


def test_long_labels_are_wrapped_to_the_width():
    text = "Werkzeuge, Formen, Maschinen und Anlagen"
    found = wrapped(text, 120)
    assert " ".join(found) == text
    assert len(found) == 2
    assert all(text_width(line, 400, 11) <= 120 for line in found)

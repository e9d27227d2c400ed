"""A made-up release of the size of a network's study: four waves, rankings, benchmarks, crossings.

Values follow from the position of indicator, group and wave alone, so that they never change.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
from pandera.typing import DataFrame

from pipeline.tables import Captions, Release
from pipeline.tables.flow import RESPONSE

WAVES = ("2041", "2042", "2043", "2044")
WAVE = WAVES[-1]
LANGUAGES = ("de", "en")
BREAKDOWNS = {"craft": 7, "size": 3, "valley": 5, "step": 7}
CROSSING = "craft*size"
THEMES = (
    ("1 Abhängigkeit", "1 Dependence"),
    ("2 Geschäftslage", "2 Climate"),
    ("3 Vorhaben", "3 Plans"),
    ("4 Werkzeuge", "4 Tools"),
    ("5 Menschen", "5 People"),
    ("6 Energie und Zunft", "6 Energy and guild"),
)
CRAFTS = (
    ("Schmiede und Gießer", "smiths and founders"),
    ("Hobler", "planers"),
    ("Uhr- und Feinmechaniker", "clock and precision makers"),
    ("Glasschleifer, Linsenmacher", "glass grinders, lens makers"),
    ("Mühlenbauer", "millwrights"),
    ("Boten und Schreiber", "messengers and scribes"),
    ("Sonstige", "others"),
)
SIZES = (
    ("1 bis 49 Beschäftigte", "1 to 49 employees"),
    ("50 bis 249 Beschäftigte", "50 to 249 employees"),
    ("250 und mehr Beschäftigte", "250 and more employees"),
)
BURDENS = (
    ("Kohlenpreise", "price of coal"),
    ("Mangel an Gesellen", "shortage of journeymen"),
    ("Vorschriften der Zünfte und Städte", "rules of guilds and towns"),
    ("zu wenige Aufträge", "too few orders"),
    ("unklare Wegerechte", "unclear rights of way"),
    ("Geld und Kredit", "money and credit"),
    ("Lieferketten über die Pässe", "supplies over the passes"),
    ("Zölle an den Brücken", "tolls at the bridges"),
)
SKILLS = tuple(
    (f"Fertigkeit {word[0]}", f"skill {word[1]}")
    for word in (
        ("des Rechnens", "of reckoning"),
        ("des Zeichnens", "of drawing"),
        ("des Schmelzens", "of melting"),
        ("des Messens und Prüfens mit Lehren", "of measuring and testing with gauges"),
        ("des Schreibens", "of writing"),
        ("der Führung einer Werkstatt", "of leading a workshop"),
        ("der Uhrwerke", "of clockwork"),
        ("der Wasserkraft", "of water power"),
        ("der Fuhrwerke", "of wagons"),
    )
)
NEW = "burden_h"
"""Asked in the last wave only."""
HIDDEN = "skill_c"
"""Suppressed in the last wave."""
BROKEN = "plain_2"
"""Not comparable between the first two waves."""
UNASKED = "plain_5"
"""Not asked in the first wave."""
PAIRS = {
    "inside": (("people", "1", "3"), *(("size", s, f"3*{s}") for s in "123")),
    "outside": (("people", "1", "2"), *(("size", s, f"2*{s}") for s in "12")),
    "peers": tuple(("size", s, "rest") for s in "123"),
}
ONLY_AT_HOME = ("plain_21", "plain_22")
"""Without a value for other populations."""
_SHOWN = ("estimate", "ci_low", "ci_high", "n")
_COMPARED = ("{}", "{}_low", "{}_high", "{}_significant")


def indicators():
    """Id, theme, ranking, labels, unit and better of every indicator, in order."""
    rows = []
    for number in range(1, 25):
        points = number in {6, 7, 8, 23}
        unit = ("Punkte", "points") if points else ("%", "%")
        unit = ("Stufe 0 bis 5", "level 0 to 5") if number == 14 else unit
        long = ", gemessen an allen Aufträgen" if number % 5 == 0 else ""
        longer = ", measured by all orders" if number % 5 == 0 else ""
        label = (
            f"Erfundener Anteil {chr(64 + number)}{long}",
            f"Made-up share {chr(64 + number)}{longer}",
        )
        better = ("higher", "lower", "neutral")[number % 3]
        rows.append((f"plain_{number}", THEMES[(number - 1) // 4], "", label, unit, better))
    for letter, label in zip("abcdefgh", BURDENS, strict=True):
        rows.append((f"burden_{letter}", THEMES[1], "burdens", label, ("%", "%"), "lower"))
    for letter, label in zip("abcdefghi", SKILLS, strict=True):
        rows.append((f"skill_{letter}", THEMES[4], "skills", label, ("%", "%"), "neutral"))
    return rows


def places():
    """Breakdown, group and number of firms of every group, those of other populations last."""
    found = [("all", "all", 250), ("people", "1", 250)]
    for breakdown, count in BREAKDOWNS.items():
        size = 250 // count
        found += [(breakdown, str(g), size) for g in range(1, count)]
        found.append((breakdown, str(count), 250 - size * (count - 1)))
    found += [(CROSSING, f"{c}*{s}", 22 - 3 * s) for c in range(1, 8) for s in range(1, 4)]
    found += [("people", p, 200) for p in "23"]
    found += [("size", f"{p}*{s}", 70) for p, sizes in (("2", "12"), ("3", "123")) for s in sizes]
    return found


def _noise(*parts):
    """Between -1 and 1, different for every combination of positions."""
    return float(np.sin(sum(12.9898 * (k + 1) * (p + 1) for k, p in enumerate(parts))) % 2 - 1)


def _value(i, unit, p, w):
    if unit == "%":
        return min(97.0, max(2.0, 48 + 34 * _noise(i) + 9 * _noise(i, p) + 5 * _noise(i, p, w)))
    if unit.startswith("Stufe"):
        return 2.4 + 0.5 * _noise(i, p, w)
    return 34 * _noise(i) + 14 * _noise(i, p) + 12 * _noise(i, w)


def _hidden(name, breakdown, p, wave):
    if breakdown in {"all", "people"}:
        return name == HIDDEN and wave == WAVE
    return breakdown == CROSSING and p % 3 == 0


def _asked(name, wave):
    if name == NEW:
        return wave == WAVE
    return not (name == UNASKED and wave == WAVES[0])


def _cells():
    """Wave, indicator, place, decimals, symbol and figures of every estimate and change."""
    for i, (name, _, _, _, (unit, _), _) in enumerate(indicators()):
        decimals = 1 if unit.startswith("Stufe") else 0
        for p, (breakdown, group, firms) in enumerate(places()):
            away = ("*" in group and breakdown != CROSSING) or (breakdown, group) in {
                ("people", "2"),
                ("people", "3"),
            }
            if away and name in ONLY_AT_HOME:
                continue
            before = None
            for w, wave in enumerate(WAVES):
                if not _asked(name, wave) or (away and w % 2 == 0):
                    continue
                q = 0 if breakdown == "people" and group == "1" else p
                value = _value(i, unit, q, w)
                half = value_half(unit, firms)
                symbol = "c" if _hidden(name, breakdown, p, wave) else ""
                yield (
                    wave,
                    name,
                    breakdown,
                    group,
                    decimals,
                    symbol,
                    dict(zip(_SHOWN, (value, value - half, value + half, firms // 2), strict=True)),
                )
                if before is not None:
                    broken = name == BROKEN and wave == WAVES[1]
                    change = value - before[0]
                    mark = "x" if broken else symbol or before[1]
                    yield (
                        wave,
                        name,
                        breakdown,
                        group,
                        decimals,
                        mark,
                        _compared("change", change, half),
                    )
                before = (value, symbol)


def value_half(unit, firms):
    """Half the width of an interval."""
    return (0.9 if unit.startswith("Stufe") else 60) / np.sqrt(firms)


def _compared(name, value, half):
    numbers = (value, value - half, value + half, float(abs(value) > half))
    return dict(zip((s.format(name) for s in _COMPARED), numbers, strict=True))


def _differences():
    position = {(b, g): p for p, (b, g, _) in enumerate(places())}
    position["people", "1"] = 0
    for i, (name, _, _, _, (unit, _), _) in enumerate(indicators()):
        decimals = 1 if unit.startswith("Stufe") else 0
        for benchmark, pairs in PAIRS.items():
            if benchmark != "peers" and name in ONLY_AT_HOME:
                continue
            for breakdown, group, reference in pairs:
                here = _value(i, unit, position[breakdown, group], 3)
                there = _value(i, unit, position.get((breakdown, reference), 0), 3)
                numbers = _compared("difference", here - there, value_half(unit, 90))
                symbol = "c" if name == HIDDEN and breakdown == "people" else ""
                yield WAVE, name, breakdown, f"{group}:{reference}", decimals, symbol, numbers


def _responses():
    for w, wave in enumerate(WAVES):
        for p, (breakdown, group, firms) in enumerate(places()):
            q = 0 if breakdown == "people" and group == "1" else p
            answered = int(firms * (0.5 + 0.2 * _noise(q, w)))
            numbers = {"estimate": 100 * answered / firms, "n": answered, "population": firms}
            yield wave, RESPONSE, breakdown, group, 1, "", numbers


def _grades(table):
    graded = table["statistic"].isin(["estimate", "change", "difference"])
    shown = graded & (table["symbol"] == "") & (table["indicator"] != RESPONSE)
    letters = pd.Series(list("ABC"))[table.index % 3].set_axis(table.index)
    return letters.where(shown, "")


@cache
def release():
    """A valid release of all waves."""
    rows = [
        (wave, name, breakdown, group, statistic, value, decimals, symbol)
        for cells in (_cells(), _differences(), _responses())
        for wave, name, breakdown, group, decimals, symbol, numbers in cells
        for statistic, value in numbers.items()
    ]
    table = pd.DataFrame(
        rows,
        columns=[
            "wave",
            "indicator",
            "breakdown",
            "place",
            "statistic",
            "value",
            "decimals",
            "symbol",
        ],
    )
    group = table["place"].str.partition(":")
    place = (table["breakdown"] + "=" + table["place"]).where(table["breakdown"] != "all", "all")
    counts = table["statistic"].isin(["n", "population"]) | table["statistic"].str.endswith("cant")
    decimals = table["decimals"].where(~counts, 0)
    value = [round(v, d) + 0.0 for v, d in zip(table["value"], decimals, strict=True)]
    table = pd.DataFrame(
        {
            "number_id": table["wave"]
            + "/"
            + table["indicator"]
            + "/"
            + place
            + "/"
            + table["statistic"],
            "wave": table["wave"],
            "indicator": table["indicator"],
            "breakdown": table["breakdown"],
            "group": group[0],
            "reference": group[2],
            "statistic": table["statistic"],
            "value": pd.Series(value).where(table["symbol"] == ""),
            "decimals": decimals,
            "symbol": table["symbol"],
            "grade": _grades(table),
        }
    )
    return Release.validate(DataFrame[Release](table))


def _study(n):
    yield from (
        ("study", "title", ("Zunft im Tal der Mühlen", "Guild in the valley of mills")[n]),
        (
            "study",
            "population",
            ("Alle erfundenen Werkstätten des Tals", "All made-up workshops of the valley")[n],
        ),
        ("study", "source", ("Erfundene Erhebung", "Made-up survey")[n]),
        ("study", "publisher", ("Erfundene Zunft der Müller", "Made-up guild of millers")[n]),
    )
    valleys = tuple((f"Tal {name}", f"Valley {name}") for name in "ABCDE")
    steps = (
        *((f"Stufe {name}", f"Step {name}") for name in "ABCDE"),
        ("Werkzeuge, Formen, Maschinen und Anlagen", "tools, moulds, machines and plants"),
        ("keine Kunden unter den Müllern", "no customers among the millers"),
    )
    labels = {"craft": CRAFTS, "size": SIZES, "valley": valleys, "step": steps}
    titles = {
        "craft": ("Handwerk", "Craft"),
        "size": ("Betriebsgröße", "Size of firm"),
        "valley": ("Tal", "Valley"),
        "step": ("Stufe der Lieferkette", "Step of the chain"),
    }
    yield "quality", "points", "7.5 15 30"
    yield "quality", "percent", "8 15 25"
    yield "breakdown", "all", ("Alle Werkstätten", "All workshops")[n]
    for name, texts in labels.items():
        yield "breakdown", name, titles[name][n]
        for g, text in enumerate(texts, 1):
            yield "group", f"{name}={g}", text[n]
    yield "breakdown", CROSSING, ("Handwerk und Betriebsgröße", "Craft and size of firm")[n]
    for c, craft in enumerate(CRAFTS, 1):
        for s, size in enumerate(SIZES, 1):
            yield "group", f"{CROSSING}={c}*{s}", f"{craft[n]}, {size[n]}"
    people = (
        ("Müller im Tal", "Millers in the valley"),
        ("Glaser im Tal", "Glaziers in the valley"),
        ("Müller am Oberlauf", "Millers upstream"),
    )
    yield "breakdown", "people", ("Leute", "People")[n]
    for p, text in enumerate(people, 1):
        yield "group", f"people={p}", text[n]
    for p, sizes in (("2", "12"), ("3", "123")):
        for s in sizes:
            yield "group", f"size={p}*{s}", f"{people[int(p) - 1][n]}, {SIZES[int(s) - 1][n]}"


def _benchmarks(n):
    titles = {
        "inside": (
            "Gleiches Handwerk, anderes Tal (Oberlauf)",
            "Same craft, other valley (upstream)",
        ),
        "outside": ("Anderes Handwerk, gleiches Tal", "Other craft, same valley"),
        "peers": ("Betriebe ähnlicher Größe", "Firms of similar size"),
    }
    for name, title in titles.items():
        yield "benchmark", name, title[n]
        for breakdown, group, reference in PAIRS[name]:
            yield "pair", f"{breakdown}={group}:{reference}", name


def _indicators(n):
    question = (
        "Wie stark treffen die folgenden Dinge Ihre Werkstatt?",
        "How much do the following things affect your workshop?",
    )
    for name, theme, ranking, label, unit, better in indicators():
        yield "theme", name, theme[n]
        yield "indicator", name, label[n]
        yield "unit", name, unit[n]
        yield "better", name, better
        yield (
            "definition",
            name,
            (
                f"Anteil der Werkstätten, für die gilt: {label[0]}.",
                f"Share of workshops for which this holds: {label[1]}.",
            )[n],
        )
        if ranking:
            yield "ranked", name, ranking
        yield "question", f"{name}/{ranking or name}_asked", question[n]
    yield "ranking", "burdens", ("Was die Werkstätten belastet", "What burdens the workshops")[n]
    yield (
        "ranking",
        "skills",
        ("Was die Werkstätten lernen wollen", "What the workshops want to learn")[n],
    )


def _changes(n):
    yield (
        "change",
        f"*/{WAVES[1]}/tool",
        ("Ein anderes Werkzeug der Befragung", "Another tool of the survey")[n],
    )
    for kind, name, wave in (
        ("unit", "plain_1", WAVES[2]),
        ("unit", "plain_11", WAVES[2]),
        ("recode", "plain_6", WAVES[1]),
        ("class", "plain_16", WAVES[1]),
        ("classification", "plain_14", WAVES[3]),
        ("filter", "plain_9", WAVES[2]),
        ("break", BROKEN, WAVES[1]),
        ("wording", "plain_13", WAVES[3]),
        ("period", "plain_17", WAVES[2]),
        ("new", NEW, WAVES[3]),
        ("note", "plain_20", WAVES[2]),
        *(("note", f"skill_{letter}", WAVES[1]) for letter in "abcdefghi"),
    ):
        yield (
            "change",
            f"{name}/{wave}/{kind}",
            (f"Erfundene Änderung der Art „{kind}“, umgerechnet", f"Made-up change of kind {kind}")[
                n
            ],
        )
    for wave in WAVES:
        yield "field", wave, f"{wave}-03-01/{wave}-04-30"


@cache
def captions():
    """Captions in both languages."""
    rows = [
        (language, *row)
        for n, language in enumerate(LANGUAGES)
        for part in (_study, _benchmarks, _indicators, _changes)
        for row in part(n)
    ]
    columns = list(Captions.to_schema().columns)
    return Captions.validate(DataFrame[Captions](pd.DataFrame(rows, columns=columns)))

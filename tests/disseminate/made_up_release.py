"""A made-up release of three waves with its captions, in two languages."""

from __future__ import annotations

import math

import pandas as pd
from pandera.typing import DataFrame

from pipeline.disseminate.figures import number_id
from pipeline.tables import Captions, Release
from pipeline.tables.flow import REPRESENTATIVITY, RESPONSE

WAVE = "2043"
WAVES = ("2041", "2042", "2043")
LANGUAGES = ("de", "en")
HOSTILE = '<script>alert(1)</script> #read("x") $a_b$ =1+1 & "Anführung"'
PLACES = ("all", "size=a", "size=b", "size=c", "guild=y", "guild=n")
INDICATORS = {
    # id: decimals, theme, label, unit (de, en), better, values of everybody by wave
    "waste": (
        2,
        ("Güte", "Quality"),
        ("Verschnitt", "Waste"),
        ("je 100 Stück", "per 100 pieces"),
        "lower",
        (6.12, 5.48, 4.61),
    ),
    "rework": (
        2,
        ("Güte", "Quality"),
        ("Nacharbeit", "Rework"),
        ("je 100 Stück", "per 100 pieces"),
        "lower",
        (3.1, 3.05, 3.4),
    ),
    "learners": (
        0,
        ("Lernen", "Learning"),
        ("Betriebe mit Weiterbildung", "Firms that train"),
        ("%", "%"),
        "higher",
        (48, 56, 67),
    ),
    "balance": (
        1,
        ("Lage", "Climate"),
        ("Saldo der Erwartungen", "Balance of expectations"),
        ("Saldopunkte", "balance points"),
        "neutral",
        (-12.4, 3.2, -4.8),
    ),
    "sales": (
        0,
        ("Lage", "Climate"),
        (
            "8. Umsatz je Kopf, ein sehr langer Name für eine Kennzahl",
            "8. Sales per head, a very long name for an indicator",
        ),
        ("Taler je Kopf", "talers per head"),
        "higher",
        (98_400, 101_250, 102_900),
    ),
    "newcomer": (
        1,
        ("Lage", "Climate"),
        ("Erst später gefragt", "Asked later only"),
        ("% der Betriebe", "% of firms"),
        "higher",
        (None, None, 12.5),
    ),
}
SHIFTS = {
    "all": 0.0,
    "size=a": 0.16,
    "size=b": -0.05,
    "size=c": -0.14,
    "guild=y": -0.2,
    "guild=n": 0.09,
}
PAIRS = (("guild", "y", "n"), ("size", "a", "rest"))
CELL_N = {"all": 154, "size=a": 71, "size=b": 48, "size=c": 35, "guild=y": 31, "guild=n": 123}
REGISTER = {"all": 212, "size=a": 96, "size=b": 67, "size=c": 49, "guild=y": 44, "guild=n": 168}
GRADED = ("estimate", "change", "trend", "pooled", "difference", "adjusted")
COLUMNS = {"guild": (4.2, 3.9, 2.5), "size": (1.1, 2.0, 6.4)}
"""Of the register, by which those who answered are compared: spread of the response by wave."""
SUPPRESSED = {("2042", "rework", "all"), ("2043", "waste", "size=c"), ("2043", "sales", "guild=y")}


def _row(where, statistic, value, decimals, symbol=""):
    wave, indicator, place = where
    breakdown, _, rest = place.partition("=")
    group, _, reference = rest.partition(":")
    return {
        "number_id": number_id(wave, indicator, place, statistic),
        "wave": wave,
        "indicator": indicator,
        "breakdown": breakdown,
        "group": group or "all",
        "reference": reference,
        "statistic": statistic,
        "value": math.nan if symbol else round(float(value), decimals),
        "decimals": decimals,
        "symbol": symbol,
        "grade": "B" if statistic in GRADED and indicator != RESPONSE and not symbol else "",
    }


def _value(indicator, wave, place):
    base = INDICATORS[indicator][5][WAVES.index(wave)]
    return None if base is None else base + abs(base) * SHIFTS[place]


def _half(value, place):
    return abs(value) * 1.1 / math.sqrt(CELL_N[place]) + 0.01


def _cell(wave, indicator, place):
    decimals = INDICATORS[indicator][0]
    value = _value(indicator, wave, place)
    if value is None:
        return []
    if (wave, indicator, place) in SUPPRESSED:
        names = ("estimate", "ci_low", "ci_high", "n")
        return [_row((wave, indicator, place), s, 0, decimals, "c") for s in names]
    half = _half(value, place)
    rows = [
        _row((wave, indicator, place), "estimate", value, decimals),
        _row((wave, indicator, place), "ci_low", value - half, decimals),
        _row((wave, indicator, place), "ci_high", value + half, decimals),
        _row((wave, indicator, place), "n", CELL_N[place], 0),
    ]
    rows += _change(wave, indicator, place, value, decimals)
    if place == "all" and indicator != "newcomer" and wave == WAVE:
        rows += _trend(indicator, decimals)
        rows.append(_row((wave, indicator, place), "change_detectable", 2.4 * half, decimals))
    if place.startswith("size") and indicator == "waste" and wave == WAVE:
        rows += _pooled(place, decimals)
    return rows


def _trend(indicator, decimals):
    """A line from the first to the last value; across a break there is none."""
    where, names = (WAVE, indicator, "all"), ("trend", "trend_low", "trend_high")
    if indicator == "balance":
        return []
    first, _, last = INDICATORS[indicator][5]
    slope, half = (last - first) / 2, abs(last) * 0.04
    numbers = (slope, slope - half, slope + half)
    rows = [_row(where, s, x, decimals + 1) for s, x in zip(names, numbers, strict=True)]
    return [*rows, _row(where, "trend_significant", abs(slope) > half, 0)]


def _pooled(place, decimals):
    where = (WAVE, "waste", place)
    value = (_value("waste", WAVE, place) + _value("waste", WAVES[1], place)) / 2
    half = 0.7 * _half(value, place)
    numbers = {"pooled": value, "pooled_low": value - half, "pooled_high": value + half}
    rows = [_row(where, s, x, decimals) for s, x in numbers.items()]
    return [*rows, _row(where, "pooled_n", 2 * CELL_N[place] - 5, 0)]


def _change(wave, indicator, place, value, decimals):
    position = WAVES.index(wave)
    before = _value(indicator, WAVES[position - 1], place) if position else None
    if before is None:
        return []
    names = ("change", "change_low", "change_high", "change_significant")
    if (WAVES[position - 1], indicator, place) in SUPPRESSED:
        return [_row((wave, indicator, place), s, 0, 0, "x") for s in names]
    change, half = value - before, _half(value, place) * 1.2
    numbers = (change, change - half, change + half)
    rows = [
        _row((wave, indicator, place), s, x, decimals) for s, x in zip(names, numbers, strict=False)
    ]
    return [*rows, _row((wave, indicator, place), names[3], abs(change) > half, 0)]


def _difference(indicator, breakdown, group, reference):
    decimals = INDICATORS[indicator][0]
    place = f"{breakdown}={group}:{reference}"
    own = _value(indicator, WAVE, f"{breakdown}={group}")
    names = ("difference", "difference_low", "difference_high", "difference_significant")
    if own is None or (WAVE, indicator, f"{breakdown}={group}") in SUPPRESSED:
        return [_row((WAVE, indicator, place), s, 0, 0, "c") for s in names]
    other = _value(indicator, WAVE, "all")
    half = _half(own, f"{breakdown}={group}") * 1.2
    numbers = (own - other, own - other - half, own - other + half)
    rows = [
        _row((WAVE, indicator, place), s, x, decimals) for s, x in zip(names, numbers, strict=False)
    ]
    rows.append(_row((WAVE, indicator, place), names[3], abs(own - other) > half, 0))
    return rows + (_adjusted(indicator, place, decimals) if reference == "n" else [])


def _adjusted(indicator, place, decimals):
    """Of the guild: much higher for the learners, not available for the balance, else nothing."""
    where = (WAVE, indicator, place)
    names = ("adjusted", "adjusted_low", "adjusted_high", "adjusted_significant")
    if indicator == "balance":
        return [_row(where, s, 0, 0, "x") for s in names]
    numbers = (22, 9, 35) if indicator == "learners" else (0.4, -0.9, 1.7)
    rows = [_row(where, s, x, decimals) for s, x in zip(names, numbers, strict=False)]
    return [*rows, _row(where, names[3], indicator == "learners", 0)]


def _response(wave, place):
    population = REGISTER[place] + (WAVES.index(wave) if place == "all" else 0)
    return [
        _row((wave, RESPONSE, place), "estimate", 100 * CELL_N[place] / population, 1),
        _row((wave, RESPONSE, place), "n", CELL_N[place], 0),
        _row((wave, RESPONSE, place), "population", population, 0),
    ]


def _likeness(wave):
    """The R-indicator with what is known of the weights, and the parts of the columns."""
    position = WAVES.index(wave)
    numbers = {"estimate": 74, "ci_low": 61, "ci_high": 87}
    rows = [
        _row((wave, REPRESENTATIVITY, "all"), s, x + 3 * position, 0) for s, x in numbers.items()
    ]
    weights = {"design_effect": 1.21, "weight_low": 0.61, "weight_high": 3.87}
    rows += [_row((wave, REPRESENTATIVITY, "all"), s, x, 2) for s, x in weights.items()]
    return rows + [
        _row((wave, REPRESENTATIVITY, f"{column}=all"), "partial", parts[position], 1)
        for column, parts in COLUMNS.items()
    ]


def release_rows(waves=WAVES):
    """The rows of the release as dictionaries."""
    rows = [
        row
        for wave in waves
        for place in PLACES
        for row in [
            *(r for indicator in INDICATORS for r in _cell(wave, indicator, place)),
            *_response(wave, place),
        ]
    ]
    rows += [row for wave in waves for row in _likeness(wave)]
    if WAVE in waves:
        rows += [r for i in INDICATORS for pair in PAIRS for r in _difference(i, *pair)]
    return rows


def release(rows=None):
    """A valid release."""
    return Release.validate(DataFrame[Release](pd.DataFrame(rows or release_rows())))


def _study(number):
    return [
        ("study", "title", ("Werkbänke im Tal", "Workbenches in the valley")[number]),
        (
            "study",
            "population",
            (f"212 erfundene Betriebe {HOSTILE}", f"212 made-up firms {HOSTILE}")[number],
        ),
        (
            "study",
            "source",
            ("8. Welle der erfundenen Erhebung", "8. Wave, a made-up survey")[number],
        ),
        ("study", "publisher", ("Erfundenes Amt", "Made-up office")[number]),
        ("breakdown", "all", ("Alle Betriebe", "All firms")[number]),
        ("breakdown", "size", ("Betriebsgröße", "Size of firm")[number]),
        ("breakdown", "guild", ("Innung", "Guild")[number]),
        ("breakdown", "county", ("Nicht veröffentlicht", "Not published")[number]),
        ("benchmark", "near", ("Nachbarn", "Neighbours")[number]),
        ("pair", "size=a:rest", "near"),
        ("pair", "guild=y:n", "near"),
        ("column", "size", ("Betriebsgröße", "Size of firm")[number]),
        ("column", "guild", ("Innung", "Guild")[number]),
        ("quality", "points", "7.5 15 30"),
        ("quality", "percent", "8 15 25"),
        ("adjusted", "size", ("Betriebsgröße", "Size of firm")[number]),
        ("adjusted", "guild", ("Innung", "Guild")[number]),
        ("group", "size=a", ("1 bis 24 Beschäftigte", "1 to 24 employees")[number]),
        ("group", "size=b", ("25 bis 74 Beschäftigte", "25 to 74 employees")[number]),
        ("group", "size=c", ("75 und mehr Beschäftigte", "75 and more employees")[number]),
        ("group", "guild=y", (f"in der Innung {HOSTILE}", f"in the guild {HOSTILE}")[number]),
        ("group", "guild=n", ("ohne Innung", "without a guild")[number]),
        (
            "change",
            "sales/2043/unit",
            (
                "2043 in tausend Talern erfragt, umgerechnet",
                "Asked in thousand talers in 2043, converted",
            )[number],
        ),
        ("change", "balance/2042/break", ("Frage neu gefasst", "Question reworded")[number]),
        ("field", "2043", "2043-02-01/2043-04-30"),
    ]


def _indicator(number, indicator):
    _, theme, label, unit, better, _ = INDICATORS[indicator]
    return [
        ("theme", indicator, theme[number]),
        ("indicator", indicator, label[number]),
        ("unit", indicator, unit[number]),
        ("better", indicator, better),
        (
            "definition",
            indicator,
            (
                f"Definition von {label[0]}, 1,5-fach geprüft",
                f"Definition of {label[1]}, checked 1.5 times",
            )[number],
        ),
        ("question", f"{indicator}/item", ("Wie viel war es?", "How much was it?")[number]),
    ]


def captions(without=()):
    """Captions in both languages, without the (kind, key) pairs given."""
    rows = [
        {"language": language, "kind": kind, "key": key, "text": text}
        for number, language in enumerate(LANGUAGES)
        for kind, key, text in [
            *_study(number),
            *(row for indicator in INDICATORS for row in _indicator(number, indicator)),
        ]
        if (kind, key) not in without
    ]
    return Captions.validate(DataFrame[Captions](pd.DataFrame(rows)))

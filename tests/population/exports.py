"""The files of a wave as the survey tools write them, byte by byte.

2023 a panel tool's CSV (cp1252, semicolons, decimal comma, columns by number), 2024 and 2026
LimeSurvey CSV (UTF-8 with byte order mark, everything quoted, a blank line at the end), 2025
LimeSurvey Excel with 'code & text' headings.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from population.draws import stream
from population.instrument import LIMESURVEY_TEXT, UNIPARK, headings
from population.records import COMPLETE, KEY, LAST_PAGE, TEST, Record
from population.workbook import write_workbook

FIRST_DAY = {
    "2023": dt.date(2023, 5, 8),
    "2024": dt.date(2024, 5, 13),
    "2025": dt.date(2025, 5, 12),
    "2026": dt.date(2026, 5, 11),
}
DAYS = 28
FILES = {
    "2023": "projekt_2310_daten.csv",
    "2024": "results-survey240513.csv",
    "2025": "results-survey250512.xlsx",
    "2026": "results-survey260511.csv",
}
LIMESURVEY_TEXTS = {
    "id": "Antwort ID",
    "submitdate": "Datum Abgeschickt",
    "lastpage": "Letzte Seite",
    "startlanguage": "Start-Sprache",
    "seed": "Zufallsstartwert",
    "token": "Zugangscode",
    "startdate": "Datum gestartet",
    "datestamp": "Datum letzte Aktivität",
}
BROWSERS = ("Firefox", "Chrome", "Edge", "Safari")


def write_export(folder: Path, seed: int, wave: str, records: Sequence[Record]) -> None:
    """Write the export of a wave; records in the order in which they were begun."""
    draw = stream(seed, f"export {wave}")
    records = [records[k] for k in draw.permutation(len(records))]
    times = _times(draw, wave, len(records))
    system = (
        _unipark(draw, records, times) if wave == UNIPARK else _limesurvey(draw, records, times)
    )
    if wave == LIMESURVEY_TEXT:
        system = {f"{name}. {LIMESURVEY_TEXTS[name]}": system[name] for name in system}
    answers = {head: [r[item] for r in records] for item, head in headings(wave).items()}
    columns = system | answers | (_unipark_end(draw, times) if wave == UNIPARK else {})
    rows = [list(columns), *map(list, zip(*columns.values(), strict=True))]
    path = folder / FILES[wave]
    if wave == LIMESURVEY_TEXT:
        write_workbook(path, rows)
    elif wave == UNIPARK:
        path.write_bytes(_csv(rows, ";", csv.QUOTE_MINIMAL).encode("cp1252"))
    else:
        path.write_bytes((_csv(rows, ",", csv.QUOTE_ALL) + "\r\n").encode("utf-8-sig"))


def key_heading(wave: str) -> str:
    """The heading of the column with the firm's id."""
    if wave == UNIPARK:
        return "c_0001"
    return f"token. {LIMESURVEY_TEXTS['token']}" if wave == LIMESURVEY_TEXT else "token"


def _times(draw: np.random.Generator, wave: str, count: int) -> list[tuple[dt.datetime, int]]:
    """Begin, in order, and seconds taken, at office hours of the field period."""
    first = dt.datetime.combine(FIRST_DAY[wave], dt.time())
    days, seconds = draw.integers(0, DAYS, count), draw.integers(7 * 3600, 18 * 3600, count)
    begun = [first + dt.timedelta(int(d), int(s)) for d, s in zip(days, seconds, strict=True)]
    return list(zip(sorted(begun), draw.integers(540, 2700, count).tolist(), strict=True))


def _numbers(draw: np.random.Generator, count: int) -> list[int]:
    """Running numbers with gaps, as deleted records leave them."""
    numbers: list[int] = (100 + np.cumsum(draw.integers(1, 4, count))).tolist()
    return numbers


def _unipark(
    draw: np.random.Generator, records: Sequence[Record], times: Sequence[tuple[dt.datetime, int]]
) -> dict[str, list[object]]:
    return {
        "lfdn": [*_numbers(draw, len(records))],
        "external_lfdn": [0] * len(records),
        "tester": [int(bool(r[TEST])) for r in records],
        "dispcode": [31 if r[COMPLETE] else 22 for r in records],
        "lastpage": [5213400 + int(r[LAST_PAGE]) for r in records],
        "quality": [-77] * len(records),
        "duration": [
            took if r[COMPLETE] else -1 for r, (_, took) in zip(records, times, strict=True)
        ],
        "c_0001": [r[KEY] for r in records],
    }


def _unipark_end(
    draw: np.random.Generator, times: Sequence[tuple[dt.datetime, int]]
) -> dict[str, list[object]]:
    count = len(times)
    return {
        "browser": draw.choice(BROWSERS, count).tolist(),
        "referer": [""] * count,
        "device_type": ["Desktop"] * count,
        "participant_language": ["Deutsch (Österreich, Schweiz und Übrige)"] * count,
        "datetime": [str(begun) for begun, _ in times],
        "date_of_last_access": [_ended(*time) for time in times],
        "date_of_first_mail": ["0000-00-00 00:00:00"] * count,
    }


def _limesurvey(
    draw: np.random.Generator, records: Sequence[Record], times: Sequence[tuple[dt.datetime, int]]
) -> dict[str, list[object]]:
    ended = [_ended(*time) for time in times]
    return {
        "id": [*map(str, _numbers(draw, len(records)))],
        "submitdate": [end if r[COMPLETE] else "" for r, end in zip(records, ended, strict=True)],
        "lastpage": [r[LAST_PAGE] for r in records],
        "startlanguage": ["de"] * len(records),
        "seed": [*map(str, draw.integers(10**8, 2 * 10**9, len(records)).tolist())],
        "token": [r[KEY] for r in records],
        "startdate": [str(begun) for begun, _ in times],
        "datestamp": [*ended],
    }


def _ended(begun: dt.datetime, took: int) -> str:
    return str(begun + dt.timedelta(seconds=took))


def _csv(rows: Sequence[Sequence[object]], delimiter: str, quoting: Literal[0, 1]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator="\r\n").writerows(rows)
    return text.getvalue()

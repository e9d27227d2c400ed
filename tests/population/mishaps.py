"""The kinds of dirt, one function each; `spoil` does all of them to the records of a wave."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from population.dirt import Dirt
from population.draws import Bools, Floats
from population.instrument import UNIPARK, items_of
from population.records import (
    CHOSEN,
    COMPLETE,
    KEY,
    LAST_PAGE,
    NOT_SHOWN,
    TEST,
    YES,
    Record,
    number,
)

PAGES = "ABCDEFGH"
BROKEN_OFF_AFTER = ("B", "B", "C", "C")
THOUSANDS = (1000, 1000, 0.001)
SMALL_GAPS = (1, -1, 2)


def spoil(seed: int, wave: int, records: list[Record], spared: Collection[str], empty: str) -> Dirt:
    """Spoil records a little; `spared` firms are left alone, `empty` opened it and wrote nothing.

    Order matters: the last kinds add records.
    """
    dirt = Dirt(seed, wave, records, spared)
    for kind in (
        thousand_errors,
        late_corrections,
        parts_that_do_not_add_up,
        odd_numbers,
        none_and_others,
        answers_though_routed_out,
        straight_lines,
        broken_off,
        not_sent_off,
        mistyped_id,
        duplicates,
        tests,
    ):
        kind(dirt)
    opened(dirt, empty)
    return dirt


def thousand_errors(dirt: Dirt) -> None:
    """Turnover in euros instead of thousands, or in millions; all of them corrected later."""
    for factor in THOUSANDS:
        values = dirt.numbers("A04")
        row = dirt.take(values > 0)
        dirt.correct(row, "factor_1000", "A04", number(values[row] * factor, dirt.wave))


def late_corrections(dirt: Dirt) -> None:
    """A decimal sign too far right, and a share instead of the rest; corrected later."""
    shares = dirt.numbers("D07")
    row = dirt.take(_between(shares, 0.5, 9))
    dirt.correct(row, "late_correction", "D07", number(shares[row] * 10, dirt.wave))
    shares = dirt.numbers("E03")
    row = dirt.take(_between(shares, 1, 40))
    dirt.correct(row, "late_correction", "E03", number(100 - shares[row], dirt.wave))


def parts_that_do_not_add_up(dirt: Dirt) -> None:
    """Shares that miss 100 by 1 or 2 (prorated), or by far (nothing to be done)."""
    parts = dirt.numbers("B03")
    for gap in SMALL_GAPS:
        row = dirt.take(_between(parts, 10, 90))
        dirt.overwrite(row, "parts_gap_small", "B03", number(parts[row] + gap, dirt.wave))
    row = dirt.take(_between(parts, 10, 75))
    dirt.overwrite(row, "parts_gap_large", "B03", number(parts[row] + 25, dirt.wave))


def odd_numbers(dirt: Dirt) -> None:
    """A percentage above 100; numbers with a per cent sign or a blank."""
    row = dirt.take(dirt.numbers("F02") > 0)
    dirt.overwrite(row, "above_100", "F02", "350")
    given = dirt.numbers("E03") > 0
    for _ in range(2):
        row = dirt.take(given)
        dirt.overwrite(row, "percent_sign", "E03", f"{dirt.records[row]['E03']} %")
    row = dirt.take(given)
    dirt.overwrite(row, "blank_around", "E03", f" {dirt.records[row]['E03']} ")
    turnover = dirt.texts("A04")
    row = dirt.take(np.array([text.isdigit() and len(text) > 1 for text in turnover]))
    text = turnover[row]
    dirt.overwrite(row, "blank_inside", "A04", f"{text[:-1]} {text[-1]}")


def none_and_others(dirt: Dirt) -> None:
    """'None of these' together with others; the firm is taken whatever it had chosen."""
    chosen, _ = CHOSEN[dirt.wave]
    for question in ("E02", "G02"):
        texts = np.array([dirt.texts(item) for item in items_of(question)])
        row = dirt.take((texts == chosen).any(axis=0))
        none = f"{question}_99"
        item = f"{question}_5" if dirt.records[row][none] == chosen else none
        dirt.overwrite(row, "none_and_others", item, chosen)


def answers_though_routed_out(dirt: Dirt) -> None:
    """A benefit of measures that nobody took part in, exposure of a site without car customers."""
    out = NOT_SHOWN[dirt.wave]
    row = dirt.take((dirt.texts("G04") == "2") & (dirt.texts("G06") == out))
    dirt.overwrite(row, "routed_out", "G06", "3")
    row = dirt.take((dirt.numbers("B01") == 0) & (dirt.texts("B05") == out))
    dirt.overwrite(row, "routed_out", "B05", "2")


def straight_lines(dirt: Dirt) -> None:
    """All burdens alike: of the firms whose answers differ least, so that shares hardly move."""
    rows = [item for item in items_of("C07") if item in dirt.heading]
    values = np.array([dirt.numbers(item) for item in rows])
    spread = values.max(axis=0) - values.min(axis=0)
    for _ in range(2):
        row = dirt.take(spread == np.nanmin(spread[dirt.free]))
        middle = f"{np.median(values[:, row]):.0f}"
        for item in rows:
            if dirt.records[row][item] != middle:
                dirt.overwrite(row, "straight_line", item, middle)


def broken_off(dirt: Dirt) -> None:
    """Nothing after the second or third page, not sent off."""
    for page in BROKEN_OFF_AFTER:
        row = dirt.take()
        _leave_unseen(dirt, row, PAGES.index(page) + 1)
        dirt.note(row, "broken_off", written=f"nothing after block {page}")


def _leave_unseen(dirt: Dirt, row: int, pages: int) -> None:
    """Empty what comes after a number of pages."""
    unseen = "-77" if dirt.wave == UNIPARK else ""
    later = PAGES[pages:]
    answers = {item: unseen for item in dirt.heading if item[0] in later}
    dirt.records[row] |= answers | {COMPLETE: "", LAST_PAGE: str(pages)}


def not_sent_off(dirt: Dirt) -> None:
    """All answered, but the last button not pressed."""
    row = dirt.take()
    dirt.records[row][COMPLETE] = ""
    dirt.note(row, "not_sent_off")


def mistyped_id(dirt: Dirt) -> None:
    """A letter O for a nought: no firm of the register."""
    row = dirt.take(np.array(["-0" in key for key in dirt.texts(KEY)]))
    true = dirt.records[row][KEY]
    written = true.replace("-0", "-O", 1)
    dirt.note(row, "mistyped_id", KEY, written, true)
    dirt.records[row][KEY] = written


def duplicates(dirt: Dirt) -> None:
    """Two firms twice with the same answers, one with others."""
    for _ in range(2):
        row = dirt.take()
        dirt.note(dirt.copy(row), "duplicate_identical")
    row = dirt.take(dirt.numbers("C02") > 0)
    again = dirt.copy(row)
    for item, codes in (("C02", "231"), ("C04", "231"), ("B06", "234561")):
        text = dirt.records[row][item]
        if text.isdigit():
            dirt.overwrite(again, "duplicate_contradicting", item, codes[int(text) - 1])


def tests(dirt: Dirt) -> None:
    """Records by those who tried the questionnaire out."""
    for count in (1, 2):
        again = dirt.copy(dirt.take())
        dirt.records[again] |= {KEY: f"TEST-{count:02}", TEST: YES}
        dirt.note(again, "test")


def opened(dirt: Dirt, firm_id: str) -> None:
    """A firm that opened the questionnaire and answered nothing."""
    again = dirt.copy(0)
    _leave_unseen(dirt, again, 0)
    dirt.records[again] |= {KEY: firm_id, LAST_PAGE: "1"}
    dirt.note(again, "empty")


def _between(values: Floats, least: float, most: float) -> Bools:
    return (values >= least) & (values <= most)

"""The answers of those that answered, as texts in the coding of each wave's survey tool.

Not every question is answered: the larger the site, the more often not, and amounts more often than
opinions; within size and field group by chance. A question that hangs on an unanswered one was not
shown either.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from population.answers import NULLS, routing
from population.draws import WAVES, Bools, stream
from population.firms import Firms
from population.instrument import UNIPARK, Column, asked_in
from population.sites import SMALL_DISTRICT

KEY, COMPLETE, LAST_PAGE, TEST = "_key", "_complete", "_last_page", "_test"
"""In a record beside the items: firm id, sent off, last page seen (1 to 8), made by testers."""
YES = "yes"
Record = dict[str, str]
"""Texts by item, as the tool has them, and the four above."""
UNANSWERED = (0.015, 0.03, 0.05)
"""Share of questions without an answer by size."""
DELICATE = {"A04": 2.0, "B08": 1.5, "D01": 1.8, "D07": 2.0, "E01": 1.5, "E04": 1.5, "F02": 1.8}
REASONS, REASON_SHARES = ("-97", "-98", "-99", ""), (0.15, 0.35, 0.25, 0.25)
CHOSEN = {"2023": ("1", "0"), "2024": ("Y", "N"), "2025": ("Y", "N"), "2026": ("Y", "")}
"""Texts of a ticked and an unticked option."""
NOT_SHOWN = {"2023": "-77", "2024": "-96", "2025": "-96", "2026": ""}
THOUSAND_UNTIL, CLASSES_UNTIL, OLD_CLASSIFICATION_UNTIL = "2024", "2023", "2025"
SIZE_CLASSES = (10, 50, 250)
KEPT_DIVISION = "29"
"""The division of WZ 2008 that WZ 2025 left as it was."""


def write_records(
    seed: int, firms: Firms, wave: int, values: pd.DataFrame, rows: np.ndarray
) -> list[Record]:
    """One record of texts per site in `rows` (numbers of sites), in the items of the wave."""
    year, site = WAVES[wave], firms.site.iloc[rows]
    draw = stream(seed, f"records {year}")
    # The register has the texts of these two; here only whether they were answered.
    answers = values.iloc[rows].reset_index(drop=True).assign(A01=1.0, A02=1.0)
    columns = asked_in(year)
    held = (site["district"] == SMALL_DISTRICT).to_numpy()
    answers, reasons = _leave_out(draw, answers, columns, firms.size[wave, rows], held)
    shown = routing(answers)
    record = {KEY: firms.firm_id[wave, rows]}
    for column in columns:
        texts = _text(column, answers, site, year)
        missing = _missing(column, reasons[column.question], year)
        texts = np.where(texts == "", missing, texts)
        led = shown.get(column.question)
        record[column.item] = texts if led is None else np.where(led, texts, NOT_SHOWN[year])
    meta = {COMPLETE: YES, LAST_PAGE: "8", TEST: ""}
    cells = zip(*record.values(), strict=True)
    return [dict(zip(record, texts, strict=True)) | meta for texts in cells]


def _leave_out(
    draw: np.random.Generator,
    answers: pd.DataFrame,
    columns: Sequence[Column],
    size: np.ndarray,
    held: Bools,
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """The answers without those not given; the text that stands for the reason, by question."""
    questions = list(dict.fromkeys(column.question for column in columns))
    shape = (len(size), len(questions))
    delicacy = np.array([DELICATE.get(question, 1.0) for question in questions])
    lost = draw.random(shape) < np.array(UNANSWERED)[size - 1][:, None] * delicacy
    # What tells of the one firm that left the smallest district stays exact.
    lost &= ~(held[:, None] & np.isin(questions, NULLS))
    items = [column.item for column in columns]
    place = [questions.index(column.question) for column in columns]
    kept = answers[items].mask(lost[:, place])
    reasons = draw.choice(REASONS, shape, p=REASON_SHARES).astype(object)
    return kept, dict(zip(questions, reasons.T, strict=True))


def _missing(column: Column, reason: np.ndarray, year: str) -> np.ndarray:
    if year == UNIPARK:
        return np.full(len(reason), "-9")
    if column.kind == "option" and CHOSEN[year][1] == "":
        return np.full(len(reason), "")
    return reason


def _text(column: Column, answers: pd.DataFrame, site: pd.DataFrame, year: str) -> np.ndarray:
    """Texts of a column, empty where there is no value."""
    values = answers[column.item].to_numpy()
    there = ~np.isnan(values)
    if column.item == "A01":
        return np.where(there, site["district"].to_numpy(dtype=object), "")
    if column.item == "A02":
        return np.where(there, _classes(site["wz"].to_numpy(dtype=object), year), "")
    texts = np.full(len(values), "", dtype=object)
    if column.kind == "option":
        chosen, not_chosen = CHOSEN[year]
        texts[there] = np.where(values[there] == 1, chosen, not_chosen)
        return texts
    texts[there] = [number(value, year) for value in _coded(column.item, values[there], year)]
    return texts


def _coded(item: str, values: np.ndarray, year: str) -> np.ndarray:
    """Values in the unit and the codes that the wave asked for."""
    if item == "A03" and year <= CLASSES_UNTIL:
        return np.searchsorted(SIZE_CLASSES, values, side="right") + 1
    if item == "A04":
        return values / (1e3 if year <= THOUSAND_UNTIL else 1e6)
    if item == "C01" and year == UNIPARK:
        return 4 - values
    return values


def _classes(wz: np.ndarray, year: str) -> np.ndarray:
    """A02; in the new classification only sites of the division that it kept know theirs."""
    if year <= OLD_CLASSIFICATION_UNTIL:
        return wz
    return np.where(np.char.startswith(wz.astype(str), KEPT_DIVISION), wz, "-98")


def number(value: float, year: str) -> str:
    """A number as the tool writes it: no trailing zeros, in 2023 with a decimal comma."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return text.replace(".", ",") if year == UNIPARK else text

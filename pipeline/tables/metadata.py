"""Tables that an analyst edits in `schemas/`, as the stages receive them."""

from __future__ import annotations

from typing import Literal, get_args

import pandera.pandas as pa

from pipeline.tables.flow import _Table

ItemType = Literal["single", "integer", "number", "percent", "text"]
"""How an answer is read; `single` needs a code list."""

Sensitivity = Literal["low", "normal"]
"""low: a share of 0 % or 100 % gives nothing away (public anyway); else it does."""

IndicatorKind = Literal["mean", "share", "ratio", "total"]
"""mean and share: denominator 1; ratio: both amounts; total: grossed up to the population."""

ChangeKind = Literal["unit", "recode", "break", "note"]
"""unit: multiply; recode: code for code; break: not comparable across; note: comparable, say so."""


KEY = "firm_id"
"""What the column with the firm's key is mapped to in `Columns`; not an item."""


class Items(_Table):
    """The questionnaire: one row per item, in its canonical (newest) form.

    `routing` is the condition under which the item is asked (empty: everybody). `from_wave` and
    `to_wave` (inclusive, empty: open) say in which waves it was asked. `minimum` and `maximum` are
    in the unit of the wave's question.
    """

    item: str = pa.Field(unique=True)
    type: str = pa.Field(isin=get_args(ItemType))
    code_list: str
    unit: str
    routing: str
    minimum: float = pa.Field(nullable=True)
    maximum: float = pa.Field(nullable=True)
    from_wave: str
    to_wave: str
    text_de: str
    text_en: str


class Codes(_Table):
    """Code lists with their labels and the waves in which a code was valid (inclusive)."""

    code_list: str
    code: str
    from_wave: str
    to_wave: str
    label_de: str
    label_en: str


class Columns(_Table):
    """Which column heading of a wave's export holds which item; without a row: the item's id."""

    wave: str
    column: str
    item: str

    class Config:
        unique = ["wave", "column"]


class ChangeRules(_Table):
    """How answers of the waves `from_wave` to `to_wave` become canonical (`changes.csv`).

    `apply` is a factor for `unit` (``* 1000``), pairs for `recode` (``1=3 2=2 3=1``), empty else.
    A `break` lies between `from_wave` and the wave before it.
    """

    item: str
    kind: str = pa.Field(isin=get_args(ChangeKind))
    from_wave: str
    to_wave: str
    apply: str
    note_de: str
    note_en: str


class Edits(_Table):
    """Edit rules: `test` must hold where `condition` does (empty: always).

    A hard rule quarantines the values of `items` (blank-separated), a soft one only reports.
    """

    rule: str = pa.Field(unique=True)
    kind: str = pa.Field(isin=["hard", "soft"])
    test: str
    condition: str
    items: str
    from_wave: str
    to_wave: str
    message_de: str
    message_en: str


class Indicators(_Table):
    """Indicator definitions: formulas over items, and how the result is printed.

    `base` is the condition under which a firm belongs to the indicator (empty: everybody).
    `scale` multiplies the result (100 for per cent).
    """

    indicator: str = pa.Field(unique=True)
    theme_de: str
    theme_en: str
    kind: str = pa.Field(isin=get_args(IndicatorKind))
    numerator: str
    denominator: str
    base: str
    scale: float = pa.Field(gt=0)
    decimals: int = pa.Field(ge=0)
    sensitivity: str = pa.Field(isin=get_args(Sensitivity))
    better: str = pa.Field(isin=["higher", "lower", "neutral"])
    from_wave: str
    to_wave: str
    label_de: str
    label_en: str
    unit_de: str
    unit_en: str


class BenchmarkPairs(_Table):
    """Which group is compared with which reference (a group of the same breakdown, or `rest`)."""

    breakdown: str
    group: str
    reference: str


class Captions(_Table):
    """Every text of a study that a report prints, by language, in the order of printing.

    kind and key: `study` (title, population, source, publisher); `theme`, `indicator` (label),
    `unit`, `better` (higher, lower, neutral), `definition` with the indicator as key; `breakdown`
    (register column, `all` first) and `group` (``breakdown=group``); `question`
    (``indicator/item``: the wording); `change` (``indicator/wave/kind``: what changed in that wave
    and how it is compared; the kind is that of `ChangeRules`); `field` (wave: first and last day of
    the field work, as ISO dates with a slash between).
    """

    language: str
    kind: str
    key: str
    text: str

    class Config:
        unique = ["language", "kind", "key"]

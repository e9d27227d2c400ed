"""Tables that an analyst edits in `schemas/`, as the stages receive them."""

from __future__ import annotations

from typing import Literal, get_args

import pandera.pandas as pa

from pipeline.tables.flow import Table

QuestionType = Literal["single", "multi", "grid", "integer", "number", "percent", "text"]
"""multi: any number of the list's codes, a column each; grid: a code for each of several rows."""

ItemType = Literal["single", "option", "integer", "number", "percent", "text"]
"""How an answer is read; `single` needs a code list; `option`: a code of a multi, chosen or not."""

Sensitivity = Literal["low", "normal", "high"]
"""low: a share of 0 % or 100 % gives nothing away (public anyway); else it does; high: a group
needs more contributors (`min_contributors_high`)."""

IndicatorKind = Literal["mean", "share", "balance", "ratio", "total", "formula"]
"""mean and share: denominator 1; balance: numerator 1 (up), 0 or -1 (down), denominator 1; ratio:
both amounts; total: grossed up to the population; formula: computed from other indicators."""

ChangeKind = Literal[
    "unit",
    "recode",
    "class",
    "classification",
    "filter",
    "break",
    "wording",
    "period",
    "tool",
    "new",
    "note",
]
"""What changed between waves. Values change for unit (multiply), recode (code for code: order,
split, merged codes), class (a number was once asked in classes), classification (by concordance)
and filter (who is asked). A break is not comparable across. The others are comparable and said:
wording, reference period, survey tool, new item, row or option, anything else."""

EditKind = Literal["hard", "soft", "parts", "score", "built_in"]
"""hard: takes the values out; soft: reports; parts: must add up, small gaps are prorated; score:
Hidiroglou and Berthelot's on the wave before; built_in: rules of the pipeline itself, in `test`."""


KEY = "firm_id"
"""What the column with the firm's key is mapped to in `Columns`; not an item."""


class Questions(Table):
    """`items.csv` as the analyst writes it: one row per question and version of it.

    A question has a new version (a row of its own, from another wave on) where its type, code list,
    unit, bounds or text changed. `rows` is the list of the rows of a grid. `routing` is the
    condition under which it is asked (empty: everybody). `from_wave` and `to_wave` (inclusive,
    empty: open) say in which waves it was asked. `minimum` and `maximum` are in its unit.
    """

    item: str
    type: str = pa.Field(isin=get_args(QuestionType))
    code_list: str
    rows: str
    unit: str
    routing: str
    minimum: float = pa.Field(nullable=True)
    maximum: float = pa.Field(nullable=True)
    sensitivity: str = pa.Field(isin=get_args(Sensitivity))
    from_wave: str
    to_wave: str
    text_de: str
    text_en: str

    class Config:
        unique = ["item", "from_wave"]


class Items(Table):
    """The questionnaire by item: a question, a row of a grid or an option of a multi.

    Made from `Questions`: row `a` of grid `C07` is item `C07_a` (type single), code 3 of multi
    `B07` is item `B07_3` (type option), asked in the waves in which the row or code is valid. An
    `exclusive` option ('none of these') stands alone. One row per item and version.
    """

    item: str
    question: str
    type: str = pa.Field(isin=get_args(ItemType))
    code_list: str
    exclusive: bool
    unit: str
    routing: str
    minimum: float = pa.Field(nullable=True)
    maximum: float = pa.Field(nullable=True)
    sensitivity: str = pa.Field(isin=get_args(Sensitivity))
    from_wave: str
    to_wave: str
    text_de: str
    text_en: str

    class Config:
        unique = ["item", "from_wave"]


class Codes(Table):
    """Code lists with their labels and the waves in which a code was valid (inclusive).

    A code of letters d stands for every number of as many digits (`dddd`: 2932). `exclusive` is
    `yes` for an option of a multi that excludes all others.
    """

    code_list: str
    code: str
    exclusive: str = pa.Field(isin=["", "yes"])
    from_wave: str
    to_wave: str
    label_de: str
    label_en: str


class Columns(Table):
    """Which column heading of a wave's export holds which item; without a row: the item's id."""

    wave: str
    column: str
    item: str

    class Config:
        unique = ["wave", "column"]


class Concordances(Table):
    """Which code of one classification is which of another (`classifications/*_*.csv`)."""

    concordance: str
    from_code: str
    to_code: str
    source: str

    class Config:
        unique = ["concordance", "from_code"]


class ChangeRules(Table):
    """How answers of the waves `from_wave` to `to_wave` become comparable (`changes.csv`).

    `apply` is, by kind, unit: a factor (``* 1000``); recode: pairs (``1=3 2=2 3=1``); class: an
    item with bounds (``A03_class 1=1-9 2=10-49 3=50-``), filled from the code in these waves and
    from the number in the others; classification: a concordance with the digits that are compared
    (``wz2025_wz2008 2``); filter: the condition under which the answers of these waves count; empty
    else. A break lies between `from_wave` and the wave before it; the note of any other kind
    that changes no value says what is new from `from_wave` on. Item `*` is the whole questionnaire.
    """

    item: str
    kind: str = pa.Field(isin=get_args(ChangeKind))
    from_wave: str
    to_wave: str
    apply: str
    note_de: str
    note_en: str


class Edits(Table):
    """Edit rules: `test` must hold where `condition` does (empty: always).

    Formulas are over items in the form of the series (after unit, recode), and over columns of the
    register. A hard rule quarantines the values of `items` (blank-separated), a soft one only
    reports. Parts: `items` must add up to `test`; within `tolerance` they are prorated, beyond it
    quarantined. Score: the change of `items` on the wave before is no outlier. Built-in: `test`
    names rules of reading and decoding, whose findings get this rule's name and message.
    """

    rule: str = pa.Field(unique=True)
    kind: str = pa.Field(isin=get_args(EditKind))
    test: str
    condition: str
    items: str
    tolerance: float = pa.Field(nullable=True, ge=0)
    from_wave: str
    to_wave: str
    message_de: str
    message_en: str


class Definitions(Table):
    """`indicators.csv` as the analyst writes it: formulas over items, and how they are printed.

    `base` is the condition under which a firm belongs to the indicator (empty: everybody).
    `scale` multiplies the result (100 for per cent). `ranking` names the list in which it is ranked
    with others (empty: none). The definition is a sentence for readers.
    """

    indicator: str = pa.Field(unique=True)
    theme_de: str
    theme_en: str
    ranking: str
    kind: str = pa.Field(isin=get_args(IndicatorKind))
    numerator: str
    denominator: str
    base: str
    scale: float = pa.Field(gt=0)
    decimals: int = pa.Field(ge=0)
    better: str = pa.Field(isin=["higher", "lower", "neutral"])
    from_wave: str
    to_wave: str
    label_de: str
    label_en: str
    unit_de: str
    unit_en: str
    definition_de: str
    definition_en: str


class Indicators(Definitions):
    """Indicators as the stages receive them: formulas over single items, no question left in them.

    `sensitivity` is that of the most sensitive item in its formulas.
    """

    sensitivity: str = pa.Field(isin=get_args(Sensitivity))


class BenchmarkPairs(Table):
    """Which group is compared with which reference (a group of the same breakdown, or `rest`).

    `without` lists the indicators (blank-separated) that the benchmark leaves out.
    """

    benchmark: str
    breakdown: str
    group: str
    reference: str
    without: str


class Captions(Table):
    """Every text of a study that a report prints, by language, in the order of printing.

    kind and key: `study` (title, population, source, publisher); `theme`, `indicator` (label),
    `unit`, `better` (higher, lower, neutral), `definition` with the indicator as key; `ranked` (an
    indicator: the name of its ranking) and `ranking` (that name: its title); `breakdown` (register
    column or crossing, `all` first) and `group` (``breakdown=group``, reference groups too);
    `column` (register column: its name) and `adjusted` (those columns of it that references are
    composed by); `quality` (`points` and `percent`: the limits of the grades A, B and C);
    `limit` (a threshold of `[publication]`: its number);
    `benchmark` (a name: its title) and `pair` (``breakdown=group:reference``: its benchmark);
    `question` (``indicator/item``: the wording); `change` (``indicator/wave/kind``: what
    changed in that wave and how it is compared; the kind is that of `ChangeRules`; indicator `*`:
    everything); `field` (wave: first and last day of the field work, as ISO dates with a slash
    between).
    """

    language: str
    kind: str
    key: str
    text: str

    class Config:
        unique = ["language", "kind", "key"]

"""Captions: every text of the study that a report prints, as one table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import cast

import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.expressions import parse
from pipeline.study.model import Study
from pipeline.study.questions import items_of, options_of
from pipeline.study.ready import FORMULAS
from pipeline.study.settings import StudyFile, Text
from pipeline.tables import Captions
from pipeline.tables.flow import CROSS

Row = tuple[str, str, str]
EVERYTHING = "*"
"""The item of a change that concerns the whole questionnaire."""


LIMITS = "min_contributors", "min_contributors_high", "dominance_firms", "dominance_percent"
"""Of a publication, as the analyst's page names them."""


@pa.check_types
def captions(study: Study, fields: Mapping[str, str], *, wave: str) -> DataFrame[Captions]:
    """Texts in each language of the study as they held in a wave, in the order of printing.

    `fields` has the first and last day of the field work by wave (ISO dates, a slash between).
    """
    used, columns = _items_by_indicator(study), study.settings.register_columns
    rows = [
        (language, *row)
        for language in study.settings.languages
        for row in [
            *_study(study, language),
            *_breakdowns(study, language, wave),
            *(("column", name, getattr(c, language)) for name, c in columns.items()),
            *_precision(study, language),
            *_benchmarks(study, language),
            *_indicators(study, language),
            *_questions(study, language, used, wave),
            *_changes(study, language, used),
            *(("field", wave, dates) for wave, dates in fields.items()),
        ]
    ]
    return DataFrame[Captions](pd.DataFrame(rows, columns=list(Captions.to_schema().columns)))


def _study(study: Study, language: str) -> Iterator[Row]:
    for name, section in StudyFile.model_fields.items():
        if section.annotation is Text:
            yield "study", name, getattr(getattr(study.settings, name), language)


def _precision(study: Study, language: str) -> Iterator[Row]:
    """Limits of the grades and of publication; the columns by which references are adjusted."""
    for name in LIMITS:
        yield "limit", name, f"{getattr(study.settings.publication, name):g}"
    for name in ("points", "percent"):
        yield "quality", name, " ".join(f"{x:g}" for x in getattr(study.settings.quality, name))
    for column in study.settings.publication.adjusted:
        yield "adjusted", column, getattr(study.settings.register_columns[column], language)


def _breakdowns(study: Study, language: str, wave: str) -> Iterator[Row]:
    """Titles and groups; behind the groups those of other populations that a pair names."""
    columns, target = study.settings.register_columns, study.settings.target
    held = _aged(study.codes, wave).drop_duplicates(["code_list", "code"], keep="last").sort_index()
    labels = {name: _labels(held, c.code_list, language) for name, c in columns.items()}
    pairs = [pair for benchmark in study.settings.benchmark for pair in benchmark.pairs]
    for name in dict.fromkeys(
        (*study.settings.publication.breakdowns, *(p.breakdown for p in pairs))
    ):
        parts = name.split(CROSS)
        yield "breakdown", name, " × ".join(getattr(columns[part], language) for part in parts)
        named = {g for p in pairs if p.breakdown == name for g in (p.group, p.reference)}
        for codes in product(*(labels[part] for part in parts)):
            group = CROSS.join(codes)
            if name in study.settings.publication.breakdowns or group in named:
                texts = [labels[part][code] for part, code in zip(parts, codes, strict=True)]
                yield "group", f"{name}={group}", ", ".join(texts)
        for others, code in product(labels[target.column] if target else (), labels[parts[0]]):
            if target and f"{others}{CROSS}{code}" in named and len(parts) == 1:
                text = f"{labels[target.column][others]}: {labels[name][code]}"
                yield "group", f"{name}={others}{CROSS}{code}", text


def _labels(codes: pd.DataFrame, code_list: str, language: str) -> dict[str, str]:
    """Labels of a list by code, in the order of the list."""
    listed = codes[codes["code_list"] == code_list]
    return dict(zip(listed["code"], listed[f"label_{language}"], strict=True))


def _benchmarks(study: Study, language: str) -> Iterator[Row]:
    for benchmark in study.settings.benchmark:
        yield "benchmark", benchmark.name, getattr(benchmark, language)
        for pair in benchmark.pairs:
            key = f"{pair.breakdown}={pair.group}:{pair.reference}"
            yield "pair", key, benchmark.name


def _indicators(study: Study, language: str) -> Iterator[Row]:
    for name, title in study.settings.ranking.items():
        yield "ranking", name, getattr(title, language)
    for rule in _records(study.indicators):
        name = rule["indicator"]
        yield "theme", name, rule[f"theme_{language}"]
        yield "indicator", name, rule[f"label_{language}"]
        yield "unit", name, rule[f"unit_{language}"]
        yield "better", name, rule["better"]
        yield "definition", name, rule[f"definition_{language}"]
        if rule["ranking"]:
            yield "ranked", name, rule["ranking"]


def _questions(
    study: Study, language: str, used: Mapping[str, Sequence[str]], wave: str
) -> Iterator[Row]:
    """Wordings as they were in a wave; where an indicator counts a multi, the question alone."""
    text, tables = f"text_{language}", (study.items, study.questions)
    versions = [row for table in tables for row in _records(_aged(table, wave))]
    wording = {row["item"]: row[text] for row in versions}
    counted = options_of(study.questions, study.items)
    question = dict(zip(study.items["item"], study.items["question"], strict=True))
    for name, items in used.items():
        whole = {q for q, options in counted.items() if options and {*options} <= {*items}}
        asked = [question[item] if question[item] in whole else item for item in items]
        for item in dict.fromkeys(asked):
            yield "question", f"{name}/{item}", wording[item]


def _changes(study: Study, language: str, used: Mapping[str, Sequence[str]]) -> Iterator[Row]:
    """What changed, by indicator, wave and kind; once for what concerns everything.

    A change that was over before an indicator began is none of it.
    """
    notes: dict[str, list[str]] = {}
    changes = _records(study.changes)
    begun = dict(zip(study.indicators["indicator"], study.indicators["from_wave"], strict=True))
    for name, items in {**used, EVERYTHING: [EVERYTHING]}.items():
        for change in changes:
            filled = change["apply"].split()[:1] if change["kind"] == "class" else []
            is_over = bool(change["to_wave"]) and change["to_wave"] < begun.get(name, "")
            if {change["item"], *filled} & {*items} and not is_over:
                key = f"{name}/{change['from_wave']}/{change['kind']}"
                notes.setdefault(key, []).append(change[f"note_{language}"])
    for key, texts in notes.items():
        yield "change", key, "; ".join(dict.fromkeys(texts))


def _items_by_indicator(study: Study) -> dict[str, list[str]]:
    """The items in the formulas of each indicator, in the order of the questionnaire."""
    rules = {rule["indicator"]: rule for rule in _records(study.indicators)}
    order = [item for items in items_of(study.items).values() for item in items]
    found = {}
    for name, rule in rules.items():
        names = _names(rule)
        if rule["kind"] == "formula":
            names = frozenset().union(*(_names(rules[part]) for part in names))
        found[name] = [item for item in order if item in names]
    return found


def _names(rule: Mapping[str, str]) -> frozenset[str]:
    names: frozenset[str] = frozenset()
    return names.union(*(parse(rule[column]).names for column in FORMULAS if rule[column]))


def _aged(table: pd.DataFrame, wave: str) -> pd.DataFrame:
    """Rows so that for each key the last is the one that held in a wave; later ones come first."""
    later = (table["from_wave"] > wave).rename("later")
    order = pd.concat([~later, table["from_wave"]], axis=1)
    return table.loc[order.sort_values(["later", "from_wave"], kind="stable").index]


def _records(table: pd.DataFrame) -> list[dict[str, str]]:
    return cast("list[dict[str, str]]", table.to_dict("records"))

"""Captions: every text of the study that a report prints, as one table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.expressions import parse
from pipeline.study.model import Study
from pipeline.tables import Captions, Indicators

FORMULAS = (Indicators.numerator, Indicators.denominator, Indicators.base)
Row = tuple[str, str, str]


@pa.check_types
def captions(study: Study, fields: Mapping[str, str]) -> DataFrame[Captions]:
    """Texts in each language of the study, in the order of printing.

    `fields` has the first and last day of the field work by wave (ISO dates, a slash between).
    """
    rows = [
        (language, *row)
        for language in study.settings.languages
        for row in [
            *_study(study, language),
            *_groups(study, language),
            *_indicators(study, language),
            *_changes(study, language),
            *(("field", wave, dates) for wave, dates in fields.items()),
        ]
    ]
    return DataFrame[Captions](pd.DataFrame(rows, columns=list(Captions.to_schema().columns)))


def _study(study: Study, language: str) -> Iterator[Row]:
    for name in ("title", "population", "source", "publisher"):
        yield "study", name, getattr(getattr(study.settings, name), language)


def _groups(study: Study, language: str) -> Iterator[Row]:
    for name in study.settings.publication.breakdowns:
        column = study.settings.register_columns[name]
        yield "breakdown", name, getattr(column, language)
        codes = study.codes[study.codes["code_list"] == column.code_list]
        by_age = codes.sort_values("from_wave", kind="stable")
        newest = by_age.drop_duplicates("code", keep="last").sort_index()
        for code, label in zip(newest["code"], newest[f"label_{language}"], strict=True):
            yield "group", f"{name}={code}", label


def _indicators(study: Study, language: str) -> Iterator[Row]:
    wording = dict(zip(study.items["item"], study.items[f"text_{language}"], strict=True))
    for rule in _records(study.indicators):
        name = rule["indicator"]
        yield "theme", name, rule[f"theme_{language}"]
        yield "indicator", name, rule[f"label_{language}"]
        yield "unit", name, rule[f"unit_{language}"]
        yield "better", name, rule["better"]
        yield "definition", name, _definition(rule)
        for item in _items(rule, list(study.items["item"])):
            yield "question", f"{name}/{item}", wording[item]


def _changes(study: Study, language: str) -> Iterator[Row]:
    for rule in _records(study.indicators):
        used = set(_items(rule, list(study.items["item"])))
        notes: dict[str, list[str]] = {}
        for change in _records(study.changes):
            if change["item"] in used:
                key = f"{rule['indicator']}/{change['from_wave']}/{change['kind']}"
                notes.setdefault(key, []).append(change[f"note_{language}"])
        for key, texts in notes.items():
            yield "change", key, "; ".join(dict.fromkeys(texts))


def _definition(rule: dict[str, str]) -> str:
    formula = rule["numerator"]
    if rule["denominator"]:
        formula = f"sum({formula}) / sum({rule['denominator']})"
    else:
        formula = f"{rule['kind']}({formula})"
    return f"{formula} [{rule['base']}]" if rule["base"] else formula


def _items(rule: dict[str, str], order: Sequence[str]) -> list[str]:
    names = {name for column in FORMULAS if rule[column] for name in parse(rule[column]).names}
    return [item for item in order if item in names]


def _records(table: pd.DataFrame) -> list[dict[str, str]]:
    return cast("list[dict[str, str]]", table.to_dict("records"))

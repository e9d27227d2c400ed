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
DEFINITIONS = {
    "de": {
        "mean": "Mittelwert über die Betriebe: {numerator}",
        "share": "Anteil der Betriebe, für die gilt: {numerator}",
        "ratio": "Über alle Betriebe: Summe von {numerator}, geteilt durch Summe von {denominator}",
        "total": "Summe über alle Betriebe, hochgerechnet: {numerator}",
        "base": "; nur Betriebe, für die gilt: {base}",
    },
    "en": {
        "mean": "Mean over the firms: {numerator}",
        "share": "Share of the firms for which this holds: {numerator}",
        "ratio": "Over all firms: sum of {numerator}, divided by sum of {denominator}",
        "total": "Sum over all firms, grossed up: {numerator}",
        "base": "; only firms for which this holds: {base}",
    },
}
"""How the kinds of indicators are worded, by language."""


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
        yield "definition", name, _definition(rule, language)
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


def _definition(rule: dict[str, str], language: str) -> str:
    """What an indicator is, as a sentence with its formulas."""
    phrases = DEFINITIONS[language]
    text = phrases[rule["kind"]].format_map(rule)
    return text + phrases["base"].format_map(rule) if rule["base"] else text


def _items(rule: dict[str, str], order: Sequence[str]) -> list[str]:
    names = {name for column in FORMULAS if rule[column] for name in parse(rule[column]).names}
    return [item for item in order if item in names]


def _records(table: pd.DataFrame) -> list[dict[str, str]]:
    return cast("list[dict[str, str]]", table.to_dict("records"))

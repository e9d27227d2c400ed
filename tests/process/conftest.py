"""The small study, stage by stage up to what each firm brings to each indicator."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from pipeline.collect.exports import read_exports
from pipeline.collect.register import read_register
from pipeline.collect.waves import read_settings
from pipeline.design import column_map
from pipeline.process import decode, derive, harmonise, quarantine, validate, weight
from pipeline.study import read_study

SMALL = Path(__file__).resolve().parents[1] / "studies" / "small"


@pytest.fixture(scope="session")
def small() -> SimpleNamespace:
    """The tables of all waves together, with the study; tests must not change them."""
    study = read_study(SMALL)
    made: dict[str, list[pd.DataFrame]] = {
        name: [] for name in ("raw", "register", "decoded", "findings", "answers")
    }
    for wave, settings in read_settings(study.raw, until="2023").items():
        items, codes, edits = study.asked_in(wave)
        columns = column_map(study.columns, items, wave=wave, key=settings.key)
        raw, _ = read_exports(study.raw / wave, settings)
        register = read_register(
            study.raw / "register" / settings.register, wave, study.register_codes(wave)
        )
        decoded = decode(
            raw,
            items,
            codes,
            columns,
            missing=settings.missing,
            decimal=settings.decimal,
            thousands=settings.thousands,
            chosen=settings.chosen,
            not_chosen=settings.not_chosen,
        )
        findings = validate(
            raw, decoded, register, columns, edits, changes=study.changes, language="en"
        )
        answers = quarantine(decoded, findings)
        for name, table in zip(made, (raw, register, decoded, findings, answers), strict=True):
            made[name].append(table)
    tables = {name: pd.concat(parts, ignore_index=True) for name, parts in made.items()}
    panel = harmonise(
        tables["answers"], study.changes, study.items, study.codes, study.concordances
    )
    weighting = study.settings.weighting
    weights = weight(
        panel,
        tables["register"],
        strata=weighting.strata,
        population=None,
        min_responses=weighting.min_responses,
    )
    shares = derive(panel, weights, tables["register"], study.indicators)
    return SimpleNamespace(study=study, **tables, panel=panel, weights=weights, shares=shares)

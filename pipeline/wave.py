"""One wave from raw exports to reports: every stage, in order. Read this first.

`run(stage, …)` calls a stage and notes its rows and seconds; each stage takes tables and returns a
new one. The phases are those of the GSBPM: collect (4), process (5), analyse (6), disseminate (7).
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from pandera.typing import DataFrame

from pipeline.analyse import Rules, benchmark, compare, estimate, protect, release
from pipeline.collect import (
    WaveSettings,
    read_exports,
    read_register,
    read_settings,
    source_of,
)
from pipeline.design import column_map, with_response
from pipeline.disseminate import render_reports
from pipeline.process import decode, derive, harmonise, quarantine, validate, weight
from pipeline.run import Run
from pipeline.store import (
    Taken,
    open_store,
    read_table,
    replaced,
    store_wave,
    wave_log,
    write_results,
)
from pipeline.study import Study, captions
from pipeline.tables import Answers, Findings, Register, Release, WaveLog


def run_wave(study: Study, wave: str, run: Run) -> list[Path]:
    """Make the reports of a wave and return their paths; earlier waves that are new come first.

    All files are read and validated before anything is stored; reports are replaced as a whole.
    """
    settings = read_settings(study.raw, until=wave)
    sources = {w: source_of(s, study.raw, study.schema_files) for w, s in settings.items()}
    log = wave_log(study.database).set_index(WaveLog.wave)[WaveLog.fingerprint]
    pending = [w for w in settings if w == wave or log.get(w) != sources[w]]
    taken = [take(study, settings[w], sources[w], run) for w in pending]
    with open_store(study.database) as database, replaced(study.reports / wave) as folder:
        for new in taken:
            run.wave = new.wave
            run(store_wave, new, database)
        run.wave = wave
        answers = read_table(database, Answers, until=wave)
        register = read_table(database, Register, until=wave)
        results, released = analyse(study, answers, register, run)
        fields = {w: s.field_period for w, s in settings.items() if s.field_period}
        texts = captions(study, fields)
        languages = study.settings.languages
        reports = run(render_reports, released, texts, folder, wave=wave, languages=languages)
        write_results(database, results, study.processed / wave)
    return [study.reports / wave / report.name for report in reports]


def take(study: Study, settings: WaveSettings, source: str, run: Run) -> Taken:
    """Collect and process the files of one wave up to validated answers."""
    run.wave = wave = settings.wave
    items, codes, edits = study.asked_in(wave)
    columns = column_map(study.columns, items, wave=wave, key=settings.key)
    raw, notes = run(read_exports, study.raw / wave, settings)
    register_file = study.raw / "register" / settings.register
    register = run(read_register, register_file, wave, study.register_codes(wave))
    decoded = run(
        decode,
        raw,
        items,
        codes,
        columns,
        missing=settings.missing,
        decimal=settings.decimal,
        thousands=settings.thousands,
    )
    language = study.settings.languages[0]
    findings = run(validate, raw, decoded, register, columns, edits, language=language)
    answers = run(quarantine, decoded, findings)
    everything = Findings.validate(pd.concat([notes, findings], ignore_index=True))
    return Taken(source, raw, register, answers, everything)


def analyse(
    study: Study, answers: DataFrame[Answers], register: DataFrame[Register], run: Run
) -> tuple[dict[str, pd.DataFrame], DataFrame[Release]]:
    """From the answers of all waves to the numbers that may be published."""
    rules, breakdowns = study.settings.publication, study.settings.publication.breakdowns
    indicators = with_response(study.indicators, sensitivity=rules.participation)
    panel = run(harmonise, answers, study.changes, study.items, study.codes)
    weights = run(weight, panel, register, strata=study.settings.weighting.strata)
    shares = run(derive, panel, weights, study.indicators)
    base = shares, weights, register
    estimates = run(estimate, *base, indicators, breakdowns=breakdowns)
    changes = run(compare, *base, study.indicators, study.changes, breakdowns=breakdowns)
    benchmarks = run(benchmark, *base, study.indicators, study.benchmark_pairs)
    limits = Rules(
        rules.min_contributors, rules.p_percent, rules.dominance_firms, rules.dominance_percent
    )
    cleared = run(protect, shares, register, indicators, breakdowns=breakdowns, rules=limits)
    figures = estimates, changes, benchmarks
    released = run(release, *figures, cleared, indicators)
    tables: dict[str, pd.DataFrame] = {
        "panel": panel,
        "weights": weights,
        "contributions": shares,
        "estimates": estimates,
        "changes": changes,
        "benchmarks": benchmarks,
        "clearance": cleared,
        "release": released,
    }
    return tables, released

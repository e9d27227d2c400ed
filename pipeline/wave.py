"""One wave from raw exports to reports: every stage, in order. Read this first.

`run(stage, …)` calls a stage and notes its rows and seconds; `run.kept(stage, …)` takes over its
result from an earlier run where nothing has changed. Each stage takes tables and returns a new one.
The phases are those of the GSBPM: collect (4), process (5), analyse (6), disseminate (7),
evaluate (8).
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from pandera.typing import DataFrame

from pipeline.analyse import (
    Rules,
    Thresholds,
    as_released,
    benchmark,
    breaches,
    compare,
    estimate,
    explain,
    explain_suppression,
    feedback,
    propose_groups,
    protect,
    release,
    retell,
    secure,
)
from pipeline.collect import (
    WaveSettings,
    correct,
    hashes_of,
    read_exports,
    read_register,
    read_settings,
    read_successions,
    source_of,
)
from pipeline.design import column_map, with_response
from pipeline.disclosure import p_of_pq
from pipeline.disseminate import render_reports
from pipeline.draft import Draft, notes_on
from pipeline.engines import engine_of
from pipeline.evaluate import render_disclosure
from pipeline.process import (
    assess,
    calibrate,
    decode,
    derive,
    harmonise,
    link,
    quarantine,
    review,
    validate,
    weight,
)
from pipeline.releases import Ledger, read_ledger
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
from pipeline.tables import (
    Answers,
    Benchmarks,
    Breaches,
    Changes,
    Clearance,
    Contributions,
    Estimates,
    Findings,
    Indicators,
    Panel,
    Proposals,
    Protection,
    Register,
    Release,
    Revisions,
    Suppressions,
    WaveLog,
    Weights,
)

Processed = tuple[
    DataFrame[Panel], DataFrame[Register], DataFrame[Weights], DataFrame[Contributions]
]
"""All waves, comparable and weighted, with what each firm brings to each indicator."""


def run_wave(study: Study, wave: str, run: Run) -> Draft:
    """Make the reports of a wave, cleared against all releases; earlier waves that are new first.

    All files are read and validated before anything is stored; reports are replaced as a whole. The
    ledger of releases is read and not written: see `mittelwelle release`.
    """
    settings = read_settings(study.raw, until=wave)
    sources = {w: source_of(s, study.raw, study.schema_files) for w, s in settings.items()}
    log = wave_log(study.database).set_index(WaveLog.wave)[WaveLog.fingerprint]
    pending = [w for w in settings if w == wave or log.get(w) != sources[w]]
    taken = [take(study, settings[w], sources[w], run) for w in pending]
    ledger = read_ledger(study.releases, study.raw, hashes_of(settings.values(), study.raw))
    with open_store(study.database) as database, replaced(study.reports / wave) as folder:
        for new in taken:
            run.wave = new.wave
            run(store_wave, new, database)
        run.wave = wave
        answers = read_table(database, Answers, until=wave)
        register = read_table(database, Register, until=wave)
        processed = process(study, answers, register, run)
        panel, frame, *_ = processed
        notes = run(review, panel, study.edits, frame, language=study.settings.languages[0])
        results, numbers, found, unpublished = analyse(study, processed, ledger, run)
        audited = DataFrame[Protection](results["protection"])
        status = DataFrame[Revisions](results["revisions"])
        fields = {w: s.field_period for w, s in settings.items() if s.field_period}
        texts = captions(study, fields, wave=wave)
        languages = study.settings.languages
        reports = run(render_reports, numbers, texts, folder, wave=wave, languages=languages)
        page = run(render_disclosure, *unpublished, texts, language=languages[0])
        write_results(database, results, notes, {"disclosure.html": page}, study.processed / wave)
    paths = [study.reports / wave / report.name for report in reports]
    notices = ledger.notes + notes_on(found)
    return Draft(paths, numbers, status, ledger.files, notices, unpublished[0], audited)


def take(study: Study, settings: WaveSettings, source: str, run: Run) -> Taken:
    """Collect and process the files of one wave up to validated answers."""
    run.wave = wave = settings.wave
    items, codes, edits = study.asked_in(wave)
    columns = column_map(study.columns, items, wave=wave, key=settings.key)
    raw, notes = run(read_exports, study.raw / wave, settings)
    cells, corrections = run(correct, raw, study.raw / wave, settings)
    register = run(
        read_register,
        study.raw / "register" / settings.register,
        wave,
        study.register_codes(wave),
        crossings=study.settings.crossings,
        target=study.settings.target,
        eligible=study.settings.eligibility,
    )
    decoded = run(
        decode,
        *(cells, items, codes, columns),
        missing=settings.missing,
        decimal=settings.decimal,
        thousands=settings.thousands,
        chosen=settings.chosen,
        not_chosen=settings.not_chosen,
    )
    language = study.settings.languages[0]
    checked = cells, decoded, register, columns, edits
    findings = run(validate, *checked, changes=study.changes, language=language)
    answers = run(quarantine, decoded, findings)
    everything = pd.concat([notes, corrections, findings], ignore_index=True)
    return Taken(source, raw, register, answers, Findings.validate(everything))


def process(
    study: Study, answers: DataFrame[Answers], register: DataFrame[Register], run: Run
) -> Processed:
    """From the answers of all waves to what each firm brings to each indicator."""
    successions = read_successions(study.raw / "register")
    linked, frame = run(link, answers, register, successions)
    forms = study.changes, study.items, study.codes, study.concordances
    panel = run(harmonise, linked, *forms)
    weighting, target = study.settings.weighting, study.settings.target
    weights = run(
        weight,
        panel,
        frame,
        strata=weighting.strata,
        population=target.column if target else None,
        min_responses=weighting.min_responses,
    )
    weights = run(
        calibrate,
        weights,
        frame,
        columns=weighting.calibrate,
        population=target.column if target else None,
        min_responses=weighting.min_responses,
        method=weighting.method,
        bounds=weighting.bounds,
    )
    return panel, frame, weights, run(derive, panel, weights, frame, study.indicators)


Results = dict[str, pd.DataFrame]
"""Tables by the name of their file."""
Measured = tuple[DataFrame[Estimates], DataFrame[Changes], DataFrame[Benchmarks]]
"""Levels, changes and trends, differences between groups."""
Unpublished = tuple[DataFrame[Clearance], DataFrame[Suppressions], DataFrame[Proposals]]
"""Which cells are not published, whom that protects, what coarser groups would spare."""


def analyse(
    study: Study, processed: Processed, ledger: Ledger, run: Run
) -> tuple[Results, DataFrame[Release], DataFrame[Breaches], Unpublished]:
    """From what firms bring to the numbers that may be published, beside those that were."""
    (panel, register, weights, shares), released = processed, ledger.released
    settings, rules = study.settings, study.settings.publication
    indicators = with_response(study.indicators, sensitivity=rules.participation)
    cells = shares, register, indicators, study.benchmark_pairs
    limits, coarse = limits_of(study), rules.coarse_below
    of_groups = limits | {"breakdowns": rules.breakdowns}
    allowed = run.kept(protect, *cells, released, **of_groups)
    against = allowed, shares, register, indicators, study.items
    given: dict[str, Any] = {"released": released, "known": rules.known, "coarse_below": coarse}
    cleared, audited, exposed = run.kept(secure, *against, rules=limits["rules"], **given)
    found = run(breaches, *cells, released, **of_groups)
    measured = measure(study, processed, indicators, cleared, run)
    population = settings.target.column if settings.target else None
    columns = settings.weighting.compared
    quality = run(assess, weights, register, columns=columns, population=population)
    published = *measured, cleared, indicators
    grading: dict[str, Any] = {
        "quality": quality,
        "thresholds": Thresholds(**settings.quality.model_dump()),
    }
    draft = run(release, *published, **grading, coarse_below=coarse)
    own = shares, register, study.indicators, cleared, draft
    draft, firms = run.kept(feedback, *own, peers=rules.peers, min_peers=rules.min_peers, **limits)
    numbers, status = run(as_released, draft, released, changed=ledger.changed)
    firms = run(retell, firms, numbers, study.indicators)
    ordered = study.ordered_codes(run.wave)
    why = run.kept(explain_suppression, *cells, cleared, exposures=exposed, **of_groups)
    coarser = run.kept(propose_groups, *cells, allowed, ordered=ordered, **of_groups)
    tables: Results = {"panel": panel, "weights": weights, "contributions": shares}
    tables |= dict(zip(("estimates", "changes", "benchmarks"), measured, strict=True))
    tables |= {"quality": quality, "clearance": cleared, "protection": audited}
    tables |= {"release": numbers, "revisions": status, "feedback": firms}
    tables |= {"suppressions": why, "proposals": coarser}
    return tables | explained(study, processed, run), numbers, found, (cleared, why, coarser)


def limits_of(study: Study) -> dict[str, Any]:
    """The thresholds of the primary rules; of several (p,q)-rules the strictest counts."""
    rules = study.settings.publication
    thresholds = Rules(
        rules.min_contributors,
        max(p_of_pq(p, q) for p, q in rules.p_and_q),
        rules.dominance_firms,
        rules.dominance_percent,
        secret_weights=rules.weights == "secret",
    )
    return {"rules": thresholds, "min_contributors_high": rules.min_contributors_high}


def measure(
    study: Study,
    processed: Processed,
    indicators: DataFrame[Indicators],
    cleared: DataFrame[Clearance],
    run: Run,
) -> Measured:
    """Estimates with their uncertainty; of changes and differences only the study's own."""
    _, register, weights, shares = processed
    rules, changes = study.settings.publication, study.changes
    base, own, pairs = (shares, weights, register), study.indicators, study.benchmark_pairs
    breakdowns, pooled = rules.breakdowns, rules.pooled
    levels = run(
        estimate,
        *(*base, indicators, pairs),
        changes=changes,
        breakdowns=breakdowns,
        pooled=pooled,
        engine=engine_of(study.settings.engine),
    )
    compared = run(compare, *base, own, pairs, changes=changes, breakdowns=breakdowns)
    limits, adjusted = limits_of(study), rules.adjusted
    benchmarks = run(benchmark, *base, own, pairs, clearance=cleared, adjusted=adjusted, **limits)
    return levels, compared, benchmarks


def explained(study: Study, processed: Processed, run: Run) -> Results:
    """What is not published: what lies behind the changes."""
    _, register, weights, shares = processed
    base, breakdowns = (shares, weights, register), study.settings.publication.breakdowns
    flows, parts = run(
        explain, *base, study.indicators, changes=study.changes, breakdowns=breakdowns
    )
    return {"flows": flows, "decompositions": parts}

"""What the report says: one content for HTML and PDF."""

from __future__ import annotations

from pipeline.disseminate.benchmarks import benchmark_section
from pipeline.disseminate.blocks import indicators_section
from pipeline.disseminate.figures import Figures, local_date
from pipeline.disseminate.findings import findings_section
from pipeline.disseminate.history import changes_section
from pipeline.disseminate.model import Fact, Report
from pipeline.disseminate.overview import overview_section
from pipeline.disseminate.rankings import rankings_section
from pipeline.disseminate.response import response_section
from pipeline.disseminate.sections import (
    definitions_section,
    imprint_section,
    method_section,
    symbols_section,
)
from pipeline.disseminate.wording import Wording
from pipeline.tables.flow import ALL, RESPONSE


def build_report(figures: Figures, wording: Wording) -> Report:
    """The whole report of a wave in one language, in the order in which it is read."""
    sections = (
        findings_section(figures, wording),
        overview_section(figures, wording),
        indicators_section(figures, wording),
        rankings_section(figures, wording),
        benchmark_section(figures, wording),
        response_section(figures, wording),
        method_section(figures, wording),
        changes_section(figures, wording),
        definitions_section(figures, wording),
        symbols_section(wording),
        imprint_section(figures, wording),
    )
    return Report(
        language=wording.language,
        title=wording.caption("study", "title"),
        kind=wording.word("report.kind"),
        wave=wording.word("report.wave", wave=figures.wave),
        publisher=wording.caption("study", "publisher"),
        facts=_facts(figures, wording),
        sections=tuple(section for section in sections if section),
    )


def _facts(figures: Figures, wording: Wording) -> tuple[Fact, ...]:
    facts = []
    if wording.has_caption("field", figures.wave):
        days = wording.caption("field", figures.wave).split("/")
        first, last = (local_date(day, wording.language) for day in days)
        period = wording.say("report.field_range", first=first, last=last)
        facts.append(Fact(wording.word("report.field"), (period,)))
    population = wording.caption("study", "population")
    facts.append(Fact(wording.word("report.population"), ((population,),)))
    response = (figures.wave, RESPONSE, ALL)
    if all(figures.shows(*response, s) for s in ("n", "population", "estimate")):
        rate = wording.amount(figures.number(*response, "estimate"), wording.unit(RESPONSE))
        line = wording.say(
            "report.response_line",
            n=figures.number(*response, "n"),
            population=figures.number(*response, "population"),
            rate=rate,
        )
        facts.append(Fact(wording.word("report.response"), (line,)))
    return tuple(facts)

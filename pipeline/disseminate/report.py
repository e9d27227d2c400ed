"""Renders the reports of a wave from its release: HTML, PDF and the numbers as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from pandera.typing import DataFrame

from pipeline.disseminate.charts import draw
from pipeline.disseminate.content import build_report
from pipeline.disseminate.figures import Figures, release_rows
from pipeline.disseminate.html import render_html
from pipeline.disseminate.model import Chart, Report
from pipeline.disseminate.pdf import render_pdf
from pipeline.disseminate.wording import Wording
from pipeline.errors import RenderError
from pipeline.tables import Captions, Release


def render_reports(
    release: DataFrame[Release],
    captions: DataFrame[Captions],
    folder: Path,
    *,
    wave: str,
    languages: Sequence[str],
) -> list[Path]:
    """Write `report.<language>.html`, `report.<language>.pdf` and `release.csv` into a folder.

    The release holds the numbers of all waves up to the one reported; the folder exists. Returns
    the files in order of name. Raises RenderError where a text or a number is missing, where a
    number stands beside a suppressed one, or where the PDF would not be accessible.
    """
    Release.validate(release)
    Captions.validate(captions)
    wordings = [Wording(language, captions) for language in languages]
    if problems := [problem for words in wordings for problem in words.missing(release)]:
        raise RenderError(problems)
    paths = [folder / "release.csv"]
    _write_csv(release, paths[0])
    for wording in wordings:
        report = build_report(Figures(release, wave, wording.language), wording)
        drawings = {
            chart.chart_id: draw(chart, wording.language, prefix=f"chart{position}")
            for position, chart in enumerate(_charts(report))
        }
        page = folder / f"report.{wording.language}.html"
        page.write_text(render_html(report, drawings, wording), encoding="utf-8", newline="\n")
        document = folder / f"report.{wording.language}.pdf"
        document.write_bytes(render_pdf(report, drawings, wording))
        paths += [page, document]
    return sorted(paths)


def _charts(report: Report) -> Iterator[Chart]:
    for section in report.sections:
        yield from section.charts
        for block in section.blocks:
            yield from block.charts


def _write_csv(release: DataFrame[Release], path: Path) -> None:
    columns = list(Release.to_schema().columns)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(release_rows(release))

"""Renders the reports of a wave from its release: HTML, PDF and the numbers as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
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
    the files in order of name.

    Raises RenderError, and writes nothing, where a text or a number is missing, where a number
    stands beside a suppressed one, or where the PDF would not be accessible.
    """
    Release.validate(release)
    Captions.validate(captions)
    wordings = [Wording(language, captions) for language in languages]
    if problems := [problem for words in wordings for problem in words.missing(release)]:
        raise RenderError(problems)
    files = _documents(Figures(release, wave, languages[0]), wordings)
    published = release[release[Release.wave] <= wave]
    files["release.csv"] = _csv(DataFrame[Release](published)).encode()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return sorted(folder / name for name in files)


def _documents(figures: Figures, wordings: Sequence[Wording]) -> dict[str, bytes]:
    """Page and PDF of every language, by file name; Typst works beside Python."""
    files: dict[str, bytes] = {}
    with ThreadPoolExecutor() as pool:
        printing: dict[str, Future[bytes]] = {}
        for wording in wordings:
            report = build_report(figures.translated(wording.language), wording)
            drawings = {chart.chart_id: draw(chart, report.language) for chart in _charts(report)}
            name = f"report.{wording.language}"
            printing[f"{name}.pdf"] = pool.submit(render_pdf, report, drawings, wording)
            files[f"{name}.html"] = render_html(report, drawings, wording).encode()
        return files | {name: pdf.result() for name, pdf in printing.items()}


def _charts(report: Report) -> Iterator[Chart]:
    for section in report.sections:
        yield from section.charts
        for block in section.blocks:
            yield from block.charts


def _csv(release: DataFrame[Release]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(release.columns)
    writer.writerows(release_rows(release))
    return file.getvalue()

"""The report as PDF/UA-1 by Typst: texts travel as data, a warning is a failure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path

import typst

from pipeline.disseminate.fonts import FAMILY, typst_fonts
from pipeline.disseminate.model import Chart, Number, Report
from pipeline.disseminate.wording import Wording
from pipeline.errors import Problem, RenderError

_TEMPLATE = Path(__file__).parent / "templates" / "report.typ"


def render_pdf(report: Report, drawings: Mapping[str, str], wording: Wording) -> bytes:
    """The report with its charts (SVG by chart id) as a tagged, accessible PDF.

    Raises RenderError where Typst cannot make it or warns (a missing font, a missing character).
    """
    content = {
        "report": _plain(report),
        "drawings": drawings,
        "font": FAMILY,
        "contents": wording.word("word.contents"),
    }
    with typst_fonts() as fonts:
        try:
            result, warnings = typst.compile_with_warnings(
                _TEMPLATE,
                root=_TEMPLATE.parent,
                font_paths=fonts,
                ignore_system_fonts=True,
                format="pdf",
                pdf_standards=["ua-1"],
                sys_inputs={"content": json.dumps(content, ensure_ascii=False)},
            )
        except typst.TypstError as error:
            raise _failure(report, [str(error)]) from error
    if warnings:
        raise _failure(report, [str(warning) for warning in warnings])
    return bytes(result)


def _plain(part: object) -> object:
    """A part of the report as data: a number is its text, all else keeps its fields.

    The points of a chart stay out: it comes as a drawing.
    """
    if isinstance(part, Chart):
        return {
            "chart_id": part.chart_id,
            "message": _plain(part.message),
            "subtitle": _plain(part.subtitle),
            "alt": part.alt,
        }
    if isinstance(part, Number):
        return part.text
    if isinstance(part, tuple):
        return [_plain(entry) for entry in part]
    if is_dataclass(part):
        return {field.name: _plain(getattr(part, field.name)) for field in fields(part)}
    return part


def _failure(report: Report, messages: list[str]) -> RenderError:
    return RenderError(
        [
            Problem(
                found=message,
                expected="a PDF that meets PDF/UA-1, without a warning",
                advice="mend the text that is named, or the template",
                file=f"report.{report.language}.pdf",
            )
            for message in messages
        ]
    )

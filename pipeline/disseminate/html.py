"""The report as one HTML file: no script, nothing from outside, a strict content policy."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline.disseminate.fonts import FACES, FAMILY, web_font
from pipeline.disseminate.model import Cell, Line, Report
from pipeline.disseminate.wording import Wording

_TEMPLATES = Path(__file__).parent / "templates"
_POLICY = (
    "default-src 'none'; style-src 'sha256-{digest}'; font-src data:; "
    "base-uri 'none'; form-action 'none'"
)


def render_html(report: Report, drawings: Mapping[str, str], wording: Wording) -> str:
    """The page of a report with its charts (SVG by chart id) and its fonts inside.

    Everything that is not markup of the template is escaped; the style sheet is admitted by its
    hash, so that no other style and no script can run.
    """
    environment = _environment()
    body = environment.get_template("report.html.j2").render(
        report=report,
        drawings={name: Markup(svg) for name, svg in drawings.items()},  # noqa: S704 built here
        word=wording.word,
    )
    style = _faces(body) + (_TEMPLATES / "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page = environment.get_template("page.html.j2")
    return page.render(
        report=report,
        policy=_POLICY.format(digest=digest),
        style=Markup(style),  # noqa: S704 the package's own file
        body=Markup(body),  # noqa: S704 rendered and escaped above
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"line": _line, "row": _row}
    return environment


def _marked(line: Line) -> str:
    """A line with its texts escaped and its numbers marked with their ids.

    Lines and cells are by far the most of a page; a template would take ten times as long.
    """
    return "".join(
        escape(part)
        if isinstance(part, str)
        else f'<data class="num" data-number="{escape(part.number_id)}" value="{part.value}">'
        f"{part.text}</data>"
        for part in line
    )


def _line(line: Line) -> Markup:
    return Markup(_marked(line))  # noqa: S704 escaped above


def _row(cells: tuple[Cell, ...]) -> Markup:
    """The cells of a row, the first as its header."""
    inside = [
        _marked(main) + (f'<span class="sub">{_marked(sub)}</span>' if sub else "")
        for main, sub in ((cell.main, cell.sub) for cell in cells)
    ]
    head, *rest = inside
    row = f'<th scope="row">{head}</th>' + "".join(f"<td>{text}</td>" for text in rest)
    return Markup(row)  # noqa: S704 escaped above


def _faces(text: str) -> str:
    characters = "".join(set(text))
    return "".join(
        f'@font-face{{font-family:"{FAMILY}";font-weight:{weight};'
        f'src:url("data:font/woff;base64,{web_font(weight, characters)}") format("woff")}}\n'
        for weight in FACES
    )

"""The report as one HTML file: no script, nothing from outside, a strict content policy."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline.disseminate.fonts import FACES, FAMILY, web_font
from pipeline.disseminate.model import Report
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
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["published"] = lambda fragment: not isinstance(fragment, str)
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


def _faces(text: str) -> str:
    return "".join(
        f'@font-face{{font-family:"{FAMILY}";font-weight:{weight};'
        f'src:url("data:font/woff;base64,{web_font(weight, text)}") format("woff")}}\n'
        for weight in FACES
    )

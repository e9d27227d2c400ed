"""Draw the README's pictures: the flow from the code itself, and a page of the newest report.

    .venv/bin/python docs/pictures.py

`flow.svg` is drawn anew by the tests and compared; `report.png` needs a Chromium.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

from pipeline.cli.doctor import BROWSERS
from pipeline.cli.flow import Stage, stages

DOCS = Path(__file__).parent
REPORTS = sorted(DOCS.parent.glob("reports/*/report.en.html"))
BLUE, TEAL, GREY = "#12436D", "#28A197", "#3D3D3D"
BOX, GAP, ROW, LABEL = 130, 10, 92, 120


def flow_svg() -> str:
    """The stages by phase of the GSBPM, each with the tables it makes."""
    phases = [(phase, list(group)) for phase, group in groupby(stages(), key=lambda s: s.phase)]
    height = ROW * len(phases) + 16
    width = LABEL + max(len(members) for _, members in phases) * (BOX + GAP) + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'font-family="Source Sans Pro, Segoe UI, Helvetica, Arial, sans-serif">',
        "<title>The stages of a wave, from export files to reports</title>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for row, (phase, members) in enumerate(phases):
        parts += _band(phase, members, 8 + row * ROW, width)
    return "\n".join([*parts, "</svg>", ""])


def _band(phase: str, members: list[Stage], top: int, width: int) -> list[str]:
    parts = [
        f'<rect x="8" y="{top}" width="{width - 16}" height="{ROW - 10}" rx="6" fill="#F3F6F9"/>',
        f'<text x="20" y="{top + 34}" font-size="13" font-weight="700" fill="{BLUE}">GSBPM</text>',
        f'<text x="20" y="{top + 54}" font-size="15" fill="{GREY}">{escape(phase)}</text>',
    ]
    for column, stage in enumerate(members):
        x = LABEL + column * (BOX + GAP)
        parts.append(
            f'<rect x="{x}" y="{top + 10}" width="{BOX}" height="{ROW - 30}" rx="4" '
            f'fill="white" stroke="{BLUE}"/>'
        )
        parts.append(
            f'<text x="{x + 10}" y="{top + 31}" font-size="15" font-weight="600" '
            f'fill="{GREY}">{escape(stage.name)}</text>'
        )
        made = stage.makes or (("DuckDB",) if "store" in stage.name else ("HTML, PDF, CSV",))
        for line, table in enumerate(made):
            parts.append(
                f'<text x="{x + 10}" y="{top + 51 + 15 * line}" font-size="13" '
                f'fill="{TEAL}">→ {escape(table)}</text>'
            )
    return parts


def report_png(target: Path) -> None:
    """The top of the newest report as a picture."""
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None or not REPORTS:
        sys.exit("report.png needs a Chromium and a report: make wave")
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        command += [f"--user-data-dir={profile}", "--disable-background-networking"]
        command += ["--window-size=1100,2300", f"--screenshot={target}", REPORTS[-1].as_uri()]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 (our own page)


if __name__ == "__main__":
    (DOCS / "flow.svg").write_text(flow_svg(), encoding="utf-8")
    report_png(DOCS / "report.png")

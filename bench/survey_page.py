"""Write `docs/speed.md` and its picture `docs/speed.svg` from `bench/survey.csv`.

.venv/bin/python bench/survey_page.py
"""

from __future__ import annotations

from math import log10
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
WORKS = {
    ("large", "means"): "means + SE, 1,000,000 rows × 500 strata × 60 domains × 20 items",
    ("small", "means"): "means + SE, 1,000 firms × 12 strata × 30 domains × 200 items",
    ("large", "raking"): "raking, 1,000,000 rows, margins 60/4/5, to 1e-10",
    ("small", "raking"): "raking, 1,000 rows, margins 60/4/5, to 1e-10",
    ("large", "medians"): "median + SE, 1,000,000 rows × 500 strata × 60 domains",
}
PEERS = ["R", "svy", "samplics", "weightipy"]
HEADS = {
    "R": "R survey 4.1",
    "svy": "svy 0.35",
    "samplics": "samplics 0.6",
    "weightipy": "weightipy 0.4",
}
BLUE, TEAL, GREY = "#12436D", "#28A197", "#3D3D3D"
WIDTH, HEIGHT, LEFT, TOP, PLOT = 640, 300, 60, 30, 200
PAGE = """# How fast are the estimates?

CPU seconds (user and system), each measurement in a process of its own on ready-made data, all in
one run on two cores; the first call in the process counts. In brackets how many times as long as
this library in memory takes. Estimates and standard errors of the tools agree where they do the
same work (`result` in [`bench/survey.csv`](../bench/survey.csv)); samplics' medians do not, and
weightipy starts from weights of 1 instead of the design's.

    make bench                                           # all of it, and this page

{table}

\\* one item instead of 20: more did not finish. – : the tool has no such work. The design is ready:
R survey needs {building} CPU seconds more to build that of 1,000,000 rows. Raking here includes
numbering the cells of the margins. Peak memory of means of 1,000,000 rows: {memory}.

SQL is for tables that do not fit into memory; it reads Parquet twice and runs in DuckDB with one
thread, so that the same data give the same bytes. `pipeline.engines.spark_engine` runs the same
statements on a cluster; on one machine it only shows what a cluster's nodes would share. Its time
is that on the clock with two threads, after it was started.

## Growth

Means with standard errors of 20 items × 60 domains × 500 strata.

![CPU seconds by rows, in memory and SQL](speed.svg)

{growth}
"""


def seconds(value: float) -> str:
    """Two digits that count, not in powers of ten."""
    return f"{value:.{max(0, 1 - int(log10(value) // 1))}f}" if value < 10 else f"{value:.0f}"


def main() -> None:
    """Write the page and the picture."""
    rows = pd.read_csv(HERE / "survey.csv")
    works = rows[rows["table"] != "growth"].set_index(["table", "work", "tool"])
    lines = ["| work | here, in memory | here, SQL | " + " | ".join(HEADS.values()) + " |"]
    lines.append("|---|" + "---:|" * (2 + len(PEERS)))
    for place, name in WORKS.items():
        own = works.loc[(*place, "here"), "cpu"]
        cells = [f"**{seconds(own)}**", *(_cell(works, (*place, t), own) for t in ["sql", *PEERS])]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    growth = rows[rows["table"] == "growth"]
    page = PAGE.format(
        table="\n".join(lines),
        building=_building(works),
        memory=_memory(works),
        growth=_growth_table(growth),
    )
    (DOCS / "speed.md").write_text(page, encoding="utf-8")
    (DOCS / "speed.svg").write_text(_picture(growth), encoding="utf-8")


def _cell(works: pd.DataFrame, place: tuple[str, str, str], own: float) -> str:
    if place not in works.index:
        return "–"
    row = works.loc[place]
    mark = "\\*" if row["part"] == "one" else ""
    if not row["finished"]:
        return f"over 120{mark}"
    ratio = row["cpu"] / own
    return (
        f"{seconds(row['cpu'])}{mark} (×{ratio:.1f})"
        if ratio < 10
        else (f"{seconds(row['cpu'])}{mark} (×{ratio:,.0f})")
    )


def _building(works: pd.DataFrame) -> str:
    place = ("large", "means", "R")
    return f"{works.loc[place, 'building']:.0f}" if place in works.index else "–"


def _memory(works: pd.DataFrame) -> str:
    found = works.sort_index().loc[("large", "means")]
    found = found[found["finished"]]
    names = {"here": "in memory", "sql": "SQL", "svy": "svy (one item)", **HEADS} | {
        "svy": "svy (one item)"
    }
    return ", ".join(f"{names[tool]} {mb / 1024:.2f} GB" for tool, mb in found["mb"].items())


def _growth_table(growth: pd.DataFrame) -> str:
    """CPU seconds and peak memory; of Spark, which is another process, seconds on the clock."""
    heads = ["rows", "in memory: CPU s", "GB", "SQL: CPU s", "GB", "Spark: s"]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---:|" * len(heads)]
    known = growth[growth["finished"]].set_index(["n", "tool"])
    for n in growth["n"].unique():
        cells = [f"{n:,}"]
        for tool in ("here", "sql"):
            row = known.loc[(n, tool)] if (n, tool) in known.index else None
            cells += ["–", "–"] if row is None else [seconds(row["cpu"]), f"{row['mb'] / 1024:.2f}"]
        here = (n, "spark") in known.index
        cells.append(seconds(known.loc[(n, "spark"), "wall"]) if here else "–")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _picture(growth: pd.DataFrame) -> str:
    """CPU seconds by rows, both logarithmic."""
    known = growth[growth["finished"] & growth["tool"].isin(["here", "sql"])]
    low, high = int(log10(known["cpu"].min()) // 1), int(-(-log10(known["cpu"].max()) // 1))
    first, last = log10(known["n"].min()), log10(known["n"].max())

    def x(n: float) -> float:
        return LEFT + (log10(n) - first) / (last - first) * (WIDTH - LEFT - 130)

    def y(cpu: float) -> float:
        return TOP + (high - log10(cpu)) / (high - low) * PLOT

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'font-family="Source Sans Pro, Segoe UI, Helvetica, Arial, sans-serif" font-size="13">',
        "<title>CPU seconds by rows: means of 20 items by 60 domains and 500 strata</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT - 8}" y="{TOP - 12}" text-anchor="end" fill="{GREY}">CPU s</text>',
        f'<text x="{WIDTH - 130}" y="{TOP + PLOT + 44}" text-anchor="end">rows</text>',
    ]
    for power in range(low, high + 1):
        at, label = y(10.0**power), f"{10.0**power:g}"
        parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - 130}" stroke="#D0D0D0"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{label}</text>')
    parts += [
        f'<text x="{x(n):.1f}" y="{TOP + PLOT + 22}" text-anchor="middle">{n:,}</text>'
        for n in sorted(known["n"].unique())
    ]
    for tool, label, colour in (("here", "in memory", BLUE), ("sql", "SQL (DuckDB)", TEAL)):
        line = known[known["tool"] == tool].sort_values("n")
        points = [(x(n), y(cpu)) for n, cpu in zip(line["n"], line["cpu"], strict=True)]
        path = "L".join(f"{a:.1f} {b:.1f}" for a, b in points)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.5" fill="{colour}"/>' for a, b in points]
        end = points[-1]
        parts.append(
            f'<text x="{end[0] + 10:.1f}" y="{end[1] + 4:.1f}" fill="{colour}">{label}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    main()

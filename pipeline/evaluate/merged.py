"""The proposals in words: what merging two groups would bring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.evaluate.words import Words
from pipeline.tables import Proposals


@dataclass(frozen=True)
class Merged:
    """A merge that was worked through: counts after it, each with its change; `gain` on both."""

    column: str
    merge: str
    cells: str
    suppressed: tuple[str, str]
    published: tuple[str, str]
    visible: str
    gain: bool


@dataclass(frozen=True)
class Proposed:
    """All merges: those worked through, the first as it is; all judged, column, merge, primary."""

    worked: tuple[Merged, ...]
    judged: tuple[tuple[str, str, str], ...]
    best: str


def proposed(proposals: pd.DataFrame, words: Words) -> Proposed:
    """The proposals, those that leave most published cells first."""
    now, rest = proposals.iloc[0], proposals.iloc[1:]
    published = rest[Proposals.cells] - rest[str(Proposals.suppressed)]
    worked = rest.assign(published=published).dropna(subset=[str(Proposals.suppressed)])
    worked = worked.sort_values(
        ["published", str(Proposals.suppressed)], ascending=[False, True], kind="stable"
    )
    listed = rest.sort_values([str(Proposals.primary), Proposals.column], kind="stable")
    rows = tuple(_merged(row, now.to_dict(), words) for row in worked.to_dict("records"))
    return Proposed(
        worked=(_as_it_is(now, words), *rows),
        judged=tuple(
            (words.column(row[Proposals.column]), _label(row, words), words.count(row["primary"]))
            for row in listed.to_dict("records")
        ),
        best=_best(rows, words),
    )


def _as_it_is(now: pd.Series, words: Words) -> Merged:
    suppressed = float(now[str(Proposals.suppressed)])
    return Merged(
        column="",
        merge=words.say("proposals", "as_it_is"),
        cells=words.count(now[Proposals.cells]),
        suppressed=(words.count(suppressed), ""),
        published=(words.count(now[Proposals.cells] - suppressed), ""),
        visible=words.percent(now[str(Proposals.visible)]),
        gain=False,
    )


def _merged(row: Mapping[Any, Any], now: Mapping[Any, Any], words: Words) -> Merged:
    suppressed, before = row["suppressed"], now["suppressed"]
    published, published_before = row["cells"] - suppressed, now["cells"] - before
    return Merged(
        column=words.column(row[Proposals.column]),
        merge=_label(row, words),
        cells=words.count(row["cells"]),
        suppressed=(words.count(suppressed), words.difference(suppressed - before)),
        published=(words.count(published), words.difference(published - published_before)),
        visible=words.percent(row["visible"]),
        gain=bool(published > published_before),
    )


def _label(row: Mapping[Any, Any], words: Words) -> str:
    one, other = (words.group(row["column"], row[code]) for code in ("one", "other"))
    return f"{one} + {other}"


def _best(rows: tuple[Merged, ...], words: Words) -> str:
    """The first proposal, where it leaves more published cells than there are."""
    if not rows:
        return words.say("proposals", "one")
    first = rows[0]
    if not first.gain:
        return words.say("proposals", "no_best")
    return words.say(
        "proposals",
        "best",
        merge=f"{first.column}: {first.merge}",
        spared=first.suppressed[1].lstrip("\N{MINUS SIGN}"),
        published=first.published[1].lstrip("+"),
    )

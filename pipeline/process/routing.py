"""Routing: which items a record was led to."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.expressions import Wide, evaluate, parse
from pipeline.tables import Answers, Items

Bools = npt.NDArray[np.bool_]
Grid = dict[str, npt.NDArray[np.object_]]
"""Columns of the answers as (records, items)."""
EMPTIED: dict[str, str | float] = {
    Answers.code: "",
    str(Answers.value): np.nan,
    Answers.reason: "quarantined",
}
"""What becomes of an answer that the routing did not ask for, and of 'not asked' where it did."""


def route(answers: pd.DataFrame, items: pd.DataFrame) -> None:
    """Empty cells of items to which the routing does not lead become `routed_out`, in place.

    `answers` has all items of each record in turn. An answer there is a problem, and so is the
    export's own `routed_out` where the routing leads. Questions are taken in their order: where the
    routing hangs on an item that was itself routed out, nobody was asked either. Where it hangs on
    an answer that is missing for another reason, nothing is decided.
    """
    names = pd.Index(sorted(items[Items.item]))
    shape = (-1, len(names))
    columns = (*EMPTIED, Answers.problem)
    grid: Grid = {c: answers[c].to_numpy(dtype=object, copy=True).reshape(shape) for c in columns}
    for (_, routing), members in items.groupby([Items.question, Items.routing], sort=False):
        places = names.get_indexer(members[Items.item])
        if routing:
            _route(grid, names, str(routing), places)
        else:
            skipped = grid[Answers.reason][:, places] == "routed_out"
            _withhold(grid, places, skipped, "routed_out_although_asked")
    for column, cells in grid.items():
        answers[column] = pd.Series(cells.ravel(), answers.index).astype(answers[column].dtype)


def _route(grid: Grid, names: pd.Index, routing: str, places: npt.NDArray[np.intp]) -> None:
    """Apply one routing to the items at `places`."""
    needed = parse(routing).names
    led = evaluate(routing, _wide(grid, names, sorted(needed)))
    of_routing = grid[Answers.reason][:, names.get_indexer(names.intersection(sorted(needed)))]
    unasked = (led == 0) | (np.isnan(led) & _hangs_on_routed_out(of_routing))
    reason = grid[Answers.reason][:, places]
    given = unasked[:, None] & (reason == "")
    skipped = (led == 1)[:, None] & (reason == "routed_out")
    empty = unasked[:, None] & (reason == "no_answer")
    _withhold(grid, places, given, "answered_although_routed_out")
    _withhold(grid, places, skipped, "routed_out_although_asked")
    reason = grid[Answers.reason][:, places]
    reason[empty] = "routed_out"
    grid[Answers.reason][:, places] = reason


def _withhold(grid: Grid, places: npt.NDArray[np.intp], rows: Bools, problem: str) -> None:
    """Take cells out, (records, places), and name the rule that they break."""
    for column, value in {**EMPTIED, Answers.problem: problem}.items():
        cells = grid[column][:, places]
        cells[rows] = value
        grid[column][:, places] = cells


def _wide(grid: Grid, names: pd.Index, needed: Iterable[str]) -> Wide:
    """The items of a formula, those that the wave does not ask as missing."""
    place = {name: names.get_loc(name) for name in needed if name in names}
    records = len(grid[Answers.code])
    numbers = {
        n: grid[str(Answers.value)][:, place[n]].astype(np.float64)
        if n in place
        else np.full(records, np.nan)
        for n in needed
    }
    codes = {n: grid[Answers.code][:, place[n]] if n in place else "" for n in needed}
    index = pd.RangeIndex(records)
    return Wide(pd.DataFrame(numbers, index), pd.DataFrame(codes, index, dtype=object))


def _hangs_on_routed_out(reasons: npt.NDArray[np.object_]) -> Bools:
    """Records where items of the routing are routed out, and none is missing otherwise."""
    skipped = reasons == "routed_out"
    unknown = ~skipped & (reasons != "")
    return np.asarray(skipped.any(axis=1) & ~unknown.any(axis=1))

"""Review: changes on the wave before that are out of the ordinary, for a person to look at."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple, cast

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline.expressions import FloatArray, evaluate
from pipeline.process.wide import EVERYBODY, UNIT, names_in, widen_with_register
from pipeline.tables import Edits, Findings, Panel, Register

Rule = dict[str, str]
SIZE_POWER = 0.5
"""U: how much a change of a large firm counts more than the same change of a small one."""
LEAST_SPREAD = 0.05
"""A: the least distance of a quartile from the median, as a part of the median."""
WIDTH = 4.0
"""C: how many times that distance an ordinary change may be away from the median."""
MOST_UNCHANGED = 0.5
"""From this share of pairs without change on, they take no part: the quartiles would be 0."""
LEAST_PAIRS = 10
"""With fewer firms a quartile rests on one or two of them, and the outlier moves its own bounds."""
ROUNDING = 1e-9


class Bounds(NamedTuple):
    """Lowest and highest ordinary ratio of each pair, and which pairs lie outside."""

    low: FloatArray
    high: FloatArray
    outside: np.ndarray


@pa.check_types
def review(
    panel: DataFrame[Panel],
    edits: DataFrame[Edits],
    register: DataFrame[Register],
    *,
    language: str,
) -> DataFrame[Findings]:
    """A soft finding for each firm, item and wave whose change on the wave before stands out.

    For edit rules of kind `score`, in all their waves, among the firms with an amount above 0 in
    both waves where the condition holds in the later one; see `score_bounds`. Nothing is changed.
    Sorted by wave, firm and item; file is empty and record 0, as the panel has neither.
    """
    rules = cast("list[Rule]", edits.loc[edits[Edits.kind] == "score"].to_dict("records"))
    waves = sorted(panel[Panel.wave].unique())
    found = [
        _findings(pairs, rule, rule[f"message_{language}"])
        for rule in rules
        for pairs in _pairs(panel, register, rule, waves)
    ]
    table = pd.concat([Findings.empty(), *found]).astype(Findings.empty().dtypes.to_dict())
    order = [Findings.wave, Findings.firm_id, Findings.item, Findings.rule]
    return DataFrame[Findings](table.sort_values(order, ignore_index=True))


def score_bounds(before: FloatArray, after: FloatArray) -> Bounds:
    """Bounds of the ratio after / before of each pair of amounts above 0.

    With r = after / before and its median m, s = 1 - m / r where r < m, else r / m - 1; the score
    is E = s · max(before, after)^U. It is ordinary from E2 - C · max(E2 - E1, |A · E2|) to
    E2 + C · max(E3 - E2, |A · E2|), where E1, E2, E3 are its quartiles (Hidiroglou and Berthelot
    1986, Survey Methodology 12, 73-83; U, A and C as in the R package univOutl). Pairs without
    change take part in the median and the quartiles, and are judged, only where they are less than
    half of all (Statistics Norway, R package Kostra). Without enough pairs nothing lies outside.
    """
    changed = before != after
    taking = changed if (~changed).mean() >= MOST_UNCHANGED else np.ones_like(changed)
    wide_open = np.zeros_like(before), np.full_like(before, np.inf)
    if taking.sum() < LEAST_PAIRS:
        return Bounds(*wide_open, np.zeros_like(taking))
    ratio = after / before
    middle = np.median(ratio[taking])
    size = np.maximum(before, after) ** SIZE_POWER
    score = np.where(ratio < middle, 1 - middle / ratio, ratio / middle - 1) * size
    first, second, third = np.quantile(score[taking], [0.25, 0.5, 0.75])
    least = abs(LEAST_SPREAD * second)
    low = second - WIDTH * max(second - first, least)
    high = second + WIDTH * max(third - second, least)
    slack = ROUNDING * size
    outside = taking & ((score < low - slack) | (score > high + slack))
    return Bounds(_ratio(low / size, middle), _ratio(high / size, middle), outside)


def _ratio(change: FloatArray, middle: float) -> FloatArray:
    """The ratio whose s is `change`."""
    falls = np.minimum(change, 0.0)
    return np.asarray(middle * np.where(change < 0, 1 / (1 - falls), 1 + change))


def _pairs(
    panel: pd.DataFrame, register: pd.DataFrame, rule: Rule, waves: list[str]
) -> Iterator[pd.DataFrame]:
    """Amounts of an item before and after, for each item and two waves in succession."""
    condition = rule["condition"] or EVERYBODY
    units = panel[UNIT].drop_duplicates()
    wide = widen_with_register(panel, units, register, UNIT, names_in([condition]))
    holds = wide.index[evaluate(condition, wide) == 1]
    for item in rule["items"].split():
        rows = panel.loc[(panel[Panel.item] == item) & (panel[str(Panel.value)] > 0)]
        judged = rows.loc[pd.MultiIndex.from_frame(rows[UNIT]).isin(holds)]
        for previous, wave in pairwise(waves):
            if wave < rule["from_wave"] or (rule["to_wave"] and wave > rule["to_wave"]):
                continue
            firms = [Panel.firm_id, Panel.item, str(Panel.value)]
            before = rows.loc[rows[Panel.wave] == previous, firms]
            after = judged.loc[judged[Panel.wave] == wave, [Panel.wave, *firms]]
            keys = [Panel.firm_id, Panel.item]
            yield after.merge(before, on=keys, suffixes=("_after", "_before"))


def _findings(pairs: pd.DataFrame, rule: Rule, message: str) -> pd.DataFrame:
    before, after = (pairs[f"value_{side}"].to_numpy(dtype=float) for side in ("before", "after"))
    if not len(pairs):
        return Findings.empty()
    bounds = score_bounds(before, after)
    at = np.flatnonzero(bounds.outside)
    return (
        pairs.iloc[at]
        .assign(
            file="",
            record=0,
            rule=rule["rule"],
            severity="soft",
            treatment="keep",
            found=[f"{after[i]:.12g} after {before[i]:.12g}" for i in at],
            expected=[f"{bounds.low[i]:.3g} to {bounds.high[i]:.3g} times as much" for i in at],
            advice=message,
        )
        .reindex(columns=list(Findings.to_schema().columns))
    )

"""Protect: which indicators may be published for which groups; it fails closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import DataFrame

from pipeline import disclosure
from pipeline.analyse.domains import GROUP, Bools, groups_of
from pipeline.analyse.measures import Floats, Ints, Rule, rules_of
from pipeline.analyse.released import NOTHING, facts_of
from pipeline.analyse.series import Names, limits_of, series_of
from pipeline.errors import DisclosureError
from pipeline.tables import BenchmarkPairs, Clearance, Contributions, Indicators, Register, Released
from pipeline.tables.flow import RESPONSE


class Verdict(NamedTuple):
    """The columns of Clearance for the groups of one indicator in one wave."""

    contributors: Ints
    rule: Names
    widening: Floats


Cleared = dict[tuple[str, str], Verdict]
"""Verdicts by wave and indicator."""


@pa.check_types
def protect(
    contributions: DataFrame[Contributions],
    register: DataFrame[Register],
    indicators: DataFrame[Indicators],
    pairs: DataFrame[BenchmarkPairs],
    released: DataFrame[Released] = NOTHING,
    *,
    breakdowns: Sequence[str],
    rules: disclosure.Rules,
    min_contributors_high: int,
) -> DataFrame[Clearance]:
    """Clearance of every wave, indicator and group: the rule that forbids it, or none.

    Primary rules are applied to holdings, on the weighted amounts of numerator and denominator or
    on the answers of a share or balance; an indicator of high sensitivity needs
    `min_contributors_high`. Then further groups are taken out until no group that is not
    published, and no unsafe rest, can be computed from those that are. A group that was taken out
    in the wave before is the first to go. Where participation is sensitive, a group whose response
    is not published has no number at all: each n, and an interval without width, would tell of it.
    A formula is published where all its parts are. What was released stays published (it is known,
    as if every reader had the exact figure) and the others are chosen so that they tell no more
    with it. Raises DisclosureError if the audit finds anything.
    """
    groups, kinds = groups_of(register, breakdowns, pairs), rules_of(indicators)
    limits = limits_of(kinds, rules, min_contributors_high)
    none, facts = np.zeros(len(groups), dtype=bool), facts_of(released, groups)
    taken_out = dict.fromkeys(kinds, none)
    cleared: Cleared = {}
    for wave, listed in register.groupby(Register.wave):
        own = contributions.loc[contributions[Contributions.wave] == wave]
        secret = none
        for name, cells, series in series_of(own, listed, groups, kinds, limits):
            primary, forced = series.judge(cells), facts.get((str(wave), name), none)
            unsafe = (primary != "") | secret
            try:
                suppressed = suppress(
                    cells, unsafe, taken_out[name], series.unsafe, groups, forced=forced
                )
            except DisclosureError as error:
                located = [
                    replace(problem, wave=str(wave), item=name) for problem in error.problems
                ]
                raise DisclosureError(located) from error
            taken_out[name] = suppressed
            if name == RESPONSE and kinds[name].sensitive:
                secret = suppressed
            cleared[str(wave), name] = Verdict(
                disclosure.contributors(cells, series.holdings),
                np.where(suppressed, np.where(primary == "", "secondary", primary), ""),
                series.widening(cells),
            )
    return _table(cleared | _formulas(cleared, kinds, facts), groups)


def _table(cleared: Cleared, groups: pd.DataFrame) -> DataFrame[Clearance]:
    """All verdicts, by wave and indicator."""
    keys = sorted(cleared)
    columns = zip(*(cleared[key] for key in keys), strict=True)
    joined = dict(zip(Verdict._fields, map(np.concatenate, columns), strict=True))
    table = pd.concat([groups[GROUP]] * len(keys), ignore_index=True).assign(
        wave=np.repeat([wave for wave, _ in keys], len(groups)),
        indicator=np.repeat([name for _, name in keys], len(groups)),
        **joined,
    )
    return DataFrame[Clearance](table[list(Clearance.to_schema().columns)])


def suppress(
    cells: Bools,
    unsafe: Bools,
    taken_out: Bools,
    check: disclosure.Check,
    groups: pd.DataFrame,
    *,
    forced: Bools | None = None,
) -> Bools:
    """Groups that are not published: `all` is the last to go, who went a wave before the first."""
    everybody = cells.shape[1] + 1.0
    importance = cells.sum(axis=1) - taken_out * everybody
    importance[0] = everybody
    within = partitions(cells, groups)
    return disclosure.protect(cells, unsafe, importance, check, within, forced=forced)


def partitions(cells: Bools, groups: pd.DataFrame) -> list[disclosure.Breakdown]:
    """Several groups of one breakdown within another group, by who is in them.

    So every breakdown adds up to `all`, a crossing to the groups of both its breakdowns, and the
    groups of a reference population to that population; where some are not among the groups, their
    sum is what the others leave.
    """
    packed = np.packbits(cells, axis=1)
    beyond = packed & ~packed[:, None]  # firms of a part (column) that the whole (row) has not
    within: Bools = (beyond == 0).all(axis=2) & cells.any(axis=1)
    found = []
    breakdown = groups[Clearance.breakdown].to_numpy(dtype=object)
    for parts in (np.flatnonzero(breakdown == name) for name in dict.fromkeys(breakdown)):
        wholes = np.flatnonzero(within[:, parts].sum(axis=1) > 1)
        found += [(int(whole), parts[within[whole, parts]].tolist()) for whole in wholes]
    return found


def _formulas(
    cleared: Cleared, kinds: Mapping[str, Rule], facts: Mapping[tuple[str, str], Bools]
) -> Cleared:
    """Clearance of what is computed from other indicators, where all of them are published.

    Or where it was released itself.
    """
    found = {}
    for name, kind in kinds.items():
        for wave in sorted({wave for wave, _ in cleared}):
            parts = [cleared[wave, part] for part in kind.parts if (wave, part) in cleared]
            if not parts or len(parts) < len(kind.parts):
                continue
            contributors, rules, widenings = (
                np.stack(column) for column in zip(*parts, strict=True)
            )
            found[wave, name] = Verdict(
                contributors.min(axis=0),
                np.where((rules != "").any(axis=0) & ~facts.get((wave, name), False), "part", ""),
                widenings.max(axis=0),
            )
    return found

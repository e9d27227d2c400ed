"""Merges: two codes of a register column as one, in the register and wherever groups are named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

import pandas as pd

from pipeline.analyse.domains import GROUP
from pipeline.tables import BenchmarkPairs, Register
from pipeline.tables.flow import CROSS

MERGED = "+"
"""Between the codes of a merged group."""
_SMALLEST = 6
_KEY = [Register.variable, Register.group]


class Merge(NamedTuple):
    """Two codes of a register column that become one; none: everything as it is."""

    column: str = ""
    one: str = ""
    other: str = ""

    def renamed(self, group: str, breakdown: str) -> str:
        """The group after the merge; that of a reference population begins with the population."""
        codes = group.split(CROSS)
        columns = ["", *breakdown.split(CROSS)][-len(codes) :]
        new = MERGED.join(self[1:])
        pairs = zip(columns, codes, strict=True)
        return CROSS.join(new if c == self.column and g in self[1:] else g for c, g in pairs)

    def of_groups(self, table: pd.DataFrame) -> list[tuple[str, str]]:
        """Breakdown and group of each row of a table after the merge."""
        keys = zip(*(table[column] for column in GROUP), strict=True)
        return [(str(name), self.renamed(str(group), str(name))) for name, group in keys]

    def of_register(self, register: pd.DataFrame) -> pd.DataFrame:
        """The register with the two codes as one."""
        keys = register[_KEY].drop_duplicates()
        new = [self.renamed(group, name) for name, group in keys.itertuples(index=False)]
        groups = pd.Series(new, index=pd.MultiIndex.from_frame(keys), dtype=object)
        found = groups.reindex(pd.MultiIndex.from_frame(register[_KEY])).to_numpy()
        return register.assign(**{Register.group: found})

    def of_pairs(self, pairs: pd.DataFrame) -> pd.DataFrame:
        """The pairs with the two codes as one."""
        for column in (BenchmarkPairs.group, BenchmarkPairs.reference):
            named = zip(pairs[column], pairs[BenchmarkPairs.breakdown], strict=True)
            pairs = pairs.assign(**{column: [self.renamed(group, name) for group, name in named]})
        return pairs


def candidates(
    listed: pd.DataFrame, breakdowns: Sequence[str], ordered: Mapping[str, Sequence[str]]
) -> Iterator[Merge]:
    """Pairs of groups of the target population, by column of the breakdowns.

    Neighbours where the column is `ordered` (its codes in order), else any two of the six groups
    with the fewest firms; none of a column with two groups, which merged are everybody. `listed` is
    a wave's register.
    """
    for column in dict.fromkeys(part for name in breakdowns for part in name.split(CROSS)):
        groups = listed.loc[listed[Register.variable] == column, Register.group]
        own = groups[~groups.str.contains(CROSS, regex=False)]
        sizes = {str(code): int(count) for code, count in own.value_counts().items()}
        if len(sizes) <= 2:
            continue
        if column in ordered:
            found = list(pairwise(code for code in ordered[column] if code in sizes))
        else:
            smallest = [code for _, code in sorted((n, code) for code, n in sizes.items())]
            found = list(combinations(sorted(smallest[:_SMALLEST]), 2))
        yield from (Merge(column, *codes) for codes in found)

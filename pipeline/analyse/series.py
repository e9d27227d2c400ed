"""One indicator in one wave as disclosure control sees it: who brings what, and what is unsafe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline import disclosure
from pipeline.analyse.domains import Bools, members_of
from pipeline.analyse.measures import Floats, Ints, Rule
from pipeline.tables import Contributions, Register
from pipeline.tables.flow import RESPONSE

Names = npt.NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class Series:
    """What the n firms in an indicator's base bring to it, each array of shape (n,).

    `firms` are their places among the wave's firms; `holdings` numbers the firms' holdings. `rules`
    has the thresholds for this indicator. `waived`: the firm waived protection of its own share.
    """

    kind: Rule
    rules: disclosure.Rules
    firms: Ints
    holdings: Ints
    waived: Bools
    weight: Floats
    numerator: Floats
    denominator: Floats

    def judge(self, aggregates: Bools) -> Names:
        """The first primary rule that each aggregate of firms (k, n) breaks, empty where none.

        The weighted amounts of the denominator must obey the rules, and those of the numerator, or
        the answers where it is one (yes or no; up, equal or down).
        """
        rules, waived, sensitive = self.rules, self.waived, self.kind.sensitive
        verdicts = [self._amounts(aggregates, self.denominator)]
        measured = aggregates & (self.denominator > 0)
        if self.kind.categorical:
            answers = disclosure.unsafe_answers(
                *(measured, self.numerator, self.holdings, rules),
                sensitive=sensitive,
                waived=waived,
            )
            verdicts.append(answers.rule)
        else:
            each = self.numerator / np.where(self.denominator > 0, self.denominator, 1.0)
            alike = sensitive & _alike(measured, each, rules.p_percent)
            alike &= ~disclosure.consented(measured, waived)
            verdicts += [
                self._amounts(aggregates, self.numerator),
                np.where(alike, "unanimous", ""),
            ]
        return np.select([verdict != "" for verdict in verdicts], verdicts, default="")

    def among(self, firms: Bools, rules: disclosure.Rules) -> Series:
        """The same of some of the firms, (n,), by other thresholds."""
        return Series(
            self.kind,
            rules,
            self.firms[firms],
            self.holdings[firms],
            self.waived[firms],
            self.weight[firms],
            self.numerator[firms],
            self.denominator[firms],
        )

    def unsafe(self, aggregates: Bools) -> Bools:
        """Whether each aggregate of firms (k, n) breaks a primary rule."""
        return np.asarray(self.judge(aggregates) != "", dtype=np.bool_)

    def widening(self, cells: Bools) -> Floats:
        """Factor, at least 1, for the interval of each cell (k, n).

        The interval of an amount y (or ratio R of y to x) tells the spread s of the residuals
        e = y - R x, and none is above b = s (n - 1) / sqrt(n) (Samuelson 1968), which is sharp
        where one firm stands out among equals. For every firm that has not waived its protection b
        must allow a(1) = (1 + p/100) y - R x, and (1 + p/100) (R x - y). Where it does, the factor
        is 1. Else it lifts b to a(2), with (1 + p/100)^2 for 1 + p/100: lifted to a(1) it would
        tell y to whoever knows this rule.

        A reader who knows the rule, R, x and weights and finds b at most g takes y for at most
        (g + R x) / (1 + p/100), as much as the factor 1 allows. That is p per cent above y at least
        where the factor is above 1, and where it is 1 and a(2) <= g; it holds as long as the other
        firms can make up such a spread, in groups of one weight while y has up to half of their
        amount. It fails where g < a(2) though a(1) <= b, or the firm has more: no rule that is
        known and prints a finite g can do without such a margin.
        """
        if self.kind.categorical:
            return np.ones(len(cells))
        y, x = self.numerator, self.denominator
        base = (cells * self.weight * x).sum(axis=1)
        ratio = (cells * self.weight * y).sum(axis=1) / np.where(base > 0, base, 1.0)
        expected = ratio[:, None] * x
        n = np.maximum(cells.sum(axis=1), 2)
        center = np.where(cells, y - expected, 0.0).sum(axis=1) / n
        squares = np.where(cells, (y - expected - center[:, None]) ** 2, 0.0).sum(axis=1)
        bound = np.sqrt(squares * (n - 1) / n)
        once = 1 + self.rules.p_percent / 100

        def allowed(times: float) -> Floats:
            # Above for y itself; below for x, of which a reader may know what part y is.
            each = np.maximum(times * np.abs(y) - expected, times * (expected - y))
            needed: Floats = np.where(cells & ~self.waived, each, 0.0).max(axis=1, initial=0.0)
            return needed

        lifted = allowed(once**2) / np.where(bound > 0, bound, np.inf)
        factor = np.where(allowed(once) > bound, lifted, 1.0)
        return np.asarray(np.maximum(factor, 1.0), dtype=np.float64)

    def _amounts(self, aggregates: Bools, values: Floats) -> Names:
        return disclosure.unsafe_amounts(
            *(aggregates, values, self.holdings, self.rules),
            weights=self.weight,
            waived=self.waived,
        ).rule


def limits_of(
    kinds: Mapping[str, Rule], rules: disclosure.Rules, min_contributors_high: int
) -> dict[str, disclosure.Rules]:
    """The thresholds of each indicator; one of high sensitivity needs more contributors."""
    strict = replace(rules, min_contributors=max(rules.min_contributors, min_contributors_high))
    return {name: strict if kind.high else rules for name, kind in kinds.items()}


def by_firm(listed: pd.DataFrame) -> tuple[pd.DataFrame, Ints]:
    """A wave's register with a row a firm, in order, and the number of each firm's holding."""
    firm = listed.drop_duplicates(Register.firm_id).sort_values(Register.firm_id)
    return firm, pd.factorize(firm[Register.holding])[0]


def series_of(
    contributions: pd.DataFrame,
    listed: pd.DataFrame,
    groups: pd.DataFrame,
    kinds: Mapping[str, Rule],
    limits: Mapping[str, disclosure.Rules],
) -> Iterator[tuple[str, Bools, Series]]:
    """Each indicator of a wave, the response before all that depends on it.

    With it the groups (k, n) that the n firms in its base are in, and what they bring, both by
    firm. `listed` is the wave's register.
    """
    firm, number = by_firm(listed)
    firms = pd.Index(firm[Register.firm_id], dtype=object)
    waived = firm[str(Register.waiver)].to_numpy(dtype=bool)
    members = members_of(groups, firms, listed)
    rows = contributions.loc[contributions[str(Contributions.in_base)]]
    rows = rows.sort_values(Contributions.firm_id)
    place = firms.get_indexer(pd.Index(rows[Contributions.firm_id], dtype=object))
    if (place < 0).any():
        raise ValueError("contributions of firms that are not in the register")
    columns = (Contributions.weight, Contributions.numerator, Contributions.denominator)
    values = [rows[str(column)].to_numpy(dtype=float) for column in columns]
    positions = rows.groupby(Contributions.indicator).indices
    nobody = np.zeros(0, dtype=np.int64)
    names = sorted(set(contributions[Contributions.indicator]), key=lambda n: (n != RESPONSE, n))
    for name in names:
        at = positions.get(name, nobody)
        who = place[at]
        brought = (who, number[who], waived[who], *(v[at] for v in values))
        yield name, members[:, who], Series(kinds[name], limits[name], *brought)


def _alike(aggregates: Bools, values: Floats, p_percent: float) -> Bools:
    """Whether mean and spread of an aggregate tell the value of each of its firms to p per cent.

    None is further from the mean than s (n - 1) / sqrt(n) (Samuelson 1968, Journal of the American
    Statistical Association 63); where all have the same value that is 0.
    """
    n = np.maximum(aggregates.sum(axis=1), 1)
    mean = (aggregates * values).sum(axis=1) / n
    squares = np.where(aggregates, (values - mean[:, None]) ** 2, 0.0).sum(axis=1)
    return np.asarray(np.sqrt(squares * (n - 1) / n) <= p_percent / 100 * np.abs(mean))

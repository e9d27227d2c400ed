"""What every firm of the register would answer in each wave, before anything goes wrong.

Values are those that would be written down (per cent in whole numbers or halves, turnover with
three significant digits), so that rounding is no error. They are in the form of the newest
questionnaire where the waves differ only in units or the order of codes: A03 in persons, A04 in
euros, C01 with 1 = good. NaN: not asked in this wave, or routed out.

Known changes between 2025 and 2026 in population 1: B06 and F01 are exactly as often each code as
before (true nulls of the indicators on them: many firms changed, the sum did not; also in each
size as far as firms did not change it). In the smallest district no firm changed them. Firms with
AI in production (D06 = 4) rise as `AI_IN_PRODUCTION` says: about 2.8 standard errors of that
change with 110 of 250 firms answering.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pandas as pd

from population.draws import WAVES, Bools, Floats, stream
from population.figures import draw_figures
from population.firms import IN_SCOPE, Firms
from population.instrument import asked_in
from population.marginals import MULTIS, POPULATION_SHIFT, SINGLES, Marginal
from population.sites import ELSEWHERE, SMALL_DISTRICT, TARGET

NULLS = ("B06", "F01")
AI_IN_PRODUCTION = (0, 23, 35, 61)
"""Firms of population 1 with D06 = 4 by wave; asked from the second on."""
AFFECTED = ((0.2, 0.32, 0.3, 0.18), *[(0.14, 0.2, 0.26, 0.25, 0.15)] * 3)
"""Shares of the codes of B05 by wave: four points in the first."""
LASTING = 0.65
"""Variance of an answer that is the firm's own and lasts; the rest is of the wave."""
NORMAL = NormalDist()


class Minds:
    """Standard normal noise of every site by wave: dispositions, and answers that hang on them."""

    def __init__(self, seed: int, firms: Firms) -> None:
        self.seed = seed
        self._drawn: dict[str, Floats] = {}
        population = firms.site["population"].to_numpy() - 1
        # H-03 is one enterprise with one mind; its sites differ in figures only.
        self.mind = np.arange(len(population))
        together = np.flatnonzero(firms.site["together"])
        self.mind[together] = together[0]
        own = {name: self.noise(name) for name in POPULATION_SHIFT}
        own["digital"] = 0.5 * own["drive"] + np.sqrt(0.75) * own["digital"]
        self.factor = {k: v + np.array(POPULATION_SHIFT[k])[population] for k, v in own.items()}

    def noise(self, name: str) -> Floats:
        """Noise by wave and site, of which a part lasts; drawn once."""
        if name not in self._drawn:
            draw = stream(self.seed, f"mind {name}")
            lasting, *passing = draw.normal(size=(1 + len(WAVES), len(self.mind)))
            table = np.sqrt(LASTING) * lasting + np.sqrt(1 - LASTING) * np.array(passing)
            self._drawn[name] = table[:, self.mind]
        return self._drawn[name]

    def latent(self, name: str, factor: str, loading: float) -> Floats:
        """The latent answer: correlated with a disposition by `loading`."""
        table: Floats = loading * self.factor[factor] + np.sqrt(1 - loading**2) * self.noise(name)
        return table


def draw_answers(seed: int, firms: Firms, events: Bools) -> list[pd.DataFrame]:
    """Values of every item by wave, one row a site (all there ever were, whatever the register)."""
    minds = Minds(seed, firms)
    tables = []
    for wave in range(len(WAVES)):
        columns: dict[str, Floats] = {}
        size = firms.size[wave][minds.mind] - 2
        for row in SINGLES:
            columns |= _single(row, wave, minds.latent(row.item, row.factor, row.loading), size)
        for row in MULTIS:
            columns |= _multi(row, wave, minds)
        figures = draw_figures(seed, firms, wave)
        tables.append(pd.concat([figures, pd.DataFrame(columns)], axis=1))
        _add_affected(tables[-1], wave, minds)
        _add_network(tables[-1], wave, minds, events[wave], firms)
    _set_ai(minds, firms, tables)
    _hold_nulls(seed, firms, tables)
    return [_as_asked(table, wave) for wave, table in enumerate(tables)]


def ordinal(latent: Floats, shares: tuple[float, ...], first: int = 1) -> Floats:
    """Codes from `first` on by a standard normal latent answer, in the given shares."""
    bounds = [NORMAL.inv_cdf(min(p, 1 - 1e-9)) for p in np.cumsum(shares)[:-1]]
    return (np.searchsorted(bounds, latent) + first).astype(float)


def _single(row: Marginal, wave: int, latent: Floats, size: np.ndarray) -> dict[str, Floats]:
    return {row.item: ordinal(latent[wave] + row.by_size * size, row.shares[wave], row.first)}


def _multi(row: Marginal, wave: int, minds: Minds) -> dict[str, Floats]:
    """Options 1 or 0; a firm that has none of them has 99, where there is one, else the nearest."""
    asked = {c.code for c in asked_in(WAVES[wave]) if c.question == row.item}
    codes = [code for code in row.options if code in asked]
    if not codes:
        return {}
    near = np.array(
        [
            minds.latent(f"{row.item}_{code}", row.factor, row.loading)[wave]
            + NORMAL.inv_cdf(row.options[code])
            for code in codes
        ]
    )
    chosen = (near > 0) | (near == near.max(0))
    (none,) = row.shares[wave]
    if none:
        gate = minds.latent(f"{row.item} any", row.factor, row.loading)[wave]
        chosen &= gate > NORMAL.inv_cdf(none)
    columns = {f"{row.item}_{code}": chosen[k].astype(float) for k, code in enumerate(codes)}
    if "99" in asked:
        columns[f"{row.item}_99"] = (~chosen.any(0)).astype(float)
    return columns


def _add_affected(table: pd.DataFrame, wave: int, minds: Minds) -> None:
    """B05: the more, the more the products hang on combustion."""
    exposure = (table["B02"].to_numpy()[minds.mind] - 35) / 25
    latent = 0.6 * np.clip(exposure, -1.5, 2) + 0.75 * minds.noise("B05")[wave]
    table["B05"] = ordinal(latent, AFFECTED[wave])


def _add_network(table: pd.DataFrame, wave: int, minds: Minds, events: Bools, firms: Firms) -> None:
    """G04, G05 and G07: nearly all that took part in events know the network, and most use it."""
    elsewhere = (firms.site["population"] == ELSEWHERE).to_numpy()
    events = events[minds.mind]
    target = (firms.site["population"] == TARGET).to_numpy()
    knows = np.select([events, elsewhere, target], [0.97, 0.08, 0.45 + 0.04 * wave], 0.3)
    uses = np.select([events, elsewhere], [0.8, 0.04], 0.12)
    acts = np.where(events, 0.25, -0.35)
    known = minds.noise("G04")[wave] < _quantiles(knows)
    used = minds.noise("G05 any")[wave] < _quantiles(uses)
    table["G04"] = np.where(known, 1.0, 2.0)
    options = _options(table, "G05")
    table[options] = table[options].mul(used, axis=0)
    table["G05_99"] = np.where(used, 0.0, 1.0)
    table["G07"] = ordinal(minds.noise("G07")[wave] + acts, (0.3, 0.3, 0.25, 0.15))
    # Nobody puts into practice what brought nothing.
    table.loc[(table["G07"] >= 3) & (table["G06"] == 1), "G06"] = 2.0


def _options(table: pd.DataFrame, question: str) -> list[str]:
    return [c for c in map(str, table) if c.startswith(f"{question}_") and c != f"{question}_99"]


def _quantiles(shares: Floats) -> Floats:
    known = {share: NORMAL.inv_cdf(share) for share in set(shares.tolist())}
    return np.array([known[share] for share in shares.tolist()])


def _set_ai(minds: Minds, firms: Firms, tables: list[pd.DataFrame]) -> None:
    """D06, with as many firms of population 1 in production as is laid down, and D05 to match."""
    latent = minds.latent("D06", "digital", 0.6) + 0.35 * (firms.size - 2)
    latent[:, firms.site["together"]] = -3.0  # three equal answers would blur the count
    target = (firms.site["population"] == TARGET).to_numpy()
    for wave in range(1, len(WAVES)):
        ours = np.sort(latent[wave, target & (firms.scope[wave] == IN_SCOPE)])
        bound = ours[-AI_IN_PRODUCTION[wave]]
        stage = np.searchsorted([bound - 1.1, bound - 0.5], latent[wave]) + 1.0
        ai = np.where(latent[wave] >= bound, 4.0, stage)
        table = tables[wave]
        table["D06"] = ai
        table["D05_6"] = np.where(ai >= 3, 1.0, np.where(ai == 1, 0.0, table["D05_6"]))
        table["D05_99"] = (table[_options(table, "D05")].sum(axis=1) == 0).astype(float)


def _hold_nulls(seed: int, firms: Firms, tables: list[pd.DataFrame]) -> None:
    """In the last wave every code of `NULLS` is as frequent as before: entrants take the answers of
    those that left, and a part of the others in each size exchange theirs."""
    draw = stream(seed, "nulls")
    target = (firms.site["population"] == TARGET).to_numpy()
    before, now = (target & (firms.scope[wave] == IN_SCOPE) for wave in (-2, -1))
    left, entered = np.flatnonzero(before & ~now), np.flatnonzero(now & ~before)
    free = now & ~firms.site["together"] & (firms.site["district"] != SMALL_DISTRICT).to_numpy()
    for item in NULLS:
        values = tables[-1][item].to_numpy().copy()
        old = tables[-2][item].to_numpy()
        values[before & now] = old[before & now]
        values[entered] = old[draw.permutation(left)]
        for size in (1, 2, 3):
            rows = np.flatnonzero(free & (firms.size[-1] == size) & (draw.random(now.size) < 0.4))
            values[rows] = values[draw.permutation(rows)]
        tables[-1][item] = values


def _as_asked(table: pd.DataFrame, wave: int) -> pd.DataFrame:
    """The items that the wave asked, in order; NaN where the routing does not lead."""
    led = routing(table)
    shown = {}
    for column in asked_in(WAVES[wave]):
        if column.item in table:
            values = table[column.item]
            shown[column.item] = (
                values.where(led[column.question]) if column.question in led else values
            )
    return pd.DataFrame(shown)


def routing(table: pd.DataFrame) -> dict[str, pd.Series[bool]]:
    """Who is asked, by question that not everybody is asked; NaN leads nowhere."""
    automotive = table["B01"] > 0
    uses = (table["G04"] == 1) & (table["G05_99"] == 0)
    led = dict.fromkeys(("B02", "B03", "B04", "B05", "E04", "F03"), automotive)
    led |= {"E05": table["E02_99"] == 0, "G05": table["G04"] == 1, "G06": uses, "G07": uses}
    return led | {"C06": table["C05"].isin([3, 4]), "F04": table["A03"] >= 50}

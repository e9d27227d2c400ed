"""Who is asked, who answers, and who takes part in events of the network.

Within size and field group of a population, answering hangs on two things only: having taken part
in an event (with which the answers on the network, G04 to G07, go together, and no others), and
having answered the wave before. In `VISITED` everybody answers, in `SILENT` nobody; the three sites
of H-03 answer together. In the smallest district the firms that answered in 2025 answer in 2026,
and no others, apart from the one that left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from population.draws import WAVES, Bools, Floats, Ints, stream
from population.firms import IN_SCOPE, Firms
from population.sites import ELSEWHERE, SILENT, SMALL_DISTRICT, TARGET, VISITED, group_of

ASKED_ELSEWHERE = (1, 3)
"""The waves in which population 3 is asked."""
SAMPLE = 200
LEAST = 4
RATE = np.array([[0.41, 0.46, 0.54], [0.46, 0.49, 0.54], [0.43, 0.46, 0.52]])
"""Response rate by population and size."""
BY_EVENTS, BY_HISTORY = 0.24, 0.22
EVENTS = np.array([[0.38, 0.44, 0.5, 0.54], [0.14, 0.18, 0.2, 0.22], [0.0] * 4])
"""Share that has taken part in an event, by population and wave."""


@dataclass(frozen=True)
class Response:
    """Arrays (wave, site): took part in events, design weight (0: not asked), answered."""

    events: Bools
    design: Floats
    answered: Bools


def draw_response(seed: int, firms: Firms) -> Response:
    """Draw events, the sample of population 3 and the response of all waves."""
    events = _events(seed, firms)
    design = _design(seed, firms)
    answered = np.zeros(firms.scope.shape, dtype=bool)
    population = firms.site["population"].to_numpy() - 1
    for wave in range(len(WAVES)):
        asked = (firms.scope[wave] == IN_SCOPE) & (design[wave] > 0)
        rate = RATE[population, firms.size[wave] - 1]
        chance = rate + BY_EVENTS * (events[wave] - EVENTS[population, wave])
        chance += _history(wave, answered, firms, rate)
        answered[wave] = asked & (_luck(seed, wave, firms) < chance)
        answered[wave] |= asked & firms.stratum(wave, VISITED)
        answered[wave] &= ~firms.stratum(wave, SILENT)
        _answer_alike(answered, wave, asked, firms)
    return Response(events, design, answered)


def _events(seed: int, firms: Firms) -> Bools:
    """Once there, always counted: participation only grows; large firms come more often."""
    eager = stream(seed, "events").random(len(firms.site))
    population = firms.site["population"].to_numpy() - 1
    return np.array([eager < EVENTS[population, wave] for wave in range(len(WAVES))])


def _design(seed: int, firms: Firms) -> Floats:
    """1 where all are asked; in the sample N / n of the stratum, by permanent random numbers."""
    number = stream(seed, "sample").random(len(firms.site))
    elsewhere = (firms.site["population"] == ELSEWHERE).to_numpy()
    design = np.where(elsewhere | (firms.scope == 0), 0.0, 1.0)
    for wave in ASKED_ELSEWHERE:
        there = elsewhere & (firms.scope[wave] > 0)
        stratum = np.where(there, 10 * firms.size[wave] + group_of(firms.field[wave]), 0)
        names, sizes = np.unique(stratum[there], return_counts=True)
        for name, size, asked in zip(names, sizes, _allocate(sizes), strict=True):
            rows = np.flatnonzero(stratum == name)
            design[wave, rows[np.argsort(number[rows])[:asked]]] = size / asked
    return design


def _allocate(sizes: Ints) -> Ints:
    """Proportional allocation of the sample with a least number; the largest takes the rest."""
    asked: Ints = np.maximum(np.rint(SAMPLE * sizes / sizes.sum()), LEAST).astype(np.int64)
    asked[np.argmax(sizes)] += SAMPLE - asked.sum()
    return asked


def _luck(seed: int, wave: int, firms: Firms) -> Floats:
    luck = stream(seed, f"response {wave}").random(len(firms.site))
    together = np.flatnonzero(firms.site["together"])
    luck[together] = luck[together[0]]
    return luck


def _history(wave: int, answered: Bools, firms: Firms, rate: Floats) -> Floats:
    """Firms that answered the last time they could are likelier to answer again; no net effect."""
    effect = np.zeros(len(rate))
    elsewhere = (firms.site["population"] == ELSEWHERE).to_numpy(dtype=np.bool_)
    for back, whose in ((1, ~elsewhere), (2, elsewhere)):
        if wave >= back:
            rows = whose & (firms.scope[wave - back] == IN_SCOPE)
            effect[rows] = BY_HISTORY * (answered[wave - back] - rate)[rows]
    return effect


def _answer_alike(answered: Bools, wave: int, asked: Bools, firms: Firms) -> None:
    """H-03 answers for all its sites; the smallest district in 2026 as in 2025, in place."""
    site = firms.site
    together = np.flatnonzero(site["together"])
    answered[wave, together] = answered[wave, together[0]]
    small = (site["district"] == SMALL_DISTRICT) & (site["population"] == TARGET)
    if wave == len(WAVES) - 1:
        answered[wave, small] = answered[wave - 1, small] & asked[small]
    else:
        answered[wave, site["leaver"]] = True

"""What a run made: its reports, its numbers, and how they stand to what was released."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pandera.typing import DataFrame

from pipeline.errors import Problem
from pipeline.tables import Breaches, Clearance, Protection, Release, Revisions, SourceFiles
from pipeline.tables.flow import REPRESENTATIVITY
from pipeline.tables.releases import Status


@dataclass(frozen=True, eq=False)
class Draft:
    """What a run made, and how it stands to what was released.

    `files`: those of the waves of which it may tell something new. `notes` say what to look into;
    `clearance` and `protection` how firms are protected.
    """

    reports: list[Path]
    numbers: DataFrame[Release]
    revisions: DataFrame[Revisions]
    files: DataFrame[SourceFiles]
    notes: tuple[Problem, ...]
    clearance: DataFrame[Clearance]
    protection: DataFrame[Protection]

    @property
    def counts(self) -> dict[str, int]:
        """Numbers by status."""
        found = self.revisions[Revisions.status].value_counts()
        return {str(status): int(count) for status, count in sorted(found.items())}

    @property
    def protected(self) -> dict[str, float]:
        """Cells with an answer, of all waves, by what became of them, and what the audit took.

        The R-indicator is none of its own: it is printed where the response is.
        `room`: the least that was left of what a large amount needs, as a multiple, if any was
        audited; `known`: those that nothing protects any more.
        """
        answered = self.clearance[self.clearance[str(Clearance.contributors)] > 0]
        answered = answered[answered[Clearance.indicator] != REPRESENTATIVITY]
        rules = answered[Clearance.rule]
        by = {"published": "", "secondary": "secondary", "attack": "attack", "part": "part"}
        counts: dict[str, float] = {name: int((rules == rule).sum()) for name, rule in by.items()}
        of_audit, rooms = self.protection, self.protection[str(Protection.smallest)].dropna()
        room = {"room": float(rooms.min())} if len(rooms) else {}
        return {
            "cells": len(rules),
            "primary": int((~rules.isin(by.values())).sum()),
            **counts,
            "attacks": int(of_audit[str(Protection.attacks)].sum()),
            "programmes": int(of_audit[str(Protection.solves)].sum()),
            "known": int(of_audit[str(Protection.known)].sum()),
            **room,
        }

    def of_status(self, status: Status) -> dict[str, list[str]]:
        """Ids of the numbers of a status by their wave."""
        stands = self.numbers.merge(self.revisions, on=Revisions.number_id)
        rows = stands[stands[Revisions.status] == status]
        by_wave = rows.groupby(Release.wave)[Release.number_id]
        return {str(wave): ids.astype(str).tolist() for wave, ids in by_wave}


def notes_on(breaches: DataFrame[Breaches]) -> tuple[Problem, ...]:
    """What earlier releases tell against today's rules, in words."""
    return tuple(
        Problem(
            found=f"{place}: rule '{rule}' forbids it, but earlier releases tell it"
            if rule
            else f"{place}: released, but not computed any more",
            expected="released numbers that obey today's rules, and are among today's",
            advice="it cannot be taken back and counts as known; make sure that rules or groups "
            "were changed on purpose",
            wave=wave,
            item=indicator,
        )
        for wave, indicator, breakdown, group, rule in breaches.itertuples(index=False, name=None)
        for place in (f"{breakdown}={group}" if breakdown else "firms of no group of their own",)
    )

"""Breaks in series: between which waves an indicator cannot be compared."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from pipeline.tables import ChangeRules

EVERYTHING = "*"
"""As the item of a change: the whole questionnaire."""


def last_break(changes: pd.DataFrame, items: Collection[str], wave: str) -> str:
    """The wave from which on an indicator of these items is comparable with `wave`, or ""."""
    concerned = changes[ChangeRules.item].isin({*items, EVERYTHING})
    broken = changes.loc[concerned & (changes[ChangeRules.kind] == "break"), ChangeRules.from_wave]
    return str(broken[broken <= wave].max()) if (broken <= wave).any() else ""

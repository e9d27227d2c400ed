"""Breaks in series: between which waves an indicator cannot be compared."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from pipeline.tables import ChangeRules

EVERYTHING = "*"
"""As the item of a change: the whole questionnaire."""


def last_break(changes: pd.DataFrame, items: Collection[str], wave: str) -> str:
    """The wave from which on an indicator of these items is comparable with `wave`, or ""."""
    columns = (ChangeRules.kind, ChangeRules.item, ChangeRules.from_wave)
    rows = zip(*(changes[column].tolist() for column in columns), strict=True)
    concerned = {*items, EVERYTHING}
    broken = (since for kind, item, since in rows if kind == "break" and item in concerned)
    return max((since for since in broken if since <= wave), default="")

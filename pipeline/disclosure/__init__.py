"""Disclosure control on arrays: which cells of linked tables may be published.

`primary` judges one cell by itself, `secondary` all cells together, `beside` weighted sums that are
told with them. Rows are cells, columns are firms; nothing here knows what they stand for.
"""

from pipeline.disclosure.beside import safe_beside
from pipeline.disclosure.primary import (
    Primary,
    Protection,
    Rules,
    consented,
    contributors,
    p_of_pq,
    protection_needed,
    unsafe_amounts,
    unsafe_answers,
)
from pipeline.disclosure.secondary import Breakdown, Check, audit, protect, reasons, told

__all__ = [
    "Breakdown",
    "Check",
    "Primary",
    "Protection",
    "Rules",
    "audit",
    "consented",
    "contributors",
    "p_of_pq",
    "protect",
    "protection_needed",
    "reasons",
    "safe_beside",
    "told",
    "unsafe_amounts",
    "unsafe_answers",
]

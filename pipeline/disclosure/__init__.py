"""Disclosure control on arrays: which cells of linked tables may be published.

`primary` judges one cell by itself, `subset_sums` what is printed of its answers; `secondary` all
cells together, `beside` weighted sums that are told with them; `quartiles` averages over the firms
of a group by their order. Rows are cells, columns are firms; nothing here knows what they are.
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
from pipeline.disclosure.quartiles import (
    Averages,
    averages_leak,
    rounding_step,
    smoothed_quartiles,
)
from pipeline.disclosure.secondary import Breakdown, Check, audit, protect, reasons, told
from pipeline.disclosure.subset_sums import answers_follow

__all__ = [
    "Averages",
    "Breakdown",
    "Check",
    "Primary",
    "Protection",
    "Rules",
    "answers_follow",
    "audit",
    "averages_leak",
    "consented",
    "contributors",
    "p_of_pq",
    "protect",
    "protection_needed",
    "reasons",
    "rounding_step",
    "safe_beside",
    "smoothed_quartiles",
    "told",
    "unsafe_amounts",
    "unsafe_answers",
]

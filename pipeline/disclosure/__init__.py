"""Disclosure control on arrays: which cells of linked tables may be published.

`primary` judges one cell by itself, `secondary` all cells together. Rows are cells, columns are
firms; nothing here knows what a cell or a firm stands for.
"""

from pipeline.disclosure.primary import Primary, Rules, contributors, unsafe_amounts, unsafe_answers
from pipeline.disclosure.secondary import Breakdown, Check, audit, protect

__all__ = [
    "Breakdown",
    "Check",
    "Primary",
    "Rules",
    "audit",
    "contributors",
    "protect",
    "unsafe_amounts",
    "unsafe_answers",
]

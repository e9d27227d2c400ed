"""Whether the parts of a study fit together: everything that is named must exist, and make sense.

The tables are checked as the analyst wrote them, so that each problem has its file and line.
"""

from __future__ import annotations

from pipeline.errors import Problem
from pipeline.study.check.changes import check_changes
from pipeline.study.check.codes import check_codes
from pipeline.study.check.edits import check_edits
from pipeline.study.check.formulas import check_formulas
from pipeline.study.check.indicators import check_indicators
from pipeline.study.check.names import check_names
from pipeline.study.check.questions import check_questions
from pipeline.study.check.settings import check_settings
from pipeline.study.check.waves import check_waves
from pipeline.study.schemas import Schemas


def check_study(schemas: Schemas) -> list[Problem]:
    """Every reference that dangles and every rule that cannot be meant, with file and line."""
    return [
        *check_names(schemas),
        *check_waves(schemas),
        *check_codes(schemas),
        *check_questions(schemas),
        *check_changes(schemas),
        *check_edits(schemas),
        *check_indicators(schemas),
        *check_formulas(schemas),
        *check_settings(schemas),
    ]

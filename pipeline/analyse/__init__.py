"""GSBPM 6, analyse: protect, secure, estimate, compare, benchmark, release, feedback, explain.

For the analyst: why cells are not published, and which coarser groups would spare some.
"""

from pipeline.analyse.benchmark import benchmark
from pipeline.analyse.breaches import breaches
from pipeline.analyse.coarser import propose_groups
from pipeline.analyse.compare import compare
from pipeline.analyse.estimate import estimate
from pipeline.analyse.explain import explain
from pipeline.analyse.feedback import feedback, retell
from pipeline.analyse.grades import Thresholds
from pipeline.analyse.protect import protect
from pipeline.analyse.release import release
from pipeline.analyse.released import as_released
from pipeline.analyse.secure import secure
from pipeline.analyse.suppressions import explain_suppression
from pipeline.disclosure import Rules

__all__ = [
    "Rules",
    "Thresholds",
    "as_released",
    "benchmark",
    "breaches",
    "compare",
    "estimate",
    "explain",
    "explain_suppression",
    "feedback",
    "propose_groups",
    "protect",
    "release",
    "retell",
    "secure",
]

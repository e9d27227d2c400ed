"""GSBPM 6, analyse: estimate, compare, benchmark, explain, protect, release, feedback."""

from pipeline.analyse.benchmark import benchmark
from pipeline.analyse.compare import compare
from pipeline.analyse.estimate import estimate
from pipeline.analyse.explain import explain
from pipeline.analyse.feedback import feedback
from pipeline.analyse.grades import Thresholds
from pipeline.analyse.protect import protect
from pipeline.analyse.release import release
from pipeline.disclosure import Rules

__all__ = [
    "Rules",
    "Thresholds",
    "benchmark",
    "compare",
    "estimate",
    "explain",
    "feedback",
    "protect",
    "release",
]

"""GSBPM 6, analyse: estimate, compare, benchmark, protect, release."""

from pipeline.analyse.benchmark import benchmark
from pipeline.analyse.compare import compare
from pipeline.analyse.estimate import estimate
from pipeline.analyse.protect import protect
from pipeline.analyse.release import release
from pipeline.disclosure import Rules

__all__ = ["Rules", "benchmark", "compare", "estimate", "protect", "release"]

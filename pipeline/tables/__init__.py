"""The contracts: one pandera model per table that passes between stages.

Column names are attributes of these models (`Answers.item` is the string ``"item"``), so no stage
passes strings about. All models are strict and ordered; a stage whose result differs fails at once.
"""

from pipeline.tables.disclosure import Clearance, Exposures, Proposals, Protection, Suppressions
from pipeline.tables.flow import (
    Answers,
    Contributions,
    Findings,
    Panel,
    RawAnswers,
    Register,
    Successions,
    WaveLog,
    Weights,
)
from pipeline.tables.metadata import (
    BenchmarkPairs,
    Captions,
    ChangeRules,
    Codes,
    Columns,
    Concordances,
    Definitions,
    Edits,
    Indicators,
    Items,
    Questions,
)
from pipeline.tables.releases import Breaches, Released, Revisions, SourceFiles, Sources
from pipeline.tables.results import (
    Benchmarks,
    Changes,
    Decompositions,
    Estimates,
    Feedback,
    Flows,
    Quality,
    Release,
)

__all__ = [
    "Answers",
    "BenchmarkPairs",
    "Benchmarks",
    "Breaches",
    "Captions",
    "ChangeRules",
    "Changes",
    "Clearance",
    "Codes",
    "Columns",
    "Concordances",
    "Contributions",
    "Decompositions",
    "Definitions",
    "Edits",
    "Estimates",
    "Exposures",
    "Feedback",
    "Findings",
    "Flows",
    "Indicators",
    "Items",
    "Panel",
    "Proposals",
    "Protection",
    "Quality",
    "Questions",
    "RawAnswers",
    "Register",
    "Release",
    "Released",
    "Revisions",
    "SourceFiles",
    "Sources",
    "Successions",
    "Suppressions",
    "WaveLog",
    "Weights",
]

"""GSBPM 5, process: decode, validate, quarantine, harmonise, weight, derive."""

from pipeline.process.decode import decode
from pipeline.process.derive import derive
from pipeline.process.harmonise import harmonise
from pipeline.process.quarantine import quarantine
from pipeline.process.validate import validate
from pipeline.process.weight import weight

__all__ = ["decode", "derive", "harmonise", "quarantine", "validate", "weight"]

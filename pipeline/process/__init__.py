"""GSBPM 5, process: decode, validate, quarantine, link, harmonise, review, weight, derive."""

from pipeline.process.decode import decode
from pipeline.process.derive import derive
from pipeline.process.harmonise import harmonise
from pipeline.process.link import link
from pipeline.process.quarantine import quarantine
from pipeline.process.review import review
from pipeline.process.validate import validate
from pipeline.process.weight import weight

__all__ = [
    "decode",
    "derive",
    "harmonise",
    "link",
    "quarantine",
    "review",
    "validate",
    "weight",
]

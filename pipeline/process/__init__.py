"""GSBPM 5, process: from raw cells to comparable answers, weights and contributions."""

from pipeline.process.assess import assess
from pipeline.process.calibrate import calibrate
from pipeline.process.decode import decode
from pipeline.process.derive import derive
from pipeline.process.harmonise import harmonise
from pipeline.process.link import link
from pipeline.process.quarantine import quarantine
from pipeline.process.review import review
from pipeline.process.validate import validate
from pipeline.process.weight import weight

__all__ = [
    "assess",
    "calibrate",
    "decode",
    "derive",
    "harmonise",
    "link",
    "quarantine",
    "review",
    "validate",
    "weight",
]

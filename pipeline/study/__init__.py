"""A study: what an analyst wrote in `schemas/`, read once, checked as a whole, never changed."""

from pipeline.study.captions import captions
from pipeline.study.model import Study, in_wave
from pipeline.study.read import find_waves, read_study

__all__ = ["Study", "captions", "find_waves", "in_wave", "read_study"]

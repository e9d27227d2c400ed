"""GSBPM 4, collect: what was delivered (exports of the survey tools, the register), as tables."""

from pipeline.collect.corrections import correct
from pipeline.collect.exports import read_exports
from pipeline.collect.register import read_register
from pipeline.collect.successions import read_successions
from pipeline.collect.wave_settings import WaveSettings
from pipeline.collect.waves import hashes_of, newest_wave, read_settings, source_of

__all__ = [
    "WaveSettings",
    "correct",
    "hashes_of",
    "newest_wave",
    "read_exports",
    "read_register",
    "read_settings",
    "read_successions",
    "source_of",
]

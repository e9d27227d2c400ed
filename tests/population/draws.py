"""Random numbers by name: adding a draw somewhere changes no other."""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

WAVES = ("2023", "2024", "2025", "2026")


def stream(seed: int, name: str) -> np.random.Generator:
    """The generator of one purpose; PCG64, seeded with the seed and the name's CRC-32."""
    entropy = np.random.SeedSequence([seed, zlib.crc32(name.encode())])
    return np.random.Generator(np.random.PCG64(entropy))

"""Counts as an instrument's detector finds them."""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def counted(expected: FloatArray, seed: int, *purpose: str) -> FloatArray:
    """Draw Poisson counts of the expected ones; the same for the same seed and purpose.

    A combination of atoms that comes out negative is none: it is counted as 0.
    """
    key = (seed, zlib.crc32("/".join(purpose).encode()))
    draws = np.random.Generator(np.random.SFC64(np.random.SeedSequence(key)))
    return draws.poisson(np.maximum(expected, 0.0)).astype(np.float64)

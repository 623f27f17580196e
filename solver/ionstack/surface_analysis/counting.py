"""Counts as an instrument's detector finds them."""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_ROUND_OFF = 1e-9


def counted(expected: FloatArray, seed: int, *purpose: str) -> FloatArray:
    """Draw Poisson counts of the expected ones; the same for the same seed and purpose.

    Raises ValueError for negative counts; those below 0 by round-off are 0.
    """
    if expected.min(initial=0.0) < -_ROUND_OFF * expected.max(initial=0.0):
        raise ValueError(f"{'/'.join(purpose)}: {expected.min():.3g} counts are expected")
    key = (seed, zlib.crc32("/".join(purpose).encode()))
    draws = np.random.Generator(np.random.SFC64(np.random.SeedSequence(key)))
    return draws.poisson(np.maximum(expected, 0.0)).astype(np.float64)

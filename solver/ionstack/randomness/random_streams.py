"""Random numbers by what they are for: seed, purpose, site and draw, in any order.

The counter-based generator Philox 4x64-10 (Salmon et al., SC11 (2011)), of the same numbers as
NumPy's, for arrays of sites and draws. A number depends on nothing else: not on the ranks, on
the length of time steps, nor on what was drawn before. Sites are numbers that do not depend
on the partition of the mesh.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]
Words = NDArray[np.uint64]

_ROUNDS = 10
_FACTORS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
_WEYL = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
_WORD = 1 << 64
_HALF, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)
# A uniform number is the middle of one of 2^53 equal parts of (0, 1), so never 0 or 1.
_SPARE, _PART = np.uint64(11), 2.0**-53


@dataclass(frozen=True)
class Stream:
    """Numbers for one `purpose`; streams of other seeds or purposes are independent of it."""

    seed: int
    purpose: str

    def __post_init__(self) -> None:
        if not 0 <= self.seed < _WORD:
            raise ValueError(f"seed: {self.seed} is not from 0 to 2^64 - 1")

    def uniform(self, sites: ArrayLike, draws: ArrayLike) -> Floats:
        """Return uniform numbers in (0, 1), without either end, for sites and draws >= 0."""
        words = philox(_counter(sites, draws), (self.seed, hashed(self.purpose)))[0]
        return np.asarray(((words >> _SPARE).astype(np.float64) + 0.5) * _PART)

    def exponential(self, sites: ArrayLike, draws: ArrayLike) -> Floats:
        """Return exponential numbers of mean 1."""
        return np.asarray(-np.log1p(-self.uniform(sites, draws)))

    def normal(self, sites: ArrayLike, draws: ArrayLike) -> Floats:
        """Return normal numbers of mean 0 and standard deviation 1."""
        return np.asarray(ndtri(self.uniform(sites, draws)))


def philox(counter: Words, key: tuple[int, int]) -> Words:
    """Return four random words (4, ...) for each counter of four words (4, ...)."""
    c = [np.array(word) for word in counter]
    for n in range(_ROUNDS):
        k = [np.uint64((part + n * weyl) % _WORD) for part, weyl in zip(key, _WEYL, strict=True)]
        high, low = _product(c[0], _FACTORS[0])
        other_high, other_low = _product(c[2], _FACTORS[1])
        c = [other_high ^ c[1] ^ k[0], other_low, high ^ c[3] ^ k[1], low]
    return np.stack(c)


def _product(word: Words, factor: int) -> tuple[Any, Any]:
    """High and low word of a product of 128 bits, from halves of 32 bits."""
    above, below = np.uint64(factor >> 32), np.uint64(factor & 0xFFFFFFFF)
    high, low = word >> _HALF, word & _LOW
    lowest = low * below
    middle = high * below + (lowest >> _HALF)
    other = low * above + (middle & _LOW)
    whole = (other << _HALF) | (lowest & _LOW)
    return high * above + (middle >> _HALF) + (other >> _HALF), whole


def _counter(sites: ArrayLike, draws: ArrayLike) -> Words:
    """Counters (4, ...): site, draw, 0, 0."""
    pair = [np.asarray(one) for one in (sites, draws)]
    for name, one in zip(("sites", "draws"), pair, strict=True):
        if one.dtype.kind not in "iu" or (one.size and one.min() < 0):
            raise ValueError(f"{name}: not whole numbers from 0 on")
    site, draw = np.broadcast_arrays(*(np.atleast_1d(one).astype(np.uint64) for one in pair))
    zero = np.zeros_like(site)
    return np.stack([site, draw, zero, zero])


def hashed(purpose: str) -> int:
    """Return a word that stands for a purpose, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(purpose.encode(), digest_size=8).digest(), "little")

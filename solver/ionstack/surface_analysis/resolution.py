"""Depth resolution of sputter depth profiling: mixing, roughness, information depth (MRI).

Hofmann, Surf. Interface Anal. 21, 673 (1994); closed form in Appl. Surf. Sci. 314, 942 (2014).
A share exp(-w/lambda) of an atom's signal comes from below the mixed zone, the rest from within it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import erf, erfcx

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Resolution:
    """What blurs a profile, lengths in m; 0 switches a part off.

    `mixing` w: depth that the sputter beam homogenises; `roughness` sigma at the surface,
    which grows with the depth z to sqrt(sigma^2 + (growth z)^2); `information_depth` lambda of
    what is detected. `removal` p: how much more easily than others atoms leave the mixed zone,
    None if all leave alike and the zone is as deep as ever when the sputtering begins.
    """

    mixing: float = 0.0
    roughness: float = 0.0
    roughness_growth: float = 0.0
    information_depth: float = 0.0
    removal: float | None = None

    def roughness_at(self, depth: FloatArray) -> FloatArray:
        """Return sigma [m] at depths [m]."""
        return np.hypot(self.roughness, self.roughness_growth * depth)

    def reach(self, depth: float) -> float:
        """Return how far [m] below a depth [m] anything can lie that is seen there."""
        sigma = float(self.roughness_at(np.array(depth)))
        return self.mixing + 5.0 * sigma + 15.0 * self.information_depth

    def density(self, u: FloatArray, sigma: FloatArray | float) -> FloatArray:
        """Return the response [1/m] to a layer of atoms at u = 0, by the eroded depth u [m].

        All three lengths must be greater than 0. It integrates to 1; its centroid lies at
        -(w + lambda) exp(-w/lambda).
        """
        w, length = self.mixing, self.information_depth
        below = float(np.exp(-w / length))
        x = np.asarray((u + w) / sigma, dtype=np.float64)
        trail = (1.0 - below) / (2.0 * w) * _tail(x, sigma / w)
        lead = below / (2.0 * length) * _tail(-x, sigma / length)
        return np.asarray(trail + lead)

    def cumulative(self, u: FloatArray, sigma: FloatArray) -> FloatArray:
        """Return the integral of `density` from minus infinity to u, any of the lengths being 0."""
        x = np.asarray(u + self.mixing)
        return self._seen(x, _exponential(x, self.mixing, sigma), sigma)

    def _seen(self, x: FloatArray, trail: FloatArray, sigma: FloatArray) -> FloatArray:
        """Add what comes from below the mixed zone to what comes from within it."""
        w, length = self.mixing, self.information_depth
        below = np.exp(-w / length) if length > 0.0 else float(w == 0.0)
        lead = 1.0 - _exponential(-x, length, sigma)
        return np.asarray((1.0 - below) * trail + below * lead)

    def response(self, edges: FloatArray) -> FloatArray:
        """Return the matrix (n, n) from atoms in cells to what is seen while each is eroded.

        `edges` (n + 1,) [m] of cells of one width. An entry is the share of the atoms of its column
        seen in its row. What would be seen before the sputtering begins or after it ends is lost:
        columns sum to 1 away from both ends.
        """
        middles = 0.5 * (edges[:-1] + edges[1:])
        sigma = self.roughness_at(middles)[None, :]
        u = edges[:, None] - middles[None, :]
        if self.removal is None:
            return np.diff(self.cumulative(u, sigma), axis=0)
        # Atoms less deep than the zone are in it from the start: dN/dz = c(z + w) - p N / w.
        since = np.minimum(u + self.mixing, edges[:, None])
        trail = _exponential(since, self.mixing / self.removal, sigma)
        return np.diff(self._seen(u + self.mixing, trail, sigma), axis=0)


def _tail(position: npt.ArrayLike, lengths: npt.ArrayLike) -> FloatArray:
    """Return exp(-r x + r^2/2) erfc((r - x)/sqrt 2), without overflow: Gauss after exponential."""
    x, ratio = (np.asarray(one, dtype=np.float64) for one in (position, lengths))
    a = (ratio - x) / np.sqrt(2.0)
    # erfcx(a) = exp(a^2) erfc(a), and a^2 - x^2/2 is the exponent.
    scaled = np.exp(-0.5 * x**2) * erfcx(np.maximum(a, -5.0))
    plain = np.exp(np.minimum(0.5 * ratio**2 - ratio * x, 0.5 * ratio**2)) * (1.0 - erf(a))
    return np.asarray(np.where(a > -5.0, scaled, plain))


def _exponential(x: FloatArray, length: float, sigma: FloatArray) -> FloatArray:
    """Return the distribution of an exponential of `length` from 0 on, roughened by sigma."""
    if length == 0.0:
        return _normal(x, sigma)
    rough = np.maximum(sigma, 1e-9 * length)
    gauss = 0.5 * (1.0 + erf(x / (np.sqrt(2.0) * rough)))
    return np.asarray(gauss - 0.5 * _tail(x / rough, rough / length))


def _normal(x: FloatArray, sigma: FloatArray) -> FloatArray:
    """Return the normal distribution; a step where sigma is 0."""
    safe = np.where(sigma > 0.0, sigma, 1.0)
    step = 0.5 * (1.0 + np.sign(x))
    return np.asarray(np.where(sigma > 0.0, 0.5 * (1.0 + erf(x / (np.sqrt(2.0) * safe))), step))

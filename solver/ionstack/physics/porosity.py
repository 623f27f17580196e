"""Pores in a metal that flows: they nucleate with plastic strain and grow in tension.

d(phi) = (1 - phi) tr(d eps_p) + A(eps) d(eps), with a normal distribution of the strain at
which pores nucleate (Chu, Needleman, J. Eng. Mater. Technol. 102, 249 (1980)). The metal
itself keeps its volume in J2 flow; the trace is that of Gurson's potential for few pores
(Gurson, J. Eng. Mater. Technol. 99, 2 (1977), with q1 of Tvergaard, Int. J. Fract. 17, 389
(1981)): tr(d eps_p) = 3/2 q1 phi sinh(3 sigma_h/(2 sigma_eq)) d(eps). Pores do not soften it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Floats = NDArray[np.float64]

_Q1 = 1.5
# Exponents beyond are as good as without end.
_MOST = 300.0


@dataclass(frozen=True)
class Nucleation:
    """Pores that plastic strain opens: volume `fraction` in all, around a mean `strain`."""

    fraction: float
    strain: float
    deviation: float


def grown_porosity(
    porosity: Floats, before: Floats, after: Floats, triaxiality: Floats, nucleation: Nucleation
) -> Floats:
    """Porosity after the equivalent plastic strain has gone from `before` to `after`.

    `triaxiality` is the hydrostatic over the equivalent stress, 2/3 in a film that is
    stretched in its plane. Nucleation is exact, growth exact for a constant triaxiality. Where
    that is singular, as at an edge, the metal may be gone, but there is never more than all of it.
    """
    rate = 1.5 * _Q1 * np.sinh(np.clip(1.5 * triaxiality, -_MOST, _MOST))
    rise = np.clip(rate * (after - before), -_MOST, _MOST)
    odds = porosity * np.exp(rise)
    grown = odds / (1.0 - porosity + odds)
    share = ndtr((after - nucleation.strain) / nucleation.deviation)
    share = share - ndtr((before - nucleation.strain) / nucleation.deviation)
    return np.asarray(np.minimum(grown + nucleation.fraction * share, 1.0))


def open_share(porosity: Any, threshold: Any, exponent: Any = 2.0) -> Any:
    """Share of the pores that is connected: ((phi - phi_c)/(1 - phi_c))^t, 0 below phi_c.

    Of arrays of NumPy and of JAX. Percolation with t = 2 in three dimensions: Stauffer and
    Aharony, Introduction to Percolation Theory, 2nd ed. (1994).
    """
    above = (porosity - threshold) * (porosity > threshold)
    return (above / (1.0 - threshold)) ** exponent


def triaxiality(hydrostatic: Floats, equivalent: Floats) -> Floats:
    """Hydrostatic over equivalent stress, 0 where there is no equivalent stress."""
    loaded = equivalent > 0.0
    return np.asarray(np.where(loaded, hydrostatic, 0.0) / np.where(loaded, equivalent, 1.0))


def film_triaxiality(stress: Floats) -> Floats:
    """Hydrostatic over equivalent stress of an equibiaxial stress: 2/3 with its sign."""
    return np.asarray(2.0 / 3.0 * np.sign(stress))

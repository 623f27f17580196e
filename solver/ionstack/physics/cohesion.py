"""What two faces of an interface do to each other: cohesion that damages, contact that stays.

The traction follows from the opening, the displacement of the lower face against the upper
one: its last component is normal, positive apart. Tension and shear count alike, by the
effective opening |(<normal>, shear)|: Camanho and Davila, NASA/TM-2002-211737 (2002), with equal
strengths and works in all modes; the form with one effective opening is that of Ortiz and
Pandolfi, Int. J. Numer. Meth. Engng. 44, 1267 (1999). The law is linear up to the strength, then
falls linearly to zero, and unloads towards the origin. Against compression the stiffness
stays, also after failure; faces that have failed slide without friction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# A stiffness of so many times that of the stiffer neighbour hardly adds to its compliance:
# Turon, Davila, Camanho and Costa, Eng. Fract. Mech. 74, 1665 (2007), eq. 21.
_STIFFER = 50.0


@dataclass(frozen=True)
class Cohesion:
    """Traction that falls as an interface opens.

    stiffness [Pa/m] before damage and of contact; strength [Pa], the largest traction; work
    [J/m^2] that separates the faces. Strength and work are 0 where they are apart from the start.
    Otherwise the work must exceed strength^2/(2 stiffness), see `least_work`.
    """

    stiffness: float
    strength: float = 0.0
    work: float = 0.0

    @property
    def onset(self) -> float:
        """Effective opening [m] at which damage begins."""
        return self.strength / self.stiffness

    @property
    def final(self) -> float:
        """Effective opening [m] beyond which the faces bear no tension."""
        return 2.0 * self.work / self.strength if self.strength else 0.0

    @property
    def least_work(self) -> float:
        """Work [J/m^2] stored at the strength: less than this cannot be dissipated."""
        return 0.5 * self.strength * self.onset


class Separation(NamedTuple):
    """What an opening does at many points.

    `traction` (..., n) [Pa] on the upper face, towards the lower one if positive; `effective`
    (...,) the effective opening [m]; `reached` (...,) the largest one so far where there was
    something to part; `secant` and
    `softening` (..., n, n) [Pa/m], whose sum is the derivative of the traction by the opening: the
    secant is never negative, the softening never positive.
    """

    traction: Floats
    effective: Floats
    reached: Floats
    secant: Floats
    softening: Floats


def contact_stiffness(neighbours: Iterable[tuple[float, float]]) -> float:
    """Stiffness [Pa/m] of an interface that hardly adds to the compliance of its neighbours.

    neighbours: Young's modulus [Pa] and thickness [m] of each layer beside it. 50 times the
    largest ratio, so that a pressure p brings the faces p/stiffness into each other: no more than
    a fiftieth of the compression of either layer.
    """
    return _STIFFER * max(modulus / thickness for modulus, thickness in neighbours)


def damage(law: Cohesion, reached: Floats) -> Floats:
    """Lost part of the stiffness, 0 to 1, after a largest effective opening [m]."""
    if not law.strength:
        return np.ones_like(reached)
    at = np.clip(reached, law.onset, law.final)
    return np.asarray(law.final * (at - law.onset) / (at * (law.final - law.onset)))


def dissipated(law: Cohesion, reached: Floats) -> Floats:
    """Work [J/m^2] that opening so far has cost for good: the area under the law less what unloads.

    0 up to the onset, all of the work once the faces are apart.
    """
    if not law.strength:
        return np.zeros_like(reached)
    at = np.clip(reached, law.onset, law.final)
    return np.asarray(law.work * (at - law.onset) / (law.final - law.onset))


def separate(law: Cohesion, opening: Floats, reached: Floats) -> Separation:
    """Traction at an opening (..., n) [m], where the largest one before is `reached` (...,)."""
    tension = np.array(opening, dtype=np.float64)
    tension[..., -1] = np.maximum(tension[..., -1], 0.0)
    effective = np.linalg.norm(tension, axis=-1)
    # Faces that are apart from the start have nothing to lose.
    largest = np.maximum(reached, effective) if law.strength else reached
    left = law.stiffness * (1.0 - damage(law, largest))
    traction = left[..., None] * tension
    traction[..., -1] += law.stiffness * np.minimum(opening[..., -1], 0.0)
    size = opening.shape[-1]
    secant = left[..., None, None] * np.eye(size)
    secant[..., -1, -1] = np.where(opening[..., -1] < 0.0, law.stiffness, left)
    softening = _softening(law, tension, effective, effective >= largest, left)
    return Separation(traction, effective, largest, secant, softening)


def _softening(
    law: Cohesion, tension: Floats, effective: Floats, opens: NDArray[np.bool_], left: Floats
) -> Floats:
    """Derivative of the traction by damage that grows, along the opening only."""
    grows = opens & (effective > law.onset) & (effective < law.final)
    slope = -law.strength / (law.final - law.onset) if law.strength else 0.0
    direction = tension / np.where(effective > 0.0, effective, 1.0)[..., None]
    along = np.where(grows, slope - left, 0.0)
    return np.asarray(along[..., None, None] * direction[..., :, None] * direction[..., None, :])

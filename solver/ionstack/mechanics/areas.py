"""Areas of a stack, seen from above: where layers have come apart, where they are another solid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ROUND_OFF = 1e-9


@dataclass(frozen=True, kw_only=True)
class Area:
    """A part of the lateral extent; lengths in m.

    radius: greatest distance from the middle of the device, or None.
    between: least and greatest first coordinate, or None.
    """

    radius: float | None = None
    between: tuple[float, float] | None = None

    def contains(self, points: Floats, middle: Floats) -> NDArray[np.bool_]:
        """Whether `points` (..., lateral coordinates) lie within; `middle` of the device."""
        inside = np.ones(points.shape[:-1], dtype=bool)
        if self.radius is not None:
            distance = np.linalg.norm(points - middle, axis=-1)
            inside &= distance <= self.radius * (1.0 + _ROUND_OFF)
        if self.between is not None:
            low, high = self.between
            slack = _ROUND_OFF * (high - low)
            inside &= (points[..., 0] >= low - slack) & (points[..., 0] <= high + slack)
        return inside


@dataclass(frozen=True)
class Debond(Area):
    """An area in which two layers bear no traction on each other.

    Facets of the interface all of whose points lie within come apart. Nothing keeps the
    faces of the slit from passing through each other.

    upper, lower: names of the layers above and below the interface.
    """

    upper: str
    lower: str


@dataclass(frozen=True)
class Zone(Area):
    """An area in which a layer is another solid: cells all of whose points lie within.

    name: of the region that they become, the last one of the mesh. layer: what they are part of.
    """

    name: str
    layer: str

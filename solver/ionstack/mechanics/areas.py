"""Areas of a stack, seen from above: where layers may part, where they are another solid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ionstack.physics.cohesion import Cohesion

Ints = NDArray[np.int64]
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
class Joint(Area):
    """An area in which two layers may part: facets of the interface all of whose points lie within.

    upper, lower: names of the layers above and below the interface.
    """

    upper: str
    lower: str

    @property
    def name(self) -> str:
        """Name of the interface."""
        return f"{self.upper}/{self.lower}"


@dataclass(frozen=True)
class Debond(Joint):
    """An area in which two layers have come apart: nothing but contact, without friction."""


@dataclass(frozen=True)
class Cohesive(Joint):
    """An area in which two layers hold together by a law until they part."""

    law: Cohesion


@dataclass(frozen=True)
class Seam:
    """A joint in a mesh: facets whose points are doubled, as far as this rank holds them.

    cells: (n, 2) local numbers of the cells above and below each facet; this rank owns the
        upper one. layers: numbers of the regions of both layers; thickness of each [m].
    """

    joint: Joint
    cells: Ints
    layers: tuple[int, int]
    thickness: tuple[float, float]


@dataclass(frozen=True)
class Zone(Area):
    """An area in which a layer is another solid: cells all of whose points lie within.

    name: of the region that they become, the last one of the mesh. layer: what they are part of.
    """

    name: str
    layer: str

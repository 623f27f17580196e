"""Areas where two layers have come apart, and the slit that they make in a mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_ROUND_OFF = 1e-9


@dataclass(frozen=True)
class Debond:
    """An area in which two layers bear no traction on each other; lengths in m.

    Facets of the interface all of whose points lie within come apart. Nothing keeps the
    faces of the slit from passing through each other.

    upper, lower: names of the layers above and below the interface.
    radius: greatest distance from the middle of the device, or None.
    between: least and greatest first coordinate, or None.
    """

    upper: str
    lower: str
    radius: float | None = None
    between: tuple[float, float] | None = None

    def contains(self, points: Floats, middle: Floats) -> NDArray[np.bool_]:
        """Whether `points` (n, lateral coordinates) lie within; `middle` of the device."""
        inside = np.ones(len(points), dtype=bool)
        if self.radius is not None:
            distance = np.linalg.norm(points - middle, axis=1)
            inside &= distance <= self.radius * (1.0 + _ROUND_OFF)
        if self.between is not None:
            low, high = self.between
            slack = _ROUND_OFF * (high - low)
            inside &= (points[:, 0] >= low - slack) & (points[:, 0] <= high + slack)
        return inside


def open_slit(
    points: Floats, cells: Ints, above: NDArray[np.bool_], plane: float, inside: NDArray[np.bool_]
) -> tuple[Floats, Ints] | None:
    """Return points and cells with the points of an interface doubled inside an area.

    None if the area holds no facet of the interface, or all of them.

    points: (n, d) with the last coordinate along the stack; cells: (m, d + 1).
    above, inside: cells above the interface, points within the area; plane: its coordinate.
    Points of the rim of the area stay common, but not where it ends at the outer edge.
    """
    on_plane = points[:, -1] == plane
    touches = on_plane[cells].sum(axis=1) == points.shape[1]
    corners = cells[touches & above]
    facets = corners[on_plane[corners]].reshape(len(corners), -1)
    apart = inside[facets].all(axis=1)
    if apart.all() or not apart.any():
        return None
    bonded = np.zeros(len(points), dtype=bool)
    bonded[facets[~apart]] = True
    doubled = np.setdiff1d(facets[apart], np.flatnonzero(bonded))
    number = np.arange(len(points))
    number[doubled] = len(points) + np.arange(len(doubled))
    cells = np.where(above[:, None], cells, number[cells])
    return np.concatenate([points, points[doubled]]), cells

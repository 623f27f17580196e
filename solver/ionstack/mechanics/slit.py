"""The slit that an area makes in a mesh where two layers have come apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


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

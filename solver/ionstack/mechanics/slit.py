"""The slit that an area makes in a mesh where two layers may part."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Slit(NamedTuple):
    """A mesh with a slit: `cells`, the points `doubled`, which are appended in this order.

    `pairs` (facets, 2): cells above and below the facets that came apart. `whole`: whether those
    are all facets of the interface that were left.
    """

    cells: Ints
    doubled: Ints
    pairs: Ints
    whole: bool


def open_slit(
    points: Floats,
    origin: Ints,
    cells: Ints,
    above: NDArray[np.bool_],
    apart: NDArray[np.bool_],
    plane: float,
    inside: NDArray[np.bool_],
) -> Slit:
    """Double the points of an interface inside an area.

    points: (n, d) with the last coordinate along the stack; origin: (n,) the point that each was
        before slits doubled it; cells: (m, d + 1).
    above, apart: cells above the interface, cells beside facets of it that are apart already.
    plane: its coordinate; inside: points within the area.
    Points of the rim of the area stay common, but not where it ends at the outer edge.
    """
    on_plane = points[:, -1] == plane
    upper, corners = _beside(cells, on_plane, above)
    parts = inside[corners].all(axis=1) & ~apart[upper]
    bonded = corners[~parts & ~apart[upper]]
    doubled = np.setdiff1d(np.intersect1d(corners[parts], cells[~above]), bonded)
    number = np.arange(len(points))
    number[doubled] = len(points) + np.arange(len(doubled))
    lower, other = _beside(cells, on_plane, ~above)
    pairs = np.stack([upper[parts], lower[_match(origin[corners[parts]], origin[other])]], axis=1)
    renumbered = np.where(above[:, None], cells, number[cells])
    return Slit(renumbered, doubled, pairs, bool(parts.all()))


def _beside(cells: Ints, on_plane: NDArray[np.bool_], side: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Cells of a side with a facet on the plane, and the points (n, d) of the facet."""
    touches = on_plane[cells].sum(axis=1) == cells.shape[1] - 1
    found = np.flatnonzero(touches & side)
    corners = cells[found]
    return found, corners[on_plane[corners]].reshape(len(found), cells.shape[1] - 1)


def _match(wanted: Ints, among: Ints) -> Ints:
    """Row of `among` with the same points as each row of `wanted`, in any order."""
    rows = np.sort(np.concatenate([among, wanted]), axis=1)
    _, first, number = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return np.asarray(first[number.reshape(-1)[len(among) :]])

"""A layer of a device as a closed surface with a quarter cut away: points and triangles.

Points stand on `rays` from the centre to the rim, on `rings` and on levels of the depth. The
rim goes three quarters around, so that the cut faces are the first and the last ray.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ionstack.report.packing import FloatArray, IntArray

_RAYS_OF_DISC = 40
# Points along each half of a side of a rectangle.
_PER_HALF_SIDE = 6


@dataclass(frozen=True)
class Surface:
    """Triangles (m, 3) over points, each at a place (n,) of the plan and a level (n,)."""

    place: IntArray
    level: IntArray
    triangles: IntArray


def disc_rim(radius: float) -> FloatArray:
    """Return the rim (n, 2) [m] of a disc, three quarters of it."""
    angle = np.linspace(0.0, 1.5 * np.pi, _RAYS_OF_DISC)
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def rectangle_rim(half_width: float, half_depth: float) -> FloatArray:
    """Return the rim (n, 2) [m] of a rectangle without its corner at +x, -y."""
    corners = [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1)]
    share = np.linspace(0.0, 1.0, _PER_HALF_SIDE, endpoint=False)[:, None]
    ends = np.array(corners, dtype=np.float64)
    sides = [a + share * (b - a) for a, b in pairwise(ends)]
    return np.asarray(np.concatenate([*sides, ends[-1:]]) * np.array([half_width, half_depth]))


def plan(rim: FloatArray, rings: FloatArray) -> FloatArray:
    """Return the places (rays * rings, 2) [m]; `rings` are shares of the way to the rim."""
    return np.asarray((rim[:, None, :] * rings[None, :, None]).reshape(-1, 2))


def surface(rays: int, rings: int, levels: int) -> Surface:
    """Return the closed surface of a layer over a plan."""
    number = np.arange(rays * rings * levels).reshape(rays, rings, levels)
    faces = [number[:, :, 0], number[:, :, -1], number[:, -1, :], number[0], number[-1]]
    triangles = np.concatenate([_triangles(face) for face in faces])
    used, renumbered = np.unique(triangles, return_inverse=True)
    return Surface(used // levels, used % levels, renumbered.reshape(-1, 3))


def outline(rays: int, rings: int) -> IntArray:
    """Return the places along the edges of a face: the first cut, the rim, the last cut."""
    number = np.arange(rays * rings).reshape(rays, rings)
    return np.concatenate([number[0, :-1], number[:, -1], number[-1, -2::-1]])


def _triangles(face: IntArray) -> IntArray:
    """Split the quadrilaterals of a grid of point numbers in two."""
    a, b, c, d = face[:-1, :-1], face[1:, :-1], face[1:, 1:], face[:-1, 1:]
    return np.concatenate(
        [np.stack([a, b, c], axis=-1).reshape(-1, 3), np.stack([a, c, d], axis=-1).reshape(-1, 3)]
    )

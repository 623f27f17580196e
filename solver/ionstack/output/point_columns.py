"""The points of an extruded mesh as columns along the depth, all with the same depths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

Arrangement = Literal["film", "axis", "plane", "body"]

# Of the extent: places nearer to each other are the same.
_ROUND_OFF = 1e-9


class PointMesh(Protocol):
    """A mesh of simplices whose last coordinate is the depth."""

    @property
    def points(self) -> FloatArray:
        """Points (n_points, 3) [m], each of one region."""

    @property
    def cells(self) -> IntArray:
        """Points of each cell, (n_cells, d + 1)."""

    @property
    def region(self) -> IntArray:
        """Index (n_cells,) into the names of the regions."""

    @property
    def region_names(self) -> tuple[str, ...]:
        """Names of the regions."""

    @property
    def axisymmetric(self) -> bool:
        """Whether the first coordinate is a radius."""

    @property
    def dimension(self) -> int:
        """Dimension of the cells, 1 to 3."""

    @property
    def depth(self) -> FloatArray:
        """Depth of the points (n_points,) [m]."""


class Simplices:
    """What follows for a mesh of simplices, of a `PointMesh`, from its points and cells."""

    points: FloatArray
    cells: IntArray

    @property
    def dimension(self) -> int:
        """Dimension of the cells, 1 to 3."""
        return self.cells.shape[1] - 1

    @property
    def depth(self) -> FloatArray:
        """Depth of the points (n_points,) [m]: the last coordinate."""
        return self.points[:, self.dimension - 1]


@dataclass(frozen=True)
class PointColumns:
    """Where the columns stand and which points lie along them.

    `arrangement`: one column for a film, radii around an axis, a plane, or a body. `places` (m, 2)
    [m]; `order` (m, k): points along each, from the top; their `depths` (k,) [m] and `layers` (k,).
    """

    arrangement: Arrangement
    places: FloatArray
    order: IntArray
    depths: FloatArray
    layers: IntArray


def point_columns(mesh: PointMesh) -> PointColumns | None:
    """Find the columns of an extruded mesh, None for any other.

    A point that several ranks have written is taken once.
    """
    places, layer = lateral(mesh), region_of_points(mesh)
    place, depth = numbered(places), numbered(mesh.depth[:, None])
    keys = np.column_stack([place, _ranks(mesh)[layer], depth])
    _, order = np.unique(keys, axis=0, return_index=True)
    number = int(place.max()) + 1
    if len(order) % number:
        return None
    table = order.reshape(number, -1)
    first = table[0]
    alike = np.all(keys[table][:, :, 1:] == keys[first][:, 1:])
    if not alike or np.any(np.diff(depth[first]) < 0):
        return None
    there = places[table[:, 0]]
    return PointColumns(arrangement_of(mesh), there, table, mesh.depth[first], layer[first])


def region_of_points(mesh: PointMesh) -> IntArray:
    """Return the region (n_points,) of every point; points at interfaces are of one each."""
    region = np.zeros(len(mesh.points), dtype=np.int64)
    region[mesh.cells.ravel()] = np.repeat(mesh.region, mesh.cells.shape[1])
    return region


def lateral(mesh: PointMesh) -> FloatArray:
    """Return the coordinates (n_points, 2) [m] across the depth, 0 where there are none."""
    result = np.zeros((len(mesh.points), 2))
    result[:, : mesh.dimension - 1] = mesh.points[:, : mesh.dimension - 1]
    return result


def numbered(coordinates: FloatArray) -> IntArray:
    """Number places (n, d) in their order, those that differ by round-off alike."""
    extent = float(np.ptp(coordinates, axis=0).max()) or 1.0
    keys = np.round((coordinates - coordinates.min(axis=0)) / (_ROUND_OFF * extent))
    _, number = np.unique(keys.astype(np.int64), axis=0, return_inverse=True)
    return np.asarray(number, dtype=np.int64).reshape(-1)


def arrangement_of(mesh: PointMesh) -> Arrangement:
    """Return how the columns of a mesh stand."""
    if mesh.dimension == 2:
        return "axis" if mesh.axisymmetric else "plane"
    return "film" if mesh.dimension == 1 else "body"


def _ranks(mesh: PointMesh) -> IntArray:
    """Rank of every region from the top."""
    tops = np.full(len(mesh.region_names), np.inf)
    np.minimum.at(tops, mesh.region, mesh.depth[mesh.cells].min(axis=1))
    return np.argsort(np.argsort(tops))

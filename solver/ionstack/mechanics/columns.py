"""Lateral places of a stack, and what a layer does along the column of its points at each.

A stack is extruded: every layer has a point at each of its planes above and below every vertex
of the films' upper face. All ranks know all places, in the order of vertex.
"""

from __future__ import annotations

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ionstack.errors import NumericsError
from ionstack.geometry.graph import ControlVolumes
from ionstack.mechanics.mesh import MechanicalMesh

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# Points closer than this fraction of the extent are the same.
_TOLERANCE = 1e-7


class Columns:
    """One column for each vertex at the upper face of the films.

    `of_nodes` is the column of each local node of transport, `of_corners` (own cells, corners)
    that of the points of mechanics.
    """

    def __init__(self, volumes: ControlVolumes, mesh: MechanicalMesh) -> None:
        """Find the places (collective); raises NumericsError for a point without a column."""
        self._comm = volumes.comm
        lateral = slice(mesh.dimension - 1)
        nodes = volumes.coordinates[volumes.node_vertex][:, lateral]
        self.places = _places(volumes, nodes)
        tree = cKDTree(self.places)
        reach = _TOLERANCE * float(np.ptp(self.places, axis=0).max())
        self.of_nodes = self._nearest(tree, nodes, reach)
        points = self._nearest(tree, mesh.coordinates()[:, lateral], reach)
        self.of_corners = points[mesh.owned_cells()]

    @property
    def count(self) -> int:
        """Number of columns."""
        return len(self.places)

    def _nearest(self, tree: cKDTree, points: Floats, reach: float) -> Ints:
        distance, found = tree.query(points)
        lost = self._comm.allreduce(int(np.sum(distance > reach)))
        if lost:
            raise NumericsError(f"{lost} points lie above or below no vertex of the films")
        return np.asarray(found, dtype=np.int64)


def _places(volumes: ControlVolumes, nodes: Floats) -> Floats:
    """Lateral coordinates of the nodes at the upper face, the same on all ranks (collective)."""
    comm, depth = volumes.comm, volumes.depth[: volumes.n_owned_nodes]
    top = comm.allreduce(float(depth.min(initial=np.inf)), MPI.MIN)
    bottom = comm.allreduce(float(depth.max(initial=-np.inf)), MPI.MAX)
    upper = np.flatnonzero(depth <= top + _TOLERANCE * (bottom - top))
    keys = np.concatenate(comm.allgather(volumes.vertex_id[volumes.node_vertex[upper]]))
    x = np.concatenate(comm.allgather(nodes[upper]))
    return np.asarray(x[np.argsort(keys)])


class Layer:
    """The cells of one layer, its zones included, by column and plane."""

    def __init__(self, columns: Columns, mesh: MechanicalMesh, name: str, comm: MPI.Comm) -> None:
        """Find the planes of the layer (collective)."""
        self._comm, self._count = comm, columns.count
        layer = np.array([one == name for one in mesh.layers])
        self.cells = np.flatnonzero(layer[mesh.cell_region[: mesh.n_owned]])
        depth = mesh.coordinates()[mesh.owned_cells()[self.cells]][..., -1]
        self.planes = np.unique(np.concatenate(comm.allgather(np.unique(depth))))
        self._row = np.searchsorted(self.planes, depth)
        self._column = columns.of_corners[self.cells]
        self._volume = mesh.owned_volumes()[self.cells]
        self._around = self._sum(np.broadcast_to(self._volume[:, None], depth.shape))
        self._touching = self._sum(np.ones(depth.shape))

    @property
    def shape(self) -> tuple[int, int]:
        """Number of planes and of columns."""
        return len(self.planes), self._count

    def at_points(self, values: Floats) -> Floats:
        """Means (planes, columns) of values (cells of the layer, points) (collective).

        Over the cells around each point of a column, weighed by volume: where a metal flows the
        hydrostatic stress alternates from cell to cell, and such means hardly do.
        """
        weighed = np.broadcast_to((values.mean(axis=1) * self._volume)[:, None], self._row.shape)
        return self._sum(weighed) / self._around

    def at_corners(self, values: Floats) -> Floats:
        """Values (planes, columns) at the corners (cells of the layer, corners)."""
        return np.asarray(values[self._row, self._column])

    def growth(self, displacement: Floats) -> Floats:
        """Growth of the thickness [m] in every column (collective).

        `displacement` (cells of the layer, corners, coordinates) [m]. The distance of the two
        ends of the column, so that a layer which only turns does not grow.
        """
        parts = [self._sum(one) / self._touching for one in np.moveaxis(displacement, -1, 0)]
        apart = np.stack([one[-1] - one[0] for one in parts])
        height = float(self.planes[-1] - self.planes[0])
        apart[-1] += height
        return np.asarray(np.linalg.norm(apart, axis=0) - height)

    def _sum(self, values: Floats) -> Floats:
        """Sums (planes, columns) of values at the corners of the cells (collective)."""
        flat = np.ravel_multi_index((self._row, self._column), self.shape).reshape(-1)
        size = int(np.prod(self.shape))
        found = np.bincount(flat, np.ascontiguousarray(values).reshape(-1), size)
        return np.asarray(self._comm.allreduce(found)).reshape(self.shape)

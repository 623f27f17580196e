"""Values between the nodes of transport and the cells of mechanics, on any number of ranks.

A node is a point in a film. It meets the cells of that film around the point, by the name of
the film and the coordinates. Both sides tell a third rank, which follows from the place, so
that no rank keeps a list of what others have.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.errors import NumericsError
from ionstack.geometry.exchange import route
from ionstack.geometry.graph import ControlVolumes
from ionstack.mechanics.mesh import MechanicalMesh

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# Points closer than this fraction of the films' extent along each coordinate are the same.
_TOLERANCE = 1e-7
# Factors of a hash that spreads places over the ranks.
_PRIMES = np.array([73856093, 19349663, 83492791, 2654435761], dtype=np.int64)


class Transfer:
    """Carries values from nodes to the corners of cells, and back as means over cells.

    A *place* is a point of the mechanical mesh in a film, as this rank sees it.
    """

    def __init__(self, volumes: ControlVolumes, mesh: MechanicalMesh) -> None:
        """Find partners (collective); raises NumericsError where a node or a cell has none."""
        self._comm = volumes.comm
        self._corners, region, x = _places(mesh, volumes.regions)
        film = np.isin(mesh.cell_region[: mesh.n_owned], _film_numbers(mesh, volumes.regions))
        self._film = np.flatnonzero(film)
        self._shape = (mesh.n_owned, mesh.dimension + 1)
        self._volumes = mesh.owned_volumes()[self._film]
        self._count = len(region)
        node_x = volumes.coordinates[volumes.node_vertex][:, : mesh.dimension]
        labels = _labels(self._comm, volumes.node_region, node_x, region, x)
        self._links(volumes, labels)

    def _links(self, volumes: ControlVolumes, labels: Iterator[tuple[Ints, Ints]]) -> None:
        """Let every place know its nodes on all ranks, and owned nodes their places."""
        place, rank, node, owned = _matched(self._comm, volumes, labels, self._count)
        self._place, self._rank, self._node = place, rank, node
        source, (nodes, places) = route(self._comm, rank[owned], node[owned], place[owned])
        self._ask_rank, self._ask_node, self._ask_place = source, nodes, places
        self._n_nodes = len(volumes.node_vertex)
        lost = self._comm.allreduce(int(self._count - owned.sum()))
        weight = self._sum_at_nodes(np.ones((len(self._film), self._shape[1])))
        lonely = self._comm.allreduce(int(np.sum(weight <= 0.0)))
        if lost or lonely:
            raise NumericsError(
                f"the meshes of transport and mechanics do not fit: {lost} points of cells and "
                f"{lonely} nodes have no partner"
            )
        self._weight = weight

    def to_cells(self, node_values: Floats) -> Floats:
        """Values (nodes, ...) at the corners of own cells (cells, corners, ...) (collective).

        Only values at owned nodes are read; cells of other layers get 0.
        """
        flat = _flat(node_values, 1)
        target = self._ask_rank
        _, (place, values) = route(self._comm, target, self._ask_place, flat[self._ask_node])
        at_places = np.zeros((self._count, flat.shape[1]))
        at_places[place] = values
        result = np.zeros((*self._shape, flat.shape[1]))
        result[self._film] = at_places[self._corners]
        return result.reshape(*self._shape, *node_values.shape[1:])

    def to_nodes(self, cell_values: Floats) -> Floats:
        """Means (nodes, ...) of values at own cells' corners (cells, corners, ...) (collective).

        A node, owned or ghost, gets the mean over its film's cells around it, weighed by
        their volumes.
        """
        flat = _flat(cell_values, 2)
        total = self._sum_at_nodes(flat[self._film])
        mean = total / self._weight
        return np.asarray(mean.reshape(self._n_nodes, *cell_values.shape[2:]))

    def _sum_at_nodes(self, corner_values: Floats) -> Floats:
        """Sum over film cells of volume times value (film cells, corners[, k]), at all nodes."""
        weighed = _flat(corner_values, 2) * self._volumes[:, None, None]
        at_places = np.zeros((self._count, weighed.shape[2]))
        np.add.at(at_places, self._corners, weighed)
        _, (node, part) = route(self._comm, self._rank, self._node, at_places[self._place])
        total = np.zeros((self._n_nodes, weighed.shape[2]))
        np.add.at(total, node, part)
        return total


def _flat(values: Floats, kept: int) -> Floats:
    """Join all axes after the first `kept` ones, also where there are no rows."""
    return values.reshape(*values.shape[:kept], int(np.prod(values.shape[kept:])))


def _film_numbers(mesh: MechanicalMesh, regions: tuple[str, ...]) -> list[int]:
    return [number for number, name in enumerate(mesh.layers) if name in regions]


def _places(mesh: MechanicalMesh, regions: tuple[str, ...]) -> tuple[Ints, Ints, Floats]:
    """Places of the corners of own film cells; region (of transport) and coordinates of each."""
    number = np.array([regions.index(name) if name in regions else -1 for name in mesh.layers])
    region = number[mesh.cell_region[: mesh.n_owned]]
    corners = mesh.owned_cells()[region >= 0]
    keys = corners * len(regions) + region[region >= 0][:, None]
    found, inverse = np.unique(keys, return_inverse=True)
    x = mesh.coordinates()[found // len(regions)]
    return inverse.reshape(corners.shape), found % len(regions), x


def _labels(
    comm: MPI.Comm, node_region: Ints, node_x: Floats, place_region: Ints, place_x: Floats
) -> Iterator[tuple[Ints, Ints]]:
    """Yield integer labels (n, 1 + dimension) of nodes and of places (collective).

    Coordinates are counted in boxes. Two that differ by less than a box, by round-off, have the
    same number for at least one of two offsets, so that of all offsets one always fits.
    """
    low, size = _extent(comm, node_x)
    box = _TOLERANCE * size
    for offset in product((0.0, 0.5), repeat=node_x.shape[1]):
        shift = np.asarray(offset)
        yield tuple(  # type: ignore[misc]
            np.column_stack([region, np.floor((x - low) / box + shift).astype(np.int64)])
            for region, x in ((node_region, node_x), (place_region, place_x))
        )


def _extent(comm: MPI.Comm, x: Floats) -> tuple[Floats, Floats]:
    ends = np.full((2, x.shape[1]), np.inf)
    if len(x):
        ends[:] = x.min(axis=0), -x.max(axis=0)
    comm.Allreduce(MPI.IN_PLACE, ends, op=MPI.MIN)
    return ends[0], -ends[1] - ends[0]


def _matched(
    comm: MPI.Comm,
    volumes: ControlVolumes,
    labels: Iterator[tuple[Ints, Ints]],
    n_places: int,
) -> tuple[Ints, NDArray[np.int32], Ints, NDArray[np.bool_]]:
    """Pairs (place of this rank, rank and number of a node, whether it is owned there)."""
    missing: Ints = np.arange(n_places)
    pairs = []
    for of_nodes, of_places in labels:
        found = _meet(comm, of_nodes, of_places[missing], volumes.n_owned_nodes)
        found = (missing[found[0]], *found[1:])
        pairs.append(found)
        missing = np.setdiff1d(missing, found[0])
        if comm.allreduce(len(missing)) == 0:
            break
    place, rank, node, owned = (np.concatenate(column) for column in zip(*pairs, strict=True))
    return place, rank.astype(np.int32), node, owned.astype(bool)


def _meet(
    comm: MPI.Comm, of_nodes: Ints, of_places: Ints, n_owned: int
) -> tuple[Ints, Ints, Ints, Ints]:
    """Match labels on the ranks that they lead to; (row of a place, rank, node, owned)."""
    nodes = np.arange(len(of_nodes))
    owned = (nodes < n_owned).astype(np.int64)
    node_rank, node_rows = route(comm, _rank_of(comm, of_nodes), of_nodes, nodes, owned)
    place_rank, (label, row) = route(
        comm, _rank_of(comm, of_places), of_places, np.arange(len(of_places))
    )
    left, right = _equal_rows(label, node_rows[0])
    told = (
        row[left],
        node_rank[right].astype(np.int64),
        node_rows[1][right],
        node_rows[2][right],
    )
    _, columns = route(comm, place_rank[left], *told)
    return columns[0], columns[1], columns[2], columns[3]


def _rank_of(comm: MPI.Comm, labels: Ints) -> NDArray[np.int32]:
    """The rank on which a label is looked up."""
    mixed = (labels * _PRIMES[: labels.shape[1]]).sum(axis=1)
    return np.asarray(np.abs(mixed) % comm.size, dtype=np.int32)


def _equal_rows(one: Ints, other: Ints) -> tuple[Ints, Ints]:
    """All pairs of rows of `one` and `other` that are equal."""
    _, number = np.unique(np.concatenate([one, other]), axis=0, return_inverse=True)
    number = number.reshape(-1)
    first, second = number[: len(one)], number[len(one) :]
    order = np.argsort(second, kind="stable")
    start = np.searchsorted(second[order], first, side="left")
    count = np.searchsorted(second[order], first, side="right") - start
    left = np.repeat(np.arange(len(one)), count)
    within = np.arange(len(left)) - np.repeat(np.cumsum(count) - count, count)
    return left, order[np.repeat(start, count) + within]

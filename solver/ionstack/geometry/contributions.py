"""What the cells contribute to control volumes, completed across ranks.

Every rank computes the parts of its own cells and sends them to the ranks that own
the vertices concerned. There they are sorted by global numbers before they are
added up, so that the sums do not depend on the partition, to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.geometry.exchange import route
from ionstack.geometry.mesh import DeviceMesh, cell_points
from ionstack.geometry.simplex import LOCAL_EDGES, edge_parts, facet_shares

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# An edge is dropped when its factor is round-off of (volume of its cells)/(length)^2.
DROP_TOLERANCE = 1e-9


@dataclass(frozen=True)
class LocalMesh:
    """Arrays of the rank's own cells, with partition-independent vertex ids."""

    dimension: int
    vertices: Ints  # (n_cells, d+1) local vertices of owned cells
    region: Ints
    cell_id: Ints
    ids: Ints  # per local vertex
    owner: NDArray[np.int32]
    x: Floats  # per local vertex, (n, d)


def local_mesh(device: DeviceMesh) -> LocalMesh:
    """Return the rank's own cells with partition-independent vertex and cell numbers."""
    mesh = device.mesh
    dimension = mesh.topology.dim
    mesh.topology.create_connectivity(dimension, 0)
    owned = mesh.topology.index_map(dimension).size_local
    vertex_map = mesh.topology.index_map(0)
    cells = mesh.topology.connectivity(dimension, 0).array.reshape(-1, dimension + 1)
    geometry = cell_points(mesh)
    point = np.empty(vertex_map.size_local + vertex_map.num_ghosts, dtype=np.int64)
    point[cells] = geometry
    owner = np.full(len(point), mesh.comm.rank, dtype=np.int32)
    owner[vertex_map.size_local :] = vertex_map.owners
    return LocalMesh(
        dimension,
        cells[:owned].astype(np.int64),
        device.cell_region[:owned].astype(np.int64),
        np.asarray(mesh.topology.original_cell_index[:owned], dtype=np.int64),
        np.asarray(mesh.geometry.input_global_indices, dtype=np.int64)[point],
        owner,
        np.asarray(mesh.geometry.x[point][:, :dimension]),
    )


@dataclass(frozen=True)
class Edges:
    """Complete edges (vertex ids ascending) and what their parts add to nodes."""

    ids: Ints  # (n, 2)
    region: Ints
    factor: Floats
    volume: Floats  # (n, 2)
    negative: NDArray[np.bool_]
    vanishing: NDArray[np.bool_]
    table: tuple[Ints, NDArray[np.int32], Floats]  # id, owner, x of all vertices seen


def collect_edges(comm: MPI.Comm, local: LocalMesh, axisymmetric: bool, scale: float) -> Edges:
    """Return all edges that touch this rank's vertices, complete (collective)."""
    ends, labels, numbers = _parts(local, axisymmetric, scale)
    rows, destination = _both_owners(local.owner[ends])
    if comm.size > 1:
        ends, labels, numbers = ends[rows], labels[rows], numbers[rows]
    table = _vertices_seen(comm, local, destination, ends)
    del ends, rows
    _, received = route(comm, destination, labels, numbers)
    del labels, numbers, destination
    return _sum_edges(received, table)


def _parts(local: LocalMesh, axisymmetric: bool, scale: float) -> tuple[Ints, Ints, Floats]:
    """Edges of the rank's own cells: local ends, labels and numbers, one row per edge and cell.

    Labels are ids of the ends, region and cell; numbers the factor, the volumes at the
    ends, and what a factor is small against.
    """
    factor, volume = edge_parts(local.x[local.vertices], axisymmetric)
    ends = local.vertices[:, LOCAL_EDGES[local.dimension]]
    per_cell = ends.shape[1]
    ends = ends.reshape(-1, 2)
    flip = local.ids[ends[:, 0]] > local.ids[ends[:, 1]]
    ends[flip] = ends[flip][:, ::-1]
    volume = volume.reshape(-1, 2)
    volume[flip] = volume[flip][:, ::-1]
    square = np.sum((local.x[ends[:, 1]] - local.x[ends[:, 0]]) ** 2, axis=1)
    cell_volume = np.repeat(volume.reshape(-1, 2 * per_cell).sum(axis=1), per_cell)
    numbers = np.column_stack([factor.reshape(-1), volume, cell_volume / square])
    numbers *= scale
    labels = np.column_stack(
        [local.ids[ends], np.repeat(local.region, per_cell), np.repeat(local.cell_id, per_cell)]
    )
    return ends, labels, numbers


def _both_owners(owners: NDArray[np.int32]) -> tuple[Ints, NDArray[np.int32]]:
    """Rows to send and where: to the owner of each end, once where they agree."""
    n = len(owners)
    differ = np.flatnonzero(owners[:, 0] != owners[:, 1])
    rows = np.concatenate([np.arange(n), differ])
    return rows, np.concatenate([owners[:, 0], owners[differ, 1]])


def _vertices_seen(
    comm: MPI.Comm, local: LocalMesh, destination: NDArray[np.int32], ends: Ints
) -> tuple[Ints, NDArray[np.int32], Floats]:
    """Id, owner and coordinates of the ends of all edges that arrive here (collective)."""
    seen = [np.unique(ends[destination == rank]) for rank in range(comm.size)]
    vertex = np.concatenate(seen)
    target = np.repeat(np.arange(comm.size, dtype=np.int32), [len(one) for one in seen])
    _, table = route(comm, target, local.ids[vertex], local.owner[vertex], local.x[vertex])
    ids, first = np.unique(table[0], return_index=True)
    return ids, table[1][first], table[2][first]


def _sum_edges(
    parts: list[NDArray[np.generic]], table: tuple[Ints, NDArray[np.int32], Floats]
) -> Edges:
    """Add the parts of every edge; `parts` (labels, numbers) is emptied on the way."""
    numbers, labels = parts.pop(), parts.pop()
    order = np.lexsort(labels.T[[3, 2, 1, 0]])
    labels = labels[order]
    starts = _group_starts(labels[:, :3])
    keys = labels[starts]
    del labels
    total = _segment_sum(numbers[order], starts)
    factor = total[:, 0]
    vanishing = np.abs(factor) <= DROP_TOLERANCE * total[:, 3]
    negative = (factor < 0.0) & ~vanishing
    return Edges(keys[:, :2], keys[:, 2], factor, total[:, 1:3], negative, vanishing, table)


def _group_starts(keys: Ints) -> Ints:
    """First index of each run of equal rows in sorted keys."""
    if len(keys) == 0:
        return np.zeros(0, dtype=np.int64)
    change = np.any(keys[1:] != keys[:-1], axis=1)
    return np.concatenate([[0], np.flatnonzero(change) + 1])


def _segment_sum(values: Floats, starts: Ints) -> Floats:
    if len(starts) == 0:
        return values[:0]
    return np.asarray(np.add.reduceat(values, starts, axis=0))


def collect_pairs(
    comm: MPI.Comm, device: DeviceMesh, local: LocalMesh, scale: float
) -> tuple[Ints, Floats]:
    """Interface shares: rows (vertex id, lower region, upper region) and areas [m^2]."""
    mesh = device.mesh
    dimension = local.dimension
    mesh.topology.create_connectivity(dimension - 1, dimension)
    links = mesh.topology.connectivity(dimension - 1, dimension)
    owned = mesh.topology.index_map(dimension - 1).size_local
    degree = np.diff(links.offsets)[:owned]
    inner = np.flatnonzero(degree == 2)
    first = links.offsets[inner]
    sides = device.cell_region[np.column_stack([links.array[first], links.array[first + 1]])]
    cut = sides[:, 0] != sides[:, 1]
    regions = np.sort(sides[cut].astype(np.int64), axis=1)
    return _facet_shares(comm, device, local, inner[cut], regions, scale)


def collect_faces(
    comm: MPI.Comm, device: DeviceMesh, local: LocalMesh, scale: float
) -> tuple[Ints, Floats]:
    """Contact shares: rows (vertex id, region, contact) and areas [m^2]."""
    mesh = device.mesh
    dimension = local.dimension
    links = mesh.topology.connectivity(dimension - 1, dimension)
    facets = np.concatenate(device.contact_facets).astype(np.int64)
    counts = [len(part) for part in device.contact_facets]
    contact = np.repeat(np.arange(len(counts)), counts)
    region = device.cell_region[links.array[links.offsets[facets]]].astype(np.int64)
    keys = np.column_stack([region, contact])
    return _facet_shares(comm, device, local, facets, keys, scale)


def _facet_shares(
    comm: MPI.Comm,
    device: DeviceMesh,
    local: LocalMesh,
    facets: Ints,
    keys: Ints,
    scale: float,
) -> tuple[Ints, Floats]:
    """Route each facet's vertex shares to the vertex owners and add them up there."""
    mesh = device.mesh
    dimension = local.dimension
    mesh.topology.create_connectivity(dimension - 1, 0)
    corners = mesh.topology.connectivity(dimension - 1, 0).array.reshape(-1, dimension)
    vertices = corners[facets].astype(np.int64)
    shares = facet_shares(local.x[vertices], device.axisymmetric).reshape(-1) * scale
    ids = local.ids[vertices]
    # A facet is told apart by its vertices: the order of summation is then global.
    name = np.sort(ids, axis=1)[:, : min(dimension, 3)]
    labels = np.column_stack(
        [ids.reshape(-1), np.repeat(keys, dimension, axis=0), np.repeat(name, dimension, axis=0)]
    )
    destination = local.owner[vertices].reshape(-1)
    _, (labels, shares) = route(comm, destination, labels, shares)
    order = np.lexsort(labels.T[::-1])
    labels, shares = labels[order], shares[order]
    starts = _group_starts(labels[:, :3])
    return labels[starts, :3], _segment_sum(shares, starts)


def collect_cells(comm: MPI.Comm, local: LocalMesh) -> Ints:
    """Cells as rows (region, vertex ids...), each at the owner of its first vertex.

    That rank knows all of the cell's vertices, because its edges touch them.
    """
    ids = local.ids[local.vertices]
    first = np.argmin(ids, axis=1)
    destination = local.owner[local.vertices[np.arange(len(ids)), first]]
    rows = np.column_stack([local.cell_id, local.region, ids])
    _, (rows,) = route(comm, destination, rows)
    return np.asarray(rows[np.argsort(rows[:, 0])][:, 1:])

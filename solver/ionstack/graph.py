"""Control volumes: the mesh as the finite-volume scheme sees it, distributed.

Every rank gets *all* edges, interface pairs and contact faces that touch a vertex
it owns, with complete factors. Facet ghosts do not contain all cells around an
owned vertex, so ranks exchange partial factors of their own cells; the sums are
taken in an order that does not depend on the partition, so the graph is the same
to the last bit for any number of ranks.

A *vertex* is a point of the mesh, a *node* a vertex in one region: a vertex on an
interface carries one node per adjoining region.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.errors import InputError, raise_together
from ionstack.exchange import route
from ionstack.mesh import DeviceMesh
from ionstack.simplex import LOCAL_EDGES, edge_parts, facet_shares

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# An edge is dropped when its factor is round-off of (volume of its cells)/(length)^2.
DROP_TOLERANCE = 1e-9
# Meshes with more than this fraction of edges with negative factors are rejected.
NEGATIVE_FRACTION = 1e-2


@dataclass(frozen=True)
class ControlVolumes:
    """Geometry that the scheme needs, for one rank.

    Vertices: owned ones first, then ghosts. Owned vertices are ordered column by
    column along the stack. Nodes are sorted by (vertex, region). Factors are
    area/length [m] and areas [m^2], volumes [m^3] of the whole device. `cell_nodes`
    are the mesh cells (each on one rank) for output. `negative_edges` are midpoints.
    """

    comm: MPI.Comm
    dimension: int
    regions: tuple[str, ...]
    contacts: tuple[str, ...]
    interfaces: tuple[tuple[int, int], ...]
    n_owned_vertices: int
    vertex_id: Ints
    vertex_owner: NDArray[np.int32]
    coordinates: Floats
    stack_axis: int
    node_vertex: Ints
    node_region: Ints
    node_volume: Floats
    edge_nodes: Ints
    edge_factor: Floats
    edge_length: Floats
    pair_nodes: Ints
    pair_interface: Ints
    pair_area: Floats
    face_node: Ints
    face_contact: Ints
    face_area: Floats
    cell_nodes: Ints
    negative_edges: Floats
    content_hash: str

    @property
    def n_owned_nodes(self) -> int:
        """Number of nodes at vertices that this rank owns; they come first."""
        return int(np.searchsorted(self.node_vertex, self.n_owned_vertices))

    @property
    def depth(self) -> Floats:
        """Coordinate along the stack of every node [m], shape (n_nodes,)."""
        return np.asarray(self.coordinates[self.node_vertex, self.stack_axis])


@dataclass(frozen=True)
class _LocalMesh:
    """Arrays of the rank's own cells, with partition-independent vertex ids."""

    dimension: int
    vertices: Ints  # (n_cells, d+1) local vertices of owned cells
    region: Ints
    cell_id: Ints
    ids: Ints  # per local vertex
    owner: NDArray[np.int32]
    x: Floats  # per local vertex, (n, d)


def build_control_volumes(device: DeviceMesh) -> ControlVolumes:
    """Turn a distributed mesh into control volumes (collective).

    Raises:
        InputError: when negative Voronoi factors exceed `NEGATIVE_FRACTION`.
    """
    comm = device.mesh.comm
    local = _local_mesh(device)
    scale = 1.0 if device.axisymmetric or local.dimension == 3 else device.lateral_area
    edges = _collect_edges(comm, local, device.axisymmetric, scale)
    pairs = _collect_pairs(comm, device, local, scale)
    faces = _collect_faces(comm, device, local, scale)
    cells = _collect_cells(comm, local)
    vertices = _vertex_table(comm, device, local, edges)
    return _assemble(device, local.dimension, vertices, edges, pairs, faces, cells)


def _local_mesh(device: DeviceMesh) -> _LocalMesh:
    mesh = device.mesh
    dimension = mesh.topology.dim
    mesh.topology.create_connectivity(dimension, 0)
    owned = mesh.topology.index_map(dimension).size_local
    vertex_map = mesh.topology.index_map(0)
    cells = mesh.topology.connectivity(dimension, 0).array.reshape(-1, dimension + 1)
    geometry = mesh.geometry.dofmap
    point = np.empty(vertex_map.size_local + vertex_map.num_ghosts, dtype=np.int64)
    point[cells] = geometry
    owner = np.full(len(point), mesh.comm.rank, dtype=np.int32)
    owner[vertex_map.size_local :] = vertex_map.owners
    return _LocalMesh(
        dimension,
        cells[:owned].astype(np.int64),
        device.cell_region[:owned].astype(np.int64),
        np.asarray(mesh.topology.original_cell_index[:owned], dtype=np.int64),
        np.asarray(mesh.geometry.input_global_indices, dtype=np.int64)[point],
        owner,
        np.asarray(mesh.geometry.x[point][:, :dimension]),
    )


@dataclass(frozen=True)
class _Edges:
    """Complete edges (vertex ids ascending) and what their parts add to nodes."""

    ids: Ints  # (n, 2)
    region: Ints
    factor: Floats
    volume: Floats  # (n, 2)
    negative: NDArray[np.bool_]
    vanishing: NDArray[np.bool_]
    table: tuple[Ints, NDArray[np.int32], Floats]  # id, owner, x of all vertices seen


def _collect_edges(comm: MPI.Comm, local: _LocalMesh, axisymmetric: bool, scale: float) -> _Edges:
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
    numbers = np.column_stack([factor.reshape(-1), volume, cell_volume / square]) * scale
    labels = np.column_stack(
        [local.ids[ends], np.repeat(local.region, per_cell), np.repeat(local.cell_id, per_cell)]
    )
    owners = local.owner[ends]
    rows, destination = _both_owners(owners)
    _, received = route(comm, destination, labels[rows], numbers[rows], owners[rows])
    _, coordinates = route(comm, destination, local.x[ends[rows]].reshape(-1, 2 * local.dimension))
    labels, numbers, owners = received
    return _sum_edges(labels, numbers, owners, coordinates[0])


def _both_owners(owners: NDArray[np.int32]) -> tuple[Ints, NDArray[np.int32]]:
    """Rows to send and where: to the owner of each end, once where they agree."""
    n = len(owners)
    differ = np.flatnonzero(owners[:, 0] != owners[:, 1])
    rows = np.concatenate([np.arange(n), differ])
    return rows, np.concatenate([owners[:, 0], owners[differ, 1]])


def _sum_edges(
    labels: Ints, numbers: Floats, owners: NDArray[np.int32], coordinates: Floats
) -> _Edges:
    order = np.lexsort(labels.T[[3, 2, 1, 0]])
    labels, numbers = labels[order], numbers[order]
    starts = _group_starts(labels[:, :3])
    total = _segment_sum(numbers, starts)
    factor = total[:, 0]
    vanishing = np.abs(factor) <= DROP_TOLERANCE * total[:, 3]
    table = _unique_vertices(
        labels[:, :2].reshape(-1),
        owners[order].reshape(-1),
        coordinates[order].reshape(-1, coordinates.shape[1] // 2),
    )
    keys = labels[starts]
    negative = (factor < 0.0) & ~vanishing
    return _Edges(keys[:, :2], keys[:, 2], factor, total[:, 1:3], negative, vanishing, table)


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


def _unique_vertices(
    ids: Ints, owner: NDArray[np.int32], x: Floats
) -> tuple[Ints, NDArray[np.int32], Floats]:
    unique, first = np.unique(ids, return_index=True)
    return unique, owner[first], x[first]


def _collect_pairs(
    comm: MPI.Comm, device: DeviceMesh, local: _LocalMesh, scale: float
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


def _collect_faces(
    comm: MPI.Comm, device: DeviceMesh, local: _LocalMesh, scale: float
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
    local: _LocalMesh,
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


def _collect_cells(comm: MPI.Comm, local: _LocalMesh) -> Ints:
    """Cells as rows (region, vertex ids...), each at the owner of its first vertex.

    That rank knows all of the cell's vertices, because its edges touch them.
    """
    ids = local.ids[local.vertices]
    first = np.argmin(ids, axis=1)
    destination = local.owner[local.vertices[np.arange(len(ids)), first]]
    rows = np.column_stack([local.cell_id, local.region, ids])
    _, (rows,) = route(comm, destination, rows)
    return np.asarray(rows[np.argsort(rows[:, 0])][:, 1:])


@dataclass(frozen=True)
class _Vertices:
    """Owned vertices in solver order, then ghosts; `order` sorts ids for look-up."""

    ids: Ints
    owner: NDArray[np.int32]
    x: Floats
    n_owned: int

    def index(self, ids: Ints) -> Ints:
        """Local index of each global vertex id."""
        order = np.argsort(self.ids)
        return np.asarray(order[np.searchsorted(self.ids, ids, sorter=order)])


def _vertex_table(
    comm: MPI.Comm, device: DeviceMesh, local: _LocalMesh, edges: _Edges
) -> _Vertices:
    ids, owner, x = edges.table
    mine = owner == comm.rank
    axis = device.stack_axis
    lateral = [k for k in range(local.dimension) if k != axis]
    keys = [x[mine][:, axis], *(x[mine][:, k] for k in lateral)]
    order = np.concatenate([np.flatnonzero(mine)[np.lexsort(keys)], np.flatnonzero(~mine)])
    return _Vertices(ids[order], owner[order], x[order], int(mine.sum()))


def _assemble(
    device: DeviceMesh,
    dimension: int,
    vertices: _Vertices,
    edges: _Edges,
    pairs: tuple[Ints, Floats],
    faces: tuple[Ints, Floats],
    cells: Ints,
) -> ControlVolumes:
    comm = device.mesh.comm
    n_regions = len(device.regions)
    ends = vertices.index(edges.ids.reshape(-1)).reshape(-1, 2)
    keys = ends * n_regions + edges.region[:, None]
    nodes, inverse = np.unique(keys, return_inverse=True)
    edge_nodes = inverse.reshape(-1, 2)
    volume: Floats = np.bincount(inverse.reshape(-1), edges.volume.reshape(-1), len(nodes)).astype(
        np.float64
    )
    keep = ~edges.vanishing
    length = np.linalg.norm(vertices.x[ends[:, 1]] - vertices.x[ends[:, 0]], axis=1)
    negative = 0.5 * (vertices.x[ends[:, 0]] + vertices.x[ends[:, 1]])[edges.negative]
    _reject_negative(comm, device, edges, negative)

    def node(ids: Ints, region: Ints) -> Ints:
        keys = vertices.index(ids.reshape(-1)).reshape(ids.shape) * n_regions + region
        return np.asarray(np.searchsorted(nodes, keys))

    interfaces = tuple(_layer_pairs(comm, pairs[0]))
    codes = np.array([a * n_regions + b for a, b in interfaces], dtype=np.int64)
    return ControlVolumes(
        comm=comm,
        dimension=dimension,
        regions=device.regions,
        contacts=device.contacts,
        interfaces=interfaces,
        n_owned_vertices=vertices.n_owned,
        vertex_id=vertices.ids,
        vertex_owner=vertices.owner,
        coordinates=vertices.x,
        stack_axis=device.stack_axis,
        node_vertex=nodes // n_regions,
        node_region=nodes % n_regions,
        node_volume=volume,
        edge_nodes=edge_nodes[keep],
        edge_factor=edges.factor[keep],
        edge_length=length[keep],
        pair_nodes=np.column_stack([node(pairs[0][:, 0], pairs[0][:, k]) for k in (1, 2)]),
        pair_interface=np.searchsorted(codes, pairs[0][:, 1] * n_regions + pairs[0][:, 2]),
        pair_area=pairs[1],
        face_node=node(faces[0][:, 0], faces[0][:, 1]),
        face_contact=faces[0][:, 2],
        face_area=faces[1],
        cell_nodes=node(cells[:, 1:], cells[:, :1]),
        negative_edges=negative,
        content_hash=device.content_hash,
    )


def _layer_pairs(comm: MPI.Comm, labels: Ints) -> list[tuple[int, int]]:
    """All region pairs that share a facet on any rank, sorted."""
    mine = {(int(a), int(b)) for a, b in np.unique(labels[:, 1:], axis=0)}
    return sorted(set().union(*comm.allgather(mine)))


def _reject_negative(comm: MPI.Comm, device: DeviceMesh, edges: _Edges, place: Any) -> None:
    """Refuse a mesh whose negative factors are more than a stray few (collective)."""
    count, total = comm.allreduce(np.array([len(place), len(edges.factor)]))
    example = next((text for text in comm.allgather(_where(place)) if text), "")
    with raise_together(comm, "checking the mesh"):
        if count > NEGATIVE_FRACTION * total:
            raise InputError(
                f"the mesh is not Delaunay: {count} edges have negative Voronoi factors "
                f"({count / total:.2g} of all edges, allowed {NEGATIVE_FRACTION:g}), "
                f"for instance at {example}; refine or re-mesh there with a Delaunay algorithm"
            )


def _where(place: Floats) -> str:
    if len(place) == 0:
        return ""
    return "(" + ", ".join(f"{value:.4g} m" for value in place[0]) + ")"

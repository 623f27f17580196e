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
from ionstack.geometry.contributions import (
    Edges,
    LocalMesh,
    collect_cells,
    collect_edges,
    collect_faces,
    collect_pairs,
    local_mesh,
)
from ionstack.geometry.mesh import DeviceMesh

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# Meshes with more than this fraction of edges with negative factors are rejected.
NEGATIVE_FRACTION = 1e-2


@dataclass(frozen=True)
class ControlVolumes:
    """Geometry that the scheme needs, for one rank.

    Vertices: owned ones first, then ghosts. Owned vertices are ordered column by
    column along the stack. Nodes are sorted by (vertex, region). Factors are
    area/length [m] and areas [m^2], volumes [m^3] of the whole device. `cell_nodes`
    are the mesh cells (each on one rank) for output. `negative_edges` are midpoints.
    `copies` of a device may lie side by side without touching, see `repeated`: each vertex
    belongs to one of them, `vertex_copy`, and contacts are listed device by device.
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
    copies: int
    vertex_copy: Ints

    @property
    def n_owned_nodes(self) -> int:
        """Number of nodes at vertices that this rank owns; they come first."""
        return int(np.searchsorted(self.node_vertex, self.n_owned_vertices))

    @property
    def directed_edges(self) -> tuple[Ints, Floats]:
        """Nodes (2 n_edges, 2) and factors of every edge, from its one end and from its other."""
        ends = np.concatenate([self.edge_nodes, self.edge_nodes[:, ::-1]])
        return ends, np.tile(self.edge_factor, 2)

    @property
    def depth(self) -> Floats:
        """Coordinate along the stack of every node [m], shape (n_nodes,)."""
        return np.asarray(self.coordinates[self.node_vertex, self.stack_axis])


def build_control_volumes(device: DeviceMesh) -> ControlVolumes:
    """Turn a distributed mesh into control volumes (collective).

    Raises:
        InputError: when negative Voronoi factors exceed `NEGATIVE_FRACTION`.
    """
    comm = device.mesh.comm
    local = local_mesh(device)
    scale = 1.0 if device.axisymmetric or local.dimension == 3 else device.lateral_area
    edges = collect_edges(comm, local, device.axisymmetric, scale)
    pairs = collect_pairs(comm, device, local, scale)
    faces = collect_faces(comm, device, local, scale)
    cells = collect_cells(comm, local)
    vertices = _vertex_table(comm, device, local, edges)
    return _assemble(device, local.dimension, vertices, edges, pairs, faces, cells)


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


def _vertex_table(comm: MPI.Comm, device: DeviceMesh, local: LocalMesh, edges: Edges) -> _Vertices:
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
    edges: Edges,
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
        copies=1,
        vertex_copy=np.zeros(len(vertices.ids), dtype=np.int64),
    )


def _layer_pairs(comm: MPI.Comm, labels: Ints) -> list[tuple[int, int]]:
    """All region pairs that share a facet on any rank, sorted."""
    mine = {(int(a), int(b)) for a, b in np.unique(labels[:, 1:], axis=0)}
    return sorted(set().union(*comm.allgather(mine)))


def _reject_negative(comm: MPI.Comm, device: DeviceMesh, edges: Edges, place: Any) -> None:
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

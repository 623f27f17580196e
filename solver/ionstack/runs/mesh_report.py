"""Text report on a mesh: sizes, quality, and what a run on it will cost."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.geometry.graph import ControlVolumes, build_control_volumes
from ionstack.geometry.mesh import DeviceMesh, cell_points
from ionstack.solving.linear import DIRECT_LIMIT_2D

Floats = NDArray[np.float64]

NEGATIVE_SHOWN = 5
_CELLS = {1: "intervals", 2: "triangles", 3: "tetrahedra"}
# Potential, one ion and the electrons.
UNKNOWNS_PER_NODE = 3
# About 400 time steps of 4-5 Newton steps.
_NEWTON_PER_LOOP = 2000


@dataclass(frozen=True)
class RunEstimate:
    """Expected cost on one core: solver name, memory [bytes], one Newton step [s]."""

    solver: str
    memory: float
    newton_step: float


@dataclass(frozen=True)
class LayerCells:
    """Cells of one layer over all ranks.

    Ranges are (smallest, largest): depth [m] along the stack, cell height [m]
    along the stack, cell volume [m^3] in the whole device. `aspect_ratio` is the
    largest ratio of lateral extent to height, or its inverse if that is larger.
    """

    name: str
    cells: int
    depth: tuple[float, float]
    height: tuple[float, float]
    volume: tuple[float, float]
    aspect_ratio: float


@dataclass(frozen=True)
class NegativeEdges:
    """Edges with a negative Voronoi factor: region indices and middles [m], (n, dim)."""

    region: NDArray[np.int64]
    place: Floats


def mesh_report(device: DeviceMesh, volumes: ControlVolumes | None = None) -> str:
    """Describe the mesh in lines of text, the same on all ranks (collective).

    Raises `InputError` if `volumes` must be built and the mesh is not Delaunay.
    """
    graph = build_control_volumes(device) if volumes is None else volumes
    layers = layer_cells(device)
    return "\n".join(
        [
            *_size_lines(device, graph, layers),
            *_layer_lines(layers, device.stack_axis),
            *_contact_lines(graph),
            *_negative_lines(graph, negative_edges(graph)),
            *_estimate_lines(estimate_run(_node_total(graph), graph.dimension)),
        ]
    )


def estimate_run(
    n_nodes: int, dimension: int, unknowns_per_node: int = UNKNOWNS_PER_NODE
) -> RunEstimate:
    """Estimate memory and time of one Newton step on one core.

    Scaled from measured Jacobians with 3 unknowns per node: LU of a band matrix in
    1-D (linear), nested dissection in 2-D (time N^1.5, memory N log N, 1.46 s and
    1 GB for 100 000 nodes), preconditioned Krylov otherwise (linear, 2 s and 0.5 GB
    for 50 000 nodes in 3-D, 1 s and 0.5 GB for 100 000 nodes in 2-D). Evaluation of
    the laws adds 0.2 us per unknown and 0.25 ms; the program itself needs 0.4 GB.
    """
    size = float(max(n_nodes, 2) * unknowns_per_node)
    base, laws = 4e8, 2.5e-4 + 2e-7 * size
    if dimension == 1:
        return RunEstimate("LU", base + 2e3 * size, laws + 4.6e-8 * size)
    if dimension == 2 and n_nodes <= DIRECT_LIMIT_2D:
        share = size / 3e5
        memory = 1e9 * share * math.log(size) / math.log(3e5)
        return RunEstimate("MUMPS", base + memory, laws + 1.46 * share**1.5)
    if dimension == 2:
        return RunEstimate("iterative", base + 5e8 * size / 3e5, laws + 1.0 * size / 3e5)
    return RunEstimate("iterative", base + 5e8 * size / 1.5e5, laws + 2.0 * size / 1.5e5)


def layer_cells(device: DeviceMesh) -> tuple[LayerCells, ...]:
    """Measure the cells of every layer over all ranks (collective)."""
    mesh, axis = device.mesh, device.stack_axis
    owned = mesh.topology.index_map(mesh.topology.dim).size_local
    x = np.asarray(mesh.geometry.x, dtype=np.float64)[:, : mesh.topology.dim]
    points = x[cell_points(mesh)[:owned]]
    extent = np.ptp(points, axis=1)
    height = extent[:, axis]
    lateral = np.linalg.norm(np.delete(extent, axis, axis=1), axis=1)
    ratio = np.maximum(lateral / height, height / np.where(lateral > 0.0, lateral, height))
    volume = _volumes(device, points)
    region = device.cell_region[:owned]
    return tuple(
        _layer(mesh.comm, name, points[at][:, :, axis], height[at], volume[at], ratio[at])
        for name, at in ((name, region == k) for k, name in enumerate(device.regions))
    )


def negative_edges(volumes: ControlVolumes) -> NegativeEdges:
    """Collect the edges with negative factors from all ranks (collective)."""
    mine = _counted_edges(volumes) & (volumes.edge_factor < 0.0)
    nodes = volumes.edge_nodes[mine]
    ends = volumes.coordinates[volumes.node_vertex[nodes]]
    gathered = volumes.comm.allgather((volumes.node_region[nodes[:, 0]], ends.mean(axis=1)))
    place = np.concatenate([found for _, found in gathered])
    region = np.concatenate([found for found, _ in gathered])
    order = np.lexsort((*place.T, region))
    return NegativeEdges(region[order], place[order])


def _layer(
    comm: MPI.Comm, name: str, depth: Floats, height: Floats, volume: Floats, ratio: Floats
) -> LayerCells:
    return LayerCells(
        name,
        comm.allreduce(len(height)),
        _range(comm, depth),
        _range(comm, height),
        _range(comm, volume),
        _range(comm, ratio)[1],
    )


def _range(comm: MPI.Comm, values: Floats) -> tuple[float, float]:
    low = float(values.min()) if values.size else math.inf
    high = float(values.max()) if values.size else -math.inf
    return comm.allreduce(low, MPI.MIN), comm.allreduce(high, MPI.MAX)


def _volumes(device: DeviceMesh, points: Floats) -> Floats:
    """Volumes [m^3] that cells, corners (n, dim+1, dim), stand for in the device."""
    plain = np.abs(np.linalg.det(points[:, 1:] - points[:, :1])) / math.factorial(points.shape[2])
    if device.axisymmetric:
        return np.asarray(2.0 * np.pi * plain * points[:, :, 0].mean(axis=1))
    return np.asarray(plain * device.lateral_area)


def _counted_edges(volumes: ControlVolumes) -> NDArray[np.bool_]:
    """Mark each edge on one rank only: the owner of its first vertex."""
    first = volumes.node_vertex[volumes.edge_nodes[:, 0]]
    return np.asarray(first < volumes.n_owned_vertices)


def _node_total(volumes: ControlVolumes) -> int:
    return int(volumes.comm.allreduce(volumes.n_owned_nodes))


def _size_lines(
    device: DeviceMesh, volumes: ControlVolumes, layers: tuple[LayerCells, ...]
) -> list[str]:
    comm = volumes.comm
    points = comm.allreduce(volumes.n_owned_vertices)
    edges = comm.allreduce(int(_counted_edges(volumes).sum()))
    kind = "axisymmetric (r, z)" if device.axisymmetric else f"{volumes.dimension}-D"
    return [
        f"mesh            {kind}, {_CELLS[volumes.dimension]}, "
        f"{comm.size} rank{'s' if comm.size > 1 else ''}",
        f"points          {points}",
        f"nodes           {_node_total(volumes)} (points on interfaces count once per layer)",
        f"edges           {edges} (with a Voronoi face)",
        f"cells           {sum(layer.cells for layer in layers)}",
        f"content         {device.content_hash[:16]}",
    ]


def _layer_lines(layers: tuple[LayerCells, ...], axis: int) -> list[str]:
    width = max(6, *(len(layer.name) for layer in layers))
    lines = [
        "",
        f"{'layer':{width}} {'cells':>9} {'depth':>19} {'cell height':>19} "
        f"{'cell volume [nm^3]':>21} {'aspect':>8}",
    ]
    for layer in layers:
        aspect = f"{layer.aspect_ratio:.3g}" if axis else "-"
        lines.append(
            f"{layer.name:{width}} {layer.cells:9d} {_lengths(layer.depth):>19} "
            f"{_lengths(layer.height):>19} {_volume_range(layer.volume):>21} {aspect:>8}"
        )
    return lines


def _contact_lines(volumes: ControlVolumes) -> list[str]:
    lines = [""]
    mine = volumes.node_vertex[volumes.face_node] < volumes.n_owned_vertices
    for number, name in enumerate(volumes.contacts):
        at = mine & (volumes.face_contact == number)
        area = volumes.comm.allreduce(float(volumes.face_area[at].sum()))
        nodes = volumes.comm.allreduce(int(at.sum()))
        lines.append(f"contact         {name}: {nodes} nodes, {area * 1e12:.6g} um^2")
    return lines


def _negative_lines(volumes: ControlVolumes, found: NegativeEdges) -> list[str]:
    count = len(found.region)
    lines = ["", f"negative Voronoi factors: {count or 'none'}"]
    for region, place in zip(found.region[:NEGATIVE_SHOWN], found.place, strict=False):
        where = ", ".join(_length(value) for value in place.tolist())
        lines.append(f"  in {volumes.regions[region]} at ({where})")
    if count > NEGATIVE_SHOWN:
        lines.append(f"  and {count - NEGATIVE_SHOWN} more")
    return lines


def _estimate_lines(cost: RunEstimate) -> list[str]:
    loop = _duration(cost.newton_step * _NEWTON_PER_LOOP)
    return [
        "",
        f"estimate        {UNKNOWNS_PER_NODE} unknowns per node, {cost.solver} solver, one core",
        f"memory          {cost.memory / 1e9:.1f} GB",
        f"time            {_duration(cost.newton_step)} per Newton step, about {loop} for a sweep "
        f"loop of {_NEWTON_PER_LOOP} steps, without compilation",
    ]


def _length(value: float) -> str:
    if abs(value) < 1e-6:
        return f"{value * 1e9:.4g} nm"
    return f"{value * 1e6:.4g} um"


def _lengths(values: tuple[float, float]) -> str:
    scale, unit = (1e9, "nm") if values[1] < 1e-6 else (1e6, "um")
    return f"{values[0] * scale:.4g} - {values[1] * scale:.4g} {unit}"


def _volume_range(values: tuple[float, float]) -> str:
    return f"{values[0] * 1e27:.3g} - {values[1] * 1e27:.3g}"


def _duration(seconds: float) -> str:
    units = ((3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "us"))
    size, unit = next((unit for unit in units if seconds >= unit[0]), units[-1])
    return f"{float(f'{seconds / size:.2g}'):g} {unit}"

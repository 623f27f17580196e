"""The mesh of mechanics: the films with metals and substrate, and slits where they may part.

Films have the same planes and lateral points as in the mesh of transport. The partition is
another one, and points of a slit are doubled. Cells on both sides of a slit know each other
on every rank, as if they shared their facet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import basix.ufl
import dolfinx.mesh
import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.errors import InputError, NumericsError, nearest, raise_together
from ionstack.geometry.exchange import route
from ionstack.geometry.gmsh_model import GmshModel, gmsh_model, layer_grid, stack_planes
from ionstack.geometry.mesh import cell_partitioner, cell_points
from ionstack.geometry.stack import Layer, Stack
from ionstack.mechanics.areas import Debond, Joint, Seam, Zone
from ionstack.mechanics.slit import Slit, open_slit

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# A coordinate within this fraction of the extent is that of the outer edge.
_ROUND_OFF = 1e-9
_CELL = {2: "triangle", 3: "tetrahedron"}


@dataclass(frozen=True)
class MechanicalMesh:
    """A distributed mesh of simplices for mechanics; lengths in metres.

    The films begin at coordinate 0 along the stack, which is the last coordinate; layers
    above them have negative ones.

    mesh: DOLFINx mesh, geometric = topological dimension 2 or 3.
    axisymmetric: coordinates are (r, z).
    regions: names of all layers, from the top, then of zones; cell_region: int32 (cells of this
        rank and ghosts), index into them. layers: the layer of each region.
    films: names of the layers in which ions move.
    faces: outer faces by name, the facets of this rank and its ghosts, sorted: ``top``,
        ``bottom``, ``sides``, ``slit`` with both faces of all debonds, ``cohesive`` with those
        of joints that hold; in axial symmetry ``axis``; in 3-D ``sides_x`` and ``sides_y``,
        the sides that lie across x and y.
    square: whether the sides are planes across the lateral coordinates.
    seams: where layers may part, in the order in which they were asked for.
    """

    mesh: dolfinx.mesh.Mesh
    axisymmetric: bool
    regions: tuple[str, ...]
    layers: tuple[str, ...]
    cell_region: NDArray[np.int32]
    films: tuple[str, ...]
    faces: Mapping[str, NDArray[np.int32]]
    square: bool = True
    seams: tuple[Seam, ...] = ()

    @property
    def dimension(self) -> int:
        """Number of coordinates, 2 or 3."""
        return int(self.mesh.geometry.dim)

    @property
    def n_owned(self) -> int:
        """Number of cells that this rank owns; they come first."""
        return int(self.mesh.topology.index_map(self.dimension).size_local)

    def owned_cells(self) -> Ints:
        """Points (n_owned, dimension + 1) of the rank's own cells, rows of the coordinates."""
        return cell_points(self.mesh)[: self.n_owned].astype(np.int64)

    def coordinates(self) -> Floats:
        """Coordinates (n, dimension) [m] of the points."""
        return np.asarray(self.mesh.geometry.x[:, : self.dimension])

    def owned_volumes(self) -> Floats:
        """Area, or volume [m^2, m^3] of the rank's own cells; per radian in axial symmetry."""
        corners = self.coordinates()[self.owned_cells()]
        sides = corners[:, 1:] - corners[:, :1]
        volume = np.abs(np.linalg.det(sides)) / (2.0 if self.dimension == 2 else 6.0)
        return np.asarray(volume * corners[:, :, 0].mean(axis=1) if self.axisymmetric else volume)


def build_mechanical_mesh(
    stack: Stack,
    above: Sequence[Layer],
    below: Sequence[Layer],
    comm: MPI.Comm,
    joints: Sequence[Joint] = (),
    zones: Sequence[Zone] = (),
) -> MechanicalMesh:
    """Mesh the films of `stack` with the layers `above` and `below` them (collective).

    Layers run from the top. Raises on all ranks `InputError` for a stack in 1-D or of a mesh
    file, a joint at no interface or a zone of no layer; `NumericsError` if Gmsh fails. Where joints
    overlap the first one counts.
    """
    whole = replace(stack, layers=(*above, *stack.layers, *below))
    found: _Pieces | None = None
    with raise_together(comm, "meshing for mechanics"):
        if comm.rank == 0:
            _check(whole)
            with gmsh_model(whole) as built:
                found = _pieces(built, _planes(stack, above, below))
            for number, joint in enumerate(joints):
                found = _opened(found, number, joint, stack)
            for zone in zones:
                found = _zoned(found, zone, stack)
    dimension = 3 if stack.dimension == "3d" else 2
    mesh = _distributed(found, dimension, comm)
    rows = _of_cells(mesh, None if found is None else found.rows(), comm)
    names = tuple(layer.name for layer in whole.layers)
    sizes = [layer.thickness for layer in whole.layers]
    return MechanicalMesh(
        mesh=mesh,
        axisymmetric=stack.dimension == "axisymmetric",
        regions=(*names, *(zone.name for zone in zones)),
        layers=(*names, *(zone.layer for zone in zones)),
        cell_region=rows[:, 0].astype(np.int32),
        films=tuple(layer.name for layer in stack.layers),
        faces=_parted(mesh, outer_faces(mesh, stack.dimension == "axisymmetric"), joints, rows),
        seams=_seams(mesh, joints, rows, names, sizes),
        square=not (stack.dimension == "3d" and stack.lateral.shape == "disc"),
    )


@dataclass(frozen=True)
class _Pieces:
    """The whole mesh on rank 0: points (n, d) [m], cells and the region of each.

    origin: the point that each was before slits doubled it. seam: (cells, 3) number of the joint
    at a facet of the cell, the cell on its other side, 1 above and 0 below; -1 away from joints.
    """

    names: tuple[str, ...]
    points: Floats
    cells: Ints
    region: Ints
    tops: Floats  # coordinate of the upper face of each region
    origin: Ints
    seam: Ints

    def rows(self) -> Ints:
        """What the ranks must know of each cell."""
        return np.column_stack([self.region, self.seam])


def _check(stack: Stack) -> None:
    if stack.dimension == "1d":
        raise InputError(f"{stack.path}: a 1-D stack has no mesh for mechanics")
    if stack.mesh_file is not None:
        raise InputError(f"{stack.path}: mechanics meshes layers, not a mesh_file")


def _planes(stack: Stack, above: Sequence[Layer], below: Sequence[Layer]) -> list[Floats]:
    """Coordinates of the node planes of each layer; those of films as transport has them."""
    films = stack_planes(stack)
    planes: list[Floats] = []
    start = 0.0
    for layer in reversed(above):
        grid = layer_grid(layer.thickness, layer.first_cell, layer.growth)
        planes.insert(0, start - grid[::-1])
        start = float(planes[0][0])
    planes += films
    for layer in below:
        grid = layer_grid(layer.thickness, layer.first_cell, layer.growth)
        planes.append(float(planes[-1][-1]) + grid)
    return planes


def _pieces(built: GmshModel, planes: Sequence[Floats]) -> _Pieces:
    """Take points and cells out of Gmsh, each point exactly on its plane."""
    tags, flat, _ = built.model.mesh.getNodes()
    points = flat.reshape(-1, 3)[:, : built.tdim] / built.units_per_metre
    assert built.planes is not None  # an extruded model has them
    middles = 0.5 * (built.planes[1:] + built.planes[:-1])
    exact = np.concatenate([planes[0][:1], *(one[1:] for one in planes)])
    points[:, -1] = exact[np.searchsorted(middles, points[:, -1])]
    row = np.empty(int(tags.max()) + 1, dtype=np.int64)
    row[tags.astype(np.int64)] = np.arange(len(tags))
    cells = [row[_cells(built, number)] for number in range(len(built.regions))]
    region = np.repeat(np.arange(len(cells)), [len(one) for one in cells])
    tops = np.array([one[0] for one in planes])
    whole = np.concatenate(cells)
    seam = np.full((len(whole), 3), -1, dtype=np.int64)
    return _Pieces(built.regions, points, whole, region, tops, np.arange(len(points)), seam)


def _cells(built: GmshModel, number: int) -> Ints:
    entities = built.model.getEntitiesForPhysicalGroup(built.tdim, number + 1)
    flat = [part for tag in entities for part in built.model.mesh.getElements(built.tdim, tag)[2]]
    return np.asarray(np.concatenate(flat).astype(np.int64).reshape(-1, built.tdim + 1))


def _opened(pieces: _Pieces, number: int, joint: Joint, stack: Stack) -> _Pieces:
    """Double the points of a joint that no joint before it has doubled."""
    upper, lower = (_layer(pieces, name) for name in (joint.upper, joint.lower))
    if lower != upper + 1:
        raise InputError(f"{joint.upper} does not lie directly above {joint.lower}")
    inside = joint.contains(pieces.points[:, :-1], _middle(pieces, stack))
    above = pieces.region <= upper
    slit = open_slit(
        pieces.points,
        pieces.origin,
        pieces.cells,
        above,
        pieces.seam[:, 0] >= 0,
        float(pieces.tops[lower]),
        inside,
    )
    _check_size(slit, joint)
    seam = pieces.seam.copy()
    for side in (0, 1):
        seam[slit.pairs[:, side], 0] = number
        seam[slit.pairs[:, side], 1] = slit.pairs[:, 1 - side]
        seam[slit.pairs[:, side], 2] = 1 - side
    return replace(
        pieces,
        points=np.concatenate([pieces.points, pieces.points[slit.doubled]]),
        cells=slit.cells,
        origin=np.concatenate([pieces.origin, pieces.origin[slit.doubled]]),
        seam=seam,
    )


def _check_size(slit: Slit, joint: Joint) -> None:
    """Something must hold layers on each other, and an area must hold something."""
    if isinstance(joint, Debond) and (slit.whole or not len(slit.pairs)):
        raise InputError(
            f"the area debonded between {joint.upper} and {joint.lower} must hold some but not "
            "all facets of the interface"
        )
    if not len(slit.pairs):
        raise InputError(f"the cohesive area of {joint.name} holds no facet of the interface")


def _layer(pieces: _Pieces, name: str) -> int:
    if name not in pieces.names:
        allowed = ", ".join(pieces.names)
        raise InputError(f"no layer {name!r}{nearest(name, pieces.names)}; layers: {allowed}")
    return pieces.names.index(name)


def _zoned(pieces: _Pieces, zone: Zone, stack: Stack) -> _Pieces:
    """Make cells of a layer within an area a region of their own."""
    if zone.name in pieces.names:
        raise InputError(f"zone {zone.name!r}: there is a layer or zone of that name")
    corners = pieces.points[pieces.cells][..., :-1]
    within = zone.contains(corners, _middle(pieces, stack)).all(axis=1)
    within &= pieces.region == _layer(pieces, zone.layer)
    if not within.any():
        raise InputError(f"zone {zone.name!r} holds no cell of layer {zone.layer}")
    region = np.where(within, len(pieces.names), pieces.region)
    return replace(pieces, names=(*pieces.names, zone.name), region=region)


def _middle(pieces: _Pieces, stack: Stack) -> Floats:
    lateral = pieces.points[:, :-1]
    if stack.dimension == "axisymmetric":
        return np.zeros(1)
    return np.asarray(0.5 * (lateral.min(axis=0) + lateral.max(axis=0)))


def _distributed(pieces: _Pieces | None, dimension: int, comm: MPI.Comm) -> dolfinx.mesh.Mesh:
    """Distribute the mesh of rank 0; cells keep the order of their points everywhere."""
    none = np.zeros((0, dimension + 1), dtype=np.int64)
    element = basix.ufl.element("Lagrange", _CELL[dimension], 1, shape=(dimension,))
    origin = np.zeros(0, dtype=np.int64) if pieces is None else pieces.origin
    # By name: DOLFINx 0.10 has changed the order.
    return dolfinx.mesh.create_mesh(
        comm=comm,
        cells=none if pieces is None else pieces.cells,
        x=np.zeros((0, dimension)) if pieces is None else pieces.points,
        e=element,
        partitioner=_across_slits(cell_partitioner(dolfinx.mesh.GhostMode.shared_facet), origin),
    )


def _across_slits(partitioner: Any, origin: Ints) -> Callable[..., Any]:
    """A partitioner that sees the mesh without slits: ghosts then lie across them too."""

    def partition(comm: MPI.Comm, parts: int, types: Any, cells: Any) -> Any:
        return partitioner(comm, parts, types, [origin[one] for one in cells])

    return partition


def _of_cells(mesh: dolfinx.mesh.Mesh, rows: Ints | None, comm: MPI.Comm) -> Ints:
    """Ask rank 0 for the row of each cell that arrived here."""
    numbers = np.asarray(mesh.topology.original_cell_index, dtype=np.int64)
    to_root = np.zeros(len(numbers), dtype=np.int32)
    source, (asked,) = route(comm, to_root, numbers)
    answer = np.zeros((len(asked), 4), dtype=np.int64) if rows is None else rows[asked]
    _, (found,) = route(comm, source, answer)
    return found


def _seams(
    mesh: dolfinx.mesh.Mesh,
    joints: Sequence[Joint],
    rows: Ints,
    names: Sequence[str],
    sizes: Sequence[float],
) -> tuple[Seam, ...]:
    """The facets of each joint whose upper cells this rank owns (collective)."""
    number = np.asarray(mesh.topology.original_cell_index, dtype=np.int64)
    order = np.argsort(number)
    n_owned = mesh.topology.index_map(mesh.topology.dim).size_local
    seams, lost = [], 0
    for index, joint in enumerate(joints):
        upper = np.flatnonzero((rows[:n_owned, 1] == index) & (rows[:n_owned, 3] == 1))
        place = np.searchsorted(number, rows[upper, 2], sorter=order)
        lower = order[np.minimum(place, len(order) - 1)]
        lost += int(np.sum(number[lower] != rows[upper, 2]))
        first, second = names.index(joint.upper), names.index(joint.lower)
        cells = np.stack([upper, lower], axis=1)
        seams.append(Seam(joint, cells, (first, second), (sizes[first], sizes[second])))
    if mesh.comm.allreduce(lost):
        raise NumericsError("the ranks do not hold the cells on both sides of a slit")
    return tuple(seams)


def _parted(
    mesh: dolfinx.mesh.Mesh,
    faces: dict[str, NDArray[np.int32]],
    joints: Sequence[Joint],
    rows: Ints,
) -> dict[str, NDArray[np.int32]]:
    """Tell the faces of debonds from those of joints that hold."""
    to_cells = mesh.topology.connectivity(mesh.topology.dim - 1, mesh.topology.dim)
    holds = np.array([*(not isinstance(one, Debond) for one in joints), False])
    facets = faces["slit"]
    cells = np.array([to_cells.links(facet)[0] for facet in facets], dtype=np.int64)
    cohesive = holds[rows[cells, 1]]
    return faces | {"slit": facets[~cohesive], "cohesive": facets[cohesive]}


def outer_faces(mesh: dolfinx.mesh.Mesh, axisymmetric: bool) -> dict[str, NDArray[np.int32]]:
    """Name the outer facets of a body between two planes across its last coordinate.

    Facets across that coordinate between the planes are those of slits (collective).
    """
    dimension = mesh.geometry.dim
    mesh.topology.create_entities(dimension - 1)
    mesh.topology.create_connectivity(dimension - 1, dimension)
    facets = dolfinx.mesh.exterior_facet_indices(mesh.topology)
    corners = _facet_coordinates(mesh, facets)
    low, high = _extent(mesh)
    slack = _ROUND_OFF * (high - low)
    first, last = corners[..., 0], corners[..., -1]
    parts = {
        "top": (last <= low[-1] + slack[-1]).all(axis=1),
        "bottom": (last >= high[-1] - slack[-1]).all(axis=1),
    }
    parts["slit"] = (np.ptp(last, axis=1) == 0.0) & ~parts["top"] & ~parts["bottom"]
    parts["sides"] = np.ptp(last, axis=1) > 0.0
    if axisymmetric:
        parts["axis"] = (np.abs(first) <= slack[0]).all(axis=1)
        parts["sides"] &= ~parts["axis"]
    if dimension == 3:
        flat = np.ptp(corners, axis=1) <= slack
        parts |= {f"sides_{name}": parts["sides"] & flat[:, k] for k, name in enumerate("xy")}
    return {name: np.sort(facets[chosen]).astype(np.int32) for name, chosen in parts.items()}


def _facet_coordinates(mesh: dolfinx.mesh.Mesh, facets: NDArray[np.int32]) -> Floats:
    """Coordinates (n, dimension, dimension) of the corners of facets."""
    dimension = mesh.geometry.dim
    mesh.topology.create_connectivity(dimension - 1, 0)
    mesh.topology.create_connectivity(0, dimension)
    points = dolfinx.mesh.entities_to_geometry(mesh, dimension - 1, facets)
    return np.asarray(mesh.geometry.x[points][..., :dimension])


def _extent(mesh: dolfinx.mesh.Mesh) -> tuple[Floats, Floats]:
    """Least and greatest coordinates on all ranks (collective)."""
    x = mesh.geometry.x[:, : mesh.geometry.dim]
    ends = np.full((2, mesh.geometry.dim), np.inf)
    if len(x):
        ends[:] = x.min(axis=0), -x.max(axis=0)
    mesh.comm.Allreduce(MPI.IN_PLACE, ends, op=MPI.MIN)
    return ends[0], -ends[1]

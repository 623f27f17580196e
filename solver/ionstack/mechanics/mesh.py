"""The mesh of mechanics: the films with metals and substrate, and slits where they came apart.

Films have the same planes and lateral points as in the mesh of transport. The partition is
another one, and points of a slit are doubled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import basix.ufl
import dolfinx.mesh
import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.errors import InputError, nearest, raise_together
from ionstack.exchange import route
from ionstack.gmsh_model import GmshModel, gmsh_model, layer_grid, stack_planes
from ionstack.mechanics.areas import Debond, Zone
from ionstack.mechanics.slit import open_slit
from ionstack.mesh import cell_partitioner, cell_points
from ionstack.stack import Layer, Stack

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
        ``bottom``, ``sides``, ``slit`` with both faces of all slits; in axial symmetry
        ``axis``; in 3-D ``sides_x`` and ``sides_y``, the sides that lie across x and y.
    square: whether the sides are planes across the lateral coordinates.
    """

    mesh: dolfinx.mesh.Mesh
    axisymmetric: bool
    regions: tuple[str, ...]
    layers: tuple[str, ...]
    cell_region: NDArray[np.int32]
    films: tuple[str, ...]
    faces: Mapping[str, NDArray[np.int32]]
    square: bool = True

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
    debonded: Sequence[Debond] = (),
    zones: Sequence[Zone] = (),
) -> MechanicalMesh:
    """Mesh the films of `stack` with the layers `above` and `below` them (collective).

    Layers run from the top. Raises on all ranks `InputError` for a stack in 1-D or of a mesh
    file, a debonded area at no interface or a zone of no layer; `NumericsError` if Gmsh fails.
    """
    whole = replace(stack, layers=(*above, *stack.layers, *below))
    found: _Pieces | None = None
    with raise_together(comm, "meshing for mechanics"):
        if comm.rank == 0:
            _check(whole)
            with gmsh_model(whole) as built:
                found = _pieces(built, _planes(stack, above, below))
            for area in debonded:
                found = _opened(found, area, stack)
            for zone in zones:
                found = _zoned(found, zone, stack)
    dimension = 3 if stack.dimension == "3d" else 2
    mesh = _distributed(found, dimension, comm)
    return MechanicalMesh(
        mesh=mesh,
        axisymmetric=stack.dimension == "axisymmetric",
        regions=(*(layer.name for layer in whole.layers), *(zone.name for zone in zones)),
        layers=(*(layer.name for layer in whole.layers), *(zone.layer for zone in zones)),
        cell_region=_cell_regions(mesh, found, comm),
        films=tuple(layer.name for layer in stack.layers),
        faces=outer_faces(mesh, stack.dimension == "axisymmetric"),
        square=not (stack.dimension == "3d" and stack.lateral.shape == "disc"),
    )


@dataclass(frozen=True)
class _Pieces:
    """The whole mesh on rank 0: points (n, d) [m], cells and the region of each."""

    names: tuple[str, ...]
    points: Floats
    cells: Ints
    region: Ints
    tops: Floats  # coordinate of the upper face of each region


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
    return _Pieces(built.regions, points, np.concatenate(cells), region, tops)


def _cells(built: GmshModel, number: int) -> Ints:
    entities = built.model.getEntitiesForPhysicalGroup(built.tdim, number + 1)
    flat = [part for tag in entities for part in built.model.mesh.getElements(built.tdim, tag)[2]]
    return np.asarray(np.concatenate(flat).astype(np.int64).reshape(-1, built.tdim + 1))


def _opened(pieces: _Pieces, area: Debond, stack: Stack) -> _Pieces:
    upper, lower = (_layer(pieces, name) for name in (area.upper, area.lower))
    if lower != upper + 1:
        raise InputError(f"{area.upper} does not lie directly above {area.lower}")
    inside = area.contains(pieces.points[:, :-1], _middle(pieces, stack))
    above = pieces.region <= upper
    slit = open_slit(pieces.points, pieces.cells, above, float(pieces.tops[lower]), inside)
    if slit is None:
        raise InputError(
            f"the area debonded between {area.upper} and {area.lower} must hold some but not "
            "all facets of the interface"
        )
    return replace(pieces, points=slit[0], cells=slit[1])


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
    # By name: DOLFINx 0.10 has changed the order.
    return dolfinx.mesh.create_mesh(
        comm=comm,
        cells=none if pieces is None else pieces.cells,
        x=np.zeros((0, dimension)) if pieces is None else pieces.points,
        e=element,
        partitioner=cell_partitioner(dolfinx.mesh.GhostMode.shared_facet),
    )


def _cell_regions(
    mesh: dolfinx.mesh.Mesh, pieces: _Pieces | None, comm: MPI.Comm
) -> NDArray[np.int32]:
    """Ask rank 0 for the region of each cell that arrived here."""
    numbers = np.asarray(mesh.topology.original_cell_index, dtype=np.int64)
    to_root = np.zeros(len(numbers), dtype=np.int32)
    source, (asked,) = route(comm, to_root, numbers)
    answer = np.zeros(len(asked), dtype=np.int32) if pieces is None else pieces.region[asked]
    _, (region,) = route(comm, source, answer.astype(np.int32))
    return np.asarray(region, dtype=np.int32)


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

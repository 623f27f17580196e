"""Stack of layers to a Gmsh model with named regions, contacts and interfaces.

Everything is made by extrusion: a point becomes the lateral line, the line the
lateral face, and each layer is swept from the face of the layer above it. Right
prisms split into simplices share one circumsphere, so that the mesh keeps the
Voronoi property at any aspect ratio. Gmsh works in nanometres here.

Only the rank that owns the model may use this module; `mesh` distributes it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gmsh
import numpy as np
from numpy.typing import NDArray

from ionstack.errors import InputError, NumericsError
from ionstack.geometry.free_form import Entities, free_form
from ionstack.geometry.msh_file import load_msh
from ionstack.geometry.stack import Lateral, Stack

Floats = NDArray[np.float64]

NANOMETRES_PER_METRE = 1e9
_TETRAHEDRON, _PRISM = 4, 6
TOPOLOGICAL_DIMENSION = {"1d": 1, "axisymmetric": 2, "2d": 2, "3d": 3}


@dataclass(frozen=True)
class GmshModel:
    """A meshed Gmsh model whose physical groups carry the names of the stack.

    Physical tags: region `k` has `k + 1` in dimension `tdim`; in dimension
    `tdim - 1` contact `k` has `k + 1` and interfaces follow. `units_per_metre`
    divides Gmsh coordinates to give metres. `planes` holds the coordinates [m]
    of all node planes along the stack, or None for a mesh without such planes.
    """

    model: Any
    tdim: int
    units_per_metre: float
    regions: tuple[str, ...]
    contacts: tuple[str, ...]
    planes: Floats | None


@contextmanager
def gmsh_model(stack: Stack) -> Iterator[GmshModel]:
    """Open Gmsh and mesh `stack` (or read its `mesh_file`); Gmsh is closed at the end.

    Call it on one rank only. Raises `InputError` for a lateral extent that does
    not suit the dimension, or a mesh file that does not fit the stack.
    """
    with _gmsh_session(stack.name):
        if stack.mesh_file is not None:
            yield _imported_model(stack, stack.mesh_file)
        elif any(one.profile for one in stack.electrodes):
            yield _free_form_model(stack)
        else:
            yield _extruded_model(stack)


def export_msh(stack: Stack, path: Path) -> None:
    """Write the meshed stack to `path` (MSH 4.1, metres, physical names kept).

    Raises `InputError` if `path` does not end in ``.msh`` or its folder is missing.
    """
    if path.suffix != ".msh":
        raise InputError(f"{path}: a mesh is written as MSH 4.1; the name must end in .msh")
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}")
    with gmsh_model(stack) as built:
        gmsh.option.setNumber("Mesh.MshFileVersion", 4.1)
        gmsh.option.setNumber("Mesh.ScalingFactor", 1.0 / built.units_per_metre)
        gmsh.write(str(path))


def layer_grid(thickness: float, first_cell: float, growth: float) -> Floats:
    """Return the node coordinates [m] of one layer from 0 to `thickness`, ends exact.

    Cells grow from `first_cell` at both ends by a factor of at most `growth` and
    meet in the middle, where there is a node. The grid is symmetric; the factor
    is reduced so that first and last cell keep their size. A layer that is no
    thicker than `first_cell` is one cell. Raises `InputError` for a thickness or
    first cell that is not positive, or a growth below 1.
    """
    if not (thickness > 0.0 and first_cell > 0.0 and growth >= 1.0):
        raise InputError(
            f"layer grid: thickness {thickness:g} m and first cell {first_cell:g} m "
            f"must be positive, growth {growth:g} at least 1"
        )
    if first_cell >= thickness:
        return np.array([0.0, thickness])
    half = _geometric_sizes(0.5 * thickness, first_cell, growth)
    rising = np.concatenate(([0.0], np.cumsum(half)[:-1]))
    return np.concatenate((rising, [0.5 * thickness], thickness - rising[::-1]))


def stack_planes(stack: Stack) -> list[Floats]:
    """Return per layer the node coordinates [m] along the stack, top electrode at 0."""
    offset, planes = 0.0, []
    for layer in stack.layers:
        planes.append(offset + layer_grid(layer.thickness, layer.first_cell, layer.growth))
        offset = float(planes[-1][-1])
    return planes


def lateral_grid(extent: float, cells: int, grading: float, *, both_ends: bool) -> Floats:
    """Return `cells + 1` lateral node coordinates [m] from 0 to `extent`, ends exact.

    Cells shrink geometrically by the total factor `grading` towards the end (a
    rim), or from the middle towards both ends; below 1 they grow.
    """
    steps = np.arange(cells) / max(cells - 1, 1)
    towards_rim = np.abs(2.0 * steps - 1.0) if both_ends else steps
    nodes = np.concatenate(([0.0], np.cumsum(grading**-towards_rim)))
    nodes *= extent / nodes[-1]
    nodes[-1] = extent
    return nodes


def lateral_width(lateral: Lateral) -> float:
    """Return the width [m] of a 2-D cross-section: the diameter of a disc."""
    width = lateral.diameter if lateral.shape == "disc" else lateral.width
    if width is None:
        raise InputError(f"lateral extent: a {lateral.shape} needs its size")
    return width


def sector_cells(radii: Floats) -> int:
    """Return the number of nodes on each ring of the disc mesh, a multiple of 6.

    It is large enough that the circumcentre of the outermost trapezoids lies
    inside the polygon, that is, that no Voronoi factor on the rim is negative:
    tan^2(pi/M) <= (R - r)/(R + r) with the two outermost radii.
    """
    inner, rim = float(radii[-2]), float(radii[-1])
    needed = math.pi / math.atan(math.sqrt((rim - inner) / (rim + inner)))
    wanted = max(12.0, 4.0 * (len(radii) - 1), 1.001 * needed)
    return 6 * math.ceil(wanted / 6.0)


def polygon_scale(corners: int) -> float:
    """Return circumradius over radius of the regular polygon with the disc's area."""
    angle = 2.0 * math.pi / corners
    return math.sqrt(angle / math.sin(angle))


def _geometric_sizes(length: float, first: float, growth: float) -> Floats:
    """Return sizes that start with `first`, grow by at most `growth`, and sum to `length`."""
    if growth == 1.0:
        count = math.ceil(length / first * (1.0 - 1e-12))
    else:
        count = math.ceil(
            math.log1p((growth - 1.0) * length / first) / math.log(growth) * (1.0 - 1e-12)
        )
    powers = np.arange(max(count, 1))
    if len(powers) * first >= length:
        return np.full(len(powers), length / len(powers))
    low, high = 1.0, growth
    for _ in range(60):
        middle = 0.5 * (low + high)
        too_long = first * float(np.sum(middle**powers)) > length
        low, high = (low, middle) if too_long else (middle, high)
    sizes = first * high**powers
    return np.asarray(sizes * (length / sizes.sum()))


@contextmanager
def _gmsh_session(name: str) -> Iterator[None]:
    # A user's Gmsh start-up files could change tolerances or run scripts.
    gmsh.initialize([], readConfigFiles=False, interruptible=False)
    try:
        for option, value in _OPTIONS:
            gmsh.option.setNumber(option, value)
        gmsh.model.add(name)
        yield
    finally:
        gmsh.finalize()


_OPTIONS = (
    ("General.Terminal", 0.0),
    ("General.NumThreads", 1.0),
    ("Mesh.SaveAll", 0.0),
)
_ROUND_OFF = 1e-12


def _extruded_model(stack: Stack) -> GmshModel:
    tdim = TOPOLOGICAL_DIMENSION[stack.dimension]
    planes = stack_planes(stack)
    # Gmsh takes the tolerance as a length here, and relative to the size of the
    # model when it meshes; either way 0.05 nm remain apart on a centimetre.
    size = NANOMETRES_PER_METRE * max(stack.thickness, _lateral_size(stack.lateral))
    gmsh.option.setNumber("Geometry.Tolerance", _ROUND_OFF * size)
    caps, bodies = _sweep_layers(_lateral_entities(stack), planes, tdim - 1)
    gmsh.model.geo.synchronize()
    _name_parts(stack, caps, bodies)
    every = np.concatenate([planes[0][:1], *(plane[1:] for plane in planes)])
    _generate(tdim, bodies, caps[0], len(every))
    return _named_model(stack, NANOMETRES_PER_METRE, every)


def _named_model(stack: Stack, units_per_metre: float, planes: Floats | None) -> GmshModel:
    """The meshed model that is open."""
    tdim, regions = TOPOLOGICAL_DIMENSION[stack.dimension], _regions(stack)
    return GmshModel(gmsh.model, tdim, units_per_metre, regions, _contacts(stack), planes)


def _regions(stack: Stack) -> tuple[str, ...]:
    return tuple(layer.name for layer in stack.layers)


def _contacts(stack: Stack) -> tuple[str, str]:
    return stack.top.name, stack.bottom.name


def _generate(tdim: int, bodies: Sequence[Entities], base: Entities, n_planes: int) -> None:
    """Mesh the model into simplices; every plane must repeat the nodes of `base`."""
    gmsh.option.setNumber("Geometry.Tolerance", _ROUND_OFF)
    gmsh.model.mesh.generate(tdim)
    if tdim == 3:
        _split_prisms([tag for body in bodies for _, tag in body])
    nodes = [gmsh.model.mesh.getNodes(*entity, includeBoundary=True)[0] for entity in base]
    lateral = len(np.unique(np.concatenate(nodes)))
    made = len(gmsh.model.mesh.getNodes()[0])
    if made != lateral * n_planes:
        raise NumericsError(
            f"Gmsh made {made} nodes where {lateral} on each of {n_planes} planes were expected"
        )


def _split_prisms(volumes: Sequence[int]) -> None:
    """Replace the prisms of the volumes by three tetrahedra each, conforming.

    The diagonals of a prism's sides start at the base node of lower number, which
    neighbours see alike. (Gmsh's own subdivision gives up on some discs.)
    """
    for volume in volumes:
        kinds, _, nodes = gmsh.model.mesh.getElements(3, volume)
        if list(kinds) != [_PRISM]:
            raise NumericsError(f"Gmsh made elements of types {list(kinds)} where prisms were due")
        gmsh.model.mesh.removeElements(3, volume)
        tetrahedra = prisms_to_tetrahedra(np.asarray(nodes, dtype=np.int64).reshape(-1, 6))
        gmsh.model.mesh.addElementsByType(volume, _TETRAHEDRON, [], tetrahedra.ravel())


def prisms_to_tetrahedra(prisms: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return tetrahedra (3 n, 4) of prisms (n, 6): three base nodes, then those above.

    Orientation is kept, and prisms that share a side split it alike.
    """
    order = np.argsort(prisms[:, :3], axis=1)
    a, b, c = np.take_along_axis(prisms[:, :3], order, axis=1).T
    a1, b1, c1 = np.take_along_axis(prisms[:, 3:], order, axis=1).T
    split = np.stack([(a, b, c, c1), (a, b, c1, b1), (a, b1, c1, a1)]).transpose(2, 0, 1)
    odd = (order[:, 1] - order[:, 0]) % 3 != 1
    split[odd] = split[odd][..., [0, 2, 1, 3]]
    return np.asarray(split.reshape(-1, 4))


def _free_form_model(stack: Stack) -> GmshModel:
    width = lateral_width(stack.lateral)
    extent = 0.5 * width if stack.dimension == "axisymmetric" else width
    _name_parts(stack, *free_form(stack, extent))
    gmsh.model.mesh.generate(2)
    return _named_model(stack, NANOMETRES_PER_METRE, None)


def _imported_model(stack: Stack, path: Path) -> GmshModel:
    tdim = TOPOLOGICAL_DIMENSION[stack.dimension]
    load_msh(path, tdim, _regions(stack), _contacts(stack))
    if stack.dimension == "axisymmetric" and gmsh.model.mesh.getNodes()[1][0::3].min() < 0.0:
        raise InputError(f"{path}: the radius (first coordinate) is negative at some nodes")
    return _named_model(stack, 1.0, None)


def _lateral_entities(stack: Stack) -> Entities:
    """Make the lateral cross-section at coordinate 0: a point, a line or faces."""
    origin: Entities = [(0, gmsh.model.geo.addPoint(0.0, 0.0, 0.0))]
    if stack.dimension == "1d":
        return origin
    if stack.dimension == "axisymmetric":
        return _swept(origin, _radii(stack), axis=0)
    if stack.dimension == "2d":
        return _swept(origin, _width_grid(stack.lateral), axis=0)
    if stack.lateral.shape == "disc":
        return _disc(origin, _radii(stack))
    line = _swept(origin, _width_grid(stack.lateral), axis=0)
    return _swept(line, _depth_grid(stack.lateral), axis=1)


def _lateral_size(lateral: Lateral) -> float:
    """Return a bound [m] of the lateral coordinates."""
    return max(size or 0.0 for size in (lateral.diameter, lateral.width, lateral.depth))


def _radii(stack: Stack) -> Floats:
    lateral = stack.lateral
    if lateral.shape != "disc" or lateral.diameter is None:
        raise InputError(
            f"{stack.path}: dimension: {stack.dimension!r} needs a lateral shape 'disc', "
            f"found {lateral.shape!r}"
        )
    radius = 0.5 * lateral.diameter
    return lateral_grid(radius, lateral.cells, lateral.grading, both_ends=False)


def _width_grid(lateral: Lateral) -> Floats:
    cells = 2 * lateral.cells if lateral.shape == "disc" else lateral.cells
    return lateral_grid(lateral_width(lateral), cells, lateral.grading, both_ends=True)


def _depth_grid(lateral: Lateral) -> Floats:
    width, depth = lateral_width(lateral), lateral.depth
    if depth is None:
        raise InputError("lateral extent: a rectangle in 3-D needs a depth")
    cells = max(1, round(lateral.cells * depth / width))
    return lateral_grid(depth, cells, lateral.grading, both_ends=True)


def _disc(centre: Entities, radii: Floats) -> Entities:
    """Revolve the radius in three sectors; the polygon has the area of the disc."""
    corners = sector_cells(radii)
    spoke = _swept(centre, radii * polygon_scale(corners), axis=0)
    faces: Entities = []
    for _ in range(3):
        made = gmsh.model.geo.revolve(
            spoke, 0, 0, 0, 0, 0, 1, 2.0 * math.pi / 3.0, numElements=[corners // 3]
        )
        spoke = [made[0]]
        faces += [entity for entity in made if entity[0] == 2]
    return faces


def _swept(base: Entities, grid: Floats, axis: int) -> Entities:
    """Extrude `base` along `axis` with nodes at `grid` [m]; return the swept bodies."""
    return _extrude(base, grid, axis)[1]


def _sweep_layers(
    base: Entities, planes: Sequence[Floats], axis: int
) -> tuple[list[Entities], list[Entities]]:
    """Extrude the layers in turn; return the faces between them and their bodies."""
    caps, bodies = [base], []
    for grid in planes:
        cap, body = _extrude(caps[-1], grid, axis)
        caps.append(cap)
        bodies.append(body)
    return caps, bodies


def _extrude(base: Entities, grid: Floats, axis: int) -> tuple[Entities, Entities]:
    """Extrude `base`; return the copies of `base` at the far end and the bodies."""
    length = float(grid[-1] - grid[0])
    heights = ((grid[1:] - grid[0]) / length).tolist()
    vector = [0.0, 0.0, 0.0]
    vector[axis] = length * NANOMETRES_PER_METRE
    dimension = base[0][0] + 1
    made = gmsh.model.geo.extrude(
        base,
        *vector,
        numElements=[1] * len(heights),
        heights=heights,
        recombine=dimension == 3,
    )
    # Gmsh lists the far face of each body directly before the body.
    found = [at for at, (dim, _) in enumerate(made) if dim == dimension]
    return [made[at - 1] for at in found], [made[at] for at in found]


def _name_parts(stack: Stack, caps: Sequence[Entities], bodies: Sequence[Entities]) -> None:
    """Name the layers' bodies, and the faces between them from the top down."""
    tdim = TOPOLOGICAL_DIMENSION[stack.dimension]
    _name_groups(tdim, _regions(stack), bodies)
    faces = [caps[0], caps[-1], *caps[1:-1]]
    _name_groups(tdim - 1, (*_contacts(stack), *stack.interfaces), faces)


def _name_groups(dimension: int, names: Sequence[str], groups: Sequence[Entities]) -> None:
    for number, (name, entities) in enumerate(zip(names, groups, strict=True), start=1):
        tags = [tag for _, tag in entities]
        gmsh.model.addPhysicalGroup(dimension, tags, number, name)

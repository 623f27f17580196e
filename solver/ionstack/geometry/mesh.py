"""Stack to a distributed DOLFINx mesh of simplices with named regions and contacts."""

from __future__ import annotations

import hashlib
import importlib
import inspect
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import dolfinx.mesh
import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.errors import NumericsError, raise_together
from ionstack.geometry.gmsh_model import GmshModel, gmsh_model, lateral_width
from ionstack.geometry.stack import Stack

# Nodes may be this fraction of the smallest cell off their plane.
_SNAP = 1e-3


@dataclass(frozen=True)
class DeviceMesh:
    """A distributed mesh of simplices and the names of its parts; lengths in metres.

    The top electrode is at coordinate 0 along `stack_axis` and the stack grows
    along it. Metals are not meshed. Ghosts are the cells that share a facet.

    mesh: DOLFINx mesh, geometric = topological dimension (1, 2 or 3).
    axisymmetric: coordinates are (r, z).
    regions: names of the layers.
    cell_region: int32 (cells of this rank and ghosts), index into `regions`.
    contacts: names of the electrodes, top and bottom.
    contact_facets: per contact the local facets owned by this rank, sorted.
    lateral_area: what the mesh leaves out of the lateral extent: the area [m^2]
        in 1-D, the depth [m] in 2-D, 1 where the mesh carries it all.
    stack_axis: coordinate along the stack.
    content_hash: SHA-256 of coordinates, cells and tags, for any number of ranks.
    """

    mesh: dolfinx.mesh.Mesh
    axisymmetric: bool
    regions: tuple[str, ...]
    cell_region: NDArray[np.int32]
    contacts: tuple[str, ...]
    contact_facets: tuple[NDArray[np.int32], ...]
    lateral_area: float
    stack_axis: int
    content_hash: str


@dataclass(frozen=True)
class _Header:
    """What every rank must know about the Gmsh model of rank 0."""

    tdim: int
    units_per_metre: float
    regions: tuple[str, ...]
    contacts: tuple[str, ...]
    planes: NDArray[np.float64] | None
    contact_sizes: tuple[int, ...]
    content_hash: str


def build_mesh(stack: Stack, comm: MPI.Comm) -> DeviceMesh:
    """Mesh `stack` on rank 0 and distribute it over `comm` (collective).

    Raises on all ranks `InputError` for a stack that cannot be meshed or a mesh
    file that does not fit it, `NumericsError` if Gmsh fails.
    """
    with ExitStack() as session:
        model: Any = None
        found: _Header | None = None
        with raise_together(comm, "meshing the stack"):
            if comm.rank == 0:
                built = session.enter_context(gmsh_model(stack))
                model, found = built.model, _header(built)
        header: _Header = comm.bcast(found, root=0)
        mesh, cell_tags, facet_tags = _distribute(model, comm, header.tdim)
    _set_metres(mesh, comm, header)
    contact_facets = _contact_facets(mesh, facet_tags, header)
    _check_contacts(comm, header, contact_facets)
    return DeviceMesh(
        mesh=mesh,
        axisymmetric=stack.dimension == "axisymmetric",
        regions=header.regions,
        cell_region=_cell_regions(mesh, comm, cell_tags),
        contacts=header.contacts,
        contact_facets=contact_facets,
        lateral_area=_lateral_area(stack),
        stack_axis=header.tdim - 1,
        content_hash=header.content_hash,
    )


def _distribute(model: Any, comm: MPI.Comm, gdim: int) -> tuple[dolfinx.mesh.Mesh, Any, Any]:
    """Return mesh, cell tags and facet tags with any supported DOLFINx."""
    shared = dolfinx.mesh.GhostMode.shared_facet
    # DOLFINx 0.9 calls the module gmshio.
    module = "dolfinx.io.gmsh" if find_spec("dolfinx.io.gmsh") else "dolfinx.io.gmshio"
    read = importlib.import_module(module).model_to_mesh
    if "ghost_mode" in inspect.signature(read).parameters:
        made = read(model, comm, 0, gdim=gdim, ghost_mode=shared)
    else:
        made = read(model, comm, 0, gdim=gdim, partitioner=cell_partitioner(shared))
    return made[0], made[1], made[2]


def cell_points(mesh: dolfinx.mesh.Mesh) -> NDArray[np.int32]:
    """Return the points of every local cell as rows of indices into ``mesh.geometry.x``."""
    geometry: Any = mesh.geometry
    if tuple(map(int, version("fenics-dolfinx").split(".")[:2])) >= (0, 11):
        return np.asarray(geometry.dofmaps[0])
    return np.asarray(geometry.dofmap)


def cell_partitioner(shared: Any) -> Any:
    """Return DOLFINx's partitioner with facet ghosts; a facet has two cells at most."""
    try:
        return dolfinx.mesh.create_cell_partitioner(shared, 2)
    except TypeError:  # before DOLFINx 0.11
        return dolfinx.mesh.create_cell_partitioner(shared)


def _header(built: GmshModel) -> _Header:
    facets = [_elements(built, built.tdim - 1, k) for k in range(len(built.contacts))]
    cells = [_elements(built, built.tdim, k) for k in range(len(built.regions))]
    return _Header(
        tdim=built.tdim,
        units_per_metre=built.units_per_metre,
        regions=built.regions,
        contacts=built.contacts,
        planes=built.planes,
        contact_sizes=tuple(len(found) // built.tdim for found in facets),
        content_hash=_content_hash(built, [*cells, *facets]),
    )


def _elements(built: GmshModel, dimension: int, index: int) -> NDArray[np.int64]:
    """Return the node tags of all elements of one physical group, flat."""
    entities = built.model.getEntitiesForPhysicalGroup(dimension, index + 1)
    nodes = [built.model.mesh.getElements(dimension, tag)[2] for tag in entities]
    return np.concatenate([part for found in nodes for part in found], dtype=np.int64)


def _content_hash(built: GmshModel, elements: list[NDArray[np.int64]]) -> str:
    tags, points, _ = built.model.mesh.getNodes()
    digest = hashlib.sha256(repr((built.regions, built.contacts)).encode())
    digest.update(np.asarray(tags, dtype=np.int64).tobytes())
    digest.update(np.asarray(points / built.units_per_metre).tobytes())
    for found in elements:
        digest.update(len(found).to_bytes(8, "little"))
        digest.update(found.tobytes())
    return digest.hexdigest()


def _set_metres(mesh: dolfinx.mesh.Mesh, comm: MPI.Comm, header: _Header) -> None:
    """Scale the coordinates and put every node exactly on its plane along the stack."""
    x = mesh.geometry.x
    x /= header.units_per_metre
    if header.planes is None:
        return
    with raise_together(comm, "placing the nodes on the layer planes"):
        along = np.asarray(x[:, header.tdim - 1], dtype=np.float64)
        x[:, header.tdim - 1] = _snapped(along, header.planes)


def _snapped(along: NDArray[np.float64], planes: NDArray[np.float64]) -> NDArray[np.float64]:
    middles = 0.5 * (planes[1:] + planes[:-1])
    snapped = planes[np.searchsorted(middles, along)]
    if np.any(np.abs(snapped - along) > _SNAP * np.diff(planes).min()):
        raise NumericsError("Gmsh placed nodes away from the planes of the layers")
    return snapped


def _cell_regions(mesh: dolfinx.mesh.Mesh, comm: MPI.Comm, tags: Any) -> NDArray[np.int32]:
    cells = mesh.topology.index_map(mesh.topology.dim)
    regions = np.full(cells.size_local + cells.num_ghosts, -1, dtype=np.int32)
    regions[tags.indices] = tags.values - 1
    with raise_together(comm, "distributing the regions"):
        if np.any(regions < 0):
            raise NumericsError("some cells of the distributed mesh carry no region")
    return regions


def _contact_facets(
    mesh: dolfinx.mesh.Mesh, tags: Any, header: _Header
) -> tuple[NDArray[np.int32], ...]:
    owned = mesh.topology.index_map(header.tdim - 1).size_local
    found = (tags.find(number + 1) for number in range(len(header.contacts)))
    return tuple(np.sort(facets[facets < owned]).astype(np.int32) for facets in found)


def _check_contacts(comm: MPI.Comm, header: _Header, facets: tuple[NDArray[np.int32], ...]) -> None:
    """Raise on all ranks unless every contact facet arrived on exactly one rank."""
    found = tuple(comm.allreduce(len(local)) for local in facets)
    if found != header.contact_sizes:
        raise NumericsError(
            f"the distributed contacts {', '.join(header.contacts)} have {found} facets, "
            f"not {header.contact_sizes}"
        )


def _lateral_area(stack: Stack) -> float:
    if stack.dimension == "1d":
        return stack.area
    if stack.dimension == "2d":
        return stack.area / lateral_width(stack.lateral)
    return 1.0

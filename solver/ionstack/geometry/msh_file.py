"""Read an existing ``.msh`` file into the open Gmsh session and check it.

After `load_msh` the model's physical groups are exactly the regions and
contacts of the stack, numbered from 1, whatever else the file defined.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import gmsh
import numpy as np
from numpy.typing import NDArray

from ionstack.errors import InputError, nearest

Groups = dict[str, tuple[int, ...]]
Ints = NDArray[np.int64]

_SIMPLEX = {1: 1, 2: 2, 3: 4}
_SIMPLEX_NAME = {1: "intervals", 2: "triangles", 3: "tetrahedra"}
_CELL_NAME = {0: "points", 1: "curves", 2: "surfaces", 3: "volumes"}


def load_msh(path: Path, tdim: int, regions: Sequence[str], contacts: Sequence[str]) -> None:
    """Merge the file `path` into the current Gmsh model and name its groups.

    `regions` must be physical groups of dimension `tdim`, `contacts` of
    `tdim - 1`; the coordinates are metres. Raises `InputError` if the file is
    missing or cannot be read, lacks a name, or has cells that are not simplices
    or that belong to none or several of the regions.
    """
    _merge(path)
    _check_dimension(path, tdim)
    bodies = _needed_groups(path, tdim, regions, "layer")
    faces = _needed_groups(path, tdim - 1, contacts, "electrode")
    gmsh.model.removePhysicalGroups()
    for dimension, groups in ((tdim, bodies), (tdim - 1, faces)):
        for number, (name, tags) in enumerate(groups.items(), start=1):
            gmsh.model.addPhysicalGroup(dimension, tags, number, name)
    _check_cells(path, tdim, bodies)
    _check_coordinates(path, tdim)
    _check_facets(path, tdim, faces)
    gmsh.model.mesh.renumberNodes()


def _merge(path: Path) -> None:
    if not path.is_file():
        raise InputError(f"{path}: mesh file not found")
    with path.open("rb") as file:
        head = file.read(11)
    # Gmsh runs any other text as a script, which may call the shell.
    if path.suffix != ".msh" or head != b"$MeshFormat":
        raise InputError(f"{path}: not a Gmsh mesh (a .msh file that begins with $MeshFormat)")
    # A copy under another name: Gmsh would also execute a neighbouring '<name>.opt'.
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "stack.msh"
        shutil.copyfile(path, copy)
        try:
            gmsh.merge(str(copy))
        except Exception as error:
            reason = str(error).replace(str(copy), path.name)
            raise InputError(f"{path}: Gmsh cannot read the mesh: {reason}") from error


def _check_dimension(path: Path, tdim: int) -> None:
    found = max((dim for dim, _ in gmsh.model.getEntities()), default=-1)
    filled = [dim for dim in range(found + 1) if len(gmsh.model.mesh.getElementTypes(dim))]
    if not filled:
        raise InputError(f"{path}: the mesh has no cells")
    if filled[-1] != tdim:
        raise InputError(
            f"{path}: the mesh has dimension {filled[-1]}, the stack file asks for {tdim}"
        )


def _needed_groups(path: Path, dimension: int, names: Sequence[str], what: str) -> Groups:
    """Return the entities of each needed physical name, in the order of `names`."""
    found = {
        gmsh.model.getPhysicalName(dimension, tag): tag
        for _, tag in gmsh.model.getPhysicalGroups(dimension)
    }
    found.pop("", None)
    groups: Groups = {}
    for name in names:
        if name not in found:
            raise InputError(_missing_name(path, dimension, name, what, list(found), names))
        tags = gmsh.model.getEntitiesForPhysicalGroup(dimension, found[name])
        groups[name] = tuple(int(tag) for tag in tags)
    return groups


def _missing_name(
    path: Path, dimension: int, name: str, what: str, found: Sequence[str], needed: Sequence[str]
) -> str:
    listed = ", ".join(found) if found else "none"
    return (
        f"{path}: the mesh has no physical name {name!r} for the {what} of that name"
        f"{nearest(name, found)}; found among its {_CELL_NAME[dimension]}: {listed}; "
        f"needed: {', '.join(needed)}"
    )


def _check_cells(path: Path, tdim: int, bodies: Groups) -> None:
    _check_simplices(path, tdim, tdim)
    tags = [tag for group in bodies.values() for tag in group]
    if len(set(tags)) < len(tags):
        raise InputError(f"{path}: some cells belong to two of the layers {', '.join(bodies)}")
    others = [tag for _, tag in gmsh.model.getEntities(tdim) if tag not in set(tags)]
    loose = sum(_count(tdim, tag) for tag in others)
    if loose:
        raise InputError(f"{path}: {loose} cells belong to none of the layers {', '.join(bodies)}")
    _check_filled(path, tdim, bodies)


def _check_facets(path: Path, tdim: int, faces: Groups) -> None:
    _check_simplices(path, tdim - 1, tdim)
    tags = [tag for group in faces.values() for tag in group]
    if len(set(tags)) < len(tags):
        raise InputError(f"{path}: some facets belong to both electrodes {', '.join(faces)}")
    _check_filled(path, tdim - 1, faces)
    cells = _nodes(tdim, -1).reshape(-1, tdim + 1)
    for name, entities in faces.items():
        found = [_nodes(tdim - 1, tag).reshape(-1, tdim) for tag in entities]
        facets = np.unique(np.sort(np.concatenate(found), axis=1), axis=0)
        on_cells = _facets_among(cells, np.unique(facets))
        known = np.unique(np.concatenate([on_cells, facets]), axis=0)
        if len(known) > len(on_cells):
            raise InputError(
                f"{path}: {len(known) - len(on_cells)} of the {len(facets)} facets of contact "
                f"{name!r} are not faces of cells"
            )


def _facets_among(cells: Ints, nodes: Ints) -> Ints:
    """Return the facets of `cells`, nodes ascending, whose nodes are all in `nodes`."""
    width = cells.shape[1]
    near = cells[np.isin(cells, nodes).sum(axis=1) >= width - 1]
    facets = np.concatenate([np.delete(near, corner, axis=1) for corner in range(width)])
    inside = facets[np.isin(facets, nodes).all(axis=1)]
    return np.asarray(np.unique(np.sort(inside, axis=1), axis=0))


def _nodes(dimension: int, tag: int) -> Ints:
    """Return the nodes of all elements of an entity (-1: of all entities), flat."""
    parts = gmsh.model.mesh.getElements(dimension, tag)[2]
    return np.concatenate([np.zeros(0, dtype=np.int64), *(part.astype(np.int64) for part in parts)])


def _check_simplices(path: Path, dimension: int, tdim: int) -> None:
    allowed = {0: 15} | _SIMPLEX
    for kind in gmsh.model.mesh.getElementTypes(dimension):
        if kind != allowed[dimension]:
            found = gmsh.model.mesh.getElementProperties(kind)[0]
            raise InputError(
                f"{path}: the mesh has cells of type {found!r}; "
                f"only straight {_SIMPLEX_NAME[tdim]} are allowed"
            )


def _check_filled(path: Path, dimension: int, groups: Groups) -> None:
    for name, tags in groups.items():
        if not sum(_count(dimension, tag) for tag in tags):
            raise InputError(f"{path}: physical name {name!r} holds no mesh elements")


def _check_coordinates(path: Path, tdim: int) -> None:
    points: NDArray[np.float64] = gmsh.model.mesh.getNodes()[1].reshape(-1, 3)
    if not np.all(np.isfinite(points)):
        raise InputError(f"{path}: some coordinates are not finite")
    size = float(np.ptp(points[:, :tdim], axis=0).max())
    if tdim < 3 and np.abs(points[:, tdim:]).max() > 1e-12 * size:
        raise InputError(
            f"{path}: a mesh of dimension {tdim} must lie in the first {tdim} coordinates"
        )
    repeated = len(points) - len(np.unique(points, axis=0))
    if repeated:
        raise InputError(
            f"{path}: {repeated} nodes repeat others, so neighbouring parts are not connected; "
            "mesh them as one body (in Gmsh: Coherence, or BooleanFragments)"
        )


def _count(dimension: int, tag: int) -> int:
    return sum(len(found) for found in gmsh.model.mesh.getElements(dimension, tag)[1])

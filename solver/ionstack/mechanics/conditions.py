"""How a body is held: the clamp below, the sides, and displacements that are prescribed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import dolfinx.mesh
import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from ionstack.errors import InputError
from ionstack.geometry.mesh import cell_points
from ionstack.mechanics.mesh import MechanicalMesh

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Held:
    """A displacement [m] along one coordinate that is prescribed on a named face.

    value: a number, or a function of coordinates (3, n) that gives n numbers.
    """

    face: str
    axis: int
    value: float | Callable[[Floats], Floats] = 0.0


@dataclass(frozen=True)
class Conditions:
    """How a body is held.

    clamp: the bottom face does not move (``rigid``), moves in its plane only
        (``roller``), or bears nothing (``free``). Points then hold what can still move, without
        force. With ``none`` nothing holds the body but `held`.
    sides: ``free``, or ``roller``: they do not move across their plane.
    held: further displacements that are prescribed.

    On the axis of axial symmetry the radial displacement is 0 always.
    """

    clamp: Literal["rigid", "roller", "free", "none"] = "rigid"
    sides: Literal["free", "roller"] = "free"
    held: tuple[Held, ...] = ()


class Holds:
    """The degrees of freedom that conditions prescribe, and those that they leave `free`."""

    def __init__(self, mesh: MechanicalMesh, space: Any, conditions: Conditions) -> None:
        """Find them (collective); raises InputError for rollers on round sides in 3-D."""
        self._mesh = mesh
        self._space = space
        every = [*_of_faces(mesh, conditions), *conditions.held]
        self.conditions = [self._on_face(one) for one in every]
        self.conditions += [
            self._at_point(point, axis) for point, axis in _supports(mesh, conditions)
        ]
        self.moving = any(callable(one.value) or one.value != 0.0 for one in every)
        self.free = self._free()

    def _free(self) -> NDArray[np.bool_]:
        """Whether each degree of freedom (local points, coordinates) may move."""
        index_map = self._space.dofmap.index_map
        free = np.ones((index_map.size_local + index_map.num_ghosts) * self._mesh.dimension, bool)
        for one in self.conditions:
            free[one.dof_indices()[0]] = False
        return free.reshape(-1, self._mesh.dimension)

    def _on_face(self, held: Held) -> Any:
        facets = self._mesh.faces[held.face]
        return self._fixed(held.axis, self._mesh.dimension - 1, facets, held.value)

    def _at_point(self, point: Floats, axis: int) -> Any:
        """Hold the displacement of a point of the mesh along one coordinate at 0."""
        self._mesh.mesh.topology.create_connectivity(0, self._mesh.dimension)
        x = _vertex_coordinates(self._mesh)
        found = np.flatnonzero(np.all(x == point, axis=1)).astype(np.int32)
        return self._fixed(axis, 0, found, 0.0)

    def _fixed(self, axis: int, dimension: int, entities: NDArray[np.int32], value: Any) -> Any:
        part = self._space.sub(axis)
        if not callable(value):
            dofs = fem.locate_dofs_topological(part, dimension, entities)
            return fem.dirichletbc(np.float64(value), dofs, part)  # type: ignore[arg-type]
        collapsed, _ = part.collapse()
        dofs = fem.locate_dofs_topological((part, collapsed), dimension, entities)
        function = fem.Function(collapsed)
        function.interpolate(value)
        return fem.dirichletbc(function, dofs, part)


def _of_faces(mesh: MechanicalMesh, conditions: Conditions) -> Iterator[Held]:
    """What clamp, symmetry and sides that are planes hold."""
    along = mesh.dimension - 1
    if conditions.clamp == "rigid":
        yield from (Held("bottom", axis) for axis in range(mesh.dimension))
    if conditions.clamp == "roller":
        yield Held("bottom", along)
    if mesh.axisymmetric:
        yield Held("axis", 0)
    if conditions.sides == "roller":
        if not mesh.square:
            raise InputError("sides on rollers: not on the round sides of a disc in 3-D")
        yield from (Held(name, axis) for name, axis in _planes(mesh))


def _planes(mesh: MechanicalMesh) -> list[tuple[str, int]]:
    """Names of the sides that are planes, and the coordinate across each."""
    return [("sides", 0)] if mesh.dimension == 2 else [("sides_x", 0), ("sides_y", 1)]


def _supports(mesh: MechanicalMesh, conditions: Conditions) -> Iterator[tuple[Floats, int]]:
    """Points and coordinates that hold a body where its faces leave it free to move.

    They are as many as there are rigid motions left, so they bear no force unless the loads
    are out of balance.
    """
    if conditions.clamp in ("rigid", "none"):
        return
    along = mesh.dimension - 1
    lies_free = conditions.clamp == "free"
    slides = not mesh.axisymmetric and conditions.sides == "free"
    origin = _corner(mesh, 0)
    if lies_free:
        yield origin, along
    if slides:
        yield from ((origin, axis) for axis in range(along))
        yield from _against_rotation(mesh, lies_free)


def _against_rotation(mesh: MechanicalMesh, lies_free: bool) -> Iterator[tuple[Floats, int]]:
    along = mesh.dimension - 1
    if mesh.dimension == 3:
        yield _corner(mesh, 1), 1
    if lies_free:
        yield from ((_corner(mesh, number), along) for number in range(1, mesh.dimension))


def _corner(mesh: MechanicalMesh, number: int) -> Floats:
    """Return a corner of the bottom: 0 the least, 1 and 2 next to it along x and y (collective).

    Of a disc it is the point farthest out that way.
    """
    signs = np.ones(mesh.dimension - 1)
    if number:
        signs[number - 1] = -1.0
    points = _bottom_points(mesh)
    order = np.lexsort((*points.T, points[:, :-1] @ signs))
    mine = tuple(points[order[0]]) if len(points) else None
    every = [one for one in mesh.mesh.comm.allgather(mine) if one is not None]
    return np.array(min(every, key=lambda one: (float(np.dot(one[:-1], signs)), one)))


def _bottom_points(mesh: MechanicalMesh) -> Floats:
    topology = mesh.mesh.topology
    dimension = mesh.dimension
    topology.create_connectivity(dimension - 1, 0)
    topology.create_connectivity(0, dimension)
    facets = mesh.faces["bottom"]
    points = dolfinx.mesh.entities_to_geometry(mesh.mesh, dimension - 1, facets)
    return mesh.coordinates()[np.unique(points)]


def _vertex_coordinates(mesh: MechanicalMesh) -> Floats:
    """Coordinates of the local vertices in the order of the topology."""
    topology = mesh.mesh.topology
    vertices = topology.index_map(0)
    topology.create_connectivity(mesh.dimension, 0)
    cells = topology.connectivity(mesh.dimension, 0).array.reshape(-1, mesh.dimension + 1)
    x = np.empty((vertices.size_local + vertices.num_ghosts, mesh.dimension))
    x[cells] = mesh.coordinates()[cell_points(mesh.mesh)]
    return x

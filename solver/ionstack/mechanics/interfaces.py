"""Forces between the faces of slits: elements without thickness on doubled facets.

Tractions are those of `physics.cohesion` at the points of rules of Newton-Cotes' kind, which
include the nodes: with Gauss' points stiff interfaces make tractions oscillate (Schellekens and
de Borst, Int. J. Numer. Meth. Engng. 36, 43 (1993)). Every point of a face stays opposite
to the point that it was made with, and the normal is that of the faces as they were made.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ionstack.geometry.mesh import cell_points
from ionstack.mechanics.mesh import MechanicalMesh
from ionstack.physics.cohesion import Cohesion, Separation, separate

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# Barycentric coordinates and weights, of degree 3: Simpson's rule; corners, middles and centre.
_LINE = ((1.0, 0.0), (0.0, 1.0), (0.5, 0.5))
_TRIANGLE = (
    *((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    *((0.5, 0.5, 0.0), (0.5, 0.0, 0.5), (0.0, 0.5, 0.5)),
    (1 / 3, 1 / 3, 1 / 3),
)
_POINTS = {2: np.array(_LINE), 3: np.array(_TRIANGLE)}
_WEIGHTS = {
    2: np.array([1 / 6, 1 / 6, 4 / 6]),
    3: np.array([*[1 / 20] * 3, *[2 / 15] * 3, 9 / 20]),
}


class Interfaces:
    """The seams of a mesh, each with a law.

    Rows of all arrays are the facets whose upper cells this rank owns, `upper`, seam by seam.
    `areas` (facets, points) are weights of the points [m, m^2]; times the radius in axial symmetry.
    """

    def __init__(self, mesh: MechanicalMesh, space: Any, laws: Sequence[Cohesion]) -> None:
        """Match the degrees of freedom of both faces; one law for each seam of the mesh."""
        cells = [one.cells for one in mesh.seams]
        both = np.concatenate([np.zeros((0, 2), dtype=np.int64), *cells])
        self.upper: Ints = both[:, 0]
        self.size = mesh.dimension
        ends = np.cumsum([0, *(len(one) for one in cells)])
        self.parts = [slice(*pair) for pair in pairwise(ends)]
        self.laws = tuple(laws)
        corners = _corners(mesh, both)
        weights = _POINTS[self.size]
        self._shapes = _quadratic(weights)
        self.areas: Floats = _measures(corners)[:, None] * _WEIGHTS[self.size]
        if mesh.axisymmetric:
            self.areas *= np.einsum("pc,fc->fp", weights, corners[..., 0])
        self.dofs = np.stack([_dofs(space, both[:, side], corners) for side in (0, 1)], axis=1)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of facets here and of points on each."""
        return len(self.upper), len(self._shapes)

    def coupled(self) -> NDArray[np.int32]:
        """Points of the space (facets, points) that each facet couples, upper ones first."""
        count = 2 * self.dofs.shape[2]
        return self.dofs.reshape(len(self.dofs), count).astype(np.int32)

    def separate(self, displacement: Floats, reached: Floats) -> Separation:
        """What a displacement (local values) does, after largest openings (facets, points) [m]."""
        at = displacement.reshape(-1, self.size)[self.dofs]
        opening = np.einsum("pn,fnd->fpd", self._shapes, at[:, 1] - at[:, 0])
        pieces = [
            separate(law, opening[part], reached[part])
            for law, part in zip(self.laws, self.parts, strict=True)
        ]
        return Separation(*(np.concatenate(one) for one in zip(*pieces, strict=True)))

    def add_forces(self, separation: Separation, vector: Any) -> None:
        """Add the forces of the tractions to a PETSc vector with ghosts, not yet summed."""
        force = np.einsum("pn,fp,fpd->fnd", self._shapes, self.areas, separation.traction)
        with vector.localForm() as local:
            values = local.array_w.reshape(-1, self.size)
            np.add.at(values, self.dofs[:, 1], force)
            np.add.at(values, self.dofs[:, 0], -force)

    def add_stiffness(
        self, separation: Separation, weight: float, free: NDArray[np.bool_], matrix: Any
    ) -> None:
        """Add the tangent to a PETSc matrix, to be assembled then.

        weight: part of the softening that counts. free: (points, size) degrees of freedom that
        are not prescribed; rows and columns of others stay as they are.
        """
        each = self.areas[..., None, None] * (separation.secant + weight * separation.softening)
        jump = np.concatenate([-self._shapes, self._shapes], axis=1)
        dofs = self.coupled()
        blocks = np.einsum("pn,pm,fpij->fnimj", jump, jump, each, optimize=True)
        moves = free[dofs]
        blocks *= moves[:, :, :, None, None] * moves[:, None, None]
        rows = dofs.shape[1] * self.size
        for own, values in zip(dofs, blocks.reshape(-1, rows, rows), strict=True):
            matrix.setValuesBlockedLocal(own, own, values, addv=True)


def _corners(mesh: MechanicalMesh, cells: Ints) -> Floats:
    """Corners (facets, dimension, dimension) of the facets, in the order of the upper cells."""
    upper, lower = (cell_points(mesh.mesh)[cells[:, side]] for side in (0, 1))
    x = mesh.coordinates()
    # The facet is where the lower cell begins: what the upper one has at that depth.
    plane = x[lower][..., -1].min(axis=1)
    on_plane = x[upper][..., -1] == plane[:, None]
    corners = x[upper[on_plane]].reshape(len(cells), mesh.dimension, mesh.dimension)
    return np.asarray(corners)


def _measures(corners: Floats) -> Floats:
    """Length [m] or area [m^2] of facets across the last coordinate."""
    sides = (corners[:, 1:] - corners[:, :1])[..., :-1]
    volume = np.abs(np.linalg.det(sides))
    return np.asarray(volume if corners.shape[1] == 2 else 0.5 * volume)


def _nodes(corners: Floats) -> Floats:
    """Corners, then middles of the edges."""
    pairs = combinations(range(corners.shape[1]), 2)
    middles = [0.5 * (corners[:, i] + corners[:, j]) for i, j in pairs]
    return np.concatenate([corners, np.stack(middles, axis=1)], axis=1)


def _quadratic(weights: Floats) -> Floats:
    """Shape functions (points, nodes) of second order at barycentric coordinates (points, n)."""
    pairs = combinations(range(weights.shape[1]), 2)
    edges = [4.0 * weights[:, i] * weights[:, j] for i, j in pairs]
    return np.concatenate([weights * (2.0 * weights - 1.0), np.stack(edges, axis=1)], axis=1)


def _dofs(space: Any, cells: Ints, corners: Floats) -> Ints:
    """Points of the space on the face of each cell, in the order of `_nodes`."""
    every = np.asarray(space.dofmap.list)[cells]
    x = space.tabulate_dof_coordinates()[every][..., : corners.shape[-1]]
    apart = np.linalg.norm(x[:, None] - _nodes(corners)[:, :, None], axis=-1)
    return np.take_along_axis(every, apart.argmin(axis=-1), axis=1).astype(np.int64)

"""Strain of a displacement field, and the forms that DOLFINx compiles.

Symmetric tensors are vectors in Mandel's order (see `physics.plasticity`). In two dimensions
the third normal component is that out of the plane: 0 in plane strain, u_r/r around an axis.

Where rotations are large, strain is that of Green and Lagrange, sym(grad u) + grad(u)^T grad(u)/2.
A rotation does not strain, and stress is the second one of Piola and Kirchhoff: its axes
turn with the body.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import basix
import basix.ufl
import dolfinx.mesh
import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray

from ionstack.mechanics.mesh import MechanicalMesh

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

Rotations = Literal["small", "large"]

_HALF_ROOT = 2.0**-0.5
# Exact for quadratic displacements and linear free strains in the plane and in space. Around
# an axis more points would ask the cells for more constant volume than they have freedom.
_DEGREE = 2


@dataclass(frozen=True)
class Points:
    """Quadrature points of a cell: barycentric `weights` (n, corners) of its corners."""

    degree: int
    reference: Floats
    weights: Floats

    @property
    def count(self) -> int:
        """Number of points in a cell."""
        return len(self.reference)

    def interpolate(self, corners: Floats) -> Floats:
        """Linear interpolation of (cells, corners, ...) to (cells, points, ...)."""
        return _along_points(self.weights, corners)

    def to_corners(self, values: Floats) -> Floats:
        """Linear fit to (cells, points, ...) at the corners (cells, corners, ...)."""
        return _along_points(np.linalg.pinv(self.weights), values)


def _along_points(matrix: NDArray[Any], values: Floats) -> Floats:
    """Multiply the second axis of (cells, n, ...) by a matrix (m, n)."""
    rows = values.reshape(*values.shape[:2], int(np.prod(values.shape[2:])))
    return np.asarray(matrix @ rows).reshape(len(values), len(matrix), *values.shape[2:])


def quadrature(mesh: MechanicalMesh) -> Points:
    """Return the points at which stress is evaluated."""
    reference = np.asarray(basix.make_quadrature(mesh.mesh.basix_cell(), _DEGREE)[0])
    first = 1.0 - reference.sum(axis=1, keepdims=True)
    return Points(_DEGREE, reference, np.hstack([first, reference]))


def strain_size(mesh: MechanicalMesh) -> int:
    """Number of components of a symmetric tensor, 4 or 6."""
    return 4 if mesh.dimension == 2 else 6


def axes(mesh: MechanicalMesh) -> tuple[int, int, int]:
    """Components of the normal strains: first and second lateral one, and that along the stack."""
    return (0, 2, 1) if mesh.dimension == 2 else (0, 1, 2)


def strain(mesh: MechanicalMesh, u: Any) -> Any:
    """UFL vector of the strain of a displacement, linear in it."""
    g = ufl.grad(u)

    def shear(i: int, j: int) -> Any:
        return _HALF_ROOT * (g[i, j] + g[j, i])

    if mesh.dimension == 3:
        normal = [g[k, k] for k in range(3)]
        return ufl.as_vector([*normal, shear(0, 1), shear(0, 2), shear(1, 2)])
    around = u[0] / radius(mesh) if mesh.axisymmetric else 0.0 * g[0, 0]
    return ufl.as_vector([g[0, 0], g[1, 1], around, shear(0, 1)])


def product(mesh: MechanicalMesh, u: Any, v: Any) -> Any:
    """UFL vector of sym(grad(u)^T grad(v)): half of that of u with itself is strain as well."""
    g, h = ufl.grad(u), ufl.grad(v)
    size = mesh.dimension

    def part(i: int, j: int) -> Any:
        return sum(g[k, i] * h[k, j] for k in range(size))

    def shear(i: int, j: int) -> Any:
        return _HALF_ROOT * (part(i, j) + part(j, i))

    normal = [part(k, k) for k in range(size)]
    if size == 3:
        return ufl.as_vector([*normal, shear(0, 1), shear(0, 2), shear(1, 2)])
    around = u[0] * v[0] / radius(mesh) ** 2 if mesh.axisymmetric else 0.0 * g[0, 0] * h[0, 0]
    return ufl.as_vector([*normal, around, shear(0, 1)])


def radius(mesh: MechanicalMesh) -> Any:
    """UFL weight of a volume: the radius around an axis [m], 1 otherwise."""
    return ufl.SpatialCoordinate(mesh.mesh)[0] if mesh.axisymmetric else 1.0


class Forms:
    """Space of displacements and the compiled forms on it.

    `tangent` and `stress` are functions of the quadrature points that the forms read;
    `put` sets their values by cell. `weight` is the part of the stiffness that stems from the
    stress in a body that rotates; without large rotations nothing depends on it.
    """

    def __init__(self, mesh: MechanicalMesh, rotations: Rotations = "small") -> None:
        """Compile what every solve needs (collective)."""
        self._mesh, self._rotates = mesh, rotations == "large"
        cell = mesh.mesh.basix_cell()
        points = quadrature(mesh)
        size = strain_size(mesh)
        element = basix.ufl.element("Lagrange", cell, 2, shape=(mesh.dimension,))
        self.space = fem.functionspace(mesh.mesh, element)
        self.tangent = self._at_points(mesh, points, (size, size))
        self.stress = self._at_points(mesh, points, (size,))
        self.displacement = fem.Function(self.space)
        self.weight = fem.Constant(mesh.mesh, np.float64(1.0))
        u, v = ufl.TrialFunction(self.space), ufl.TestFunction(self.space)
        metadata = {"quadrature_degree": points.degree, "quadrature_scheme": "default"}
        volume = ufl.dx(domain=mesh.mesh, metadata=metadata)
        stretch = radius(mesh) * self._rise(v)
        stiffness = ufl.inner(ufl.dot(self.tangent, self._rise(u)), stretch) * volume
        if self._rotates:
            turned = radius(mesh) * product(mesh, u, v)
            stiffness += self.weight * ufl.inner(self.stress, turned) * volume
        self.stiffness = fem.form(stiffness)
        self.force = fem.form(ufl.inner(self.stress, stretch) * volume)
        self._strain = fem.Expression(self._whole(), points.reference)
        self._shape = (mesh.n_owned, points.count, size)
        self._cells = np.arange(mesh.n_owned, dtype=np.int32)

    @staticmethod
    def _at_points(mesh: MechanicalMesh, points: Points, shape: tuple[int, ...]) -> Any:
        element = basix.ufl.quadrature_element(
            mesh.mesh.basix_cell(), value_shape=shape, degree=points.degree
        )
        return fem.Function(fem.functionspace(mesh.mesh, element))

    def _rise(self, v: Any) -> Any:
        """Strain by which a change of the displacement adds to that of `displacement`."""
        linear = strain(self._mesh, v)
        if not self._rotates:
            return linear
        return linear + product(self._mesh, self.displacement, v)

    def _whole(self) -> Any:
        linear = strain(self._mesh, self.displacement)
        if not self._rotates:
            return linear
        return linear + 0.5 * product(self._mesh, self.displacement, self.displacement)

    def strain(self) -> Floats:
        """Strain (cells, points, components) of `displacement` in the rank's own cells."""
        found = self._strain.eval(self._mesh.mesh, self._cells)
        return np.asarray(found).reshape(self._shape)

    def put(self, function: Any, cells: Ints, values: Floats) -> None:
        """Set a function of the quadrature points in own cells, values (cells, points, ...)."""
        rows = function.function_space.dofmap.list[cells]
        size = function.function_space.dofmap.bs
        function.x.array.reshape(-1, size)[rows] = values.reshape(*rows.shape, size)

    def pressure(self, facets: NDArray[np.int32], size: Any) -> Any:
        """Compile the load of a pressure, a constant `size` [Pa], on facets."""
        mesh = self._mesh.mesh
        v = ufl.TestFunction(self.space)
        normal = ufl.FacetNormal(mesh)
        ones = np.ones(len(facets), dtype=np.int32)
        tags = dolfinx.mesh.meshtags(mesh, mesh.topology.dim - 1, facets, ones)
        surface = ufl.ds(domain=mesh, subdomain_data=tags)(1)
        return fem.form(-size * ufl.inner(normal, v) * radius(self._mesh) * surface)

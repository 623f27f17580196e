"""Bodies for tests of mechanics: blocks, spheres, and films on plates."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import basix.ufl
import dolfinx.mesh
import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.geometry.stack import Electrode, Lateral, Layer, Stack
from ionstack.mechanics.body import Body, Trial
from ionstack.mechanics.mesh import MechanicalMesh, build_mechanical_mesh, outer_faces
from support.stacks import grid

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# E, nu, Omega dc and the numbers that follow: references.md, 1.11.
MODULUS, POISSON = 100e9, 0.3
SWELLING = 1e-5 * 2000.0


def block(kind: str, cells: int, shift: float = 0.0) -> MechanicalMesh:
    """A unit square or cube; around an axis the radius runs from 1 to 2.

    Inner points are shifted by up to `shift` cells, the same way each time.
    """
    shape = (cells,) * (3 if kind == "3d" else 2)
    make = dolfinx.mesh.create_unit_cube if kind == "3d" else dolfinx.mesh.create_unit_square
    mesh = make(MPI.COMM_SELF, *shape)
    x = mesh.geometry.x[:, : len(shape)]
    inner = np.all((x > 1e-9) & (x < 1 - 1e-9), axis=1)
    noise = np.random.default_rng(7).uniform(-1.0, 1.0, x.shape)
    x[inner] += shift / cells * noise[inner]
    if kind == "axisymmetric":
        x[:, 0] += 1.0
    return of_mesh(mesh, kind == "axisymmetric")


def of_mesh(mesh: dolfinx.mesh.Mesh, axisymmetric: bool) -> MechanicalMesh:
    """A body of one solid, which is a film."""
    count = mesh.topology.index_map(mesh.topology.dim).size_local
    faces = outer_faces(mesh, axisymmetric)
    if axisymmetric:
        sides = dolfinx.mesh.locate_entities_boundary(mesh, 1, lambda x: x[0] == 1.0)
        faces["inner"] = np.sort(sides)
    region = np.zeros(count, dtype=np.int32)
    return MechanicalMesh(mesh, axisymmetric, ("film",), ("film",), region, ("film",), faces)


def shell(inner: float, outer: float, cells: int, around: int) -> MechanicalMesh:
    """Upper half of a thick sphere around an axis, with faces ``inner`` and ``outer``."""
    radii = np.geomspace(inner, outer, cells + 1)
    polar, triangles = grid(radii, np.linspace(0.0, math.pi / 2, around + 1))
    return _round(polar, triangles, inner, outer)


def ball(outer: float, cells: int) -> MechanicalMesh:
    """Upper half of a full sphere around an axis; each ring has one point more."""
    rings = [np.arange(k + 1) / max(k, 1) for k in range(cells + 1)]
    polar = np.array(
        [(outer * k / cells, 0.5 * math.pi * t) for k, r in enumerate(rings) for t in r]
    )
    start = [k * (k + 1) // 2 for k in range(cells + 1)]
    triangles = []
    for k in range(cells):
        for j in range(k + 1):
            low, high = start[k] + j, start[k + 1] + j
            triangles.append((low, high, high + 1))
            if j < k:
                triangles.append((low, high + 1, low + 1))
    return _round(polar, np.array(triangles), 0.0, outer)


def _round(polar: Floats, triangles: Ints, inner: float, outer: float) -> MechanicalMesh:
    r, angle = polar.T
    points = np.column_stack([r * np.cos(angle), r * np.sin(angle)])
    points[np.abs(points) < 1e-12 * outer] = 0.0
    element = basix.ufl.element("Lagrange", "triangle", 1, shape=(2,))
    mesh = dolfinx.mesh.create_mesh(comm=MPI.COMM_SELF, cells=triangles, x=points, e=element)

    def facets(chosen: Callable[[Floats], Floats]) -> NDArray[np.int32]:
        return dolfinx.mesh.locate_entities_boundary(mesh, 1, chosen)

    faces = {
        "axis": facets(lambda x: x[0] == 0.0),
        "bottom": facets(lambda x: x[1] == 0.0),
        "inner": facets(lambda x: np.hypot(x[0], x[1]) < inner * 1.000001),
        "outer": facets(lambda x: np.hypot(x[0], x[1]) > outer * 0.999999),
    }
    return replace(of_mesh(mesh, True), faces=faces)


def films(
    dimension: str,
    layers: list[tuple[str, float, float]],
    lateral: Lateral,
    above: int = 0,
    below: int = 0,
    **options: object,
) -> MechanicalMesh:
    """Layers (name, thickness, first cell) from the top, so many of them above and below films."""
    every = [Layer(name, name, size, first, 2.0) for name, size, first in layers]
    inner = every[above : len(every) - below]
    stack = stack_of(dimension, inner, lateral)
    outer = every[len(every) - below :]
    return build_mechanical_mesh(stack, every[:above], outer, MPI.COMM_SELF, **options)  # type: ignore[arg-type]


def stack_of(dimension: str, layers: list[Layer], lateral: Lateral) -> Stack:
    """A stack of films between two contacts."""
    return Stack(
        name="sample",
        path=Path("sample.yaml"),
        dimension=dimension,  # type: ignore[arg-type]
        layers=tuple(layers),
        top=Electrode("anode", "Pt"),
        bottom=Electrode("cathode", "Pt"),
        lateral=lateral,
    )


def disc(radius: float, cells: int) -> Lateral:
    """A disc with cells of one size along the radius."""
    return Lateral("disc", 2.0 * radius, None, None, cells, 1.0)


def swollen(mesh: MechanicalMesh, **strains: float) -> Floats:
    """Uniform volume strain of named layers at the corners of own cells."""
    each = np.array([strains.get(name, 0.0) for name in mesh.regions])
    by_cell = each[mesh.cell_region[: mesh.n_owned]]
    return np.repeat(by_cell[:, None], mesh.dimension + 1, axis=1)


def none(mesh: MechanicalMesh) -> Floats:
    """No swelling."""
    return swollen(mesh)


def corners(mesh: MechanicalMesh) -> Floats:
    """Coordinates (cells, corners, dimension) of own cells."""
    return mesh.coordinates()[mesh.owned_cells()]


def stress_points(body: Body) -> Floats:
    """Coordinates (cells, points, dimension) at which stress is known."""
    return body.materials.points.interpolate(corners(body.mesh))


def spherical(body: Body, trial: Trial) -> tuple[Floats, Floats]:
    """Radial stress, and hoop stress around the axis, at all points."""
    x = stress_points(body)
    r = np.linalg.norm(x, axis=-1)
    n_r, n_z = x[..., 0] / r, x[..., 1] / r
    s = trial.stress
    radial = n_r**2 * s[..., 0] + n_z**2 * s[..., 1] + math.sqrt(2.0) * n_r * n_z * s[..., 3]
    return radial, s[..., 2]


def in_layer(mesh: MechanicalMesh, name: str) -> NDArray[np.bool_]:
    """Which own cells lie in a layer."""
    return mesh.cell_region[: mesh.n_owned] == mesh.regions.index(name)


def curvature(body: Body, trial: Trial, within: float) -> float:
    """Curvature [1/m] of the bottom face by a parabola through its inner part."""
    x, u = corners(body.mesh), trial.corner_displacement()
    at = x[..., -1] == x[..., -1].max()
    lateral, deflection = x[at][:, 0], u[at][:, -1]
    lateral = lateral - (0.0 if body.mesh.axisymmetric else 0.5 * lateral.max())
    inner = np.abs(lateral) < within
    return float(2.0 * np.polyfit(lateral[inner], deflection[inner], 2)[0])


def bilayer_curvature(
    moduli: tuple[float, float], thickness: tuple[float, float], strains: tuple[float, float]
) -> float:
    """Curvature of two layers by the balance of force and moment, where the upper swells less.

    Depth runs downwards from the top; moduli are those of the plane, E/(1 - nu) or E/(1 - nu^2).
    """
    ends = np.cumsum([0.0, *thickness])
    matrix, right = np.zeros((2, 2)), np.zeros(2)
    for modulus, low, high, strain in zip(moduli, ends[:-1], ends[1:], strains, strict=True):
        powers = [(high**k - low**k) / k for k in (1, 2, 3)]
        matrix += modulus * np.array([[powers[0], powers[1]], [powers[1], powers[2]]])
        right += modulus * strain * np.array(powers[:2])
    return float(np.linalg.solve(matrix, right)[1])

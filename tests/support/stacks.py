"""Stack records and mesh files for tests of geometry."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import gmsh
import numpy as np
from numpy.typing import NDArray

from ionstack.geometry.stack import Electrode, Lateral, Layer, Stack

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DISC = Lateral("disc", 200e-6, None, None, 4, 3.0)
RECTANGLE = Lateral("rectangle", None, 80e-6, 30e-6, 6, 2.0)
FILMS = (("oxide", 80e-9), ("electrolyte", 25.3e-9), ("counter", 50e-9))

SHAPES = {
    "1d": ("1d", DISC),
    "axisymmetric": ("axisymmetric", DISC),
    "2d-disc": ("2d", DISC),
    "2d-rectangle": ("2d", RECTANGLE),
    "3d-disc": ("3d", DISC),
    "3d-rectangle": ("3d", RECTANGLE),
}


def stack(shape: str, first_cell: float = 1e-9, growth: float = 1.7) -> Stack:
    """Three films between a cathode and an anode, in one of `SHAPES`."""
    dimension, lateral = SHAPES[shape]
    return Stack(
        name="sample",
        path=Path("sample.yaml"),
        dimension=dimension,  # type: ignore[arg-type]
        layers=tuple(Layer(name, name, size, first_cell, growth) for name, size in FILMS),
        top=Electrode("cathode", "Pt"),
        bottom=Electrode("anode", "ITO"),
        lateral=lateral,
        mesh_file=None,
    )


def film(path: Path, dimension: str = "2d", lateral: Lateral = RECTANGLE) -> Stack:
    """One film whose mesh is a file."""
    found = stack("1d")
    layers = (Layer("film", "film", 0.0, 1e-10, 1.35),)
    changes: dict[str, Any] = {"dimension": dimension, "layers": layers, "lateral": lateral}
    return replace(found, mesh_file=path, **changes)


@contextmanager
def gmsh_session():
    """Give an empty Gmsh model."""
    gmsh.initialize([], readConfigFiles=False, interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        yield gmsh.model
    finally:
        gmsh.finalize()


def write_triangles(
    path: Path, points: Floats, triangles: Ints, contacts: Mapping[str, Ints]
) -> None:
    """Write one region ``film`` of triangles in metres, with contacts as lists of segments."""
    with gmsh_session() as model:
        surface = model.addDiscreteEntity(2)
        flat = np.column_stack([points, np.zeros(len(points))]).ravel()
        model.mesh.addNodes(2, surface, np.arange(1, len(points) + 1), flat)
        model.mesh.addElementsByType(surface, 2, [], (triangles + 1).ravel())
        for name, segments in contacts.items():
            curve = model.addDiscreteEntity(1)
            model.mesh.addElementsByType(curve, 1, [], (segments + 1).ravel())
            model.addPhysicalGroup(1, [curve], name=name)
        model.addPhysicalGroup(2, [surface], name="film")
        gmsh.write(str(path))


def write_free_form(path: Path) -> None:
    """Write a film with a dimple in its lower face, meshed by Gmsh's Delaunay algorithm."""
    with gmsh_session() as model:
        gmsh.option.setNumber("Mesh.Algorithm", 5)
        corners = ((0, 0), (2e-7, 0), (2e-7, 8e-8), (1.3e-7, 8e-8), (1e-7, 1.1e-7), (7e-8, 8e-8))
        points = [model.geo.addPoint(x, y, 0, 8e-9) for x, y in (*corners, (0, 8e-8))]
        lines = [
            model.geo.addLine(a, b) for a, b in zip(points, [*points[1:], points[0]], strict=True)
        ]
        face = model.geo.addPlaneSurface([model.geo.addCurveLoop(lines)])
        model.geo.synchronize()
        model.addPhysicalGroup(2, [face], name="film")
        model.addPhysicalGroup(1, [lines[0]], name="cathode")
        model.addPhysicalGroup(1, lines[2:6], name="anode")
        model.mesh.generate(2)
        gmsh.write(str(path))


def grid(columns: Floats, rows: Floats) -> tuple[Floats, Ints]:
    """Triangulated rectangle: points (row by row) and triangles."""
    x, y = np.meshgrid(columns, rows)
    points = np.column_stack([x.ravel(), y.ravel()])
    width = len(columns)
    corner = np.arange(len(points)).reshape(len(rows), width)[:-1, :-1].ravel()
    lower = np.column_stack([corner, corner + 1, corner + width + 1])
    upper = np.column_stack([corner, corner + width + 1, corner + width])
    return points, np.concatenate([lower, upper])


def annulus(inner: float, outer: float, cells: int) -> tuple[Floats, Ints, dict[str, Ints]]:
    """Quarter of an annulus with `cells` cells along r and theta; contacts are its arcs.

    Cells are isosceles trapezoids, hence cyclic, so the mesh is Delaunay however cut.
    """
    radii, angles = np.linspace(inner, outer, cells + 1), np.linspace(0, math.pi / 2, cells + 1)
    polar, triangles = grid(radii, angles)
    r, theta = polar.T
    points = np.column_stack([r * np.cos(theta), r * np.sin(theta)])
    # Row k of the grid holds all radii at one angle.
    start = np.arange(cells) * (cells + 1)
    arc = np.column_stack([start, start + cells + 1])
    return points, triangles, {"cathode": arc, "anode": arc + cells}

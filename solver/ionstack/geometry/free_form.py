"""Stacks with an electrode whose face is not plane: triangles of Gmsh's Delaunay algorithm.

Where a profile rises, the face is a chain of straight edges of the layer's first cell, with their
ends on the profile. Cells grow from there with the distance, by the layer's growth, up to the
lateral cell. Only the rank that has opened Gmsh may use this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import gmsh
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ionstack.errors import InputError
from ionstack.geometry.stack import Electrode, Layer, Stack

Entities = list[tuple[int, int]]
Floats = NDArray[np.float64]

_NANOMETRES = 1e9
# A profile is looked at in so many points, and is plane below this share of its height.
_SAMPLES, _PLANE = 200_000, 1e-3
_DELAUNAY = 5


@dataclass(frozen=True)
class _Face:
    """A face between layers as tags of its points from left to right, and its lines."""

    points: tuple[int, ...]
    lines: tuple[int, ...]
    risen: tuple[int, ...] = ()  # lines of a profile, each one edge of the mesh


def free_form(stack: Stack, extent: float) -> tuple[list[Entities], list[Entities]]:
    """Lay a stack with profiled electrodes out, `extent` [m] wide, in nanometres.

    Returns the faces between layers from the top down, and the bodies of the layers; sizes
    and algorithm of the mesh are set.

    Raises:
        InputError: where a profile leaves the layer at its electrode.
    """
    depths = np.cumsum([0.0, *(layer.thickness for layer in stack.layers)])
    nodes = [np.array([[0.0, depth], [extent, depth]]) for depth in depths]
    first, last = stack.layers[0], stack.layers[-1]
    if stack.top.profile is not None:
        nodes[0] = profile_nodes(stack.top, first, extent)
    if stack.bottom.profile is not None:
        risen = profile_nodes(stack.bottom, last, extent)
        nodes[-1] = np.array([0.0, depths[-1]]) + np.array([1.0, -1.0]) * risen
    faces = [_face(one) for one in nodes]
    bodies = [_body(*pair) for pair in pairwise(faces)]
    gmsh.model.geo.synchronize()
    grown = [(faces[0], first), (faces[-1], last)]
    _set_sizes(grown, extent / stack.lateral.cells)
    gmsh.option.setNumber("Mesh.Algorithm", _DELAUNAY)
    return [[(1, line) for line in face.lines] for face in faces], [[(2, one)] for one in bodies]


def profile_nodes(electrode: Electrode, layer: Layer, extent: float) -> Floats:
    """Return the points (n, 2) [m] of a profile across the extent, as far as it rises.

    Raises:
        InputError: where it is plane, not finite, or does not stay within the layer.
    """
    assert electrode.profile is not None
    x = np.linspace(0.0, extent, _SAMPLES + 1)
    place = map(jnp.asarray, (x, 0.0 * x, x))
    rise = np.broadcast_to(np.asarray(electrode.profile.function(*place)), x.shape)
    if not rise.any():
        raise InputError(f"profile of electrode {electrode.name}: it is plane; leave it out")
    if not (np.abs(rise) < layer.thickness).all():
        raise InputError(
            f"profile of electrode {electrode.name}: it rises by {rise[np.argmax(np.abs(rise))]:g} "
            f"m, which does not fit into the {layer.thickness:g} m of layer {layer.name}"
        )
    curved = np.flatnonzero(np.abs(rise) > _PLANE * np.abs(rise).max())
    low, high = max(curved[0] - 1, 0), min(curved[-1] + 1, _SAMPLES)
    path = np.column_stack([x, rise])[low : high + 1]
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    count = max(2, round(along[-1] / layer.first_cell))
    found = [np.interp(np.linspace(0.0, along[-1], count + 1), along, one) for one in path.T]
    left = np.array([[0.0, rise[0]]] if low > 0 else np.zeros((0, 2)))
    right = np.array([[extent, rise[-1]]] if high < _SAMPLES else np.zeros((0, 2)))
    return np.concatenate([left, np.column_stack(found), right])


def _face(nodes: Floats) -> _Face:
    points = [gmsh.model.geo.addPoint(*(_NANOMETRES * node), 0.0) for node in nodes]
    lines = [gmsh.model.geo.addLine(*pair) for pair in pairwise(points)]
    steps = np.hypot(*np.diff(nodes, axis=0).T)
    risen = [line for line, step in zip(lines, steps, strict=True) if step < 2.0 * steps.min()]
    return _Face(tuple(points), tuple(lines), tuple(risen) if len(lines) > 1 else ())


def _body(upper: _Face, lower: _Face) -> int:
    """The surface between two faces."""
    left = gmsh.model.geo.addLine(lower.points[0], upper.points[0])
    right = gmsh.model.geo.addLine(upper.points[-1], lower.points[-1])
    back = [-line for line in reversed(lower.lines)]
    loop = gmsh.model.geo.addCurveLoop([*upper.lines, right, *back, left])
    return int(gmsh.model.geo.addPlaneSurface([loop]))


def _set_sizes(grown: Sequence[tuple[_Face, Layer]], coarse: float) -> None:
    """Let cells grow from the profiles on [nm]; every edge of a profile is one of the mesh."""
    fields = []
    for face, layer in grown:
        if not face.risen:
            continue
        for line in face.risen:
            gmsh.model.mesh.setTransfiniteCurve(line, 2)
        distance = gmsh.model.mesh.field.add("Distance")
        gmsh.model.mesh.field.setNumbers(distance, "CurvesList", list(face.risen))
        gmsh.model.mesh.field.setNumber(distance, "Sampling", 3)
        size = gmsh.model.mesh.field.add("MathEval")
        first, slope = _NANOMETRES * layer.first_cell, layer.growth - 1.0
        formula = f"min({first!r} + {slope!r} * F{distance}, {_NANOMETRES * coarse!r})"
        gmsh.model.mesh.field.setString(size, "F", formula)
        fields.append(size)
    least = gmsh.model.mesh.field.add("Min")
    gmsh.model.mesh.field.setNumbers(least, "FieldsList", fields)
    gmsh.model.mesh.field.setAsBackgroundMesh(least)
    for option in ("ExtendFromBoundary", "FromPoints", "FromCurvature"):
        gmsh.option.setNumber(f"Mesh.MeshSize{option}", 0)

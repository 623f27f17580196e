"""Counts and shapes of the cells of a run's mesh, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ionstack.output.field_reader import Fields
from ionstack.report.packing import IntArray
from ionstack.report.wording import number, quantity

_CELLS = {1: "intervals", 2: "triangles", 3: "tetrahedra"}


@dataclass(frozen=True)
class LayerMesh:
    """Cells and points of a layer, and the shapes of its cells.

    `least` and `largest` height along the depth; `aspect`: largest ratio of width to height.
    """

    name: str
    cells: int
    points: int
    least: str
    largest: str
    aspect: str


@dataclass(frozen=True)
class MeshNumbers:
    """Kind of the cells, their number and that of the points, and all layers."""

    kind: str
    cells: int
    points: int
    layers: tuple[LayerMesh, ...]


def mesh_numbers(fields: Fields) -> MeshNumbers:
    """Count and measure the mesh of a field file. Points on interfaces count once per layer."""
    layers = tuple(
        _layer(fields, name, np.flatnonzero(fields.region == index))
        for index, name in enumerate(fields.region_names)
        if np.any(fields.region == index)
    )
    kind = _CELLS[fields.dimension] + (" in (r, z)" if fields.axisymmetric else "")
    return MeshNumbers(kind, len(fields.cells), len(fields.points), layers)


def _layer(fields: Fields, name: str, chosen: IntArray) -> LayerMesh:
    cells = fields.cells[chosen]
    height = np.ptp(fields.depth[cells], axis=1)
    lateral = fields.points[:, : fields.dimension - 1]
    aspect = "–"
    if fields.dimension > 1:
        extent = np.ptp(lateral[cells], axis=1).max(axis=1)
        aspect = number(float((extent / height).max()))
    least, largest = (quantity(float(one), "m") for one in (height.min(), height.max()))
    return LayerMesh(name, len(cells), len(np.unique(cells)), least, largest, aspect)

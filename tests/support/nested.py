"""Two films on meshes of which each contains the nodes of the coarser ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import j0, jn_zeros

from ionstack.assembly.node_fields import NodeFields
from ionstack.geometry.stack import Lateral, Stack
from support.layers import AREA, Device, layer, stack

Floats = NDArray[np.float64]

DIMENSIONS = ("1d", "2d", "axisymmetric", "3d")
WIDTH = 2e-8  # m; of a body of revolution the radius
# The lateral mode without flux through the sides, times WIDTH: wave number.
WAVES = {
    "1d": 0.0,
    "2d": np.pi,
    "axisymmetric": float(jn_zeros(1, 1)[0]),
    "3d": np.sqrt(2.0) * np.pi,
}


def films(dimension: str, cells: int, thickness: tuple[float, float]) -> Stack:
    """Films ``upper`` and ``lower``, `cells` uniform cells along every direction."""
    shapes = {
        "1d": AREA,
        "axisymmetric": Lateral("disc", 2.0 * WIDTH, None, None, cells, 1.0),
    }
    plane = Lateral("rectangle", None, WIDTH, WIDTH, cells, 1.0)
    layers = (
        layer(name, size, size / cells)
        for name, size in zip(("upper", "lower"), thickness, strict=True)
    )
    return stack(*layers, dimension=dimension, lateral=shapes.get(dimension, plane))


def lateral_mode(dimension: str) -> Callable[[Floats], Floats]:
    """Eigenfunction of the lateral Laplacian at points (n, d) [m], 1 in the middle or corner."""

    def mode(points: Floats) -> Floats:
        if dimension == "axisymmetric":
            return np.asarray(j0(WAVES[dimension] * points[:, 0] / WIDTH))
        return np.asarray(np.prod(np.cos(np.pi * points[:, :-1] / WIDTH), axis=1))

    return mode


def points(device: Device) -> Floats:
    """Coordinates of all nodes [m]."""
    return np.asarray(device.volumes.coordinates[device.volumes.node_vertex])


def common(device: Device, spacings: tuple[float, ...]) -> NDArray[np.int64]:
    """Nodes on the lattice of the coarsest mesh, in an order that all meshes share."""
    lattice = points(device) / np.array(spacings)
    place = np.rint(lattice).astype(int)
    kept = np.flatnonzero(np.all(np.abs(lattice - place) < 1e-6, axis=1))
    keys = (device.volumes.node_region[kept], *place[kept].T)
    return np.asarray(kept[np.lexsort(keys)])


def fields(device: Device) -> dict[str, Floats]:
    """Quantities of the output files at all nodes."""
    return NodeFields(device.system).evaluate()

"""Hand-made meshes of simplices whose faces are not plane, and amounts on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.spatial import Delaunay

from ionstack.output.point_columns import Simplices
from ionstack.surface_analysis.contents import Contents

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class HandMade(Simplices):
    """What an instrument needs to know of a file, without a file."""

    points: FloatArray
    cells: IntArray
    region: IntArray
    region_names: tuple[str, ...] = ("film",)
    axisymmetric: bool = False
    arrays: dict[str, FloatArray] = field(default_factory=dict)
    path: Path = Path("by hand")
    times: FloatArray = field(default_factory=lambda: np.zeros(1))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.arrays)

    def values(self, name: str, step: int) -> FloatArray:
        return self.arrays[name]


def film(
    surface: Callable[[FloatArray], FloatArray],
    size: tuple[float, ...],
    cells: int,
    axisymmetric: bool = False,
    uneven: float = 0.0,
) -> HandMade:
    """Mesh what lies between a `surface`, depth by lateral coordinates [m], and a plane.

    `size` [m], the thickness last; vertices inside are moved by the share `uneven` of a cell.
    """
    dimension = len(size)
    axes = [np.linspace(0.0, 1.0, cells + 1)] * dimension
    unit = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, dimension)
    inside = np.all((unit > 0.0) & (unit < 1.0), axis=1)[:, None]
    unit += inside * np.random.default_rng(1).uniform(-uneven, uneven, unit.shape) / cells
    simplices = Delaunay(unit).simplices.astype(np.int64)
    points = np.zeros((len(unit), 3))
    points[:, :dimension] = unit * np.array(size)
    top = surface(points[:, : dimension - 1])
    points[:, dimension - 1] = top + (size[-1] - top) * unit[:, -1]
    whole = _solid(points[simplices][:, :, :dimension])
    region = np.zeros(int(whole.sum()), dtype=np.int64)
    return HandMade(points, simplices[whole], region, axisymmetric=axisymmetric)


def _solid(corners: FloatArray) -> npt.NDArray[np.bool_]:
    """Delaunay leaves flat simplices on the faces of a regular grid."""
    volume = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1]))
    return np.asarray(volume > 1e-6 * volume.max())


def integral(mesh: Contents, values: FloatArray) -> float:
    """Integrate linear elements; around an axis radius and content vary both."""
    corners = mesh.points[mesh.cells][:, :, : mesh.dimension]
    edges = corners[:, 1:] - corners[:, :1]
    volume = np.abs(np.linalg.det(edges)) / {1: 1, 2: 2, 3: 6}[mesh.dimension]
    at = values[mesh.cells]
    if not mesh.axisymmetric:
        return float((volume * at.mean(axis=1)).sum())
    radius = corners[:, :, 0]
    products = radius.sum(axis=1) * at.sum(axis=1) + (radius * at).sum(axis=1)
    return float((2.0 * np.pi * volume * products / 12.0).sum())

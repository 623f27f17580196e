"""Reading ``fields.vtkhdf`` back, for figures and instruments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import numpy.typing as npt

from ionstack.errors import InputError
from ionstack.output.point_columns import Simplices

if TYPE_CHECKING:
    import pyvista

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# Share of the stack next to each face of a layer that sets no colour limits.
DOUBLE_LAYER = 0.01


@dataclass(frozen=True)
class Fields(Simplices):
    """The geometry and the list of contents of a field file; values are read on demand.

    `times` (n_steps,) [s]; `points` (n_points, 3) [m]; `cells` (n_cells, k);
    `region` (n_cells,) index into `region_names`; `names` of the point arrays.
    """

    path: Path
    times: FloatArray
    points: FloatArray
    cells: IntArray
    cell_type: int
    region: IntArray
    region_names: tuple[str, ...]
    axisymmetric: bool
    names: tuple[str, ...]

    @cached_property
    def layers(self) -> tuple[tuple[str, float, float], ...]:
        """Name, upper and lower depth [m] of each region."""
        found = (
            (name, self.depth[self.cells[self.region == index]])
            for index, name in enumerate(self.region_names)
        )
        return tuple((name, float(d.min()), float(d.max())) for name, d in found if d.size)

    def inside(self) -> npt.NDArray[np.bool_]:
        """Return which points lie outside the double layers at the faces; all if none does."""
        return self.away_from_faces(self.depth)

    def away_from_faces(self, depth: FloatArray) -> npt.NDArray[np.bool_]:
        """Return which depths [m] lie outside the double layers; all if none does.

        Extremes within them would leave no colours for the films.
        """
        faces = np.array([edge for _, top, bottom in self.layers for edge in (top, bottom)])
        distance = np.abs(depth[:, None] - faces).min(axis=1)
        inside = distance > DOUBLE_LAYER * np.ptp(faces)
        return inside if inside.any() else np.ones_like(inside)

    def nearest_step(self, time: float) -> int:
        """Return the number of the step nearest to a time [s]."""
        return int(np.argmin(np.abs(self.times - time)))

    def values(self, name: str, step: int) -> FloatArray:
        """Return a point array (n_points,) at a step; raises InputError if absent."""
        if name not in self.names:
            raise InputError(f"{self.path}: has no array {name!r}; it has {', '.join(self.names)}")
        count = len(self.points)
        with h5py.File(self.path, "r") as file:
            start = int(file[f"VTKHDF/Steps/PointDataOffsets/{name}"][step])
            return np.asarray(file[f"VTKHDF/PointData/{name}"][start : start + count])

    def grid(self, step: int, names: Sequence[str] | None = None) -> pyvista.UnstructuredGrid:
        """Return a step as a PyVista grid with the named (or all) arrays and ``region``."""
        import pyvista

        sizes = np.full((len(self.cells), 1), self.cells.shape[1])
        types = np.full(len(self.cells), self.cell_type, dtype=np.uint8)
        cells = np.hstack([sizes, self.cells]).ravel()
        grid = pyvista.UnstructuredGrid(cells, types, self.points.copy())
        for name in self.names if names is None else names:
            grid.point_data[name] = self.values(name, step)
        grid.cell_data["region"] = self.region
        return grid


def read_fields(path: Path) -> Fields:
    """Open a field file written by `FieldsWriter`; raises InputError if it is not one."""
    try:
        with h5py.File(path, "r") as file:
            return _read(path, file["VTKHDF"])
    except (OSError, KeyError, IndexError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a field file: {error}") from error


def _read(path: Path, root: Any) -> Fields:
    n_cells = int(root["NumberOfCells"][0])
    names = root["FieldData/region names"].asstr("utf-8")[()]
    return Fields(
        path=path,
        times=np.asarray(root["Steps/Values"]),
        points=np.asarray(root["Points"]),
        cells=np.asarray(root["Connectivity"]).reshape(n_cells, -1),
        cell_type=int(root["Types"][0]),
        region=np.asarray(root["CellData/region"], dtype=np.int64),
        region_names=tuple(str(name) for name in names),
        axisymmetric=bool(root["FieldData/axisymmetric"][0]),
        names=tuple(root["PointData"]),
    )

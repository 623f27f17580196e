"""Files of fields that other programs have written, as simplices: VTK and XDMF of all kinds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ionstack.errors import InputError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Arrays = dict[str, npt.NDArray[Any]]

# Types of VTK: tetrahedron, triangle, line.
_SIMPLICES = {3: 10, 2: 5, 1: 3}
# VTK's reader of these ends the whole process where HDF5 holds the numbers.
_XDMF = (".xdmf", ".xmf")


@dataclass(frozen=True)
class Snapshot:
    """A mesh of simplices at one time: `points` (n, 3), `cells` (c, d + 1), arrays by name."""

    points: FloatArray
    cells: IntArray
    of_points: Arrays
    of_cells: Arrays

    @property
    def dimension(self) -> int:
        """Dimension of the cells, 1 to 3."""
        return self.cells.shape[1] - 1


@dataclass(frozen=True)
class ForeignFile:
    """A file with the `times` of its steps, none if it does not tell any; `read` takes a step."""

    path: Path
    times: FloatArray
    read: Callable[[int], Snapshot]


def open_foreign(path: Path) -> ForeignFile:
    """Open a file; raises InputError for one that cannot be read, also later from `read`."""
    opened = _opened_xdmf if path.suffix.lower() in _XDMF else _opened_vtk
    times, grid = _trying(path, lambda: opened(path))

    @lru_cache(maxsize=2)
    def read(step: int) -> Snapshot:
        snapshot: Snapshot = _trying(path, lambda: _snapshot(grid(step)))
        return snapshot

    return ForeignFile(path, np.asarray(times, dtype=np.float64), read)


def _trying(path: Path, work: Callable[[], Any]) -> Any:
    """Do what readers of other projects do, whatever they raise."""
    import pyvista

    try:
        errors = pyvista.VtkErrorCatcher(raise_errors=True, send_to_logging=False)
        with _quiet(), errors:
            return work()
    except Exception as error:
        raise InputError(f"{path}: cannot be read as a file of fields: {_said(error)}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """VTK prints nothing meanwhile."""
    from vtkmodules.vtkCommonCore import vtkLogger

    before = vtkLogger.GetCurrentVerbosityCutoff()
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
    try:
        yield
    finally:
        vtkLogger.SetStderrVerbosity(before)


def _said(error: Exception) -> str:
    """The first sentence of an error, without the place in VTK's source and the address."""
    lines = [line for line in str(error).splitlines() if not line.startswith("ERROR: In ")]
    return re.sub(r"^\w+ \(\w+\): ", "", lines[0]) if lines else type(error).__name__


_Opened = tuple[list[float], Callable[[int], Any]]


def _opened_vtk(path: Path) -> _Opened:
    """Times, and what gives the dataset of a step."""
    import pyvista

    opened: Callable[[Path], Any] = pyvista.get_reader
    reader = opened(path)
    if hasattr(reader, "set_active_time_point"):

        def at(step: int) -> Any:
            reader.set_active_time_point(step)
            return reader.read()

        return list(reader.time_values), at
    source = reader.reader
    source.UpdateInformation()
    information, key = source.GetOutputInformation(0), _time_steps()
    times = list(information.Get(key)) if information.Has(key) else []

    def later(step: int) -> Any:
        source.UpdateTimeStep(times[step])
        return pyvista.wrap(source.GetOutputDataObject(0)).copy()

    return times, later if times else lambda step: reader.read()


def _time_steps() -> Any:
    from vtkmodules.vtkCommonExecutionModel import vtkStreamingDemandDrivenPipeline

    return vtkStreamingDemandDrivenPipeline.TIME_STEPS()


def _opened_xdmf(path: Path) -> _Opened:
    import meshio
    import pyvista

    try:
        with meshio.xdmf.TimeSeriesReader(path) as series:
            series.read_points_cells()
            times = [float(series.read_data(step)[0]) for step in range(series.num_steps)]
    except meshio.ReadError:
        whole = meshio.read(path)
        return [], lambda step: pyvista.from_meshio(whole)

    def at(step: int) -> Any:
        with meshio.xdmf.TimeSeriesReader(path) as series:
            points, cells = series.read_points_cells()
            _, of_points, of_cells = series.read_data(step)
        return pyvista.from_meshio(meshio.Mesh(points, cells, of_points, of_cells))

    return times, at


def _snapshot(dataset: Any) -> Snapshot:
    """Split cells of the highest dimension into simplices."""
    import pyvista

    grid = _joined(dataset) if isinstance(dataset, pyvista.MultiBlock) else dataset
    split = grid.cast_to_unstructured_grid().linear_copy().triangulate()
    held = [one for one in _SIMPLICES.items() if np.any(split.celltypes == one[1])]
    if not held:
        raise ValueError("it holds no lines, faces or bodies")
    kind = held[0][1]
    chosen = split.celltypes == kind
    return Snapshot(
        np.asarray(split.points, dtype=np.float64),
        np.asarray(split.cells_dict[kind], dtype=np.int64),
        {name: _plain(split.point_data[name]) for name in split.point_data},
        {name: _plain(split.cell_data[name])[chosen] for name in split.cell_data},
    )


def _joined(blocks: Any) -> Any:
    """All blocks as one, the cells numbered by their ``block``."""
    import pyvista

    leaves = [one for one in blocks.recursive_iterator(skip_none=True) if one.n_cells]
    for number, leaf in enumerate(leaves):
        leaf.cell_data["block"] = np.full(leaf.n_cells, number)
    return pyvista.MultiBlock(leaves).combine()


def _plain(values: Any) -> npt.NDArray[Any]:
    """Numbers, without a second axis of length one."""
    array = np.asarray(values)
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array

"""``fields.vtkhdf``: fields at the snapshots of a run, written collectively."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import numpy.typing as npt

from ionstack.errors import raise_together
from ionstack.output import vtkhdf
from ionstack.output.atomic import partial_path, publish
from ionstack.output.carry import carry_over
from ionstack.output.steady_file import SteadyFile

if TYPE_CHECKING:
    from mpi4py import MPI

_TAG = 5115


@dataclass(frozen=True)
class FieldGrid:
    """One rank's share of the geometry: the cells it owns and the points they use.

    `points` (n_points, 3) [m]; `cells` (n_cells, k) indices of local points;
    `cell_type` VTK's number (3 line, 5 triangle, 10 tetrahedron); `region`
    (n_cells,) index into `region_names`. A point belongs to one region: a vertex
    on an interface appears once per adjoining region, so jumps stay sharp.
    `axisymmetric`: the first coordinate is a radius.
    """

    points: npt.NDArray[np.float64]
    cells: npt.NDArray[np.int64]
    cell_type: int
    region: npt.NDArray[np.integer[Any]]
    region_names: tuple[str, ...]
    axisymmetric: bool = False


class FieldsWriter:
    """Appends snapshots to a transient VTKHDF file; all methods are collective.

    Rank 0 writes with any build of h5py; it holds one rank's piece of one array
    at a time. The pieces form one VTK partition, so that readers return the same
    kind of grid with the same cells for any number of ranks (points on the border
    of two ranks appear once per rank). The geometry is stored once.

    The file is never changed in place: each snapshot goes into a copy, which then
    replaces the file, so a kill at any instant leaves all earlier snapshots. Cost:
    the file is copied once per snapshot, O(snapshots^2) bytes in all, and twice
    its size is needed on disk; at 100 snapshots of 2 MB that is 10 GB of copying.
    """

    def __init__(self, path: Path, comm: MPI.Comm, grid: FieldGrid) -> None:
        """Prepare the geometry; the file appears with the first snapshot.

        Raises ValueError (as NumericsError on all ranks) for an inconsistent grid.
        """
        self._path = path
        self._comm = comm
        self._names: tuple[str, ...] = ()
        self._steps = 0
        with raise_together(comm, f"preparing {path.name}"):
            _check(grid)
        self._points = np.array(comm.allgather(len(grid.points)), dtype=np.int64)
        self._cells = np.array(comm.allgather(len(grid.cells)), dtype=np.int64)
        self._file: h5py.File | None = None
        self._collectively(lambda: self._create(grid), self._geometry(grid))

    def append(self, time: float, point_data: Mapping[str, npt.NDArray[np.float64]]) -> None:
        """Add a snapshot at `time` [s]: arrays (n_local_points,) by name with unit.

        The names are those of the first snapshot; NaN marks "not defined here".
        On failure all ranks raise NumericsError and the file stays as it was.
        """
        self._agree_on_names(point_data)
        arrays = [(f"PointData/{name}", point_data[name]) for name in self._names]
        start = self._steps * int(self._points.sum())
        writes = [(name, np.float64, array, self._points, start) for name, array in arrays]
        self._collectively(self._reopen, writes, lambda: self._finish(time))
        self._steps += 1

    @property
    def steps(self) -> int:
        """Number of snapshots written."""
        return self._steps

    def keep(self, steps: int) -> None:
        """Go on with an earlier run's file after so many of its snapshots (collective).

        That run may have had another number of ranks. Call it before the first `append`.
        Raises InputError when the file has fewer.
        """
        names: tuple[str, ...] = ()
        with raise_together(self._comm, f"reading {self._path.name}"):
            if self._comm.rank == 0 and steps == 0:
                self._path.unlink(missing_ok=True)
            elif self._comm.rank == 0:
                names = carry_over(self._path, partial_path(self._path), steps)
                publish(self._path)
        self._names, self._steps = self._comm.bcast(names, root=0), steps

    def _agree_on_names(self, point_data: Mapping[str, npt.NDArray[np.float64]]) -> None:
        names = self._names or tuple(self._comm.bcast(sorted(point_data), root=0))
        expected = (int(self._points[self._comm.rank]),)
        with raise_together(self._comm, f"writing {self._path.name}"):
            if sorted(names) != sorted(point_data):
                raise ValueError(f"expected the arrays {sorted(names)}, got {sorted(point_data)}")
            for name, array in point_data.items():
                if np.shape(array) != expected:
                    raise ValueError(f"{name!r} has shape {np.shape(array)}, expected {expected}")
                if "/" in name or name in ("", "."):
                    raise ValueError(f"{name!r} cannot name an HDF5 array: write m^-3 for 1/m^3")
        self._names = names

    def _geometry(self, grid: FieldGrid) -> list[_Write]:
        first = int(self._points[: self._comm.rank].sum())
        k = grid.cells.shape[1]
        connectivity = vtkhdf.oriented(grid.points, grid.cells.astype(np.int64)) + first
        types = np.full(len(grid.cells), grid.cell_type)
        return [
            ("Points", np.float64, grid.points, self._points, 0),
            ("Connectivity", np.int64, connectivity.reshape(-1), self._cells * k, 0),
            ("Types", np.uint8, types, self._cells, 0),
            ("CellData/region", np.int32, grid.region, self._cells, 0),
        ]

    def _collectively(
        self,
        begin: Callable[[], None],
        writes: Sequence[_Write],
        end: Callable[[], None] | None = None,
    ) -> None:
        """Write on rank 0; after a failure there the communication still completes."""
        root = _FirstFailure()
        if self._comm.rank == 0:
            root.run(begin)
        for name, dtype, local, counts, start in writes:
            position = start
            for piece in self._pieces(np.asarray(local, dtype=dtype), counts):
                root.run(partial(self._store, name, piece, position))
                position += len(piece)
        if self._comm.rank == 0 and end is not None:
            root.run(end)
        if self._file is not None:
            root.run(self._close, always=True)
        if self._comm.rank == 0 and end is not None:
            root.run(lambda: publish(self._path))
        with raise_together(self._comm, f"writing {self._path.name}"):
            root.reraise(self._path)

    def _pieces(
        self, local: npt.NDArray[Any], counts: npt.NDArray[np.int64]
    ) -> Iterator[npt.NDArray[Any]]:
        """Yield every rank's array on rank 0, nothing elsewhere."""
        local = np.ascontiguousarray(local)
        if self._comm.rank != 0:
            self._comm.Send(local, dest=0, tag=_TAG)
            return
        yield local
        for source in range(1, self._comm.size):
            piece = np.empty((counts[source], *local.shape[1:]), dtype=local.dtype)
            self._comm.Recv(piece, source=source, tag=_TAG)
            yield piece

    def _create(self, grid: FieldGrid) -> None:
        self._open("w")
        assert self._file is not None
        cells, size = int(self._cells.sum()), grid.cells.shape[1]
        vtkhdf.create(self._file, int(self._points.sum()), cells, size)
        vtkhdf.add_texts(self._file, "region names", grid.region_names)
        vtkhdf.add_numbers(self._file, "axisymmetric", [int(grid.axisymmetric)])

    def _reopen(self) -> None:
        if self._steps > 0:
            shutil.copyfile(self._path, partial_path(self._path))
        self._open("r+")

    def _open(self, mode: str) -> None:
        self._disk = SteadyFile(partial_path(self._path), "w+" if mode == "w" else mode)
        self._file = h5py.File(self._disk, mode)

    def _close(self) -> None:
        assert self._file is not None
        self._file.close()
        self._file = None
        self._disk.close()
        self._disk.check()

    def _store(self, name: str, piece: npt.NDArray[Any], position: int) -> None:
        assert self._file is not None
        vtkhdf.store(self._file, name, piece, position)
        self._disk.check()

    def _finish(self, time: float) -> None:
        assert self._file is not None
        vtkhdf.add_step(self._file, time, self._names)


_Write = tuple[str, type[np.generic], npt.NDArray[Any], npt.NDArray[np.int64], int]


class _FirstFailure:
    """Runs work until the first failure, then skips the rest and remembers why."""

    def __init__(self) -> None:
        self._error: Exception | None = None

    def run(self, work: Callable[[], object], *, always: bool = False) -> None:
        if self._error is not None and not always:
            return
        try:
            work()
        except Exception as error:
            self._error = self._error or error

    def reraise(self, path: Path) -> None:
        if isinstance(self._error, OSError):
            self._error.filename = str(path)
        if self._error is not None:
            raise self._error


def _check(grid: FieldGrid) -> None:
    if grid.points.ndim != 2 or grid.points.shape[1] != 3:
        raise ValueError(f"points have shape {grid.points.shape}, expected (n, 3)")
    if grid.cells.ndim != 2 or len(grid.cells) != len(grid.region):
        raise ValueError(f"cells {grid.cells.shape} do not fit regions {grid.region.shape}")
    if grid.cells.size and not 0 <= grid.cells.min() <= grid.cells.max() < len(grid.points):
        raise ValueError("cells name points that do not exist on this rank")
    if grid.region.size and not 0 <= grid.region.min() <= grid.region.max() < len(
        grid.region_names
    ):
        raise ValueError("cells name regions that do not exist")

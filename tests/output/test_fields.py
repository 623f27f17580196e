from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import h5py
import numpy as np
import pytest
import pyvista
import vtk
from mpi4py import MPI

from ionstack.errors import InputError, NumericsError, OutputError
from ionstack.output.atomic import partial_path
from ionstack.output.field_reader import read_fields
from ionstack.output.fields import FieldGrid, FieldsWriter

LI = "x Li+ [1]"


def share(synthetic: ModuleType, comm: MPI.Intracomm, dimension: int) -> FieldGrid:
    """Layers dealt out to the ranks in turn; a fourth rank gets an empty share."""
    mine = range(comm.rank, 3, comm.size)
    grids = [synthetic.layer_grid(layer, dimension, 4, 5) for layer in mine]
    if grids:
        return synthetic.joined(grids)
    full = synthetic.layer_grid(0, dimension, 4, 5)
    return FieldGrid(
        full.points[:0], full.cells[:0], full.cell_type, full.region[:0], full.region_names
    )


def write(synthetic: ModuleType, comm: MPI.Intracomm, path: Path, dimension: int) -> FieldGrid:
    grid = share(synthetic, comm, dimension)
    writer = FieldsWriter(path, comm, grid)
    for _, when, doping in synthetic.STATES:
        writer.append(when, synthetic.point_data(grid, dimension, doping))
    return grid


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_any_number_of_ranks_gives_the_same_grid(
    shared_path: Path, comm: MPI.Intracomm, synthetic: ModuleType, dimension: int
) -> None:
    path = shared_path / "fields.vtkhdf"
    write(synthetic, comm, path, dimension)
    whole = synthetic.joined([synthetic.layer_grid(k, dimension, 4, 5) for k in range(3)])
    grid = pyvista.read(path)
    assert isinstance(grid, pyvista.UnstructuredGrid)
    assert grid.n_cells == len(whole.cells)
    assert grid.n_points == len(whole.points)
    assert set(grid.celltypes) == {whole.cell_type}
    assert list(grid.field_data["region names"]) == ["WO3", "LiPON", "MoO3"]
    np.testing.assert_array_equal(np.bincount(grid["region"]), np.bincount(whole.region))
    size = grid.compute_cell_sizes()[{1: "Length", 2: "Area", 3: "Volume"}[dimension]]
    width = 100e-6 ** (dimension - 1)
    # Positive sizes everywhere: cells are stored in VTK's orientation.
    assert size.min() > 0.0
    for index, (_, top, end) in enumerate(synthetic.LAYERS):
        thickness = size[grid["region"] == index].sum() / width
        np.testing.assert_allclose(thickness, end - top, rtol=1e-5)


def test_vtk_reads_times_and_values_of_every_step(
    shared_path: Path, comm: MPI.Intracomm, synthetic: ModuleType
) -> None:
    path = shared_path / "fields.vtkhdf"
    write(synthetic, comm, path, 2)
    reader = vtk.vtkHDFReader()
    reader.SetFileName(str(path))
    reader.UpdateInformation()
    information = reader.GetOutputInformation(0)
    stream = vtk.vtkStreamingDemandDrivenPipeline
    assert information.Get(stream.TIME_STEPS()) == (0.0, 5.0, 15.0)
    for _, when, doping in synthetic.STATES:
        information.Set(stream.UPDATE_TIME_STEP(), when)
        reader.Update()
        grid = pyvista.wrap(reader.GetOutputDataObject(0))
        for index, (name, _, _) in enumerate(synthetic.LAYERS):
            at = np.unique(grid.extract_cells(grid["region"] == index)["vtkOriginalPointIds"])
            points = grid.points[at]
            local = doping * (1.0 - 0.4 * (points[:, 0] / 100e-6) ** 2)
            expected = synthetic.quantities(points[:, 1], name, local)
            for quantity, values in expected.items():
                np.testing.assert_allclose(grid[quantity][at], values, rtol=1e-6)


def test_own_reader_agrees_with_vtk(
    shared_path: Path, comm: MPI.Intracomm, synthetic: ModuleType
) -> None:
    path = shared_path / "fields.vtkhdf"
    write(synthetic, comm, path, 3)
    fields = read_fields(path)
    grid = pyvista.read(path)
    assert (fields.dimension, fields.region_names) == (3, ("WO3", "LiPON", "MoO3"))
    assert [name for name, _, _ in fields.layers] == ["WO3", "LiPON", "MoO3"]
    np.testing.assert_allclose([top for _, top, _ in fields.layers], [0.0, 100e-9, 220e-9])
    np.testing.assert_array_equal(fields.values(LI, 0), grid[LI])
    np.testing.assert_array_equal(fields.grid(0)["region"], grid["region"])
    np.testing.assert_array_equal(fields.grid(2)[LI], fields.values(LI, 2))
    assert fields.nearest_step(6.0) == 1
    with pytest.raises(InputError, match=r"has no array 'nothing'; it has .*potential \[V\]"):
        fields.values("nothing", 0)


def test_jump_at_an_interface_stays_sharp(
    shared_path: Path, comm: MPI.Intracomm, synthetic: ModuleType
) -> None:
    path = shared_path / "fields.vtkhdf"
    write(synthetic, comm, path, 1)
    fields = read_fields(path)
    at = np.isclose(fields.depth, 100e-9, atol=1e-12)
    assert at.sum() == 2
    assert np.ptp(fields.values(LI, 0)[at]) > 0.5


def test_geometry_is_stored_once_and_compressed(
    shared_path: Path, comm: MPI.Intracomm, synthetic: ModuleType
) -> None:
    path = shared_path / "fields.vtkhdf"
    write(synthetic, comm, path, 2)
    with h5py.File(path) as file:
        root = file["VTKHDF"]
        points = int(root["NumberOfPoints"][0])
        assert root["Points"].shape == (points, 3)
        assert root["Connectivity"].shape == (3 * int(root["NumberOfCells"][0]),)
        assert root["PointData"][LI].shape == (3 * points,)
        assert root["PointData"][LI].compression == "gzip"
        assert root["PointData"][LI].shuffle
        assert root["Steps"].attrs["NSteps"] == 3


def test_file_appears_with_the_first_snapshot(
    shared_path: Path, comm: MPI.Intracomm, synthetic: ModuleType
) -> None:
    path = shared_path / "fields.vtkhdf"
    grid = share(synthetic, comm, 1)
    writer = FieldsWriter(path, comm, grid)
    assert not path.exists()
    comm.Barrier()
    writer.append(0.0, synthetic.point_data(grid, 1, 0.0))
    assert path.exists()
    assert not partial_path(path).exists()


def test_failure_to_write_reaches_all_ranks_and_keeps_the_file(
    shared_path: Path, comm: MPI.Intracomm, synthetic: ModuleType
) -> None:
    path = shared_path / "fields.vtkhdf"
    grid = share(synthetic, comm, 2)
    writer = FieldsWriter(path, comm, grid)
    writer.append(0.0, synthetic.point_data(grid, 2, 0.0))
    if comm.rank == 0:
        partial_path(path).mkdir()
    with pytest.raises(OutputError, match=r"/fields\.vtkhdf: Is a directory"):
        writer.append(1.0, synthetic.point_data(grid, 2, 0.1))
    assert read_fields(path).times.tolist() == [0.0]
    comm.Barrier()
    if comm.rank == 0:
        partial_path(path).rmdir()
    writer.append(2.0, synthetic.point_data(grid, 2, 0.1))
    assert read_fields(path).times.tolist() == [0.0, 2.0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"extra [1]": np.zeros(1)}, "expected the arrays"),
        ({LI: np.zeros(1)}, r"'x Li\+ \[1\]' has shape \(1,\), expected"),
    ],
)
def test_wrong_arrays_on_the_last_rank_are_refused_on_all(
    shared_path: Path,
    comm: MPI.Intracomm,
    synthetic: ModuleType,
    change: dict[str, np.ndarray],
    message: str,
) -> None:
    grid = share(synthetic, comm, 2)
    writer = FieldsWriter(shared_path / "fields.vtkhdf", comm, grid)
    data = synthetic.point_data(grid, 2, 0.0)
    writer.append(0.0, data)
    wrong = {**data, **change} if comm.rank == comm.size - 1 else data
    with pytest.raises(NumericsError, match=message):
        writer.append(1.0, wrong)
    writer.append(2.0, data)
    assert read_fields(shared_path / "fields.vtkhdf").times.tolist() == [0.0, 2.0]


def test_slash_in_a_name_is_refused(tmp_path: Path, synthetic: ModuleType) -> None:
    grid = synthetic.layer_grid(0, 1)
    writer = FieldsWriter(tmp_path / "fields.vtkhdf", MPI.COMM_SELF, grid)
    with pytest.raises(NumericsError, match=r"write m\^-3 for 1/m\^3"):
        writer.append(0.0, {"Li+ [1/m^3]": np.zeros(len(grid.points))})


def test_inconsistent_grids_are_refused(tmp_path: Path, synthetic: ModuleType) -> None:
    good = synthetic.layer_grid(0, 2)
    wrong = (
        (good.points[:, :2], good.cells, good.region, "expected \\(n, 3\\)"),
        (good.points[:5], good.cells, good.region, "points that do not exist"),
        (good.points, good.cells, good.region + 7, "regions that do not exist"),
        (good.points, good.cells, good.region[:3], "do not fit regions"),
    )
    for points, cells, region, message in wrong:
        grid = FieldGrid(points, cells, 5, region, good.region_names)
        with pytest.raises(NumericsError, match=message):
            FieldsWriter(tmp_path / "fields.vtkhdf", MPI.COMM_SELF, grid)


def test_reading_something_else_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "fields.vtkhdf"
    with pytest.raises(InputError, match=r"fields\.vtkhdf: cannot be read as a field file"):
        read_fields(path)
    path.write_bytes(b"not HDF5")
    with pytest.raises(InputError, match=r"fields\.vtkhdf: cannot be read as a field file"):
        read_fields(path)


CHILD = """
import importlib.util, sys
from pathlib import Path
from mpi4py import MPI
from ionstack.output.fields import FieldsWriter
spec = importlib.util.spec_from_file_location("synthetic", sys.argv[1])
synthetic = importlib.util.module_from_spec(spec)
spec.loader.exec_module(synthetic)
grid = synthetic.joined([synthetic.layer_grid(k, 2, 30, 30) for k in range(3)])
writer = FieldsWriter(Path(sys.argv[2]), MPI.COMM_SELF, grid)
for step in range(100000):
    writer.append(float(step), synthetic.point_data(grid, 2, 0.0))
"""


@pytest.mark.skipif(MPI.COMM_WORLD.size > 1, reason="starts a process of its own")
@pytest.mark.parametrize("delay", [0.05, 0.31])
def test_kill_leaves_the_last_complete_file(
    tmp_path: Path, synthetic: ModuleType, delay: float
) -> None:
    path = tmp_path / "fields.vtkhdf"
    source = Path(FieldsWriter.append.__code__.co_filename).parents[2]
    command = [sys.executable, "-c", CHILD, synthetic.__file__, str(path)]
    child = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(source)})
    try:
        while not path.exists():
            assert child.poll() is None
            time.sleep(0.01)
        time.sleep(delay)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    fields = read_fields(path)
    assert fields.times.tolist() == list(range(len(fields.times)))
    assert len(fields.times) >= 1
    last = fields.values(LI, len(fields.times) - 1)
    np.testing.assert_array_equal(last, fields.values(LI, 0))
    assert pyvista.read(path).n_cells == 3 * 2 * 29 * 29

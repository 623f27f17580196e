"""What a map of voxels costs: hand-made results of three layers, and all signals of each voxel."""

from __future__ import annotations

import itertools
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from ionstack.benchmarks.measure import Run
from ionstack.output import names
from ionstack.output.fields import FieldGrid, FieldsWriter
from ionstack.output.run_directory import RunDirectory, claim
from ionstack.surface_analysis.order import Order
from ionstack.surface_analysis.run import run_sims
from ionstack.surface_analysis.setup import load_setup

FloatArray = npt.NDArray[np.float64]

_RADIUS = 100e-6
_LAYERS = (("WO3", 0.0, 100e-9), ("LiPON", 100e-9, 200e-9), ("MoO3", 200e-9, 300e-9))
_CASE = """stack:
  layers:
  - {name: WO3, material: WO3}
  - {name: LiPON, material: LiPON}
  - {name: MoO3, material: MoO3}
  top: {name: Pt, material: Pt}
  bottom: {name: ITO, material: ITO}
  lateral: {shape: disc, diameter: 2.0e-04, width: null, depth: null}
"""
# Cell types of VTK by dimension.
_TRIANGLE, _TETRAHEDRON = 5, 10


def voxel_map(lateral: int, axial: int, dimension: int, pixels: int) -> Run:
    """Count all signals of a result in `pixels` by `pixels` by half as many voxels, into a file."""
    setup = load_setup(
        "tof_sims_c60", [f"imaging.pixels={pixels}", f"imaging.depths={pixels // 2}"]
    )
    with TemporaryDirectory() as folder:
        run = write_result(Path(folder) / "run", lateral, axial, dimension)
        begin, worked = perf_counter(), process_time()
        run_sims(run.path, setup, Order(maps=True, figures=False))
        numbers = {"seconds": perf_counter() - begin, "work": process_time() - worked}
    return Run(numbers)


def write_result(path: Path, lateral: int, axial: int, dimension: int) -> RunDirectory:
    """Write a result with `lateral` places along each axis and `axial` nodes in each layer.

    With two dimensions it is axisymmetric. Li is richer in the middle.
    """
    run = claim(path, _CASE, MPI.COMM_SELF)
    parts = [_layer(number, lateral, axial, dimension) for number in range(len(_LAYERS))]
    points, cells = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
    region = np.repeat(np.arange(len(_LAYERS)), len(cells) // len(_LAYERS))
    titles = tuple(name for name, _, _ in _LAYERS)
    kind = _TRIANGLE if dimension == 2 else _TETRAHEDRON
    grid = FieldGrid(points, cells, kind, region, titles, dimension == 2)
    FieldsWriter(run.fields, MPI.COMM_SELF, grid).append(0.0, {names.density("Li+"): _li(points)})
    return run


def _li(points: FloatArray) -> FloatArray:
    far = np.hypot(points[:, 0], points[:, 1] * (np.ptp(points[:, 1]) > 1e-6)) / _RADIUS
    return np.asarray(6e27 * (1.0 + 0.5 * np.exp(-(far**2) / 0.1)))


def _layer(
    number: int, lateral: int, axial: int, dimension: int
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    _, top, bottom = _LAYERS[number]
    first = 0.0 if dimension == 2 else -_RADIUS
    across = [np.linspace(first, _RADIUS, lateral)] * (dimension - 1)
    axes = [*across, np.linspace(top, bottom, axial)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, dimension)
    cells = _simplices(tuple(map(len, axes))) + number * len(points)
    return np.pad(points, ((0, 0), (0, 3 - dimension))), cells


def _simplices(counts: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """Split the boxes of a grid into simplices along their main diagonals (Kuhn)."""
    number = np.arange(int(np.prod(counts))).reshape(counts)
    steps = np.eye(len(counts), dtype=np.int64)
    cells = []
    for order in itertools.permutations(range(len(counts))):
        corners = np.cumsum([np.zeros(len(counts), dtype=np.int64), *steps[list(order)]], axis=0)
        boxes = [
            number[tuple(slice(o, n - 1 + o) for o, n in zip(corner, counts, strict=True))].ravel()
            for corner in corners
        ]
        cells.append(np.stack(boxes, axis=1))
    return np.concatenate(cells).astype(np.int64)

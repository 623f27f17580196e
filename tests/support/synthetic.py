"""Hand-made runs: the files of a 1-D, 2-D and 3-D run without a solver."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from ionstack.output import names
from ionstack.output.fields import FieldGrid, FieldsWriter
from ionstack.output.profiles import Profile, ProfileWriter
from ionstack.output.run_directory import RunDirectory, claim
from ionstack.output.trace import TraceWriter

FloatArray = npt.NDArray[np.float64]

LAYERS = (("WO3", 0.0, 100e-9), ("LiPON", 100e-9, 220e-9), ("MoO3", 220e-9, 300e-9))
STATES = (("start", 0.0, 0.0), ("most negative", 5.0, -0.2), ("most positive", 15.0, 0.15))
CASE = "name: synthetic\nrate: 1 V/s\n"


def quantities(depth: FloatArray, layer: str, doping: float) -> dict[str, FloatArray]:
    """Return plausible fields of one layer; `doping` shifts Li between the hosts."""
    sign = np.full_like(depth, {"WO3": -1.0, "LiPON": 0.0, "MoO3": 1.0}[layer])
    base = {"WO3": 0.3, "LiPON": 0.9, "MoO3": 0.35}[layer]
    ripple = 0.03 * np.cos(depth / 40e-9)
    x_li = np.clip(base + sign * doping + (0.0 if layer == "LiPON" else ripple), 0.01, 0.99)
    electrons = np.full_like(depth, 1e9) if layer == "LiPON" else 1e28 * x_li
    return {
        names.POTENTIAL: -4.0 + sign * 0.4 + doping * depth / 300e-9,
        names.density("Li+"): 2e28 * x_li,
        names.site_fraction("Li+"): x_li,
        names.density("e-"): electrons,
        names.electrochemical_potential("Li+"): np.where(depth < 2e-7, -1.0, np.nan),
    }


def write_trace(path: Path, cycles: int = 8) -> None:
    """Write triangles of 1 V/s: half of them to -2 V, then half to +1 V."""
    conductance, time = 1e-9, 0.0
    with TraceWriter(path, ("Pt", "ITO")) as trace:
        trace.append(0.0, {"Pt": 0.0, "ITO": 0.0}, {"Pt": 0.0, "ITO": 0.0}, 0.0, 0, 0)
        for cycle in range(1, cycles + 1):
            amplitude = -2.0 if cycle <= cycles // 2 else 1.0
            shape = np.concatenate([np.linspace(0, 1, 41)[1:], np.linspace(1, 0, 41)[1:]])
            for k, share in enumerate(shape):
                rate = np.sign(amplitude) * (1.0 if k < 40 else -1.0)
                conductance *= 1.0 - 0.006 * np.sign(amplitude) * share
                volts = amplitude * share
                amps = conductance * np.sinh(2.0 * volts) / 2.0 + 2e-10 * rate
                step = abs(amplitude) / 40
                time += step
                trace.append(
                    time, {"Pt": volts, "ITO": 0.0}, {"Pt": amps, "ITO": -amps}, step, 3, cycle
                )


def write_profiles(path: Path) -> None:
    """Write the three named states."""
    writer = ProfileWriter(path)
    for state, time, doping in STATES:
        parts = [(np.linspace(top, end, 25), name) for name, top, end in LAYERS]
        columns = [quantities(depth, name, doping) for depth, name in parts]
        merged = {key: np.concatenate([c[key] for c in columns]) for key in columns[0]}
        regions = tuple(name for depth, name in parts for _ in depth)
        writer.add(Profile(state, time, np.concatenate([d for d, _ in parts]), regions, merged))


def _box_cells(counts: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """Split the boxes of a structured grid into simplices along their main diagonals."""
    number = np.arange(int(np.prod(counts))).reshape(counts)
    dimension = len(counts)
    cells = []
    for order in itertools.permutations(range(dimension)):
        corner = np.zeros(dimension, dtype=int)
        corners = [corner.copy()]
        for axis in order:
            corner[axis] = 1
            corners.append(corner.copy())
        window = [
            number[tuple(slice(o, n - 1 + o) for o, n in zip(c, counts, strict=True))].ravel()
            for c in corners
        ]
        cells.append(np.stack(window, axis=1))
    return np.concatenate(cells).astype(np.int64)


def layer_grid(layer: int, dimension: int, lateral: int = 9, axial: int = 9) -> FieldGrid:
    """Return one layer, 200 µm wide where it has a width."""
    _, top, end = LAYERS[layer]
    axes = [np.linspace(0.0, 100e-6, lateral)] * (dimension - 1) + [np.linspace(top, end, axial)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, dimension)
    cells = _box_cells(tuple(len(a) for a in axes))
    padded = np.pad(points, ((0, 0), (0, 3 - dimension)))
    kind = {1: 3, 2: 5, 3: 10}[dimension]
    region = np.full(len(cells), layer)
    return FieldGrid(padded, cells, kind, region, tuple(n for n, _, _ in LAYERS), dimension == 2)


def joined(grids: list[FieldGrid]) -> FieldGrid:
    """Put grids together as one rank's share; points stay per region."""
    starts = np.cumsum([0, *(len(g.points) for g in grids)])
    first = grids[0]
    return FieldGrid(
        np.concatenate([g.points for g in grids]),
        np.concatenate([g.cells + s for g, s in zip(grids, starts[:-1], strict=True)]),
        first.cell_type,
        np.concatenate([g.region for g in grids]),
        first.region_names,
        first.axisymmetric,
    )


def point_data(grid: FieldGrid, dimension: int, doping: float) -> Mapping[str, FloatArray]:
    """Return the arrays of a grid whose points are ordered by layer; Li lags at the rim."""
    depth = grid.points[:, dimension - 1]
    local = doping * (1.0 - 0.4 * (grid.points[:, 0] / 100e-6) ** 2) if dimension > 1 else doping
    layer = np.zeros(len(depth), dtype=int)
    layer[grid.cells.ravel()] = np.repeat(grid.region, grid.cells.shape[1])
    result = {name: np.empty(len(depth)) for name in quantities(depth[:1], LAYERS[0][0], 0.0)}
    for index, (name, _, _) in enumerate(LAYERS):
        at = layer == index
        shift = local[at] if isinstance(local, np.ndarray) else local
        for key, values in quantities(depth[at], name, shift).items():
            result[key][at] = values
    return result


def write_run(path: Path, dimension: int) -> RunDirectory:
    """Write a whole run of a dimension on this rank alone."""
    run = claim(path, CASE, MPI.COMM_SELF)
    write_trace(run.trace)
    write_profiles(run.profiles)
    grid = joined([layer_grid(layer, dimension) for layer in range(3)])
    fields = FieldsWriter(run.fields, MPI.COMM_SELF, grid)
    for _, time, doping in STATES:
        fields.append(time, point_data(grid, dimension, doping))
    return run

"""The reference problems in two and three dimensions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import gmsh
import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.benchmarks.devices import (
    ACCEPTORS,
    Floats,
    diode_model,
    ion_model,
)
from ionstack.geometry.stack import Electrode, Lateral, Layer, Stack
from ionstack.models.model import Model

Ints = NDArray[np.int64]
# Of a stack whose mesh is a file: depth 1 m, so that results are per metre.
_FILM = (Layer("film", "film", 0.0, 1e-9, 1.0),)
_DONORS = 1e22  # 1/m^3


@contextmanager
def diode_plane(nx: int, ny: int, comm: MPI.Comm) -> Iterator[tuple[Stack, Model]]:
    """Give the diode of 4 x 2 um with a round junction; the anode covers 0.5 um (collective)."""
    with _rectangle((4e-6, 2e-6), (nx, ny), (0.5e-6, np.inf), comm) as path:
        yield _from_file(path, ("anode", "cathode"), 4e-6), diode_model(_round)


@contextmanager
def ion_plane(cells: int, comm: MPI.Comm) -> Iterator[tuple[Stack, Model]]:
    """Give 100 x 100 nm of mobile ions; the first electrode covers half the width."""
    contacts = ("driven", "grounded")
    with _rectangle((1e-7, 1e-7), (cells, cells), (0.5e-7, np.inf), comm, contacts) as path:
        yield _from_file(path, contacts, 1e-7), ion_model(contacts)


def diode_block(cells: int) -> tuple[Stack, Model]:
    """Return a diode of 2 x 2 x 2 um with a wavy junction, `cells` along every edge."""
    length = 2e-6
    lateral = Lateral("rectangle", None, length, length, cells, 1.0)
    layers = (Layer("film", "film", length, length / cells, 1.0),)
    top, bottom = Electrode("anode", "anode"), Electrode("cathode", "cathode")
    stack = Stack("bench", Path("bench.yaml"), "3d", layers, top, bottom, lateral)

    def doping(points: Floats) -> Floats:
        waves = np.cos(np.pi * points[:, :2] / length).prod(axis=1)
        depth = points[:, 2] - 1e-6 - 0.3e-6 * waves
        return _junction(depth)

    return stack, diode_model(doping)


def _round(points: Floats) -> Floats:
    return _junction(np.hypot(points[:, 0], points[:, 1]) - 1e-6)


def _junction(distance: Floats) -> Floats:
    """Net doping [1/m^3] at a distance [m] from the junction, donors at positive ones."""
    acceptors = 0.5 * (ACCEPTORS + _DONORS) * (1.0 - np.tanh(distance / 0.1e-6))
    return np.asarray(_DONORS - acceptors)


def _from_file(path: Path, contacts: tuple[str, str], width: float) -> Stack:
    lateral = Lateral("rectangle", None, width, 1.0, 1, 1.0)
    top, bottom = (Electrode(name, name) for name in contacts)
    return Stack("bench", Path("bench.yaml"), "2d", _FILM, top, bottom, lateral, path)


@contextmanager
def _rectangle(
    size: tuple[float, float],
    cells: tuple[int, int],
    covered: tuple[float, float],
    comm: MPI.Comm,
    contacts: tuple[str, str] = ("anode", "cathode"),
) -> Iterator[Path]:
    """Give a file of uniform right triangles, written by rank 0 (collective)."""
    with TemporaryDirectory() as folder:
        path = Path(comm.bcast(folder, root=0)) / "mesh.msh"
        if comm.rank == 0:
            _write(path, size, cells, dict(zip(contacts, covered, strict=True)))
        comm.barrier()
        yield path
        comm.barrier()


def _write(
    path: Path, size: tuple[float, float], cells: tuple[int, int], covered: dict[str, float]
) -> None:
    """Write triangles; every contact covers the edges of its side up to a width [m]."""
    nx, ny = cells
    x, y = (length * np.arange(n + 1) / n for length, n in zip(size, cells, strict=True))
    points = np.column_stack([np.tile(x, ny + 1), np.repeat(y, nx + 1), np.zeros(len(x) * len(y))])
    corner = (np.arange(ny)[:, None] * (nx + 1) + np.arange(nx)).ravel()
    lower = np.column_stack([corner, corner + 1, corner + nx + 2])
    upper = np.column_stack([corner, corner + nx + 2, corner + nx + 1])
    middles = 0.5 * (x[1:] + x[:-1])
    starts = {
        name: row * (nx + 1) + np.flatnonzero(middles < width)
        for row, (name, width) in zip((0, ny), covered.items(), strict=True)
    }
    segments = {name: np.column_stack([start, start + 1]) for name, start in starts.items()}
    gmsh.initialize([], readConfigFiles=False, interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        _add(points, np.concatenate([lower, upper]), segments)
        gmsh.write(str(path))
    finally:
        gmsh.finalize()


def _add(points: Floats, triangles: Ints, segments: dict[str, Ints]) -> None:
    model = gmsh.model
    surface = model.addDiscreteEntity(2)
    model.mesh.addNodes(2, surface, np.arange(1, len(points) + 1), points.ravel())
    model.mesh.addElementsByType(surface, 2, [], (triangles + 1).ravel())
    for name, pairs in segments.items():
        curve = model.addDiscreteEntity(1)
        model.mesh.addElementsByType(curve, 1, [], (pairs + 1).ravel())
        model.addPhysicalGroup(1, [curve], name=name)
    model.addPhysicalGroup(2, [surface], name="film")

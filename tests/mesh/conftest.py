"""Stacks and shared folders for the mesh tests; they run on any number of ranks."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mpi4py import MPI

from ionstack.geometry.stack import Electrode, Lateral, Layer, Stack

DISC = Lateral("disc", 200e-6, None, None, 4, 1.0)
RECTANGLE = Lateral("rectangle", None, 80e-6, 30e-6, 4, 2.0)
FILMS = (("oxide", 80e-9), ("electrolyte", 25.3e-9), ("counter", 50e-9))


@pytest.fixture
def comm() -> MPI.Intracomm:
    return MPI.COMM_WORLD


@pytest.fixture
def make_stack() -> Callable[..., Stack]:
    def make(dimension: str, **changes: Any) -> Stack:
        first_cell = changes.pop("first_cell", 2e-9)
        growth = changes.pop("growth", 1.6)
        layers = tuple(Layer(name, name, size, first_cell, growth) for name, size in FILMS)
        stack = Stack(
            name="sample",
            path=Path("sample.yaml"),
            dimension=dimension,  # type: ignore[arg-type]
            layers=layers,
            top=Electrode("cathode", "Pt"),
            bottom=Electrode("anode", "ITO"),
            lateral=DISC,
            mesh_file=None,
        )
        return replace(stack, **changes)

    return make


@pytest.fixture
def own_path() -> Iterator[Path]:
    """Give a folder of this rank; pytest's own are raced for by the ranks."""
    with tempfile.TemporaryDirectory(prefix="ionstack-mesh-") as folder:
        yield Path(folder)


@pytest.fixture
def shared_path(comm: MPI.Intracomm) -> Iterator[Path]:
    """Give one folder that all ranks see, removed by rank 0."""
    made = tempfile.mkdtemp(prefix="ionstack-mesh-") if comm.rank == 0 else None
    folder = Path(comm.bcast(made, root=0))
    yield folder
    comm.barrier()
    if comm.rank == 0:
        shutil.rmtree(folder)

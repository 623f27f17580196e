from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from mpi4py import MPI

from support import synthetic as synthetic_runs


@pytest.fixture(scope="session")
def comm() -> MPI.Intracomm:
    return MPI.COMM_WORLD


@pytest.fixture
def shared_path(tmp_path: Path, comm: MPI.Intracomm) -> Path:
    """One temporary folder for all ranks."""
    path = Path(comm.bcast(str(tmp_path), root=0))
    comm.Barrier()
    return path


@pytest.fixture(scope="session")
def synthetic() -> ModuleType:
    """The hand-made runs of `support.synthetic`."""
    return synthetic_runs

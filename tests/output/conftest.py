from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from mpi4py import MPI


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
    """The hand-made runs of synthetic.py, next to this file."""
    spec = importlib.util.spec_from_file_location(
        "ionstack_synthetic_runs", Path(__file__).with_name("synthetic.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

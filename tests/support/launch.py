"""Starting programs on several MPI ranks from a serial test."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent


def launch(
    ranks: int, arguments: Sequence[str], timeout: float = 900.0
) -> subprocess.CompletedProcess[str]:
    """Run ``python ARGUMENTS`` on `ranks` ranks; a hang fails the test after `timeout` s."""
    mpirun = shutil.which("mpirun")
    if mpirun is None:
        pytest.skip("mpirun is not on PATH")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "solver"), str(TESTS)]),
        "OPENBLAS_NUM_THREADS": "1",
        # Every rank compiles kernels of its own; here that takes longer than running them.
        "XLA_FLAGS": "--xla_backend_optimization_level=0",
        # Ranks that wait leave their core to those that work.
        "OMPI_MCA_mpi_yield_when_idle": "1",
    }
    command = [mpirun, "--oversubscribe", "-n", str(ranks), sys.executable, *arguments]
    with _cores():
        return subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            timeout=timeout,
            capture_output=True,
            text=True,
            check=False,
        )


@contextmanager
def _cores() -> Iterator[None]:
    """Wait until no other worker has ranks running: they would wait for each other's cores."""
    with (Path(tempfile.gettempdir()) / f"ionstack-ranks-{os.getuid()}").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

"""Run one program of `ionstack.peers.codes` in the peers' environment.

python -m ionstack.peers.run devsim_diode --cells 200 100
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ionstack.errors import InputError, NumericsError
from ionstack.peers import environment, festim_setup

_HERE = Path(__file__).resolve().parent
_LINES_OF_ERROR = 5
_THREADING = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def run_peer(
    script: str, arguments: Sequence[str] = (), threads: int = 1, timeout: float = 600.0
) -> dict[str, Any]:
    """Return the report of one run of another code.

    Args:
        script: name of a module in `ionstack.peers.codes`.
        arguments: its command line.
        threads: threads for assembly and linear algebra, where the code has them.
        timeout: longest wall time [s].
    """
    if not (_HERE / "codes" / f"{script}.py").is_file():
        raise InputError(f"no program {script!r} in {_HERE / 'codes'}")
    interpreter, variables = _interpreter(script)
    command = [interpreter, "-m", f"codes.{script}", *arguments]
    threading = dict.fromkeys(_THREADING, str(threads))
    line = _last_line(command, os.environ | variables | threading, timeout)
    report: dict[str, Any] = json.loads(line)
    return report


def _interpreter(script: str) -> tuple[str, dict[str, str]]:
    """Python for a program and its variables; FESTIM shares this Python's DOLFINx."""
    if script.startswith("festim"):
        packages = _existing(festim_setup.folder(), festim_setup.COMMAND)
        return sys.executable, {"PYTHONPATH": f"{packages}{os.pathsep}{_HERE}"}
    where = _existing(environment.folder(), environment.COMMAND)
    variables = {
        "PYTHONPATH": str(_HERE),
        "DEVSIM_MATH_LIBS": environment.math_library(where),
        "PYBAMM_DISABLE_TELEMETRY": "true",
    }
    return str(environment.python(where)), variables


def _existing(where: Path, command: str) -> Path:
    if not where.is_dir():
        raise InputError(f"the other code is not installed; make its environment: {command}")
    return where


def _last_line(command: Sequence[str], variables: dict[str, str], timeout: float) -> str:
    """Run a command; what it prints before its last line is of no interest."""
    name = " ".join(command[2:])
    try:
        result = subprocess.run(
            command, env=variables, capture_output=True, text=True, timeout=timeout, check=True
        )
    except subprocess.TimeoutExpired as error:
        raise NumericsError(f"{name} took longer than {timeout:g} s") from error
    except subprocess.CalledProcessError as error:
        last = "\n".join(str(error.stderr).splitlines()[-_LINES_OF_ERROR:])
        raise NumericsError(f"{name} failed:\n{last}") from error
    return result.stdout.splitlines()[-1]


if __name__ == "__main__":
    print(json.dumps(run_peer(sys.argv[1], sys.argv[2:]), indent=1))

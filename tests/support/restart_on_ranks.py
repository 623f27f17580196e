"""A program for ``mpirun``: runs the small case, is interrupted on one rank, and resumes.

``python -m support.restart_on_ranks CASE FOLDER TASK...`` with the tasks ``whole``, ``cut``
(into FOLDER/cut), ``resume`` (of FOLDER/cut).
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from mpi4py import MPI

from ionstack.abort import abort_on_crash
from ionstack.casefile.case import Case, load_case
from ionstack.compute import configure
from ionstack.errors import Interrupted
from ionstack.runs import running
from ionstack.stepping.states import State
from support.devices import COARSE
from support.restarts import run

COMM = MPI.COMM_WORLD
CUT = 40  # accepted steps


def cut(case: Case, folder: Path) -> None:
    """Ctrl-C that only the last rank hears ends all ranks after the same step."""
    show, seen = running._show, []

    def hooked(observers: list[running.Observer], state: State) -> OSError | None:
        seen.append(state.time)
        if len(seen) == CUT and COMM.rank == COMM.size - 1:
            os.kill(os.getpid(), signal.SIGINT)
        return show(observers, state)

    running._show = hooked
    try:
        run(case, folder, COMM)
    except Interrupted as error:
        messages = COMM.allgather(str(error))
    assert len(seen) == CUT
    assert len(set(messages)) == 1
    assert f"-n {COMM.size}" in messages[0] or COMM.size == 1
    running._show = show


def main(file: Path, folder: Path, tasks: list[str]) -> None:
    """Run the tasks in turn."""
    configure()
    abort_on_crash(COMM)
    case = load_case(file, COARSE)
    for task in tasks:
        if task == "cut":
            cut(case, folder / "cut")
        else:
            run(case, folder / ("cut" if task == "resume" else "whole"), COMM, task == "resume")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])

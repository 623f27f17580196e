"""Run every mistake under MPI and print the exit status of every rank.

Usage: mpirun -n 2 python all_mistakes.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from mistakes import MISTAKES, prepare
from mpi4py import MPI

from ionstack.cli import main

comm = MPI.COMM_WORLD
for number, mistake in enumerate(MISTAKES):
    arguments = None
    if comm.rank == 0:
        arguments = prepare(Path(sys.argv[1]) / str(number), mistake)
    arguments = comm.bcast(arguments, root=0)
    statuses = comm.gather(main(arguments), root=0)
    if statuses is not None:
        print(f"{mistake.name}:", *statuses, flush=True)

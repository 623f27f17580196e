"""One case in one folder: claimed, logged, begun or gone on with."""

from __future__ import annotations

from pathlib import Path

from mpi4py import MPI

from ionstack.casefile.case import Case
from ionstack.compute import configure
from ionstack.output.run_directory import claim
from ionstack.runs.log import Log


def run_case(
    case: Case, folder: Path, comm: MPI.Comm, *, quiet: bool = False, resume: bool = False
) -> None:
    """Run a checked case into a folder (collective).

    To `resume` goes on from the folder's checkpoint, if there is one, and leaves a run that
    has finished as it is.
    """
    run = claim(folder, case.resolved(), comm, resume)
    finished, kept = comm.bcast((run.finished, run.checkpoint.exists()), root=0)
    log = Log(comm.rank, quiet)
    if finished:
        log.say(f"{run.path}: the run has finished; there is nothing to resume")
        return
    # Imported after the case is known to be right: mistakes are answered at once.
    configure()
    from ionstack.runs.circuit_simulation import simulate_circuit
    from ionstack.runs.simulation import simulate

    log.open(run.log, "a" if kept else "w")
    if resume and not kept:
        log.say(f"{run.path}: there is no checkpoint; the run starts from the beginning")
    try:
        work = simulate if case.stack.layers else simulate_circuit
        work(case, run, comm, log, resume=kept)
    finally:
        log.close()

"""Last line of defence: an unforeseen error on one rank ends all of them."""

from __future__ import annotations

import sys
from types import TracebackType

from mpi4py import MPI


def abort_on_crash(comm: MPI.Comm) -> None:
    """Make an uncaught exception abort every rank instead of leaving the others waiting."""
    if comm.size == 1:
        return
    previous = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
        previous(kind, error, where)
        sys.stderr.flush()
        comm.Abort(1)

    sys.excepthook = hook

"""A program for ``mpirun``: a film with noise on any number of ranks, its contents as JSON.

``python -m support.noise_on_ranks FILE``
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from mpi4py import MPI

from ionstack.compute import configure
from support.fluctuating import Film, content, march

COMM = MPI.COMM_WORLD


def contents(kind: str) -> list[float]:
    """Contents from the top down after some correlation times (collective)."""
    film = Film(kind, 12, 1e-5)
    device = film.device(COMM)
    *_, last = march(device, 4 * film.time, fixed=film.time / 2)
    own = content(device, last)
    pairs = zip(device.depth[: len(own)], own, strict=True)
    every = [one for part in COMM.allgather(list(pairs)) for one in part]
    return [float(x) - 0.5 for _, x in sorted(every)]


def main(path: Path) -> None:
    """Write what noise of a flow and of a reaction makes."""
    found = {kind: contents(kind) for kind in ("flow", "reaction")}
    if COMM.rank == 0:
        path.write_text(json.dumps(found))


if __name__ == "__main__":
    configure()
    main(Path(sys.argv[1]))

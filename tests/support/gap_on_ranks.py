"""A program for ``mpirun``: current through the gap under a tip on any number of ranks, as JSON.

``python -m support.gap_on_ranks FILE``
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from mpi4py import MPI

from ionstack.compute import configure
from support.gapped import Gapped, disc, tip


def under_a_tip(comm: MPI.Comm) -> dict[str, float]:
    """Currents [A] and width [m] of the gap between a rounded tip and a plane."""
    device = Gapped(disc(3e-9, 2e-10, 4e-9, 20), tip(2e-9, 5e-9), comm=comm)
    top, bottom = device.currents(0.7)
    return {"top": top, "bottom": bottom, "width": device.field.width}


def main(path: Path) -> None:
    """Do the work and write the file."""
    configure()
    found = under_a_tip(MPI.COMM_WORLD)
    if MPI.COMM_WORLD.rank == 0:
        path.write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

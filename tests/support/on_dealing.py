"""A program for ``mpirun`` on four ranks in two groups, of which the first is kept busy.

``python -m support.on_dealing COUNT`` prints the numbers that every rank was dealt.
"""

from __future__ import annotations

import json
import sys

from mpi4py import MPI

from ionstack.campaigns.dealing import Groups

COMM = MPI.COMM_WORLD


def main(count: int) -> None:
    """Deal; the first group works at a number until the second one tells it to stop."""
    groups = Groups(COMM, 2)
    numbers = []
    for number in groups.deal(count):
        numbers.append(number)
        last = number == count - 1
        if groups.number == 0 and not last:
            groups.comm.bcast(COMM.recv() if COMM.rank == 0 else None, root=0)
        elif groups.number == 1 and last and groups.comm.rank == 0:
            COMM.send("the last number is dealt", dest=0)
    found = COMM.gather({"group": groups.number, "numbers": numbers}, root=0)
    if found is not None:
        print(json.dumps(found))


if __name__ == "__main__":
    main(int(sys.argv[1]))

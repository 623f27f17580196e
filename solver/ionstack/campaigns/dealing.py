"""Groups of ranks, and numbers dealt to whichever group asks next.

The counter lies in the memory of rank 0 and is raised by one-sided communication, so no
rank waits for another one and nobody is a master. Networks without atomic operations in
hardware serve a request when rank 0 next communicates.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from mpi4py import MPI

from ionstack.errors import InputError


class Counter:
    """A number that all ranks of a communicator share."""

    def __init__(self, comm: MPI.Intracomm) -> None:
        """Begin at zero (collective)."""
        itemsize = np.dtype(np.int64).itemsize
        size = itemsize if comm.rank == 0 else 0
        self._window = MPI.Win.Allocate(size, itemsize, comm=comm)
        if comm.rank == 0:
            self._window.Lock(0)
            self._window.Put(np.zeros(1, np.int64), 0)
            self._window.Unlock(0)
        comm.Barrier()

    def next(self) -> int:
        """Raise the number by one and return what it was; each value goes to one caller."""
        one, before = np.ones(1, np.int64), np.empty(1, np.int64)
        self._window.Lock(0, MPI.LOCK_SHARED)
        self._window.Fetch_and_op(one, before, 0, 0, MPI.SUM)
        self._window.Unlock(0)
        return int(before[0])

    def free(self) -> None:
        """Give the memory back (collective)."""
        self._window.Free()


class Groups:
    """The ranks of a communicator parted into groups of one size.

    `comm` is the communicator of this rank's group, `number` the group's number from 0,
    `world` the communicator of all.
    """

    def __init__(self, world: MPI.Intracomm, size: int) -> None:
        """Part the ranks in their order (collective).

        Raises InputError on all ranks if the groups would differ in size: results
        depend on the number of ranks in their last digits.
        """
        if world.size % size:
            raise InputError(
                f"--group {size}: {world.size} rank{'s' * (world.size > 1)} cannot be parted "
                f"into groups of {size}; choose -n as a multiple of it"
            )
        self.number = world.rank // size
        self.comm = world.Split(self.number, world.rank)
        self.world = world

    def __str__(self) -> str:
        count = self.world.size // self.comm.size
        ranks = f"of {self.comm.size} rank{'s' * (self.comm.size > 1)}"
        return f"{count} group{'s' * (count > 1)} {ranks}"

    def deal(self, count: int) -> Iterator[int]:
        """Yield this group's share of 0 … `count` - 1, one at a time (collective).

        Every number goes to exactly one group, to the next one that is free.
        """
        counter = Counter(self.world)
        while (number := self._next(counter)) < count:
            yield number
        counter.free()

    def _next(self, counter: Counter) -> int:
        number: int = self.comm.bcast(counter.next() if self.comm.rank == 0 else 0, root=0)
        return number

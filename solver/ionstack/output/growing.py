"""A table that one rank writes while a run goes on, and that a resumed run cuts back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from mpi4py import MPI

from ionstack.errors import raise_together


class Table(Protocol):
    """What a writer of rows can do besides writing them."""

    def position(self) -> int:
        """Size of what is on the disk [bytes]."""

    def close(self) -> None:
        """Close the file."""


Writer = TypeVar("Writer", bound=Table)


class Growing(Generic[Writer]):
    """Opens the writer of a table on rank 0 when it is first needed."""

    def __init__(self, comm: MPI.Comm, start: Callable[[int | None], Writer]) -> None:
        """Let `start` make the file, or go on with it at a position [bytes]."""
        self._comm, self._start = comm, start
        self._writer: Writer | None = None

    def writer(self) -> Writer | None:
        """The writer on rank 0, nothing elsewhere."""
        if self._writer is None and self._comm.rank == 0:
            self._writer = self._start(None)
        return self._writer

    def memory(self) -> Mapping[str, Any]:
        """Size of the file, for `recall`."""
        writer = self.writer()
        return {} if writer is None else {"position": writer.position()}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Cut the file back to its size in a memory (collective)."""
        with raise_together(self._comm, "cutting a table back"):
            if self._comm.rank == 0:
                self._writer = self._start(memory["position"])

    def close(self) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()


class TableObserver(Generic[Writer]):
    """What observers share whose only memory is their table."""

    _table: Growing[Writer]

    def memory(self) -> Mapping[str, Any]:
        """Size of the file."""
        return self._table.memory()

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Cut the file back (collective)."""
        self._table.recall(memory)

    def found(self) -> Mapping[str, Any]:
        """Nothing; the file is complete."""
        self._table.close()
        return {}

"""Observer of gaps that electrons tunnel through: a table of every state."""

from __future__ import annotations

from mpi4py import MPI

from ionstack.gaps.gap_field import GapField
from ionstack.output.growing import Growing, TableObserver
from ionstack.output.run_directory import RunDirectory
from ionstack.output.state_rows import StateRows
from ionstack.stepping.states import State

WIDTH = "gap.width [m]"


class GapTable(TableObserver[StateRows]):
    """Width of the narrowest gap into ``gap.csv``; infinite where everything is metal."""

    def __init__(self, run: RunDirectory, comm: MPI.Comm, gap: GapField) -> None:
        self._gap, path = gap, run.gap
        self._table = Growing(comm, lambda position: StateRows(path, [WIDTH], position))

    def see(self, state: State) -> None:
        """Write a row."""
        writer = self._table.writer()
        if writer is not None:
            writer.append(state.time, [self._gap.width])

"""Observer of nucleation on the faces of metals: a table of every state."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from mpi4py import MPI

from ionstack.output.growing import Growing, TableObserver
from ionstack.output.run_directory import RunDirectory
from ionstack.output.state_rows import StateRows
from ionstack.stepping.face_nucleation import FaceNucleation
from ionstack.stepping.states import State

_COLUMNS = (
    "rate.{} [1/s]",
    "wait.{} [s]",
    "prefactor.{} [1/(m^2*s)]",
    "barrier.{} [eV]",
    "critical_size.{} [m]",
)


class NucleationTable(TableObserver[StateRows]):
    """Rate of every face, the mean wait at it, and the likeliest nucleus, ``nucleation.csv``."""

    def __init__(self, run: RunDirectory, comm: MPI.Comm, nuclei: Sequence[FaceNucleation]) -> None:
        self._nuclei, path = nuclei, run.nucleation
        names = [column.format(one.contact) for one in nuclei for column in _COLUMNS]
        self._table = Growing(comm, lambda position: StateRows(path, names, position))

    def see(self, state: State) -> None:
        """Write a row (collective)."""
        writer, row = self._table.writer(), []
        for one in self._nuclei:
            rate, *nucleus = one.outlook(state.circuit)
            row += [rate, 1.0 / rate if rate > 0.0 else inf, *nucleus]
        if writer is not None:
            writer.append(state.time, row)

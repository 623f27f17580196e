"""Observers of mechanics: a table of every state, and the body at the shown breakpoints."""

from __future__ import annotations

import numpy as np
from mpi4py import MPI

from ionstack.observing.observers import CELL_TYPES, SnapshotObserver, shown
from ionstack.output.fields import FieldGrid, FieldsWriter
from ionstack.output.growing import Growing, TableObserver
from ionstack.output.mechanics import (
    DEFLECTION,
    HYDROSTATIC,
    LATERAL,
    PLASTIC,
    POROSITY,
)
from ionstack.output.run_directory import RunDirectory
from ionstack.output.state_rows import StateRows
from ionstack.protocols.protocol import Protocol
from ionstack.stepping.states import State
from ionstack.stress.body_mechanics import BodyMechanics
from ionstack.stress.stress_field import Stress


class MechanicsTable(TableObserver[StateRows]):
    """Stress, growth and plastic strain of every layer into ``mechanics.csv``."""

    def __init__(self, run: RunDirectory, comm: MPI.Comm, stress: Stress) -> None:
        self._stress = stress
        names, path = stress.solver.names, run.mechanics
        self._table = Growing(comm, lambda position: StateRows(path, names, position))

    def see(self, state: State) -> None:
        """Write a row."""
        entries = self._stress.entries()
        writer = self._table.writer()
        if writer is not None:
            writer.append(state.time, list(entries.values()))


class BodySnapshots(SnapshotObserver):
    """Displacement, stress and plastic strain of the body into ``mechanics.vtkhdf``."""

    def __init__(
        self, run: RunDirectory, comm: MPI.Comm, body: BodyMechanics, protocol: Protocol
    ) -> None:
        self._body, self._protocol = body, protocol
        self._writer = FieldsWriter(run.body, comm, _grid(body))

    def see(self, state: State) -> None:
        """Append a snapshot at a breakpoint."""
        trial = self._body.trial
        if not shown(state, self._protocol) or trial is None:
            return
        moved = trial.corner_displacement()
        arrays = {
            DEFLECTION: -moved[..., -1],
            LATERAL: moved[..., 0],
            HYDROSTATIC: trial.hydrostatic(),
            PLASTIC: trial.corner_plastic(),
        }
        porosity = self._body.closures.corner_porosity()
        if porosity is not None:
            arrays[POROSITY] = porosity
        self._writer.append(state.time, {name: one.reshape(-1) for name, one in arrays.items()})


def _grid(body: BodyMechanics) -> FieldGrid:
    """Every cell with corners of its own: stress and plastic strain jump between cells."""
    mesh = body.mesh
    cells = mesh.owned_cells()
    points = np.zeros((cells.size, 3))
    points[:, : mesh.dimension] = mesh.coordinates()[cells.reshape(-1)]
    own = np.arange(cells.size).reshape(cells.shape)
    region = mesh.cell_region[: mesh.n_owned]
    return FieldGrid(
        points, own, CELL_TYPES[mesh.dimension], region, mesh.regions, mesh.axisymmetric
    )

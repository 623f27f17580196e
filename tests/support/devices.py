"""Devices ready to solve: the shipped cases on coarse grids, and films made by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.assembly.assemble import System
from ionstack.assembly.equations import transient_equations
from ionstack.casefile.case import Case, load_case
from ionstack.geometry.graph import build_control_volumes
from ionstack.geometry.mesh import build_mesh
from ionstack.models.case_model import build_model
from ionstack.models.layout import build_layout
from ionstack.protocols.drive import PiecewiseLinear
from ionstack.runs.preparation import Prepared, prepare
from ionstack.stepping.states import State

Floats = NDArray[np.float64]

# A drive with given voltages [V] of all contacts at given times [s].
Ramp = PiecewiseLinear

ROOT = Path(__file__).parents[2]
ANALOG = ROOT / "cases" / "all_in_one" / "analog.yaml"
ORGANIC = ROOT / "cases" / "organic_heterojunction" / "first_sweep.yaml"

# One cycle of each polarity at 1 V/s on a coarse grid: a fraction of a second in 1-D.
COARSE = ("stack.grading.first_cell=1 nm", "stack.grading.growth=2")
SHORT = (
    "protocol.0.sweep.amplitude=-0.5 V",
    "protocol.0.sweep.cycles=1",
    "protocol.1.sweep.amplitude=0.5 V",
    "protocol.1.sweep.cycles=1",
    "instruments=auto",
)


def analog(*overrides: str, coarse: bool = True) -> Case:
    """The analog case with a short protocol."""
    return load_case(ANALOG, [*(COARSE if coarse else ()), *SHORT, *overrides])


def ready(case: Case, comm: MPI.Comm = MPI.COMM_SELF) -> Prepared:
    """The case's device in equilibrium at 0 V."""
    return prepare(case, comm)


def assemble(case: Case, comm: MPI.Comm = MPI.COMM_SELF) -> System:
    """The case's transient equations, with unknowns that are all zero."""
    volumes = build_control_volumes(build_mesh(case.stack, comm))
    model = build_model(case)
    layout = build_layout(volumes, model)
    return System(transient_equations(model, volumes, layout))


def owned(system: System, name: str) -> NDArray[np.bool_]:
    """Which owned unknowns belong to a species."""
    layout = system.layout
    return np.asarray(layout.field[: layout.n_owned] == layout.names.index(name) + 1)


def total(system: System, state: State, name: str) -> float:
    """Number of particles of a species in a state (collective)."""
    return float(system.comm.allreduce(state.amounts[owned(system, name)].sum()))


def area(prepared: Prepared) -> float:
    """Area of the first contact [m^2] (collective)."""
    volumes = prepared.system.equations.volumes
    mine = volumes.node_vertex[volumes.face_node] < volumes.n_owned_vertices
    local = volumes.face_area[mine & (volumes.face_contact == 0)].sum()
    return float(volumes.comm.allreduce(local))

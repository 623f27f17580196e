"""Assembled Jacobians at states that depend on the place in the device only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ionstack.assembly.assemble import System

Floats = NDArray[np.float64]
Keys = NDArray[np.int64]

# Arguments of an evaluation: leading coefficient, step [s] and voltages [V].
LEAD, STEP, VOLTAGES = 1.5, 3e-4, np.array([0.3, -0.1])


def keys(system: System) -> Keys:
    """Vertex id, first region and field of each owned unknown, then of ghosts, (n, 3)."""
    volumes, layout = system.equations.volumes, system.layout
    node = layout.node
    vertex = volumes.vertex_id[volumes.node_vertex[node]]
    return np.column_stack([vertex, volumes.node_region[node], layout.field])


def disturb(system: System, size: float) -> None:
    """Shift every unknown by up to `size` [V], as a fixed function of its key."""
    n_owned = system.layout.n_owned
    vertex, region, field = keys(system)[:n_owned].T
    wave = np.sin(12.9898 * vertex + 78.233 * region + 37.719 * field)
    system.unknowns.setArray(system.unknowns.getArray() + size * wave)
    system.refresh_ghosts()


def residual(system: System) -> Floats:
    """Residual of the owned unknowns."""
    zero = np.zeros(system.layout.n_owned)
    return system.evaluate(zero, LEAD, STEP, VOLTAGES).residual


def assembled(system: System) -> dict[tuple[int, ...], float]:
    """Entries of the whole matrix by keys of row and column, on every rank (collective)."""
    zero = np.zeros(system.layout.n_owned)
    system.linearise(zero, LEAD, STEP, VOLTAGES)
    starts, columns, values = system.matrix.getValuesCSR()
    rows = np.repeat(np.arange(system.layout.n_owned), np.diff(starts))
    own = keys(system)
    by_number = _by_global_number(system, own)
    names = np.column_stack([own[rows], by_number[columns]])
    parts = system.comm.allgather((names, np.asarray(values)))
    return {
        tuple(name): value
        for part, found in parts
        for name, value in zip(part.tolist(), found.tolist(), strict=True)
    }


def _by_global_number(system: System, own: Keys) -> Keys:
    """Keys of all unknowns of all ranks, in the order of the matrix columns."""
    return np.concatenate(system.comm.allgather(own[: system.layout.n_owned]))

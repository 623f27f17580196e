"""Coarse unknowns for the iterative solver: unknowns next to each other at one depth.

Cells are thin along the stack and wide across it, so the incomplete factors of the
columns leave exactly the errors that vary slowly across the device. Those are what
sums over boxes of neighbouring columns, at full resolution along the stack, capture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.geometry.graph import ControlVolumes
from ionstack.models.layout import Layout

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# The coarse system is factorised: large enough for few iterations, small enough to be cheap.
TARGET = 6_000
# More depths than this are merged: a free mesh has as many as vertices.
_MOST_LEVELS = 1_000
_COLUMNS_PER_BOX = 4


@dataclass(frozen=True)
class Aggregates:
    """Coarse unknown of each owned unknown (n_owned,), and the number of coarse ones."""

    coarse: Ints
    count: int


def build_aggregates(volumes: ControlVolumes, layout: Layout, target: int = TARGET) -> Aggregates:
    """Join the unknowns of one kind, layer, depth and lateral box (collective).

    Args:
        volumes: mesh of the system.
        layout: numbering of its unknowns.
        target: number of coarse unknowns aimed at; each depth counts at least once.
    """
    owned = slice(layout.n_owned)
    node = layout.node[owned]
    place = volumes.coordinates[volumes.node_vertex[node]]
    kind = layout.field[owned] * len(volumes.regions) + volumes.node_region[node]
    kind = kind * volumes.copies + volumes.vertex_copy[volumes.node_vertex[node]]
    depth = kind * (_MOST_LEVELS + 1) + _levels(volumes.comm, place[:, volumes.stack_axis])
    columns = layout.n_global / _number(volumes.comm, depth)[1]
    lateral = np.delete(place, volumes.stack_axis, axis=1)
    wanted = min(target / layout.n_global, 1.0 / _COLUMNS_PER_BOX) * columns
    per_side = max(1, int(wanted ** (1.0 / max(lateral.shape[1], 1))))
    for position in lateral.T:
        depth = depth * per_side + _boxes(volumes.comm, position, per_side)
    return Aggregates(*_number(volumes.comm, depth))


def _levels(comm: MPI.Comm, depth: Floats) -> Ints:
    """Number the depths from 0; equal up to round-off is equal."""
    low, size = _extent(comm, depth)
    rounded = np.round((depth - low) / size * 1e9).astype(np.int64)
    known = np.unique(np.concatenate(comm.allgather(np.unique(rounded))))
    if len(known) > _MOST_LEVELS:
        known = known[:: -(-len(known) // _MOST_LEVELS)]
    return np.asarray(np.searchsorted(known, rounded, side="right") - 1)


def _boxes(comm: MPI.Comm, position: Floats, count: int) -> Ints:
    low, size = _extent(comm, position)
    boxes = np.minimum((position - low) / size * count, count - 1)
    return np.asarray(boxes, dtype=np.int64)


def _extent(comm: MPI.Comm, values: Floats) -> tuple[float, float]:
    low = comm.allreduce(float(values.min(initial=np.inf)), MPI.MIN)
    high = comm.allreduce(float(values.max(initial=-np.inf)), MPI.MAX)
    return low, (high - low) or 1.0


def _number(comm: MPI.Comm, keys: Ints) -> tuple[Ints, int]:
    """Consecutive numbers of the keys, the same on all ranks, and how many there are."""
    known = np.unique(np.concatenate(comm.allgather(np.unique(keys))))
    return np.searchsorted(known, keys), len(known)

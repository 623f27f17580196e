"""Values at nodes as arrays over the unknowns: the form in which checkpoints keep arrays."""

from __future__ import annotations

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.graph import ControlVolumes
from ionstack.layout import Layout

Floats = NDArray[np.float64]


class NodePlaces:
    """Puts the values of a vertex's nodes one below the other at its potential.

    A vertex has a potential and a node in every region that touches it; nodes of one vertex
    may share the potential, so an array has as many rows as a vertex has nodes.
    """

    def __init__(self, volumes: ControlVolumes, layout: Layout) -> None:
        """Find the row of every owned node (collective)."""
        vertex = volumes.node_vertex[: volumes.n_owned_nodes]
        self._row = np.arange(len(vertex)) - np.searchsorted(vertex, vertex)
        self._column = layout.phi[: len(vertex)]
        rows = volumes.comm.allreduce(int(self._row.max(initial=-1)) + 1, MPI.MAX)
        self._shape = rows, layout.n_owned

    def by_unknown(self, at_nodes: Floats) -> Floats:
        """Array (rows, n_owned) that holds the values at the owned nodes."""
        found = np.zeros(self._shape)
        found[self._row, self._column] = at_nodes[: len(self._row)]
        return found

    def at_nodes(self, by_unknown: Floats) -> Floats:
        """Values at the owned nodes."""
        return np.asarray(by_unknown[self._row, self._column])

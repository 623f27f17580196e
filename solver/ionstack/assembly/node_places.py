"""Values at nodes as arrays over the unknowns: the form in which checkpoints keep arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ionstack.geometry.graph import ControlVolumes
from ionstack.models.layout import Layout

Floats = NDArray[np.float64]


class NodePlaces:
    """Puts the value of a node at its potential, in the row of its region.

    Nodes of one vertex may share the potential, but not the region.
    """

    def __init__(self, volumes: ControlVolumes, layout: Layout) -> None:
        """Find the place of every local node."""
        self._row, self._column = volumes.node_region, layout.phi
        self._owned = slice(volumes.n_owned_nodes)
        self._shape = len(volumes.regions), layout.n_owned

    def by_unknown(self, at_nodes: Floats) -> Floats:
        """Array (regions, n_owned) that holds the values at the owned nodes."""
        found = np.zeros(self._shape)
        found[self._row[self._owned], self._column[self._owned]] = at_nodes[self._owned]
        return found

    def at_nodes(self, by_unknown: Floats) -> Floats:
        """Values at the owned nodes, or at all local ones from an array (regions, n_local)."""
        here = self._column < by_unknown.shape[1]
        return np.asarray(by_unknown[self._row[here], self._column[here]])

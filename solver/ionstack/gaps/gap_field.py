"""Gaps between metals that electrons tunnel through, solved in turn with transport."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.assembly.assemble import System
from ionstack.assembly.node_fields import NodeFields
from ionstack.gaps.gap_widths import GapWidths
from ionstack.models.carriers import GAP
from ionstack.models.gap_model import GapModel
from ionstack.output.checkpoint import Memory
from ionstack.physics.states import NO_GAP, Gap
from ionstack.physics.tunnelling import decay, narrowest

Floats = NDArray[np.float64]


class GapField:
    """A field beside the unknowns, see `companions.Companion`.

    It follows from the contents alone. `width` [m] is that of the narrowest gap at the last
    accepted state, infinite where there is none, `narrowest` of the whole run.
    """

    trouble = ""  # a linear system, which has a solution
    name = "gap"
    feedback = 0.0  # contents follow the current, and this takes time

    def __init__(self, system: System, model: GapModel) -> None:
        """Begin without a gap (collective)."""
        volumes = system.equations.volumes
        self._system, self._tolerance = system, model.tolerance
        self._fields, self._widths = NodeFields(system), GapWidths(volumes, model)
        region = volumes.node_region[volumes.edge_nodes[:, 0]]
        self._inside = {
            k: np.flatnonzero(region == k)
            for k, name in enumerate(volumes.regions)
            if name in model.layers
        }
        # Exponent of tunnelling over the width [1/m] at all local edges, and the least that counts.
        self._decay: Floats = np.zeros(len(region))
        self._least: Floats = np.zeros(len(region))
        for k, edges in self._inside.items():
            layer = model.layers[volumes.regions[k]]
            self._decay[edges] = decay(layer.mass) * layer.barrier**0.5
            self._least[edges] = narrowest(layer.barrier, layer.mass)
        self._gap = Gap(*(np.full(len(region), one) for one in NO_GAP))
        self.width = self.narrowest = inf
        self._hand_over(self._gap)

    def begin(self, step: float) -> None:
        """Start a trial with the gap at the unknowns that are foreseen."""
        if step > 0.0:
            self._hand_over(self._found())

    def solve(self) -> float:
        """Find the gap at the present unknowns and hand it over (collective).

        Returns the largest change of the exponent over the tolerance. Where little passes
        besides the narrowest place it counts the less.
        """
        before = self._exponent()
        self._hand_over(self._found())
        exponent = self._exponent()
        least = self._over_ranks(exponent[self._decay > 0.0].min(initial=inf), MPI.MIN)
        change = np.abs(exponent - before) * np.exp(-np.maximum(exponent - least, 0.0))
        return self._over_ranks(change.max(initial=0.0), MPI.MAX) / self._tolerance

    def _exponent(self) -> Floats:
        """Exponent of tunnelling at all local edges, 0 where nothing could tunnel."""
        return np.asarray(self._decay * np.maximum(self._gap.width, self._least))

    def accept(self) -> bool:
        """Take the last trial as the state (collective)."""
        held = self._gap.width[self._gap.width < NO_GAP.width]
        self.width = self._over_ranks(held.min(initial=inf), MPI.MIN)
        self.narrowest = min(self.narrowest, self.width)
        return False

    def memory(self) -> Memory:
        """What was seen; the gap itself follows from the contents."""
        return Memory({"width": self.width, "narrowest": self.narrowest})

    def recall(self, memory: Memory) -> None:
        """Stand where another one stood; the next step begins with a gap."""
        self.width, self.narrowest = memory.plain["width"], memory.plain["narrowest"]

    def entries(self) -> Mapping[str, Any]:
        """Width of the gap at the end, and the smallest of all states."""
        return {"gap.width [m]": self.width, "gap.narrowest [m]": self.narrowest}

    def _found(self) -> Gap:
        return self._widths.at_edges(self._fields.evaluate())

    def _hand_over(self, gap: Gap) -> None:
        self._gap = gap
        rows = np.stack(gap)
        for region, edges in self._inside.items():
            self._system.set_outer(region, {GAP: rows[:, edges]})

    def _over_ranks(self, value: float, how: MPI.Op) -> float:
        comm = self._system.comm
        return float(comm.allreduce(float(value), how) if comm.size > 1 else value)

"""Reads from a state what the limits of a protocol compare."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ionstack.assembly.assemble import System
from ionstack.circuits.circuit import Circuit
from ionstack.protocols.drive import Limit
from ionstack.stepping.states import State

Floats = NDArray[np.float64]


class Meter:
    """Currents, voltages and charges of sources, and mean contents of layers."""

    def __init__(self, system: System, circuit: Circuit) -> None:
        self._system, self._circuit = system, circuit

    def __call__(self, limit: Limit, state: State, passed_before: Floats) -> float:
        """Value of the limit's quantity (collective for contents).

        `passed_before` is the charge [C] that had passed each source when its step began.
        """
        if limit.quantity == "content":
            return self._content(limit.layer, limit.species, state)
        return of_source(self._circuit, limit, state, passed_before)

    def _content(self, layer: str, species: str, state: State) -> float:
        """Mean share of occupied sites."""
        system = self._system
        inside = system.members(species, (layer,))
        volumes = system.equations.volumes
        own = volumes.node_region[: volumes.n_owned_nodes] == volumes.regions.index(layer)
        volume = volumes.node_volume[: volumes.n_owned_nodes][own].sum()
        local = np.array([state.amounts[inside].sum(), volume])
        amount, total = system.comm.allreduce(local) if system.comm.size > 1 else local
        sites = system.equations.model.region(layer).held(species).site_density
        return float(amount / (total * sites))


def of_source(circuit: Circuit, limit: Limit, state: State, passed_before: Floats) -> float:
    """Value of a limit's quantity that a source of a circuit has; see `Meter`."""
    here = circuit.sources.index(limit.source)
    current = float(circuit.source_currents(state.circuit)[here])
    voltage = float(circuit.source_voltages(state.circuit)[here])
    if limit.quantity == "charge":
        return abs(float(state.passed[here] - passed_before[here]))
    if limit.quantity == "conductance":
        return abs(current / voltage) if voltage else 0.0
    return voltage if limit.quantity == "voltage" else abs(current)

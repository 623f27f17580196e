"""Species that fronts sweep empty: contents too small to matter, and updates of densities.

The unknown of a species goes with the logarithm of its density. Where a front passes a box it
moves by tens of kT, although nothing depends on what is left. Errors of time steps would be
followed all the way down, and Newton's method would go there by one kT per iteration. A
species with a trace therefore counts by the share c/(c + trace), and its updates
are those of a density, c (1 + d eta), exact where its flows are proportional to it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ionstack.assembly.assemble import System
from ionstack.models.carriers import TEMPERATURE
from ionstack.physics.constants import BOLTZMANN_EV

Floats = NDArray[np.float64]

# Most that the logarithm of a density may fall in one update.
_STEEPEST = 20.0


class Traces:
    """The species of a system that have a trace."""

    def __init__(self, system: System, contents: Mapping[str, float]) -> None:
        """`contents` are the traces by species, as shares of the sites."""
        layout = system.layout
        self._system, owned = system, slice(layout.n_owned)
        amounts = sum((x * _sites(system, name) for name, x in contents.items()), np.zeros(1))
        self._own = np.flatnonzero(amounts)
        self._trace = np.asarray(amounts[self._own])
        self._node = layout.node[owned][self._own]
        valences = np.array([system.equations.model.valences.get(n, 0) for n in layout.names])
        self._valence = valences[layout.field[owned][self._own] - 1]

    def counted(self, update: Floats, amounts: Floats) -> Floats:
        """What an update [V] of the owned unknowns counts, at `amounts` of particles there."""
        own, result = self._own, update.copy()
        result[own] *= amounts[own] / (amounts[own] + self._trace)
        return result

    def missing(self, residual: Floats, amounts: Floats) -> Floats:
        """What the balances with a trace miss, as a potential [V]: kT R/(c + trace).

        `residual` of the owned unknowns, in particles. A rate may rise so steeply that updates
        are small although it is far from what a content so small can be due to.
        """
        own = self._own
        thermal = BOLTZMANN_EV * self._temperature()
        return np.asarray(thermal * residual[own] / (amounts[own] + self._trace))

    def followed(self, update: Floats) -> Floats:
        """The update [V] that changes densities as this one does in its first order.

        What goes along with the potential of the place is no change of a density.
        """
        own, result = self._own, update.copy()
        lifted = -self._valence * update[self._system.layout.phi[self._node]]
        thermal = BOLTZMANN_EV * self._temperature()
        change = np.maximum((update[own] + lifted) / thermal, np.expm1(-_STEEPEST))
        result[own] = thermal * np.log1p(change) - lifted
        return result

    def _temperature(self) -> Floats:
        """Temperature [K] at the unknowns with a trace."""
        system, volumes = self._system, self._system.equations.volumes
        found = np.full(len(volumes.node_region), system.equations.model.temperature)
        for region, fields in enumerate(system.outer):
            if TEMPERATURE in fields:
                found[volumes.node_region == region] = np.asarray(fields[TEMPERATURE])
        return np.asarray(found[self._node])


def _sites(system: System, species: str) -> Floats:
    """Sites of a species in the boxes of its owned unknowns, 0 at all others."""
    equations, layout = system.equations, system.layout
    volumes, unknown = equations.volumes, layout.species[species]
    found = np.zeros(layout.n_local)
    for number, region in enumerate(volumes.regions):
        nodes = np.flatnonzero((volumes.node_region == number) & (unknown >= 0))
        if len(nodes):
            density = equations.numbers[f"{region}/{species}"]["site_density"]
            np.add.at(found, unknown[nodes], density * volumes.node_volume[nodes])
    return found[: layout.n_owned]

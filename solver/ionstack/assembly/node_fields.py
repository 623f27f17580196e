"""Densities and potentials at the nodes of this rank, from the unknowns of a system."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ionstack.assembly.assemble import Outer, System
from ionstack.models.carriers import TEMPERATURE, node_batch
from ionstack.models.products import SCALE, product_names, unknown_of
from ionstack.output.names import (
    POTENTIAL,
    areal_amount,
    density,
    electrochemical_potential,
    site_fraction,
)
from ionstack.output.names import TEMPERATURE as TEMPERATURE_FIELD
from ionstack.physics.constants import BOLTZMANN_EV

Floats = NDArray[np.float64]


class NodeFields:
    """Evaluates every quantity of the output files at all local nodes."""

    def __init__(self, system: System) -> None:
        equations = system.equations
        self._system = system
        self._volumes, self._layout = equations.volumes, equations.layout
        self._regions = [equations.model.region(name) for name in self._volumes.regions]
        self._nodes = equations.arrays["nodes"]
        self._numbers = dict(equations.numbers)
        self._kernel = jax.jit(self._carriers)

    def _carriers(self, u: Any, numbers: Any, temperature: Any, outer: Outer) -> list[Any]:
        result = []
        for region, nodes, fields in zip(self._regions, self._nodes, outer, strict=True):
            own = {name: u[index] for name, index in nodes["unknowns"].items()}
            result.append(node_batch(region, numbers, temperature, own, fields).carriers)
        return result

    def evaluate(self) -> dict[str, Floats]:
        """Return arrays (n_nodes,) by name with unit; NaN where there is no such thing.

        Products, per area of their contact, are at its nodes only.
        """
        u = self._system.local_unknowns()
        temperature = self._system.equations.model.temperature
        outer = self._system.outer
        batches = self._kernel(u, self._numbers, jnp.asarray(temperature), outer)
        fields = {POTENTIAL: u[self._layout.phi]}
        warm = [np.asarray(own.get(TEMPERATURE, temperature)) for own in outer]
        for name in self._system.equations.model.valences:
            self._add(fields, name, batches, [BOLTZMANN_EV * one for one in warm])
        for product in product_names(self._system.equations.model):
            held = self._layout.species[unknown_of(product)]
            fields[areal_amount(product)] = np.where(held >= 0, SCALE * u[held], np.nan)
        if any(TEMPERATURE in own for own in outer):
            fields[TEMPERATURE_FIELD] = self._of_regions(warm)
        return fields

    def _of_regions(self, values: Sequence[Any]) -> Floats:
        """One array over the nodes from those of all regions."""
        found = np.full(len(self._volumes.node_region), np.nan)
        for index, value in enumerate(values):
            found[self._volumes.node_region == index] = value
        return found

    def _add(
        self,
        fields: dict[str, Floats],
        name: str,
        batches: list[Mapping[str, Any]],
        kT: Sequence[Any],
    ) -> None:
        """Write one species' quantities of all regions into arrays over the nodes."""
        quantities: tuple[tuple[str, Callable[[Any, Any], Any]], ...] = (
            (density(name), lambda carrier, kT: carrier.c),
            (site_fraction(name), lambda carrier, kT: carrier.x),
            (electrochemical_potential(name), lambda carrier, kT: kT * carrier.psi),
        )
        for key, read in quantities:
            parts = [
                np.asarray(read(own[name], thermal)) if name in own else np.nan
                for own, thermal in zip(batches, kT, strict=True)
            ]
            fields[key] = self._of_regions(parts)

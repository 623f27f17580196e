"""Volume strain of the nodes by what swells their regions, from the unknowns of a system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ionstack.assembly.assemble import System
from ionstack.models.carriers import TEMPERATURE, node_batch, swollen

Floats = NDArray[np.float64]


class Swelling:
    """Evaluates volume strains [1] at all local nodes, 0 where nothing swells."""

    def __init__(self, system: System) -> None:
        equations = system.equations
        self._system, volumes = system, equations.volumes
        regions = [equations.model.region(name) for name in volumes.regions]
        self._parts = [
            (region, nodes["unknowns"], np.flatnonzero(volumes.node_region == index))
            for index, (region, nodes) in enumerate(
                zip(regions, equations.arrays["nodes"], strict=True)
            )
            if region.swelling
        ]
        self._size = len(volumes.node_region)
        self._numbers = dict(equations.numbers)
        self._kernel = jax.jit(self._strains)

    def evaluate(self) -> Floats:
        """Volume strain at the present unknowns."""
        found = self._kernel(self._system.local_unknowns(), self._numbers, self._temperatures())
        result = np.zeros(self._size)
        for (_, _, inside), strain in zip(self._parts, found, strict=True):
            result[inside] = strain
        return result

    def _temperatures(self) -> list[Any]:
        """Temperature [K] of every part, at its nodes where it is a field."""
        system = self._system
        fields = dict(zip(system.equations.volumes.regions, system.outer, strict=True))
        usual = system.equations.model.temperature
        return [fields[region.name].get(TEMPERATURE, usual) for region, _, _ in self._parts]

    def given(self, contents: Mapping[str, Mapping[str, Any]]) -> Floats:
        """Volume strain of given site fractions, by region and species."""
        temperature = self._system.equations.model.temperature
        result = np.zeros(self._size)
        for region, _, inside in self._parts:
            content = contents.get(region.name, {})
            x = {one.name: jnp.asarray(content.get(one.name, 0.0)) for one in region.swelling}
            result[inside] = float(swollen(region, self._numbers, temperature, x)[0])
        return result

    def largest_volume(self) -> Floats:
        """Largest partial volume [m^3] of a species in every node's region, at half content."""
        temperature = self._system.equations.model.temperature
        result = np.zeros(self._size)
        for region, _, inside in self._parts:
            half = {one.name: jnp.asarray(0.5) for one in region.swelling}
            volumes = swollen(region, self._numbers, temperature, half)[1].values()
            result[inside] = max(abs(float(one)) for one in volumes)
        return result

    def _strains(self, u: Any, numbers: Any, temperatures: Any) -> list[jax.Array]:
        result = []
        for (region, unknowns, _), temperature in zip(self._parts, temperatures, strict=True):
            own = {name: u[index] for name, index in unknowns.items()}
            carriers = node_batch(region, numbers, jnp.asarray(temperature), own, {}).carriers
            x = {one.name: carriers[one.name].x for one in region.swelling}
            result.append(swollen(region, numbers, temperature, x)[0])
        return result

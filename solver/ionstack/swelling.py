"""Volume strain of the nodes by what swells their regions, from the unknowns of a system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ionstack.assemble import System
from ionstack.carriers import TEMPERATURE, law_values, node_batch
from ionstack.model import RegionModel, SpeciesModel
from ionstack.physics.swelling import volume_per_particle

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

    def given(self, contents: Mapping[str, Mapping[str, float]]) -> Floats:
        """Volume strain of given site fractions, by region and species."""
        temperature = self._system.equations.model.temperature
        result = np.zeros(self._size)
        for region, _, inside in self._parts:
            content = contents.get(region.name, {})
            x = {one.name: jnp.asarray(content.get(one.name, 0.0)) for one in region.swelling}
            result[inside] = float(_strain(region, self._numbers, temperature, x))
        return result

    def largest_volume(self) -> Floats:
        """Largest partial volume [m^3] of a species in every node's region, at half content."""
        temperature = self._system.equations.model.temperature
        result = np.zeros(self._size)
        for region, _, inside in self._parts:
            found = [
                abs(float(_volume(region, one, self._numbers, temperature)))
                for one in region.swelling
            ]
            result[inside] = max(found)
        return result

    def _strains(self, u: Any, numbers: Any, temperatures: Any) -> list[jax.Array]:
        result = []
        for (region, unknowns, _), temperature in zip(self._parts, temperatures, strict=True):
            own = {name: u[index] for name, index in unknowns.items()}
            carriers = node_batch(region, numbers, jnp.asarray(temperature), own, {}).carriers
            x = {one.name: carriers[one.name].x for one in region.swelling}
            result.append(_strain(region, numbers, temperature, x))
        return result


def _strain(
    region: RegionModel, numbers: Any, temperature: Any, x: Mapping[str, jax.Array]
) -> jax.Array:
    strain = jnp.asarray(0.0)
    for one in region.swelling:
        function, sites, values = _law(region, one, numbers, temperature)
        strain = strain + function(x[one.name], sites, values)
    return strain


def _volume(region: RegionModel, one: SpeciesModel, numbers: Any, temperature: Any) -> jax.Array:
    function, sites, values = _law(region, one, numbers, temperature)
    return volume_per_particle(function, jnp.asarray(0.5), sites, values)


def _law(region: RegionModel, one: SpeciesModel, numbers: Any, temperature: Any) -> Any:
    assert one.swelling is not None
    key = f"{region.name}/{one.name}"
    values = law_values(numbers, f"{key}/swelling", one.swelling, temperature)
    return one.swelling.law.function, jnp.asarray(numbers[key]["site_density"]), values

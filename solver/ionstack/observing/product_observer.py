"""Observer of the products at contacts: how much there is, and what pores they leave open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ionstack.assembly.assemble import System
from ionstack.assembly.entities import Entities, Face
from ionstack.models.carriers import law_values
from ionstack.models.model import BoundLaw
from ionstack.models.products import SCALE, bound_in, products_of, unknown_of
from ionstack.physics.lithium_in_air import open_porosity
from ionstack.physics.states import Pores
from ionstack.stepping.states import State

Floats = NDArray[np.float64]


class BoundProducts:
    """Amounts of the products per area of their contact, and the share of a species they bind.

    Porosity is that of the law less the products, with what strain has opened since.
    """

    def __init__(self, system: System) -> None:
        equations = system.equations
        self._system = system
        self._entities = Entities(equations.model, equations.volumes, equations.layout)
        self._first: dict[str, float] | None = None
        # The newest state, and what was found in the one before a resume.
        self._last: State | None = None
        self._found: dict[str, float] = {}

    def see(self, state: State) -> None:
        """Keep the newest state."""
        if self._first is None:
            self._first = self._free(state)
        self._last = state

    def _free(self, state: State) -> dict[str, float]:
        """Particles in the layers of every species that products bind (collective)."""
        return {name: self._sum(state, name) for name in bound_in(self._system.equations.model)}

    def _shares(self, state: State) -> dict[str, float]:
        """Bound particles over those in the layers at the start, by species."""
        assert self._first is not None
        return {
            f"products.bound.{name} [1]": sum(
                particles * self._sum(state, unknown_of(product))
                for product, particles in products.items()
            )
            / self._first[name]
            for name, products in bound_in(self._system.equations.model).items()
        }

    def _sum(self, state: State, name: str) -> float:
        volumes = self._system.equations.volumes
        local = state.amounts[self._system.members(name, volumes.regions)].sum()
        return float(self._system.comm.allreduce(local))

    def _means(self, state: State) -> Iterator[tuple[str, float]]:
        """Means over each contact, in the order in which all ranks know them (collective)."""
        films = self._system.equations.arrays["films"]
        # Ranks know faces at their own vertices only.
        unknowns = state.unknowns
        totals: dict[str, float] = {}
        area: dict[str, float] = {}
        faces = zip(self._entities.bindings(), films, self._system.opened, strict=True)
        for (face, species, law), film, opened in faces:
            amounts = {
                name: jnp.asarray(SCALE * unknowns[film["products"][name]])
                for name in products_of(law)
            }
            where = f"products.{face.model.name}"
            open_ = self._porosity(face, species, law, Pores(amounts, jnp.asarray(opened)))
            parts = {f"{where}.{name} [m^-2]": amount for name, amount in amounts.items()}
            for key, values in (*parts.items(), (f"{where}.open_porosity [1]", open_)):
                totals[key] = totals.get(key, 0.0) + float(face.area @ np.asarray(values))
                area[key] = area.get(key, 0.0) + float(face.area.sum())
        for key, total in totals.items():
            whole = self._system.comm.allreduce(np.array([total, area[key]]))
            yield key, float(whole[0] / whole[1])

    def _porosity(self, face: Face, species: str, law: BoundLaw, pores: Pores) -> Floats:
        equations = self._system.equations
        key, temperature = f"{face.model.name}/{species}", equations.model.temperature
        values = law_values(equations.numbers, key, law, jnp.asarray(temperature))
        return np.asarray(open_porosity(pores, values) + np.zeros(len(face.nodes)))

    def memory(self) -> Mapping[str, Any]:
        """What there was at the start and what there is (collective)."""
        return {"first": self._first, "found": self.found()}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Go on from it."""
        self._first, self._found = memory["first"], dict(memory["found"])

    def found(self) -> Mapping[str, Any]:
        """Entries of the newest state (collective)."""
        if self._last is None:
            return self._found
        return dict(self._means(self._last)) | self._shares(self._last)

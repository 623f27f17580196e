"""Random events of circuit elements: their rates, and what is different after them.

Every event of every element is a site of its own, see `random_events`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ionstack.circuit import Circuit, Element
from ionstack.physics.constants import thermal_voltage
from ionstack.physics.element_registry import Named, RandomEvent
from ionstack.random_events import Event

Floats = NDArray[np.float64]


class _Site(NamedTuple):
    element: Element
    event: RandomEvent
    own: int  # number of the element's first own unknown


class CircuitEvents:
    """The events of the elements of a circuit; all ranks know the same."""

    purpose = "events of circuit elements"
    changes = True

    def __init__(self, circuit: Circuit) -> None:
        self._circuit = circuit
        self._sites = [
            _Site(one, event, start)
            for start, one in zip(circuit.own_start, circuit.elements, strict=True)
            for event in one.law.events
        ]
        self.sites = np.arange(len(self._sites))

    def name(self, row: int) -> str:
        """Name of element and event."""
        site = self._sites[row]
        return f"{site.element.name}.{site.event.name}"

    def rates(self, circuit: Floats) -> Floats:
        """Rates [1/s] of all sites at the unknowns of the circuit."""
        return np.asarray(self._compiled(circuit))

    def told(self, row: int, share: float) -> Event:
        """The event as it is told."""
        return Event(self.name(row), share)

    @cached_property
    def _compiled(self) -> Callable[[Floats], jax.Array]:
        """Rates [1/s] of all sites at the unknowns."""
        warmth = jnp.asarray(thermal_voltage(self._circuit.temperature))

        def of(unknowns: jax.Array) -> jax.Array:
            with_ground = jnp.append(unknowns, 0.0)
            return jnp.stack([_rate(site, with_ground, warmth) for site in self._sites])

        return jax.jit(of)

    def after(self, row: int, circuit: Floats) -> Floats:
        """The unknowns after an event."""
        site = self._sites[row]
        own, names = _own(site, jnp.asarray(circuit)), [name for name, _ in site.element.law.own]
        after = circuit.copy()
        for name, value in site.event.after(own, _numbers(site)).items():
            after[site.own + names.index(name)] = float(value)
        return after


def _rate(site: _Site, with_ground: jax.Array, warmth: jax.Array) -> jax.Array:
    law, nodes = site.element.law, site.element.nodes
    v = {name: with_ground[node] for name, node in zip(law.terminals, nodes, strict=True)}
    return site.event.rate(v, _own(site, with_ground), _numbers(site), warmth)


def _own(site: _Site, unknowns: jax.Array) -> Named:
    return {name: unknowns[site.own + k] for k, (name, _) in enumerate(site.element.law.own)}


def _numbers(site: _Site) -> Named:
    return {name: jnp.asarray(number) for name, number in site.element.parameters.items()}

"""Random events of circuit elements: their rates, and what is different after them.

Every event of every element is a site of its own, see `random_events`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ionstack.circuit import Circuit, Element
from ionstack.circuit_equations import Numbers, Wiring, event_rates
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
        self._compiled = _compiled(circuit.wiring)

    def name(self, row: int) -> str:
        """Name of element and event."""
        site = self._sites[row]
        return f"{site.element.name}.{site.event.name}"

    def rates(self, circuit: Floats) -> Floats:
        """Rates [1/s] of all sites at the unknowns of the circuit."""
        given = self._circuit.numbers, self._circuit.warmth
        return np.asarray(self._compiled(circuit, *given))

    def told(self, row: int, share: float) -> Event:
        """The event as it is told."""
        return Event(self.name(row), share)

    def after(self, row: int, circuit: Floats) -> Floats:
        """The unknowns after an event."""
        site = self._sites[row]
        own, names = _own(site, jnp.asarray(circuit)), [name for name, _ in site.element.law.own]
        after = circuit.copy()
        for name, value in site.event.after(own, _numbers(site)).items():
            after[site.own + names.index(name)] = float(value)
        return after


@functools.cache
def _compiled(wiring: Wiring) -> Callable[[Floats, Numbers, jax.Array], jax.Array]:
    """Rates [1/s] of all sites at the unknowns."""
    return jax.jit(event_rates(wiring))


def _own(site: _Site, unknowns: jax.Array) -> Named:
    return {name: unknowns[site.own + k] for k, (name, _) in enumerate(site.element.law.own)}


def _numbers(site: _Site) -> Named:
    return {name: jnp.asarray(number) for name, number in site.element.parameters.items()}

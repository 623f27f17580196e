"""Random events of circuit elements: their rates, and what is different after them.

Every event of every element is a site of its own, see `random_events`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import jax
import numpy as np
from numpy.typing import NDArray

from ionstack.circuits.circuit import Circuit
from ionstack.circuits.circuit_equations import Numbers, Wiring, event_outcome, event_rates
from ionstack.randomness.random_events import Event
from ionstack.randomness.random_streams import hashed

Floats = NDArray[np.float64]


def site_number(name: str) -> int:
    """Return the site of an event by the names of element and event, as ``F1.nucleation``.

    It does not depend on what else there is in the circuit.
    """
    return hashed(name) >> 1


class CircuitEvents:
    """The events of the elements of a circuit; all ranks know the same."""

    purpose = "events of circuit elements"
    changes = True

    def __init__(self, circuit: Circuit) -> None:
        self._circuit = circuit
        self._sites = [
            f"{one.name}.{event.name}" for one in circuit.elements for event in one.law.events
        ]
        self.sites = np.array([site_number(one) for one in self._sites], dtype=np.int64)
        self._compiled = _compiled(circuit.wiring)

    def name(self, row: int) -> str:
        """Name of element and event."""
        return self._sites[row]

    def rates(self, circuit: Floats) -> Floats:
        """Rates [1/s] of all sites at the unknowns of the circuit."""
        given = self._circuit.numbers, self._circuit.warmth
        return np.asarray(self._compiled(circuit, *given))

    def told(self, row: int, share: float) -> Event:
        """The event as it is told."""
        return Event(self.name(row), share)

    def after(self, row: int, circuit: Floats) -> Floats:
        """The unknowns after an event."""
        outcome = _outcome(self._circuit.wiring, row)
        return np.array(outcome(circuit, self._circuit.numbers))


@functools.cache
def _compiled(wiring: Wiring) -> Callable[[Floats, Numbers, jax.Array], jax.Array]:
    """Rates [1/s] of all sites at the unknowns."""
    return jax.jit(event_rates(wiring))


@functools.cache
def _outcome(wiring: Wiring, site: int) -> Callable[[Floats, Numbers], jax.Array]:
    """The unknowns after an event."""
    return jax.jit(event_outcome(wiring, site))

"""Random events of circuit elements: when the next one comes, and what is different after it.

Every event of every element is a site with a stream of random numbers of its own. It happens
when its rate, integrated over time, reaches a drawn threshold. A time step that would go
beyond that instant ends there, as at a limit of the protocol.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from ionstack.circuit import Circuit
from ionstack.circuit_equations import Numbers, Wiring, event_outcome, event_rates
from ionstack.crossing import CLOSE, MOST
from ionstack.hazards import Clocks, ExponentialHazard
from ionstack.random_streams import Stream, hashed

Floats = NDArray[np.float64]


class Happening(NamedTuple):
    """The event that comes first in a step, and the share of the step until then.

    The share is 1 where the step ends close enough to it.
    """

    site: int
    share: float


def site_number(name: str) -> int:
    """Return the site of an event by the names of element and event, as ``F1.nucleation``.

    It does not depend on what else there is in the circuit.
    """
    return hashed(name) >> 1


class CircuitEvents:
    """The events of a circuit from its last accepted state on; all ranks know the same."""

    def __init__(self, circuit: Circuit, seed: int) -> None:
        self._circuit = circuit
        self._sites = [
            f"{one.name}.{event.name}" for one in circuit.elements for event in one.law.events
        ]
        self._stream = Stream(seed, "events of circuit elements")
        numbers = np.array([site_number(one) for one in self._sites], dtype=np.int64)
        self._clocks = Clocks.started(self._stream, numbers)
        self._rates: Floats = np.zeros(len(self._sites))
        # Rates at the end of the last trial, by the unknowns there.
        self._ahead: tuple[Floats, Floats] | None = None
        self._compiled = _compiled(circuit.wiring)
        self.counts = [0] * len(self._sites)

    @property
    def left(self) -> Floats:
        """Integrated rates that are still to come before the next event of each site."""
        return self._clocks.left

    def begin(self, circuit: Floats) -> None:
        """Go on from the circuit's unknowns at an accepted state."""
        if self._sites:
            self._rates = self._rates_at(circuit)

    def next(self, step: float, circuit: Floats, tries: int) -> Happening | None:
        """The first event of a step [s] that ends with these unknowns, tried so often."""
        if not self._sites:
            return None
        hazard = self._hazard(step, circuit)
        beyond = hazard.total() / self._clocks.left - 1.0
        due = np.flatnonzero(beyond >= -CLOSE)
        if not len(due):
            return None
        shares = hazard.instants(due, self._clocks.left[due]) / step
        first = int(np.argmin(shares))
        near = beyond[due[first]] <= CLOSE or tries >= MOST
        return Happening(int(due[first]), 1.0 if near else float(shares[first]))

    def accept(self, step: float, circuit: Floats, found: Happening | None) -> Floats:
        """Take a step as the state; return the unknowns after the event that ends it."""
        if not self._sites:
            return circuit
        passed = self._hazard(step, circuit).total()
        happened = np.array([] if found is None else [found.site], dtype=np.int64)
        self._clocks = self._clocks.after(self._stream, passed, happened)
        if found is not None:
            self.counts[found.site] += 1
            outcome = _outcome(self._circuit.wiring, found.site)
            circuit = np.array(outcome(circuit, self._circuit.numbers))
        self.begin(circuit)
        return circuit

    def quiet(self, steps: Floats, rates: Floats) -> tuple[int, Floats]:
        """How many steps [s] in a row come to their end before any event, and what passes.

        `rates` are those at the ends of the steps, and the second result their integrals over
        each, (n_steps, n_sites).
        """
        first = np.concatenate([self._rates[None], rates])[:-1]
        passed = ExponentialHazard(0.0, steps[:, None], first, rates).total()
        left = self._clocks.left - (np.cumsum(passed, axis=0) - passed)
        due = (passed >= (1.0 - CLOSE) * left).any(axis=1)
        return int(np.argmax(due)) if due.any() else len(steps), passed

    def pass_over(self, passed: Floats, rates: Floats) -> None:
        """Take a step without event as the state, from its row of `quiet` and rates at its end."""
        self._clocks = replace(self._clocks, left=self._clocks.left - passed)
        self._rates = rates

    def memory(self) -> Mapping[str, Any]:
        """What `recall` needs."""
        clocks = self._clocks
        return {
            "left": clocks.left.tolist(),
            "draws": clocks.draws.tolist(),
            "rates": self._rates.tolist(),
            "counts": self.counts,
        }

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Stand where another one stood."""
        left, draws = np.array(memory["left"]), np.array(memory["draws"], dtype=np.int64)
        self._clocks = Clocks(self._clocks.sites, left, draws)
        self._rates = np.array(memory["rates"])
        self.counts = list(memory["counts"])

    def entries(self) -> dict[str, Any]:
        """How often every event happened, for the summary."""
        return {
            f"events.{site}": count for site, count in zip(self._sites, self.counts, strict=True)
        }

    def _hazard(self, step: float, circuit: Floats) -> ExponentialHazard:
        return ExponentialHazard(0.0, step, self._rates, self._rates_at(circuit))

    def _rates_at(self, circuit: Floats) -> Floats:
        """Rates [1/s] at the unknowns; those of a trial are wanted again when it is accepted."""
        if self._ahead is None or self._ahead[0] is not circuit:
            given = self._circuit.numbers, self._circuit.warmth
            self._ahead = circuit, np.asarray(self._compiled(circuit, *given))
        return self._ahead[1]


@functools.cache
def _compiled(wiring: Wiring) -> Callable[[Floats, Numbers, jax.Array], jax.Array]:
    """Rates [1/s] of all sites at the unknowns."""
    return jax.jit(event_rates(wiring))


@functools.cache
def _outcome(wiring: Wiring, site: int) -> Callable[[Floats, Numbers], jax.Array]:
    """The unknowns after an event."""
    return jax.jit(event_outcome(wiring, site))

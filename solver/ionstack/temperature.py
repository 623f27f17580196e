"""The temperature of a device, solved in turn with the transport unknowns in every step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.assemble import System
from ionstack.carriers import TEMPERATURE
from ionstack.checkpoint import Memory
from ionstack.heat_equation import Heated, HeatEquation
from ionstack.heat_model import HeatModel
from ionstack.heat_sources import HeatSources
from ionstack.node_fields import NodeFields
from ionstack.node_places import NodePlaces

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# What is remembered as it is, besides the temperature.
_REMEMBERED = ("generated", "stored", "highest", "lowest")


class TemperatureField:
    """A field beside the unknowns, see `companions.Companion`.

    The device starts at one temperature, that of the model; a steady balance holds from the
    end of the first step on. `generated`, `stored` [J] and `out` [J] by contact are sums
    since the start, `highest` and `lowest` [K] the extreme changes from the temperature there.
    """

    name = "heat"

    def __init__(self, system: System, model: HeatModel) -> None:
        """Hand the uniform temperature of the start over (collective)."""
        volumes = system.equations.volumes
        self._system, self._model = system, model
        self._equation = HeatEquation(volumes, model)
        self._sources = HeatSources(system, NodeFields(system))
        self._inside = [
            np.flatnonzero(volumes.node_region == k) for k in range(len(volumes.regions))
        ]
        self._places = NodePlaces(volumes, system.layout)
        # Of the unknowns of the equation [K]: last accepted, last solved.
        self._rise: Floats = np.zeros(self._equation.layout.n_local)
        self._accepted: Floats = self._rise
        self._step = 0.0
        self._last: Heated | None = None
        self.generated = self.stored = self.highest = self.lowest = 0.0
        self.out: Floats = np.zeros(len(volumes.contacts))
        self._hand_over(self.at_nodes)

    @property
    def at_nodes(self) -> Floats:
        """Temperature [K] at all local nodes, as last solved."""
        return np.asarray(self._model.start + self._rise[self._equation.layout.phi])

    def begin(self, step: float) -> None:
        """Start a trial of a step [s] from the last accepted state; 0 at the start of a run."""
        self._step = step
        self._last = None

    def solve(self) -> float:
        """Solve with the heat that the present unknowns make, and hand the field over.

        Returns the largest change [K] since the last solve over the tolerance (collective).
        """
        if self._step == 0.0:
            return 0.0
        step = np.inf if self._model.steady else self._step
        around = self._system.equations.model.temperature
        self._last = self._equation.solve(self._sources.at_nodes(), self._accepted, step, around)
        change = self._largest(np.abs(self._last.rise - self._rise))
        self._rise = self._last.rise
        self._hand_over(self.at_nodes)
        return change / self._model.tolerance

    def accept(self) -> None:
        """Take the last trial as the state, and its heat into the sums (collective)."""
        self._accepted = self._rise
        if self._last is None:
            return
        self.generated += self._last.generated * self._step
        self.out = self.out + self._last.outflow * self._step
        self.stored += self._last.stored * self._step
        self.highest = max(self.highest, self._largest(self._rise))
        self.lowest = min(self.lowest, -self._largest(-self._rise))
        self._last = None

    def memory(self) -> Memory:
        """The rise of the last accepted state, the temperature used last, and the sums."""
        plain = {name: getattr(self, name) for name in _REMEMBERED} | {"out": self.out.tolist()}
        rise, used = self._accepted[self._equation.layout.phi], np.zeros(len(self.at_nodes))
        for own, nodes in zip(self._system.outer, self._inside, strict=True):
            used[nodes] = own[TEMPERATURE]
        by_unknown = self._places.by_unknown
        return Memory(plain, {"rise": by_unknown(rise), "used": by_unknown(used)})

    def recall(self, memory: Memory) -> None:
        """Stand where another one stood, and hand the field over (collective)."""
        for name in _REMEMBERED:
            setattr(self, name, memory.plain[name])
        self.out = np.array(memory.plain["out"])
        unknown = self._equation.layout.phi
        rise, used = (self._everywhere(memory.owned[name]) for name in ("rise", "used"))
        self._accepted = self._rise = rise
        self._hand_over(used[unknown])

    def _everywhere(self, by_unknown: Floats) -> Floats:
        """Values of the temperature's local unknowns from what a checkpoint holds (collective)."""
        own = self._places.at_nodes(by_unknown)
        layout = self._equation.layout
        found = np.zeros(layout.n_owned)
        found[layout.phi[: len(own)]] = own
        return self._equation.with_ghosts(found)

    def entries(self) -> Mapping[str, Any]:
        """Extreme changes of the temperature, energies, and what is left of their balance."""
        contacts = self._system.equations.volumes.contacts
        left = self.generated - self.stored - float(self.out.sum())
        size = max(abs(self.generated), abs(self.stored), float(np.abs(self.out).max(initial=0.0)))
        return {
            "heat.rise [K]": self.highest,
            "heat.fall [K]": -self.lowest,
            "heat.generated [J]": self.generated,
            **{
                f"heat.out.{name} [J]": float(value)
                for name, value in zip(contacts, self.out, strict=True)
            },
            "heat.stored [J]": self.stored,
            "heat.closure": abs(left) / size if size else 0.0,
        }

    def _largest(self, values: Floats) -> float:
        largest = float(values.max(initial=-np.inf))
        comm = self._system.comm
        return comm.allreduce(largest, MPI.MAX) if comm.size > 1 else largest

    def _hand_over(self, temperature: Floats) -> None:
        """Give the temperature [K] at all local nodes to the system."""
        for region, nodes in enumerate(self._inside):
            self._system.set_outer(region, {TEMPERATURE: temperature[nodes]})

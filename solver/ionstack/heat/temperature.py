"""The temperature of a device, solved in turn with the transport unknowns in every step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.assembly.assemble import System
from ionstack.assembly.node_fields import NodeFields
from ionstack.assembly.node_places import NodePlaces
from ionstack.heat.heat_equation import Heated, HeatEquation, between_nodes
from ionstack.heat.heat_media import HeatMedia
from ionstack.heat.heat_sources import HeatSources
from ionstack.heat.relaxation import Mixing
from ionstack.models.carriers import TEMPERATURE
from ionstack.models.heat_model import HeatModel
from ionstack.output.checkpoint import Memory

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# What is remembered as it is, besides the temperature.
_REMEMBERED = ("generated", "stored", "highest", "lowest", "_last_step")
# Most steps of the last size over which the field is extrapolated.
FARTHEST = 2.0
# Largest power p of a runaway y' = y^p of the temperature that is foreseen.
STEEPEST = 10.0


class TemperatureField:
    """A field beside the unknowns, see `companions.Companion`.

    The device starts at one temperature, that of the model; a steady balance holds from the
    end of the first step on. `generated`, `stored` [J] and `out` [J] by contact are sums
    since the start, `highest` and `lowest` [K] the extreme changes from the temperature there.
    """

    trouble = ""  # a linear system, which has a solution
    name = "heat"

    def __init__(self, system: System, model: HeatModel) -> None:
        """Hand the uniform temperature of the start over (collective)."""
        volumes = system.equations.volumes
        self._system, self._model = system, model
        self._equation = HeatEquation(volumes, model)
        self._sources, self._fields = HeatSources(system), NodeFields(system)
        self._media = HeatMedia(volumes, model)
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
        self._moved = 0.0  # change of the field in the step over the field
        self._mixing = Mixing(self._equation.layout.n_owned, self._sum)
        # Fields in use at the ends of the last two steps, and the time between them.
        self._kept: tuple[Floats, Floats] = (self._rise, self._rise)
        self._last_step = 0.0
        self._hand_over(self._rise)

    @property
    def at_nodes(self) -> Floats:
        """Temperature [K] at all local nodes, as last solved."""
        return np.asarray(self._model.start + self._rise[self._equation.layout.phi])

    def begin(self, step: float) -> None:
        """Start a trial of a step [s] from the last accepted state; 0 at the start of a run.

        The first field goes on as over the last step.
        """
        self._step = step
        before, last = self._kept
        share = step / self._last_step if self._last_step > 0.0 else 0.0
        if share:
            self._hand_over(last + min(share, FARTHEST) * (last - before))
        self._last = None
        self._mixing.forget()

    def solve(self) -> float:
        """Solve with the heat that the present unknowns make, and hand a better field over.

        Returns the largest difference [K] from the field in use over the tolerance
        (collective). A field that is within the tolerance stays in use.
        """
        if self._step == 0.0:
            return 0.0
        step = np.inf if self._model.steady else self._step
        around = self._system.equations.model.temperature
        fields = self._fields.evaluate()
        source = self._sources.at_nodes(fields)
        given = self._accepted, step, around, self._conductivity(fields)
        self._last = self._equation.solve(source, *given)
        self._rise = self._last.rise
        missed = self._rise - self._used
        change = self._largest(np.abs(missed))
        if change > self._model.tolerance:
            self._hand_over(self._mixing.next(self._used, missed))
        else:
            self._mixing.see(self._used, missed)
            moved = self._largest(np.abs(self._used - self._kept[1]))
            self._moved = moved / max(self._largest(np.abs(self._used)), self._model.tolerance)
        return change / self._model.tolerance

    def _conductivity(self, fields: Mapping[str, Floats]) -> Floats | None:
        """Thermal conductivity of all edges in the field in use; None where it is constant."""
        if self._media.constant:
            return None
        used = self._model.start + self._used[self._equation.layout.phi]
        at_nodes = self._media.conductivity(fields, used)
        return between_nodes(self._system.equations.volumes, at_nodes)

    @property
    def feedback(self) -> float:
        """Share of a change of the temperature that comes back through what transport does.

        What comes back in no time, however short the step is, does not count: a runaway
        y' = y^p with the feedback r changes y by the share r/p in the step.
        """
        return min(self._mixing.feedback, STEEPEST * self._moved)

    def accept(self) -> bool:
        """Take the last trial as the state, and its heat into the sums (collective)."""
        self._accepted = self._rise
        if self._last is None:
            return False
        self._kept, self._last_step = (self._kept[1], self._used), self._step
        self.generated += self._last.generated * self._step
        self.out = self.out + self._last.outflow * self._step
        self.stored += self._last.stored * self._step
        self.highest = max(self.highest, self._largest(self._rise))
        self.lowest = min(self.lowest, -self._largest(-self._rise))
        self._last = None
        return False

    def memory(self) -> Memory:
        """The rise of the last accepted state, the temperature used last, and the sums."""
        plain = {name: getattr(self, name) for name in _REMEMBERED} | {"out": self.out.tolist()}
        both = {"rise": self._accepted, "before": self._kept[0], "used": self._kept[1]}
        unknown = self._equation.layout.phi
        return Memory(plain, {k: self._places.by_unknown(v[unknown]) for k, v in both.items()})

    def recall(self, memory: Memory) -> None:
        """Stand where another one stood, and hand the field over (collective)."""
        for name in _REMEMBERED:
            setattr(self, name, memory.plain[name])
        self.out = np.array(memory.plain["out"])
        names = ("rise", "before", "used")
        rise, before, used = (self._everywhere(memory.owned[name]) for name in names)
        self._accepted = self._rise = rise
        self._kept = before, used
        self._hand_over(used)

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

    def _sum(self, values: Floats) -> Floats:
        comm = self._system.comm
        return np.asarray(comm.allreduce(values) if comm.size > 1 else values)

    def _largest(self, values: Floats) -> float:
        largest = float(values.max(initial=-np.inf))
        comm = self._system.comm
        return comm.allreduce(largest, MPI.MAX) if comm.size > 1 else largest

    def _hand_over(self, rise: Floats) -> None:
        """Give the system the temperature at all local nodes from the rise of the unknowns [K]."""
        self._used = rise
        temperature = self._model.start + rise[self._equation.layout.phi]
        for region, nodes in enumerate(self._inside):
            self._system.set_outer(region, {TEMPERATURE: temperature[nodes]})

"""Observers of accepted states. They write files and named scalars and change nothing."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.assemble import System
from ionstack.equilibrium import Conserved
from ionstack.errors import raise_together
from ionstack.node_fields import NodeFields
from ionstack.output.fields import FieldGrid, FieldsWriter
from ionstack.output.names import electrochemical_potential, first_positive_ion, site_fraction
from ionstack.output.profiles import Profile, ProfileWriter
from ionstack.output.run_directory import RunDirectory
from ionstack.output.trace import TraceWriter
from ionstack.protocol import Cycle
from ionstack.protocol import Protocol as Voltages
from ionstack.stepper import State

Floats = NDArray[np.float64]

CELL_TYPES = {1: 3, 2: 5, 3: 10}


class Observer(Protocol):
    """Sees every accepted state, then says what it found."""

    def see(self, state: State) -> None:
        """Look at an accepted state (collective)."""

    def found(self) -> Mapping[str, Any]:
        """Entries for the summary (collective)."""

    def memory(self) -> Mapping[str, Any]:
        """What a resumed run must know, as JSON holds it; that of rank 0 counts."""

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Go on from a memory, before the first state; files are cut back to it (collective)."""


class Trace:
    """Voltages and currents of every step into ``trace.csv``."""

    def __init__(self, run: RunDirectory, system: System, protocol: Voltages) -> None:
        self._contacts = system.equations.volumes.contacts
        self._cycles = protocol.cycles
        self._comm, self._path = system.comm, run.trace
        self._first = self._comm.rank == 0
        self._writer: TraceWriter | None = None

    def see(self, state: State) -> None:
        """Add a row."""
        if self._first:
            self._opened().append(
                state.time,
                dict(zip(self._contacts, map(float, state.voltages), strict=True)),
                dict(zip(self._contacts, map(float, state.currents), strict=True)),
                state.step,
                state.newton,
                cycle_at(self._cycles, state.time),
            )

    def _opened(self, position: int | None = None) -> TraceWriter:
        """The writer; the file is made or cut back when it is first needed."""
        self._writer = self._writer or TraceWriter(self._path, self._contacts, position)
        return self._writer

    def memory(self) -> Mapping[str, Any]:
        """Size of the file."""
        return {"position": self._opened().position()} if self._first else {}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Cut the file back."""
        with raise_together(self._comm, "cutting the trace back"):
            if self._first:
                self._opened(memory["position"])

    def found(self) -> Mapping[str, Any]:
        """Nothing; the file is complete."""
        if self._writer is not None:
            self._writer.close()
        return {}


def shown(state: State, protocol: Voltages) -> bool:
    """Whether a state is at a breakpoint that is worth a picture."""
    return state.at_breakpoint and state.interval in protocol.shown


def driven_contact(protocol: Voltages) -> str:
    """The contact whose voltage first moves."""
    moved = (np.flatnonzero(level) for level in protocol.levels)
    return protocol.contacts[next((int(one[0]) for one in moved if len(one)), 0)]


def cycle_at(cycles: tuple[Cycle, ...], time: float) -> int:
    """Number of the cycle that a time [s] belongs to, 0 outside; its end is its own."""
    inside = (cycle.index for cycle in cycles if cycle.start < time <= cycle.end)
    return next(inside, 0)


class Balance:
    """Particles of closed species and the sum of terminal currents, step by step.

    `equilibrium_current` [A] is that of the carriers at the start, None where the start is
    another run's state.
    """

    _REMEMBERED = (
        "_first", "_scale", "_drift", "_current_sum", "_current_max", "_equilibrium_current",
    )  # fmt: skip

    def __init__(
        self, system: System, conserved: tuple[Conserved, ...], equilibrium_current: float | None
    ) -> None:
        self._system = system
        self._equilibrium_current = equilibrium_current
        self._conserved = conserved
        self._weights = [self._weight(one) for one in conserved]
        self._first: Floats | None = None
        self._scale: Floats = np.ones(len(conserved))
        self._drift: Floats = np.zeros(len(conserved))
        self._current_sum = self._current_max = 0.0

    def _weight(self, one: Conserved) -> Floats:
        """Factor of every owned amount in a conserved sum."""
        result = np.zeros(self._system.layout.n_owned)
        for group, factor in one.parts:
            result[self._system.members(group.species, group.regions)] = factor
        return result

    def see(self, state: State) -> None:
        """Compare with the first state."""
        totals = self._totals(state, self._weights)
        if self._first is None:
            self._first = totals
            self._scale = self._totals(state, [np.abs(weight) for weight in self._weights])
            return
        self._drift = np.maximum(self._drift, np.abs(totals - self._first) / self._scale)
        self._current_sum = max(self._current_sum, abs(float(state.currents.sum())))
        self._current_max = max(self._current_max, float(np.abs(state.currents).max()))

    def memory(self) -> Mapping[str, Any]:
        """Sums at the start and what was largest so far."""
        return {name: getattr(self, name) for name in self._REMEMBERED}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Measure from the same start on."""
        for name in self._REMEMBERED:
            value = memory[name]
            setattr(self, name, np.array(value) if isinstance(value, list) else value)

    def _totals(self, state: State, weights: list[Floats]) -> Floats:
        """Weighted sums of the amounts over all ranks."""
        local = np.array([state.amounts @ weight for weight in weights])
        return np.asarray(self._system.comm.allreduce(local))

    def found(self) -> Mapping[str, Any]:
        """Largest relative drifts and the largest current sum over the largest current."""
        drift: dict[str, float] = {}
        for one, value in zip(self._conserved, self._drift, strict=True):
            key = f"conservation.{one.species}"
            drift[key] = max(float(value), drift.get(key, 0.0))
        largest = self._current_max or 1.0
        rest = self._equilibrium_current
        return {
            **drift,
            "current_sum": self._current_sum / largest,
            "current_max [A]": self._current_max,
            **({} if rest is None else {"equilibrium.current": rest / largest}),
        }


class Snapshots:
    """Fields at the breakpoints of the protocol into ``fields.vtkhdf``."""

    def __init__(
        self,
        run: RunDirectory,
        system: System,
        fields: NodeFields,
        protocol: Voltages,
        axisymmetric: bool,
    ) -> None:
        self._fields, self._protocol = fields, protocol
        grid, self._nodes = field_grid(system, axisymmetric)
        self._writer = FieldsWriter(run.fields, system.comm, grid)

    def see(self, state: State) -> None:
        """Append a snapshot at a breakpoint."""
        if shown(state, self._protocol):
            fields = self._fields.evaluate()
            self._writer.append(state.time, {k: v[self._nodes] for k, v in fields.items()})

    def memory(self) -> Mapping[str, Any]:
        """Number of snapshots."""
        return {"steps": self._writer.steps}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Keep those snapshots."""
        self._writer.keep(memory["steps"])

    def found(self) -> Mapping[str, Any]:
        """Nothing."""
        return {}


def field_grid(system: System, axisymmetric: bool) -> tuple[FieldGrid, NDArray[np.int64]]:
    """Cells of this rank for output and the nodes that are their points."""
    volumes = system.equations.volumes
    nodes, cells = np.unique(volumes.cell_nodes, return_inverse=True)
    cells = cells.reshape(volumes.cell_nodes.shape)
    points = np.zeros((len(nodes), 3))
    points[:, : volumes.dimension] = volumes.coordinates[volumes.node_vertex[nodes]]
    region = volumes.node_region[volumes.cell_nodes[:, 0]]
    kind = CELL_TYPES[volumes.dimension]
    return FieldGrid(points, cells, kind, region, volumes.regions, axisymmetric), nodes


class Profiles:
    """Depth profiles on the centre line at start, extreme biases and end."""

    def __init__(
        self,
        run: RunDirectory,
        system: System,
        fields: NodeFields,
        protocol: Voltages,
        axisymmetric: bool,
    ) -> None:
        self._system, self._fields = system, fields
        self._column = centre_column(system, axisymmetric)
        self._protocol, self._driven = protocol, driven_contact(protocol)
        self._extremes = self._levels(protocol)
        self._end = protocol.duration
        first = system.comm.rank == 0
        self._writer = ProfileWriter(run.profiles) if first else None
        self._drops: dict[str, float] = {}

    def _levels(self, protocol: Voltages) -> tuple[float, float]:
        column = protocol.contacts.index(self._driven)
        levels = [level[column] for level in protocol.levels]
        return min(levels), max(levels)

    def _names(self, state: State) -> list[str]:
        contacts = self._system.equations.volumes.contacts
        bias = float(state.voltages[contacts.index(self._driven)])
        low, high = self._extremes
        names = ["start"] if state.step == 0.0 else []
        names += ["most negative bias"] if bias == low < 0.0 else []
        names += ["most positive bias"] if bias == high > 0.0 else []
        return names + (["end"] if state.time == self._end else [])

    def see(self, state: State) -> None:
        """Add or replace the profiles that this state is."""
        names = self._names(state) if shown(state, self._protocol) else []
        if not names:
            return
        profile = self._profile(state)
        for name in names:
            if self._writer is not None:
                self._writer.add(Profile(name, state.time, *profile))
                self._drops |= electron_drops(name, *profile)

    def memory(self) -> Mapping[str, Any]:
        """The file and the drops."""
        return {"text": self._writer.text(), "drops": self._drops} if self._writer else {}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Write the file as it was."""
        with raise_together(self._system.comm, "writing the profiles"):
            if self._writer is not None:
                self._writer.restore(memory["text"])
                self._drops = dict(memory["drops"])

    def _profile(self, state: State) -> tuple[Floats, tuple[str, ...], dict[str, Floats]]:
        volumes = self._system.equations.volumes
        fields = self._fields.evaluate()
        parts = [volumes.depth[self._column], volumes.node_region[self._column].astype(float)]
        table = np.array([*parts, *(fields[name][self._column] for name in fields)])
        gathered = np.concatenate(self._system.comm.allgather(table), axis=1)
        gathered = gathered[:, np.lexsort((gathered[1], gathered[0]))]
        regions = tuple(volumes.regions[int(index)] for index in gathered[1])
        return gathered[0], regions, dict(zip(fields, gathered[2:], strict=True))

    def found(self) -> Mapping[str, Any]:
        """Where the electrons' electrochemical potential drops, per layer and interface."""
        return self._drops


def centre_column(system: System, axisymmetric: bool) -> NDArray[np.int64]:
    """Owned nodes of the column of vertices nearest to the axis or centre (collective)."""
    volumes = system.equations.volumes
    owned = volumes.coordinates[: volumes.n_owned_vertices]
    lateral = np.delete(owned, volumes.stack_axis, axis=1)
    if lateral.shape[1] == 0:
        return np.arange(volumes.n_owned_nodes)
    low, high = _bounds(volumes.comm, lateral)
    centre = low if axisymmetric else 0.5 * (low + high)
    # Rounded, so that columns at equal distances are told apart by position on all ranks.
    distance = np.round(np.linalg.norm((lateral - centre) / np.max(high - low), axis=1), 9)
    ranking = np.lexsort((*lateral.T[::-1], distance))[:1]
    candidates = [(float(distance[i]), *lateral[i].tolist()) for i in ranking]
    best = min(one for part in volumes.comm.allgather(candidates) for one in part)
    inside = np.all(lateral == np.array(best[1:]), axis=1)
    vertex = volumes.node_vertex[: volumes.n_owned_nodes]
    return np.flatnonzero(inside[vertex])


def _bounds(comm: MPI.Comm, points: Floats) -> tuple[Floats, Floats]:
    """Least and largest coordinates over all ranks."""
    empty = np.full(points.shape[1], np.inf)
    low = np.min(
        comm.allgather(points.min(axis=0, initial=np.inf) if len(points) else empty), axis=0
    )
    high = np.max(
        comm.allgather(points.max(axis=0, initial=-np.inf) if len(points) else -empty), axis=0
    )
    return np.asarray(low), np.asarray(high)


def electron_drops(
    state: str, depth: Floats, regions: tuple[str, ...], fields: Mapping[str, Floats]
) -> dict[str, float]:
    """Fall of the electrons' electrochemical potential over layers and interfaces [eV]."""
    psi = fields.get(electrochemical_potential("e-"))
    if psi is None:
        return {}
    order = list(dict.fromkeys(regions))
    ends = {name: [i for i, one in enumerate(regions) if one == name] for name in order}
    drops = {
        f"electron_energy_drop.{state}.{name} [eV]": float(psi[ends[name][0]] - psi[ends[name][-1]])
        for name in order
    }
    for upper, lower in pairwise(order):
        value = float(psi[ends[upper][-1]] - psi[ends[lower][0]])
        drops[f"electron_energy_drop.{state}.{upper}/{lower} [eV]"] = value
    return drops


class Homogeneity:
    """Lateral spread of the ion content at one depth, over the run's breakpoints."""

    def __init__(self, system: System, fields: NodeFields, protocol: Voltages) -> None:
        self._system, self._fields, self._protocol = system, fields, protocol
        self._spread = 0.0
        self._ion = first_positive_ion(f"{name} [m^-3]" for name in system.equations.model.valences)

    def see(self, state: State) -> None:
        """Compare contents in each plane of nodes."""
        volumes = self._system.equations.volumes
        if not shown(state, self._protocol) or volumes.dimension == 1 or self._ion is None:
            return
        count = volumes.n_owned_nodes
        content = self._fields.evaluate()[site_fraction(self._ion)][:count]
        planes = np.column_stack([volumes.node_region[:count].astype(float), volumes.depth[:count]])
        local = _plane_ranges(planes, content)
        low: dict[tuple[float, float], float] = {}
        high: dict[tuple[float, float], float] = {}
        for part in self._system.comm.allgather(local):
            for key, (least, most) in part.items():
                low[key] = min(low.get(key, np.inf), least)
                high[key] = max(high.get(key, -np.inf), most)
        spread = max((high[key] - low[key]) / high[key] for key in low)
        self._spread = max(self._spread, spread)

    def memory(self) -> Mapping[str, Any]:
        """The largest spread so far."""
        return {"spread": self._spread}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Go on from it."""
        self._spread = memory["spread"]

    def found(self) -> Mapping[str, Any]:
        """Largest relative spread; nothing in 1-D."""
        if self._system.equations.volumes.dimension == 1 or self._ion is None:
            return {}
        return {f"lateral_spread.{self._ion}": self._spread}


def _plane_ranges(
    planes: Floats, content: Floats
) -> dict[tuple[float, float], tuple[float, float]]:
    keys, inverse = np.unique(planes, axis=0, return_inverse=True)
    low, high = np.full(len(keys), np.inf), np.full(len(keys), -np.inf)
    np.minimum.at(low, inverse.reshape(-1), content)
    np.maximum.at(high, inverse.reshape(-1), content)
    return {
        (float(a), float(b)): (float(least), float(most))
        for (a, b), least, most in zip(keys, low, high, strict=True)
        if np.isfinite(least)
    }

"""Observers of accepted states. They write files and named scalars and change nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.assembly.assemble import System
from ionstack.assembly.node_fields import NodeFields
from ionstack.circuits.circuit import Circuit
from ionstack.models.products import bound_in, unknown_of
from ionstack.output.fields import FieldGrid, FieldsWriter
from ionstack.output.growing import Growing, TableObserver
from ionstack.output.names import first_positive_ion, site_fraction
from ionstack.output.run_directory import RunDirectory
from ionstack.output.trace import TraceWriter
from ionstack.protocols.protocol import Protocol as Voltages
from ionstack.solving.equilibrium import Conserved
from ionstack.stepping.states import State

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


class Trace(TableObserver[TraceWriter]):
    """Voltages and currents of every time step into ``trace.csv``.

    In a circuit the sources follow the contacts, and other unknowns stand at the end.
    """

    def __init__(
        self,
        run: RunDirectory,
        comm: MPI.Comm,
        contacts: Sequence[str],
        protocol: Voltages,
        circuit: Circuit,
    ) -> None:
        self._circuit, self._contacts = circuit, contacts
        self._sources = () if circuit.plain else circuit.sources
        self._cycle = by_interval((one.index, one.first, one.last) for one in protocol.cycles)
        self._step = by_interval((one.number, one.first, one.last) for one in protocol.spans)
        self._places, self._extra = _beside_sources(circuit)
        # The file is named, not this observer: a run's folder is free once nobody holds it.
        path, extra = run.trace, self._extra
        names = tuple(dict.fromkeys((*contacts, *self._sources)))
        self._table = Growing(comm, lambda position: TraceWriter(path, names, extra, position))

    def see(self, state: State) -> None:
        """Add a row."""
        writer = self._table.writer()
        if writer is not None:
            writer.append(
                state.time,
                self._at(state.voltages, self._circuit.source_voltages(state.circuit)),
                self._at(state.currents, self._circuit.source_currents(state.circuit)),
                state.step,
                state.newton,
                self._cycle.get(state.interval, 0),
                self._step.get(state.interval, 0),
                [float(state.circuit[place]) for place in self._places],
            )

    def _at(self, contacts: Floats, sources: Floats) -> dict[str, float]:
        """Values of sources and contacts by name; a contact hides a source of its name."""
        own = dict(zip(self._contacts, map(float, contacts), strict=True))
        if not self._sources:
            return own
        return {**dict(zip(self._sources, map(float, sources), strict=True)), **own}


def _beside_sources(circuit: Circuit) -> tuple[list[int], list[str]]:
    """Number and name of the unknowns that are not those of sources or their nodes."""
    if circuit.plain:
        return [], []
    known = {node for node in circuit.source_node if node >= 0}
    for first, one in zip(circuit.own_start, circuit.elements, strict=True):
        known |= set(range(first, first + len(one.law.own))) if one.kind == "source" else set()
    places = [place for place in range(circuit.size) if place not in known]
    return places, [circuit.unknowns[place] for place in places]


def shown(state: State, protocol: Voltages) -> bool:
    """Whether a state is at a breakpoint that is worth a picture."""
    return state.at_breakpoint and state.following in protocol.shown


def by_interval(spans: Iterable[tuple[int, int, int]]) -> dict[int, int]:
    """What lies between two breakpoints, by the number of intervals begun."""
    return {number: what for what, first, last in spans for number in range(first + 1, last + 1)}


class Balance:
    """Particles of closed species and the sum of terminal currents, step by step.

    `equilibrium_current` [A] is that of the carriers at the start, None where the start is
    another run's state. In a circuit also the sum of currents at every node.
    """

    _REMEMBERED = (
        "_first", "_scale", "_drift", "_current_sum", "_current_max", "_kirchhoff",
        "_equilibrium_current",
    )  # fmt: skip

    def __init__(
        self,
        system: System,
        conserved: tuple[Conserved, ...],
        equilibrium_current: float | None,
        circuit: Circuit | None = None,
    ) -> None:
        self._system = system
        self._equilibrium_current = equilibrium_current
        self._conserved = conserved
        self._weights = [self._weight(one) for one in conserved]
        self._first: Floats | None = None
        self._scale: Floats = np.ones(len(conserved))
        self._drift: Floats = np.zeros(len(conserved))
        self._current_sum = self._current_max = self._kirchhoff = 0.0
        self._nodes = circuit is not None and not circuit.plain

    def _weight(self, one: Conserved) -> Floats:
        """Factor of every owned amount in a conserved sum, what products bind included."""
        result = np.zeros(self._system.layout.n_owned)
        bound = bound_in(self._system.equations.model)
        for group, factor in one.parts:
            result[self._system.members(group.species, group.regions)] = factor
            for product, particles in bound.get(group.species, {}).items():
                held = self._system.members(unknown_of(product), group.regions)
                result[held] = factor * particles
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
        self._kirchhoff = max(self._kirchhoff, state.kirchhoff)

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
        """Largest relative drifts, and the largest sums of currents over the largest current."""
        drift: dict[str, float] = {}
        for one, value in zip(self._conserved, self._drift, strict=True):
            key = f"conservation.{one.species}"
            drift[key] = max(float(value), drift.get(key, 0.0))
        largest = self._current_max or 1.0
        rest = self._equilibrium_current
        return {
            **drift,
            "current_sum": self._current_sum / largest,
            **({"kirchhoff": self._kirchhoff / largest} if self._nodes else {}),
            "current_max [A]": self._current_max,
            **({} if rest is None else {"equilibrium.current": rest / largest}),
        }


class SnapshotObserver:
    """What observers share whose only memory are the snapshots in their file."""

    _writer: FieldsWriter

    def memory(self) -> Mapping[str, Any]:
        """Number of snapshots."""
        return {"steps": self._writer.steps}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Keep those snapshots."""
        self._writer.keep(memory["steps"])

    def found(self) -> Mapping[str, Any]:
        """Nothing; the file is complete."""
        return {}


class Moments:
    """When fields are written: at breakpoints, and between them every so many seconds.

    Steps stay as they are: a snapshot is that of the first accepted state after that time.
    """

    def __init__(self, protocol: Voltages, every: float | None = None) -> None:
        self._protocol, self._every = protocol, every
        self.last = -np.inf

    def due(self, state: State) -> bool:
        """Whether a state is written, which is then the last one."""
        waited = self._every is not None and state.time - self.last >= self._every
        if not waited and not shown(state, self._protocol):
            return False
        self.last = state.time
        return True


class Snapshots(SnapshotObserver):
    """Fields at such moments into ``fields.vtkhdf``."""

    def __init__(
        self,
        run: RunDirectory,
        system: System,
        fields: NodeFields,
        moments: Moments,
        axisymmetric: bool,
    ) -> None:
        self._fields, self._moments = fields, moments
        grid, self._nodes = field_grid(system, axisymmetric)
        self._writer = FieldsWriter(run.fields, system.comm, grid)

    def see(self, state: State) -> None:
        """Append a snapshot if it is time."""
        if self._moments.due(state):
            fields = self._fields.evaluate()
            self._writer.append(state.time, {k: v[self._nodes] for k, v in fields.items()})

    def memory(self) -> Mapping[str, Any]:
        """Number of snapshots, and the time of the last one."""
        return {**super().memory(), "last": self._moments.last}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Keep those snapshots."""
        super().recall(memory)
        self._moments.last = memory["last"]


def field_grid(system: System, axisymmetric: bool) -> tuple[FieldGrid, NDArray[np.int64]]:
    """Cells of this rank for output and the nodes that are their points."""
    volumes = system.equations.volumes
    nodes, cells = np.unique(volumes.cell_nodes, return_inverse=True)
    cells = cells.reshape(volumes.cell_nodes.shape)
    points = np.zeros((len(nodes), 3))
    points[:, : volumes.dimension] = volumes.coordinates[volumes.node_vertex[nodes]]
    points += _apart(system)[volumes.vertex_copy[volumes.node_vertex[nodes]]]
    region = volumes.node_region[volumes.cell_nodes[:, 0]]
    kind = CELL_TYPES[volumes.dimension]
    return FieldGrid(points, cells, kind, region, volumes.regions, axisymmetric), nodes


def bounds(comm: MPI.Comm, points: Floats) -> tuple[Floats, Floats]:
    """Least and largest coordinates over all ranks (collective)."""
    empty = np.full(points.shape[1], np.inf)
    low = np.min(
        comm.allgather(points.min(axis=0, initial=np.inf) if len(points) else empty), axis=0
    )
    high = np.max(
        comm.allgather(points.max(axis=0, initial=-np.inf) if len(points) else -empty), axis=0
    )
    return np.asarray(low), np.asarray(high)


def _apart(system: System) -> Floats:
    """Shifts [m] (n_copies, 3) that draw the copies of a device beside each other."""
    volumes = system.equations.volumes
    low, high = bounds(volumes.comm, volumes.coordinates)
    across = [k for k in range(volumes.dimension) if k != volumes.stack_axis]
    shifts = np.zeros((volumes.copies, 3))
    # In 1-D, where there is nothing across the stack, as far as it is thick.
    axis = across[0] if across else 1
    size = high[across[0]] - low[across[0]] if across else (high - low)[volumes.stack_axis]
    shifts[:, axis] = 1.25 * size * np.arange(volumes.copies)
    return shifts


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

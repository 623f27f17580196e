"""Observers of accepted states. They write files and named scalars and change nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.assemble import System
from ionstack.circuit import Circuit
from ionstack.equilibrium import Conserved
from ionstack.network import Network
from ionstack.node_fields import NodeFields
from ionstack.output.fields import FieldGrid, FieldsWriter
from ionstack.output.names import electrochemical_potential, first_positive_ion, site_fraction
from ionstack.output.profiles import Profile, ProfileWriter
from ionstack.output.run_directory import RunDirectory
from ionstack.output.trace import TraceWriter
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


class Trace:
    """Voltages and currents of every time step into ``trace.csv``.

    In a circuit the sources follow the contacts, and other unknowns stand at the end.
    """

    def __init__(
        self, run: RunDirectory, system: System, protocol: Voltages, network: Network
    ) -> None:
        circuit, contacts = network.circuit, system.equations.volumes.contacts
        self._network = network
        self._contacts = contacts
        self._sources = () if circuit.plain else circuit.sources
        self._cycle = _by_interval((one.index, one.first, one.last) for one in protocol.cycles)
        self._step = _by_interval((one.number, one.first, one.last) for one in protocol.spans)
        self._places, self._extra = _beside_sources(circuit)
        names = tuple(dict.fromkeys((*contacts, *self._sources)))
        first = system.comm.rank == 0
        self._writer = TraceWriter(run.trace, names, self._extra) if first else None

    def see(self, state: State) -> None:
        """Add a row."""
        if self._writer is not None:
            self._writer.append(
                state.time,
                self._at(state.voltages, self._network.source_voltages(state.circuit)),
                self._at(state.currents, self._network.source_currents(state.circuit)),
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

    def found(self) -> Mapping[str, Any]:
        """Nothing; the file is complete."""
        if self._writer is not None:
            self._writer.close()
        return {}


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


def _by_interval(spans: Iterable[tuple[int, int, int]]) -> dict[int, int]:
    """What lies between two breakpoints, by the number of intervals begun."""
    return {number: what for what, first, last in spans for number in range(first + 1, last + 1)}


class Balance:
    """Particles of closed species and the sum of terminal currents, step by step.

    In a circuit also the sum of currents at every node.
    """

    def __init__(
        self,
        system: System,
        conserved: tuple[Conserved, ...],
        equilibrium_current: float,
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
        self._kirchhoff = max(self._kirchhoff, state.kirchhoff)

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
        return {
            **drift,
            "current_sum": self._current_sum / largest,
            **({"kirchhoff": self._kirchhoff / largest} if self._nodes else {}),
            "current_max [A]": self._current_max,
            "equilibrium.current": self._equilibrium_current / largest,
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
    points += _apart(system)[volumes.vertex_copy[volumes.node_vertex[nodes]]]
    region = volumes.node_region[volumes.cell_nodes[:, 0]]
    kind = CELL_TYPES[volumes.dimension]
    return FieldGrid(points, cells, kind, region, volumes.regions, axisymmetric), nodes


def _apart(system: System) -> Floats:
    """Shifts [m] (n_copies, 3) that draw the copies of a device beside each other."""
    volumes = system.equations.volumes
    low, high = _bounds(volumes.comm, volumes.coordinates)
    across = [k for k in range(volumes.dimension) if k != volumes.stack_axis]
    shifts = np.zeros((volumes.copies, 3))
    # In 1-D, where there is nothing across the stack, as far as it is thick.
    axis = across[0] if across else 1
    size = high[across[0]] - low[across[0]] if across else (high - low)[volumes.stack_axis]
    shifts[:, axis] = 1.25 * size * np.arange(volumes.copies)
    return shifts


class Profiles:
    """Depth profiles on the centre line at start, extreme biases and end."""

    def __init__(
        self,
        run: RunDirectory,
        system: System,
        fields: NodeFields,
        protocol: Voltages,
        circuit: Circuit,
        axisymmetric: bool,
    ) -> None:
        self._system, self._fields = system, fields
        sources, copies = circuit.sources, circuit.copies
        self._columns = centre_columns(system, axisymmetric, copies)
        self._protocol = protocol
        self._source = sources.index(protocol.driven())
        self._lowest = self._highest = 0.0
        first = system.comm.rank == 0
        self._writer = ProfileWriter(run.profiles) if first else None
        self._drops: dict[str, float] = {}

    def _names(self, state: State) -> list[str]:
        bias = float(state.applied[self._source])
        names = ["start"] if state.step == 0.0 else []
        if bias < 0.0 and bias <= self._lowest:
            self._lowest = bias
            names.append("most negative bias")
        if bias > 0.0 and bias >= self._highest:
            self._highest = bias
            names.append("most positive bias")
        return names + (["end"] if state.following == len(self._protocol.laid) else [])

    def see(self, state: State) -> None:
        """Add or replace the profiles that this state is."""
        names = self._names(state) if shown(state, self._protocol) else []
        if not names:
            return
        fields = self._fields.evaluate()
        for copy, column in self._columns.items():
            profile = self._profile(fields, column)
            for name in names:
                full = f"{copy} {name}".strip()
                if self._writer is not None:
                    self._writer.add(Profile(full, state.time, *profile))
                    self._drops |= electron_drops(full, *profile)

    def _profile(
        self, fields: Mapping[str, Floats], column: NDArray[np.int64]
    ) -> tuple[Floats, tuple[str, ...], dict[str, Floats]]:
        volumes = self._system.equations.volumes
        parts = [volumes.depth[column], volumes.node_region[column].astype(float)]
        table = np.array([*parts, *(fields[name][column] for name in fields)])
        gathered = np.concatenate(self._system.comm.allgather(table), axis=1)
        gathered = gathered[:, np.lexsort((gathered[1], gathered[0]))]
        regions = tuple(volumes.regions[int(index)] for index in gathered[1])
        return gathered[0], regions, dict(zip(fields, gathered[2:], strict=True))

    def found(self) -> Mapping[str, Any]:
        """Where the electrons' electrochemical potential drops, per layer and interface."""
        return self._drops


def centre_columns(
    system: System, axisymmetric: bool, copies: tuple[str, ...]
) -> dict[str, NDArray[np.int64]]:
    """Owned nodes of the column of vertices nearest to the axis or centre, by copy (collective)."""
    volumes = system.equations.volumes
    column = centre_column(system, axisymmetric)
    copy = volumes.vertex_copy[volumes.node_vertex[column]]
    return {name: column[copy == number] for number, name in enumerate(copies)}


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

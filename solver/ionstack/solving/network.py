"""A device in its circuit: the circuit's unknowns border the matrix of the device.

The device meets the circuit at its contacts: their voltages enter its equations, their
currents Kirchhoff's law. The circuit touches all nodes at a metal, so it stays out of the
matrix: Newton's method eliminates it with one more solve per contact whose voltage is not
known beforehand, and every linear solver stays as it is. Copies of a device do not touch
each other, so one solve serves the same contact of all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ionstack.assembly.assemble import Evaluation, System
from ionstack.assembly.border import Border, BorderScatter
from ionstack.circuits.circuit import Circuit, Settings, Values, plain_circuit
from ionstack.physics.constants import ELEMENTARY_CHARGE

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class CircuitScheme:
    """What a time step asks of the circuit besides the arguments of `System.evaluate`.

    `charge` is what the time scheme adds to the charges of the metals [e], then to what is
    stored in the circuit's rows, see `Network.stored`; `unknowns` are the circuit's at the
    start of the iteration.
    """

    network: Network
    settings: Settings
    charge: Floats
    unknowns: Floats

    @property
    def sought(self) -> bool:
        """Whether any unknown of the circuit is not known beforehand."""
        return not self.network.all_known(self.settings)

    def begin(self) -> Floats:
        """Circuit unknowns to start from: those known beforehand at their values."""
        return self.network.with_held(self.unknowns, self.settings)


@dataclass(frozen=True)
class _Response:
    """What contacts do with the matrix of `slopes` and `lead`, per volt.

    `unknowns` (n_owned, contacts of a device) are the changes of the unknowns, `charges` (n, n)
    those of the charges into the contacts; `rows` as in `Border`.
    """

    slopes: Floats
    lead: float
    contacts: tuple[int, ...]
    unknowns: Floats
    rows: csr_array
    charges: Floats


@dataclass(frozen=True)
class _Held:
    """Which unknowns are known beforehand, and the sources that set some nodes' voltages."""

    mask: Bools
    nodes: Ints
    sources: Ints
    everything: bool


class Network:
    """Connects the contacts of a system with the nodes of a circuit."""

    def __init__(self, system: System, circuit: Circuit) -> None:
        self.system, self.circuit = system, circuit
        self.n_nodes = len(circuit.nodes)
        self._node = np.asarray(circuit.contact_node, dtype=np.int64)
        volumes, layout = system.equations.volumes, system.layout
        self._per_device = len(self._node) // volumes.copies
        vertex = volumes.node_vertex[layout.node[: layout.n_owned]]
        self._device_of_unknown = volumes.vertex_copy[vertex]
        self._stores = any(one.kind != "source" for one in circuit.elements)
        # What one of a row counts as: charges of nodes are in elementary charges.
        self._unit = np.where(np.arange(circuit.size) < self.n_nodes, ELEMENTARY_CHARGE, 1.0)
        self._borders: dict[tuple[int, ...], BorderScatter] = {}
        self._known: dict[bytes, _Held] = {}
        self._evaluated: tuple[Floats, Settings, Values] | None = None
        self._response: _Response | None = None

    def with_held(self, unknowns: Floats, settings: Settings) -> Floats:
        """Unknowns with those known beforehand at their values."""
        held = self._held(settings)
        found = np.where(held.mask, 0.0, unknowns)
        found[held.nodes] = settings.value[held.sources]
        return found

    def _held(self, settings: Settings) -> _Held:
        """What is known beforehand depends on modes and compliances alone."""
        modes = (settings.current, settings.positive, settings.negative)
        key = b"".join(one.tobytes() for one in modes)
        if key not in self._known:
            mask = self.circuit.held(settings)[0]
            current = np.asarray(self.circuit.source_current, dtype=np.int64)
            sources = np.flatnonzero(mask[current])
            nodes = np.asarray(self.circuit.source_node, dtype=np.int64)[sources]
            self._known[key] = _Held(mask, nodes, sources, bool(mask.all()))
        return self._known[key]

    def voltages(self, unknowns: Floats) -> Floats:
        """Voltages of the contacts [V]."""
        return np.where(self._node >= 0, unknowns[self._node], 0.0)

    def at_contacts(self, voltages: Floats) -> Floats:
        """Unknowns of the circuit with these voltages [V] at the contacts, 0 elsewhere."""
        inside, found = self._node >= 0, np.zeros(self.circuit.size)
        found[self._node[inside]] = voltages[inside]
        return found

    def source_voltages(self, unknowns: Floats) -> Floats:
        """Voltage across every source [V]."""
        return self.circuit.source_voltages(unknowns)

    def source_currents(self, unknowns: Floats) -> Floats:
        """Current out of every source into its node [A]."""
        return self.circuit.source_currents(unknowns)

    def stored(self, unknowns: Floats, settings: Settings) -> Floats:
        """What elements store: charges at the nodes [e], states; 0 in other rows."""
        if not self._stores:
            return np.zeros(self.circuit.size)
        return np.asarray(self._values(unknowns, settings).charge / self._unit)

    def solved(
        self, unknowns: Floats, scheme: CircuitScheme, lead: float, step: float, into: Floats
    ) -> tuple[Floats, float]:
        """Unknowns with the currents of the sources known beforehand, and what is left over.

        `into` are the currents into the contacts [A]. The second result is the largest sum of
        currents at a node [A].
        """
        leaving, nodes = self._at_nodes(into), slice(self.n_nodes)
        if not self.circuit.plain or not self.all_known(scheme.settings):
            values = self._values(unknowns, scheme.settings)
            old = scheme.charge[len(self._node) :][nodes]
            stored = lead * values.charge[nodes] + ELEMENTARY_CHARGE * old
            leaving = leaving + values.residual[nodes] + stored / step
        held, found = self._held(scheme.settings), unknowns.copy()
        current = np.asarray(self.circuit.source_current, dtype=np.int64)
        found[current[held.sources]] = leaving[held.nodes]
        free = ~held.mask[nodes]
        return found, float(np.abs(leaving[free]).max(initial=0.0))

    def _at_nodes(self, contacts: Floats) -> Floats:
        """Sums over the contacts of each node."""
        inside, found = self._node >= 0, np.zeros(self.n_nodes)
        np.add.at(found, self._node[inside], contacts[inside])
        return found

    def couple(
        self,
        scheme: CircuitScheme,
        lead: float,
        step: float,
        own: Floats,
        solve: Callable[[Floats], None],
    ) -> Floats:
        """Complete the last update of the system for the circuit (collective).

        Args:
            scheme: with the present unknowns of the circuit.
            lead: leading coefficient of the time scheme.
            step: time step [s].
            own: this rank's part of the charges [e] that flowed into the contacts.
            solve: puts the solution of the linear system for a right side into the update.

        Returns:
            The change of the circuit's unknowns.
        """
        if self.all_known(scheme.settings):
            return np.zeros_like(scheme.unknowns)
        alone = self._alone(scheme, lead, step)
        return self._complete(scheme, lead, own, scheme.charge, alone, solve)

    def respond(
        self,
        scheme: CircuitScheme,
        lead: float,
        step: float,
        given: Floats,
        solve: Callable[[Floats], None],
    ) -> Floats:
        """The same for errors of the charges `given` [e] in place of what is lacking."""
        if self.all_known(scheme.settings):
            return np.zeros_like(scheme.unknowns)
        slopes = self._alone(scheme, lead, step)[1]
        alone = np.zeros(len(slopes)), slopes
        return self._complete(scheme, lead, np.zeros(len(self._node)), given, alone, solve)

    def all_known(self, settings: Settings) -> bool:
        """Whether all unknowns of the circuit are known beforehand."""
        return self._held(settings).everything

    def _alone(self, scheme: CircuitScheme, lead: float, step: float) -> tuple[Floats, Floats]:
        """Residuals of the circuit over a step without the device, and their slopes."""
        values = self._values(scheme.unknowns, scheme.settings)
        residual, slopes = values.residual.copy(), values.residual_slopes.copy()
        rows = self.circuit.stores
        unit = self._unit[rows]
        residual[rows] = (step * residual[rows] + lead * values.charge[rows]) / unit
        rise = step * slopes[rows] + lead * values.charge_slopes[rows]
        slopes[rows] = rise / unit[:, None]
        return residual, slopes

    def _complete(
        self,
        scheme: CircuitScheme,
        lead: float,
        own: Floats,
        given: Floats,
        alone: tuple[Floats, Floats],
        solve: Callable[[Floats], None],
    ) -> Floats:
        held = self._held(scheme.settings).mask
        contacts = self._free_contacts(held)
        residual, slopes = alone
        residual[: self.n_nodes] += self._at_nodes(given[: len(self._node)])
        residual += given[len(self._node) :]
        free, change = np.flatnonzero(~held), np.zeros(len(held))
        plain: Floats = self.system.update.getArray().copy()
        responses: Floats = np.zeros((len(plain), self._per_device))
        if contacts:
            response = self._responded(contacts, lead, solve)
            responses = response.unknowns
            flowed = own[list(contacts)] + response.rows @ self.system.with_ghosts(plain)
            nodes = self._node[list(contacts)]
            np.add.at(residual, nodes, self._sum(flowed))
            np.add.at(slopes, (nodes[:, None], nodes[None, :]), response.charges)
        change[free] = _solve_dense(slopes[np.ix_(free, free)], -residual[free])
        self.system.update.setArray(plain + self._spread(contacts, responses, change))
        return change

    def _values(self, unknowns: Floats, settings: Settings) -> Values:
        """The circuit's equations; the last ones are kept, several callers want them."""
        last = self._evaluated
        if last is None or last[1] is not settings or not np.array_equal(last[0], unknowns):
            values = self.circuit.evaluate(unknowns, settings)
            last = self._evaluated = (unknowns.copy(), settings, values)
        return last[2]

    def _responded(
        self, contacts: tuple[int, ...], lead: float, solve: Callable[[Floats], None]
    ) -> _Response:
        """Responses to the contacts; those of the last matrix are kept (collective)."""
        slopes, last = self.system.last_slopes, self._response
        if last and last.slopes is slopes and (last.lead, last.contacts) == (lead, contacts):
            return last
        border = self._border(contacts, lead)
        unknowns = self._responses(border, contacts, solve)
        terms = [border.rows @ self.system.with_ghosts(one) for one in unknowns.T]
        charges = self._sum(self._joined(border, contacts, terms))
        self._response = _Response(slopes, lead, contacts, unknowns, border.rows, charges)
        return self._response

    def _sum(self, local: Floats) -> Floats:
        """Sum over all ranks (collective)."""
        comm = self.system.comm
        return local if comm.size == 1 else np.asarray(comm.allreduce(local))

    def _free_contacts(self, held: Bools) -> tuple[int, ...]:
        """Contacts at nodes whose voltage is sought."""
        free = (self._node >= 0) & ~held[np.maximum(self._node, 0)]
        return tuple(int(one) for one in np.flatnonzero(free))

    def _border(self, contacts: tuple[int, ...], lead: float) -> Border:
        if contacts not in self._borders:
            self._borders[contacts] = self.system.border_of(contacts)
        return self._borders[contacts].fill(self.system.last_slopes, lead)

    def _responses(
        self, border: Border, contacts: tuple[int, ...], solve: Callable[[Floats], None]
    ) -> Floats:
        """Changes of the unknowns per volt, for one contact of all devices at a time."""
        kinds = np.array(contacts, dtype=np.int64) % self._per_device
        found: Floats = np.zeros((border.columns.shape[0], self._per_device))
        for kind in np.unique(kinds):
            solve(border.columns @ (kinds == kind).astype(float))
            found[:, kind] = self.system.update.getArray()
        return found

    def _joined(self, border: Border, contacts: tuple[int, ...], terms: list[Floats]) -> Floats:
        """Derivatives of the charges into the contacts by their voltages."""
        device, kind = np.divmod(np.array(contacts, dtype=np.int64), self._per_device)
        together = np.column_stack(terms)[:, kind]
        return np.asarray(border.corner + np.where(device[:, None] == device, together, 0.0))

    def _spread(self, contacts: tuple[int, ...], responses: Floats, change: Floats) -> Floats:
        """Changes of the system's unknowns with the voltages of the contacts."""
        volts = np.zeros(len(self._node))
        volts[list(contacts)] = change[self._node[list(contacts)]]
        by_device = volts.reshape(-1, self._per_device)
        return np.asarray((responses * by_device[self._device_of_unknown]).sum(axis=1))


def contact_charge(evaluation: Evaluation, lead: float) -> Floats:
    """This rank's part of the charge [e] that flowed into the contacts, history apart."""
    return np.asarray(lead * evaluation.metal_charge - evaluation.outflow)


def _solve_dense(matrix: Floats, right: Floats) -> Floats:
    """Solution of a small system whose rows have different units; NaN where it is singular."""
    size = np.abs(matrix).max(axis=1, keepdims=True)
    try:
        return np.asarray(np.linalg.solve(matrix / size, right / size[:, 0]))
    except np.linalg.LinAlgError:
        return np.full_like(right, np.nan)


def plain_circuit_of(system: System) -> Circuit:
    """A source at every contact that does not float."""
    contacts = system.equations.volumes.contacts
    floating = tuple(contacts[k] for k in system.floating)
    return plain_circuit(contacts, floating, system.equations.model.temperature)


def driven_contacts(system: System) -> NDArray[np.int64]:
    """Contacts that do not float, by position."""
    count = len(system.equations.volumes.contacts)
    return np.setdiff1d(np.arange(count), system.floating)

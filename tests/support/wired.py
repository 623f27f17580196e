"""Cheap devices in circuits, driven by protocols: everything but the files of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.assembly.assemble import System
from ionstack.assembly.entities import Entities
from ionstack.assembly.equations import transient_equations
from ionstack.assembly.neutrality import work_functions
from ionstack.casefile.circuit_schema import CircuitModel
from ionstack.casefile.netlist import cells_of, netlist, numbered
from ionstack.circuits.circuit import Circuit, plain_circuit
from ionstack.geometry.stack import Lateral
from ionstack.models.case_model import build_model
from ionstack.models.copies import repeated, repeated_model
from ionstack.models.layout import build_layout
from ionstack.models.model import ContactModel, InterfaceModel, RegionModel
from ionstack.physics.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY, thermal_voltage
from ionstack.protocols.laid import Instruments
from ionstack.protocols.protocol import build_protocol
from ionstack.randomness.random_events import RandomEvents
from ionstack.runs.preparation import Prepared, SourceDrive
from ionstack.solving.linear import Choice, LinearSolver
from ionstack.solving.network import Network
from ionstack.solving.newton import Newton, NewtonControl
from ionstack.stepping.circuit_events import CircuitEvents
from ionstack.stepping.meter import Meter
from ionstack.stepping.states import State, StepControl
from ionstack.stepping.stepper import Stepper
from support.devices import analog, owned
from support.films import bound, species
from support.layers import Device, layer, model, stack

Floats = NDArray[np.float64]

TEMPERATURE = 300.0
KT = thermal_voltage(TEMPERATURE)


class Wired:
    """Settled devices, all alike, in a circuit as a case file describes it.

    `section` is the section `circuit`; empty: voltages at the contacts. `update` is the
    largest last update of Newton's method [V].
    """

    def __init__(
        self,
        device: Device,
        section: dict[str, Any] | None = None,
        solver: Choice = "auto",
        update: float = 1e-9,
    ) -> None:
        contacts = device.volumes.contacts
        read = CircuitModel.model_validate(section or {})
        self.circuit = plain_circuit(contacts, (), TEMPERATURE)
        if section:
            self.circuit = numbered(netlist(read, contacts), TEMPERATURE)
        self.system = _copies(device, self.circuit.copies)
        order = self.system.equations.volumes.contacts
        self.network = Network(self.system, self.circuit.in_order_of(order))
        control = NewtonControl(tolerance=update)
        self.newton = Newton(self.system, LinearSolver(self.system, solver), control)
        self.cells = cells_of(self.circuit, read.crossbar.scheme) if read.crossbar else {}
        self.stepper: Stepper
        # Of a run's case only the contents matter to a change of the temperature.
        case: Any = SimpleNamespace(contents=device.contents)
        found: Any = None
        self._run = Prepared(case, False, self.system, self.newton, self.network, found)

    def march(self, *steps: Any, **control: float) -> Iterator[State]:
        """Accepted states along a protocol, from the present state."""
        protocol = build_protocol(steps, _instruments(self.circuit, self.cells))
        drive = SourceDrive(protocol.intervals(self.circuit.sources))
        meter = Meter(self.system, self.network.circuit)
        steps_of = StepControl(**control)
        events = RandomEvents((CircuitEvents(self.circuit),), 0)
        self.stepper = Stepper(
            self.system,
            self.newton,
            drive,
            steps_of,
            self.network,
            meter,
            self._run.surround,
            events=events,
        )
        return self.stepper.run()

    def run(self, *steps: Any, **control: float) -> list[State]:
        """The same as a list."""
        return list(self.march(*steps, **control))

    def of(self, state: State) -> dict[str, float]:
        """Unknowns of the circuit, currents into contacts, by name: ``V(in)``, ``I(M1.top)``."""
        names = (name.split(" ")[0] for name in self.circuit.unknowns)
        found = dict(zip(names, map(float, state.circuit), strict=True))
        contacts = self.system.equations.volumes.contacts
        currents = zip(contacts, map(float, state.currents), strict=True)
        return found | {f"I({name})": current for name, current in currents}

    def column(self, states: Sequence[State], name: str) -> Floats:
        """Values of one name as in `of` in all states."""
        return np.array([self.of(state)[name] for state in states])

    def particles(self, state: State, name: str) -> float:
        """Number of particles of a species (collective)."""
        local = state.amounts[owned(self.system, name)].sum()
        return float(self.system.comm.allreduce(local))


def _copies(device: Device, names: tuple[str, ...]) -> System:
    if names == ("",):
        return device.system
    volumes, laws = repeated(device.volumes, names), repeated_model(device.model, names)
    layout = build_layout(volumes, laws)
    works = work_functions(Entities(laws, volumes, layout), device.contents)
    system = System(transient_equations(laws, volumes, layout, works))
    system.unknowns.setArray(np.tile(device.system.unknowns.getArray(readonly=1), len(names)))
    system.refresh_ghosts()
    return system


def _instruments(circuit: Circuit, cells: dict[str, dict[str, float]]) -> Instruments:
    start = circuit.start
    limits = (
        dict(zip(circuit.sources, one, strict=True)) for one in (start.positive, start.negative)
    )
    closed = dict(zip(circuit.switches, map(bool, start.closed), strict=True))
    return Instruments(circuit.sources, *limits, closed, cells)


ELECTRON = species("e-", -1, "boltzmann", 1e25, bound("transport", "sedan", diffusivity=1e-4), -4.0)
HOLE = species("h+", 1, "boltzmann", 1e25, bound("transport", "sedan", diffusivity=1e-4), 5.12)
THICK, SIDE = 1e-6, 1e-4
DOPING = 3e21
# Of the films below.
CONDUCTANCE = ELEMENTARY_CHARGE * DOPING * 1e-4 / KT * SIDE**2 / THICK
CAPACITANCE = 11.7 * VACUUM_PERMITTIVITY * SIDE**2 / THICK
_LATERAL = Lateral("rectangle", None, SIDE, SIDE, 2, 1.0)


def _film(region: RegionModel, carriers: tuple[str, ...], comm: MPI.Comm, dimension: str) -> Device:
    metal = {name: bound("contact", "ohmic") for name in carriers}
    ends = [ContactModel(name, None if metal else 0.0, metal) for name in ("top", "bottom")]
    films = stack(layer("film", THICK, 1e-7), dimension=dimension, lateral=_LATERAL)
    device = Device(films, model((region,), (), *ends), comm=comm)
    device.settle()
    return device


def ohmic(comm: MPI.Comm = MPI.COMM_SELF, dimension: str = "1d") -> Device:
    """An n-doped film between ohmic contacts: `CONDUCTANCE` beside `CAPACITANCE`."""
    region = RegionModel("film", 11.7, DOPING, (ELECTRON,))
    return _film(region, ("e-",), comm, dimension)


def dielectric() -> Device:
    """A film without carriers: `CAPACITANCE` alone."""
    return _film(RegionModel("film", 11.7, 0.0, ()), (), MPI.COMM_SELF, "1d")


def diode(comm: MPI.Comm = MPI.COMM_SELF, dimension: str = "1d") -> Device:
    """A p-n diode whose p side, at the top, is its anode."""
    carriers = (ELECTRON, HOLE)
    merged = {one.name: bound("interface", "continuous") for one in carriers}
    regions = tuple(
        RegionModel(name, 11.7, doping, carriers) for name, doping in (("p", -1e23), ("n", 1e23))
    )
    metal = {one.name: bound("contact", "ohmic") for one in carriers}
    ends = [ContactModel(name, None, metal) for name in ("top", "bottom")]
    films = stack(
        *(layer(name, THICK, 1e-8, 1.5) for name in ("p", "n")),
        dimension=dimension,
        lateral=_LATERAL,
    )
    laws = model(regions, (InterfaceModel(("p", "n"), merged),), *ends)
    device = Device(films, laws, comm=comm)
    device.settle()
    return device


def insertion() -> Device:
    """A neutral host that takes ions from the top and electrons from the bottom contact."""
    hop = bound("transport", "sedan", diffusivity=1e-12)
    ion = species("ion", 1, "lattice_gas", 1e27, hop)
    electron = species("e-", -1, "lattice_gas", 1e27, hop)
    exchange = bound("contact", "exchange", exchange_current_density=1e3)
    top = ContactModel("top", None, {"ion": exchange})
    bottom = ContactModel("bottom", None, {"e-": bound("contact", "ohmic")})
    films = stack(layer("host", 1e-7, 1e-8), lateral=_LATERAL)
    laws = model((RegionModel("host", 20.0, 0.0, (ion, electron)),), (), top, bottom)
    device = Device(films, laws, {"host": {"ion": 0.5, "e-": 0.5}})
    device.settle()
    return device


def analog_stack() -> Device:
    """The shipped stack with ions on a coarse grid; its contacts are Pt and ITO."""
    case = analog()
    device = Device(case.stack, build_model(case), case.contents)
    device.settle()
    return device


def resistor(a: str, b: str, resistance: float) -> dict[str, Any]:
    return {"kind": "resistor", "nodes": [a, b], "resistance": f"{resistance!r} ohm"}


def capacitor(a: str, b: str, capacitance: float) -> dict[str, Any]:
    return {"kind": "capacitor", "nodes": [a, b], "capacitance": f"{capacitance!r} F"}


def switch(a: str, b: str, on: float, off: float, closed: bool = False) -> dict[str, Any]:
    numbers = {"on": f"{on!r} ohm", "off": f"{off!r} ohm", "closed": closed}
    return {"kind": "switch", "nodes": [a, b]} | numbers


def pair(device: Device, how: str) -> dict[str, Any]:
    """Section with two devices in series or in parallel between V1 and ground."""
    top, bottom = device.volumes.contacts
    mid = {"series": "mid", "parallel": None}[how]
    devices = {"A": {top: "in", bottom: mid or "ground"}, "B": {top: mid or "in", bottom: "ground"}}
    return line("in", devices=devices)


def line(node: str = "top", **parts: Any) -> dict[str, Any]:
    """Section with a source V1 at a node of one device; `parts` as in a case file."""
    return {"sources": {"V1": {"node": node}}} | parts

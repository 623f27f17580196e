"""From a checked case to a device in its circuit, ready to be driven."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
from mpi4py import MPI

from ionstack.assembly.assemble import System
from ionstack.assembly.entities import Entities
from ionstack.assembly.equations import numbers_of, transient_equations
from ionstack.assembly.neutrality import work_functions
from ionstack.casefile.case import Case
from ionstack.gaps.gap_field import GapField
from ionstack.geometry.graph import ControlVolumes, build_control_volumes
from ionstack.geometry.mesh import build_mesh
from ionstack.heat.temperature import TemperatureField
from ionstack.models.case_model import build_model, given_contents
from ionstack.models.copies import repeated, repeated_model
from ionstack.models.gap_model import build_gap_model
from ionstack.models.heat_model import build_heat_model
from ionstack.models.layout import build_layout
from ionstack.models.model import Model
from ionstack.protocols.drive import Interval
from ionstack.protocols.surroundings import Surroundings
from ionstack.randomness.random_events import RandomEvents
from ionstack.solving.equilibrium import Equilibrium, find_equilibrium, without_search
from ionstack.solving.linear import LinearSolver
from ionstack.solving.network import Network
from ionstack.solving.newton import Newton, NewtonControl
from ionstack.solving.traces import Traces
from ionstack.stepping.circuit_events import CircuitEvents
from ionstack.stepping.companions import Companion
from ionstack.stepping.face_nucleation import (
    FaceNucleation,
    Plantings,
    face_nucleation,
    plantings,
)
from ionstack.stepping.meter import Meter
from ionstack.stepping.states import StepControl
from ionstack.stepping.stepper import Stepper
from ionstack.stepping.thermal_noise import ThermalNoise
from ionstack.stress.body_mechanics import BodyMechanics
from ionstack.stress.film_mechanics import FilmMechanics
from ionstack.stress.stress_field import Stress
from ionstack.stress.swelling import Swelling


class Timing:
    """Wall-clock seconds per part of a run."""

    def __init__(self) -> None:
        self.started = time.perf_counter()
        self.seconds: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Add the time spent inside to a part."""
        begin = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begin

    def entries(self) -> dict[str, float]:
        """Entries for the summary."""
        total = time.perf_counter() - self.started
        return {f"timing.{name} [s]": value for name, value in self.seconds.items()} | {
            "timing.total [s]": total
        }


@dataclass(frozen=True)
class SourceDrive:
    """A protocol as the stepper wants it: intervals with values in the order of the sources."""

    intervals: tuple[Interval, ...]


@dataclass(frozen=True)
class Prepared:
    """A device in equilibrium at 0 V, ready to be driven."""

    case: Case
    axisymmetric: bool
    system: System
    newton: Newton
    network: Network
    equilibrium: Equilibrium
    companions: tuple[Companion, ...] = ()
    plantings: Plantings = field(default_factory=dict)
    nuclei: tuple[FaceNucleation, ...] = ()

    def stepper(self) -> Stepper:
        """Return a stepper along the case's protocol from the present unknowns."""
        control = step_control(self.case)
        drive = SourceDrive(self.case.protocol.intervals(self.network.circuit.sources))
        meter = Meter(self.system, self.network.circuit)
        return Stepper(
            self.system,
            self.newton,
            drive,
            control,
            self.network,
            meter,
            self.surround,
            (*self.companions, *self.plantings.values()),
            self._events(),
            ThermalNoise(self.system, self.case.seed),
        )

    def _events(self) -> RandomEvents:
        """All that happens at random (collective)."""
        return RandomEvents((CircuitEvents(self.network.circuit), *self.nuclei), self.case.seed)

    def surround(self, new: Surroundings) -> None:
        """Bring the device into other surroundings; nothing if it is in these."""
        equations = self.system.equations
        if new == equations.model.surroundings:
            return
        model = equations.model.surrounded(new)
        if any(contact.work_function is None for contact in model.contacts):
            volumes, layout = equations.volumes, self.system.layout
            levels = work_functions(Entities(model, volumes, layout), given_contents(self.case))
            self.system.adopt(transient_equations(model, volumes, layout, levels))
        else:
            self.system.adopt(replace(equations, model=model, numbers=numbers_of(model)))


def step_control(case: Case) -> StepControl:
    """Return the step control that a case wants."""
    numerics = case.numerics
    return StepControl(
        tolerance=numerics.step_tolerance,
        smallest=numerics.min_step,
        largest=np.inf if numerics.max_step is None else numerics.max_step,
        initial=numerics.initial_step,
        fixed=numerics.fixed_step,
    )


def prepare(
    case: Case, comm: MPI.Comm, timing: Timing | None = None, search: bool = True
) -> Prepared:
    """Mesh the stack, set the equations up and find equilibrium (collective).

    Without the `search` the unknowns are left to be set.
    """
    timing = timing or Timing()
    with timing.part("mesh"):
        device = build_mesh(case.stack, comm)
        volumes = build_control_volumes(device)
    with timing.part("setup"):
        model = build_model(case)
        system = _system(case, model, volumes)
        companions = _companions(case, system)
    choice = case.numerics.solver
    with timing.part("equilibrium"):
        if search:
            found = find_equilibrium(system, given_contents(case), choice, case.start)
        else:
            found = without_search(system)
    if case.circuit.copies != ("",):
        with timing.part("setup"):
            system = _copies(case, system)
    control = NewtonControl(tolerance=case.numerics.newton_tolerance)
    traces = Traces(system, case.traces) if case.traces else None
    newton = Newton(system, LinearSolver(system, choice), control, traces)
    contacts = system.equations.volumes.contacts
    network = Network(system, case.circuit.in_order_of(contacts))
    companions = (*companions, *_temperature(case, system), *_gap(case, model, system))
    planted = plantings(system, device.axisymmetric)
    nuclei = tuple(face_nucleation(system, network, case.seed, planted))
    return Prepared(
        case, device.axisymmetric, system, newton, network, found, companions, planted, nuclei
    )


def _temperature(case: Case, system: System) -> tuple[Companion, ...]:
    """The temperature, if the case has heat; that of the start is the same everywhere."""
    heat = build_heat_model(case)
    if heat is None:
        return ()
    return (TemperatureField(system, heat.repeated(case.circuit.copies)),)


def _gap(case: Case, model: Model, system: System) -> tuple[Companion, ...]:
    """The gap between metals, if electrons tunnel through one."""
    gap = build_gap_model(case, model)
    return () if gap is None else (GapField(system, gap),)


def _companions(case: Case, system: System) -> tuple[Companion, ...]:
    """The fields that the case solves beside the unknowns."""
    if case.mechanics is None:
        return ()
    volumes = system.equations.volumes
    films = case.stack.dimension == "1d"
    solver = FilmMechanics(case, volumes) if films else BodyMechanics(case, volumes)
    given = Swelling(system).given(given_contents(case))
    return (Stress(system, solver, given, case.mechanics.tolerance),)


def _system(case: Case, model: Model, volumes: ControlVolumes) -> System:
    layout = build_layout(volumes, model)
    levels = work_functions(Entities(model, volumes, layout), given_contents(case))
    return System(transient_equations(model, volumes, layout, levels))


def _copies(case: Case, single: System) -> System:
    """The system of all devices of a circuit, each in the state of the single one."""
    names, equations = case.circuit.copies, single.equations
    volumes = repeated(equations.volumes, names)
    system = _system(case, repeated_model(equations.model, names), volumes)
    # Owned unknowns are numbered device by device, each as those of the single one.
    system.unknowns.setArray(np.tile(single.unknowns.getArray(readonly=1), len(names)))
    system.refresh_ghosts()
    return system

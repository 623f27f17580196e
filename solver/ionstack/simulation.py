"""A run from a checked case to files: the one place that wires the modules together."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.assemble import System
from ionstack.case import Case, values_used
from ionstack.copies import repeated, repeated_model
from ionstack.drive import Interval
from ionstack.entities import Entities
from ionstack.equations import transient_equations
from ionstack.equilibrium import Equilibrium, find_equilibrium
from ionstack.errors import IonstackError
from ionstack.graph import ControlVolumes, build_control_volumes
from ionstack.layout import build_layout
from ionstack.linear import LinearSolver
from ionstack.log import Log
from ionstack.mesh import build_mesh
from ionstack.meter import Meter
from ionstack.model import Model, build_model
from ionstack.network import Network
from ionstack.neutrality import work_functions
from ionstack.newton import Newton, NewtonControl, Scheme
from ionstack.node_fields import NodeFields
from ionstack.observers import Balance, Homogeneity, Observer, Profiles, Snapshots, Trace
from ionstack.output import sources, summary
from ionstack.output.atomic import write_text
from ionstack.output.names import electrochemical_potential
from ionstack.output.provenance import provenance
from ionstack.output.run_directory import RunDirectory
from ionstack.physics.constants import ELEMENTARY_CHARGE
from ionstack.pulse_observer import PulseTable
from ionstack.step_observers import Spectra, StepTable
from ionstack.stepper import StepControl, Stepper

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SourceDrive:
    """A protocol as the stepper wants it: intervals with values in the order of the sources."""

    intervals: tuple[Interval, ...]


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
class Prepared:
    """A device in equilibrium at 0 V, ready to be driven."""

    case: Case
    axisymmetric: bool
    system: System
    newton: Newton
    network: Network
    equilibrium: Equilibrium

    def stepper(self) -> Stepper:
        """Return a stepper along the case's protocol from the present unknowns."""
        numerics = self.case.numerics
        control = StepControl(
            tolerance=numerics.step_tolerance,
            smallest=numerics.min_step,
            largest=np.inf if numerics.max_step is None else numerics.max_step,
            initial=numerics.initial_step,
            fixed=numerics.fixed_step,
        )
        drive = SourceDrive(self.case.protocol.intervals(self.network.circuit.sources))
        meter = Meter(self.system, self.network)
        return Stepper(self.system, self.newton, drive, control, self.network, meter, self.warm)

    def warm(self, temperature: float) -> None:
        """Bring the device to another temperature [K]; nothing if it has that one."""
        equations = self.system.equations
        if temperature == equations.model.temperature:
            return
        model = replace(equations.model, temperature=temperature)
        if any(contact.work_function is None for contact in model.contacts):
            volumes, layout = equations.volumes, self.system.layout
            levels = work_functions(Entities(model, volumes, layout), self.case.contents)
            self.system.adopt(transient_equations(model, volumes, layout, levels))
        else:
            self.system.adopt(replace(equations, model=model))


def prepare(case: Case, comm: MPI.Comm, timing: Timing | None = None) -> Prepared:
    """Mesh the stack, set the equations up and find equilibrium (collective)."""
    timing = timing or Timing()
    with timing.part("mesh"):
        device = build_mesh(case.stack, comm)
        volumes = build_control_volumes(device)
    with timing.part("setup"):
        system = _system(case, build_model(case), volumes)
    choice = case.numerics.solver
    with timing.part("equilibrium"):
        found = find_equilibrium(system, case.contents, choice, case.start)
    if case.circuit.copies != ("",):
        with timing.part("setup"):
            system = _copies(case, system)
    control = NewtonControl(tolerance=case.numerics.newton_tolerance)
    newton = Newton(system, LinearSolver(system, choice), control)
    contacts = system.equations.volumes.contacts
    network = Network(system, case.circuit.in_order_of(contacts))
    return Prepared(case, device.axisymmetric, system, newton, network, found)


def _system(case: Case, model: Model, volumes: ControlVolumes) -> System:
    layout = build_layout(volumes, model)
    levels = work_functions(Entities(model, volumes, layout), case.contents)
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


def simulate(case: Case, run: RunDirectory, comm: MPI.Comm, log: Log) -> Path:
    """Run a case and write its results into a claimed directory (collective).

    Raises:
        IonstackError: after writing a summary of what was reached.
    """
    timing = Timing()
    _greet(case, comm, log)
    if comm.rank == 0:
        sources.write(run.sources, values_used(case))
        write_text(run.input, "".join(f"# --set {one}\n" for one in case.overrides) + case.text)
    prepared = prepare(case, comm, timing)
    system = prepared.system
    volumes = system.equations.volumes
    log.say(
        f"mesh: {comm.allreduce(volumes.n_owned_vertices)} vertices, "
        f"{system.layout.n_global} unknowns on {comm.size} rank{'s' * (comm.size > 1)}; "
        f"{'equilibrium' if case.start == 'equilibrium' else 'start'} found in "
        f"{prepared.equilibrium.newton_steps} Newton steps"
    )
    fields = NodeFields(system)
    entries = _equilibrium_entries(prepared, fields)
    stepper, observers = prepared.stepper(), _observers(prepared, fields, run)
    failure: IonstackError | None = None
    with timing.part("stepping"):
        try:
            _march(prepared, stepper, observers, log)
        except IonstackError as error:
            failure = error
    for observer in observers:
        entries |= observer.found()
    entries |= _step_entries(prepared, stepper)
    timing.seconds["assembly"] = prepared.newton.assembly_seconds
    timing.seconds["linear"] = prepared.newton.linear_seconds
    _finish(case, run, comm, system, entries | {"completed": failure is None}, timing, log)
    if failure is not None:
        raise failure
    return run.path


def _greet(case: Case, comm: MPI.Comm, log: Log) -> None:
    numbers = values_used(case)
    fitted = sum(1 for row in numbers if row.fitted)
    log.say(f"{case.title or case.name}: {case.path}")
    log.say(
        f"{case.stack.dimension} stack {case.stack.name}, {case.temperature:.2f} K, protocol of "
        f"{case.protocol.duration:g} s, {comm.size} rank{'s' * (comm.size > 1)}; "
        f"{fitted} of {len(numbers)} material numbers are fitted or assumed"
    )


def _observers(prepared: Prepared, fields: NodeFields, run: RunDirectory) -> list[Observer]:
    case, system, circuit = prepared.case, prepared.system, prepared.network.circuit
    observers: list[Observer] = [
        Trace(run, system, case.protocol, prepared.network),
        StepTable(run, system, case.protocol),
        Balance(system, prepared.equilibrium.conserved, equilibrium_current(prepared), circuit),
        Profiles(run, system, fields, case.protocol, circuit, prepared.axisymmetric),
        Homogeneity(system, fields, case.protocol),
    ]
    if case.protocol.spectra:
        observers.append(Spectra(run, system, case.protocol))
    if case.protocol.pulses:
        observers.append(PulseTable(run, system, case.protocol, prepared.network))
    if case.output.snapshots == "breakpoints":
        observers.append(Snapshots(run, system, fields, case.protocol, prepared.axisymmetric))
    return observers


def _march(prepared: Prepared, stepper: Stepper, observers: list[Observer], log: Log) -> None:
    with log.progress(prepared.case.protocol.duration) as progress:
        for state in stepper.run():
            for observer in observers:
                observer.see(state)
            progress.update(state.time, state.step, stepper.newton_steps, stepper.rejected)


def equilibrium_current(prepared: Prepared) -> float:
    """Largest terminal current [A] that carriers make in the state found at 0 V."""
    system = prepared.system
    zero = np.zeros(system.layout.n_owned)
    scheme = Scheme(zero, 0.0, 1.0, np.zeros(len(system.equations.volumes.contacts)))
    outflow = system.comm.allreduce(prepared.newton.evaluate(scheme).outflow)
    return float(np.abs(outflow).max()) * ELEMENTARY_CHARGE


def _equilibrium_entries(prepared: Prepared, node_fields: NodeFields) -> dict[str, Any]:
    """Spread of each electrochemical potential over its group [V]."""
    system = prepared.system
    volumes = system.equations.volumes
    fields = node_fields.evaluate()
    entries: dict[str, Any] = {}
    for group in prepared.equilibrium.groups:
        inside = np.isin(volumes.node_region, [volumes.regions.index(n) for n in group.regions])
        psi = fields[electrochemical_potential(group.species)][inside]
        high = system.comm.allreduce(psi.max(initial=-np.inf), MPI.MAX)
        low = system.comm.allreduce(psi.min(initial=np.inf), MPI.MIN)
        key = f"equilibrium.spread.{group.species} [V]"
        entries[key] = max(float(high - low), entries.get(key, 0.0))
    return entries


def _step_entries(prepared: Prepared, stepper: Stepper) -> dict[str, Any]:
    newton = prepared.newton
    return {
        "steps.accepted": stepper.accepted,
        "steps.rejected": stepper.rejected,
        "newton.steps": stepper.newton_steps,
        "newton.equilibrium": prepared.equilibrium.newton_steps,
        "linear.method": newton.method,
        "linear.iterations": newton.linear_iterations,
        "unknowns": prepared.system.layout.n_global,
    }


def _instrument_entries(case: Case, run: RunDirectory, timing: Timing, log: Log) -> dict[str, Any]:
    """Make the instruments from the files of the run; their numbers for the summary."""
    with timing.part("instruments"):
        from ionstack.instruments.run import run_instruments

        found = run_instruments(run.path, case.instruments, figures=case.output.figures)
    for line in found.lines:
        log.say(line)
    return dict(found.entries)


def _finish(
    case: Case,
    run: RunDirectory,
    comm: MPI.Comm,
    system: System,
    entries: dict[str, Any],
    timing: Timing,
    log: Log,
) -> None:
    """Draw the figures and write the summary, on rank 0."""
    if comm.rank == 0:
        if case.output.figures:
            with timing.part("figures"):
                from ionstack.plots import draw_all

                draw_all(run.path)
        entries |= _instrument_entries(case, run, timing, log)
        hash_ = system.equations.volumes.content_hash
        entries |= provenance(case.resolved(), mesh_hash=hash_, ranks=comm.size)
        summary.write(run.summary, entries | timing.entries())
    log.say(
        f"{entries['steps.accepted']} steps, {entries['newton.steps']} Newton steps in "
        f"{timing.seconds['stepping']:.1f} s; currents sum to {entries['current_sum']:.1e}"
        + "".join(
            f", {k.split('.')[1]} kept to {v:.1e}"
            for k, v in entries.items()
            if k.startswith("conservation")
        )
    )
    log.say(f"results in {run.path}")

"""A run of devices from a checked case to files: the one place that wires the modules together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from ionstack.assembly.node_fields import NodeFields
from ionstack.casefile.case import Case
from ionstack.gaps.gap_field import GapField
from ionstack.models.products import product_names
from ionstack.observing.effort import Effort
from ionstack.observing.event_observer import EventTable
from ionstack.observing.gap_observer import GapTable
from ionstack.observing.mechanics_observer import BodySnapshots, MechanicsTable
from ionstack.observing.nucleation_observer import NucleationTable
from ionstack.observing.observers import (
    Balance,
    Homogeneity,
    Moments,
    Observer,
    Snapshots,
    Trace,
)
from ionstack.observing.product_observer import BoundProducts
from ionstack.observing.profile_observer import Profiles
from ionstack.observing.pulse_observer import PulseTable
from ionstack.observing.step_observers import Spectra, StepLines, StepTable
from ionstack.output.names import electrochemical_potential
from ionstack.output.run_directory import RunDirectory
from ionstack.physics.constants import ELEMENTARY_CHARGE
from ionstack.runs.log import Log
from ionstack.runs.preparation import Prepared, Timing, prepare
from ionstack.runs.restart import Frame, Keeper, take_over
from ionstack.runs.running import Run, greet, ranks, resumed
from ionstack.solving.newton import Scheme
from ionstack.stepping.stepper import Stepper
from ionstack.stress.body_mechanics import BodyMechanics
from ionstack.stress.stress_field import Stress


def simulate(case: Case, run: RunDirectory, comm: MPI.Comm, log: Log, resume: bool = False) -> Path:
    """Run a case and write its results into a claimed directory (collective).

    To `resume` goes on from the directory's checkpoint.

    Raises:
        IonstackError: after writing a summary of what was reached.
    """
    timing = Timing()
    greet(case, run, comm, log)
    prepared = prepare(case, comm, timing, search=not resume and case.initial is None)
    system, fields = prepared.system, NodeFields(prepared.system)
    frame, stepper = Frame.of_system(system), prepared.stepper()
    observers = _observers(prepared, fields, run, log)
    keeper = Keeper(case, run, frame, stepper, observers)
    begun = resumed(keeper) if resume else _begin(prepared, keeper, stepper, fields, frame)
    log.say(
        f"mesh: {comm.allreduce(system.equations.volumes.n_owned_vertices)} vertices, "
        f"{system.layout.n_global} unknowns on {ranks(comm)}; {begun}"
    )
    whole = Run(case, run, frame, stepper, observers, keeper, log, timing)
    failure = whole.march()
    timing.seconds["assembly"] = prepared.newton.assembly_seconds
    timing.seconds["linear"] = prepared.newton.linear_seconds
    entries = _solver_entries(prepared) | stepper.companions.entries()
    entries |= stepper.noise.entries()
    return whole.conclude(failure, entries)


def _begin(
    prepared: Prepared, keeper: Keeper, stepper: Stepper, fields: NodeFields, frame: Frame
) -> str:
    """Put the device into its state at the start and say which that is."""
    case, found = prepared.case, prepared.equilibrium
    initial = case.initial
    if initial is None:
        keeper.entries = _equilibrium_entries(prepared, fields)
        kind = "equilibrium" if case.start == "equilibrium" else "start"
        return f"{kind} found in {found.newton_steps} Newton steps"
    network = prepared.network
    header, circuit, currents = take_over(initial, prepared.system, network, frame.places)
    stepper.begin_with(circuit, currents)
    keeper.entries = {
        "initial.from": initial.given,
        "initial.state": initial.state,
        "initial.case.sha256": header["case.sha256"],
        "initial.source.sha256": header["source.sha256"],
        "newton.equilibrium": 0,
    }
    return f"start from state {initial.state!r} of {initial.folder}"


def _observers(
    prepared: Prepared, fields: NodeFields, run: RunDirectory, log: Log
) -> list[Observer]:
    case, system, circuit = prepared.case, prepared.system, prepared.network.circuit
    comm, contacts = system.comm, system.equations.volumes.contacts
    # Only an equilibrium that was sought here is one.
    current = equilibrium_current(prepared) if prepared.equilibrium.newton_steps else None
    observers: list[Observer] = [
        Trace(run, comm, contacts, case.protocol, circuit),
        StepTable(run, comm, case.protocol, StepLines(log.say)),
        Balance(system, prepared.equilibrium.conserved, current, circuit),
        Profiles(run, system, fields, case.protocol, circuit, prepared.axisymmetric),
        Homogeneity(system, fields, case.protocol),
        Effort(system.equations.volumes.contacts, log.say),
    ]
    if case.protocol.spectra:
        observers.append(Spectra(run, system, case.protocol))
    if case.protocol.pulses:
        observers.append(PulseTable(run, comm, case.protocol, circuit))
    if case.random:
        volumes = system.equations.volumes
        count = len(volumes.contacts), volumes.copies
        observers.append(EventTable(run, comm, case.protocol, *count))
    if prepared.nuclei:
        observers.append(NucleationTable(run, comm, prepared.nuclei))
    if product_names(system.equations.model):
        observers.append(BoundProducts(system))
    snapshots = case.output.snapshots == "breakpoints"
    if snapshots:
        when = Moments(case.protocol, case.output.snapshot_every)
        observers.append(Snapshots(run, system, fields, when, prepared.axisymmetric))
    for gap in (one for one in prepared.companions if isinstance(one, GapField)):
        observers.append(GapTable(run, comm, gap))
    for stress in (one for one in prepared.companions if isinstance(one, Stress)):
        observers.append(MechanicsTable(run, system.comm, stress))
        if snapshots and isinstance(stress.solver, BodyMechanics):
            observers.append(BodySnapshots(run, system.comm, stress.solver, case.protocol))
    return observers


def equilibrium_current(prepared: Prepared) -> float:
    """Largest terminal current [A] that carriers make in the state found at 0 V."""
    system = prepared.system
    zero = np.zeros(system.layout.n_owned)
    scheme = Scheme(zero, 0.0, 1.0, np.zeros(len(system.equations.volumes.contacts)))
    outflow = system.comm.allreduce(prepared.newton.evaluate(scheme).outflow)
    return float(np.abs(outflow).max()) * ELEMENTARY_CHARGE


def _equilibrium_entries(prepared: Prepared, node_fields: NodeFields) -> dict[str, Any]:
    """Spread of each electrochemical potential over its group [V], and Newton steps spent."""
    system = prepared.system
    volumes = system.equations.volumes
    fields = node_fields.evaluate()
    entries: dict[str, Any] = {"newton.equilibrium": prepared.equilibrium.newton_steps}
    for group in prepared.equilibrium.groups:
        inside = np.isin(volumes.node_region, [volumes.regions.index(n) for n in group.regions])
        psi = fields[electrochemical_potential(group.species)][inside]
        high = system.comm.allreduce(psi.max(initial=-np.inf), MPI.MAX)
        low = system.comm.allreduce(psi.min(initial=np.inf), MPI.MIN)
        key = f"equilibrium.spread.{group.species} [V]"
        entries[key] = max(float(high - low), entries.get(key, 0.0))
    return entries


def _solver_entries(prepared: Prepared) -> dict[str, Any]:
    newton = prepared.newton
    return {
        "linear.method": newton.method,
        "linear.iterations": newton.linear_iterations,
        "unknowns": prepared.system.layout.n_global,
    }

"""A run from a checked case to files: the one place that wires the modules together."""

from __future__ import annotations

import shlex
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.assemble import System
from ionstack.body_mechanics import BodyMechanics
from ionstack.case import Case, values_used
from ionstack.effort import Effort
from ionstack.errors import (
    Interrupted,
    IonstackError,
    NumericsError,
    OutputError,
    raise_together,
)
from ionstack.itinerary import Itinerary
from ionstack.log import Log
from ionstack.mechanics_observer import BodySnapshots, MechanicsTable
from ionstack.newton import Scheme
from ionstack.node_fields import NodeFields
from ionstack.observers import Balance, Homogeneity, Observer, Snapshots, Trace
from ionstack.output import sources, summary
from ionstack.output.atomic import write_text
from ionstack.output.names import electrochemical_potential
from ionstack.output.provenance import provenance
from ionstack.output.run_directory import RunDirectory
from ionstack.physics.constants import ELEMENTARY_CHARGE
from ionstack.preparation import Prepared, Timing, prepare
from ionstack.product_observer import BoundProducts
from ionstack.products import product_names
from ionstack.profile_observer import Profiles
from ionstack.pulse_observer import PulseTable
from ionstack.restart import Keeper, Signals, take_over
from ionstack.states import State
from ionstack.step_observers import Spectra, StepLines, StepTable
from ionstack.stepper import Stepper
from ionstack.stress import Stress

Floats = NDArray[np.float64]


def simulate(case: Case, run: RunDirectory, comm: MPI.Comm, log: Log, resume: bool = False) -> Path:
    """Run a case and write its results into a claimed directory (collective).

    To `resume` goes on from the directory's checkpoint.

    Raises:
        IonstackError: after writing a summary of what was reached.
    """
    timing = Timing()
    _greet(case, comm, log)
    with raise_together(comm, "writing the sources"):
        if comm.rank == 0:
            sources.write(run.sources, values_used(case))
            write_text(run.input, "".join(f"# --set {one}\n" for one in case.overrides) + case.text)
    prepared = prepare(case, comm, timing, search=not resume and case.initial is None)
    system, fields = prepared.system, NodeFields(prepared.system)
    stepper, observers = prepared.stepper(), _observers(prepared, fields, run, log)
    keeper = Keeper(case, run, system, stepper, observers)
    begun = _resume(keeper) if resume else _begin(prepared, keeper, stepper, fields)
    log.say(
        f"mesh: {comm.allreduce(system.equations.volumes.n_owned_vertices)} vertices, "
        f"{system.layout.n_global} unknowns on {_ranks(comm)}; {begun}"
    )
    with timing.part("stepping"):
        failure = _march(prepared, stepper, observers, keeper, log)
    entries = dict(keeper.entries) | _restart_entries(keeper)
    for observer in observers:
        entries |= observer.found()
    entries |= _step_entries(prepared, stepper) | stepper.companions.entries()
    entries |= stepper.events.entries()
    timing.seconds["assembly"] = prepared.newton.assembly_seconds
    timing.seconds["linear"] = prepared.newton.linear_seconds
    _finish(case, run, system, entries, failure, timing, log)
    if failure is not None:
        raise _with_advice(failure, case, run, comm, keeper)
    return run.path


def _ranks(comm: MPI.Comm) -> str:
    return f"{comm.size} rank{'s' * (comm.size > 1)}"


def _resume(keeper: Keeper) -> str:
    """Go on from the checkpoint and say where."""
    time = keeper.resume()
    return f"resumed at t = {time:.6g} s"


def _begin(prepared: Prepared, keeper: Keeper, stepper: Stepper, fields: NodeFields) -> str:
    """Put the device into its state at the start and say which that is."""
    case, found = prepared.case, prepared.equilibrium
    initial = case.initial
    if initial is None:
        keeper.entries = _equilibrium_entries(prepared, fields)
        kind = "equilibrium" if case.start == "equilibrium" else "start"
        return f"{kind} found in {found.newton_steps} Newton steps"
    network = prepared.network
    header, circuit, currents = take_over(initial, prepared.system, network, keeper.places)
    stepper.begin_with(circuit, currents)
    keeper.entries = {
        "initial.from": initial.given,
        "initial.state": initial.state,
        "initial.case.sha256": header["case.sha256"],
        "initial.source.sha256": header["source.sha256"],
        "newton.equilibrium": 0,
    }
    return f"start from state {initial.state!r} of {initial.folder}"


def _restart_entries(keeper: Keeper) -> dict[str, Any]:
    """Times [s] from which the run was resumed, and the ranks that had come so far."""
    parts = keeper.restarts
    return {
        "restart.times [s]": [one["time"] for one in parts],
        "restart.ranks": [one["mpi.ranks"] for one in parts],
    } if parts else {}  # fmt: skip


def _with_advice(
    failure: IonstackError, case: Case, run: RunDirectory, comm: MPI.Comm, keeper: Keeper
) -> IonstackError:
    """The failure with what can be done now, where that is to go on."""
    if not isinstance(failure, Interrupted | OutputError):
        return failure
    if keeper.kept is None:
        return type(failure)(f"{failure}; no checkpoint had been written, so run it anew")
    words = ["ionstack", "run", str(case.path), "--resume", "-o", str(run.path)]
    words += ["-n", str(comm.size)] if comm.size > 1 else []
    words += [word for one in case.overrides for word in ("--set", one)]
    return type(failure)(
        f"{failure}; the state at t = {keeper.kept:.9g} s is kept, go on with: {shlex.join(words)}"
    )


def _greet(case: Case, comm: MPI.Comm, log: Log) -> None:
    numbers = values_used(case)
    fitted = sum(1 for row in numbers if row.fitted)
    log.say(f"{case.title or case.name}: {case.path}")
    log.say(
        f"{case.stack.dimension} stack {case.stack.name}, {case.temperature:.2f} K, protocol of "
        f"{case.protocol.length()}, {_ranks(comm)}; "
        f"{fitted} of {len(numbers)} material numbers are fitted or assumed"
    )


def _observers(
    prepared: Prepared, fields: NodeFields, run: RunDirectory, log: Log
) -> list[Observer]:
    case, system, circuit = prepared.case, prepared.system, prepared.network.circuit
    # Only an equilibrium that was sought here is one.
    current = equilibrium_current(prepared) if prepared.equilibrium.newton_steps else None
    observers: list[Observer] = [
        Trace(run, system, case.protocol, prepared.network),
        StepTable(run, system, case.protocol, StepLines(log.say)),
        Balance(system, prepared.equilibrium.conserved, current, circuit),
        Profiles(run, system, fields, case.protocol, circuit, prepared.axisymmetric),
        Homogeneity(system, fields, case.protocol),
        Effort(system.equations.volumes.contacts, log.say),
    ]
    if case.protocol.spectra:
        observers.append(Spectra(run, system, case.protocol))
    if case.protocol.pulses:
        observers.append(PulseTable(run, system, case.protocol, prepared.network))
    if product_names(system.equations.model):
        observers.append(BoundProducts(system))
    snapshots = case.output.snapshots == "breakpoints"
    if snapshots:
        observers.append(Snapshots(run, system, fields, case.protocol, prepared.axisymmetric))
    for stress in (one for one in prepared.companions if isinstance(one, Stress)):
        observers.append(MechanicsTable(run, system.comm, stress))
        if snapshots and isinstance(stress.solver, BodyMechanics):
            observers.append(BodySnapshots(run, system.comm, stress.solver, case.protocol))
    return observers


def _march(
    prepared: Prepared, stepper: Stepper, observers: list[Observer], keeper: Keeper, log: Log
) -> IonstackError | None:
    """Step to the end of the protocol, or to what ends the run before."""
    itinerary = Itinerary(prepared.case.protocol)
    try:
        with log.progress() as progress, Signals() as signals:
            for state in stepper.run():
                keeper.see(state, signals, _show(observers, state))
                place = itinerary.at(state.time, state.interval)
                numbers = stepper.newton_steps, stepper.rejected
                progress.update(state.time, place, state.step, *numbers)
        keeper.end()
    except NumericsError as error:
        return _kept(keeper, error)
    except IonstackError as error:
        return error
    return None


def _show(observers: list[Observer], state: State) -> OSError | None:
    """Show a state to all; return the first failure to write a file on this rank."""
    failure = None
    for observer in observers:
        try:
            observer.see(state)
        except OSError as error:
            failure = failure or error
    return failure


def _kept(keeper: Keeper, error: NumericsError) -> IonstackError:
    """The error, with the last accepted state in the checkpoint; a full disk comes second."""
    with suppress(OutputError):
        keeper.write()
    return error


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


def _step_entries(prepared: Prepared, stepper: Stepper) -> dict[str, Any]:
    newton = prepared.newton
    return {
        "steps.accepted": stepper.accepted,
        "steps.rejected": stepper.rejected,
        "newton.steps": stepper.newton_steps,
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
    system: System,
    entries: dict[str, Any],
    failure: IonstackError | None,
    timing: Timing,
    log: Log,
) -> None:
    """Draw the figures and write the summary, on rank 0 (collective)."""
    entries["completed"] = failure is None
    try:
        with raise_together(system.comm, "writing the summary"):
            if system.comm.rank == 0:
                _write(case, run, system, entries, failure, timing, log)
    except OutputError:
        if failure is None:
            raise
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


def _write(
    case: Case,
    run: RunDirectory,
    system: System,
    entries: dict[str, Any],
    failure: IonstackError | None,
    timing: Timing,
    log: Log,
) -> None:
    # Who interrupts a run does not wait for pictures, and a full disk takes none.
    if not isinstance(failure, Interrupted | OutputError):
        if case.output.figures:
            with timing.part("figures"):
                from ionstack.plots import draw_all

                draw_all(run.path)
        entries |= _instrument_entries(case, run, timing, log)
    hash_ = system.equations.volumes.content_hash
    random = any(one.law.events for one in case.circuit.elements)
    seed = case.seed if random else None
    made_with = provenance(case.resolved(), mesh_hash=hash_, ranks=system.comm.size, seed=seed)
    summary.write(run.summary, entries | made_with | timing.entries())

"""A run of a circuit without field devices from a checked case to files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from ionstack.casefile.case import Case
from ionstack.circuits.circuit import Circuit
from ionstack.observing.event_observer import EventTable
from ionstack.observing.observers import Observer, Trace
from ionstack.observing.pulse_observer import PulseTable
from ionstack.observing.step_observers import StepLines, StepTable
from ionstack.output.run_directory import RunDirectory
from ionstack.runs.log import Log
from ionstack.runs.preparation import SourceDrive, Timing, step_control
from ionstack.runs.restart import Frame, Keeper
from ionstack.runs.running import Run, greet, ranks, resumed
from ionstack.solving.newton import NewtonControl
from ionstack.stepping.circuit_stepper import CircuitStepper
from ionstack.stepping.meter import of_source
from ionstack.stepping.states import State


def simulate_circuit(
    case: Case, run: RunDirectory, comm: MPI.Comm, log: Log, resume: bool = False
) -> Path:
    """Run a case without a stack and write its results into a claimed directory (collective).

    To `resume` goes on from the directory's checkpoint.

    Raises:
        IonstackError: after writing a summary of what was reached.
    """
    timing = Timing()
    greet(case, run, comm, log)
    with timing.part("setup"):
        stepper, frame = circuit_stepper(case), Frame.without_mesh(comm)
    observers = _observers(case, run, comm, log)
    keeper = Keeper(case, run, frame, stepper, observers)
    begun = resumed(keeper) if resume else "start at rest"
    log.say(f"circuit: {case.circuit.size} unknowns on {ranks(comm)}; {begun}")
    whole = Run(case, run, frame, stepper, observers, keeper, log, timing)
    return whole.conclude(whole.march(), {"unknowns": case.circuit.size})


def circuit_stepper(case: Case) -> CircuitStepper:
    """Return a stepper along the case's protocol from rest."""
    circuit, newton = case.circuit, NewtonControl(tolerance=case.numerics.newton_tolerance)
    drive = SourceDrive(case.protocol.intervals(circuit.sources))
    meter = partial(of_source, circuit)
    return CircuitStepper(circuit, drive, step_control(case), newton, meter, case.seed)


def _observers(case: Case, run: RunDirectory, comm: MPI.Comm, log: Log) -> list[Observer]:
    observers: list[Observer] = [
        Trace(run, comm, (), case.protocol, case.circuit),
        StepTable(run, comm, case.protocol, StepLines(log.say)),
        Kirchhoff(case.circuit),
    ]
    if case.protocol.pulses:
        observers.append(PulseTable(run, comm, case.protocol, case.circuit))
    if case.random:
        observers.append(EventTable(run, comm, case.protocol))
    return observers


class Kirchhoff:
    """The largest sum of currents at a node over the largest current of a source."""

    def __init__(self, circuit: Circuit) -> None:
        self._circuit = circuit
        self._sum = self._largest = 0.0

    def see(self, state: State) -> None:
        """Compare with what was largest so far."""
        currents = np.abs(self._circuit.source_currents(state.circuit))
        self._sum = max(self._sum, state.kirchhoff)
        self._largest = max(self._largest, float(currents.max(initial=0.0)))

    def memory(self) -> Mapping[str, Any]:
        """What was largest so far."""
        return {"sum": self._sum, "largest": self._largest}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Go on from it."""
        self._sum, self._largest = memory["sum"], memory["largest"]

    def found(self) -> Mapping[str, Any]:
        """The ratio and the largest current [A]."""
        ratio = self._sum / (self._largest or 1.0)
        return {"current_sum": ratio, "kirchhoff": ratio, "current_max [A]": self._largest}

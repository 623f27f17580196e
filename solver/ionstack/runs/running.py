"""A run to its end and into its files, whatever is run: what devices and circuits share."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mpi4py import MPI

from ionstack.casefile.case import Case
from ionstack.casefile.used_values import values_used
from ionstack.errors import (
    Interrupted,
    IonstackError,
    NumericsError,
    OutputError,
    raise_together,
)
from ionstack.observing.observers import Observer
from ionstack.output import sources, summary
from ionstack.output.atomic import write_text
from ionstack.output.provenance import provenance
from ionstack.output.run_directory import RunDirectory
from ionstack.protocols.itinerary import Itinerary
from ionstack.runs.log import Log
from ionstack.runs.preparation import Timing
from ionstack.runs.restart import Frame, Keeper, Marcher, Signals
from ionstack.stepping.states import State


class Counted(Protocol):
    """What happened so often."""

    def entries(self) -> Mapping[str, int]:
        """Counts by their names in the summary."""


class Runner(Marcher, Protocol):
    """A stepper that runs to the end of its drive."""

    accepted: int
    rejected: int
    newton_steps: int

    @property
    def events(self) -> Counted:
        """Random events."""

    def run(self) -> Iterator[State]:
        """Yield all states (collective)."""


@dataclass(frozen=True)
class Run:
    """What runs, who looks on, and where it is written."""

    case: Case
    folder: RunDirectory
    frame: Frame
    stepper: Runner
    observers: Sequence[Observer]
    keeper: Keeper
    log: Log
    timing: Timing

    def march(self) -> IonstackError | None:
        """Step to the end of the protocol, or to what ends the run before (collective)."""
        with self.timing.part("stepping"):
            return _march(self.case, self.stepper, self.observers, self.keeper, self.log)

    def conclude(self, failure: IonstackError | None, entries: Mapping[str, Any]) -> Path:
        """Draw the figures and write the summary, `entries` after what all runs have (collective).

        Raises:
            IonstackError: the failure, with what can be done now.
        """
        found = dict(self.keeper.entries) | _restart_entries(self.keeper)
        for observer in self.observers:
            found |= observer.found()
        found |= _step_entries(self.stepper) | dict(self.stepper.events.entries())
        found |= {**self.case.drawn, **self.case.references}
        self._finish(found | dict(entries), failure)
        if failure is not None:
            case, keeper = self.case, self.keeper
            raise _with_advice(failure, case, self.folder, self.frame.comm, keeper)
        return self.folder.path

    def _finish(self, entries: dict[str, Any], failure: IonstackError | None) -> None:
        entries["completed"] = failure is None
        try:
            with raise_together(self.frame.comm, "writing the summary"):
                if self.frame.comm.rank == 0:
                    self._write(entries, failure)
        except OutputError:
            if failure is None:
                raise
        self.log.say(
            f"{entries['steps.accepted']} steps, {entries['newton.steps']} Newton steps in "
            f"{self.timing.seconds['stepping']:.1f} s; currents sum to {entries['current_sum']:.1e}"
            + "".join(
                f", {k.split('.')[1]} kept to {v:.1e}"
                for k, v in entries.items()
                if k.startswith("conservation")
            )
        )
        self.log.say(f"results in {self.folder.path}")

    def _write(self, entries: dict[str, Any], failure: IonstackError | None) -> None:
        # Who interrupts a run does not wait for pictures, and a full disk takes none.
        if not isinstance(failure, Interrupted | OutputError):
            if self.case.output.figures:
                with self.timing.part("figures"):
                    from ionstack.plots import draw_all

                    draw_all(self.folder.path)
            entries |= _instrument_entries(self)
            _analyse(self)
        seed, frame = self.case.seed if self.case.random else None, self.frame
        text = self.case.resolved()
        made_with = provenance(text, mesh_hash=frame.mesh, ranks=frame.comm.size, seed=seed)
        summary.write(self.folder.summary, entries | made_with | self.timing.entries())


def greet(case: Case, run: RunDirectory, comm: MPI.Comm, log: Log) -> None:
    """Say what is run and write down with which numbers (collective)."""
    numbers = values_used(case)
    fitted = sum(1 for row in numbers if row.fitted)
    log.say(f"{case.title or case.name}: {case.path}")
    stack = case.stack
    what = f"{stack.dimension} stack {stack.name}" if stack.layers else "circuit"
    log.say(
        f"{what}, {case.temperature:.2f} K, protocol of "
        f"{case.protocol.length()}, {ranks(comm)}; "
        f"{fitted} of {len(numbers)} material numbers are fitted or assumed"
    )
    with raise_together(comm, "writing the sources"):
        if comm.rank == 0:
            sources.write(run.sources, numbers)
            write_text(run.input, "".join(f"# --set {one}\n" for one in case.overrides) + case.text)


def ranks(comm: MPI.Comm) -> str:
    """Number of ranks in words."""
    return f"{comm.size} rank{'s' * (comm.size > 1)}"


def resumed(keeper: Keeper) -> str:
    """Go on from the checkpoint and say where."""
    time = keeper.resume()
    return f"resumed at t = {time:.6g} s"


def _march(
    case: Case, stepper: Runner, observers: Sequence[Observer], keeper: Keeper, log: Log
) -> IonstackError | None:
    itinerary = Itinerary(case.protocol)
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


def _show(observers: Sequence[Observer], state: State) -> OSError | None:
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


def _restart_entries(keeper: Keeper) -> dict[str, Any]:
    """Times [s] from which the run was resumed, and the ranks that had come so far."""
    parts = keeper.restarts
    return {
        "restart.times [s]": [one["time"] for one in parts],
        "restart.ranks": [one["mpi.ranks"] for one in parts],
    } if parts else {}  # fmt: skip


def _step_entries(stepper: Runner) -> dict[str, Any]:
    return {
        "steps.accepted": stepper.accepted,
        "steps.rejected": stepper.rejected,
        "newton.steps": stepper.newton_steps,
    }


def _instrument_entries(run: Run) -> dict[str, Any]:
    """Make the instruments from the files of the run; their numbers for the summary."""
    with run.timing.part("instruments"):
        from ionstack.instruments.run import run_instruments

        figures = run.case.output.figures
        found = run_instruments(run.folder.path, run.case.instruments, figures=figures)
    for line in found.lines:
        run.log.say(line)
    return dict(found.entries)


def _analyse(run: Run) -> None:
    """Do the analyses that the case asks for, from the files of the run."""
    if not run.case.analyses:
        return
    with run.timing.part("analyses"):
        from ionstack.surface_analysis.planned import run_planned

        figures = run.case.output.figures
        done = run_planned(run.folder.path, run.case.analyses, figures=figures)
    for line in done.lines:
        run.log.say(line)


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

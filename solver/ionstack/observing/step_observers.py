"""Observers of the protocol itself: the table of its steps, and spectra taken between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mpi4py import MPI

from ionstack.assembly.assemble import System
from ionstack.output.growing import Growing, TableObserver
from ionstack.output.run_directory import RunDirectory
from ionstack.output.spectra import SpectrumRow, SpectrumWriter
from ionstack.output.steps import StepRow, StepWriter
from ionstack.protocols.drive import Limit
from ionstack.protocols.itinerary import MOST_LINES, step_words
from ionstack.protocols.laid import LaidSpectrum, Span
from ionstack.protocols.protocol import Protocol
from ionstack.solving.impedance import impedance
from ionstack.stepping.states import State


class StepLines:
    """Says of steps with a name, and of those that a limit ended, when and how they ended."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._left = say, MOST_LINES

    def ended(self, span: Span, time: float, limit: Limit | None) -> None:
        """Say it, unless a log has enough of it."""
        if self._left < 0 or not (span.name or limit):
            return
        self._left -= 1
        by = f" by {limit.describe()}" if limit else ""
        text = f"{step_words(span)}: ended at {time:.6g} s{by}"
        self._say(text if self._left >= 0 else "more steps have ended: see steps.csv")


class StepTable:
    """When each step of the protocol began and ended, and what ended it, into ``steps.csv``."""

    def __init__(
        self,
        run: RunDirectory,
        comm: MPI.Comm,
        protocol: Protocol,
        lines: StepLines | None = None,
    ) -> None:
        self._protocol, self._spans = protocol, protocol.spans
        self._ends: dict[int, list[Span]] = {}
        for span in protocol.spans:
            self._ends.setdefault(span.last, []).append(span)
        path = run.steps
        self._table = Growing(comm, lambda position: StepWriter(path, position))
        self._began, self._lines = 0.0, lines
        # How many steps with a name a limit ended, and how long they took together [s].
        self._took: dict[str, tuple[int, float]] = {}

    def see(self, state: State) -> None:
        """Write the steps that end here."""
        writer = self._table.writer()
        if not state.at_breakpoint:
            return
        ended = "time" if state.ended is None else state.ended.describe()
        for span in self._ending(state):
            if writer is not None:
                source = self._protocol.main_source(span.contact)
                what = (span.number, span.name, span.kind, source)
                writer.append(StepRow(*what, self._began, state.time, ended))
            if span.name and state.ended is not None:
                count, together = self._took.get(span.name, (0, 0.0))
                lasted = state.time - self._began
                self._took[span.name] = count + 1, together + lasted
            if self._lines is not None:
                self._lines.ended(span, state.time, state.ended)
            self._began = state.time

    def memory(self) -> Mapping[str, Any]:
        """Size of the file, when the present step began, and how long earlier ones took."""
        return {"began": self._began, "took": self._took, **self._table.memory()}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Cut the file back."""
        self._began = memory["began"]
        self._took = {name: (count, together) for name, (count, together) in memory["took"].items()}
        self._table.recall(memory)

    def _ending(self, state: State) -> list[Span]:
        """Steps that end at a state; a limit of a repeat also ends the one that it is in."""
        ends = self._ends.get(state.following, [])
        if state.ended is None:
            return ends
        inside = [one for one in self._spans if one.first < state.interval <= one.last]
        # What ends inside is a half of a cycle, not its step.
        inside = [one for one in inside if state.following >= one.last]
        # Of steps that are skipped nothing is told, of those that take no time the end is.
        return inside + [one for one in ends if one.first == one.last]

    def found(self) -> Mapping[str, Any]:
        """How long steps with a name took that a limit ended, on average over repetitions.

        The file is complete then.
        """
        self._table.close()
        took = self._took.items()
        return {f"duration.{name} [s]": together / count for name, (count, together) in took}


class Spectra(TableObserver[SpectrumWriter]):
    """Impedances in the states at which the protocol asks for them, into ``impedance.csv``."""

    def __init__(self, run: RunDirectory, system: System, protocol: Protocol) -> None:
        self._system = system
        self._marks: dict[int, list[LaidSpectrum]] = {}
        for one in protocol.spectra:
            self._marks.setdefault(one.breakpoint, []).append(one)
        path = run.spectra
        self._table = Growing(system.comm, lambda position: SpectrumWriter(path, position))

    def see(self, state: State) -> None:
        """Take the spectra due at this state."""
        writer = self._table.writer()
        if not state.at_breakpoint:
            return
        for one in self._marks.get(state.following, ()):
            found = impedance(self._system, state.voltages, one.frequencies, one.contact)
            if writer is None:
                continue
            for frequency, value in zip(one.frequencies, found, strict=True):
                row = SpectrumRow(
                    one.step, one.contact, float(frequency), float(value.real), float(value.imag)
                )
                writer.append(row)

"""Observer of what happens at random: the table of events, and the first of each kind."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan, sqrt
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.observing.observers import by_interval
from ionstack.output.events import EventRow, EventWriter
from ionstack.output.growing import Growing
from ionstack.output.run_directory import RunDirectory
from ionstack.protocols.protocol import Protocol
from ionstack.randomness.random_events import Event
from ionstack.stepping.states import State

Floats = NDArray[np.float64]


class EventTable:
    """All random events into ``events.csv``, with the voltage at their instants."""

    def __init__(
        self,
        run: RunDirectory,
        comm: MPI.Comm,
        protocol: Protocol,
        contacts: int = 0,
        copies: int = 1,
    ) -> None:
        """For a number of `contacts` of all `copies` of a device together."""
        self._per_device = contacts // copies
        self._cycle = by_interval((one.index, one.first, one.last) for one in protocol.cycles)
        self._step = by_interval((one.number, one.first, one.last) for one in protocol.spans)
        path = run.events
        self._table = Growing(comm, lambda position: EventWriter(path, position))
        self._before: Floats = np.zeros(contacts)
        # Time and voltage of the first event of every name.
        self._first: dict[str, tuple[float, float]] = {}
        # How many voltages, their mean, and the sum of the squares of what differs from it.
        self._spread: dict[str, tuple[int, float, float]] = {}

    def see(self, state: State) -> None:
        """Write the events of the step that led here."""
        writer = self._table.writer()
        for event in state.events:
            row = self._row(event, state)
            self._first.setdefault(event.name, (row.time, row.voltage))
            self._count(event.name, row.voltage)
            if writer is not None:
                writer.append(row)
        self._before = state.voltages

    def _count(self, name: str, voltage: float) -> None:
        """Welford's update of mean and spread."""
        count, mean, square = self._spread.get(name, (0, 0.0, 0.0))
        moved = mean + (voltage - mean) / (count + 1)
        self._spread[name] = count + 1, moved, square + (voltage - mean) * (voltage - moved)

    def _row(self, event: Event, state: State) -> EventRow:
        time = state.time - (1.0 - event.share) * state.step
        voltages = self._before + event.share * (state.voltages - self._before)
        count = (self._step.get(state.interval, 0), self._cycle.get(state.interval, 0))
        across, place = nan, (nan, nan, nan)
        if event.contact >= 0:
            across = self._across(voltages, event.contact)
            lateral = (*event.place[:-1], nan, nan)
            place = lateral[0], lateral[1], event.place[-1]
        return EventRow(time, event.name, *count, across, *place)

    def _across(self, voltages: Floats, contact: int) -> float:
        """Voltage [V] of a contact against the one of its device that differs most."""
        first = contact - contact % self._per_device
        own = voltages[contact] - voltages[first : first + self._per_device]
        return float(own[np.argmax(np.abs(own))])

    def memory(self) -> Mapping[str, Any]:
        """Size of the file, the last voltages, and the first events."""
        own = {"before": self._before.tolist(), "first": self._first, "spread": self._spread}
        return {**own, **self._table.memory()}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Cut the file back and go on (collective)."""
        self._before = np.array(memory["before"])
        self._first = {name: (time, volts) for name, (time, volts) in memory["first"].items()}
        self._spread = {name: (n, mean, sq) for name, (n, mean, sq) in memory["spread"].items()}
        self._table.recall(memory)

    def found(self) -> Mapping[str, Any]:
        """Time and voltage of the first event of every name, and the spread of the voltages."""
        self._table.close()
        entries = {f"events.{name}.time [s]": time for name, (time, _) in self._first.items()}
        for name, (_, voltage) in self._first.items():
            if np.isnan(voltage):
                continue
            entries[f"events.{name}.voltage [V]"] = voltage
            count, mean, square = self._spread[name]
            if count > 1 and mean:
                entries[f"events.{name}.voltage.mean [V]"] = mean
                entries[f"events.{name}.voltage.variation [1]"] = sqrt(square / (count - 1)) / abs(
                    mean
                )
        return entries

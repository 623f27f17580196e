"""Observer of pulses and reads: current, charge and energy of each into ``pulses.csv``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ionstack.assemble import System
from ionstack.errors import raise_together
from ionstack.output.pulses import KINDS, PulseRow, PulseWriter
from ionstack.output.run_directory import RunDirectory
from ionstack.protocol import Protocol, Pulse
from ionstack.stepper import State


@dataclass(frozen=True)
class Seen:
    """What is needed of the last state: interval, currents [A] and voltages [V]."""

    interval: int
    currents: NDArray[np.float64]
    voltages: NDArray[np.float64]


class PulseTable:
    """Follows every pulse from the start of its rise to the end of its fall."""

    def __init__(self, run: RunDirectory, system: System, protocol: Protocol) -> None:
        self._contacts = system.equations.volumes.contacts
        # By the number of intervals begun: the rise, the flat part and the fall.
        self._pulses = {one.interval + n: one for one in protocol.pulses for n in range(3)}
        self._comm, self._path = system.comm, run.pulses
        self._first = self._comm.rank == 0
        self._writer: PulseWriter | None = None
        self._last: Seen | None = None
        self._sums = np.zeros(2)
        self._current = 0.0

    def see(self, state: State) -> None:
        """Add what flowed since the last state; write the row when the fall ends."""
        if self._first:
            self._opened()
        pulse = self._pulses.get(state.interval)
        if pulse is not None and self._last is not None:
            self._add(pulse, self._last, state)
        self._last = Seen(state.interval, state.currents, state.voltages)

    def _opened(self, position: int | None = None) -> PulseWriter:
        """The writer; the file is made or cut back when it is first needed."""
        self._writer = self._writer or PulseWriter(self._path, position)
        return self._writer

    def memory(self) -> Mapping[str, Any]:
        """Size of the file, the last state, and the sums of a pulse that is not over."""
        if not self._first or self._last is None:
            return {}
        last = vars(self._last)
        sums = {"sums": self._sums.tolist(), "current": self._current}
        return {"position": self._opened().position(), "last": last, **sums}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Cut the file back and go on with the pulse."""
        last = memory["last"]
        currents, voltages = np.array(last["currents"]), np.array(last["voltages"])
        self._last = Seen(last["interval"], currents, voltages)
        self._sums, self._current = np.array(memory["sums"]), memory["current"]
        with raise_together(self._comm, "cutting the pulses back"):
            if self._first:
                self._opened(memory["position"])

    def _add(self, pulse: Pulse, last: Seen, state: State) -> None:
        part = state.interval - pulse.interval
        here = self._contacts.index(pulse.contact)
        new = Seen(state.interval, state.currents, state.voltages)
        rates = [(one.currents[here], one.currents @ one.voltages) for one in (last, new)]
        # Across a corner of the voltages currents jump: there the new one counts alone.
        mean = np.mean(rates, axis=0) if last.interval == state.interval else np.array(rates[1])
        self._sums = self._sums + mean * state.step
        if state.at_breakpoint and part == 1:
            self._current = float(state.currents[here])
        if state.at_breakpoint and part == 2:
            self._write(pulse)

    def _write(self, pulse: Pulse) -> None:
        charge, energy = self._sums.tolist()
        if self._writer is not None:
            self._writer.append(
                PulseRow(
                    KINDS[pulse.kind],
                    pulse.step,
                    pulse.group,
                    pulse.number,
                    pulse.start,
                    pulse.end,
                    pulse.voltage,
                    self._current,
                    charge,
                    energy,
                )
            )
        self._sums = np.zeros(2)

    def found(self) -> Mapping[str, Any]:
        """Nothing; the file is complete."""
        if self._writer is not None:
            self._writer.close()
        return {}

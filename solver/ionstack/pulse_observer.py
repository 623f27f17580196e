"""Observer of pulses and reads: current, charge and energy of each into ``pulses.csv``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ionstack.assemble import System
from ionstack.output.pulses import KINDS, PulseRow, PulseWriter
from ionstack.output.run_directory import RunDirectory
from ionstack.protocol import Protocol, Pulse
from ionstack.stepper import State


class PulseTable:
    """Follows every pulse from the start of its rise to the end of its fall."""

    def __init__(self, run: RunDirectory, system: System, protocol: Protocol) -> None:
        self._contacts = system.equations.volumes.contacts
        # By the number of intervals begun: the rise, the flat part and the fall.
        self._pulses = {one.interval + n: one for one in protocol.pulses for n in range(3)}
        self._writer = PulseWriter(run.pulses) if system.comm.rank == 0 else None
        self._last: State | None = None
        self._sums = np.zeros(2)
        self._current = 0.0

    def see(self, state: State) -> None:
        """Add what flowed since the last state; write the row when the fall ends."""
        pulse = self._pulses.get(state.interval)
        if pulse is not None and self._last is not None:
            self._add(pulse, self._last, state)
        self._last = state

    def _add(self, pulse: Pulse, last: State, state: State) -> None:
        part = state.interval - pulse.interval
        here = self._contacts.index(pulse.contact)
        rates = [(one.currents[here], one.currents @ one.voltages) for one in (last, state)]
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

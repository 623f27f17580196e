"""Observer of pulses and reads: current, charge and energy of each into ``pulses.csv``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ionstack.assemble import System
from ionstack.network import Network
from ionstack.output.pulses import KINDS, PulseRow, PulseWriter
from ionstack.output.run_directory import RunDirectory
from ionstack.protocol import Protocol, Pulse
from ionstack.stepper import State


class PulseTable:
    """Follows every pulse from the start of its rise to the end of its fall."""

    def __init__(
        self, run: RunDirectory, system: System, protocol: Protocol, network: Network
    ) -> None:
        self._protocol, self._network = protocol, network
        # By the number of intervals begun: the rise, the flat part and the fall.
        self._pulses = {one.interval + n: one for one in protocol.pulses for n in range(3)}
        self._writer = PulseWriter(run.pulses) if system.comm.rank == 0 else None
        self._last: State | None = None
        self._sums = np.zeros(2)
        self._current = self._start = self._end = 0.0

    def see(self, state: State) -> None:
        """Add what flowed since the last state; write the row when the fall ends."""
        pulse = self._pulses.get(state.interval)
        if pulse is not None and self._last is not None:
            self._add(pulse, self._last, state)
        self._last = state

    def _add(self, pulse: Pulse, last: State, state: State) -> None:
        part = state.interval - pulse.interval
        source = self._protocol.main_source(pulse.contact)
        here = self._network.circuit.sources.index(source)
        rates = [self._rates(here, one) for one in (last, state)]
        # Across a corner of the voltages currents jump: there the new one counts alone.
        mean = np.mean(rates, axis=0) if last.interval == state.interval else np.array(rates[1])
        self._sums = self._sums + mean * state.step
        if part == 1 and last.interval != state.interval:
            self._start = last.time
        if state.at_breakpoint and part == 1:
            self._current, self._end = float(rates[1][0]), state.time
        # A limit that ends the step in the flat part leaves out the fall.
        if state.ended is not None or (state.at_breakpoint and part == 2):
            self._write(pulse)

    def _rates(self, here: int, state: State) -> tuple[float, float]:
        """Current of the source [A], and power of all sources [W]."""
        currents = self._network.source_currents(state.circuit)
        voltages = self._network.source_voltages(state.circuit)
        return float(currents[here]), float(currents @ voltages)

    def _write(self, pulse: Pulse) -> None:
        charge, energy = self._sums.tolist()
        if self._writer is not None:
            self._writer.append(
                PulseRow(
                    KINDS[pulse.kind],
                    pulse.step,
                    pulse.group,
                    pulse.number,
                    self._start,
                    self._end,
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

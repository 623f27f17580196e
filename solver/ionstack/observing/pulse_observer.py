"""Observer of pulses and reads: current, charge and energy of each into ``pulses.csv``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ionstack.circuits.circuit import Circuit
from ionstack.output.growing import Growing
from ionstack.output.pulses import KINDS, PulseRow, PulseWriter
from ionstack.output.run_directory import RunDirectory
from ionstack.protocols.laid import Pulse
from ionstack.protocols.protocol import Protocol
from ionstack.stepping.states import State


@dataclass(frozen=True)
class Seen:
    """What is needed of the last state: interval, time [s], currents [A], voltages [V].

    Both are those of the sources.
    """

    interval: int
    time: float
    currents: NDArray[np.float64]
    voltages: NDArray[np.float64]


class PulseTable:
    """Follows every pulse from the start of its rise to the end of its fall."""

    _REMEMBERED = ("_sums", "_current", "_start", "_end")

    def __init__(
        self, run: RunDirectory, comm: MPI.Comm, protocol: Protocol, circuit: Circuit
    ) -> None:
        self._protocol, self._circuit = protocol, circuit
        # By the number of intervals begun: the rise, the flat part and the fall.
        self._pulses = {one.interval + n: one for one in protocol.pulses for n in range(3)}
        path = run.pulses
        self._table = Growing(comm, lambda position: PulseWriter(path, position))
        self._last: Seen | None = None
        self._sums = np.zeros(2)
        self._current = self._start = self._end = 0.0

    def see(self, state: State) -> None:
        """Add what flowed since the last state; write the row when the fall ends."""
        self._table.writer()
        pulse = self._pulses.get(state.interval)
        if pulse is not None and self._last is not None:
            self._add(pulse, self._last, state)
        self._last = self._seen(state)

    def _seen(self, state: State) -> Seen:
        currents = self._circuit.source_currents(state.circuit)
        voltages = self._circuit.source_voltages(state.circuit)
        return Seen(state.interval, state.time, currents, voltages)

    def memory(self) -> Mapping[str, Any]:
        """Size of the file, the last state, and the sums of a pulse that is not over."""
        if self._last is None:
            return {}
        pulse = {name: getattr(self, name) for name in self._REMEMBERED}
        return {**self._table.memory(), "last": vars(self._last), **pulse}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Cut the file back and go on with the pulse."""
        last = memory["last"]
        currents, voltages = np.array(last["currents"]), np.array(last["voltages"])
        self._last = Seen(last["interval"], last["time"], currents, voltages)
        self._sums = np.array(memory["_sums"])
        self._current, self._start, self._end = (memory[name] for name in self._REMEMBERED[1:])
        self._table.recall(memory)

    def _add(self, pulse: Pulse, last: Seen, state: State) -> None:
        part = state.interval - pulse.interval
        source = self._protocol.main_source(pulse.contact)
        here = self._circuit.sources.index(source)
        new = self._seen(state)
        rates = [(one.currents[here], one.currents @ one.voltages) for one in (last, new)]
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

    def _write(self, pulse: Pulse) -> None:
        charge, energy = self._sums.tolist()
        writer = self._table.writer()
        if writer is not None:
            writer.append(
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
        self._table.close()
        return {}

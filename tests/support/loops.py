"""Loops of current against voltage of a run, cut into sweeps of one sign."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from ionstack.metrics.thresholds import Reset, reset
from ionstack.output.trace import read_trace


class Sweep(NamedTuple):
    """A part of the trace with one sign of the voltage: time, voltage, current of the device."""

    time: np.ndarray
    volts: np.ndarray
    amperes: np.ndarray

    def resistance(self, read: float = 0.1) -> float:
        """Resistance on the way back, where the voltage falls through that of the read."""
        falling = slice(
            len(self.volts) - int(np.argmax(np.abs(self.volts[::-1]) >= read)) - 1, None
        )
        volts, amperes = np.abs(self.volts[falling]), np.abs(self.amperes[falling])
        return read / float(np.interp(read, volts[::-1], amperes[::-1]))

    def peak(self) -> float:
        """Modulus of the voltage at the largest current."""
        return float(np.abs(self.volts[np.argmax(np.abs(self.amperes))]))

    def reset(self) -> Reset:
        """Where the current begins to fall while the voltage rises."""
        return reset(self.volts, self.amperes)

    def rise(self, low: float, high: float) -> float:
        """Time in which the current gets from `low` to `high` [A]."""
        full = int(np.argmax(self.amperes > high))
        return float(self.time[full] - self.time[np.flatnonzero(self.amperes[:full] < low)[-1]])


def sweeps(folder: Path) -> list[Sweep]:
    """The trace cut where the voltage changes its sign."""
    trace = read_trace(folder / "trace.csv")
    time, volts, amperes = (trace[n] for n in ("time [s]", "voltage TE [V]", "current TE [A]"))
    real = np.abs(volts) > 1e-6
    cuts = np.flatnonzero(np.diff(np.sign(volts[real])))
    parts = np.split(np.stack([time, volts, amperes])[:, real], cuts + 1, axis=1)
    return [Sweep(*part) for part in parts]

"""The driven contact of a trace, and the conductance of each of its cycles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ionstack.metrics.arrays import FloatArray
from ionstack.output.trace import CYCLE, contacts_in, current_column, voltage_column

Trace = Mapping[str, FloatArray]


@dataclass(frozen=True)
class DeviceCurve:
    """Voltage [V] across and current [A] into the driven contact, shape (n_rows,)."""

    contact: str
    voltage: FloatArray
    current: FloatArray


@dataclass(frozen=True)
class CycleConductance:
    """Conductance of each cycle; arrays of shape (n_cycles,).

    `cycle` number; `amplitude` [V], signed; `read_voltage` [V]; `conductance` [S],
    NaN for a cycle that ended before both branches passed the read voltage.
    """

    cycle: npt.NDArray[np.int64]
    amplitude: FloatArray
    read_voltage: FloatArray
    conductance: FloatArray


def device_curve(trace: Trace, contact: str | None = None) -> DeviceCurve:
    """Return the curve of a contact, by default of the one whose voltage moves most.

    With two contacts the voltage is taken against the other one, with more of them
    against zero. Of equal contacts the first is taken.
    """
    contacts = contacts_in(trace)
    swings = [np.ptp(trace[voltage_column(c)]) if len(trace[CYCLE]) else 0.0 for c in contacts]
    driven = contacts[int(np.argmax(swings))] if contact is None else contact
    voltage = trace[voltage_column(driven)]
    if len(contacts) == 2:
        (other,) = (one for one in contacts if one != driven)
        voltage = voltage - trace[voltage_column(other)]
    return DeviceCurve(driven, voltage, trace[current_column(driven)])


def cycle_conductance(
    trace: Trace, read_fraction: float = 0.5, contact: str | None = None
) -> CycleConductance:
    """Return the conductance of each triangular cycle at a fraction of its amplitude.

    A cycle is the rows of one number > 0 in ``cycle [1]`` and the row before them;
    its amplitude is its extreme voltage, which parts it into branches. The currents
    of both branches, interpolated to the read voltage, are averaged: the displacement
    current C dV/dt has opposite signs on them and drops out. G = <I>/V_read.
    """
    curve = device_curve(trace, contact)
    numbers = np.unique(trace[CYCLE][trace[CYCLE] > 0]).astype(np.int64)
    found = np.array(
        [_read_cycle(curve, np.flatnonzero(trace[CYCLE] == n), read_fraction) for n in numbers]
    ).reshape(len(numbers), 3)
    return CycleConductance(numbers, found[:, 0], found[:, 1], found[:, 2])


def _read_cycle(
    curve: DeviceCurve, rows: npt.NDArray[np.intp], fraction: float
) -> tuple[float, float, float]:
    first = max(int(rows[0]) - 1, 0)
    voltage, current = curve.voltage[first : rows[-1] + 1], curve.current[first : rows[-1] + 1]
    turn = int(np.argmax(np.abs(voltage)))
    amplitude = float(voltage[turn])
    read = fraction * amplitude
    if read == 0.0:
        return amplitude, read, float("nan")
    forward = _at(voltage[: turn + 1], current[: turn + 1], read)
    backward = _at(voltage[turn:][::-1], current[turn:][::-1], read)
    return amplitude, read, 0.5 * (forward + backward) / read


def _at(voltage: FloatArray, current: FloatArray, read: float) -> float:
    """Interpolate along a branch that runs towards larger |voltage|; NaN outside it."""
    sign = np.sign(read)
    inside = np.interp(sign * read, sign * voltage, current, left=np.nan, right=np.nan)
    return float(inside)

"""Charge and energy that pulses take from the source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ionstack.metrics.arrays import (
    FloatArray,
    check_increasing,
    check_positive,
    checked,
    ratio,
)

# 1 aJ/(µm² nS) in J/(m² S).
_ATTOJOULE = 1e-18 / (1e-12 * 1e-9)


@dataclass(frozen=True)
class Pulses:
    """Per pulse: `start`, `width` [s], `amplitude` [V], `charge` [C], `energy` [J]; shape (n,)."""

    start: FloatArray
    width: FloatArray
    amplitude: FloatArray
    charge: FloatArray
    energy: FloatArray


def transferred_charge(time: npt.ArrayLike, current: npt.ArrayLike) -> float:
    """Return ∫ I dt [C] by the trapezoidal rule; times [s] increase."""
    times, amps = checked(2, time=time, current=current)
    check_increasing("time", times)
    return float(np.trapezoid(amps, times))


def spent_energy(time: npt.ArrayLike, voltage: npt.ArrayLike, current: npt.ArrayLike) -> float:
    """Return ∫ V I dt [J] by the trapezoidal rule; what flows back is subtracted."""
    times, volts, amps = checked(2, time=time, voltage=voltage, current=current)
    check_increasing("time", times)
    return float(np.trapezoid(volts * amps, times))


def energy_per_change(energy: float, area: float, change: float) -> float:
    """Return E/(A ΔG) in aJ/(µm² nS), of J, m² and S; the area is that of the film.

    The figure of merit of electrochemical synapses: 5 µC at 0.32 V over 0.6 cm² for
    300 nS is 90 aJ/(µm² nS).
    """
    check_positive("area", area)
    return ratio(energy / area, abs(change)) / _ATTOJOULE


def find_pulses(
    time: npt.ArrayLike, voltage: npt.ArrayLike, current: npt.ArrayLike, rest: float = 0.0
) -> Pulses:
    """Return every stretch where |V − rest| exceeds half its largest value.

    Edges are taken half-way between rows; charge and energy include the rows on either side.
    """
    times, volts, amps = checked(3, time=time, voltage=voltage, current=current)
    check_increasing("time", times)
    size = np.abs(volts - rest)
    high = size > 0.5 * size.max()
    edges = np.diff(np.concatenate([[False], high, [False]]).astype(np.int64))
    pairs = zip(np.flatnonzero(edges > 0), np.flatnonzero(edges < 0), strict=True)
    rows = [_pulse(times, volts, amps, int(a), int(b)) for a, b in pairs]
    return Pulses(*np.array(rows, dtype=np.float64).reshape(len(rows), 5).T)


def _pulse(
    times: FloatArray, volts: FloatArray, amps: FloatArray, first: int, stop: int
) -> tuple[float, float, float, float, float]:
    """Return (start, width, amplitude, charge, energy) of the rows first to stop − 1."""
    before, after = max(first - 1, 0), min(stop, len(times) - 1)
    start = 0.5 * (times[before] + times[first])
    end = 0.5 * (times[stop - 1] + times[after])
    inside = slice(before, after + 1)
    amplitude = volts[first:stop][np.argmax(np.abs(volts[first:stop]))]
    charge = np.trapezoid(amps[inside], times[inside])
    energy = np.trapezoid(volts[inside] * amps[inside], times[inside])
    return float(start), float(end - start), float(amplitude), float(charge), float(energy)

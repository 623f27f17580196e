"""Galvanostatic charge and discharge: capacitance, energy, power, efficiency, self-discharge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ionstack.errors import InputError
from ionstack.metrics.arrays import (
    NAN,
    FloatArray,
    check_increasing,
    check_positive,
    checked,
    line,
    ratio,
    runs,
)

# Share of the largest current below which none flows: currents of one run differ by hundreds.
_REST = 1e-3


@dataclass(frozen=True)
class HalfCycle:
    """One charge or discharge; absolute values, divided by the area if one was given.

    `discharge`; `current` [A] mean; `duration` [s]; `charge` [C]; `drop` [V] at the
    reversal of the current and `resistance` [Ω] = drop over the change of current (NaN
    without a half cycle before; never divided by area); `window` [V] without the drop;
    `capacitance` [F] = Q/window; `energy` [J] = |∫ I V dt|; `energy_linear` [J] =
    ½ C |V_start² − V_end²|, what a straight V(t) would hold; `power` [W] = energy/duration.
    """

    discharge: bool
    current: float
    duration: float
    charge: float
    drop: float
    resistance: float
    window: float
    capacitance: float
    energy: float
    energy_linear: float
    power: float


@dataclass(frozen=True)
class SelfDischarge:
    """Loss of voltage at open circuit.

    `rate`: −dV/dt [V/s] at the start, of the fitted exponential; `time_constant` [s] of
    V = V0 e^(−t/τ); `leak_current` [A] = C · rate and `leak_conductance` [S] = C/τ, NaN
    without a capacitance; `kept`: last over first voltage.
    """

    rate: float
    time_constant: float
    leak_current: float
    leak_conductance: float
    kept: float


def half_cycles(
    time: npt.ArrayLike,
    voltage: npt.ArrayLike,
    current: npt.ArrayLike,
    area: float | None = None,
) -> tuple[HalfCycle, ...]:
    """Return every stretch of one sign of current; discharge is where I V < 0 on the whole.

    `area` [m²] divides charge, capacitance, energy and power. Rests (|I| below 0.1 % of the
    largest) and stretches of a single row are passed over.
    """
    times, volts, amps = checked(3, time=time, voltage=voltage, current=current)
    check_increasing("time", times)
    if area is not None:
        check_positive("area", area)
    scale = 1.0 if area is None else area
    found: list[HalfCycle] = []
    for first, stop in _stretches(amps):
        rows = slice(first, stop)
        before = (volts[first - 1], amps[first - 1]) if first > 0 else (NAN, NAN)
        found.append(_half_cycle(times[rows], volts[rows], amps[rows], before, scale))
    return tuple(found)


def _stretches(amps: FloatArray) -> list[tuple[int, int]]:
    sign = np.where(np.abs(amps) > _REST * np.abs(amps).max(), np.sign(amps), 0.0)
    return [(a, b) for a, b in runs(sign) if sign[a] != 0.0 and b - a > 1]


def _half_cycle(
    times: FloatArray,
    volts: FloatArray,
    amps: FloatArray,
    before: tuple[float, float],
    scale: float,
) -> HalfCycle:
    duration = float(times[-1] - times[0])
    signed = float(np.trapezoid(amps, times))
    worked = float(np.trapezoid(amps * volts, times))
    drop = abs(float(before[0] - volts[0]))
    window = abs(float(volts[0] - volts[-1]))
    charge, energy = abs(signed) / scale, abs(worked) / scale
    capacitance = ratio(charge, window)
    return HalfCycle(
        worked < 0.0,
        float(np.mean(np.abs(amps))),
        duration,
        charge,
        drop,
        ratio(drop, abs(float(amps[0] - before[1]))),
        window,
        capacitance,
        energy,
        0.5 * capacitance * abs(float(volts[0] ** 2 - volts[-1] ** 2)),
        energy / duration,
    )


def efficiencies(charge: HalfCycle, discharge: HalfCycle) -> tuple[float, float]:
    """Return coulombic efficiency Q_out/Q_in and energy efficiency E_out/E_in."""
    if charge.discharge or not discharge.discharge:
        raise InputError("efficiencies: needs a charge and a discharge, in this order")
    return ratio(discharge.charge, charge.charge), ratio(discharge.energy, charge.energy)


def ragone(cycles: tuple[HalfCycle, ...]) -> tuple[FloatArray, FloatArray]:
    """Return power [W] and energy [J] of the discharges, sorted by power (per area if given)."""
    chosen = sorted((c.power, c.energy) for c in cycles if c.discharge)
    table = np.array(chosen, dtype=np.float64).reshape(len(chosen), 2)
    return table[:, 0].copy(), table[:, 1].copy()


def self_discharge(
    time: npt.ArrayLike, voltage: npt.ArrayLike, capacitance: float = NAN
) -> SelfDischarge:
    """Return the leakage that V(t) at open circuit shows; voltages of one sign.

    ln V against t gives τ = RC; its slope times V and C is the leak current. Divide
    leak conductance by area and multiply by thickness for the film's conductivity.
    """
    times, volts = checked(3, time=time, voltage=voltage)
    check_increasing("time", times)
    size = volts * np.sign(volts[0])
    check_positive("|voltage|", size)
    slope, start = line(times - times[0], np.log(size))
    rate = -slope * float(np.exp(start))
    constant = ratio(-1.0, slope)
    return SelfDischarge(
        rate, constant, capacitance * rate, -capacitance * slope, float(size[-1] / size[0])
    )

"""Threshold and hold voltage of one sweep, each by two rules, and the voltage of its reset.

The rules are those usual for volatile switches: V_th is the last point before log|I| rises
fastest with |V|, or where |I| first exceeds ten times the off-current; V_hold is, on the way
back, the last point before log|I| falls fastest, or where |I| falls below a tenth of the
compliance. Both are reported, because they differ where switching is gradual.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ionstack.errors import InputError
from ionstack.metrics.arrays import NAN, FloatArray, check_positive, first_crossing
from ionstack.metrics.sweeps import branches

FACTOR = 10.0
# Close to zero voltage the current is noise, and log|I| of any resistor is steep.
_LEAST_SHARE = 0.05
_OFF_SHARES = (0.05, 0.25)
# The steepest step of a smooth curve is no switching: changes of conductance that are, in
# one step and in five. A current that passes zero linearly doubles in a step at most.
_ABRUPT = 3.0
_GRADUAL = 10.0
# A current that falls by less than this share while the voltage rises is no reset.
_FALL = 0.1


@dataclass(frozen=True)
class Switching:
    """Voltages [V], signed like the sweep; NaN where the sweep shows no such event.

    `threshold_slope`, `hold_slope`: steepest log|I|. `threshold_factor`, `hold_factor`:
    passage of a current level. `off_current` [A] at the threshold without switching;
    `step` [V]: largest voltage step, which should be below V_th/200.
    """

    threshold_slope: float
    threshold_factor: float
    hold_slope: float
    hold_factor: float
    off_current: float
    step: float


def switching(
    voltage: npt.ArrayLike,
    current: npt.ArrayLike,
    *,
    off_current: float | None = None,
    compliance: float | None = None,
    floor: float = 0.0,
    factor: float = FACTOR,
) -> Switching:
    """Return threshold and hold voltage of one sweep 0 → V → 0.

    `off_current` [A] is the level of the off state; if not given it is the ohmic current
    G_off |V|, with G_off the median of |I/V| between 5 % and 25 % of the amplitude, so
    that a plain resistor has no threshold. `compliance` [A] is the current limit, if not
    given the largest |I|. |I| is not taken below `floor` [A], the noise of the instrument,
    whose logarithm would be the steepest of all. Raises InputError for a level that is
    not positive.
    """
    for name, level in (("off_current", off_current), ("compliance", compliance)):
        if level is not None:
            check_positive(name, level)
    if factor <= 1.0:
        raise InputError(f"factor: has to be greater than 1, not {factor:g}")
    parts = branches(voltage, current)
    sign = float(np.sign(parts.back_voltage[0]))
    out_v, out_i = np.abs(parts.out_voltage), np.maximum(np.abs(parts.out_current), floor)
    back_v, back_i = np.abs(parts.back_voltage), np.maximum(np.abs(parts.back_current), floor)
    off = _off_level(out_v, out_i) if off_current is None else np.full_like(out_v, off_current)
    limit = float(max(out_i.max(), back_i.max())) if compliance is None else compliance
    by_factor = _threshold_by_factor(out_v, out_i, off, factor)
    return Switching(
        sign * _by_slope(out_v, parts.out_current, floor),
        sign * by_factor,
        sign * _by_slope(back_v[::-1], parts.back_current[::-1], floor, after=True),
        sign * first_crossing(back_v, back_i, limit / factor),
        float(np.interp(by_factor, out_v, off)) if np.isfinite(by_factor) else NAN,
        float(np.abs(np.diff(parts.out_voltage)).max(initial=0.0)),
    )


@dataclass(frozen=True)
class Reset:
    """Voltage [V] and current [A], signed like the sweep, at which a device begins to reset."""

    voltage: float
    current: float


def reset(voltage: npt.ArrayLike, current: npt.ArrayLike, floor: float = 0.0) -> Reset:
    """Return where |I| begins to fall while |V| rises, usually called V_reset and I_reset.

    That is the point of the way out after which |I| falls by the largest share before the
    sweep turns, even if it rises again later. NaN where it falls by less than a tenth: no
    resistor, no set and no limited current has one. Currents below a twentieth of the largest
    do not count, and |I| is not taken below `floor` [A], the noise of the instrument.
    """
    parts = branches(voltage, current)
    amps = np.maximum(np.abs(parts.out_current), floor)
    counts = (amps > 0.0) & (amps >= _LEAST_SHARE * amps.max())
    lowest = np.minimum.accumulate(amps[::-1])[::-1]
    left = np.divide(lowest, amps, out=np.ones_like(amps), where=counts)
    k = int(np.argmin(left))
    if left[k] > 1.0 - _FALL:
        return Reset(NAN, NAN)
    return Reset(float(parts.out_voltage[k]), float(parts.out_current[k]))


def _off_level(size: FloatArray, current: FloatArray) -> FloatArray:
    """Return the ohmic current of the off state at every point of the outward branch."""
    low, high = (share * size.max() for share in _OFF_SHARES)
    early = (size >= low) & (size <= high)
    if not early.any():
        return np.full_like(size, NAN)
    return np.asarray(np.median(current[early] / size[early]) * size)


def _threshold_by_factor(
    size: FloatArray, current: FloatArray, off: FloatArray, factor: float
) -> float:
    if np.isnan(off).any():
        return NAN
    inside = size >= _LEAST_SHARE * size.max()
    excess = (current - factor * off)[inside]
    if not len(excess) or excess[0] > 0.0:
        return NAN
    return first_crossing(size[inside], excess, 0.0)


def _by_slope(size: FloatArray, current: FloatArray, floor: float, *, after: bool = False) -> float:
    """Return the end of the steepest step of log|I| against |V|, both along rising |V|.

    Only steps that switch count. `after` takes the end at larger |V|: on the way back it
    is met first.
    """
    amps = np.maximum(np.abs(current), floor)
    usable = (amps > 0.0) & (size >= _LEAST_SHARE * size.max(initial=0.0))
    usable &= ~_beside_zero(current, floor)
    volts, amps = size[usable], amps[usable]
    steps = np.diff(volts)
    jumps = np.flatnonzero((steps > 0.0) & _switches(amps / np.where(volts > 0.0, volts, 1.0)))
    if not len(jumps):
        return NAN
    slopes = np.diff(np.log10(amps))[jumps] / steps[jumps]
    k = int(jumps[int(np.argmax(slopes))])
    return float(volts[k + 1] if after else volts[k])


def _beside_zero(current: FloatArray, floor: float) -> npt.NDArray[np.bool_]:
    """Return the points on both sides of a change of sign: |I| starts from nothing there."""
    sign = np.where(np.abs(current) > floor, np.sign(current), 0.0)
    changes = sign[1:] * sign[:-1] < 0.0
    beside = np.zeros(len(current), dtype=np.bool_)
    beside[:-1] |= changes
    beside[1:] |= changes
    return beside


def _switches(conductance: FloatArray) -> npt.NDArray[np.bool_]:
    """Return which steps raise the conductance threefold, or tenfold with two on either side."""
    places = np.arange(len(conductance) - 1)
    wide = conductance[np.minimum(places + 3, len(conductance) - 1)]
    abrupt = conductance[1:] >= _ABRUPT * conductance[:-1]
    return np.asarray(abrupt | (wide >= _GRADUAL * conductance[np.maximum(places - 2, 0)]))

"""Threshold and hold voltage of one sweep, each by two rules.

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
# Steepest step of a smooth curve is no switching: the conductance has to change so much.
_LEAST_CHANGE = 3.0


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
        sign * _by_slope(out_v, out_i),
        sign * by_factor,
        sign * _by_slope(back_v[::-1], back_i[::-1], after=True),
        sign * first_crossing(back_v, back_i, limit / factor),
        float(np.interp(by_factor, out_v, off)) if np.isfinite(by_factor) else NAN,
        float(np.abs(np.diff(parts.out_voltage)).max(initial=0.0)),
    )


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


def _by_slope(size: FloatArray, current: FloatArray, *, after: bool = False) -> float:
    """Return the end of the steepest step of log|I| against |V|, both along rising |V|.

    `after` takes the end at larger |V|: on the way back it is met first.
    """
    usable = (current > 0.0) & (size >= _LEAST_SHARE * size.max(initial=0.0))
    volts, amps = size[usable], current[usable]
    steps = np.diff(volts)
    rising = np.flatnonzero(steps > 0.0)
    if not len(rising):
        return NAN
    slopes = np.diff(np.log10(amps))[rising] / steps[rising]
    k = int(rising[int(np.argmax(slopes))])
    conductance = amps / volts
    if conductance[k + 1 :].max() < _LEAST_CHANGE * float(np.median(conductance[: k + 1])):
        return NAN
    return float(volts[k + 1] if after else volts[k])
